"""Resampling in the world: spacings, origins, directions, transforms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _args, _arrays
from ..filters import gaussian_filter
from ._affine import read_affine
from ._read import read
from ._sample import CELL, as_order
from ._transform import Transform


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
        out: ones, zeros, the identity.
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
    alone
    its spacing is ``n * spacing / shape``. `antialias` smooths with a Gaussian of
    sigma ``max(0, (new / old - 1) / 2)`` voxels.

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
    voxels = x.shape[x.ndim - ndim :]
    step = np.array(_args.as_spacing(spacing, ndim))
    start = _place(origin, ndim, "origin", np.zeros(ndim))
    axes = _axes(direction, ndim, "direction", np.eye(ndim))
    goal = grid_of(
        voxels, step, start, axes, new_spacing, shape, like, new_origin, new_direction, transform
    )
    count, new_step, new_start, new_axes = goal
    number = as_order(order)
    full = np.eye(4) if ndim == 3 else np.eye(ndim + 1)
    if transform is not None:
        if not isinstance(transform, Transform):
            raise TypeError(f"transform must be a Transform; got {type(transform).__name__}")
        if transform.ndim != ndim:
            raise ValueError(f"transform must have {ndim} axes; got {transform.ndim}")
        full = transform.matrix
    inverse = np.linalg.inv(axes * step)
    matrix = inverse @ full[:ndim, :ndim] @ (new_axes * new_step)
    matrix[np.abs(matrix) < 1e-14 * np.abs(matrix).max()] = 0
    offset = inverse @ (full[:ndim, :ndim] @ new_start + full[:ndim, ndim] - start)
    if antialias:
        sigma = np.maximum(0, (np.sqrt((matrix**2).sum(axis=1)) - 1) / 2)
        if sigma.any():
            image = gaussian_filter(
                image, (0.0,) * (x.ndim - ndim) + tuple(map(float, sigma)), mode="nearest",
                workers=workers,
            )  # fmt: skip

    def fill_in(volume: Any, y: Any, pad: float, how: tuple[Any, ...], threads: Any) -> None:
        read_affine(volume, y, matrix, offset, pad, how, threads)

    outside = CELL if mode == "constant" else None
    return read(image, count, fill_in, number, mode, cval, True, out, workers, outside)


def _place(value: Any, ndim: int, name: str, default: NDArray[Any]) -> NDArray[np.float64]:
    if value is None:
        return default
    return np.array([_args.as_float(v, name) for v in _args.per_axis(value, ndim, name)])


def _axes(value: Any, ndim: int, name: str, default: NDArray[Any]) -> NDArray[np.float64]:
    if value is None:
        return default
    m = _args.as_numbers(value, name)
    if m.shape != (ndim, ndim) or not np.isfinite(m).all() or abs(np.linalg.det(m)) < 1e-6:
        raise ValueError(
            f"{name} must be a {ndim}x{ndim} matrix of independent columns; got {value!r}"
        )
    return m


def grid_of(
    voxels: tuple[int, ...],
    step: NDArray[Any],
    start: NDArray[Any],
    axes: NDArray[Any],
    new_spacing: Any = None,
    shape: Any = None,
    like: Any = None,
    new_origin: Any = None,
    new_direction: Any = None,
    transform: Any = None,
) -> tuple[tuple[int, ...], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the output's shape, spacing, origin and direction, where the input has `voxels`."""
    ndim = len(voxels)
    if like is not None:
        for name, given in (
            ("new_spacing", new_spacing), ("shape", shape), ("new_origin", new_origin),
            ("new_direction", new_direction),
        ):  # fmt: skip
            if given is not None:
                raise ValueError(f"{name} and like both say what the output is; give one of them")
        count = tuple(like.data.shape)[-ndim:]
        return (
            count,
            np.array(_args.as_spacing(like.spacing, ndim)),
            _place(like.origin, ndim, "like.origin", start),
            _axes(like.direction, ndim, "like.direction", axes),
        )
    given = (new_spacing, shape, new_origin, new_direction, transform)
    if all(g is None for g in given):
        raise ValueError("give new_spacing, shape, like, new_origin, new_direction or a transform")
    new_axes = _axes(new_direction, ndim, "new_direction", axes)
    new_step = step
    if new_spacing is not None:
        new_step = np.array(
            [_args.as_float(s, "new_spacing", above=0)
             for s in _args.per_axis(new_spacing, ndim, "new_spacing")]
        )  # fmt: skip
    if shape is not None:
        count = _args.as_size(shape, ndim, "shape")
        if new_spacing is None:
            new_step = np.array(voxels) * step / count
    else:
        # Less a millionth, so that 0.3 * 10 / 0.1 is 30 voxels.
        count = tuple(
            max(1, math.ceil(n * s / t - 1e-6))
            for n, s, t in zip(voxels, step, new_step, strict=True)
        )
    new_start = _place(new_origin, ndim, "new_origin", start + axes @ ((new_step - step) / 2))
    return count, new_step, new_start, new_axes
