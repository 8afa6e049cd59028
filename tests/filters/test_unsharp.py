"""Unsharp masking: truths, scikit-image's answer, refusals."""

import numpy as np
import pytest

from voxkern import _args, gaussian_filter, unsharp_mask

SHAPES = [(40,), (1,), (7, 10), (1, 50), (3, 40, 33), (2, 3, 4, 5)]


def image(shape, dtype):
    x = 100 + 30 * np.random.default_rng(0).standard_normal(shape)
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", _args.REAL)
def test_a_constant_image_stays_constant(dtype):
    sharp = unsharp_mask(np.full((4, 9, 20), 50, dtype), 2.0, 3.0)
    np.testing.assert_allclose(sharp, 50, rtol=1e-6)
    assert sharp.dtype == (np.float64 if dtype in ("int32", "float64") else np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_it_is_what_the_gaussian_takes_away(shape, dtype):
    x = image(shape, dtype)
    y = x.astype(np.float64)
    want = y + 1.7 * (y - gaussian_filter(y, (1.5,) * min(3, len(shape))))
    np.testing.assert_allclose(
        unsharp_mask(x, 1.5, 1.7), want, rtol=0, atol=2e-4 if dtype != "float64" else 1e-10
    )


@pytest.mark.parametrize("radius", [0, 0.7, 2, (0, 1, 3)])
@pytest.mark.parametrize("amount", [-0.5, 0, 1, 2.5])
def test_scikit_images_answer(radius, amount):
    filters = pytest.importorskip("skimage.filters")
    x = image((6, 20, 41), "float32")
    want = filters.unsharp_mask(x, radius, amount, preserve_range=True)
    np.testing.assert_allclose(unsharp_mask(x, radius, amount), want, rtol=0, atol=3e-4)
    bytes_ = image((20, 41), "uint8")
    want = filters.unsharp_mask(bytes_, 1.0, amount)  # in [0, 1]
    got = np.clip(unsharp_mask(bytes_, 1.0, amount) / 255, 0, 1)
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-6)


def test_spacing_is_the_unit_of_radius():
    x = image((5, 20, 30), "float64")
    want = unsharp_mask(x, (2, 1, 4))
    np.testing.assert_array_equal(unsharp_mask(x, 2, spacing=(1, 2, 0.5)), want)


def test_memory_of_any_order_gives_the_same():
    x = image((30, 31, 33), "float32")[::2, ::-1, ::3]
    out = np.empty(x.shape[::-1], np.float32).T
    assert unsharp_mask(x, out=out) is out
    np.testing.assert_array_equal(out, unsharp_mask(np.ascontiguousarray(x)))


def test_refusals_name_the_parameter():
    x = image((4, 5, 6), "float32")
    with pytest.raises(ValueError, match="radius must be at least 0"):
        unsharp_mask(x, -1)
    with pytest.raises(ValueError, match="amount must be finite"):
        unsharp_mask(x, 1, np.inf)
    with pytest.raises(TypeError, match="image must be uint8"):
        unsharp_mask(x.astype(complex))
