"""Co-occurrence: truths by eye, IBSI's consensus, other libraries' counts, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ibsi import IMAGE, MASK, TEXTURE, consensus, three_digits

import voxkern
from voxkern import discretize, glcm, glcm_features


def some_levels(shape=(5, 7, 11), n=6, seed=0):
    return np.random.default_rng(seed).integers(1, n + 1, shape)


def by_loops(x, offset, n):
    """Count pairs of levels one by one."""
    counts = np.zeros((n, n), np.int64)
    for at in np.ndindex(x.shape):
        to = tuple(np.add(at, offset))
        if all(0 <= t < s for t, s in zip(to, x.shape, strict=True)) and x[at] and x[to]:
            counts[x[at] - 1, x[to] - 1] += 1
    return counts


def test_a_row_of_four():
    x = np.array([1, 2, 2, 3])
    np.testing.assert_array_equal(
        glcm(x, levels=None, symmetric=False)[..., 0, 0], [[0, 1, 0], [0, 1, 1], [0, 0, 0]]
    )
    np.testing.assert_array_equal(
        glcm(x, levels=None)[..., 0, 0], [[0, 1, 0], [1, 2, 1], [0, 1, 0]]
    )


def test_ibsi_s_example_of_a_plane():
    x = np.array([[1, 2, 2, 3], [1, 2, 3, 3], [4, 2, 4, 1], [4, 1, 2, 3]])
    along = glcm(x, levels=None)[..., 0, 0]
    np.testing.assert_array_equal(along, [[0, 3, 0, 2], [3, 2, 3, 2], [0, 3, 2, 0], [2, 2, 0, 0]])


def test_the_phantom_s_matrices_are_counted_voxel_by_voxel():
    inside = np.where(MASK, IMAGE, 0)
    counts = glcm(IMAGE, MASK, levels=None, symmetric=False)
    assert counts.shape == (6, 6, 1, 13)
    steps = [s for s in np.ndindex(3, 3, 3) if s > (1, 1, 1)]
    for d, step in enumerate(steps):
        want = by_loops(inside, np.subtract(step, 1), 6)
        np.testing.assert_array_equal(counts[..., 0, d], want)


@pytest.mark.parametrize("distance", [1, 2, 3])
@pytest.mark.parametrize("shape", [(9,), (6, 7), (4, 5, 6), (1, 1, 1), (3, 1, 40)])
def test_every_direction_is_counted(shape, distance):
    x = some_levels(shape) * (np.random.default_rng(1).random(shape) < 0.8)
    if not x.any():
        x += 1
    counts = glcm(x, levels=None, symmetric=False, distances=distance)
    steps = [s for s in np.ndindex((3,) * len(shape)) if s > (1,) * len(shape)]
    assert counts.shape[3] == len(steps)
    for d, step in enumerate(steps):
        want = by_loops(x, distance * np.subtract(step, 1), counts.shape[0])
        np.testing.assert_array_equal(counts[..., 0, d], want)


def test_scikit_image_counts_the_same_in_planes():
    feature = pytest.importorskip("skimage.feature", reason="pip install scikit-image to compare")
    x = some_levels((30, 41), 9)
    angles = [0, 3 * np.pi / 4, np.pi / 2, np.pi / 4]  # rows go down: (1, -1), (1, 0), (1, 1)
    want = feature.graycomatrix((x - 1).astype(np.uint8), [1], angles, 9, symmetric=True)
    np.testing.assert_array_equal(glcm(x, levels=None), want)


def test_mahotas_counts_the_same_in_volumes():
    texture = pytest.importorskip("mahotas.features.texture", reason="pip install mahotas")
    x = some_levels((8, 9, 20), 7) * (np.random.default_rng(2).random((8, 9, 20)) < 0.7)
    ours = glcm(x, levels=None)[:, :, 0].transpose(2, 0, 1)
    theirs = []
    for direction in range(13):
        counts = np.zeros((8, 8), np.int32)
        texture.cooccurence(x.astype(np.uint8), direction, counts, symmetric=True)
        theirs.append(counts[1:, 1:])
    assert sorted(a.tolist() for a in ours) == sorted(a.tolist() for a in theirs)


@settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=3, max_side=9),
               elements=st.integers(1, 5)),
    st.integers(1, 2),
)  # fmt: skip
def test_turning_an_image_around_transposes(x, distance):
    counts = glcm(x, levels=None, symmetric=False, distances=distance)
    turned = glcm(np.flip(x), levels=None, symmetric=False, distances=distance)
    np.testing.assert_array_equal(turned, counts.swapaxes(0, 1))
    both = glcm(x, levels=None, distances=distance)
    np.testing.assert_array_equal(both, both.swapaxes(0, 1))


def test_many_levels_and_long_runs_are_counted():
    x = some_levels((3, 40, 700), 300)
    x[:, :20] = 7
    counts = glcm(x, levels=None, symmetric=False)
    for d, step in ((0, (0, 0, 1)), (12, (1, 1, 1)), (4, (1, -1, -1))):
        a = x[: 3 - step[0], max(0, -step[1]) : 40 - max(0, step[1])]
        b = x[step[0] :, max(0, step[1]) : 40 + min(0, step[1])]
        a, b = (a[..., :-1], b[..., 1:]) if step[2] > 0 else (a[..., 1:], b[..., :-1])
        want = np.bincount((a.ravel() - 1) * 300 + b.ravel() - 1, minlength=90000)
        np.testing.assert_array_equal(counts[..., 0, d].ravel(), want)


def test_normalized_matrices_sum_to_one_and_empty_ones_to_zero():
    p = glcm(np.array([[1, 2]]), levels=None, normalized=True)
    assert p.sum(axis=(0, 1)).ravel().tolist() == [1, 0, 0, 0]


def test_levels_of_a_width_and_of_a_number():
    x = np.array([0.0, 24.9, 25.0, 99.0, 100.0, np.nan])
    mask = ~np.isnan(x)
    np.testing.assert_array_equal(discretize(x, mask, bins=4), [1, 1, 2, 4, 4, 0])
    np.testing.assert_array_equal(discretize(x, mask, width=25), [1, 1, 2, 4, 5, 0])
    np.testing.assert_array_equal(discretize(x, mask, width=25, low=20), [0, 1, 1, 4, 4, 0])
    np.testing.assert_array_equal(discretize(np.full(3, 7), bins=4), [1, 1, 1])
    np.testing.assert_array_equal(discretize(np.array([7.5, 8.5]), bins=2), [1, 2])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_discretised_images_are_those_of_numpy(dtype):
    x = (100 + 30 * np.random.default_rng(3).standard_normal((4, 9, 33))).clip(0, 250).astype(dtype)
    v = x.astype(np.float64)
    want = np.minimum(np.floor(32 * (v - v.min()) / (v.max() - v.min())), 31) + 1
    np.testing.assert_array_equal(discretize(x, bins=32), want)
    np.testing.assert_array_equal(
        discretize(x[:, ::2], width=7), (v[:, ::2] - v[:, ::2].min()) // 7 + 1
    )


@pytest.mark.parametrize(("aggregation", "column"), [("3d-averaged", 1), ("3d-merged", 2)])
def test_the_phantom_s_features_are_ibsi_s_consensus(aggregation, column):
    found = glcm_features(IMAGE, MASK, levels=None, aggregation=aggregation)
    want = {name: row[column] for name, row in TEXTURE.items()}
    assert {name: three_digits(v) for name, v in found.items()} == want
    matrix = glcm(IMAGE, MASK, levels=None)
    assert glcm_features(matrix, aggregation=aggregation) == found


def test_the_consensus_is_that_of_the_reference_file():
    reference = consensus()
    for tag, averaged, merged in TEXTURE.values():
        assert reference[f"{tag}_3D_avg"][0] == averaged
        assert reference[f"{tag}_3D_comb"][0] == merged


def test_a_single_level_and_a_single_voxel():
    flat = glcm_features(np.ones((3, 3, 3)), levels=8)
    assert (flat["contrast"], flat["correlation"], flat["joint_entropy"]) == (0, 1, 0)
    one_way = glcm_features(np.array([1, 1, 2]), levels=None, symmetric=False)
    assert (one_way["correlation"], one_way["information_correlation_1"]) == (1, 0)
    alone = glcm_features(IMAGE, np.arange(80).reshape(4, 4, 5) == 30)
    assert len(alone) == 25
    assert all(math.isnan(v) for v in alone.values())


def test_numba_counts_the_same():
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    with voxkern.use_backend("numba"):
        got = glcm(IMAGE, MASK)
    np.testing.assert_array_equal(got, glcm(IMAGE, MASK))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"mask": np.zeros((4, 4, 5), bool)}, "mask must have a voxel; got none"),
        ({"mask": np.ones((4, 4), bool)}, "mask must have the shape of the image"),
        ({"distances": 0}, "distances must be at least 1; got 0"),
        ({"distances": ()}, "distances must have at least one"),
        ({"levels": 0}, "levels must be at least 1; got 0"),
        ({"levels": 5000}, "levels must be at most 4096; got 5000"),
        ({"bin_width": -1}, "bin_width must be more than 0; got -1"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        glcm(IMAGE, **arguments)


def test_more_refusals():
    with pytest.raises(TypeError, match="image must be integers where levels is None; got float64"):
        glcm(np.ones((3, 3)), levels=None)
    with pytest.raises(ValueError, match="image must have a level of at least 1; got 0"):
        glcm(np.zeros((3, 3), int), levels=None)
    with pytest.raises(ValueError, match="image must be finite"):
        glcm(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match=r"aggregation must be one of .*; got '2d'"):
        glcm_features(IMAGE, aggregation="2d")
    with pytest.raises(ValueError, match="image of four axes must be counts"):
        glcm_features(np.full((2, 2, 1, 1), -1))
    with pytest.raises(ValueError, match="one of bins and width must be given; got None and None"):
        discretize(IMAGE)
    with pytest.raises(TypeError, match="mask must be bool, uint8; got int64"):
        glcm(IMAGE, MASK.astype(int))
