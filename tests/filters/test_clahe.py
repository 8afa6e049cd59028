"""Adaptive equalisation: scikit-image's answer, blocks, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import equalize_adapthist

exposure = pytest.importorskip("skimage.exposure", reason="pip install scikit-image to compare")


def picture(shape, dtype="uint8", seed=0):
    rng = np.random.default_rng(seed)
    ramp = sum(
        np.linspace(0, 1, n).reshape([-1] + [1] * (len(shape) - i - 1)) for i, n in enumerate(shape)
    )
    x = ramp / ramp.max() * 0.7 + 0.3 * rng.random(shape)
    return np.round(x * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(64, 80), (37, 53), (24, 33, 40), (300,)])
@pytest.mark.parametrize("size", [None, 9, 16])
def test_skimage_agrees_to_a_gray_level(dtype, shape, size):
    x = picture(shape, dtype)
    want = exposure.equalize_adapthist(x, kernel_size=size)
    np.testing.assert_allclose(equalize_adapthist(x, size), want, atol=2e-4)


@pytest.mark.parametrize("limit", [0, 0.001, 0.03, 0.5, 1])
@pytest.mark.parametrize("nbins", [32, 100, 256, 1000])
def test_skimage_agrees_on_limits_and_bins(limit, nbins):
    x = picture((70, 61))
    want = exposure.equalize_adapthist(x, (17, 20), limit, nbins)
    np.testing.assert_allclose(equalize_adapthist(x, (17, 20), limit, nbins), want, atol=1e-3)


def test_skimage_agrees_on_floats_of_16_bits():
    x = picture((50, 60), "uint16") / 65535.0
    x.flat[:2] = 0, 1
    want = exposure.equalize_adapthist(x)
    for dtype in ("float32", "float64"):
        got = equalize_adapthist(x.astype(dtype))
        assert got.dtype == dtype
        assert np.mean(np.abs(got - want) < 1e-3) > 0.999


def test_the_unit_is_nothing():
    x = picture((40, 50)).astype(np.float64)
    np.testing.assert_array_equal(equalize_adapthist(x), equalize_adapthist(8 * x - 1024))


def test_a_constant_image_is_constant():
    y = equalize_adapthist(np.full((20, 30), 5, np.int16))
    assert np.ptp(y) == 0


def test_a_block_with_a_margin_has_the_whole_image_s_answer():
    x = picture((16, 96, 128)).astype(np.float32)
    whole = equalize_adapthist(x, (8, 16, 16), value_range=(0, 255))
    block = equalize_adapthist(x[:, 16:80, 32:], (8, 16, 16), value_range=(0, 255))
    np.testing.assert_array_equal(block[:, 24:40, 24:70], whole[:, 40:56, 56:102])


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"kernel_size": 0}, "kernel_size must be at least 1"),
        ({"kernel_size": 40000}, r"kernel_size must be of at most 2\*\*30 voxels in all"),
        ({"clip_limit": -1}, "clip_limit must be at least 0"),
        ({"nbins": 0}, "nbins must be at least 1"),
        ({"nbins": 20000}, "nbins must be at most 16384"),
        ({"value_range": (2, 1)}, "value_range must rise"),
    ],
)
def test_bad_parameters_are_refused_by_name(how, words):
    with pytest.raises(ValueError, match=words):
        equalize_adapthist(np.ones((8, 9)), **how)


def test_four_axes_are_refused():
    with pytest.raises(ValueError, match="image must have 1 to 3 axes"):
        equalize_adapthist(np.ones((2, 2, 2, 2)))
