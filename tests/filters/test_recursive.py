"""Recursive Gaussian: truths, ITK's answer, SciPy's nearly, refusals."""

import numpy as np
import pytest
import scipy.ndimage as ndimage

from voxkern import _args, gaussian_filter

SPACING = (2.0, 1.25, 0.7)


def recursive(x, sigma, order=0, **more):
    return gaussian_filter(x, sigma, order, method="recursive", **more)


def noise(shape, dtype="float32"):
    x = 100 + 30 * np.random.default_rng(1).standard_normal(shape)
    return x.astype(dtype)


def near(got, want, source, share=1e-6):
    np.testing.assert_allclose(got, want, rtol=0, atol=share * float(np.ptp(source)))


@pytest.mark.parametrize("dtype", _args.REAL)
def test_a_constant_image_stays_constant_to_the_last_bit(dtype):
    x = np.full((5, 9, 40), 117, dtype)
    np.testing.assert_array_equal(recursive(x, 3.3), x)
    for order in (1, 2):
        assert not recursive(x, 3.3, order).any()


@pytest.mark.parametrize("sigma", [0.8, 2, 7.5])
def test_a_ramp_has_its_slope_and_a_parabola_its_curvature(sigma):
    t = np.arange(400.0)
    middle = slice(180, 220)
    np.testing.assert_allclose(recursive(5 * t, sigma, 1)[middle], 5, rtol=1e-9)
    np.testing.assert_allclose(recursive(1.5 * t * t, sigma, 2)[middle], 3, rtol=1e-6)
    np.testing.assert_allclose(recursive(5 * t, 2 * sigma, 1, spacing=2)[middle], 2.5, rtol=1e-9)


def test_the_answer_turns_with_the_image():
    x = noise((12, 13, 14), "float64")
    want = recursive(x, (1, 2, 3))
    near(recursive(x.transpose(2, 0, 1), (3, 1, 2)).transpose(1, 2, 0), want, x, 1e-12)
    near(recursive(x[::-1, :, ::-1], (1, 2, 3))[::-1, :, ::-1], want, x, 1e-12)


@pytest.mark.parametrize(
    "shape", [(1,), (3,), (2, 5), (1, 1, 70), (40, 1, 3), (2, 3, 4, 5)], ids=str
)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_lines_of_any_length_are_those_of_the_endless_line(shape, order):
    x = noise(shape, "float64")
    pad = [(0, 0)] * max(0, len(shape) - 3) + [(60, 60)] * min(3, len(shape))
    inner = tuple(slice(p, p + n) for n, (p, _) in zip(shape, pad, strict=True))
    wide = recursive(np.pad(x, pad, mode="edge"), 1.7, order)
    np.testing.assert_allclose(recursive(x, 1.7, order), wide[inner], rtol=0, atol=1e-9)


@pytest.mark.parametrize("sigma", [1, 3, 12])
def test_it_is_nearly_a_gaussian(sigma):
    x = noise((6, 50, 300), "float64")
    near(recursive(x, sigma), ndimage.gaussian_filter(x, sigma, mode="nearest"), x, 1e-3)
    step = np.repeat([0.0, 1], 200)
    want = ndimage.gaussian_filter(step, sigma, mode="nearest", truncate=8)
    assert 1e-3 < np.abs(recursive(step, sigma) - want).max() < 1.4e-3


@pytest.mark.parametrize("sigma", [0.7, 2, 5, 20])
@pytest.mark.parametrize("shape", [(33, 40), (20, 30, 41)], ids=str)
def test_itks_smoothing(shape, sigma):
    sitk = pytest.importorskip("SimpleITK")
    x = noise(shape)
    spacing = SPACING[-len(shape) :]
    image = sitk.GetImageFromArray(x)
    image.SetSpacing(spacing[::-1])
    want = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(image, float(sigma)))
    near(recursive(x, sigma, spacing=spacing), want, x, 2e-6)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_itks_derivatives(axis, order):
    sitk = pytest.importorskip("SimpleITK")
    x = noise((20, 30, 41))
    unit = SPACING[axis]
    image = sitk.GetImageFromArray(x)
    image.SetSpacing(SPACING[::-1])
    for scaled in (False, True):
        want = sitk.RecursiveGaussian(image, 3.0, scaled, order, 2 - axis)
        want = sitk.GetArrayFromImage(want) / (3.0**order if scaled else 1)
        got = recursive(x, 3.0, order, axes=axis, spacing=unit) * unit**order
        near(got, want, x, 2e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
def test_integers_are_rounded_once(dtype):
    x = noise((9, 20, 70), dtype)
    want = np.rint(recursive(x.astype(np.float64), 2.0))
    assert np.mean(recursive(x, 2.0) != want) < 1e-3
    assert np.abs(recursive(x, 2.0) - want).max() <= 1


def test_what_a_type_cannot_hold_is_cut_to_its_range():
    down = np.repeat(np.array([200, 0], np.uint8), 20)
    assert not recursive(down, 1.0, 1).any()
    assert recursive(down[::-1], 1.0, 1).any()
    step = np.repeat(np.array([-32768, 32767], np.int16), 20)
    slope = recursive(step, 0.25, 1, spacing=0.5)
    assert slope.max() == 32767
    assert slope.min() > -5000


def test_a_large_offset_costs_no_digit():
    x = noise((10, 20, 30), "float64")
    near(recursive(x + 1e9, 2.0, 1), recursive(x, 2.0, 1), x, 1e-7)


def test_nan_stays_in_its_lines():
    x = noise((5, 6, 40))
    x[2, 3, 4] = np.nan
    assert np.isnan(recursive(x, 2.0, axes=2)[2, 3]).all()
    assert np.isnan(recursive(x, 2.0, axes=2)).sum() == 40
    assert np.isnan(recursive(x, (0, 2, 0))).sum() == 6


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_memory_of_any_order_gives_the_same(dtype):
    x = noise((30, 31, 32), dtype)[::2, ::-1, ::3]
    out = np.empty(x.shape[::-1], dtype).T
    assert recursive(x, 1.5, out=out) is out
    np.testing.assert_array_equal(out, recursive(np.ascontiguousarray(x), 1.5))


def test_planes_too_large_for_the_cache_give_the_same():
    x = noise((5, 300, 400))
    want = np.stack([recursive(p, 3.0) for p in x])
    np.testing.assert_array_equal(recursive(x, 3.0, axes=(1, 2)), want)
    wide = noise((4, 20, 30))
    want = recursive(recursive(wide, 3.0, axes=(1, 2)), 3.0, axes=0)
    np.testing.assert_array_equal(recursive(wide, 3.0), want)


def test_threads_do_not_change_a_bit():
    x = noise((20, 33, 65))
    np.testing.assert_array_equal(recursive(x, 2.0, workers=1), recursive(x, 2.0, workers=3))


def test_sigma_of_zero_leaves_an_axis_as_it_is():
    x = noise((6, 7, 8))
    np.testing.assert_array_equal(recursive(x, 0), x)
    assert recursive(np.empty((0, 3), np.float32), 1.0).shape == (0, 3)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"mode": "reflect"}, "mode must be 'nearest'"),
        ({"order": 3}, "order must be 0, 1 or 2"),
        ({"sigma": -1}, "sigma must be at least 0"),
        ({"sigma": 20, "spacing": 1e-3}, "sigma must be at most 10000 voxels"),
        ({"truncate": 3}, "truncate and radius must be left out"),
        ({"radius": 3}, "truncate and radius must be left out"),
        ({"method": "fast"}, "method must be 'sampled' or 'recursive'"),
    ],
)
def test_refusals_name_the_parameter(more, message):
    args = {"sigma": 2.0, "method": "recursive", **more}
    with pytest.raises(ValueError, match=message):
        gaussian_filter(noise((4, 5, 6)), **args)
