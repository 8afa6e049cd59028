"""Marchenko-Pastur PCA: truths, DIPY's answer, refusals."""

import warnings

import numpy as np
import pytest

from voxkern import denoise_mppca


def series(count=20, shape=(8, 9, 10), noise=5.0, seed=0):
    """Volumes that are mixtures of two, and noise."""
    rng = np.random.default_rng(seed)
    two = 50 + 20 * rng.random((2, *shape))
    mixture = np.stack([np.linspace(1, 2, count), np.linspace(2, 1, count) ** 2])
    clean = np.tensordot(mixture.T, two, 1)
    return clean, clean + rng.normal(0, noise, clean.shape)


def test_noise_goes_and_is_measured():
    clean, noisy = series()
    denoised, sigma = denoise_mppca(noisy, return_sigma=True)
    assert np.std(denoised - clean) < 0.4 * np.std(noisy - clean)
    assert sigma.mean() == pytest.approx(5, rel=0.05)
    assert sigma.shape == clean.shape[1:]


def test_what_has_no_noise_stays():
    clean, _ = series(noise=0)
    np.testing.assert_allclose(denoise_mppca(clean), clean, rtol=1e-9)


def test_any_number_of_threads_gives_the_same_bits_and_steps_are_told():
    _, noisy = series()
    steps = []
    one = denoise_mppca(noisy, workers=1, progress=lambda *step: steps.append(step))
    np.testing.assert_array_equal(denoise_mppca(noisy, workers=3), one)
    assert steps == [(i, 4) for i in range(1, 5)]


def test_the_axis_of_the_volumes_and_types():
    _, noisy = series()
    want = denoise_mppca(noisy, 1)
    got = denoise_mppca(np.moveaxis(noisy, 0, 3), 1, axis=3)
    np.testing.assert_allclose(np.moveaxis(got, 3, 0), want)
    whole = np.clip(noisy, 0, 255).astype(np.uint8)
    answer = denoise_mppca(whole, 1)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, denoise_mppca(whole.astype(float), 1), rtol=1e-5)


def test_a_mask_says_where():
    _, noisy = series()
    mask = np.zeros(noisy.shape[1:], np.uint8)
    mask[2:6, 3:6, 3:8] = 1
    y, sigma = denoise_mppca(noisy, mask=mask, return_sigma=True)
    assert not y[:, mask == 0].any()
    assert not sigma[mask == 0].any()
    assert y[:, mask == 1].all()


def dipys(image, radius):
    localpca = pytest.importorskip("dipy.denoise.localpca", reason="pip install dipy")
    radius = np.array(radius) if isinstance(radius, tuple) else radius
    there = np.moveaxis(image, 0, 3)
    want, sigma = localpca.mppca(
        there, patch_radius=radius, return_sigma=True, suppress_warning=True
    )
    return np.moveaxis(want, 3, 0), sigma


@pytest.mark.parametrize(
    ("count", "shape", "radius"),
    [
        (20, (8, 9, 10), 2),
        (30, (8, 9, 10), 1),
        (12, (8, 9, 10), (1, 2, 1)),
        (1, (4, 5, 6), 1),
        (2, (3, 3, 50), 1),
        (70, (5, 6, 37), 2),
        (9, (1, 12, 13), 2),
        (9, (6, 1, 40), (1, 1, 3)),
    ],
    ids=str,
)
def test_dipys_answer(count, shape, radius):
    _, noisy = series(count, shape)
    want, sigma = dipys(noisy, radius)
    got, found = denoise_mppca(noisy, radius, return_sigma=True)
    np.testing.assert_allclose(got, want, rtol=1e-9)
    np.testing.assert_allclose(found, sigma, rtol=1e-9)


def test_dipys_answer_where_eigenvalues_are_equal_or_none():
    """Two signals of one strength that do not overlap, and a background of one value."""
    x = np.zeros((16, 6, 7, 40))
    rng = np.random.default_rng(3)
    checks = np.indices(x.shape[1:]).sum(0) % 2
    x[:8] = 100 * checks
    x[8:] = 100 * (np.indices(x.shape[1:])[2] // 2 % 2)
    x += rng.normal(0, 5, x.shape)
    x[..., 25:] = 7
    x[..., 33:] = 0
    got, found = denoise_mppca(x, 1, return_sigma=True)
    with warnings.catch_warnings():  # DIPY takes a mean of nothing in windows of one value
        warnings.simplefilter("ignore")
        want, sigma = dipys(x, 1)
    # Where fewer voxels differ than there are volumes, rounding says which eigenvalues are 0.
    np.testing.assert_allclose(got[..., :24], want[..., :24], rtol=1e-9)
    np.testing.assert_allclose(found[..., :24], sigma[..., :24], rtol=1e-9)
    np.testing.assert_allclose(got[..., 27:31], 7, rtol=1e-14)
    assert not got[..., 35:].any()
    assert not found[..., 27:31].any()


@pytest.mark.parametrize("scale", [1e-250, 1e-120, 1e120, 1e250])
def test_any_scale(scale):
    _, noisy = series()
    want, sigma = denoise_mppca(noisy, return_sigma=True)
    got, found = denoise_mppca(noisy * scale, return_sigma=True)
    np.testing.assert_allclose(got, want * scale, rtol=1e-12)
    np.testing.assert_allclose(found, sigma * scale, rtol=1e-12)


def test_float32_is_near_float64():
    _, noisy = series()
    np.testing.assert_allclose(
        denoise_mppca(noisy.astype(np.float32)), denoise_mppca(noisy), rtol=2e-6
    )


def test_a_voxel_that_no_window_reaches_stays():
    _, noisy = series()
    mask = np.zeros(noisy.shape[1:], bool)
    mask[0, 0, :] = True
    y, sigma = denoise_mppca(noisy, mask=mask, return_sigma=True)
    np.testing.assert_array_equal(y[:, mask], noisy[:, mask])
    assert not sigma.any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(bad):
    _, noisy = series()
    noisy[3, 2, 1, 0] = bad
    with pytest.raises(ValueError, match="image must be finite"):
        denoise_mppca(noisy)


@pytest.mark.parametrize(
    ("image", "arguments", "text"),
    [
        (np.zeros((4, 4, 4)), {}, "image must have 4 axes; got 3"),
        (np.zeros((0, 9, 9, 9)), {}, "image must have a volume at least; got none"),
        (np.zeros((6, 4, 9, 9)), {}, "patch_radius must give windows"),
        (np.zeros((6, 9, 9, 9)), {"patch_radius": 0}, "patch_radius must give windows"),
        (np.zeros((6, 9, 9, 9)), {"patch_radius": -1}, "patch_radius must be at least 0"),
        (np.zeros((6, 9, 9, 9)), {"mask": np.ones((9, 9))}, "mask must have shape"),
        (np.zeros((6, 9, 9, 9)), {"axis": 4}, "axis must be in"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(image, arguments, text):
    with pytest.raises(ValueError, match=text):
        denoise_mppca(image, **arguments)
