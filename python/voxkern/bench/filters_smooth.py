"""Recursive Gaussians."""

from __future__ import annotations

from typing import Any

from voxkern.bench._agree import close
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head
from voxkern.bench._peers import load, sitk_image


@case(
    "gaussian_filter",
    targets={f"method=recursive, sigma={sigma}": 12 for sigma in (2, 8, 30)},
    method=("recursive",),
    sigma=(2, 8, 30),
)
def recursive_volume(shape: Shape, dtype: str, method: str, sigma: float) -> Work:
    """A head, smoothed as ITK does, in the same time for any sigma."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, sigma, method=method, out=out),
        agree=close(2e-6),
    )

    @work.rival("SimpleITK")
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.SmoothingRecursiveGaussian(image, float(sigma))

    @work.rival("SciPy", out=True, differs="a sampled Gaussian")
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")
        out = x.copy()
        return lambda: ndimage.gaussian_filter(x, sigma, mode="nearest", output=out)

    return work
