"""Peaks and valleys of less than an area, cut."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, kernel
from ._reconstruction import _greater, neighbours


@kernel(dtypes=_args.REAL)
def _area_opening(x: In, y: Out, offsets: ListIn, area: Scalar, lower: Scalar) -> None:
    # From the highest down: a region that is large enough is not joined any further.
    planes, rows, columns = x.shape
    count = planes * rows * columns
    flat = x.copy().ravel()
    order = np.argsort(flat, kind="mergesort")
    if not lower:
        order = order[::-1]
    parent = np.full(count, -1, np.int64)  # of a root itself
    sizes = np.zeros(count, np.int64)
    for n in range(count):
        p = order[n]
        parent[p] = p
        sizes[p] = 1
        k, j, i = p // (rows * columns), p // columns % rows, p % columns
        for o in range(0, offsets.size, 3):
            kk, jj, ii = k + offsets[o], j + offsets[o + 1], i + offsets[o + 2]
            if not (0 <= kk < planes and 0 <= jj < rows and 0 <= ii < columns):
                continue
            root = (kk * rows + jj) * columns + ii
            if parent[root] < 0:
                continue
            while parent[root] != root:
                parent[root] = parent[parent[root]]
                root = parent[root]
            if root == p:
                continue
            level = not (_greater(flat[root], flat[p]) or _greater(flat[p], flat[root]))
            if level or sizes[root] < area:
                parent[root] = p
                sizes[p] += sizes[root]
            else:
                sizes[p] = max(sizes[p], area)
    for n in range(count - 1, -1, -1):
        p = order[n]
        flat[p] = flat[parent[p]]
        y[p // (rows * columns), p // columns % rows, p % columns] = flat[p]


@_area_opening.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = rng.integers(0, 20, shape).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    near = neighbours(int(rng.integers(1, 4)), 3)
    return x, np.empty_like(x), near, int(rng.integers(1, 40)), int(rng.integers(2))


@_arrays.cpu_only
def area_opening(
    image: Any,
    area_threshold: int = 64,
    connectivity: int = 1,
    *,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Cut the peaks of less than an area down to where they are as large.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on the CPU.
    area_threshold : int
        The least voxels of what stays.
    connectivity : int
        Neighbours differ by one along at most this many axes.
    out : array, optional
        Where to write; same shape and type as `image`, not overlapping it.
    workers : int, optional
        Of no effect yet: one thread does it.

    Returns
    -------
    array
        Same shape and type as `image`.

    Raises
    ------
    TypeError
        If `image` is of another type, or on a GPU.
    ValueError
        If `area_threshold` or `connectivity` are out of their range.

    Notes
    -----
    As `skimage.morphology.area_opening`; but where the whole image is smaller than the
    threshold all of it gets its least value, there 0. NaN counts as larger than any number.
    It takes about twelve bytes a voxel beside image and answer.

    Takes three volumes of memory, for the tree of regions.

    References
    ----------
    .. [1] A. Meijster and M. H. F. Wilkinson, "A comparison of algorithms for connected set
       openings and closings", IEEE Transactions on Pattern Analysis and Machine
       Intelligence 24:484-494, 2002. https://doi.org/10.1109/34.993556

    Examples
    --------
    >>> area_opening(np.array([0, 5, 0, 3, 4, 3, 0], dtype=np.uint8), 3)
    array([0, 0, 0, 3, 3, 3, 0], dtype=uint8)
    """
    return _open(image, area_threshold, connectivity, out, workers, lower=0)


@_arrays.cpu_only
def area_closing(
    image: Any,
    area_threshold: int = 64,
    connectivity: int = 1,
    *,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Fill the valleys of less than an area up to where they are as large.

    Parameters
    ----------
    image, area_threshold, connectivity, out, workers
        As in `area_opening`.

    Returns
    -------
    array
        Same shape and type as `image`.

    Raises
    ------
    TypeError, ValueError
        As `area_opening`.

    Notes
    -----
    As `skimage.morphology.area_closing`. NaN counts as larger than any number.

    Takes three volumes of memory, for the tree of regions.

    Examples
    --------
    >>> area_closing(np.array([5, 0, 5, 2, 1, 2, 5], dtype=np.uint8), 3)
    array([5, 5, 5, 2, 2, 2, 5], dtype=uint8)
    """
    return _open(image, area_threshold, connectivity, out, workers, lower=1)


def _open(
    image: Any, area_threshold: Any, connectivity: Any, out: Any, workers: Any, *, lower: int
) -> Any:
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = min(_args.as_ndim(x), 3)
    area = _args.as_int(area_threshold, "area_threshold", 1)
    number = _args.as_int(connectivity, "connectivity", 1)
    if number > ndim:
        raise ValueError(f"connectivity must be at most {ndim}; got {connectivity}")
    offsets = neighbours(number, ndim)
    workers = _args.as_workers(workers)

    def run(volume: Any, answer: Any) -> None:
        _area_opening(volume, answer, offsets, area, lower, workers=workers)

    return _arrays.run_volumes(run, x, out, dtype, give)
