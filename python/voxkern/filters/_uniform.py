"""Uniform filter: the mean of a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import inside
from .._kernel import Edge, In, Out, Scalar, Size, kernel, prange
from ._along import as_edges, one_axis, run_along, three
from ._separable import as_whole_fill


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=1e-6,
    why="float32 images are summed in float32, in another order",
)
def _uniform(
    x: In, y: Out, size: Size, before: Size, ez: Edge, ey: Edge, ex: Edge, fill: Scalar
) -> None:
    a, b = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    _means(x, a, size[0], before[0], 0, ez, fill)
    _means(a, b, size[1], before[1], 1, ey, fill)
    _means(b, y, size[2], before[2], 2, ex, fill)


def _means(x: Any, y: Any, size: int, before: int, axis: int, edge: int, fill: float) -> None:
    half = np.empty(1, x.dtype)
    half[0] = 0.5
    whole, n = half[0] == 0, x.shape[axis]
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                total, here = 0.0, (k, j, i)[axis] - before
                for step in range(size):
                    at = inside(here + step, n, edge)
                    if at < 0:
                        total += fill
                    elif axis == 0:
                        total += float(x[at, j, i])
                    elif axis == 1:
                        total += float(x[k, at, i])
                    else:
                        total += float(x[k, j, at])
                if whole:
                    y[k, j, i] = np.int64(total / size)
                else:
                    y[k, j, i] = total / size


@_uniform.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, size: Any, before: Any, ez: int, ey: int, ex: int, fill: float
) -> None:
    planes, rows, columns = x.shape
    # Each pass sees (before, along, after), where `along` is its axis.
    passes = [
        (axis, edge, shape)
        for axis, edge, shape in (
            (0, ez, (1, planes, rows * columns)),
            (1, ey, (planes, rows, columns)),
            (2, ex, (planes * rows, columns, 1)),
        )
        if size[axis] > 1
    ] or [(2, ex, (planes * rows, columns, 1))]
    spare = gpu.empty(x.shape, x.dtype) if len(passes) > 1 else None
    source = x
    for left, (axis, edge, shape) in zip(range(len(passes) - 1, -1, -1), passes, strict=True):
        target = spare if left % 2 else y
        turns = shape[0] * -(-shape[1] // 8) * shape[2]
        gpu.launch(
            f"uniform<{gpu.name_of(x.dtype)}>", gpu.blocks(turns), 256,
            source, target, size[axis], before[axis], shape, edge, float(fill),
        )  # fmt: skip
        source = target


@_uniform.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.01] = np.nan
    size = tuple(int(rng.choice([1, 2, 3, 5, 8, 17, 31])) for _ in range(3))
    before = tuple(int(rng.integers(n)) if rng.random() < 0.5 else n // 2 for n in size)
    return x, np.empty_like(x), size, before, *(int(e) for e in rng.integers(0, 5, 3)), 7.0


def uniform_filter(
    image: Any,
    size: Any = 3,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Replace each voxel by the mean of the box around it.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
        Axes before the last three are looped over, unless `axes` names them.
    size : int or one an axis
        Voxels along each axis of the box. Even sizes reach one voxel further back than
        forward.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'} or one an axis
        What lies outside the image.
    cval : float
        The value outside when `mode` is 'constant'. Integer images take whole numbers
        of their type.
    origin : int or one an axis
        Shifts the box back by so many voxels.
    axes : int or sequence of int, optional
        The axes to filter along, three at most; the last three by default. `size`, `mode`
        and `origin` then have one value for each of these.
    out : array, optional
        Where to write; same shape and type as `image`, not overlapping it.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    Notes
    -----
    Axes are filtered one after the other, in the order of the array's axes. Integer
    images are cut towards zero after each, as in SciPy, to the same numbers. On the CPU
    the time hardly depends on `size`, and an image that is filtered along its first axis
    and another takes one more of its size as scratch. No sum is ever subtracted
    from, so floats do not drift along a line, and NaN and infinity reach as far as the
    box does; SciPy lets them run to the end of the line.

    Examples
    --------
    >>> uniform_filter(np.array([0, 0, 9, 0, 0], dtype=np.float32), 3)
    array([0., 3., 3., 3., 0.], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim, threads = _args.as_ndim(x), _args.as_workers(workers)
    along, rest = _settle(ndim, dtype, size, mode, cval, origin, axes)

    def run(volume: Any, answer: Any) -> None:
        _uniform(volume, answer, *rest, workers=threads)

    return run_along(run, x, along, out, dtype, give)


@_args.remembered
def _settle(
    ndim: int, dtype: str, size: Any, mode: Any, cval: Any, origin: Any, axes: Any
) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """Return the axes to filter along, and what the kernel takes of them."""
    along = _args.as_axes(axes, ndim)
    n = len(along)
    sizes = _args.as_window(size, n)
    before = tuple(
        s // 2 + as_origin(o, s)
        for s, o in zip(sizes, _args.per_axis(origin, n, "origin"), strict=True)
    )
    codes = three(as_edges(mode, n), along, ndim, 0)
    box, back = three(sizes, along, ndim, 1), three(before, along, ndim, 0)
    return along, (box, back, *codes, as_whole_fill(cval, dtype))


def uniform_filter1d(
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
    """Replace each voxel by the mean of its neighbours along one axis.

    Parameters
    ----------
    image : array
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    size : int
        How many voxels.
    axis : int
        The axis.
    mode, cval, origin, out, workers
        As in `uniform_filter`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As in `uniform_filter`.

    Examples
    --------
    >>> uniform_filter1d(np.array([0, 0, 9, 0, 0], dtype=np.float32), 3)
    array([0., 3., 3., 3., 0.], dtype=float32)
    """
    return uniform_filter(
        image, _args.as_int(size, "size", 1), mode=mode, cval=cval, origin=origin,
        axes=one_axis(image, axis), out=out, workers=workers,
    )  # fmt: skip


def as_origin(origin: Any, size: int) -> int:
    """Return a shift that keeps a window of `size` voxels over its own."""
    shift = _args.as_int(origin, "origin")
    if not -(size // 2) <= shift <= (size - 1) // 2:
        raise ValueError(
            f"origin must be in [{-(size // 2)}, {(size - 1) // 2}] for a size of {size}; "
            f"got {origin}"
        )
    return shift
