"""Voxels and frequencies that stick out of their surroundings."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._edge import CONSTANT, inside
from .._kernel import Edge, In, Out, Scalar, Size, kernel, prange
from ._jet import as_float_image
from ._median import median_filter

Array = TypeVar("Array")

# The standard deviation of normal numbers, in their median absolute deviations.
_NORMAL = 1.4826022185056018


@kernel(dtypes=_args.FLOAT)
def _spikes(
    x: In, middle: In, y: Out, reach: Size, threshold: Scalar, least: Scalar, edge: Edge
) -> None:
    limits = np.empty(2, x.dtype)  # of the image's type, as all that is compared
    limits[0], limits[1] = threshold, least
    rz, ry, rx = reach
    whole = (2 * rz + 1) * (2 * ry + 1) * (2 * rx + 1)
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                m = middle[k, j, i]
                apart = abs(x[k, j, i] - m)
                near = apart / limits[0]
                count = 0
                for dz in range(-rz, rz + 1):
                    kk = inside(k + dz, x.shape[0], edge)
                    for dy in range(-ry, ry + 1):
                        jj = inside(j + dy, x.shape[1], edge)
                        for dx in range(-rx, rx + 1):
                            ii = inside(i + dx, x.shape[2], edge)
                            count += abs(x[kk, jj, ii] - m) < near
                spike = apart > limits[1] and 2 * count > whole
                y[k, j, i] = m if spike else x[k, j, i]


@_spikes.on("cuda")
def _plan(
    gpu: Any, x: Any, middle: Any, y: Any, reach: Any, threshold: float, least: float, edge: int
) -> None:
    gpu.launch(
        f"spikes<{gpu.name_of(x.dtype)}>", gpu.blocks(x.size), 256,
        x, middle, y, x.shape, reach, float(threshold), float(least), edge,
    )  # fmt: skip


@_spikes.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (10 * rng.standard_normal(shape)).astype(dtype)
    x[rng.random(shape) < 0.1] *= 20
    x[rng.random(shape) < 0.02] = np.nan
    middle = rng.standard_normal(shape).astype(dtype)
    reach = tuple(int(r) for r in rng.integers(0, 3, 3))
    return x, middle, np.empty_like(x), reach, 3.3, 0.5, int(rng.integers(4))


def remove_spikes(
    image: Array,
    size: Any = 3,
    threshold: float = 6.0,
    *,
    least: float = 0.0,
    kspace: bool = False,
    centre: float = 0.1,
    mode: str = "reflect",
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Replace voxels that stick out of the box around them by its median; leave the others.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    size : int or one an axis
        Voxels along each axis of the box: odd numbers.
    threshold : float
        How far from the median a voxel is a spike, in standard deviations by the median
        absolute deviation of the box.
    least : float
        Voxels nearer to the median than this are no spikes, in the unit of the image; with
        ``kspace=True`` in units of the logarithm of a frequency's magnitude.
    kspace : bool
        Look for spikes among the frequencies of the image, which lie over it as stripes
        ("herringbone"), instead of among its voxels.
    centre : float
        With ``kspace=True``: frequencies up to this share of the highest are left alone.
    mode : {'reflect', 'mirror', 'nearest', 'wrap'}
        What lies outside the image.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape and device as `image`. Of its type; with ``kspace=True`` float64 for
        int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` is of a type that is not listed, or on a GPU with ``kspace=True``.
    ValueError
        If a size is even, `threshold` is not positive, or `mode` is 'constant'.

    See Also
    --------
    median_filter : replaces all voxels.
    remove_stripes : of sinograms.

    Notes
    -----
    This is Hampel's identifier [1]_ in a box of any number of axes: a voxel is a spike if it
    is farther from the median `m` of its box than ``threshold * 1.4826`` times the median of
    ``|v - m|`` over the box, itself included. Where more than half of the box has one value,
    any other value is a spike: `least` says from where on that counts.

    With ``kspace=True`` the same is asked of the logarithm of the magnitudes of the Fourier
    transform along the last axes, three at most, and only upwards; a frequency that sticks
    out is scaled to the median and keeps its phase. A threshold of 6 takes about one of
    10**5 frequencies of pure noise. NaN and infinity stay, and in k-space spread.

    References
    ----------
    .. [1] F. R. Hampel, "The influence curve and its role in robust estimation", Journal of
       the American Statistical Association 69:383-393, 1974.
       https://doi.org/10.1080/01621459.1974.10482962
    .. [2] R. K. Pearson et al., "Generalized Hampel filters", EURASIP Journal on Advances in
       Signal Processing 2016:87. https://doi.org/10.1186/s13634-016-0383-6

    Examples
    --------
    >>> x = np.array([3, 4, 90, 5, 6, 7, 8, 7], dtype=np.uint8)
    >>> remove_spikes(x, 5, least=5)
    array([3, 4, 5, 5, 6, 7, 8, 7], dtype=uint8)
    """
    x, give = _arrays.adopt(image)
    dtype, ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x)
    last = min(ndim, 3)
    sizes = _args.as_window(size, last, bits=24)
    if any(s % 2 == 0 for s in sizes):
        raise ValueError(f"size must be odd; got {size!r}")
    times = _NORMAL * _args.as_float(threshold, "threshold", above=0)
    floor, low = _args.as_float(least, "least", 0), _args.as_float(centre, "centre", 0)
    edge = _args.as_edge(mode)
    if edge == CONSTANT:
        raise ValueError("mode must be reflect, mirror, nearest or wrap; got 'constant'")
    workers = _args.as_workers(workers)
    if kspace:
        if type(x) is not np.ndarray:
            raise TypeError("image must be in the memory of the CPU with kspace=True")
        real = _args.float_dtype(dtype)

        def mend(volume: Any, answer: Any) -> None:
            part = volume.reshape(volume.shape[3 - last :]).astype(np.float64)
            answer[...] = _mend_spectrum(part, sizes, times, floor, low, workers)

        return _arrays.run_volumes(mend, x, out, real, give)
    reach = _args.lift(tuple(s // 2 for s in sizes), 0)
    box = _args.lift(sizes, 1)

    def run(volume: Any, answer: Any) -> None:
        middle = as_float_image(median_filter(volume, box, mode=mode, workers=workers))
        u = as_float_image(volume)
        y = answer if u is volume else _arrays.empty(u.shape, u.dtype, u)
        _spikes(u, middle, y, reach, times, floor, edge, workers=workers)
        if y is not answer:
            _arrays.assign(answer, y.astype(answer.dtype))

    return _arrays.run_volumes(run, x, out, dtype, give)


def _mend_spectrum(x: Any, sizes: Any, times: float, least: float, low: float, workers: Any) -> Any:
    """Return an image without frequencies that stick out of those around them."""
    spectrum = np.fft.fftn(x)
    magnitude = np.abs(spectrum)
    tiny = np.finfo(np.float64).tiny + np.finfo(np.float64).eps * magnitude.max(initial=0)
    logs = np.log(np.maximum(magnitude, tiny))
    middle = median_filter(logs, sizes, mode="wrap", workers=workers)
    kept = np.empty_like(logs)
    shape = (1,) * (3 - x.ndim) + x.shape
    reach = _args.lift(tuple(s // 2 for s in sizes), 0)
    three = (a.reshape(shape) for a in (logs, middle, kept))
    _spikes(*three, reach, times, least, _args.as_edge("wrap"), workers=workers)
    grid = np.meshgrid(*(2 * np.fft.fftfreq(n) for n in x.shape), indexing="ij", sparse=True)
    far = sum(g * g for g in grid) > low * low
    spike = far & (logs > kept)
    spectrum[spike] *= np.exp(middle[spike] - logs[spike])
    return np.fft.ifftn(spectrum).real
