"""Reading an image between its voxels: the Python twin of sample.hpp, and what all warps check."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import MIRROR, inside
from .._edge import NEAREST as EDGE_NEAREST

REFLECT, MIRRORED, NEAREST, GRID_WRAP, GRID_CONSTANT, CONSTANT, WRAP, CELL = range(8)

# SciPy's names for what lies outside.
OUTSIDE = {
    "constant": CONSTANT,
    "nearest": NEAREST,
    "reflect": REFLECT,
    "grid-mirror": REFLECT,
    "mirror": MIRRORED,
    "wrap": WRAP,
    "grid-wrap": GRID_WRAP,
    "grid-constant": GRID_CONSTANT,
}

# The range of each type of output; floats have none.
RANGE = {
    "uint8": (0.0, 255.0),
    "int16": (-32768.0, 32767.0),
    "uint16": (0.0, 65535.0),
    "int32": (-2147483648.0, 2147483647.0),
    "float32": (0.0, 0.0),
    "float64": (0.0, 0.0),
}


def fold(c: float, n: int, order: int, outside: int) -> float:
    """Move a coordinate to where an axis of n voxels is known; NaN is the fill value."""
    last = n - 1.0
    if 0 <= c <= last:
        return c
    if outside == NEAREST:
        far = 0.0 if order < 2 else 8.0
        return c if math.isnan(c) else min(max(c, -far), last + far)
    if not -1e15 < c < 1e15 or outside == CONSTANT:
        return math.nan
    if outside == GRID_CONSTANT:
        return c if -8 <= c <= last + 8 else math.nan
    if outside == CELL:
        if c < -0.5 or c >= last + 0.5:
            return math.nan
        if order < 2 or n == 1:
            return 0.0 if c < 0 else last
        return c
    if n == 1:
        return 0.0
    if outside == MIRRORED:
        c = abs(c) - 2 * last * math.floor(abs(c) / (2 * last))
        return 2 * last - c if c > last else c
    if outside == REFLECT:
        c -= 2.0 * n * math.floor(c / (2.0 * n))
        return 2.0 * n - 1 - c if c >= n else c
    if outside == GRID_WRAP:
        return c - n * math.floor(c / n)
    if c < 0:
        return c + last * (math.floor(-c / last) + 1)
    return c - last * math.floor(c / last)


def spline_weights(t: float, order: int, w: Any) -> None:
    """Write the order + 1 weights of a B-spline into `w`, `t` voxels past the middle one."""
    s = 1 - t
    if order == 0:
        w[0] = 1.0
    elif order == 1:
        w[0], w[1] = s, t
    elif order == 2:
        w[0], w[1], w[2] = (0.5 - t) ** 2 / 2, 0.75 - t * t, (0.5 + t) ** 2 / 2
    elif order == 3:
        w[0], w[3] = s**3 / 6, t**3 / 6
        w[1] = 2 / 3 - t * t * (1 - t / 2)
        w[2] = 2 / 3 - s * s * (1 - s / 2)
    elif order == 4:
        w[0], w[4] = (0.5 - t) ** 4 / 24, (0.5 + t) ** 4 / 24
        w[2] = 115 / 192 - t * t * (0.625 - t * t / 4)
        for k, p in ((1, 1 + t), (3, s)):
            w[k] = 55 / 96 + p * (5 / 24 - p * (1.25 - p * (5 - p) / 6))
    else:
        w[0], w[5] = s**5 / 120, t**5 / 120
        for k, p in ((1, 1 + t), (4, 1 + s)):
            w[k] = 0.425 + p * (0.625 - p * (1.75 - p * (1.25 - p * (0.375 - p / 24))))
        for k, p in ((2, t), (3, s)):
            w[k] = 0.55 - p * p * (0.5 - p * p * (0.25 - p / 12))


def sample(
    x: Any, cz: float, cy: float, cx: float, order: int, outside: int, fill: float, at: Any, w: Any
) -> float:
    """Return the image at one point; `at` and `w` are scratch of shape (3, 6)."""
    for axis, coordinate in enumerate((cz, cy, cx)):
        n = x.shape[axis]
        c = fold(coordinate, n, order, outside)
        if math.isnan(c):
            return fill
        middle = math.floor(c) if order % 2 else math.floor(c + 0.5)
        spline_weights(c - middle, order, w[axis])
        first = int(middle) - order // 2
        edge = outside if outside <= GRID_CONSTANT else MIRROR
        if order > 1 and n == 1:
            edge = EDGE_NEAREST
        for k in range(order + 1):
            at[axis, k] = inside(first + k, n, edge)
    total = 0.0
    for k in range(order + 1):
        plane = 0.0
        for j in range(order + 1):
            row = 0.0
            for i in range(order + 1):
                kk, jj, ii = at[0, k], at[1, j], at[2, i]
                known = kk >= 0 and jj >= 0 and ii >= 0
                row += w[2, i] * (float(x[kk, jj, ii]) if known else fill)
            plane += w[1, j] * row
        total += w[0, k] * plane
    return total


def keep(value: float, low: float, high: float) -> float:
    """Round halves away from zero and cut to [low, high]; nothing where the range is empty."""
    if low == high:
        return value
    if math.isnan(value):
        return 0.0
    rounded = math.floor(value + 0.5) if value > 0 else -math.floor(0.5 - value)
    return min(max(float(rounded), low), high)


def as_order(order: Any) -> int:
    """Return the order of a spline, 0 to 5."""
    number = _args.as_int(order, "order", 0)
    if number > 5:
        raise ValueError(f"order must be 0 to 5; got {order!r}")
    return number


def as_outside(mode: str) -> int:
    """Return the code of what lies outside."""
    try:
        return OUTSIDE[mode]
    except (KeyError, TypeError):
        raise ValueError(f"mode must be one of {', '.join(OUTSIDE)}; got {mode!r}") from None


def as_image(image: Any, order: int) -> tuple[Any, Any, str]:
    """Return the adopted image, what gives answers back, and the name of its type.

    A mask (bool) is read as bytes, at order 0 only; a complex image is left to the caller.
    """
    x, give = _arrays.adopt(image)
    found = _args.dtype_name(x)
    if found.startswith("complex"):
        return x, give, found
    if found == "bool":
        if order:
            raise TypeError(
                "image of type bool needs order=0; convert it to float32 to interpolate it"
            )
        return x, give, found
    return x, give, _args.as_dtype(x, _args.REAL)


def coefficient_type(dtype: str) -> np.dtype[Any]:
    """Return the type of the coefficients of an image."""
    return _args.float_dtype(dtype)


def reader(gpu: Any, name: str, x: Any, y: Any, order: int) -> str:
    """Return the name of the CUDA kernel that reads `x` into `y`."""
    if order < 2:
        return f"{name}_linear<{gpu.name_of(x.dtype)}>"
    return f"{name}_spline<{gpu.name_of(x.dtype)},{gpu.name_of(y.dtype)}>"


def example_image(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> Any:
    """Return an image for the examples of kernels."""
    return np.abs(20 * rng.standard_normal(shape)).astype(dtype)


def example_reading(rng: np.random.Generator, dtype: str) -> tuple[int, int, float, float, float]:
    """Return an order, an outside, a fill value and a range for the examples of kernels."""
    return int(rng.integers(6)), int(rng.integers(8)), 7.0, *RANGE[dtype]


def example_coefficients(x: Any, order: int) -> Any:
    """Return `x`, or coefficients like it where the order asks for them."""
    return x.astype(coefficient_type(str(x.dtype))) if order > 1 else x
