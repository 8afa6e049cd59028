"""Two ways downhill: damped Gauss-Newton steps, and BFGS where there is a gradient alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Vector = np.ndarray[Any, Any]
Watch = Callable[[int, float], None]


def gauss_newton(
    look: Callable[[Vector], tuple[float, Vector, Vector]],
    p: Vector,
    iterations: int,
    tolerance: float,
    watch: Watch,
) -> tuple[Vector, float, bool]:
    """Minimise with ``look(p) -> cost, gradient, curvature`` by Levenberg and Marquardt's steps.

    Stops when a step is shorter than `tolerance` in every parameter. Returns the parameters, the
    cost, and whether it stopped so.
    """
    cost, gradient, curvature = look(p)
    damping = 1e-3
    for iteration in range(iterations):
        if not math.isfinite(cost):
            return p, cost, False
        diagonal = np.diag(curvature)
        floor = 1e-9 * diagonal.max(initial=0) + np.finfo(float).tiny
        damped = curvature + np.diag(damping * diagonal + floor)
        step = -np.linalg.solve(damped, gradient)
        tried = look(p + step)
        if tried[0] <= cost:
            p = p + step
            cost, gradient, curvature = tried
            damping = max(damping / 10, 1e-7)
            watch(iteration, cost)
        else:
            damping *= 10
        if np.abs(step).max() < tolerance:
            return p, cost, True
    return p, cost, False


def bfgs(
    value: Callable[[Vector], float],
    slope: Callable[[Vector], Vector],
    p: Vector,
    iterations: int,
    tolerance: float,
    reach: float,
    watch: Watch,
) -> tuple[Vector, float, bool]:
    """Minimise by quasi-Newton steps of at most `reach` in any parameter.

    `slope` is asked for at places where `value` was asked just before. Stops when a step is shorter
    than `tolerance` in every parameter, or none as long helps.
    """
    cost = value(p)
    if not math.isfinite(cost):
        return p, cost, False
    gradient = slope(p)
    inverse: Vector | None = None
    for iteration in range(iterations):
        step = -gradient if inverse is None else -(inverse @ gradient)
        if step @ gradient >= 0:
            inverse, step = None, -gradient
        longest = np.abs(step).max()
        if longest == 0:
            return p, cost, True
        if inverse is None or longest > reach:
            step *= reach / longest
        while True:
            tried = value(p + step)
            if tried <= cost + 1e-4 * (step @ gradient):
                break
            step /= 2
            if np.abs(step).max() < tolerance / 4:
                return p, cost, True
        p = p + step
        before, gradient = gradient, slope(p)
        change = gradient - before
        cost = tried
        watch(iteration, cost)
        inverse = _update(inverse, step, change)
        if np.abs(step).max() < tolerance:
            return p, cost, True
    return p, cost, False


def _update(inverse: Vector | None, step: Vector, change: Vector) -> Vector | None:
    """Return the next estimate of the inverse curvature."""
    along = step @ change
    if along <= 1e-12 * np.linalg.norm(step) * np.linalg.norm(change):
        return inverse
    if inverse is None:
        inverse = along / (change @ change) * np.eye(step.size)
    turned = np.eye(step.size) - np.outer(step, change) / along
    return turned @ inverse @ turned.T + np.outer(step, step) / along
