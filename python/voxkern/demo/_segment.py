"""White matter, grown from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._enhance import Mask, Volume, tissue_levels

THICK = 5.0  # mm


@dataclass(frozen=True)
class Segmented:
    """The region, and what it came from: two thresholds and a seed, all from the image."""

    mask: Mask
    lower: float
    upper: float
    seed: tuple[int, int, int]


def white_matter(image: Volume, brain: Mask, spacing: tuple[float, ...], ops: Any) -> Segmented:
    """Grow the bright tissue from the voxel in the thick of it, and clean it.

    The threshold is the upper of two of Otsu's kind in the brain; the seed is the voxel with the
    most bright tissue around it, as a Gaussian counts.
    """
    lower, upper = tissue_levels(image[brain], ops)
    bright = brain & (image > upper)
    around = ops.gaussian_filter(bright.astype(np.float32), THICK, spacing=spacing)
    place = np.unravel_index(int(np.argmax(np.where(bright, around, 0))), bright.shape)
    seed = (int(place[0]), int(place[1]), int(place[2]))
    inside = np.where(brain, image, np.float32(-1))
    grown = ops.connected_threshold(inside, seed, upper, float(image.max()))
    cleaned = ops.keep_largest(ops.binary_opening(grown))
    return Segmented(ops.fill_holes(cleaned), lower, upper, seed)
