"""Denoising of cubes that look alike, together."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, Size, kernel, prange
from ._jet import as_float_image
from ._nl_means import _as_far
from ._noise import estimate_sigma

Array = TypeVar("Array")

_MOST = 16  # cubes of a group
# Of the two stages: what is cut off or the noise, in sigma, and how far apart cubes of a group may
# be, as mean squares in sigma squared: in noise those of the image are 2 apart.
_LEVEL, _ALIKE = (2.7, 0.9), (10.0, 2.0)


@kernel(
    dtypes=_args.FLOAT,
    exact=False,
    rtol=1e-6,
    atol=1e-6,
    why="sums of shares are added in the image's type, elsewhere in another order",
)
def _bm4d(
    x: In, guide: In, total: Out, weight: Out, basis: ListIn, level: Scalar, limit: Scalar,
    wiener: Scalar, most: Scalar, reach: Size, step: Scalar, colour: Scalar,
) -> None:  # fmt: skip
    planes, rows, columns = x.shape
    deep = (planes - 4 + step - 1) // step + 1
    high = (rows - 4 + step - 1) // step + 1
    wide = (columns - 4 + step - 1) // step + 1
    tall = (2 * reach[0] + 4 + step - 1) // step
    long = (2 * reach[1] + 4 + step - 1) // step
    tiles_z = ((deep + tall - 1) // tall + 1 - colour // 2) // 2
    tiles_y = ((high + long - 1) // long + 1 - colour % 2) // 2
    # Numbers of the image's type: what is alike is decided in it.
    table, of = np.empty(basis.size, x.dtype), np.empty(3, x.dtype)
    table[:] = basis
    of[0], of[1], of[2] = math.sqrt(0.5), level, limit
    ahead, back, window = table[:16], table[16:32], table[32:]
    for t in prange(tiles_z * tiles_y):
        tz, ty = 2 * (t // tiles_y) + colour // 2, 2 * (t % tiles_y) + colour % 2
        noisy, clean = np.empty((32, 64), x.dtype), np.empty((32, 64), x.dtype)
        fibre = np.empty(4, x.dtype)
        apart, place = np.empty(32, x.dtype), np.empty((33, 3), np.int64)
        for gz in range(tz * tall, min((tz + 1) * tall, deep)):
            for gy in range(ty * long, min((ty + 1) * long, high)):
                for gx in range(wide):
                    place[0, 0] = min(gz * step, planes - 4)
                    place[0, 1] = min(gy * step, rows - 4)
                    place[0, 2] = min(gx * step, columns - 4)
                    found = _search(guide, place, apart, most - 1, reach, of)
                    count = 1
                    while 2 * count <= found + 1:
                        count *= 2
                    _read(x, place, count, noisy)
                    _transform(noisy, count, ahead, fibre, of)
                    if wiener != 0:
                        _read(guide, place, count, clean)
                        _transform(clean, count, ahead, fibre, of)
                        share = _weigh(noisy, clean, count, of)
                    else:
                        share = _cut(noisy, count, of)
                    _restore(noisy, count, back, fibre, of)
                    _add(noisy, place, count, share, window, total, weight)


def _search(guide: Any, place: Any, apart: Any, most: int, reach: Any, of: Any) -> int:
    """Write the places of the cubes most like the first, the best first; return their number."""
    z, y, x = place[0, 0], place[0, 1], place[0, 2]
    count = 0
    for k in range(max(z - reach[0], 0), min(z + reach[0], guide.shape[0] - 4) + 1):
        for j in range(max(y - reach[1], 0), min(y + reach[1], guide.shape[1] - 4) + 1):
            for i in range(max(x - reach[2], 0), min(x + reach[2], guide.shape[2] - 4) + 1):
                if k == z and j == y and i == x:
                    continue
                total = of[0] - of[0]
                for n in range(64):
                    c, b, a = n // 16, n // 4 % 4, n % 4
                    d = guide[k + c, j + b, i + a] - guide[z + c, y + b, x + a]
                    total += d * d
                if not total <= of[2] or (count == most and not total < apart[most - 1]):
                    continue
                if count < most:
                    count += 1
                m = count - 1
                while m > 0 and apart[m - 1] > total:
                    apart[m] = apart[m - 1]
                    place[m + 1] = place[m]
                    m -= 1
                apart[m] = total
                place[m + 1, 0], place[m + 1, 1], place[m + 1, 2] = k, j, i
    return count


def _read(x: Any, place: Any, count: int, group: Any) -> None:
    for m in range(count):
        for n in range(64):
            c, b, a = n // 16, n // 4 % 4, n % 4
            group[m, n] = x[place[m, 0] + c, place[m, 1] + b, place[m, 2] + a]


def _pairs(group: Any, count: int, by: int, share: Any) -> None:
    """Take a step of Haar's wavelet across cubes, or back."""
    for m in range(count):
        if m // by % 2 == 0:
            for n in range(64):
                a, b = group[m, n], group[m + by, n]
                group[m, n] = share * (a + b)
                group[m + by, n] = share * (a - b)


def _along(group: Any, count: int, by: int, basis: Any, fibre: Any) -> None:
    """Multiply what lies along an axis of each cube, `by` numbers apart, by a matrix."""
    for m in range(count):
        v = group[m]
        for n in range(16):
            first = n % by + n // by * by * 4
            for i in range(4):
                fibre[i] = v[first + i * by]
            for k in range(4):
                total = basis[4 * k] * fibre[0]
                for i in range(1, 4):
                    total += basis[4 * k + i] * fibre[i]
                v[first + k * by] = total


def _transform(group: Any, count: int, basis: Any, fibre: Any, of: Any) -> None:
    """Take Haar's wavelet across cubes, and a transform along the three axes of each."""
    by = 1
    while by < count:
        _pairs(group, count, by, of[0])
        by *= 2
    for axis in range(3):
        _along(group, count, 4 ** (2 - axis), basis, fibre)


def _restore(group: Any, count: int, basis: Any, fibre: Any, of: Any) -> None:
    """Undo `_transform`."""
    for axis in range(3):
        _along(group, count, 4**axis, basis, fibre)
    by = count // 2
    while by > 0:
        _pairs(group, count, by, of[0])
        by //= 2


def _cut(group: Any, count: int, of: Any) -> Any:
    """Set small coefficients to 0 but for the mean; return one over the number of others."""
    kept = 1
    for m in range(count):
        for i in range(64):
            if m + i > 0:
                if -of[1] <= group[m, i] <= of[1]:
                    group[m, i] = 0
                else:
                    kept += 1
    return 1.0 / kept


def _weigh(group: Any, clean: Any, count: int, of: Any) -> Any:
    """Weigh all coefficients but the mean by the guide's; return one over the weights' power."""
    power, total = of[1] * of[1], of[1] - of[1]
    for m in range(count):
        part = of[1] - of[1]
        for i in range(64):
            if m + i > 0:
                b = clean[m, i] * clean[m, i]
                f = b / (b + power)
                group[m, i] *= f
                part += f * f
            else:
                part += 1
        total += part
    return 1.0 / total


def _add(
    group: Any, place: Any, count: int, share: float, window: Any, total: Any,
    weight: Any,
) -> None:  # fmt: skip
    for m in range(count):
        for n in range(64):
            c, b, a = n // 16, n // 4 % 4, n % 4
            w = share * window[c] * window[b] * window[a]
            k, j, i = place[m, 0] + c, place[m, 1] + b, place[m, 2] + a
            total[k, j, i] += w * group[m, n]
            weight[k, j, i] += w


@functools.cache
def _basis(wiener: bool) -> Any:
    """Return an orthonormal transform of four numbers, row by row, its inverse and a window.

    First Haar's wavelet, which is what bior1.5 of four numbers that repeat comes to; then cosines.
    """
    half, root = 0.5, math.sqrt(0.5)
    rows = np.array(
        [[half] * 4, [half, half, -half, -half], [root, -root, 0, 0], [0, 0, root, -root]]
    )
    if wiener:
        n = np.arange(4)
        rows = np.cos(np.pi / 4 * n[:, None] * (n + 0.5)) * root
        rows[0] = half
    return np.concatenate([rows.ravel(), rows.T.ravel(), np.kaiser(4, 2)])


@_bm4d.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    wiener, colour = int(rng.integers(2)), int(rng.integers(4))
    shape = (max(shape[0], 4), max(shape[1], 4), max(shape[2], 4))
    clean = 20.0 * (np.indices(shape).sum(0) % 7 > 3)
    x = (clean + 3 * rng.standard_normal(shape)).astype(dtype)
    guide = clean.astype(dtype) if wiener else x
    total, weight = np.zeros(shape, dtype), np.zeros(shape, dtype)
    basis = _basis(bool(wiener))
    return x, guide, total, weight, basis, 8.0, 3000.0, wiener, 8, (2, 1, 3), 3, colour


@_arrays.cpu_only
def denoise_bm4d(
    image: Array,
    sigma: float | None = None,
    *,
    rician: bool = False,
    stages: int = 2,
    search: Any = 4,
    step: int = 2,
    spacing: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Denoise volumes by filtering cubes that look alike together (BM4D).

    Parameters
    ----------
    image : array, shape ([...,] planes, rows, columns)
        Volumes of type uint8, int16, uint16, int32, float32 or float64, at least 4 voxels
        along each axis, in the memory of the CPU.
    sigma : float, optional
        Standard deviation of the noise; by default what `estimate_sigma` finds.
    rician : bool
        The noise is that of MR magnitudes, and `sigma` that of their two channels.
    stages : {2, 1}
        Whether the image is filtered again, with what came out first as its guide.
    search : int or tuple of int
        How far away cubes are looked for, in voxels along each axis.
    step : int
        Distance of the cubes that others are looked for to: 1 to 4.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis. A single `search` then counts the shortest voxels,
        and reaches as far along the other axes, to the nearest voxel. Cubes stay cubes of
        voxels.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, steps)`` four times in
        each stage of each volume.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.
    workers : int, optional
        How many threads to use. The answer does not depend on it.

    Returns
    -------
    array
        Same shape as `image`: float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` is on a GPU, or `image` or `out` is of a type that is not listed.
    ValueError
        If an axis has fewer than 4 voxels, or a parameter is out of its range.

    See Also
    --------
    denoise_nl_means : averages voxels; faster.
    estimate_sigma : the noise of an image.

    Notes
    -----
    Cubes of 4 voxels a side are grouped with those most alike, up to 16. A group's transform in
    space and Haar's wavelet across cubes is cut off below ``2.7 sigma``, or in the second stage
    weighed as Wiener's filter asks, by the spectrum of the same cubes of the first stage's answer;
    a group's mean stays. In space the transform is the paper's: bior1.5, which of four voxels that
    repeat is Haar's wavelet, then cosines. Overlapping cubes are averaged, weighted by how few
    coefficients were kept and by Kaiser's window [1]_. Cubes are alike whose mean squared
    difference is below ``10 sigma**2``, and ``2 sigma**2`` in the second stage, which takes the
    noise for ``0.9 sigma``: limits of our own, by which brains gain most. The paper has groups of
    32 in the second stage, a search of 5 voxels and steps of 3; ``search=5, step=3`` takes half
    the time.

    With ``rician=True`` magnitudes `z` become ``sqrt(max(z**2 / sigma**2 - 1/2, 0))``, whose
    noise is nearly 1 wherever the signal is above it, and what comes out is turned into the
    signal whose magnitudes have it as their mean: an exact unbiased inverse [2]_ of a simpler
    forward transform. Cubes that hold NaN are like no others and spoil those that overlap
    them.

    Takes five volumes of memory: the first estimate, and sums and weights of both.

    References
    ----------
    .. [1] M. Maggioni et al., "Nonlocal transform-domain filter for volumetric data denoising
       and reconstruction", IEEE Transactions on Image Processing 22:119-133, 2013.
       https://doi.org/10.1109/TIP.2012.2210725
    .. [2] A. Foi, "Noise estimation and removal in MR imaging: the variance-stabilization
       approach", ISBI 1809-1814, 2011. https://doi.org/10.1109/ISBI.2011.5872758

    Examples
    --------
    >>> clean = 50.0 * (np.indices((16, 16, 16)).sum(0) > 22)
    >>> noisy = clean + np.random.default_rng(0).normal(0, 5, clean.shape)
    >>> print(np.std(denoise_bm4d(noisy, 5) - clean).round(1))
    0.7
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    _args.as_ndim(x, 3)
    _arrays.need_cpu(image=x)
    if x.size and min(x.shape[-3:]) < 4:
        raise ValueError(f"image must have at least 4 voxels along its axes; got {x.shape[-3:]}")
    if sigma is not None:
        sigma = _args.as_float(sigma, "sigma", 0)
        if sigma > 1e15:
            raise ValueError(f"sigma must be at most 1e15; got {sigma!r}")
    passes, reach = _args.as_int(stages, "stages", 1), _as_reach(search, spacing, x.shape[-3:])
    if passes > 2:
        raise ValueError(f"stages must be 1 or 2; got {stages!r}")
    apart = _args.as_int(step, "step", 1)
    if apart > 4:
        raise ValueError(f"step must be at most 4; got {step!r}")
    workers = _args.as_workers(workers)
    told = _args.as_progress(progress, "denoise_bm4d")

    def run(volume: Any, answer: Any) -> None:
        noise = float(estimate_sigma(volume)) if sigma is None else sigma
        if not noise > 1e-18:  # whose square a float32 holds
            answer[...] = volume
            return
        u = as_float_image(volume)
        if rician:
            u, noise, scale = _stable(u, noise), 1.0, noise
        guide = u
        for stage in range(passes):
            total, weight = np.zeros(u.shape, u.dtype), np.zeros(u.shape, u.dtype)
            level, limit = noise * _LEVEL[stage], 64 * noise * noise * _ALIKE[stage]
            for colour in range(4):
                _bm4d(
                    u, guide, total, weight, _basis(stage > 0), level, limit, stage,
                    _MOST, reach, apart, colour, workers=workers,
                )  # fmt: skip
                if told is not None:
                    told(4 * stage + colour + 1, 4 * passes)
            guide = np.divide(total, weight, out=total)
        answer[...] = scale * _magnitude(guide) if rician else guide

    return _arrays.run_volumes(run, x, out, _args.float_dtype(dtype), give)


def _as_reach(search: Any, spacing: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return how many voxels away cubes are looked for along each axis."""
    steps = _args.as_spacing(spacing, 3)
    far = tuple(_args.as_int(s, "search", 1) for s in _args.per_axis(search, 3, "search"))
    if np.ndim(search) == 0:
        far = _as_far(far[0], steps)
    return tuple(min(r, n) for r, n in zip(far, shape, strict=True))


def _stable(z: Any, sigma: float) -> Any:
    """Return magnitudes in units of their noise, with about the same noise everywhere."""
    return np.sqrt(np.maximum((z / sigma) ** 2 - 0.5, 0)).astype(z.dtype)


def _magnitude(u: Any) -> Any:
    """Return the signals that have `u` as the mean of their stable magnitudes."""
    signal, mean = _means()
    with np.errstate(invalid="ignore"):
        far = 0.5 * (u + np.sqrt(np.maximum(u * u - 1, 0)))
    return np.where(u < mean[-1], np.interp(u, mean, signal), far).astype(u.dtype)


@functools.cache
def _means() -> tuple[Any, Any]:
    """Return signals up to 20, and the means of their stable magnitudes, for noise of 1."""
    signal = np.linspace(0, 20, 801)
    means = np.empty_like(signal)
    for n, s in enumerate(signal):
        z = np.linspace(max(s - 9, 0), s + 9, 1801)
        # Rice's density; i0 grows with exp(z s), which is taken off before it overflows.
        density = z * np.exp(-0.5 * (z - s) ** 2) * (np.i0(z * s) * np.exp(-z * s))
        means[n] = (density * _stable(z, 1.0)).sum() * (z[1] - z[0])
    return signal, means
