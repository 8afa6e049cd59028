"""Bilateral filter."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._edge import inside
from .._kernel import Edge, In, ListIn, Out, Scalar, Size, kernel, prange
from ._surround import surround

Array = TypeVar("Array")

_MOST = 1 << 24  # voxels of a neighbourhood


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=2e-6,
    why="float32 images are summed in float32, and exponentials differ in their last bits",
)
def _bilateral(
    x: In, y: Out, offsets: ListIn, near: ListIn, reach: Size, by: Scalar, edge: Edge, fill: Scalar
) -> None:
    u = surround(x, reach, edge, fill)
    total, count = np.zeros(x.shape), np.zeros(x.shape)
    for offset, weight in zip(offsets.reshape(-1, 3), near, strict=True):
        at = zip(offset, reach, x.shape, strict=True)
        v = u[tuple(slice(o + r, o + r + n) for o, r, n in at)]
        d = v - x
        w = np.where(np.isnan(d), 0, np.exp2(weight + by * d * d))
        total += w * np.nan_to_num(v, posinf=np.inf, neginf=-np.inf)
        count += w
    with np.errstate(invalid="ignore"):
        y[...] = total / count


@_bilateral.on("numba")
def _by_rows(
    x: Any, y: Any, offsets: Any, near: Any, reach: Any, by: float, edge: int, fill: float
) -> None:
    planes, rows, columns = x.shape
    for line in prange(planes * rows):
        k, j = line // rows, line % rows
        total, count = np.zeros(columns), np.zeros(columns)
        row = np.empty(columns + 2 * reach[2])
        for n in range(near.size):
            kk = inside(k + offsets[3 * n], planes, edge)
            jj = inside(j + offsets[3 * n + 1], rows, edge)
            if (
                n == 0
                or offsets[3 * n] != offsets[3 * n - 3]
                or (offsets[3 * n + 1] != offsets[3 * n - 2])
            ):
                for i in range(row.size):
                    ii = inside(i - reach[2], columns, edge)
                    row[i] = fill if kk < 0 or jj < 0 or ii < 0 else x[kk, jj, ii]
            for i in range(columns):
                v = row[i + reach[2] + offsets[3 * n + 2]]
                d = v - x[k, j, i]
                if d == d:
                    w = 2.0 ** (near[n] + by * d * d)
                    total[i] += w * v
                    count[i] += w
        for i in range(columns):
            y[k, j, i] = total[i] / count[i]


@_bilateral.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, offsets: Any, near: Any, reach: Any, by: float, edge: int, fill: float
) -> None:
    name = f"bilateral<{gpu.name_of(x.dtype)},{gpu.name_of(y.dtype)}>"
    gpu.launch(
        name, gpu.blocks(x.size, 128), 128, x, y, gpu.put(offsets), gpu.put(near), near.size,
        x.shape, float(by), edge, float(fill),
    )  # fmt: skip


@_bilateral.example
def _example(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 + 20 * rng.standard_normal(shape)).astype(dtype)
    answer = np.zeros(shape, _args.float_dtype(dtype))
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    reach = ((1, 1, 1), (0, 2, 1), (2, 0, 3))[int(rng.integers(3))]
    offsets, near = _neighbours(reach, bool(rng.integers(2)), (1.0, 2.0, 1.0), 1.5)
    return x, answer, offsets, near, reach, -1 / 20**2, int(rng.integers(5)), 90.0


@functools.lru_cache(16)
def _neighbours(
    reach: tuple[int, ...], ball: bool, spacing: tuple[float, ...], sigma: float
) -> tuple[Any, Any]:
    """Return where neighbours are, and the binary logarithms of their weights."""
    grid = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), -1)
    where = grid.reshape(-1, 3)
    if ball:
        share = where / np.maximum(reach, 1)
        where = where[(share**2).sum(1) <= 1 + 1e-9]
    far = ((where * np.array(spacing)) ** 2).sum(1)
    return where.ravel().copy(), -far / (2 * sigma * sigma * math.log(2))


@_arrays.silent
def denoise_bilateral(
    image: Array,
    sigma_spatial: float = 1.0,
    sigma_color: float | None = None,
    radius: Any = None,
    *,
    window: str = "box",
    spacing: Any = None,
    mode: str = "reflect",
    cval: float = 0.0,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Average nearby voxels that are about as bright: noise goes, edges stay.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    sigma_spatial : float
        Standard deviation of the Gaussian of the distance, in the unit of `spacing`.
    sigma_color : float, optional
        Standard deviation of the Gaussian of the difference, in the unit of the image. By
        default the standard deviation of the image.
    radius : int or tuple of int, optional
        Voxels from the centre to the border of the window along each axis. By default
        they reach 2.5 times `sigma_spatial`.
    window : {'box', 'ball'}
        The shape of the window; 'ball' is a disc in a plane, an ellipsoid where radii
        differ.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis; 1 by default.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}
        What lies outside the image.
    cval : scalar
        The value outside when `mode` is 'constant'.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, planes)`` after each slab of
        every volume, of 32 planes and more.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.
    workers : int, optional
        How many threads a CPU call may use. The answer does not depend on it.

    Returns
    -------
    array
        Same shape and device as `image`: float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed, or `sigma_color` is left out
        for an image on a GPU.
    ValueError
        If a sigma is not positive, or `radius`, `window`, `spacing` or `mode` do not fit.

    See Also
    --------
    denoise_nl_means : compare patches, not voxels.

    Notes
    -----
    The weight of a neighbour is ``exp(-r**2 / (2 sigma_spatial**2) - d**2 / (2
    sigma_color**2))`` for a distance `r` and a difference `d` [1]_, computed for each pair;
    weights add up to 1. ITK looks `d` up in a table of 100 steps up to four times
    `sigma_color`, with ``mode='nearest'``. OpenCV's ``bilateralFilter`` has
    ``window='ball'`` and ``mode='mirror'``. scikit-image filters planes; its table of
    distances is a column too wide for odd windows (0.26) and so read askew, which a wide
    `sigma_spatial` hides. NaN has no weight, and stays where it is.

    References
    ----------
    .. [1] C. Tomasi, R. Manduchi, "Bilateral filtering for gray and color images", ICCV
       839-846, 1998. https://doi.org/10.1109/ICCV.1998.710815

    Examples
    --------
    >>> x = np.array([0, 1, 0, 1, 9, 8, 9, 8], np.float32)
    >>> denoise_bilateral(x, 2, 1).round(1)
    array([0.3, 0.6, 0.4, 0.7, 8.7, 8.4, 8.6, 8.3], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    workers = _args.as_workers(workers)
    near, edge, fill = _settle(min(ndim, 3), sigma_spatial, radius, window, spacing, mode, cval)
    if sigma_color is None:
        if type(x) is not np.ndarray:
            raise TypeError("sigma_color must be given for an image on a GPU; got None")
        counted = x[np.isfinite(x)]
        spread = (float(counted.std()) if counted.size else 0.0) or 1.0
    else:
        spread = _args.as_float(sigma_color, "sigma_color", 1e-60)
    by = -1 / (2 * spread * spread * math.log(2))

    told = _args.as_progress(progress, "denoise_bilateral")
    rest = (*_neighbours(*near), near[0], by, edge, fill)

    def run(volume: Any, answer: Any) -> None:
        if told is None or mode == "wrap":  # whose first slab looks at the last
            _bilateral(volume, answer, *rest, workers=workers)
        else:
            _by_slabs(volume, answer, rest, told, workers)

    answer_type = _args.float_dtype(dtype)
    return _arrays.run_volumes(run, x, out, answer_type, give)


@_args.remembered
def _settle(
    ndim: int, sigma_spatial: Any, radius: Any, window: Any, spacing: Any, mode: Any, cval: Any
) -> tuple[Any, ...]:
    """Return what tells the neighbours, and what lies outside."""
    sigma = _args.as_float(sigma_spatial, "sigma_spatial", 1e-60)
    steps = _args.as_spacing(spacing, ndim)
    if radius is None:
        radii = tuple(math.ceil(min(2.5 * sigma / s, _MOST)) for s in steps)
    else:
        radii = tuple(_args.as_int(r, "radius", 0) for r in _args.per_axis(radius, ndim, "radius"))
    if math.prod(2 * r + 1 for r in radii) > _MOST:
        raise ValueError(
            f"radius must give at most {_MOST} neighbours, or sigma_spatial where it is left "
            f"out; got {radii}"
        )
    if window not in ("box", "ball"):
        raise ValueError(f"window must be 'box' or 'ball'; got {window!r}")
    near = _args.lift(radii, 0), window == "ball", _args.lift(steps, 1.0), sigma
    return near, _args.as_edge(mode), _args.as_float(cval, "cval")


def _by_slabs(volume: Any, answer: Any, rest: Any, told: Any, workers: Any) -> None:
    """Do slab after slab, each with what its voxels look at on both sides."""
    planes, halo = volume.shape[0], rest[2][0]
    deep = max(32, 4 * halo)
    for first in range(0, planes, deep):
        last, low = min(first + deep, planes), max(first - halo, 0)
        part = volume[low : min(last + halo, planes)]
        found = _arrays.empty(part.shape, answer.dtype, answer)
        _bilateral(part, found, *rest, workers=workers)
        _arrays.assign(answer[first:last], found[first - low : last - low])
        told(last, planes)
