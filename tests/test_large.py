"""Volumes of more than 2^31 voxels: what is at their end is found, and nothing wraps around.

Only the last slices have something in them, so an answer there is that of a volume that is those
slices alone.
"""

import os

import numpy as np
import pytest

import voxkern

SHAPE = (130, 4100, 4100)
END = np.s_[-12:]
NEEDED = 10 << 30

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") < NEEDED,
        reason=f"needs {NEEDED >> 30} GiB of free memory",
    ),
]


@pytest.fixture(scope="module")
def volume():
    """Zeros, with two blocks near the last corner, joined by a rod."""
    x = np.zeros(SHAPE, np.uint8)
    x[-9:-2, -60:-40, -70:-50] = 90
    x[-9:-2, -60:-40, -30:-5] = 120
    x[-5, -50, -60:-10] = 100
    x[-6, -52, -20] = 0
    return x


FILTERS = {
    "median_filter": lambda x: voxkern.median_filter(x, 3),
    "minimum_filter": lambda x: voxkern.minimum_filter(x, 5),
    "uniform_filter": lambda x: voxkern.uniform_filter(x, 3),
    "gaussian_filter": lambda x: voxkern.gaussian_filter(x, 1.0, truncate=3.0),
    "grey_closing": lambda x: voxkern.grey_closing(x, 3),
    "fill_holes": lambda x: voxkern.fill_holes(x > 0),
    "binary_erosion": lambda x: voxkern.binary_erosion(x > 0, radius=2),
    "keep_largest": lambda x: voxkern.keep_largest(x > 95),
    "shift": lambda x: voxkern.shift(x, 1, order=1),
}


@pytest.mark.parametrize("name", FILTERS)
def test_the_end_of_a_large_volume_is_filtered(volume, name):
    whole = FILTERS[name](volume)
    assert not whole[0].any()
    np.testing.assert_array_equal(whole[END][4:], FILTERS[name](volume[END])[4:])


def test_a_region_grows_at_the_end_of_a_large_volume(volume):
    grown = voxkern.connected_threshold(
        volume, [(-4 + SHAPE[0], -50 + SHAPE[1], -10 + SHAPE[2])], 80, 130
    )
    np.testing.assert_array_equal(grown[END] != 0, volume[END] > 0)
    assert not grown[:-12].any()


def test_voxels_beyond_32_bits_are_counted(volume):
    counts, _ = voxkern.histogram(volume, 256, (0, 256))
    assert counts.sum() == volume.size > 1 << 31
    few = volume[END]
    assert counts[1:].tolist() == np.bincount(few.ravel(), minlength=256)[1:].tolist()
    assert voxkern.threshold_otsu(volume) < 90
    zeros = np.zeros(SHAPE, np.uint8)
    assert voxkern.ssd(volume, zeros) == pytest.approx((few.astype(float) ** 2).sum())
