"""Removal of Gibbs ringing."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays

Array = TypeVar("Array")

_SHIFTS = np.linspace(0.02, 0.9, 45)  # in voxels, to either side


@_arrays.cpu_only
def gibbs_unring(
    image: Array,
    axes: Any = (-2, -1),
    n_points: int = 3,
    *,
    progress: Callable[[int, int], object] | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Take ringing off the edges of magnitude images that Fourier space was cut off for.

    Parameters
    ----------
    image : array, shape ([...,] rows, columns)
        Images of magnitudes, of type uint8, int16, uint16, int32, float32 or float64, in the
        memory of the CPU.
    axes : pair of int
        The axes of the planes in which the scan was encoded.
    n_points : int
        How many neighbours to either side ringing is judged by.
    progress : callable, optional
        Called as ``progress(done, planes)`` after each plane.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.
    workers : int, optional
        How many threads to use. The answer does not depend on it.

    Returns
    -------
    array
        Same shape as `image`: float64 for int32 and float64, else float32. Not negative.

    Raises
    ------
    TypeError
        If `image` is on a GPU, or `image` or `out` is of a type that is not listed.
    ValueError
        If `axes` are not two, or `n_points` is less than 1 or not less than their lengths.

    Notes
    -----
    Along each axis every voxel is seen with the image shifted by up to 0.9 voxels to either
    side, in 45 steps, and keeps the shift at which its neighbours on one side vary least;
    its value is read between the best shifts to both sides. Two images, one for each axis,
    are joined in Fourier space with weights that leave either the frequencies it had to mend
    [1]_. This is DIPY's ``gibbs_removal``, in float64. The scan must neither have been
    interpolated nor filled with zeros in Fourier space.

    Takes two volumes of memory, in float64.

    References
    ----------
    .. [1] E. Kellner et al., "Gibbs-ringing artifact removal based on local subvoxel-shifts",
       Magnetic Resonance in Medicine 76:1574-1581, 2016. https://doi.org/10.1002/mrm.26054

    Examples
    --------
    >>> square = np.zeros((64, 64))
    >>> square[20:44, 20:44] = 1
    >>> k = np.fft.fftshift(np.fft.fft2(square))[16:48, 16:48]
    >>> ringing = abs(np.fft.ifft2(np.fft.ifftshift(k))) / 4
    >>> print(ringing.max().round(2), gibbs_unring(ringing).max().round(2))
    1.15 1.04
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x, 2)
    _arrays.need_cpu(image=x)
    plane = _args.as_axes(axes, ndim)
    if len(plane) != 2:
        raise ValueError(f"axes must be two; got {axes!r}")
    n_points = _args.as_int(n_points, "n_points", 1)
    threads = _args.as_workers(workers)
    real = _args.float_dtype(dtype)
    result = _arrays.output(out, x.shape, real, (x,))
    source, target = np.moveaxis(x, plane, (-2, -1)), np.moveaxis(result, plane, (-2, -1))
    shortest = min(source.shape[-2:])
    if x.size and n_points >= shortest:
        raise ValueError(f"n_points must be less than {shortest}; got {n_points}")
    places = list(np.ndindex(source.shape[:-2])) if x.size else []
    weights = _weights(*source.shape[-2:]) if places else None

    def mend(at: tuple[int, ...]) -> None:
        target[at] = _mend(source[at].astype(np.float64), n_points, weights)

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(mend, places)):
            if progress is not None:
                progress(done + 1, len(places))
    if out is not None:
        return out
    return result if give is None else give(result)


def _weights(rows: int, columns: int) -> Any:
    """Return what the image mended along its rows has of each frequency."""
    down = 1 + np.cos(np.linspace(-np.pi, np.pi, rows))[:, None]
    across = 1 + np.cos(np.linspace(-np.pi, np.pi, columns))
    down, across = np.broadcast_arrays(down, across)
    both = down + across
    corner = both < 1e-12
    share = np.where(corner, 0.5, down / np.where(corner, 1, both))
    return np.fft.ifftshift(share)


def _mend(x: Any, n_points: int, weights: Any) -> Any:
    across = np.fft.fft2(_mend_rows(x, n_points))
    down = np.fft.fft2(_mend_rows(x.T, n_points).T)
    return np.abs(np.fft.ifft2(across * weights + down * (1 - weights)))


def _mend_rows(x: Any, n_points: int) -> Any:
    """Return an image without ringing along its rows."""
    spectrum = np.fft.fft(x, axis=1)
    turn = 2j * np.pi * np.fft.fftfreq(x.shape[1])
    sides = []
    for sign in (1, -1):
        best, value, shift = _variation(x, n_points), x.copy(), np.zeros(x.shape)
        for step in _SHIFTS:
            moved = np.abs(np.fft.ifft(spectrum * np.exp(sign * step * turn), axis=1))
            variation = _variation(moved, n_points)
            less = variation < best
            np.copyto(value, moved, where=less)
            np.copyto(best, variation, where=less)
            shift[less] = step
        sides.append((value, shift))
    (after, ahead), (before, back) = sides
    way = ahead + back
    there = way > 0
    share = np.divide(back, way, out=np.zeros(x.shape), where=there)
    return np.where(there, before + (after - before) * share, x)


def _variation(x: Any, n_points: int) -> Any:
    """Return how much a voxel's neighbours vary, on the side where they do so less."""
    step = np.abs(x - np.roll(x, -1, 1))
    after = sum(np.roll(step, -n, 1) for n in range(n_points))
    return np.minimum(after, np.roll(after, n_points, 1))
