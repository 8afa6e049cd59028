"""Linear registration: translations, rigid motions, similarities and affine maps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _args, _arrays
from ..filters import gaussian_filter
from ..metrics import MOST_BINS, as_mask, extremes, information
from ..warp import Transform, affine_transform
from ._affine import SUMS, _affine_moments, _affine_parzen, _affine_parzen_gradient
from ._motion import MOTIONS, Motion
from ._optimise import bfgs, gauss_newton

Matrix = np.ndarray[Any, Any]
Progress = Callable[[int, int, float], None]
History = tuple[tuple[int, int, float], ...]

METRICS = ("mi", "ncc", "ssd")
SAMPLES = 1 << 18
# How often a level begins anew with the samples that lie in the moving image by then.
ROUNDS = 6
UNIT = 1 << 20


class Registration(Transform):
    """What `register` found: the transform, and how it was found.

    Attributes
    ----------
    matrix : ndarray, shape (n + 1, n + 1)
        Homogeneous, from points of the fixed image to points of the moving image, in physical
        units and in the order of the arrays' axes.
    index_matrix : ndarray, shape (n + 1, n + 1)
        The same between voxel indices.
    value : float
        The metric at the finest level: mutual information in nats, correlation, or mean squared
        difference.
    converged : bool
        Whether the finest level stopped by itself, before its iterations were used up.
    history : tuple of (int, int, float)
        Level, iteration and value after each step.
    shape : tuple of int
        The fixed image's.
    """

    __slots__ = ("converged", "history", "index_matrix", "shape", "value")

    index_matrix: Matrix
    value: float
    converged: bool
    history: History
    shape: tuple[int, ...]

    def __init__(
        self,
        matrix: Matrix,
        index_matrix: Matrix,
        value: float,
        converged: bool,
        history: History,
        shape: tuple[int, ...],
    ) -> None:
        super().__init__(matrix[:-1])
        found = (converged, history, index_matrix, shape, value)
        for name, what in zip(self.__slots__, found, strict=True):
            object.__setattr__(self, name, what)

    def __reduce__(self) -> tuple[Any, ...]:
        return Registration, (
            np.array(self.matrix),
            self.index_matrix,
            self.value,
            self.converged,
            self.history,
            self.shape,
        )

    def warp(self, moving: Any, *, order: int = 1, cval: float = 0.0) -> Any:
        """Return the moving image, or its labels with ``order=0``, on the fixed image's grid."""
        return affine_transform(
            moving, self.index_matrix, output_shape=self.shape, order=order, cval=cval
        )


@dataclass(frozen=True)
class _Image:
    """A volume of float32 with its mask, and the way from its indices to points."""

    volume: Any
    mask: Any
    points: Matrix
    ndim: int

    def coarser(self, factor: int, workers: int | None) -> _Image:
        """Smooth, and keep every so many voxels of the finer axes: nearly cubes come out."""
        n = self.ndim
        spacing = np.linalg.norm(self.points[:n, :n], axis=0)
        wanted = np.rint(factor * spacing.min() / spacing).astype(int)
        shape = self.volume.shape[-n:]
        # Eight voxels are left at least, where there were so many.
        skip = [max(1, min(int(w), s // 8)) for w, s in zip(wanted, shape, strict=True)]
        if max(skip) == 1:
            return self
        sigma = (0.0,) * (3 - n) + tuple(s / 2 if s > 1 else 0.0 for s in skip)
        at = (slice(None),) * (3 - n) + tuple(slice(None, None, s) for s in skip)
        volume = gaussian_filter(self.volume, sigma, mode="nearest", workers=workers)[at]
        mask = _arrays.rows_contiguous(self.mask[at]) if self.mask.size else self.mask
        points = self.points @ np.diag([*skip, 1.0])
        return _Image(_arrays.rows_contiguous(volume), mask, points, n)


class _Level:
    """Two images at one resolution, compared under a motion."""

    def __init__(
        self,
        fixed: _Image,
        moving: _Image,
        motion: Motion,
        start: Matrix,
        metric: str,
        bins: int,
        samples: int,
        seed: int,
        workers: int | None,
    ) -> None:
        n = self.n = fixed.ndim
        self.motion, self.metric, self.bins, self.workers = motion, metric, bins, workers
        centre = np.zeros(3)
        centre[3 - n :] = [(s - 1) / 2 for s in fixed.volume.shape[-n:]]
        move = np.eye(n + 1)
        move[:n, n] = centre[3 - n :]
        self.right = fixed.points @ move
        self.left = np.linalg.inv(moving.points) @ start
        step = _steps(fixed.volume.shape, samples)
        self.least = 0.05 * math.prod(
            -(-s // t) for s, t in zip(fixed.volume.shape, step, strict=True)
        )
        if fixed.mask.size:
            self.least = 0.0
        self.images = (fixed.volume, moving.volume, fixed.mask, moving.mask)
        self.where = (tuple(centre.tolist()), step, seed)
        low, high = extremes(fixed.volume, fixed.mask, workers)[:2]
        self.middle = (low + high) / 2
        self.window = (bins, low, high, *extremes(moving.volume, moving.mask, workers)[:2])
        self.voxel = float(np.linalg.norm(fixed.points[:n, :n], axis=0).min())
        self.samples, self.table, self.gate = 0.0, np.zeros(0), np.zeros(12)

    def _between(self, matrix: Matrix) -> Matrix:
        """Return the twelve numbers that kernels take, between indices."""
        full = np.zeros((*matrix.shape[:-2], 3, 4))
        between = self.left @ matrix @ self.right
        n = self.n
        full[..., 3 - n :, 3 - n : 3] = between[..., :n, :n]
        full[..., 3 - n :, 3] = between[..., :n, n]
        return full.reshape(*matrix.shape[:-2], 12)

    def hold(self, p: Matrix) -> None:
        """Let those samples take part, from now on, that lie in the moving image under `p`."""
        self.gate = self._between(self.motion.matrix(p))

    def _args(self, p: Matrix) -> tuple[Any, ...]:
        maps = np.concatenate([self._between(self.motion.matrix(p)), self.gate])
        return *self.images, maps, *self.where

    def moments(self, p: Matrix) -> tuple[float, Matrix, Matrix]:
        """Return the cost by squared differences or correlation, its gradient and curvature."""
        s = np.zeros(SUMS)
        _affine_moments(*self._args(p), self.middle, self.middle, s, workers=self.workers)
        n, f, m, ff, mm, fm = s[:6]
        slopes = self._between(self.motion.derivatives(p))
        j, jf, jm = (slopes @ s[at : at + 12] for at in (6, 18, 30))
        upper = np.zeros((12, 12))
        upper[np.triu_indices(12)] = s[42:]
        jj = slopes @ (upper + np.triu(upper, 1).T) @ slopes.T
        if n <= self.least:
            return math.inf, j, jj
        if self.metric == "ssd":
            return (ff + mm - 2 * fm) / n, 2 * (jm - jf) / n, 2 * jj / n
        ff, mm, fm = ff - f * f / n, mm - m * m / n, fm - f * m / n
        if ff <= 0 or mm <= 0:
            return math.inf, j, jj
        jf, jm = jf - j * (f / n), jm - j * (m / n)
        gradient = -(jf - fm / mm * jm) / math.sqrt(ff * mm)
        curvature = (jj - np.outer(j, j) / n - np.outer(jm, jm) / mm) / mm
        return 1 - fm / math.sqrt(ff * mm), gradient, curvature

    def unlikeness(self, p: Matrix) -> float:
        """Return minus the mutual information, and keep what its gradient needs."""
        counts = np.zeros(self.bins**2, np.int64)
        _affine_parzen(*self._args(p), *self.window, counts, workers=self.workers)
        self.samples = counts.sum() / UNIT
        if self.samples <= self.least:
            return math.inf
        value, table = information(counts.reshape(self.bins, self.bins))
        self.table = table.ravel()
        return -value

    def unlikeness_slope(self, p: Matrix) -> Matrix:
        """Return its derivative where it was asked for last."""
        sums = np.zeros(12)
        _affine_parzen_gradient(
            *self._args(p), *self.window, self.table, sums, workers=self.workers
        )
        low, high = self.window[3:]
        scale = (self.bins - 4) / (high - low) / self.samples if high > low else 0.0
        return -scale * (self._between(self.motion.derivatives(p)) @ sums)

    def descend(
        self, p: Matrix, iterations: int, tolerance: float, watch: Callable[[int, float], None]
    ) -> tuple[Matrix, float, bool]:
        """Return better parameters, the metric's value, and whether the search ended by itself."""
        near = tolerance * self.voxel

        def value(cost: float) -> float:
            return {"mi": -cost, "ncc": 1 - cost, "ssd": cost}[self.metric]

        def tell(iteration: int, cost: float) -> None:
            watch(iteration, value(cost))

        cost, finished = math.inf, False
        for _ in range(ROUNDS):
            self.hold(p)
            if self.metric == "mi":
                found, cost, finished = bfgs(
                    self.unlikeness,
                    self.unlikeness_slope,
                    p,
                    iterations,
                    near,
                    2 * self.voxel,
                    tell,
                )
            else:
                found, cost, finished = gauss_newton(self.moments, p, iterations, near, tell)
            moved, p = float(np.abs(found - p).max()), found
            if moved < 3 * near or not math.isfinite(cost):
                break
        return p, value(cost), finished


def _steps(shape: Sequence[int], samples: int) -> tuple[int, int, int]:
    """Return how many voxels a sample stands for along each axis, about as many along all."""
    step = [1, 1, 1]
    while math.prod(-(-n // s) for n, s in zip(shape, step, strict=True)) > samples:
        step[int(np.argmax([n / s for n, s in zip(shape, step, strict=True)]))] += 1
    return step[0], step[1], step[2]


def register(
    fixed: Any,
    moving: Any,
    transform: str = "rigid",
    metric: str = "mi",
    *,
    fixed_spacing: Any = None,
    fixed_origin: Any = None,
    fixed_direction: Any = None,
    moving_spacing: Any = None,
    moving_origin: Any = None,
    moving_direction: Any = None,
    initial: Any = "center",
    levels: Sequence[int] = (4, 2, 1),
    sampling: float | None = None,
    bins: int = 32,
    seed: int = 0,
    fixed_mask: Any = None,
    moving_mask: Any = None,
    iterations: int = 100,
    tolerance: float = 0.01,
    progress: Progress | bool | None = None,
    workers: int | None = None,
) -> Registration:
    """Find the linear map that lays one image on another.

    Parameters
    ----------
    fixed, moving : array or Image, shape ([planes,] rows, columns)
        Two images of as many axes, of any real type, on one device. An `Image` has its own spacing,
        origin and direction; what is given below wins.
    transform : {'translation', 'rigid', 'similarity', 'affine'}
        What the map may do: shift; turn, too; scale alike, too; anything linear.
    metric : {'mi', 'ncc', 'ssd'}
        What makes images alike: mutual information (Mattes), for images of any kinds; correlation,
        for one kind with a different scale; squared differences, for equal intensities.
    fixed_spacing, moving_spacing : float or one an axis, optional
        Distance of neighbouring voxels; ones if left out, but an array beside an `Image` needs its
        own. Here and below in the order of the arrays' axes.
    fixed_origin, moving_origin : one float an axis, optional
        Where the first voxel's centre lies; zeros if left out.
    fixed_direction, moving_direction : array, shape (n, n), optional
        Unit vectors of the axes as columns; the identity if left out.
    initial : 'center', 'mass', None, or a matrix or an object with one
        Where to begin: centre on centre, centre of mass on centre of mass, the two images where
        their geometry has them, or a given homogeneous map of points, of which the result is the
        product with a map of the kind asked for.
    levels : sequence of int
        Resolutions, coarse to fine: how many times coarser than the finest axis.
    sampling : float, optional
        The part of the fixed image's voxels to compare at each level, in [1e-6, 1]. Left out, so
        many that about 260000 are, or all of a smaller image.
    bins : int
        Bins of the mutual information, at least 5.
    seed : int
        Which voxels are compared where not all are.
    fixed_mask, moving_mask : array of bool or uint8, optional
        Where it is not zero, voxels count.
    iterations : int
        Steps at each level, at most.
    tolerance : float
        Stop when a step moves the image by less, in voxels of the level.
    progress : callable or bool, optional
        True shows the steps on stderr; else called as ``progress(level, iteration, value)``
        after each.
    workers : int, optional
        Threads to use. They never change the result.

    Returns
    -------
    Registration
        The map from points of the fixed to points of the moving image, the metric's value and the
        way there; ``result.warp(moving)`` is the moving image on the fixed image's grid.

    Raises
    ------
    ValueError
        If an image has NaN or infinity or one number everywhere, an axis is too short, or the
        images do not meet.

    Notes
    -----
    Each level smooths both images by half its factor and keeps every factor-th voxel, less along
    axes that are coarser already. The moving image is read by linear interpolation, with its
    derivative in closed form. Squared differences and correlation go downhill by damped
    Gauss-Newton steps, mutual information by BFGS; parameters are scaled so that each moves the
    image alike. Voxels whose place lies outside the moving image do not count.

    Examples
    --------
    >>> y, x = np.mgrid[:40, :50]
    >>> fixed = np.exp(-((y - 20) ** 2 + (x - 22) ** 2 / 2) / 60)
    >>> moving = np.exp(-((y - 23) ** 2 + (x - 20) ** 2 / 2) / 60)
    >>> found = register(fixed, moving, "translation", "ssd")
    >>> found.apply([20, 22]).round(2)
    array([23., 20.])
    """
    if transform not in MOTIONS:
        raise ValueError(f"transform must be one of {', '.join(MOTIONS)}; got {transform!r}")
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}; got {metric!r}")
    workers = _args.as_workers(workers)
    told = _args.as_progress(progress, "register")
    if progress is True:
        bar = told

        def told(level: int, iteration: int, value: float) -> None:
            bar.say(f"level {level}, step {iteration}, {metric} {value:.4g}")

    if not isinstance(levels, Iterable):
        raise TypeError(f"levels must be a sequence of int; got {levels!r}")
    factors = sorted((_args.as_int(s, "levels", 1, 1 << 16) for s in levels), reverse=True)
    if not factors:
        raise ValueError(f"levels must have a number; got {levels!r}")
    if sampling is not None and not 1e-6 <= _args.as_float(sampling, "sampling") <= 1:
        raise ValueError(f"sampling must be in [1e-6, 1]; got {sampling!r}")
    bins = _args.as_int(bins, "bins", 5, MOST_BINS)
    seed, iterations = _args.as_int(seed, "seed"), _args.as_int(iterations, "iterations", 0)
    tolerance = _args.as_float(tolerance, "tolerance", above=0)
    if tolerance > 1e6:
        raise ValueError(f"tolerance must be at most 1e6 voxels; got {tolerance:g}")
    if _has_grid(fixed) != _has_grid(moving):
        bare, spacing = ("moving", moving_spacing) if _has_grid(fixed) else ("fixed", fixed_spacing)
        if spacing is None:
            raise ValueError(
                f"{bare} must be an Image as the other one is, or {bare}_spacing be given"
            )
    fixed, *fixed_at = _with_grid(fixed, fixed_spacing, fixed_origin, fixed_direction)
    moving, *moving_at = _with_grid(moving, moving_spacing, moving_origin, moving_direction)
    f, _ = _arrays.adopt(fixed, "fixed")
    m, _ = _arrays.adopt(moving, "moving")
    _arrays.same_device(fixed=f, moving=m)
    if f.ndim != m.ndim:
        raise ValueError(f"moving must have {f.ndim} axes as fixed has; got {m.ndim}")
    places = _points(f, "fixed", *fixed_at), _points(m, "moving", *moving_at)
    if not (initial is None or isinstance(initial, str)):
        initial = _matrix(getattr(initial, "matrix", initial), f.ndim + 1)
    elif initial not in ("center", "mass", None):
        raise ValueError(f"initial must be 'center', 'mass', None or a matrix; got {initial!r}")
    f = _image(f, fixed_mask, "fixed", places[0], workers)
    m = _image(m, moving_mask, "moving", places[1], workers)

    n, shape = f.ndim, f.volume.shape[-f.ndim :]
    start = _start(initial, f, m, max(factors), workers)
    centre, radius = _extent(f.points, shape)
    motion = Motion(transform, centre, radius)
    p = np.zeros(motion.size)
    history: list[tuple[int, int, float]] = []
    value, converged = math.nan, False
    for factor in factors:
        pair = (f.coarser(factor, workers), m.coarser(factor, workers))
        voxels = math.prod(pair[0].volume.shape)
        samples = SAMPLES if sampling is None else max(1, round(sampling * voxels))
        level = _Level(*pair, motion, start, metric, bins, samples, seed, workers)

        def watch(iteration: int, value: float, factor: int = factor) -> None:
            history.append((factor, iteration, value))
            if told is not None:
                told(factor, iteration, value)

        p, value, converged = level.descend(p, iterations, tolerance, watch)
        if not math.isfinite(value):
            raise ValueError(
                f"the images do not meet, or one is constant, at level {factor}; try initial='mass'"
            )
    matrix = start @ motion.matrix(p)
    matrix[n] = np.eye(n + 1)[n]
    between = np.linalg.inv(m.points) @ matrix @ f.points
    return Registration(matrix, between, value, converged, tuple(history), tuple(shape[-n:]))


def _has_grid(x: Any) -> bool:
    return all(hasattr(x, name) for name in ("data", "spacing", "origin", "direction"))


def _with_grid(x: Any, spacing: Any, origin: Any, direction: Any) -> tuple[Any, Any, Any, Any]:
    """Return an array and its geometry: an `Image`'s own, but for what is given."""
    if not _has_grid(x):
        return x, spacing, origin, direction
    return (
        x.data,
        x.spacing if spacing is None else spacing,
        x.origin if origin is None else origin,
        x.direction if direction is None else direction,
    )


def _points(x: Any, name: str, spacing: Any, origin: Any, direction: Any) -> Matrix:
    """Return the map from an image's indices to points, once its shape is found fit."""
    n = _args.as_ndim(x, 2, 3, name)
    if min(x.shape) < 4:
        raise ValueError(f"{name} must have at least 4 voxels along each axis; got {x.shape}")
    axes = np.array(_args.as_direction(direction, n, f"{name}_direction"))
    points = np.eye(n + 1)
    points[:n, :n] = axes * _args.as_spacing(spacing, n, f"{name}_spacing")
    points[:n, n] = _args.as_place(0.0 if origin is None else origin, n, f"{name}_origin")
    return points


def _image(x: Any, mask: Any, name: str, points: Matrix, workers: int | None) -> _Image:
    """Return an image as the search takes it, once it is found fit."""
    _args.as_dtype(x, (*_args.REAL, "bool", "int8", "uint32", "int64", "uint64"), name)
    n = x.ndim
    volume = x if x.dtype == np.float32 else x.astype(np.float32)
    volume = _arrays.rows_contiguous(volume.reshape((1,) * (3 - n) + volume.shape))
    low, high, nan, _ = extremes(volume, workers=workers)
    if nan or not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{name} must be finite; it has NaN or infinity")
    if low == high:
        raise ValueError(f"{name} must not be constant; it is {low:g} everywhere")
    return _Image(volume, as_mask(mask, x.shape, x, f"{name}_mask"), points, n)


def _matrix(value: Any, n: int) -> Matrix:
    """Return a homogeneous matrix to begin with, which must have an inverse."""
    matrix = _args.as_numbers(value, "initial")
    if matrix.shape != (n, n) or not (np.abs(matrix) < 1e60).all() or np.linalg.det(matrix) == 0:
        raise ValueError(f"initial must be an invertible {n} by {n} matrix; got {value!r}")
    if (matrix[-1] != np.eye(n)[-1]).any():
        raise ValueError(f"initial must end in the row {np.eye(n)[-1]}; got {matrix[-1]}")
    return matrix


def _extent(points: Matrix, shape: Sequence[int]) -> tuple[Matrix, float]:
    """Return the centre of a grid, and how far from it voxels lie, as a root mean square."""
    n = len(shape)
    last = np.array(shape) - 1.0
    spacing = np.linalg.norm(points[:n, :n], axis=0)
    centre = points[:n, :n] @ (last / 2) + points[:n, n]
    return centre, math.sqrt(float(np.sum((last * spacing) ** 2)) / 12)


def _start(initial: Any, fixed: _Image, moving: _Image, factor: int, workers: int | None) -> Matrix:
    """Return the map to begin with."""
    n = fixed.ndim
    start = np.eye(n + 1)
    if initial is None:
        return start
    if not isinstance(initial, str):
        return np.asarray(initial)
    a, b = (
        _extent(x.points, x.volume.shape[-n:])[0]
        if initial == "center"
        else _mass(x.coarser(factor, workers))
        for x in (fixed, moving)
    )
    start[:n, n] = b - a
    return start


def _mass(image: _Image) -> Matrix:
    """Return the centre of mass, intensities counted from the least."""
    n = image.ndim
    volume = np.asarray(image.volume).reshape(image.volume.shape[-n:]).astype(np.float64)
    weight = volume - volume.min()
    if image.mask.size:
        weight = weight * (np.asarray(image.mask).reshape(weight.shape) != 0)
    total = weight.sum()
    if total == 0:
        return _extent(image.points, weight.shape)[0]
    place = [
        np.sum(weight.sum(tuple(b for b in range(n) if b != a)) * np.arange(weight.shape[a]))
        / total
        for a in range(n)
    ]
    return image.points[:n, :n] @ np.array(place) + image.points[:n, n]
