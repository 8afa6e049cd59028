"""One level of a discrete wavelet transform, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import REFLECT, inside
from .._kernel import In, ListIn, ListOut, Out, Scalar, kernel, prange
from ..metrics import percentile

# The median size of numbers from a normal distribution of deviation 1.
_MEDIAN = 0.6744897501960817
_WHY = "float32 images are summed in float32"


@kernel(dtypes=_args.REAL, exact=False, atol=2e-6, why=_WHY)
def _dwt(x: In, y: Out, low: ListIn, high: ListIn, axes: Scalar, power: ListOut) -> None:
    # The last `axes` axes split into a low pass, unless there is none, and a high pass behind it.
    a = np.empty((y.shape[0], x.shape[1], x.shape[2]), y.dtype)
    b = np.empty((y.shape[0], y.shape[1], x.shape[2]), y.dtype)
    _split(x, a, low, high, 0, axes > 2)
    _split(a, b, low, high, 1, axes > 1)
    _split(b, y, low, high, 2, True)
    parts = 2 if low.size > 0 else 1
    nz = y.shape[0] // (parts if axes > 2 else 1)
    ny = y.shape[1] // (parts if axes > 1 else 1)
    nx = y.shape[2] // parts
    for band in prange(power.size):  # high along z, y and x: 4, 2 and 1
        z, j0, i0 = band // 4 * nz, band // 2 % 2 * ny, band % 2 * nx
        total = 0.0
        for k in range(z, min(z + nz, y.shape[0])):
            for j in range(j0, min(j0 + ny, y.shape[1])):
                for i in range(i0, min(i0 + nx, y.shape[2])):
                    total += float(y[k, j, i]) * float(y[k, j, i])
        power[band] = total


def _split(x: Any, y: Any, low: Any, high: Any, axis: int, on: bool) -> None:
    n, m = x.shape[axis], y.shape[axis] // 2 if low.size > 0 else 0
    for k in prange(y.shape[0]):
        for j in range(y.shape[1]):
            for i in range(y.shape[2]):
                at: Any = np.int64((k, j, i)[axis])
                if not on:
                    y[k, j, i] = x[k, j, i]
                else:
                    w = high if at >= m else low
                    first = 2 * (at - m if at >= m else at) + 1
                    total = 0.0
                    for t in range(w.size):
                        total += w[t] * _voxel(x, k, j, i, axis, inside(first - t, n, REFLECT))
                    y[k, j, i] = total


def _voxel(x: Any, k: int, j: int, i: int, axis: int, at: int) -> float:
    """Return the voxel at another place along one axis."""
    if axis == 0:
        return float(x[at, j, i])
    return float(x[k, at, i]) if axis == 1 else float(x[k, j, at])


@kernel(dtypes=_args.FLOAT, exact=False, atol=2e-6, why=_WHY)
def _idwt(
    x: In, y: Out, low: ListIn, high: ListIn, axes: Scalar, limits: ListIn, hard: Scalar
) -> None:
    # `limits` has one for each band as `power` has, or none.
    a = np.empty(x.shape, x.dtype)
    b = np.empty((y.shape[0], x.shape[1], x.shape[2]), x.dtype)
    c = np.empty((y.shape[0], y.shape[1], x.shape[2]), x.dtype)
    _shrink(x, a, axes, limits, hard)
    _join(a, b, low, high, 0, axes > 2)
    _join(b, c, low, high, 1, axes > 1)
    _join(c, y, low, high, 2, True)


def _shrink(x: Any, y: Any, axes: int, limits: Any, hard: int) -> None:
    nz, ny, nx = x.shape
    for k in prange(nz):
        for j in range(ny):
            for i in range(nx):
                band = 1 if 2 * i >= nx else 0
                if axes > 1 and 2 * j >= ny:
                    band += 2
                if axes > 2 and 2 * k >= nz:
                    band += 4
                value, limit = float(x[k, j, i]), limits[band] if limits.size > 0 else 0.0
                if abs(value) < limit:
                    value = 0.0
                elif limit > 0 and not hard:
                    value += limit if value < 0 else -limit
                y[k, j, i] = value


def _join(x: Any, y: Any, low: Any, high: Any, axis: int, on: bool) -> None:
    half, m = low.size // 2, x.shape[axis] // 2
    for k in prange(y.shape[0]):
        for j in range(y.shape[1]):
            for i in range(y.shape[2]):
                at: Any = np.int64((k, j, i)[axis])
                if not on:
                    y[k, j, i] = x[k, j, i]
                else:
                    total = 0.0
                    for t in range(half):
                        from_low = at // 2 + half - 1 - t
                        total += low[2 * t + at % 2] * _voxel(x, k, j, i, axis, from_low)
                        total += high[2 * t + at % 2] * _voxel(x, k, j, i, axis, from_low + m)
                    y[k, j, i] = total


@_dwt.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (rng.normal(0, 50, shape) if dtype[0] == "f" else rng.integers(0, 99, shape)).astype(dtype)
    low, high = _pair(rng)
    axes = int(rng.integers(1, 4))
    if rng.random() < 0.3:
        low = low[:0]
    real = "float64" if rng.random() < 0.3 else _args.float_dtype(dtype)
    bands = split_shape(shape, high.size, axes, 2 if low.size else 1)
    return x, np.zeros(bands, real), low, high, axes, np.zeros(8 * int(rng.integers(2)))


@_idwt.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    low, high = _pair(rng)
    axes = int(rng.integers(1, 4))
    x = rng.standard_normal(split_shape(shape, high.size, axes)).astype(dtype)
    limits = rng.choice([0, 0.5, 2], 8 * int(rng.integers(2))).astype(float)
    return x, np.zeros(shape, dtype), low, high, axes, limits, int(rng.integers(2))


def _pair(rng: np.random.Generator) -> Any:
    return rng.standard_normal((2, 2 * int(rng.integers(1, 4))))


def split_shape(shape: Any, taps: int, axes: int, parts: int = 2) -> tuple[int, ...]:
    """Return the shape of all bands of a volume, side by side as `_dwt` writes them."""
    return tuple(parts * ((n + taps - 1) // 2) if a >= 3 - axes else n for a, n in enumerate(shape))


def band_of(bands: Any, axes: int, band: int) -> Any:
    """Return one of the bands of the last axes: those high along z, y and x have 4, 2 and 1."""
    at = [slice(None)] * 3
    for a in range(3 - axes, 3):
        half = bands.shape[a] // 2
        at[a] = slice(half, None) if band >> (2 - a) & 1 else slice(half)
    return bands[tuple(at)]


def decompose(
    volume: Any, bank: Any, axes: int, depth: int, dtype: Any, workers: int | None
) -> tuple[list[Any], list[Any]]:
    """Return all bands of some levels, the finest first, and the sums of squares of each."""
    low, high, _, _ = (np.array(taps) for taps in bank.filter_bank)
    pyramid, powers = [], []
    for _ in range(depth):
        bands = _arrays.empty(split_shape(volume.shape, bank.dec_len, axes), dtype)
        power = np.empty(8)
        _dwt(volume, bands, low, high, axes, power, workers=workers)
        pyramid.append(bands)
        powers.append(power)
        volume = band_of(bands, axes, 0)
    return pyramid, powers


def compose(
    pyramid: list[Any], bank: Any, axes: int, limits: Any, hard: bool, answer: Any,
    workers: int | None,
) -> None:  # fmt: skip
    """Put the coarsest level together, into the low band of the one before it or the answer."""
    _, _, low, high = (np.array(taps) for taps in bank.filter_bank)
    bands = pyramid.pop()
    target = band_of(pyramid[-1], axes, 0) if pyramid else answer
    _idwt(bands, target, low, high, axes, limits, int(hard), workers=workers)


def noise_of(sizes: Any, least: float, workers: int | None) -> float:
    """Return the deviation of noise by the sizes of its details, of those above `least`."""
    there = sizes[sizes > least]
    return percentile(there, 50, workers=workers) / _MEDIAN if there.size else 0.0
