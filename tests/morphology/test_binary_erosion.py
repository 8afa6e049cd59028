"""Masks are eroded and dilated as SciPy and scikit-image do it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxkern import binary_closing, binary_dilation, binary_erosion, binary_opening

OPS = [binary_erosion, binary_dilation, binary_opening, binary_closing]


def test_a_voxel_becomes_a_cross():
    x = np.zeros((3, 3), bool)
    x[1, 1] = True
    assert binary_dilation(x).astype(int).tolist() == [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    assert not binary_erosion(x).any()


def test_a_line_grows_towards_the_structure():
    x = np.array([0, 0, 1, 0, 0], bool)
    assert np.flatnonzero(binary_dilation(x, [0, 1, 1])).tolist() == [2, 3]
    assert np.flatnonzero(binary_dilation(x, [1, 1, 0])).tolist() == [1, 2]


def test_words_of_sixty_four_voxels_leave_no_seams():
    x = np.zeros(400, bool)
    x[[63, 64, 200, 320]] = True
    got = np.flatnonzero(binary_dilation(x, np.ones(141)))
    want = np.unique(np.concatenate([np.arange(c - 70, c + 71) for c in (63, 64, 200, 320)]))
    assert got.tolist() == want[(want >= 0) & (want < 400)].tolist()


def test_a_ball_has_the_volume_of_a_ball():
    x = np.zeros((41, 41, 41), np.uint8)
    x[20, 20, 20] = 5
    ball = binary_dilation(x, radius=15)
    assert abs(ball.sum() / (4 / 3 * np.pi * 15**3) - 1) < 0.01
    squeezed = binary_dilation(x, radius=15, spacing=(3, 1, 1))
    assert np.argwhere(squeezed).min(0).tolist() == [15, 5, 5]
    assert binary_erosion(ball, radius=15).sum() == 1


def test_outside_takes_no_part_with_a_radius():
    x = np.ones((6, 7), bool)
    assert binary_erosion(x, radius=3).all()
    assert not binary_dilation(~x, radius=3).any()
    assert binary_closing(x, radius=2).all()


def test_a_structure_that_changes_is_seen():
    x, structure = np.zeros((5, 7), bool), np.zeros((3, 3), bool)
    x[2, 3] = structure[1, 1] = True
    assert binary_dilation(x, structure).sum() == 1
    structure[1, 2] = structure[0, 1] = True
    wanted = [[1, 3], [2, 3], [2, 4]]
    assert np.argwhere(binary_dilation(x, structure)).tolist() == wanted
    assert np.argwhere(binary_dilation(x, structure[::-1])).tolist() == [[2, 3], [2, 4], [3, 3]]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
@pytest.mark.parametrize("shape", [(90,), (20, 70), (7, 9, 130), (1, 1, 1), (1, 5, 1)])
@pytest.mark.parametrize("workers", [1, 3])
def test_scipy_agrees(op, shape, workers):
    ndimage = pytest.importorskip("scipy.ndimage")
    theirs = getattr(ndimage, op.__name__)
    rng = np.random.default_rng(0)
    for turn in range(12):
        x = rng.random(shape) < (0.3, 0.6, 0.95)[turn % 3]
        structure = None
        origin = 0
        if turn > 3:
            size = rng.integers(1, 6, len(shape))
            structure = rng.random(size) < 0.7
            structure[tuple(size // 2)] = True
            if turn > 7:
                origin = [int(rng.integers(-(n // 2), n - n // 2)) for n in size]
        how = {
            "iterations": int(rng.integers(1, 4)),
            "mask": rng.random(shape) < 0.6 if turn % 2 else None,
            "border_value": int(rng.integers(2)),
            "origin": origin,
        }
        want = theirs(x, structure, brute_force=True, **how)
        np.testing.assert_array_equal(op(x, structure, workers=workers, **how), want)


@pytest.mark.parametrize("op", [binary_erosion, binary_dilation], ids=lambda op: op.__name__)
@pytest.mark.parametrize("shape", [(300,), (1, 1), (40, 90), (9, 20, 70), (5, 1, 130)])
@pytest.mark.parametrize("border", [0, 1])
def test_repeated_until_nothing_changes(op, shape, border):
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(1)
    for turn in range(16):
        x = rng.random(shape) < (0.01, 0.5, 0.99)[turn % 3]  # not within the mask
        mask = None if turn % 4 == 0 else rng.random(shape) < (0.4, 0.6, 0.8)[turn % 3]
        structure, origin = None, 0
        if turn > 3:
            structure = rng.random(rng.integers(1, 6, len(shape))) < 0.4
            if turn == 15:
                structure = np.ones((1,) * (len(shape) - 1) + (141,), bool)
            origin = [int(rng.integers(-(n // 2), n - n // 2)) for n in structure.shape]
            structure[tuple(n // 2 + o for n, o in zip(structure.shape, origin, strict=True))] = (
                True
            )
        how = {"iterations": 0, "mask": mask, "border_value": border, "origin": origin}
        got = op(x, structure, **how)
        want = getattr(ndimage, op.__name__)(x, structure, brute_force=True, **how)
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(op(got, structure, **how), got)


@pytest.mark.parametrize("name", ["erosion", "dilation", "opening", "closing"])
@pytest.mark.parametrize("radius", [0, 0.9, 1, 2.3, 5])
@pytest.mark.parametrize("spacing", [None, (1.5, 1, 0.7)])
def test_scikit_image_agrees_on_balls(name, radius, spacing):
    morphology = pytest.importorskip("skimage.morphology")
    ours = {op.__name__: op for op in OPS}[f"binary_{name}"]
    theirs = getattr(morphology, f"isotropic_{name}")
    rng = np.random.default_rng(3)
    x = rng.random((14, 20, 70)) < {"erosion": 0.997, "closing": 0.01}.get(name, 0.02)
    x[1:13, 4:16, 10:60] |= name in ("erosion", "opening")
    got = ours(x, radius=radius, spacing=spacing)
    np.testing.assert_array_equal(got, theirs(x, radius, spacing=spacing))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_erosion_and_dilation_are_dual(seed):
    rng = np.random.default_rng(seed)
    x = rng.random(tuple(rng.integers(1, 9, 3))) < 0.5
    structure = rng.random((3, 3, 3)) < 0.5
    structure[1, 1, 1] = True
    mirrored = structure[::-1, ::-1, ::-1]
    np.testing.assert_array_equal(
        binary_erosion(x, structure), ~binary_dilation(~x, mirrored, border_value=1)
    )
    eroded, dilated = binary_erosion(x, structure), binary_dilation(x, structure)
    assert (eroded <= x).all()
    assert (x <= dilated).all()
    opened = binary_opening(x, structure)
    assert (opened <= x).all()
    np.testing.assert_array_equal(binary_opening(opened, structure), opened)


@pytest.mark.parametrize("iterations", [0, 1, 3])
@pytest.mark.parametrize("how", [{}, {"border_value": 1}, {"radius": 2.5}, {"mask": 1}])
def test_opening_and_closing_are_one_after_the_other(iterations, how):
    rng = np.random.default_rng(8)
    x = rng.random((11, 17, 75)) < 0.8
    how = {"iterations": iterations, **how}
    if "mask" in how:
        how["mask"] = rng.random(x.shape) < 0.7
    eroded, dilated = binary_erosion(x, **how), binary_dilation(~x, **how)
    np.testing.assert_array_equal(binary_opening(x, **how), binary_dilation(eroded, **how))
    np.testing.assert_array_equal(binary_closing(~x, **how), binary_erosion(dilated, **how))


@pytest.mark.parametrize("reach", [(0, 4500), (3, 130), (40, 1)])
def test_far_structures_leave_one_box(reach):
    x = np.zeros((50, 300), bool)
    x[25, 150] = True
    got = binary_dilation(x, np.ones((2 * reach[0] + 1, 2 * reach[1] + 1)))
    want = np.zeros_like(x)
    want[max(0, 25 - reach[0]) : 26 + reach[0], max(0, 150 - reach[1]) : 151 + reach[1]] = True
    np.testing.assert_array_equal(got, want)


def test_leading_axes_are_volumes_of_their_own():
    x = np.random.default_rng(4).random((2, 3, 5, 6, 7)) < 0.7
    mask = np.random.default_rng(5).random(x.shape) < 0.7
    got = binary_erosion(x, mask=mask)
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(got[index], binary_erosion(x[index], mask=mask[index]))


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_out_is_filled_and_returned(dtype):
    x = np.random.default_rng(6).random((5, 6, 70)) < 0.7
    out = np.full(x.shape, 1, dtype)
    for op in OPS:
        assert op(x, out=out) is out
        np.testing.assert_array_equal(out, op(x))
    np.testing.assert_array_equal(binary_erosion(np.asfortranarray(x)), binary_erosion(x))


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"image": np.ones((2, 3))}, TypeError, "image must be bool, uint8; got float64"),
        ({"structure": np.ones(3)}, ValueError, "structure must have 2 axes; got 1"),
        ({"structure": np.ones((0, 3))}, ValueError, "structure must not be empty"),
        (
            {"structure": [[0, 1, 0], [1, 0, 1], [0, 1, 0]], "iterations": 0},
            ValueError,
            "structure must hold its centre to be applied until nothing changes",
        ),
        ({"origin": 2}, ValueError, "origin must keep the centre in the structure; got 2"),
        ({"border_value": 2}, ValueError, "border_value must be 0 or 1; got 2"),
        ({"iterations": 1.5}, TypeError, "iterations must be an integer; got 1.5"),
        ({"mask": np.ones((3, 2), bool)}, ValueError, r"mask must have shape \(2, 3\)"),
        ({"radius": -1}, ValueError, "radius must be at least 0; got -1"),
        ({"radius": np.nan}, ValueError, "radius must be finite"),
        ({"radius": 1, "spacing": 0}, ValueError, "spacing must be more than 0"),
        ({"spacing": -1}, ValueError, "spacing must be more than 0"),
        ({"radius": 1, "structure": np.ones((3, 3))}, ValueError, "must not both be given"),
    ],
)
def test_refusals(op, arguments, error, message):
    with pytest.raises(error, match=message):
        op(**{"image": np.ones((2, 3), bool), **arguments})
