"""Regions are kept by size as cc3d and scikit-image keep them."""

import numpy as np
import pytest

from voxkern import keep_largest, label, remove_small_objects

LINE = np.array([1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1], bool)


def test_the_largest_stays():
    assert np.flatnonzero(keep_largest(LINE)).tolist() == [8, 9, 10]


def test_of_equals_the_first_stays():
    assert np.flatnonzero(keep_largest(LINE, 2)).tolist() == [2, 3, 8, 9, 10]


def test_all_stay_where_there_are_few():
    np.testing.assert_array_equal(keep_largest(LINE, 9), LINE)
    assert not keep_largest(np.zeros((3, 4), bool)).any()


def test_small_ones_go():
    assert np.flatnonzero(remove_small_objects(LINE, 3)).tolist() == [8, 9, 10]
    assert np.flatnonzero(~remove_small_objects(LINE, 2) & LINE).tolist() == [0]
    np.testing.assert_array_equal(remove_small_objects(LINE, 0), LINE)
    assert not remove_small_objects(LINE, 99).any()


@pytest.mark.parametrize("shape", [(40, 70), (9, 20, 130)])
@pytest.mark.parametrize("workers", [1, 3])
def test_scikit_image_agrees(shape, workers):
    morphology = pytest.importorskip("skimage.morphology")
    rng = np.random.default_rng(0)
    for density in (0.3, 0.5, 0.9):
        x = rng.random(shape) < density
        for connectivity in range(1, x.ndim + 1):
            got = remove_small_objects(x, 6, connectivity=connectivity, workers=workers)
            want = morphology.remove_small_objects(x, max_size=5, connectivity=connectivity)
            np.testing.assert_array_equal(got, want)


def test_cc3d_agrees_where_sizes_differ():
    cc3d = pytest.importorskip("cc3d")
    x = np.zeros((20, 30, 40), bool)
    for n, corner in enumerate([(1, 1, 1), (1, 1, 20), (1, 15, 1), (10, 2, 2), (12, 20, 30)], 2):
        x[tuple(slice(c, c + n) for c in corner)] = True
    for k in (1, 2, 4):
        want = cc3d.largest_k(x, k=k, connectivity=6) > 0
        np.testing.assert_array_equal(keep_largest(x, k), want)


def test_sizes_order_the_regions():
    x = np.random.default_rng(1).random((12, 13, 70)) < 0.35
    labels = label(x, 2)
    sizes = np.bincount(labels.ravel())[1:]
    for k in (1, 3, 10):
        chosen = np.argsort(-sizes, kind="stable")[:k] + 1
        want = np.isin(labels, chosen)
        np.testing.assert_array_equal(keep_largest(x, k, connectivity=2), want)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"mask": LINE.astype(np.int32)}, TypeError, "mask must be bool, uint8; got int32"),
        ({"k": 0}, ValueError, "k must be at least 1; got 0"),
        ({"k": 1.5}, TypeError, "k must be an integer; got 1.5"),
        ({"connectivity": 2}, ValueError, r"connectivity must be in \[1, 1\]"),
    ],
)
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=message):
        keep_largest(**{"mask": LINE, **arguments})


def test_a_negative_size_is_refused():
    with pytest.raises(ValueError, match="min_size must be at least 0"):
        remove_small_objects(LINE, -1)
