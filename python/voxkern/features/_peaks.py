"""Peaks: where an image is higher than around."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from ..filters import maximum_filter
from ..morphology import binary_opening


def on_cpu(image: Any, name: str = "image") -> Any:
    """Return an array of a type that filters take, in NumPy; refuse those on a GPU."""
    x = _arrays.adopt(image, name)[0]
    _arrays.need_cpu(**{name: x})
    _args.as_dtype(x, _args.REAL, name)
    _args.as_ndim(x, 1, 3, name)
    return x


def as_border(border: Any, least: int, ndim: int) -> tuple[int, ...]:
    """Return how many voxels are left out along each axis; True stands for `least`."""
    if isinstance(border, (bool, np.bool_)):
        return (least if border else 0,) * ndim
    each = _args.per_axis(border, ndim, "exclude_border")
    return tuple(_args.as_int(b, "exclude_border", 0) for b in each)


def clear_border(mask: Any, border: tuple[int, ...]) -> Any:
    """Set what is near the faces to 0, in place."""
    for axis, width in enumerate(border):
        if width:
            before = (slice(None),) * axis
            mask[(*before, slice(width))] = 0
            mask[(*before, slice(-width, None))] = 0
    return mask


def _is_inf(value: Any) -> bool:
    return isinstance(value, float) and value == math.inf


def _as_count(value: Any, name: str) -> int | None:
    """Return how many at most, or None for all."""
    if _is_inf(value):
        return None
    return _args.as_int(value, name, 0)


def _highest(image: Any, mask: Any, most: int | None, distance: int, p_norm: float) -> Any:
    """Return where the mask is, the highest first, none nearer than `distance` to a higher one."""
    places = np.nonzero(mask)
    order = np.argsort(-image[places], kind="stable")
    coordinates = np.transpose(places)[order]
    if distance > 1:
        coordinates = _spaced(coordinates, mask.shape, distance, p_norm, most)
    return coordinates if most is None else coordinates[:most]


def _spaced(
    coordinates: Any, shape: tuple[int, ...], distance: int, p_norm: float, most: int | None
) -> Any:
    # A kept peak takes all that is too near; these places are painted over, so that the next ones
    # only have to look at their own.
    taken = np.zeros(shape, bool)
    reach = distance - (p_norm == math.inf)
    near = np.ones((2 * reach + 1,) * len(shape), bool)
    if p_norm != math.inf:
        grid = np.abs(np.indices(near.shape) - reach).astype(np.float64)
        near = (grid**p_norm).sum(0) ** (1 / p_norm) < distance
    kept = []
    for n, place in enumerate(coordinates.tolist()):
        if taken[tuple(place)]:
            continue
        kept.append(n)
        if len(kept) == most:
            break
        there = tuple(slice(max(c - reach, 0), c + reach + 1) for c in place)
        if near.all():
            taken[there] = True
        else:
            part = tuple(
                slice(max(reach - c, 0), reach + min(reach, n - 1 - c) + 1)
                for c, n in zip(place, shape, strict=True)
            )
            taken[there] |= near[part]
    return coordinates[kept]


def _peaks(image: Any, around: Any, threshold: Any, within: Any, workers: Any) -> Any:
    """Return the mask of voxels that none around is higher than."""
    if around.size == 1 or image.size <= 1:
        return image > threshold
    if around.all():
        top = maximum_filter(image, around.shape, mode="nearest", workers=workers)
    else:
        top = maximum_filter(image, footprint=around, mode="nearest", workers=workers)
    found = image == top
    if found.all() if within is None else found[within].all():
        found[:] = False
        if within is not None:
            found[within ^ binary_opening(within)] = True
    found &= image > threshold
    return found


def _boxes(labels: Any) -> list[tuple[int, tuple[slice, ...]]]:
    """Return each label and the box around it."""
    places = np.nonzero(labels > 0)
    if not places[0].size:
        return []
    values = labels[places]
    order = np.argsort(values, kind="stable")
    values = values[order]
    first = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1])
    low = [np.minimum.reduceat(p[order], first) for p in places]
    high = [np.maximum.reduceat(p[order], first) + 1 for p in places]
    return [
        (int(values[f]), tuple(slice(a[n], b[n]) for a, b in zip(low, high, strict=True)))
        for n, f in enumerate(first)
    ]


@_arrays.cpu_only
def peak_local_max(
    image: Any,
    min_distance: int = 1,
    *,
    threshold_abs: float | None = None,
    threshold_rel: float | None = None,
    exclude_border: Any = True,
    num_peaks: float = math.inf,
    footprint: Any = None,
    labels: Any = None,
    num_peaks_per_label: float = math.inf,
    p_norm: float = math.inf,
    workers: int | None = None,
) -> Any:
    """Return where an image has peaks, the highest first.

    Parameters
    ----------
    image : array, shape ([[planes,] rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on the CPU.
    min_distance : int
        A peak is the highest within so many voxels along each axis. Of equally high ones
        that are nearer to each other the first stays.
    threshold_abs : float, optional
        Peaks are higher; the image's minimum by default.
    threshold_rel : float, optional
        The same as a share of the image's maximum. The higher of both counts.
    exclude_border : bool, int or one int an axis
        No peaks within so many voxels of the faces; True stands for `min_distance`.
    num_peaks : int, optional
        At most so many.
    footprint : array of bool, optional
        Among which voxels a peak is the highest, instead of the box of `min_distance`.
    labels : array of int, optional
        Same shape as `image`: peaks are looked for within each label above 0 by itself.
    num_peaks_per_label : int, optional
        At most so many in each label.
    p_norm : float
        At least 1: how distances are measured. ``inf`` is the largest difference along an
        axis, 2 the Euclidean distance.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array of int64, shape (peaks, axes)
        Indices. With `labels`, label after label unless `num_peaks` cuts them.

    Raises
    ------
    TypeError
        If `image` has another type, or is on a GPU.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    Notes
    -----
    The peaks of `skimage.feature.peak_local_max`, in its order: of equally high ones the first in
    the image comes first, and an image (or label) of one value has no peak. A voxel beside NaN
    is none.

    Examples
    --------
    >>> peak_local_max(np.array([0, 3, 0, 5, 0, 1, 0], dtype=np.uint8))
    array([[3],
           [1],
           [5]])
    """
    x = on_cpu(image)
    distance = _args.as_int(min_distance, "min_distance", 0)
    border = as_border(exclude_border, distance, x.ndim)
    distance = min(distance, sum(x.shape))  # which no two voxels are apart, by any norm
    most = _as_count(num_peaks, "num_peaks")
    per_label = _as_count(num_peaks_per_label, "num_peaks_per_label")
    p = math.inf if _is_inf(p_norm) else _args.as_float(p_norm, "p_norm", 1)
    if threshold_abs is not None:
        threshold_abs = _args.as_float(threshold_abs, "threshold_abs")
    if threshold_rel is not None:
        threshold_rel = _args.as_float(threshold_rel, "threshold_rel")
    workers = _args.as_workers(workers)
    if footprint is None:
        around = np.ones((2 * distance + 1,) * x.ndim, bool)
    else:
        around = _args.as_truths(footprint, "footprint")
        if around.ndim != x.ndim:
            raise ValueError(f"footprint must have {x.ndim} axes; got {around.ndim}")
    if x.size == 0:
        return np.empty((0, x.ndim), np.int64)
    threshold: Any = x.min() if threshold_abs is None else threshold_abs
    with np.errstate(over="ignore"):  # no voxel is above a threshold that its type cannot hold
        if threshold_rel is not None:
            threshold = max(threshold, threshold_rel * x.max())
        if x.dtype.kind == "f":
            threshold = x.dtype.type(threshold)
    if labels is None:
        mask = clear_border(_peaks(x, around, threshold, None, workers), border)
        return _highest(x, mask, most, distance, p)
    parts = _arrays.adopt(labels, "labels")[0]
    if parts.shape != x.shape or parts.dtype.kind not in "iu":
        raise ValueError(f"labels must be whole numbers of shape {x.shape}; got {parts.shape}")
    lowest = np.finfo(x.dtype).min if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    found = []
    for label, box in _boxes(clear_border(parts.copy(), border)):
        within = parts[box] == label
        part = np.where(within, x[box], lowest).astype(x.dtype)
        mask = _peaks(part, around, threshold, within, workers)
        peaks = _highest(part, mask, per_label, distance, p)
        found.append(peaks + [side.start for side in box])
    coordinates = np.concatenate(found) if found else np.empty((0, x.ndim), np.int64)
    if most is not None and len(coordinates) > most:
        mask = np.zeros(x.shape, bool)
        mask[tuple(coordinates.T)] = True
        coordinates = _highest(x, mask, most, distance, p)
    return coordinates
