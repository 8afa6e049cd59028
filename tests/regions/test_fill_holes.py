"""Holes are filled as SciPy and fill_voids fill them."""

import numpy as np
import pytest

from voxkern import fill_holes


def test_a_ring_becomes_a_disc():
    ring = np.array([[0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [0, 1, 1, 1, 0]], bool)
    assert fill_holes(ring).astype(int).tolist() == [[0, 1, 1, 1, 0]] * 3


def test_a_diagonal_gap_closes_for_faces_only():
    x = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1]], bool)
    assert fill_holes(x)[1, 1]
    assert not fill_holes(x, connectivity=2)[1, 1]


def test_a_tube_has_holes_in_its_slices_only():
    tube = np.ones((4, 5, 6), bool)
    tube[:, 2, 2:4] = False
    assert not fill_holes(tube)[:, 2, 2:4].any()
    assert fill_holes(tube, axis=0).all()
    assert not fill_holes(tube, axis=1)[:, 2, 2:4].any()
    assert fill_holes(tube[0], axis=0).all()
    assert fill_holes(tube[0], axis=1).all()


def test_large_holes_may_stay():
    x = np.array([0, 1, 0, 1, 0, 0, 1], bool)
    assert fill_holes(x).tolist() == [0, 1, 1, 1, 1, 1, 1]
    assert fill_holes(x, max_size=1).tolist() == [0, 1, 1, 1, 0, 0, 1]
    assert fill_holes(x, max_size=0).tolist() == x.tolist()


@pytest.mark.parametrize("shape", [(50,), (30, 70), (9, 20, 130), (1, 20, 30), (1, 1, 1)])
@pytest.mark.parametrize("density", [0.4, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("workers", [1, 3])
def test_scipy_agrees(shape, density, workers):
    ndimage = pytest.importorskip("scipy.ndimage")
    x = np.random.default_rng(0).random(shape) < density
    for connectivity in range(1, x.ndim + 1):
        structure = ndimage.generate_binary_structure(x.ndim, connectivity)
        got = fill_holes(x, connectivity=connectivity, workers=workers)
        np.testing.assert_array_equal(got, ndimage.binary_fill_holes(x, structure))


def test_fill_voids_agrees():
    fill_voids = pytest.importorskip("fill_voids")
    # Away from the border: fill_voids 2.1 fills background at some of the array's edges.
    x = np.pad(np.random.default_rng(1).random((20, 30, 40)) < 0.75, 1)
    np.testing.assert_array_equal(fill_holes(x), fill_voids.fill(x))


def test_slices_are_images_of_their_own():
    x = np.random.default_rng(2).random((7, 20, 30)) < 0.7
    for axis in range(3):
        moved = np.moveaxis(x, axis, 0)
        want = np.moveaxis(np.stack([fill_holes(s) for s in moved]), 0, axis)
        np.testing.assert_array_equal(fill_holes(x, axis=axis), want)
        np.testing.assert_array_equal(fill_holes(x, axis=axis - 3), want)


def test_filling_twice_changes_nothing():
    once = fill_holes(np.random.default_rng(3).random((9, 20, 30)) < 0.8)
    np.testing.assert_array_equal(fill_holes(once), once)


def test_out_is_filled_and_returned():
    x = np.random.default_rng(4).random((9, 20, 30)) < 0.8
    out = np.zeros(x.shape, np.uint8)
    assert fill_holes(x, out=out) is out
    np.testing.assert_array_equal(out, fill_holes(x))
    np.testing.assert_array_equal(fill_holes(x.astype(np.uint8) * 7), fill_holes(x))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"mask": np.ones((3, 3))}, TypeError, "mask must be bool, uint8; got float64"),
        ({"axis": 2}, ValueError, r"axis must be in \[-2, 2\); got 2"),
        ({"axis": 0, "connectivity": 2}, ValueError, r"connectivity must be in \[1, 1\]"),
        ({"max_size": -1}, ValueError, "max_size must be at least 0"),
        ({"out": np.ones((2, 3), bool)}, ValueError, r"out must have shape \(3, 3\)"),
    ],
)
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=message):
        fill_holes(**{"mask": np.ones((3, 3), bool), **arguments})
