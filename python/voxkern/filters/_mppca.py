"""Denoising by what many measurements of a voxel have in common."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, Out, Scalar, Size, kernel, prange


@kernel(
    dtypes=_args.FLOAT,
    exact=False,
    rtol=2e-6,
    why="sums are added in the image's type, and eigenvectors found another way elsewhere",
)
def _mppca(
    x: In, where: In, radii: Size, total: Out, weight: Out, power: Out, colour: Scalar,
    begin: Scalar, end: Scalar,
) -> None:  # fmt: skip
    planes, count = where.shape[0], x.shape[0] // where.shape[0]
    tall, high = _tiles(planes, radii[0])
    long, wide = _tiles(where.shape[1], radii[1])
    first = begin + (begin + colour // 2) % 2
    tiles_z, tiles_y = (min(end, high) - first + 1) // 2, (wide + 1 - colour % 2) // 2
    size_z, size_y, size_x = 2 * radii[0] + 1, 2 * radii[1] + 1, 2 * radii[2] + 1
    voxels = size_z * size_y * size_x
    for t in prange(max(tiles_z, 0) * tiles_y):
        tz, ty = first + 2 * (t // tiles_y), 2 * (t % tiles_y) + colour % 2
        window, rows = np.empty((voxels, count)), np.empty((count, count))
        mean, lengths, of = np.empty(count), np.empty(count), np.empty(count)
        for z in range(tz * tall, min((tz + 1) * tall, planes - size_z + 1)):
            for y in range(ty * long, min((ty + 1) * long, where.shape[1] - size_y + 1)):
                for i in range(where.shape[2] - size_x + 1):
                    if where[z + radii[0], y + radii[1], i + radii[2]] == 0:
                        continue
                    for v in range(voxels):
                        for a in range(count):
                            window[v, a] = x[
                                a * planes + z + v // (size_y * size_x),
                                y + v // size_x % size_y, i + v % size_x,
                            ]  # fmt: skip
                    _covariance(window, mean, rows)
                    _rotate(rows, lengths)
                    limit, variance = _limit(np.sort(lengths), voxels)
                    kept = 0
                    for a in range(count):
                        if lengths[a] >= limit:
                            kept += 1
                    share = 1 / (1 + kept)
                    for v in range(voxels):
                        k, j = z + v // (size_y * size_x), y + v // size_x % size_y
                        weight[k, j, i + v % size_x] += share
                        power[k, j, i + v % size_x] += share * variance
                        _project(window[v], rows, lengths, limit, of)
                        for a in range(count):
                            total[a * planes + k, j, i + v % size_x] += share * (
                                window[v, a] + mean[a]
                            )


def _tiles(n: int, radius: int) -> tuple[int, int]:
    """Return how many windows a tile has along an axis, and how many tiles there are."""
    size = max(2 * radius, 1)
    return size, (n - 2 * radius + size - 1) // size


def _dot(a: Any, b: Any) -> float:
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


def _covariance(window: Any, mean: Any, rows: Any) -> None:
    """Take the mean off a window, whose rows are voxels, and find its covariance."""
    voxels, count = window.shape
    mean[:] = 0
    for v in range(voxels):
        for a in range(count):
            mean[a] += window[v, a] / voxels
    rows[:] = 0
    for v in range(voxels):
        for a in range(count):
            window[v, a] -= mean[a]
        for a in range(count):
            share = window[v, a] / voxels
            for b in range(count):
                rows[a, b] += share * window[v, b]


def _rotate(rows: Any, lengths: Any) -> None:
    """Rotate a covariance's rows until they are orthogonal (Jacobi).

    They then point along the eigenvectors, and are as long as the eigenvalues.
    """
    count = lengths.size
    at_rest = False
    for _ in range(60):
        if at_rest:
            break
        at_rest = True
        for p in range(count - 1):
            for q in range(p + 1, count):
                u, v = rows[p], rows[q]
                a, b, c = 0.0, 0.0, 0.0
                for i in range(count):
                    a += u[i] * u[i]
                    b += v[i] * v[i]
                    c += u[i] * v[i]
                if abs(c) > 1e-14 * math.sqrt(a * b):
                    at_rest = False
                    zeta = (b - a) / (2 * c)
                    t = math.copysign(1 / (abs(zeta) + math.sqrt(1 + zeta * zeta)), zeta)
                    cosine = 1 / math.sqrt(1 + t * t)
                    sine = t * cosine
                    for i in range(count):
                        g, h = u[i], v[i]
                        u[i], v[i] = cosine * g - sine * h, sine * g + cosine * h
    for p in range(count):
        lengths[p] = math.sqrt(_dot(rows[p], rows[p]))


def _limit(values: Any, voxels: int) -> tuple[float, float]:
    """Return the least eigenvalue that is not noise, and the noise's variance.

    The largest number of eigenvalues is noise that spread no more than Marchenko and Pastur
    allow; those that are 0 for want of voxels say nothing.
    """
    first = values.size - min(values.size, voxels - 1)
    total, variance = 0.0, 0.0
    for n in range(values.size - first):
        total += values[first + n]
        mean = total / (n + 1)
        if values[first + n] - values[first] - 4 * math.sqrt((n + 1) / voxels) * mean <= 0:
            variance = mean
    return (1 + math.sqrt(values.size / voxels)) ** 2 * variance, variance


def _project(voxel: Any, rows: Any, lengths: Any, limit: float, of: Any) -> None:
    """Leave what lies along eigenvectors that are not noise."""
    of[:] = voxel
    voxel[:] = 0
    for a in range(lengths.size):
        if lengths[a] >= limit and lengths[a] > 0:
            along = _dot(of, rows[a]) / (lengths[a] * lengths[a])
            for b in range(lengths.size):
                voxel[b] += along * rows[a, b]


@_mppca.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    radii = tuple(int(rng.integers(2)) if n > 2 else 0 for n in shape)
    if not any(radii):
        radii, shape = (0, 0, 1), (shape[0], shape[1], max(shape[2], 5))
    count = int(rng.integers(1, 8))
    signal = np.multiply.outer(rng.random(count), 50 + 20 * rng.random(shape))
    x = (signal + rng.standard_normal(signal.shape)).reshape(-1, *shape[1:]).astype(dtype)
    where = (rng.random(shape) < 0.9).astype(np.uint8)
    total, weight, power = np.zeros_like(x), np.zeros(shape, dtype), np.zeros(shape, dtype)
    colour, begin = int(rng.integers(4)), int(rng.integers(2))
    return x, where, radii, total, weight, power, colour, begin, _tiles(shape[0], radii[0])[1]


@_arrays.cpu_only
def denoise_mppca(
    image: Any,
    patch_radius: Any = 2,
    *,
    axis: int = 0,
    mask: Any = None,
    return_sigma: bool = False,
    progress: Callable[[int, int], object] | bool | None = None,
    workers: int | None = None,
) -> Any:
    """Take out of a series of volumes what looks like noise to random matrix theory.

    Parameters
    ----------
    image : array, shape (volumes, planes, rows, columns)
        A series, such as the directions of a diffusion scan, in the memory of the CPU.
    patch_radius : int or tuple of int
        Voxels from the centre to the border of the windows that are looked at together;
        an axis of one voxel has none. A window should hold more voxels than there are
        volumes.
    axis : int
        The axis of the volumes: 0, or 3 for arrays of (columns, rows, planes, volumes).
    mask : array of bool or uint8, optional
        Where it is not zero, windows are centred. The answer is 0 elsewhere.
    return_sigma : bool
        Return a map of the noise, too.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, steps)``, four times for
        each few planes of windows.
    workers : int, optional
        How many threads to use. The answer does not depend on it.

    Returns
    -------
    denoised : array
        Same shape as `image`: float64 for int32 and float64, else float32. Not negative.
    sigma : array
        With ``return_sigma=True``: the standard deviation of the noise of each voxel.

    Raises
    ------
    TypeError
        If `image` is on a GPU, or not of a real type.
    ValueError
        If `image` has not four axes, or a window does not fit into it.

    Notes
    -----
    The covariance of the volumes over a window has eigenvalues of which noise makes the
    smallest, spread as Marchenko and Pastur say. What lies below ``(1 + sqrt(volumes /
    voxels))**2`` times their mean is taken out [1]_. A voxel's answer is the mean over all
    windows that it lies in, weighted by ``1 / (1 + components kept)`` [2]_. This is DIPY's
    ``mppca``; windows are looked at in float64 where DIPY takes the image's type, and a voxel
    of the mask that no window reaches keeps its value, where DIPY has NaN.

    Takes two volumes beside the answer (another series for whole numbers, or where volumes
    do not come first), and in each thread some 300 bytes for each pair of volumes: 3 MB for a
    hundred.

    References
    ----------
    .. [1] J. Veraart et al., "Denoising of diffusion MRI using random matrix theory",
       NeuroImage 142:394-406, 2016. https://doi.org/10.1016/j.neuroimage.2016.08.016
    .. [2] J. V. Manjon et al., "Diffusion weighted image denoising using overcomplete local
       PCA", PLoS ONE 8:e73021, 2013. https://doi.org/10.1371/journal.pone.0073021

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> clean = np.multiply.outer(np.linspace(1, 2, 20), 50 + 10 * rng.random((8, 8, 8)))
    >>> noisy = clean + rng.normal(0, 5, clean.shape)
    >>> print(round(np.std(denoise_mppca(noisy) - clean), 1))
    1.3
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    _arrays.need_cpu(image=x)
    _args.as_ndim(x, 4, 4)
    volumes = _args.as_axis(axis, 4)
    real = _args.float_dtype(dtype)
    u = np.ascontiguousarray(np.moveaxis(x, volumes, 0), dtype=real)
    count, shape = u.shape[0], u.shape[1:]
    if not count:
        raise ValueError("image must have a volume at least; got none")
    radii = tuple(
        0 if n == 1 else _args.as_int(r, "patch_radius", 0)
        for r, n in zip(_args.per_axis(patch_radius, 3, "patch_radius"), shape, strict=True)
    )
    if any(2 * r + 1 > n for r, n in zip(radii, shape, strict=True)) or not any(radii):
        raise ValueError(
            f"patch_radius must give windows of more than one voxel that fit into {shape}; "
            f"got {patch_radius!r}"
        )
    where = np.ones(shape, bool) if mask is None else _args.as_truths(mask, "mask")
    where = np.ascontiguousarray(where)
    if where.shape != shape:
        raise ValueError(f"mask must have shape {shape}; got {where.shape}")
    threads = _args.as_workers(workers)
    told = _args.as_progress(progress, "denoise_mppca")
    peak = float(max(-u.min(), u.max()))
    if not math.isfinite(peak):
        raise ValueError("image must be finite; it has NaN or infinity")
    # Squares of what float64 holds are to be numbers, too.
    scale = 1.0 if peak == 0 or 1e-100 < peak < 1e100 else 2.0 ** -math.frexp(peak)[1]
    total, weight, power = np.zeros_like(u), np.zeros(shape, real), np.zeros(shape, real)
    series = (u if scale == 1 else u * scale).reshape(-1, *shape[1:])
    tiles = _tiles(shape[0], radii[0])[1]
    step = tiles if told is None else 1
    for colour in range(4):
        for begin in range(0, tiles, step):
            _mppca(
                series, where.view(np.uint8), radii, total.reshape(series.shape), weight, power,
                colour, begin, begin + step, workers=threads,
            )  # fmt: skip
            if told is not None:
                told(colour * tiles + begin + 1, 4 * tiles)
    seen = weight > 0
    np.divide(total, weight, out=total, where=seen)
    if scale != 1:
        total /= scale
    np.copyto(total, u, where=where & ~seen)
    np.maximum(total, 0, out=total)
    np.copyto(total, 0, where=~where)
    denoised = np.ascontiguousarray(np.moveaxis(total, 0, volumes))
    result = denoised if give is None else give(denoised)
    if not return_sigma:
        return result
    seen &= where
    sigma = np.zeros(shape, real)
    sigma[seen] = np.sqrt(power[seen] / weight[seen]) / scale
    return result, (sigma if give is None else give(sigma))
