"""Affine transform."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, kernel, prange
from ._read import FillIn, read
from ._sample import example_coefficients, example_image, example_reading, keep, reader, sample
from ._zoom import FEW, lifted, read_grid

# The rows of a matrix, or the numbers on its diagonal.
Numbers = tuple[float, ...]
Rows = tuple[Numbers, ...] | Numbers


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=2e-6,
    why="float32 images are interpolated in float32, in another order than the rule adds",
)
def _affine(
    x: In,
    y: Out,
    matrix: ListIn,
    order: Scalar,
    outside: Scalar,
    fill: Scalar,
    low: Scalar,
    high: Scalar,
) -> None:
    for k in prange(y.shape[0]):
        at, w = np.empty((3, 6), np.int64), np.empty((3, 6))
        for j in range(y.shape[1]):
            for i in range(y.shape[2]):
                cz = ((matrix[3] + k * matrix[0]) + j * matrix[1]) + i * matrix[2]
                cy = ((matrix[7] + k * matrix[4]) + j * matrix[5]) + i * matrix[6]
                cx = ((matrix[11] + k * matrix[8]) + j * matrix[9]) + i * matrix[10]
                value = sample(x, cz, cy, cx, order, outside, fill, at, w)
                y[k, j, i] = keep(value, low, high)


@_affine.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = example_image(rng, shape, dtype)
    matrix = np.eye(3, 4) + 0.2 * rng.standard_normal((3, 4))
    if rng.integers(3) == 0:
        matrix[:, 3] += rng.choice([-5, 5])
    y = np.empty([n + int(rng.integers(3)) for n in shape], x.dtype)
    how = example_reading(rng, dtype)
    return example_coefficients(x, how[0]), y, matrix.ravel(), *how


@_affine.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, matrix: Any, order: int, outside: int, fill: float, *_: float
) -> None:
    gpu.launch(
        reader(gpu, "affine", x, y, order), gpu.blocks(y.size), 256,
        x, y, gpu.put(matrix), x.shape, y.shape, order, outside, float(fill),
    )  # fmt: skip


def as_matrix(matrix: Any, offset: Any, ndim: int) -> tuple[Rows, Numbers]:
    """Return the rows (the diagonal of a vector) and the offset of SciPy's arguments."""
    m = _args.as_numbers(matrix, "matrix")
    rows, shift = _parted(m.tobytes(), m.shape, ndim)
    return rows, _args.as_place(offset, ndim, "offset") if shift is None else shift


@functools.lru_cache(64)
def _parted(numbers: bytes, shape: tuple[int, ...], ndim: int) -> tuple[Rows, Numbers | None]:
    """Return the rows of a matrix, and the offset of a homogeneous one."""
    shapes = [(ndim,), (ndim, ndim), (ndim, ndim + 1), (ndim + 1, ndim + 1)]
    if shape not in shapes:
        wanted = ", ".join(map(str, shapes))
        raise ValueError(f"matrix must have one of the shapes {wanted}; got {shape}")
    m = np.frombuffer(numbers).reshape(shape)
    if not np.isfinite(m).all():
        raise ValueError(f"matrix must be finite; got {m.tolist()}")
    rows = m.tolist()
    if len(shape) == 1:
        return tuple(rows), None
    if shape[1] == ndim:
        return tuple(map(tuple, rows)), None
    if len(rows) > ndim and rows.pop() != [0] * ndim + [1]:
        raise ValueError(f"matrix must end in the row {[0] * ndim + [1]}; got {m[ndim]}")
    return tuple(tuple(row[:ndim]) for row in rows), tuple(row[ndim] for row in rows)


def at_affine(rows: Rows, offset: Numbers) -> FillIn:
    """Return what reads a volume at ``rows @ v + offset``, which are those of the last axes.

    A grid along the axes is read axis by axis.
    """

    def fill_in(x: Any, y: Any, pad: float, how: tuple[Any, ...], threads: Any) -> None:
        settle = _settle if max(y.shape) <= FEW else _settle.__wrapped__
        points, flat = settle(rows, offset, pad, y.shape)
        if points is None:
            _affine(x, y, flat, *how, workers=threads)
        else:
            read_grid(x, y, points, how, threads)

    return fill_in


@functools.lru_cache(64)
def _settle(rows: Rows, offset: Numbers, pad: float, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return where a grid along the axes reads, a list an axis, or None and the map of a volume."""
    first = 3 - len(offset)
    if type(rows[0]) is float and all(rows):  # SciPy's rounding: the offset is scaled too
        points = [
            (np.arange(n) + o / m) * m for n, m, o in zip(shape[first:], rows, offset, strict=True)
        ]
        return lifted(points, pad), None
    full = np.eye(3, 4)
    full[first:, first:3] = np.diag(rows) if type(rows[0]) is float else rows
    full[first:, 3] = [o + pad for o in offset]
    if np.array_equal(full[:, :3], np.diag(np.diag(full))):
        return [np.arange(n) * full[a, a] + full[a, 3] for a, n in enumerate(shape)], None
    return None, full.ravel()


def affine_transform(
    image: Any,
    matrix: Any,
    offset: Any = 0.0,
    output_shape: Any = None,
    *,
    order: int = 3,
    mode: str = "constant",
    cval: complex = 0.0,
    prefilter: bool = True,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the image read at an affine map of the output's voxels.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32, float64 or complex, or a mask of type
        bool (order 0 only), on any device. Axes before the last three are looped over.
    matrix : array of float
        From a voxel of the output to a point of the image, in voxels: ``(ndim, ndim)``, or
        ``(ndim,)`` for its diagonal, or homogeneous, ``(ndim, ndim + 1)`` or
        ``(ndim + 1, ndim + 1)``, when `offset` is not read. `ndim` is at most three.
    offset : float or sequence of float
        Added to the mapped point.
    output_shape : tuple of int, optional
        Shape of the output, of the last axes only; that of the image if left out.
    order : int
        Order of the spline: 0 is the nearest voxel, 1 linear, 3 cubic, up to 5.
    mode : {'constant', 'nearest', 'reflect', 'mirror', 'wrap', 'grid-constant', 'grid-mirror', \
'grid-wrap'}
        What lies outside the image. 'constant' is `cval` as soon as a point passes the centre of
        an outermost voxel; 'grid-constant' blends with voxels of `cval`; 'wrap' has a period of
        ``n - 1`` voxels, 'grid-wrap' of n.
    cval : scalar
        The value outside when `mode` is 'constant' or 'grid-constant'.
    prefilter : bool
        Whether to turn the image into spline coefficients first, for orders above 1. False if
        `spline_filter` has done so.
    out : array, optional
        Where to write; of the output's shape and the image's type, not overlapping it.
    workers : int, optional
        Threads to use; all that are allowed if left out.

    Returns
    -------
    array
        Of the type and on the device of the image.

    Raises
    ------
    TypeError
        If the image's type is not listed.
    ValueError
        If `matrix` has another shape, or an axis of the image is empty.

    Notes
    -----
    ``out[v] = image(matrix @ v + offset)``. Answers are SciPy's: to 1e-5 of the image's range where
    it is float32 or a small integer, which are interpolated in float32, else to 1e-9. Integers are
    rounded, halves away from zero, and cut to their range. A NaN voxel reaches every point that
    reads it, even with weight zero; from order 2 on, the prefilter carries it along its lines.

    SciPy maps all axes of an image with more than three; here the leading ones are looped over.

    Examples
    --------
    >>> x = np.arange(12, dtype=np.float32).reshape(3, 4)
    >>> affine_transform(x, [[0, 1], [1, 0]], output_shape=(4, 3), order=1)
    array([[ 0.,  4.,  8.],
           [ 1.,  5.,  9.],
           [ 2.,  6., 10.],
           [ 3.,  7., 11.]], dtype=float32)
    """
    ndim = min(_args.as_ndim(_arrays.adopt(image)[0]), 3)
    m, shift = as_matrix(matrix, offset, ndim)
    shape = None if output_shape is None else _args.as_shape(output_shape, ndim, "output_shape")
    points = at_affine(m, shift)
    return read(image, shape, points, order, mode, cval, prefilter, out, workers, "output_shape")
