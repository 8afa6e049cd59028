"""Gaussian filter and its derivatives."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import inside
from .._kernel import Edge, In, ListIn, Out, Scalar, kernel, prange


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=2e-6,
    why="float32 images are summed in float32, with fused multiply-add where the CPU has it",
)
def _gaussian(
    x: In, y: Out, wz: ListIn, wy: ListIn, wx: ListIn, ez: Edge, ey: Edge, ex: Edge, fill: Scalar
) -> None:
    a, b = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    _correlate(x, a, wz, 0, ez, fill)
    _correlate(a, b, wy, 1, ey, fill)
    _correlate(b, y, wx, 2, ex, fill)


def _correlate(x: Any, y: Any, w: Any, axis: int, edge: int, fill: float) -> None:
    radius, sign, whole = w.size // 2, _sign(w), _is_whole(x)
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                total = float(x[k, j, i])
                if w.size > 0:
                    total *= w[radius]
                for far in range(radius, 0, -1):
                    before = _beside(x, k, j, i, axis, -far, edge, fill)
                    after = _beside(x, k, j, i, axis, far, edge, fill)
                    total += (before + sign * after) * w[radius - far]
                if whole:
                    y[k, j, i] = np.int64(total)
                else:
                    y[k, j, i] = total


def _beside(x: Any, k: int, j: int, i: int, axis: int, step: int, edge: int, fill: float) -> float:
    """Return the voxel `step` further along one axis."""
    at = inside((k, j, i)[axis] + step, x.shape[axis], edge)
    if at < 0:
        return float(fill)
    if axis == 0:
        return float(x[at, j, i])
    return float(x[k, at, i]) if axis == 1 else float(x[k, j, at])


def _sign(w: Any) -> float:
    """Return -1 if the weights are odd about their centre, 1 if they are even."""
    for n in range(w.size):
        if w[n] != w[w.size - 1 - n]:
            return -1.0
    return 1.0


def _is_whole(x: Any) -> bool:
    """Return whether arrays like this hold whole numbers only."""
    half = np.empty(1, x.dtype)
    half[0] = 0.5
    return bool(half[0] == 0)


@_gaussian.on("numba")
def _by_rows(
    x: Any, y: Any, wz: Any, wy: Any, wx: Any, ez: int, ey: int, ex: int, fill: float
) -> None:
    # The same sums with x innermost, where the compiler finds vectors.
    planes, rows, columns = x.shape
    along_z, radius, sign, whole = np.empty(x.shape, x.dtype), wx.size // 2, _sign(wx), _is_whole(x)
    for k in prange(planes):
        total, pair = np.empty(columns), np.empty(columns)
        for j in range(rows):
            _row(x[:, j], k, wz, ez, fill, total, pair)
            _store(total, along_z[k, j], whole)
    for k in prange(planes):
        total, pair = np.empty(columns), np.empty(columns)
        row, line = np.empty(columns, x.dtype), np.empty(columns + 2 * radius)
        for j in range(rows):
            _row(along_z[k], j, wy, ey, fill, total, pair)
            _store(total, row, whole)
            for i in range(columns):
                line[radius + i] = row[i]
            for i in range(radius):
                before, after = inside(i - radius, columns, ex), inside(columns + i, columns, ex)
                line[i] = fill if before < 0 else row[before]
                line[columns + radius + i] = fill if after < 0 else row[after]
            for i in range(columns):
                total[i] = line[radius + i] * (wx[radius] if wx.size > 0 else 1.0)
            for far in range(radius, 0, -1):
                for i in range(columns):
                    step = line[radius + i - far] + sign * line[radius + i + far]
                    total[i] += step * wx[radius - far]
            _store(total, y[k, j], whole)


def _row(x: Any, at: int, w: Any, edge: int, fill: float, total: Any, pair: Any) -> None:
    """Write the sum over the rows of a plane around one of them."""
    radius, sign, n = w.size // 2, _sign(w), x.shape[0]
    for i in range(x.shape[1]):
        total[i] = float(x[at, i]) * (w[radius] if w.size > 0 else 1.0)
    for far in range(radius, 0, -1):
        before, after = inside(at - far, n, edge), inside(at + far, n, edge)
        for i in range(x.shape[1]):
            pair[i] = fill if before < 0 else float(x[before, i])
        for i in range(x.shape[1]):
            pair[i] += sign * (fill if after < 0 else float(x[after, i]))
        for i in range(x.shape[1]):
            total[i] += pair[i] * w[radius - far]


def _store(total: Any, row: Any, whole: bool) -> None:
    for i in range(row.size):
        if whole:
            row[i] = np.int64(total[i])
        else:
            row[i] = total[i]


@_gaussian.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, wz: Any, wy: Any, wx: Any, ez: int, ey: int, ex: int, fill: float
) -> None:
    planes, rows, columns = x.shape
    kind, sums = gpu.name_of(x.dtype), "float32" if x.dtype == np.float32 else "float64"
    # Each pass sees (before, along, after), where `along` is its axis.
    passes = [
        (name, w, edge, shape)
        for name, w, edge, shape in (
            ("gaussian_across", wz, ez, (1, planes, rows * columns)),
            ("gaussian_across", wy, ey, (planes, rows, columns)),
            ("gaussian_along", wx if wx.size or wz.size or wy.size else np.ones(1), ex,
             (1, planes * rows, columns)),
        )
        if w.size
    ]  # fmt: skip
    spare = gpu.empty(x.shape, x.dtype) if len(passes) > 1 else None
    source = x
    for left, (name, w, edge, shape) in zip(range(len(passes) - 1, -1, -1), passes, strict=True):
        target = spare if left % 2 else y
        half = gpu.put(w[w.size // 2 :: -1].astype(sums))
        turns = shape[0] * -(-shape[1] // (4 if name == "gaussian_across" else 1)) * shape[2]
        gpu.launch(
            f"{name}<{kind}>", gpu.blocks(turns), 256,
            source, target, half, w.size // 2, int(_sign(w)), shape, edge, float(fill),
        )  # fmt: skip
        source = target


@_gaussian.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    def weights() -> Any:
        half = rng.uniform(-0.3, 0.3, rng.integers(1, 6))
        sign = rng.choice([-1, 1])
        half[-1] *= sign > 0
        none = rng.random() < 0.2
        return half[:0] if none else np.append(half, sign * half[-2::-1])

    x = (100 * rng.standard_normal(shape)).astype(dtype)
    edges = (int(e) for e in rng.integers(0, 5, 3))
    return x, np.empty_like(x), weights(), weights(), weights(), *edges, 7


_NONE = np.empty(0)
_NONE.flags.writeable = False


@functools.lru_cache(256)
def _weights(sigma: float, order: int, radius: int, unit: float) -> Any:
    """Return the kernel to correlate with: a derivative of a sampled Gaussian that sums to 1."""
    t = np.arange(-radius, radius + 1)
    bell = np.exp(-0.5 / (sigma * sigma) * t**2)
    bell = bell / bell.sum()
    if order:
        # d/dt of p(t) bell(t) is (p'(t) - t p(t) / sigma^2) bell(t): a step on p's coefficients.
        powers = np.arange(order + 1)
        step = np.diag(powers[1:], 1) + np.diag(np.ones(order) / -(sigma * sigma), -1)
        p = np.linalg.matrix_power(step, order)[:, 0]
        bell = (t[:, None] ** powers) @ p * bell * (-1.0 / unit) ** order
        bell[radius] *= 1 - order % 2
    bell[radius + 1 :] = (-1) ** order * bell[:radius][::-1]
    bell.flags.writeable = False
    return bell


def _key(value: Any) -> Any:
    """Return what tells the value from others in a cache."""
    several = isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim)
    return tuple(value) if several else value


@functools.lru_cache(256, typed=True)
def _settle(
    ndim: int,
    dtype: str,
    sigma: Any,
    order: Any,
    mode: Any,
    cval: Any,
    truncate: Any,
    radius: Any,
    axes: Any,
    spacing: Any,
) -> tuple[list[tuple[int, Any, int]], float, tuple[Any, ...] | None]:
    """Return (axis, weights, edge) for each axis that changes, the fill, and all arguments.

    The arguments are None where one call of the kernel cannot do it.
    """
    axes = _args.as_axes(axes, ndim)
    n = len(axes)
    sigmas = [_args.as_float(s, "sigma", 0) for s in _args.per_axis(sigma, n, "sigma")]
    orders = [_args.as_int(o, "order", 0) for o in _args.per_axis(order, n, "order")]
    edges = [_args.as_edge(m) for m in _args.per_axis(mode, n, "mode")]
    reach = _args.as_float(truncate, "truncate", 0)
    radii = [
        None if r is None else _args.as_int(r, "radius", 0)
        for r in _args.per_axis(radius, n, "radius")
    ]
    found = []
    for i, unit in enumerate(_args.as_spacing(spacing, n)):
        voxels = sigmas[i] / unit
        if voxels > 1e-15:
            given = radii[i]
            r = int(reach * voxels + 0.5) if given is None else given
            if r >= 1 << 31:
                raise ValueError(f"radius must be less than 2**31; sigma {voxels:g} needs {r}")
            found.append((axes[i], _weights(voxels, orders[i], r, unit), edges[i]))
    fill = _args.as_fill(cval, dtype)
    if fill != cval and cval == cval:
        raise ValueError(f"cval must be a whole number for {dtype}; got {cval!r}")

    changed = [axis for axis, _, _ in found]
    if changed != sorted(changed) or (changed and changed[0] < ndim - 3):
        return found, float(fill), None
    weights, codes = [_NONE] * 3, [0] * 3
    for axis, w, edge in found:
        weights[axis - ndim], codes[axis - ndim] = w, edge
    return found, float(fill), (*weights, *codes, float(fill))


def gaussian_filter(
    image: Any,
    sigma: Any,
    order: Any = 0,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    radius: Any = None,
    axes: Any = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Smooth an image with a Gaussian, or take derivatives of the smoothed image.

    Parameters
    ----------
    image : array, shape ([planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
        Axes before the last three are looped over, unless `axes` names them.
    sigma : float or one an axis
        Standard deviation, in voxels, or in the unit of `spacing`. 0 leaves an axis
        as it is.
    order : int or one an axis
        0 smooths; 1, 2, ... take that derivative, per voxel, or per unit of `spacing`.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'} or one an axis
        What lies outside the image.
    cval : float
        The value outside when `mode` is 'constant'. Integer images take whole numbers
        of their type.
    truncate : float
        Where the kernel ends, in standard deviations.
    radius : int or one an axis, optional
        Where the kernel ends, in voxels, instead of `truncate`. The kernel has
        ``2 * radius + 1`` weights and may be longer than the image.
    axes : int or sequence of int, optional
        The axes to filter along; the last three by default. `sigma`, `order`, `mode`,
        `radius` and `spacing` then have one value for each of these.
    spacing : float or one an axis, optional
        Length of a voxel.
    out : array, optional
        Where to write; same shape and type as `image`, not overlapping it.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    Notes
    -----
    The weights are ``exp(-t**2 / (2 * sigma**2))`` at whole `t`, divided by their sum,
    or the derivative's polynomial times that, as in SciPy. Axes are filtered one after
    the other. Integer images are cut towards zero after each axis, and wrap where
    their type ends, again as in SciPy, to the last bit on the CPU; convert them to
    float32 first if that matters. float32 images are summed in float32, and overflow
    beyond half of its range.

    NaN and infinity reach as far as the kernel does, not further. SciPy differs in that
    it filters all axes of an image of more than three, and takes any `cval`.

    Examples
    --------
    >>> x = np.zeros(7, dtype=np.float32)
    >>> x[3] = 100
    >>> gaussian_filter(x, 1).round(1)
    array([ 0.5,  5.4, 24.2, 39.9, 24.2,  5.4,  0.5], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    taps = (_key(sigma), _key(order), _key(mode), cval, truncate, _key(radius))
    asked = (ndim, dtype, *taps, _key(axes), _key(spacing))
    try:
        hash(asked)
    except TypeError:  # sees to the refusal, or to arrays of no axes
        steps, fill, once = _settle.__wrapped__(*asked)
    else:
        steps, fill, once = _settle(*asked)
    workers = _args.as_workers(workers)
    if once is None:
        return _axis_by_axis(x, out, dtype, give, steps, fill, workers)

    def run(volume: Any, answer: Any) -> None:
        _gaussian(volume, answer, *once, workers=workers)

    return _arrays.run_volumes(run, x, out, dtype, give)


def _axis_by_axis(
    x: Any, out: Any, dtype: str, give: Any, steps: Any, fill: float, workers: int | None
) -> Any:
    """Filter along any axes in any order, each seen as the middle or the last of three."""
    result = _arrays.output(out, x.shape, dtype, (x,))
    source = x
    for axis, w, edge in steps if x.size else ():
        before, n, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
        target = _arrays.empty(x.shape, dtype, x)
        last = not after
        shape = (1, -1, n) if last else (int(np.prod(before)), n, int(np.prod(after)))
        weights = (_NONE, _NONE, w) if last else (_NONE, w, _NONE)
        volume = _arrays.rows_contiguous(source.reshape(shape))
        _gaussian(volume, target.reshape(shape), *weights, edge, edge, edge, fill, workers=workers)
        source = target
    _arrays.assign(result, source)
    if out is not None:
        return out
    return result if give is None else give(result)
