"""Connected regions are numbered as scikit-image, SciPy and cc3d number them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from voxkern import label

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def random_labels(rng, shape, dtype, density=0.5, values=2):
    return ((rng.random(shape) < density) * rng.integers(1, values + 1, shape)).astype(dtype)


def test_diagonal_neighbours_need_connectivity():
    mask = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], bool)
    assert label(mask, 1).max() == 3
    assert label(mask, 2).max() == 1
    assert label(mask).max() == 1


def test_a_corner_needs_all_three_axes():
    mask = np.zeros((2, 2, 2), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert [label(mask, c).max() for c in (1, 2, 3)] == [2, 2, 1]


def test_numbers_follow_the_first_voxels():
    mask = np.array([[0, 0, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]], np.uint8)
    assert label(mask, 1).tolist() == [[0, 0, 1, 0, 2], [2, 0, 0, 0, 2], [2, 2, 2, 2, 2]]


def test_neighbours_of_different_values_are_apart():
    x = np.array([5, 5, 7, 7, 0, 7])
    assert label(x).tolist() == [1, 1, 2, 2, 0, 3]
    assert label(x, multivalued=False).tolist() == [1, 1, 1, 1, 0, 2]


def test_the_background_can_be_any_value():
    x = np.array([0, 0, 3, -1], np.int16)
    assert label(x, background=3).tolist() == [1, 1, 0, 2]
    assert label(x, background=-1).tolist() == [1, 1, 2, 0]
    assert label(x, background=70000).tolist() == [1, 1, 2, 3]


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("shape", [(1,), (1, 1, 1), (64,), (65,), (3, 130), (2, 3, 200), (4, 0, 2)])
def test_images_of_one_value(shape, value):
    labels, number = label(np.full(shape, value, np.uint8), return_num=True)
    assert labels.dtype == np.int32
    assert (labels == value).all()
    assert number == (value if labels.size else 0)


def test_a_spiral_is_one_region():
    x = np.zeros((41, 41), bool)
    j = i = 0
    dj, di, steps = 0, 1, 40
    x[0, 0] = True
    for turn in range(40):
        for _ in range(steps):
            j, i = j + dj, i + di
            x[j, i] = True
        dj, di = di, -dj
        steps -= 2 * (turn >= 2 and turn % 2 == 0)
        if steps <= 0:
            break
    for view in (x, x.T, x[::-1], x[:, ::-1]):
        assert label(view, 1).max() == 1


def test_a_checkerboard_has_a_region_for_every_other_voxel():
    x = np.indices((6, 7, 130)).sum(0) % 2 == 0
    assert label(x, 1).max() == x.sum()
    assert label(x, 2).max() == 1
    assert label(~x, 1, multivalued=False).max() == (~x).sum()


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
@pytest.mark.parametrize("shape", [(300,), (17, 70), (7, 9, 66)])
def test_every_type_agrees_with_scikit_image(dtype, shape):
    measure = pytest.importorskip("skimage.measure")
    rng = np.random.default_rng(len(shape))
    for density in (0.1, 0.3, 0.6, 0.95):
        x = random_labels(rng, shape, dtype, density)
        for connectivity in range(1, len(shape) + 1):
            want, number = measure.label(x, connectivity=connectivity, return_num=True)
            got, found = label(x, connectivity, return_num=True)
            np.testing.assert_array_equal(got, want)
            assert found == number


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_slabs_leave_no_seams(workers):
    measure = pytest.importorskip("skimage.measure")
    rng = np.random.default_rng(workers)
    for shape in [(40, 20, 150), (3, 90, 260), (200, 400), (1, 1, 70000)]:
        for density, values in [(0.25, 1), (0.5, 1), (0.6, 3), (0.97, 2)]:
            x = random_labels(rng, shape, np.uint8, density, values)
            for connectivity in range(1, x.ndim + 1):
                got = label(x, connectivity, workers=workers)
                np.testing.assert_array_equal(got, measure.label(x, connectivity=connectivity))


def test_scipy_and_cc3d_give_the_same_numbers():
    ndimage, cc3d = pytest.importorskip("scipy.ndimage"), pytest.importorskip("cc3d")
    rng = np.random.default_rng(0)
    for density in (0.2, 0.5):
        mask = rng.random((20, 30, 75)) < density
        values = random_labels(rng, mask.shape, np.int32, density, 3)
        for connectivity, neighbours in [(1, 6), (2, 18), (3, 26)]:
            structure = ndimage.generate_binary_structure(3, connectivity)
            got = label(mask, connectivity)
            np.testing.assert_array_equal(got, ndimage.label(mask, structure)[0])
            np.testing.assert_array_equal(
                got, cc3d.connected_components(mask, connectivity=neighbours)
            )
            np.testing.assert_array_equal(
                label(values, connectivity),
                cc3d.connected_components(values, connectivity=neighbours),
            )


def test_axes_of_length_one_do_not_change_the_numbers():
    """scikit-image moves them to the front, and numbers what comes out."""
    x = np.array([[[0], [2], [2]], [[2], [0], [0]]], np.uint8)
    assert label(x, 1)[..., 0].tolist() == [[0, 1, 1], [2, 0, 0]]
    assert label(x[..., 0], 1).tolist() == [[0, 1, 1], [2, 0, 0]]


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        np.uint8, arrays.array_shapes(max_dims=3, max_side=9), elements=st.integers(0, 2)
    ),
    st.data(),
)
def test_regions_do_not_depend_on_the_direction(x, data):
    connectivity = data.draw(st.integers(1, x.ndim))
    axis = data.draw(st.integers(0, x.ndim - 1))
    labels, number = label(x, connectivity, return_num=True)
    flipped, same = label(np.flip(x, axis), connectivity, return_num=True)
    assert number == same == labels.max(initial=0)
    pairs = set(zip(labels.ravel().tolist(), np.flip(flipped, axis).ravel().tolist(), strict=True))
    assert len(pairs) == len(set(labels.ravel().tolist()))
    assert ((labels == 0) == (x == 0)).all()
    first = [np.flatnonzero(labels == n)[0] for n in range(1, number + 1)]
    assert first == sorted(first)


def test_more_neighbours_make_fewer_regions():
    mask = np.random.default_rng(3).random((12, 13, 14)) < 0.3
    numbers = [label(mask, c).max() for c in (1, 2, 3)]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 3


def test_leading_axes_are_volumes_of_their_own():
    x = random_labels(np.random.default_rng(4), (2, 3, 4, 5, 6), np.uint8)
    labels, numbers = label(x, 1, return_num=True)
    assert numbers.shape == (2, 3)
    for index in np.ndindex(2, 3):
        want, number = label(x[index], 1, return_num=True)
        np.testing.assert_array_equal(labels[index], want)
        assert numbers[index] == number


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_out_is_filled_and_returned(dtype):
    x = random_labels(np.random.default_rng(5), (5, 6, 70), np.uint8)
    out = np.full(x.shape, -1, dtype)
    assert label(x, out=out) is out
    np.testing.assert_array_equal(out, label(x))
    part = np.full((5, 6, 140), -1, dtype)[:, :, ::2]
    np.testing.assert_array_equal(label(x, out=part), out)


def test_any_layout_is_read():
    x = random_labels(np.random.default_rng(6), (6, 7, 8), np.int32)
    want = label(x)
    for view in (
        np.asfortranarray(x),
        x[::-1][::-1],
        x.astype(">i4"),
        np.repeat(x, 2, 2)[..., ::2],
    ):
        np.testing.assert_array_equal(label(view), want)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"image": np.ones(3, np.float32)}, TypeError, "image must be .*; got float32"),
        ({"image": np.ones(3, complex)}, TypeError, "got complex128"),
        ({"image": np.array(1)}, ValueError, "at least 1 axes; got 0"),
        ({"connectivity": 26}, ValueError, r"got 26: 1 joins at faces, 2 at corners too"),
        ({"connectivity": 0}, ValueError, r"connectivity must be in \[1, 2\] for 2 axes; got 0"),
        ({"connectivity": 3}, ValueError, "got 3"),
        ({"connectivity": "full"}, TypeError, "connectivity must be an integer"),
        ({"background": 0.5}, TypeError, "background must be an integer"),
        ({"out": np.zeros((2, 3), np.uint8)}, TypeError, "out must be int32, int64; got uint8"),
        ({"out": np.zeros((3, 2), np.int32)}, ValueError, r"out must have shape \(2, 3\)"),
        ({"workers": 0}, ValueError, "workers must be at least 1"),
    ],
)
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=message):
        label(**{"image": np.ones((2, 3), np.uint8), **arguments})


def test_out_may_not_overlap():
    x = np.ones((2, 3), np.int32)
    with pytest.raises(ValueError, match="must not overlap"):
        label(x, out=x)
    assert (x == 1).all()
