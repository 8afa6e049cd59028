"""Mean and deviation within boxes: truths, NumPy's and ITK's answers, refusals."""

import numpy as np
import pytest
import scipy.ndimage as ndimage

from voxkern import _args, local_mean, local_std

MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]
SHAPES = [(9,), (1,), (7, 10), (1, 50), (40, 1), (3, 40, 133), (17, 1, 5), (2, 3, 4, 5)]


def image(shape, dtype="float64"):
    x = 100 + 30 * np.random.default_rng(0).standard_normal(shape)
    return x.astype(dtype)


def of_boxes(x, size, mode, function):
    sizes = np.broadcast_to(size, min(3, x.ndim))
    pad = [(0, 0)] * (x.ndim - len(sizes)) + [(s // 2, s - 1 - s // 2) for s in sizes]
    name = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge"}.get(mode, mode)
    more = {"constant_values": 7} if mode == "constant" else {}
    wide = np.pad(x.astype(np.float64), pad, mode=name, **more)
    last = tuple(range(x.ndim - len(sizes), x.ndim))
    boxes = np.lib.stride_tricks.sliding_window_view(wide, tuple(sizes), last)
    return function(boxes, axis=tuple(range(-len(sizes), 0)))


@pytest.mark.parametrize("dtype", _args.REAL)
def test_a_constant_image_has_its_mean_and_no_deviation(dtype):
    x = np.full((5, 9, 70), 117, dtype)
    np.testing.assert_array_equal(local_mean(x, 5), 117)
    assert not local_std(x, (3, 4, 30)).any()


def test_half_of_a_box_at_each_of_two_values():
    x = np.repeat([0.0, 2.0], 50)
    assert local_mean(x, 20)[50] == 1
    assert local_std(x, 20)[50] == 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", _args.REAL)
def test_numpys_mean_and_deviation(shape, dtype):
    x = image(shape, dtype)
    near = 1e-9 if dtype in ("int32", "float64") else 2e-5
    np.testing.assert_allclose(local_mean(x, 3), of_boxes(x, 3, "reflect", np.mean), atol=near)
    got = local_std(x, 3)
    assert got.dtype == (np.float64 if dtype in ("int32", "float64") else np.float32)
    np.testing.assert_allclose(got, of_boxes(x, 3, "reflect", np.std), atol=max(near, 1e-6))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [1, 2, 5, (4, 1, 9), (2, 7, 16)], ids=str)
def test_boxes_of_any_size_in_every_mode(size, mode):
    x = image((8, 30, 70))
    want = of_boxes(x, size, mode, np.mean)
    np.testing.assert_allclose(local_mean(x, size, mode=mode, cval=7), want, atol=1e-10)
    want = of_boxes(x, size, mode, np.std)
    np.testing.assert_allclose(local_std(x, size, mode=mode, cval=7), want, atol=2e-6)


@pytest.mark.parametrize("size", [(11, 3, 5), (41, 1, 301), (3, 90, 3)], ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_boxes_larger_than_the_image(size, mode):
    x = image((5, 6, 70))
    want = ndimage.uniform_filter(x, size, mode=mode, cval=7)
    np.testing.assert_allclose(local_mean(x, size, mode=mode, cval=7), want, atol=1e-9)


def test_an_offset_costs_no_digit():
    x = image((6, 40, 90))
    np.testing.assert_allclose(local_std(x + 2.0**30, 5), local_std(x, 5), rtol=1e-6)
    steps = x + 1e6 * (np.arange(90) > 44)
    got = local_std(steps, 3)[..., :40]
    np.testing.assert_allclose(got, local_std(x, 3)[..., :40], rtol=1e-3)


def test_itks_noise():
    sitk = pytest.importorskip("SimpleITK")
    x = image((8, 20, 31), "float32")
    noise = sitk.GetArrayFromImage(sitk.Noise(sitk.GetImageFromArray(x), [2, 1, 1]))
    got = local_std(x, (3, 3, 5), mode="nearest") * np.sqrt(45 / 44)
    np.testing.assert_allclose(got, noise, rtol=1e-4)


def test_nan_and_infinity_reach_as_far_as_the_box():
    x = image((12, 12, 80), "float32")
    x[5, 5, 5] = np.nan
    x[5, 5, 60] = np.inf
    assert np.isnan(local_mean(x, 3)).sum() == 27
    assert np.isinf(local_mean(x, 3)).sum() == 27
    assert np.isnan(local_std(x, 3)).sum() == 54
    x[0, 0, 0] = np.nan
    assert np.isnan(local_std(x, 3, mode="nearest")).sum() == 54 + 8


def test_axes():
    x = image((4, 5, 6, 7))
    want = ndimage.uniform_filter(x, (3, 5), axes=(0, 2))
    np.testing.assert_allclose(local_mean(x, (3, 5), axes=(0, 2)), want, atol=1e-10)


def test_memory_of_any_order_and_threads_give_the_same():
    x = image((30, 31, 133), "float32")[::2, ::-1, ::3]
    out = np.empty(x.shape[::-1], np.float32).T
    assert local_std(x, 5, out=out) is out
    np.testing.assert_array_equal(out, local_std(np.ascontiguousarray(x), 5, workers=1))
    assert local_mean(np.empty((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"size": 0}, "size must be at least 1"),
        ({"mode": "same"}, "mode must be one of"),
        ({"cval": 0.5}, "cval must be a whole number for uint8"),
        ({"axes": 5}, "axes must be in"),
    ],
)
def test_refusals_name_the_parameter(more, message):
    for op in (local_mean, local_std):
        with pytest.raises(ValueError, match=message):
            op(image((4, 5, 6), "uint8"), **more)
