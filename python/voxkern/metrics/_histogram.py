"""Extremes, histograms and joint histograms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _args
from .._kernel import In, ListIn, ListOut, kernel
from ._moments import _example_pair, given
from ._pair import EVERYWHERE, MOST_BINS, as_image, as_mask, as_pair, as_volume

_FEW = 1 << 12  # voxels, or bins
_MOST = 1 << 26  # bins
_NO_EDGES = np.empty(0), np.empty(0, np.float32)
_KEPT: dict[Any, Any] = {}
_NUMPY_2 = np.__version__.startswith("2.")


@kernel(dtypes=_args.REAL)
def _extremes(x: In, mask: In, out: ListOut, edges: ListOut) -> None:
    """Write the extremes, and NumPy's even edges between them.

    `out[4]` is 0 where the edges are left as they are: none are wanted, or rounding may join two.
    """
    low, high, nan, count = math.inf, -math.inf, 0.0, 0.0
    for k in range(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                if mask.size == 0 or mask[k, j, i] != 0:
                    v = np.float64(x[k, j, i])
                    low = v if v < low else low
                    high = v if v > high else high
                    nan = 1.0 if v != v else nan
                    count += 1.0
    out[0], out[1], out[2], out[3] = low, high, nan, count
    out[4] = _part(float(low), float(high), edges)


def _part(low: float, high: float, edges: Any) -> float:
    """Fill in even edges, each step rounded to their type, and return 1; 0 where they may meet."""
    bins, eps = edges.size - 1, 2.0 ** (-23 if edges.itemsize == 4 else -52)
    least = 8 * eps * bins * max(abs(low), abs(high))  # edges are off by half of this at most
    if not (bins > 0 and max(least, 1e-30) < high - low < 1e38):
        return 0.0
    edges[0] = high - low
    edges[0] /= bins
    step = edges[0]
    edges[:] = np.arange(edges.size)
    edges *= step
    edges += low
    edges[bins] = high
    return 1.0


@_extremes.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x, _, mask = _example_pair(rng, shape, dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.1] = np.nan
    edges = _room(x.dtype, int(rng.choice([0, 2, 33])))
    edges[:] = 0
    return x, mask, np.zeros(5), edges


@_extremes.on("cuda")
def _plan_extremes(gpu: Any, x: Any, mask: Any, out: Any, edges: Any) -> None:
    start = np.concatenate([ordered(np.array([math.inf, -math.inf])), [0, 0]])
    found = gpu.put(np.concatenate([start, start]))
    name = f"extremes<{gpu.name_of(x.dtype)}>"
    gpu.launch(name, gpu.blocks(x.size, 2048, 1024), 256, x, given(mask), found, x.size)
    keys = gpu.get(found)
    out[:2] = ordered(keys[:2]).view(np.float64)
    out[2], out[3] = float(keys[2] > 0), keys[3]
    out[4] = _part(float(out[0]), float(out[1]), edges)


def _room(dtype: Any, size: int) -> Any:
    """Return room for edges: of single precision where the image is."""
    return np.empty(size, np.float32 if dtype == np.float32 else np.float64)


def ordered(numbers: Any) -> Any:
    """Return floats as integers in the same order; the same again brings their bits back."""
    bits = numbers.view(np.int64)
    return bits ^ ((bits >> 63) & np.int64(2**63 - 1))


def _bin_of(v: float, edges: Any) -> int:
    """Return the bin of a value, -1 outside; the last bin has its upper edge in it."""
    bins = edges.size - 1
    if not (v >= edges[0] and v <= edges[bins]):
        return -1
    return min(int(np.searchsorted(edges, v, "right")) - 1, bins - 1)


@kernel(dtypes=_args.REAL)
def _histogram(x: In, mask: In, edges: ListIn, counts: ListOut) -> None:
    counts[:] = 0
    for k in range(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                if mask.size == 0 or mask[k, j, i] != 0:
                    bin = _bin_of(np.float64(x[k, j, i]), edges)
                    if bin >= 0:
                        counts[bin] += 1


@_histogram.on("cuda")
def _plan_histogram(gpu: Any, x: Any, mask: Any, edges: Any, counts: Any) -> None:
    own = gpu.zeros(counts.size, np.int64)
    gpu.launch(
        f"histogram<{gpu.name_of(x.dtype)}>", gpu.blocks(x.size, 2048, 1024), 256,
        x, given(mask), gpu.put(edges), own, x.size, counts.size,
    )  # fmt: skip
    counts[...] = gpu.get(own)


def _example_edges(rng: np.random.Generator) -> Any:
    even = np.linspace(5, 150, int(rng.integers(2, 40)))
    return even if rng.integers(2) else np.unique((even**2 / 150).round(1))


@_histogram.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x, _, mask = _example_pair(rng, shape, dtype)
    edges = _example_edges(rng)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.1] = np.nan
        x[rng.random(shape) < 0.3] = rng.choice(edges)
    return x, mask, edges, np.zeros(edges.size - 1, np.int64)


@kernel(dtypes=_args.REAL)
def _joint_histogram(
    a: In, b: In, mask: In, a_edges: ListIn, b_edges: ListIn, counts: ListOut
) -> None:
    counts[:] = 0
    for k in range(a.shape[0]):
        for j in range(a.shape[1]):
            for i in range(a.shape[2]):
                if mask.size == 0 or mask[k, j, i] != 0:
                    p = _bin_of(np.float64(a[k, j, i]), a_edges)
                    q = _bin_of(np.float64(b[k, j, i]), b_edges)
                    if p >= 0 and q >= 0:
                        counts[p * (b_edges.size - 1) + q] += 1


@_joint_histogram.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    a_edges, b_edges = _example_edges(rng), _example_edges(rng)
    counts = np.zeros((a_edges.size - 1) * (b_edges.size - 1), np.int64)
    return *_example_pair(rng, shape, dtype), a_edges, b_edges, counts


@_joint_histogram.on("cuda")
def _plan_joint(
    gpu: Any, a: Any, b: Any, mask: Any, a_edges: Any, b_edges: Any, counts: Any
) -> None:
    own = gpu.zeros(counts.size, np.int64)
    gpu.launch(
        f"joint_histogram<{gpu.name_of(a.dtype)}>", gpu.blocks(a.size, 2048, 1024), 256,
        a, b, given(mask), gpu.put(a_edges), gpu.put(b_edges), own, a.size,
        a_edges.size - 1, b_edges.size - 1,
    )  # fmt: skip
    counts[...] = gpu.get(own)


def extremes(volume: Any, mask: Any = EVERYWHERE, workers: int | None = None) -> Any:
    """Return the smallest and largest number, whether there is a NaN, and how many voxels count."""
    no_edges = _NO_EDGES[volume.dtype == np.float32]
    low, high, nan, count, _ = _look(volume, mask, no_edges, workers)
    return low, high, nan > 0, int(count)


def _look(volume: Any, mask: Any, edges: Any, workers: int | None) -> list[float]:
    if not volume.size:
        return [math.inf, -math.inf, 0.0, 0.0, 0.0]
    out = np.empty(5)
    _extremes(volume, mask, out, edges, workers=workers)
    found: list[float] = out.tolist()
    return found


def bin_edges(
    volume: Any, mask: Any, bins: int, range: Any, name: str, workers: int | None,
    span: str = "range",
) -> tuple[Any, Any]:  # fmt: skip
    """Return NumPy's edges for an image, in its type and in float64.

    Without a range it is that of the voxels.
    """
    dtype = volume.dtype
    if range is not None:
        low, high = as_range(range, span)
        if bins <= _FEW:
            return _fixed_edges(low, high, bins, dtype, name, span)
        edges = _even_edges(np.zeros(0, dtype), bins, (low, high), (low, high), name, span)
        return edges, edges.astype(np.float64)
    edges = _room(dtype, bins + 1 if bins <= _FEW and _NUMPY_2 else 0)
    low, high, nan, count, even = _look(volume, mask, edges, workers)
    finite = not nan and (even or not count or (math.isfinite(low) and math.isfinite(high)))
    if not finite:
        raise ValueError(f"{name} must be finite where {span} is None; it has NaN or infinity")
    if not even:
        ends = np.array([low, high] if count else [], dtype)
        edges = _even_edges(ends, bins, None, (low, high), name, span)
    return edges, edges.astype(np.float64)


def _even_edges(ends: Any, bins: int, range: Any, found: Any, name: str, span: str) -> Any:
    try:
        return np.histogram_bin_edges(ends, bins, range)
    except ValueError:
        raise ValueError(
            f"{name} or {span} must span what {ends.dtype} can part into {bins} bins; "
            f"got {found[0]} to {found[1]}"
        ) from None


def _fixed_edges(
    low: float, high: float, bins: int, dtype: Any, name: str, span: str
) -> tuple[Any, Any]:
    """Return the edges of a range that was given; those of the last calls are remembered."""
    key = (low, math.copysign(1, low), high, math.copysign(1, high), bins, dtype)
    kept = _KEPT.get(key)
    if kept is None:
        edges = _even_edges(np.zeros(0, dtype), bins, (low, high), (low, high), name, span)
        if len(_KEPT) >= 16:
            _KEPT.clear()
        kept = _KEPT[key] = edges, edges.astype(np.float64)
    return kept[0].copy(), kept[1]


def _as_edges(bins: Any) -> Any:
    """Return rising edges in float64."""
    edges = _args.as_numbers(bins, "bins")
    if edges.ndim != 1 or edges.size < 2 or not (edges[1:] >= edges[:-1]).all():
        raise ValueError(f"bins must be a number or at least two rising edges; got {bins!r}")
    return edges


def as_range(range: Any, name: str) -> tuple[float, float]:
    """Return two rising finite numbers."""
    try:
        low, high = range
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be two numbers; got {range!r}") from None
    low, high = _args.as_float(low, name), _args.as_float(high, name)
    if low > high:
        raise ValueError(f"{name} must rise; got {range!r}")
    return low, high


def histogram(
    image: Any,
    bins: Any = 256,
    range: Any = None,
    *,
    mask: Any = None,
    workers: int | None = None,
) -> tuple[Any, Any]:
    """Count the voxels in bins of intensity.

    Parameters
    ----------
    image : array
        Of any real type.
    bins : int or sequence of float
        How many bins of one width, or the edges of the bins, rising.
    range : tuple of float, optional
        From where to where; left out, the smallest and the largest voxel that counts.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count.
    workers : int, optional
        Threads to use.

    Returns
    -------
    counts : ndarray of int64, shape (bins,)
        In NumPy, wherever the image is.
    edges : ndarray, shape (bins + 1,)

    Raises
    ------
    ValueError
        If the range is left out and the image has NaN or infinity.

    Notes
    -----
    Both answers are those of ``numpy.histogram``, bit by bit: a value on an edge belongs to the bin
    above it, the last edge to the last bin. Values outside the range and NaN are not counted.

    Examples
    --------
    >>> counts, edges = histogram(np.array([0, 1, 1, 2, 4]), bins=2)
    >>> counts, edges
    (array([3, 2]), array([0., 2., 4.]))
    """
    x, _ = as_image(image, "image")
    inside = as_mask(mask, x.shape, x)
    workers = _args.as_workers(workers)
    volume = as_volume(x)
    if isinstance(bins, (int, np.integer)):
        bins = _args.as_int(bins, "bins", 1, _MOST)
        if range is None and _is_narrow(volume):
            return _of_values(volume, inside, bins, workers)
        edges, exact = bin_edges(volume, inside, bins, range, "image", workers)
    else:
        edges, exact = np.asarray(bins), _as_edges(bins)
    counts = np.zeros(edges.size - 1, np.int64)
    if volume.size:
        _histogram(volume, inside, exact, counts, workers=workers)
    return counts, edges


def _is_narrow(volume: Any) -> bool:
    """Return whether it is quicker to count all values than to look for the range first."""
    return bool(volume.dtype.itemsize == 1 and volume.size > _FEW)


def _of_values(volume: Any, mask: Any, bins: int, workers: int | None) -> tuple[Any, Any]:
    """Return the histogram of bytes over their own range, from the counts of all values."""
    each = np.zeros(256, np.int64)
    _histogram(volume, mask, np.arange(257.0), each, workers=workers)
    values = np.flatnonzero(each).astype(np.uint8)
    edges, _ = bin_edges(as_volume(values), EVERYWHERE, bins, None, "image", workers)
    place = np.searchsorted(edges, values, "right") - 1
    counts = np.bincount(np.minimum(place, bins - 1), each[values], bins)
    return counts.astype(np.int64), edges


def joint_histogram(
    fixed: Any,
    moving: Any,
    bins: Any = 32,
    *,
    fixed_range: Any = None,
    moving_range: Any = None,
    mask: Any = None,
    workers: int | None = None,
) -> tuple[Any, Any, Any]:
    """Count the pairs of intensities that two images have at the same voxels.

    Parameters
    ----------
    fixed, moving : array
        Images of one shape, of any real type.
    bins : int or tuple of two int
        Bins for either image, or for each.
    fixed_range, moving_range : tuple of float, optional
        From where to where; left out, the smallest and the largest voxel that counts.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count.
    workers : int, optional
        Threads to use.

    Returns
    -------
    counts : ndarray of int64, shape (bins of fixed, bins of moving)
    fixed_edges, moving_edges : ndarray

    Raises
    ------
    ValueError
        If the shapes differ, or a range is left out where an image has NaN or infinity.

    Notes
    -----
    The answer of ``numpy.histogram2d`` for the same edges. Pairs with a value outside its range, or
    with NaN, are not counted.

    Examples
    --------
    >>> joint_histogram(np.array([0, 0, 1, 1]), np.array([5, 5, 5, 9]), bins=2)[0]
    array([[2, 0],
           [1, 1]])
    """
    pair, workers = as_pair(fixed, moving, mask), _args.as_workers(workers)
    rows, columns = (_args.as_int(b, "bins", 1, MOST_BINS) for b in _args.per_axis(bins, 2, "bins"))
    return count_pairs(pair, rows, columns, fixed_range, moving_range, workers)


def count_pairs(
    pair: Any, rows: int, columns: int, fixed_range: Any, moving_range: Any, workers: int | None
) -> tuple[Any, Any, Any]:
    """Return the joint histogram of a pair made ready, and the edges."""
    fixed, moving, mask, *_ = pair
    f_edges, f = bin_edges(fixed, mask, rows, fixed_range, "fixed", workers, "fixed_range")
    m_edges, m = bin_edges(moving, mask, columns, moving_range, "moving", workers, "moving_range")
    if not fixed.size:
        return np.zeros((rows, columns), np.int64), f_edges, m_edges
    counts = np.empty(rows * columns, np.int64)
    _joint_histogram(fixed, moving, mask, f, m, counts, workers=workers)
    return counts.reshape(rows, columns), f_edges, m_edges
