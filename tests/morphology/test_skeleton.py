"""Skeletons: truths by eye, scikit-image's answer, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndimage

from voxkern import label, skeletonize

FULL = np.ones((3, 3, 3))
SHAPES = [(40, 60), (1, 30, 40), (2, 30, 40), (25, 30, 33), (50, 2, 3), (20, 129), (7, 9, 192)]


def cloud(shape, seed, level=0.0, sigma=1.2):
    noise = np.random.default_rng(seed).standard_normal(shape)
    return ndimage.gaussian_filter(noise, sigma) > level * 0.2


def theirs(x):
    morphology = pytest.importorskip("skimage.morphology")
    return morphology.skeletonize(x, method="lee").astype(bool)


def test_lines_stay_as_they_are():
    x = np.zeros((9, 9, 9), bool)
    x[4, 4, 1:8] = x[4, 1:8, 4] = x[1:8, 4, 4] = True
    np.testing.assert_array_equal(skeletonize(x), x)


def test_a_block_becomes_its_axis():
    x = np.zeros((30, 11, 11), np.uint8)
    x[2:28, 2:9, 2:9] = 7
    thin = skeletonize(x)
    assert thin.dtype == bool
    assert thin[10:20].sum() == 10
    assert thin[10:20, 5, 5].all()


def test_a_ring_stays_a_ring_and_a_shell_a_shell():
    y, x = np.mgrid[-20:21, -20:21]
    ring = np.abs(np.hypot(y, x) - 12) < 4
    thin = skeletonize(ring)
    assert np.unique(label(~thin, connectivity=1)).size == 3  # the line, inside, outside
    z, y, x = np.mgrid[-12:13, -12:13, -12:13]
    shell = np.abs(np.sqrt(z * z + y * y + x * x) - 8) < 3
    assert np.unique(label(~skeletonize(shell), connectivity=1)).size == 3


def test_words_of_sixty_four_voxels_leave_no_seams():
    x = cloud((12, 12, 20), 3)
    alone = skeletonize(x)
    for at in (43, 44, 45, 63, 64, 65, 100):
        wide = np.zeros((12, 12, 130), bool)
        wide[..., at : at + 20] = x
        thin = skeletonize(wide)
        np.testing.assert_array_equal(thin[..., at : at + 20], alone)
        assert thin.sum() == alone.sum()


def test_threads_change_nothing():
    x = cloud((90, 90, 90), 4)
    np.testing.assert_array_equal(skeletonize(x, workers=1), skeletonize(x, workers=4))


@pytest.mark.parametrize("seed", range(8))
def test_no_part_falls_apart(seed):
    x = cloud((20, 22, 24), seed, 1)
    thin = skeletonize(x)
    assert not (thin & ~x).any()
    parts = ndimage.label(x, FULL)[0]
    assert ndimage.label(thin, FULL)[1] == np.unique(parts[thin]).size


def test_a_block_of_two_voxels_a_side_vanishes():
    x = np.zeros((6, 6, 6), bool)
    x[2:4, 2:4, 2:4] = True
    assert not skeletonize(x).any()


@pytest.mark.parametrize("level", [-1, 0, 1])
@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.5])
@pytest.mark.parametrize(
    "shape", [(40, 60), (1, 30, 40), (2, 30, 40), (25, 30, 33), (50, 2, 3)], ids=str
)
def test_scikit_images_skeleton(shape, sigma, level):
    for seed in range(3):
        x = cloud(shape, seed, level * (5 if sigma == 0 else 1), sigma)
        np.testing.assert_array_equal(skeletonize(x), theirs(x))


def test_what_fills_the_image_to_its_faces():
    for shape in [(7, 7), (9, 20, 31), (1, 1), (1, 1, 1), (3, 50)]:
        np.testing.assert_array_equal(
            skeletonize(np.ones(shape, bool)), theirs(np.ones(shape, bool))
        )
    assert not skeletonize(np.zeros((4, 5, 6), bool)).any()
    assert skeletonize(np.empty((0, 4), bool)).shape == (0, 4)


def test_out_leading_axes_and_memory_of_any_order():
    x = np.stack([cloud((20, 21, 22), n) for n in range(2)])[:, ::2, ::-1, ::3]
    out = np.empty(x.shape[::-1], bool).T
    assert skeletonize(x, out=out) is out
    for n in range(2):
        np.testing.assert_array_equal(out[n], theirs(x[n]))


def test_refusals():
    with pytest.raises(ValueError, match="method must be 'lee'; got 'zhang'"):
        skeletonize(np.ones((3, 3), bool), method="zhang")
    with pytest.raises(ValueError, match="mask must have at least 2 axes; got 1"):
        skeletonize(np.ones(5, bool))
    with pytest.raises(TypeError, match="mask must be bool, uint8; got float32"):
        skeletonize(np.ones((3, 3), np.float32))
