"""Blobs: truths, scikit-image's answer, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import blob_dog, blob_log

OPS = [blob_log, blob_dog]


def scene(shape, sizes, seed=0, dtype="float64", room=4.0):
    """Bright Gaussians with their middles on voxels, apart by `room` times their sizes."""
    rng, x, placed = np.random.default_rng(seed), np.zeros(shape), []
    grid = np.indices(shape)
    for s in sizes:
        for _ in range(1000):
            c = np.array([rng.integers(0, n) for n in shape])
            if all(np.linalg.norm(c - d) > room * (s + t) / 2 for d, t in placed):
                placed.append((c, s))
                apart = ((grid - c.reshape(-1, *[1] * len(shape))) ** 2).sum(0)
                x = np.maximum(x, rng.uniform(0.6, 1) * np.exp(-apart / (2 * s * s)))
                break
    return (x * (200 if dtype == "uint8" else 1)).astype(dtype)


def as_set(blobs):
    return sorted(map(tuple, np.round(blobs, 5)))


def test_a_blob_has_its_middle_and_its_size():
    z, y, x = np.mgrid[:30, :31, :32]
    image = np.exp(-((z - 14) ** 2 + (y - 12) ** 2 + (x - 17) ** 2) / (2 * 4.0**2))
    found = blob_log(image, 2, 8, 25, threshold=0.1)
    assert found[:, :3].tolist() == [[14, 12, 17]]
    assert abs(found[0, 3] - 4 * np.sqrt(2 / 3)) < 0.25  # where the Laplacian is the highest
    found = blob_dog(image, 1.6, 8, 1.25, threshold=0.1)
    assert found[:, :3].tolist() == [[14, 12, 17]]
    assert 3 < found[0, 3] < 5


def test_sizes_are_in_the_unit_of_spacing():
    z, y, x = np.mgrid[:16, :31, :60]
    apart = (2 * (z - 7)) ** 2 + (y - 12) ** 2 + (0.5 * (x - 30)) ** 2
    image = np.exp(-apart / (2 * 4.0**2))
    found = blob_log(image, 2, 8, 25, threshold=0.1, spacing=(2, 1, 0.5))
    assert found[:, :3].tolist() == [[7, 12, 30]]
    assert abs(found[0, 3] - 4 * np.sqrt(2 / 3)) < 0.25
    found = blob_dog(image, 1.6, 8, 1.25, threshold=0.1, spacing=(2, 1, 0.5))
    np.testing.assert_array_equal(found[:, :3], [[7, 12, 30]])


def test_of_two_that_overlap_one_stays():
    y, x = np.mgrid[:40, :60]
    image = sum(np.exp(-((y - 20) ** 2 + (x - c) ** 2) / 18) for c in (25, 33))
    assert len(blob_log(image, 1, 4, 7, threshold=0.1, overlap=0.01)) == 1
    assert len(blob_log(image, 1, 4, 7, threshold=0.1, overlap=1)) >= 2


def test_nothing_is_found_where_nothing_is():
    for op in OPS:
        assert op(np.zeros((20, 20)), 1, 4).shape == (0, 3)
        assert op(np.zeros((9, 9, 9), np.uint8), (1, 1, 1), 4).shape == (0, 6)
        assert op(np.zeros((0, 9)), 1, 4).shape == (0, 3)


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
@pytest.mark.parametrize("shape", [(90, 110), (30, 40, 44)], ids=str)
@pytest.mark.parametrize("op", OPS)
def test_scikit_images_blobs(op, shape, dtype):
    feature = pytest.importorskip("skimage.feature")
    theirs = getattr(feature, op.__name__)
    for seed in range(3):
        x = scene(shape, [5, 4, 3, 3, 2, 2, 2, 1.5], seed, dtype)
        for more in (
            {"threshold": 0.05},
            {"threshold": 0.05, "exclude_border": 5},
            {"threshold": None, "threshold_rel": 0.3},
            {"threshold": 0.02, "overlap": 0.9},
        ):
            got, want = op(x, 1, 8, **more), theirs(x, 1, 8, **more)
            assert as_set(got) == as_set(want.astype(np.float64))
            assert len(want) > 0


@pytest.mark.parametrize("op", OPS)
def test_scikit_images_blobs_of_one_sigma_an_axis(op):
    feature = pytest.importorskip("skimage.feature")
    x = scene((30, 40, 44), [4, 3, 3, 2, 2], 1)
    low, high = (1, 1.5, 1), (6, 9, 6)
    want = getattr(feature, op.__name__)(x, low, high, threshold=0.05)
    got = op(x, low, high, threshold=0.05)
    assert got.shape[1] == 6
    assert as_set(got) == as_set(want)


@pytest.mark.parametrize("seed", range(4))
def test_scikit_images_blobs_in_noise(seed):
    feature = pytest.importorskip("skimage.feature")
    x = np.random.default_rng(seed).random((80, 90))
    got = blob_log(x, 1, 5, 5, threshold=0.1, log_scale=True)
    want = feature.blob_log(x, 1, 5, 5, threshold=0.1, log_scale=True)
    assert len(want) > 50
    both = set(as_set(got)) & set(as_set(want))
    # Chains of overlaps are settled by the order of a hash table, which insertion may change.
    assert len(both) >= 0.98 * max(len(got), len(want))


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize(
    ("error", "more", "message"),
    [
        (ValueError, {"min_sigma": 0}, "min_sigma must be more than 0"),
        (ValueError, {"max_sigma": 0.5}, "max_sigma must be at least min_sigma"),
        (ValueError, {"overlap": 1.5}, "overlap must be at most 1"),
        (ValueError, {"spacing": 0}, "spacing must be more than 0"),
        (TypeError, {"threshold": "high"}, "threshold must be a number"),
    ],
)
def test_refusals_name_the_parameter(op, error, more, message):
    with pytest.raises(error, match=message):
        op(np.eye(9), **{"max_sigma": 4, **more})


def test_more_refusals():
    with pytest.raises(ValueError, match="sigma_ratio must be more than 1"):
        blob_dog(np.eye(9), 1, 4, 1.0)
    with pytest.raises(ValueError, match="num_sigma must be at least 1"):
        blob_log(np.eye(9), 1, 4, 0)
