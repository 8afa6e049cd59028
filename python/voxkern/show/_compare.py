"""Two images in one picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._color import default_window
from ._host import host


def checkerboard(a: Any, b: Any, tiles: int = 8) -> NDArray[Any]:
    """Return `a` and `b` in turn, as the fields of a checkerboard.

    Parameters
    ----------
    a, b : array, same shape
        Images of any number of axes, on any device.
    tiles : int
        Fields along the longest axis; along others as many as have about the same size.

    Returns
    -------
    array
        Of the type that holds both. The first field shows `a`.

    Raises
    ------
    ValueError
        If the shapes differ, or `tiles` is not positive.

    Examples
    --------
    >>> checkerboard(np.zeros((2, 4), int), np.ones((2, 4), int), 4)
    array([[0, 1, 0, 1],
           [1, 0, 1, 0]])
    """
    one, two = _pair(a, b)
    if tiles < 1:
        raise ValueError(f"tiles must be at least 1; got {tiles}")
    side = max(one.shape, default=1) / tiles
    field = np.zeros(one.shape, np.int64)
    for axis, n in enumerate(one.shape):
        number = (np.arange(n) / side).astype(np.int64)
        field += number.reshape([-1 if at == axis else 1 for at in range(one.ndim)])
    return np.where(field % 2 == 0, one, two)


def blend(a: Any, b: Any, window: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """Show `a` in green and `b` in magenta: grey where they agree.

    Parameters
    ----------
    a, b : array, same shape
        Images in the same unit, on any device.
    window : (float, float), optional
        As in `to_rgb`; by default each image has its own.

    Returns
    -------
    array of uint8, shape (..., 3)

    Raises
    ------
    ValueError
        If the shapes differ, or `window` is not increasing.

    Examples
    --------
    >>> blend(np.array([0, 1, 1]), np.array([1, 0, 1]), (0, 1)).tolist()
    [[255, 0, 255], [0, 255, 0], [255, 255, 255]]
    """
    one, two = _pair(a, b)
    green, magenta = _level(one, window), _level(two, window)
    return np.stack([magenta, green, magenta], -1)


def _level(x: NDArray[Any], window: tuple[float, float] | None) -> NDArray[np.uint8]:
    low, high = default_window(x) if window is None else window
    if not low < high:
        raise ValueError(f"window must be (low, high) with low < high; got {window!r}")
    level = np.clip((x.astype(np.float32) - low) / (high - low), 0, 1)
    return (255 * np.nan_to_num(level) + 0.5).astype(np.uint8)


def _pair(a: Any, b: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    one, two = host(a, "a"), host(b, "b")
    if one.shape != two.shape:
        raise ValueError(f"a and b must have the same shape; got {one.shape} and {two.shape}")
    return one, two
