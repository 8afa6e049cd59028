"""Planes of a volume, each pixel a square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _args
from ..warp import zoom
from ._color import default_window, to_rgb
from ._host import volume


def planes(
    image: Any,
    at: Sequence[int] | None = None,
    *,
    spacing: Any = None,
    pixel: float | None = None,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Cut three planes through a voxel: across z, across y and across x.

    Parameters
    ----------
    image : array or Image, shape (planes, rows, columns)
        On any device.
    at : (int, int, int), optional
        The voxel (z, y, x) that all three show; the middle by default.
    spacing : float or one an axis, optional
        Length of a voxel; that of an `Image`, or else 1, by default.
    pixel : float, optional
        Side of a pixel in the unit of `spacing`; the smallest spacing by default.

    Returns
    -------
    tuple of three arrays
        Of the image's type, with square pixels: axial ``(y, x)``, coronal ``(z, x)`` and sagittal
        ``(z, y)`` where the array lies as ``image.reorient("LPI")`` does. Numbers are
        interpolated linearly; of a mask the nearest voxel is taken.

    Raises
    ------
    ValueError
        If the image has not three axes, `at` lies outside, or a length is not positive.

    Examples
    --------
    >>> [plane.shape for plane in planes(np.zeros((4, 6, 8), np.uint8), spacing=(2, 1, 1))]
    [(6, 8), (8, 8), (8, 6)]
    """
    x = volume(image)
    size = _args.as_spacing(getattr(image, "spacing", None) if spacing is None else spacing, 3)
    side = min(size) if pixel is None else _args.as_float(pixel, "pixel", above=0)
    k, j, i = _place(at, x.shape)
    cuts = ((x[k], (1, 2)), (x[:, j], (0, 2)), (x[:, :, i], (0, 1)))
    made = [_square(plane, [size[a] / side for a in axes]) for plane, axes in cuts]
    return made[0], made[1], made[2]


def _place(at: Sequence[int] | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    if at is None:
        return tuple(n // 2 for n in shape)
    place = tuple(int(v) for v in at)
    if len(place) != 3 or not all(0 <= v < n for v, n in zip(place, shape, strict=True)):
        raise ValueError(f"at must be a voxel of an image of shape {shape}; got {at!r}")
    return place


def _square(plane: NDArray[Any], factors: list[float]) -> NDArray[Any]:
    if factors == [1.0, 1.0]:
        return np.ascontiguousarray(plane)
    factors = [max(f, 1 / n) for f, n in zip(factors, plane.shape, strict=True)]
    order = 0 if plane.dtype == bool else 1
    made: NDArray[Any] = zoom(plane, factors, order=order, mode="nearest", grid_mode=True)
    return made


def ortho(
    image: Any,
    at: Sequence[int] | None = None,
    *,
    spacing: Any = None,
    pixel: float | None = None,
    window: tuple[float, float] | None = None,
    colormap: str = "gray",
    gap: int = 4,
) -> NDArray[np.uint8]:
    """Return the three planes through a voxel side by side.

    Parameters
    ----------
    image : array or Image, shape (planes, rows, columns)
        On any device.
    at, spacing, pixel
        As in `planes`.
    window, colormap
        As in `to_rgb`; one window for the three planes.
    gap : int
        Black pixels between planes.

    Returns
    -------
    array of uint8, shape (rows, columns, 3)

    Raises
    ------
    ValueError
        As `planes` and `to_rgb`.

    Examples
    --------
    >>> ortho(np.zeros((4, 6, 8), np.uint8), gap=2).shape
    (6, 26, 3)
    """
    cuts = planes(image, at, spacing=spacing, pixel=pixel)
    if window is None:
        window = default_window(np.concatenate([c.ravel() for c in cuts]).astype(np.float32))
    return _row([to_rgb(cut, window, colormap=colormap) for cut in cuts], gap)


def _row(pictures: list[NDArray[np.uint8]], gap: int) -> NDArray[np.uint8]:
    rows = max(p.shape[0] for p in pictures)
    columns = sum(p.shape[1] for p in pictures) + gap * (len(pictures) - 1)
    made = np.zeros((rows, columns, 3), np.uint8)
    left = 0
    for p in pictures:
        top = (rows - p.shape[0]) // 2
        made[top : top + p.shape[0], left : left + p.shape[1]] = p
        left += p.shape[1] + gap
    return made


def montage(
    image: Any,
    count: int = 12,
    *,
    axis: int = 0,
    columns: int | None = None,
    window: tuple[float, float] | None = None,
    colormap: str = "gray",
    gap: int = 2,
) -> NDArray[np.uint8]:
    """Return evenly spaced slices in rows and columns.

    Parameters
    ----------
    image : array, shape (planes, rows, columns)
        On any device.
    count : int
        How many slices; no more than there are.
    axis : int
        The axis across which to cut.
    columns : int, optional
        Slices in a row; by default the picture is about as wide as high.
    window, colormap
        As in `to_rgb`; one window for all slices.
    gap : int
        Black pixels between slices.

    Returns
    -------
    array of uint8, shape (rows, columns, 3)

    Raises
    ------
    ValueError
        If the image has not three axes, or `count`, `columns` or `axis` is out of range.

    Examples
    --------
    >>> montage(np.zeros((9, 10, 20), np.uint8), 4, columns=2, gap=0).shape
    (20, 40, 3)
    """
    x = volume(image)
    if count < 1 or (columns is not None and columns < 1):
        raise ValueError(f"count and columns must be positive; got {count} and {columns}")
    if not -3 <= axis < 3:
        raise ValueError(f"axis must be in [-3, 3); got {axis}")
    x = np.moveaxis(x, axis, 0)
    count = min(count, len(x))
    chosen = x[((np.arange(count) + 0.5) * len(x) / count).astype(int)]
    if window is None:
        window = default_window(chosen.astype(np.float32))
    across = columns or max(1, round((count * x.shape[1] / x.shape[2]) ** 0.5))
    down = -(-count // across)
    high, wide = x.shape[1] + gap, x.shape[2] + gap
    made = np.zeros((down * high - gap, across * wide - gap, 3), np.uint8)
    for n, cut in enumerate(chosen):
        top, left = n // across * high, n % across * wide
        made[top : top + x.shape[1], left : left + x.shape[2]] = to_rgb(
            cut, window, colormap=colormap
        )
    return made
