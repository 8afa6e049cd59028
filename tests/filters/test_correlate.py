"""Correlation and convolution: truths, SciPy's answer, refusals."""

import numpy as np
import pytest
import scipy.ndimage as ndimage
from like_scipy import MODES, hold, image

from voxkern import _args, convolve, correlate, use_backend

SHAPES = [(9,), (7, 10), (1, 50), (5, 6, 7), (3, 40, 33), (17, 1, 5)]


def kernel(ndim, size, seed=3):
    w = np.random.default_rng(seed).uniform(-1, 1, (size, 3, size - 1)[-ndim:])
    w.flat[::5] = 0
    return w


def test_a_convolution_of_one_bright_voxel_is_the_kernel():
    x = np.zeros((5, 6, 7))
    x[2, 3, 3] = 1
    w = np.arange(27.0).reshape(3, 3, 3)
    np.testing.assert_array_equal(convolve(x, w)[1:4, 2:5, 2:5], w)
    np.testing.assert_array_equal(correlate(x, w)[1:4, 2:5, 2:5], w[::-1, ::-1, ::-1])


@pytest.mark.parametrize("dtype", _args.REAL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_scipys_answer(mode, shape, dtype):
    x = image(shape, dtype)
    for size, origin in ((3, 0), (4, -1), (5, 0)):
        w = kernel(x.ndim, size)
        args = {"mode": mode, "cval": 3, "origin": [origin] + [0] * (x.ndim - 1)}
        for ours, theirs in ((correlate, ndimage.correlate), (convolve, ndimage.convolve)):
            hold(ours(x, w, **args), theirs(x, w, **args), x, abs(w).sum())


@pytest.mark.parametrize("mode", MODES)
def test_fft_gives_the_same(mode):
    x = image((9, 20, 21), "float64")
    w = kernel(3, 8)
    args = {"mode": mode, "cval": 3, "origin": (1, 0, -2)}
    hold(correlate(x, w, **args, method="fft"), correlate(x, w, **args), x, 10)
    large = np.random.default_rng(0).uniform(-1, 1, (15, 15, 15))
    hold(convolve(x, large), ndimage.convolve(x, large), x, 100)


def test_nan_stays_within_reach_of_any_kernel():
    x = image((30, 30, 40), "float64")
    x[0, 0, 0] = np.nan
    got = correlate(x, np.ones((15, 15, 15)))
    assert np.isnan(got[:8, :8, :8]).all()
    assert np.isfinite(got[8:]).all()


@pytest.mark.parametrize("axes", [(0, 2), (1, 3), (3, 1), (2, 3)])
def test_any_axes(axes):
    x = image((4, 5, 6, 7), "float64")
    w = kernel(2, 4)
    got = correlate(x, w, axes=axes)
    moved = np.moveaxis(x, axes, (2, 3))
    want = np.stack([[ndimage.correlate(plane, w) for plane in planes] for planes in moved])
    hold(got, np.moveaxis(want, (2, 3), axes), x, 10)


def test_threads_and_long_rows():
    x = image((3, 40, 500), "float32")
    w = kernel(3, 5)
    want = ndimage.correlate(x, w)
    for workers in (1, 4):
        hold(correlate(x, w, workers=workers), want, x, 10)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_numba_gives_scipys_answer(dtype):
    x = image((6, 10, 11), dtype)
    with use_backend("numba"):
        hold(correlate(x, kernel(3, 4)), ndimage.correlate(x, kernel(3, 4)), x, 10)


@pytest.mark.parametrize(
    ("error", "args", "message"),
    [
        (ValueError, {"weights": [1, 2]}, "weights must have 3 axes"),
        (ValueError, {"weights": np.full((1, 1, 1), np.nan)}, "weights must be finite"),
        (ValueError, {"origin": 1}, "origin must be in [0, 0] for a size of 1"),
        (ValueError, {"mode": "same"}, "mode must be one of reflect"),
        (ValueError, {"method": "slow"}, "method must be one of auto, direct, fft"),
        (TypeError, {"method": "fft"}, "method 'fft' is for images of float32 or float64"),
        (ValueError, {"cval": 0.5}, "cval must be a whole number for uint8"),
    ],
)
def test_refusals_name_the_parameter(error, args, message):
    with pytest.raises(error) as refusal:
        correlate(image((4, 5, 6), "uint8"), **{"weights": np.ones((1, 1, 1)), **args})
    assert message in str(refusal.value)
