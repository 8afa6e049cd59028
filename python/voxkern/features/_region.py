"""A region of interest, made ready for the kernels: image, mask, levels."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListOut, Out, Scalar, kernel, prange

# A mask of no voxels stands for none at all.
EVERYWHERE = np.empty((0, 0, 0), np.uint8)

# Types that kernels take in the place of those that they do not.
_WIDER = {"bool": "uint8", "int8": "int16", "uint32": "float64", "int64": "float64"}

MOST_LEVELS = 65535


@kernel(dtypes=_args.REAL)
def _region(x: In, mask: In, out: ListOut) -> None:
    low, high, odd, count = math.inf, -math.inf, 0.0, 0.0
    z0, y0, x0 = x.shape
    z1, y1, x1 = 0, 0, 0
    for k in range(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                if mask.size == 0 or mask[k, j, i] != 0:
                    v = np.float64(x[k, j, i])
                    odd = odd if math.isfinite(v) else 1.0
                    low, high, count = min(low, v), max(high, v), count + 1
                    z0, y0, x0 = min(z0, k), min(y0, j), min(x0, i)
                    z1, y1, x1 = max(z1, k + 1), max(y1, j + 1), max(x1, i + 1)
    out[0], out[1], out[2], out[3] = (low, high, odd, count) if odd == 0 else (0.0, 0.0, odd, count)
    out[4], out[5], out[6] = (z0, y0, x0) if count else (0, 0, 0)
    out[7], out[8], out[9] = z1, y1, x1


@_region.on("cuda")
def _(gpu: Any, x: Any, mask: Any, out: Any) -> None:
    blocks = gpu.blocks(x.size, 256, 1024)
    parts = gpu.empty(10 * blocks, np.float64)
    inside = mask if mask.size else None
    gpu.launch(f"region<{gpu.name_of(x.dtype)}>", blocks, 256, x, inside, x.shape, parts)
    each = gpu.get(parts).reshape(-1, 10)
    least, most, total = each.min(0), each.max(0), each[:, 3].sum()
    out[:3] = (0, 0, 1) if most[2] else (least[0], most[1], 0)
    out[:2] = out[:2] if total else (math.inf, -math.inf)
    out[3] = total
    out[4:7] = least[4:7] if total else 0
    out[7:] = most[7:]


@_region.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x, mask, *_ = _example(rng, shape, dtype)
    if mask.size and rng.integers(2):
        mask[shape[0] // 2 :] = mask[:, : shape[1] // 3] = 0
    if dtype.startswith("float") and rng.integers(2):
        x = np.nan_to_num(x)
    return x, mask, np.zeros(10)


@kernel(dtypes=_args.REAL)
def _discretize(
    x: In, mask: In, levels: Out, low: Scalar, times: Scalar, over: Scalar, most: Scalar
) -> None:
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                v = np.float64(x[k, j, i])
                level = 0
                if v >= low and (mask.size == 0 or mask[k, j, i] != 0):
                    level = int(min(times * (v - low) / over, most - 1.0)) + 1
                levels[k, j, i] = level


@_discretize.on("cuda")
def _(
    gpu: Any, x: Any, mask: Any, levels: Any, low: float, times: float, over: float, most: float
) -> None:
    gpu.launch(
        f"discretize<{gpu.name_of(x.dtype)}>", gpu.blocks(x.size), 256, x,
        mask if mask.size else None, levels, x.size, low, times, over, most,
    )  # fmt: skip


@_discretize.example
def _example(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = np.abs(100 * rng.standard_normal(shape)).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    mask = rng.integers(0, 2, shape).astype(np.uint8) if rng.integers(2) else EVERYWHERE
    scale = (32.0, 150.0) if rng.integers(2) else (1.0, 7.5)
    return x, mask, np.zeros(shape, np.uint16), float(rng.integers(9)), *scale, 32.0


def as_image(image: Any, most: int = 3) -> Any:
    """Return an adopted array of one to `most` axes, of a type that kernels take."""
    x, _ = _arrays.adopt(image)
    found = _args.as_dtype(x, (*_args.REAL, *_WIDER))
    _args.as_ndim(x, 1, most)
    return x.astype(_WIDER[found]) if found in _WIDER else x


def as_mask(mask: Any, like: Any = None) -> Any:
    """Return an adopted mask of bytes, of the shape of `like` where that is given."""
    m, _ = _arrays.adopt(mask, "mask")
    _args.as_dtype(m, _args.MASK, "mask")
    _args.as_ndim(m, 1, 3, "mask")
    if like is not None:
        _arrays.same_device(mask=m, image=like)
        if m.shape != like.shape:
            raise ValueError(f"mask must have the shape of the image, {like.shape}; got {m.shape}")
    return m.view(np.uint8) if _args.dtype_name(m) == "bool" else m


def as_volume(x: Any) -> Any:
    """Return the array with three axes and contiguous rows."""
    return _arrays.rows_contiguous(x.reshape((1,) * (3 - x.ndim) + x.shape))


class Region(NamedTuple):
    """The box around a region: its voxels, its mask, its extremes, how many voxels count."""

    image: Any
    mask: Any
    low: float
    high: float
    voxels: int


def as_region(x: Any, mask: Any, workers: int | None) -> Region:
    """Return the box around the region of an image; refuse none, NaN and infinity."""
    x, mask = as_volume(x), EVERYWHERE if mask is None else as_volume(mask)
    out = np.zeros(10)
    if x.size:
        _region(x, mask, out, workers=workers)
    low, high, odd, voxels, *ends = out.tolist()
    if odd:
        raise ValueError("image must be finite where it counts; it has NaN or infinity")
    if not voxels:
        raise ValueError("mask must have a voxel; got none")
    if mask.size and type(x) is np.ndarray:
        z0, y0, x0, z1, y1, x1 = map(int, ends)
        box = (slice(z0, z1), slice(y0, y1), slice(x0, x1))
        x, mask = x[box], mask[box]
    return Region(x, mask, low, high, int(voxels))


def discretize(
    image: Any,
    mask: Any = None,
    *,
    bins: int | None = None,
    width: float | None = None,
    low: float | None = None,
    workers: int | None = None,
) -> Any:
    """Turn intensities into grey levels 1, 2, 3 and so on; 0 is outside.

    Parameters
    ----------
    image : array, shape ([planes,] [rows,] columns)
        Of any real type.
    mask : array of bool or uint8, optional
        The region: where it is not zero.
    bins : int, optional
        How many levels: IBSI's fixed bin number.
    width : float, optional
        How much intensity a level spans: IBSI's fixed bin size. One of `bins` and `width` is given.
    low : float, optional
        Where the first level begins; left out, at the smallest voxel of the region. Voxels below
        it are outside.
    workers : int, optional
        Threads to use.

    Returns
    -------
    array of uint16
        Of the shape and on the device of `image`.

    Raises
    ------
    ValueError
        If the mask is empty, a voxel that counts is NaN or infinite, not exactly one of `bins` and
        `width` is given, or there would be more than 65535 levels.

    Notes
    -----
    With `bins` N: ``floor(N (x - low) / (max - low)) + 1``, of the largest voxel N. With `width` w:
    ``floor((x - low) / w) + 1`` [1]_. PyRadiomics begins its levels at a multiple of the width:
    pass that as `low`.

    References
    ----------
    .. [1] A. Zwanenburg et al., "The Image Biomarker Standardization Initiative", Radiology
       295:328-338, 2020. https://doi.org/10.1148/radiol.2020191145

    Examples
    --------
    >>> discretize(np.array([0, 24, 25, 99, 100]), bins=4)
    array([1, 1, 2, 4, 4], dtype=uint16)
    >>> discretize(np.array([0, 24, 25, 99, 100]), width=25)
    array([1, 1, 2, 4, 5], dtype=uint16)
    """
    if (bins is None) == (width is None):
        raise ValueError(f"one of bins and width must be given; got {bins!r} and {width!r}")
    give = _arrays.adopt(image)[1]
    x = as_image(image)
    m = None if mask is None else as_mask(mask, x)
    region = as_region(x, m, _args.as_workers(workers))
    everywhere = region._replace(image=as_volume(x), mask=EVERYWHERE if m is None else as_volume(m))
    levels = into_levels(everywhere, bins, width, low, workers)[0].reshape(x.shape)
    return levels if give is None else give(levels)


def into_levels(
    region: Region, bins: Any, width: Any, low: Any, workers: int | None, name: str = "width"
) -> tuple[Any, int]:
    """Return the region's box in levels, and how many there are."""
    start = region.low if low is None else _args.as_float(low, "low")
    if bins is not None:
        most = _args.as_int(bins, "bins", 1, MOST_LEVELS)
        times, over = float(most), region.high - start
        if over <= 0:
            times, over = 0.0, 1.0
    else:
        times, over = 1.0, _args.as_float(width, name, above=0)
        span = (region.high - start) / over
        if not span < MOST_LEVELS:
            raise ValueError(f"{name} must lead to at most {MOST_LEVELS} levels; got {span:g}")
        most = max(int(span) + 1, 1)
    x, mask = region.image, region.mask
    levels = _arrays.empty(x.shape, np.uint16, x)
    _discretize(x, mask, levels, start, times, over, float(most), workers=workers)
    return levels, most
