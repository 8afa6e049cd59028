"""Median filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._edge import inside
from .._kernel import Edge, In, ListIn, Out, Scalar, Size, kernel, prange
from ._footprint import Footprint, along_first, as_footprint, beyond_three
from ._slabs import by_slabs

Array = TypeVar("Array")


@kernel(dtypes=_args.REAL)
def _median(
    x: In, y: Out, offsets: ListIn, box: Size, rank: Scalar, edge: Edge, fill: Scalar
) -> None:
    count = offsets.size // 3
    for k in prange(y.shape[0]):
        near = np.empty(count, x.dtype)
        for j in range(y.shape[1]):
            for i in range(y.shape[2]):
                for n in range(count):
                    kk = inside(k + offsets[3 * n], x.shape[0], edge)
                    jj = inside(j + offsets[3 * n + 1], x.shape[1], edge)
                    ii = inside(i + offsets[3 * n + 2], x.shape[2], edge)
                    outside = kk < 0 or jj < 0 or ii < 0
                    near[n] = fill if outside else x[kk, jj, ii]
                y[k, j, i] = np.sort(near)[rank]


@_median.on("numba")
def _by_lines(
    x: In, y: Out, offsets: ListIn, box: Size, rank: Scalar, edge: Edge, fill: Scalar
) -> None:
    # Of few neighbours the ranks of many voxels together, of short integers by counts of what a
    # sliding window holds, of others one by one.
    count, (nz, ny, nx) = offsets.size // 3, x.shape
    short = x.itemsize <= 2
    together = count <= (56 if short else 400 // x.itemsize)
    columns = min(nx, max(64, 24576 // (count * x.itemsize))) if together else 1
    comes, goes = _ends_of_runs(offsets)
    for line in prange(nz * ny):
        k, j = line // ny, line % ny
        if together:
            near = np.empty((count, columns), x.dtype)
            for i in range(0, nx, columns):
                part = near[:, : min(columns, nx - i)]
                for n in range(count):
                    _gather(x, k, j, i, offsets[3 * n : 3 * n + 3], edge, fill, part[n])
                y[k, j, i : i + columns] = part[_rank_of_rows(part, rank)]
        elif short:
            _rank_by_counts(x, y, k, j, offsets, comes, goes, rank, edge, fill)
        else:
            some = np.empty(count, x.dtype)
            for i in range(nx):
                for n in range(count):
                    kk = inside(k + offsets[3 * n], nz, edge)
                    jj = inside(j + offsets[3 * n + 1], ny, edge)
                    ii = inside(i + offsets[3 * n + 2], nx, edge)
                    outside = kk < 0 or jj < 0 or ii < 0
                    some[n] = fill if outside else x[kk, jj, ii]
                y[k, j, i] = _select(some, count, rank)


def _gather(
    x: Any, k: int, j: int, first: int, by: Any, edge: int, fill: float, to: Any
) -> None:  # fmt: skip
    """Write the voxels that lie `by` from those of a row, `first` on."""
    kk, jj = inside(k + by[0], x.shape[0], edge), inside(j + by[1], x.shape[1], edge)
    start, columns = first + by[2], x.shape[2]
    if kk < 0 or jj < 0:
        to[:] = fill
        return
    a = min(max(-start, 0), to.size)
    b = max(min(columns - start, to.size), a)
    for i in range(a, b):
        to[i] = x[kk, jj, start + i]
    for i in range(a):
        ii = inside(start + i, columns, edge)
        to[i] = fill if ii < 0 else x[kk, jj, ii]
    for i in range(b, to.size):
        ii = inside(start + i, columns, edge)
        to[i] = fill if ii < 0 else x[kk, jj, ii]


def _rank_of_rows(rows: Any, rank: int) -> int:
    """Return which row has the `rank`-th smallest of each column in the end; all are shuffled.

    The least and the largest of so many rows cannot be it: they are forgotten, and one more comes.
    """
    low, high = rank, rows.shape[0] - 1 - rank  # how many are to be forgotten
    begin, end = 0, min(max(low, high) + 2, rows.shape[0])
    left = end
    while low > 0 or high > 0:
        half = (end - begin + 1) // 2
        for n in range((end - begin) // 2):
            _order(rows[begin + n], rows[end - 1 - n])
        if low > 0:
            for n in range(1, half):
                _order(rows[begin], rows[begin + n])
            low -= 1
            begin += 1
        if high > 0:
            for n in range(1, half):
                _order(rows[end - 1 - n], rows[end - 1])
            high -= 1
            end -= 1
        if left < rows.shape[0]:
            begin -= 1
            rows[begin] = rows[left]
            left += 1
    return begin


def _order(low: Any, high: Any) -> None:
    """Swap the elements of two rows that are out of order; NaN is largest."""
    for i in range(low.size):
        a, b = low[i], high[i]
        ordered = (a < b) | (b != b)
        low[i] = a if ordered else b
        high[i] = b if ordered else a


def _ends_of_runs(offsets: Any) -> tuple[Any, Any]:
    """Return which neighbours a voxel further along x has that one before it has not, and back."""
    count = offsets.size // 3
    first, last = np.ones(count, np.bool_), np.ones(count, np.bool_)
    for n in range(1, count):
        a, b = offsets[3 * n - 3 : 3 * n], offsets[3 * n : 3 * n + 3]
        if a[0] == b[0] and a[1] == b[1] and a[2] + 1 == b[2]:
            last[n - 1] = first[n] = False
    return np.flatnonzero(last), np.flatnonzero(first)


def _rank_by_counts(
    x: Any, y: Any, k: int, j: int, offsets: Any, comes: Any, goes: Any, rank: int, edge: int,
    fill: float,
) -> None:  # fmt: skip
    """Write the ranks around the voxels of a row of short integers."""
    count, nx, half = offsets.size // 3, x.shape[2], 4 * x.itemsize
    few, every = np.zeros(1 << half, np.int32), np.zeros(1 << (2 * half), np.int32)
    near = np.empty((count, 2), np.int64)
    for n in range(count):
        near[n, 0] = inside(k + offsets[3 * n], x.shape[0], edge)
        near[n, 1] = inside(j + offsets[3 * n + 1], x.shape[1], edge)
    one = np.zeros(2, x.dtype)
    one[0] -= 1
    lowest = -(1 << (2 * half - 1)) if one[0] < 0 else 0
    one[1] = fill
    outside = int(one[1])
    at, below = 0, 0  # a class of values, and how many voxels of the window are of those before it
    for i in range(nx):
        for turn in range(2):  # what comes, and what goes
            runs, by = (comes, 1) if turn == 0 else (goes, -1)
            for m in range(count if i == 0 else runs.size):
                n = m if i == 0 else runs[m]
                ii = inside(i - turn + offsets[3 * n + 2], nx, edge)
                gone = ii < 0 or near[n, 0] < 0 or near[n, 1] < 0
                v = (outside if gone else int(x[near[n, 0], near[n, 1], ii])) - lowest
                every[v] += by
                few[v >> half] += by
                below += by if v >> half < at else 0
            if i == 0:
                break
        while below > rank:
            at -= 1
            below -= few[at]
        while below + few[at] <= rank:
            below += few[at]
            at += 1
        v, before = at << half, below
        while before + every[v] <= rank:
            before += every[v]
            v += 1
        y[k, j, i] = v + lowest


def _select(v: Any, n: int, rank: int) -> Any:
    """Return the `rank`-th smallest of v[:n], which is shuffled; NaN is largest."""
    numbers = n
    i = 0
    while i < numbers:
        if v[i] != v[i]:
            numbers -= 1
            v[i], v[numbers] = v[numbers], v[i]
        else:
            i += 1
    if rank >= numbers:
        return v[rank]
    low, high = 0, numbers - 1
    while low < high:
        pivot = v[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while v[i] < pivot:
                i += 1
            while pivot < v[j]:
                j -= 1
            if i <= j:
                v[i], v[j] = v[j], v[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return v[rank]


@_median.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, offsets: Any, box: Any, rank: int, edge: int, fill: float
) -> None:
    kind = gpu.name_of(x.dtype)
    if box == (3, 3, 3) and rank == 13:
        gpu.launch(
            f"median_cube<{kind}>", gpu.blocks(x.size, 128), 128, x, y, x.shape, edge, float(fill)
        )
        return
    table = gpu.put(offsets)
    gpu.launch(
        f"median<{kind}>", gpu.blocks(x.size, 128), 128, x, y, table, offsets.size // 3,
        x.shape, rank, edge, float(fill),
    )  # fmt: skip


@_median.example
def _example(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    sizes = 3 * ((3, 3, 3),) + ((5, 5, 5), (1, 3, 3), (1, 5, 5), (2, 3, 4), (4, 5, 7))
    size, where = sizes[int(rng.integers(len(sizes)))], None
    if rng.random() < 0.3:
        where = (rng.random(size) < 0.8).tobytes()[:-1] + b"\x01"
    footprint = Footprint(size, tuple(-(s // 2) for s in size), where)
    offsets, box = footprint.offsets(), footprint.centred_box
    rank = offsets.size // 3 // 2 if rng.random() < 0.8 else int(rng.integers(offsets.size // 3))
    return x, np.empty_like(x), offsets, box, rank, int(rng.integers(5)), 7


def median_filter(
    image: Array,
    size: Any = None,
    footprint: Any = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Replace each voxel by the median of its neighbourhood.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type bool, uint8, int16, uint16, int32, float32 or float64, on any
        device.
    size : int or tuple of int, optional
        Voxels along each of `axes` of a box. Even sizes reach one voxel further back
        than forward.
    footprint : array of bool, optional
        A neighbourhood of any shape, with as many axes as are filtered, instead of
        `size`. It is centred as a box is.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}
        What lies outside the image.
    cval : scalar
        The value outside when `mode` is 'constant'.
    origin : int or tuple of int
        Shifts the neighbourhood back by so many voxels along each of `axes`.
    axes : tuple of int, optional
        The axes to filter along: all of up to three, the last three of more. Others are
        looped over. SciPy filters along all axes of an image of four and more.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, planes)`` after each slab
        of every volume. Slabs are of 16 planes and more.
    out : array, optional
        Where to write; same shape and type as `image`, not overlapping it.
    workers : int, optional
        How many threads a CPU call may use. The answer does not depend on it.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If `size`, `footprint`, `origin` or `axes` do not fit the image, or `out` does not.

    See Also
    --------
    rank_filter, percentile_filter, gaussian_filter

    Notes
    -----
    The answer is the element of rank ``n // 2`` of the `n` sorted neighbours: of an even
    number the upper of the two in the middle, as in SciPy and ITK. NaN counts as larger
    than any number; SciPy's and ITK's answers near NaN depend on the order in which they
    compare. OpenCV's ``medianBlur`` on a volume filters plane by plane, without a word. Of an
    image of one axis SciPy (1.17) takes no footprint with gaps for what it is; for the same image
    with two axes it does, and agrees.

    Boxes of 3 and 5 voxels take tens of comparisons a voxel through sorting networks
    [1]_; in boxes of 64 voxels and more the CPU keeps counts [2]_, whose time hardly
    grows with the box, up to 255 voxels a side of bytes and 128 of other types; larger boxes
    and other footprints take time in proportion to their voxels.

    References
    ----------
    .. [1] A. Adams, "Fast median filters using separable sorting networks", ACM
       Transactions on Graphics 40:4, 2021. https://doi.org/10.1145/3450626.3459773
    .. [2] S. Perreault and P. Hebert, "Median filtering in constant time", IEEE Transactions
       on Image Processing 16:2389-2394, 2007. https://doi.org/10.1109/TIP.2007.902329

    Examples
    --------
    >>> x = np.array([1, 9, 2, 3, 8], dtype=np.uint8)
    >>> voxkern.median_filter(x, 3)
    array([1, 2, 3, 3, 8], dtype=uint8)
    """
    told = _args.as_progress(progress, "median_filter")
    return ranked(image, None, size, footprint, mode, cval, origin, axes, told, out, workers)


def ranked(
    image: Any, rank: int | None, size: Any, footprint: Any, mode: Any, cval: Any, origin: Any,
    axes: Any, told: Any, out: Any, workers: Any,
) -> Any:  # fmt: skip
    """Replace each voxel by the neighbour of a rank; of the middle one where it is None."""
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, ("bool", *_args.REAL))
    ndim = _args.as_ndim(x)
    along = _args.as_axes(axes, ndim)
    if beyond_three(along, ndim):

        def again(turned: Any, last: Any) -> Any:
            return ranked(
                turned, rank, size, footprint, mode, cval, origin, last, told, None, workers
            )

        return along_first(x, give, along, out, again)
    near, box, voxels, reach, edge, fill = _settle(
        ndim, dtype, size, footprint, mode, cval, origin, along
    )
    offsets, workers = near.offsets(), _args.as_workers(workers)
    wanted = voxels // 2 if rank is None else rank

    def filtered(volume: Any, answer: Any) -> None:
        _median(volume, answer, offsets, box, wanted, edge, fill, workers=workers)

    def run(volume: Any, answer: Any) -> None:
        if dtype == "bool":
            volume, answer = volume.view(np.uint8), answer.view(np.uint8)
        by_slabs(filtered, volume, answer, reach, edge, told)

    return _arrays.run_volumes(run, x, out, dtype, give)


@_args.remembered
def _settle(
    ndim: int, dtype: str, size: Any, footprint: Any, mode: Any, cval: Any, origin: Any,
    along: tuple[int, ...],
) -> tuple[Any, ...]:  # fmt: skip
    """Return what the neighbourhood comes to, how far it reaches, and what lies outside."""
    near = as_footprint(size, footprint, origin, along, ndim, 24)
    reach = max(-near.first[0], near.size[0] - 1 + near.first[0])
    edge, fill = _args.as_edge(mode), _args.as_fill(cval, dtype)
    return near, near.centred_box, near.voxels, reach, edge, fill
