"""What is measured in a region: grey values, their pairs, the shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench._agree import exact, to_numpy
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, brain_mask, head
from voxkern.bench._peers import load, sitk_image


def _levels(shape: Shape, levels: int) -> tuple[Any, Any]:
    """The head in whole grey levels 1..levels inside the brain, and the brain."""
    x, inside = head(shape), brain_mask(shape)
    low, high = x[inside > 0].min(), x[inside > 0].max()
    grey = 1 + np.floor((x - low) / (high - low) * levels)
    return np.clip(grey, 1, levels).astype(np.uint8), inside


@case("glcm", dtypes=("uint8",), levels=(32,))
def glcm(shape: Shape, dtype: str, levels: int) -> Work:
    """How often two grey levels lie side by side in the brain, in 13 directions."""
    grey, inside = _levels(shape, levels)
    work = Work((grey, inside), lambda op, x, m: op(x, m, levels=levels), exact(), out=False)

    @work.rival("mahotas", "cooccurence", agree=_same_counts(levels))
    def _mahotas(x: Any, m: Any) -> Call:
        texture = load("mahotas.features.texture")
        masked = x * m

        def go() -> Any:
            counts = np.zeros((13, levels + 1, levels + 1), np.int32)
            for direction in range(13):
                texture.cooccurence(masked, direction, counts[direction], symmetric=True)
            return counts[:, 1:, 1:]

        return go

    return work


def _same_counts(levels: int) -> Any:
    """Equal matrices, in whatever order the directions come."""

    def agree(ours: Any, theirs: Any) -> str:
        a = to_numpy(ours).reshape(levels * levels, -1).T
        b = to_numpy(theirs).reshape(-1, levels * levels)
        a, b = a[np.lexsort(a.T)], b[np.lexsort(b.T)]
        return exact()(a, b)

    return agree


@case("glcm_features", dtypes=("uint8",), levels=(32,))
def glcm_features(shape: Shape, dtype: str, levels: int) -> Work:
    """The texture of the brain, in 13 directions."""
    grey, inside = _levels(shape, levels)
    work = Work((grey, inside), lambda op, x, m: op(x, m, levels=levels), out=False)

    @work.rival("mahotas", "haralick", differs="13 of the 25 features")
    def _mahotas(x: Any, m: Any) -> Call:
        haralick, masked = load("mahotas.features").haralick, x * m
        return lambda: haralick(masked, ignore_zeros=True)

    return work


@case("discretize", dtypes=("float32", "int16"))
def discretize(shape: Shape, dtype: str) -> Work:
    """The brain in 32 grey levels."""
    work = Work(
        (head(shape, dtype), brain_mask(shape)),
        lambda op, x, m: op(x, m, bins=32),
        exact(),
        out=False,
    )

    @work.rival("NumPy")
    def _numpy(x: Any, m: Any) -> Call:
        inside = m != 0

        def go() -> Any:
            v = x[inside].astype(np.float64)
            low, high = v.min(), v.max()
            levels = np.zeros(x.shape, np.uint16)
            levels[inside] = np.minimum(32 * (v - low) / (high - low), 31).astype(np.uint16) + 1
            return levels

        return go

    return work


@case("first_order_features")
def first_order(shape: Shape, dtype: str) -> Work:
    """Mean, spread, quantiles and entropy of the brain's grey values."""
    work = Work((head(shape, dtype), brain_mask(shape)), lambda op, x, m: op(x, m), out=False)

    @work.rival("SimpleITK", "label statistics", differs="fewer features")
    def _simpleitk(x: Any, m: Any) -> Call:
        sitk, image, region = load("SimpleITK"), sitk_image(x), sitk_image(m)

        def go() -> Any:
            measure = sitk.LabelIntensityStatisticsImageFilter()
            measure.Execute(region, image)
            return measure.GetMean(1)

        return go

    return work


@case("shape_features", dtypes=("uint8",))
def shape_features(shape: Shape, dtype: str) -> Work:
    """Volume, surface, diameters and axes of the brain."""
    work = Work((brain_mask(shape),), lambda op, m: op(m), out=False)

    @work.rival("SimpleITK", "label shape", differs="no mesh: an estimate of the surface")
    def _simpleitk(m: Any) -> Call:
        sitk, region = load("SimpleITK"), sitk_image(m)

        def go() -> Any:
            measure = sitk.LabelShapeStatisticsImageFilter()
            measure.ComputeFeretDiameterOff()
            measure.Execute(region)
            return measure.GetPhysicalSize(1)

        return go

    @work.rival("scikit-image", "marching cubes", differs="the mesh alone")
    def _skimage(m: Any) -> Call:
        measure = load("skimage.measure")

        def go() -> Any:
            vertices, faces, _, _ = measure.marching_cubes(m, 0.5)
            return measure.mesh_surface_area(vertices, faces)

        return go

    return work
