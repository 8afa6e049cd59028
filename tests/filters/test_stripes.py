"""Stripes of sinograms: truths, algotom's answers, refusals."""

import importlib.util

import numpy as np
import pytest

from voxkern import median_filter, remove_stripes

needs_pywt = pytest.mark.skipif(
    importlib.util.find_spec("pywt") is None, reason="pip install PyWavelets"
)
METHODS = ["sort", pytest.param("fourier-wavelet", marks=needs_pywt)]


def sinogram(angles=180, columns=128, strength=0.3, seed=0):
    """Discs of an object, and the same with stripes on a tenth of the columns."""
    theta = np.arange(angles)[:, None] * np.pi / angles
    place = np.arange(columns) - columns / 2
    clean = np.zeros((angles, columns))
    for radius, angle, r in ((0, 0, 50), (20, 1, 12), (30, 2.5, 8), (10, 4, 6)):
        apart = place - radius * np.cos(theta - angle)
        clean += 2 * np.sqrt(np.maximum(r * r - apart**2, 0)) / 50
    rng = np.random.default_rng(seed)
    stripes = strength * rng.normal(size=columns) * (rng.random(columns) < 0.1)
    return clean, clean + stripes + rng.normal(0, 0.002, clean.shape)


def ringing(x, clean):
    """What stays on a column through all angles."""
    return np.linalg.norm((x - clean).mean(0))


@pytest.mark.parametrize("method", METHODS)
def test_stripes_go_and_the_object_stays(method):
    clean, striped = sinogram()
    y = remove_stripes(striped, method, levels=3)
    assert ringing(y, clean) < 0.6 * ringing(striped, clean)
    assert np.linalg.norm(y - clean) < 0.65 * np.linalg.norm(striped - clean)
    alone = remove_stripes(clean, method, levels=3)
    assert np.linalg.norm(alone - clean) < 0.03 * np.linalg.norm(clean)


def test_sorting_takes_a_stripe_of_any_strength_off_a_flat_object():
    x = np.tile(np.linspace(1, 2, 40)[:, None], (1, 30))
    striped = x + 1e3 * (np.arange(30) == 12)
    np.testing.assert_allclose(remove_stripes(striped, size=5), x, rtol=1e-12)


@needs_pywt
def test_waves_take_the_columns_means_of_details():
    x = np.tile(np.random.default_rng(0).normal(size=64), (32, 1))
    y = remove_stripes(x, "fourier-wavelet", levels=1, wavelet="haar")
    pairs = x.reshape(32, 32, 2).mean(2)
    np.testing.assert_allclose(y, np.repeat(pairs, 2, 1), atol=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64"])
def test_sorting_is_numpys_with_ties_and_nan(dtype):
    x = np.random.default_rng(0).integers(0, 9, (40, 70)).astype(dtype)
    if dtype.startswith("float"):
        x -= 4
        x[x == 3] = np.nan
        x[x == 2] = -0.0
    order = np.argsort(x, 0, kind="stable")
    middle = median_filter(np.take_along_axis(x, order, 0), (1, 5))
    want = np.empty_like(x)
    np.put_along_axis(want, order, middle, 0)
    np.testing.assert_array_equal(remove_stripes(x, size=5), want)


@needs_pywt
@pytest.mark.parametrize("sigma", [0.3, 2, 50])
@pytest.mark.parametrize("shape", [(64, 50), (33, 71)])
def test_waves_are_damped_as_by_fourier_transforms(shape, sigma):
    import pywt

    x = np.random.default_rng(1).normal(size=shape)
    coarse, *details = pywt.wavedec2(x, "db2", level=2)
    damped = []
    for across, along, both in details:
        spectrum = np.fft.rfft(along, axis=0)
        k = np.arange(len(spectrum))[:, None]
        spectrum *= 1 - np.exp(-(k**2) / (2 * sigma**2))
        damped.append((across, np.fft.irfft(spectrum, len(along), 0), both))
    want = pywt.waverec2([coarse, *damped], "db2")[: shape[0], : shape[1]]
    got = remove_stripes(x, "fourier-wavelet", levels=2, wavelet="db2", sigma=sigma)
    np.testing.assert_allclose(got, want, atol=1e-13)
    assert np.abs(got - x).max() > 0.05


@pytest.mark.parametrize("method", METHODS)
def test_types_stacks_outputs_and_threads(method):
    x = np.stack([sinogram(60, 64, seed=s)[1] for s in range(2)]).astype(np.float32)
    y = remove_stripes(x, method)
    assert y.dtype == np.float32
    out = np.empty(x[0].shape, np.float32)
    assert remove_stripes(x[1], method, out=out, workers=1) is out
    np.testing.assert_array_equal(out, y[1])
    whole = np.clip(100 * x[0], 0, 255).astype(np.uint8)
    got = remove_stripes(whole, method)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, remove_stripes(whole.astype(float), method), atol=1e-3)
    assert remove_stripes(x[:0], method).shape == (0, 60, 64)


def test_algotoms_answer():
    removal = pytest.importorskip("algotom.prep.removal", reason="pip install algotom")
    _, x = sinogram()
    want = removal.remove_stripe_based_sorting(x, 21, dim=1)
    # It sorts in float32, where values near each other change places.
    np.testing.assert_allclose(remove_stripes(x, size=21), want, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"method": "titarenko"}, "method must be 'sort' or 'fourier-wavelet'"),
        ({"size": 0}, "size must be at least 1"),
        ({"levels": 0}, "levels must be at least 1"),
        ({"sigma": 0}, "sigma must be more than 0"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        remove_stripes(np.zeros((8, 8)), **arguments)
    with pytest.raises(ValueError, match="image must have at least 2 axes"):
        remove_stripes(np.zeros(8))
