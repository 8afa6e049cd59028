from types import SimpleNamespace

import numpy as np
import pytest

from voxkern import Transform, resample

ORDERS = [(0, "sitkNearestNeighbor"), (1, "sitkLinear"), (3, "sitkBSpline")]


def turn(z, y, x):
    c, s = np.cos([z, y, x]), np.sin([z, y, x])
    about_z = np.array([[1, 0, 0], [0, c[0], s[0]], [0, -s[0], c[0]]])
    about_y = np.array([[c[1], 0, -s[1]], [0, 1, 0], [s[1], 0, c[1]]])
    about_x = np.array([[c[2], s[2], 0], [-s[2], c[2], 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def volume(shape=(24, 31, 28), dtype="float32"):
    return np.random.default_rng(0).uniform(0, 100, shape).astype(dtype)


OLD = dict(spacing=(2.5, 0.8, 1.1), origin=(-20.0, 5.0, 7.0), direction=turn(0.1, 0.2, -0.3))
GOAL = SimpleNamespace(
    data=np.empty((30, 25, 35), np.float32), spacing=(1.7, 1.3, 1.0), origin=(-18.0, 3.0, 9.0),
    direction=turn(-0.2, 0.1, 0.15),
)  # fmt: skip
MOVE = Transform(1.03 * turn(0.05, 0.1, 0.02), (1.0, -2.0, 3.0))


def itk(x, spacing, origin, direction):
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.GetImageFromArray(x)
    image.SetSpacing([float(v) for v in spacing[::-1]])
    image.SetOrigin([float(v) for v in origin[::-1]])
    image.SetDirection(np.asarray(direction)[::-1, ::-1].ravel().tolist())
    return image


def itk_resample(image, goal, transform, kind, cval):
    sitk = pytest.importorskip("SimpleITK")
    t = sitk.AffineTransform(3)
    t.SetMatrix(transform.linear[::-1, ::-1].ravel().tolist())
    t.SetTranslation(transform.translation[::-1].tolist())
    return sitk.GetArrayFromImage(sitk.Resample(image, goal, t, getattr(sitk, kind), cval))


@pytest.mark.parametrize(("order", "kind"), ORDERS)
def test_oblique_grids_are_simpleitks(order, kind):
    x = volume()
    wanted = itk_resample(itk(x, **OLD), itk(GOAL.data, GOAL.spacing, GOAL.origin, GOAL.direction),
                          MOVE, kind, -5.0)  # fmt: skip
    got = resample(x, **OLD, like=GOAL, transform=MOVE, order=order, mode="constant", cval=-5)
    np.testing.assert_array_equal(got == -5, wanted == -5)
    assert 0.1 < (got == -5).mean() < 0.9
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * 100)


@pytest.mark.parametrize(("order", "kind"), ORDERS)
@pytest.mark.parametrize("new", [1.5, (0.7, 1.9, 0.97)])
def test_new_spacings_are_simpleitks(order, kind, new):
    x = volume()
    got = resample(x, new, **OLD, order=order, mode="constant")
    step, old = np.broadcast_to(new, 3), np.array(OLD["spacing"])
    start = np.array(OLD["origin"]) + OLD["direction"] @ ((step - old) / 2)
    goal = itk(np.zeros(got.shape, np.float32), step, start, OLD["direction"])
    wanted = itk_resample(itk(x, **OLD), goal, Transform.identity(), kind, 0.0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * 100)


def test_integers_are_simpleitks_within_one():
    x = volume(dtype="int16")
    goal = itk(np.zeros(GOAL.data.shape, np.int16), GOAL.spacing, GOAL.origin, GOAL.direction)
    wanted = itk_resample(itk(x, **OLD), goal, MOVE, "sitkLinear", 0.0)
    got = resample(x, **OLD, like=GOAL, transform=MOVE, mode="constant")
    assert np.abs(got.astype(int) - wanted).max() <= 1


def test_its_own_spacing_changes_nothing():
    x = volume()
    np.testing.assert_array_equal(resample(x, OLD["spacing"], spacing=OLD["spacing"]), x)
    np.testing.assert_array_equal(resample(x, shape=x.shape, spacing=3), x)


def test_the_extent_stays():
    x = np.arange(10.0)
    assert resample(x, 2, spacing=1).shape == (5,)
    np.testing.assert_allclose(resample(x, 2, spacing=1), [0.5, 2.5, 4.5, 6.5, 8.5])
    assert resample(x, 0.1, spacing=0.3).shape == (30,)
    np.testing.assert_allclose(resample(x, shape=5, spacing=7), [0.5, 2.5, 4.5, 6.5, 8.5])


def test_a_transform_says_where_to_read():
    x = np.arange(10.0)[None] * np.ones((3, 1))
    move = Transform(np.eye(2), (0, 4))
    assert resample(x, spacing=(1, 2), transform=move)[1].tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 9, 9]


def test_smoothing_first_keeps_a_fine_pattern_out():
    x = np.tile([0.0, 100.0], 64)
    plain, smooth = resample(x, 5, spacing=1), resample(x, 5, spacing=1, antialias=True)
    assert np.ptp(plain) == 100
    assert np.ptp(smooth[2:-2]) < 1


def test_labels_keep_their_values():
    x = np.random.default_rng(0).integers(0, 5, (9, 10, 11), np.uint8)
    y = resample(x, 0.4, spacing=1, order=0)
    assert set(np.unique(y)) == set(np.unique(x))
    assert resample(x == 3, 0.4, spacing=1, order=0).sum() == (y == 3).sum()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "give new_spacing, shape, like"),
        (dict(new_spacing=-1), ValueError, "new_spacing must be more than 0"),
        (dict(new_spacing=1, like=GOAL), ValueError, "new_spacing and like both say"),
        (dict(like=GOAL), ValueError, "spacing must be given with like"),
        (
            dict(new_spacing=1, direction=np.ones((3, 3))),
            ValueError,
            "direction must be a 3x3 matrix",
        ),
        (dict(transform=np.eye(4)), TypeError, "transform must be a Transform; got ndarray"),
        (dict(transform=Transform.identity(2)), ValueError, "transform must have 3 axes; got 2"),
        (dict(new_spacing=1, spacing=0), ValueError, "spacing must be more than 0"),
    ],
)
def test_refusals_say_what_is_wanted(arguments, error, message):
    with pytest.raises(error, match=message):
        resample(volume(), **arguments)


def test_a_direction_or_place_that_changes_is_seen():
    x, direction, origin = volume((6, 7, 8)), np.eye(3), np.zeros(3)
    first = resample(x, 1.5, direction=direction, new_origin=origin)
    direction[:], origin[:] = turn(0.1, 0.2, 0.3), (1, 0, 2)
    second = resample(x, 1.5, direction=direction, new_origin=origin)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(
        second, resample(x, 1.5, direction=turn(0.1, 0.2, 0.3).tolist(), new_origin=(1, 0, 2))
    )
