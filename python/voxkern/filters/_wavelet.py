"""Undecimated separable wavelets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from ._along import as_edges
from ._jet import as_float_image
from ._pool import as_pooling
from ._turns import Stages, Taps, all_turns, run_pooled, run_stages


def wavelet(
    image: Any,
    name: str,
    bands: str,
    level: int = 1,
    *,
    rotation_invariant: bool = False,
    pooling: str = "mean",
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """One band of a stationary wavelet decomposition, at the resolution of the image.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    name : str
        'haar', 'db1', 'db2', 'db3' or 'coif1'; with PyWavelets installed, any orthogonal or
        biorthogonal one that it knows.
    bands : str
        L or H, low or high pass, for each axis, in the order of the array's axes: ``"HLL"``
        is the detail between planes. Two letters filter the planes of a volume.
    level : int
        Which level: the image is low-passed along all axes ``level - 1`` times before.
    rotation_invariant : bool
        Pool the responses of the filter turned by all right angles: 24 for three axes.
    pooling : {'mean', 'max', 'min'}
        What is made of the responses to all turns.
    mode, cval, out, workers
        As in `laws`.
    axes : int or sequence of int, optional
        The axes that `bands` are for; the last ones by default.

    Returns
    -------
    array
        Same shape and device as `image`: float64 for int32 and float64, else float32.

    Raises
    ------
    ImportError
        If `name` is not built in, and PyWavelets is not installed.
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If `name` is no discrete wavelet, `bands` has other letters or more than axes, or
        `level` is less than 1.

    See Also
    --------
    simoncelli : a wavelet that knows no direction.
    denoise_wavelet : by shrinking the coefficients of a decimated transform.

    Notes
    -----
    The image is convolved with the wavelet's decomposition filters, at level `n` with
    ``2**(n - 1) - 1`` zeros between their weights ("a trous"), each axis by itself; an
    even number of weights reaches one voxel further forward than back. The filters keep their
    norm of 1, so a level of low passes scales by ``2**(axes / 2)``. This is the
    definition of the Image Biomarker Standardisation Initiative [1]_, which names the band
    of the columns first. Its "mirror" is the mode 'reflect', its "periodic" is 'wrap'.

    A NaN reaches as far as the wavelet does, turned as it is.

    References
    ----------
    .. [1] P. Whybra et al., "The Image Biomarker Standardization Initiative: standardized
       convolutional filters for reproducible radiomics and enhanced clinical insights",
       Radiology 310:e231319, 2024. https://doi.org/10.1148/radiol.231319
    .. [2] I. Daubechies, "Ten lectures on wavelets", SIAM, 1992.
       https://doi.org/10.1137/1.9781611970104

    Examples
    --------
    >>> wavelet(np.array([0, 0, 8, 8, 8, 8], dtype=np.float32), "haar", "H").round(2)
    array([ 0.  , -5.66,  0.  ,  0.  ,  0.  ,  0.  ], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    dtype, ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x)
    if not isinstance(bands, str) or not set(bands) <= {"L", "H"}:
        raise ValueError(f"bands must be letters L and H; got {bands!r}")
    n = len(bands)
    if not 1 <= n <= min(3, ndim):
        raise ValueError(f"bands must be one to {min(3, ndim)} letters; got {bands!r}")
    along = _args.as_axes(tuple(range(-n, 0)) if axes is None else axes, ndim)
    if len(along) != n:
        raise ValueError(f"axes must be as many as bands, {n}; got {axes!r}")
    level = _args.as_int(level, "level", 1)
    if level > 30:
        raise ValueError(f"level must be at most 30; got {level}")
    edges, fill = as_edges(mode, n), float(_args.as_fill(cval, "float64"))
    pooling, workers = as_pooling(pooling), _args.as_workers(workers)
    low, high = _filters(name)
    stages: Stages = tuple(
        tuple(_spread(high if step == level - 1 and band == "H" else low, step) for band in bands)
        for step in range(level)
    )
    result = _arrays.output(out, x.shape, _args.float_dtype(dtype), (x,))
    u = as_float_image(x)
    if rotation_invariant:
        run_pooled(u, dtype, all_turns(stages), along, edges, fill, pooling, result, workers)
    else:
        run_stages(u, stages, along, edges, fill, workers, result)
    if out is not None:
        return out
    return result if give is None else give(result)


def _filters(name: Any) -> tuple[Any, Any]:
    """Return the low and the high pass of a wavelet's decomposition."""
    low = _built_in(name)
    if low is not None:
        high = low[::-1] * (-1.0) ** np.arange(1, low.size + 1)
        return low, high
    try:
        import pywt
    except ImportError:
        raise ImportError(
            f"wavelet {name!r} needs PyWavelets: `pip install 'voxkern[wavelet]'`; without it "
            "there are haar, db1, db2, db3 and coif1"
        ) from None
    if name not in pywt.wavelist(kind="discrete"):
        raise ValueError(f"name must be a discrete wavelet of PyWavelets; got {name!r}")
    found = pywt.Wavelet(name)
    return np.array(found.dec_lo), np.array(found.dec_hi)


def _built_in(name: Any) -> Any:
    """Return a low pass by its closed form, or None."""
    if name in ("haar", "db1"):
        return np.full(2, 0.5**0.5)
    if name == "db2":
        a = 3**0.5
        return np.array([1 - a, 3 - a, 3 + a, 1 + a]) / (4 * 2**0.5)
    if name == "db3":
        a = 10**0.5
        b = math.sqrt(5 + 2 * a)
        w = [1 + a - b, 5 + a - 3 * b, 10 - 2 * a - 2 * b, 10 - 2 * a + 2 * b, 5 + a + 3 * b]
        return np.array([*w, 1 + a + b]) / (16 * 2**0.5)
    if name == "coif1":
        a = 7**0.5
        w = [-3 + a, 1 - a, 14 - 2 * a, 14 + 2 * a, 5 + a, 1 - a]
        return np.array(w) / (16 * 2**0.5)
    return None


def _spread(h: Any, step: int) -> Taps:
    """Return a filter to correlate with, with zeros between its weights."""
    gap = 2**step
    w = np.zeros((h.size - 1) * gap + 1)
    w[::gap] = h[::-1]
    whole = h.size * gap  # with the zeros behind the last, which shift its middle
    return w, (whole - 1) // 2 - (gap - 1)
