"""Holes of a mask, filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, Out, Scalar, kernel, prange
from ._connected_threshold import mask_type
from ._label import as_connectivity, join_regions, node_type, number


@kernel(dtypes=("uint8",))
def _fill_holes(x: In, y: Out, connectivity: Scalar, axes: Scalar, most: Scalar) -> None:
    planes, rows, columns = x.shape
    together = planes if axes > 2 else 1  # planes that hang together
    labels = np.empty((together, rows, columns), np.int64)
    count = np.zeros(1, np.int64)
    for first in range(0, planes, together):
        part = x[first : first + together]
        number((part == 0).astype(np.uint8), labels, 0, connectivity, 0, count)
        sizes = np.zeros(count[0] + 1, np.int64)
        is_open = np.zeros(count[0] + 1, np.bool_)
        for k in range(together):
            for j in range(rows):
                border = axes > 1 and (j == 0 or j == rows - 1)
                border = border or (axes > 2 and (k == 0 or k == planes - 1))
                for i in range(columns):
                    sizes[labels[k, j, i]] += 1
                    if border or i == 0 or i == columns - 1:
                        is_open[labels[k, j, i]] = True
        for k in prange(together):
            for j in range(rows):
                for i in range(columns):
                    n = labels[k, j, i]
                    y[first + k, j, i] = n == 0 or not (is_open[n] or sizes[n] > most)


@_fill_holes.on("cuda")
def _plan(gpu: Any, x: Any, y: Any, connectivity: int, axes: int, most: int) -> None:
    size, node = x.size, node_type(x.size)
    parent = gpu.empty(size + 1, node)
    node, blocks = gpu.name_of(node), gpu.blocks(size)
    gpu.launch(f"fill_begin<{node}>", blocks, 256, x, parent, x.shape, axes)
    join_regions(gpu, x, parent, x.shape, connectivity, planes_apart=int(axes < 3))
    sizes = None
    if most < size:
        sizes = gpu.zeros(size + 1, np.int64)
        gpu.launch(f"fill_sizes<{node}>", blocks, 256, parent, sizes, size)
    gpu.launch(f"fill_write<{node}>", blocks, 256, parent, sizes, y, size, most)


@_fill_holes.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (rng.random(shape) < rng.choice([0.5, 0.7, 0.9])).astype(dtype)
    most = int(rng.choice([1, 3, x.size]))
    return x, np.empty(shape, np.uint8), int(rng.integers(1, 4)), int(rng.integers(2, 4)), most


def fill_holes(
    mask: Any,
    *,
    connectivity: int = 1,
    axis: int | None = None,
    max_size: int | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Fill the holes of a mask.

    A hole is a region of background that no path of neighbours joins to the border of
    the array.

    Parameters
    ----------
    mask : array of bool or uint8, shape ([..., planes,] [rows,] columns)
        What is not zero is inside.
    connectivity : int
        Voxels of background are neighbours if they differ by one along at most this many
        axes: the more, the fewer holes.
    axis : int, optional
        Fill slice by slice across this axis, each slice an image of its own.
    max_size : int, optional
        Fill only holes of at most so many voxels.
    out : array, optional
        Where to write; shape of `mask`, bool or uint8, not overlapping it.
    workers : int, optional
        Most threads to use.

    Returns
    -------
    array of bool

    Raises
    ------
    ValueError
        If `axis` is not one of the last three, or `connectivity` exceeds the axes of a slice.

    Notes
    -----
    As `scipy.ndimage.binary_fill_holes` with its default structure for connectivity 1, and
    with ``generate_binary_structure(ndim, connectivity)`` for others; `fill_voids.fill` is
    connectivity 1.

    Examples
    --------
    >>> fill_holes(np.array([[0, 1, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]], bool)).astype(int)
    array([[0, 1, 1, 1],
           [0, 1, 1, 1],
           [0, 1, 1, 1]])
    """
    x, give = _arrays.adopt(mask, "mask")
    _args.as_dtype(x, _args.MASK, "mask")
    ndim = min(_args.as_ndim(x, name="mask"), 3)
    across = None
    if axis is not None:
        across = _args.as_axis(axis, x.ndim)
        across -= x.ndim - ndim
        if across < 0 or ndim < 2:
            raise ValueError(f"axis must be one of the last three of at least two; got {axis}")
    flat = ndim if across is None else ndim - 1
    near = as_connectivity(connectivity, flat, default=1)
    most = np.iinfo(np.int64).max if max_size is None else _args.as_int(max_size, "max_size", 0)
    threads = _args.as_workers(workers)

    def run(volume: Any, answer: Any) -> None:
        source, target = volume.view(np.uint8), answer.view(np.uint8)
        first = 0 if across is None else 3 - ndim + across
        if first == 0:
            _fill_holes(source, target, near, flat, most, workers=threads)
            return
        order = (first, *(a for a in range(3) if a != first))  # the slices become planes
        moved = _arrays.rows_contiguous(source.transpose(order))
        filled = _arrays.empty(moved.shape, np.uint8, moved)
        _fill_holes(moved, filled, near, flat, most, workers=threads)
        target[...] = filled.transpose(np.argsort(order))

    return _arrays.run_volumes(run, x, out, mask_type(out), give)
