"""How close a segmentation is to the truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench import _machine
from voxkern.bench._agree import close
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, brain_mask
from voxkern.bench._peers import load, sitk_image


def _pair(shape: Shape) -> tuple[Any, Any]:
    return brain_mask(shape), brain_mask(shape, moved=True)


def _by_edt(a: Any, b: Any, of: Any, distance: Any) -> Call:
    """What `of` makes of the distances between surfaces, by another's distance transform."""
    ndimage = load("scipy.ndimage")
    p, q = a.astype(bool), b.astype(bool)

    def go() -> Any:
        s, t = p ^ ndimage.binary_erosion(p), q ^ ndimage.binary_erosion(q)
        return of(distance(~t)[s], distance(~s)[t])

    return go


@case("dice", dtypes=("uint8",))
def dice(shape: Shape, dtype: str) -> Work:
    """The overlap of two brains."""
    work = Work(_pair(shape), lambda op, a, b: op(a, b), agree=close(1e-9), out=False)

    @work.rival("NumPy", "of bool")
    def _numpy(a: Any, b: Any) -> Call:
        p, q = a.astype(bool), b.astype(bool)

        def go() -> Any:
            return 2 * np.count_nonzero(p & q) / (np.count_nonzero(p) + np.count_nonzero(q))

        return go

    @work.rival("SimpleITK")
    def _simpleitk(a: Any, b: Any) -> Call:
        sitk, p, q = load("SimpleITK"), sitk_image(a), sitk_image(b)

        def go() -> Any:
            measure = sitk.LabelOverlapMeasuresImageFilter()
            measure.Execute(p, q)
            return measure.GetDiceCoefficient()

        return go

    return work


@case("jaccard", dtypes=("uint8",))
def jaccard(shape: Shape, dtype: str) -> Work:
    """The intersection over the union of two brains."""
    work = Work(_pair(shape), lambda op, a, b: op(a, b), agree=close(1e-9), out=False)

    @work.rival("NumPy", "of bool")
    def _numpy(a: Any, b: Any) -> Call:
        p, q = a.astype(bool), b.astype(bool)
        return lambda: np.count_nonzero(p & q) / np.count_nonzero(p | q)

    return work


@case("volume_similarity", dtypes=("uint8",))
def volume_similarity(shape: Shape, dtype: str) -> Work:
    """The difference of two brains' volumes."""
    work = Work(_pair(shape), lambda op, a, b: op(a, b), agree=close(1e-9), out=False)

    @work.rival("NumPy", "of bool")
    def _numpy(a: Any, b: Any) -> Call:
        p, q = a.astype(bool), b.astype(bool)

        def go() -> Any:
            m, n = np.count_nonzero(p), np.count_nonzero(q)
            return 2 * (m - n) / (m + n)

        return go

    return work


@case("hausdorff_distance", dtypes=("uint8",), percentile=(100, 95))
def hausdorff(shape: Shape, dtype: str, percentile: int) -> Work:
    """The largest distance between the surfaces of two brains, or nearly the largest."""
    work = Work(
        _pair(shape),
        lambda op, a, b: op(a, b, percentile=percentile),
        agree=close(1e-5),
        out=False,
    )

    def of(there: Any, back: Any) -> Any:
        return max(np.percentile(there, percentile), np.percentile(back, percentile))

    @work.rival("edt", "of the surfaces")
    def _edt(a: Any, b: Any) -> Call:
        edt = load("edt").edt
        return _by_edt(a, b, of, lambda m: edt(m, parallel=_machine.threads()))

    @work.rival("SciPy", "EDT of the surfaces")
    def _scipy(a: Any, b: Any) -> Call:
        return _by_edt(a, b, of, load("scipy.ndimage").distance_transform_edt)

    if percentile == 100:

        @work.rival("SimpleITK")
        def _simpleitk(a: Any, b: Any) -> Call:
            sitk, p, q = load("SimpleITK"), sitk_image(a), sitk_image(b)

            def go() -> Any:
                measure = sitk.HausdorffDistanceImageFilter()
                measure.Execute(p, q)
                return measure.GetHausdorffDistance()

            return go

    return work


@case("average_surface_distance", dtypes=("uint8",))
def average(shape: Shape, dtype: str) -> Work:
    """The mean distance between the surfaces of two brains."""
    work = Work(_pair(shape), lambda op, a, b: op(a, b), agree=close(1e-5), out=False)

    def of(there: Any, back: Any) -> Any:
        return np.concatenate((there, back)).mean(dtype=np.float64)

    @work.rival("edt", "of the surfaces")
    def _edt(a: Any, b: Any) -> Call:
        edt = load("edt").edt
        return _by_edt(a, b, of, lambda m: edt(m, parallel=_machine.threads()))

    return work


@case("surface_dice", dtypes=("uint8",))
def surface_dice(shape: Shape, dtype: str) -> Work:
    """How much of the surfaces of two brains is within two voxels of the other."""
    work = Work(_pair(shape), lambda op, a, b: op(a, b, 2), agree=close(1e-9), out=False)

    def of(there: Any, back: Any) -> Any:
        return np.mean(np.concatenate((there, back)) <= 2)

    @work.rival("edt", "of the surfaces")
    def _edt(a: Any, b: Any) -> Call:
        edt = load("edt").edt
        return _by_edt(a, b, of, lambda m: edt(m, parallel=_machine.threads()))

    return work
