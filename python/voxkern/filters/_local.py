"""Mean and deviation within boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import inside
from .._kernel import Edge, In, Out, Scalar, Size, kernel, prange
from ._along import as_edges, run_along, three
from ._separable import as_whole_fill


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=1e-6,
    why="float64 sums are added up in another order, and a deviation is the root of a difference",
)
def _local_moments(
    x: In, y: Out, size: Size, before: Size, ez: Edge, ey: Edge, ex: Edge, fill: Scalar,
    deviation: Scalar,
) -> None:  # fmt: skip
    planes, rows, columns = x.shape
    box = np.empty(size)
    for k in range(planes):
        for j in range(rows):
            for i in range(columns):
                for c in range(size[0]):
                    kk = inside(k - before[0] + c, planes, ez)
                    for b in range(size[1]):
                        jj = inside(j - before[1] + b, rows, ey)
                        for a in range(size[2]):
                            ii = inside(i - before[2] + a, columns, ex)
                            outside = kk < 0 or jj < 0 or ii < 0
                            box[c, b, a] = fill if outside else x[kk, jj, ii]
                level = box[0, 0, 0]
                if not math.isfinite(level):
                    level = 0.0
                mean = level + (box - level).sum() / box.size
                if deviation:
                    y[k, j, i] = math.sqrt(((box - mean) ** 2).sum() / box.size)
                else:
                    y[k, j, i] = mean


@_local_moments.on("numba")
def _by_axes(
    x: Any, y: Any, size: Any, before: Any, ez: int, ey: int, ex: int, fill: float,
    deviation: int,
) -> None:  # fmt: skip
    level = float(x[0, 0, 0]) if x.size > 0 else 0.0
    if not math.isfinite(level):
        level = 0.0
    count = size[0] * size[1] * size[2]
    a, outside = x.astype(np.float64) - level, fill - level
    mean = _box_sums(a, size, before, ez, ey, ex, outside)
    if not deviation:
        for k in prange(x.shape[0]):
            y[k] = mean[k] / count + level
        return
    squares = _box_sums(a * a, size, before, ez, ey, ex, outside * outside)
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                m = mean[k, j, i] / count
                spread = squares[k, j, i] / count - m * m
                y[k, j, i] = 0.0 if spread < 0 else math.sqrt(spread)


def _box_sums(a: Any, size: Any, before: Any, ez: int, ey: int, ex: int, outside: float) -> Any:
    b, c = np.zeros(a.shape), np.zeros(a.shape)
    planes, rows, columns = a.shape
    for k in prange(planes):
        for step in range(size[0]):
            at = inside(k - before[0] + step, planes, ez)
            if at < 0:
                b[k] += outside
            else:
                b[k] += a[at]
    for k in prange(planes):
        for j in range(rows):
            for step in range(size[1]):
                at = inside(j - before[1] + step, rows, ey)
                if at < 0:
                    c[k, j] += size[0] * outside
                else:
                    c[k, j] += b[k, at]
    for k in prange(planes):
        for j in range(rows):
            for i in range(columns):
                total = 0.0
                for step in range(size[2]):
                    at = inside(i - before[2] + step, columns, ex)
                    total += size[0] * size[1] * outside if at < 0 else c[k, j, at]
                b[k, j, i] = total
    return b


@_local_moments.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, size: Any, before: Any, ez: int, ey: int, ex: int, fill: float,
    deviation: int,
) -> None:  # fmt: skip
    planes, rows, columns = x.shape
    kind, fill = gpu.name_of(x.dtype), float(fill)
    # Each pass sees (before, along, after), where `along` is its axis.
    shapes = ((1, planes, rows * columns), (planes, rows, columns), (planes * rows, columns, 1))
    a, b = gpu.empty(2 * x.size, np.float64), None
    gpu.launch(
        f"moments_first<{kind}>", gpu.blocks(x.size), 256,
        x, a, size[0], before[0], shapes[0], ez, fill,
    )  # fmt: skip
    weight = float(size[0])
    for axis, edge in ((1, ey), (2, ex)):
        if size[axis] == 1:
            continue
        b = gpu.empty(2 * x.size, np.float64) if b is None else b
        gpu.launch(
            f"moments_next<{kind}>", gpu.blocks(2 * x.size), 256,
            x, a, b, size[axis], before[axis], shapes[axis], edge, fill, weight,
        )  # fmt: skip
        weight *= size[axis]
        a, b = b, a
    gpu.launch(
        f"moments_last<{kind},{gpu.name_of(y.dtype)}>", gpu.blocks(x.size), 256,
        x, a, y, x.size, weight, deviation,
    )  # fmt: skip


@_local_moments.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.01] = np.nan
    size = tuple(int(rng.choice([1, 2, 3, 4, 7])) for _ in range(3))
    before = tuple(n // 2 for n in size)
    edges = (int(e) for e in rng.integers(0, 5, 3))
    return (
        x,
        np.empty(shape, _args.float_dtype(dtype)),
        size,
        before,
        *edges,
        7.0,
        int(rng.integers(2)),
    )


def _local(
    image: Any, size: Any, deviation: bool, mode: Any, cval: Any, axes: Any, out: Any, workers: Any
) -> Any:
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    along = _args.as_axes(axes, ndim)
    n = len(along)
    box = three(_args.as_window(size, n, bits=24), along, ndim, 1)
    codes = three(as_edges(mode, n), along, ndim, 0)
    before = tuple(s // 2 for s in box)
    fill, workers = as_whole_fill(cval, dtype), _args.as_workers(workers)

    def run(volume: Any, answer: Any) -> None:
        _local_moments(volume, answer, box, before, *codes, fill, int(deviation), workers=workers)

    return run_along(run, x, along, out, _args.float_dtype(dtype), give)


def local_mean(
    image: Any,
    size: Any = 3,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the mean of the box around each voxel, as a float.

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
    axes : int or sequence of int, optional
        The axes of the box, three at most; the last three by default. `size` and `mode`
        then have one value for each of these.
    out : array, optional
        Where to write; of the answer's shape and type, not overlapping `image`.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape and device as `image`. float64 for float64 and int32 images, else float32.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    See Also
    --------
    uniform_filter : the mean in the image's own type, as in SciPy.
    local_std : how much the box's voxels part from it.

    Notes
    -----
    Sums are in float64, and the time grows slowly with `size`. NaN and infinity reach as far
    as the box does.

    Examples
    --------
    >>> local_mean(np.array([0, 0, 7, 0, 0], dtype=np.uint8), 2)
    array([0. , 0. , 3.5, 3.5, 0. ], dtype=float32)
    """
    return _local(image, size, False, mode, cval, axes, out, workers)


def local_std(
    image: Any,
    size: Any = 3,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the standard deviation of the box around each voxel.

    Parameters
    ----------
    image, size, mode, cval, axes, out, workers
        As in `local_mean`.

    Returns
    -------
    array
        As `local_mean`.

    Raises
    ------
    TypeError, ValueError
        As in `local_mean`.

    Notes
    -----
    The root of the mean square of what parts the box's voxels from their mean: NumPy's ``std``
    with ``ddof=0``; ITK's Noise filter divides by one voxel less. Sums are in float64, of what
    parts the voxels from a level near them, so that an offset of the image costs no digit.
    What is 0 may come out as 1e-8 of the largest difference in the surroundings. A box that
    holds NaN or infinity gives NaN.

    Examples
    --------
    >>> local_std(np.array([0, 0, 8, 0, 0], dtype=np.uint8), 2)
    array([0., 0., 4., 4., 0.], dtype=float32)
    """
    return _local(image, size, True, mode, cval, axes, out, workers)
