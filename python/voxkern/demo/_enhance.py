"""Denoised scans made comparable: the brain found, the bias field taken out, one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]

GRID = 4.0  # mm between the points at which the bias field is found
ROUNDS = 20


@dataclass(frozen=True)
class Enhanced:
    """A scan in percent of its bright tissue, with the field and the thresholds on the way."""

    data: Volume
    brain: Mask
    field: Volume
    otsu: float


def enhance(image: Volume, spacing: tuple[float, ...], sigma: float, ops: Any) -> Enhanced:
    """Find the brain, divide by the bias field, and call the bright tissue's median 100."""
    brain, otsu = brain_mask(image, spacing, ops)
    field = bias_field(image, brain, spacing, sigma, ops)
    data = image / field
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


def bias_field(
    image: Volume, brain: Mask, spacing: tuple[float, ...], sigma: float, ops: Any
) -> Volume:
    """Return the smooth factor that lies over the intensities in the brain.

    The log of each voxel less the log of its tissue's median is what the field and the noise
    leave; a Gaussian in the mask (weights normalised by the mask's own Gaussian) keeps the field.
    Tissues are told apart by Otsu's thresholds in the image corrected so far. This is a low-pass
    filter, not N4: it knows no spline and no histogram sharpening.
    """
    step = tuple(max(1, round(GRID / s)) for s in spacing)
    grid = tuple(slice(None, None, n) for n in step)
    apart = tuple(n * s for n, s in zip(step, spacing, strict=True))
    inside = np.ascontiguousarray(ops.binary_erosion(brain, radius=2.0, spacing=spacing)[grid])
    log = np.log(np.maximum(image[grid], 1e-3 * float(image.max())))
    field = np.zeros_like(log)
    if inside.sum() < 64:
        return np.ones_like(image)
    for _ in range(ROUNDS):
        flat = np.exp(log - field)
        lower, upper = tissue_levels(flat[inside], ops)
        rest = np.zeros_like(log)
        used = inside & (flat > lower)
        for tissue in (used & (flat <= upper), used & (flat > upper)):
            if tissue.any():
                rest[tissue] = log[tissue] - np.log(np.median(flat[tissue]))
        weight = _lowpass(used.astype(np.float32), sigma, apart, ops)
        field = _lowpass(rest, sigma, apart, ops) / np.maximum(weight, 1e-4)
    full = ops.affine_transform(
        field, 1 / np.array(step, float), output_shape=image.shape, order=1, mode="nearest"
    )
    return np.exp(full)


def _lowpass(x: Volume, sigma: float, apart: tuple[float, ...], ops: Any) -> Volume:
    smooth: Volume = ops.gaussian_filter(x, sigma, mode="constant", spacing=apart)
    return smooth
