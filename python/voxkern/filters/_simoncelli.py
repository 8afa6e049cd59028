"""Filters made in Fourier space: Simoncelli's wavelet and the Riesz transform."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _args, _arrays


def simoncelli(image: Any, level: int = 1, *, axes: Any = None, out: Any = None) -> Any:
    """Band of frequencies of an image, by Simoncelli's wavelet, which knows no direction.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    level : int
        1 is the finest band; each next one lies an octave lower.
    axes : int or sequence of int, optional
        The axes to filter along, three at most; the last three by default.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.

    Returns
    -------
    array
        Same shape and device as `image`: float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If `level` is less than 1, or there are more than three axes.

    See Also
    --------
    riesz : gives the answer a direction.
    wavelet : wavelets of each axis by itself.

    Notes
    -----
    The spectrum is multiplied with ``cos(pi / 2 * log2(2 f / top))`` where ``top / 4 <= f <=
    top``, and with 0 elsewhere [1]_. `f` is the length of the frequency's vector and `top` is
    ``2**(1 - level)``, in units of the largest frequency along an axis. Bands overlap, and
    their squares add up to 1. The image repeats itself beyond its borders: pad it for
    another.

    As in the reference maps of the Image Biomarker Standardisation Initiative [2]_ an axis of
    `n` voxels has frequencies evenly from -1 to 1, both included: where the discrete Fourier
    transform has ``2 k / n``, they are ``(2 k + 1) / (n - 1)``. The two signs of a frequency
    are averaged. NaN spreads to all of the axes' voxels.

    Takes a volume of memory for the spectrum; on a GPU a few, for the table and copies.

    References
    ----------
    .. [1] E. P. Simoncelli, W. T. Freeman, "The steerable pyramid: a flexible architecture for
       multi-scale derivative computation", ICIP 3:444-447, 1995.
       https://doi.org/10.1109/ICIP.1995.537667
    .. [2] P. Whybra et al., "The Image Biomarker Standardization Initiative: standardized
       convolutional filters for reproducible radiomics and enhanced clinical insights",
       Radiology 310:e231319, 2024. https://doi.org/10.1148/radiol.231319

    Examples
    --------
    >>> x = np.zeros((8, 8), dtype=np.float32)
    >>> x[4, 4] = 1
    >>> simoncelli(x)[4].round(2)
    array([ 0.  , -0.01, -0.05,  0.11,  0.31,  0.11, -0.05, -0.01],
          dtype=float32)
    """
    level = _args.as_int(level, "level", 1)
    if level > 30:
        raise ValueError(f"level must be at most 30; got {level}")
    top = 2.0 ** (1 - level)

    def make(shape: tuple[int, ...]) -> Slab:
        # The place of each frequency on a grid from -1 to 1, with 0 first as the FFT has it.
        places = [np.fft.ifftshift(np.linspace(-1, 1, n)) if n > 1 else np.zeros(1) for n in shape]
        mirrored = [np.roll(p[::-1], 1) for p in places]
        half = shape[2] // 2 + 1

        def bell(z: Any, y: Any, x: Any) -> Any:
            f = np.sqrt(z[:, None] ** 2 + y**2 + x[:half] ** 2)
            inside = (f >= top / 4) & (f <= top)
            height = np.cos(0.5 * np.pi * np.log2(np.where(inside, f, top) * (2 / top)))
            return np.where(inside, height, 0)

        def slab(j: int) -> Any:
            (z, y, x), (mz, my, mx) = places, mirrored
            return 0.5 * (bell(z, y[j], x) + bell(mz, my[j], mx))

        return slab

    return _by_spectrum(image, make, axes, out)


def riesz(image: Any, order: Any, *, axes: Any = None, out: Any = None) -> Any:
    """Part of an image that varies along some axes: a Riesz transform of any order.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device; mostly
        the response of a filter without a direction.
    order : sequence of int
        How often to transform along each axis, in the order of the array's axes.
    axes, out
        As in `simoncelli`; by default as many of the last axes as `order` has numbers.

    Returns
    -------
    array
        Same shape and device as `image`: float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If a number of `order` is negative, or they are not as many as axes.

    See Also
    --------
    simoncelli, gaussian_laplace : filters whose response one transforms.

    Notes
    -----
    The spectrum is multiplied with ``(-i)**L sqrt(L! / prod(l!)) prod(f**l) / |f|**L``, where
    `l` are the numbers of `order`, `L` is their sum and `f` the frequency [1]_; the mean and,
    for odd numbers, the highest frequency of an even number of voxels go. The squares of all
    transforms with the same sum add up to the image's. The image repeats itself beyond its
    borders. This is the definition of the Image Biomarker Standardisation Initiative, which
    names the order of the columns first. NaN spreads to all of the axes' voxels.

    Takes a volume of memory for the spectrum; on a GPU a few, for the table and copies.

    References
    ----------
    .. [1] M. Unser, N. Chenouard, D. Van De Ville, "Steerable pyramids and tight wavelet
       frames in L2(R^d)", IEEE Transactions on Image Processing 20:2705-2721, 2011.
       https://doi.org/10.1109/TIP.2011.2138147

    Examples
    --------
    >>> wave = np.tile(np.cos(np.arange(8) * np.pi / 4), (4, 1))
    >>> print([riesz(wave, order).max().round(3) for order in ((0, 1), (1, 0))])
    [np.float64(1.0), np.float64(0.0)]
    """
    orders = tuple(_args.as_int(n, "order", 0) for n in np.atleast_1d(np.asarray(order, object)))
    if not 1 <= len(orders) <= 3:
        raise ValueError(f"order must have one to three numbers; got {order!r}")
    total = sum(orders)
    if total > 64:
        raise ValueError(f"order must sum to at most 64; got {order!r}")
    share = math.sqrt(math.factorial(total) / math.prod(map(math.factorial, orders)))

    def make(shape: tuple[int, ...]) -> Slab:
        z, y, x = (np.fft.fftfreq(n) for n in shape)
        x = x[: shape[2] // 2 + 1]
        powers = []
        for g, n, size in zip((z, y, x), _args.lift(orders, 0), shape, strict=True):
            # Of an even number of voxels the highest frequency is as much up as down.
            powers.append(np.where((g == -0.5) & (n % 2 == 1) & (size % 2 == 0), 0, g) ** n)
        factor = (-1j) ** total * share

        def slab(j: int) -> Any:
            f = np.sqrt(z[:, None] ** 2 + y[j] ** 2 + x**2)
            f[f == 0] = 1
            return factor * powers[0][:, None] * powers[1][j] * powers[2] / f**total

        return slab

    if axes is None:
        axes = tuple(range(-len(orders), 0))
    elif len(_args.as_axes(axes, _args.as_ndim(_arrays.adopt(image)[0]))) != len(orders):
        raise ValueError(
            f"order must have as many numbers as axes; got {order!r} for axes={axes!r}"
        )
    return _by_spectrum(image, make, axes, out)


Slab = Callable[[int], Any]  # a table of all frequencies (z, x) at one of y


@_arrays.silent
def _by_spectrum(image: Any, make: Any, axes: Any, out: Any) -> Any:
    """Multiply an image's spectrum with a table, ``make(shape)(j)`` for one row of frequencies."""
    x, give = _arrays.adopt(image)
    dtype, ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x)
    along = _args.as_axes(axes, ndim)
    if not 1 <= len(along) <= 3:
        raise ValueError(f"axes must be one to three; got {axes!r}")
    real = _args.float_dtype(dtype)
    result = _arrays.output(out, x.shape, real, (x,))
    shape = _args.lift(tuple(x.shape[a] for a in along), 1)
    order = (*(a for a in range(ndim) if a not in along), *along)
    source, target = x.transpose(order), result.transpose(order)
    if x.size:
        slab = make(shape)
        for at in np.ndindex(source.shape[: ndim - len(along)]):
            part = source[at]
            found = _filtered(part.reshape(shape), slab, real)
            _arrays.assign(target[at], found.reshape(part.shape))
    if out is not None:
        return out
    return result if give is None else give(result)


def _filtered(x: Any, slab: Slab, real: Any) -> Any:
    """Return a volume whose spectrum is multiplied with a table."""
    planes, rows, columns = x.shape
    kind = np.complex64 if real == np.float32 else np.complex128
    if type(x) is not np.ndarray:
        table = np.stack([slab(j).astype(kind) for j in range(rows)], 1)
        return _arrays.filter_spectrum(x.astype(real), table)
    spectrum = np.empty((planes, rows, columns // 2 + 1), kind)
    for k in range(planes):
        spectrum[k] = np.fft.rfft2(x[k].astype(real))
    for j in range(rows):
        there = np.fft.fft(spectrum[:, j], axis=0)
        there *= slab(j)
        spectrum[:, j] = np.fft.ifft(there, axis=0)
    answer = np.empty(x.shape, real)
    for k in range(planes):
        answer[k] = np.fft.irfft2(spectrum[k], (rows, columns))
    return answer
