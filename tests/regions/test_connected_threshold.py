"""Growing from seeds finds what SimpleITK finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxkern import connected_threshold, label

TYPES = ["uint8", "int16", "uint16", "int32", "float32", "float64"]


def test_only_the_region_of_the_seed_is_found():
    x = np.array([1, 1, 0, 1, 1, 1])
    assert connected_threshold(x.astype(np.int32), 0, 1, 1).tolist() == [1, 1, 0, 0, 0, 0]
    assert connected_threshold(x.astype(np.int32), [[0], [5]], 1, 1).tolist() == [1, 1, 0, 1, 1, 1]


def test_a_seed_outside_the_interval_adds_nothing():
    x = np.array([[1, 1], [9, 9]], np.uint8)
    assert not connected_threshold(x, [(1, 0)], 0, 5).any()
    assert connected_threshold(x, [(1, 0), (0, 1)], 0, 5).tolist() == [[True, True], [False, False]]
    assert not connected_threshold(x, [], 0, 5).any()


def test_bounds_are_inside():
    x = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    assert connected_threshold(x, 1, 0.2, 0.3).tolist() == [False, True, True, False]
    assert connected_threshold(x, 1, -np.inf, np.inf).all()


def test_nan_is_never_inside():
    x = np.array([1, np.nan, 1])
    assert connected_threshold(x, 0, -np.inf, np.inf).tolist() == [True, False, False]
    assert not connected_threshold(x, 1, -np.inf, np.inf).any()


def test_fractions_bound_integers():
    x = np.arange(6, dtype=np.int16)
    assert np.flatnonzero(connected_threshold(x, 2, 0.5, 3.5)).tolist() == [1, 2, 3]
    assert not connected_threshold(x, 2, 2.2, 2.8).any()
    assert connected_threshold(x, 2, -1e9, 1e9).all()
    assert not connected_threshold(x, 2, 1e6, 1e7).any()


def test_a_long_corridor_is_followed_to_its_end():
    x = np.zeros((9, 63, 130), np.uint8)
    x[::2, ::2] = 1  # rows joined at alternate ends, planes at corners
    x[::2, 1::4, -1] = 1
    x[::2, 3::4, 0] = 1
    x[1::4, -1, 0 if x[0, 61, 0] else -1] = 1
    x[3::4, 0, 0] = 1
    found = connected_threshold(x, (0, 0, 0), 1, 1)
    np.testing.assert_array_equal(found, label(x, 1) == label(x, 1)[0, 0, 0])
    assert found.sum() > x.sum() / 2


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(90, 90), (12, 40, 70)])
def test_simpleitk_agrees(dtype, shape):
    sitk = pytest.importorskip("SimpleITK")
    rng = np.random.default_rng(len(shape))
    for low, high in [(20, 75), (20, 90), (45, 50)]:
        x = (100 * rng.random(shape)).astype(dtype)
        seeds = rng.integers(shape, size=(3, len(shape)))
        for connectivity, kind in [(1, 0), (len(shape), 1)]:
            answer = sitk.ConnectedThreshold(
                sitk.GetImageFromArray(x),
                [tuple(map(int, s[::-1])) for s in seeds],
                lower=low,
                upper=high,
                connectivity=kind,
            )
            for workers in (1, 3):
                got = connected_threshold(
                    x, seeds, low, high, connectivity=connectivity, workers=workers
                )
                np.testing.assert_array_equal(got, sitk.GetArrayFromImage(answer) == 1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_it_is_the_labels_of_the_seeds(seed, connectivity):
    rng = np.random.default_rng(seed)
    x = rng.random(tuple(rng.integers(1, 12, 3))).astype(np.float32)
    mask = (x >= 0.2) & (x <= np.float32(0.8))
    seeds = rng.integers(x.shape, size=(2, 3))
    labels = label(mask, connectivity)
    wanted = [labels[tuple(s)] for s in seeds if mask[tuple(s)]]
    got = connected_threshold(x, seeds, 0.2, 0.8, connectivity=connectivity)
    np.testing.assert_array_equal(got, np.isin(labels, wanted) & mask)


def test_more_seeds_find_more():
    x = np.random.default_rng(0).random((20, 20, 20))
    few = connected_threshold(x, [(3, 3, 3)], 0, 0.6)
    more = connected_threshold(x, [(3, 3, 3), (9, 9, 9)], 0, 0.6)
    assert (more >= few).all()


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_out_is_filled_and_returned(dtype):
    x = np.random.default_rng(0).random((4, 5, 70))
    out = np.ones(x.shape, dtype)
    assert connected_threshold(x, (0, 0, 0), 0, 0.7, out=out) is out
    np.testing.assert_array_equal(out, connected_threshold(x, (0, 0, 0), 0, 0.7))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"image": np.ones((2, 3), complex)}, TypeError, "image must be .*; got complex128"),
        ({"image": np.ones((2, 3, 4, 5))}, ValueError, "image must have 1 to 3 axes; got 4"),
        (
            {"seeds": (0, 3)},
            ValueError,
            r"seeds must lie in an image of shape \(2, 3\); got \(0, 3\)",
        ),
        ({"seeds": (-1, 0)}, ValueError, r"seeds must lie .* got \(-1, 0\)"),
        ({"seeds": (0, 0, 0)}, ValueError, r"seeds must be tuples of 2 indices; got shape \(3,\)"),
        ({"seeds": (0.0, 1.0)}, TypeError, "seeds must be integers; got float64"),
        ({"lower": 3, "upper": 2}, ValueError, "lower must not be more than upper; got 3 and 2"),
        ({"lower": np.nan}, ValueError, "lower must not be NaN"),
        ({"upper": np.nan}, ValueError, "upper must not be NaN"),
        ({"upper": "a"}, TypeError, "upper must be a number; got 'a'"),
        ({"connectivity": 3}, ValueError, r"connectivity must be in \[1, 2\]"),
        ({"out": np.zeros((2, 3))}, TypeError, "out must be bool, uint8; got float64"),
    ],
)
def test_refusals(arguments, error, message):
    call = {"image": np.ones((2, 3)), "seeds": (0, 0), "lower": 0, "upper": 1, **arguments}
    with pytest.raises(error, match=message):
        connected_threshold(**call)
