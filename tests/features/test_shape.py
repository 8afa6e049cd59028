"""Shape: IBSI's consensus, bodies whose measures are known, other libraries' meshes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ibsi import IMAGE, MASK, MORPHOLOGY, SPACING, consensus

import voxkern
from voxkern import shape_features


def ellipsoid(semi, spacing=(1.0, 1.0, 1.0)):
    """Voxels whose centres lie in an ellipsoid, with a margin."""
    sizes = [int(2 * a / s) + 5 for a, s in zip(semi, spacing, strict=True)]
    place = np.ogrid[tuple(slice(0, n) for n in sizes)]
    middle = [(n - 1) / 2 for n in sizes]
    return sum(((p - m) * s / a) ** 2
               for p, m, s, a in zip(place, middle, spacing, semi, strict=True)) <= 1  # fmt: skip


def test_the_phantom_s_shape_is_ibsi_s_consensus():
    found = shape_features(MASK, spacing=SPACING, image=IMAGE)
    for name, (_, value, tolerance) in MORPHOLOGY.items():
        assert abs(found[name] - value) <= tolerance, name


def test_the_consensus_is_that_of_the_reference_file():
    reference = consensus()
    for tag, value, tolerance in MORPHOLOGY.values():
        assert reference[tag] == (value, tolerance)


def test_one_voxel_is_an_octahedron():
    found = shape_features(np.ones((1, 1, 1), bool), spacing=(1, 2, 3))
    assert found["volume"] == pytest.approx(1, rel=1e-12)
    assert found["approximate_volume"] == 6
    triangle = 0.5 * math.sqrt(1 * 0.25 + 0.5625 + 2.25)  # half the cross product of two edges
    assert found["surface_area"] == pytest.approx(8 * triangle, rel=1e-12)
    assert found["maximum_diameter"] == 3
    assert found["major_axis_length"] == 0
    assert math.isnan(found["elongation"])


def test_a_box_is_a_box_with_bevelled_edges():
    a, b, c = 5, 7, 9
    found = shape_features(np.ones((a, b, c), bool))
    # Faces lie half a voxel out, along the edges are prisms, at the corners tetrahedra.
    edges = 4 * ((a - 1) + (b - 1) + (c - 1))
    cells = (a - 1) * (b - 1) * (c - 1) + (
        (a - 1) * (b - 1) + (b - 1) * (c - 1) + (c - 1) * (a - 1)
    )
    assert found["volume"] == pytest.approx(cells + edges / 8 + 8 / 48, rel=1e-12)
    flat = 2 * ((a - 1) * (b - 1) + (b - 1) * (c - 1) + (c - 1) * (a - 1))
    area = flat + edges * math.sqrt(0.5) + 8 * math.sqrt(3) / 8
    assert found["surface_area"] == pytest.approx(area, rel=1e-12)
    want = math.sqrt(max(sum((n - 1 + e) ** 2 for n, e in zip((a, b, c), step, strict=True))
                         for step in ((1, 0, 0), (0, 1, 0), (0, 0, 1))))  # fmt: skip
    assert found["maximum_diameter"] == pytest.approx(want, rel=1e-12)
    variances = [(n * n - 1) / 12 * a * b * c / (a * b * c - 1) for n in (c, b, a)]
    axes = [found[f"{name}_axis_length"] for name in ("major", "minor", "least")]
    np.testing.assert_allclose(axes, 4 * np.sqrt(variances), rtol=1e-12)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.7, 0.7)])
def test_an_ellipsoid_has_its_axes_and_its_volume(spacing):
    semi = (18.0, 12.0, 9.0)
    found = shape_features(ellipsoid(semi, spacing), spacing=spacing)
    whole = 4 / 3 * math.pi * math.prod(semi)
    assert found["approximate_volume"] == pytest.approx(whole, rel=0.01)
    # The mesh cuts the voxels' corners off.
    assert 0.97 * whole < found["volume"] < whole
    # The axes of a solid ellipsoid are 4 sqrt(a^2 / 5).
    axes = [found[f"{name}_axis_length"] for name in ("major", "minor", "least")]
    np.testing.assert_allclose(axes, np.array(semi) * 4 / math.sqrt(5), rtol=0.02)
    assert found["elongation"] == pytest.approx(12 / 18, rel=0.02)
    assert found["flatness"] == pytest.approx(9 / 18, rel=0.02)
    assert found["maximum_diameter"] == pytest.approx(36, abs=max(spacing))


def test_a_ball_is_nearly_as_round_as_voxels_allow():
    found = shape_features(ellipsoid((20.0, 20.0, 20.0)))
    # Facets between midpoints overstate a ball's area by up to a tenth, however fine.
    assert 4 * math.pi * 400 < found["surface_area"] < 1.1 * 4 * math.pi * 400
    assert 0.9 < found["sphericity"] < 1
    ball = 36 * math.pi * found["volume"] ** 2
    assert found["compactness_2"] == pytest.approx(ball / found["surface_area"] ** 3, rel=1e-12)
    # IBSI's ellipsoid has the axes 4 sqrt(variance), shorter than the ball's by 2 / sqrt(5).
    assert found["volume_density_aee"] == pytest.approx((5 / 4) ** 1.5, rel=0.01)


def test_the_series_for_an_ellipsoid_s_area():
    from voxkern.features._shape import _ellipsoid_area

    assert _ellipsoid_area(2, 2, 2) == pytest.approx(16 * math.pi, rel=1e-12)
    a, b, c = 5.0, 3.0, 2.0
    alpha, beta = math.sqrt(1 - b * b / (a * a)), math.sqrt(1 - c * c / (a * a))
    terms = [(alpha * beta) ** v / (1 - 4 * v * v) for v in range(21)]
    at = (alpha**2 + beta**2) / (2 * alpha * beta)
    want = 4 * math.pi * a * b * np.polynomial.legendre.legval(at, terms)
    assert _ellipsoid_area(a, b, c) == pytest.approx(want, rel=1e-12)


MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, max_side=7)).filter(np.any)


@settings(max_examples=40, deadline=None)
@given(MASKS, st.permutations([0, 1, 2]), st.integers(0, 7))
def test_turning_a_mask_changes_nothing(mask, axes, flips):
    spacing = np.array([1.0, 1.5, 0.8])
    turned = mask.transpose(axes)[
        tuple(slice(None, None, -1 if flips >> a & 1 else 1) for a in range(3))
    ]
    before = shape_features(mask, spacing=tuple(spacing))
    after = shape_features(turned, spacing=tuple(spacing[list(axes)]))
    for name, value in before.items():  # rounding of sums in another order; axes cancel
        assert after[name] == pytest.approx(value, rel=1e-7, abs=1e-7, nan_ok=True), name


@settings(max_examples=40, deadline=None)
@given(MASKS)
def test_the_diameter_is_that_of_all_pairs(mask):
    spacing = np.array([1.0, 1.5, 0.8])
    steps = np.concatenate([np.eye(3), -np.eye(3)]) / 2
    points = ((np.argwhere(mask)[:, None] + steps).reshape(-1, 3)) * spacing
    want = max(np.sqrt(((p - points) ** 2).sum(1)).max() for p in points)
    got = shape_features(mask, spacing=tuple(spacing))["maximum_diameter"]
    assert got == pytest.approx(want, rel=1e-12)


def test_a_mesh_of_a_convex_body_is_that_of_scikit_image():
    measure = pytest.importorskip("skimage.measure", reason="pip install scikit-image to compare")
    mask, spacing = ellipsoid((9.0, 7.0, 5.0)), (1.0, 0.7, 1.3)
    vertices, faces, *_ = measure.marching_cubes(mask.astype(float), 0.5, spacing=spacing)
    corners = vertices[faces]
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    found = shape_features(mask, spacing=spacing)
    # Its vertices are float32.
    assert found["surface_area"] == pytest.approx(
        measure.mesh_surface_area(vertices, faces), rel=1e-5
    )
    assert found["volume"] == pytest.approx(abs(volume), rel=1e-5)


def test_the_mesh_is_closed_and_parts_what_touches_in_a_corner():
    one = shape_features(np.ones((1, 1, 1), bool))
    for step in itertools.product((0, 1), repeat=3):
        if sum(step) > 1:
            two = np.zeros((2, 2, 2), bool)
            two[0, 0, 0] = two[step] = True
            both = shape_features(two)
            assert both["volume"] == pytest.approx(2 * one["volume"], rel=1e-12)
            assert both["surface_area"] == pytest.approx(2 * one["surface_area"], rel=1e-12)


def test_intensity_draws_the_centre():
    mask = np.ones((1, 1, 3), bool)
    found = shape_features(mask, spacing=2, image=np.array([[[0, 0, 5]]]))
    assert found["centre_of_mass_shift"] == 2
    assert "integrated_intensity" not in shape_features(mask)


def test_views_types_and_threads_make_no_difference():
    mask = np.random.default_rng(0).random((9, 20, 70)) < 0.7
    want = shape_features(mask[:, ::2].copy(), workers=1)
    assert shape_features(mask[:, ::2], workers=3) == want
    assert shape_features(7 * mask[:, ::2].astype(np.uint8)) == want


def test_numba_measures_the_same():
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    with voxkern.use_backend("numba"):
        got = shape_features(MASK)
    assert got == shape_features(MASK)


def test_what_does_not_fit_is_refused_by_name():
    with pytest.raises(ValueError, match="mask must have a voxel; got none"):
        shape_features(np.zeros((2, 2, 2), bool))
    with pytest.raises(ValueError, match="mask must have a voxel; got none"):
        shape_features(np.zeros((0, 2, 2), bool))
    with pytest.raises(ValueError, match="mask must have 3 axes; got 2"):
        shape_features(np.ones((2, 2), bool))
    with pytest.raises(ValueError, match="mask must have the shape of the image"):
        shape_features(MASK, image=IMAGE[1:])
    with pytest.raises(ValueError, match="spacing must be more than 0; got 0"):
        shape_features(MASK, spacing=(1, 0, 1))
    with pytest.raises(TypeError, match="mask must be bool, uint8; got float64"):
        shape_features(np.ones((2, 2, 2)))
