"""Correlation and convolution along one axis, and the edge filters made of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import CONSTANT
from ._along import as_edges
from ._separable import Step, as_whole_fill, at_once, take_steps
from ._uniform import as_origin


def _as_weights(weights: Any) -> Any:
    """Return weights as float64; those that SciPy calls even or odd become so to the last bit."""
    w = _args.as_numbers(weights, "weights")
    if w.ndim != 1 or not w.size:
        raise ValueError(f"weights must be a list of numbers; got shape {w.shape}")
    return _evened(w.tobytes())


@functools.lru_cache(64)
def _evened(numbers: bytes) -> Any:
    w = np.frombuffer(numbers).copy()
    if not np.isfinite(w).all():
        raise ValueError("weights must be finite")
    before, after = w[: w.size // 2], w[: -w.size // 2 : -1] if w.size > 1 else w[:0]
    if w.size % 2:
        for sign in (1, -1):
            if (abs(after - sign * before) <= np.finfo(float).eps).all():
                w[w.size // 2 + 1 :] = sign * before[::-1]
                break
    w.flags.writeable = False
    return w


def correlate1d(
    image: Any,
    weights: Any,
    axis: int = -1,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return weighted sums of neighbours along one axis.

    Parameters
    ----------
    image : array
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    weights : sequence of float
        What each neighbour counts. The middle one, or the later of two middle ones, is
        the voxel's own.
    axis : int
        The axis.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}
        What lies outside the image.
    cval : float
        The value outside when `mode` is 'constant'. Integer images take whole numbers
        of their type.
    origin : int
        Shifts the neighbours back by so many voxels.
    out : array, optional
        Where to write; same shape and type as `image`, not overlapping it.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    convolve1d : the same with the weights turned around.

    Notes
    -----
    Integer images are summed in float64, cut towards zero, and wrap where their type
    ends, as in SciPy, to the last bit on the CPU; of a sum beyond int32 nothing is promised.
    float32 images are summed in float32.
    NaN and infinity reach as far as the weights do.

    Examples
    --------
    >>> correlate1d(np.array([2, 8, 0, 4, 1], dtype=np.float32), [1, 3])
    array([ 8., 26.,  8., 12.,  7.], dtype=float32)
    """
    w = _as_weights(weights)
    return _one_axis(image, w, axis, mode, cval, as_origin(origin, w.size), out, workers)


def convolve1d(
    image: Any,
    weights: Any,
    axis: int = -1,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Convolve an image with weights along one axis.

    Parameters
    ----------
    image, axis, mode, cval, out, workers
        As in `correlate1d`.
    weights : sequence of float
        The kernel. The middle one, or the later of two middle ones, is the voxel's own.
    origin : int
        Shifts the kernel forward by so many voxels.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As in `correlate1d`.

    See Also
    --------
    correlate1d : the same with the weights turned around.

    Examples
    --------
    >>> convolve1d(np.array([2, 8, 0, 4, 1], dtype=np.float32), [1, 3])
    array([14., 24.,  4., 13.,  4.], dtype=float32)
    """
    w = _as_weights(weights)[::-1].copy()
    shift = -_args.as_int(origin, "origin") - (1 - w.size % 2)
    if not -(w.size // 2) <= shift <= (w.size - 1) // 2:
        as_origin(origin, w.size)
        raise ValueError(f"origin must keep the kernel over its voxel; got {origin}")
    return _one_axis(image, w, axis, mode, cval, shift, out, workers)


def _one_axis(
    image: Any, w: Any, axis: Any, mode: Any, cval: Any, shift: int, out: Any, workers: Any
) -> Any:
    x, give = _arrays.adopt(image)
    dtype, ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x)
    along = _args.as_axis(axis, ndim)
    steps = [(along, w, w.size // 2 + shift, _args.as_edge(mode))]
    fill, workers = as_whole_fill(cval, dtype), _args.as_workers(workers)
    return take_steps(x, give, steps, at_once(steps, ndim, fill), fill, out, workers)


def sobel(
    image: Any,
    axis: int = -1,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return differences along one axis, smoothed along the others by 1, 2, 1.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    axis : int
        The axis to take differences along.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'} or one an axis
        What lies outside the image.
    cval : float
        The value outside when `mode` is 'constant'. Integer images take whole numbers
        of their type.
    axes : int or sequence of int, optional
        All axes that are filtered, `axis` among them; the last three by default. `mode`
        then has one value for each of these.
    out : array, optional
        Where to write; same shape and type as `image`, not overlapping it.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    See Also
    --------
    gradient : the slope itself, in units.

    Notes
    -----
    The difference is that of the voxel after and the voxel before; nothing is divided,
    so the answer is 2 times the slope times 4 for every other axis. Integer images wrap
    where their type ends, as in SciPy: convert unsigned ones first. NaN reaches as far as
    the weights do. SciPy smooths along all axes of an image of more than three.

    Examples
    --------
    >>> sobel(np.array([[0, 0, 1, 1], [0, 0, 1, 1]], dtype=np.float32))
    array([[0., 4., 4., 0.],
           [0., 4., 4., 0.]], dtype=float32)
    """
    return _edges(image, axis, [1.0, 2.0, 1.0], mode, cval, axes, out, workers)


def prewitt(
    image: Any,
    axis: int = -1,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return differences along one axis, smoothed along the others by 1, 1, 1.

    Parameters
    ----------
    image, axis, mode, cval, axes, out, workers
        As in `sobel`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As in `sobel`.

    See Also
    --------
    sobel : the same with a smoother that has more weight in the middle.

    Examples
    --------
    >>> prewitt(np.array([[0, 0, 1, 1], [0, 0, 1, 1]], dtype=np.float32))
    array([[0., 3., 3., 0.],
           [0., 3., 3., 0.]], dtype=float32)
    """
    return _edges(image, axis, [1.0, 1.0, 1.0], mode, cval, axes, out, workers)


def _edges(
    image: Any, axis: Any, smooth: list[float], mode: Any, cval: Any, axes: Any, out: Any,
    workers: Any,
) -> Any:  # fmt: skip
    x, give = _arrays.adopt(image)
    dtype, ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x)
    along = _args.as_axes(axes, ndim)
    across = _args.as_axis(axis, ndim)
    if across not in along:
        raise ValueError(f"axis must be one of the axes {along} that are filtered; got {axis}")
    step, flat = np.array([-1.0, 0.0, 1.0]), np.array(smooth)
    steps: list[Step] = [
        (a, step if a == across else flat, 1, edge)
        for a, edge in zip(along, as_edges(mode, len(along)), strict=True)
    ]
    fill, workers = as_whole_fill(cval, dtype), _args.as_workers(workers)
    if fill and CONSTANT in (edge for *_, edge in steps):
        # What lies outside is never filtered, so the order counts. SciPy's begins with `axis`.
        steps.sort(key=lambda step: step[0] != across)
    return take_steps(x, give, steps, at_once(steps, ndim, fill), fill, out, workers)
