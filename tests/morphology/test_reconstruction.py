"""Reconstruction and extrema: truths by eye, scikit-image's answer, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxkern import h_maxima, h_minima, local_maxima, local_minima, reconstruction

TYPES = ["uint8", "int16", "uint16", "int32", "float32", "float64"]


def hills(shape, dtype="uint8", seed=0, top=60):
    return np.random.default_rng(seed).integers(0, top, shape).astype(dtype)


def test_a_marked_peak_is_kept_and_others_are_cut():
    x = np.array([0, 3, 1, 1, 6, 2, 9, 0], np.uint8)
    seed = np.zeros_like(x)
    seed[4] = 5
    assert reconstruction(seed, x).tolist() == [0, 1, 1, 1, 5, 2, 2, 0]


def test_a_seed_follows_a_path_through_a_labyrinth():
    mask = np.zeros((21, 40), np.uint8)
    mask[::2] = 1
    mask[1::4, -1] = 1
    mask[3::4, 0] = 1
    seed = np.zeros_like(mask)
    seed[0, 0] = 1
    stacked = np.stack([mask, np.zeros_like(mask), mask])
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    np.testing.assert_array_equal(reconstruction(seed, mask, footprint=cross), mask)
    start = np.zeros_like(stacked)
    start[0, 0, 0] = 1
    got = reconstruction(start, stacked)
    assert not got[2].any()
    np.testing.assert_array_equal(got[0], mask)


@pytest.mark.parametrize("method", ["dilation", "erosion"])
@pytest.mark.parametrize("dtype", TYPES)
def test_scikit_image_agrees(method, dtype):
    morphology = pytest.importorskip("skimage.morphology")
    for shape in [(40,), (13, 30), (9, 12, 20), (40, 3, 5)]:
        low = hills(shape, dtype)
        high = low + hills(shape, dtype, 1, 25)
        pair = (low, high) if method == "dilation" else (high, low)
        for footprint in (None, np.indices((3,) * len(shape)).sum(0) % 2):
            want = morphology.reconstruction(*pair, method=method, footprint=footprint)
            for workers in (1, 3):
                got = reconstruction(*pair, method, footprint, workers=workers)
                assert got.dtype == dtype
                np.testing.assert_array_equal(got, want)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_two_methods_mirror_each_other(seed):
    rng = np.random.default_rng(seed)
    low = rng.integers(-40, 40, tuple(rng.integers(1, 12, 3))).astype(np.int16)
    high = low + rng.integers(0, 30, low.shape).astype(np.int16)
    grown = reconstruction(low, high)
    np.testing.assert_array_equal(grown, -reconstruction(-low, -high, "erosion"))
    np.testing.assert_array_equal(reconstruction(grown, high), grown)
    assert (low <= grown).all()
    assert (grown <= high).all()


@pytest.mark.parametrize("name", ["h_maxima", "h_minima"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.filterwarnings("ignore:possible precision loss")
def test_scikit_image_agrees_on_h_extrema(name, dtype):
    morphology = pytest.importorskip("skimage.morphology")
    ours = {"h_maxima": h_maxima, "h_minima": h_minima}[name]
    for shape in [(30,), (20, 30), (7, 12, 20)]:
        x = hills(shape, dtype)
        for h in (1, 7, 12.5, 100):
            want = getattr(morphology, name)(x, h)
            np.testing.assert_array_equal(ours(x, h), want.astype(bool))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(150,), (9, 130), (3, 4, 33)])
def test_extrema_of_floats_are_those_of_their_ranks(dtype, shape):
    rng = np.random.default_rng(5)
    crooked = np.zeros((3,) * len(shape), bool)
    crooked[(1,) * (len(shape) - 1)] = [0, 1, 1]
    for turn in range(12):
        x = rng.choice(np.array([-np.inf, -1, 0, 2, np.inf], dtype), shape)
        x[rng.random(shape) < (0, 0.02)[turn % 2]] = np.nan
        ranks = np.searchsorted([-np.inf, -1, 0, 2, np.inf], x).astype(np.int32)
        ranks[np.isnan(x)] = 5
        hows = [{"connectivity": c + 1} for c in range(len(shape))]
        for how in (*hows, {"footprint": crooked | crooked[..., ::-1]}):
            for ours in (local_maxima, local_minima):
                got = ours(x, **how)
                np.testing.assert_array_equal(got, ours(ranks, **how))
                flat = ours(x.astype(np.float64), **how, workers=1)
                np.testing.assert_array_equal(got, flat)


@pytest.mark.parametrize("name", ["local_maxima", "local_minima"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_extrema_of_long_rows_are_those_of_scikit_image(name, dtype):
    morphology = pytest.importorskip("skimage.morphology")
    ours = {"local_maxima": local_maxima, "local_minima": local_minima}[name]
    rng = np.random.default_rng(6)
    for columns in (64, 65, 66, 131):
        x = rng.integers(0, 9, (4, 5, columns)).astype(dtype)
        for connectivity in (1, 2, 3):
            want = getattr(morphology, name)(x, connectivity=connectivity)
            np.testing.assert_array_equal(ours(x, connectivity=connectivity), want)


@pytest.mark.parametrize("name", ["local_maxima", "local_minima"])
@pytest.mark.parametrize("dtype", TYPES)
def test_scikit_image_agrees_on_local_extrema(name, dtype):
    morphology = pytest.importorskip("skimage.morphology")
    ours = {"local_maxima": local_maxima, "local_minima": local_minima}[name]
    theirs = getattr(morphology, name)
    for shape in [(30,), (20, 30), (7, 12, 20)]:
        x = hills(shape, dtype, top=5)
        for how in ({}, {"connectivity": 1}, {"allow_borders": False}):
            np.testing.assert_array_equal(ours(x, **how), theirs(x, **how), err_msg=str(how))
    assert not ours(np.full((3, 4), 7, dtype)).any()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("h", [1, 12, 60])
def test_far_reaching_peaks_are_scikit_images(dtype, h):
    morphology = pytest.importorskip("skimage.morphology")
    x = 25 * np.random.default_rng(4).standard_normal((24, 33, 70))
    x = np.clip(x + 90, 0, 255).astype(dtype)
    for ours, theirs in ((h_maxima, morphology.h_maxima), (h_minima, morphology.h_minima)):
        for workers in (1, 3):
            np.testing.assert_array_equal(ours(x, h, workers=workers), theirs(x, h))


@pytest.mark.parametrize("h", [1, 200, 40000, 65535])
@pytest.mark.parametrize("dtype", ["int16", "uint16"])
def test_heights_that_the_type_has_no_number_for(dtype, h):
    ends = np.iinfo(dtype)
    x = np.array([0, 40000, 30000, 65535, 65534, 0, 200, 0]) + ends.min
    x = x.astype(dtype)
    for ours in (h_maxima, h_minima):
        np.testing.assert_array_equal(ours(x, h), ours(x.astype(np.float64), h))


@pytest.mark.parametrize("columns", [5, 9, 34, 67, 130])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_last_columns_are_looked_at_as_all_others(dtype, columns):
    x = np.random.default_rng(0).integers(0, 9, (4, 6, columns)).astype(dtype)
    for ours in (local_maxima, local_minima):
        np.testing.assert_array_equal(ours(x), ours(x[:, :, ::-1])[:, :, ::-1])


def test_zeros_of_either_sign_are_one_plateau():
    x = np.full((5, 5, 40), -1, np.float32)
    x[2, 2, 3:20] = 0
    x[2, 2, 5:20:3] = -0.0
    np.testing.assert_array_equal(local_maxima(x), x == 0)
    np.testing.assert_array_equal(local_minima(-x), x == 0)


def test_nan_is_the_highest_peak():
    x = np.array([0, np.nan, 0, 1, 0])
    assert local_maxima(x).tolist() == [False, True, False, True, False]
    assert not local_minima(x)[1]


def test_out_and_leading_axes():
    low, high = hills((2, 4, 5, 6)), hills((2, 4, 5, 6)) + 9
    got = reconstruction(low, high)
    np.testing.assert_array_equal(got[1], reconstruction(low[1], high[1]))
    out = np.empty_like(low)
    assert reconstruction(low, high, out=out) is out
    np.testing.assert_array_equal(out, got)
    flags = np.empty(low.shape, np.uint8)
    assert local_maxima(low, out=flags) is flags
    np.testing.assert_array_equal(flags, local_maxima(low))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: reconstruction(x + 1, x), ValueError, "seed must be nowhere above mask"),
        (lambda x: reconstruction(x, x + 1, "erosion"), ValueError, "seed must be nowhere below"),
        (lambda x: reconstruction(x, x, "sideways"), ValueError, "method must be 'dilation' or"),
        (lambda x: reconstruction(x, x[:2]), ValueError, r"mask must have shape \(4, 5\)"),
        (lambda x: reconstruction(x, x * 1.0), TypeError, "mask must be uint8 as seed is; got fl"),
        (lambda x: reconstruction(x, x, footprint=np.ones((3, 5))), ValueError, "footprint must"),
        (lambda x: h_maxima(x, 0), ValueError, "h must be more than 0; got 0"),
        (lambda x: local_maxima(x, connectivity=3), ValueError, "connectivity must be at most 2"),
        (lambda x: local_maxima(x, np.ones((3, 3)), 1), ValueError, "must not both be given"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call(np.zeros((4, 5), np.uint8))
