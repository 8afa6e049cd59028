"""Contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, ListOut, Out, Scalar, Size, kernel, prange
from ..metrics import as_volume, extremes
from ._rescale import as_pair, finite_range, run_line, take

Array = TypeVar("Array")

_GRAYS = 1 << 14


@kernel(dtypes=_args.REAL)
def _gray_bins(x: In, bins: Out, low: Scalar, width: Scalar, size: Scalar) -> None:
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                gray = np.rint((np.float64(x[k, j, i]) - low) / width * 16383.0)
                bins[k, j, i] = int(min(gray, 16383.0)) // size if gray > 0 else 0


def _mirrored(i: int, n: int) -> int:
    """Return the index that stands in for `i` in a mirror on the last voxel."""
    if n == 1:
        return 0
    r = i % (2 * n - 2)
    return r if r < n else 2 * n - 2 - r


def _clip_bins(bins: Any, limit: int) -> None:
    """Cut bins above `limit` and spread what is cut evenly over those below it."""
    count = bins.size
    excess = 0
    for k in range(count):
        if bins[k] > limit:
            excess += bins[k] - limit
            bins[k] = limit
    step = excess // count
    for k in range(count):
        if bins[k] < limit - step:
            excess -= step
            bins[k] += step
        if limit - step <= bins[k] < limit:
            excess -= limit - bins[k]
            bins[k] = limit
    while excess > 0:
        before = excess
        for first in range(count):
            if excess <= 0:
                break
            under = np.sum(bins < limit)
            for k in range(first, count, max(1, under // excess)):
                if bins[k] < limit:
                    bins[k] += 1
                    excess -= 1
        if before == excess:
            break


@kernel(dtypes=("uint16",))
def _tile_maps(bins: In, tile: Size, limit: Scalar, maps: ListOut) -> None:
    nz, ny, nx = bins.shape
    tz, ty, tx = -(-nz // tile[0]), -(-ny // tile[1]), -(-nx // tile[2])
    count = maps.size // (tz * ty * tx)
    for t in prange(tz * ty * tx):
        own = np.zeros(count, np.int64)
        z0, y0, x0 = t // (ty * tx) * tile[0], t // tx % ty * tile[1], t % tx * tile[2]
        for z in range(z0, z0 + tile[0]):
            for y in range(y0, y0 + tile[1]):
                for x in range(x0, x0 + tile[2]):
                    own[bins[_mirrored(z, nz), _mirrored(y, ny), _mirrored(x, nx)]] += 1
        _clip_bins(own, limit)
        total = 0
        for k in range(count):
            total += own[k]
            gray = total * (16383.0 / (tile[0] * tile[1] * tile[2]))
            maps[t * count + k] = int(min(gray, 16383.0))


def _between(i: int, tile: int, tiles: int) -> Any:
    """Return the two tiles around an index, and how far it is from the first."""
    at = i + tile // 2
    return max(at // tile - 1, 0), min(at // tile, tiles - 1), np.float32(at % tile / tile)


@kernel(dtypes=("uint16",))
def _tile_blend(bins: In, tile: Size, maps: ListIn, y: Out) -> None:
    nz, ny, nx = bins.shape
    tz, ty, tx = -(-nz // tile[0]), -(-ny // tile[1]), -(-nx // tile[2])
    count = maps.size // (tz * ty * tx)
    one = np.float32(1)
    for k in prange(nz):
        for j in range(ny):
            z0, z1, c = _between(k, tile[0], tz)
            y0, y1, b = _between(j, tile[1], ty)
            for i in range(nx):
                x0, x1, a = _between(i, tile[2], tx)
                bin = bins[k, j, i]
                left = np.float32(0)
                right = np.float32(0)
                for side in range(2):
                    x = x0 if side == 0 else x1
                    near = maps[((z0 * ty + y0) * tx + x) * count + bin] * (one - c)
                    near = near + maps[((z1 * ty + y0) * tx + x) * count + bin] * c
                    far = maps[((z0 * ty + y1) * tx + x) * count + bin] * (one - c)
                    far = far + maps[((z1 * ty + y1) * tx + x) * count + bin] * c
                    mixed = near * (one - b) + far * b
                    if side == 0:
                        left = mixed
                    else:
                        right = mixed
                y[k, j, i] = int(left * (one - a) + right * a)


@_gray_bins.on("cuda")
def _plan_gray(gpu: Any, x: Any, bins: Any, low: float, width: float, size: int) -> None:
    name = f"gray_bins<{gpu.name_of(x.dtype)}>"
    gpu.launch(name, gpu.blocks(x.size), 256, x, bins, x.size, float(low), float(width), int(size))


def _tiles(shape: Any, tile: Any) -> tuple[int, ...]:
    return tuple(-(-n // t) for n, t in zip(shape, tile, strict=True))


@_tile_maps.on("cuda")
def _plan_maps(gpu: Any, bins: Any, tile: Any, limit: int, maps: Any) -> None:
    tiles = _tiles(bins.shape, tile)
    number = math.prod(tiles)
    count = maps.size // number
    own = gpu.empty(maps.size, np.float32)
    gpu.launch(
        "tile_maps", gpu.blocks(number, 1), 256, bins, bins.shape, tile, tiles, int(limit), count,
        gpu.empty(maps.size if count > 1024 else 1, np.int64), own,
    )  # fmt: skip
    maps[...] = gpu.get(own)


@_tile_blend.on("cuda")
def _plan_blend(gpu: Any, bins: Any, tile: Any, maps: Any, y: Any) -> None:
    tiles = _tiles(bins.shape, tile)
    gpu.launch(
        "tile_blend", gpu.blocks(bins.size), 256, bins, bins.shape, tile, tiles, gpu.put(maps),
        maps.size // math.prod(tiles), y,
    )  # fmt: skip


def _example_tile(rng: np.random.Generator, shape: Any) -> tuple[int, ...]:
    return tuple(int(rng.integers(1, n + 3)) for n in shape)


@_gray_bins.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = np.abs(100 * rng.standard_normal(shape)).clip(0, 250).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    return x, np.empty(shape, np.uint16), 10.0, 180.0, int(rng.choice([1, 65, 300]))


@_tile_maps.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    count, tile = int(rng.choice([7, 20, 1500])), _example_tile(rng, shape)
    bins = rng.integers(0, count, shape).astype(dtype) // int(rng.integers(1, 5))
    limit = int(rng.integers(1, 1 + math.prod(tile)))
    return bins, tile, limit, np.zeros(count * math.prod(_tiles(shape, tile)), np.float32)


@_tile_blend.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    tile = _example_tile(rng, shape)
    bins = rng.integers(0, 9, shape).astype(dtype)
    maps = rng.integers(0, _GRAYS, 9 * math.prod(_tiles(shape, tile))).astype(np.float32)
    return bins, tile, maps, np.empty(shape, np.uint16)


def equalize_adapthist(
    image: Array,
    kernel_size: Any = None,
    clip_limit: float = 0.01,
    nbins: int = 256,
    *,
    value_range: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Equalise the histogram around each voxel, with limited contrast.

    Parameters
    ----------
    image : array, shape ([planes,] [rows,] columns)
        Image of bool or any real type, of at most three axes.
    kernel_size : int or tuple of int, optional
        Voxels along each axis of the tiles whose histograms are equalised; left out, an eighth of
        the image.
    clip_limit : float
        No bin counts for more than this share of its tile; 0 sets no limit.
    nbins : int
        Bins of the histograms, at most 16384.
    value_range : tuple of float, optional
        What the first and the last gray level stand for. Left out, the smallest and the largest
        voxel, and the answer is stretched to [0, 1]. With it no step looks at the whole image, so
        that blocks with a margin of one and a half tiles give the whole image's answer.
    out : array, optional
        Where to write; the answer's shape and type, not overlapping `image`.
    workers : int, optional
        How many threads a CPU call may use. The answer does not depend on it.

    Returns
    -------
    array
        Between 0 and 1, same shape and device as `image`; float64 for int32 and float64, else
        float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If a parameter does not fit, or the image is not finite and `value_range` is left out.

    Notes
    -----
    Scikit-image's method [1]_ in up to three dimensions: 2^14 gray levels in bins, the map of each
    tile from its clipped histogram, mixed linearly between tiles. Of uint8 and uint16 the answer
    is scikit-image's to a gray level, 6e-5. scikit-image rounds floats to 16 bits first and refuses
    those outside [-1, 1]. NaN counts as the lowest gray.

    Scratch is two uint16 volumes.

    References
    ----------
    .. [1] K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV,
       474-485, 1994.

    Examples
    --------
    >>> x = np.tile(np.arange(64.0), (64, 1))
    >>> x[:, 32:] *= 20
    >>> y = voxkern.equalize_adapthist(x, 16)
    >>> bool(np.ptp(y[:, :32]) > np.ptp(x[:, :32]) / np.ptp(x))
    True
    """
    x, give, found = take(image)
    ndim = _args.as_ndim(x, 1, 3)
    if kernel_size is None:
        sizes = tuple(max(n // 8, 1) for n in x.shape)
    else:
        sizes = _args.as_window(kernel_size, ndim, "kernel_size", 30)
    tile = _args.lift(sizes, 1)
    share = _args.as_float(clip_limit, "clip_limit", 0)
    nbins = _args.as_int(nbins, "nbins", 1, _GRAYS)
    workers = _args.as_workers(workers)
    answer = _args.float_name(found)
    if value_range is None:
        low, high = finite_range(x, workers) if x.size else (0.0, 1.0)
    else:
        low, high = as_pair(value_range, "value_range")
    if not x.size:
        result = _arrays.output(out, x.shape, answer, (x,))
        return out if out is not None else result if give is None else give(result)
    size = 1 + _GRAYS // nbins
    whole = math.prod(tile)
    limit = max(1, int(min(share, 1.0) * whole)) if share > 0 else whole
    volume = as_volume(x)
    bins, grays = (_arrays.empty(volume.shape, "uint16", x) for _ in range(2))
    _gray_bins(volume, bins, low, (high - low) or 1.0, size, workers=workers)
    count = math.prod(_tiles(volume.shape, tile))
    maps = np.zeros(nbins * count, np.float32)
    _tile_maps(bins, tile, limit, maps, workers=workers)
    _tile_blend(bins, tile, maps, grays, workers=workers)
    bottom, top = 0.0, float(_GRAYS - 1)
    if value_range is None:
        bottom, top = extremes(grays, workers=workers)[:2]
    return run_line(
        grays.reshape(x.shape), give, answer, out, workers, offset=bottom,
        width=(top - bottom) or 1.0,
    )  # fmt: skip
