"""Slices that are brighter or darker than their neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays


@_arrays.cpu_only
@_arrays.silent
def correct_slice_intensity(
    image: Any,
    axis: int = 0,
    mask: Any = None,
    *,
    smoothness: int = 8,
    return_gains: bool = False,
    out: Any = None,
) -> Any:
    """Bring slices that were acquired apart, such as interleaved ones, to one brightness.

    Parameters
    ----------
    image : array, shape (planes, rows, columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, in the memory of the
        CPU.
    axis : int
        The axis across the slices.
    mask : array of bool or uint8, optional
        Where slices are compared; by default where two neighbours are both brighter than the
        image's mean.
    smoothness : int
        How smooth the course of brightness is that belongs to the object: the gains are what
        a binomial mean of ``2 * smoothness + 1`` slices leaves.
    return_gains : bool
        Return what each slice was divided by, too.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.

    Returns
    -------
    corrected : array
        Same shape as `image`: float64 for int32 and float64, else float32.
    gains : array of float
        With ``return_gains=True``: one for each slice.

    Raises
    ------
    TypeError
        If `image` is on a GPU, or `image` or `mask` is of a type that is not listed.
    ValueError
        If `image` has not three axes, or `mask` has another shape.

    See Also
    --------
    n4_bias_correction : brightness that varies smoothly.

    Notes
    -----
    The gain between two neighbours is the median of the ratios of their voxels, a regression
    through the origin that half of the voxels may deviate from; pairs without common voxels
    count as equal. Added up in logarithms they are the course of brightness through the
    stack. Its slope and its smooth part are the object's and stay; the rest are the gains,
    whose geometric mean is 1. Slices that alternate are brought together exactly, for a
    binomial mean leaves nothing of them; a single slice that deviates gives up ``1 - binom(2 s,
    s) / 4**s`` of its gain, 0.8 of it by default.

    Examples
    --------
    >>> x = np.full((6, 8, 8), 100.0) * np.where(np.arange(6) % 2, 1.1, 1.0)[:, None, None]
    >>> x[:, :2] = 0
    >>> y, gains = correct_slice_intensity(x, return_gains=True)
    >>> print(gains.round(3), np.ptp(y[:, 4, 4]).round(6))
    [0.953 1.049 0.953 1.049 0.953 1.049] 0.0
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    _args.as_ndim(x, 3, 3)
    across = _args.as_axis(axis, 3)
    where = None if mask is None else _arrays.adopt(mask, "mask")[0]
    _arrays.need_cpu(image=x, mask=where)
    if where is not None:
        _args.as_dtype(where, _args.MASK, "mask")
        if where.shape != x.shape:
            raise ValueError(f"mask must have the image's shape {x.shape}; got {where.shape}")
        where = np.moveaxis(where != 0, across, 0)
    passes = _args.as_int(smoothness, "smoothness", 1, 10000)
    real = _args.float_dtype(dtype)
    result = _arrays.output(out, x.shape, real, (x,))
    slices = np.moveaxis(x, across, 0)
    least = float(np.mean(x, dtype=np.float64)) if x.size else 0.0
    gains = np.exp(_deviation(slices, where, max(least, 0.0), passes))
    target = np.moveaxis(result, across, 0)
    for k, gain in enumerate(gains):
        target[k] = slices[k] / gain
    answer = result if give is None else give(result)
    answer = answer if out is None else out
    return (answer, gains) if return_gains else answer


def _deviation(slices: Any, where: Any, least: float, passes: int) -> Any:
    """Return how far the logarithm of each slice's brightness is off its neighbours'."""
    steps = np.zeros(max(len(slices) - 1, 0))
    for k in range(len(steps)):
        a, b = slices[k], slices[k + 1]
        here = (a > least) & (b > least) if where is None else where[k] & where[k + 1]
        here = here & (a > 0) & (b > 0)
        if here.any():
            ratios = b[here].astype(np.float64) / a[here]
            steps[k] = np.log(np.median(ratios))
    course = np.concatenate([[0.0], np.cumsum(steps)])[: len(slices)]
    if len(course) > 3:  # take the slope off, whose ends would bend; alternation has none here
        inner = 0.25 * course[:-2] + 0.5 * course[1:-1] + 0.25 * course[2:]
        place = np.arange(len(inner)) - (len(inner) - 1) / 2
        course = course - np.arange(len(course)) * (place @ inner) / (place @ place)
    smooth = course
    for _ in range(passes if len(course) > 1 else 0):
        wide = np.pad(smooth, 1, mode="reflect")
        smooth = 0.25 * wide[:-2] + 0.5 * smooth + 0.25 * wide[2:]
    rest = course - smooth
    return rest - rest.mean() if len(rest) else rest
