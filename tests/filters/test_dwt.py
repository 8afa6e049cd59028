"""The wavelet transform behind denoising: truths, PyWavelets' coefficients, the way back."""

import itertools

import numpy as np
import pytest

from voxkern.filters._dwt import _dwt, _idwt, split_shape

HAAR = np.array([[1.0, 1.0], [-1.0, 1.0]]) / 2**0.5
NONE = np.empty(0)


def transform(x, low, high, power=NONE, dtype=None):
    """All bands of an image of up to three axes, as a volume."""
    volume = x[(None,) * (3 - x.ndim)]
    shape = split_shape(volume.shape, len(high), x.ndim, 2 if len(low) else 1)
    bands = np.empty(shape, dtype or x.dtype)
    _dwt(volume, bands, np.asarray(low), np.asarray(high), x.ndim, power)
    return bands


def back(bands, shape, low, high, limits=NONE, hard=0):
    y = np.empty((1,) * (3 - len(shape)) + tuple(shape), bands.dtype)
    _idwt(bands, y, np.asarray(low), np.asarray(high), len(shape), limits, hard)
    return y.reshape(shape)


def test_haar_takes_sums_and_differences_of_pairs():
    bands = transform(np.array([1.0, 3.0, 10.0, 4.0, 5.0]), *HAAR)
    want = np.array([4.0, 14.0, 10.0, -2.0, 6.0, 0.0]) / 2**0.5
    np.testing.assert_allclose(bands[0, 0], want, atol=1e-15)


def test_equal_voxels_have_no_details():
    bands = transform(np.full((5, 7, 9), 0.1), *HAAR)
    assert not bands[3:].any()
    assert not bands[:, 4:].any()
    assert not bands[:, :, 5:].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (30,), (1, 5), (33, 40), (5, 6, 9), (2, 70, 1)], ids=str)
def test_pywavelets_answer(shape, dtype):
    pywt = pytest.importorskip("pywt", reason="pip install PyWavelets")
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    for name in pywt.wavelist(kind="discrete"):
        low, high, low_back, high_back = pywt.Wavelet(name).filter_bank
        bands, want = transform(x, low, high), pywt.dwtn(x, name)
        near = 1e-5 if dtype == "float32" else 1e-13
        for key, part in want.items():
            at = tuple(
                slice(n, 2 * n) if d == "d" else slice(n)
                for d, n in zip(key, part.shape, strict=True)
            )
            got = bands[(0,) * (3 - x.ndim)][at]
            np.testing.assert_allclose(got, part, atol=near, err_msg=f"{name} {key}")
        whole = pywt.idwtn(want, name)
        for size in itertools.product(*((n, n - n % 2) for n in whole.shape)):
            if all(size):
                got = back(bands, size, low_back, high_back)
                part = whole[tuple(map(slice, size))]
                np.testing.assert_allclose(got, part, atol=near, err_msg=name)


def test_the_high_pass_alone_is_the_last_band():
    x = np.random.default_rng(1).integers(0, 99, (6, 7, 9)).astype(np.uint8)
    want = transform(x, *HAAR, dtype=np.float64)[3:, 4:, 5:]
    np.testing.assert_array_equal(transform(x, NONE, HAAR[1], dtype=np.float64), want)


def test_power_is_the_sum_of_squares_of_each_band():
    x = np.random.default_rng(2).normal(size=(6, 8))
    power = np.empty(8)
    bands = transform(x, *HAAR, power)[0]
    want = [(bands[k : k + 3, i : i + 4] ** 2).sum() for k in (0, 3) for i in (0, 4)]
    np.testing.assert_allclose(power, [*want, 0, 0, 0, 0], rtol=1e-14)


@pytest.mark.parametrize("hard", [0, 1])
def test_small_coefficients_go_and_nan_stays(hard):
    bands = np.array([[[5.0, 1.0, -3.0, np.nan, 0.5, -0.5, 4.0, -4.0]]])
    limits = np.array([2.0, 1, 0, 0, 0, 0, 0, 0])
    y = back(bands, (8,), HAAR[0], HAAR[0] * [1, -1], limits, hard)
    low = [5.0, 0.0, -3.0, np.nan] if hard else [3.0, 0.0, -1.0, np.nan]
    high = [0.0, 0.0, 4.0, -4.0] if hard else [0.0, 0.0, 3.0, -3.0]
    want = np.stack([np.add(low, high), np.subtract(low, high)], 1).ravel() / 2**0.5
    np.testing.assert_allclose(y, want, atol=1e-15)
