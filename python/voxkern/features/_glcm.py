"""Grey level co-occurrence matrices."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, ListOut, Scalar, kernel, prange
from ._region import as_image, as_mask, as_region, into_levels

_MOST = 4096  # levels of a matrix


@kernel(dtypes=("uint16",))
def _glcm(x: In, offsets: ListIn, n: Scalar, symmetric: Scalar, counts: ListOut) -> None:
    counts[:] = 0
    for d in prange(offsets.size // 3):
        dk, dj, di = offsets[3 * d], offsets[3 * d + 1], offsets[3 * d + 2]
        for k in range(max(0, -dk), min(x.shape[0], x.shape[0] - dk)):
            for j in range(max(0, -dj), min(x.shape[1], x.shape[1] - dj)):
                for i in range(max(0, -di), min(x.shape[2], x.shape[2] - di)):
                    a, b = np.int64(x[k, j, i]), np.int64(x[k + dk, j + dj, i + di])
                    if a > 0 and b > 0:
                        counts[(d * n + a - 1) * n + b - 1] += 1
                        if symmetric:
                            counts[(d * n + b - 1) * n + a - 1] += 1


@_glcm.on("cuda")
def _(gpu: Any, x: Any, offsets: Any, n: int, symmetric: int, counts: Any) -> None:
    found = gpu.zeros(counts.size, np.int64)
    grid = (offsets.size // 3, gpu.blocks(x.size, 256, 2048))
    name = "glcm_shared" if n <= 64 else "glcm"
    gpu.launch(name, grid, 256, x, gpu.put(offsets), x.shape, n, found)
    counts[:] = gpu.get(found)
    if symmetric:
        matrices = counts.reshape(-1, n, n)
        matrices += matrices.swapaxes(1, 2).copy()


@_glcm.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    n = int(rng.choice([1, 5, 40, 300]))
    x = rng.integers(0, n + 1, shape).astype(dtype)
    x[rng.random(shape) < 0.2] = 0
    offsets = _offsets(3, (1, 2) if rng.integers(2) else (1,))
    return x, offsets, n, int(rng.integers(2)), np.ones(offsets.size // 3 * n * n, np.int64)


@_args.remembered
def _listed(distances: Any) -> tuple[int, ...]:
    listed = np.atleast_1d(np.asarray(distances, object)).ravel()
    steps = tuple(_args.as_int(d, "distances", 1) for d in listed)
    if not steps:
        raise ValueError("distances must have at least one; got none")
    return steps


@functools.lru_cache(64)
def _offsets(ndim: int, distances: tuple[int, ...]) -> Any:
    """Return the steps to half of the neighbours, as a flat list of (z, y, x)."""
    steps = itertools.product(*((-1, 0, 1) if a >= 3 - ndim else (0,) for a in range(3)))
    ahead = np.array([s for s in steps if s > (0, 0, 0)], np.int64)
    offsets = np.concatenate([d * ahead for d in distances]).ravel()
    offsets.flags.writeable = False
    return offsets


def glcm(
    image: Any,
    mask: Any = None,
    *,
    distances: Any = (1,),
    levels: int | None = 32,
    bin_width: float | None = None,
    symmetric: bool = True,
    normalized: bool = False,
    workers: int | None = None,
) -> Any:
    """Count how often two grey levels are neighbours, by direction.

    Parameters
    ----------
    image : array, shape ([planes,] [rows,] columns)
        Of any real type.
    mask : array of bool or uint8, optional
        The region: where it is not zero.
    distances : int or sequence of int
        How many voxels apart, along each axis of a direction that moves.
    levels : int or None
        How many levels `discretize` makes of the intensities. None for an image of levels: whole
        numbers from 1, where 0 and less are outside.
    bin_width : float, optional
        How much intensity a level spans, in the place of `levels`.
    symmetric : bool
        Count each pair both ways.
    normalized : bool
        Divide each matrix by its sum; one without a pair stays zero.
    workers : int, optional
        Threads to use.

    Returns
    -------
    ndarray, shape (levels, levels, distances, directions)
        int64, or float64 if normalized; in NumPy, wherever the image is. ``[i, j]`` counts voxels
        of level i + 1 with one of level j + 1 ahead of them. The directions are the 13 of a volume,
        4 of a plane, 1 of a row, in the raster order of their steps: from (0, 0, 1) to (1, 1, 1).

    Raises
    ------
    ValueError
        If the mask is empty, a voxel that counts is NaN or infinite, a distance is not positive, or
        there are more than 4096 levels.

    Notes
    -----
    Pairs with a voxel outside of the region or of the image are not counted. These are IBSI's
    matrices [1]_ with its symmetry. scikit-image's ``graycomatrix`` has planes only, takes angles,
    and rounds the step: at 45 degrees and distance 2 it goes one voxel, not two, along each axis.

    References
    ----------
    .. [1] A. Zwanenburg et al., "The Image Biomarker Standardization Initiative", Radiology
       295:328-338, 2020. https://doi.org/10.1148/radiol.2020191145

    Examples
    --------
    >>> glcm(np.array([1, 1, 2, 1]), levels=None)[..., 0, 0]
    array([[2, 2],
           [2, 0]])
    """
    x = as_image(image)
    if levels is None and bin_width is None:
        found = _args.dtype_name(_arrays.adopt(image)[0])
        if found.startswith("float"):
            raise TypeError(f"image must be integers where levels is None; got {found}")
    m = None if mask is None else as_mask(mask, x)
    steps = _listed(distances)
    workers = _args.as_workers(workers)
    volume, n = _levels(x, m, levels, bin_width, workers)
    if n > _MOST:
        raise ValueError(f"image must have {_MOST} levels at most; got {n}")
    offsets = _offsets(x.ndim, steps)
    counts = np.empty(offsets.size // 3 * n * n, np.int64)
    _glcm(volume, offsets, n, int(bool(symmetric)), counts, workers=workers)
    matrix = counts.reshape(len(steps), -1, n, n).transpose(2, 3, 0, 1)
    if normalized:
        matrix = matrix / np.maximum(matrix.sum(axis=(0, 1)), 1)
    return matrix


def _levels(x: Any, mask: Any, levels: Any, width: Any, workers: int | None) -> tuple[Any, int]:
    """Return a volume of uint16 levels and their number."""
    bins = None if levels is None or width is not None else _args.as_int(levels, "levels", 1, _MOST)
    size = None if width is None else _args.as_float(width, "bin_width", above=0)
    region = as_region(x, mask, workers)
    if bins is None and size is None:
        if region.high < 1:
            raise ValueError(f"image must have a level of at least 1; got {region.high:g} at most")
        return into_levels(region, None, 1.0, 1.0, workers, "image")
    return into_levels(region, bins, size, None, workers, "bin_width")
