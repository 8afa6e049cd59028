"""Recursive Gaussians, gradients, sharpening."""

from __future__ import annotations

from typing import Any

import numpy as np

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


@case("gradient")
def gradient_volume(shape: Shape, dtype: str) -> Work:
    """The three derivatives of a head."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, out=out), agree=close(1e-6))

    @work.rival("NumPy")
    def _numpy(x: Any) -> Call:
        return lambda: np.stack(np.gradient(x))

    return work


@case("gradient_magnitude", sigma=(None, 2))
def gradient_magnitude_volume(shape: Shape, dtype: str, sigma: float | None) -> Work:
    """How steep a head is, as it is or smoothed."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, sigma, out=out), agree=close(2e-6))
    if sigma is None:

        @work.rival("NumPy", agree=close(2e-6, border=1))
        def _numpy(x: Any) -> Call:
            return lambda: np.sqrt(sum(d * d for d in np.gradient(x)))

        @work.rival("SimpleITK")
        def _simpleitk(x: Any) -> Call:
            sitk = load("SimpleITK")
            image = sitk_image(x)
            return lambda: sitk.GradientMagnitude(image)

    else:

        @work.rival("SciPy", out=True)
        def _scipy(x: Any) -> Call:
            ndimage = load("scipy.ndimage")
            out = x.copy()
            return lambda: ndimage.gaussian_gradient_magnitude(x, sigma, output=out)

    return work


@case("gradient_magnitude", method=("recursive",), sigma=(2,))
def recursive_magnitude_volume(shape: Shape, dtype: str, method: str, sigma: float) -> Work:
    """How steep a smoothed head is, as ITK has it."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, sigma, method=method, out=out),
        agree=close(2e-6),
    )

    @work.rival("SimpleITK")
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.GradientMagnitudeRecursiveGaussian(image, float(sigma))

    return work


@case("unsharp_mask", radius=(2,))
def unsharp_volume(shape: Shape, dtype: str, radius: float) -> Work:
    """A head made sharper."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, radius, out=out), agree=close(2e-6))

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        filters = load("skimage.filters")
        return lambda: filters.unsharp_mask(x, radius, preserve_range=True)

    @work.rival("SciPy", "and NumPy")
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")
        return lambda: 2 * x - ndimage.gaussian_filter(x, radius)

    @work.rival("SimpleITK", differs="ITK's discrete Gaussian")
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.UnsharpMask(image, [float(radius)] * 3, 1.0, 0.0)

    return work


@case("local_mean", size=(5,))
def local_mean_volume(shape: Shape, dtype: str, size: int) -> Work:
    """Means in boxes of a head."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, size, out=out), agree=close(2e-6))

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")
        out = x.copy()
        return lambda: ndimage.uniform_filter(x, size, output=out)

    @work.rival("SimpleITK", agree=close(2e-6, border=size // 2))
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.BoxMean(image, [size // 2] * 3)

    return work


@case("local_std", size=(5, 15))
def local_std_volume(shape: Shape, dtype: str, size: int) -> Work:
    """Deviations in boxes of a head."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, size, out=out), agree=close(1e-4))

    @work.rival("SciPy", "twice, and NumPy, in float64")
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")

        def go() -> Any:
            y = x.astype(np.float64)
            mean = ndimage.uniform_filter(y, size)
            return np.sqrt(np.maximum(ndimage.uniform_filter(y * y, size) - mean * mean, 0))

        return go

    @work.rival("SimpleITK", differs="divided by one voxel less, and zeros outside")
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.BoxSigma(image, [size // 2] * 3)

    return work


@case("local_entropy", dtypes=("uint8",), size=(5,))
def local_entropy_volume(shape: Shape, dtype: str, size: int) -> Work:
    """How much boxes of a head tell."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, size, out=out), agree=close(2e-6))

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        rank = load("skimage.filters.rank")
        image, box = x.copy(), np.ones((size,) * x.ndim, np.uint8)
        return lambda: rank.entropy(image, box)

    return work


@case("canny", kind="plane", sigma=(2,))
def canny_plane(shape: Shape, dtype: str, sigma: float) -> Work:
    """Edges of a slice of a head."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, sigma, 200, 400, out=out))

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        feature = load("skimage.feature")
        return lambda: feature.canny(x, sigma, 200, 400)

    return work


@case("canny", sigma=(2,))
def canny_volume(shape: Shape, dtype: str, sigma: float) -> Work:
    """Edges of a head."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, sigma, 200, 400, out=out))

    @work.rival("SimpleITK", differs="where the second derivative along the gradient is 0")
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.CannyEdgeDetection(image, 25.0, 50.0, [float(sigma) ** 2] * 3)

    return work
