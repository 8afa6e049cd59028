"""Artifacts and intensity: bias fields, windows, histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench._agree import to_numpy
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, brain_mask, head
from voxkern.bench._peers import load, sitk_image


def _same_field(least: float) -> Any:
    """Compare what an image was divided by: the correlation of the logarithms in the brain."""

    def agree(ours: Any, theirs: Any) -> str:
        a, b = (np.log(np.maximum(to_numpy(x), 1e-3)) for x in (ours, theirs))
        inside = brain_mask(a.shape) > 0
        x = np.log(np.maximum(head(a.shape), 1e-3))
        r = float(np.corrcoef((x - a)[inside], (x - b)[inside])[0, 1])
        return "" if r >= least else f"the fields' correlation is {r:.3f}"

    return agree


@case("n4_bias_correction", shrink=(4,))
def n4_volume(shape: Shape, dtype: str, shrink: int) -> Work:
    """A head with a bias field, four levels of fifty rounds."""
    mask = brain_mask(shape)
    work = Work(
        (head(shape, dtype), mask),
        lambda op, x, mask: op(x, mask, shrink),
        agree=_same_field(0.99),
        out=False,
    )

    @work.rival("SimpleITK", "shrunken, field at full size")
    def _simpleitk(x: Any, mask: Any) -> Call:
        sitk = load("SimpleITK")
        image, inside = sitk_image(x), sitk_image(mask)

        def go() -> Any:
            n4 = sitk.N4BiasFieldCorrectionImageFilter()
            n4.Execute(sitk.Shrink(image, [shrink] * 3), sitk.Shrink(inside, [shrink] * 3))
            field = sitk.Cast(n4.GetLogBiasFieldAsImage(image), sitk.sitkFloat32)
            return image / sitk.Exp(field)

        return go

    return work
