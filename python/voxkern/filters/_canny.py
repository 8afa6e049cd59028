"""Canny's edges: crests of the slope of a smoothed image, as far as strong ones reach."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import CONSTANT, inside
from .._kernel import Edge, In, ListIn, Out, Scalar, kernel, prange
from ._gaussian import gaussian_filter, gaussian_weights
from ._gradient import _length
from ._jet import GRADIENT, _jet
from ._separable import _correlate, _row, _windows

_STEP, _FLAT = np.array([-1.0, 0.0, 1.0]), np.array([1.0, 2.0, 1.0])
_REFLECT = _args.as_edge("reflect")


@kernel(dtypes=_args.FLOAT)
def _line_sums(x: In, y: Out, w: ListIn, axis: Scalar, edge: Edge, fill: Scalar) -> None:
    _correlate(x, y, w, w.size // 2, axis, edge, fill)


@_line_sums.on("numba")
def _by_rows(x: Any, y: Any, w: Any, axis: int, edge: int, fill: float) -> None:
    planes, rows, columns = x.shape
    reach = w.size // 2
    for k in prange(planes):
        total, pair, line = np.empty(columns), np.empty(columns), np.empty(columns + w.size)
        for j in range(rows):
            if axis == 0:
                _row(x[:, j], k, w, reach, edge, fill, total, pair)
            elif axis == 1:
                _row(x[k], j, w, reach, edge, fill, total, pair)
            else:
                for i in range(columns + w.size - 1):
                    at = inside(i - reach, columns, edge)
                    line[i] = fill if at < 0 else x[k, j, at]
                _windows(line, w, total)
            for i in range(columns):
                y[k, j, i] = total[i]


@_line_sums.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    w = (gaussian_weights(1.3, 0, int(rng.integers(1, 9)), 1.0), _STEP)[int(rng.integers(2))]
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    return x, np.empty(shape, dtype), w, int(rng.integers(3)), int(rng.integers(5)), 7.1


@kernel(dtypes=_args.FLOAT)
def _crests(x: In, slopes: In, mask: In, y: Out, low: Scalar, high: Scalar) -> None:
    planes, rows, columns = x.shape
    solid = slopes.shape[0] == 3 * planes
    for k in prange(planes):
        for j in range(rows):
            for i in range(columns):
                y[k, j, i] = 0
                v = x[k, j, i]
                if not (v >= low and v > 0):
                    continue
                if not (0 < j < rows - 1 and 0 < i < columns - 1):
                    continue
                if solid and not 0 < k < planes - 1:
                    continue
                if _all_around(mask, k, j, i, solid) and _is_crest(x, slopes, k, j, i, solid):
                    y[k, j, i] = 2 if v >= high else 1


def _all_around(mask: Any, k: int, j: int, i: int, solid: bool) -> bool:
    """Return whether a voxel and all around it are in the mask."""
    if mask is not None:
        deep = 1 if solid else 0
        for kk in range(k - deep, k + deep + 1):
            for jj in range(j - 1, j + 2):
                for ii in range(i - 1, i + 2):
                    if mask[kk, jj, ii] == 0:
                        return False
    return True


def _is_crest(x: Any, slopes: Any, k: int, j: int, i: int, solid: bool) -> bool:
    """Return whether a voxel is no less than what a step along the slope meets on both sides."""
    planes = x.shape[0]
    sx = slopes[(2 if solid else 1) * planes + k, j, i]
    sy = slopes[(planes if solid else 0) + k, j, i]
    sz = slopes[k, j, i] if solid else sx - sx
    ax, ay, az = abs(sx), abs(sy), abs(sz)
    dx, dy, dz = 1 if sx > 0 else -1, 1 if sy > 0 else -1, 1 if sz > 0 else -1
    # From the face's middle, at `top`, the step is off by u along `one` and by v along `two`.
    top, one, two = (0, 0, dx), (0, dy, 0), (dz, 0, 0)
    high, first, second = ax, ay, az
    if not (ax >= ay and ax >= az):
        if ay >= az:
            top, one, two = (0, dy, 0), (0, 0, dx), (dz, 0, 0)
            high, first, second = ay, ax, az
        else:
            top, one, two = (dz, 0, 0), (0, dy, 0), (0, 0, dx)
            high, first, second = az, ay, ax
    if not high > 0:
        return False
    u, v = first / high, second / high
    for side in (1, -1):
        kk, jj, ii = k + side * top[0], j + side * top[1], i + side * top[2]
        ku, ju, iu = kk + side * one[0], jj + side * one[1], ii + side * one[2]
        value = _between(x[kk, jj, ii], x[ku, ju, iu], u)
        if solid:
            a, b, c = side * two[0], side * two[1], side * two[2]
            other = _between(x[kk + a, jj + b, ii + c], x[ku + a, ju + b, iu + c], u)
            value = other * float(v) + value * (1.0 - float(v))
        if not value <= x[k, j, i]:
            return False
    return True


def _between(near: Any, far: Any, share: Any) -> float:
    """Return what lies between two neighbours, rounded as scikit-image rounds it."""
    return float(far * share) + float(near) * (1.0 - float(share))


@_crests.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    count = 2 if shape[0] == 1 else 3
    slopes = rng.integers(-3, 4, (count * shape[0], *shape[1:])).astype(dtype)
    x = (4 * rng.random(shape)).astype(dtype)
    mask = (rng.random(shape) < 0.97).astype(np.uint8) if rng.random() < 0.5 else None
    return x, slopes, mask, np.empty(shape, np.uint8), 0.5, 3.0


class _Canny:
    """The checked arguments of an edge filter."""

    def __init__(
        self, x: Any, sigma: Any, low: Any, high: Any, quantiles: Any, mode: Any, cval: Any,
        spacing: Any, workers: Any,
    ) -> None:  # fmt: skip
        dtype = _args.as_dtype(x, _args.REAL)
        self.ndim = n = min(_args.as_ndim(x, 2), 3)
        # Planes are computed as scikit-image does, to the last bit.
        wide = dtype in ("int32", "float64") or (n == 2 and dtype != "float32")
        self.dtype = np.dtype("float64" if wide else "float32")
        self.top = 1.0 if dtype in _args.FLOAT else float(np.iinfo(dtype).max)
        self.quantiles = bool(quantiles)
        self.low = self._as_threshold(low, "low_threshold", 0.1)
        self.high = self._as_threshold(high, "high_threshold", 0.2)
        if self.high < self.low:
            raise ValueError(
                f"low_threshold must be at most high_threshold; got {self.low * self.top:g} "
                f"and {self.high * self.top:g}"
            )
        self.sigma = [_args.as_float(s, "sigma", 0) for s in _args.per_axis(sigma, n, "sigma")]
        self.units = _args.as_spacing(spacing, n)
        self.mode, self.edge = mode, _args.as_edge(mode)
        self.cval = _args.as_float(cval, "cval")
        self.workers = _args.as_workers(workers)

    def _as_threshold(self, value: Any, name: str, default: float) -> float:
        if value is None:
            return default
        number = _args.as_float(value, name)
        if self.quantiles and not 0 <= number <= 1:
            raise ValueError(f"{name} must be a quantile, from 0 to 1; got {value!r}")
        return number if self.quantiles else number / self.top

    def scaled(self, volume: Any, mask: Any) -> Any:
        """Return the image in floats, the largest whole number of its type as 1."""
        x = volume if mask is None else np.where(mask, volume, volume.dtype.type(0))
        if x.dtype.kind != "f":
            x = np.multiply(x, 1.0 / self.top, dtype=self.dtype)
            np.maximum(x, -1.0, out=x)
        return x

    def smooth(self, x: Any) -> Any:
        if self.ndim == 3:
            return gaussian_filter(
                x, self.sigma, mode=self.mode, cval=self.cval, spacing=self.units,
                workers=self.workers,
            )  # fmt: skip
        for axis, (sigma, unit) in enumerate(zip(self.sigma, self.units, strict=True), 1):
            if sigma / unit > 1e-15:
                w = gaussian_weights(sigma / unit, 0, int(4 * sigma / unit + 0.5), 1.0)
                x = self.sums(x, w, axis, self.edge, self.cval)
        return x

    def sums(self, x: Any, w: Any, axis: int, edge: int = _REFLECT, fill: float = 0.0) -> Any:
        y = _arrays.empty(x.shape, x.dtype, x)
        _line_sums(x, y, w, axis, edge, fill, workers=self.workers)
        return y

    def slopes(self, x: Any) -> Any:
        """Return Sobel's differences along each axis, per unit; of volumes, a quarter of them."""
        planes = x.shape[0]
        y = _arrays.empty((self.ndim * planes, *x.shape[1:]), x.dtype, x)
        if self.ndim == 3:
            lines = [np.array([0.5, 1, 0.5, -1 / unit, 0, 1 / unit]) for unit in self.units]
            _jet(x, y, *lines, GRADIENT, *(_REFLECT,) * 3, 0.0, workers=self.workers)
            return y
        for n, (axis, other) in enumerate([(1, 2), (2, 1)]):
            step = _STEP / self.units[n]
            part = y[n * planes : (n + 1) * planes]
            along = self.sums(x, step, axis)
            _line_sums(along, part, _FLAT, other, _REFLECT, 0.0, workers=self.workers)
        return y

    def run(self, volume: Any, mask: Any, answer: Any) -> None:
        """Write the edges of one volume."""
        x = self.smooth(self.scaled(volume, mask))
        if mask is not None:
            share = self.smooth(mask.astype(x.dtype))
            share += np.finfo(x.dtype).eps
            x = np.divide(x, share, out=share)
            del share
        elif self.edge == CONSTANT:
            x = self.evened(x)
        slopes = self.slopes(x)
        size = _arrays.empty(x.shape, x.dtype, x)
        del x
        _length(slopes, size, workers=self.workers)
        low, high = self.low, self.high
        if self.quantiles:
            low, high = np.percentile(size, [100.0 * low, 100.0 * high])
        # scikit-image rounds its thresholds so, and lets no flat place be an edge.
        with np.errstate(over="ignore"):  # no slope is above a threshold that no float holds
            low, high = float(np.float32(low or 1e-14)), float(self.dtype.type(high))
        if any(unit != 1 for unit in self.units):
            for axis, part in enumerate(np.split(slopes, self.ndim)):
                part /= self.units[axis]
        codes = _arrays.empty(size.shape, np.uint8, size)
        within = None if mask is None else mask.view(np.uint8)
        _crests(size, slopes, within, codes, low, high, workers=self.workers)
        del size, slopes
        self.follow(codes, answer)

    def evened(self, x: Any) -> Any:
        """Return a smoothed image over what the same makes of an image of ones.

        That is one number but near the faces, so a small image of ones tells all.
        """
        sides: list[list[tuple[slice, slice]]] = [[(slice(None), slice(None))]] * 3
        small = list(x.shape)
        for axis, (sigma, unit) in enumerate(zip(self.sigma, self.units, strict=True)):
            at = axis + 3 - self.ndim
            r, n = int(4 * sigma / unit + 0.5) + 1, x.shape[at]
            if n > 2 * r + 1:
                small[at] = 2 * r + 1
                ends = slice(0, r), slice(n - r, n), slice(r + 1, 2 * r + 1)
                middle = slice(r, n - r), slice(r, r + 1)
                sides[at] = [(ends[0], ends[0]), middle, (ends[1], ends[2])]
        share = self.smooth(np.ones(small, x.dtype)) + np.finfo(x.dtype).eps
        y = np.empty_like(x)
        for part in itertools.product(*sides):
            large, few = (tuple(s[k] for s in part) for k in (0, 1))
            np.divide(x[large], share[few], out=y[large])
        return y

    def follow(self, codes: Any, answer: Any) -> None:
        """Write which crests belong to a region that has a strong one."""
        from ..regions import label

        labels, count = label(codes, 3, multivalued=False, return_num=True, workers=self.workers)
        crests = np.flatnonzero(codes != 0)
        region = labels.ravel()[crests]
        keep = np.zeros(count + 1, bool)
        keep[region[codes.ravel()[crests] == 2]] = True
        answer[...] = False
        answer.flat[crests] = keep[region]


@_arrays.cpu_only
@_arrays.silent
def canny(
    image: Any,
    sigma: Any = 1.0,
    low_threshold: float | None = None,
    high_threshold: float | None = None,
    *,
    mask: Any = None,
    use_quantiles: bool = False,
    mode: str = "constant",
    cval: float = 0.0,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the edges of an image: thin lines in a plane, thin surfaces in a volume.

    Parameters
    ----------
    image : array, shape ([..., planes,] rows, columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on the CPU. Axes before
        the last three are looped over.
    sigma : float or one an axis
        Standard deviation of the Gaussian that smooths first, in voxels, or in the unit of
        `spacing`.
    low_threshold, high_threshold : float, optional
        Edges are followed as far as the slope is at least `low_threshold`, from where it is at
        least `high_threshold`. In the unit of the image (times 8, see the notes); a tenth and a
        fifth of the largest whole number of its type if left out, or of 1 for floats.
    mask : array of bool or uint8, optional
        Where the image counts, of its shape. Voxels that touch another are no edges.
    use_quantiles : bool
        Whether thresholds are shares of the voxels, from 0 to 1, by their slope.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}
        What lies outside the image when it is smoothed.
    cval : float
        The value outside when `mode` is 'constant', of the mask too. For whole numbers it is a
        share of the largest of their type.
    spacing : float or one an axis, optional
        Length of a voxel: slopes are then per unit of it.
    out : array of bool, optional
        Where to write; same shape as `image`, not overlapping it.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError
        If `image` or `mask` has another type, or is on a GPU.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    Notes
    -----
    Of planes, scikit-image's answer voxel by voxel [1]_: the image is smoothed, and divided by the
    smoothed mask where there is one or `mode` is 'constant'. Sobel's differences make the slope,
    which is 8 times the derivative. A voxel is a crest if its slope is no less than on both sides,
    where a step along the gradient meets the line between two neighbours. Crests of at least
    `low_threshold` are edges if they hang together, over sides and corners, with one of at least
    `high_threshold`. Voxels at the faces are never edges. Whole numbers are divided by the largest
    of their type first, and thresholds too.

    Volumes follow the same rule. A step along the gradient meets a face of the cube of 26
    neighbours, and what it finds is interpolated between the four there; neighbours hang together
    over faces, sides and corners. Sobel's differences are divided by 4, so that the slope is 8
    times the derivative here too. With `spacing` the gradient is per unit of length, and the step
    goes along it in space, whatever the shape of a voxel.

    SimpleITK's CannyEdgeDetection differs: its edges are where the second derivative along the
    gradient changes its sign, and it takes a variance, `sigma` squared.

    NaN makes no edges around it, two voxels further than the Gaussian reaches. A call takes up to
    seven volumes of memory.

    References
    ----------
    .. [1] J. Canny, "A computational approach to edge detection", IEEE Transactions on Pattern
       Analysis and Machine Intelligence 8:679-714, 1986.
       https://doi.org/10.1109/TPAMI.1986.4767851

    Examples
    --------
    >>> x = np.zeros((7, 7))
    >>> x[:, 4:] = 1
    >>> x[:, 3] = 0.5
    >>> canny(x).astype(int)[2:5]
    array([[0, 0, 0, 1, 0, 0, 0],
           [0, 0, 0, 1, 0, 0, 0],
           [0, 0, 0, 1, 0, 0, 0]])
    """
    x, give = _arrays.adopt(image)
    where = None if mask is None else _arrays.adopt(mask, "mask")[0]
    _arrays.need_cpu(image=x, mask=where)
    edges = _Canny(
        x, sigma, low_threshold, high_threshold, use_quantiles, mode, cval, spacing, workers
    )
    if where is None:
        return _arrays.run_volumes(
            lambda volume, answer: edges.run(volume, None, answer), x, out, np.dtype(bool), give
        )
    _args.as_dtype(where, _args.MASK, "mask")
    if where.shape != x.shape:
        raise ValueError(f"mask must have the image's shape {x.shape}; got {where.shape}")
    masks = (m for (m,) in _arrays.volumes(where))

    def run(volume: Any, answer: Any) -> None:
        edges.run(volume, np.ascontiguousarray(next(masks) != 0), answer)

    return _arrays.run_volumes(run, x, out, np.dtype(bool), give)
