"""Morphology with boxes and balls."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench import _machine
from voxkern.bench._agree import exact
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head, mask
from voxkern.bench._peers import cupy_rival, load, opencv_rival, scipy_rival, sitk_image


def ball(radius: int) -> Any:
    """Every voxel no further than `radius` from the middle."""
    z, y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1, -radius : radius + 1]
    return z * z + y * y + x * x <= radius * radius


def _work(shape: Shape, image: str, name: str, radius: int) -> Work:
    work = Work((mask(image, shape),), lambda op, x, out: op(x, radius=radius, out=out))

    if radius <= 3 or name == "erosion":  # SciPy's ball of radius 5 takes minutes

        @work.rival("SciPy", out=True, agree=exact(radius * 2))
        def _scipy(x: Any) -> Call:
            function = getattr(load("scipy.ndimage"), f"binary_{name}")
            structure, out = ball(radius), np.zeros(x.shape, bool)
            return lambda: function(x, structure, output=out)

    cupy_rival(
        work,
        lambda ndimage, x: getattr(ndimage, f"binary_{name}")(
            x, load("cupy").asarray(ball(radius))
        ),
        out=False,
        agree=exact(radius * 2),
    )

    @work.rival("scikit-image", "isotropic", agree=exact(radius * 2))
    def _skimage(x: Any) -> Call:
        function = getattr(load("skimage.morphology"), f"isotropic_{name}")
        flags = x.astype(bool)
        return lambda: function(flags, radius)

    itk = {
        "erosion": "BinaryErode",
        "dilation": "BinaryDilate",
        "opening": "BinaryMorphologicalOpening",
        "closing": "BinaryMorphologicalClosing",
    }[name]

    @work.rival("SimpleITK", differs="a ball of radius + 0.5")
    def _simpleitk(x: Any) -> Call:
        sitk, flags = load("SimpleITK"), sitk_image(x)
        return lambda: getattr(sitk, itk)(flags, [radius] * 3, sitk.sitkBall)

    if name in ("erosion", "dilation"):

        @work.rival("edt", "threshold", agree=exact(radius * 2))
        def _edt(x: Any) -> Call:
            edt, flags = load("edt"), x.astype(bool)
            limit = radius + 1e-4

            def go() -> Any:
                source = flags if name == "erosion" else ~flags
                far = edt.edt(source, black_border=False, parallel=_machine.threads()) > limit
                return far if name == "erosion" else ~far

            return go

    if radius == 1 and name in ("erosion", "dilation"):

        @work.rival("mahotas", agree=exact(2))
        def _mahotas(x: Any) -> Call:
            function = getattr(load("mahotas"), {"erosion": "erode", "dilation": "dilate"}[name])
            flags, structure = x.astype(bool), ball(1)
            return lambda: function(flags, structure)

    return work


@case("binary_erosion", dtypes=("uint8",), radius=(1, 3, 5))
def erosion(shape: Shape, dtype: str, radius: int) -> Work:
    """A brain mask made thinner."""
    return _work(shape, "brain", "erosion", radius)


@case("binary_dilation", dtypes=("uint8",), radius=(1, 3, 5))
def dilation(shape: Shape, dtype: str, radius: int) -> Work:
    """A brain mask made thicker."""
    return _work(shape, "brain", "dilation", radius)


@case("binary_opening", dtypes=("uint8",), radius=(1, 3, 5))
def opening(shape: Shape, dtype: str, radius: int) -> Work:
    """Blobs without what no ball fits into."""
    return _work(shape, "blobs", "opening", radius)


@case("binary_closing", dtypes=("uint8",), radius=(1, 3, 5))
def closing(shape: Shape, dtype: str, radius: int) -> Work:
    """Blobs with the gaps closed into which no ball fits."""
    return _work(shape, "blobs", "closing", radius)


@case("binary_erosion", kind="plane", dtypes=("uint8",), structure=("cross", "box"))
def erosion_plane(shape: Shape, dtype: str, structure: str) -> Work:
    """The brain of a large slice, made thinner."""
    box = np.ones((3, 3), np.uint8)
    if structure == "cross":
        box[::2, ::2] = 0
    work = Work((mask("brain", shape),), lambda op, x, out: op(x, box, out=out))
    opencv_rival(work, lambda cv2, x, out: cv2.erode(x, box, dst=out), exact(1))

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        function, out = load("scipy.ndimage").binary_erosion, np.zeros(x.shape, bool)
        return lambda: function(x, box, output=out)

    return work


def _grey(shape: Shape, dtype: str, name: str, size: int) -> Work:
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, size, out=out))
    scipy_rival(work, lambda ndimage, x, out: getattr(ndimage, name)(x, size, output=out))

    itk = {
        "grey_erosion": "GrayscaleErode",
        "grey_dilation": "GrayscaleDilate",
        "grey_opening": "GrayscaleMorphologicalOpening",
        "grey_closing": "GrayscaleMorphologicalClosing",
        "morphological_gradient": "",  # not in SimpleITK
        "white_tophat": "WhiteTopHat",
        "black_tophat": "BlackTopHat",
    }[name]
    if itk:

        @work.rival("SimpleITK", agree=exact(border=size))
        def _simpleitk(x: Any) -> Call:
            sitk, image = load("SimpleITK"), sitk_image(x)
            reach = [size // 2] * x.ndim
            return lambda: getattr(sitk, itk)(image, reach, sitk.sitkBox)

    cv = {
        "grey_erosion": "MORPH_ERODE",
        "grey_dilation": "MORPH_DILATE",
        "grey_opening": "MORPH_OPEN",
        "grey_closing": "MORPH_CLOSE",
        "morphological_gradient": "MORPH_GRADIENT",
        "white_tophat": "MORPH_TOPHAT",
        "black_tophat": "MORPH_BLACKHAT",
    }[name]
    if len(shape) == 2:
        box = np.ones((size, size), np.uint8)
        opencv_rival(
            work,
            lambda cv2, x, out: cv2.morphologyEx(x, getattr(cv2, cv), box, dst=out),
            exact(border=size),
        )
    return work


@case(
    "grey_erosion",
    dtypes=("float32", "int16", "uint8"),
    targets={"size=3": 4, "size=11": 4, "size=31": 4},
    size=(3, 11, 31),
)
def grey_erosion_volume(shape: Shape, dtype: str, size: int) -> Work:
    """A head, every voxel the least of its box."""
    return _grey(shape, dtype, "grey_erosion", size)


@case("grey_erosion", kind="plane", dtypes=("float32", "uint8"), size=(3, 5, 15))
def grey_erosion_plane(shape: Shape, dtype: str, size: int) -> Work:
    """A large slice, where OpenCV is at home."""
    return _grey(shape, dtype, "grey_erosion", size)


def _grey_case(name: str) -> None:
    @case(name, dtypes=("float32", "uint8"), size=(5,))
    def volume(shape: Shape, dtype: str, size: int) -> Work:
        return _grey(shape, dtype, name, size)


for _name in ("grey_dilation", "grey_opening", "grey_closing", "morphological_gradient",
              "white_tophat", "black_tophat"):  # fmt: skip
    _grey_case(_name)


@case("binary_hit_or_miss", dtypes=("uint8",))
def hit_or_miss(shape: Shape, dtype: str) -> Work:
    """Voxels of blobs that stand alone among the six beside them."""
    inside = np.zeros((3, 3, 3), bool)
    inside[1, 1, 1] = True
    outside = ball(1) & ~inside
    work = Work((mask("blobs", shape),), lambda op, x, out: op(x, inside, outside, out=out))

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        function, out = load("scipy.ndimage").binary_hit_or_miss, np.zeros(x.shape, bool)
        return lambda: function(x, inside, outside, output=out)

    return work


@case("binary_fill_holes", dtypes=("uint8",))
def binary_holes(shape: Shape, dtype: str) -> Work:
    """A brain mask with cavities."""
    work = Work((mask("holes", shape),), lambda op, x, out: op(x, out=out))

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        function, out = load("scipy.ndimage").binary_fill_holes, np.zeros(x.shape, bool)
        return lambda: function(x, output=out)

    return work


@case("binary_propagation", dtypes=("uint8",))
def propagation(shape: Shape, dtype: str) -> Work:
    """A small seed grown through the brain."""
    brain = mask("brain", shape)
    seed = np.zeros(shape, np.uint8)
    at = tuple(int(i) for i in np.argwhere(brain)[brain.sum() // 2])
    seed[at] = 1
    work = Work((seed, brain), lambda op, x, m, out: op(x, mask=m, out=out))

    @work.rival("SciPy", out=True)
    def _scipy(x: Any, m: Any) -> Call:
        function, out = load("scipy.ndimage").binary_propagation, np.zeros(x.shape, bool)
        return lambda: function(x, mask=m, output=out)

    return work


@case("reconstruction", dtypes=("float32", "uint8"))
def reconstructed(shape: Shape, dtype: str) -> Work:
    """A head, its peaks cut to a tenth less."""
    image = head(shape, dtype)
    seed = (image * 0.9).astype(dtype)
    work = Work((seed, image), lambda op, a, b, out: op(a, b, out=out))

    @work.rival("scikit-image")
    def _skimage(a: Any, b: Any) -> Call:
        function = load("skimage.morphology").reconstruction
        return lambda: function(a, b)

    @work.rival("SimpleITK")
    def _simpleitk(a: Any, b: Any) -> Call:
        sitk = load("SimpleITK")
        marker, mask = sitk_image(a), sitk_image(b)
        return lambda: sitk.ReconstructionByDilation(marker, mask, True)

    return work


def _skimage_case(name: str, *arguments: Any) -> None:
    @case(name, dtypes=("float32", "uint8"))
    def volume(shape: Shape, dtype: str) -> Work:
        work = Work((head(shape, dtype),), lambda op, x: op(x, *arguments), out=False)

        @work.rival("scikit-image")
        def _skimage(x: Any) -> Call:
            function = getattr(load("skimage.morphology"), name)
            own = x.copy()  # its max-tree refuses memory that it may not write to
            return lambda: function(own, *arguments)

        return work


_skimage_case("h_maxima", 10)
_skimage_case("h_minima", 10)
_skimage_case("local_maxima")
_skimage_case("local_minima")
_skimage_case("area_opening", 64)
_skimage_case("area_closing", 64)


@case("skeletonize", dtypes=("uint8",), image=("brain", "blobs"))
def skeleton_volume(shape: Shape, dtype: str, image: str) -> Work:
    """A mask thinned to lines."""
    work = Work((mask(image, shape),), lambda op, x, out: op(x, out=out), agree=exact())

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        morphology = load("skimage.morphology")
        return lambda: morphology.skeletonize(x, method="lee")

    return work
