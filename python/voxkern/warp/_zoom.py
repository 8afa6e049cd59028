"""Zoom, and reading on any grid along the axes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, kernel, prange
from ._read import read
from ._sample import example_coefficients, example_image, example_reading, keep, reader, sample

FEW = 1 << 12  # voxels along an axis whose places are remembered
_ORIGIN = np.zeros(1)
_ORIGIN.flags.writeable = False


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=2e-6,
    why="float32 images are interpolated in float32, in another order than the rule adds",
)
def _zoom(
    x: In,
    y: Out,
    zs: ListIn,
    ys: ListIn,
    xs: ListIn,
    order: Scalar,
    outside: Scalar,
    fill: Scalar,
    low: Scalar,
    high: Scalar,
) -> None:
    for k in prange(y.shape[0]):
        at, w = np.empty((3, 6), np.int64), np.empty((3, 6))
        for j in range(y.shape[1]):
            for i in range(y.shape[2]):
                value = sample(x, zs[k], ys[j], xs[i], order, outside, fill, at, w)
                y[k, j, i] = keep(value, low, high)


@_zoom.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = example_image(rng, shape, dtype)
    y = np.empty([n + int(rng.integers(3)) for n in shape], x.dtype)
    points = [
        np.arange(m) * (0.3 + rng.random()) - 2 * rng.random() + n * (rng.integers(5) == 0)
        for n, m in zip(shape, y.shape, strict=True)
    ]
    how = example_reading(rng, dtype)
    return example_coefficients(x, how[0]), y, *points, *how


@_zoom.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, zs: Any, ys: Any, xs: Any, order: int, outside: int, fill: float,
    *_: float,
) -> None:  # fmt: skip
    lists = [gpu.put(p) for p in (zs, ys, xs)]
    gpu.launch(
        reader(gpu, "zoom", x, y, order), gpu.blocks(y.size), 256,
        x, y, *lists, x.shape, y.shape, order, outside, float(fill),
    )  # fmt: skip


def read_grid(x: Any, y: Any, points: list[np.ndarray], how: tuple[Any, ...], workers: Any) -> None:
    """Write the volume `x` read at every combination of `points`, a list an axis, into `y`."""
    _zoom(x, y, *points, *how, workers=workers)


def zoom(
    image: Any,
    zoom: Any,
    *,
    order: int = 3,
    mode: str = "constant",
    cval: complex = 0.0,
    prefilter: bool = True,
    grid_mode: bool = False,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the image on a finer or coarser grid.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32, float64 or complex, or a mask of type
        bool (order 0 only), on any device. Axes before the last three are looped over.
    zoom : float or sequence of float
        Factor along each axis, for the last three axes at most; the output has
        ``round(n * zoom)`` voxels.
    order, mode, cval, prefilter
        As in `affine_transform`.
    grid_mode : bool
        Whether the image reaches from face to face of its voxels, instead of from centre to
        centre: with True, a zoom of two of two voxels reads at -0.25, 0.25, 0.75, 1.25.
    out : array, optional
        Where to write; of the output's shape and the image's type, not overlapping it.
    workers : int, optional
        Threads to use; all that are allowed if left out.

    Returns
    -------
    array
        Of the type and on the device of the image.

    Raises
    ------
    ValueError
        If a factor is not positive, or makes 2**40 voxels or more.

    Notes
    -----
    Reads at ``i * (n - 1) / (m - 1)`` for n voxels in and m out, or at
    ``(i + 1/2) * n / m - 1/2`` in grid mode, where 'grid-constant', 'nearest' or 'grid-wrap' go
    well and 'constant' cuts the borders off. SciPy warns of that, we do not. Precision, rounding
    and NaN are those of `affine_transform`. Shrinking by more than two skips voxels: see `resize`
    with ``antialias=True``.

    Examples
    --------
    >>> zoom(np.array([0, 2, 4], np.float32), 2, order=1)
    array([0. , 0.8, 1.6, 2.4, 3.2, 4. ], dtype=float32)
    """
    shape = _arrays.adopt(image)[0].shape[-3:]
    small, same = _zoomed(shape, zoom)

    def fill_in(x: Any, y: Any, pad: float, how: tuple[Any, ...], threads: Any) -> None:
        read_grid(x, y, grid_points(shape, small, grid_mode, pad), how, threads)

    # Splines through a voxel give it back but for rounding, so nothing is read.
    copied = prefilter and same
    return read(
        image, small, fill_in, order, mode, cval, prefilter, out, workers, "zoom", copied=copied
    )


@_args.remembered
def _zoomed(shape: tuple[int, ...], zoom: Any) -> tuple[tuple[int, ...], bool]:
    """Return the shape of the answer, and whether it is zoomed by one along all axes."""
    factors = [_args.as_float(f, "zoom", above=0) for f in _args.per_axis(zoom, len(shape), "zoom")]
    sizes = [n * f for n, f in zip(shape, factors, strict=True)]
    return _args.as_lengths(sizes, "zoom", zoom), all(f == 1 for f in factors)


def grid_points(
    shape: tuple[int, ...], small: tuple[int, ...], grid_mode: bool, pad: float
) -> list[np.ndarray]:
    """Return where the voxels of a zoomed grid lie on another, a list for each axis of a volume."""
    points = _points if max(small) <= FEW else _points.__wrapped__
    return points(shape, small, bool(grid_mode), pad)


@functools.lru_cache(64)
def _points(
    shape: tuple[int, ...], small: tuple[int, ...], grid_mode: bool, pad: float
) -> list[np.ndarray]:
    points = []
    for n, m in zip(shape, small, strict=True):  # rounded as SciPy rounds
        at = np.arange(m, dtype=np.float64)
        if grid_mode:
            points.append((at + 0.5) * (n / m) - 0.5)
        else:
            points.append(at * ((n - 1) / (m - 1) if m > 1 else 1.0))
    return lifted(points, pad)


def lifted(points: list[np.ndarray], pad: float) -> list[np.ndarray]:
    """Return points for three axes, shifted by `pad` along those that are there."""
    shifted = [p + pad for p in points] if pad else points
    return [_ORIGIN] * (3 - len(points)) + shifted
