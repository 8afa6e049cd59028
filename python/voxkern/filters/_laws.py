"""Laws' texture filters."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from ._along import as_edges
from ._jet import as_float_image
from ._pool import MAGNITUDE, as_pooling, join
from ._turns import Stages, all_turns, run_pooled, run_stages
from ._uniform import uniform_filter

_WEIGHTS = {
    "L3": (1, 2, 1),
    "E3": (-1, 0, 1),
    "S3": (-1, 2, -1),
    "L5": (1, 4, 6, 4, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
}


def laws(
    image: Any,
    kernels: str | Sequence[str],
    *,
    rotation_invariant: bool = False,
    pooling: str = "max",
    energy: int = 0,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Texture by one of Laws' kernels along each axis: level, edge, spot, wave, ripple.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    kernels : str or sequence of str
        L3, L5, E3, E5, S3, S5, W5 or R5 for each axis, in the order of the array's axes, as
        one word or several: ``"S5L5E5"`` takes the edge along the columns. Two of them
        filter the planes of a volume one by one.
    rotation_invariant : bool
        Pool the responses of the filter turned by all right angles: 24 for three axes, 4
        for two.
    pooling : {'max', 'min', 'mean'}
        What is made of the responses to all turns.
    energy : int
        If more than 0, return the mean of the absolute response over the box that reaches
        so many voxels to all sides.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'} or one an axis
        What lies outside the image.
    cval : float
        The value outside when `mode` is 'constant'.
    axes : int or sequence of int, optional
        The axes that `kernels` are for; the last ones by default.
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
        If `image` or `out` is of a type that is not listed.
    ValueError
        If a kernel is not listed, or there are not as many as axes, or `energy` is negative.

    See Also
    --------
    gabor, wavelet, simoncelli : other filters of IBSI's.

    Notes
    -----
    Kernels have a Euclidean norm of 1 and are convolved [1]_. This is the definition of the
    Image Biomarker Standardisation Initiative [2]_, which writes the kernel of the columns
    first: its E5L5S5 is ``"S5L5E5"`` here. Its "mirror" is the mode 'reflect'. With
    'constant' the energy, too, has `cval` outside.

    A NaN reaches as far as the weights do, turned and averaged as they are.

    References
    ----------
    .. [1] K. I. Laws, "Textured image segmentation", PhD thesis, University of Southern
       California, 1980.
    .. [2] P. Whybra et al., "The Image Biomarker Standardization Initiative: standardized
       convolutional filters for reproducible radiomics and enhanced clinical insights",
       Radiology 310:e231319, 2024. https://doi.org/10.1148/radiol.231319

    Examples
    --------
    >>> x = np.zeros((3, 5), dtype=np.float32)
    >>> x[:, :2] = 6
    >>> laws(x, "L3E3").round(1)
    array([[0. , 6.9, 6.9, 0. , 0. ],
           [0. , 6.9, 6.9, 0. , 0. ],
           [0. , 6.9, 6.9, 0. , 0. ]], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    dtype, ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x)
    stages: Stages = (tuple(_taps(name) for name in _names(kernels)),)
    n = len(stages[0])
    if not 1 <= n <= min(3, ndim):
        raise ValueError(f"kernels must be one to {min(3, ndim)}; got {kernels!r}")
    along = _args.as_axes(tuple(range(-n, 0)) if axes is None else axes, ndim)
    if len(along) != n:
        raise ValueError(f"axes must be as many as kernels, {n}; got {axes!r}")
    edges, fill = as_edges(mode, n), float(_args.as_fill(cval, "float64"))
    pooling, reach = as_pooling(pooling), _args.as_int(energy, "energy", 0, 1 << 14)
    workers = _args.as_workers(workers)
    real = _args.float_dtype(dtype)
    result = _arrays.output(out, x.shape, real, (x,))
    y = None if reach else result
    u = as_float_image(x)
    if rotation_invariant:
        y = run_pooled(u, dtype, all_turns(stages), along, edges, fill, pooling, y, workers)
    else:
        y = run_stages(u, stages, along, edges, fill, workers, y)
    if reach and x.size:
        size = _arrays.empty(x.shape, real, x)
        size[...] = 0
        join(size, _arrays.rows_contiguous(y), "mean", workers, what=MAGNITUDE)
        uniform_filter(
            size, 2 * reach + 1, mode=mode, cval=cval, axes=along, out=result, workers=workers
        )
    if out is not None:
        return out
    return result if give is None else give(result)


def _names(kernels: Any) -> list[str]:
    if isinstance(kernels, str):
        return [kernels[i : i + 2] for i in range(0, len(kernels), 2)]
    if not isinstance(kernels, Sequence) or not all(isinstance(name, str) for name in kernels):
        raise TypeError(f"kernels must be a word or a list of words; got {kernels!r}")
    return list(kernels)


@functools.cache
def _taps(name: str) -> tuple[Any, int]:
    """Return a kernel to correlate with, of norm 1."""
    if name not in _WEIGHTS:
        raise ValueError(f"kernels must be of {', '.join(_WEIGHTS)}; got {name!r}")
    w = np.array(_WEIGHTS[name], np.float64)[::-1]
    w = np.ascontiguousarray(w / np.sqrt((w * w).sum()))
    w.flags.writeable = False
    return w, w.size // 2
