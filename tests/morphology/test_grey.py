"""Grey morphology: truths by eye, SciPy's answer, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voxkern
from voxkern import (
    black_tophat,
    grey_closing,
    grey_dilation,
    grey_erosion,
    grey_opening,
    morphological_gradient,
    white_tophat,
)

ndimage = pytest.importorskip("scipy.ndimage", reason="pip install scipy to compare with it")

OPS = [
    grey_erosion, grey_dilation, grey_opening, grey_closing, morphological_gradient, white_tophat,
    black_tophat,
]  # fmt: skip
each_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)


def noise(shape, dtype="float32", seed=0):
    return (np.random.default_rng(seed).random(shape) * 200 + 20).astype(dtype)


def test_a_bright_voxel_becomes_a_ball():
    x = np.zeros((21, 21, 21), np.uint8)
    x[10, 10, 10] = 7
    got = grey_dilation(x, radius=8)
    assert abs((got == 7).sum() / (4 / 3 * np.pi * 8**3) - 1) < 0.03
    squeezed = grey_dilation(x, radius=8, spacing=(4, 1, 2))
    assert np.argwhere(squeezed).min(0).tolist() == [8, 2, 6]


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
def test_a_ball_much_larger_than_the_image(mode):
    x, where = (
        noise((3, 4, 2)),
        np.indices((41, 27, 51)) - np.array([20, 13, 25])[:, None, None, None],
    )
    near = ((where * np.array([1, 1.5, 0.8])[:, None, None, None]) ** 2).sum(0) <= 20**2
    # By hand: SciPy 1.17 reads beyond the memory of an image so much smaller than the element.
    padding = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge"}.get(mode, mode)
    fill = {"constant_values": 100.0} if mode == "constant" else {}
    around = np.pad(x, ((20, 20), (13, 13), (25, 25)), padding, **fill)
    expected = np.lib.stride_tricks.sliding_window_view(around, near.shape)[..., near].max(-1)
    how = {"mode": mode, "cval": 100.0, "spacing": (1, 1.5, 0.8)}
    np.testing.assert_array_equal(grey_dilation(x, radius=20, **how), expected)
    assert np.ptp(grey_dilation(x, radius=1e300, spacing=1e-30)) == 0


def test_an_opening_leaves_what_the_element_fits_into():
    x = np.zeros((12, 12), np.int16)
    x[2:7, 2:7] = 50
    x[9, 9] = 80
    opened = grey_opening(x, 3)
    np.testing.assert_array_equal(opened, np.where(x == 50, 50, 0))
    np.testing.assert_array_equal(white_tophat(x, 3), x - opened)


@each_op
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_scipy_agrees(op, dtype):
    theirs = getattr(ndimage, op.__name__)
    rng = np.random.default_rng(2)
    for shape in [(30,), (9, 41), (6, 7, 33)]:
        x = noise(shape, dtype)
        box = rng.random((3, 4, 5)[: len(shape)]) < 0.6
        box[(0,) * len(shape)] = True
        heights = rng.integers(0, 9, box.shape)
        for how in (
            {"size": 3},
            {"size": 4, "mode": "wrap"},
            {"footprint": box},
            {"footprint": box, "origin": [0, 1, -1][: len(shape)], "mode": "mirror"},
            {"structure": heights, "mode": "nearest"},
            {"structure": heights, "footprint": box, "mode": "constant", "cval": 9},
        ):
            np.testing.assert_array_equal(op(x, **how), theirs(x, **how), err_msg=str(how))


def test_heights_do_not_wrap():
    x = np.array([1, 250, 9], np.uint8)
    assert grey_erosion(x, structure=[4, 4, 4]).tolist() == [0, 0, 5]
    assert grey_dilation(x, structure=[4, 9, 4]).tolist() == [254, 255, 254]


@pytest.mark.parametrize("op", [white_tophat, black_tophat], ids=lambda op: op.__name__)
def test_scipy_agrees_on_masks(op):
    x = noise((9, 20)) > 100
    np.testing.assert_array_equal(op(x, 3), getattr(ndimage, op.__name__)(x, 3))


@each_op
def test_axes_choose(op):
    x = noise((4, 9, 12))
    for how in ({"size": (3, 2)}, {"footprint": np.array([[1, 0, 1], [1, 1, 0]])}):
        want = getattr(ndimage, op.__name__)(x, axes=(0, 2), **how)
        np.testing.assert_array_equal(op(x, axes=(0, 2), **how), want)
    want = grey_erosion(x[1], structure=np.ones((3, 3)))
    np.testing.assert_array_equal(grey_erosion(x, structure=np.ones((3, 3)), axes=(1, 2))[1], want)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_openings_and_closings_are_bounds_and_stay(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 99, tuple(rng.integers(1, 9, 3))).astype(np.int16)
    footprint = rng.random((3, 3, 3)) < 0.5
    footprint[1, 1, 1] = True
    opened = grey_opening(x, footprint=footprint, mode="constant", cval=0)
    closed = grey_closing(x, footprint=footprint, mode="constant", cval=0)
    assert (opened <= x).all()
    assert (closed[1:-1, 1:-1, 1:-1] >= x[1:-1, 1:-1, 1:-1]).all()
    again = grey_opening(opened, footprint=footprint, mode="constant", cval=0)
    np.testing.assert_array_equal(again, opened)


@each_op
def test_out_is_filled_and_returned(op):
    x = noise((5, 6, 70))
    out = np.empty_like(x)
    assert op(x, 3, out=out) is out
    np.testing.assert_array_equal(out, op(x, 3))
    turned = np.empty((70, 6, 5), np.float32).T
    assert op(x, 3, out=turned) is turned
    np.testing.assert_array_equal(turned, out)
    with pytest.raises(ValueError, match="out must not overlap"):
        op(x, 3, out=x)


@each_op
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "one of size, footprint, structure and radius must be given; got none"),
        ({"size": 3, "radius": 1}, "got size, radius"),
        ({"spacing": 0, "size": 3}, "spacing must be more than 0"),
        ({"footprint": np.zeros((3, 3))}, "footprint must have at least one voxel"),
        ({"footprint": np.ones(3)}, "footprint .*must have 2 axes"),
        ({"structure": np.ones((3, 3)), "footprint": np.ones(2)}, "footprint must have the struct"),
        ({"structure": np.ones((3, 3)), "origin": 4}, "origin must keep"),
        ({"radius": -1}, "radius must be at least 0"),
    ],
)
def test_refusals(op, arguments, text):
    with pytest.raises(ValueError, match=text):
        op(np.zeros((4, 5)), **arguments)


def test_numba_gives_the_same_bits():
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    x = noise((4, 6, 9))
    with voxkern.use_backend("numba"):
        got = white_tophat(x, (3, 2, 5))
    np.testing.assert_array_equal(got, white_tophat(x, (3, 2, 5)))
