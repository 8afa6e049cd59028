"""Uniform filter: truths, properties, SciPy's answer, refusals."""

import numpy as np
import pytest
import scipy.ndimage as ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from like_scipy import MODES, SHAPES, hold, image

from voxkern import _args, uniform_filter, uniform_filter1d


def test_one_bright_voxel_becomes_the_box():
    x = np.zeros((7, 7, 7))
    x[3, 3, 3] = 27
    want = np.zeros_like(x)
    want[2:5, 2:5, 2:5] = 1
    np.testing.assert_allclose(uniform_filter(x, 3), want, atol=1e-15)


def test_integers_are_cut_after_each_axis():
    x = np.array([[0, 0, 8], [0, 0, 0], [0, 0, 0]], np.uint8)
    assert uniform_filter(x, 3)[0, 1] == (8 * 2 // 3) // 3
    assert uniform_filter(-x.astype(np.int16), 3)[0, 1] == -((8 * 2 // 3) // 3)


@pytest.mark.parametrize("dtype", _args.REAL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_scipys_answer(mode, shape, dtype):
    x = image(shape, dtype)
    for size, origin in ((1, 0), (2, 0), (3, -1), (5, 2), (8, 0), (16, 3), (33, -16)):
        args = {"mode": mode, "cval": 3, "origin": origin}
        want = ndimage.uniform_filter(x, size, **args)
        hold(uniform_filter(x, size, **args), want, x)


@pytest.mark.parametrize("size", [5, 21, 64, 65, 127, 128, 129, 300])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_windows_and_tiles_of_any_size(dtype, size):
    x = image((3, 90, 700), dtype)
    x[0] = np.iinfo(dtype).max if dtype != "float32" else x[0]
    for mode in ("mirror", "wrap"):
        want = ndimage.uniform_filter(x, size, mode=mode)
        for workers in (1, 5):
            hold(uniform_filter(x, size, mode=mode, workers=workers), want, x)


def test_floats_do_not_drift_after_a_large_value():
    x = np.ones((2, 3, 4000), np.float32)
    x[:, :, 5] = 1e9
    assert (uniform_filter(x, 3)[:, :, 10:] == 1).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("size", [3, 25])
def test_nan_and_infinity_reach_as_far_as_the_box(bad, size):
    x = image((45, 46, 61), "float32")
    far = np.ones(x.shape, bool)
    r = size // 2
    far[22 - r : 23 + r, 23 - r : 24 + r, 30 - r : 31 + r] = False
    want = uniform_filter(x, size)
    x[22, 23, 30] = bad
    y = uniform_filter(x, size)
    np.testing.assert_array_equal(y[far], want[far])
    assert not np.isfinite(y[~far]).any()


@pytest.mark.parametrize("dtype", ["int16", "float64"])
@pytest.mark.parametrize("axes", [0, -1, (0, 2), (0, 1, 3), ()])
def test_any_axes(axes, dtype):
    x = image((4, 5, 6, 7), dtype)
    want = ndimage.uniform_filter(x, 3, axes=axes)
    hold(uniform_filter(x, 3, axes=axes), want, x)
    out = np.empty_like(x)
    assert uniform_filter(x, 3, axes=axes, out=out) is out
    hold(out, want, x)


def test_one_value_an_axis_and_one_axis():
    x = image((6, 7, 8), "float64")
    args = {"size": (3, 1, 4), "mode": ("wrap", "reflect", "nearest"), "origin": (1, 0, -2)}
    hold(uniform_filter(x, **args), ndimage.uniform_filter(x, **args), x)
    hold(uniform_filter1d(x, 4, 0), ndimage.uniform_filter1d(x, 4, 0), x)


def test_axes_before_the_last_three_are_looped_over():
    x = image((2, 3, 4, 5), "float32")
    hold(uniform_filter(x, 3), ndimage.uniform_filter(x, 3, axes=(1, 2, 3)), x)


@pytest.mark.parametrize("dtype", _args.REAL)
def test_any_memory_layout(dtype):
    x = image((12, 14, 16), dtype)
    for view in (x[::2, ::-1, ::3], x.transpose(2, 0, 1), x[:, :, 3:5]):
        hold(uniform_filter(view, 3), ndimage.uniform_filter(view, 3), x)


def test_an_empty_image_stays_empty():
    assert uniform_filter(np.zeros((3, 0, 4), np.float32), 5).shape == (3, 0, 4)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1).map(np.random.default_rng),
    st.lists(st.integers(1, 24), min_size=1, max_size=3).map(tuple),
    st.integers(0, 20).map(lambda n: 2 * n + 1),
    st.sampled_from(MODES),
)
def test_flips_commute_with_the_filter(rng, shape, size, mode):
    x = rng.standard_normal(shape)
    y = uniform_filter(x, size, mode=mode)
    for axis in range(x.ndim):
        flipped = np.flip(uniform_filter(np.flip(x, axis), size, mode=mode), axis)
        np.testing.assert_allclose(flipped, y, atol=1e-12)


@pytest.mark.parametrize(
    ("error", "args", "message"),
    [
        (ValueError, {"size": 0}, "size must be at least 1; got 0"),
        (TypeError, {"size": 2.5}, "size must be an integer"),
        (ValueError, {"size": (3, 3)}, "size must be one value or one for each of 3 axes"),
        (ValueError, {"origin": 2}, "origin must be in [-1, 1] for a size of 3; got 2"),
        (ValueError, {"mode": "same"}, "mode must be one of reflect"),
        (ValueError, {"cval": 0.5}, "cval must be a whole number for uint8"),
        (ValueError, {"axes": 3}, "axes must be in"),
        (ValueError, {"workers": 0}, "workers must be at least 1"),
        (TypeError, {"out": np.zeros((4, 5, 6))}, "out must be uint8"),
    ],
)
def test_refusals_name_the_parameter(error, args, message):
    with pytest.raises(error) as refusal:
        uniform_filter(image((4, 5, 6), "uint8"), **{"size": 3, **args})
    assert message in str(refusal.value)
