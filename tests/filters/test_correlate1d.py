"""Correlation along one axis, Sobel and Prewitt: truths, SciPy's answer, refusals."""

import numpy as np
import pytest
import scipy.ndimage as ndimage
from like_scipy import MODES, SHAPES, hold, image

from voxkern import _args, convolve1d, correlate1d, prewitt, sobel, use_backend

WEIGHTS = [[2.0], [1, 3], [0.2, 0.5, 0.1, 0.7], [1, 2, 5], [0.25, 0.5, 0.25], [-1, 0, 1]]


def test_a_convolution_of_one_bright_voxel_is_the_kernel():
    x = np.zeros(7)
    x[3] = 1
    np.testing.assert_array_equal(convolve1d(x, [1, 2, 3]), [0, 0, 1, 2, 3, 0, 0])
    np.testing.assert_array_equal(correlate1d(x, [1, 2, 3]), [0, 0, 3, 2, 1, 0, 0])


def test_a_ramp_has_one_slope():
    x = np.broadcast_to(5.0 * np.arange(9), (4, 6, 9))
    assert (sobel(x)[..., 1:-1] == 5 * 2 * 16).all()
    assert (prewitt(x)[..., 1:-1] == 5 * 2 * 9).all()
    assert not sobel(x, 0).any()


@pytest.mark.parametrize("dtype", _args.REAL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_scipys_answer(mode, shape, dtype):
    x = image(shape, dtype)
    args = {"mode": mode, "cval": 3}
    for axis in range(x.ndim):
        for w in WEIGHTS:
            for origin in range(-(len(w) // 2), (len(w) - 1) // 2 + 1):
                want = ndimage.correlate1d(x, w, axis, **args, origin=origin)
                hold(correlate1d(x, w, axis, **args, origin=origin), want, x, 10)
                turned = -origin - (1 - len(w) % 2)
                want = ndimage.convolve1d(x, w, axis, **args, origin=turned)
                hold(convolve1d(x, w, axis, **args, origin=turned), want, x, 10)
        hold(sobel(x, axis, **args), ndimage.sobel(x, axis, **args), x, 16)
        hold(prewitt(x, axis, **args), ndimage.prewitt(x, axis, **args), x, 9)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
@pytest.mark.parametrize("weights", [[1, -2, 1], [-90, 0, 90], [3, 7, 5000], [0.5, 9, 0.5]])
def test_sums_too_large_for_the_type_wrap_as_in_scipy(weights, dtype):
    ends = np.iinfo(dtype)
    x = np.random.default_rng(3).integers(ends.min, ends.max, (5, 70), dtype, endpoint=True)
    for cval in (0, ends.max):
        args = {"mode": "constant", "cval": cval}
        want = ndimage.correlate1d(x, weights, **args)
        np.testing.assert_array_equal(correlate1d(x, weights, **args), want)


@pytest.mark.parametrize("mode", MODES)
def test_long_kernels_of_any_weights(mode):
    x = image((3, 70, 300), "float64")
    w = np.random.default_rng(1).standard_normal(40)
    for axis, origin in ((0, 0), (1, 19), (2, -20)):
        want = ndimage.correlate1d(x, w, axis, mode=mode, origin=origin)
        for workers in (1, 4):
            got = correlate1d(x, w, axis, mode=mode, origin=origin, workers=workers)
            hold(got, want, x, abs(w).sum())


def test_nearly_even_weights_are_even_as_in_scipy():
    w = [0.1 + 0.2, 1, 0.3]
    x = image((50, 60), "int16")
    np.testing.assert_array_equal(correlate1d(x, w), ndimage.correlate1d(x, w))


def test_other_axes():
    x = image((2, 3, 4, 5), "float64")
    hold(correlate1d(x, [1, 2], 0), ndimage.correlate1d(x, [1, 2], 0), x, 3)
    want = np.stack([ndimage.sobel(volume, 1) for volume in x])
    hold(sobel(x, 2), want, x, 16)
    hold(sobel(x, 0, axes=(0, 1, 2, 3)), ndimage.sobel(x, 0), x, 64)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])  # each is compiled
def test_numba_gives_scipys_answer(dtype):
    x = image((6, 10, 11), dtype)
    with use_backend("numba"):
        hold(sobel(x, 1), ndimage.sobel(x, 1), x, 16)
        hold(correlate1d(x, [1, 2, 5], 2), ndimage.correlate1d(x, [1, 2, 5], 2), x, 8)


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (ValueError, lambda x: correlate1d(x, []), "weights must be a list of numbers"),
        (ValueError, lambda x: correlate1d(x, [[1, 2]]), "weights must be a list of numbers"),
        (ValueError, lambda x: correlate1d(x, [np.nan]), "weights must be finite"),
        (ValueError, lambda x: correlate1d(x, [1, 2], origin=1), "origin must be in [-1, 0]"),
        (ValueError, lambda x: convolve1d(x, [1, 2], origin=1), "origin must be in [-1, 0]"),
        (ValueError, lambda x: correlate1d(x, [1], 3), "axis must be in"),
        (ValueError, lambda x: sobel(x, 0, axes=(1, 2)), "axis must be one of the axes (1, 2)"),
        (ValueError, lambda x: sobel(x, mode=("wrap",)), "mode must be one value or one for"),
    ],
)
def test_refusals_name_the_parameter(error, call, message):
    with pytest.raises(error) as refusal:
        call(image((4, 5, 6), "uint8"))
    assert message in str(refusal.value)
