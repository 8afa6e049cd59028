"""Balls, in voxels or in the unit of a spacing."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import _args


def ball(radius: Any, spacing: Any, shape: tuple[int, ...]) -> Any:
    """Return a footprint of every voxel no further than `radius` from its centre.

    It ends two lengths of the image away, beyond which no edge has anything new.
    """
    length, ndim = _args.as_float(radius, "radius", 0), len(shape)
    steps = _args.lift(_args.as_spacing(spacing, ndim), math.inf)
    room = _args.lift(tuple(2 * n + 1 for n in shape), 1)
    offsets = ball_offsets(length, steps, room).reshape(-1, 3)[:, 3 - ndim :]
    most = np.abs(offsets).max(0)
    footprint = np.zeros(2 * most + 1, bool)
    footprint[tuple((offsets + most).T)] = True
    return footprint


@functools.lru_cache(64)
def ball_offsets(radius: float, spacing: tuple[float, ...], shape: tuple[int, ...]) -> Any:
    """Return the steps of at most `radius`, computed as SciPy computes distances.

    A flat list of (z, y, x), none longer than the image's `shape` has room for.
    """
    axes = []
    for step, size in zip(spacing, shape, strict=True):
        reach = 0 if math.isinf(step) else int(min(radius / step + 1, size - 1))
        axes.append(np.arange(-reach, reach + 1))
    places = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    lengths = places * np.where(np.isinf(spacing), 0, spacing)
    squares = lengths * lengths
    near = np.sqrt(squares[:, 0] + squares[:, 1] + squares[:, 2]) <= radius
    offsets = places[near].astype(np.int64).ravel()
    offsets.flags.writeable = False
    return offsets
