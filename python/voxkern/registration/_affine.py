"""Two images compared under an affine map: the sums that values, gradients and steps come from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._kernel import In, ListIn, ListOut, Scalar, Size, Vec3, kernel, prange
from ..metrics import add_parts, given, parts_of

SUMS = 120
_ORDER = "samples are read and rows added up in float32"


def _scramble(h: int) -> int:
    h = (h ^ (h >> 16)) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ (h >> 13)) * 0xC2B2AE35 & 0xFFFFFFFF
    return h ^ (h >> 16)


def _line(i: int, j: int, rows: int, step: Size, seed: int) -> tuple[int, int, int]:
    """Return where a row of samples begins: somewhere in its cell, as the seed says."""
    h = _scramble(((seed & 0xFFFFFFFF) + ((i * rows + j) & 0xFFFFFFFF) * 0x9E3779B1) & 0xFFFFFFFF)
    r = _scramble((h + 1) & 0xFFFFFFFF)
    return i * step[0] + h % step[0], j * step[1] + (h >> 16) % step[1], r % step[2]


def _within(c: float, n: int) -> bool:
    if n > 1:
        return c >= 0.0 and c <= n - 1
    return c >= -0.5 and c <= 0.5


def _map(matrix: ListIn, row: int, z: float, y: float, x: float) -> float:
    base = matrix[4 * row] * z + matrix[4 * row + 1] * y + matrix[4 * row + 3]
    return float(base + matrix[4 * row + 2] * x)


def _reads(moving: In, mask: In, matrix: ListIn, z: float, y: float, x: float) -> bool:
    """Whether the second map takes the voxel to a place that counts."""
    gate, n = matrix[12:], moving.shape
    cz, cy, cx = _map(gate, 0, z, y, x), _map(gate, 1, z, y, x), _map(gate, 2, z, y, x)
    if not (_within(cz, n[0]) and _within(cy, n[1]) and _within(cx, n[2])):
        return False
    if mask.size == 0:
        return True
    near = math.floor(cz + 0.5), math.floor(cy + 0.5), math.floor(cx + 0.5)
    return bool(mask[near] != 0)


def _nearest(c: float, n: int) -> float:
    return min(max(c, 0.0), n - 1.0) if n > 1 else 0.0


def _read(
    moving: In, matrix: ListIn, z: float, y: float, x: float
) -> tuple[float, float, float, float]:
    """Return the value where the first map goes, or nearest to it, and its derivatives."""
    n = moving.shape
    pz, py, px = _map(matrix, 0, z, y, x), _map(matrix, 1, z, y, x), _map(matrix, 2, z, y, x)
    cz, cy, cx = _nearest(pz, n[0]), _nearest(py, n[1]), _nearest(px, n[2])
    k, j, i = min(int(cz), max(n[0] - 2, 0)), min(int(cy), max(n[1] - 2, 0)), min(int(cx), n[2] - 2)
    u, v, w = cz - k, cy - j, cx - i
    kk, jj = min(k + 1, n[0] - 1), min(j + 1, n[1] - 1)
    a, ar = np.float64(moving[k, j, i]), np.float64(moving[k, j, i + 1])
    b, br = np.float64(moving[k, jj, i]), np.float64(moving[k, jj, i + 1])
    c, cr = np.float64(moving[kk, j, i]), np.float64(moving[kk, j, i + 1])
    d, dr = np.float64(moving[kk, jj, i]), np.float64(moving[kk, jj, i + 1])
    ar, br, cr, dr = ar - a, br - b, cr - c, dr - d
    a, b, c, d = a + w * ar, b + w * br, c + w * cr, d + w * dr
    low, high = a + v * (b - a), c + v * (d - c)
    r0, r1 = ar + v * (br - ar), cr + v * (dr - cr)
    rise = (b - a) + u * ((d - c) - (b - a))
    gz = high - low if cz == pz else 0.0
    gy = rise if cy == py else 0.0
    gx = r0 + u * (r1 - r0) if cx == px else 0.0
    return low + u * (high - low), gz, gy, gx


@kernel(dtypes=("float32",), exact=False, rtol=1e-4, atol=1e-6, why=_ORDER)
def _affine_moments(
    fixed: In,
    moving: In,
    fixed_mask: In,
    moving_mask: In,
    matrix: ListIn,
    centre: Vec3,
    step: Size,
    seed: Scalar,
    f0: Scalar,
    m0: Scalar,
    sums: ListOut,
) -> None:
    planes = (fixed.shape[0] + step[0] - 1) // step[0]
    rows = (fixed.shape[1] + step[1] - 1) // step[1]
    part = np.zeros((planes, sums.size))
    for p in prange(planes):
        jacobian, v = np.zeros(12), np.ones(4)
        for q in range(rows):
            k, j, start = _line(p, q, rows, step, seed)
            if k >= fixed.shape[0] or j >= fixed.shape[1]:
                continue
            for i in range(start, fixed.shape[2], step[2]):
                v[0], v[1], v[2] = k - centre[0], j - centre[1], i - centre[2]
                if fixed_mask.size != 0 and fixed_mask[k, j, i] == 0:
                    continue
                if not _reads(moving, moving_mask, matrix, v[0], v[1], v[2]):
                    continue
                m, gz, gy, gx = _read(moving, matrix, v[0], v[1], v[2])
                f = np.float64(fixed[k, j, i]) - f0
                m -= m0
                part[p, 0] += 1.0
                part[p, 1] += f
                part[p, 2] += m
                part[p, 3] += f * f
                part[p, 4] += m * m
                part[p, 5] += f * m
                for c in range(4):
                    jacobian[c], jacobian[4 + c], jacobian[8 + c] = gz * v[c], gy * v[c], gx * v[c]
                at = 42
                for a in range(12):
                    part[p, 6 + a] += jacobian[a]
                    part[p, 18 + a] += jacobian[a] * f
                    part[p, 30 + a] += jacobian[a] * m
                    for b in range(a, 12):
                        part[p, at] += jacobian[a] * jacobian[b]
                        at += 1
    for n in range(sums.size):
        sums[n] = np.sum(part[:, n])


def _example(rng: np.random.Generator, shape: tuple[int, int, int]) -> tuple[Any, ...]:
    fixed = rng.standard_normal(shape).astype(np.float32)
    other = tuple(
        max(2 if a == 2 else 1, n + int(rng.integers(-1, 2))) for a, n in enumerate(shape)
    )
    moving = rng.standard_normal(other).astype(np.float32)
    masks = [
        (rng.random(x.shape) < 0.8).astype(np.uint8)
        if rng.integers(2)
        else np.empty((0, 0, 0), "u1")
        for x in (fixed, moving)
    ]
    matrix = np.eye(3, 4) + 0.1 * rng.standard_normal((3, 4))
    centre = tuple((n - 1) / 2 for n in shape)
    matrix[:, 3] += [(n - 1) / 2 for n in other]
    for axis in range(3):
        if shape[axis] == 1 or other[axis] == 1:  # a plane that stays in its plane
            matrix[axis] = 0
    both = np.concatenate([matrix.ravel(), (matrix * rng.uniform(0.9, 1.1)).ravel()])
    step = tuple(int(s) for s in rng.integers(1, 3, 3))
    return fixed, moving, *masks, both, centre, step, int(rng.integers(1000))


@_affine_moments.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    return *_example(rng, shape), 0.25, -0.5, np.zeros(SUMS)


@_affine_moments.on("cuda")
def _plan_moments(
    gpu: Any, fixed: Any, moving: Any, fixed_mask: Any, moving_mask: Any, matrix: Any, *more: Any
) -> None:
    centre, step, seed, f0, m0, sums = more
    blocks = min(-(-_samples(fixed.shape[:2], step[:2]) // 8), 528)
    parts = gpu.empty(SUMS * blocks, np.float64)
    gpu.launch(
        "affine_moments", blocks, 256, fixed, moving, given(fixed_mask), given(moving_mask),
        gpu.put(matrix), parts, fixed.shape, moving.shape, _floats(centre), step, seed,
        float(f0), float(m0),
    )  # fmt: skip
    add_parts(gpu, parts, blocks, sums)


def _samples(shape: Any, step: Any) -> int:
    return math.prod(-(-n // s) for n, s in zip(shape, step, strict=True))


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _bin_place(v: float, low: float, high: float, bins: int) -> float:
    scale = (bins - 4) / (high - low) if high > low else 0.0
    return (min(max(v, low), high) - low) * scale + 2.0


def _bin(place: float, bins: int) -> int:
    return min(max(int(place), 2), bins - 3)


def _weight(k: int, u: float) -> float:
    """Return the cubic B-spline at ``u + 1 - k``."""
    if k == 0:
        return (1.0 - u) ** 3 / 6
    if k == 1:
        return (3 * u**3 - 6 * u**2 + 4) / 6
    if k == 2:
        return (-3 * u**3 + 3 * u**2 + 3 * u + 1) / 6
    return u**3 / 6


def _slope(k: int, u: float) -> float:
    """Return the derivative of `_weight` by u."""
    if k == 0:
        return -0.5 * (1 - u) ** 2
    if k == 1:
        return 1.5 * u * u - 2 * u
    if k == 2:
        return -1.5 * u * u + u + 0.5
    return 0.5 * u * u


@kernel(dtypes=("float32",), exact=False, rtol=0, atol=1e-4, why=_ORDER)
def _affine_parzen(
    fixed: In,
    moving: In,
    fixed_mask: In,
    moving_mask: In,
    matrix: ListIn,
    centre: Vec3,
    step: Size,
    seed: Scalar,
    bins: Scalar,
    fixed_low: Scalar,
    fixed_high: Scalar,
    moving_low: Scalar,
    moving_high: Scalar,
    counts: ListOut,
) -> None:
    counts[:] = 0
    planes = (fixed.shape[0] + step[0] - 1) // step[0]
    rows = (fixed.shape[1] + step[1] - 1) // step[1]
    for p in range(planes):
        for q in range(rows):
            k, j, start = _line(p, q, rows, step, seed)
            if k >= fixed.shape[0] or j >= fixed.shape[1]:
                continue
            for i in range(start, fixed.shape[2], step[2]):
                z, y, x = k - centre[0], j - centre[1], i - centre[2]
                if fixed_mask.size != 0 and fixed_mask[k, j, i] == 0:
                    continue
                if not _reads(moving, moving_mask, matrix, z, y, x):
                    continue
                m = _read(moving, matrix, z, y, x)[0]
                f = np.float64(fixed[k, j, i])
                row = _bin(_bin_place(f, fixed_low, fixed_high, bins), bins)
                place = _bin_place(m, moving_low, moving_high, bins)
                bin = _bin(place, bins)
                for n in range(4):
                    weight = int(_weight(n, place - bin) * 1048576.0 + 0.5)
                    counts[row * bins + bin - 1 + n] += weight


@_affine_parzen.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    args, bins = _example(rng, shape), int(rng.integers(5, 40))
    return *args, bins, -2.0, 2.5, -1.5, 2.0, np.zeros(bins * bins, np.int64)


@_affine_parzen.on("cuda")
def _plan_parzen(
    gpu: Any, fixed: Any, moving: Any, fixed_mask: Any, moving_mask: Any, matrix: Any, *more: Any
) -> None:
    centre, step, seed, bins, *ends, counts = more
    own = gpu.zeros(counts.size, np.int64)
    blocks = gpu.blocks(_samples(fixed.shape, step), 1024, 1024)
    gpu.launch(
        "affine_parzen", blocks, 256, fixed, moving, given(fixed_mask), given(moving_mask),
        gpu.put(matrix), own, fixed.shape, moving.shape, _floats(centre), step, seed, bins,
        *_floats(ends),
    )  # fmt: skip
    counts[...] = gpu.get(own)


@kernel(dtypes=("float32",), exact=False, rtol=1e-4, atol=1e-5, why=_ORDER)
def _affine_parzen_gradient(
    fixed: In,
    moving: In,
    fixed_mask: In,
    moving_mask: In,
    matrix: ListIn,
    centre: Vec3,
    step: Size,
    seed: Scalar,
    bins: Scalar,
    fixed_low: Scalar,
    fixed_high: Scalar,
    moving_low: Scalar,
    moving_high: Scalar,
    table: ListIn,
    sums: ListOut,
) -> None:
    planes = (fixed.shape[0] + step[0] - 1) // step[0]
    rows = (fixed.shape[1] + step[1] - 1) // step[1]
    part = np.zeros((planes, 12))
    for p in prange(planes):
        v = np.ones(4)
        for q in range(rows):
            k, j, start = _line(p, q, rows, step, seed)
            if k >= fixed.shape[0] or j >= fixed.shape[1]:
                continue
            for i in range(start, fixed.shape[2], step[2]):
                v[0], v[1], v[2] = k - centre[0], j - centre[1], i - centre[2]
                if fixed_mask.size != 0 and fixed_mask[k, j, i] == 0:
                    continue
                if not _reads(moving, moving_mask, matrix, v[0], v[1], v[2]):
                    continue
                m, gz, gy, gx = _read(moving, matrix, v[0], v[1], v[2])
                f = np.float64(fixed[k, j, i])
                row = _bin(_bin_place(f, fixed_low, fixed_high, bins), bins)
                place = _bin_place(m, moving_low, moving_high, bins)
                bin = _bin(place, bins)
                slope = 0.0
                for n in range(4):
                    slope += _slope(n, place - bin) * table[row * bins + bin - 1 + n]
                for c in range(4):
                    part[p, c] += slope * gz * v[c]
                    part[p, 4 + c] += slope * gy * v[c]
                    part[p, 8 + c] += slope * gx * v[c]
    for n in range(12):
        sums[n] = np.sum(part[:, n])


@_affine_parzen_gradient.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    args, bins = _example(rng, shape), int(rng.integers(5, 40))
    table = rng.standard_normal(bins * bins)
    return *args, bins, -2.0, 2.5, -1.5, 2.0, table, np.zeros(12)


@_affine_parzen_gradient.on("cuda")
def _plan_parzen_gradient(
    gpu: Any, fixed: Any, moving: Any, fixed_mask: Any, moving_mask: Any, matrix: Any, *more: Any
) -> None:
    centre, step, seed, bins, *ends, table, sums = more
    blocks = parts_of(_samples(fixed.shape, step))
    parts = gpu.empty(12 * blocks, np.float64)
    gpu.launch(
        "affine_parzen_gradient", blocks, 256, fixed, moving, given(fixed_mask),
        given(moving_mask), gpu.put(matrix), gpu.put(table), parts, fixed.shape, moving.shape,
        _floats(centre), step, seed, bins, *_floats(ends),
    )  # fmt: skip
    add_parts(gpu, parts, blocks, sums)
