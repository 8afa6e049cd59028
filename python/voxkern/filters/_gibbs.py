"""Removal of Gibbs ringing."""

from __future__ import annotations

import concurrent.futures
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, kernel, prange

Array = TypeVar("Array")

_SHIFTS = np.linspace(0.02, 0.9, 45)  # in voxels, to either side


@kernel(
    dtypes=("float64",),
    exact=False,
    atol=1e-9,
    why="sums in another order; of two shifts that differ by less, either may be taken",
)
def _unring(x: In, y: Out, shifts: ListIn, points: Scalar) -> None:
    n = x.shape[2]
    kernels = np.empty((2, shifts.size, n))
    for s in range(shifts.size):
        for m in range(n):
            for side in range(2):
                t = m + (1 - 2 * side) * shifts[s]
                turn = math.pi * t / n
                under = math.sin(turn) if n % 2 else math.tan(turn)
                kernels[side, s, m] = math.sin(math.pi * t) / (n * under)
    for line in prange(x.shape[0] * x.shape[1]):
        k, j = line // x.shape[1], line % x.shape[1]
        high = 0.0  # the highest frequency of an even number of voxels leaves the reals
        for i in range(n):
            high += (0.0 if n % 2 else 1.0 - 2.0 * (i % 2)) * x[k, j, i] / n
        row, moved = np.empty(n), np.empty(n)
        for i in range(n):
            row[i] = x[k, j, i]
        least, value, shift = np.empty((2, n)), np.empty((2, n)), np.zeros((2, n))
        for side in range(2):
            _vary(row, least[side], points)
            for i in range(n):
                value[side, i] = row[i]
            for s in range(shifts.size):
                turned = high * math.sin(math.pi * shifts[s])
                for i in range(n):
                    total = 0.0
                    for m in range(n):
                        total += kernels[side, s, m] * row[(i - m) % n]
                    moved[i] = math.sqrt(total * total + turned * turned)
                found = np.empty(n)
                _vary(moved, found, points)
                for i in range(n):
                    if found[i] < least[side, i]:
                        least[side, i], value[side, i] = found[i], moved[i]
                        shift[side, i] = shifts[s]
        for i in range(n):
            way = shift[0, i] + shift[1, i]
            y[k, j, i] = row[i]
            if way > 0:
                part = shift[1, i] / way
                y[k, j, i] = value[1, i] + (value[0, i] - value[1, i]) * part


def _vary(x: Any, found: Any, points: int) -> None:
    """Find how much a voxel's neighbours vary, on the side where they do so less."""
    n = x.size
    for i in range(n):
        after, before = 0.0, 0.0
        for p in range(points):
            a, b = (i + p) % n, (i + p - points) % n
            after += abs(x[a] - x[(a + 1) % n])
            before += abs(x[b] - x[(b + 1) % n])
        found[i] = min(after, before)


@_unring.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = np.abs(rng.standard_normal(shape)).astype(dtype)
    return x, np.empty_like(x), _SHIFTS[::6].copy(), int(rng.integers(1, 4))


@_arrays.cpu_only
def gibbs_unring(
    image: Array,
    axes: Any = (-2, -1),
    n_points: int = 3,
    *,
    progress: Callable[[int, int], object] | bool | None = None,
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
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, planes)`` after each
        plane.
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

    A NaN spreads over its plane.

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
    workers = _args.as_workers(workers)
    told = _args.as_progress(progress, "gibbs_unring")
    real = _args.float_dtype(dtype)
    result = _arrays.output(out, x.shape, real, (x,))
    source, target = np.moveaxis(x, plane, (-2, -1)), np.moveaxis(result, plane, (-2, -1))
    shortest = min(source.shape[-2:])
    if x.size and n_points >= shortest:
        raise ValueError(f"n_points must be less than {shortest}; got {n_points}")
    places = list(np.ndindex(source.shape[:-2])) if x.size else []
    weights = _weights(*source.shape[-2:]) if places else None

    step = 8  # planes at a time
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for first in range(0, len(places), step):
            some = places[first : first + step]
            planes = np.stack([source[at] for at in some]).astype(np.float64)
            across = _mended(planes, n_points, workers)
            down = _mended(planes.swapaxes(1, 2), n_points, workers).swapaxes(1, 2)
            joined = pool.map(_join, across, down, [weights] * len(some))
            for done, (at, found) in enumerate(zip(some, joined, strict=True), first + 1):
                target[at] = found
                if told is not None:
                    told(done, len(places))
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


def _mended(x: Any, n_points: int, workers: int | None) -> Any:
    """Return planes without ringing along their rows."""
    found = _arrays.empty(x.shape, x.dtype)
    _unring(np.ascontiguousarray(x), found, _SHIFTS, n_points, workers=workers)
    return found


@_arrays.silent  # in a thread, where no other word of it counts
def _join(across: Any, down: Any, weights: Any) -> Any:
    return np.abs(np.fft.ifft2(np.fft.fft2(across) * weights + np.fft.fft2(down) * (1 - weights)))
