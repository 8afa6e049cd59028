"""Sums over pairs of voxels: squared differences, correlation, and their gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListOut, Out, Scalar, kernel, prange
from ._pair import EVERYWHERE, Pair, as_pair, gradient_of

_ORDER = "lanes and blocks are added up in an order of their own"


@kernel(dtypes=_args.REAL, exact=False, rtol=1e-13, atol=1e-15, why=_ORDER)
def _square_differences(a: In, b: In, mask: In, sums: ListOut) -> None:
    part = np.zeros((a.shape[0], 2))
    for k in prange(a.shape[0]):
        for j in range(a.shape[1]):
            for i in range(a.shape[2]):
                if mask.size == 0 or mask[k, j, i] != 0:
                    d = np.float64(a[k, j, i]) - np.float64(b[k, j, i])
                    part[k, 0] += 1.0
                    part[k, 1] += d * d
    for n in range(2):
        sums[n] = np.sum(part[:, n])


@_square_differences.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    return *_example_pair(rng, shape, dtype), np.zeros(2)


@_square_differences.on("cuda")
def _plan_squares(gpu: Any, a: Any, b: Any, mask: Any, sums: Any) -> None:
    blocks = parts_of(a.size)
    parts = gpu.empty(2 * blocks, np.float64)
    name = f"square_differences<{gpu.name_of(a.dtype)}>"
    gpu.launch(name, blocks, 256, a, b, given(mask), parts, a.size)
    add_parts(gpu, parts, blocks, sums)


def parts_of(count: int) -> int:
    """Return over how many blocks of threads a sum is spread: the size alone says."""
    return min(-(-count // 2048), 1024)


def add_parts(gpu: Any, parts: Any, count: int, sums: Any) -> None:
    """Add the blocks' sums up, in order, and bring them to the host."""
    total = gpu.empty(sums.size, np.float64)
    gpu.launch("add_parts", sums.size, 256, parts, total, count, sums.size)
    sums[...] = gpu.get(total)


def given(mask: Any) -> Any:
    """Return the mask for a kernel's pointer, None for `EVERYWHERE`."""
    return mask if mask.size else None


def _example_pair(
    rng: np.random.Generator, shape: tuple[int, int, int], dtype: str
) -> tuple[Any, Any, Any]:
    a, b = (np.abs(100 * rng.standard_normal(shape)).astype(dtype) for _ in range(2))
    mask = rng.integers(0, 2, shape).astype(np.uint8) if rng.integers(2) else EVERYWHERE
    return a, b, mask


@kernel(dtypes=_args.REAL, exact=False, rtol=1e-12, atol=1e-14, why=_ORDER)
def _comoments(a: In, b: In, mask: In, sums: ListOut, a0: Scalar, b0: Scalar) -> None:
    part = np.zeros((a.shape[0], 6))
    for k in prange(a.shape[0]):
        for j in range(a.shape[1]):
            for i in range(a.shape[2]):
                if mask.size == 0 or mask[k, j, i] != 0:
                    u = np.float64(a[k, j, i]) - a0
                    v = np.float64(b[k, j, i]) - b0
                    part[k, 0] += 1.0
                    part[k, 1] += u
                    part[k, 2] += v
                    part[k, 3] += u * u
                    part[k, 4] += v * v
                    part[k, 5] += u * v
    for n in range(6):
        sums[n] = np.sum(part[:, n])


@_comoments.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    return *_example_pair(rng, shape, dtype), np.zeros(6), 3.5, float(rng.integers(9))


@_comoments.on("cuda")
def _plan_comoments(gpu: Any, a: Any, b: Any, mask: Any, sums: Any, a0: float, b0: float) -> None:
    blocks = parts_of(a.size)
    parts = gpu.empty(6 * blocks, np.float64)
    name = f"comoments<{gpu.name_of(a.dtype)}>"
    gpu.launch(name, blocks, 256, a, b, given(mask), parts, a.size, float(a0), float(b0))
    add_parts(gpu, parts, blocks, sums)


@kernel(
    dtypes=_args.REAL, exact=False, rtol=1e-6, atol=1e-7, why="float32 answers are rounded once"
)
def _pair_gradient(
    a: In, b: In, mask: In, out: Out, a0: Scalar, b0: Scalar, by_a: Scalar, by_b: Scalar
) -> None:
    for k in prange(a.shape[0]):
        for j in range(a.shape[1]):
            for i in range(a.shape[2]):
                out[k, j, i] = 0.0
                if mask.size == 0 or mask[k, j, i] != 0:
                    u = np.float64(a[k, j, i]) - a0
                    v = np.float64(b[k, j, i]) - b0
                    out[k, j, i] = by_a * u + by_b * v


@_pair_gradient.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    out = np.zeros(shape, _args.float_dtype(dtype))
    return *_example_pair(rng, shape, dtype), out, 1.5, 2.0, -0.5, float(rng.random())


@_pair_gradient.on("cuda")
def _plan_gradient(
    gpu: Any, a: Any, b: Any, mask: Any, out: Any, a0: float, b0: float, by_a: float, by_b: float
) -> None:
    name = f"pair_gradient<{gpu.name_of(a.dtype)},{gpu.name_of(out.dtype)}>"
    numbers = map(float, (a0, b0, by_a, by_b))
    gpu.launch(name, gpu.blocks(a.size), 256, a, b, given(mask), out, a.size, *numbers)


def ssd(
    fixed: Any,
    moving: Any,
    *,
    mask: Any = None,
    gradient: bool = False,
    workers: int | None = None,
) -> Any:
    """Sum of squared differences of two images.

    Parameters
    ----------
    fixed, moving : array
        Images of one shape, of any real type.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count.
    gradient : bool
        Return the derivative by the moving image's voxels, too.
    workers : int, optional
        Threads to use.

    Returns
    -------
    value : float
        The sum, computed in float64; the same bits for any number of threads.
    gradient : array
        With ``gradient=True``: 2 (moving - fixed), zero outside the mask. float32, or
        float64 for images of int32 or float64.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    A NaN that counts makes the value NaN. Without voxels the value is 0. Divide by the number of
    voxels for ITK's mean squares.

    Examples
    --------
    >>> ssd(np.array([1, 2, 3]), np.array([1, 4, 6]))
    13.0
    """
    pair, workers = as_pair(fixed, moving, mask), _args.as_workers(workers)
    sums = np.zeros(2)
    if pair.fixed.size:
        _square_differences(*pair[:3], sums, workers=workers)
    value = float(sums[1])
    if not gradient:
        return value
    return value, gradient_of(
        pair, lambda out: _pair_gradient(*pair[:3], out, 0.0, 0.0, -2.0, 2.0, workers=workers)
    )


def ncc(
    fixed: Any,
    moving: Any,
    *,
    mask: Any = None,
    gradient: bool = False,
    workers: int | None = None,
) -> Any:
    """Correlation coefficient of two images: 1 where one is a rising line of the other.

    Parameters
    ----------
    fixed, moving : array
        Images of one shape, of any real type.
    mask : array of bool or uint8, optional
        Where it is not zero, voxels count.
    gradient : bool
        Return the derivative by the moving image's voxels, too.
    workers : int, optional
        Threads to use.

    Returns
    -------
    value : float
        Pearson's coefficient in [-1, 1], computed in float64; the same bits for any number of
        threads.
    gradient : array
        With ``gradient=True``: its derivative by each voxel of `moving`, zero outside the mask.
        float32, or float64 for images of int32 or float64.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    With the deviations f and m from the two means, ``sum(f m) / sqrt(sum(f^2) sum(m^2))``. Where an
    image is constant, or a NaN counts, or nothing does, the value and the gradient are NaN, as in
    ``numpy.corrcoef``. ITK's correlation metric is minus the square of it.

    Examples
    --------
    >>> ncc(np.array([1, 2, 3]), np.array([3, 2, 1]))
    -1.0
    """
    pair, workers = as_pair(fixed, moving, mask), _args.as_workers(workers)
    shifts = _some_value(pair.fixed, pair), _some_value(pair.moving, pair)
    sums = np.zeros(6)
    if pair.fixed.size:
        _comoments(*pair[:3], sums, *shifts, workers=workers)
    value, means, spreads = correlation(sums)
    if not gradient:
        return value
    by_fixed = 1 / math.sqrt(spreads[0] * spreads[1]) if value == value else math.nan
    by_moving = -value / spreads[1] if value == value else math.nan
    a0, b0 = (shift + mean for shift, mean in zip(shifts, means, strict=True))
    return value, gradient_of(
        pair,
        lambda out: _pair_gradient(*pair[:3], out, a0, b0, by_fixed, by_moving, workers=workers),
    )


def correlation(sums: Any) -> tuple[float, tuple[float, float], tuple[float, float]]:
    """Return the correlation, the means and the sums of squared deviations from `_comoments`."""
    n, u, v, uu, vv, uv = sums[:6].tolist()
    if n == 0:
        return math.nan, (0.0, 0.0), (0.0, 0.0)
    fixed, moving, both = uu - u * u / n, vv - v * v / n, uv - u * v / n
    value = math.nan
    if fixed > 1e-14 * uu and moving > 1e-14 * vv:  # else all of it is rounding
        value = max(-1.0, min(1.0, both / math.sqrt(fixed * moving)))
    return value, (u / n, v / n), (fixed, moving)


def _some_value(x: Any, pair: Pair) -> float:
    """Return the value of a voxel, from which deviations are taken so that little cancels."""
    if not x.size:
        return 0.0
    k, j, i = (n // 2 for n in x.shape)
    if type(x) is not np.ndarray:
        value = float(_arrays.to_host(x[k : k + 1, j : j + 1, i : i + 1])[0, 0, 0])
    else:
        value = x.item(int(np.argmax(pair.mask != 0)) if pair.mask.size else (k, j, i))
    return float(value) if math.isfinite(value) else 0.0
