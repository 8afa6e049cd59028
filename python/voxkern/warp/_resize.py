"""Resize to a shape."""

from __future__ import annotations

from typing import Any

from .. import _args, _arrays
from ..filters import gaussian_filter
from ._read import read
from ._sample import as_order
from ._zoom import grid_points, read_grid


def resize(
    image: Any,
    shape: Any,
    *,
    order: int = 1,
    mode: str = "mirror",
    cval: complex = 0.0,
    antialias: bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the image with another number of voxels over the same extent.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        As in `affine_transform`.
    shape : int or tuple of int
        Voxels of the output along the last axes, up to three.
    order, mode, cval
        As in `affine_transform`; 'mirror' is what scikit-image calls 'reflect'. 'constant' means
        'grid-constant' and 'wrap' 'grid-wrap', as suits an image that reaches to the faces of its
        voxels.
    antialias : bool, optional
        Whether to smooth first along axes that shrink. Left out: yes for an image of floats that is
        read with `order` above 0, else no, so that labels and masks stay what they are.
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
        If a number of voxels is not positive.

    Notes
    -----
    Reads at ``(i + 1/2) * n / m - 1/2`` for n voxels in and m out, as
    ``skimage.transform.resize`` and ``zoom(..., grid_mode=True)`` do. Smoothing is a Gaussian of
    sigma ``max(0, (n / m - 1) / 2)`` voxels. Unlike scikit-image, values are not clipped to the
    range of the image, keep their type and are never rescaled.

    NaN as in `affine_transform`.

    Examples
    --------
    >>> resize(np.array([0, 4, 8, 12], np.float32), 2, antialias=False)
    array([ 2., 10.], dtype=float32)
    """
    x, _ = _arrays.adopt(image)
    ndim = min(_args.as_ndim(x), 3)
    small = _args.as_shape(shape, ndim, "shape")
    large = x.shape[x.ndim - ndim :]
    number = as_order(order)
    floating = _args.dtype_name(x) in _args.FLOAT
    if antialias and not floating:
        raise TypeError("antialias=True needs a float32 or float64 image")
    if (floating and number > 0) if antialias is None else antialias:
        sigma = [max(0.0, (n / m - 1) / 2) for n, m in zip(large, small, strict=True)]
        if any(sigma):
            image = gaussian_filter(image, sigma, mode=mode, cval=cval.real, workers=workers)

    def fill_in(volume: Any, y: Any, pad: float, how: tuple[Any, ...], threads: Any) -> None:
        read_grid(volume, y, grid_points(large, small, True, pad), how, threads)

    if isinstance(mode, str):
        mode = {"constant": "grid-constant", "wrap": "grid-wrap"}.get(mode, mode)
    return read(image, small, fill_in, order, mode, cval, True, out, workers, "shape")
