"""A second scan made from the first: the head moved, the scanner was not perfect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from ..warp import Transform
from ._settings import Settings


@dataclass(frozen=True)
class Made:
    """A second scan and what is known about it."""

    image: Image
    motion: Transform
    field: NDArray[np.float32]


def make(first: Image, settings: Settings, ops: Any) -> Made:
    """Move the head, scale intensities, lay a bias field over them and add Rician noise."""
    rng = np.random.default_rng(settings.seed)
    motion = _motion(first, settings, rng)
    moved = between(ops, first, first, motion.inverse(), order=3)
    np.maximum(moved, 0, out=moved)
    bright = float(np.percentile(moved[moved > 0], 99)) if (moved > 0).any() else 1.0
    field = _field(moved > 0.1 * bright, settings.bias, rng)
    sigma = settings.noise * bright
    real = moved * field + sigma * rng.standard_normal(moved.shape, np.float32)
    imaginary = sigma * rng.standard_normal(moved.shape, np.float32)
    image = first.with_data(np.float32(settings.gain) * np.hypot(real, imaginary))
    return Made(image, motion, field)


def between(ops: Any, image: Image, like: Image, to: Transform, order: int) -> NDArray[np.float32]:
    """Return an image on the grid of another; `to` goes from that one's world to the image's."""
    moved: NDArray[np.float32] = ops.resample(
        image.data,
        spacing=image.spacing,
        origin=image.origin,
        direction=image.direction,
        like=like,
        transform=to,
        order=order,
        mode="constant",
    )
    return moved


def _motion(image: Image, settings: Settings, rng: np.random.Generator) -> Transform:
    """Return a turn about a skew axis through the middle, and a shift, of the sizes asked for."""
    axis, way = (v / np.linalg.norm(v) for v in rng.standard_normal((2, 3)))
    angle = np.deg2rad(settings.turn)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    middle = image.index_to_world([(n - 1) / 2 for n in image.shape])
    return Transform(turn, settings.shift * way, middle)


def _field(head: NDArray[np.bool_], spread: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return exp of a random cubic polynomial, with mean 0 and the given spread in the head."""
    powers = [np.vander(np.linspace(-1, 1, n), 4, increasing=True) for n in head.shape]
    degree = np.indices((4, 4, 4)).sum(axis=0)
    weights = np.where(degree < 4, rng.standard_normal((4, 4, 4)) / (1 + degree), 0)
    log = np.einsum("abc,za,yb,xc->zyx", weights, *powers, optimize=True).astype(np.float32)
    inside = log[head] if head.any() else log
    log -= inside.mean()
    return np.exp(log * np.float32(spread / max(float(inside.std()), 1e-6)))
