"""Collaborative filtering of cubes: truths, other filters beside it, refusals."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

import voxkern
from voxkern import denoise_bm4d, denoise_nl_means, use_backend


def scene(shape=(20, 24, 26), sigma=5.0, seed=0, rician=False):
    """A ball with stripes, and the same with noise."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    clean = 20 + 60.0 * (z * z + y * y + x * x < 0.6) * (1 + 0.3 * np.sin(12 * x + 5 * y))
    rng = np.random.default_rng(seed)
    noisy = clean + rng.normal(0, sigma, shape)
    return clean, np.hypot(noisy, rng.normal(0, sigma, shape)) if rician else noisy


def power(x):
    return float(np.mean(x * x))


def test_noise_goes_and_a_second_stage_helps():
    clean, noisy = scene()
    errors = [power(denoise_bm4d(noisy, 5, stages=n) - clean) for n in (1, 2)]
    assert errors[1] < errors[0] < 0.17 * 25


def brain():
    """A part of the MNI brain, up to 100; skips where it is not at hand."""
    root = os.environ.get("VOXKERN_DATA", Path(__file__).parents[3] / "shared" / "data")
    found = sorted((Path(root) / "mni152_2009a_nilearn").glob("*t1*.nii.gz"))
    if not found:
        pytest.skip("set VOXKERN_DATA to a folder with mni152_2009a_nilearn/*t1*.nii.gz")
    x = voxkern.read(found[0]).data[70:102, 70:110, 50:90].astype(np.float64)
    return 100 * x / x.max()


def test_a_brain_is_nearer_to_the_truth_than_by_non_local_means():
    clean = brain()
    rng = np.random.default_rng(0)
    for sigma in (4, 8):
        noisy = np.hypot(
            clean + rng.normal(0, sigma, clean.shape), rng.normal(0, sigma, clean.shape)
        )
        error = power(denoise_bm4d(noisy, sigma, rician=True) - clean)
        best = min(
            power(denoise_nl_means(noisy, 3, 4, h=h * sigma, sigma=sigma, rician=True) - clean)
            for h in (0.6, 0.8, 1, 1.2)
        )
        assert error < 0.8 * best


def test_the_authors_program_is_no_better():
    bm4d = pytest.importorskip("bm4d", reason="pip install bm4d")
    clean = brain()
    noisy = clean + np.random.default_rng(0).normal(0, 5, clean.shape)
    assert power(denoise_bm4d(noisy, 5) - clean) < power(bm4d.bm4d(noisy, 5.0) - clean)


def test_what_has_no_noise_stays():
    flat = np.full((6, 7, 8), 9, np.uint8)
    np.testing.assert_allclose(denoise_bm4d(flat, 3), 9, rtol=1e-5)
    np.testing.assert_array_equal(denoise_bm4d(flat), 9)
    clean, _ = scene()
    np.testing.assert_array_equal(denoise_bm4d(clean, 0), clean)
    np.testing.assert_allclose(denoise_bm4d(clean, 1e-6), clean, atol=1e-4)


def test_brightness_scales_and_shifts():
    _, noisy = scene((12, 13, 14))
    y = denoise_bm4d(noisy, 5)
    np.testing.assert_allclose(denoise_bm4d(8 * noisy, 40), 8 * y, rtol=1e-9)
    np.testing.assert_allclose(denoise_bm4d(noisy + 64, 5), y + 64, rtol=1e-6)


def test_rician_noise_is_taken_off_with_its_bias():
    clean = np.full((24, 24, 24), 12.0)
    rng = np.random.default_rng(0)
    noisy = np.hypot(clean + rng.normal(0, 6, clean.shape), rng.normal(0, 6, clean.shape))
    assert noisy.mean() > 13
    y = denoise_bm4d(noisy, 6, rician=True)
    assert y.mean() == pytest.approx(12, abs=0.25)
    assert y.std() < 0.1 * noisy.std()
    clean, noisy = scene(rician=True)
    plain = power(denoise_bm4d(noisy, 5) - clean)
    assert power(denoise_bm4d(noisy, 5, rician=True) - clean) < plain
    dark = np.hypot(*rng.normal(0, 6, (2, 16, 16, 16)))
    assert denoise_bm4d(dark, 6, rician=True).mean() < 0.25 * dark.mean()


def test_the_inverse_is_of_the_means_of_magnitudes():
    module = sys.modules["voxkern.filters._bm4d"]
    rng = np.random.default_rng(0)
    for signal in (0.5, 1, 3, 19, 21, 60):
        z = np.hypot(signal + rng.normal(size=200000), rng.normal(size=200000))
        mean = module._stable(z, 1.0).mean()
        assert module._magnitude(np.array([mean]))[0] == pytest.approx(signal, abs=0.03)


def test_a_search_reaches_as_far_along_all_axes_as_the_spacing_says():
    _, noisy = scene((12, 14, 16))
    want = denoise_bm4d(noisy, 5, search=(2, 4, 3))
    np.testing.assert_array_equal(denoise_bm4d(noisy, 5, search=4, spacing=(4, 2, 3)), want)
    np.testing.assert_array_equal(denoise_bm4d(noisy, 5, search=(2, 4, 3), spacing=(9, 1, 1)), want)


def test_any_number_of_threads_gives_the_same_bits_and_steps_are_told():
    _, noisy = scene((24, 40, 17))
    noisy, steps = noisy.astype(np.float32), []
    one = denoise_bm4d(noisy, workers=1, progress=lambda done, n: steps.append((done, n)))
    np.testing.assert_array_equal(denoise_bm4d(noisy, workers=3), one)
    assert steps == [(i, 8) for i in range(1, 9)]


def test_numba_gives_the_same_answer():
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    _, noisy = scene((9, 10, 11))
    with use_backend("numba"):
        got = denoise_bm4d(noisy, 5, search=3)
    np.testing.assert_allclose(got, denoise_bm4d(noisy, 5, search=3), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
def test_types_series_and_outputs(dtype):
    x = np.stack([scene((8, 9, 10), seed=s)[1] for s in range(2)]).astype(dtype)
    y = denoise_bm4d(x, 5.03)  # no whole number is cut off or kept by rounding
    assert y.dtype == ("float64" if dtype == "int32" else "float32")
    out = np.empty(x[0].shape, y.dtype)
    assert denoise_bm4d(x[1], 5.03, out=out) is out
    np.testing.assert_array_equal(out, y[1])
    np.testing.assert_allclose(y, denoise_bm4d(x.astype(float), 5.03), atol=1e-3)
    assert denoise_bm4d(x[:0], 5).shape == (0, 8, 9, 10)


@pytest.mark.parametrize("shape", [(4, 4, 4), (5, 4, 30), (4, 31, 6)], ids=str)
@pytest.mark.parametrize("step", [1, 4])
def test_every_voxel_is_answered(shape, step):
    _, noisy = scene(shape)
    assert np.isfinite(denoise_bm4d(noisy, 5, step=step, search=2)).all()


def test_nan_spoils_only_what_is_near():
    _, noisy = scene((14, 15, 40))
    noisy[7, 7, 5] = np.nan
    bad = np.isnan(denoise_bm4d(noisy, 5))
    assert bad[7, 7, 5]
    assert not bad[:, :, 20:].any()


@pytest.mark.parametrize(
    ("image", "arguments", "text"),
    [
        (np.zeros((9, 9)), {}, "image must have at least 3 axes; got 2"),
        (np.zeros((3, 9, 9)), {}, "image must have at least 4 voxels along its axes"),
        (np.zeros((9, 9, 9)), {"sigma": -1}, "sigma must be at least 0"),
        (np.zeros((9, 9, 9)), {"stages": 3}, "stages must be 1 or 2; got 3"),
        (np.zeros((9, 9, 9)), {"search": 0}, "search must be at least 1"),
        (np.zeros((9, 9, 9)), {"step": 5}, "step must be at most 4; got 5"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(image, arguments, text):
    with pytest.raises(ValueError, match=text):
        denoise_bm4d(image, **arguments)
