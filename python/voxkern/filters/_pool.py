"""One image of many: the sum, the largest or the smallest of a filter's responses."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, Out, Scalar, kernel, prange

# What is looked at, and how it joins what is there: as voxkern/filters/pool.hpp has it.
PLAIN, MAGNITUDE, MODULUS, PRODUCT = range(4)
ADD, MAX, MIN = range(3)
POOLINGS = ("max", "min", "mean")


@kernel(
    dtypes=_args.FLOAT,
    exact=False,
    rtol=1e-6,
    atol=1e-6,
    why="a product and a sum are rounded once or twice",
)
def _pool(a: In, b: In, y: Out, what: Scalar, how: Scalar, weight: Scalar) -> None:
    for k in prange(a.shape[0]):
        if what == PLAIN:
            v = weight * a[k]
        elif what == MAGNITUDE:
            v = weight * np.abs(a[k])
        elif what == PRODUCT:
            v = weight * (a[k] * b[k])
        else:
            v = weight * np.sqrt(a[k] * a[k] + b[k] * b[k])
        if how == ADD:
            y[k] += v
        elif how == MAX:
            y[k] = np.maximum(y[k], v)
        else:
            y[k] = np.minimum(y[k], v)


@_pool.on("cuda")
def _plan(gpu: Any, a: Any, b: Any, y: Any, what: int, how: int, weight: float) -> None:
    name = f"pool<{gpu.name_of(a.dtype)}>"
    gpu.launch(name, gpu.blocks(a.size), 256, a, b, y, a.size, what, how, float(weight))


@_pool.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    a, b, y = (10 * rng.standard_normal((3, *shape))).astype(dtype)
    a[rng.random(shape) < 0.02] = np.nan
    return a, b, y, int(rng.integers(4)), int(rng.integers(3)), -0.75


def as_pooling(pooling: Any) -> str:
    """Return the name of a way to make one image of many."""
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}; got {pooling!r}")
    return str(pooling)


def start(y: Any, pooling: str) -> None:
    """Fill an image with what any response changes."""
    y[...] = {"max": -np.inf, "min": np.inf, "mean": 0.0}[pooling]


def join(
    y: Any, a: Any, pooling: str, workers: Any, *, b: Any = None, what: int = PLAIN,
    weight: float = 1.0,
) -> None:  # fmt: skip
    """Let a response, or the modulus of its two parts, join an image.

    `weight` is its share in a mean; for the others a sign.
    """
    how = {"max": MAX, "min": MIN, "mean": ADD}[pooling]
    for part, other, target in _arrays.volumes(a, a if b is None else b, y):
        _pool(part, other, target, what, how, weight, workers=workers)
