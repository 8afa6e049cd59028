"""Otsu's thresholds, from a histogram."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import ListIn, ListOut, kernel
from ..metrics import histogram

_MOST = 1 << 24  # values an integer image may span
_MOST_BINS = 4096  # with voxels, for several thresholds
_MANY = 1 << 18  # voxels from which on a bin for all values of 16 bits saves a look for the range


@kernel(dtypes=("int64",), host=True)
def _otsu(counts: ListIn, centers: ListIn, best: ListOut) -> None:
    """Write the first bin that parts a histogram best; the only one if there is but one."""
    voxels, everything = 0, 0.0
    for n in range(counts.size):
        voxels += counts[n]
        everything += counts[n] * centers[n]
    below, moment, most = 0, 0.0, -1.0
    for n in range(counts.size):
        below += counts[n]
        moment += counts[n] * centers[n]
        above = voxels - below
        if most < 0 and counts[n] > 0:
            best[0] = n
        if below > 0 and above > 0:
            apart = moment / below - (everything - moment) / above
            between = np.float64(below) * above * (apart * apart)
            if between > most:
                best[0], most = n, between


@_otsu.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    counts = rng.integers(-20, 40, shape).clip(0).astype(dtype).ravel()
    centers = np.sort(rng.uniform(-50, 200, counts.size))
    return counts, centers, np.zeros(1, np.int64)


def threshold_otsu(
    image: Any, nbins: int = 256, *, mask: Any = None, workers: int | None = None
) -> float:
    """Threshold that parts the voxels into the two classes that lie furthest apart.

    Parameters
    ----------
    image : array
        Of any real type.
    nbins : int
        Bins between the smallest and the largest voxel of an image of floats. An image of integers
        has a bin for each value.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count.
    workers : int, optional
        Threads to use.

    Returns
    -------
    int or float
        The middle of a bin; voxels above it are the upper class. An int for integers.

    Raises
    ------
    ValueError
        If no voxel counts, one that counts is NaN or infinite, or integers span more than 2^24
        values.

    Notes
    -----
    The first bin that maximises ``w0 w1 (m0 - m1)**2`` [1]_, with w the voxels and m the mean of
    those up to the bin and of those above it; of a constant image its value. These are the bins and
    the rule of scikit-image, whose sums in float32 may prefer another bin where two are nearly
    equal. ITK answers with the upper edge of a bin, and counts in 128 bins.

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on
       Systems, Man, and Cybernetics 9:62-66, 1979. https://doi.org/10.1109/TSMC.1979.4310076

    Examples
    --------
    >>> threshold_otsu(np.array([1, 2, 1, 8, 9, 9]))
    2
    """
    counts, centers = _count(image, nbins, mask, workers)
    best = np.empty(1, np.int64)
    _otsu(counts, centers.astype(np.float64), best)
    return centers.item(best[0])


def threshold_multiotsu(
    image: Any,
    classes: int = 3,
    nbins: int = 256,
    *,
    mask: Any = None,
    workers: int | None = None,
) -> Any:
    """Thresholds that part the voxels into classes that lie furthest apart.

    Parameters
    ----------
    image : array
        Of any real type.
    classes : int
        How many classes: one more than thresholds.
    nbins : int
        Bins between the smallest and the largest voxel of an image of floats. An image of integers
        has a bin for each value.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count.
    workers : int, optional
        Threads to use.

    Returns
    -------
    ndarray, shape (classes - 1,)
        Rising middles of bins; voxels above a threshold are of the next class.

    Raises
    ------
    ValueError
        If fewer bins than classes, or more than 4096, have voxels, or as for `threshold_otsu`.

    Notes
    -----
    The best of all choices, found in time that grows with the classes and the square of the bins
    [1]_; scikit-image and ITK try every choice, scikit-image in float32, which can miss the best
    by a bin. Of several as good, the one of lowest bins.

    References
    ----------
    .. [1] P.-S. Liao, T.-S. Chen, P.-C. Chung, "A fast algorithm for multilevel thresholding",
       Journal of Information Science and Engineering 17:713-727, 2001.

    Examples
    --------
    >>> threshold_multiotsu(np.array([1, 2, 1, 8, 9, 9, 30]))
    array([2, 9])
    """
    classes = _args.as_int(classes, "classes", 2)
    counts, centers = _count(image, nbins, mask, workers)
    some = np.flatnonzero(counts)  # a threshold in an empty bin is as good as that before it
    if not classes <= some.size <= _MOST_BINS:
        raise ValueError(
            f"image must fill {classes} to {_MOST_BINS} bins for {classes} classes; got {some.size}"
        )
    chosen = _best_parts(counts[some], centers[some].astype(np.float64), classes)
    return centers[some[chosen]]


@_arrays.silent
def _best_parts(counts: Any, values: Any, parts: int) -> list[int]:
    """Return the last bin of each part but the last, for the largest spread between parts."""
    n = counts.size
    weight = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
    moment = np.concatenate([[0.0], np.cumsum(counts * (values - values[0]))])
    # worth[i, j]: squared sum over weight of the part [i, j); later sums are at its right.
    heavy = weight[None, :] - weight[:, None]
    worth = np.full((n + 1, n + 1), -np.inf)
    np.divide((moment[None, :] - moment[:, None]) ** 2, heavy, out=worth, where=heavy > 0)
    rest, nexts = worth[:, n], []
    for _ in range(parts - 1):  # the best of [i, n) in one part more
        both = worth + rest[None, :]
        nexts.append(both.argmax(1))
        rest = both.max(1)
    start, chosen = 0, []
    for following in reversed(nexts):
        start = int(following[start])
        chosen.append(start - 1)
    return chosen


def _count(image: Any, nbins: Any, mask: Any, workers: int | None) -> tuple[Any, Any]:
    """Return counts, a bin for each integer or as many as wanted, and the middles of the bins."""
    x, _ = _arrays.adopt(image)
    nbins = _args.as_int(nbins, "nbins", 2, 1 << 26)
    kind = x.dtype.kind
    if kind not in "buif":
        raise TypeError(f"image must be of a real type; got {x.dtype}")
    if kind not in "bui":
        counts, edges = histogram(x, nbins, mask=mask, workers=workers)
        halves = edges / 2  # whose sums are finite
        centers = halves[:-1] + halves[1:]
        if _some(counts) == 1:
            centers[np.argmax(counts)] = _host(x)[... if mask is None else _host(mask) != 0].flat[0]
        return counts, centers
    few = x.dtype.itemsize == 1 or (x.dtype.itemsize == 2 and x.size > _MANY)
    if kind != "b" and few:
        low, high = np.iinfo(x.dtype).min, np.iinfo(x.dtype).max
    else:
        counts, ends = histogram(x, 1, mask=mask, workers=workers)
        _some(counts)
        low, high = int(np.ceil(ends[0])), int(np.floor(ends[-1]))
    if high - low >= _MOST:
        raise ValueError(
            f"image must span at most 2**24 integers; got {low} to {high}: convert it to float64"
        )
    edges = np.arange(low, high + 2) - 0.5
    counts = histogram(x, edges, mask=mask, workers=workers)[0]
    _some(counts)
    return counts, np.arange(low, high + 1)


def _host(x: Any) -> Any:
    return _arrays.to_host(_arrays.adopt(x)[0])


def _some(counts: Any) -> int:
    """Return how many bins have voxels, which must be one at least."""
    some = int(np.count_nonzero(counts))
    if not some:
        raise ValueError("image must have a voxel that counts; got none")
    return some
