"""Edge-preserving filters."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench._agree import close, within
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head
from voxkern.bench._peers import load, sitk_image


def _nl_means(shape: Shape, dtype: str, patch: int, reach: int, fast: bool) -> Work:
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, patch, reach, 30.0, 20.0, fast=fast, out=out),
        agree=close(1e-4),
    )

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        restoration = load("skimage.restoration")
        return lambda: restoration.denoise_nl_means(
            x, patch, reach, 30.0, sigma=20.0, fast_mode=fast, preserve_range=True
        )

    return work


@case("denoise_nl_means", targets={"": 250}, fast=(True, False))
def nl_means_volume(shape: Shape, dtype: str, fast: bool) -> Work:
    """A head, patches of 3 voxels a side looked for among 7 a side."""
    return _nl_means(shape, dtype, 3, 3, fast)


@case("denoise_nl_means", kind="plane", fast=(True,))
def nl_means_plane(shape: Shape, dtype: str, fast: bool) -> Work:
    """A large slice, patches of 5 pixels a side looked for among 13 a side."""
    return _nl_means(shape, dtype, 5, 6, fast)


@case("estimate_sigma", method=("wavelet", "residual"))
def noise_volume(shape: Shape, dtype: str, method: str) -> Work:
    """The noise of a head."""
    work = Work((head(shape, dtype),), lambda op, x: op(x, method), agree=within(1e-3), out=False)

    @work.rival("scikit-image", differs="" if method == "wavelet" else "goes by wavelets")
    def _skimage(x: Any) -> Call:
        load("pywt")
        restoration = load("skimage.restoration")
        return lambda: restoration.estimate_sigma(x)

    return work


@case("denoise_bilateral", targets={"radius=2": 45}, radius=(2, 5))
def bilateral_volume(shape: Shape, dtype: str, radius: int) -> Work:
    """A head, each voxel averaged with those within a box."""
    sigma = radius / 2.5
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, sigma, 50.0, radius, mode="nearest", out=out),
        agree=close(1e-5),
    )

    @work.rival("SimpleITK", differs="a table of 100 steps")
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.Bilateral(image, sigma, 50.0)

    return work


@case("denoise_bilateral", kind="plane", dtypes=("float32", "uint8"), radius=(2, 4))
def bilateral_plane(shape: Shape, dtype: str, radius: int) -> Work:
    """A large slice, where OpenCV is at home."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, 2.0, 50.0, radius, window="ball", mode="mirror", out=out),
        agree=close(1e-5) if dtype == "float32" else within(0.51),
    )

    @work.rival("OpenCV", out=True)
    def _opencv(x: Any) -> Call:
        cv2 = load("cv2")
        out = np.zeros_like(x)
        return lambda: cv2.bilateralFilter(
            x, 2 * radius + 1, 50.0, 2.0, dst=out, borderType=cv2.BORDER_REFLECT_101
        )

    return work


@case("anisotropic_diffusion", targets={"": 25}, kind_of=("gradient", "curvature"))
def diffusion_volume(shape: Shape, dtype: str, kind_of: str) -> Work:
    """A head, five steps."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, 5, 1.0, kind_of, out=out),
        agree=close(1e-4),
    )

    @work.rival("SimpleITK")
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        run = getattr(sitk, f"{kind_of.capitalize()}AnisotropicDiffusion")
        return lambda: run(image, 0.0625, 1.0, 1, 5)

    return work


@case("denoise_tv", targets={"steps=10": 40}, steps=(10,))
def tv_volume(shape: Shape, dtype: str, steps: int) -> Work:
    """A head, ten steps of Chambolle's."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, 30.0, 1e-9, steps, out=out),
        agree=close(1e-4),
    )

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        restoration = load("skimage.restoration")
        return lambda: restoration.denoise_tv_chambolle(x, 30.0, eps=1e-9, max_num_iter=steps)

    return work


@case("denoise_wavelet", levels=(2,))
def wavelet_volume(shape: Shape, dtype: str, levels: int) -> Work:
    """A head, by Haar's wavelet."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, 20.0, levels=levels, out=out),
        agree=close(1e-5),
    )

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        load("pywt")
        restoration = load("skimage.restoration")
        return lambda: restoration.denoise_wavelet(x, 20.0, wavelet_levels=levels)

    return work


@case("denoise_mppca", volumes=(24,))
def mppca_series(shape: Shape, dtype: str, volumes: int) -> Work:
    """A series cut from a head: mixtures of two blocks of it, an eighth of its sides."""
    image = head(shape, dtype)
    block = tuple(slice(n // 2, n // 2 + max(n // 8, 6)) for n in shape)
    moved = tuple(slice(n // 4, n // 4 + max(n // 8, 6)) for n in shape)
    share = np.linspace(0.2, 1, volumes)
    series = np.multiply.outer(share, image[block]) + np.multiply.outer(
        share[::-1] ** 2, image[moved]
    )
    series += 20 * np.random.default_rng(1).standard_normal(series.shape)
    work = Work((image,), lambda op, x: op(series), close(1e-6), out=False)

    @work.rival("DIPY")
    def _dipy(x: Any) -> Call:
        localpca = load("dipy.denoise.localpca")
        turned = np.moveaxis(series, 0, 3)
        return lambda: np.moveaxis(localpca.mppca(turned), 3, 0)

    return work


@case("gibbs_unring", kind="plane", dtypes=("float64",), share=8, n_points=(3,))
def gibbs_plane(shape: Shape, dtype: str, n_points: int) -> Work:
    """A slice of a head."""
    image = head(shape).astype(dtype)
    work = Work((image,), lambda op, x: op(x, n_points=n_points), close(1e-6), out=False)

    @work.rival("DIPY")
    def _dipy(x: Any) -> Call:
        gibbs = load("dipy.denoise.gibbs")
        return lambda: gibbs.gibbs_removal(x, n_points=n_points, inplace=False)

    return work


@case("denoise_bm4d", share=4, stages=(2,))
def bm4d_volume(shape: Shape, dtype: str, stages: int) -> Work:
    """A noisy head."""
    work = Work((head(shape, dtype),), lambda op, x: op(x, 20.0, stages=stages), out=False)

    @work.rival("bm4d", differs="the authors' own program, with other limits")
    def _bm4d(x: Any) -> Call:
        program = load("bm4d")
        return lambda: program.bm4d(x, 20.0)

    return work
