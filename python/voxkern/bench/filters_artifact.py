"""What takes artifacts out of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench._agree import close
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head
from voxkern.bench._peers import load


@case("remove_spikes", size=(3,))
def spikes_volume(shape: Shape, dtype: str, size: int) -> Work:
    """A head in noise."""
    work = Work(
        (head(shape, dtype),), lambda op, x, out: op(x, size, 3.0, out=out), agree=close(1e-5)
    )

    @work.rival("SciPy", "two medians", differs="deviations are from each voxel's own median")
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")

        def go() -> Any:
            middle = ndimage.median_filter(x, size)
            apart = np.abs(x - middle)
            return np.where(apart > 4.4478 * ndimage.median_filter(apart, size), middle, x)

        return go

    return work


@case("despeckle", method=("srad", "lee", "frost"))
def despeckle_volume(shape: Shape, dtype: str, method: str) -> Work:
    """A head; ten steps, or boxes of 7."""
    return Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, method, noise=0.2, n_iter=10, out=out),
        agree=close(1e-5),
    )


@case("inpaint", kind="plane", share=8, holes=("blocks", "specks"))
@case("inpaint", holes=("blocks", "specks"))
def inpaint_holes(shape: Shape, dtype: str, holes: str) -> Work:
    """40 blocks of about a hundred pixels or voxels, or one of a hundred (ten thousand) of all."""
    image = head(shape, dtype)
    rng = np.random.default_rng(0)
    mask = np.zeros(shape, bool)
    wide = 10 if len(shape) == 2 else 5
    if holes == "specks":
        mask = rng.random(shape) < 0.01 ** (len(shape) - 1)
    for corner in rng.integers(0, min(shape) - 12, (40, len(shape))) if holes == "blocks" else ():
        mask[tuple(slice(at, at + wide) for at in corner)] = True
    work = Work((image,), lambda op, x: op(x, mask), close(1e-5), out=False)

    @work.rival("scikit-image", agree=close(1e-4))  # which solves in float32
    def _skimage(x: Any) -> Call:
        restoration = load("skimage.restoration")
        return lambda: restoration.inpaint_biharmonic(x, mask)

    return work


@case("inpaint", method=("biharmonic", "harmonic"))
def inpaint_ball(shape: Shape, dtype: str, method: str) -> Work:
    """A ball a third as wide as a head."""
    places = np.indices(shape, np.float32, sparse=True)
    square = sum((p / n - 0.5) ** 2 for p, n in zip(places, shape, strict=True))
    mask = np.asarray(square < 1 / 36)
    return Work((head(shape, dtype),), lambda op, x, out: op(x, mask, method, out=out), close(1e-4))


@case("remove_stripes", kind="plane", method=("sort", "fourier-wavelet"))
def stripes_plane(shape: Shape, dtype: str, method: str) -> Work:
    """A sinogram of a large detector."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, method, out=out), agree=close(1e-5))
    if method == "fourier-wavelet":
        return work

    @work.rival("NumPy", "with SciPy's median")
    def _numpy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")

        def go() -> Any:
            order = np.argsort(x, 0, kind="stable")
            middle = ndimage.median_filter(np.take_along_axis(x, order, 0), (1, 21))
            answer = np.empty_like(x)
            np.put_along_axis(answer, order, middle, 0)
            return answer

        return go

    return work


@case("correct_slice_intensity")
def slices_volume(shape: Shape, dtype: str) -> Work:
    """A head whose every other slice is brighter."""
    image = head(shape, dtype) * np.where(np.arange(shape[0]) % 2, 1.1, 1)[:, None, None]
    return Work((image.astype(dtype),), lambda op, x, out: op(x, out=out))
