"""Statistics of a region's intensities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import ListIn, ListOut, Scalar, kernel
from ..metrics import histogram
from ._region import MOST_LEVELS, as_image, as_mask, as_region

_PERCENT = (10, 25, 50, 75, 90)
_ONCE = np.empty(0, np.int64)


@kernel(
    dtypes=("int32", "float32", "float64"), host=True,
    exact=False, rtol=1e-9, why="sums are added in another order",
)  # fmt: skip
def _first_order(
    values: ListIn, upto: ListIn, times: Scalar, over: Scalar, most: Scalar, out: ListOut
) -> None:
    """Write the statistics of rising values, and of their levels ``times (v - low) / over``.

    `upto` has how many voxels are at most as large as each value; none where each comes once.
    """
    n = upto[-1] if upto.size > 0 else values.size
    for q in range(5):
        out[q] = _percentile(values, upto, _PERCENT[q] / 100 * (n - 1), n)
    p10, median, p90, low = out[0], out[2], out[4], np.float64(values[0])
    total, energy, inner, kept = 0.0, 0.0, 0.0, 0.0
    for i in range(values.size):
        v, often = np.float64(values[i]), _often(upto, i)
        total += often * (v - low)
        energy += often * (v * v)
        if p10 <= v <= p90:
            inner += often * v
            kept += often
    mean, inner = low + total / n, inner / kept if kept > 0 else math.nan
    square, cube, fourth, around_mean, around_median, around_inner = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(values.size):
        v, often = np.float64(values[i]), _often(upto, i)
        away = v - mean
        square += often * (away * away)
        cube += often * (away * away * away)
        fourth += often * (away * away * (away * away))
        around_mean += often * abs(away)
        around_median += often * abs(v - median)
        if p10 <= v <= p90:
            around_inner += often * abs(v - inner)
    variance = square / n
    flat = variance * variance == 0
    out[5], out[6], out[7] = mean, energy, variance
    out[8] = 0.0 if flat else cube / n / (variance * math.sqrt(variance))
    out[9] = 0.0 if flat else fourth / n / (variance * variance) - 3
    out[10], out[11] = around_mean / n, around_median / n
    out[12] = around_inner / kept if kept > 0 else math.nan
    entropy, uniformity, level, some = 0.0, 0.0, 0.0, 0.0
    for i in range(values.size + 1):
        now = -1.0
        if i < values.size:
            now = np.floor(min(times * (np.float64(values[i]) - low) / over, most))
        if now != level:
            p = some / n
            entropy -= p * math.log2(p)
            uniformity += p * p
            level, some = now, 0.0
        if i < values.size:
            some += _often(upto, i)
    out[13], out[14] = entropy, uniformity


def _often(upto: Any, i: int) -> float:
    return 1.0 if upto.size == 0 else float(upto[i] - (upto[i - 1] if i > 0 else 0))


def _percentile(values: Any, upto: Any, at: float, n: int) -> float:
    """Return the value at a rank, interpolated as in NumPy."""
    rank = int(at)
    a, b = _ranked(values, upto, rank), _ranked(values, upto, min(rank + 1, n - 1))
    part = at - rank
    return b - (b - a) * (1 - part) if part >= 0.5 else a + (b - a) * part


def _ranked(values: Any, upto: Any, rank: int) -> float:
    return np.float64(values[rank if upto.size == 0 else np.searchsorted(upto, rank, "right")])


@_first_order.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    values = np.sort(100 * np.abs(rng.standard_normal(shape)).ravel()).astype(dtype)
    upto = np.cumsum(rng.integers(1, 9, values.size)) if rng.integers(2) else _ONCE
    levels = (32.0, 150.0, 31.0) if rng.integers(2) else (1.0, 0.7, math.inf)
    return values, upto, *levels, np.zeros(15)


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

    An image of floats or of int32 is sorted, which takes its memory again.

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
    if _args.dtype_name(x) in ("uint8", "int16", "uint16"):
        edges = np.arange(region.low, region.high + 2) - 0.5
        every = histogram(x, edges, mask=m, workers=workers)[0]
        (some,) = every.nonzero()
        values, upto = some + region.low, every[some].cumsum()
    else:
        host = _arrays.to_host(x)
        values = np.sort(host.ravel() if m is None else host[_arrays.to_host(m) != 0])
        upto = _ONCE
    levels = _levels(region.low, region.high, 32 if bins is width is None else bins, width)
    out = np.empty(15)
    _first_order(values, upto, *levels, out, workers=workers)
    p10, p25, median, p75, p90, mean, energy, variance, *more = out.tolist()
    skewness, kurtosis, around_mean, around_median, around_inner, entropy, uniformity = more
    return {
        "voxels": float(region.voxels),
        "mean": mean,
        "variance": variance,
        "skewness": skewness,
        "kurtosis": kurtosis,
        "median": median,
        "minimum": region.low,
        "percentile_10": p10,
        "percentile_90": p90,
        "maximum": region.high,
        "interquartile_range": p75 - p25,
        "range": region.high - region.low,
        "mean_absolute_deviation": around_mean,
        "robust_mean_absolute_deviation": around_inner,
        "median_absolute_deviation": around_median,
        "coefficient_of_variation": math.sqrt(variance) / mean if mean else math.nan,
        "quartile_coef_of_dispersion": (p75 - p25) / (p75 + p25) if p75 + p25 else math.nan,
        "energy": energy,
        "root_mean_square": math.sqrt(energy / region.voxels),
        "total_energy": energy * math.prod(lengths),
        "entropy": entropy,
        "uniformity": uniformity,
    }


def _levels(low: float, high: float, bins: Any, width: Any) -> tuple[float, float, float]:
    """Return what makes the levels of `discretize`: a factor, a divisor, and the last level."""
    if width is not None:
        return 1.0, _args.as_float(width, "width", above=0), math.inf
    most = float(_args.as_int(bins, "bins", 1, MOST_LEVELS))
    return (most, high - low, most - 1) if high > low else (0.0, 1.0, most - 1)
