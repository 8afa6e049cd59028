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


@_median.on("numba")
def _selecting(
    x: In, y: Out, offsets: ListIn, box: Size, rank: Scalar, edge: Edge, fill: Scalar
) -> None:
    # Selection for sorting, and the edge looked at only near it.
    count = offsets.size // 3
    reach_z, reach_y, reach_x = 0, 0, 0
    for n in range(count):
        reach_z = max(reach_z, abs(offsets[3 * n]))
        reach_y = max(reach_y, abs(offsets[3 * n + 1]))
        reach_x = max(reach_x, abs(offsets[3 * n + 2]))
    nz, ny, nx = x.shape
    for line in prange(nz * ny):
        k, j = line // ny, line % ny
        near = np.empty(count, x.dtype)
        rows_inside = reach_z <= k < nz - reach_z and reach_y <= j < ny - reach_y
        for i in range(nx):
            if rows_inside and reach_x <= i < nx - reach_x:
                for n in range(count):
                    near[n] = x[k + offsets[3 * n], j + offsets[3 * n + 1], i + offsets[3 * n + 2]]
            else:
                for n in range(count):
                    kk = inside(k + offsets[3 * n], nz, edge)
                    jj = inside(j + offsets[3 * n + 1], ny, edge)
                    ii = inside(i + offsets[3 * n + 2], nx, edge)
                    outside = kk < 0 or jj < 0 or ii < 0
                    near[n] = fill if outside else x[kk, jj, ii]
            y[k, j, i] = _select(near, count, rank)


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
    sizes = ((3, 3, 3), (5, 5, 5), (1, 3, 3), (1, 5, 5), (2, 3, 4), (4, 5, 7))
    size = sizes[int(rng.integers(6))]
    offsets = Footprint(size, tuple(-(s // 2) for s in size), None).offsets()
    rank = offsets.size // 3 // 2 if rng.random() < 0.8 else int(rng.integers(offsets.size // 3))
    return x, np.empty_like(x), offsets, size, rank, int(rng.integers(5)), 7


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
