"""The texture filters of IBSI-2."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from voxkern.bench._agree import close
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head
from voxkern.bench._peers import load

_LAWS = {"S5": [-1, 0, 2, 0, -1], "L5": [1, 4, 6, 4, 1], "E5": [-1, -2, 0, 2, 1]}


@case("laws", rotation_invariant=(False, True))
def laws_volume(shape: Shape, dtype: str, rotation_invariant: bool) -> Work:
    """Spots along one axis, levels and edges along the others."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, "S5L5E5", rotation_invariant=rotation_invariant, out=out),
        agree=close(1e-5),
    )
    if rotation_invariant:
        return work

    @work.rival("SciPy", "convolve1d", out=True)
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")
        weights = [np.array(w) / np.linalg.norm(w) for w in _LAWS.values()]
        a, b = np.zeros_like(x), np.zeros_like(x)

        def go() -> Any:
            ndimage.convolve1d(x, weights[0], 0, output=a)
            ndimage.convolve1d(a, weights[1], 1, output=b)
            return ndimage.convolve1d(b, weights[2], 2, output=a)

        return go

    return work


@case("gabor", kind="plane")
def gabor_plane(shape: Shape, dtype: str) -> Work:
    """Waves of 8 pixels in one direction of a large slice."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, 3.0, 8.0, 1.0, 0.5, truncate=3.0, out=out),
        agree=close(1e-3),
    )

    @work.rival("scikit-image", differs="ends its filter at a box that turns less")
    def _skimage(x: Any) -> Call:
        filters = load("skimage.filters")
        return lambda: (
            np.hypot(*filters.gabor(x, 1 / 8, 0.5, sigma_x=3, sigma_y=3)) * (2 * math.pi * 9)
        )

    @work.rival("OpenCV", "filter2D")
    def _opencv(x: Any) -> Call:
        cv2 = load("cv2")
        r = np.arange(-9, 10)
        along = r * math.cos(0.5) + r[:, None] * math.sin(0.5)
        f = np.exp(-(r**2 + r[:, None] ** 2) / 18) * np.exp(2j * math.pi * along / 8)
        parts = [np.ascontiguousarray(p, np.float32) for p in (f.real, f.imag)]

        def go() -> Any:
            a, b = (cv2.filter2D(x, -1, p, borderType=cv2.BORDER_REFLECT) for p in parts)
            return cv2.magnitude(a, b)

        return go

    return work


@case("wavelet", name=("haar", "db2"))
def wavelet_volume(shape: Shape, dtype: str, name: str) -> Work:
    """One band of the finest level."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, name, "LLH", mode="wrap", out=out),
        agree=close(1e-5),
    )

    @work.rival("SciPy", "convolve1d", out=True)
    def _scipy(x: Any) -> Call:
        ndimage, found = load("scipy.ndimage"), load("pywt").Wavelet(name)
        low, high = np.array(found.dec_lo), np.array(found.dec_hi)
        a, b = np.zeros_like(x), np.zeros_like(x)

        def go() -> Any:
            ndimage.convolve1d(x, low, 0, output=a, mode="wrap")
            ndimage.convolve1d(a, low, 1, output=b, mode="wrap")
            return ndimage.convolve1d(b, high, 2, output=a, mode="wrap")

        return go

    return work


@case("simoncelli", level=(1,))
def simoncelli_volume(shape: Shape, dtype: str, level: int) -> Work:
    """The finest band of frequencies of a head."""
    return Work((head(shape, dtype),), lambda op, x, out: op(x, level, out=out))


@case("riesz")
def riesz_volume(shape: Shape, dtype: str) -> Work:
    """What of a head varies along its columns."""
    work = Work(
        (head(shape, dtype),), lambda op, x, out: op(x, (0, 0, 1), out=out), agree=close(1e-5)
    )

    @work.rival("NumPy", "fftn in float64")
    def _numpy(x: Any) -> Call:
        def go() -> Any:
            grid = np.meshgrid(*map(np.fft.fftfreq, x.shape), indexing="ij", sparse=True)
            f = np.sqrt(sum(g * g for g in grid))
            f[0, 0, 0] = 1
            return np.fft.ifftn(np.fft.fftn(x.astype(np.float64)) * (-1j * grid[2] / f)).real

        return go

    return work
