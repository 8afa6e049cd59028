"""Separable filters turned by all right angles, and pooled."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .. import _args, _arrays
from ._pool import MAGNITUDE, PLAIN, join, start
from ._separable import at_once, take_steps

Taps = tuple[Any, int]  # weights to correlate with, and how many of them reach back
Stages = tuple[tuple[Taps, ...], ...]  # one after the other, each with taps for each axis


def all_turns(stages: Stages) -> list[tuple[Stages, int, int]]:
    """Return the filters that right angles turn one into, each once.

    With each come two counts: of turns that give it, and of those that give its negative.
    """
    axes = len(stages[0])
    found: dict[Any, list[Any]] = {}
    for order in itertools.permutations(range(axes)):
        for flips in itertools.product((False, True), repeat=axes):
            if (_is_odd(order) + sum(flips)) % 2:  # a reflection
                continue
            sign, turned, key = 1, [], []
            for stage in stages:
                parts = []
                for axis, flip in zip(order, flips, strict=True):
                    taps, factor = _flipped(stage[axis]) if flip else (stage[axis], 1)
                    sign *= factor
                    parts.append(taps)
                    key.append((taps[0].tobytes(), taps[1]))
                turned.append(tuple(parts))
            entry = found.setdefault(tuple(key), [tuple(turned), 0, 0])
            entry[1 if sign > 0 else 2] += 1
    return [(turned, plus, minus) for turned, plus, minus in found.values()]


def _is_odd(order: tuple[int, ...]) -> int:
    return sum(a > b for a, b in itertools.combinations(order, 2)) % 2


def _flipped(taps: Taps) -> tuple[Taps, int]:
    """Return the taps mirrored about their voxel, as themselves and a sign if that is enough."""
    w, before = taps
    back = w.size - 1 - before
    if back == before:
        for sign in (1, -1):
            if np.array_equal(w[::-1], sign * w):
                return taps, sign
    return (np.ascontiguousarray(w[::-1]), back), 1


def run_pooled(
    x: Any, dtype: str, turns: list[tuple[Stages, int, int]], along: tuple[int, ...],
    edges: tuple[int, ...], fill: float, pooling: str, out: Any, workers: Any,
) -> Any:  # fmt: skip
    """Return the pooled responses of an adopted image of floats, in `out` if it is given."""
    result = _arrays.output(out, x.shape, _args.float_dtype(dtype), (x,))
    target = result if _arrays.rows_contiguous(result) is result else None
    y = _arrays.empty(x.shape, result.dtype, x) if target is None else target
    start(y, pooling)
    total = sum(plus + minus for _, plus, minus in turns)
    for stages, plus, minus in turns if x.size else ():
        response = run_stages(x, stages, along, edges, fill, workers)
        if pooling == "mean":
            if plus != minus:
                join(y, response, pooling, workers, weight=(plus - minus) / total)
        elif plus and minus:
            sign = 1.0 if pooling == "max" else -1.0
            join(y, response, pooling, workers, what=MAGNITUDE, weight=sign)
        else:
            join(y, response, pooling, workers, what=PLAIN, weight=1.0 if plus else -1.0)
    if y is not result:
        _arrays.assign(result, y)
    return result


def run_stages(
    x: Any, stages: Stages, along: tuple[int, ...], edges: tuple[int, ...], fill: float,
    workers: Any, out: Any = None,
) -> Any:  # fmt: skip
    """Correlate an adopted image with each stage in turn."""
    for n, stage in enumerate(stages):
        steps = [
            (axis, w, before, edge)
            for axis, (w, before), edge in zip(along, stage, edges, strict=True)
        ]
        steps.sort(key=lambda step: step[0])
        last = out if n + 1 == len(stages) else None
        x = take_steps(x, None, steps, at_once(steps, x.ndim, fill), fill, last, workers)
    return x
