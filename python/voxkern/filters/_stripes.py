"""Stripes of sinograms, which are rings of the images made from them."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from ._median import median_filter

Array = TypeVar("Array")


@_arrays.cpu_only
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
    dtype, ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x, 2)
    _arrays.need_cpu(image=x)
    if method not in ("sort", "fourier-wavelet"):
        raise ValueError(f"method must be 'sort' or 'fourier-wavelet'; got {method!r}")
    box, most = _args.as_int(size, "size", 1), _args.as_int(levels, "levels", 1)
    width = _args.as_float(sigma, "sigma", above=0)
    workers = _args.as_workers(workers)
    real = _args.float_dtype(dtype)
    result = _arrays.output(out, x.shape, real, (x,))
    if method == "fourier-wavelet":
        pywt = _pywt(wavelet)
    for at in np.ndindex(x.shape[: ndim - 2]) if x.size else ():
        sinogram = x[at].astype(real)
        if method == "sort":
            result[at] = _by_sorting(sinogram, box, workers)
        else:
            result[at] = _by_waves(pywt, sinogram, most, wavelet, width)
    if out is not None:
        return out
    return result if give is None else give(result)


def _by_sorting(x: Any, size: int, workers: Any) -> Any:
    order = np.argsort(x, axis=0, kind="stable")
    smooth = median_filter(np.take_along_axis(x, order, 0), (1, size), workers=workers)
    answer = np.empty_like(x)
    np.put_along_axis(answer, order, smooth, 0)
    return answer


def _by_waves(pywt: Any, x: Any, levels: int, wavelet: str, sigma: float) -> Any:
    depth = min(levels, pywt.dwtn_max_level(x.shape, wavelet))
    coarse, *details = pywt.wavedec2(x, wavelet, level=depth)
    kept = []
    for across, along, both in details:
        n = along.shape[0]
        waves = np.arange(n // 2 + 1)
        damp = 1 - np.exp(-(waves**2) / (2 * sigma * sigma))
        spectrum = np.fft.rfft(along, axis=0) * damp[:, None]
        kept.append((across, np.fft.irfft(spectrum, n, 0), both))
    whole = pywt.waverec2([coarse, *kept], wavelet)
    return whole[: x.shape[0], : x.shape[1]]


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
