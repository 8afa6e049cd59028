"""Numbers to colours, and masks drawn over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._host import host

# Told apart in every common form of colour vision (Okabe and Ito, 2008).
COLORS: Mapping[str, tuple[int, int, int]] = {
    "orange": (230, 159, 0),
    "sky": (86, 180, 233),
    "green": (0, 158, 115),
    "yellow": (240, 228, 66),
    "blue": (0, 114, 178),
    "vermilion": (213, 94, 0),
    "purple": (204, 121, 167),
}


def to_rgb(
    image: Any, window: tuple[float, float] | None = None, *, colormap: str = "gray"
) -> NDArray[np.uint8]:
    """Turn numbers into colours.

    Parameters
    ----------
    image : array, any shape
        Numbers, on any device. An RGB array of uint8 with a last axis of three stays as it is.
    window : (float, float), optional
        The values shown as the first and last colour; what lies outside takes these. By default
        the 0.5th and 99.5th percentile of the finite values.
    colormap : str
        'gray', or a name that Matplotlib knows, such as 'viridis'.

    Returns
    -------
    array of uint8, shape (..., 3)
        NaN is shown in the first colour.

    Raises
    ------
    ValueError
        If `window` is not increasing, or Matplotlib does not know `colormap`.
    ImportError
        If `colormap` needs Matplotlib and it is missing.

    Examples
    --------
    >>> to_rgb(np.array([0.0, 5.0, 20.0]), (0, 10)).tolist()
    [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    """
    x = host(image)
    if x.dtype == np.uint8 and x.ndim == 3 and x.shape[-1] == 3 and window is None:
        return x
    x = x.astype(np.float32)
    low, high = default_window(x) if window is None else (float(window[0]), float(window[1]))
    if not low < high:
        raise ValueError(f"window must be (low, high) with low < high; got {window!r}")
    level = np.nan_to_num(np.clip((x - low) / (high - low), 0, 1))
    if colormap == "gray":
        gray = (255 * level + 0.5).astype(np.uint8)
        return np.repeat(gray[..., None], 3, -1)
    return (255 * _colors(colormap)(level)[..., :3] + 0.5).astype(np.uint8)


def default_window(x: NDArray[Any]) -> tuple[float, float]:
    """Return the percentiles between which an image is shown."""
    finite = x[np.isfinite(x)]
    low, high = np.percentile(finite, (0.5, 99.5)).tolist() if finite.size else (0.0, 1.0)
    return (low, high) if low < high else (low, low + 1.0)


def _colors(name: str) -> Any:
    try:
        import matplotlib
    except ImportError:
        raise ImportError(
            f"colormap {name!r} needs Matplotlib: pip install 'voxkern[show]'"
        ) from None
    if name not in matplotlib.colormaps:
        raise ValueError(f"colormap must be 'gray' or one of Matplotlib's; got {name!r}")
    return matplotlib.colormaps[name]


def overlay(
    picture: Any,
    mask: Any,
    color: Sequence[int] = COLORS["orange"],
    *,
    alpha: float = 0.4,
    outline: bool = False,
) -> NDArray[np.uint8]:
    """Draw a mask over a picture.

    Parameters
    ----------
    picture : array, shape (rows, columns) or (rows, columns, 3)
        What lies below; numbers are shown as `to_rgb` shows them.
    mask : array of bool, shape (rows, columns)
        Where to draw.
    color : (int, int, int)
        Red, green and blue from 0 to 255. `COLORS` has seven that go together.
    alpha : float
        How much of the colour is seen, from 0 to 1.
    outline : bool
        Draw the pixels of the mask that touch its outside by a side, and not those inside.

    Returns
    -------
    array of uint8, shape (rows, columns, 3)

    Raises
    ------
    ValueError
        If the shapes differ, or `alpha` or `color` is out of range.

    Examples
    --------
    >>> overlay(np.zeros((1, 2), np.uint8), np.array([[True, False]]), (200, 0, 0), alpha=0.5)[0]
    array([[100,   0,   0],
           [  0,   0,   0]], dtype=uint8)
    """
    base = to_rgb(picture)
    where = host(mask, "mask").astype(bool)
    if where.shape != base.shape[:-1]:
        raise ValueError(f"mask must have the picture's shape {base.shape[:-1]}; got {where.shape}")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be from 0 to 1; got {alpha}")
    paint = np.asarray(color, np.float64)
    if paint.shape != (3,) or not ((paint >= 0) & (paint <= 255)).all():
        raise ValueError(f"color must be three numbers from 0 to 255; got {color!r}")
    if outline:
        where = where & ~_inner(where)
    made = base.copy()
    made[where] = ((1 - alpha) * base[where] + alpha * paint + 0.5).astype(np.uint8)
    return made


def _inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels whose four neighbours are in the mask; beyond the picture it goes on."""
    wide = np.pad(mask, 1, mode="edge")
    return wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
