"""Intensities mapped one by one: windows, ranges, scores, SUV."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListOut, Out, Scalar, kernel, prange
from ..metrics import (
    add_parts,
    as_mask,
    as_volume,
    extremes,
    given,
    histogram,
    parts_of,
    percentile,
)

Array = TypeVar("Array")

EVERYWHERE = np.empty((0, 0, 0), np.uint8)
_OUTPUTS = ("uint8", "float32", "float64")


@kernel(dtypes=_args.REAL)
def _rescale(
    x: In, y: Out, low: Scalar, high: Scalar, offset: Scalar, width: Scalar, span: Scalar,
    bottom: Scalar, lowest: Scalar, highest: Scalar,
) -> None:  # fmt: skip
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                v = np.float64(x[k, j, i])
                v = low if v < low else high if v > high else v
                t = (v - offset) / width * span + bottom
                if highest > lowest:
                    t = 0.0 if t != t else min(max(np.rint(t), lowest), highest)
                y[k, j, i] = t


@_rescale.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).clip(0 if dtype[0] == "u" else -500, 250).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    y = np.empty(shape, _OUTPUTS[int(rng.integers(3))])
    ends = (0.0, 255.0) if y.dtype == np.uint8 else (0.0, 0.0)
    if rng.integers(2):
        return x, y, -20.0, 130.0, -20.0, 150.0, 260.0, -3.0, *ends
    return x, y, -math.inf, math.inf, 12.5, 30.0, 1.0, 0.0, *ends


@kernel(dtypes=_args.REAL)
def _clip(x: In, y: Out, low: Scalar, high: Scalar) -> None:
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                v = x[k, j, i]
                y[k, j, i] = low if v < low else high if v > high else v


@_clip.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = np.abs(100 * rng.standard_normal(shape)).clip(0, 250).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    return x, np.empty_like(x), 20, 150


@kernel(
    dtypes=_args.REAL, exact=False, rtol=1e-12, atol=1e-14, why="sums have an order of their own"
)
def _shifted_sums(x: In, mask: In, centre: Scalar, sums: ListOut) -> None:
    part = np.zeros((x.shape[0], 3))
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                v = np.float64(x[k, j, i])
                if v == v and (mask.size == 0 or mask[k, j, i] != 0):
                    part[k, 0] += 1.0
                    part[k, 1] += v - centre
                    part[k, 2] += (v - centre) ** 2
    for n in range(3):
        sums[n] = np.sum(part[:, n])


@_shifted_sums.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = np.abs(100 * rng.standard_normal(shape)).clip(0, 250).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    mask = rng.integers(0, 2, shape).astype(np.uint8) if rng.integers(2) else EVERYWHERE
    return x, mask, 70.0, np.zeros(3)


@_rescale.on("cuda")
def _plan_rescale(gpu: Any, x: Any, y: Any, *numbers: float) -> None:
    name = f"rescale<{gpu.name_of(x.dtype)},{gpu.name_of(y.dtype)}>"
    gpu.launch(name, gpu.blocks(x.size), 256, x, y, x.size, *map(float, numbers))


@_clip.on("cuda")
def _plan_clip(gpu: Any, x: Any, y: Any, low: float, high: float) -> None:
    name = f"clip<{gpu.name_of(x.dtype)}>"
    gpu.launch(name, gpu.blocks(x.size), 256, x, y, x.size, float(low), float(high))


@_shifted_sums.on("cuda")
def _plan_sums(gpu: Any, x: Any, mask: Any, centre: float, sums: Any) -> None:
    blocks = parts_of(x.size)
    parts = gpu.empty(3 * blocks, np.float64)
    name = f"shifted_sums<{gpu.name_of(x.dtype)}>"
    gpu.launch(name, blocks, 256, x, given(mask), float(centre), parts, x.size)
    add_parts(gpu, parts, blocks, sums)


def take(image: Any, name: str = "image") -> tuple[Any, Any, str]:
    """Return an adopted image of a type that kernels take, the way back, and its type."""
    x, give = _arrays.adopt(image, name)
    dtype = _args.as_dtype(x, ("bool", *_args.REAL), name)
    _args.as_ndim(x, name=name)
    return (x.view(np.uint8) if dtype == "bool" else x), give, dtype


def as_output(dtype: Any, found: str) -> str:
    """Return the name of the answer's type, by default the float that fits the image."""
    if dtype is None:
        return _args.float_name(found)
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in _OUTPUTS:
        raise TypeError(f"dtype must be {', '.join(_OUTPUTS)}; got {dtype!r}")
    return name


def as_pair(value: Any, name: str) -> tuple[float, float]:
    """Return two finite numbers, the second not below the first."""
    try:
        low, high = value
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be two numbers; got {value!r}") from None
    low, high = _args.as_float(low, name), _args.as_float(high, name)
    if low > high:
        raise ValueError(f"{name} must rise; got {value!r}")
    return low, high


def finite_range(x: Any, workers: int | None) -> tuple[float, float]:
    """Return the smallest and the largest number of an image, which have to be finite."""
    low, high, _, count = extremes(as_volume(x), workers=workers) if x.size else (0, 0, False, 0)
    if not count or low > high:
        raise ValueError("image must have a number; got none")
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"image must be finite; it goes from {low} to {high}")
    return low, high


def run_line(
    x: Any, give: Any, answer: str, out: Any, workers: int | None, *, low: float = -math.inf,
    high: float = math.inf, offset: float = 0.0, width: float = 1.0, span: float = 1.0,
    bottom: float = 0.0,
) -> Any:  # fmt: skip
    """Return (x between low and high, less offset) / width * span + bottom."""
    ends = (0.0, 255.0) if answer == "uint8" else (0.0, 0.0)

    def run(volume: Any, result: Any) -> None:
        _rescale(volume, result, low, high, offset, width, span, bottom, *ends, workers=workers)

    return _arrays.run_volumes(run, x, out, answer, give)


def divide(volume: Any, by: float) -> None:
    """Divide a volume of floats by a number, in place."""
    if type(volume) is np.ndarray:
        volume /= by
    else:
        _rescale(volume, volume, -math.inf, math.inf, 0.0, by, 1.0, 0.0, 0.0, 0.0)


def rescale(
    image: Array,
    in_range: Any = None,
    out_range: Any = (0.0, 1.0),
    *,
    dtype: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Stretch a range of intensities to another, and cut what lies outside.

    Parameters
    ----------
    image : array
        Image of bool or any real type, on any device.
    in_range : tuple of float, optional
        From where to where; left out, the smallest and the largest number of the image.
    out_range : tuple of float
        What the ends of `in_range` become.
    dtype : {'uint8', 'float32', 'float64'}, optional
        Type of the answer; left out, float64 for int32 and float64 and float32 for all others.
    out : array, optional
        Where to write; the answer's shape and type, not overlapping `image`.
    workers : int, optional
        How many threads a CPU call may use. The answer does not depend on it.

    Returns
    -------
    array
        Same shape and device as `image`.

    Raises
    ------
    TypeError
        If `image`, `dtype` or `out` is of a type that is not listed.
    ValueError
        If a range does not rise or is not finite, or is left out of an image without a number.

    Notes
    -----
    ``(clip(x, a, b) - a) / (b - a) * (d - c) + c`` in float64, rounded once to the answer's type;
    `c` where `a` is `b`. NaN stays NaN, and becomes 0 in uint8.

    Examples
    --------
    >>> rescale(np.array([-50, 0, 50, 100], np.int16), (0, 100), (0, 255), dtype="uint8")
    array([  0,   0, 128, 255], dtype=uint8)
    """
    x, give, found = take(image)
    answer = as_output(dtype, found)
    bottom, top = as_pair(out_range, "out_range")
    workers = _args.as_workers(workers)
    if in_range is None:
        low, high = finite_range(x, workers) if x.size else (0.0, 1.0)
    else:
        low, high = as_pair(in_range, "in_range")
    return run_line(
        x, give, answer, out, workers, low=low, high=high, offset=low, width=(high - low) or 1.0,
        span=top - bottom, bottom=bottom,
    )  # fmt: skip


def window(
    image: Array,
    center: float,
    width: float,
    out_range: Any = (0.0, 1.0),
    *,
    function: str = "linear_exact",
    dtype: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Show the intensities around a center, as the windows of CT do.

    Parameters
    ----------
    image : array
        Image of bool or any real type, on any device.
    center, width : float
        The middle of the window and how wide it is, in the image's unit.
    out_range : tuple of float
        What the lower and the upper end of the window become.
    function : {'linear_exact', 'linear'}
        DICOM's VOI LUT function: 'linear' is half a unit lower and a unit narrower, so that whole
        numbers fill the window.
    dtype : {'uint8', 'float32', 'float64'}, optional
        Type of the answer; left out, float64 for int32 and float64 and float32 for all others.
    out, workers
        As in `rescale`.

    Returns
    -------
    array
        Same shape and device as `image`.

    Raises
    ------
    TypeError
        If `image`, `dtype` or `out` is of a type that is not listed.
    ValueError
        If `width` is not positive (for 'linear', not above 1), or `function` is unknown.

    Notes
    -----
    `rescale` from ``center - width / 2`` to ``center + width / 2``; for 'linear', DICOM PS3.3
    C.11.2.1.2.1, from ``center - 0.5 - (width - 1) / 2`` over a width of ``width - 1``. NaN stays
    NaN, and becomes 0 in uint8.

    Examples
    --------
    >>> window(np.array([-1000, -160, 40, 240, 3000], np.int16), 40, 400)
    array([0. , 0. , 0.5, 1. , 1. ], dtype=float32)
    """
    x, give, found = take(image)
    answer = as_output(dtype, found)
    bottom, top = as_pair(out_range, "out_range")
    center = _args.as_float(center, "center")
    if function not in ("linear_exact", "linear"):
        raise ValueError(f"function must be 'linear_exact' or 'linear'; got {function!r}")
    shift = 0.0 if function == "linear_exact" else 1.0
    wide = _args.as_float(width, "width", above=shift) - shift
    low = center - shift / 2 - wide / 2
    return run_line(
        x, give, answer, out, _args.as_workers(workers), low=low, high=low + wide, offset=low,
        width=wide, span=top - bottom, bottom=bottom,
    )  # fmt: skip


def clip_percentile(
    image: Array,
    lower: float = 0.5,
    upper: float = 99.5,
    *,
    mask: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Cut intensities below and above two percentiles.

    Parameters
    ----------
    image : array
        Image of any real type.
    lower, upper : float
        Percentiles, from 0 to 100.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count for the percentiles; all voxels are cut.
    out, workers
        As in `rescale`; `out` has the type of `image`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If the percentiles do not rise or do not lie in [0, 100], or no voxel counts.

    Notes
    -----
    The percentiles are `percentile`'s, exact; for an image of integers they are rounded to the
    nearest. NaN does not count, and stays.

    Examples
    --------
    >>> clip_percentile(np.arange(10), 10, 80)
    array([1, 1, 2, 3, 4, 5, 6, 7, 7, 7])
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, (*_args.REAL, "int64"))
    if dtype == "int64":  # which no kernel cuts
        _arrays.need_cpu(image=x)
    lower, upper = as_pair((lower, upper), "lower and upper")
    if not 0 <= lower <= upper <= 100:
        raise ValueError(f"lower and upper must be between 0 and 100; got {lower} and {upper}")
    workers = _args.as_workers(workers)
    ends = percentile(x, (lower, upper), mask=mask, workers=workers)
    low, high = (float(e) if dtype.startswith("float") else round(float(e)) for e in ends)
    if dtype == "float32":
        low, high = float(np.float32(low)), float(np.float32(high))

    def run(volume: Any, result: Any) -> None:
        if dtype == "int64":
            least, most = _args.limits(dtype)  # the percentiles are floats, which may round beyond
            np.clip(volume, max(low, least), min(high, most), out=result)
        else:
            _clip(volume, result, low, high, workers=workers)

    return _arrays.run_volumes(run, x, out, dtype, give)


@_arrays.silent
def summary(x: Any, mask: Any, workers: int | None) -> tuple[float, float, int, float, float]:
    """Return mean, deviation, count, least and largest of the numbers under the mask."""
    volume = as_volume(x)
    low, high, _, count = extremes(volume, mask, workers)
    sums = np.zeros(3)
    if not count or low > high:
        return math.nan, math.nan, 0, low, high
    centre = (low + high) / 2 if math.isfinite(low + high) else 0.0
    _shifted_sums(volume, mask, centre, sums, workers=workers)
    mean = sums[1] / sums[0]
    variance = max(0.0, float(sums[2] / sums[0] - mean * mean))
    return float(mean + centre), math.sqrt(variance), int(sums[0]), low, high


def zscore(
    image: Array,
    mask: Any = None,
    *,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Shift and scale an image so that its voxels have mean 0 and standard deviation 1.

    Parameters
    ----------
    image : array
        Image of bool or any real type.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count for mean and deviation; all voxels are mapped.
    out, workers
        As in `rescale`.

    Returns
    -------
    array
        Same shape and device as `image`; float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If no number counts, or those that count are all the same.

    Notes
    -----
    ``(x - mean) / deviation`` in float64, of the population (``ddof=0``), over the whole array
    whatever its number of axes. NaN does not count, and stays.

    Examples
    --------
    >>> zscore(np.array([1.0, 2.0, 3.0, 100.0]), np.array([True, True, True, False]))
    array([ -1.22474487,   0.        ,   1.22474487, 120.0249974 ])
    """
    x, give, found = take(image)
    workers = _args.as_workers(workers)
    inside = as_mask(mask, x.shape, x)
    mean, deviation, count, *_ = summary(x, inside, workers)
    if not count:
        raise ValueError("image must have a number that counts; got none")
    if not deviation > 0:
        raise ValueError(f"image must have more than one value where it counts; got {mean:g} alone")
    answer = _args.float_name(found)
    return run_line(x, give, answer, out, workers, offset=mean, width=deviation)


@_arrays.silent
def white_stripe(
    image: Array,
    mask: Any = None,
    *,
    contrast: str = "T1",
    width: float = 0.05,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Scale an MR image of a brain so that its normal white matter has mean 0 and deviation 1.

    Parameters
    ----------
    image : array
        Image of any real type.
    mask : array of bool or uint8, optional
        The brain; left out, the voxels above the image's mean.
    contrast : {'T1', 'T2'}
        White matter is the brightest peak of the histogram in T1, the highest in T2 and FLAIR.
    width : float
        How far the stripe reaches to either side of the peak, as a share of the voxels.
    out, workers
        As in `rescale`.

    Returns
    -------
    array
        Same shape and device as `image`; float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If `contrast` is unknown, `width` is not in (0, 0.5), or no stripe is found.

    Notes
    -----
    The method of [1]_: the stripe are voxels between the quantiles ``q - width`` and ``q + width``
    of the brain, where `q` is the share of voxels below the peak. The histogram has 256 bins up to
    the 99th percentile for T1, smoothed by a Gaussian of six bins; a peak counts from a tenth of
    the highest on.

    References
    ----------
    .. [1] R. T. Shinohara et al., "Statistical normalization techniques for magnetic resonance
       imaging", NeuroImage: Clinical 6:9-19, 2014. https://doi.org/10.1016/j.nicl.2014.08.008

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> brain = np.concatenate([rng.normal(60, 4, 4000), rng.normal(100, 5, 6000)])
    >>> scaled = voxkern.white_stripe(brain, np.ones(10000, bool))
    >>> bool(abs(np.median(scaled[4000:])) < 0.5)
    True
    """
    x, give, found = take(image)
    if contrast not in ("T1", "T2"):
        raise ValueError(f"contrast must be 'T1' or 'T2'; got {contrast!r}")
    reach = _args.as_float(width, "width", above=0)
    if reach >= 0.5:
        raise ValueError(f"width must be less than 0.5; got {width!r}")
    workers = _args.as_workers(workers)
    inside = as_mask(mask, x.shape, x)
    mean, _, count, low, high = summary(x, inside, workers)
    if not count:
        raise ValueError("image must have a number that counts; got none")
    low = mean if mask is None else low
    top = float(percentile(x, 99, mask=mask, workers=workers)) if contrast == "T1" else high
    if not low < top:
        raise ValueError("image must have more than one value where it counts")
    if not math.isfinite(top - low):
        raise ValueError(f"image must be finite where it counts; got {low} to {top}")
    counts, edges = histogram(x, 256, (low, top), mask=mask, workers=workers)
    peak = _peak(counts, edges, last=contrast == "T1")
    below = np.interp(peak, edges, np.concatenate([[0], np.cumsum(counts)])) / counts.sum()
    cut = np.interp(
        [max(0.0, below - reach), min(1.0, below + reach)],
        np.concatenate([[0], np.cumsum(counts)]) / counts.sum(), edges,
    )  # fmt: skip
    mean, deviation = _binned(counts, edges, *cut)
    if not deviation > 0:
        raise ValueError("image must have a stripe of more than one value; found one")
    answer = _args.float_name(found)
    return run_line(x, give, answer, out, workers, offset=mean, width=deviation)


def _peak(counts: Any, edges: Any, last: bool) -> float:
    """Return the middle of the last or of the highest peak of a histogram."""
    t = np.arange(-24, 25)
    smooth = np.convolve(counts, np.exp(-t * t / 72.0), "same")
    if last:
        inner = smooth[1:-1]
        tops = np.flatnonzero(
            (inner >= smooth[:-2]) & (inner > smooth[2:]) & (inner > smooth.max() / 10)
        )
        at = int(tops[-1]) + 1 if tops.size else int(smooth.argmax())
    else:
        at = int(smooth.argmax())
    return float((edges[at] + edges[at + 1]) / 2)


def _binned(counts: Any, edges: Any, low: float, high: float) -> tuple[float, float]:
    """Return mean and deviation of what a histogram holds between two values."""
    a, b = np.maximum(edges[:-1], low), np.minimum(edges[1:], high)
    share = counts * np.maximum(b - a, 0) / np.diff(edges)
    middle = (a + b) / 2
    total = share.sum()
    if not total > 0:
        return low, 0.0
    mean = (share * middle).sum() / total
    spread = ((middle - mean) ** 2 + (b - a) ** 2 / 12) * share
    return float(mean), float(math.sqrt(spread.sum() / total))


def pet_suv(
    image: Array,
    *,
    weight_kg: float,
    dose_bq: float,
    half_life_s: float,
    delay_s: float,
    slope: float = 1.0,
    intercept: float = 0.0,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Turn activity concentration into standardised uptake values by body weight.

    Parameters
    ----------
    image : array
        Activity in Bq/ml, or stored values that `slope` and `intercept` take there, decay-corrected
        to the start of the scan.
    weight_kg : float
        Patient's Weight (0010,1030), in kilograms.
    dose_bq : float
        Radionuclide Total Dose (0018,1074), in becquerels, at the time of injection.
    half_life_s : float
        Radionuclide Half Life (0018,1075), in seconds.
    delay_s : float
        Seconds from the injection, Radiopharmaceutical Start DateTime (0018,1078), to the time
        that the image is decay-corrected to; 0 if that is the injection (ADMIN).
    slope, intercept : float
        Rescale Slope (0028,1053) and Intercept (0028,1052).
    out, workers
        As in `rescale`.

    Returns
    -------
    array
        SUV in g/ml: same shape and device as `image`; float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If weight, dose or half life is not positive, or `delay_s` is negative or so long that
        nothing of the dose is left. A scan after midnight needs its date, not the difference of
        two clock times.

    Notes
    -----
    ``(x slope + intercept) * 1000 weight_kg / (dose_bq * 2**(-delay_s / half_life_s))``, the
    vendor-neutral formula of QIBA for images with Units BQML and Decay Correction START. Every
    quantity carries its unit in its name, for doses come in MBq and delays in minutes as often.

    NaN stays.

    Examples
    --------
    >>> activity = np.array([0.0, 5000.0, 25000.0], np.float32)
    >>> pet_suv(activity, weight_kg=70, dose_bq=350e6, half_life_s=6586.2, delay_s=6586.2)
    array([ 0.,  2., 10.], dtype=float32)
    """
    x, give, found = take(image)
    weight = _args.as_float(weight_kg, "weight_kg", above=0)
    dose = _args.as_float(dose_bq, "dose_bq", above=0)
    half = _args.as_float(half_life_s, "half_life_s", above=0)
    delay = _args.as_float(delay_s, "delay_s", 0)
    left = dose * 2 ** (-delay / half)
    if left < 1e-300:
        raise ValueError(
            f"delay_s must leave some of dose_bq; got {delay_s!r} for {dose_bq!r}, "
            f"half_life_s={half_life_s!r}"
        )
    factor = 1000 * weight / left
    answer = _args.float_name(found)
    return run_line(
        x, give, answer, out, _args.as_workers(workers),
        span=_args.as_float(slope, "slope") * factor,
        bottom=_args.as_float(intercept, "intercept") * factor,
    )  # fmt: skip
