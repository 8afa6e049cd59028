"""Median filter: truths by eye, properties, SciPy's answer, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import voxkern
from voxkern import median_filter

scipy_ndimage = pytest.importorskip("scipy.ndimage", reason="pip install scipy to compare with it")

TYPES = ["uint8", "int16", "uint16", "int32", "float32", "float64"]
MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]


def noise(shape, dtype="float32", seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * 60).astype(dtype)


def test_one_bright_voxel_vanishes():
    x = np.zeros((5, 5, 5), np.float32)
    x[2, 2, 2] = 9
    assert not median_filter(x, 3).any()


def test_an_edge_between_halves_stays_where_it_is():
    x = np.zeros((6, 7, 8), np.uint8)
    x[:, :, 4:] = 200
    np.testing.assert_array_equal(median_filter(x, 3), x)
    np.testing.assert_array_equal(median_filter(x, 5), x)


def test_an_even_box_takes_the_upper_middle_and_reaches_back():
    x = np.array([1, 9, 2, 3, 8], np.uint8)
    np.testing.assert_array_equal(median_filter(x, 2), [1, 9, 9, 3, 8])


def test_nan_is_the_largest_number():
    x = np.array([1.0, np.nan, 3.0, 2.0, np.nan, np.nan, 5.0])
    np.testing.assert_array_equal(median_filter(x, 3), [1, 3, 3, 3, np.nan, np.nan, 5])
    negative = np.array([np.copysign(np.nan, -1), 1.0, 2.0])
    np.testing.assert_array_equal(median_filter(negative, 3, mode="nearest"), [np.nan, 2, 2])


def test_infinities_have_their_places():
    x = np.array([[-np.inf, 1, np.inf]])
    np.testing.assert_array_equal(median_filter(x, (1, 3), mode="nearest"), [[-np.inf, 1, np.inf]])


@pytest.mark.parametrize("dtype", ["bool", *TYPES])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, (3, 1, 5), (1, 3, 3), (1, 5, 5), (2, 3, 4)])
def test_scipy_agrees_on_boxes(dtype, size):
    x = noise((6, 9, 75)) > 0 if dtype == "bool" else noise((6, 9, 75), dtype)
    np.testing.assert_array_equal(median_filter(x, size), scipy_ndimage.median_filter(x, size))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 40), (40, 1, 1), (2, 3, 2), (5, 4, 131)])
def test_scipy_agrees_on_every_boundary(mode, size, shape):
    for dtype in ("uint8", "float32"):
        x = noise(shape, dtype)
        want = scipy_ndimage.median_filter(x, size, mode=mode, cval=7)
        np.testing.assert_array_equal(median_filter(x, size, mode=mode, cval=7), want)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("origin", [0, (0, 1, -1), (-1, 0, 1)])
def test_scipy_agrees_on_footprints(dtype, origin):
    x = noise((5, 8, 21), dtype)
    for footprint in (np.random.default_rng(1).random((3, 4, 5)) < 0.4, np.eye(3)[None] > 0):
        if origin and footprint.shape[0] == 1:
            continue
        want = scipy_ndimage.median_filter(x, footprint=footprint, origin=origin)
        np.testing.assert_array_equal(median_filter(x, footprint=footprint, origin=origin), want)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cval", [3.0, np.nan, -0.0, -np.inf])
def test_the_ends_of_long_rows_agree_with_a_padded_image(mode, cval):
    rng = np.random.default_rng(11)
    x = rng.integers(-2, 3, (9, 70)).astype(np.float32)
    x[2, 0] = x[4, -1] = x[6, 1] = x[7, -2] = np.nan
    pads = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge"}
    value = {"constant_values": cval} if mode == "constant" else {}
    padded = np.pad(x, 1, pads.get(mode, mode), **value)
    boxes = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(9, 70, 9)
    got = median_filter(x, 3, mode=mode, cval=cval)
    np.testing.assert_array_equal(got, np.sort(boxes, -1)[..., 4])
    for kind in (np.uint8, np.int16, np.int32):
        whole = np.nan_to_num(x + 2).astype(kind)
        padded = np.pad(whole, 1, pads.get(mode, mode), **({"constant_values": 9} if value else {}))
        boxes = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(9, 70, 9)
        got = median_filter(whole, 3, mode=mode, cval=9)
        np.testing.assert_array_equal(got, np.sort(boxes, -1)[..., 4])


@pytest.mark.parametrize("shape", [(37,), (9, 41), (4, 5, 6)])
def test_one_two_and_three_axes_agree_with_scipy(shape):
    x = noise(shape)
    for size in (3, 5):
        np.testing.assert_array_equal(median_filter(x, size), scipy_ndimage.median_filter(x, size))


@pytest.mark.parametrize(("footprint", "origin"), [([1, 1, 0, 1], 1), ([0, 1, 0, 1, 1], -2)])
def test_a_footprint_with_gaps_along_a_line(footprint, origin):
    x, near = noise((31,)), np.array(footprint) > 0  # of one axis SciPy's answer is another
    plane = scipy_ndimage.median_filter(x[None], footprint=near[None], origin=(0, origin))
    got = median_filter(x, footprint=near, origin=origin)
    np.testing.assert_array_equal(got, plane[0])
    wide = np.pad(x, 9, mode="symmetric")
    first = 9 + 20 - len(near) // 2 - origin
    assert got[20] == np.sort(wide[first : first + len(near)][near])[near.sum() // 2]


def test_leading_axes_are_looped_and_axes_choose():
    x = noise((2, 3, 5, 6, 7))
    got = median_filter(x, 3)
    np.testing.assert_array_equal(got[1, 2], median_filter(x[1, 2], 3))
    chosen = scipy_ndimage.median_filter(x, size=3, axes=(0, 3))
    np.testing.assert_array_equal(median_filter(x, 3, axes=(0, 3)), chosen)
    y = x[0]
    for axes in ((1,), (0, 1), (1, 3), (-1,)):
        want = scipy_ndimage.median_filter(y, size=3, axes=axes)
        np.testing.assert_array_equal(median_filter(y, 3, axes=axes), want)


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.float32]),
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=40),
        elements=st.integers(0, 200),
    ),
    st.sampled_from([2, 3, 5]),
    st.sampled_from(MODES),
)
def test_flips_and_scipy(x, size, mode):
    assume(x.size > 1 or mode != "mirror")  # SciPy reads beyond a single voxel
    got = median_filter(x, size, mode=mode)
    np.testing.assert_array_equal(got, scipy_ndimage.median_filter(x, size, mode=mode))
    if size % 2:
        turned = median_filter(x[..., ::-1], size, mode=mode)[..., ::-1]
        np.testing.assert_array_equal(turned, got)
    assert got.min() >= min(x.min(), 0 if mode == "constant" else x.min())


def test_a_large_box_counts_beyond_a_byte():
    x = noise((9, 9, 40), "uint8")
    np.testing.assert_array_equal(median_filter(x, 9), scipy_ndimage.median_filter(x, 9))


def test_an_output_given_is_the_output():
    x = noise((4, 5, 6))
    out = np.empty_like(x)
    assert median_filter(x, 3, out=out) is out
    np.testing.assert_array_equal(out, median_filter(x, 3))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "size or footprint must be given"),
        ({"size": 0}, "size must be at least 1; got 0"),
        ({"size": (3, 3)}, "size must be one value or one for each of 3 axes"),
        ({"size": 3, "footprint": np.ones((3, 3, 3))}, "size must not be given with a footprint"),
        ({"footprint": np.zeros((3, 3, 3))}, "footprint must have at least one voxel"),
        ({"footprint": np.ones((3, 3))}, "footprint must have 3 axes"),
        ({"size": 3, "mode": "edge"}, "mode must be one of"),
        ({"size": 3, "origin": 2}, "origin must keep"),
        ({"size": 3, "axes": 5}, r"axes must be in \[-3, 3\); got 5"),
        ({"size": 3, "axes": (0, 0)}, "axes must be unique"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        median_filter(np.zeros((4, 4, 4)), **arguments)


def test_types_that_do_not_fit_are_refused_by_name():
    with pytest.raises(TypeError, match=r"size must be an integer; got 2\.5"):
        median_filter(np.zeros((4, 4)), 2.5)
    with pytest.raises(TypeError, match=r"image must be bool, uint8, .*; got complex64"):
        median_filter(np.zeros((4, 4), np.complex64), 3)
    with pytest.raises(ValueError, match=r"cval must be in \[0, 255\] for uint8; got 300"):
        median_filter(np.zeros((4, 4), np.uint8), 3, mode="constant", cval=300)


def test_numba_gives_the_same_bits():
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    x = noise((4, 6, 9))
    x[1, 2, 3] = np.nan
    with voxkern.use_backend("numba"):
        got = median_filter(x, 3)
    np.testing.assert_array_equal(got, median_filter(x, 3))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "near",
    [{"size": 3}, {"size": (6, 1, 3), "origin": (2, 0, 0)}, {"footprint": np.eye(5)[None] > 0}],
    ids=str,
)
def test_slabs_that_are_told_of_change_nothing(mode, near):
    x = np.random.default_rng(2).integers(0, 99, (53, 9, 8)).astype(np.int16)
    if "footprint" in near:
        near = {"footprint": np.moveaxis(near["footprint"], 0, 2)}
    told = []
    for call in (median_filter, lambda *a, **k: voxkern.percentile_filter(a[0], 20, **k)):
        want = call(x, mode=mode, **near)
        got = call(x, mode=mode, **near, progress=lambda *step: told.append(step))
        np.testing.assert_array_equal(got, want)
    assert told[-1] == (53, 53)
    assert len(told) == 2 if mode == "wrap" else len(told) > 4
