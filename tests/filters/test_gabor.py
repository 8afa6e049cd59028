"""Gabor filters: truths, scikit-image's answer, refusals. IBSI's maps are in test_ibsi2."""

import sys

import numpy as np
import pytest

from voxkern import gabor
from voxkern.filters._gabor import _filter


def image(shape=(6, 19, 23), dtype="float64", seed=0):
    return (100 * np.random.default_rng(seed).random(shape)).astype(dtype)


def direct(x, sigma, wavelength, gamma, theta, radius, mode):
    """The definition, in a plane, by sums over a box."""
    ndimage = pytest.importorskip("scipy.ndimage")
    r = np.arange(-radius, radius + 1)
    v, u = np.meshgrid(r, r, indexing="ij")
    along = u * np.cos(theta) + v * np.sin(theta)
    across = v * np.cos(theta) - u * np.sin(theta)
    f = np.exp(-(along**2 + (gamma * across) ** 2) / (2 * sigma**2))
    f = f * np.exp(2j * np.pi * along / wavelength)
    return np.hypot(ndimage.convolve(x, f.real, mode=mode), ndimage.convolve(x, f.imag, mode=mode))


def test_an_impulse_shows_the_gaussian():
    x = np.zeros((41, 41))
    x[20, 20] = 1
    y = gabor(x, 3, 5, 0.5, np.pi / 2, mode="constant", truncate=6)
    v, u = np.mgrid[-20:21, -20:21]
    np.testing.assert_allclose(y, np.exp(-(v**2 + (0.5 * u) ** 2) / 18), atol=1e-7)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
def test_the_sums_of_the_definition(mode):
    x = image((19, 23))
    got = gabor(x, 1.5, 4, 0.7, 0.4, mode=mode, truncate=6)
    want = direct(x, 1.5, 4, 0.7, 0.4, 15, mode)
    np.testing.assert_allclose(got, want, atol=1e-5 * np.ptp(want))


@pytest.mark.parametrize("cval", [0, 70])
@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize(("gamma", "theta"), [(1, 0.4), (1, 2), (0.6, 0), (2, np.pi / 2)])
def test_filters_that_are_products_give_the_sums_of_the_definition(gamma, theta, mode, cval):
    ndimage = pytest.importorskip("scipy.ndimage")
    x = image((19, 23))
    f = _filter(1.5, 4, gamma, theta, 3, (1, 1))
    want = np.hypot(*(ndimage.correlate(x, w, mode=mode, cval=cval) for w in (f.real, f.imag)))
    got = gabor(x, 1.5, 4, gamma, theta, mode=mode, cval=cval, truncate=3)
    np.testing.assert_allclose(got, want, atol=1e-12 * np.ptp(want))


def test_a_filter_is_a_product_where_gaussian_or_wave_lies_along_the_axes():
    for gamma, theta in ((1, 0.4), (0.6, 0), (2, np.pi / 2), (3, np.pi)):
        first, second = _filter(2, 5, gamma, theta, 4, (1.5, 1), product=True)
        whole = _filter(2, 5, gamma, theta, 4, (1.5, 1))
        np.testing.assert_allclose(first[:, None] * second, whole, atol=1e-12)
    assert _filter(2, 5, 1.1, 0.4, 4, (1, 1), product=True).ndim == 2


@pytest.mark.parametrize("gamma", [0.8, 1])
@pytest.mark.parametrize("pooling", ["mean", "max", "min"])
def test_pooling_over_angles_and_planes(pooling, gamma):
    x = image((13, 14, 15))
    want = []
    for axis in range(3):
        turned = np.moveaxis(x, axis, 0)
        for k in range(8):
            y = gabor(turned, 1.2, 3, gamma, 0.1 + k * np.pi / 4)
            want.append(np.moveaxis(y, 0, axis))
    got = gabor(x, 1.2, 3, gamma, 0.1, step=np.pi / 4, planes="all", pooling=pooling)
    np.testing.assert_allclose(got, getattr(np, pooling)(want, axis=0), rtol=1e-9)


def test_scikit_images_answer():
    filters = pytest.importorskip("skimage.filters")
    x = image((40, 45))
    # Where scikit-image ends its filter depends on the angle: both end far out here.
    real, imaginary = filters.gabor(x, 0.25, 0.5, sigma_x=2, sigma_y=3, n_stds=6)
    want = np.hypot(real, imaginary) * 2 * np.pi * 2 * 3
    got = gabor(x, 2, 4, 2 / 3, 0.5, truncate=6)
    np.testing.assert_allclose(got, want, atol=2e-6 * np.ptp(want))


def test_spacing_is_a_length():
    x = image((20, 24))
    np.testing.assert_allclose(gabor(x, 6, 12, spacing=3), gabor(x, 2, 4), rtol=1e-12)
    wave = np.tile(np.cos(np.arange(64) * np.pi / 4), (64, 1))[:, ::2]  # a wave of 4 columns
    y = gabor(wave, 6, 8, spacing=(1, 2))
    assert y[32, 16] == pytest.approx(np.pi * 36 / 2, rel=0.02)


def test_constant_types_series_outputs_and_threads():
    assert gabor(np.full((9, 9), 7, np.uint8), 2, 3).max() < 7 * 25 * 0.01
    x = image((2, 3, 12, 14), "int16")
    y = gabor(x, 1.5, 4, step=1)
    assert y.dtype == np.float32
    out = np.empty(x[0].shape, np.float32)
    assert gabor(x[1], 1.5, 4, step=1, out=out, workers=1) is out
    np.testing.assert_array_equal(out, y[1])
    np.testing.assert_allclose(y[1, 2], gabor(x[1, 2].astype(float), 1.5, 4, step=1), rtol=1e-4)
    assert gabor(x[:0], 1.5, 4).shape == (0, 3, 12, 14)


def test_sums_on_a_device_give_the_spectra_s_answer():
    module = sys.modules["voxkern.filters._gabor"]
    x, edge = image((5, 12, 14)), 4
    f = module._filter(1.5, 4.0, 0.7, 0.3, 4.0, (1.0, 1.0))
    for pair in ((1, 2), (0, 2), (0, 1)):
        ((a, b),) = module._by_sums(x, [f], pair, edge, 2.0, "constant", None)
        ((c, d),) = module._by_spectra(x, [f], pair, edge, 2.0, "constant", None)
        np.testing.assert_allclose(a, c, atol=1e-9)
        np.testing.assert_allclose(b, d, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"sigma": 0}, "sigma must be at least 1e-60"),
        ({"wavelength": -1}, "wavelength must be more than 0"),
        ({"gamma": 0}, "gamma must be at least 1e-60"),
        ({"step": 0}, "step must be more than 0"),
        ({"planes": "both"}, "planes must be 'last' or 'all'; got 'both'"),
        ({"planes": "all"}, "planes must be 'last' for an image of 2 axes; got 'all'"),
        ({"pooling": "sum"}, "pooling must be one of max, min, mean"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        gabor(np.zeros((6, 6)), **{"sigma": 2, "wavelength": 4} | arguments)
