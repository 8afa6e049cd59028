import numpy as np
import pytest
import scipy.ndimage

from voxkern import map_coordinates, spline_filter, zoom

ENDS = ["mirror", "reflect", "grid-wrap"]


def image(shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("mode", ENDS)
@pytest.mark.parametrize("shape", [(1,), (2,), (3, 2), (2, 3, 5), (9, 20, 70)], ids=str)
def test_splines_pass_through_the_voxels(shape, mode, order):
    x = image(shape)
    coefficients = spline_filter(x, order, mode)
    back = map_coordinates(coefficients, np.indices(shape), order=order, mode=mode, prefilter=False)
    np.testing.assert_allclose(back, x, atol=1e-12 * 50)  # gains of up to 50 an axis


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("mode", [*ENDS, "nearest", "constant", "wrap"])
@pytest.mark.parametrize("shape", [(3000,), (70, 90), (40, 37, 50)], ids=str)
def test_coefficients_are_scipys(shape, mode, order):
    for dtype, tolerance in (("float64", 1e-12), ("float32", 2e-6), ("int16", 2e-6)):
        x = (100 * image(shape)).astype(dtype)
        theirs = scipy.ndimage.spline_filter(x, order, mode=mode)
        scale = tolerance * np.abs(theirs).max()
        np.testing.assert_allclose(spline_filter(x, order, mode), theirs, rtol=0, atol=scale)


def test_short_lines_are_those_of_scipy_since_1_18():
    """Before, its sum for 'reflect' read a value that it had already changed."""
    x = image((2, 40))
    ours, theirs = spline_filter(x, 3, "reflect"), scipy.ndimage.spline_filter(x, 3, mode="reflect")
    apart = np.abs(ours - theirs).max()
    if np.lib.NumpyVersion(scipy.__version__) >= "1.18.0":
        assert apart < 1e-13
    else:
        assert 1e-4 < apart < 1e-1


def test_a_constant_is_its_own_coefficients():
    x = np.full((4, 5, 6), 3.25)
    np.testing.assert_allclose(spline_filter(x), x, rtol=1e-13)


def test_types_of_coefficients():
    kinds = {"uint8": "float32", "int16": "float32", "float32": "float32", "int32": "float64"}
    for dtype, kind in kinds.items():
        assert spline_filter(np.ones((4, 5), dtype)).dtype == kind


def test_filtering_once_is_filtering_inside():
    x = image((9, 10, 11))
    once = zoom(spline_filter(x, 3), 1.7, order=3, prefilter=False)
    np.testing.assert_allclose(once, zoom(x, 1.7, order=3), atol=1e-13)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize(
    "mode", ["constant", "nearest", "mirror", "reflect", "wrap", "grid-wrap", "grid-constant"]
)
@pytest.mark.parametrize("shape", [(50,), (21, 30), (16, 17, 25)], ids=str)
def test_points_are_read_as_scipy_reads_them(shape, mode, order):
    rng = np.random.default_rng(3)
    points = np.stack([rng.uniform(-5, n + 5, (33, 41)) for n in shape])
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-5)):
        x = image(shape, dtype)
        how = dict(order=order, mode=mode, cval=2)
        theirs = scipy.ndimage.map_coordinates(x, points, **how)
        got = map_coordinates(x, points, **how)
        np.testing.assert_allclose(got, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())
        single = points.astype(np.float32)
        theirs = scipy.ndimage.map_coordinates(x, single, **how)
        got = map_coordinates(x, single, **how)
        np.testing.assert_allclose(got, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())


def test_nan_and_far_points_are_the_fill_value():
    x = image((8, 9, 40), "float32")
    points = np.full((3, 20), 4.0)
    points[1, 3], points[2, 5], points[0, 7] = np.nan, np.inf, 1e30
    for order in (0, 1, 3):
        y = map_coordinates(x, points, order=order, cval=7)
        assert np.flatnonzero(y == 7).tolist() == [3, 5, 7]
        assert map_coordinates(x, points, order=order, mode="nearest", cval=7)[3] == 7


def test_points_may_be_of_any_shape_and_layout():
    x = image((6, 7))
    points = np.random.default_rng(1).uniform(0, 5, (2, 3, 4, 5)).transpose(0, 3, 1, 2)
    theirs = scipy.ndimage.map_coordinates(x, points, order=1)
    np.testing.assert_allclose(map_coordinates(x, points, order=1), theirs)
    room = np.zeros((10, 3, 4))[::2]
    assert map_coordinates(x, points, order=1, out=room) is room
    np.testing.assert_allclose(room, theirs)
    assert map_coordinates(x, np.zeros((2, 0)), order=1).shape == (0,)
    assert map_coordinates(x, [2, 3], order=1) == x[2, 3]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: spline_filter(x, 1), "order must be 2 to 5; got 1"),
        (
            lambda x: map_coordinates(x, np.zeros((3, 4))),
            "coordinates must have one row for each of 2",
        ),
        (
            lambda x: map_coordinates(np.zeros((2, 2, 2, 2)), np.zeros((4, 1))),
            "image must have 1 to 3",
        ),
    ],
)
def test_refusals_say_what_is_wanted(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((4, 4)))
