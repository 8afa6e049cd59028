"""Speckle of ultrasound and other coherent images."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, Vec3, kernel, prange
from ._local import local_mean, local_std

Array = TypeVar("Array")

_METHODS = ("srad", "lee", "kuan", "frost")
_DECAY = 1 / 6  # of the noise with time, as Yu and Acton have it


@kernel(
    dtypes=_args.FLOAT,
    exact=False,
    rtol=1e-5,
    atol=1e-6,
    why="float32 images are worked on in float32",
)
def _srad(x: In, c: Out, y: Out, noise: Scalar, step: Scalar, share: Vec3) -> None:
    planes, rows, columns = x.shape
    for k in prange(planes):
        for j in range(rows):
            for i in range(columns):
                v = float(x[k, j, i])
                shift, squares = 0.0, 0.0
                for side in (-1, 1):
                    for axis in range(3):
                        d = float(_beside(x, k, j, i, axis, side)) - v
                        shift += share[axis] * d
                        squares += 2 * share[axis] * d * d
                power = (v + shift) ** 2
                below = noise * noise * power + squares - shift * shift
                flow = 1.0 if below == 0 else noise * (1 + noise) * power / below
                c[k, j, i] = 1.0 if flow > 1 else flow
    for k in prange(planes):
        for j in range(rows):
            for i in range(columns):
                v, moved = float(x[k, j, i]), 0.0
                for axis in range(3):
                    before = float(_beside(x, k, j, i, axis, -1)) - v
                    behind = float(_beside(x, k, j, i, axis, 1)) - v
                    behind *= float(_beside(c, k, j, i, axis, 1))
                    moved += share[axis] * (float(c[k, j, i]) * before + behind)
                y[k, j, i] = v + step * moved


def _beside(x: Any, k: int, j: int, i: int, axis: int, side: int) -> Any:
    """Return the next voxel along one axis, or the voxel itself at a border."""
    if axis == 0:
        return x[min(max(k + side, 0), x.shape[0] - 1), j, i]
    if axis == 1:
        return x[k, min(max(j + side, 0), x.shape[1] - 1), i]
    return x[k, j, min(max(i + side, 0), x.shape[2] - 1)]


@_srad.on("cuda")
def _plan(gpu: Any, x: Any, c: Any, y: Any, noise: float, step: float, share: Any) -> None:
    kind, blocks = gpu.name_of(x.dtype), gpu.blocks(x.size)
    gpu.launch(f"srad_flow<{kind}>", blocks, 256, x, c, x.shape, float(noise), share)
    gpu.launch(f"srad_move<{kind}>", blocks, 256, x, c, y, x.shape, float(step), share)


@_srad.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (5 + 2 * rng.random(shape)).astype(dtype)
    share = (0.125, 0.1875, 0.1875) if rng.random() < 0.5 else (1 / 6, 1 / 6, 1 / 6)
    return x, np.empty_like(x), np.empty_like(x), 0.04, 0.5, share


@kernel(
    dtypes=_args.FLOAT,
    exact=False,
    rtol=1e-5,
    atol=1e-6,
    why="float32 images are weighted in float32",
)
def _frost(
    wide: In, vary: In, y: Out, offsets: ListIn, distances: ListIn, damping: Scalar
) -> None:  # fmt: skip
    planes, rows, columns = y.shape
    for k in prange(planes):
        for j in range(rows):
            for i in range(columns):
                v = float(vary[k, j, i])
                if v != v:
                    y[k, j, i] = v
                    continue
                slope = max(-damping * v, -1000.0)
                total, weights, far, w = 0.0, 0.0, 0.0, 1.0
                for t in range(distances.size):
                    if distances[t] != far:
                        far = distances[t]
                        w = math.exp(slope * far)
                    dz, dy, dx = offsets[3 * t], offsets[3 * t + 1], offsets[3 * t + 2]
                    total += w * float(wide[k + dz, j + dy, i + dx])
                    weights += w
                y[k, j, i] = total / weights


@_frost.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    size = tuple(int(n) for n in rng.integers(1, 5, 3))
    wide = (5 + 2 * rng.random([n + s - 1 for n, s in zip(shape, size, strict=True)])).astype(dtype)
    vary = (2 * rng.random(shape) ** 4).astype(dtype)
    vary[rng.random(shape) < 0.01] = np.nan
    return wide, vary, np.empty(shape, dtype), *_rings(size), 2.0


def _rings(size: tuple[int, ...], lengths: tuple[float, ...] = (1, 1, 1)) -> tuple[Any, Any]:
    """Return the voxels of a box as (z, y, x) from its corner, and their distances, rising."""
    places = np.indices(size).reshape(3, -1).T
    squares = (((places - np.array(size) // 2) * np.array(lengths)) ** 2).sum(1)
    order = np.argsort(squares, kind="stable")
    return places[order].astype(np.int64).ravel(), np.sqrt(squares[order])


def despeckle(
    image: Array,
    method: str = "srad",
    *,
    noise: float | None = None,
    size: Any = 7,
    n_iter: int = 30,
    step: float = 0.5,
    damping: float = 2.0,
    spacing: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Smooth what varies no more than speckle does, which grows with the signal.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device, not
        negative: amplitudes or intensities, not their logarithm.
    method : {'srad', 'lee', 'kuan', 'frost'}
        Diffusion, which sharpens edges; a weighted mean of a voxel and the mean of the box around
        it; or a mean of the box with weights that fall with distance.
    noise : float, optional
        Coefficient of variation of speckle, its standard deviation over the mean: 0.52 for
        amplitudes of one look, 1 for intensities. By default the median of those of all boxes
        that vary. 'frost' does not ask for it.
    size : int or one an axis
        Voxels along each axis of the box; for 'srad' it serves to find `noise`.
    n_iter : int
        Steps of 'srad'.
    step : float
        Length of a step of 'srad' in time, 1 at most.
    damping : float
        How fast the weights of 'frost' fall.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis; 1 by default. Only ratios count: the shortest voxel
        is the unit of the distances of 'frost' and of the gradients of 'srad'. The means of
        'lee' and 'kuan' know none.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, n_iter)`` after each
        step of each volume.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape and device as `image`: float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` is of a type that is not listed; or on a GPU, without `noise` or with
        another method than 'srad'.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    anisotropic_diffusion : for noise that does not grow with the signal.

    Notes
    -----
    'srad' [1]_ takes explicit steps of ``du / dt = div(c grad u)``, with ``c = q (1 + q) / (q**2
    + v)`` cut at 1, where ``q`` is the square of the noise, falling as ``exp(-t / 6)`` twice over,
    and `v` that of the local coefficient of variation: with `d` the differences from the `2 n`
    neighbours in `n` axes, ``v = (sum(d**2) / n - (sum(d) / (2 n))**2) / (mean of the
    neighbours)**2``. In two axes these are the authors' own formulas. Where a voxel is `s` times
    as long along an axis as along its shortest, the differences along it count ``1 / s**2`` times
    in both sums, in `n` and in the divergence: slices far apart are as good as images by
    themselves. Nothing flows over the borders.

    'lee' [2]_ is ``m + w (u - m)`` with ``w = 1 - noise**2 / v``, not below 0, where `m` is the
    mean of the box and `v` the square of its coefficient of variation; 'kuan' [3]_ divides `w`
    by ``1 + noise**2``.

    'frost' [4]_ is ``sum(w * u) / sum(w)`` over the box, with ``w = exp(-damping * v * r)`` and `r`
    the distance from the voxel, in its shortest side: as usual, the paper's decay is `damping`
    times the squared coefficient of variation. The image is reflected beyond its borders, by all
    three. A box that holds NaN or infinity gives NaN.

    Takes six volumes of memory where the noise is found from the image, and by all but 'srad'.

    References
    ----------
    .. [1] Y. Yu, S. T. Acton, "Speckle reducing anisotropic diffusion", IEEE Transactions on
       Image Processing 11:1260-1270, 2002. https://doi.org/10.1109/TIP.2002.804276
    .. [2] J.-S. Lee, "Digital image enhancement and noise filtering by use of local
       statistics", IEEE Transactions on Pattern Analysis and Machine Intelligence 2:165-168,
       1980. https://doi.org/10.1109/TPAMI.1980.4766994
    .. [3] D. T. Kuan et al., "Adaptive noise smoothing filter for images with signal-dependent
       noise", IEEE Transactions on Pattern Analysis and Machine Intelligence 7:165-177, 1985.
       https://doi.org/10.1109/TPAMI.1985.4767641
    .. [4] V. S. Frost et al., "A model for radar images and its application to adaptive digital
       filtering of multiplicative noise", IEEE Transactions on Pattern Analysis and Machine
       Intelligence 4:157-166, 1982. https://doi.org/10.1109/TPAMI.1982.4767223

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.repeat([[20.0, 80.0]], 32, axis=1) * rng.gamma(16, 1 / 16, (64, 64))
    >>> y = despeckle(x)
    >>> print(np.std(x[:, :30]).round(1), np.std(y[:, :30]).round(1))
    5.0 0.8
    """
    x, give = _arrays.adopt(image)
    dtype, ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x)
    if method not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(_METHODS)}; got {method!r}")
    last = min(ndim, 3)
    sizes = _args.as_window(size, last, bits=24)
    lengths = _args.as_spacing(spacing, last)
    lengths = tuple(s / min(lengths) for s in lengths)
    if noise is not None:
        noise = _args.as_float(noise, "noise", above=0)
        if noise > 1e6:
            raise ValueError(f"noise must be at most 1e6; got {noise!r}")
    if type(x) is not np.ndarray and (method != "srad" or noise is None):
        raise TypeError(
            "image must be in the memory of the CPU unless method is 'srad' and noise is given"
        )
    most = _args.as_int(n_iter, "n_iter", 1)
    length = _args.as_float(step, "step", above=0)
    if length > 1:
        raise ValueError(f"step must be at most 1; got {step!r}")
    fall = _args.as_float(damping, "damping", above=0)
    workers = _args.as_workers(workers)
    told = _args.as_progress(progress, "despeckle")
    real = _args.float_dtype(dtype)
    squares = [1 / s**2 for s in lengths]
    parts = _args.lift(tuple(s / (2 * sum(squares)) for s in squares), 0.0)

    def run(volume: Any, answer: Any) -> None:
        u = volume if volume.dtype == real else volume.astype(real)
        speckle = noise
        if method != "srad" or noise is None:
            box = _args.lift(sizes, 1)
            mean, vary = _variation(u, box, workers)
            if method == "frost":
                around = [(s // 2, s - 1 - s // 2) for s in box]
                wide = np.pad(u, around, mode="symmetric")
                rings = _rings(box, _args.lift(lengths, 1.0))
                _frost(wide, vary, answer, *rings, fall, workers=workers)
                return
            if noise is None:
                there = vary[(vary > 1e-12) & (mean > 0)]
                speckle = math.sqrt(float(np.median(there))) if there.size else 1.0
        assert speckle is not None
        if method == "srad":
            _diffuse(u, answer, speckle, most, length, parts, told, workers)
            return
        square = speckle * speckle
        share = np.divide(square, vary, out=np.ones_like(vary), where=vary > square)
        np.subtract(1, share, out=share)
        share /= 1 + square * (method == "kuan")
        share *= u - mean
        np.add(mean, share, out=answer)

    return _arrays.run_volumes(run, x, out, real, give)


def _variation(x: Any, box: Any, workers: Any) -> tuple[Any, Any]:
    """Return the mean of the box around each voxel, and its squared coefficient of variation."""
    mean = local_mean(x, box, workers=workers)
    vary = local_std(x, box, workers=workers)
    with np.errstate(divide="ignore", invalid="ignore"):
        vary /= mean
        vary *= vary
    vary[mean == 0] = 0
    return mean, vary


def _diffuse(
    x: Any, answer: Any, noise: float, most: int, step: float, share: Any, progress: Any,
    workers: Any,
) -> None:  # fmt: skip
    flow, spare = (_arrays.empty(x.shape, x.dtype, x) for _ in range(2))
    source = x
    for done in range(most):
        target = answer if (most - done) % 2 else spare
        square = (noise * math.exp(-_DECAY * done * step)) ** 2
        _srad(source, flow, target, square, step, share, workers=workers)
        source = target
        if progress is not None:
            progress(done + 1, most)
