"""Derivatives of a smoothed image: gradient, Laplacian, Hessian, and what is made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import Edge, In, ListIn, Out, Scalar, kernel, prange
from ._along import as_edges, run_along, three
from ._gaussian import gaussian_filter, gaussian_weights
from ._separable import _correlate, as_whole_fill, plan_separable

GRADIENT, MAGNITUDE, LAPLACIAN, HESSIAN, EIGENVALUES = range(5)  # Jet of jet.hpp


@kernel(
    dtypes=_args.FLOAT,
    exact=False,
    atol=4e-6,
    of="image",
    why="float32 images are summed in float32, and the weights of derivatives cancel: the error "
    "is some 1e-7 of the image, which may be a hundred times the answer",
)
def _jet(
    x: In, y: Out, wz: ListIn, wy: ListIn, wx: ListIn, kind: Scalar, ez: Edge, ey: Edge, ex: Edge,
    fill: Scalar,
) -> None:  # fmt: skip
    found = derivatives(x, wz, wy, wx, kind, ez, ey, ex, fill)
    planes, count = x.shape[0], found.shape[0]
    for k in prange(planes):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                if kind == 0 or kind == 3:
                    for n in range(count):
                        y[n * planes + k, j, i] = found[n, k, j, i]
                elif kind == 4 and count == 6:
                    low, middle, high = spectrum(
                        float(found[0, k, j, i]), float(found[1, k, j, i]),
                        float(found[2, k, j, i]), float(found[3, k, j, i]),
                        float(found[4, k, j, i]), float(found[5, k, j, i]),
                    )  # fmt: skip
                    y[k, j, i] = low
                    y[planes + k, j, i] = middle
                    y[2 * planes + k, j, i] = high
                elif kind == 4 and count == 3:
                    p, q, r = (float(found[0, k, j, i]), float(found[1, k, j, i]),
                               float(found[2, k, j, i]))  # fmt: skip
                    side = math.sqrt(0.25 * (p - r) * (p - r) + q * q)
                    y[k, j, i] = 0.5 * (p + r) - side
                    y[planes + k, j, i] = 0.5 * (p + r) + side
                elif kind == 1:
                    total = 0.0
                    for n in range(count):
                        total += float(found[n, k, j, i]) * float(found[n, k, j, i])
                    y[k, j, i] = math.sqrt(total)
                else:
                    total = 0.0
                    for n in range(count):
                        total += float(found[n, k, j, i])
                    y[k, j, i] = total


def derivatives(
    x: Any, wz: Any, wy: Any, wx: Any, kind: int, ez: int, ey: int, ex: int, fill: float
) -> Any:
    """Return the derivatives that `kind` is made of, one behind the other."""
    terms = _terms(kind, wz.size > 0, wy.size > 0, wx.size > 0)
    found = np.empty((terms.shape[0], *x.shape), x.dtype)
    a, b = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    for n in range(terms.shape[0]):
        uz, uy, ux = (_part(wz, kind, terms[n, 0]), _part(wy, kind, terms[n, 1]),
                      _part(wx, kind, terms[n, 2]))  # fmt: skip
        _correlate(x, a, uz, uz.size // 2, 0, ez, fill)
        _correlate(a, b, uy, uy.size // 2, 1, ey, fill)
        _correlate(b, found[n], ux, ux.size // 2, 2, ex, fill)
    return found


def _terms(kind: int, z: bool, y: bool, x: bool) -> Any:
    """Return the order of derivative along each axis, for each that `kind` is made of."""
    terms = np.zeros((6, 3), np.int64)
    has = np.array([z, y, x])
    count = 0
    for p in range(3):
        for q in range(p, 3):
            if (kind < 3 and p != q) or not has[p] or not has[q]:
                continue
            terms[count, p] += 1
            if kind > 1:
                terms[count, q] += 1
            count += 1
    return terms[:count]


def _part(w: Any, kind: int, order: int) -> Any:
    """Return the weights of one order out of a list of all."""
    n = w.size // (2 if kind < 2 else 3)
    return w[order * n : (order + 1) * n]


def spectrum(
    zz: float, zy: float, zx: float, yy: float, yx: float, xx: float
) -> tuple[float, float, float]:
    """Return the eigenvalues of a symmetric matrix, ascending; jet.hpp says how."""
    mean = (zz + yy + xx) / 3
    a, b, c, d, e, f = zz - mean, zy, zx, yy - mean, yx, xx - mean
    size = max(abs(a), abs(b), abs(c), abs(d), abs(e), abs(f))
    scale = 1 / max(size, 1e-37)
    a, b, c, d, e, f = a * scale, b * scale, c * scale, d * scale, e * scale, f * scale
    p2 = max((a * a + d * d + f * f + 2 * (b * b + c * c + e * e)) / 6, 0.125)
    p = math.sqrt(p2)
    zz, yy, xx = d * f - e * e, a * f - c * c, a * d - b * b
    zy, zx, yx = c * e - b * f, b * e - c * d, b * c - e * a
    half = 0.5 * (a * zz + b * zy + c * zx) / (p2 * p)
    u = max(1 - abs(half), 0.0)
    w = u * (0.111111136 + u * (0.0164585165 + u * (0.00430402401 + u * (0.00115063922
        + u * (0.00100790879 + u * (-0.000484447604 + u * 0.000426785163))))))  # fmt: skip
    w -= (w * (9 + w * (4 * w - 12)) - u) / (9 + w * (12 * w - 24))
    q = (d - a) * (xx - zz) - (f - a) * (yy - zz)
    s, t, v = f * zy - b * (xx + p2), d * zx - c * (yy + p2), a * yx - e * (zz + p2)
    g, m, n = c * yx - zx * e, b * yx - zy * e, b * zx - zy * c
    squares = q * q + 9 * (s * s + t * t + v * v) + 15 * (g * g + m * m + n * n)
    near = p * (1 - w)
    side = math.sqrt(squares) / (6 * (4 * near * near - p2)) * size
    near *= size
    if half >= 0:
        return mean - near - side, mean - near + side, mean + 2 * near
    return mean - 2 * near, mean + near - side, mean + near + side


def plan_derivatives(
    gpu: Any, x: Any, parts: Any, wz: Any, wy: Any, wx: Any, kind: int, ez: int, ey: int, ex: int,
    fill: float,
) -> tuple[Any, int]:  # fmt: skip
    """Return what `derivatives` does, in `parts` if it is not None, and how many there are."""
    terms, planes = _terms(kind, wz.size > 0, wy.size > 0, wx.size > 0), x.shape[0]
    if parts is None:
        parts = gpu.empty((len(terms) * planes, *x.shape[1:]), x.dtype)
    for n, (a, b, c) in enumerate(terms):
        weights = _part(wz, kind, a), _part(wy, kind, b), _part(wx, kind, c)
        before = tuple(w.size // 2 for w in weights)
        part = parts[n * planes : (n + 1) * planes]
        plan_separable(gpu, x, part, *weights, before, ez, ey, ex, fill)
    return parts, len(terms)


@_jet.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, wz: Any, wy: Any, wx: Any, kind: int, ez: int, ey: int, ex: int,
    fill: float,
) -> None:  # fmt: skip
    straight = kind in (GRADIENT, HESSIAN)
    parts, count = plan_derivatives(gpu, x, y if straight else None, wz, wy, wx, kind, ez, ey, ex,
                                    fill)  # fmt: skip
    if straight:
        return
    name = gpu.name_of(x.dtype)
    if kind == EIGENVALUES and count > 1:
        gpu.launch(f"jet_eigenvalues<{name}>", gpu.blocks(x.size), 256, parts, y, x.size, count)
    else:
        squares = int(kind == MAGNITUDE)
        gpu.launch(f"jet_sum<{name}>", gpu.blocks(x.size), 256, parts, y, x.size, count, squares)


@_jet.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    kind = int(rng.integers(5))
    orders = 2 if kind < 2 else 3
    used = int(rng.integers(1, 4))
    weights = [
        np.concatenate([gaussian_weights(s, o, int(3 * s + 0.5), 1.0) for o in range(orders)])
        if axis >= 3 - used
        else np.empty(0)
        for axis, s in enumerate(rng.uniform(0.5, 2, 3).tolist())
    ]
    count = {GRADIENT: used, HESSIAN: used * (used + 1) // 2, EIGENVALUES: used}.get(kind, 1)
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    y = np.empty((count * shape[0], *shape[1:]), dtype)
    return x, y, *weights, kind, *(int(e) for e in rng.integers(0, 5, 3)), 7.0


class Settings:
    """The checked arguments of a filter on Gaussian derivatives."""

    def __init__(
        self, ndim: int, dtype: str, kind: int, sigma: Any, mode: Any, cval: Any, truncate: Any,
        radius: Any, axes: Any, spacing: Any, workers: Any,
    ) -> None:  # fmt: skip
        self.dtype, self.ndim = dtype, ndim
        self.along = _args.as_axes(axes, self.ndim)
        n = len(self.along)
        if not 1 <= n <= 3:
            raise ValueError(f"axes must be one to three; got {axes!r}")
        sigmas = [_args.as_float(s, "sigma", above=0) for s in _args.per_axis(sigma, n, "sigma")]
        reach = _args.as_float(truncate, "truncate", 0)
        radii = _args.per_axis(radius, n, "radius")
        self.kind, orders = kind, 2 if kind < LAPLACIAN else 3
        weights = []
        for s, unit, r in zip(sigmas, _args.as_spacing(spacing, n), radii, strict=True):
            voxels = s / unit
            r = _args.as_radius(r, reach, voxels)
            weights.append(
                np.concatenate([gaussian_weights(voxels, o, r, unit) for o in range(orders)])
            )
        edges = as_edges(mode, n)
        self.fill = as_whole_fill(cval, self.dtype)
        self.workers = _args.as_workers(workers)
        none = np.empty(0)
        self.weights = three(tuple(weights), self.along, self.ndim, none)
        self.edges = three(edges, self.along, self.ndim, 0)

    def run(self, volume: Any, answer: Any) -> None:
        """Write what is asked for of one volume."""
        _jet(volume, answer, *self.weights, self.kind, *self.edges, self.fill, workers=self.workers)


_settled = _args.remembered(Settings)


def settings_of(x: Any, *how: Any) -> Settings:
    """Return the checked arguments of a filter on an adopted image."""
    return _settled(_args.as_ndim(x), _args.as_dtype(x, _args.REAL), *how)


def as_float_image(x: Any) -> Any:
    """Return an image of float32 or float64; whole numbers of 16 bits and less as float32."""
    if _args.dtype_name(x) in _args.FLOAT:
        return x
    return x.astype(np.float64 if _args.dtype_name(x) == "int32" else np.float32)


def several(settings: Any, image: Any, give: Any, out: Any, count: int) -> Any:
    """Return `count` components of an image, on an axis before the last three (or fewer)."""
    x = _arrays.rows_contiguous(as_float_image(image))
    lead, last = x.shape[:-3], x.shape[-3:]
    shape = (*lead, count, *last)
    result = _arrays.output(out, shape, x.dtype, (image,))
    fit = out is None or _arrays.in_one_piece(result)
    target = result if fit else _arrays.empty(shape, x.dtype, x)
    volume = (1,) * (3 - len(last)) + tuple(last)
    for index in np.ndindex(*lead) if x.size else ():
        stacked = target[index].reshape((count * volume[0], *volume[1:]))
        settings.run(x[index].reshape(volume), stacked)
    if not fit:
        _arrays.assign(result, target)
    if out is not None:
        return out
    return result if give is None else give(result)


def _of_integers(x: Any, kind: int, give: Any, out: Any, axes: Any, ndim: int, args: Any) -> Any:
    """Add up derivatives in the image's own type, as SciPy does."""
    along = _args.as_axes(axes, ndim)
    result = _arrays.output(out, x.shape, x.dtype, (x,))
    total: Any = None
    for n in range(len(along)):
        order = [0] * len(along)
        order[n] = 1 if kind == MAGNITUDE else 2
        part = gaussian_filter(x, order=order, axes=along, **args)
        part = part * part if kind == MAGNITUDE else part
        total = part if total is None else total + part
    if kind == MAGNITUDE:
        with np.errstate(invalid="ignore"):
            total = np.sqrt(total.astype(np.float64)).astype(x.dtype)
    _arrays.assign(result, total)
    if out is not None:
        return out
    return result if give is None else give(result)


def _single(
    image: Any, kind: int, sigma: Any, mode: Any, cval: Any, truncate: Any, radius: Any,
    axes: Any, spacing: Any, out: Any, workers: Any,
) -> Any:  # fmt: skip
    x, give = _arrays.adopt(image)
    s = settings_of(x, kind, sigma, mode, cval, truncate, radius, axes, spacing, workers)
    if s.dtype not in _args.FLOAT:
        args = {"sigma": sigma, "mode": mode, "cval": cval, "truncate": truncate,
                "radius": radius, "spacing": spacing, "workers": workers}  # fmt: skip
        return _of_integers(x, kind, give, out, axes, s.ndim, args)
    return run_along(s.run, x, s.along, out, s.dtype, give)


def gaussian_laplace(
    image: Any,
    sigma: Any,
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
    """Return the Laplacian of a smoothed image: the sum of its second derivatives.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
        Axes before the last three are looped over, unless `axes` names them.
    sigma : float or one an axis
        Standard deviation of the Gaussian, in voxels, or in the unit of `spacing`.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'} or one an axis
        What lies outside the image.
    cval : float
        The value outside when `mode` is 'constant'. Integer images take whole numbers
        of their type.
    truncate : float
        Where the kernel ends, in standard deviations.
    radius : int or one an axis, optional
        Where the kernel ends, in voxels, instead of `truncate`.
    axes : int or sequence of int, optional
        The axes to work along, three at most; the last three by default. What can be
        given one an axis then has one value for each of these.
    spacing : float or one an axis, optional
        Length of a voxel: derivatives are then per unit of it.
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

    See Also
    --------
    laplace : second differences, nothing smoothed.

    Notes
    -----
    The weights are those of `gaussian_filter`. Integer images are cut after each axis
    and wrap where their type ends, as in SciPy: convert them to float32 first. NaN and
    infinity reach as far as the kernel does. Where `mode` differs between axes, each keeps
    its own; SciPy takes one axis's mode for all axes of that axis's derivative.

    Examples
    --------
    >>> x = np.zeros(7)
    >>> x[3] = 1
    >>> gaussian_laplace(x, 1).round(2)
    array([ 0.04,  0.16,  0.  , -0.4 ,  0.  ,  0.16,  0.04])
    """
    return _single(
        image, LAPLACIAN, sigma, mode, cval, truncate, radius, axes, spacing, out, workers
    )


def gaussian_gradient_magnitude(
    image: Any,
    sigma: Any,
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
    """Return how steep a smoothed image is: the length of its gradient.

    Parameters
    ----------
    image, sigma, mode, cval, truncate, radius, axes, spacing, out, workers
        As in `gaussian_laplace`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As in `gaussian_laplace`.

    See Also
    --------
    gaussian_filter : with ``order=1``, one component of the gradient.

    Notes
    -----
    The weights are those of `gaussian_filter`. Integer images are cut after each axis,
    and their squares wrap where their type ends, as in SciPy: convert them to float32
    first. NaN and infinity reach as far as the kernel does.

    Examples
    --------
    >>> gaussian_gradient_magnitude(3.0 * np.arange(20), 1.5)[9:11].round(2)
    array([3., 3.])
    """
    return _single(
        image, MAGNITUDE, sigma, mode, cval, truncate, radius, axes, spacing, out, workers
    )


def hessian(
    image: Any,
    sigma: Any,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return all second derivatives of a smoothed image.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
        Axes before the last three are looped over.
    sigma, mode, cval, truncate, spacing, workers
        As in `gaussian_laplace`.
    out : array, optional
        Where to write; of the answer's shape and type, not overlapping `image`.

    Returns
    -------
    array, shape ([...,] 6, planes, rows, columns)
        The derivatives zz, zy, zx, yy, yx, xx of a volume; yy, yx, xx of an image of
        two axes; xx of one. float64 for float64 and int32 images, else float32.

    Raises
    ------
    TypeError, ValueError
        As in `gaussian_laplace`.

    See Also
    --------
    hessian_eigenvalues : the eigenvalues of the matrix, without the matrix.

    Notes
    -----
    The weights are those of `gaussian_filter`, of orders 2, or 1 and 1. Nothing is
    multiplied by ``sigma**2``.

    A NaN reaches as far as the kernels do.

    Examples
    --------
    >>> y, x = np.mgrid[:20, :20]
    >>> hessian(1.5 * x * x + x * y + y * y, 1.0)[:, 10, 10].round(1)
    array([2., 1., 3.])
    """
    x, give = _arrays.adopt(image)
    s = settings_of(x, HESSIAN, sigma, mode, cval, truncate, None, None, spacing, workers)
    n = len(s.along)
    return several(s, x, give, out, n * (n + 1) // 2)


def hessian_eigenvalues(
    image: Any,
    sigma: Any,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the eigenvalues of the second derivatives of a smoothed image.

    Parameters
    ----------
    image, sigma, mode, cval, truncate, spacing, out, workers
        As in `hessian`.

    Returns
    -------
    array, shape ([...,] 3, planes, rows, columns)
        As many as the image has axes, the smallest first. float64 for float64 and
        int32 images, else float32.

    Raises
    ------
    TypeError, ValueError
        As in `gaussian_laplace`.

    Notes
    -----
    In closed form, to a few units in the last place of the largest, also where two are
    equal, as in tubes. The matrix itself is never stored.

    A NaN reaches as far as the kernels do.

    Examples
    --------
    >>> y, x = np.mgrid[:20, :20]
    >>> hessian_eigenvalues(1.5 * x * x - y * y, 1.0)[:, 10, 10].round(1)
    array([-2.,  3.])
    """
    x, give = _arrays.adopt(image)
    s = settings_of(x, EIGENVALUES, sigma, mode, cval, truncate, None, None, spacing, workers)
    return several(s, x, give, out, len(s.along))
