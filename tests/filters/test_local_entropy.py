"""Local entropy: truths, scikit-image's answer, refusals."""

import numpy as np
import pytest

from voxkern import local_entropy


def image(shape, levels=256, seed=0):
    return np.random.default_rng(seed).integers(0, levels, shape).astype(np.uint8)


def test_one_grey_value_tells_nothing():
    assert not local_entropy(np.full((5, 6, 40), 9, np.uint8), 5).any()


def test_as_many_bits_as_there_are_values():
    x = np.tile(np.arange(16, dtype=np.uint8), 4)
    assert (local_entropy(x, 16)[8:-7] == 4).all()
    assert (local_entropy(np.tile(np.array([3, 200], np.uint8), 9), 2)[1:] == 1).all()


@pytest.mark.parametrize("levels", [4, 256])
@pytest.mark.parametrize("shape", [(30, 41), (1, 50), (9, 1), (6, 20, 41), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_scikit_images_answer_for_boxes(size, shape, levels):
    rank = pytest.importorskip("skimage.filters.rank")
    x = image(shape, levels)
    want = rank.entropy(x, np.ones((size,) * x.ndim, np.uint8))
    np.testing.assert_allclose(local_entropy(x, size), want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("ndim", [2, 3])
def test_scikit_images_answer_for_footprints(ndim):
    rank = pytest.importorskip("skimage.filters.rank")
    x = image((7, 24, 41)[-ndim:], 9)
    ball = sum(g * g for g in np.mgrid[(slice(-3, 4),) * ndim]) <= 10
    ring = ball & (sum(g * g for g in np.mgrid[(slice(-3, 4),) * ndim]) > 4)
    for footprint in (ball, ring, np.random.default_rng(1).random((4, 5, 3)[-ndim:]) < 0.5):
        want = rank.entropy(x, footprint.astype(np.uint8))
        got = local_entropy(x, footprint=footprint)
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


def test_leading_axes_memory_of_any_order_and_threads():
    x = image((2, 8, 30, 99), 5)[:, ::2, ::-1, ::3]
    out = np.empty(x.shape[::-1], np.float32).T
    assert local_entropy(x, (3, 5, 1), out=out, workers=1) is out
    for n in range(2):
        np.testing.assert_array_equal(out[n], local_entropy(np.ascontiguousarray(x[n]), (3, 5, 1)))
    np.testing.assert_array_equal(local_entropy(x), local_entropy(x, 3))
    assert local_entropy(np.empty((0, 3), np.uint8)).shape == (0, 3)


def test_refusals_name_the_parameter():
    with pytest.raises(TypeError, match="image must be uint8; got float32"):
        local_entropy(np.ones((3, 3), np.float32))
    with pytest.raises(ValueError, match="size must be at least 1"):
        local_entropy(image((5, 5)), 0)
    with pytest.raises(ValueError, match="size must not be given with a footprint"):
        local_entropy(image((5, 5)), 3, footprint=np.ones((3, 3)))
    with pytest.raises(ValueError, match="at most 2\\*\\*24 voxels"):
        local_entropy(image((5, 5)), 5000)


@pytest.mark.parametrize("size", [3, 6, (9, 2, 3)])
def test_slabs_are_the_whole_where_progress_is_told(size):
    x = np.random.default_rng(5).integers(0, 20, (61, 9, 10), dtype=np.uint8)
    steps = []
    y = local_entropy(x, size, progress=lambda done, n: steps.append((done, n)))
    assert np.array_equal(y, local_entropy(x, size))
    assert len(steps) > 1
    assert steps[-1] == (61, 61)
