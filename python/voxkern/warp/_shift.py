"""Shift."""

from __future__ import annotations

from typing import Any

from .. import _args, _arrays
from ._affine import at_affine
from ._read import read


def shift(
    image: Any,
    shift: Any,
    *,
    order: int = 3,
    mode: str = "constant",
    cval: complex = 0.0,
    prefilter: bool = True,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the image moved along its axes, by parts of a voxel if need be.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        As in `affine_transform`.
    shift : float or sequence of float
        Voxels towards higher indices along each of the last axes, up to three.
    order, mode, cval, prefilter
        As in `affine_transform`.
    out : array, optional
        Where to write; of the image's shape and type, not overlapping it.
    workers : int, optional
        Threads to use; all that are allowed if left out.

    Returns
    -------
    array
        Of the shape and type and on the device of the image.

    Raises
    ------
    ValueError
        If `shift` has another length than the image has axes.

    Notes
    -----
    ``out[v] = image(v - shift)``, as SciPy has it.

    NaN as in `affine_transform`.

    Examples
    --------
    >>> shift(np.array([1, 2, 3, 4], np.float32), 1, order=1)
    array([0., 1., 2., 3.], dtype=float32)
    """
    ndim = min(_args.as_ndim(_arrays.adopt(image)[0]), 3)
    back = tuple(-s for s in _args.as_place(shift, ndim, "shift"))
    points = at_affine((1.0,) * ndim, back)
    return read(image, None, points, order, mode, cval, prefilter, out, workers, "image")
