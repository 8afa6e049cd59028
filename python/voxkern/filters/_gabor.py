"""Gabor filters in planes."""

from __future__ import annotations

import concurrent.futures
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import CONSTANT, inside
from ._correlate import correlate
from ._jet import as_float_image
from ._pool import MODULUS, as_pooling, join, start
from ._separable import _separable

_MOST_ANGLES = 1 << 16
_FFT_FROM = 400  # weights; with fewer the sums themselves are faster (two cores)


def gabor(
    image: Any,
    sigma: float,
    wavelength: float,
    gamma: float = 1.0,
    theta: float = 0.0,
    *,
    step: float | None = None,
    planes: str = "last",
    pooling: str = "mean",
    mode: str = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    spacing: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Strength of waves of one length and direction in the planes of an image.

    Parameters
    ----------
    image : array, shape ([..., planes,] rows, columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    sigma : float
        Standard deviation of the Gaussian along the wave, in voxels, or in the unit of
        `spacing`.
    wavelength : float
        Length of the wave, in the same unit.
    gamma : float
        How much narrower the Gaussian is across the wave: its standard deviation there is
        ``sigma / gamma``.
    theta : float
        Direction in which the wave runs, in radians, from the columns' axis to the rows'.
    step : float, optional
        Pool the responses to `theta` and every further angle, so far apart, up to a full
        turn.
    planes : {'last', 'all'}
        Filter the planes of the last two axes, or pool the responses of the planes of all
        three pairs of axes.
    pooling : {'mean', 'max', 'min'}
        What is made of the responses to all angles and planes.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}
        What lies outside the image.
    cval : float
        The value outside when `mode` is 'constant'.
    truncate : float
        Where the filter ends, in standard deviations.
    spacing : float or one an axis, optional
        Length of a voxel.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, filters)`` after each.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        The modulus of the response. Same shape and device as `image`: float64 for int32 and
        float64, else float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If a length or `step` is not positive, or `planes` is 'all' for fewer than three
        axes.

    See Also
    --------
    laws, wavelet, simoncelli : other filters of IBSI's.

    Notes
    -----
    With `u` along the wave and `v` across it, the filter is ``exp(-(u**2 + gamma**2 v**2) / (2
    sigma**2) + 2 pi i u / wavelength)``, not normalised, as the Image Biomarker
    Standardisation Initiative has it [1]_; its "mirror" is the mode 'reflect'. Angles half a
    turn apart give one response, which is made once. With `gamma` 1, or a
    wave along an axis, and 0 outside if a constant, the filter is applied along one axis after
    the other. On the CPU other filters of 400 weights and more are applied by Fourier
    transforms, plane by plane, which spread NaN over a plane; the rest by sums.

    Takes two volumes of memory, for both parts of the response, and a third to add them up
    along the axes.

    References
    ----------
    .. [1] P. Whybra et al., "The Image Biomarker Standardization Initiative: standardized
       convolutional filters for reproducible radiomics and enhanced clinical insights",
       Radiology 310:e231319, 2024. https://doi.org/10.1148/radiol.231319

    Examples
    --------
    >>> wave = np.tile(np.cos(np.arange(32) * np.pi / 2), (32, 1))
    >>> along, across = (gabor(wave, 3, 4, theta=t)[16, 16] for t in (0, np.pi / 2))
    >>> print(along.round(1), across.round(1))
    28.3 0.0
    """
    x, give = _arrays.adopt(image)
    dtype, ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x, 2)
    width = _args.as_float(sigma, "sigma", 1e-60)
    length = _args.as_float(wavelength, "wavelength", above=0)
    ratio = _args.as_float(gamma, "gamma", 1e-60)
    if ratio > 1e60:
        raise ValueError(f"gamma must be at most 1e60; got {gamma!r}")
    first, reach = _args.as_float(theta, "theta"), _args.as_float(truncate, "truncate", above=0)
    angles = [first]
    if step is not None:
        apart = _args.as_float(step, "step", above=0)
        turns = 2 * math.pi / apart - 1e-9
        if turns > _MOST_ANGLES:
            raise ValueError(f"step must lead to at most {_MOST_ANGLES} angles; got {step!r}")
        angles += [first + k * apart for k in range(1, math.ceil(turns))]
    if planes not in ("last", "all"):
        raise ValueError(f"planes must be 'last' or 'all'; got {planes!r}")
    if planes == "all" and ndim < 3:
        raise ValueError(f"planes must be 'last' for an image of {ndim} axes; got 'all'")
    pooling, edge = as_pooling(pooling), _args.as_edge(mode)
    fill = float(_args.as_fill(cval, "float64"))
    last = min(ndim, 3)
    units = _args.lift(_args.as_spacing(spacing, last), 1.0)
    workers = _args.as_workers(workers)
    pairs = [(1, 2)] if planes == "last" else [(1, 2), (0, 2), (0, 1)]
    counts: dict[float, int] = {}
    for angle in angles:  # of two half a turn apart one is enough
        half = round(angle % math.pi, 9)
        key = 0.0 if half >= round(math.pi, 9) else half
        counts[key] = counts.get(key, 0) + 1
    shape = width, length, ratio
    product = edge != CONSTANT or fill == 0  # outside of what one axis is filtered lies 0
    filters = [
        (pair, n, _filter(*shape, angle, reach, [units[axis] for axis in pair], product))
        for pair in pairs
        for angle, n in counts.items()
    ]
    whole = len(angles) * len(pairs)
    told = _args.as_progress(progress, "gabor")
    real = _args.float_dtype(dtype)

    def run(volume: Any, answer: Any) -> None:
        u = as_float_image(volume)
        start(answer, pooling)
        done = 0
        for pair in pairs:
            mine = [(n, f) for p, n, f in filters if p == pair]
            lists = [(n, f) for n, f in mine if type(f) is tuple]
            others = [(n, f) for n, f in mine if type(f) is not tuple]
            small = max((f.size for _, f in others), default=0) < _FFT_FROM
            by_sums = small or type(u) is not np.ndarray
            for group, respond in (
                (lists, _by_lists),
                (others, _by_sums if by_sums else _by_spectra),
            ):
                if not group:
                    continue
                responses = respond(u, [f for _, f in group], pair, edge, fill, mode, workers)
                for (n, _), (a, b) in zip(group, responses, strict=True):
                    weight = n / whole if pooling == "mean" else 1.0
                    join(answer, a, pooling, workers, b=b, what=MODULUS, weight=weight)
                    done += 1
                    if told is not None:
                        told(done, len(filters))

    return _arrays.run_volumes(run, x, out, real, give)


def _filter(
    sigma: float, wavelength: float, gamma: float, theta: float, truncate: float, units: Any,
    product: bool = False,
) -> Any:  # fmt: skip
    """Return a plane of complex weights of odd size, or two lists of which it is the product."""
    c, s = math.cos(theta), math.sin(theta)
    along, across = truncate * sigma, truncate * sigma / gamma
    # Half the sides of the box around the ellipse.
    high, wide = math.hypot(along * s, across * c), math.hypot(along * c, across * s)
    r, q = (max(1, math.ceil(h / unit - 1e-9)) for h, unit in zip((high, wide), units, strict=True))
    if (2 * r + 1) * (2 * q + 1) > 1 << 24:
        raise ValueError(
            "sigma, truncate and gamma must lead to filters of at most 2**24 voxels, as long as "
            f"spacing says; got {2 * r + 1} by {2 * q + 1}"
        )
    y, x = (np.arange(-n, n + 1) * unit for n, unit in zip((r, q), units, strict=True))
    # The Gaussian's exponent has a term with x and y that no list of either holds.
    mixed = c * s * (1 - gamma * gamma) / (sigma * sigma)
    if product and abs(mixed) * x[-1] * y[-1] < 1e-12:
        return tuple(
            np.exp(-(p * p) * (a * a + gamma * gamma * b * b) / (2 * sigma * sigma))
            * np.exp(2j * math.pi * a * p / wavelength)
            for p, a, b in ((y, s, c), (x, c, s))
        )
    u, v = x * c + y[:, None] * s, y[:, None] * c - x * s
    bell = np.exp(-(u * u + (gamma * v) ** 2) / (2 * sigma * sigma))
    return bell * np.exp(2j * math.pi * u / wavelength)


def _by_lists(
    u: Any, filters: Any, pair: Any, edge: int, fill: float, mode: str, workers: Any
) -> Any:
    """Yield the real and the imaginary response to each filter, made along both axes."""
    a, b, part = (_arrays.empty(u.shape, u.dtype, u) for _ in range(3))

    def along(first: Any, second: Any, answer: Any) -> None:
        weights, before = [np.empty(0)] * 3, [0, 0, 0]
        for axis, w in zip(pair, (first, second), strict=True):
            weights[axis], before[axis] = np.ascontiguousarray(w), w.size // 2
        _separable(u, answer, *weights, tuple(before), edge, edge, edge, 0.0, workers=workers)

    for f, g in filters:
        along(f.real, g.real, a)
        along(f.real, g.imag, b)
        if f.imag.any():
            along(f.imag, g.imag, part)
            join(a, part, "mean", workers, weight=-1.0)
            along(f.imag, g.real, part)
            join(b, part, "mean", workers)
        yield a, b


def _by_sums(
    u: Any, filters: Any, pair: Any, edge: int, fill: float, mode: str, workers: Any
) -> Any:
    for f in filters:
        box = [1, 1, 1]
        box[pair[0]], box[pair[1]] = f.shape
        yield tuple(
            correlate(
                u, np.ascontiguousarray(w).reshape(box), mode=mode, cval=fill, workers=workers
            )
            for w in (f.real, f.imag)
        )


def _by_spectra(
    u: Any, filters: Any, pair: Any, edge: int, fill: float, mode: str, workers: Any
) -> Any:
    """Yield the real and the imaginary response to each filter, by Fourier transforms."""
    rows, columns = (u.shape[axis] for axis in pair)
    r, q = (max(f.shape[axis] // 2 for f in filters) for axis in range(2))
    shape = _smooth(rows + 2 * r), _smooth(columns + 2 * q)
    source = np.moveaxis(u, pair, (1, 2))
    complex_type = np.result_type(u.dtype, np.complex64)
    spectra = np.empty((len(source), shape[0], shape[1] // 2 + 1), complex_type)
    at = [
        np.array([inside(i, n, edge) for i in range(-before, n + before)])
        for n, before in ((rows, r), (columns, q))
    ]

    @_arrays.silent
    def look(k: int) -> None:
        wide = source[k][np.ix_(*(np.maximum(a, 0) for a in at))]
        if edge == CONSTANT:
            wide[at[0] < 0], wide[:, at[1] < 0] = fill, fill
        spectra[k] = np.fft.rfft2(wide, shape)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(look, range(len(source))))
        for f in filters:
            tables = [_table(part, shape, (r, q)).astype(complex_type) for part in (f.real, f.imag)]
            found = [np.empty(u.shape, u.dtype) for _ in tables]
            views = [np.moveaxis(part, pair, (1, 2)) for part in found]

            @_arrays.silent
            def respond(k: int, tables: Any = tables, views: Any = views) -> None:
                for table, view in zip(tables, views, strict=True):
                    view[k] = np.fft.irfft2(spectra[k] * table, shape)[:rows, :columns]

            list(pool.map(respond, range(len(source))))
            yield tuple(found)


def _table(weights: Any, shape: Any, before: Any) -> Any:
    """Return the spectrum to multiply with, whose response begins at the image's first voxel."""
    wide = np.zeros(shape)
    size = weights.shape
    wide[: size[0], : size[1]] = weights
    moved = [r - n // 2 for r, n in zip(before, size, strict=True)]
    wide = np.roll(wide, moved, (0, 1))
    return np.conj(np.fft.rfft2(wide))


def _smooth(n: int) -> int:
    """Return the next number whose only factors are 2, 3 and 5: quick to transform."""
    while True:
        rest = n
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return n
        n += 1
