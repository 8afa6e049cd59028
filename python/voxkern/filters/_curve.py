"""Intensities through a curve: gamma, equalised and matched histograms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, kernel, prange
from ..metrics import as_mask, as_volume, extremes, histogram
from ._rescale import as_pair, finite_range, take

Array = TypeVar("Array")

_SMALL = ("uint8", "int16", "uint16")
_LARGE = ("int32", "float32", "float64")


@kernel(dtypes=_LARGE)
def _interp(x: In, y: Out, knots: ListIn, values: ListIn) -> None:
    last = knots.size - 1
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                v = np.float64(x[k, j, i])
                if v != v:
                    y[k, j, i] = v
                elif v < knots[0]:
                    y[k, j, i] = values[0]
                elif v >= knots[last]:
                    y[k, j, i] = values[last]
                else:
                    at = np.searchsorted(knots, v, "right") - 1
                    slope = (values[at + 1] - values[at]) / (knots[at + 1] - knots[at])
                    y[k, j, i] = slope * (v - knots[at]) + values[at]


@kernel(dtypes=_LARGE, exact=False, rtol=3e-6, atol=1e-6, why="a library's own powers")
def _power(
    x: In, y: Out, low: Scalar, high: Scalar, width: Scalar, exponent: Scalar, span: Scalar,
    bottom: Scalar,
) -> None:  # fmt: skip
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                v = np.float64(x[k, j, i])
                v = low if v < low else high if v > high else v
                y[k, j, i] = ((v - low) / width) ** exponent * span + bottom


@kernel(dtypes=_SMALL)
def _lookup(x: In, y: Out, table: ListIn) -> None:
    lowest = 32768 if table.size == 65536 and x.min() < 0 else 0
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                y[k, j, i] = table[np.int64(x[k, j, i]) + lowest]


@kernel(dtypes=("float32", "float64"))
def _match(x: In, y: Out, reference: In) -> None:
    source, target = np.sort(x.flatten()), np.sort(reference.flatten())
    n, m = source.size, target.size
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                share = np.searchsorted(source, x[k, j, i], "right") / n
                # The last value of `target` whose own share is not larger.
                middle = target[min(int(share * m), m - 1)]
                below = np.searchsorted(target, middle, "left")
                while below < m:
                    following = np.searchsorted(target, target[below], "right")
                    if following / m > share:
                        break
                    below = following
                if below == 0:
                    y[k, j, i] = target[0]
                elif below == m:
                    y[k, j, i] = target[m - 1]
                else:
                    above = np.searchsorted(target, target[below], "right")
                    a, b = np.float64(target[below - 1]), np.float64(target[below])
                    slope = (b - a) / (above / m - below / m)
                    y[k, j, i] = slope * (share - below / m) + a


@_interp.on("cuda")
def _plan_interp(gpu: Any, x: Any, y: Any, knots: Any, values: Any) -> None:
    name = f"interp<{gpu.name_of(x.dtype)},{gpu.name_of(y.dtype)}>"
    gpu.launch(
        name, gpu.blocks(x.size), 256, x, y, x.size, gpu.put(knots), gpu.put(values), knots.size
    )


@_power.on("cuda")
def _plan_power(gpu: Any, x: Any, y: Any, *numbers: float) -> None:
    name = f"power<{gpu.name_of(x.dtype)},{gpu.name_of(y.dtype)}>"
    gpu.launch(name, gpu.blocks(x.size), 256, x, y, x.size, *map(float, numbers))


@_lookup.on("cuda")
def _plan_lookup(gpu: Any, x: Any, y: Any, table: Any) -> None:
    name = f"lookup<{gpu.name_of(x.dtype)},{gpu.name_of(y.dtype)}>"
    lowest = int(np.iinfo(x.dtype).min)
    gpu.launch(name, gpu.blocks(x.size), 256, x, y, x.size, gpu.put(table), lowest)


@_match.on("cuda")
def _plan_match(gpu: Any, x: Any, y: Any, reference: Any) -> None:
    source, target = gpu.sort(x), gpu.sort(reference)
    gpu.launch(
        f"match_sorted<{gpu.name_of(x.dtype)}>", gpu.blocks(x.size), 256, x, y, x.size,
        source, source.size, target, target.size,
    )  # fmt: skip


def _example_answer(shape: Any, dtype: str) -> Any:
    return np.empty(shape, _args.float_dtype(dtype))


@_interp.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    knots = np.unique(rng.integers(-150, 150, 9)).astype(np.float64)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
        x[rng.random(shape) < 0.1] = rng.choice(knots)
    return x, _example_answer(shape, dtype), knots, rng.random(knots.size)


@_power.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    return x, _example_answer(shape, dtype), -30.0, 120.0, 150.0, 0.7, 150.0, -30.0


@_lookup.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    ends = np.iinfo(dtype)
    x = rng.integers(ends.min, ends.max, shape, dtype, endpoint=True)
    x.flat[0] = ends.min
    table = rng.random(1 << (8 * x.itemsize)).astype(np.float32)
    return x, np.empty(shape, np.float32), table


@_match.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = rng.standard_normal(shape).round(int(rng.integers(1, 4))).astype(dtype)
    other = rng.integers(1, 5, 3)
    reference = rng.standard_normal(other).round(int(rng.integers(1, 4))).astype(dtype)
    return x, np.empty_like(x), reference


def run_curve(
    x: Any, give: Any, found: str, out: Any, workers: int | None,
    curve: Callable[[Any], Any], large: Callable[[Any, Any], None],
) -> Any:  # fmt: skip
    """Map an image: values of 16 bits through a table of the curve, others by `large`."""
    table: list[Any] = []
    if found in (*_SMALL, "bool"):
        ends = np.iinfo(np.dtype(_args.dtype_name(x)))
        values = np.arange(ends.min, ends.max + 1, dtype=np.float64)
        table.append(np.ascontiguousarray(curve(values), np.float32))

    def run(volume: Any, result: Any) -> None:
        if table:
            _lookup(volume, result, table[0], workers=workers)
        else:
            large(volume, result)

    return _arrays.run_volumes(run, x, out, _args.float_name(found), give)


def run_knots(
    x: Any, give: Any, found: str, out: Any, workers: int | None, knots: Any, values: Any
) -> Any:
    """Map an image through the line between knots."""
    knots, values = (np.ascontiguousarray(a, np.float64) for a in (knots, values))

    def large(volume: Any, result: Any) -> None:
        _interp(volume, result, knots, values, workers=workers)

    return run_curve(x, give, found, out, workers, lambda v: np.interp(v, knots, values), large)


def gamma(
    image: Array,
    gamma: float = 1.0,
    in_range: Any = None,
    *,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Raise intensities, as a share of a range, to a power.

    Parameters
    ----------
    image : array
        Image of bool or any real type.
    gamma : float
        The exponent: below 1 dark parts become brighter, above 1 darker.
    in_range : tuple of float, optional
        From where to where; left out, the smallest and the largest number of the image. Values
        outside become the nearer end.
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
        If `gamma` is not positive, or the range does not rise.

    Notes
    -----
    ``((clip(x, a, b) - a) / (b - a))**gamma * (b - a) + a``. scikit-image's ``adjust_gamma`` takes
    the range of the type instead and refuses negative images. NaN stays.

    Examples
    --------
    >>> voxkern.gamma(np.array([0.0, 25.0, 100.0]), 0.5)
    array([  0.,  50., 100.])
    """
    x, give, found = take(image)
    exponent = _args.as_float(gamma, "gamma", above=0)
    workers = _args.as_workers(workers)
    if in_range is None:
        low, high = finite_range(x, workers) if x.size else (0.0, 1.0)
    else:
        low, high = as_pair(in_range, "in_range")
    span = high - low
    width = span or 1.0

    def large(volume: Any, result: Any) -> None:
        _power(volume, result, low, high, width, exponent, span, low, workers=workers)

    return run_curve(
        x, give, found, out, workers,
        lambda v: ((v.clip(low, high) - low) / width) ** exponent * span + low, large,
    )  # fmt: skip


@_arrays.silent
def _counts(x: Any, nbins: int, mask: Any, workers: int | None) -> tuple[Any, Any]:
    """Return counts and the middles of bins: one for each value of integers."""
    if np.dtype(_args.dtype_name(x)).kind == "f":
        counts, edges = histogram(x, nbins, mask=mask, workers=workers)
        return counts, (edges[:-1] + edges[1:]) / 2
    if np.dtype(_args.dtype_name(x)).itemsize == 1:  # sooner counted than looked through
        counts = histogram(x, np.arange(257) - 0.5, mask=mask, workers=workers)[0]
        used = np.flatnonzero(counts)
        low, high = (used[0], used[-1]) if used.size else (0, 0)
        return counts[low : high + 1], np.arange(low, high + 1.0)
    inside = as_mask(mask, x.shape, x)
    low, high, _, count = extremes(as_volume(x), inside, workers)
    if not count:
        return np.zeros(1, np.int64), np.zeros(1)
    if high - low >= 1 << 24:
        raise ValueError(
            f"image must span at most 2**24 integers; got {low:.0f} to {high:.0f}: make it float64"
        )
    edges = np.arange(int(low), int(high) + 2) - 0.5
    return histogram(x, edges, mask=mask, workers=workers)[0], edges[:-1] + 0.5


def equalize_hist(
    image: Array,
    nbins: int = 256,
    mask: Any = None,
    *,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Map intensities to the share of voxels that are not brighter.

    Parameters
    ----------
    image : array
        Image of bool or any real type.
    nbins : int
        Bins for an image of floats. An image of integers has a bin for each value.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count; all voxels are mapped.
    out, workers
        As in `rescale`.

    Returns
    -------
    array
        Between 0 and 1, same shape and device as `image`; float64 for int32 and float64, else
        float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If no voxel counts, or an image of floats has NaN or infinity.

    Notes
    -----
    The cumulated histogram, between the middles of its bins on a line: scikit-image's answer.

    Examples
    --------
    >>> equalize_hist(np.array([1, 1, 2, 9], np.uint8))
    array([0.5 , 0.5 , 0.75, 1.  ], dtype=float32)
    """
    x, give, found = take(image)
    nbins = _args.as_int(nbins, "nbins", 1, 1 << 26)
    workers = _args.as_workers(workers)
    counts, middles = _counts(x, nbins, mask, workers)
    if not counts.sum():
        raise ValueError("image must have a voxel that counts; got none")
    share = np.cumsum(counts) / counts.sum()
    return run_knots(x, give, found, out, workers, middles, share)


def match_histograms(
    image: Array,
    reference: Any,
    *,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Give an image the histogram of another.

    Parameters
    ----------
    image : array
        Image of any real type.
    reference : array
        The image whose histogram is wanted, of any shape, of the type of `image`.
    out, workers
        As in `rescale`.

    Returns
    -------
    array
        Same shape and device as `image`; float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If the images are of two types, or of one that is not listed.
    ValueError
        If an image is empty or not finite.

    Notes
    -----
    A value becomes the value of the reference that the same share of voxels does not exceed,
    between two values on a line: the exact cumulated histograms, as in scikit-image, not ITK's
    few quantiles. Images of up to 16 bits are matched by counting; others are sorted, which takes
    five volumes of memory.

    Examples
    --------
    >>> match_histograms(np.array([1, 2, 3, 3], np.uint8), np.array([10, 20, 40, 40], np.uint8))
    array([10., 20., 40., 40.], dtype=float32)
    """
    x, give, found = take(image)
    r, _, other = take(reference, "reference")
    _arrays.same_device(image=x, reference=r)
    if other != found:
        raise TypeError(f"reference must be {found}, as image is; got {other}")
    workers = _args.as_workers(workers)
    for name, a in (("image", x), ("reference", r)):
        if not a.size:
            raise ValueError(f"{name} must have a voxel; got none")
        if found.startswith("float"):
            low, high, nan, _ = extremes(as_volume(a), workers=workers)
            if nan or not np.isfinite([low, high]).all():
                raise ValueError(f"{name} must be finite; it has NaN or infinity")
    if found in (*_SMALL, "bool"):
        counts, values = _counts(x, 256, None, workers)
        wanted, brought = _counts(r, 256, None, workers)
        there = wanted > 0
        share = np.cumsum(wanted[there]) / wanted.sum()
        knots = values[counts > 0]
        matched = np.interp(np.cumsum(counts[counts > 0]) / counts.sum(), share, brought[there])
        return run_knots(x, give, found, out, workers, knots, matched)
    as_float = "float64" if found == "int32" else found
    result = _arrays.output(out, x.shape, as_float, (x,))
    answer = result
    if not _arrays.in_one_piece(result):
        answer = _arrays.empty(x.shape, as_float, x)
    volume, brought = (as_volume(a.astype(as_float, copy=False)) for a in (x, r))
    _match(volume, as_volume(answer), brought, workers=workers)
    if answer is not result:
        _arrays.assign(result, answer)
    if out is not None:
        return out
    return result if give is None else give(result)
