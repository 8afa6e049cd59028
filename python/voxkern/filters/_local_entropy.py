"""Entropy of the grey values around each voxel."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import CONSTANT
from .._kernel import In, ListIn, Out, kernel, prange
from ._footprint import Footprint, as_footprint
from ._slabs import by_slabs

_UNIT = 2.0**-32  # what one is worth in the table


@kernel(dtypes=("uint8",))
def _local_entropy(x: In, y: Out, runs: ListIn, table: ListIn) -> None:
    planes, rows, columns = x.shape
    for k in prange(planes):
        counts = np.zeros(256, np.int64)
        for j in range(rows):
            for i in range(columns):
                counts[:] = 0
                n = 0
                for r in range(0, runs.size, 4):
                    kk, jj = k + runs[r], j + runs[r + 1]
                    if 0 <= kk < planes and 0 <= jj < rows:
                        for ii in range(max(i + runs[r + 2], 0), min(i + runs[r + 3] + 1, columns)):
                            counts[x[kk, jj, ii]] += 1
                            n += 1
                total = 0
                for v in range(256):
                    total += table[counts[v]]
                y[k, j, i] = float(table[n] - total) / float(n) * _UNIT if n > 0 else 0.0


@_local_entropy.on("numba")
def _by_sliding(x: Any, y: Any, runs: Any, table: Any) -> None:
    planes, rows, columns = x.shape
    for k in prange(planes):
        counts = np.zeros(256, np.int64)
        for j in range(rows):
            counts[:] = 0
            n, total = 0, 0
            for i in range(columns):
                for r in range(0, runs.size, 4):
                    kk, jj = k + runs[r], j + runs[r + 1]
                    if not (0 <= kk < planes and 0 <= jj < rows):
                        continue
                    first = i + runs[r + 3] if i > 0 else runs[r + 2]
                    for ii in range(max(first, 0), min(i + runs[r + 3] + 1, columns)):
                        v = x[kk, jj, ii]
                        total += table[counts[v] + 1] - table[counts[v]]
                        counts[v] += 1
                        n += 1
                    ii = i - 1 + runs[r + 2]
                    if i > 0 and 0 <= ii < columns:
                        v = x[kk, jj, ii]
                        counts[v] -= 1
                        total -= table[counts[v] + 1] - table[counts[v]]
                        n -= 1
                y[k, j, i] = float(table[n] - total) / float(n) * _UNIT if n > 0 else 0.0


@_local_entropy.on("cuda")
def _plan(gpu: Any, x: Any, y: Any, runs: Any, table: Any) -> None:
    # Threads in a block: as many as the counts of the grey values leave room for.
    kind, threads = ("u16", 64) if table.size <= 1 << 16 else ("u32", 32)
    pieces = -(-x.shape[2] // 64) * x.shape[0] * x.shape[1]
    gpu.launch(
        f"local_entropy<{kind}>", gpu.blocks(pieces, threads), threads, x, y, gpu.put(runs),
        runs.size, gpu.put(table), x.shape,
    )  # fmt: skip


@functools.lru_cache(16)
def _table(most: int) -> Any:
    """Return ``n * log2(n)`` for n from 0 to `most` + 1, in units."""
    n = np.arange(1, most + 2)
    table = np.concatenate([[0], np.rint(n * np.log2(n) / _UNIT).astype(np.int64)])
    table.flags.writeable = False
    return table


@functools.lru_cache(16)
def _runs_of(around: Footprint) -> Any:
    """Return the runs along x of a neighbourhood, from its voxel on."""
    if around.where is None:
        return _runs(np.ones(around.size, bool), around.first)
    return _runs(np.frombuffer(around.where, bool).reshape(around.size), around.first)


def _runs(where: Any, first: Any) -> Any:
    """Return the runs along x of a box of bool, from its voxel on."""
    edges = np.diff(np.pad(where.astype(np.int8), ((0, 0), (0, 0), (1, 1))), axis=2)
    begin, end = np.argwhere(edges == 1), np.argwhere(edges == -1)
    runs = np.column_stack([begin, end[:, 2] - 1]) + np.array([*first, first[2]])
    return runs.astype(np.int64).ravel()


@_local_entropy.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = rng.integers(0, 12, shape).astype(dtype)
    size = rng.integers(1, 6, 3)
    where = rng.random(size) < rng.choice([0.5, 1.0])
    where[tuple(size // 2)] = True
    # The table may be longer than need be, as it is for a large box.
    most = where.size if rng.integers(2) else 70_000
    return x, np.empty(shape, np.float32), _runs(where, -(size // 2)), _table(most)


def local_entropy(
    image: Any,
    size: Any = None,
    *,
    footprint: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return how many bits the grey values around each voxel are worth.

    Parameters
    ----------
    image : array of uint8, shape ([..., planes,] [rows,] columns)
        Axes before the last three are looped over.
    size : int or one an axis, optional
        Voxels along each axis of the box; 3 if neither it nor a footprint is given. Even
        sizes reach one voxel further back than forward.
    footprint : array of bool, optional
        Which voxels around one count, instead of a box.
    progress : callable or bool, optional
        As in `median_filter`.
    out : array of float32, optional
        Where to write; same shape as `image`, not overlapping it.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array of float32

    Raises
    ------
    TypeError
        If `image` is of another type.
    ValueError
        If `size` or `footprint` do not fit the image's axes.

    Notes
    -----
    ``-sum(p * log2(p))`` over the shares `p` of the grey values, as
    `skimage.filters.rank.entropy` in float64: voxels outside the image do not count, and where
    none is left the answer is 0. Integer sums are carried along the rows, so that nothing
    drifts.

    Examples
    --------
    >>> local_entropy(np.array([7, 7, 7, 1, 2, 3, 4], dtype=np.uint8), 4)
    array([0.       , 0.       , 0.8112781, 1.5      , 2.       , 2.       ,
           1.5849625], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    _args.as_dtype(x, ("uint8",))
    ndim = _args.as_ndim(x)
    along = _args.as_axes(None, ndim)
    if size is None and footprint is None:
        size = 3
    around = as_footprint(size, footprint, 0, along, ndim, 24)
    runs, table = _runs_of(around), _table(around.voxels)
    workers = _args.as_workers(workers)

    told = _args.as_progress(progress, "local_entropy")

    def filtered(volume: Any, answer: Any) -> None:
        _local_entropy(volume, answer, runs, table, workers=workers)

    def run(volume: Any, answer: Any) -> None:
        by_slabs(filtered, volume, answer, around.size[0], CONSTANT, told)

    return _arrays.run_volumes(run, x, out, np.dtype(np.float32), give)
