"""Exact percentiles: NumPy's answers, special values, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import percentile

TYPES = ["bool", "uint8", "int16", "uint16", "int32", "float32", "float64"]
MANY = [0, 0.1, 1, 10, 25, 33.3, 50, 62.5, 75, 90, 99, 99.9, 100]


def noise(shape, dtype, seed=0):
    x = 1000 * np.random.default_rng(seed).standard_normal(shape)
    return (x > 0) if dtype == "bool" else (abs(x) / 20 if dtype == "uint8" else x).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(1,), (2,), (7, 11), (9, 20, 31), (2, 3, 4, 5)])
def test_numpy_agrees_to_the_bit(dtype, shape):
    x = noise(shape, dtype)
    want = np.percentile(x.astype(np.float64), MANY)
    np.testing.assert_array_equal(percentile(x, MANY), want)


@pytest.mark.parametrize("dtype", TYPES)
def test_only_voxels_under_the_mask_count(dtype):
    x = noise((9, 20, 31), dtype)
    mask = np.random.default_rng(1).random(x.shape) < 0.3
    want = np.percentile(x[mask].astype(np.float64), MANY)
    np.testing.assert_array_equal(percentile(x, MANY, mask=mask), want)


def test_one_percentile_is_a_number():
    found = percentile(np.arange(5), 50)
    assert isinstance(found, float)
    assert found == 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [40, 160])  # sorted, and counted
def test_nan_does_not_count(dtype, rows):
    x = noise((rows, 40), dtype)
    x[::3] = np.nan
    x[1::3, ::2] = -np.nan
    want = np.nanpercentile(x.astype(np.float64), MANY)
    np.testing.assert_array_equal(percentile(x, MANY), want)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("times", [1, 1001])  # sorted, and counted
def test_infinities_zeros_and_tiny_numbers_have_their_places(dtype, times):
    tiny = np.finfo(dtype).smallest_subnormal
    for x in ([np.inf, 3, 0, -3, -np.inf], [1, tiny, 0, -tiny, -1]):
        x = np.array(x, dtype)
        found = percentile(np.repeat(x, times), [0, 25, 50, 75, 100])
        np.testing.assert_array_equal(found, np.sort(x).astype(np.float64))


def test_an_image_is_not_copied_or_changed():
    x = noise((30, 30), "float32")
    before = x.copy()
    percentile(x.T[::2], 5)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("q", [-1, 101, np.nan, [5, 200], [[1, 2]]])
def test_bad_percentiles_are_refused(q):
    with pytest.raises(ValueError, match="q must be numbers between 0 and 100"):
        percentile(np.arange(5), q)


@pytest.mark.parametrize("x", [np.zeros(0), np.full(3, np.nan)])
def test_nothing_to_count_is_refused(x):
    with pytest.raises(ValueError, match="image must have a number that counts"):
        percentile(x, 50)
