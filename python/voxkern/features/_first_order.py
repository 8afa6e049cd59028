"""Statistics of a region's intensities."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from ..metrics import histogram
from ._region import MOST_LEVELS, as_image, as_mask, as_region


@_arrays.silent
def first_order_features(
    image: Any,
    mask: Any = None,
    *,
    spacing: Any = None,
    bins: int | None = None,
    width: float | None = None,
    workers: int | None = None,
) -> dict[str, float]:
    """Measure a region's intensities by IBSI's statistics.

    Parameters
    ----------
    image : array, shape ([planes,] [rows,] columns)
        Of any real type.
    mask : array of bool or uint8, optional
        The region: where it is not zero.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis, for the total energy.
    bins, width : optional
        How `discretize` makes the levels for entropy and uniformity: 32 bins where both are left
        out.
    workers : int, optional
        Threads to use.

    Returns
    -------
    dict of str to float
        By the names of the table below.

    Raises
    ------
    ValueError
        If the mask is empty, or a voxel that counts is NaN or infinite.

    Notes
    -----
    IBSI's definitions [1]_, by its codes:

    =============================== ==== =============================== ====
    mean                            Q4LE range                           2OJQ
    variance                        ECT3 mean_absolute_deviation         4FUA
    skewness                        KE2M robust_mean_absolute_deviation  1128
    kurtosis                        IPH6 median_absolute_deviation       N72L
    median                          Y12H coefficient_of_variation        7TET
    minimum                         1GSF quartile_coef_of_dispersion     9S40
    percentile_10                   QG58 energy                          N8CA
    percentile_90                   8DWT root_mean_square                5ZWQ
    maximum                         84IY entropy                         TLU2
    interquartile_range             SALO uniformity                      BJ5W
    =============================== ==== =============================== ====

    and ``voxels``, their number, and ``total_energy``, the energy times the volume of a voxel, as
    in PyRadiomics. Variance is that of all voxels (divided by n); kurtosis is 0 for a normal
    distribution, 3 less than PyRadiomics'; percentiles are interpolated as in NumPy. Deviations are
    means of the distance to the mean or the median. Skewness and kurtosis of a single value are 0;
    a quotient by 0 is NaN. Sums are the same bits for any number of threads.

    An image of floats is sorted in float64, which takes twelve volumes of memory.

    References
    ----------
    .. [1] A. Zwanenburg et al., "The Image Biomarker Standardization Initiative", Radiology
       295:328-338, 2020. https://doi.org/10.1148/radiol.2020191145

    Examples
    --------
    >>> found = first_order_features(np.array([1, 2, 3, 4, 90]))
    >>> found["mean"], found["median"], found["range"]
    (20.0, 3.0, 89.0)
    """
    x = as_image(image)
    m = None if mask is None else as_mask(mask, x)
    lengths = _args.as_spacing(spacing, x.ndim)
    workers = _args.as_workers(workers)
    if bins is not None and width is not None:
        raise ValueError(f"one of bins and width must be given; got {bins!r} and {width!r}")
    region = as_region(x, m, workers)
    x, m = region.image, region.mask if region.mask.size else None
    counts = None
    if _args.dtype_name(x) in ("uint8", "int16", "uint16"):
        edges = np.arange(region.low, region.high + 2) - 0.5
        every = histogram(x, edges, mask=m, workers=workers)[0]
        (some,) = every.nonzero()
        values, counts = some + region.low, every[some]
    else:
        host = _arrays.to_host(x)
        values = np.sort(host.ravel() if m is None else host[_arrays.to_host(m) != 0])
        values = values.astype(np.float64)
    upto = np.arange(1, values.size + 1) if counts is None else counts.cumsum()
    found = _statistics(values, counts, upto)
    found["total_energy"] = found["energy"] * math.prod(lengths)
    return found | _of_levels(values, upto, 32 if bins is width is None else bins, width)


def _statistics(values: Any, counts: Any, upto: Any) -> dict[str, float]:
    """Return the statistics of rising values, each so many times; once where `counts` is None.

    `upto` has how many voxels are at most as large as each value.
    """
    n = upto.item(-1)
    total = functools.partial(_total, counts=counts)
    p10, p25, median, p75, p90 = _percentiles(values, upto, n)
    middle = values[0] + total(values - values[0]) / n
    away = values - middle
    square = away * away
    variance = total(square) / n
    flat = variance**2 == 0
    energy = total(values * values)
    return {
        "voxels": float(n),
        "mean": float(middle),
        "variance": variance,
        "skewness": 0.0 if flat else total(square * away) / n / variance**1.5,
        "kurtosis": 0.0 if flat else total(square * square) / n / variance**2 - 3,
        "median": median,
        "minimum": float(values[0]),
        "percentile_10": p10,
        "percentile_90": p90,
        "maximum": float(values[-1]),
        "interquartile_range": p75 - p25,
        "range": float(values[-1] - values[0]),
        "mean_absolute_deviation": total(np.abs(away)) / n,
        "robust_mean_absolute_deviation": _deviation(values, counts, p10, p90),
        "median_absolute_deviation": total(np.abs(values - median)) / n,
        "coefficient_of_variation": math.sqrt(variance) / middle if middle else math.nan,
        "quartile_coef_of_dispersion": (p75 - p25) / (p75 + p25) if p75 + p25 else math.nan,
        "energy": energy,
        "root_mean_square": math.sqrt(energy / n),
    }


def _percentiles(values: Any, upto: Any, n: int) -> list[float]:
    """Return five percentiles, interpolated as in NumPy."""
    places = [q / 100 * (n - 1) for q in (10, 25, 50, 75, 90)]
    ranks = [math.floor(at) for at in places]
    ranks += [min(rank + 1, n - 1) for rank in ranks]
    found = values[upto.searchsorted(ranks, "right")].tolist()
    return [
        b - (b - a) * (1 - at % 1) if at % 1 >= 0.5 else a + (b - a) * (at % 1)
        for at, a, b in zip(places, found[:5], found[5:], strict=True)
    ]


def _deviation(values: Any, counts: Any, low: float, high: float) -> float:
    """Return the mean absolute deviation of the values in a range, NaN where there are none."""
    kept = slice(values.searchsorted(low, "left"), values.searchsorted(high, "right"))
    inner = values[kept]
    often = None if counts is None else counts[kept]
    n = inner.size if often is None else int(np.add.reduce(often))
    return _total(np.abs(inner - _total(inner, often) / n), often) / n if n else math.nan


def _total(v: Any, counts: Any) -> float:
    return float(np.add.reduce(v if counts is None else v * counts))


def _of_levels(values: Any, upto: Any, bins: Any, width: Any) -> dict[str, float]:
    """Return what is measured of levels, which are those of `discretize`."""
    low, high = values[0], values[-1]
    if width is None:
        most = _args.as_int(bins, "bins", 1, MOST_LEVELS)
        times, over = (float(most), high - low) if high > low else (0.0, 1.0)
        levels = np.minimum(times * (values - low) / over, most - 1.0)
    else:
        levels = (values - low) / _args.as_float(width, "width", above=0)
    levels = np.floor(levels)  # which rise with the values
    last = upto[:-1][levels[1:] != levels[:-1]]
    ends = np.concatenate(([0], last, upto[-1:]))
    p = (ends[1:] - ends[:-1]) / upto[-1]
    return {
        "entropy": float(-np.add.reduce(p * np.log2(p))),
        "uniformity": float(np.add.reduce(p * p)),
    }
