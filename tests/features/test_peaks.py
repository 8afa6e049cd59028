"""Peaks: truths, scikit-image's answer in its order, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndimage

from voxkern import _args, peak_local_max


def hills(shape, seed=0, dtype="float64", sigma=1.5):
    x = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), sigma)
    x = (x - x.min()) / np.ptp(x) * 200
    return x.astype(dtype)


def hold(x, **more):
    feature = pytest.importorskip("skimage.feature")
    np.testing.assert_array_equal(peak_local_max(x, **more), feature.peak_local_max(x, **more))


def test_the_highest_comes_first():
    x = np.zeros((9, 9, 9), np.float32)
    x[2, 2, 2], x[6, 6, 6], x[2, 6, 4] = 3, 9, 5
    assert peak_local_max(x).tolist() == [[6, 6, 6], [2, 6, 4], [2, 2, 2]]
    assert peak_local_max(x, num_peaks=1).tolist() == [[6, 6, 6]]
    assert not peak_local_max(x.astype(np.float32), threshold_rel=1e39).size
    assert peak_local_max(x, threshold_rel=0.5).tolist() == [[6, 6, 6], [2, 6, 4]]


def test_of_two_that_are_near_the_higher_stays():
    x = np.zeros(20)
    x[5], x[8], x[13] = 2, 3, 1
    assert peak_local_max(x, 4).ravel().tolist() == [8, 13]
    assert peak_local_max(x, 2).ravel().tolist() == [8, 5, 13]


def test_a_distance_beyond_the_image_leaves_the_highest():
    x = np.zeros((9, 8))
    x[5, 2], x[2, 6] = 2, 3
    assert peak_local_max(x, 10**9, exclude_border=False).tolist() == [[2, 6]]


def test_an_image_of_one_value_has_no_peak():
    assert peak_local_max(np.full((5, 6), 3.0), exclude_border=False).shape == (0, 2)
    assert peak_local_max(np.empty((0, 6))).shape == (0, 2)


def test_nan_hides_its_neighbours():
    x = np.zeros(9)
    x[3], x[4], x[7] = 5, np.nan, 2
    assert peak_local_max(x, exclude_border=0, threshold_abs=1).ravel().tolist() == [7]


@pytest.mark.parametrize("dtype", _args.REAL)
@pytest.mark.parametrize("shape", [(200,), (40, 50), (20, 24, 30)], ids=str)
@pytest.mark.parametrize("distance", [1, 2, 5])
def test_scikit_images_peaks(distance, shape, dtype):
    x = hills(shape, dtype=dtype)
    hold(x, min_distance=distance)
    hold(x, min_distance=distance, exclude_border=False, num_peaks=7)
    hold(x, min_distance=distance, threshold_abs=90, threshold_rel=0.5, exclude_border=3)


@pytest.mark.parametrize("p_norm", [1, 2, 3.5, np.inf])
def test_distances_of_any_norm(p_norm):
    for shape in [(70, 80), (20, 30, 33)]:
        flat = np.random.default_rng(2).integers(0, 4, shape)  # many of one height
        hold(flat.astype(np.uint8), min_distance=4, p_norm=p_norm)
        hold(
            hills(shape, 3, sigma=0.7),
            min_distance=3,
            p_norm=p_norm,
            exclude_border=(1,) * len(shape),
        )


def test_footprints():
    ring = np.ones((5, 5), bool)
    ring[1:4, 1:4] = False
    ring[2, 2] = True
    for around in (ring, np.ones((3, 7), bool), np.ones((1, 1), bool), np.ones((4, 2), bool)):
        hold(hills((40, 50), sigma=1.0), footprint=around)


@pytest.mark.parametrize("shape", [(60, 70), (20, 30, 33)], ids=str)
@pytest.mark.parametrize("most", [np.inf, 2])
def test_peaks_within_labels(shape, most):
    x = hills(shape)
    labels = ndimage.label(hills(shape, 7, sigma=3) > 110)[0] * 2
    labels[(0,) * len(shape)] = -3
    for distance in (1, 3):
        hold(x, min_distance=distance, labels=labels, num_peaks_per_label=most)
        hold(x, min_distance=distance, labels=labels, exclude_border=False, num_peaks=5)
    level = np.full(shape, 7.0)
    hold(level, labels=labels, exclude_border=False, threshold_abs=0)
    np.testing.assert_array_equal(
        peak_local_max(x, labels=np.zeros(shape, int)), np.empty((0, len(shape)))
    )


@pytest.mark.parametrize(
    ("error", "more", "message"),
    [
        (ValueError, {"min_distance": -1}, "min_distance must be at least 0"),
        (ValueError, {"exclude_border": -1}, "exclude_border must be at least 0"),
        (ValueError, {"exclude_border": (1,)}, "exclude_border must be one value or one for each"),
        (ValueError, {"p_norm": 0.5}, "p_norm must be at least 1"),
        (ValueError, {"footprint": np.ones(3)}, "footprint must have 2 axes"),
        (ValueError, {"labels": np.ones((3, 3), int)}, "labels must be whole numbers of shape"),
        (TypeError, {"num_peaks": 1.5}, "num_peaks must be an integer"),
    ],
)
def test_refusals_name_the_parameter(error, more, message):
    with pytest.raises(error, match=message):
        peak_local_max(np.eye(5), **more)


def test_other_images_are_refused():
    with pytest.raises(TypeError, match="image must be uint8"):
        peak_local_max(np.eye(5, dtype=bool))
    with pytest.raises(ValueError, match="image must have 1 to 3 axes; got 4"):
        peak_local_max(np.zeros((2, 2, 2, 2)))
