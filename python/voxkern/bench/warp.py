"""Resampling: affine transforms, zoom, coordinates, new spacing."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench._agree import close, inside, to_numpy
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import AFFINE, SHIFT, Shape, centred, head, smooth_noise
from voxkern.bench._peers import cupy_rival, load, scipy_rival, sitk_affine, sitk_image, tensor

# Where others treat the outside otherwise: compare the middle of the volume only.
MIDDLE = 0.25


def _itk_interpolator(order: int) -> Any:
    sitk = load("SimpleITK")
    return {0: sitk.sitkNearestNeighbor, 1: sitk.sitkLinear, 3: sitk.sitkBSpline}[order]


def _torch_theta(matrix: Any, offset: Any, shape: Shape) -> Any:
    """SciPy's matrix and offset in PyTorch's coordinates, -1 to 1 along x, y, z."""
    half = (np.array(shape) - 1) / 2
    scaled = matrix * half[None, :] / half[:, None]
    shift = (matrix @ half + offset - half) / half
    theta = np.concatenate([scaled[::-1, ::-1], shift[::-1, None]], axis=1)
    return load("torch").from_numpy(theta.astype(np.float32))[None]


@case("affine_transform", targets={"order=1": 8}, order=(0, 1, 3))
def affine(shape: Shape, dtype: str, order: int) -> Work:
    """A head turned, scaled and shifted onto its own grid."""
    offset = centred(AFFINE, SHIFT, shape)
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, AFFINE, offset, order=order, out=out),
        agree=close(1e-5) if order else _almost_everywhere(),
    )
    middle = close(1e-4, MIDDLE) if order else _almost_everywhere(MIDDLE)

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        ndimage, out = load("scipy.ndimage"), np.zeros_like(x)
        return lambda: ndimage.affine_transform(x, AFFINE, offset, output=out, order=order)

    @work.rival("SimpleITK", agree=middle)
    def _simpleitk(x: Any) -> Call:
        sitk, image, kind = load("SimpleITK"), sitk_image(x), _itk_interpolator(order)
        transform = sitk_affine(AFFINE, offset)
        return lambda: sitk.Resample(image, image, transform, kind, 0.0)

    if order < 3:

        @work.rival("PyTorch", "grid_sample", agree=middle)
        def _torch(x: Any) -> Call:
            functional, image = load("torch.nn.functional"), tensor(x)
            theta = _torch_theta(AFFINE, offset, shape)
            mode = "bilinear" if order else "nearest"

            def go() -> Any:
                grid = functional.affine_grid(theta, image.shape, align_corners=True)
                return functional.grid_sample(image, grid, mode=mode, align_corners=True)

            return go

    cupy_rival(
        work,
        lambda ndimage, x, out: ndimage.affine_transform(
            x, load("cupy").asarray(AFFINE), offset, output=out, order=order
        ),
    )
    return work


def _almost_everywhere(border: float | None = None) -> Any:
    """Nearest neighbours: equal but for the few points that lie half-way between voxels."""

    def agree(ours: Any, theirs: Any) -> str:
        a, b = inside(border, to_numpy(ours), to_numpy(theirs))
        wrong = float(np.mean(a != b))
        return "" if wrong < 2e-3 else f"{wrong:.1e} of the voxels differ"

    return agree


@case("spline_filter", order=(3,))
def spline_filter(shape: Shape, dtype: str, order: int) -> Work:
    """The coefficients of the splines through a head."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, order, out=out),
        agree=close(1e-5),
    )

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        ndimage, out = load("scipy.ndimage"), np.zeros_like(x)

        def go() -> Any:
            ndimage.spline_filter(x, order, output=out)
            return out

        return go

    @work.rival("SimpleITK", agree=close(1e-4, 4))
    def _simpleitk(x: Any) -> Call:
        sitk, image = load("SimpleITK"), sitk_image(x)
        return lambda: sitk.BSplineDecomposition(image, order)

    cupy_rival(work, lambda ndimage, x, out: ndimage.spline_filter(x, order, output=out))
    return work


@case("zoom", factor=(0.7,), order=(1, 3))
def zoom(shape: Shape, dtype: str, factor: float, order: int) -> Work:
    """A head on a grid with fewer voxels, corner on corner."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, factor, order=order, out=out),
        agree=close(1e-5),
    )
    small = [round(n * factor) for n in shape]

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        ndimage, out = load("scipy.ndimage"), np.zeros(small, x.dtype)
        return lambda: ndimage.zoom(x, factor, output=out, order=order)

    @work.rival("SimpleITK", agree=close(1e-4, 4))
    def _simpleitk(x: Any) -> Call:
        sitk, image, kind = load("SimpleITK"), sitk_image(x), _itk_interpolator(order)
        step = [(n - 1) / (m - 1) for n, m in zip(shape, small, strict=True)][::-1]
        return lambda: sitk.Resample(image, small[::-1], sitk.Transform(), kind, [0.0] * 3, step)

    if order == 1:

        @work.rival("PyTorch", "interpolate", agree=close(1e-4))
        def _torch(x: Any) -> Call:
            functional, image = load("torch.nn.functional"), tensor(x)
            return lambda: functional.interpolate(
                image, size=small, mode="trilinear", align_corners=True
            )

    cupy_rival(work, lambda ndimage, x: ndimage.zoom(x, factor, order=order), out=False)
    return work


@case("map_coordinates", order=(1, 3))
def coordinates(shape: Shape, dtype: str, order: int) -> Work:
    """A head read at displaced points, up to some six voxels away."""
    grid = np.indices(shape, np.float32)
    for axis in range(3):
        grid[axis] += 2 * smooth_noise(shape, cell=max(4, shape[0] // 8), seed=axis)
    work = Work(
        (head(shape, dtype), grid),
        lambda op, x, where, out: op(x, where, order=order, out=out),
        agree=close(2e-5),
    )
    scipy_rival(
        work,
        lambda ndimage, x, where, out: ndimage.map_coordinates(x, where, output=out, order=order),
    )

    if order == 1:

        @work.rival("PyTorch", "grid_sample", agree=close(1e-4, MIDDLE))
        def _torch(x: Any, where: Any) -> Call:
            torch, image = load("torch"), tensor(x)
            scale = (2 / (np.array(shape, np.float32) - 1))[::-1].copy()
            points = np.ascontiguousarray(np.moveaxis(where[::-1], 0, -1)) * scale - 1
            grid = torch.from_numpy(points)[None]
            return lambda: torch.nn.functional.grid_sample(image, grid, align_corners=True)

        @work.rival("SimpleITK", "Warp", agree=close(1e-4, MIDDLE))
        def _simpleitk(x: Any, where: Any) -> Call:
            sitk, image = load("SimpleITK"), sitk_image(x)
            moves = np.moveaxis(where - np.indices(shape, np.float32), 0, -1)[..., ::-1]
            field = sitk.GetImageFromArray(moves.astype(np.float64), isVector=True)
            return lambda: sitk.Warp(image, field, sitk.sitkLinear, image.GetSize())

    return work


@case("resample", order=(1, 3))
def resample(shape: Shape, dtype: str, order: int) -> Work:
    """A head from 1 mm voxels to voxels of 1.5 mm."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x: op(x, 1.5, spacing=1.0, order=order),
        agree=close(1e-4, 4),
        out=False,
    )

    @work.rival("SimpleITK")
    def _simpleitk(x: Any) -> Call:
        sitk, image, kind = load("SimpleITK"), sitk_image(x), _itk_interpolator(order)
        small = [int(np.ceil(n / 1.5)) for n in shape][::-1]
        start = [0.25] * 3
        return lambda: sitk.Resample(image, small, sitk.Transform(), kind, start, [1.5] * 3)

    return work


@case("shift", order=(1,))
def shift(shape: Shape, dtype: str, order: int) -> Work:
    """A head moved by a part of a voxel."""
    step = (1.3, -2.6, 0.4)
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, step, order=order, out=out),
        agree=close(1e-5),
    )

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        ndimage, out = load("scipy.ndimage"), np.zeros_like(x)
        return lambda: ndimage.shift(x, step, output=out, order=order)

    return work


@case("rotate", order=(1,))
def rotate(shape: Shape, dtype: str, order: int) -> Work:
    """A head turned in its axial planes."""
    axes = (1, 2)
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, 12.0, axes=axes, reshape=False, order=order, out=out),
        agree=close(1e-5),
    )

    @work.rival("SciPy", out=True)
    def _scipy(x: Any) -> Call:
        ndimage, out = load("scipy.ndimage"), np.zeros_like(x)
        return lambda: ndimage.rotate(x, 12.0, axes=axes, reshape=False, output=out, order=order)

    return work


@case("resize", order=(1,))
def resize(shape: Shape, dtype: str, order: int) -> Work:
    """A head on a grid of seven tenths, edge on edge, without smoothing before."""
    small = tuple(round(0.7 * n) for n in shape)
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, small, order=order, antialias=False, out=out),
        agree=close(1e-4, MIDDLE),
    )

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        transform = load("skimage.transform")
        return lambda: transform.resize(x, small, order=order, anti_aliasing=False)

    return work
