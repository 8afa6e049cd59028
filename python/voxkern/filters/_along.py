"""Which axes a filter works along, in the three of a kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _args, _arrays


def three(values: tuple[Any, ...], along: tuple[int, ...], ndim: int, neutral: Any) -> Any:
    """Return one value for each of (z, y, x), `neutral` for an axis that is not filtered."""
    if fits(along, ndim):
        given = dict(zip(along, values, strict=True))
        return tuple(given.get(axis, neutral) for axis in range(ndim - 3, ndim))
    return _args.lift(values, neutral)


def run_along(
    run: Callable[[Any, Any], None],
    image: Any,
    along: tuple[int, ...],
    out: Any,
    dtype: Any,
    give: Callable[[Any], Any] | None,
) -> Any:
    """Write ``run(volume, result)`` for every volume of `image`, and give the answer back.

    Axes that are not among the last three are turned to the end for it.
    """
    if fits(along, image.ndim):
        return _arrays.run_volumes(run, image, out, dtype, give)
    if len(along) > 3:
        raise ValueError(f"axes must be three at most; got {along}")
    last = tuple(range(-len(along), 0))
    result = _arrays.output(out, image.shape, dtype, (image,))
    answer = _arrays.run_volumes(run, np.moveaxis(image, along, last), None, dtype, None)
    _arrays.assign(result, np.moveaxis(answer, last, along))
    if out is not None:
        return out
    return result if give is None else give(result)


def copied(image: Any, out: Any, give: Callable[[Any], Any] | None) -> Any:
    """Give the image back as it is, in memory of its own."""
    result = _arrays.output(out, image.shape, image.dtype, (image,))
    _arrays.assign(result, image)
    if out is not None:
        return out
    return result if give is None else give(result)


def as_edges(mode: Any, n: int) -> tuple[int, ...]:
    """Return the code of a boundary mode for each of `n` axes."""
    return tuple(_args.as_edge(m) for m in _args.per_axis(mode, n, "mode"))


def fits(along: tuple[int, ...], ndim: int) -> bool:
    return ndim <= 3 or min(along, default=ndim) >= ndim - 3


def one_axis(image: Any, axis: Any) -> tuple[int]:
    """Return `axis` of an image as the axes to filter along."""
    x, _ = _arrays.adopt(image)
    return (_args.as_axis(axis, _args.as_ndim(x)),)
