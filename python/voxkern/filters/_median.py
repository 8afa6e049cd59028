"""Median filter."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import inside
from .._kernel import Edge, In, ListIn, Out, Scalar, kernel, prange


@kernel(dtypes=_args.REAL)
def _median(x: In, y: Out, offsets: ListIn, rank: Scalar, edge: Edge, fill: Scalar) -> None:
    count = offsets.size // 3
    for k in prange(y.shape[0]):
        box = np.empty(count, x.dtype)
        for j in range(y.shape[1]):
            for i in range(y.shape[2]):
                for n in range(count):
                    kk = inside(k + offsets[3 * n], x.shape[0], edge)
                    jj = inside(j + offsets[3 * n + 1], x.shape[1], edge)
                    ii = inside(i + offsets[3 * n + 2], x.shape[2], edge)
                    outside = kk < 0 or jj < 0 or ii < 0
                    box[n] = fill if outside else x[kk, jj, ii]
                y[k, j, i] = np.sort(box)[rank]


@_median.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    size = rng.integers(1, 5, 3)
    offsets = np.argwhere(np.ones(size, bool)) - size // 2
    return x, np.empty_like(x), offsets.ravel(), len(offsets) // 2, int(rng.integers(5)), 7


@functools.lru_cache(64)
def _box_offsets(size: tuple[int, ...]) -> Any:
    offsets = (np.argwhere(np.ones(size, bool)) - np.array(size) // 2).ravel()
    offsets.flags.writeable = False
    return offsets


def median_filter(
    image: Any,
    size: Any = 3,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Replace each voxel by the median of the box around it."""
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    sizes = _args.lift(_args.as_size(size, min(ndim, 3)), 1)
    offsets = _box_offsets(sizes)
    edge, fill = _args.as_edge(mode), _args.as_fill(cval, dtype)
    workers = _args.as_workers(workers)
    rank = offsets.size // 3 // 2

    def run(volume: Any, answer: Any) -> None:
        _median(volume, answer, offsets, rank, edge, fill, workers=workers)

    return _arrays.run_volumes(run, x, out, dtype, give)
