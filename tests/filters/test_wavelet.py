"""Undecimated wavelets: truths, PyWavelets' coefficients, refusals. IBSI's maps: test_ibsi2."""

import numpy as np
import pytest

from voxkern import wavelet
from voxkern.filters._wavelet import _built_in, _filters

NAMES = ["haar", "db1", "db2", "db3", "coif1"]


def image(shape=(7, 8, 9), dtype="float64", seed=0):
    return (100 * np.random.default_rng(seed).random(shape)).astype(dtype)


@pytest.mark.parametrize("name", NAMES)
def test_the_filters_built_in_are_orthonormal(name):
    low, high = _filters(name)
    assert low.sum() == pytest.approx(2**0.5)
    assert high.sum() == pytest.approx(0, abs=1e-14)
    for shift in range(0, low.size, 2):
        apart = low.size - shift
        for a, b, want in ((low, low, shift == 0), (high, high, shift == 0), (low, high, 0)):
            assert a[:apart] @ b[shift:] == pytest.approx(float(want), abs=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_the_filters_built_in_are_pywavelets(name):
    pywt = pytest.importorskip("pywt", reason="pip install PyWavelets")
    found = pywt.Wavelet(name)
    low, high = _filters(name)
    np.testing.assert_allclose(low, found.dec_lo, atol=1e-9)
    np.testing.assert_allclose(high, found.dec_hi, atol=1e-9)


@pytest.mark.parametrize("name", ["haar", "db2", "sym4"])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_pywavelets_stationary_transform(name, level):
    pywt = pytest.importorskip("pywt", reason="pip install PyWavelets")
    x = image((16, 24))
    parts = pywt.swtn(x, name, level)[0]  # the coarsest first
    for bands, key in (("LL", "aa"), ("HL", "da"), ("LH", "ad"), ("HH", "dd")):
        got = wavelet(x, name, bands, level, mode="wrap")
        # The same up to where a filter's middle is said to be.
        spectrum = np.fft.fft2(got) * np.conj(np.fft.fft2(parts[key]))
        match = np.fft.ifft2(spectrum).real
        shift = np.unravel_index(match.argmax(), match.shape)
        np.testing.assert_allclose(np.roll(parts[key], shift, (0, 1)), got, atol=1e-9)


def test_pooling_is_over_all_turns_of_the_image():
    x = image()
    want = np.zeros_like(x)
    for axis, turns in ((None, 1), (0, 1), (0, 2), (0, 3), (1, 1), (1, 3)):
        for turn in range(4):  # 24: a face to look from, and four turns about it
            faced = x if axis is None else np.rot90(x, turns, ((1, 2), (0, 2))[axis])
            turned = np.rot90(faced, turn, (0, 1)).copy()
            y = np.rot90(wavelet(turned, "db2", "LHH", 2), -turn, (0, 1))
            want += y if axis is None else np.rot90(y, -turns, ((1, 2), (0, 2))[axis])
    got = wavelet(x, "db2", "LHH", 2, rotation_invariant=True)
    np.testing.assert_allclose(got, want / 24, atol=1e-10)


def test_a_constant_is_scaled_by_the_low_pass_and_lost_by_the_high():
    x = np.full((9, 9, 9), 3, np.uint8)
    np.testing.assert_allclose(wavelet(x, "db3", "LLL", 2), 3 * 8, rtol=1e-5)
    np.testing.assert_allclose(wavelet(x, "db3", "LHL", 2), 0, atol=1e-5)


def test_types_axes_outputs_and_threads():
    x = image((2, 7, 8, 9), "int16")
    y = wavelet(x, "db2", "LHL", rotation_invariant=True)
    assert y.dtype == np.float32
    out = np.empty(x[0].shape, np.float32)
    assert wavelet(x[1], "db2", "LHL", rotation_invariant=True, out=out, workers=1) is out
    np.testing.assert_array_equal(out, y[1])
    np.testing.assert_array_equal(
        wavelet(x[0], "haar", "LH", axes=(0, 2)), wavelet(x[0], "haar", "HL", axes=(2, 0))
    )
    assert _built_in("db4") is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("haar", "LA"), "bands must be letters L and H; got 'LA'"),
        (("haar", ""), "bands must be one to 2 letters; got ''"),
        (("haar", "LLL"), "bands must be one to 2 letters; got 'LLL'"),
        (("haar", "LL", 0), "level must be at least 1"),
        (("haar", "LL", 31), "level must be at most 30; got 31"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        wavelet(np.zeros((8, 8)), *arguments)


def test_an_unknown_wavelet_is_refused():
    pytest.importorskip("pywt", reason="pip install PyWavelets")
    with pytest.raises(ValueError, match="name must be a discrete wavelet of PyWavelets"):
        wavelet(np.zeros((8, 8)), "db99", "LL")
