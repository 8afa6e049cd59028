"""Differences of images and of masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, Out, Scalar, kernel, prange

MINUS, DIFFERS, WITHOUT, NEITHER = range(4)


@kernel(dtypes=_args.REAL)
def _difference(a: In, b: In, y: Out, how: Scalar) -> None:
    for k in prange(a.shape[0]):
        if how == MINUS:
            y[k] = a[k] - b[k]
        elif how == DIFFERS:
            y[k] = a[k] != b[k]
        elif how == WITHOUT:
            y[k] = (a[k] != 0) & (b[k] == 0)
        else:
            y[k] = (a[k] == 0) & (b[k] == 0)


@_difference.on("cuda")
def _plan(gpu: Any, a: Any, b: Any, y: Any, how: int) -> None:
    kind = gpu.name_of(a.dtype)
    gpu.launch(f"difference<{kind}>", gpu.blocks(a.size), 256, a, b, y, a.size, how)


@_difference.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    a, b = ((3 * rng.standard_normal(shape)).astype(dtype) for _ in range(2))
    return a, b, np.empty_like(a), int(rng.integers(4))


def subtract(a: Any, b: Any, out: Any, workers: Any) -> Any:
    """Return a - b; of masks, where they differ. `b` is ours and may become the answer."""
    kind = DIFFERS if _args.dtype_name(b) == "bool" else MINUS
    return combine(a, b, b if out is None else out, kind, workers)


def combine(a: Any, b: Any, out: Any, how: int, workers: Any) -> Any:
    """Write into `out`, which may be `a` or `b`, what `how` makes of two adopted arrays."""
    target = _arrays.adopt(out, "out")[0]
    rows = _arrays.rows_contiguous(target)
    if not target.size:
        return out
    for parts in _arrays.volumes(_arrays.rows_contiguous(a), _arrays.rows_contiguous(b), rows):
        plain = (p.view(np.uint8) if _args.dtype_name(p) == "bool" else p for p in parts)
        _difference(*plain, how, workers=_args.as_workers(workers))
    if rows is not target:
        _arrays.assign(target, rows)
    return out
