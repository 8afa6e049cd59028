"""Area openings: truths by eye, scikit-image's answer, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import area_closing, area_opening


def test_a_peak_is_cut_to_where_it_is_wide():
    x = np.array([[0, 0, 0, 0], [0, 7, 4, 0], [0, 4, 4, 0]], np.uint8)
    assert area_opening(x, 4).max() == 4
    assert area_opening(x, 5).max() == 0
    np.testing.assert_array_equal(area_opening(x, 1), x)


def test_nan_is_the_highest_peak():
    x = np.array([0, np.nan, 2, 2, 1])
    assert area_opening(x, 2).tolist() == [0, 2, 2, 2, 1]


@pytest.mark.parametrize("name", ["area_opening", "area_closing"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_scikit_image_agrees_on_areas(name, dtype):
    morphology = pytest.importorskip("skimage.morphology")
    ours = {"area_opening": area_opening, "area_closing": area_closing}[name]
    rng = np.random.default_rng(1)
    for shape in [(40,), (20, 30), (7, 12, 20)]:
        x = (rng.integers(0, 60, shape) - (20 if dtype[0] in "if" else 0)).astype(dtype)
        for connectivity in range(1, len(shape) + 1):
            # Where not even the whole image is large enough, scikit-image's answer is 0.
            for area in (1, 2, 9, 40, x.size):
                want = getattr(morphology, name)(x, area, connectivity)
                np.testing.assert_array_equal(ours(x, area, connectivity), want)


def test_out_and_leading_axes():
    x = np.random.default_rng(2).integers(0, 9, (2, 5, 9, 9)).astype(np.int16)
    out = np.empty_like(x)
    assert area_opening(x, 20, out=out) is out
    np.testing.assert_array_equal(out[1], area_opening(x[1], 20))


def test_refusals():
    with pytest.raises(ValueError, match="area_threshold must be at least 1; got 0"):
        area_opening(np.ones((3, 3)), 0)
    with pytest.raises(ValueError, match="connectivity must be at most 2; got 3"):
        area_opening(np.ones((3, 3)), 4, 3)
