"""Propagation, holes and patterns: truths by eye, SciPy's answer, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import binary_fill_holes, binary_hit_or_miss, binary_propagation

ndimage = pytest.importorskip("scipy.ndimage", reason="pip install scipy to compare with it")


def test_a_seed_fills_its_own_room():
    rooms = np.ones((5, 9), bool)
    rooms[:, 4] = False
    seed = np.zeros_like(rooms)
    seed[2, 1] = True
    got = binary_propagation(seed, mask=rooms)
    assert got[:, :4].all()
    assert not got[:, 4:].any()


def test_what_starts_outside_the_mask_enters_it_and_stays():
    mask = np.array([0, 0, 1, 1, 0, 1, 1, 0], bool)
    seed = np.array([1, 1, 0, 0, 0, 0, 0, 0], bool)
    assert np.flatnonzero(binary_propagation(seed, mask=mask)).tolist() == [0, 1, 2, 3]
    got = binary_propagation(np.zeros(8, bool), mask=~mask, border_value=1)
    assert np.flatnonzero(got).tolist() == [0, 1, 7]


def test_a_winding_way_is_followed_to_its_end():
    way = np.ones((41, 150), bool)
    way[1::4, :-1] = way[3::4, 1:] = False
    seed = np.zeros_like(way)
    seed[-1, 0] = True
    for mask, start in ((way, seed), (way.T, seed.T), (way[::-1, ::-1], seed[::-1, ::-1])):
        np.testing.assert_array_equal(binary_propagation(start, mask=mask), mask)
    way[20, 75] = False
    cut = binary_propagation(seed, mask=way)
    assert not cut[:20].any()
    np.testing.assert_array_equal(cut[21:], way[21:])


def test_leading_axes_are_volumes_of_their_own():
    rng = np.random.default_rng(3)
    x, mask = rng.random((3, 4, 5, 70)) < 0.05, rng.random((3, 4, 5, 70)) < 0.6
    got = binary_propagation(x, mask=mask)
    for n in range(3):
        np.testing.assert_array_equal(got[n], binary_propagation(x[n], mask=mask[n]))
        want = ndimage.binary_propagation(x[n], mask=mask[n])
        np.testing.assert_array_equal(got[n], want)
    assert binary_propagation(np.zeros((3, 0), bool)).shape == (3, 0)


def test_a_corner_is_found_where_it_is():
    x = np.zeros((7, 7), bool)
    x[2:5, 1:6] = True
    inside, outside = [[0, 0, 0], [0, 1, 1], [0, 1, 0]], [[1, 1, 1], [1, 0, 0], [1, 0, 0]]
    assert np.argwhere(binary_hit_or_miss(x, inside, outside)).tolist() == [[2, 1]]


@pytest.mark.parametrize("shape", [(90,), (20, 70), (7, 9, 40)])
def test_scipy_agrees(shape):
    rng = np.random.default_rng(0)
    for turn in range(10):
        x = rng.random(shape) < (0.3, 0.5, 0.7)[turn % 3]
        mask = rng.random(shape) < 0.7
        box = rng.random(rng.integers(1, 5, len(shape))) < 0.6
        origin = [int(rng.integers(-(n // 2), n - n // 2)) for n in box.shape]
        # With the voxel itself among them, a dilation only adds.
        box[tuple(n // 2 + o for n, o in zip(box.shape, origin, strict=True))] = True
        for structure, moves in ((None, 0), (box, origin)):
            want = ndimage.binary_hit_or_miss(x, structure, origin1=moves)
            np.testing.assert_array_equal(binary_hit_or_miss(x, structure, origin1=moves), want)
            how = {"structure": structure, "origin": moves, "mask": mask}
            np.testing.assert_array_equal(
                binary_propagation(x & mask, **how), ndimage.binary_propagation(x & mask, **how)
            )
            how.pop("mask")
            np.testing.assert_array_equal(
                binary_fill_holes(x, **how), ndimage.binary_fill_holes(x, **how)
            )
        full = np.ones((3,) * len(shape))
        want = ndimage.binary_fill_holes(x, full)
        np.testing.assert_array_equal(binary_fill_holes(x, full), want)


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_out_is_filled_and_returned(dtype):
    x = np.random.default_rng(6).random((5, 6, 70)) < 0.5
    box = np.ones((1, 2, 3), bool)
    for op in (binary_hit_or_miss, binary_propagation, binary_fill_holes):
        out = np.full(x.shape, 1, dtype)
        assert op(x, box, out=out) is out
        np.testing.assert_array_equal(out, op(x, box))


def test_refusals():
    x = np.zeros((4, 5), bool)
    with pytest.raises(ValueError, match="structure1 and structure2 must have 2 axes; got 1 and 2"):
        binary_hit_or_miss(x, [1, 1], np.ones((3, 3)))
    out = np.ones(x.shape, bool)
    with pytest.raises(ValueError, match="structure2 must not be empty"):
        binary_hit_or_miss(x, structure2=np.zeros((0, 0)), out=out)
    assert out.all()
    with pytest.raises(ValueError, match="origin1 must keep the centre in the structure"):
        binary_hit_or_miss(x, structure2=np.ones((1, 1)), origin1=1)
    with pytest.raises(TypeError, match="image must be bool, uint8; got float64"):
        binary_fill_holes(x * 1.0)
    with pytest.raises(ValueError, match="structure must have 2 axes"):
        binary_propagation(x, [1, 1])
    with pytest.raises(ValueError, match="structure must hold its centre"):  # SciPy hangs
        binary_propagation(x, np.eye(3)[::-1] - np.eye(3))
    with pytest.raises(ValueError, match="structure must hold its centre"):
        binary_fill_holes(x, [[0, 1, 0], [1, 0, 1], [0, 1, 0]])
