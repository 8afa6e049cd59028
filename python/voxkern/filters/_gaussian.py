"""Gaussian filter and its derivatives."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from ._recursive import recursive_gaussian
from ._separable import Step, as_whole_fill, at_once, key_of, take_steps


@functools.lru_cache(256)
def gaussian_weights(
    sigma: float, order: int, radius: int, unit: float, name: str = "sigma"
) -> Any:
    """Return the kernel to correlate with: a derivative of a sampled Gaussian that sums to 1."""
    if sigma < 1e-60:  # powers of it are nothing
        raise ValueError(f"{name} must be at least 1e-60 voxels; got {sigma:g}")
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


@_args.remembered
def settle(
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
) -> tuple[list[Step], float, tuple[Any, ...] | None]:
    """Return a step for each axis that changes, the fill, and what `at_once` says of them."""
    axes = _args.as_axes(axes, ndim)
    n = len(axes)
    sigmas = [_args.as_float(s, "sigma", 0) for s in _args.per_axis(sigma, n, "sigma")]
    orders = [_args.as_int(o, "order", 0) for o in _args.per_axis(order, n, "order")]
    if max(orders, default=0) > 32:
        raise ValueError(f"order must be at most 32; got {order!r}")
    edges = [_args.as_edge(m) for m in _args.per_axis(mode, n, "mode")]
    reach = _args.as_float(truncate, "truncate", 0)
    radii = [
        None if r is None else _args.as_int(r, "radius", 0)
        for r in _args.per_axis(radius, n, "radius")
    ]
    found: list[Step] = []
    for i, unit in enumerate(_args.as_spacing(spacing, n)):
        voxels = sigmas[i] / unit
        if voxels > 1e-15:
            r = _args.as_radius(radii[i], reach, voxels)
            found.append((axes[i], gaussian_weights(voxels, orders[i], r, unit), r, edges[i]))
    fill = as_whole_fill(cval, dtype)
    return found, fill, at_once(found, ndim, fill)


def gaussian_filter(
    image: Any,
    sigma: Any,
    order: Any = 0,
    *,
    mode: str | Sequence[str] | None = None,
    cval: float = 0.0,
    truncate: float = 4.0,
    radius: Any = None,
    axes: Any = None,
    spacing: Any = None,
    method: str = "sampled",
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
        What lies outside the image: 'reflect' if left out, and 'nearest' where `method` is
        'recursive', which knows no other.
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
    method : {'sampled', 'recursive'}
        'sampled' sums over the weights of a sampled Gaussian, as SciPy does; 'recursive'
        takes the same time for any `sigma`, as ITK's recursive filters do.
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

    With ``method="recursive"`` the filter is Deriche's of fourth order with the constants
    of Farnebaeck and Westin [1]_, of order 0, 1 or 2, the one of ITK's
    SmoothingRecursiveGaussian and RecursiveGaussian (per voxel there, per unit of
    `spacing` here; ``normalize_across_scale`` there multiplies by ``sigma**order``). It
    parts from a Gaussian by 0.14 % of a step, or 0.3 % of a point's peak. Sums are in
    float64; integer images are rounded once, in the end, and kept in the range of their type;
    NaN runs along its lines to the faces. Axes may be of any length; ITK asks for four voxels.

    Otherwise NaN and infinity reach as far as the kernel does, not further. SciPy differs in that
    it filters all axes of an image of more than three, and takes any `cval`.

    References
    ----------
    .. [1] G. Farnebaeck, C.-F. Westin, "Improving Deriche-style recursive Gaussian filters",
       Journal of Mathematical Imaging and Vision 26:293-299, 2006.
       https://doi.org/10.1007/s10851-006-8464-z

    Examples
    --------
    >>> x = np.zeros(7, dtype=np.float32)
    >>> x[3] = 100
    >>> gaussian_filter(x, 1).round(1)
    array([ 0.5,  5.4, 24.2, 39.9, 24.2,  5.4,  0.5], dtype=float32)
    """
    if method != "sampled":
        if method != "recursive":
            raise ValueError(f"method must be 'sampled' or 'recursive'; got {method!r}")
        return recursive_gaussian(
            image, sigma, order, mode, truncate, radius, axes, spacing, out, workers
        )
    mode = "reflect" if mode is None else mode
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    steps, fill, once = settle(
        ndim, dtype, key_of(sigma), key_of(order), key_of(mode), cval, truncate, key_of(radius),
        key_of(axes), key_of(spacing),
    )  # fmt: skip
    return take_steps(x, give, steps, once, fill, out, _args.as_workers(workers))
