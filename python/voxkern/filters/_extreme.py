"""Minimum and maximum filters."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import inside
from .._kernel import Edge, In, ListIn, Out, Scalar, Size, kernel, prange
from ._along import one_axis
from ._footprint import along_first, as_edges, as_footprint, beyond_three

_BOX = np.zeros(0, np.int64)  # no offset: the neighbourhood is a box


@kernel(dtypes=_args.REAL)
def _extreme(
    x: In, y: Out, offsets: ListIn, size: Size, first: Size, highest: Scalar,
    edge_z: Edge, edge_y: Edge, edge_x: Edge, fill: Scalar,
) -> None:  # fmt: skip
    _around(x, y, offsets, size, first, highest, edge_z, edge_y, edge_x, fill)


def _around(
    x: Any, y: Any, offsets: Any, size: Any, first: Any, highest: Any,
    edge_z: int, edge_y: int, edge_x: int, fill: Any,
) -> None:  # fmt: skip
    """Write the least or greatest of each neighbourhood; no offset means a box."""
    count = offsets.size // 3 if offsets.size > 0 else size[0] * size[1] * size[2]
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                best = x[k, j, i]
                for n in range(count):
                    if offsets.size > 0:
                        dk, dj, di = offsets[3 * n], offsets[3 * n + 1], offsets[3 * n + 2]
                    else:
                        dk = first[0] + n // (size[1] * size[2])
                        dj = first[1] + n // size[2] % size[1]
                        di = first[2] + n % size[2]
                    kk = inside(k + dk, x.shape[0], edge_z)
                    jj = inside(j + dj, x.shape[1], edge_y)
                    ii = inside(i + di, x.shape[2], edge_x)
                    value = x[0, 0, 0]
                    value = fill if kk < 0 or jj < 0 or ii < 0 else x[kk, jj, ii]
                    if highest:
                        better = value > best or value != value
                    else:
                        better = value < best or best != best
                    if n == 0 or better:
                        best = value
                y[k, j, i] = best


@_extreme.on("numba")
def _axis_by_axis(
    x: In, y: Out, offsets: ListIn, size: Size, first: Size, highest: Scalar,
    edge_z: Edge, edge_y: Edge, edge_x: Edge, fill: Scalar,
) -> None:  # fmt: skip
    if offsets.size > 0:
        _around(x, y, offsets, size, first, highest, edge_z, edge_y, edge_x, fill)
        return
    a, b = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    edges = edge_z, edge_y, edge_x
    _around(x, a, offsets, (1, 1, size[2]), (0, 0, first[2]), highest, *edges, fill)
    _around(a, b, offsets, (1, size[1], 1), (0, first[1], 0), highest, *edges, fill)
    _around(b, y, offsets, (size[0], 1, 1), (first[0], 0, 0), highest, *edges, fill)


@_extreme.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, offsets: Any, size: Any, first: Any, highest: int,
    edge_z: int, edge_y: int, edge_x: int, fill: float,
) -> None:  # fmt: skip
    kind, blocks = gpu.name_of(x.dtype), gpu.blocks(x.size)
    if len(offsets):
        gpu.launch(
            f"extreme<{kind}>", blocks, 256, x, y, gpu.put(offsets), len(offsets) // 3, x.shape,
            highest, (edge_z, edge_y, edge_x), float(fill),
        )  # fmt: skip
        return
    edges = edge_z, edge_y, edge_x
    axes = [axis for axis in range(3) if size[axis] > 1] or [2]
    spare = [gpu.empty(x.shape, x.dtype) for _ in axes[1:3]]
    source = x
    for axis, target in zip(axes, [*spare, y], strict=True):
        gpu.launch(
            f"extreme_line<{kind}>", blocks, 256, source, target, x.shape, axis, first[axis],
            size[axis], highest, edges[axis], float(fill),
        )  # fmt: skip
        source = target


@_extreme.example
def _example(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    sizes = ((3, 3, 3), (1, 3, 3), (5, 1, 2), (1, 1, 14), (14, 2, 5), (1, 19, 1), (1, 1, 1))
    size = sizes[int(rng.integers(len(sizes)))]
    first = tuple(-int(rng.integers(s)) for s in size)
    offsets = _BOX
    if rng.random() < 0.5:
        box = rng.random(size) < 0.6
        box[0, 0, 0] = True
        offsets = (np.argwhere(box) + np.array(first)).ravel()
    edges = (int(e) for e in rng.integers(0, 5, 3))
    return x, np.empty_like(x), offsets, size, first, int(rng.integers(2)), *edges, 7


def minimum_filter(
    image: Any,
    size: Any = None,
    footprint: Any = None,
    *,
    mode: Any = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Replace each voxel by the least of its neighbourhood.

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
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'} or one an axis
        What lies outside the image.
    cval : scalar
        The value outside when `mode` is 'constant'.
    origin : int or tuple of int
        Shifts the neighbourhood back by so many voxels along each of `axes`.
    axes : tuple of int, optional
        The axes to filter along: all of up to three, the last three of more. Others are
        looped over.
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
    maximum_filter, rank_filter, grey_erosion

    Notes
    -----
    As `scipy.ndimage.minimum_filter`. NaN counts as larger than any number: the minimum
    passes over it and the maximum keeps it, where SciPy's answer depends on the order of
    the voxels. Integers are compared as they are.

    The time of a box hardly depends on its size [1]_; that of another footprint grows with
    its number of rows, not of voxels [2]_.

    References
    ----------
    .. [1] M. van Herk, "A fast algorithm for local minimum and maximum filters on
       rectangular and octagonal kernels", Pattern Recognition Letters 13:517-521, 1992.
       https://doi.org/10.1016/0167-8655(92)90069-C
    .. [2] E. R. Urbach and M. H. F. Wilkinson, "Efficient 2-D grayscale morphological
       transformations with arbitrary flat structuring elements", IEEE Transactions on
       Image Processing 17:1-8, 2008. https://doi.org/10.1109/TIP.2007.912582

    Examples
    --------
    >>> x = np.array([4, 9, 2, 3, 8], dtype=np.uint8)
    >>> voxkern.minimum_filter(x, 3)
    array([4, 2, 2, 2, 3], dtype=uint8)
    """
    return _filter(image, size, footprint, mode, cval, origin, axes, out, workers, highest=0)


def maximum_filter(
    image: Any,
    size: Any = None,
    footprint: Any = None,
    *,
    mode: Any = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Replace each voxel by the greatest of its neighbourhood.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type bool, uint8, int16, uint16, int32, float32 or float64, on any
        device.
    size, footprint, mode, cval, origin, axes, out, workers
        As in `minimum_filter`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As `minimum_filter`.

    See Also
    --------
    minimum_filter, rank_filter, grey_dilation

    Notes
    -----
    As `scipy.ndimage.maximum_filter`; NaN is the greatest of all.

    Examples
    --------
    >>> x = np.array([4, 9, 2, 3, 8], dtype=np.uint8)
    >>> voxkern.maximum_filter(x, 3)
    array([9, 9, 9, 8, 8], dtype=uint8)
    """
    return _filter(image, size, footprint, mode, cval, origin, axes, out, workers, highest=1)


def minimum_filter1d(
    image: Any,
    size: int,
    axis: int = -1,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Replace each voxel by the least of its neighbours along one axis.

    Parameters
    ----------
    image : array
        As in `minimum_filter`, of any number of axes.
    size : int
        Voxels of the neighbourhood.
    axis : int
        The axis it lies along.
    mode, cval, origin, out, workers
        As in `minimum_filter`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As `minimum_filter`.

    Examples
    --------
    >>> voxkern.minimum_filter1d(np.array([[4, 9], [2, 3]]).astype(np.uint8), 2, axis=0)
    array([[4, 9],
           [2, 3]], dtype=uint8)
    """
    axes = one_axis(image, axis)
    return minimum_filter(
        image, size, mode=mode, cval=cval, origin=origin, axes=axes, out=out, workers=workers
    )


def maximum_filter1d(
    image: Any,
    size: int,
    axis: int = -1,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Replace each voxel by the greatest of its neighbours along one axis.

    Parameters
    ----------
    image : array
        As in `minimum_filter`, of any number of axes.
    size : int
        Voxels of the neighbourhood.
    axis : int
        The axis it lies along.
    mode, cval, origin, out, workers
        As in `minimum_filter`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As `minimum_filter`.

    Examples
    --------
    >>> voxkern.maximum_filter1d(np.array([1, 0, 0, 2, 0], dtype=np.uint8), 3)
    array([1, 1, 2, 2, 2], dtype=uint8)
    """
    axes = one_axis(image, axis)
    return maximum_filter(
        image, size, mode=mode, cval=cval, origin=origin, axes=axes, out=out, workers=workers
    )


def _filter(
    image: Any, size: Any, footprint: Any, mode: Any, cval: Any, origin: Any, axes: Any, out: Any,
    workers: Any, *, highest: int,
) -> Any:  # fmt: skip
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, ("bool", *_args.REAL))
    ndim = _args.as_ndim(x)
    along = _args.as_axes(axes, ndim)
    if beyond_three(along, ndim):

        def again(turned: Any, last: Any) -> Any:
            return _filter(turned, size, footprint, mode, cval, origin, last, None, workers,
                           highest=highest)  # fmt: skip

        return along_first(x, give, along, out, again)
    near, rest = _settle(ndim, dtype, size, footprint, mode, cval, origin, along)
    workers = _args.as_workers(workers)
    offsets, size, first = near
    if not offsets.size and max(size) > 64:
        size, first = _seen(size, first, x.shape)

    def run(volume: Any, answer: Any) -> None:
        if dtype == "bool":
            volume, answer = volume.view(np.uint8), answer.view(np.uint8)
        _extreme(volume, answer, offsets, size, first, highest, *rest, workers=workers)

    return _arrays.run_volumes(run, x, out, dtype, give)


@_args.remembered
def _settle(
    ndim: int, dtype: str, size: Any, footprint: Any, mode: Any, cval: Any, origin: Any,
    along: tuple[int, ...],
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:  # fmt: skip
    """Return what the kernel takes of a neighbourhood, and of what lies outside."""
    near = as_footprint(size, footprint, origin, along, ndim)
    offsets = _BOX if near.where is None else near.offsets()
    edges = as_edges(mode, along, ndim)
    return (offsets, near.size, near.first), (*edges, _args.as_fill(cval, dtype))


def _seen(size: Any, first: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return a box cut where nothing new comes: two lengths of the image away, at any edge."""
    longest = [2 * n for n in _args.lift(shape[-3:], 1)]
    begin = tuple(max(f, -n) for f, n in zip(first, longest, strict=True))
    end = [min(f + s, n + 1) for f, s, n in zip(first, size, longest, strict=True)]
    return tuple(e - b for e, b in zip(end, begin, strict=True)), begin
