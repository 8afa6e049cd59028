import numpy as np
import pytest
import scipy.ndimage

from voxkern import (
    _arrays,
    affine_transform,
    map_coordinates,
    resample,
    resize,
    rotate,
    shift,
    zoom,
)

MODES = ["constant", "nearest", "reflect", "mirror", "wrap", "grid-constant", "grid-wrap"]
SHAPES = [(40,), (21, 30), (16, 17, 25)]


def image(shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).uniform(0, 200, shape).astype(dtype)


def agree(ours, theirs):
    """SciPy interpolates in float64, we read float32 and small integers in float32."""
    if ours.dtype.kind in "iu":  # a value half-way between two may fall either way
        assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1
    else:
        tolerance = 1e-5 if ours.dtype == np.float32 else 1e-9
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())


def test_a_zoom_of_one_changes_nothing():
    x = image((5, 6, 7))
    for order in range(2):
        np.testing.assert_array_equal(zoom(x, 1, order=order), x)
        np.testing.assert_array_equal(zoom(x, 1, order=order, grid_mode=True, mode="nearest"), x)


def test_corners_stay_corners():
    x = image((5, 6, 7))
    y = zoom(x, (2, 0.5, 1.5), order=1)
    assert y.shape == (10, 3, 10)
    for corner in np.ndindex(2, 2, 2):
        at = tuple(-c for c in corner)
        assert y[at] == pytest.approx(x[at])


def test_grid_mode_repeats_voxels_at_order_0():
    x = image((3, 4))
    y = zoom(x, 2, order=0, grid_mode=True, mode="nearest")
    np.testing.assert_array_equal(y, x.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_answers_are_scipys(shape, mode, order):
    factors = [0.7, 1.6, 0.9][: len(shape)]
    for dtype in ("uint8", "int16", "int32", "float32", "float64"):
        x = image(shape, dtype)
        for grid_mode in (
            (False, True) if mode.startswith("grid") or mode == "nearest" else (False,)
        ):
            how = dict(order=order, mode=mode, cval=7, grid_mode=grid_mode)
            agree(zoom(x, factors, **how), scipy.ndimage.zoom(x, factors, **how))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("grid_mode", [False, True])
def test_a_zoom_by_one_changes_nothing(mode, grid_mode):
    for dtype in ("float64", "complex64", "int16"):
        x = image((5, 1, 6), dtype)
        for order in range(6):
            y = zoom(x, 1, order=order, mode=mode, grid_mode=grid_mode)
            np.testing.assert_array_equal(y, x)
            assert not np.shares_memory(x, y)
    with pytest.raises(TypeError, match="order=0"):
        zoom(np.ones((3, 4), bool), 1)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("mode", MODES)
def test_shifts_are_scipys(mode, order):
    for shape in SHAPES:
        x, steps = image(shape), [1.3, -2.25, 30.5][: len(shape)]
        how = dict(order=order, mode=mode, cval=7)
        agree(shift(x, steps, **how), scipy.ndimage.shift(x, steps, **how))


@pytest.mark.parametrize("reshape", [True, False])
@pytest.mark.parametrize("axes", [(1, 0), (0, 2), (2, 1)])
def test_rotations_are_scipys(axes, reshape):
    x = image((13, 24, 35))
    for angle in (33, 90, -180.5):
        agree(rotate(x, angle, axes, reshape), scipy.ndimage.rotate(x, angle, axes, reshape))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("axes", [(1, 2), (1, 3), (2, 3), (0, 3)])
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_planes_are_turned_together_or_one_by_one(dtype, axes, order):
    x = image((3, 9, 10, 11), dtype)
    for angle, mode in ((33, "constant"), (-100, "nearest"), (180, "mirror")):
        got = rotate(x, angle, axes, order=order, mode=mode)
        agree(got, scipy.ndimage.rotate(x, angle, axes, order=order, mode=mode))
        out = np.empty_like(got)
        assert rotate(x, angle, axes, order=order, mode=mode, out=out) is out
        np.testing.assert_array_equal(out, got)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_stay_in_their_plane(bad):
    x = image((4, 9, 10))
    x[2, 4, 5] = bad
    got = rotate(x, 20, (1, 2), order=1)
    np.testing.assert_array_equal(got, [rotate(plane, 20, order=1) for plane in x])
    assert np.isfinite(got[[0, 1, 3]]).all()
    assert not np.isfinite(got[2]).all()


def test_four_quarters_bring_it_back():
    x = image((5, 8))
    y = x
    for _ in range(4):
        y = rotate(y, 90, order=1)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(rotate(x, 90, order=1), np.rot90(x))


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("antialias", [False, True])
def test_resizing_is_scikit_images(order, antialias):
    transform = pytest.importorskip("skimage.transform")
    x = image((30, 31, 32), "float32")
    theirs = transform.resize(x, (20, 40, 11), order=order, anti_aliasing=antialias, clip=False)
    agree(resize(x, (20, 40, 11), order=order, antialias=antialias), theirs)


def test_labels_are_resized_without_smoothing():
    x = np.arange(16, dtype=np.uint8).reshape(4, 4)
    assert set(resize(x, 2, order=0).ravel()) <= set(x.ravel())
    with pytest.raises(TypeError, match="antialias=True needs a float32 or float64 image"):
        resize(x, 2, antialias=True)


def test_smoothing_keeps_the_mean_when_shrinking():
    x = image((64, 64))
    assert resize(x, 8).mean() == pytest.approx(x.mean(), rel=0.01)  # a sum of 64 voxels each
    assert resize(x, 8).std() < resize(x, 8, antialias=False).std() / 2


def test_threads_do_not_change_a_bit():
    x = image((20, 30, 40), "float32")
    for order in (1, 3):
        answers = {zoom(x, 1.3, order=order, workers=n).tobytes() for n in (1, 2, 3, 8)}
        assert len(answers) == 1


def test_views_and_leading_axes_are_read():
    x = image((3, 10, 12, 14), "float32")[:, ::-1, ::2, ::2]
    wanted = np.stack([zoom(v.copy(), 1.5, order=1) for v in x])
    np.testing.assert_array_equal(zoom(x, 1.5, order=1), wanted)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: zoom(x, 0), ValueError, "zoom must be more than 0"),
        (
            lambda x: zoom(x, (1, 2, 3)),
            ValueError,
            "zoom must be one value or one for each of 2 axes",
        ),
        (lambda x: zoom(x, 2, mode="edge"), ValueError, "mode must be one of"),
        (lambda x: shift(x, (1, 2, 3)), ValueError, "shift must be one value"),
        (lambda x: rotate(x, 5, (0, 0)), ValueError, "axes must be unique"),
        (lambda x: rotate(x, 5, (0,)), ValueError, "axes must be two axes"),
        (lambda x: resize(x, 0), ValueError, "shape must be at least 1"),
    ],
)
def test_refusals_say_what_is_wanted(call, error, message):
    with pytest.raises(error, match=message):
        call(np.zeros((4, 4)))


def test_a_series_is_smoothed_volume_by_volume():
    x = np.random.default_rng(0).random((2, 8, 9, 10), np.float32)
    y = resize(x, (4, 5, 6))
    assert y.shape == (2, 4, 5, 6)
    np.testing.assert_array_equal(y[1], resize(x[1], (4, 5, 6)))


@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (zoom, (3,), "zoom"),
        (resize, (9,), "shape"),
        (resample, (0.5,), "new_spacing"),
        (affine_transform, (np.eye(2), 0.0, (9, 9)), "output_shape"),
        (rotate, (30,), "angle"),
        (map_coordinates, (np.zeros((2, 9)),), "coordinates"),
    ],
)
def test_an_answer_beyond_memory_names_who_asked_for_it(monkeypatch, function, arguments, name):
    def no_memory(*_):
        raise MemoryError

    monkeypatch.setattr(_arrays, "empty", no_memory)
    wanted = rf"^{name} must lead to an answer that memory holds; got one of shape .*, \d+ bytes"
    with pytest.raises(MemoryError, match=wanted):
        function(image((4, 5)), *arguments, order=1)
