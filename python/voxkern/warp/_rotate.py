"""Rotation in a plane of two axes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import _args, _arrays
from ._affine import at_affine
from ._read import read


def rotate(
    image: Any,
    angle: float,
    axes: tuple[int, int] = (1, 0),
    reshape: bool = True,
    *,
    order: int = 3,
    mode: str = "constant",
    cval: complex = 0.0,
    prefilter: bool = True,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the image turned in the plane of two of its axes.

    Parameters
    ----------
    image : array
        Image of at least two axes, of a type that `affine_transform` takes.
    angle : float
        In degrees.
    axes : tuple of int
        The plane; the other axes are looped over.
    reshape : bool
        Whether the output is as large as the turned image needs.
    order, mode, cval, prefilter
        As in `affine_transform`.
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
        If `axes` are not two different axes of the image.

    Notes
    -----
    The plane is read at a rotation about its centre. Splines run in the plane alone, as in SciPy.

    NaN as in `affine_transform`.

    Examples
    --------
    >>> rotate(np.array([[1, 2], [3, 4]], np.float32), 90, order=1)
    array([[2., 4.],
           [1., 3.]], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    ndim = _args.as_ndim(x, 2)
    plane = sorted(_args.as_axes(axes, ndim))
    if len(plane) != 2:
        raise ValueError(f"axes must be two axes; got {axes!r}")
    turn = _args.as_float(angle, "angle")
    inner = tuple(x.shape[a] for a in plane)
    rows, offset, outer = _turned(turn, inner, bool(reshape))

    if order in (0, 1) and plane[0] >= ndim - 3 and _all_finite(x):
        # All planes in one call. It reads voxels of the next plane too, with weight zero, which
        # would spread NaN.
        n = min(ndim, 3)
        at = [a - ndim + n for a in plane]
        full = [[float(a == b) for b in range(n)] for a in range(n)]
        shift, shape = [0.0] * n, list(x.shape[ndim - n :])
        for a, row, o, size in zip(at, rows, offset, outer, strict=True):
            full[a][at[0]], full[a][at[1]] = row
            shift[a], shape[a] = o, size
        points = at_affine(tuple(map(tuple, full)), tuple(shift))
        return read(
            image, tuple(shape), points, order, mode, cval, prefilter, out, workers, "angle"
        )

    # SciPy turns plane by plane, so the plane's axes go last and the rest is looped over.
    order_of_axes = [a for a in range(ndim) if a not in plane] + plane
    shape = [outer[plane.index(a)] if a in plane else x.shape[a] for a in range(ndim)]
    result = _arrays.output(out, tuple(shape), x.dtype, (x,))
    source, target = x.transpose(order_of_axes), result.transpose(order_of_axes)
    points = at_affine(rows, offset)
    for index in np.ndindex(*source.shape[:-2]):
        target[index] = read(
            source[index], outer, points, order, mode, cval, prefilter, None, workers, "angle"
        )
    return out if out is not None else result if give is None else give(result)


@functools.lru_cache(64)
def _turned(degrees: float, inner: tuple[int, ...], reshape: bool) -> tuple[Any, ...]:
    """Return the matrix and the offset of a turned plane, and its voxels."""
    c, s = _cos_sin(degrees)
    matrix = np.array([[c, s], [-s, c]])
    outer = np.array(inner)
    if reshape:
        corners = matrix @ [[0, 0, inner[0], inner[0]], [0, inner[1], 0, inner[1]]]
        outer = (np.ptp(corners, axis=1) + 0.5).astype(int)
    offset = (np.array(inner) - 1) / 2 - matrix @ ((outer - 1) / 2)
    return tuple(map(tuple, matrix.tolist())), tuple(offset.tolist()), tuple(outer.tolist())


def _all_finite(x: Any) -> bool:
    """Return whether there is no NaN and no infinity, or False if a sum cannot tell."""
    if x.dtype.kind not in "fc":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(complex(x.sum())))


def _cos_sin(degrees: float) -> tuple[float, float]:
    """Cosine and sine, exact at whole quarters of a turn."""
    quarter = degrees / 90
    if quarter == round(quarter):
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarter) % 4]
    return float(np.cos(np.deg2rad(degrees))), float(np.sin(np.deg2rad(degrees)))
