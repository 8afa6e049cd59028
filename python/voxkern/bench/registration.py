"""Registration: two heads laid on each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench._agree import close
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head
from voxkern.bench._peers import load, sitk_image


@case("register", metric=("mi", "ncc"))
def register(shape: Shape, dtype: str, metric: str) -> Work:
    """An affine map in three levels; the answers are where the middle's corners go."""
    work = Work(
        (head(shape, dtype), head(shape, dtype, moved=True)),
        lambda op, a, b: op(a, b, "affine", metric).apply(_corners(shape)),
        agree=close(0.01),
        out=False,
    )

    @work.rival("SimpleITK", "20 % samples")
    def _simpleitk(a: Any, b: Any) -> Call:
        sitk, f, m = load("SimpleITK"), sitk_image(a), sitk_image(b)

        def go() -> Any:
            method = sitk.ImageRegistrationMethod()
            if metric == "mi":
                method.SetMetricAsMattesMutualInformation(32)
            else:
                method.SetMetricAsCorrelation()
            method.SetMetricSamplingStrategy(method.REGULAR)
            method.SetMetricSamplingPercentage(0.2, 1)
            method.SetInterpolator(sitk.sitkLinear)
            method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 100)
            method.SetOptimizerScalesFromPhysicalShift()
            method.SetShrinkFactorsPerLevel([4, 2, 1])
            method.SetSmoothingSigmasPerLevel([2, 1, 0])
            kind = sitk.AffineTransform(len(shape))
            middle = sitk.CenteredTransformInitializerFilter.GEOMETRY
            method.SetInitialTransform(sitk.CenteredTransformInitializer(f, m, kind, middle), True)
            found = method.Execute(f, m)
            return np.array([found.TransformPoint(p[::-1].tolist())[::-1] for p in _corners(shape)])

        return go

    return work


def _corners(shape: Shape) -> Any:
    signs = np.array(list(np.ndindex(*(2,) * len(shape)))) - 0.5
    return (np.array(shape) - 1) / 2 + signs * np.array(shape) / 2
