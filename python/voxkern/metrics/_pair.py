"""Two images and a mask, made ready for kernels that look at them voxel by voxel."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import _args, _arrays

# A mask of no voxels stands for none at all.
EVERYWHERE = np.empty((0, 0, 0), np.uint8)

# Types that kernels take in the place of those that they do not.
_WIDER = {
    "bool": "uint8",
    "int8": "int16",
    "uint32": "float64",
    "int64": "float64",
    "uint64": "float64",
    "float16": "float32",
}
_TAKEN = (*_args.REAL, *_WIDER)
MOST_BINS = 1 << 13  # of an axis: tables for pairs have the square of it


class Pair(NamedTuple):
    """Two volumes of one type and size, a mask, and the way back."""

    fixed: Any
    moving: Any
    mask: Any
    shape: tuple[int, ...]
    give: Callable[[Any], Any] | None


def as_image(x: Any, name: str) -> tuple[Any, Callable[[Any], Any] | None]:
    """Return an adopted array of a type that kernels take, and the way back."""
    x, give = _arrays.adopt(x, name)
    found = _args.as_dtype(x, _TAKEN, name)
    _args.as_ndim(x, 1, name=name)
    return (x.astype(_WIDER[found]) if found in _WIDER else x), give


def as_volume(x: Any) -> Any:
    """Return the array as one volume: leading axes joined with the first, or added."""
    if x.ndim < 3:
        x = x.reshape((1,) * (3 - x.ndim) + x.shape)
    elif x.ndim > 3:
        x = x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:])
    return _arrays.rows_contiguous(x)


def as_mask(mask: Any, shape: tuple[int, ...], like: Any, name: str = "mask") -> Any:
    """Return a mask as a volume of bytes, `EVERYWHERE` for None."""
    if mask is None:
        return EVERYWHERE
    m, _ = _arrays.adopt(mask, name)
    _args.as_dtype(m, _args.MASK, name)
    _arrays.same_device(**{name: m, "image": like})
    if m.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {m.shape}")
    return as_volume(m.view(np.uint8) if _args.dtype_name(m) == "bool" else m)


def as_pair(fixed: Any, moving: Any, mask: Any) -> Pair:
    """Return both images as volumes of the smallest type that holds both."""
    f, _ = as_image(fixed, "fixed")
    m, give = as_image(moving, "moving")
    _arrays.same_device(fixed=f, moving=m)
    if f.shape != m.shape:
        raise ValueError(f"moving must have the shape of fixed, {f.shape}; got {m.shape}")
    if f.dtype != m.dtype:
        common = np.result_type(f.dtype, m.dtype)
        f, m = (x if x.dtype == common else x.astype(common) for x in (f, m))
    inside = as_mask(mask, f.shape, f)
    return Pair(as_volume(f), as_volume(m), inside, m.shape, give)


def gradient_of(pair: Pair, run: Callable[[Any], None]) -> Any:
    """Return what `run` writes into an array of the moving image's shape, as its kind."""
    dtype = _args.float_dtype(_args.dtype_name(pair.moving))
    out = _arrays.empty(pair.moving.shape, dtype, pair.moving)
    run(out)
    out = out.reshape(pair.shape)
    return out if pair.give is None else pair.give(out)
