"""Mutual information: Mattes' with a cubic window, and plain ones from joint histograms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _args
from .._kernel import In, ListIn, ListOut, Out, Scalar, kernel, prange
from ._histogram import as_range, count_pairs, extremes
from ._moments import _example_pair, given
from ._pair import MOST_BINS, Pair, as_pair, gradient_of

# Weights are counted in integers, units of 2^-20: then the order of the voxels is nothing.
UNIT = 1048576.0
_NO_TABLE = np.empty(0)


def _place(v: float, low: float, high: float, bins: int) -> float:
    """Return where a value lies on the axis of bins; two are left free at either end."""
    scale = (bins - 4) / (high - low) if high > low else 0.0
    return (v - low) * scale + 2.0


def _parzen_bin(place: float, bins: int) -> int:
    return min(max(int(place), 2), bins - 3)


def _cubic_weight(k: int, u: float) -> float:
    """Return the cubic B-spline at ``u + 1 - k``."""
    if k == 0:
        return ((-1.0 / 6 * u + 0.5) * u + -0.5) * u + 1.0 / 6
    if k == 1:
        return ((0.5 * u + -1.0) * u + 0.0) * u + 4.0 / 6
    if k == 2:
        return ((-0.5 * u + 0.5) * u + 0.5) * u + 1.0 / 6
    return ((1.0 / 6 * u + 0.0) * u + 0.0) * u + 0.0


def _cubic_slope(k: int, u: float) -> float:
    """Return the derivative of `_cubic_weight` by u."""
    if k == 0:
        return (-0.5 * u + 1.0) * u + -0.5
    if k == 1:
        return (1.5 * u + -2.0) * u + 0.0
    if k == 2:
        return (-1.5 * u + 1.0) * u + 0.5
    return (0.5 * u + 0.0) * u + 0.0


@kernel(dtypes=_args.REAL)
def _parzen_histogram(
    fixed: In,
    moving: In,
    mask: In,
    bins: Scalar,
    fixed_low: Scalar,
    fixed_high: Scalar,
    moving_low: Scalar,
    moving_high: Scalar,
    counts: ListOut,
) -> None:
    counts[:] = 0
    for k in range(fixed.shape[0]):
        for j in range(fixed.shape[1]):
            for i in range(fixed.shape[2]):
                f, m = np.float64(fixed[k, j, i]), np.float64(moving[k, j, i])
                if (
                    (mask.size == 0 or mask[k, j, i] != 0)
                    and fixed_low <= f <= fixed_high
                    and moving_low <= m <= moving_high
                ):
                    row = _parzen_bin(_place(f, fixed_low, fixed_high, bins), bins)
                    place = _place(m, moving_low, moving_high, bins)
                    bin = _parzen_bin(place, bins)
                    for n in range(4):
                        weight = _cubic_weight(n, place - bin)
                        counts[row * bins + bin - 1 + n] += int(weight * 1048576.0 + 0.5)


def _example_window(rng: np.random.Generator) -> tuple[int, float, float, float, float]:
    return int(rng.integers(5, 40)), 1.0, 200.0, float(rng.integers(9)), 150.5


@_parzen_histogram.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    window = _example_window(rng)
    return *_example_pair(rng, shape, dtype), *window, np.zeros(window[0] ** 2, np.int64)


@_parzen_histogram.on("cuda")
def _plan_histogram(
    gpu: Any, fixed: Any, moving: Any, mask: Any, bins: int, *ends_and_counts: Any
) -> None:
    *ends, counts = ends_and_counts
    own = gpu.zeros(counts.size, np.int64)
    gpu.launch(
        f"parzen_histogram<{gpu.name_of(fixed.dtype)}>", gpu.blocks(fixed.size, 4096, 1024), 256,
        fixed, moving, given(mask), own, fixed.size, bins, *map(float, ends),
    )  # fmt: skip
    counts[...] = gpu.get(own)


@kernel(
    dtypes=_args.REAL, exact=False, rtol=1e-6, atol=1e-7, why="float32 answers are rounded once"
)
def _parzen_gradient(
    fixed: In,
    moving: In,
    mask: In,
    bins: Scalar,
    fixed_low: Scalar,
    fixed_high: Scalar,
    moving_low: Scalar,
    moving_high: Scalar,
    table: ListIn,
    factor: Scalar,
    out: Out,
) -> None:
    for k in prange(fixed.shape[0]):
        for j in range(fixed.shape[1]):
            for i in range(fixed.shape[2]):
                out[k, j, i] = 0.0
                f, m = np.float64(fixed[k, j, i]), np.float64(moving[k, j, i])
                if (
                    (mask.size == 0 or mask[k, j, i] != 0)
                    and fixed_low <= f <= fixed_high
                    and moving_low <= m <= moving_high
                ):
                    row = _parzen_bin(_place(f, fixed_low, fixed_high, bins), bins)
                    place = _place(m, moving_low, moving_high, bins)
                    bin = _parzen_bin(place, bins)
                    total = 0.0
                    for n in range(4):
                        total += _cubic_slope(n, place - bin) * table[row * bins + bin - 1 + n]
                    out[k, j, i] = factor * total


@_parzen_gradient.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    window = _example_window(rng)
    out = np.zeros(shape, _args.float_dtype(dtype))
    table = rng.standard_normal(window[0] ** 2)
    return *_example_pair(rng, shape, dtype), *window, table, 0.01, out


@_parzen_gradient.on("cuda")
def _plan_gradient(gpu: Any, fixed: Any, moving: Any, mask: Any, bins: int, *more: Any) -> None:
    *ends, table, factor, out = more
    gpu.launch(
        f"parzen_gradient<{gpu.name_of(fixed.dtype)},{gpu.name_of(out.dtype)}>",
        gpu.blocks(fixed.size), 256, fixed, moving, given(mask), gpu.put(table), out, fixed.size,
        bins, *map(float, ends), float(factor),
    )  # fmt: skip


@kernel(
    dtypes=("int64",), host=True,
    exact=False, rtol=1e-13, atol=1e-14, why="logarithms are rounded in other ways",
)  # fmt: skip
def _entropies(counts: ListIn, columns: Scalar, table: ListOut, out: ListOut) -> None:
    """Write the entropies of the rows, of the columns and of both, and log(p / p of its column).

    `out` is NaN without counts; the table is zero where there are none, and not made if empty.
    """
    total, of_columns = 0, np.zeros(columns, np.int64)
    for n in range(counts.size):
        total += counts[n]
        of_columns[n % columns] += counts[n]
    for k in range(3):
        out[k] = 0.0 if total > 0 else math.nan
    for n in range(table.size):
        table[n] = 0.0
    if total > 0:
        for j in range(counts.size // columns):
            of_row, joint = 0, 0.0
            for i in range(columns):
                count = counts[j * columns + i]
                of_row += count
                if count > 0:
                    p = count / total
                    log = math.log(p)
                    joint -= p * log
                    if table.size > 0:
                        table[j * columns + i] = log - math.log(of_columns[i] / total)
            out[0] += _surprise(of_row, total)
            out[2] += joint
        for i in range(columns):
            out[1] += _surprise(of_columns[i], total)


def _surprise(count: int, total: int) -> float:
    return -(count / total) * math.log(count / total) if count > 0 else 0.0


@_entropies.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    counts = rng.integers(-20, 40, shape).clip(0).astype(dtype).ravel()
    table = np.ones(counts.size if rng.integers(2) else 0)
    return counts, shape[-1], table, np.zeros(3)


def information(counts: Any) -> tuple[float, Any]:
    """Return the mutual information of a joint histogram in nats, and log(p / p of its column).

    The table is what the derivative by the moving values needs; it is zero where p is.
    """
    table = np.empty(counts.shape)
    of_rows, of_columns, of_both = _entropies_of(counts, table.reshape(-1))
    return of_rows + of_columns - of_both, table


def _not_negative(value: float) -> float:
    """Return the value without what rounding took of it; NaN stays."""
    return 0.0 if value < 0 else value


def _entropies_of(counts: Any, table: Any = _NO_TABLE) -> tuple[float, float, float]:
    """Return the entropies of a joint histogram's rows, of its columns, and of both together."""
    found = np.empty(3)
    _entropies(counts.reshape(-1), counts.shape[1], table, found)
    of_rows, of_columns, of_both = found.tolist()
    return of_rows, of_columns, of_both


def mutual_information(
    fixed: Any,
    moving: Any,
    *,
    bins: int = 32,
    parzen: bool = True,
    fixed_range: Any = None,
    moving_range: Any = None,
    mask: Any = None,
    gradient: bool = False,
    workers: int | None = None,
) -> Any:
    """How much one image tells of the other, in nats; 0 for independent ones.

    Parameters
    ----------
    fixed, moving : array
        Images of one shape, of any real type.
    bins : int
        Bins for either image; at least 5 with `parzen`.
    parzen : bool
        Spread each moving value over four bins under a cubic B-spline, which makes the value
        smooth (Mattes, as in ITK). Else count pairs in a plain joint histogram.
    fixed_range, moving_range : tuple of float, optional
        From where to where the bins reach; left out, the extremes of the voxels that count.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count.
    gradient : bool
        Return the derivative by the moving image's voxels, too; with `parzen` only.
    workers : int, optional
        Threads to use.

    Returns
    -------
    value : float
        The same bits for any number of threads.
    gradient : array
        With ``gradient=True``: the derivative by each voxel of `moving` for fixed ranges, zero for
        voxels that do not count. float32, or float64 for images of int32 or float64.

    Raises
    ------
    ValueError
        If the shapes differ, or a range is left out where an image is infinite.

    Notes
    -----
    ``sum(p log(p / (p_fixed p_moving)))`` over the joint histogram. ITK's metric is minus this: of
    `bins` on either axis two at either end stay free for the window; the fixed value counts in one
    bin. Weights are counted in units of 2^-20, so the value is off by about a millionth. Voxels
    with a value outside its range, or with NaN, are left out. A constant image tells nothing: 0.
    Without voxels the value is NaN.

    References
    ----------
    .. [1] Mattes et al., "PET-CT image registration in the chest using free-form deformations",
       IEEE Transactions on Medical Imaging 22:120-128, 2003. https://doi.org/10.1109/TMI.2003.809072
    .. [2] Thevenaz and Unser, "Optimization of mutual information for multiresolution image
       registration", IEEE Transactions on Image Processing 9:2083-2099, 2000.
       https://doi.org/10.1109/83.887976

    Examples
    --------
    >>> x = np.arange(4.0)
    >>> round(mutual_information(x, 5 - 2 * x, bins=4, parzen=False), 6)  # log(4)
    1.386294
    """
    if gradient and not parzen:
        raise ValueError("gradient must be False without parzen: counts have no derivative")
    pair, workers = as_pair(fixed, moving, mask), _args.as_workers(workers)
    window, counts = _counted(pair, bins, parzen, fixed_range, moving_range, workers)
    if not gradient:
        of_rows, of_columns, of_both = _entropies_of(counts)
        return _not_negative(of_rows + of_columns - of_both)
    value, table = information(counts)
    bins, *_, low, high = window
    samples = counts.sum() / UNIT
    factor = (bins - 4) / (high - low) / samples if high > low and samples else 0.0
    return _not_negative(value), gradient_of(
        pair,
        lambda out: _parzen_gradient(
            *pair[:3], *window, table.ravel(), factor, out, workers=workers
        ),
    )


def _counted(
    pair: Pair, bins: Any, parzen: bool, fixed_range: Any, moving_range: Any, workers: int | None
) -> tuple[tuple[Any, ...], Any]:
    """Return a joint histogram, and for one with windows the bins and where they reach."""
    bins = _args.as_int(bins, "bins", 5 if parzen else 1, MOST_BINS)
    if not parzen:
        return (), count_pairs(pair, bins, bins, fixed_range, moving_range, workers)[0]
    ends = _ends("fixed", pair.fixed, pair.mask, fixed_range, workers)
    window = bins, *ends, *_ends("moving", pair.moving, pair.mask, moving_range, workers)
    counts = np.zeros(bins * bins, np.int64)
    if pair.fixed.size:
        _parzen_histogram(*pair[:3], *window, counts, workers=workers)
    return window, counts.reshape(bins, bins)


def _ends(name: str, x: Any, mask: Any, given: Any, workers: int | None) -> tuple[float, float]:
    """Return the range that was given, or that of the voxels that count."""
    if given is not None:
        return as_range(given, f"{name}_range")
    low, high, _, _ = extremes(x, mask, workers)
    if low == -math.inf or high == math.inf:
        raise ValueError(f"{name} must not be infinite where {name}_range is None")
    return (low, high) if low <= high else (0.0, 0.0)


def normalized_mutual_information(
    fixed: Any,
    moving: Any,
    *,
    bins: int = 100,
    parzen: bool = False,
    fixed_range: Any = None,
    moving_range: Any = None,
    mask: Any = None,
    workers: int | None = None,
) -> float:
    """Studholme's normalised mutual information: from 1 for independent images to 2 for equal ones.

    Parameters
    ----------
    fixed, moving : array
        Images of one shape, of any real type.
    bins : int
        Bins for either image; at least 5 with `parzen`.
    parzen : bool
        Spread each moving value over four bins under a cubic B-spline; then equal images reach less
        than 2.
    fixed_range, moving_range : tuple of float, optional
        From where to where the bins reach; left out, the extremes of the voxels that count.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count.
    workers : int, optional
        Threads to use.

    Returns
    -------
    float
        ``(H(fixed) + H(moving)) / H(fixed, moving)`` with entropies of the joint histogram; the
        same bits for any number of threads.

    Raises
    ------
    ValueError
        If the shapes differ, or a range is left out where an image has NaN or infinity.

    Notes
    -----
    As in scikit-image, where it has the same name. Two constant images have no entropy: NaN.

    References
    ----------
    .. [1] Studholme, Hill and Hawkes, "An overlap invariant entropy measure of 3D medical image
       alignment", Pattern Recognition 32:71-86, 1999. https://doi.org/10.1016/S0031-3203(98)00091-0

    Examples
    --------
    >>> x = np.array([1, 2, 3, 4])
    >>> normalized_mutual_information(x, 5 - x)
    2.0
    """
    pair, workers = as_pair(fixed, moving, mask), _args.as_workers(workers)
    _, counts = _counted(pair, bins, parzen, fixed_range, moving_range, workers)
    of_fixed, of_moving, of_both = _entropies_of(counts)
    return (of_fixed + of_moving) / of_both if of_both > 0 else math.nan
