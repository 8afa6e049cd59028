"""Resampling in the world: spacings, origins, directions, transforms."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from ..filters import gaussian_filter
from ._affine import Numbers, at_affine
from ._read import read
from ._sample import CELL, as_order
from ._transform import Transform

# What is known of a grid is kept in plain numbers, by which its arithmetic is looked up.
Rows = tuple[Numbers, ...]


def resample(
    image: Any,
    new_spacing: Any = None,
    *,
    spacing: Any = None,
    origin: Any = None,
    direction: Any = None,
    like: Any = None,
    shape: Any = None,
    new_origin: Any = None,
    new_direction: Any = None,
    transform: Transform | None = None,
    order: int = 1,
    mode: str = "nearest",
    cval: complex = 0.0,
    antialias: bool = False,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    r"""Return the image on another grid of the world, read once whatever lies between.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        As in `affine_transform`.
    new_spacing : float or sequence of float, optional
        Distance between voxels of the output, in the unit of `spacing`.
    spacing, origin, direction : optional
        Where the image's voxels lie, in the order of its axes, as `Image` has them: lengths, the
        world position of the first voxel, and a matrix whose columns are the axes' directions. Left
        out: ones, zeros, the identity; but `like` needs a spacing.
    like : optional
        Anything with ``spacing``, ``origin``, ``direction`` and ``data``, such as an `Image`: the
        output lies on its voxels.
    shape : int or tuple of int, optional
        Voxels of the output along the last axes, up to three.
    new_origin, new_direction : optional
        Where the output lies. Left out: so that it covers the extent of the image, face to face,
        and along the image's own axes.
    transform : Transform, optional
        From a point of the output's world to the point of the image's world that is shown there, as
        `register` returns it.
    order : int
        Order of the spline; 0 for labels.
    mode, cval
        As in `affine_transform`, but 'constant' is ITK's: `cval` beyond the far faces of the
        outermost voxels, half a voxel further out than SciPy's.
    antialias : bool
        Whether to smooth first along axes whose spacing grows.
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
    ValueError
        If neither `new_spacing`, `like`, `shape`, a new place nor a transform says what the output
        is, or a length is not positive.

    Notes
    -----
    The point of the image for a voxel v of the output is

    .. math:: S^{-1} D^{-1} (T(o' + D' S' v) - o)

    with spacings S, directions D, origins o, a prime for the output, and the transform T. With
    `new_spacing` alone the output has ``ceil(n * spacing / new_spacing)`` voxels; with `shape`
    alone its spacing is ``n * spacing / shape``. `antialias` smooths with a Gaussian of sigma
    ``max(0, (new / old - 1) / 2)`` voxels.

    Answers are SimpleITK's ``Resample``: to 1e-5 of the range for orders 0, 1 and, away from points
    beyond the outermost centres with 'nearest', 3 (``sitkBSpline``).

    NaN as in `affine_transform`.

    Examples
    --------
    >>> resample(np.array([0, 2, 4, 6], np.float32), 2, spacing=1)
    array([1., 5.], dtype=float32)
    """
    x, _ = _arrays.adopt(image)
    ndim = min(_args.as_ndim(x), 3)
    count, rows, offset, sigma, asked = _settle(
        x.shape[x.ndim - ndim :], spacing, origin, direction,
        new_spacing, shape, like, new_origin, new_direction, transform,
    )  # fmt: skip
    number = as_order(order)
    if antialias and any(sigma):
        image = gaussian_filter(
            image, (0.0,) * (x.ndim - ndim) + sigma, mode="nearest", workers=workers
        )
    outside = CELL if mode == "constant" else None
    points = at_affine(rows, offset)
    return read(image, count, points, number, mode, cval, True, out, workers, asked, outside)


@_args.remembered
def _settle(
    voxels: tuple[int, ...], spacing: Any, origin: Any, direction: Any, new_spacing: Any,
    shape: Any, like: Any, new_origin: Any, new_direction: Any, transform: Any,
) -> tuple[tuple[int, ...], Rows, Numbers, Numbers, str]:  # fmt: skip
    """Return the output's shape, the map to read at, the sigma that smooths, and what asked."""
    ndim = len(voxels)
    step = _args.as_spacing(spacing, ndim)
    start = _args.as_place(0.0 if origin is None else origin, ndim, "origin")
    axes = _args.as_direction(direction, ndim, "direction")
    count, *goal = grid_of(
        voxels, step, start, axes, new_spacing, shape, like, new_origin, new_direction, transform
    )
    if like is not None and spacing is None:
        raise ValueError(
            "spacing must be given with like (and origin and direction, but for zeros and the "
            "identity), or call Image.resample"
        )
    full = _identity(ndim + 1)
    if transform is not None:
        if not isinstance(transform, Transform):
            raise TypeError(
                f"transform must be a Transform; got {type(transform).__name__}: write "
                "Transform(matrix), of a map between points of the world"
            )
        if transform.ndim != ndim:
            raise ValueError(f"transform must have {ndim} axes; got {transform.ndim}")
        full = _rows(transform.matrix)
    given = {"like": like, "shape": shape, "new_spacing": new_spacing}
    asked = next((name for name, value in given.items() if value is not None), "image")
    return count, *_reading(step, start, axes, *goal, full), asked


@functools.lru_cache(64)
def _reading(
    step: Numbers, start: Numbers, axes: Rows, new_step: Numbers, new_start: Numbers,
    new_axes: Rows, full: Rows,
) -> tuple[Rows, Numbers, Numbers]:  # fmt: skip
    """Return the rows and the offset of the map to read at, and the sigma that smooths for it."""
    moved, n = np.array(full), len(step)
    inverse = np.linalg.inv(np.array(axes) * step)
    matrix = inverse @ moved[:n, :n] @ (np.array(new_axes) * new_step)
    matrix[np.abs(matrix) < 1e-14 * np.abs(matrix).max()] = 0
    offset = inverse @ (moved[:n, :n] @ new_start + moved[:n, n] - start)
    sigma = np.maximum(0, (np.sqrt((matrix**2).sum(axis=1)) - 1) / 2)
    return _rows(matrix), tuple(offset.tolist()), tuple(sigma.tolist())


def _rows(matrix: Any) -> Rows:
    return tuple(map(tuple, matrix.tolist()))


@functools.cache
def _identity(n: int) -> Rows:
    return _rows(np.eye(n))


def grid_of(
    voxels: tuple[int, ...],
    step: Numbers,
    start: Numbers,
    axes: Rows,
    new_spacing: Any = None,
    shape: Any = None,
    like: Any = None,
    new_origin: Any = None,
    new_direction: Any = None,
    transform: Any = None,
) -> tuple[tuple[int, ...], Numbers, Numbers, Rows]:
    """Return the output's shape, spacing, origin and direction, where the input has `voxels`."""
    ndim = len(voxels)
    if like is not None:
        for name, given in (
            ("new_spacing", new_spacing), ("shape", shape), ("new_origin", new_origin),
            ("new_direction", new_direction),
        ):  # fmt: skip
            if given is not None:
                raise ValueError(f"{name} and like both say what the output is; give one of them")
        if not all(hasattr(like, a) for a in ("data", "spacing", "origin", "direction")):
            raise TypeError(
                f"like must be an Image; got {type(like).__name__}, which says no spacing: give "
                "new_spacing and shape instead"
            )
        count = tuple(like.data.shape)[-ndim:]
        return (
            count,
            _args.as_spacing(like.spacing, ndim, "like.spacing"),
            start if like.origin is None else _args.as_place(like.origin, ndim, "like.origin"),
            _turned(like.direction, axes, "like.direction"),
        )
    given = (new_spacing, shape, new_origin, new_direction, transform)
    if all(g is None for g in given):
        raise ValueError("give new_spacing, shape, like, new_origin, new_direction or a transform")
    new_axes = _turned(new_direction, axes, "new_direction")
    new_step = step
    if new_spacing is not None:
        new_step = _args.as_spacing(new_spacing, ndim, "new_spacing")
    if shape is not None:
        count = _args.as_shape(shape, ndim, "shape")
        if new_spacing is None:
            new_step = tuple(n * s / m for n, s, m in zip(voxels, step, count, strict=True))
    else:
        # Less a millionth, so that 0.3 * 10 / 0.1 is 30 voxels.
        sizes = [n * s / t - 1e-6 for n, s, t in zip(voxels, step, new_step, strict=True)]
        count = _args.as_lengths([max(1, math.ceil(n)) for n in sizes], "new_spacing", new_spacing)
    if new_origin is not None:
        return count, new_step, _args.as_place(new_origin, ndim, "new_origin"), new_axes
    return count, new_step, _covering(step, start, axes, new_step), new_axes


def _turned(direction: Any, axes: Rows, name: str) -> Rows:
    """Return the rows of a direction, those of `axes` for None."""
    return axes if direction is None else _args.as_direction(direction, len(axes), name)


@functools.lru_cache(64)
def _covering(step: Numbers, start: Numbers, axes: Rows, new_step: Numbers) -> Numbers:
    """Return where a grid begins that covers the extent of another, face to face."""
    shift = np.array(axes) @ ((np.array(new_step) - step) / 2)
    return tuple((start + shift).tolist())
