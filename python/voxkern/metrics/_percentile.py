"""Exact percentiles without sorting: counts of ever lower bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args
from .._kernel import In, ListIn, ListOut, Scalar, kernel
from ._histogram import ordered
from ._moments import given
from ._pair import EVERYWHERE, as_image, as_mask, as_volume

_VALUES = 1 << 16
_MOST = 8  # prefixes that are looked at in one pass
_FEW = 1 << 12  # numbers that are sooner sorted


@kernel(dtypes=("uint8", "int16", "uint16", "int32", "int64"))
def _digits(
    x: In, mask: In, prefixes: ListIn, shift: Scalar, lowest: Scalar, floats: Scalar,
    counts: ListOut,
) -> None:  # fmt: skip
    rest = (1 << 63) - 1 if x.itemsize == 8 else (1 << 31) - 1
    infinite = 0x7FF0000000000000 if x.itemsize == 8 else 0x7F800000
    counts[:] = 0
    for k in range(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                if mask.size != 0 and mask[k, j, i] == 0:
                    continue
                v = np.int64(x[k, j, i])
                if floats != 0:
                    if (v & rest) > infinite:
                        continue
                    if v < 0:
                        v ^= rest
                if prefixes.size == 0:
                    counts[(v >> shift) - lowest] += 1
                for s in range(prefixes.size):
                    if prefixes[s] == v >> (shift + 16):
                        counts[s * 65536 + ((v >> shift) & 65535)] += 1


@_digits.on("cuda")
def _plan(
    gpu: Any, x: Any, mask: Any, prefixes: Any, shift: int, lowest: int, floats: int, counts: Any
) -> None:
    own = gpu.zeros(counts.size, np.int64)
    gpu.launch(
        f"digits<{gpu.name_of(x.dtype)}>", gpu.blocks(x.size, 1024, 4096), 256, x, given(mask),
        gpu.put(prefixes) if prefixes.size else None, prefixes.size, shift, lowest, floats, own,
        x.size,
    )  # fmt: skip
    counts[...] = gpu.get(own)


@_digits.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    mask = rng.integers(0, 2, shape).astype(np.uint8) if rng.integers(2) else EVERYWHERE
    size = np.dtype(dtype).itemsize
    if size <= 2:
        ends = np.iinfo(dtype)
        x = rng.integers(ends.min, ends.max, shape, dtype, endpoint=True)
        none = np.empty(0, np.int64)
        return x, mask, none, 0, int(ends.min), 0, np.zeros(_VALUES, np.int64)
    kind = np.float32 if size == 4 else np.float64
    x = rng.standard_normal(shape).round(1).astype(kind)
    x[rng.random(shape) < 0.1] = np.nan
    x[rng.random(shape) < 0.1] *= -1
    shift = 8 * size - 16
    if rng.integers(2):
        none = np.empty(0, np.int64)
        return x.view(dtype), mask, none, shift, -32768, 1, np.zeros(_VALUES, np.int64)
    bits = np.array([0.1, -0.5, 1.2], kind).view(dtype).astype(np.int64)
    bits = np.where(bits < 0, bits ^ np.iinfo(dtype).max, bits)
    prefixes = bits >> shift
    return x.view(dtype), mask, prefixes, shift - 16, 0, 1, np.zeros(3 * _VALUES, np.int64)


class _Numbers:
    """An image whose numbers are found by rank."""

    def __init__(self, volume: Any, mask: Any, workers: int | None) -> None:
        self.dtype = np.dtype(_args.dtype_name(volume))
        self.floats = int(self.dtype.kind == "f")
        self.whole = np.dtype(f"int{8 * self.dtype.itemsize}") if self.floats else self.dtype
        self.x = volume.view(self.whole) if self.floats else volume
        self.mask, self.workers = mask, workers
        self.shift = max(0, 8 * self.dtype.itemsize - 16)
        self.lowest = int(np.iinfo(self.whole).min) >> self.shift
        self.first = self._count(np.empty(0, np.int64), self.shift, self.lowest)[0]
        self.count = int(self.first.sum())

    def _count(self, prefixes: Any, shift: int, lowest: int) -> Any:
        counts = np.zeros(_VALUES * max(1, prefixes.size), np.int64)
        _digits(
            self.x, self.mask, prefixes, shift, lowest, self.floats, counts, workers=self.workers
        )
        return counts.reshape(-1, _VALUES)

    def at(self, ranks: Any) -> Any:
        """Return the numbers of these ranks as float64."""
        upto = np.cumsum(self.first)
        digit = np.searchsorted(upto, ranks, "right")
        below = ranks - (upto[digit] - self.first[digit])
        found, shift = digit + self.lowest, self.shift
        while shift:
            shift -= 16
            wanted, which = np.unique(found, return_inverse=True)
            digit = np.empty_like(found)
            for start in range(0, wanted.size, _MOST):
                counts = self._count(wanted[start : start + _MOST], shift, 0)
                for n in range(len(counts)):
                    here = which == start + n
                    upto = np.cumsum(counts[n])
                    digit[here] = np.searchsorted(upto, below[here], "right")
                    below[here] -= upto[digit[here]] - counts[n][digit[here]]
            found = (found << 16) + digit
        if not self.floats:
            return found.astype(np.float64)
        bits = np.where(found < 0, found ^ np.iinfo(self.whole).max, found)
        return bits.astype(self.whole).view(self.dtype).astype(np.float64)


class _FewNumbers:
    """The same of a small image in NumPy: sorted, in the order of their bits."""

    def __init__(self, volume: Any, mask: Any) -> None:
        values = (volume[mask != 0] if mask.size else volume.ravel()).astype(np.float64)
        keys = ordered(values[values == values])
        keys.sort()
        self.values, self.count = ordered(keys).view(np.float64), keys.size

    def at(self, ranks: Any) -> Any:
        """Return the numbers of these ranks."""
        return self.values[ranks]


def _numbers(volume: Any, mask: Any, workers: int | None) -> Any:
    if type(volume) is np.ndarray and volume.size <= _FEW:
        return _FewNumbers(volume, mask)
    return _Numbers(volume, mask, workers)


def percentile(image: Any, q: Any, *, mask: Any = None, workers: int | None = None) -> Any:
    """Percentiles of the voxels, exact and without sorting them.

    Parameters
    ----------
    image : array
        Of bool or any real type.
    q : float or sequence of float
        Which percentiles, from 0 to 100.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count.
    workers : int, optional
        Threads to use.

    Returns
    -------
    float or ndarray of float64, as `q` is

    Raises
    ------
    ValueError
        If a percentile does not lie in [0, 100], or no number counts.

    Notes
    -----
    ``numpy.percentile`` of the voxels as float64, between two ranks on a line. NaN does not count,
    as in ``numpy.nanpercentile``. The numbers of given ranks are found 16 bits at a time, each by
    counting: two passes over float32, however many percentiles up to eight are asked for. A few
    thousand are sorted.

    Examples
    --------
    >>> percentile(np.array([3.0, 1.0, 2.0, 10.0]), [0, 50, 100])
    array([ 1. ,  2.5, 10. ])
    """
    x, _ = as_image(image, "image")
    inside = as_mask(mask, x.shape, x)
    wanted = _args.as_numbers(q, "q")
    if wanted.ndim > 1 or not ((wanted >= 0) & (wanted <= 100)).all():
        raise ValueError(f"q must be numbers between 0 and 100; got {q!r}")
    workers = _args.as_workers(workers)
    numbers = _numbers(as_volume(x), inside, workers) if x.size else None
    if numbers is None or not numbers.count:
        raise ValueError("image must have a number that counts; got none")
    place = wanted.ravel() / 100 * (numbers.count - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, numbers.count - 1)
    a, b = numbers.at(np.concatenate([low, high])).reshape(2, -1)
    with np.errstate(invalid="ignore"):  # between infinities
        part, step = place - low, b - a
        found = np.where(part < 0.5, a + step * part, b - step * (1 - part))
    found = np.where((a == b) | (part == 0), a, found)
    return found if wanted.ndim else float(found[0])
