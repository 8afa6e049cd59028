"""Rank and percentile filters: truths by eye, SciPy's answer, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import maximum_filter, median_filter, minimum_filter, percentile_filter, rank_filter

ndimage = pytest.importorskip("scipy.ndimage", reason="pip install scipy to compare with it")


def noise(shape, dtype="float32", seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * 60).astype(dtype)


def test_ranks_run_from_the_least_to_the_greatest():
    x = noise((5, 6, 7))
    stack = np.stack([rank_filter(x, rank, (1, 3, 2)) for rank in range(6)])
    assert (np.diff(stack, axis=0) >= 0).all()
    np.testing.assert_array_equal(stack[0], minimum_filter(x, (1, 3, 2)))
    np.testing.assert_array_equal(stack[3], median_filter(x, (1, 3, 2)))
    np.testing.assert_array_equal(stack[5], maximum_filter(x, (1, 3, 2)))


def test_nan_is_the_largest_number():
    x = np.array([1.0, np.nan, 3.0, 2.0, np.nan, 0.0, 5.0])
    np.testing.assert_array_equal(rank_filter(x, -2, 3), [1, 3, 3, 3, 2, 5, 5])
    np.testing.assert_array_equal(percentile_filter(x, 50, 3), rank_filter(x, 1, 3))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "int32", "float32"])
@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
def test_scipy_agrees(dtype, mode):
    x = noise((4, 9, 75)) > 0 if dtype == "bool" else noise((4, 9, 75), dtype)
    box = np.random.default_rng(1).random((3, 2, 5)) < 0.5
    for how in ({"size": 3}, {"size": (1, 5, 4)}, {"footprint": box, "origin": (0, 0, 1)}):
        how |= {"mode": mode, "cval": 1}
        for rank in (1, 7, -3):
            want = ndimage.rank_filter(x, rank, **how)
            np.testing.assert_array_equal(rank_filter(x, rank, **how), want)
        for percentile in (0, 10, 33.3, 100, -5):
            want = ndimage.percentile_filter(x, percentile, **how)
            np.testing.assert_array_equal(percentile_filter(x, percentile, **how), want)


def test_values_at_the_ends_of_a_type_keep_their_ranks():
    for dtype in ("uint8", "int16", "uint16", "int32"):
        ends = np.iinfo(dtype)
        x = np.random.default_rng(3).choice([ends.min, ends.max], (3, 9, 40)).astype(dtype)
        for rank in (1, 30, 60, 110, 123):
            want = ndimage.rank_filter(x, rank, (1, 5, 25), mode="nearest")
            np.testing.assert_array_equal(rank_filter(x, rank, (1, 5, 25), mode="nearest"), want)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
def test_scipy_agrees_on_large_boxes_of_bytes(mode):
    for shape, size in [((6, 12, 33), 7), ((1, 1, 90), (1, 1, 200)), ((1, 20, 22), (1, 13, 12))]:
        x = np.random.default_rng(4).integers(0, 256, shape).astype(np.uint8)
        x[:, :, : shape[2] // 2] //= 60
        for rank in (60, -30):
            want = ndimage.rank_filter(x, rank, size, mode=mode, cval=7)
            for workers in (1, 3):
                got = rank_filter(x, rank, size, mode=mode, cval=7, workers=workers)
                np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
@pytest.mark.parametrize("mode", ["reflect", "constant"])
def test_scipy_agrees_on_large_boxes_of_short_integers(mode, dtype):
    # Flat, of few numbers, and of many; of more than one tile.
    ends, rng = np.iinfo(dtype), np.random.default_rng(6)
    for shape, size in [((9, 38, 75), (5, 6, 13)), ((1, 140, 30), (1, 4, 41))]:
        x = rng.integers(ends.min, ends.max, shape, dtype=dtype, endpoint=True)
        x[:, :8], x[:, -9:] = ends.max, x[:, -9:] % 7
        for rank in (0, 70, -1):
            want = ndimage.rank_filter(x, rank, size, mode=mode, cval=7)
            for workers in (1, 3):
                got = rank_filter(x, rank, size, mode=mode, cval=7, workers=workers)
                np.testing.assert_array_equal(got, want)


def test_a_box_of_more_than_65535_bytes():
    x = np.random.default_rng(5).integers(0, 256, (12, 13, 14)).astype(np.uint8)
    want = np.sort(np.pad(x, 20, mode="symmetric")[:41, :41, :41], axis=None)
    assert rank_filter(x, 40000, 41)[0, 0, 0] == want[40000]


def unkind(kind, shape, dtype):
    rng, floats = np.random.default_rng(7), dtype.startswith("float")
    ends = (-np.inf, np.inf) if floats else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if kind == "constant":
        x = np.full(shape, 9)
    elif kind == "ramp":
        x = np.arange(np.prod(shape)).reshape(shape)
    elif kind == "ends":
        x = rng.choice(ends, shape)
    elif kind == "two":
        x = np.where(rng.random(shape) < 0.02, 200, 3)
    elif kind == "wide":
        x = rng.standard_normal(shape) if floats else rng.integers(*ends, shape)
    else:
        x = np.where(rng.random(shape) < 0.5, 7, rng.integers(0, 9000, shape))
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("kind", ["constant", "ramp", "ends", "two", "wide", "crowded"])
def test_large_boxes_of_unkind_images_agree_with_scipy(kind, dtype):
    for shape, size in [((9, 12, 70), 7), ((1, 45, 47), (1, 13, 10)), ((37, 3, 40), (6, 8, 9))]:
        x, count = unkind(kind, shape, dtype), int(np.prod(np.broadcast_to(size, 3)))
        for rank in (1, count // 2, count - 9):
            want = ndimage.rank_filter(x, rank, size)
            np.testing.assert_array_equal(rank_filter(x, rank, size), want)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
def test_scipy_agrees_on_large_boxes_of_floats(mode):
    shapes = [((6, 12, 33), 7), ((1, 1, 90), (1, 1, 200)), ((70, 9, 1), (65, 4, 1))]
    for shape, size in shapes:
        for dtype in ("float32", "float64"):
            x = noise(shape, dtype)
            want = ndimage.rank_filter(x, 60, size, mode=mode, cval=7)
            for workers in (1, 3):
                got = rank_filter(x, 60, size, mode=mode, cval=7, workers=workers)
                np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_is_the_largest_number_in_large_boxes(dtype):
    x = noise((8, 9, 40), dtype)
    x[np.random.default_rng(8).random(x.shape) < 0.3] = np.nan
    near = np.lib.stride_tricks.sliding_window_view(np.pad(x, 2, mode="symmetric"), (5, 5, 5))
    ranked = np.sort(near.reshape(*x.shape, 125), axis=-1)
    for rank in (40, 80, 95, 120):
        np.testing.assert_array_equal(rank_filter(x, rank, 5), ranked[..., rank])


def test_axes_choose_and_leading_axes_are_looped():
    x = noise((2, 3, 5, 6))
    np.testing.assert_array_equal(rank_filter(x, 4, 3)[1], rank_filter(x[1], 4, 3))
    want = ndimage.rank_filter(x, 2, size=3, axes=(0, 3))
    np.testing.assert_array_equal(rank_filter(x, 2, 3, axes=(0, 3)), want)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: rank_filter(x, 9, 3), r"rank must be in \[-9, 9\) of the neighbours; got 9"),
        (lambda x: rank_filter(x, -10, 3), "rank must be in"),
        (lambda x: percentile_filter(x, 101, 3), r"percentile must be in \[-100, 100\]; got 101"),
        (lambda x: percentile_filter(x, float("nan"), 3), "percentile must be finite"),
        (lambda x: rank_filter(x, 1), "size or footprint must be given"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, text):
    with pytest.raises(ValueError, match=text):
        call(np.zeros((4, 4)))
