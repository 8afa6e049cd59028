"""Minimum and maximum filters: truths by eye, SciPy's answer, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxkern import maximum_filter, maximum_filter1d, minimum_filter, minimum_filter1d

ndimage = pytest.importorskip("scipy.ndimage", reason="pip install scipy to compare with it")

TYPES = ["bool", "uint8", "int16", "uint16", "int32", "float32", "float64"]
MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]
OPS = [minimum_filter, maximum_filter]
ids = {"ids": lambda op: op.__name__}


def noise(shape, dtype="float32", seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * 60).astype(dtype)


def test_a_dark_voxel_becomes_a_box():
    x = np.full((7, 7, 7), 9, np.int16)
    x[3, 3, 3] = -2
    got = minimum_filter(x, (3, 1, 5))
    assert (got == -2).sum() == 15
    assert (got[2:5, 3, 1:6] == -2).all()


def test_the_minimum_passes_over_nan_and_the_maximum_keeps_it():
    x = np.array([np.nan, 1.0, 2.0, np.nan, np.nan, np.nan, -np.inf])
    assert minimum_filter(x, 3).tolist()[:4] == [1, 1, 1, 2]
    assert np.isnan(minimum_filter(x, 3)[4])
    got = maximum_filter(np.array([5.0, 1, 2, np.copysign(np.nan, -1), np.inf, 0, 0]), 3)
    np.testing.assert_array_equal(got, [5, 5, np.nan, np.nan, np.nan, np.inf, 0])


@pytest.mark.parametrize("op", OPS, **ids)
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("mode", MODES)
def test_scipy_agrees_on_boxes(op, dtype, mode):
    theirs = getattr(ndimage, op.__name__)
    for shape in [(6, 9, 75), (1, 1, 40), (40, 1, 3), (2, 3, 2), (17, 30, 35)]:
        x = noise(shape) > 0 if dtype == "bool" else noise(shape, dtype)
        for size in [1, 2, 3, 4, 5, 13, 17, (3, 1, 5), (1, 20, 1), (25, 1, 1), (1, 1, 70)]:
            want = theirs(x, size, mode=mode, cval=1)
            np.testing.assert_array_equal(op(x, size, mode=mode, cval=1), want)


@pytest.mark.parametrize("op", OPS, **ids)
@pytest.mark.parametrize("mode", MODES)
def test_scipy_agrees_on_boxes_much_larger_than_the_image(op, mode):
    x = noise((3, 5, 4))
    for size, origin in (((90, 3, 131), (0, 1, 65)), ((1, 70, 2), (0, -35, 0)), ((999,) * 3, 0)):
        how = {"mode": mode, "cval": 3.0, "origin": origin}
        expected = getattr(ndimage, op.__name__)(x, size, **how)
        np.testing.assert_array_equal(op(x, size, **how), expected)


@pytest.mark.parametrize("op", OPS, **ids)
@pytest.mark.parametrize("mode", MODES)
def test_scipy_agrees_on_windows_across_many_planes(op, mode):
    x = noise((50, 7, 600), "int16")
    how = {"mode": mode, "cval": 3, "origin": (-5, 0, 0)}
    for part in (x, x[:, 1:6], x[::2, ::-1, 1:599]):
        for size in [(13, 1, 1), (31, 1, 1), (20, 3, 1)]:
            want = getattr(ndimage, op.__name__)(part, size, **how)
            np.testing.assert_array_equal(op(part, size, **how), want)


@pytest.mark.parametrize("op", OPS, **ids)
def test_a_box_beyond_the_image_costs_no_more_than_the_image(op):
    x = noise((4, 5, 6))
    assert (op(x, 1 << 16) == getattr(x, op.__name__[:3])()).all()


@pytest.mark.parametrize("op", OPS, **ids)
@pytest.mark.parametrize("mode", MODES)
def test_scipy_agrees_on_footprints(op, mode):
    theirs = getattr(ndimage, op.__name__)
    rng = np.random.default_rng(3)
    for dtype in ("uint8", "float32"):
        for shape in [(6, 9, 75), (1, 1, 40), (2, 3, 2), (30, 20, 35)]:
            x = noise(shape, dtype)
            for box in [(3, 4, 5), (5, 5, 5), (7, 1, 9)]:
                footprint = rng.random(box) < 0.4
                footprint[0, 0, 0] = True
                how = {"footprint": footprint, "mode": mode, "cval": 1, "origin": (0, 0, -1)}
                np.testing.assert_array_equal(op(x, **how), theirs(x, **how))


@pytest.mark.parametrize("op", OPS, **ids)
def test_every_axis_has_its_mode_and_origin(op):
    x = noise((5, 8, 21))
    how = {"mode": ["wrap", "constant", "mirror"], "cval": -3, "origin": (-2, 1, 3)}
    want = getattr(ndimage, op.__name__)(x, (5, 4, 7), **how)
    np.testing.assert_array_equal(op(x, (5, 4, 7), **how), want)


@pytest.mark.parametrize("op", OPS, **ids)
def test_a_large_box_in_a_large_volume_leaves_no_seams(op):
    x = noise((70, 60, 300), "int16")
    for size in [3, (15, 31, 9), (31, 3, 65)]:
        want = getattr(ndimage, op.__name__)(x, size)
        for workers in (1, 3):
            np.testing.assert_array_equal(op(x, size, workers=workers), want)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_least_and_greatest_mirror_each_other(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(tuple(rng.integers(1, 30, 3))).astype(np.float32)
    size = tuple(int(s) for s in rng.integers(1, 9, 3))
    np.testing.assert_array_equal(minimum_filter(x, size), -maximum_filter(-x, size))
    assert (minimum_filter(x, size) <= x).all()


def test_axes_choose_and_leading_axes_are_looped():
    x = noise((2, 3, 5, 6, 7))
    np.testing.assert_array_equal(maximum_filter(x, 3)[1, 2], maximum_filter(x[1, 2], 3))
    want = ndimage.maximum_filter(x, size=(3, 2), axes=(0, 3))
    np.testing.assert_array_equal(maximum_filter(x, (3, 2), axes=(0, 3)), want)
    for axis in (0, 2, -1):
        want = ndimage.minimum_filter1d(x, 4, axis, origin=1)
        np.testing.assert_array_equal(minimum_filter1d(x, 4, axis, origin=1), want)
        want = ndimage.maximum_filter1d(x, 5, axis, mode="wrap")
        np.testing.assert_array_equal(maximum_filter1d(x, 5, axis, mode="wrap"), want)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "size or footprint must be given"),
        ({"size": 0}, "size must be at least 1; got 0"),
        ({"size": 3, "footprint": np.ones((3, 3))}, "size must not be given with a footprint"),
        ({"footprint": np.zeros((3, 3))}, "footprint must have at least one voxel"),
        ({"footprint": np.ones(3)}, "footprint must have 2 axes"),
        ({"size": 3, "mode": ["wrap"]}, "mode must be one value or one for each of 2 axes"),
        ({"size": 3, "mode": "edge"}, "mode must be one of"),
        ({"size": 3, "origin": 2}, "origin must keep"),
    ],
)
@pytest.mark.parametrize("op", OPS, **ids)
def test_what_does_not_fit_is_refused_by_name(op, arguments, text):
    with pytest.raises(ValueError, match=text):
        op(np.zeros((4, 4)), **arguments)
