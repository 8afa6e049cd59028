"""The noise of an image, from the image alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from ._dwt import _dwt, noise_of, split_shape
from ._gaussian import gaussian_filter
from ._laplace import laplace

# Daubechies' wavelet with two vanishing moments.
_DB2 = np.array([-1 - 3**0.5, 3 + 3**0.5, -3 + 3**0.5, 1 - 3**0.5]) / (4 * 2**0.5)
# Koay & Basser: the variance of magnitudes without a signal, by the number of coils.
_MAGNITUDE = {
    0: 1.0,
    1: 0.42920367320510366,
    4: 0.4834941393603609,
    6: 0.4891759468548269,
    8: 0.49195420135894175,
    12: 0.4946862482541263,
    16: 0.4960339908122364,
    20: 0.4968365823718557,
    24: 0.49736907650825657,
    32: 0.49803177052530145,
    64: 0.49901964176235936,
}


@_arrays.cpu_only
@_arrays.silent
def estimate_sigma(
    image: Any,
    method: str = "wavelet",
    *,
    coils: int = 0,
    window: float | None = None,
    workers: int | None = None,
) -> Any:
    """Standard deviation of the noise of an image.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Of any real type, in the memory of the CPU.
    method : {'wavelet', 'residual'}
        'wavelet' goes by the median of the finest details, which edges hardly reach;
        'residual' by how far voxels are from the mean of those they touch.
    coils : int
        With 'residual': how many coils a magnitude image was combined from, 1 for SENSE
        and for one coil; 0 where the noise is Gaussian.
    window : float, optional
        With 'residual': give a map instead, the noise around each voxel under a Gaussian
        with this standard deviation in voxels.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    float or array
        One number; for images of more than three axes an array of one for each volume.
        With `window` an array of the shape of `image`: float64 for int32 and float64,
        else float32.

    Raises
    ------
    TypeError
        If `image` is on a GPU, or not of a real type.
    ValueError
        If `method` or `coils` is not listed, or `coils` or `window` are given to
        'wavelet'.

    See Also
    --------
    denoise_nl_means : a filter that asks for it.

    Notes
    -----
    'wavelet' is the median magnitude of the diagonal details of Daubechies' second wavelet,
    over 0.6745 [1]_, as scikit-image has it; details of 0 and NaN do not count.
    'residual' is the root mean square of ``sqrt(6 / 7) (u - m)``, `m` being the mean of
    the 6 voxels that share a face (4 pixels in a plane, and ``4 / 5``) [2]_, as DIPY has
    it, divided by Koay's factor for the coils [3]_. Edges add to it.

    References
    ----------
    .. [1] D. L. Donoho, I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage",
       Biometrika 81:425-455, 1994. https://doi.org/10.1093/biomet/81.3.425
    .. [2] P. Coupe et al., "An optimized blockwise nonlocal means denoising filter for 3-D
       magnetic resonance images", IEEE Transactions on Medical Imaging 27:425-441, 2008.
       https://doi.org/10.1109/TMI.2007.906087
    .. [3] C. G. Koay, P. J. Basser, "Analytically exact correction scheme for signal
       extraction from noisy magnitude MR signals", Journal of Magnetic Resonance
       179:317-322, 2006. https://doi.org/10.1016/j.jmr.2006.01.016

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(100, 5, (40, 40, 40))
    >>> round(estimate_sigma(x), 2)
    4.76
    """
    x, _ = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    _arrays.need_cpu(image=x)
    if method not in ("wavelet", "residual"):
        raise ValueError(f"method must be 'wavelet' or 'residual'; got {method!r}")
    if _args.as_int(coils, "coils") not in _MAGNITUDE:
        raise ValueError(f"coils must be one of {', '.join(map(str, _MAGNITUDE))}; got {coils!r}")
    if method == "wavelet" and (coils or window is not None):
        raise ValueError("coils and window go with method='residual'; got 'wavelet'")
    if window is not None:
        window = _args.as_float(window, "window", above=0)
    workers = _args.as_workers(workers)
    if not x.size:
        raise ValueError(f"image must have voxels; got shape {x.shape}")
    last = min(ndim, 3)
    volumes = x.reshape(-1, *x.shape[ndim - last :])
    real = _args.float_dtype(dtype)
    if window is not None:
        answer = np.empty(volumes.shape, real)
        for volume, result in zip(volumes, answer, strict=True):
            power = _residual(volume.astype(real), workers) ** 2 / _MAGNITUDE[coils]
            np.sqrt(gaussian_filter(power, window, workers=workers), out=result)
        return answer.reshape(x.shape)
    found = [
        _by_details(volume, workers)
        if method == "wavelet"
        else math.sqrt(_by_residual(volume, workers) / _MAGNITUDE[coils])
        for volume in volumes
    ]
    return found[0] if ndim == last else np.array(found).reshape(x.shape[:-3])


def _by_details(volume: Any, workers: int | None) -> float:
    lifted = _arrays.rows_contiguous(volume[(None,) * (3 - volume.ndim)])
    shape = split_shape(lifted.shape, _DB2.size, volume.ndim, 1)
    details = _arrays.empty(shape, np.float64)
    _dwt(lifted, details, _DB2[:0], _DB2, volume.ndim, _DB2[:0].copy(), workers=workers)
    np.abs(details, out=details)
    largest = max(float(np.nanmax(volume, initial=0)), -float(np.nanmin(volume, initial=0)))
    return noise_of(details, 1e-13 * largest, workers)  # not mere rounding


def _by_residual(volume: Any, workers: int | None) -> float:
    rest = _residual(volume.astype(np.float64), workers).ravel()
    power = float(rest @ rest) / rest.size
    return float(np.nanmean(rest * rest)) if math.isnan(power) else power


def _residual(x: Any, workers: int | None) -> Any:
    """Return how far each voxel is from those that touch it, with the variance of the noise."""
    beside = 2 * x.ndim
    rest = laplace(x, workers=workers)
    rest /= math.sqrt(beside * (beside + 1))
    return rest
