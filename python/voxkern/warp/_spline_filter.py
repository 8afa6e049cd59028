"""Spline prefilter."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import NEAREST as EDGE_NEAREST
from .._edge import inside
from .._kernel import In, Out, Scalar, Size, kernel, prange
from ._sample import (
    GRID_CONSTANT,
    GRID_WRAP,
    NEAREST,
    REFLECT,
    as_order,
    as_outside,
    coefficient_type,
    example_image,
)


def filter_line(c: Any, z: float, outside: int) -> None:
    """Turn a line into coefficients for one pole `z`, in place, gain apart.

    Unser, Aldroubi and Eden's two recursions; the first values are the exact sums over the endless
    continuation of the line.
    """
    n = c.size
    power = z
    if outside in (REFLECT, NEAREST):
        total, far = 0.0, z**n
        for i in range(n):
            total += power * (c[i] + far * c[n - 1 - i])
            power *= z
        c[0] += total / (1 - far * far)
    elif outside == GRID_WRAP:
        total = c[0]
        for i in range(1, n):
            total += power * c[n - i]
            power *= z
        c[0] = total / (1 - power)
    else:
        far = z ** (n - 1)
        total = c[0] + far * c[n - 1]
        for i in range(1, n - 1):
            total += power * (c[i] + far * c[n - 1 - i])
            power *= z
        c[0] = total / (1 - far * far)
    for i in range(1, n):
        c[i] += z * c[i - 1]
    if outside in (REFLECT, NEAREST):
        c[n - 1] *= z / (z - 1)
    elif outside == GRID_WRAP:
        total, power = c[n - 1], z
        for i in range(n - 1):
            total += power * c[i]
            power *= z
        c[n - 1] = total * z / (power - 1)
    else:
        c[n - 1] = (z * c[n - 2] + c[n - 1]) * z / (z * z - 1)
    for i in range(n - 2, -1, -1):
        c[i] = z * (c[i + 1] - c[i])


def pole(order: int, which: int) -> float:
    """Return a pole of the filter for splines of an order: one for 2 and 3, two for 4 and 5."""
    if order == 2:
        return 8**0.5 - 3
    if order == 3:
        return 3**0.5 - 2
    sign = 1 - 2 * which
    if order == 4:
        return (664 - sign * 438976**0.5) ** 0.5 + sign * 304**0.5 - 19
    return (67.5 - sign * 4436.25**0.5) ** 0.5 + sign * 26.25**0.5 - 6.5


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=2e-6,
    why="float32 coefficients come from recursions in float32, the rule's from float64",
)
def _spline_filter(x: In, y: Out, order: Scalar, outside: Scalar, pad: Size, fill: Scalar) -> None:
    nz, ny, nx = y.shape
    for k in prange(nz):
        for j in range(ny):
            for i in range(nx):
                kk, jj, ii = k - pad[0], j - pad[1], i - pad[2]
                known = 0 <= kk < x.shape[0] and 0 <= jj < x.shape[1] and 0 <= ii < x.shape[2]
                if known or outside != GRID_CONSTANT:
                    kk = inside(kk, x.shape[0], EDGE_NEAREST)
                    jj = inside(jj, x.shape[1], EDGE_NEAREST)
                    ii = inside(ii, x.shape[2], EDGE_NEAREST)
                    y[k, j, i] = x[kk, jj, ii]
                else:
                    y[k, j, i] = fill
    gain = 1.0
    for p in range(order // 2):
        z = pole(order, p)
        gain *= (1 - z) * (1 - 1 / z)
    for k in prange(nz):
        for j in range(ny):
            if nx > 1:
                line = gain * y[k, j, :].astype(np.float64)
                for p in range(order // 2):
                    filter_line(line, pole(order, p), outside)
                y[k, j, :] = line
        for i in range(nx):
            if ny > 1:
                line = gain * y[k, :, i].astype(np.float64)
                for p in range(order // 2):
                    filter_line(line, pole(order, p), outside)
                y[k, :, i] = line
    for j in prange(ny):
        for i in range(nx):
            if nz > 1:
                line = gain * y[:, j, i].astype(np.float64)
                for p in range(order // 2):
                    filter_line(line, pole(order, p), outside)
                y[:, j, i] = line


@_spline_filter.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = example_image(rng, shape, dtype)
    outside = int(rng.integers(6))
    pad = tuple(int(n > 1) * 3 for n in shape) if outside in (NEAREST, GRID_CONSTANT) else (0, 0, 0)
    y = np.empty([n + 2 * p for n, p in zip(shape, pad, strict=True)], coefficient_type(dtype))
    return x, y, int(rng.integers(2, 6)), outside, pad, 7.0


@_spline_filter.on("cuda")
def _plan(gpu: Any, x: Any, y: Any, order: int, outside: int, pad: Any, fill: float) -> None:
    to = gpu.name_of(y.dtype)
    gpu.launch(
        f"spline_copy<{gpu.name_of(x.dtype)},{to}>", gpu.blocks(y.size), 256,
        x, y, x.shape, y.shape, pad, outside, float(fill),
    )  # fmt: skip
    planes, rows, columns = y.shape
    for size in ((planes * rows, columns, 1), (planes, rows, columns), (1, planes, rows * columns)):
        if size[1] > 1:
            lines = gpu.blocks(size[0] * size[2], 64)
            gpu.launch(f"spline_lines<{to}>", lines, 64, y, size, order, outside)


def coefficients(
    volume: Any, order: int, outside: int, ndim: int, pad: int, fill: float, workers: Any
) -> Any:
    """Return the spline coefficients of a volume, padded along its last `ndim` axes first."""
    pads = (0,) * (3 - ndim) + (pad,) * ndim
    shape = volume.shape
    if pad:
        shape = [n + 2 * p for n, p in zip(shape, pads, strict=True)]
    y = _arrays.empty(shape, coefficient_type(_args.dtype_name(volume)), volume)
    _spline_filter(volume, y, order, outside, pads, fill, workers=workers)
    return y


def spline_filter(
    image: Any,
    order: int = 3,
    mode: str = "mirror",
    *,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the B-spline coefficients whose splines pass through the image's voxels.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device. Axes before
        the last three are looped over, not filtered along.
    order : int
        Order of the spline, 2 to 5.
    mode : str
        How the image continues beyond its faces: 'mirror' (also for 'constant', 'grid-constant'
        and 'wrap'), 'reflect' (also for 'nearest') or 'grid-wrap'.
    out : array, optional
        Where to write; of the image's shape and the returned type, not overlapping the image.
    workers : int, optional
        Threads to use; all that are allowed if left out.

    Returns
    -------
    array
        float64 for int32 and float64, else float32. SciPy's default is float64 always.

    Raises
    ------
    ValueError
        If `order` is not 2 to 5.

    Notes
    -----
    Interpolating functions do this by themselves unless ``prefilter=False``. Do it once when one
    image is read many times. A NaN voxel spreads along its lines.

    The spline goes through every voxel. SciPy's before 1.18 does not where an axis of fewer than
    about a dozen voxels is reflected ('reflect', 'grid-mirror'): it is off by up to 3e-3 of the
    range for order 5 and two voxels, 4e-8 for order 3 and six.

    References
    ----------
    .. [1] M. Unser, A. Aldroubi, M. Eden, "B-spline signal processing: Part II - efficient design
       and applications", IEEE Transactions on Signal Processing 41:834-848, 1993.
       https://doi.org/10.1109/78.193221

    Examples
    --------
    >>> x = np.array([0, 0, 1, 0, 0], np.float64)
    >>> spline_filter(x).round(3)
    array([ 0.25, -0.5 ,  1.75, -0.5 ,  0.25])
    """
    order = as_order(order)
    if order < 2:
        raise ValueError(f"order must be 2 to 5; got {order}")
    outside = as_outside(mode)
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    _args.as_ndim(x)
    workers = _args.as_workers(workers)

    def run(volume: Any, answer: Any) -> None:
        _spline_filter(volume, answer, order, outside, (0, 0, 0), 0.0, workers=workers)

    return _arrays.run_volumes(run, x, out, np.dtype(coefficient_type(dtype)), give)
