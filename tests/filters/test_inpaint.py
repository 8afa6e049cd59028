"""Filling of holes: truths, scikit-image's answer, refusals."""

import sys

import numpy as np
import pytest

from voxkern import inpaint, laplace


def scene(shape, seed=0):
    """Waves, and a mask of a block, a corner and single voxels."""
    rng = np.random.default_rng(seed)
    x = np.sin(np.indices(shape).sum(0) / 3) + 0.1 * rng.random(shape)
    mask = rng.random(shape) < 0.03
    mask[tuple(slice(n // 3, n // 3 + 4) for n in shape)] = True
    mask[tuple(slice(0, 2) for _ in shape)] = True
    return x, mask


@pytest.mark.parametrize("shape", [(60,), (24, 30), (12, 13, 14)], ids=str)
def test_scikit_images_answer(shape):
    restoration = pytest.importorskip("skimage.restoration")
    x, mask = scene(shape)
    want = restoration.inpaint_biharmonic(x, mask)
    np.testing.assert_allclose(inpaint(x, mask), want, atol=1e-9)
    got = inpaint(x.astype(np.float32), mask.astype(np.uint8))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_slopes_go_on_when_bent_and_levels_when_stretched():
    z, y, x = np.indices((14, 15, 16)).astype(float)
    slope = z + 2 * y - x
    mask = (z - 7) ** 2 + (y - 7) ** 2 + (x - 8) ** 2 < 20
    for method in ("biharmonic", "harmonic"):
        np.testing.assert_allclose(inpaint(slope, mask, method), slope, atol=1e-9)
    step = np.where(mask, 99.0, (x > 8).astype(float))
    filled = inpaint(step, mask, "harmonic")
    assert 0 < filled[mask].min() < filled[mask].max() < 1


@pytest.mark.parametrize("method", ["biharmonic", "harmonic"])
def test_steps_come_to_what_is_solved_at_once(method, monkeypatch):
    x, mask = scene((30, 31))
    mask[5:20, 8:22] = True
    want = inpaint(x, mask, method)
    monkeypatch.setattr(sys.modules["voxkern.filters._inpaint"], "_MOST", 0)
    monkeypatch.setattr(sys.modules["voxkern.filters._inpaint"], "_COARSEST", 10)
    np.testing.assert_allclose(inpaint(x, mask, method, tol=1e-11), want, atol=1e-7)
    with pytest.raises(RuntimeError, match="is not filled after max_iter=3 steps"):
        inpaint(x, mask, method, max_iter=3)


@pytest.mark.parametrize("shape", [(400,), (61, 50), (23, 1, 29), (25, 26, 27)], ids=str)
def test_the_cycle_is_a_symmetric_matrix_that_nearly_solves(shape, monkeypatch):
    inpainting = sys.modules["voxkern.filters._inpaint"]
    monkeypatch.setattr(inpainting, "_COARSEST", 10)
    rng = np.random.default_rng(0)
    mask = sum((g - (n - 1) / 2) ** 2 / n**2 for g, n in zip(np.indices(shape), shape, strict=True))
    mask = mask < 0.2
    mask[tuple(slice(0, n // 2) for n in shape)] = True  # as far as a corner of the image
    grids = inpainting._Grids(mask, 1)
    a, b = (np.where(mask, rng.standard_normal(shape), 0) for _ in range(2))
    assert (grids.cycle(a) * b).sum() == pytest.approx((a * grids.cycle(b)).sum(), rel=1e-9)
    left = a
    for _ in range(10):
        left = np.where(mask, left + laplace(grids.cycle(left)), 0)
    assert np.linalg.norm(left) < 0.01 * np.linalg.norm(a)


def test_a_large_hole_takes_few_steps():
    g = np.indices((44, 45, 46)) - 22.0
    mask = (g**2).sum(0) < 20**2
    plane = g[0] - 2 * g[2]
    for method in ("harmonic", "biharmonic"):
        got = inpaint(plane, mask, method, max_iter=40)
        np.testing.assert_allclose(got, plane, atol=1e-4)


def test_progress_counts_to_a_hundred():
    x = np.random.default_rng(0).random((22, 22, 23))
    mask, steps = np.zeros(x.shape, bool), []
    mask[2:20, 2:20, 2:21] = True
    inpaint(x, mask, progress=lambda done, n: steps.append((done, n)))
    assert len(steps) > 5
    assert steps[0] == (0, 100)
    assert steps[-1] == (100, 100)


def test_only_the_mask_changes_and_nothing_there_counts():
    x, mask = scene((12, 13, 14))
    y = inpaint(x, mask)
    np.testing.assert_array_equal(y[~mask], x[~mask])
    np.testing.assert_array_equal(inpaint(np.where(mask, np.nan, x), mask), y)
    np.testing.assert_array_equal(inpaint(x, np.zeros(x.shape, bool)), x)
    out = np.empty(x.shape)
    assert inpaint(x.transpose(2, 0, 1).copy().transpose(1, 2, 0), mask, out=out) is out
    np.testing.assert_array_equal(out, y)
    assert inpaint(x[:0], mask[:0]).shape == (0, 13, 14)


def test_what_is_known_far_away_may_be_nan():
    x = np.random.default_rng(0).random((20, 21))
    mask = np.zeros(x.shape, bool)
    mask[8:12, 8:12] = True
    want = inpaint(x, mask)[mask]
    x[0, 0] = np.nan
    np.testing.assert_array_equal(inpaint(x, mask)[mask], want)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
def test_integers_are_filled_as_the_same_floats(dtype):
    x, mask = scene((14, 15, 16))
    x = (20 * x + 30).astype(dtype)
    got = inpaint(x, mask)
    assert got.dtype == (np.float64 if dtype == "int32" else np.float32)
    np.testing.assert_array_equal(got, inpaint(x.astype(float), mask).astype(got.dtype))


@pytest.mark.parametrize(
    ("mask", "arguments", "text"),
    [
        (np.ones((4, 4), bool), {}, "mask must leave something of the image"),
        (np.ones((4, 3), bool), {}, r"mask must have the image's shape \(4, 4\); got \(4, 3\)"),
        (np.eye(4, dtype=bool), {"method": "telea"}, "method must be 'biharmonic' or 'harmonic'"),
        (np.eye(4, dtype=bool), {"tol": 0}, "tol must be more than 0"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(mask, arguments, text):
    with pytest.raises(ValueError, match=text):
        inpaint(np.zeros((4, 4)), mask, **arguments)
