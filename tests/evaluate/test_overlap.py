"""Overlap of segmentations: truths by eye, SimpleITK's answer, empty masks, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from voxkern import dice, jaccard, volume_similarity

MEASURES = [dice, jaccard, volume_similarity]


def labels_pair(shape=(9, 20, 31), seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, shape, np.uint8), rng.integers(0, 4, shape, np.uint8)


def test_two_of_three_and_four():
    pred, ref = np.array([1, 1, 1, 0, 0]), np.array([0, 1, 1, 1, 1])
    assert dice(pred, ref) == 4 / 7
    assert jaccard(pred, ref) == 2 / 5
    assert volume_similarity(pred, ref) == -2 / 7


def test_a_mask_is_equal_to_itself_and_to_no_other():
    mask = np.arange(30).reshape(5, 6) % 3 == 0
    assert dice(mask, mask) == jaccard(mask, mask) == 1
    assert volume_similarity(mask, mask) == 0
    assert dice(mask, ~mask) == jaccard(mask, ~mask) == 0


@pytest.mark.parametrize("measure", MEASURES)
def test_without_labels_what_is_not_zero_counts(measure):
    pred, ref = labels_pair()
    assert measure(pred, ref) == measure(pred > 0, ref > 0)
    assert measure(pred.astype(np.int64) - 2, ref, labels=1) == measure(pred == 3, ref == 1)


@pytest.mark.parametrize("measure", MEASURES)
def test_labels_are_measured_one_by_one(measure):
    pred, ref = labels_pair()
    got = measure(pred, ref, labels=[0, 3, 1])
    want = [measure(pred == v, ref == v) for v in (0, 3, 1)]
    np.testing.assert_array_equal(got, want)
    assert measure(pred, ref, labels=3) == want[1]
    assert measure(pred, ref, labels=[]).shape == (0,)


def counted(pred, ref, value):
    """The Dice coefficient of one label, by Python's own comparison."""
    p, r = (np.array([v == value for v in x.ravel().tolist()]) for x in (pred, ref))
    total = np.count_nonzero(p) + np.count_nonzero(r)
    return 2 * np.count_nonzero(p & r) / total if total else np.nan


@pytest.mark.parametrize("other", ["bool", "int8", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("one", ["uint8", "int16", "int64", "uint64"])
def test_values_count_and_not_their_bits(one, other):
    pred, ref = labels_pair((5, 6, 9))
    pred, ref = pred.astype(one), ref.astype(other)
    for x in (pred, ref):
        if x.dtype != bool:
            x.flat[::7] = np.iinfo(x.dtype).max
            x.flat[1::7] = np.iinfo(x.dtype).min
    values = [0, 1, 3, -1, -128, 127, 255, 65535, -32768, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 2**70]
    values += [int(v) for v in np.unique(pred)] + [3]
    want = [counted(pred, ref, v) for v in values]
    np.testing.assert_array_equal(dice(pred, ref, labels=values), want)
    np.testing.assert_array_equal(dice(ref, pred, labels=values), want)


@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize("dtype", ["uint16", "int32", "int64"])
def test_many_labels_are_those_of_a_few(dtype, step):
    rng = np.random.default_rng(3)
    pred, ref = (rng.integers(0, 99, (20, 30, 40)).astype(dtype) for _ in range(2))
    pred[:9] = ref[:9]
    pred, ref = pred * np.dtype(dtype).type(step), ref * np.dtype(dtype).type(step)
    values = [int(v) for v in rng.permutation(90)] if step == 1 else list(range(0, 60000, 1000))
    want = [dice(pred, ref, labels=v) for v in values]
    np.testing.assert_array_equal(dice(pred, ref, labels=values), want)


def test_simpleitk_agrees():
    sitk = pytest.importorskip("SimpleITK", reason="pip install SimpleITK to compare with it")
    for seed in range(3):
        pred, ref = labels_pair(seed=seed)
        pred[2:5] = ref[2:5]
        theirs = sitk.LabelOverlapMeasuresImageFilter()
        theirs.Execute(sitk.GetImageFromArray(pred), sitk.GetImageFromArray(ref))
        for ours, name in (
            (dice, "DiceCoefficient"),
            (jaccard, "JaccardCoefficient"),
            (volume_similarity, "VolumeSimilarity"),
        ):
            want = [getattr(theirs, "Get" + name)(label) for label in (1, 2, 3)]
            np.testing.assert_allclose(ours(pred, ref, labels=(1, 2, 3)), want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_two_empty_masks_are_what_the_caller_says(measure):
    none, some = np.zeros((3, 4), bool), np.eye(3, 4, dtype=bool)
    assert np.isnan(measure(none, none))
    assert measure(none, none, empty=1.0) == 1
    np.testing.assert_array_equal(measure(none, some, labels=[1, 7], empty=-5)[1], -5)
    assert measure(some, none) == (2 if measure is volume_similarity else 0)


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(bool, (2, 4, 5)), hnp.arrays(bool, (2, 4, 5)))
def test_dice_and_jaccard_follow_from_each_other(pred, ref):
    j = jaccard(pred, ref, empty=1)
    assert 0 <= j <= 1
    assert dice(pred, ref, empty=1) == pytest.approx(2 * j / (1 + j), abs=1e-15)
    assert j == jaccard(ref, pred, empty=1)
    assert volume_similarity(pred, ref, empty=0) == -volume_similarity(ref, pred, empty=0)


def test_volumes_larger_than_a_piece_are_counted_to_the_end():
    pred, ref = np.zeros((70, 70, 70), np.uint8), np.zeros((70, 70, 70), np.uint8)
    pred[-1], ref[-1, :35] = 1, 1
    assert jaccard(pred, ref) == 0.5
    assert jaccard(pred[:, :, ::-1], ref[:, :, ::-1]) == 0.5


def test_what_does_not_fit_is_refused_by_name():
    mask = np.zeros((3, 4), bool)
    with pytest.raises(
        ValueError, match=r"ref must have the shape of pred, \(3, 4\); got \(4, 3\)"
    ):
        dice(mask, mask.T)
    with pytest.raises(TypeError, match=r"pred must be bool, .*; got float64"):
        jaccard(np.zeros((3, 4)), mask)
    with pytest.raises(TypeError, match=r"labels must be an integer; got 1\.5"):
        dice(mask, mask, labels=1.5)
    with pytest.raises(ValueError, match="empty must be 'nan' or a number; got 'one'"):
        dice(mask, mask, empty="one")
