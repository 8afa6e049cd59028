"""Otsu's threshold: truths by eye, scikit-image's answer, refusals."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from voxkern import threshold_multiotsu, threshold_otsu

INTEGERS = ["uint8", "int16", "uint16", "int32", "int64"]


def two_hills(shape=(9, 20, 31), dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    x = 40 + 12 * rng.standard_normal(shape)
    return np.where(rng.random(shape) < 0.3, x + 90, x).clip(0, 255).astype(dtype)


def test_two_heaps_are_parted_between_them():
    x = np.array([[0, 1, 1, 2], [10, 11, 12, 11]])
    assert threshold_otsu(x) == 2
    assert threshold_otsu(x.astype(float)) == pytest.approx(2, abs=12 / 256)


@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64"])
def test_a_constant_image_yields_its_value(dtype):
    assert threshold_otsu(np.full((3, 4), 17, dtype)) == 17
    assert threshold_otsu(np.array([0.1], "float32")) == np.float32(0.1)


@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64"])
@pytest.mark.parametrize("nbins", [16, 256])
def test_scikit_image_chooses_the_same_bin(dtype, nbins):
    filters = pytest.importorskip("skimage.filters", reason="pip install scikit-image to compare")
    for seed in range(3):
        x = two_hills(dtype=dtype, seed=seed)
        assert threshold_otsu(x, nbins) == filters.threshold_otsu(x, nbins)


def test_scikit_image_agrees_below_zero():
    filters = pytest.importorskip("skimage.filters", reason="pip install scikit-image to compare")
    x = two_hills(dtype="int16") * 10 - 1000
    assert threshold_otsu(x) == filters.threshold_otsu(x)


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.int16, st.integers(1, 60), elements=st.integers(-50, 50)))
def test_no_other_integer_parts_better(x):
    def within(t):
        parts = [p.astype(float) for p in (x[x <= t], x[x > t]) if p.size]
        return sum(((p - p.mean()) ** 2).sum() for p in parts)

    best = min(within(t) for t in range(int(x.min()), int(x.max()) + 1))
    assert within(threshold_otsu(x)) == pytest.approx(best, abs=1e-6)


def test_a_mask_is_the_image_of_its_voxels():
    x, mask = two_hills(), np.random.default_rng(1).random((9, 20, 31)) < 0.4
    assert threshold_otsu(x, mask=mask) == threshold_otsu(x[mask])
    x[~mask] = np.nan
    assert threshold_otsu(x, mask=mask) == threshold_otsu(x[mask])


def test_three_heaps_are_parted_between_them():
    x = np.array([0, 1, 2, 20, 21, 22, 50, 51])
    np.testing.assert_array_equal(threshold_multiotsu(x), [2, 22])
    np.testing.assert_array_equal(threshold_multiotsu(x, 2), [threshold_otsu(x)])
    np.testing.assert_array_equal(threshold_multiotsu(np.array([3, 5, 9]), 3), [3, 5])


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.int16, st.integers(4, 40), elements=st.integers(-9, 9)), st.integers(2, 4))
def test_no_other_thresholds_part_better(x, classes):
    def within(thresholds):
        of = np.searchsorted(thresholds, x)
        return sum(x[of == c].var() * (of == c).sum() for c in np.unique(of))

    values = np.unique(x)
    if values.size < classes:
        with pytest.raises(ValueError, match=f"image must fill {classes} to 4096 bins"):
            threshold_multiotsu(x, classes)
        return
    got = threshold_multiotsu(x, classes)
    best = min(within(t) for t in itertools.combinations(values[:-1], classes - 1))
    assert within(got) == pytest.approx(best, abs=1e-6)


def three_hills(dtype):
    bright = np.random.default_rng(3).random((9, 20, 31)) < 0.3
    return np.where(bright, 200, two_hills()).astype(dtype)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_scikit_image_chooses_the_same_bins(dtype, classes):
    filters = pytest.importorskip("skimage.filters", reason="pip install scikit-image to compare")
    x = three_hills(dtype)
    want = filters.threshold_multiotsu(x, classes, nbins=64)
    np.testing.assert_array_equal(threshold_multiotsu(x, classes, nbins=64), want)


def test_scikit_image_misses_the_best_of_four_classes_by_its_float32():
    filters = pytest.importorskip("skimage.filters", reason="pip install scikit-image to compare")
    x = three_hills("uint8")

    def apart(thresholds):
        of, v = np.searchsorted(thresholds, x), x.astype(int)
        return sum(Fraction(int(v[of == c].sum()) ** 2, int((of == c).sum())) for c in range(4))

    assert apart(threshold_multiotsu(x, 4)) > apart(filters.threshold_multiotsu(x, 4))


def test_views_and_threads_make_no_difference():
    x = two_hills((8, 12, 30))
    view = np.asfortranarray(x)[:, ::2]
    assert threshold_otsu(view, workers=1) == threshold_otsu(view.copy(), workers=3)


def test_what_does_not_fit_is_refused_by_name():
    with pytest.raises(ValueError, match="image must be finite"):
        threshold_otsu(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="image must have a voxel that counts"):
        threshold_otsu(np.ones(3), mask=np.zeros(3, bool))
    with pytest.raises(ValueError, match="image must have a voxel that counts"):
        threshold_otsu(np.zeros((0, 3), np.uint8))
    with pytest.raises(ValueError, match="nbins must be at least 2; got 1"):
        threshold_otsu(np.ones(3), 1)
    with pytest.raises(ValueError, match=r"image must span at most 2\*\*24 integers"):
        threshold_otsu(np.array([0, 1 << 30]))
    with pytest.raises(TypeError, match=r"image must be .*; got complex64"):
        threshold_otsu(np.zeros(3, np.complex64))
