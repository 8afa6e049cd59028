"""What every warp does around its kernel: types, coefficients, leading axes, outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _args, _arrays
from ._sample import (
    GRID_CONSTANT,
    NEAREST,
    RANGE,
    as_image,
    as_order,
    as_outside,
    coefficient_type,
)
from ._spline_filter import coefficients

# SciPy pads by so many voxels where it has no exact start for the prefilter, and so do we.
_PAD = 12

# fill_in(volume, answer, pad, how, workers) reads one volume: its last axes are shifted by `pad`
# voxels, and `how` is what kernels take last.
FillIn = Callable[[Any, Any, float, tuple[Any, ...], Any], None]


def read(
    image: Any,
    shape: tuple[int, ...] | None,
    fill_in: FillIn,
    order: Any,
    mode: Any,
    cval: Any,
    prefilter: Any,
    out: Any,
    workers: Any,
    asked: str,
    outside: int | None = None,
    listed: bool = False,
    copied: bool = False,
) -> Any:
    """Return a new image that `fill_in` reads from `image`, volume by volume.

    `shape` is the answer's along the last axes, up to three; None is the image's own.
    `asked` is the parameter that asks for it. `outside` is a code that stands for `mode`. `listed`
    is for answers of any shape, which `fill_in` gets as a list. `copied` says that every point is a
    voxel's centre.
    """
    order = as_order(order)
    outside = as_outside(mode) if outside is None else outside
    workers = _args.as_workers(workers)
    x, give, dtype = as_image(image, order)
    order = 0 if copied else order
    _args.as_ndim(x)
    leading, own = x.shape[:-3], x.shape[-3:]
    if 0 in own:
        raise ValueError(f"image must have no empty axis; got shape {x.shape}")
    shape = own if shape is None else tuple(shape)
    full = shape if listed else leading + shape
    result = _arrays.output(out, full, x.dtype, (x,), asked=asked)
    if dtype.startswith("complex"):
        try:
            fill = complex(cval)
        except (TypeError, ValueError):
            raise TypeError(f"cval must be a number; got {cval!r}") from None
        for name in ("real", "imag"):
            part = read(
                _arrays.rows_contiguous(getattr(x, name)), shape, fill_in, order, mode,
                getattr(fill, name), prefilter, None, workers, asked, outside, listed, copied,
            )  # fmt: skip
            getattr(result, name)[...] = part
        return out if out is not None else result if give is None else give(result)
    plain = "uint8" if dtype == "bool" else dtype
    fill = float(_args.as_fill(cval, dtype))
    source = _arrays.rows_contiguous(x)
    target = result
    if out is not None and not _takes(result, listed):
        target = _arrays.empty(full, result.dtype, result)
    written = target
    if dtype == "bool":
        source, written = source.view(np.uint8), target.view(np.uint8)
    how = (order, outside, fill, *RANGE[plain])
    pad = _PAD if prefilter and order > 1 and outside in (NEAREST, GRID_CONSTANT) else 0
    if 0 not in full:
        if listed:
            pairs: Any = [(next(_arrays.volumes(source))[0], written.reshape(-1))]
        else:
            pairs = _arrays.volumes(source, written)
        for volume, answer in pairs:
            if order > 1 and prefilter:
                volume = coefficients(volume, order, outside, len(own), pad, fill, workers)
            elif order > 1:
                volume = volume.astype(coefficient_type(plain), copy=False)
            fill_in(volume, answer, pad, how, workers)
    if target is not result:
        result[...] = target
    return out if out is not None else result if give is None else give(result)


def _takes(result: Any, listed: bool) -> bool:
    """Return whether kernels can write to an array, as a list or row by row."""
    if listed:
        return _arrays.in_one_piece(result)
    return _arrays.rows_contiguous(result) is result
