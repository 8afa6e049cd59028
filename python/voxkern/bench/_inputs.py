"""Images to measure on: a head that looks like a T1 scan, masks, blobs and noise.

All of them are computed, so that an installed wheel needs no data and every machine has the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[Any]
Shape = tuple[int, ...]

# A small rotation, scaling and shift, for the second time point and for resampling.
AFFINE = np.array([[1.035, -0.178, -0.084], [0.171, 0.955, -0.052], [0.092, 0.035, 1.015]])
SHIFT = np.array([3.3, -2.7, 1.9])


def _axes(shape: Shape, moved: bool) -> list[NDArray[np.float32]]:
    """Coordinates from -1 to 1 along three axes; a plane is the middle slice of a volume."""
    full = (1,) * (3 - len(shape)) + shape
    lines = [
        np.linspace(-1, 1, n, dtype=np.float32) if n > 1 else np.zeros(1, np.float32) for n in full
    ]
    z, y, x = np.meshgrid(*lines, indexing="ij", sparse=True)
    if moved:
        z, y, x = z - 0.02, y + 0.03 + 0.04 * x, x - 0.01 - 0.04 * y
    return [z, y, x]


def _tissues(shape: Shape, moved: bool) -> NDArray[np.uint8]:
    """Label map: 0 air, 1 scalp, 2 skull, 3 fluid, 4 grey matter, 5 white matter."""
    z, y, x = _axes(shape, moved)
    r = np.sqrt((z / 0.92) ** 2 + (y / 0.95) ** 2 + (x / 0.8) ** 2)
    folds = np.sin(27 * x + 4 * np.sin(9 * y)) * np.sin(24 * y + 3 * np.sin(11 * z))
    folds += np.sin(23 * z + 3 * np.sin(10 * x)) * np.cos(26 * y)
    tissue = np.zeros(r.shape, np.uint8)
    tissue[r < 1.0] = 1
    tissue[r < 0.93] = 2
    tissue[r < 0.86] = 3
    tissue[r + 0.02 * folds < 0.8] = 4
    tissue[r + 0.06 * folds < 0.64] = 5
    ventricle = (np.abs(x) - 0.1) ** 2 / 0.004 + (y / 0.3) ** 2 + (z / 0.2) ** 2
    tissue[ventricle < 1] = 3
    return tissue.reshape(shape)


@lru_cache(maxsize=8)
def tissues(shape: Shape, moved: bool = False) -> NDArray[np.uint8]:
    """What each voxel of `head` is made of; see `_tissues` for the numbers."""
    return _frozen(_tissues(shape, moved))


@lru_cache(maxsize=8)
def head(shape: Shape, dtype: str = "float32", moved: bool = False) -> Volume:
    """A head with folded cortex, a slow bias field and Rician noise, 0 to about 1000.

    `moved` turns it a little, shifts it and draws other noise. int16 is shifted and scaled to
    the range of CT numbers, uint8 to 0..255.
    """
    levels = np.array([0, 700, 90, 250, 620, 900], np.float32)
    image = levels[tissues(shape, moved)]
    z, y, x = _axes(shape, False)
    image *= (1 + 0.1 * np.sin(1.5 * x + y) * np.cos(1.2 * z)).reshape(shape)
    rng = np.random.default_rng(20 + moved)
    image += rng.standard_normal(shape, np.float32) * 20
    np.hypot(image, rng.standard_normal(shape, np.float32) * 20, out=image)
    if dtype == "int16":
        image = np.clip(np.rint(image * 1.3 - 1000), -1024, 3071)
    elif dtype == "uint8":
        image = np.clip(image / 4.5, 0, 255)
    return _frozen(image.astype(dtype))


@lru_cache(maxsize=8)
def brain_mask(shape: Shape, moved: bool = False) -> Volume:
    """The brain: one big solid body, as uint8."""
    return _frozen((tissues(shape, moved) > 3).astype(np.uint8))


@lru_cache(maxsize=4)
def smooth_noise(shape: Shape, cell: int = 7, seed: int = 5) -> NDArray[np.float32]:
    """Noise that varies over about `cell` voxels, with standard deviation near one."""
    rng = np.random.default_rng(seed)
    field = rng.standard_normal([n // cell + 2 for n in shape], np.float32)
    for axis, n in enumerate(shape):
        place = np.arange(n) / cell
        low = place.astype(int)
        weights = np.zeros((n, field.shape[axis]), np.float32)
        weights[np.arange(n), low] = 1 - (place - low)
        weights[np.arange(n), low + 1] = place - low
        field = np.moveaxis(np.tensordot(weights, field, (1, axis)), 0, axis)
    return _frozen(np.ascontiguousarray(field / field.std()))


@lru_cache(maxsize=4)
def blobs(shape: Shape) -> Volume:
    """Some thousand rounded bodies of many sizes (at 256 voxels a side), as uint8."""
    return _frozen((smooth_noise(shape) > 1).astype(np.uint8))


@lru_cache(maxsize=4)
def noise(shape: Shape, density: float = 0.2) -> Volume:
    """Single voxels set at random, the hardest case for labelling, as uint8."""
    rng = np.random.default_rng(7)
    return _frozen((rng.random(shape, np.float32) < density).astype(np.uint8))


@lru_cache(maxsize=4)
def mask_with_holes(shape: Shape) -> Volume:
    """The brain mask with cavities in it, as uint8."""
    return _frozen(brain_mask(shape) & (smooth_noise(shape) < 1.5))


def mask(name: str, shape: Shape) -> Volume:
    """A mask by the name that cases use: 'brain', 'blobs', 'noise' or 'holes'."""
    return {"brain": brain_mask, "blobs": blobs, "noise": noise, "holes": mask_with_holes}[name](
        shape
    )


def centred(matrix: NDArray[np.float64], shift: NDArray[np.float64], shape: Shape) -> Volume:
    """The offset with which `matrix` turns an image about its centre and shifts it by `shift`."""
    centre = (np.array(shape) - 1) / 2
    offset: Volume = centre - matrix @ centre + shift
    return offset


def _frozen(array: Volume) -> Volume:
    array.flags.writeable = False
    return array
