"""Gradient and its length: truths, NumPy's, SciPy's and ITK's answers, refusals."""

import numpy as np
import pytest
import scipy.ndimage as ndimage

from voxkern import _args, gradient, gradient_magnitude

SHAPES = [(9,), (2,), (7, 10), (3, 40, 33), (2, 2, 2), (17, 2, 5)]


def image(shape, dtype="float32"):
    x = 100 + 30 * np.random.default_rng(0).standard_normal(shape)
    return x.astype(dtype)


def near(got, want, source, share=1e-6):
    np.testing.assert_allclose(got, want, rtol=0, atol=share * max(1, float(np.ptp(source))))


def test_a_ramp_has_its_slope_everywhere():
    z, y, x = np.mgrid[:5, :6, :40]
    slopes = gradient(1.5 * z - 2.0 * y + 0.25 * x)
    np.testing.assert_array_equal(
        slopes, np.broadcast_to([[[[1.5]]], [[[-2]]], [[[0.25]]]], slopes.shape)
    )


def test_spacing_makes_slopes_per_unit():
    x = 3 * np.arange(9.0)
    np.testing.assert_allclose(gradient(x, spacing=0.5), 6 * np.ones((1, 9)))
    assert gradient_magnitude(x, spacing=0.5)[4] == 6


def test_an_axis_of_one_voxel_has_no_slope():
    x = image((1, 6, 7))
    assert not gradient(x)[0].any()
    np.testing.assert_array_equal(gradient(x)[1:, 0], gradient(x[0]))
    np.testing.assert_array_equal(gradient_magnitude(x)[0], gradient_magnitude(x[0]))


@pytest.mark.parametrize("dtype", _args.REAL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_numpys_gradient(shape, dtype):
    x = image(shape, dtype)
    spacing = (0.7, 2.0, 1.5)[: len(shape)]
    want = np.gradient(x.astype(np.float64), *spacing)
    got = gradient(x, spacing=spacing)
    assert got.dtype == (np.float64 if dtype in ("int32", "float64") else np.float32)
    near(got, np.stack(want) if len(shape) > 1 else want[None], x)


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8"])
@pytest.mark.parametrize("shape", [(20, 31), (8, 20, 31)], ids=str)
def test_itks_gradient_magnitude(shape, dtype):
    sitk = pytest.importorskip("SimpleITK")
    x = image(shape, dtype)
    spacing = (0.7, 2.0, 1.5)[-len(shape) :]
    picture = sitk.GetImageFromArray(x)
    picture.SetSpacing(spacing[::-1])
    want = sitk.GetArrayFromImage(sitk.GradientMagnitude(picture))
    near(gradient_magnitude(x, spacing=spacing), want, x)


@pytest.mark.parametrize("shape", [(20, 31), (8, 20, 31)], ids=str)
def test_itks_recursive_gradient_magnitude(shape):
    sitk = pytest.importorskip("SimpleITK")
    x = image(shape)
    spacing = (0.7, 2.0, 1.5)[-len(shape) :]
    picture = sitk.GetImageFromArray(x)
    picture.SetSpacing(spacing[::-1])
    want = sitk.GetArrayFromImage(sitk.GradientMagnitudeRecursiveGaussian(picture, 2.5))
    near(gradient_magnitude(x, 2.5, spacing=spacing, method="recursive"), want, x, 2e-6)


@pytest.mark.parametrize("method", ["sampled", "recursive"])
def test_the_smoothed_gradient_has_the_magnitudes_length(method):
    x = image((6, 7, 40))
    parts = gradient(x, sigma=(1, 2, 1.5), spacing=(1, 0.5, 2), method=method)
    length = gradient_magnitude(x, (1, 2, 1.5), spacing=(1, 0.5, 2), method=method)
    near(length, np.sqrt((parts.astype(np.float64) ** 2).sum(0)), x)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("mode", ["reflect", "nearest", "wrap"])
def test_scipys_smoothed_gradient(mode, dtype):
    x = image((9, 20, 33), dtype)
    y = x.astype(np.float64)
    got = gradient(x, sigma=1.5, mode=mode)
    for axis in range(3):
        order = [int(a == axis) for a in range(3)]
        near(got[axis], ndimage.gaussian_filter(y, 1.5, order, mode=mode), x, 2e-6)
    want = ndimage.gaussian_gradient_magnitude(y, 1.5, mode=mode)
    near(gradient_magnitude(x, 1.5, mode=mode), want, x, 2e-6)


def test_axes_and_leading_axes():
    x = image((2, 5, 6, 7))
    parts = gradient(x, axes=(1, 3), spacing=(2, 0.5))
    assert parts.shape == (2, 2, 5, 6, 7)
    near(parts[:, 0], np.gradient(x, 2, axis=1), x)
    near(parts[:, 1], np.gradient(x, 0.5, axis=3), x)
    one = gradient_magnitude(x, axes=2)
    near(one[:, :, 1:-1], np.abs(np.gradient(x, axis=2))[:, :, 1:-1], x)


def test_memory_of_any_order_gives_the_same():
    x = image((30, 31, 33))[::2, ::-1, ::3]
    plain = np.ascontiguousarray(x)
    out = np.empty((11, 31, 15, 3), np.float32).T
    assert gradient(x, out=out) is out
    np.testing.assert_array_equal(out, gradient(plain))
    np.testing.assert_array_equal(gradient_magnitude(x), gradient_magnitude(plain))


def test_nan_reaches_its_neighbours_and_not_itself():
    x = image((7, 7, 7))
    x[3, 3, 3] = np.nan
    assert np.isnan(gradient(x)).sum() == 6
    assert np.isnan(gradient_magnitude(x)).sum() == 6
    assert gradient(np.empty((0, 4), np.float32)).shape == (2, 0, 4)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"spacing": 0}, "spacing must be more than 0"),
        ({"sigma": 0}, "sigma must be more than 0"),
        ({"mode": "reflect"}, "mode must be left out where there is no sigma"),
        ({"sigma": 1, "mode": "wrap", "method": "recursive"}, "mode must be 'nearest'"),
        ({"method": "fast"}, "method must be 'sampled' or 'recursive'"),
        ({"axes": ()}, "axes must be among the last three"),
    ],
)
def test_refusals_name_the_parameter(more, message):
    for op in (gradient, gradient_magnitude):
        with pytest.raises(ValueError, match=message):
            op(image((4, 5, 6)), **more)
