"""Denoised scans made comparable: the brain found, the bias field taken out, one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]

GRID = 4.0  # mm between the voxels in which the bias field is looked for
LEVELS = (50, 50, 50)  # rounds of N4; a fourth level takes tissue for a part of the field


@dataclass(frozen=True)
class Enhanced:
    """A scan in percent of its bright tissue, with the field and the thresholds on the way."""

    data: Volume
    brain: Mask
    field: Volume
    otsu: float


def enhance(image: Volume, spacing: tuple[float, ...], ops: Any) -> Enhanced:
    """Find the brain, divide by the bias field, and call the bright tissue's median 100."""
    brain, otsu = brain_mask(image, spacing, ops)
    shrink = [max(1, round(GRID / s)) for s in spacing]
    data, field = ops.n4_bias_correction(
        image, brain, shrink, levels=LEVELS, spacing=spacing, return_field=True
    )
    bright = data[brain & (data > tissue_levels(data[brain], ops)[1])]
    data *= np.float32(100 / np.median(bright))
    return Enhanced(data, brain, field, otsu)


def brain_mask(image: Volume, spacing: tuple[float, ...], ops: Any) -> tuple[Mask, float]:
    """Return the largest bright region, cleaned, and Otsu's threshold."""
    otsu = float(ops.threshold_otsu(image))
    mask = ops.binary_opening(image > otsu, radius=2.0, spacing=spacing)
    mask = ops.keep_largest(mask)
    if not mask.any():
        raise ValueError("no object stands out from the background of this image")
    mask = ops.binary_closing(mask, radius=4.0, spacing=spacing)
    return ops.fill_holes(mask), otsu


def tissue_levels(values: Volume, ops: Any) -> tuple[float, float]:
    """Return the two thresholds that part three tissues, as Otsu does for two."""
    lower, upper = ops.threshold_multiotsu(values, 3)
    return float(lower), float(upper)
