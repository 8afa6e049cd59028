"""Wavelet shrinkage: truths, scikit-image's answer, refusals."""

import importlib.util

import numpy as np
import pytest

from voxkern import denoise_wavelet

needs_pywt = pytest.mark.skipif(
    importlib.util.find_spec("pywt") is None, reason="pip install PyWavelets"
)


def scene(shape, dtype="float64", seed=0):
    """Stripes of 20 and 120 in noise."""
    x = 20 + 100.0 * (np.sin(np.indices(shape).sum(0) / 4) > 0)
    return (x + np.random.default_rng(seed).normal(0, 8, shape)).astype(dtype)


@needs_pywt
def test_ripples_below_the_threshold_go():
    x = np.repeat([0.0, 8.0], 16) + np.tile([-0.5, 0.5], 16)
    np.testing.assert_allclose(denoise_wavelet(x, 1, levels=1), np.repeat([0, 8], 16), atol=1e-12)
    np.testing.assert_allclose(denoise_wavelet(x, 0), x, atol=1e-12)


@needs_pywt
@pytest.mark.parametrize("method", ["BayesShrink", "VisuShrink"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(33, 40), (20, 21, 45)], ids=str)
def test_scikit_images_answer(shape, dtype, method):
    restoration = pytest.importorskip("skimage.restoration")
    x = scene(shape, dtype)
    for sigma, wavelet, mode, levels in (
        (None, "db1", "soft", None),
        (8, "db2", "soft", 2),
        (5, "sym4", "hard", 1),
    ):
        want = restoration.denoise_wavelet(
            x, sigma, wavelet, mode, levels, method=method, rescale_sigma=False
        )
        got = denoise_wavelet(x, sigma, wavelet, mode, levels, method)
        assert got.dtype == dtype
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 if dtype == "float32" else 1e-10)


@needs_pywt
def test_integers_volumes_and_outputs():
    x = np.clip(scene((2, 9, 10, 21)), 0, 255).astype(np.uint8)
    y = denoise_wavelet(x)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y[1], denoise_wavelet(x[1].astype(np.float32)))
    out = np.empty(x[0].shape, np.float32)
    assert denoise_wavelet(x[0], out=out) is out
    np.testing.assert_array_equal(out, y[0])


@needs_pywt
def test_nan_spoils_what_covers_it_and_threads_change_nothing():
    x = scene((24, 25, 26), "float32")
    want = denoise_wavelet(x, 8, levels=2, workers=1)
    x[4, 4, 4] = np.nan
    y = denoise_wavelet(x, 8, levels=2, mode="hard", method="VisuShrink", workers=2)
    assert np.isnan(y[4:8, 4:8, 4:8]).any()
    y[4:8, 4:8, 4:8] = 0
    assert not np.isnan(y).any()
    x[4, 4, 4] = scene((24, 25, 26), "float32")[4, 4, 4]
    np.testing.assert_array_equal(denoise_wavelet(x, 8, levels=2, workers=3), want)


@pytest.mark.skipif(importlib.util.find_spec("pywt") is not None, reason="PyWavelets is here")
def test_what_is_missing_is_named_with_its_cure():
    with pytest.raises(ImportError, match=r"pip install 'voxkern\[wavelet\]'"):
        denoise_wavelet(np.zeros((8, 8)))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"sigma": -1}, "sigma must be at least 0"),
        ({"mode": "firm"}, "mode must be 'soft' or 'hard'; got 'firm'"),
        ({"levels": 0}, "levels must be at least 1"),
        ({"method": "SureShrink"}, "method must be 'BayesShrink' or 'VisuShrink'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        denoise_wavelet(np.zeros((8, 8)), **arguments)


@needs_pywt
def test_an_unknown_wavelet_is_refused():
    with pytest.raises(ValueError, match="wavelet must be a discrete wavelet of PyWavelets"):
        denoise_wavelet(np.zeros((8, 8)), wavelet="db99")
