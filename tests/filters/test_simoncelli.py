"""Simoncelli's wavelet and the Riesz transform: truths and refusals. IBSI's maps: test_ibsi2."""

import itertools

import numpy as np
import pytest

from voxkern import riesz, simoncelli


def image(shape=(8, 9, 10), dtype="float64", seed=0):
    return (100 * np.random.default_rng(seed).random(shape)).astype(dtype)


def test_a_wave_passes_in_its_band_alone():
    wave = np.cos(np.arange(63) * 2 * np.pi * 8 / 63)  # a quarter of the highest frequency
    power = [np.mean(simoncelli(wave, level) ** 2) / np.mean(wave**2) for level in (1, 2, 3, 4)]
    assert power[1] > 0.98
    assert power[0] + power[1] + power[2] == pytest.approx(1, abs=0.02)
    assert power[3] < 1e-20


def test_axes_may_change_places_and_a_constant_goes():
    x = image()
    y = simoncelli(x)
    np.testing.assert_allclose(simoncelli(x.T), y.T, atol=1e-11)
    np.testing.assert_allclose(simoncelli(np.flip(x)), np.flip(y), atol=1e-11)
    np.testing.assert_allclose(simoncelli(np.full((6, 7), 9, np.uint8)), 0, atol=1e-5)


@pytest.mark.parametrize("total", [1, 2, 3])
def test_the_transforms_of_an_order_keep_the_image_s_power(total):
    x = image((7, 9, 11))
    x -= x.mean()
    orders = [o for o in itertools.product(range(total + 1), repeat=3) if sum(o) == total]
    power = sum((riesz(x, o) ** 2).sum() for o in orders)
    assert power == pytest.approx((x**2).sum())


def test_a_wave_is_turned_by_a_quarter_along_its_axis_only():
    wave = np.tile(np.cos(np.arange(16) * np.pi / 4), (12, 1))
    np.testing.assert_allclose(riesz(wave, (0, 1)), np.roll(wave, 2, 1), atol=1e-14)
    np.testing.assert_allclose(riesz(wave, (1, 0)), 0, atol=1e-14)
    np.testing.assert_allclose(riesz(wave, (0, 2)), -wave, atol=1e-14)
    np.testing.assert_allclose(riesz(wave, (0, 0)), wave, atol=1e-14)


@pytest.mark.parametrize("run", [simoncelli, lambda x, **kw: riesz(x, (1, 1), **kw)])
def test_types_axes_and_outputs(run):
    x = image((3, 4, 8, 10), "int16")
    y = run(x, axes=(2, 3))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y[1, 2], run(x[1, 2].astype(float), axes=(0, 1)), atol=1e-4)
    out = np.empty(x.shape, np.float32)
    assert run(x, axes=(2, 3), out=out) is out
    np.testing.assert_array_equal(out, y)
    assert run(x[:0], axes=(2, 3)).shape == (0, 4, 8, 10)
    view = x.transpose(3, 1, 0, 2)
    np.testing.assert_allclose(run(view, axes=(3, 0)), run(view.copy(), axes=(3, 0)))


def test_what_does_not_fit_is_refused_by_name():
    x = np.zeros((2, 4, 4, 4))
    with pytest.raises(ValueError, match="level must be at least 1"):
        simoncelli(x, 0)
    with pytest.raises(ValueError, match="level must be at most 30; got 5000"):
        simoncelli(x, 5000)
    with pytest.raises(ValueError, match="axes must be one to three"):
        simoncelli(x, axes=(0, 1, 2, 3))
    with pytest.raises(ValueError, match="order must have as many numbers as axes"):
        riesz(x, (1, 0, 0), axes=(1, 2))
    with pytest.raises(ValueError, match="order must be at least 0"):
        riesz(x, (1, -1))
