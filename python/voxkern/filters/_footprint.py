"""Neighbourhoods: what rank filters take of `size`, `footprint`, `origin` and `axes`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import _args, _arrays


class Footprint(NamedTuple):
    """The voxels around one, over the last three axes."""

    size: tuple[int, ...]
    first: tuple[int, ...]  # from a voxel to the lowest corner of the box
    where: bytes | None  # which voxels of the box; all of them if None

    @property
    def centred_box(self) -> tuple[int, ...]:
        """Its size where it is a whole box around its voxel, zeros elsewhere."""
        centred = self.where is None and self.first == tuple(-(s // 2) for s in self.size)
        return self.size if centred else (0, 0, 0)

    @property
    def voxels(self) -> int:
        """How many voxels it has."""
        if self.where is None:
            return math.prod(self.size)
        return self.where.count(b"\x01")

    def offsets(self) -> Any:
        """Return where it looks, from a voxel on, as a flat list of (z, y, x)."""
        return _offsets(self.where, self.size, self.first)


@functools.lru_cache(16)
def _offsets(where: bytes | None, size: tuple[int, ...], first: tuple[int, ...]) -> Any:
    box = np.ones(size, bool) if where is None else np.frombuffer(where, bool).reshape(size)
    offsets = (np.argwhere(box) + np.array(first)).ravel()
    offsets.flags.writeable = False
    return offsets


@_args.remembered
def as_footprint(
    size: Any, footprint: Any, origin: Any, along: tuple[int, ...], ndim: int, bits: int = 62
) -> Footprint:
    """Return the neighbourhood that a caller asks for, of at most 2**bits voxels."""
    where = None
    if footprint is None:
        if size is None:
            raise ValueError("size or footprint must be given; got neither")
        sizes = _args.as_window(size, len(along), "size", bits)
    else:
        if size is not None:
            raise ValueError(f"size must not be given with a footprint; got {size!r}")
        box = _args.as_truths(footprint, "footprint")
        if box.ndim != len(along):
            raise ValueError(
                f"footprint must have {len(along)} axes, one for each filtered; got {box.ndim}"
            )
        voxels = np.count_nonzero(box)
        if not 0 < voxels <= 1 << bits:
            raise ValueError(
                f"footprint must have at least one voxel and at most 2**{bits}; "
                f"got {voxels or 'none'}"
            )
        sizes = box.shape
        where = None if box.all() else box.transpose(np.argsort(along)).tobytes()
    moves = tuple(_args.as_int(o, "origin") for o in _args.per_axis(origin, len(along), "origin"))
    for s, o in zip(sizes, moves, strict=True):
        if not -(s // 2) <= o <= (s - 1) // 2:
            raise ValueError(f"origin must keep the neighbourhood over its voxel; got {moves}")
    first = tuple(-(s // 2) - o for s, o in zip(sizes, moves, strict=True))
    return Footprint(spread(sizes, along, ndim, 1), spread(first, along, ndim, 0), where)


def as_edges(mode: Any, along: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """Return the code of a boundary mode for each of the last three axes."""
    if isinstance(mode, str) or not isinstance(mode, Sequence):
        return (_args.as_edge(mode),) * 3
    modes = tuple(map(_args.as_edge, _args.per_axis(mode, len(along), "mode")))
    return spread(modes, along, ndim, 0)


def spread(values: Sequence[Any], along: tuple[int, ...], ndim: int, neutral: Any) -> Any:
    """Return the values for the last three axes, `neutral` where nothing is filtered."""
    given = dict(zip(along, values, strict=True))
    return tuple(given.get(axis, neutral) for axis in range(ndim - 3, ndim))


def beyond_three(along: tuple[int, ...], ndim: int) -> bool:
    """Whether an axis before the last three is to be filtered."""
    return ndim > 3 and min(along, default=ndim) < ndim - 3


def along_first(
    x: Any, give: Any, along: tuple[int, ...], out: Any, call: Callable[[Any, Any], Any]
) -> Any:
    """Filter along other axes than the last three by ``call(image, axes)`` with those last."""
    if len(along) > 3:
        raise ValueError(f"axes must be three at most; got {along}")
    last = tuple(range(-len(along), 0))
    result = _arrays.output(out, x.shape, x.dtype, (x,))
    _arrays.assign(result, np.moveaxis(call(np.moveaxis(x, along, last), last), last, along))
    if out is not None:
        return out
    return result if give is None else give(result)
