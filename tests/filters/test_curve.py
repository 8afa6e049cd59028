"""Gamma, equalised and matched histograms: formulae, scikit-image's answers, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import equalize_hist, gamma, match_histograms

exposure = pytest.importorskip("skimage.exposure", reason="pip install scikit-image to compare")

TYPES = ["uint8", "int16", "uint16", "int32", "float32", "float64"]


def noise(dtype, shape=(5, 7, 33), seed=0, scale=60):
    x = np.random.default_rng(seed).standard_normal(shape) * scale
    return (abs(x) if dtype.startswith("u") else x).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("exponent", [0.3, 1, 2.2])
def test_gamma_is_a_power_of_the_share(dtype, exponent):
    x = noise(dtype)
    low, high = -10.0, 100.0
    share = (x.astype(np.float64).clip(low, high) - low) / (high - low)
    got = gamma(x, exponent, (low, high))
    np.testing.assert_allclose(got, share**exponent * (high - low) + low, rtol=1e-6, atol=2e-5)


def test_gamma_keeps_the_ends_and_nan():
    x = np.array([1, 5, np.nan, 9] * 9, np.float32)
    y = gamma(x, 3)
    np.testing.assert_array_equal(y[[0, 2, 3]], [1, np.nan, 9])
    assert 1 < y[1] < 5


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("masked", [False, True])
def test_skimage_equalises_alike(dtype, masked):
    x = noise(dtype)
    mask = np.random.default_rng(1).random(x.shape) < 0.4 if masked else None
    want = exposure.equalize_hist(x, mask=mask)
    got = equalize_hist(x, mask=mask)
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(4, 60, 50), (1, 1, 1), (700, 1, 1)])
def test_skimage_matches_alike(dtype, shape):
    x = noise(dtype)
    for scale in (5, 80):
        r = noise(dtype, shape, 3, scale) + np.dtype(dtype).type(7)
        want = exposure.match_histograms(x, r)
        got = match_histograms(x, r)
        np.testing.assert_array_equal(got, want.astype(got.dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_skimage_matches_images_of_few_values_alike(dtype):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, (20, 30)).astype(dtype) / 7
    r = rng.integers(0, 9, (31, 17)).astype(dtype) ** 2
    want = exposure.match_histograms(x, r).astype(dtype)
    np.testing.assert_array_equal(match_histograms(x, r), want)


def test_many_voxels_match_alike():
    x, r = noise("float32", (60, 70, 80)), noise("float32", (50, 60, 70), 4, 9) ** 3
    want = exposure.match_histograms(x, r)
    np.testing.assert_array_equal(match_histograms(x, r), want)


def test_an_image_matched_to_itself_stays():
    for dtype in TYPES:
        x = noise(dtype)
        np.testing.assert_array_equal(match_histograms(x, x), x)


def test_out_is_written_and_given_back():
    x = noise("float32")
    out = np.empty_like(x)
    assert match_histograms(x, x, out=out) is out
    np.testing.assert_array_equal(out, x)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: gamma(x, 0), "gamma must be more than 0"),
        (lambda x: gamma(x, 1, (3, 1)), "in_range must rise"),
        (lambda x: equalize_hist(x, 0), "nbins must be at least 1"),
        (lambda x: equalize_hist(x, mask=np.zeros(x.shape, bool)), "image must have a voxel"),
        (lambda x: equalize_hist(x * np.nan), "must be finite"),
        (lambda x: match_histograms(x, x * np.nan), "reference must be finite"),
        (lambda x: match_histograms(x, x[:0]), "reference must have a voxel"),
    ],
)
def test_bad_parameters_are_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call(np.arange(1.0, 13.0).reshape(3, 4))


def test_two_types_are_refused():
    with pytest.raises(TypeError, match="reference must be float64, as image is; got uint8"):
        match_histograms(np.zeros(3), np.zeros(3, np.uint8))
