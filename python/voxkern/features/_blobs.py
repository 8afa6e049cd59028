"""Blobs: bright round things, with their sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from .. import _args, _arrays
from ..filters import gaussian_filter, gaussian_laplace, maximum_filter
from ._peaks import as_border, clear_border, on_cpu


def _as_float(image: Any) -> Any:
    """Return a float image; whole numbers as float64, the largest of their type as 1."""
    x = on_cpu(image)
    if x.dtype.kind == "f":
        return x
    return np.maximum(x * (1.0 / np.iinfo(x.dtype).max), -1.0)


def _as_sigmas(low: Any, high: Any, ndim: int) -> tuple[Any, Any, bool]:
    """Return both sigmas along each axis, and whether one number stands for all."""
    single = np.isscalar(low) and np.isscalar(high)
    least, most = (
        np.array([_args.as_float(s, name, above=0) for s in _args.per_axis(value, ndim, name)])
        for value, name in ((low, "min_sigma"), (high, "max_sigma"))
    )
    if (most < least).any():
        raise ValueError(f"max_sigma must be at least min_sigma; got {high!r} and {low!r}")
    return least, most, bool(single)


def _check_reach(low: Any, high: Any, units: Any, count: int, name: str) -> None:
    """Refuse scales that no image holds."""
    if (low / units).min() < 1e-6 or (high / units).max() > 4096:
        raise ValueError(
            f"min_sigma, max_sigma and {name} must lead to scales between 1e-6 and 4096 voxels, as "
            f"long as spacing says; got {low.tolist()} to {high.tolist()}"
        )
    if count > 1000:
        raise ValueError(f"{name} must lead to at most 1000 scales; got {count}")


def _as_overlap(overlap: Any) -> float:
    value = _args.as_float(overlap, "overlap", 0)
    if value > 1:
        raise ValueError(f"overlap must be at most 1; got {overlap!r}")
    return value


def _highest_of_all(
    layers: Iterator[Any], threshold: Any, threshold_rel: Any, border: tuple[int, ...], workers: Any
) -> Any:
    """Return the peaks of a stack of images, indices of voxel and layer, the highest first.

    The images are taken one by one: a peak is known once the next one is there.
    """
    places: list[Any] = []
    heights, lows, highs, every, size = [], [], [], True, 0
    stack: tuple[Any, Any, Any] = (None, None, None)  # the tops before, an image, its tops
    for layer in chain(layers, [None]):
        after = None
        if layer is not None:
            lows.append(float(layer.min()))
            highs.append(float(layer.max()))
            after = maximum_filter(layer, 3, mode="nearest", workers=workers)
        before, y, top = stack
        if y is not None:
            around = top.copy() if before is None else np.maximum(before, top, out=before)
            if after is not None:
                np.maximum(around, after, out=around)
            found = y == around
            every, size = every and bool(found.all()), y.size
            if threshold is not None:
                found &= y > _within(threshold, y.dtype)
            where = np.nonzero(clear_border(found, border))
            places.append(np.column_stack([*where, np.full(where[0].size, len(places))]))
            heights.append(y[where])
        stack = (top, layer, after)
    peaks, height = np.concatenate(places), np.concatenate(heights)
    if every and size * len(places) > 1:
        return peaks[:0]
    limit = min(lows) if threshold is None else threshold
    if threshold_rel is not None:
        limit = max(limit, threshold_rel * max(highs))
    high = height > _within(limit, height.dtype)
    peaks, height = peaks[high], height[high]
    order = np.lexsort(peaks.T[::-1])
    peaks, height = peaks[order], height[order]
    return peaks[np.argsort(-height, kind="stable")]


def _within(limit: float, dtype: Any) -> float:
    """Return a threshold that a float of the type can hold."""
    end = float(np.finfo(dtype).max)
    return min(max(limit, -end), end)


def _shares(d: Any, s: Any, ndim: int) -> Any:
    """Return which shares of balls of radius `s`, up to 1, lie in balls of radius 1, `d` apart."""
    inside = d <= 1 - s
    apart = np.where(inside, 1.0, d)
    if ndim == 1:
        share = (1 + s - d) / (2 * s)
    elif ndim == 2:
        a = np.arccos(np.clip((apart**2 + 1 - s * s) / (2 * apart), -1, 1))
        b = np.arccos(np.clip((apart**2 + s * s - 1) / (2 * apart * s), -1, 1))
        kite = (1 + s - apart) * (apart - s + 1) * (apart + s - 1) * (apart + s + 1)
        share = (a + s * s * b - 0.5 * np.sqrt(np.abs(kite))) / (np.pi * s * s)
    else:
        lens = (1 + s - apart) ** 2 * (apart**2 + 2 * apart * (1 + s) - 3 * (1 + s * s) + 6 * s)
        share = lens / (16 * apart * s**3)
    return np.where(inside, 1.0, np.where(d > 1 + s, 0.0, share))


def _near_pairs(places: Any, distance: float) -> Any:
    """Return the pairs of points that are no further apart, the lower index first."""
    order = np.argsort(places[:, 0], kind="stable")
    along = places[order]
    ends = np.searchsorted(along[:, 0], along[:, 0] + distance, side="right")
    found = [np.empty((0, 2), np.int64)]
    for n, end in enumerate(ends):
        near = ((along[n + 1 : end] - along[n]) ** 2).sum(1) <= distance * distance
        others = order[n + 1 : end][near]
        found.append(np.column_stack([np.full(others.size, order[n]), others]))
    return np.sort(np.concatenate(found), axis=1)


def _apart(places: Any, sigmas: Any, overlap: float) -> Any:
    """Return which blobs stay when the smaller of two that overlap too much goes."""
    ndim, root, size = places.shape[1], math.sqrt(places.shape[1]), sigmas[:, -1]
    stay = np.ones(len(places), bool)
    pairs = _near_pairs(places, 2 * float(sigmas.max()) * root)
    if not pairs.size:
        return stay
    # scikit-image goes through a set of them, and so the same way wherever overlaps are chained.
    pairs = np.array(list(set(map(tuple, pairs.tolist()))))
    first = size[pairs[:, 0]] > size[pairs[:, 1]]
    larger, smaller = np.where(first, pairs.T, pairs.T[::-1])
    d = np.sqrt((((places[larger] - places[smaller]) / (sigmas[larger] * root)) ** 2).sum(1))
    too_much = _shares(d, size[smaller] / size[larger], ndim) > overlap
    for a, b in zip(larger[too_much].tolist(), smaller[too_much].tolist(), strict=True):
        if stay[a] and stay[b]:
            stay[b] = False
    return stay


def _blobs(
    layers: Iterator[Any], sigmas: Any, single: bool, threshold: Any, threshold_rel: Any,
    overlap: float, border: tuple[int, ...], spacing: Any, workers: Any,
) -> Any:  # fmt: skip
    peaks = _highest_of_all(layers, threshold, threshold_rel, border, workers)
    found = sigmas[peaks[:, -1]]
    if len(peaks):
        stay = _apart(peaks[:, :-1] * np.array(spacing), found, overlap)
        peaks, found = peaks[stay], found[stay]
    return np.hstack([peaks[:, :-1].astype(np.float64), found[:, :1] if single else found])


def _none(ndim: int, single: bool) -> Any:
    """Return the blobs of an image of no voxel."""
    return np.empty((0, ndim + (1 if single else ndim)))


def _check(threshold: Any, threshold_rel: Any) -> tuple[float | None, float | None]:
    limit = None if threshold is None else _args.as_float(threshold, "threshold")
    share = None if threshold_rel is None else _args.as_float(threshold_rel, "threshold_rel")
    return limit, share


@_arrays.cpu_only
@_arrays.silent
def blob_log(
    image: Any,
    min_sigma: Any = 1,
    max_sigma: Any = 50,
    num_sigma: int = 10,
    *,
    threshold: float | None = 0.2,
    overlap: float = 0.5,
    log_scale: bool = False,
    threshold_rel: float | None = None,
    exclude_border: Any = False,
    spacing: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    workers: int | None = None,
) -> Any:
    """Find bright blobs and their sizes by the Laplacian of Gaussians.

    Parameters
    ----------
    image : array, shape ([[planes,] rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on the CPU; blobs are
        bright. The largest number of an integer type counts as 1.
    min_sigma, max_sigma : float or one an axis
        Smallest and largest standard deviation, in voxels, or in the unit of `spacing`.
    num_sigma : int
        How many are tried, from the smallest to the largest.
    threshold : float, optional
        Peaks of ``-sigma**2 * gaussian_laplace(image, sigma)`` have to be higher.
    overlap : float
        From 0 to 1: of two blobs that share more than this of the smaller one, it goes.
    log_scale : bool
        Whether sigmas grow by a factor, not by a step.
    threshold_rel : float, optional
        The threshold as a share of the highest peak. The higher of both counts.
    exclude_border : bool, int or one int an axis
        No blobs whose middle lies within so many voxels of the faces.
    spacing : float or one an axis, optional
        Length of a voxel.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, sigmas)`` after each.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array of float64, shape (blobs, axes + 1)
        Indices of the middle and sigma, the highest peak first; with one sigma an axis where
        those were given. The radius is ``sigma * sqrt(axes)``.

    Raises
    ------
    TypeError
        If `image` has another type, or is on a GPU.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    See Also
    --------
    blob_dog : faster for many sigmas.

    Notes
    -----
    The blobs of `skimage.feature.blob_log`, which knows no spacing. Where blobs overlap in
    chains, those that stay depend on the order in which pairs are looked at; it is taken
    from there too, as far as it goes: that of a set of Python.

    Takes up to ten volumes of memory, as the answers of three sigmas are compared.

    Nothing is found as far from a NaN as the kernels reach.

    Examples
    --------
    >>> y, x = np.mgrid[:40, :40]
    >>> blob_log(np.exp(-((y - 12) ** 2 + (x - 25) ** 2) / 50), 2, 8, 7)
    array([[12., 25.,  5.]])
    """
    x = _as_float(image)
    low, high, single = _as_sigmas(min_sigma, max_sigma, x.ndim)
    count = _args.as_int(num_sigma, "num_sigma", 1)
    limit, share = _check(threshold, threshold_rel)
    overlap, border = _as_overlap(overlap), as_border(exclude_border, 1, x.ndim)
    units, workers = _args.as_spacing(spacing, x.ndim), _args.as_workers(workers)
    _check_reach(low, high, units, count, "num_sigma")
    if log_scale:
        sigmas = np.logspace(np.log10(low), np.log10(high), count)
    else:
        sigmas = np.linspace(low, high, count)
    told = _args.as_progress(progress, "blob_log")
    if not x.size:
        return _none(x.ndim, single)

    def layers() -> Iterator[Any]:
        for n, s in enumerate(sigmas):
            layer = gaussian_laplace(x, tuple(s), spacing=units, workers=workers)
            layer *= -(np.mean(s) ** 2)
            yield layer
            if told is not None:
                told(n + 1, count)

    return _blobs(layers(), sigmas, single, limit, share, overlap, border, units, workers)


@_arrays.cpu_only
@_arrays.silent
def blob_dog(
    image: Any,
    min_sigma: Any = 1,
    max_sigma: Any = 50,
    sigma_ratio: float = 1.6,
    *,
    threshold: float | None = 0.5,
    overlap: float = 0.5,
    threshold_rel: float | None = None,
    exclude_border: Any = False,
    spacing: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    workers: int | None = None,
) -> Any:
    """Find bright blobs and their sizes by differences of Gaussians.

    Parameters
    ----------
    image, min_sigma, max_sigma, overlap, threshold_rel, exclude_border, spacing, progress, workers
        As in `blob_log`.
    sigma_ratio : float
        More than 1: from one standard deviation to the next.
    threshold : float, optional
        Peaks of the difference between two smoothed images, over ``sigma_ratio - 1``, have
        to be higher.

    Returns
    -------
    array of float64, shape (blobs, axes + 1)
        As in `blob_log`.

    Raises
    ------
    TypeError, ValueError
        As in `blob_log`.

    Notes
    -----
    The blobs of `skimage.feature.blob_dog`, which knows no spacing; see `blob_log`.

    Takes up to ten volumes of memory, as the answers of three sigmas are compared.

    Examples
    --------
    >>> y, x = np.mgrid[:40, :40]
    >>> blob_dog(np.exp(-((y - 12) ** 2 + (x - 25) ** 2) / 50), 2, 8, threshold=0.1)
    array([[12. , 25. ,  3.2]])
    """
    x = _as_float(image)
    low, high, single = _as_sigmas(min_sigma, max_sigma, x.ndim)
    ratio = _args.as_float(sigma_ratio, "sigma_ratio", above=1)
    limit, share = _check(threshold, threshold_rel)
    overlap, border = _as_overlap(overlap), as_border(exclude_border, 1, x.ndim)
    units, workers = _args.as_spacing(spacing, x.ndim), _args.as_workers(workers)
    count = int(np.mean(np.log(high / low) / np.log(ratio) + 1))
    _check_reach(low, high * ratio, units, count, "sigma_ratio")
    sigmas = np.array([low * ratio**n for n in range(count + 1)])
    told = _args.as_progress(progress, "blob_dog")
    if not x.size:
        return _none(x.ndim, single)

    def layers() -> Iterator[Any]:
        before = gaussian_filter(x, tuple(sigmas[0]), spacing=units, workers=workers)
        for n, s in enumerate(sigmas[1:]):
            after = gaussian_filter(x, tuple(s), spacing=units, workers=workers)
            before -= after
            before *= 1 / (ratio - 1)
            yield before
            before = after
            if told is not None:
                told(n + 1, count)

    return _blobs(layers(), sigmas, single, limit, share, overlap, border, units, workers)
