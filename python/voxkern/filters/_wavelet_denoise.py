"""Denoising by shrinking wavelet coefficients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from ._dwt import band_of, compose, decompose, noise_of

Array = TypeVar("Array")


@_arrays.cpu_only
@_arrays.silent
def denoise_wavelet(
    image: Array,
    sigma: float | None = None,
    wavelet: str = "db1",
    mode: str = "soft",
    levels: int | None = None,
    method: str = "BayesShrink",
    *,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Shrink the wavelet coefficients of an image, of which noise makes the small ones.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, in the memory of the
        CPU.
    sigma : float, optional
        Standard deviation of the noise, in the unit of the image. By default it is found
        from the finest details.
    wavelet : str
        A discrete wavelet of PyWavelets, best an orthogonal one.
    mode : {'soft', 'hard'}
        Whether coefficients above the threshold shrink by it, or stay.
    levels : int, optional
        Levels of the transform. By default three less than there can be, and at least 1.
    method : {'BayesShrink', 'VisuShrink'}
        A threshold for each level and direction [1]_, or one for all [2]_.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, steps)`` after the
        transform of each volume, and after each level of the way back.
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
        If PyWavelets is not installed.
    TypeError
        If `image` is on a GPU, or `image` or `out` is of a type that is not listed.
    ValueError
        If `sigma` is negative, or `wavelet`, `mode`, `levels` or `method` is not known.

    Notes
    -----
    The definition is scikit-image's, in the image's own unit: integers are neither scaled
    nor clipped. It knows no spacing: a wavelet halves every axis alike, whatever its voxels'
    length. Single images are best averaged over shifts, since the transform is not the same
    for a shifted image.

    Takes a volume of memory for the coefficients, and a seventh.

    NaN spoils what the wavelets that cover it give.

    References
    ----------
    .. [1] S. G. Chang, B. Yu, M. Vetterli, "Adaptive wavelet thresholding for image denoising
       and compression", IEEE Transactions on Image Processing 9:1532-1546, 2000.
       https://doi.org/10.1109/83.862633
    .. [2] D. L. Donoho, I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage",
       Biometrika 81:425-455, 1994. https://doi.org/10.1093/biomet/81.3.425

    Examples
    --------
    >>> x = np.repeat([0.0, 8.0], 16) + np.tile([-0.5, 0.5], 16)
    >>> denoise_wavelet(x, 1)[14:18].round(2)  # doctest: +SKIP
    array([0., 0., 8., 8.])
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    _args.as_ndim(x)
    _arrays.need_cpu(image=x)
    if sigma is not None:
        sigma = _args.as_float(sigma, "sigma", 0)
        if sigma > 1e15:
            raise ValueError(f"sigma must be at most 1e15; got {sigma!r}")
    if mode not in ("soft", "hard"):
        raise ValueError(f"mode must be 'soft' or 'hard'; got {mode!r}")
    if levels is not None:
        levels = _args.as_int(levels, "levels", 1, 30)
    if method not in ("BayesShrink", "VisuShrink"):
        raise ValueError(f"method must be 'BayesShrink' or 'VisuShrink'; got {method!r}")
    try:
        import pywt
    except ImportError:
        raise ImportError(
            "denoise_wavelet needs PyWavelets: `pip install 'voxkern[wavelet]'`"
        ) from None
    if wavelet not in pywt.wavelist(kind="discrete"):
        raise ValueError(f"wavelet must be a discrete wavelet of PyWavelets; got {wavelet!r}")
    workers = _args.as_workers(workers)
    told = _args.as_progress(progress, "denoise_wavelet") or (lambda done, steps: None)
    last = min(x.ndim, 3)
    real = _args.float_dtype(dtype)
    bank = pywt.Wavelet(wavelet)
    epsilon, tiny = float(np.finfo(real).eps), float(np.finfo(real).tiny)

    def run(volume: Any, answer: Any) -> None:
        part = volume.shape[3 - last :]
        depth = levels
        if depth is None:
            depth = max(pywt.dwtn_max_level(part, wavelet) - 3, 1)
        pyramid, powers = decompose(volume, bank, last, depth, real, workers)
        told(1, depth + 1)
        finest = band_of(pyramid[0], last, 2**last - 1)
        noise = noise_of(np.abs(finest), 0, workers) if sigma is None else sigma
        everywhere = noise * math.sqrt(2 * math.log(math.prod(part)))
        for done in range(1, depth + 1):
            size, limits = pyramid[-1].size / 2**last, powers.pop()
            for key, energy in enumerate(limits):
                limit = everywhere
                if method == "BayesShrink":
                    signal = float(energy) / size - noise * noise
                    limit = noise * noise / math.sqrt(max(signal, epsilon))
                limits[key] = limit if key and limit > tiny else 0  # the coarsest band stays
            compose(pyramid, bank, last, limits, mode == "hard", answer, workers)
            told(done + 1, depth + 1)

    return _arrays.run_volumes(run, x, out, real, give)
