"""Laplace filter: truths, SciPy's answer, refusals."""

import numpy as np
import pytest
import scipy.ndimage as ndimage
from like_scipy import MODES, SHAPES, hold, image

from voxkern import _args, laplace


def test_a_parabola_has_one_curvature():
    z, y, x = np.ogrid[:5, :6, :7]
    inner = laplace(0.5 * z**2 + 1.0 * y**2 - 2.0 * x**2)[1:-1, 1:-1, 1:-1]
    np.testing.assert_array_equal(inner, 1 + 2 - 4)


def test_spacing_gives_the_curvature_in_its_unit():
    x = 3 * (0.25 * np.arange(9)) ** 2
    np.testing.assert_allclose(laplace(x, spacing=0.25)[1:-1], 6)
    y = np.broadcast_to(x, (4, 9))
    np.testing.assert_allclose(laplace(y, spacing=(7, 0.25))[:, 1:-1], 6)


def test_small_differences_of_large_numbers_stay_exact():
    x = np.full((8, 8, 8), 1e6, np.float32)
    x[4, 4, 4] += 0.25
    assert laplace(x)[4, 4, 4] == -1.5
    assert laplace(x)[4, 4, 3] == 0.25


@pytest.mark.parametrize("dtype", _args.REAL)
@pytest.mark.parametrize("shape", [*SHAPES, (5, 6, 700)], ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_scipys_answer(mode, shape, dtype):
    x = image(shape, dtype)
    hold(laplace(x, mode=mode, cval=3), ndimage.laplace(x, mode=mode, cval=3), x, 6)


@pytest.mark.parametrize("axes", [0, -1, (0, 2), (0, 1, 3), ()])
def test_any_axes(axes):
    x = image((4, 5, 6, 7), "float64")
    hold(laplace(x, axes=axes), ndimage.laplace(x, axes=axes), x, 6)


def test_one_mode_an_axis():
    x = image((4, 5, 6), "float64")
    modes = ("wrap", "constant", "nearest")
    hold(laplace(x, mode=modes), ndimage.laplace(x, mode=modes), x, 6)


def test_nan_reaches_its_neighbours():
    x = image((7, 7, 7), "float32")
    x[3, 3, 3] = np.nan
    assert np.isnan(laplace(x)).sum() == 7
    assert np.isnan(laplace(x, axes=2)).sum() == 3


@pytest.mark.parametrize(
    ("error", "args", "message"),
    [
        (ValueError, {"spacing": 0}, "spacing must be more than 0"),
        (ValueError, {"mode": "same"}, "mode must be one of reflect"),
        (ValueError, {"cval": 0.5}, "cval must be a whole number for uint8"),
        (ValueError, {"axes": 3}, "axes must be in"),
    ],
)
def test_refusals_name_the_parameter(error, args, message):
    with pytest.raises(error) as refusal:
        laplace(image((4, 5, 6), "uint8"), **args)
    assert message in str(refusal.value)
