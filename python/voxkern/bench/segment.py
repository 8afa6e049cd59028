"""Thresholds."""

from __future__ import annotations

from typing import Any

from voxkern.bench._agree import within
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head
from voxkern.bench._peers import load, sitk_image


def _skimage_rival(work: Work) -> None:
    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        filters = load("skimage.filters")
        return lambda: filters.threshold_otsu(x)


@case("threshold_otsu")
def otsu_volume(shape: Shape, dtype: str) -> Work:
    """The threshold between air and head, from 256 bins."""
    work = Work((head(shape, dtype),), lambda op, x: op(x), agree=within(0.5), out=False)
    _skimage_rival(work)

    @work.rival("SimpleITK", differs="the thresholded image as well")
    def _simpleitk(x: Any) -> Call:
        sitk, image = load("SimpleITK"), sitk_image(x)
        return lambda: sitk.OtsuThreshold(image, 0, 1, 256)

    return work


@case("threshold_otsu", kind="plane", dtypes=("uint8",))
def otsu_plane(shape: Shape, dtype: str) -> Work:
    """The same of a large slice, where OpenCV is at home."""
    work = Work((head(shape, dtype),), lambda op, x: op(x), agree=within(1), out=False)
    _skimage_rival(work)

    @work.rival("OpenCV")
    def _opencv(x: Any) -> Call:
        cv2, out = load("cv2"), x.copy()
        return lambda: cv2.threshold(x, 0, 1, cv2.THRESH_OTSU, dst=out)[0]

    return work


@case("threshold_multiotsu")
def multiotsu_volume(shape: Shape, dtype: str) -> Work:
    """The two thresholds between air, soft tissue and the bright rest, from 256 bins."""
    work = Work((head(shape, dtype),), lambda op, x: op(x), agree=within(0.5), out=False)

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        filters = load("skimage.filters")
        return lambda: filters.threshold_multiotsu(x)

    @work.rival("SimpleITK", differs="the image of classes as well")
    def _simpleitk(x: Any) -> Call:
        sitk, image = load("SimpleITK"), sitk_image(x)
        return lambda: sitk.OtsuMultipleThresholds(image, 2, 0, 256)

    return work
