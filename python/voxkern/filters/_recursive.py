"""Recursive Gaussian: Deriche's filter with the constants of Farnebaeck and Westin, as in ITK."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, kernel, prange
from ._along import copied, run_along, three


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=1e-6,
    why="the rounding of float64 sums to float32 after each axis may go the other way",
)
def _recursive(
    x: In, y: Out, cz: ListIn, cy: ListIn, cx: ListIn, low: Scalar, high: Scalar
) -> None:
    planes, rows, columns = x.shape
    a = x.astype(np.float64)
    for axis in (2, 1, 0):
        c = (cz, cy, cx)[axis]
        if c.size == 0:
            continue
        if axis == 0:
            for j in prange(rows):
                for i in range(columns):
                    _filter_line(a[:, j, i], c)
        else:
            for k in prange(planes):
                if axis == 2:
                    for j in range(rows):
                        _filter_line(a[k, j], c)
                else:
                    for i in range(columns):
                        _filter_line(a[k, :, i], c)
        _round(a, y)
    _store(a, y, low, high)


def _filter_line(x: Any, c: Any) -> None:
    """Filter one line in place; recursive.hpp says how."""
    n, offset, gain = x.size, x[0], c[12]
    total = 1 + c[4] + c[5] + c[6] + c[7]
    line = x - offset
    end = line[n - 1]
    settled = (c[8] + c[9] + c[10] + c[11]) / total * end
    ahead, back = np.zeros(n), np.zeros(n)
    for i in range(n):
        for k in range(4):
            if i >= k:
                ahead[i] += c[k] * line[i - k]
            if i > k:
                ahead[i] -= c[4 + k] * ahead[i - k - 1]
    for i in range(n - 1, -1, -1):
        for k in range(4):
            within = i + k + 1 < n
            back[i] += c[8 + k] * (line[i + k + 1] if within else end)
            back[i] -= c[4 + k] * (back[i + k + 1] if within else settled)
    for i in range(n):
        x[i] = ahead[i] + back[i] + gain * offset


def _is_whole(y: Any) -> bool:
    half = np.empty(1, y.dtype)
    half[0] = 0.5
    return bool(half[0] == 0)


def _round(a: Any, y: Any) -> None:
    """Cut to float32 what lies between the axes, but for images of int32 and float64."""
    if y.itemsize <= 2 or (y.itemsize == 4 and not _is_whole(y)):
        for k in prange(a.shape[0]):
            a[k] = a[k].astype(np.float32)


def _store(a: Any, y: Any, low: float, high: float) -> None:
    whole = _is_whole(y)
    for k in prange(a.shape[0]):
        for j in range(a.shape[1]):
            for i in range(a.shape[2]):
                if whole:
                    y[k, j, i] = np.int64(min(max(np.rint(a[k, j, i]), low), high))
                else:
                    y[k, j, i] = a[k, j, i]


@_recursive.on("numba")
def _by_sheets(x: Any, y: Any, cz: Any, cy: Any, cx: Any, low: float, high: float) -> None:
    # Neighbouring lines together, so that the compiler finds vectors.
    a = x.astype(np.float64)
    if cx.size > 0:
        for k in prange(x.shape[0]):
            for j in range(x.shape[1]):
                _filter_line(a[k, j], cx)
        _round(a, y)
    if cy.size > 0:
        for k in prange(x.shape[0]):
            _filter_sheet(a[k], cy)
        _round(a, y)
    if cz.size > 0:
        for j in prange(x.shape[1]):
            _filter_sheet(a[:, j], cz)
        _round(a, y)
    _store(a, y, low, high)


def _filter_sheet(x: Any, c: Any) -> None:
    """Filter the columns of a sheet in place."""
    n, width = x.shape
    total = 1 + c[4] + c[5] + c[6] + c[7]
    settled = (c[8] + c[9] + c[10] + c[11]) / total
    offset, s, ahead = x[0].copy(), np.zeros((4, width)), np.empty((n, width))
    for i in range(n):
        for w in range(width):
            v = x[i, w] - offset[w]
            u = s[0, w] + c[0] * v
            s[0, w] = s[1, w] + c[1] * v - c[4] * u
            s[1, w] = s[2, w] + c[2] * v - c[5] * u
            s[2, w] = s[3, w] + c[3] * v - c[6] * u
            s[3, w] = -c[7] * u
            ahead[i, w] = u
    for w in range(width):
        end = x[n - 1, w] - offset[w]
        s[0, w] = settled * end
        s[1, w] = s[0, w] + (c[4] * settled - c[8]) * end
        s[2, w] = s[1, w] + (c[5] * settled - c[9]) * end
        s[3, w] = s[2, w] + (c[6] * settled - c[10]) * end
    for i in range(n - 1, -1, -1):
        for w in range(width):
            v, u = x[i, w] - offset[w], s[0, w]
            s[0, w] = s[1, w] + c[8] * v - c[4] * u
            s[1, w] = s[2, w] + c[9] * v - c[5] * u
            s[2, w] = s[3, w] + c[10] * v - c[6] * u
            s[3, w] = c[11] * v - c[7] * u
            x[i, w] = ahead[i, w] + c[12] * offset[w] + u


_NOTHING = np.array([1.0, *[0.0] * 11, 1.0])  # leaves a line as it is


@_recursive.on("cuda")
def _plan(gpu: Any, x: Any, y: Any, cz: Any, cy: Any, cx: Any, low: float, high: float) -> None:
    planes, rows, columns = x.shape
    # Each pass sees (before, along, after), where `along` is its axis.
    passes = [
        (c, shape)
        for c, shape in (
            (cx, (planes * rows, columns, 1)),
            (cy, (planes, rows, columns)),
            (cz, (1, planes, rows * columns)),
        )
        if c.size
    ]
    single = x.dtype.itemsize <= 2 or x.dtype == np.float32
    kind = np.dtype(np.float32 if single else np.float64)
    if x.dtype != kind and len(passes) == 1:
        passes.append((_NOTHING, passes[0][1]))
    between = y if y.dtype == kind else gpu.empty(x.shape, kind)
    room, source = gpu.empty(x.shape, np.float64), x
    for n, (c, shape) in enumerate(passes, 1):
        target = y if n == len(passes) else between
        gpu.launch(
            f"recursive<{gpu.name_of(source.dtype)},{gpu.name_of(target.dtype)}>",
            gpu.blocks(shape[0] * shape[2], 64), 64,
            source, target, room, gpu.put(c), shape, float(low), float(high),
        )  # fmt: skip
        source = target


@_recursive.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    lists = [
        recursion(float(rng.uniform(0.6, 6)), int(rng.integers(3)), 1.0)
        if rng.random() < 0.8
        else np.empty(0)
        for _ in range(3)
    ]
    if not any(c.size for c in lists):
        lists[2] = recursion(2.0, 0, 1.0)
    return x, np.empty_like(x), *lists, *_range_of(dtype)


def _range_of(dtype: str) -> tuple[float, float]:
    if dtype.startswith("float"):
        return -np.inf, np.inf
    limits = np.iinfo(dtype)
    return float(limits.min), float(limits.max)


# Two damped waves for each order: the weights of cosine and sine; and their frequency and damping.
_COSINES = ((1.3530, -0.3531), (-0.6724, 0.6724), (-1.3563, 0.3446))
_SINES = ((1.8151, 0.0902), (-3.4327, 0.6100), (5.2318, -2.2355))
_FREQUENCIES, _DAMPINGS = (0.6681, 2.0787), (-1.3932, -1.3732)


def _moments(p: Any) -> tuple[float, float, float]:
    """Return the sums of the terms of a polynomial, of each times its power, and its square."""
    powers = np.arange(p.size)
    return float(p.sum()), float((powers * p).sum()), float((powers**2 * p).sum())


@functools.lru_cache(256)
def recursion(sigma: float, order: int, unit: float) -> Any:
    """Return the 13 numbers of a Recursion (see recursive.hpp); `sigma` is in voxels."""
    turn = np.array(_FREQUENCIES) / sigma
    damp = np.exp(np.array(_DAMPINGS) / sigma)
    below = [np.array([1, -2 * d * np.cos(t), d * d]) for d, t in zip(damp, turn, strict=True)]
    d = np.convolve(below[0], below[1])

    def above(of: int) -> Any:
        parts = [
            np.array([a, e * (b * np.sin(t) - a * np.cos(t))])
            for a, b, e, t in zip(_COSINES[of], _SINES[of], damp, turn, strict=True)
        ]
        return np.convolve(parts[0], below[1]) + np.convolve(parts[1], below[0])

    n = above(order)
    ds, dd, de = _moments(d)
    ns, nd, ne = _moments(n)
    # What a constant, a ramp or a parabola has to become makes the scale.
    if order == 0:
        scale = 2 * ns / ds - n[0]
    elif order == 1:
        scale = 2 * (ns * dd - nd * ds) / ds**2
    else:
        smooth = above(0)
        n = n - (2 * ns - ds * n[0]) / (2 * smooth.sum() - ds * smooth[0]) * smooth
        ns, nd, ne = _moments(n)
        scale = (ne * ds**2 - de * ns * ds - 2 * nd * dd * ds + 2 * dd**2 * ns) / ds**3
    n = n / scale / unit**order
    m = (np.append(n[1:], 0) - d[1:] * n[0]) * (-1 if order == 1 else 1)
    found = np.concatenate([n, d[1:], m, [float(order == 0)]])
    found.flags.writeable = False
    return found


def recursive_gaussian(
    image: Any, sigma: Any, order: Any, mode: Any, truncate: Any, radius: Any, axes: Any,
    spacing: Any, out: Any, workers: Any,
) -> Any:  # fmt: skip
    """Filter as `gaussian_filter` does with ``method='recursive'``."""
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    along = _args.as_axes(axes, ndim)
    n = len(along)
    sigmas = [_args.as_float(s, "sigma", 0) for s in _args.per_axis(sigma, n, "sigma")]
    orders = [_args.as_int(o, "order", 0) for o in _args.per_axis(order, n, "order")]
    if max(orders, default=0) > 2:
        raise ValueError(f"order must be 0, 1 or 2 for the recursive method; got {order!r}")
    if any(m not in (None, "nearest") for m in _args.per_axis(mode, n, "mode")):
        raise ValueError(f"mode must be 'nearest' for the recursive method; got {mode!r}")
    if truncate != 4.0 or radius is not None:
        raise ValueError("truncate and radius must be left out for the recursive method")
    units = _args.as_spacing(spacing, n)
    if any(s / unit > 1e4 for s, unit in zip(sigmas, units, strict=True)):
        # The numbers of the recursion then nearly cancel.
        raise ValueError(
            f"sigma must be at most 10000 voxels for the recursive method; got {sigma!r}"
        )
    workers = _args.as_workers(workers)
    lists = tuple(
        recursion(s / unit, o, unit) if s / unit > 1e-15 else np.empty(0)
        for s, o, unit in zip(sigmas, orders, units, strict=True)
    )
    if not any(c.size for c in lists):
        return copied(x, out, give)
    args = (*three(lists, along, ndim, np.empty(0)), *_range_of(dtype))

    def run(volume: Any, answer: Any) -> None:
        _recursive(volume, answer, *args, workers=workers)

    return run_along(run, x, along, out, dtype, give)
