"""Connected components, growing from seeds, distances, holes."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench import _machine
from voxkern.bench._agree import close, exact, same_partition, to_numpy
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head, mask
from voxkern.bench._peers import cupy_rival, load, sitk_image


def _structure(connectivity: int) -> Any:
    return load("scipy.ndimage").generate_binary_structure(3, connectivity)


@case(
    "label",
    dtypes=("uint8",),
    targets={"image=brain, connectivity=1": 6, "image=brain, connectivity=3": 6},
    image=("brain", "blobs", "noise"),
    connectivity=(1, 2, 3),
)
def label(shape: Shape, dtype: str, image: str, connectivity: int) -> Work:
    """Number the bodies of a mask: one solid brain, many blobs, or single voxels."""
    work = Work(
        (mask(image, shape),),
        lambda op, x, out: op(x, connectivity=connectivity, out=out),
        agree=same_partition(),
    )

    @work.rival("cc3d")
    def _cc3d(x: Any) -> Call:
        cc3d, neighbours = load("cc3d"), {1: 6, 2: 18, 3: 26}[connectivity]
        return lambda: cc3d.connected_components(x, connectivity=neighbours)

    @work.rival("cc3d", "of bool")
    def _cc3d_bool(x: Any) -> Call:
        cc3d, neighbours = load("cc3d"), {1: 6, 2: 18, 3: 26}[connectivity]
        flags = x.astype(bool)
        return lambda: cc3d.connected_components(flags, connectivity=neighbours)

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        ndimage, out = load("scipy.ndimage"), np.zeros(x.shape, np.int32)
        near = _structure(connectivity)

        def go() -> Any:
            ndimage.label(x, near, output=out)
            return out

        return go

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        measure = load("skimage.measure")
        return lambda: measure.label(x, connectivity=connectivity)

    if connectivity != 2:

        @work.rival("SimpleITK")
        def _simpleitk(x: Any) -> Call:
            sitk, flags = load("SimpleITK"), sitk_image(x)
            return lambda: sitk.ConnectedComponent(flags, connectivity == 3)

    cupy_rival(work, lambda ndimage, x: ndimage.label(x, _structure(connectivity))[0], out=False)
    return work


@case("connected_threshold", targets={"": 5}, region=("big", "small"))
def connected_threshold(shape: Shape, dtype: str, region: str) -> Work:
    """White matter from a seed, a tenth of the volume; or one ventricle, a thousandth."""
    x = head(shape, dtype)
    lower, upper = (760.0, 1100.0) if region == "big" else (170.0, 330.0)
    start = (shape[0] // 4, shape[1] // 2) if region == "big" else (shape[0] // 2, shape[1] // 2)
    near = shape[2] * (0.4 if region == "big" else 0.45)
    good = np.flatnonzero((x[start] > lower) & (x[start] < upper))
    seed = (*start, int(good[np.abs(good - near).argmin()]))
    work = Work(
        (x,),
        lambda op, x, out: op(x, [seed], lower, upper, out=out),
        agree=exact(),
    )

    @work.rival("SimpleITK")
    def _simpleitk(x: Any) -> Call:
        sitk, image = load("SimpleITK"), sitk_image(x)
        return lambda: sitk.ConnectedThreshold(image, [seed[::-1]], lower, upper, 1)

    @work.rival("cc3d", "threshold and label")
    def _cc3d(x: Any) -> Call:
        cc3d = load("cc3d")

        def go() -> Any:
            parts = cc3d.connected_components((x >= lower) & (x <= upper), connectivity=6)
            return parts == parts[seed]

        return go

    @work.rival("SciPy", "threshold and label")
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")

        def go() -> Any:
            parts, _ = ndimage.label((x >= lower) & (x <= upper))
            return parts == parts[seed]

        return go

    @work.rival("scikit-image", "flood", differs="an interval about the seed's value")
    def _skimage(x: Any) -> Call:
        flood = load("skimage.segmentation").flood
        reach = min(upper - float(x[seed]), float(x[seed]) - lower)
        return lambda: flood(x, seed, connectivity=1, tolerance=reach)

    return work


@case("distance_transform_edt", dtypes=("uint8",), targets={"": 15}, image=("brain", "blobs"))
def edt(shape: Shape, dtype: str, image: str) -> Work:
    """The distance of every voxel of a mask to the nearest voxel outside it."""
    work = Work(
        (mask(image, shape),),
        lambda op, x, out: op(x, out=out),
        agree=close(1e-5),
    )

    @work.rival("edt")
    def _edt(x: Any) -> Call:
        edt = load("edt")
        return lambda: edt.edt(x, black_border=False, parallel=_machine.threads())

    @work.rival("SciPy", agree=close(1e-5))
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")
        return lambda: ndimage.distance_transform_edt(x)

    @work.rival("SimpleITK", "Maurer", differs="signed: the outside as well, and to the surface")
    def _maurer(x: Any) -> Call:
        sitk, flags = load("SimpleITK"), sitk_image(x)
        return lambda: sitk.SignedMaurerDistanceMap(flags, True, False, False)

    cupy_rival(work, lambda ndimage, x: ndimage.distance_transform_edt(x), out=False)
    return work


@case("fill_holes", dtypes=("uint8",))
def fill_holes(shape: Shape, dtype: str) -> Work:
    """A brain with cavities, filled."""
    work = Work((mask("holes", shape),), lambda op, x, out: op(x, out=out))

    @work.rival("fill_voids")
    def _fill_voids(x: Any) -> Call:
        fill = load("fill_voids").fill
        return lambda: fill(x, in_place=False)

    @work.rival("SimpleITK")
    def _simpleitk(x: Any) -> Call:
        sitk, flags = load("SimpleITK"), sitk_image(x)
        return lambda: sitk.BinaryFillhole(flags, False, 1)

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        ndimage, out = load("scipy.ndimage"), np.zeros(x.shape, bool)

        def go() -> Any:
            ndimage.binary_fill_holes(x, output=out)
            return out

        return go

    cupy_rival(work, lambda ndimage, x: ndimage.binary_fill_holes(x), out=False)
    return work


@case("keep_largest", dtypes=("uint8",), image=("brain", "blobs"))
def keep_largest(shape: Shape, dtype: str, image: str) -> Work:
    """The largest body of a mask."""
    work = Work((mask(image, shape),), lambda op, x, out: op(x, out=out))

    @work.rival("cc3d", "largest_k", agree=_nonzero())
    def _cc3d(x: Any) -> Call:
        cc3d = load("cc3d")
        return lambda: cc3d.largest_k(x, k=1, connectivity=6)

    @work.rival("SciPy", "label and count")
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")

        def go() -> Any:
            parts, _ = ndimage.label(x)
            sizes = np.bincount(parts.ravel())
            sizes[0] = 0
            return parts == sizes.argmax()

        return go

    return work


@case("remove_small_objects", dtypes=("uint8",), min_size=(64,))
def remove_small_objects(shape: Shape, dtype: str, min_size: int) -> Work:
    """Blobs without those below a size."""
    work = Work((mask("blobs", shape),), lambda op, x, out: op(x, min_size, out=out))

    @work.rival("cc3d", "dust", agree=_nonzero())
    def _cc3d(x: Any) -> Call:
        cc3d = load("cc3d")
        return lambda: cc3d.dust(x, threshold=min_size, connectivity=6)

    @work.rival("SciPy", "label and count", agree=_nonzero())
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")

        def go() -> Any:
            parts, _ = ndimage.label(x)
            keep = np.bincount(parts.ravel()) >= min_size
            keep[0] = False
            return keep[parts]

        return go

    return work


def _nonzero() -> Any:
    """Equal masks, whatever number stands for inside."""

    def agree(ours: Any, theirs: Any) -> str:
        return exact()(to_numpy(ours) != 0, to_numpy(theirs) != 0)

    return agree
