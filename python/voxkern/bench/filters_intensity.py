"""Artifacts and intensity: bias fields, windows, histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench._agree import close, to_numpy
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


def _line(work: Work, low: float, high: float) -> Work:
    """Rivals that stretch a range to [0, 1]."""

    @work.rival("NumPy")
    def _numpy(x: Any) -> Call:
        return lambda: (np.clip(x, low, high) - low) / np.float32(high - low)

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        exposure = load("skimage.exposure")
        return lambda: exposure.rescale_intensity(x, (low, high), (0.0, 1.0))

    @work.rival("SimpleITK")
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.IntensityWindowing(
            sitk.Cast(image, sitk.sitkFloat32), low, high, 0.0, 1.0
        )

    return work


@case("rescale", dtypes=("float32", "int16", "uint8"))
def rescale_volume(shape: Shape, dtype: str) -> Work:
    """A head from a range to [0, 1]."""
    low, high = (-900.0, 200.0) if dtype == "int16" else (20.0, 180.0)
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, (low, high), out=out),
        agree=close(1e-5),
    )
    return _line(work, low, high)


@case("window", dtypes=("int16",))
def window_volume(shape: Shape, dtype: str) -> Work:
    """A head through a window."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, -350, 1100, out=out),
        agree=close(1e-5),
    )
    return _line(work, -900.0, 200.0)


@case("clip_percentile")
def clip_percentile_volume(shape: Shape, dtype: str) -> Work:
    """A head cut at two percentiles."""
    work = Work(
        (head(shape, dtype),), lambda op, x, out: op(x, 0.5, 99.5, out=out), agree=close(1e-6)
    )

    @work.rival("NumPy")
    def _numpy(x: Any) -> Call:
        return lambda: np.clip(x, *np.percentile(x, (0.5, 99.5)))

    return work


@case("zscore")
def zscore_volume(shape: Shape, dtype: str) -> Work:
    """A head by the mean and deviation of its brain."""
    work = Work(
        (head(shape, dtype), brain_mask(shape)),
        lambda op, x, mask, out: op(x, mask, out=out),
        agree=close(1e-5),
    )

    @work.rival("NumPy")
    def _numpy(x: Any, mask: Any) -> Call:
        inside = mask.astype(bool)

        def go() -> Any:
            brain = x[inside]
            return (x - brain.mean()) / brain.std()

        return go

    return work


@case("white_stripe")
def white_stripe_volume(shape: Shape, dtype: str) -> Work:
    """A head by its white matter; no peer that is installed does the same."""
    return Work(
        (head(shape, dtype), brain_mask(shape)), lambda op, x, mask, out: op(x, mask, out=out)
    )


@case("pet_suv", dtypes=("float32", "int16"))
def pet_suv_volume(shape: Shape, dtype: str) -> Work:
    """A volume as SUV."""
    how = {"weight_kg": 70, "dose_bq": 3e8, "half_life_s": 6586.2, "delay_s": 3600}
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, out=out, **how), agree=close(1e-5))
    factor = np.float32(70e3 / (3e8 * 2 ** (-3600 / 6586.2)))

    @work.rival("NumPy")
    def _numpy(x: Any) -> Call:
        return lambda: x * factor

    return work


@case("gamma", dtypes=("float32", "uint8"))
def gamma_volume(shape: Shape, dtype: str) -> Work:
    """A head, brighter."""
    x = head(shape, dtype)
    low, high = float(x.min()), float(x.max())
    work = Work((x,), lambda op, x, out: op(x, 0.6, (low, high), out=out), agree=close(1e-5))

    @work.rival("NumPy")
    def _numpy(x: Any) -> Call:
        span = np.float32(high - low)
        return lambda: ((x - np.float32(low)) / span) ** np.float32(0.6) * span + np.float32(low)

    return work


@case("equalize_hist", dtypes=("float32", "uint8"))
def equalize_volume(shape: Shape, dtype: str) -> Work:
    """A head with its histogram made flat."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, out=out), agree=close(1e-5))

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        exposure = load("skimage.exposure")
        return lambda: exposure.equalize_hist(x)

    return work


@case("equalize_adapthist", dtypes=("float32", "uint8"), targets={"": 25})
def clahe_volume(shape: Shape, dtype: str) -> Work:
    """A head, equalised tile by tile."""
    x = head(shape, dtype)
    if dtype == "float32":  # scikit-image takes [0, 1] alone, in 16 bits
        x = (np.round(x / x.max() * 65535) / 65535).astype(np.float32)
    work = Work((x,), lambda op, x, out: op(x, out=out), agree=close(1e-2))

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        exposure = load("skimage.exposure")
        return lambda: exposure.equalize_adapthist(x)

    return work


@case("match_histograms", dtypes=("float32", "uint8"))
def match_volume(shape: Shape, dtype: str) -> Work:
    """A head with the histogram of another."""
    work = Work(
        (head(shape, dtype), head(shape, dtype, moved=True)),
        lambda op, x, r, out: op(x, r, out=out),
        agree=close(1e-6),
    )

    @work.rival("scikit-image")
    def _skimage(x: Any, r: Any) -> Call:
        exposure = load("skimage.exposure")
        return lambda: exposure.match_histograms(x, r)

    @work.rival("SimpleITK", differs="256 levels and one match point")
    def _simpleitk(x: Any, r: Any) -> Call:
        sitk = load("SimpleITK")
        image, wanted = sitk_image(x), sitk_image(r)
        return lambda: sitk.HistogramMatching(image, wanted)

    return work
