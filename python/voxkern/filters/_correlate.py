"""Correlation and convolution with a kernel of up to three axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import CODES, inside
from .._kernel import Edge, In, ListIn, Out, Scalar, Size, kernel, prange
from ._along import fits, run_along, three
from ._separable import as_whole_fill
from ._uniform import as_origin

_FFT_FROM = 3000  # weights; with fewer the sums themselves are faster (256^3, two cores)


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=2e-6,
    why="float32 images are summed in float32, with fused multiply-add where the CPU has it",
)
def _correlate(
    x: In, y: Out, weights: ListIn, box: Size, before: Size, edge: Edge, fill: Scalar
) -> None:
    half = np.empty(1, x.dtype)
    half[0] = 0.5
    whole = half[0] == 0
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                total, n = 0.0, 0
                for dz in range(box[0]):
                    kk = inside(k + dz - before[0], x.shape[0], edge)
                    for dy in range(box[1]):
                        jj = inside(j + dy - before[1], x.shape[1], edge)
                        for dx in range(box[2]):
                            if weights[n] != 0:
                                ii = inside(i + dx - before[2], x.shape[2], edge)
                                outside = kk < 0 or jj < 0 or ii < 0
                                value = float(fill) if outside else float(x[kk, jj, ii])
                                total += value * weights[n]
                            n += 1
                if whole:
                    y[k, j, i] = np.int64(total)
                else:
                    y[k, j, i] = total


@_correlate.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, weights: Any, box: Any, before: Any, edge: int, fill: float
) -> None:
    gpu.launch(
        f"correlate<{gpu.name_of(x.dtype)}>", gpu.blocks(x.size), 256,
        x, y, gpu.put(weights), x.shape, box, before, edge, float(fill),
    )  # fmt: skip


@_correlate.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    box = tuple(int(n) for n in rng.integers(1, 5, 3))
    weights = rng.uniform(-0.3, 0.3, math.prod(box))
    weights[rng.random(weights.size) < 0.2] = 0
    before = tuple(int(rng.integers(n)) for n in box)
    return x, np.empty_like(x), weights, box, before, int(rng.integers(5)), 7.0


def correlate(
    image: Any,
    weights: Any,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    method: str = "auto",
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return weighted sums of neighbours.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
        Axes before the last three are looped over, unless `axes` names them.
    weights : array
        What each neighbour counts, with as many axes as are filtered. The middle one,
        or the later of two middle ones, is the voxel's own.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}
        What lies outside the image.
    cval : float
        The value outside when `mode` is 'constant'. Integer images take whole numbers
        of their type.
    origin : int or one an axis
        Shifts the neighbours back by so many voxels.
    axes : int or sequence of int, optional
        The axes to filter along, three at most; the last three by default.
    method : {'auto', 'direct', 'fft'}
        How to sum: one by one, or by Fourier transforms, which take the same time for
        any number of weights but spread NaN everywhere, and are for floats on the CPU
        alone. 'auto' takes them for 3000 weights and more, if all voxels are finite.
    out : array, optional
        Where to write; same shape and type as `image`, not overlapping it.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range, or does not fit the axes.

    See Also
    --------
    convolve : the same with the weights turned around.
    correlate1d : the same along one axis.

    Notes
    -----
    Integer images are summed in float64, cut towards zero, and wrap where their type
    ends, as in SciPy; of a sum beyond int32 nothing is promised. float32 images are
    summed in float32. Weights that are zero are left out; SciPy also leaves out those
    below 2.2e-16.

    Examples
    --------
    >>> x = np.zeros((3, 4), dtype=np.float32)
    >>> x[1, 1] = 1
    >>> correlate(x, [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    array([[9., 8., 7., 0.],
           [6., 5., 4., 0.],
           [3., 2., 1., 0.]], dtype=float32)
    """
    return _weighted(image, weights, mode, cval, origin, axes, method, out, workers, False)


def convolve(
    image: Any,
    weights: Any,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    method: str = "auto",
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Convolve an image with a kernel.

    Parameters
    ----------
    image, mode, cval, axes, method, out, workers
        As in `correlate`.
    weights : array
        The kernel, with as many axes as are filtered. Its middle, or the later of two
        middle ones, is the voxel's own.
    origin : int or one an axis
        Shifts the kernel forward by so many voxels.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As in `correlate`.

    See Also
    --------
    correlate : the same with the weights turned around.

    Examples
    --------
    >>> x = np.zeros((3, 4), dtype=np.float32)
    >>> x[1, 1] = 1
    >>> convolve(x, [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    array([[1., 2., 3., 0.],
           [4., 5., 6., 0.],
           [7., 8., 9., 0.]], dtype=float32)
    """
    return _weighted(image, weights, mode, cval, origin, axes, method, out, workers, True)


def _weighted(
    image: Any, weights: Any, mode: str, cval: float, origin: Any, axes: Any, method: str,
    out: Any, workers: int | None, turned: bool,
) -> Any:  # fmt: skip
    x, give = _arrays.adopt(image)
    dtype, ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x)
    w = _args.as_numbers(weights, "weights")
    if not np.isfinite(w).all():
        raise ValueError("weights must be finite")
    along, turn, box, *rest = _settle(ndim, dtype, w.shape, mode, cval, origin, axes, int(turned))
    workers = _args.as_workers(workers)
    flat = (np.flip(w) if turned else w).transpose(turn).ravel()
    by_fft = _is_by_fft(method, x, dtype, int(np.count_nonzero(flat)))

    def run(volume: Any, answer: Any) -> None:
        if by_fft:
            answer[...] = _by_fft(volume, flat.reshape(box), *rest)
        else:
            _correlate(volume, answer, flat, box, *rest, workers=workers)

    return run_along(run, x, along, out, dtype, give)


@_args.remembered
def _settle(
    ndim: int, dtype: str, shape: tuple[int, ...], mode: Any, cval: Any, origin: Any, axes: Any,
    turned: int,
) -> tuple[Any, ...]:  # fmt: skip
    """Return the axes, how weights are turned to them, their box, its middle, what lies outside."""
    along = _args.as_axes(axes, ndim)
    n = len(along)
    if len(shape) != n or 0 in shape:
        raise ValueError(f"weights must have {n} axes, one for each filtered; got shape {shape}")
    shifts = [_args.as_int(o, "origin") for o in _args.per_axis(origin, n, "origin")]
    if turned:
        shifts = [-o - (1 - size % 2) for o, size in zip(shifts, shape, strict=True)]
    before = tuple(s // 2 + as_origin(o, s) for o, s in zip(shifts, shape, strict=True))
    # Axes that are turned to the end keep their order.
    turn = sorted(range(n), key=along.__getitem__) if fits(along, ndim) else range(n)
    box, back = three(shape, along, ndim, 1), three(before, along, ndim, 0)
    return along, tuple(turn), box, back, _args.as_edge(mode), as_whole_fill(cval, dtype)


def _is_by_fft(method: str, x: Any, dtype: str, weights: int) -> bool:
    if method not in ("auto", "direct", "fft"):
        raise ValueError(f"method must be one of auto, direct, fft; got {method!r}")
    able = type(x) is np.ndarray and dtype in _args.FLOAT
    if method == "fft" and not able:
        raise TypeError("method 'fft' is for images of float32 or float64 on the CPU")
    if method == "auto":
        return able and weights >= _FFT_FROM and bool(np.isfinite(x).all())
    return method == "fft"


def _by_fft(x: Any, w: Any, before: Any, edge: int, fill: float) -> Any:
    """Correlate by multiplying spectra, with a border of what lies outside."""
    wide = np.asarray(x, np.float64)
    for axis, (n, size, back) in enumerate(zip(x.shape, w.shape, before, strict=True)):
        at = np.array([inside(i - back, n, edge) for i in range(n + size - 1)])
        wide = np.take(wide, np.maximum(at, 0), axis)
        if edge == CODES["constant"]:
            outside: list[Any] = [slice(None)] * 3
            outside[axis] = at < 0
            wide[tuple(outside)] = fill
    spectrum = np.fft.rfftn(wide, axes=(0, 1, 2))
    spectrum *= np.conj(np.fft.rfftn(w, wide.shape, (0, 1, 2)))
    sums = np.fft.irfftn(spectrum, wide.shape, (0, 1, 2))
    return sums[tuple(slice(n) for n in x.shape)]
