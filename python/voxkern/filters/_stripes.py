"""Stripes of sinograms, which are rings of the images made from them."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._kernel import In, Out, kernel, prange
from ._dwt import band_of, compose, decompose
from ._median import median_filter

Array = TypeVar("Array")


@kernel(dtypes=_args.FLOAT)
def _sort_columns(x: In, y: Out, order: Out) -> None:
    planes, rows, columns = x.shape
    for i in prange(columns):
        column = np.empty(rows, x.dtype)
        for k in range(planes):
            for j in range(rows):
                column[j] = x[k, j, i]
            places = np.argsort(column, kind="mergesort")  # equal ones stay as they come
            for j in range(rows):
                y[k, j, i], order[k, j, i] = column[places[j]], places[j]


@kernel(dtypes=_args.FLOAT)
def _put_columns(x: In, order: In, y: Out) -> None:
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                y[k, order[k, j, i], i] = x[k, j, i]


@_sort_columns.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = rng.choice([-3, -0.0, 0.0, 2.5, 1e30, -np.inf, np.nan], shape)
    few = rng.random(shape) < 0.7
    x = np.where(few, x, rng.standard_normal(shape)).astype(dtype)
    return x, np.zeros(shape, dtype), np.zeros(shape, np.int32)


@_put_columns.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = rng.standard_normal(shape).astype(dtype)
    order = rng.permuted(np.indices(shape, np.int32)[1], axis=1)
    return x, order, np.zeros(shape, dtype)


@_arrays.cpu_only
@_arrays.silent
def remove_stripes(
    image: Array,
    method: str = "sort",
    *,
    size: int = 21,
    levels: int = 4,
    wavelet: str = "db5",
    sigma: float = 2.0,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Take out of sinograms what stays on one detector pixel through all angles.

    Parameters
    ----------
    image : array, shape ([...,] angles, columns)
        Sinograms of type uint8, int16, uint16, int32, float32 or float64, in the memory of
        the CPU.
    method : {'sort', 'fourier-wavelet'}
        By medians of sorted columns, or by damping the slowest waves along the angles in the
        details of a wavelet transform.
    size : int
        With 'sort': pixels of the detector that the median is taken over, an odd number more
        than twice a stripe's width.
    levels : int
        With 'fourier-wavelet': how often to halve the sinogram, less where it is small.
    wavelet : str
        With 'fourier-wavelet': a discrete wavelet of PyWavelets.
    sigma : float
        With 'fourier-wavelet': how many waves along the angles are damped.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape as `image`: float64 for int32 and float64, else float32.

    Raises
    ------
    ImportError
        If PyWavelets is not installed, for 'fourier-wavelet'.
    TypeError
        If `image` is on a GPU, or `image` or `out` is of a type that is not listed.
    ValueError
        If `image` has one axis, or `method` or `wavelet` is not known.

    See Also
    --------
    remove_spikes : of single voxels or frequencies.

    Notes
    -----
    'sort' [1]_ sorts each column by value, takes the median of `size` neighbours along each
    row of the sorted sinogram, and puts the values back to where they came from: neighbouring
    pixels see much the same values in the course of a turn, though not at the same angles. It
    goes for stripes of any strength that do not change.

    'fourier-wavelet' [2]_ transforms the details between columns of every level along the
    angles and multiplies them with ``1 - exp(-k**2 / (2 sigma**2))``, with `k` waves on the
    whole axis: the mean goes, and so does what is as slow.

    With 'sort' NaN counts as larger than any number; otherwise it spreads.

    References
    ----------
    .. [1] N. T. Vo, R. C. Atwood, M. Drakopoulos, "Superior techniques for eliminating ring
       artifacts in X-ray micro-tomography", Optics Express 26:28396-28412, 2018.
       https://doi.org/10.1364/OE.26.028396
    .. [2] B. Muench et al., "Stripe and ring artifact removal with combined wavelet-Fourier
       filtering", Optics Express 17:8567-8591, 2009. https://doi.org/10.1364/OE.17.008567

    Examples
    --------
    >>> x = np.tile(np.linspace(1, 2, 50)[:, None], (1, 9))  # what each pixel sees, turning
    >>> striped = x + 5 * (np.arange(9) == 4)
    >>> print(abs(remove_stripes(striped, size=5) - x).max().round(9))
    0.0
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    _args.as_ndim(x, 2)
    _arrays.need_cpu(image=x)
    if method not in ("sort", "fourier-wavelet"):
        raise ValueError(f"method must be 'sort' or 'fourier-wavelet'; got {method!r}")
    box, most = _args.as_int(size, "size", 1), _args.as_int(levels, "levels", 1)
    width = _args.as_float(sigma, "sigma", above=0)
    workers = _args.as_workers(workers)
    real = _args.float_dtype(dtype)
    pywt = _pywt(wavelet) if method == "fourier-wavelet" else None

    def run(volume: Any, answer: Any) -> None:
        for k in range(len(volume)):  # a plane of three axes
            sinogram, clean = volume[k : k + 1], answer[k : k + 1]
            if method == "sort":
                _by_sorting(sinogram.astype(real, copy=False), box, clean, workers)
            else:
                _by_waves(pywt, sinogram, most, wavelet, width, clean, workers)

    return _arrays.run_volumes(run, x, out, real, give)


def _by_sorting(x: Any, size: int, answer: Any, workers: int | None) -> None:
    order = _arrays.empty(x.shape, np.int32)
    _sort_columns(x, answer, order, workers=workers)
    smooth = median_filter(answer, (1, 1, size), workers=workers)
    _put_columns(smooth, order, answer, workers=workers)


def _by_waves(
    pywt: Any, x: Any, levels: int, wavelet: str, sigma: float, answer: Any, workers: int | None
) -> None:
    depth = min(levels, pywt.dwtn_max_level(x.shape[1:], wavelet))
    if not depth:
        answer[...] = x
        return
    bank = pywt.Wavelet(wavelet)
    pyramid, _ = decompose(x, bank, 2, depth, answer.dtype, workers)
    for bands in pyramid:
        details = band_of(bands, 2, 1)[0]  # between columns
        n = len(details)
        # The waves that damping changes, which are few.
        k = np.arange(min(n // 2, int(9 * sigma)) + 1)[:, None]
        turns = 2 * np.pi / n * (k * np.arange(n) % n)
        share = np.exp(-(k**2) / (2 * sigma * sigma)) * np.where(k * 2 % n, 2, 1) / n
        waves = np.concatenate([np.cos(turns), np.sin(turns)])
        back = (np.concatenate([share, share]) * waves).astype(details.dtype)
        details -= back.T @ (waves.astype(details.dtype) @ details)
    while pyramid:
        compose(pyramid, bank, 2, np.empty(0), False, answer, workers)


def _pywt(wavelet: Any) -> Any:
    try:
        import pywt
    except ImportError:
        raise ImportError(
            "remove_stripes needs PyWavelets with 'fourier-wavelet': "
            "`pip install 'voxkern[wavelet]'`"
        ) from None
    if wavelet not in pywt.wavelist(kind="discrete"):
        raise ValueError(f"wavelet must be a discrete wavelet of PyWavelets; got {wavelet!r}")
    return pywt
