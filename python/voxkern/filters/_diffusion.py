"""Anisotropic diffusion."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._edge import NEAREST
from .._kernel import In, ListOut, Out, Scalar, Vec3, kernel, prange
from ._surround import surround

Array = TypeVar("Array")

# What flows: as voxkern/filters/diffuse.hpp has it.
_FLOWS = {"gradient": 0, "curvature": 1, "perona-malik": 2}
GRADIENT, CURVATURE, PLAIN = range(3)
_WHY = "float32 images are worked on in float32, and exponentials differ in their last bits"


@kernel(dtypes=_args.REAL, exact=False, atol=2e-6, why=_WHY)
def _diffuse(x: In, y: Out, scale: Vec3, by: Scalar, step: Scalar, flow: Scalar) -> None:
    u = surround(x, (1, 1, 1), NEAREST)
    here = u[1:-1, 1:-1, 1:-1]
    ahead = [(_shifted(u, a, 1) - here) * scale[a] for a in range(3)]
    behind = [(here - _shifted(u, a, -1)) * scale[a] for a in range(3)]
    middle = [(ahead[a] + behind[a]) / 2 for a in range(3)]
    speed = np.zeros(x.shape)
    for a in range(3):
        step_on = np.roll(np.arange(x.shape[a]), -1)
        step_on[-1] = x.shape[a] - 1
        square = ahead[a] ** 2
        if flow != PLAIN:
            for b in range(3):
                if b != a:
                    square = square + ((middle[b] + middle[b].take(step_on, a)) / 2) ** 2
        flown = ahead[a] * np.exp2(square * by)
        if flow == CURVATURE:
            flown /= np.sqrt(square + 1e-10)
        elif flow == PLAIN:
            flown *= scale[a]
        speed += np.diff(flown, axis=a, prepend=0)
    if flow == CURVATURE:
        zero, rising = 0.0, speed > 0
        square = np.zeros(x.shape)
        for a in range(3):
            square += np.where(rising, np.maximum(ahead[a], zero), np.minimum(ahead[a], zero)) ** 2
            square += (
                np.where(rising, np.minimum(behind[a], zero), np.maximum(behind[a], zero)) ** 2
            )
        speed *= np.sqrt(square)
    y[...] = x + step * speed


def _shifted(u: Any, axis: int, by: int) -> Any:
    """Return the neighbours along an axis of the voxels of an image with a halo of one."""
    at = [slice(1, -1)] * 3
    at[axis] = slice(1 + by, u.shape[axis] - 1 + by)
    return u[tuple(at)]


@_diffuse.on("numba")
def _by_voxels(x: Any, y: Any, scale: Any, by: float, step: float, flow: int) -> None:
    planes, rows, columns = x.shape
    for line in prange(planes * rows):
        k, j = line // rows, line % rows
        for i in range(columns):
            speed, up, down = 0.0, 0.0, 0.0
            for axis in range(3):
                a, b, c = axis == 0, axis == 1, axis == 2
                ahead = (_at(x, k + a, j + b, i + c) - float(x[k, j, i])) * scale[axis]
                behind = (float(x[k, j, i]) - _at(x, k - a, j - b, i - c)) * scale[axis]
                speed += _flow(x, k, j, i, axis, ahead, scale, by, flow)
                speed -= _flow(x, k - a, j - b, i - c, axis, behind, scale, by, flow)
                up += max(ahead, 0.0) ** 2 + min(behind, 0.0) ** 2
                down += min(ahead, 0.0) ** 2 + max(behind, 0.0) ** 2
            if flow == CURVATURE:
                speed *= math.sqrt(up if speed > 0 else down)
            y[k, j, i] = x[k, j, i] + step * speed


def _at(x: Any, k: int, j: int, i: int) -> float:
    """Return a voxel, or the nearest one where it lies outside."""
    kk = min(max(k, 0), x.shape[0] - 1)
    jj = min(max(j, 0), x.shape[1] - 1)
    return np.float64(x[kk, jj, min(max(i, 0), x.shape[2] - 1)])


def _flow(
    x: Any, k: int, j: int, i: int, axis: int, ahead: float, scale: Any, by: float, flow: int
) -> float:
    """Return what flows through the face between a voxel and the next along an axis."""
    square = ahead * ahead
    if flow != PLAIN:
        a, b, c = axis == 0, axis == 1, axis == 2
        for other in range(3):
            if other != axis:
                p, q, r = other == 0, other == 1, other == 2
                across = _at(x, k + p, j + q, i + r) - _at(x, k - p, j - q, i - r)
                across += _at(x, k + a + p, j + b + q, i + c + r)
                across -= _at(x, k + a - p, j + b - q, i + c - r)
                square += (0.25 * scale[other] * across) ** 2
    flown = ahead * 2.0 ** (square * by)
    if flow == CURVATURE:
        return flown / math.sqrt(square + 1e-10)
    return flown * scale[axis] if flow == PLAIN else flown


@_diffuse.on("cuda")
def _plan(gpu: Any, x: Any, y: Any, scale: Any, by: float, step: float, flow: int) -> None:
    name = f"diffuse<{gpu.name_of(x.dtype)},{gpu.name_of(y.dtype)}>"
    gpu.launch(
        name, gpu.blocks(x.size), 256, x, y, x.shape, scale, float(by), float(step), flow
    )  # fmt: skip


@_diffuse.example
def _example(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 + 20 * rng.standard_normal(shape)).astype(dtype)
    scale = (1.0, 0.5, 2.0) if rng.random() < 0.5 else (1.0, 1.0, 1.0)
    return (
        x,
        np.zeros(shape, _args.float_dtype(dtype)),
        scale,
        -1 / 30**2,
        0.05,
        int(rng.integers(3)),
    )


@kernel(dtypes=_args.REAL, exact=False, rtol=1e-6, why="what float32 holds is squared in float32")
def _gradient_power(x: In, sums: ListOut, scale: Vec3) -> None:
    u = surround(x, (1, 1, 1), NEAREST)
    total = 0.0
    for a in range(3):
        total += float((((_shifted(u, a, 1) - _shifted(u, a, -1)) * (scale[a] / 2)) ** 2).sum())
    sums[0] = total


@_gradient_power.on("numba")
def _power_by_planes(x: Any, sums: Any, scale: Any) -> None:
    planes, rows, columns = x.shape
    parts = np.zeros(planes * rows)
    for line in prange(planes * rows):
        k, j = line // rows, line % rows
        for i in range(columns):
            a = (_at(x, k + 1, j, i) - _at(x, k - 1, j, i)) * scale[0]
            b = (_at(x, k, j + 1, i) - _at(x, k, j - 1, i)) * scale[1]
            c = (_at(x, k, j, i + 1) - _at(x, k, j, i - 1)) * scale[2]
            parts[line] += (a * a + b * b + c * c) / 4
    sums[0] = np.sum(parts)


@_gradient_power.on("cuda")
def _plan_power(gpu: Any, x: Any, sums: Any, scale: Any) -> None:
    blocks = min(-(-x.size // 2048), 1024)
    parts, total = gpu.empty(blocks, np.float64), gpu.empty(1, np.float64)
    gpu.launch(f"gradient_power<{gpu.name_of(x.dtype)}>", blocks, 256, x, parts, x.shape, scale)
    gpu.launch("add_parts", 1, 256, parts, total, blocks, 1)
    sums[...] = gpu.get(total)


@_gradient_power.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 + 20 * rng.standard_normal(shape)).astype(dtype)
    return x, np.zeros(1), (1.0, 0.5, 2.0)


def anisotropic_diffusion(
    image: Array,
    iterations: int = 5,
    conductance: float = 3.0,
    kind: str = "curvature",
    *,
    time_step: float | None = None,
    spacing: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Let brightness flow between voxels, but not over edges.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    iterations : int
        Steps to take.
    conductance : float
        How high edges may be for brightness to flow over them: in units of the image's
        root mean square gradient, or, for 'perona-malik', as a gradient. Less keeps more
        edges.
    kind : {'curvature', 'gradient', 'perona-malik'}
        'gradient' flows down the gradient, 'curvature' moves level sets by their
        curvature, which keeps thin structures better; 'perona-malik' looks at the
        difference through each face alone.
    time_step : float, optional
        Length of a step. By default, and at most for stability, the smallest spacing over
        ``2**(axes + 1)``; its square for 'perona-malik'.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis; 1 by default.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, iterations)`` after each
        step of each volume.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.
    workers : int, optional
        How many threads a CPU call may use. The answer does not depend on it.

    Returns
    -------
    array
        Same shape and device as `image`: float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If `iterations` is negative, `conductance` or `time_step` not positive, `kind` not
        listed, or `spacing` does not fit.

    Notes
    -----
    A step adds `time_step` times the divergence of ``exp(-g**2 / (2 c**2 m)) du``, with `g`
    the gradient at a face, `du` its part through the face, `c` the conductance and `m` the
    mean of ``|gradient|**2`` over the volume before the step. 'curvature' divides `du` by
    `g` and multiplies the divergence by the upwind gradient [2]_. These are ITK's
    ``GradientAnisotropicDiffusion`` and ``CurvatureAnisotropicDiffusion``, whose differences
    are divided by the spacing once. 'perona-malik' is ``exp(-du**2 / c**2) du`` [1]_, as in
    MedPy, with true lengths. Nothing flows through the borders of the image. NaN spreads.

    A volume in floats is kept besides the answer.

    References
    ----------
    .. [1] P. Perona, J. Malik, "Scale-space and edge detection using anisotropic diffusion",
       IEEE Transactions on Pattern Analysis and Machine Intelligence 12:629-639, 1990.
       https://doi.org/10.1109/34.56205
    .. [2] R. T. Whitaker, X. Xue, "Variable-conductance, level-set curvature for image
       denoising", ICIP 3:142-145, 2001. https://doi.org/10.1109/ICIP.2001.958071

    Examples
    --------
    >>> x = np.array([0, 1, 0, 1, 9, 8, 9, 8], np.float32)
    >>> anisotropic_diffusion(x, 20, 1, "gradient").round(1)
    array([0.5, 0.5, 0.5, 0.5, 8.5, 8.5, 8.5, 8.5], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    last = min(ndim, 3)
    iterations = _args.as_int(iterations, "iterations", 0)
    conductance = min(_args.as_float(conductance, "conductance", above=0), 1e150)  # has a square
    _args.as_choice(kind, _FLOWS, "kind")
    steps = _args.as_spacing(spacing, last)
    shortest = min(steps) ** (2 if kind == "perona-malik" else 1)
    if time_step is None:
        time_step = shortest / 2 ** (last + 1)
    time_step = _args.as_float(time_step, "time_step", above=0)
    workers = _args.as_workers(workers)
    told = _args.as_progress(progress, "anisotropic_diffusion")
    scale = _args.lift(tuple(1 / s for s in steps), 1.0)
    flow = _FLOWS[kind]
    answer_type = _args.float_dtype(dtype)

    def run(volume: Any, answer: Any) -> None:
        spare = _arrays.empty(answer.shape, answer_type, answer) if iterations > 1 else answer
        now = volume
        for done in range(iterations):
            sums = np.zeros(1)
            if flow == PLAIN:
                power = conductance**2
            else:
                _gradient_power(now, sums, scale, workers=workers)
                power = 2 * conductance**2 * sums[0] / now.size
            if power == 0:  # flat
                break
            target = answer if (iterations - done) % 2 else spare
            by = -1 / (power * math.log(2))
            _diffuse(now, target, scale, by, time_step, flow, workers=workers)
            now = target
            if told is not None:
                told(done + 1, iterations)
        if now is not answer:
            answer[...] = now

    return _arrays.run_volumes(run, x, out, answer_type, give)
