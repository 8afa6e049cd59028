"""Distances between surfaces: truths by eye, the definitions by hand, SimpleITK, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import average_surface_distance, hausdorff_distance, surface_dice

scipy_ndimage = pytest.importorskip("scipy.ndimage", reason="pip install scipy to compare with it")

SPACING = (3.0, 0.7, 1.1)


def blob(seed, shape=(16, 22, 25)):
    noise = np.random.default_rng(seed).standard_normal(shape)
    return scipy_ndimage.gaussian_filter(noise, 2.5) > 0.03


def by_hand(pred, ref, spacing, connectivity=1):
    """The distances there and back, as MONAI and MedPy have them."""
    near = scipy_ndimage.generate_binary_structure(pred.ndim, connectivity)
    p = pred ^ scipy_ndimage.binary_erosion(pred, near)
    r = ref ^ scipy_ndimage.binary_erosion(ref, near)
    to_r = scipy_ndimage.distance_transform_edt(~r, sampling=spacing)
    to_p = scipy_ndimage.distance_transform_edt(~p, sampling=spacing)
    return to_r[p], to_p[r]


def planes(shape=(12, 12, 12)):
    """A slab of planes 2 to 5, and one of planes 2 to 8, over the whole image."""
    pred, ref = np.zeros(shape, bool), np.zeros(shape, bool)
    pred[2:6], ref[2:9] = True, True
    return pred, ref


def test_slabs_are_as_far_apart_as_their_ends():
    pred, ref = planes()
    assert hausdorff_distance(pred, ref) == 3
    assert hausdorff_distance(pred, ref, spacing=(2.5, 1, 1)) == 7.5
    assert hausdorff_distance(pred, ref, points="mask", spacing=(2.5, 1, 1)) == 7.5


def test_voxels_in_a_line_have_the_percentiles_of_their_distances():
    pred, ref = np.zeros((1, 30), bool), np.zeros((1, 30), bool)
    pred[0, :5], ref[0, :9] = True, True  # all are at the surface of a plane one voxel thin
    # there: five zeros; back: five zeros, then 1, 2, 3, 4; in millimetres half of it
    arguments = {"spacing": (9, 0.5), "percentile": 75}
    assert hausdorff_distance(pred, ref, **arguments) == 1.0
    union = hausdorff_distance(pred, ref, definition="union", **arguments)
    assert union == np.percentile([0] * 10 + [0.5, 1, 1.5, 2], 75) == 0.375
    assert hausdorff_distance(pred, ref, definition="union", spacing=(9, 0.5)) == 2.0
    assert average_surface_distance(pred, ref, spacing=(9, 0.5)) == 5 / 14
    assert average_surface_distance(pred, ref, symmetric=False) == 0
    assert average_surface_distance(ref, pred, symmetric=False) == 10 / 9
    assert surface_dice(pred, ref, 0) == 10 / 14
    assert surface_dice(pred, ref, 0.5, spacing=(9, 0.5)) == 11 / 14
    assert surface_dice(pred, ref, 2, spacing=(9, 0.5)) == 1


def test_a_tolerance_is_reached_in_spite_of_rounding():
    pred, ref = np.zeros((1, 9), bool), np.zeros((1, 9), bool)
    pred[0, 2], ref[0, 5] = True, True
    assert surface_dice(pred, ref, 0.3, spacing=0.1) == 1


def test_a_ball_in_a_hollow_is_farther_by_all_voxels_than_by_surfaces():
    z, y, x = np.indices((31, 31, 31)) - 15
    radius = np.sqrt(z * z + y * y + x * x)
    ball, shell = radius <= 5, (radius >= 13) & (radius <= 14)
    to_shell = scipy_ndimage.distance_transform_edt(~shell)
    assert hausdorff_distance(ball, shell, points="mask") == pytest.approx(to_shell[15, 15, 15])
    assert hausdorff_distance(ball, shell, points="surface") < to_shell[15, 15, 15]


@pytest.mark.parametrize("connectivity", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_definitions_written_by_hand_agree(seed, connectivity):
    pred, ref = blob(seed), blob(seed + 10)
    there, back = by_hand(pred, ref, SPACING, connectivity)
    both = np.concatenate((there, back))
    shared = {"spacing": SPACING, "connectivity": connectivity}
    for q in (50, 95, 100):
        monai = max(np.percentile(there, q), np.percentile(back, q))
        medpy = np.percentile(both, q)
        got = hausdorff_distance(pred, ref, percentile=q, **shared)
        assert got == pytest.approx(monai, rel=1e-6)
        got = hausdorff_distance(pred, ref, percentile=q, definition="union", **shared)
        assert got == pytest.approx(medpy, rel=1e-6)
    got = average_surface_distance(pred, ref, **shared)
    assert got == pytest.approx(both.mean(), rel=1e-6)
    got = average_surface_distance(pred, ref, symmetric=False, **shared)
    assert got == pytest.approx(there.mean(), rel=1e-6)
    got = surface_dice(pred, ref, 1.5, **shared)
    assert got == pytest.approx(np.mean(both <= 1.5), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_simpleitk_agrees(seed):
    sitk = pytest.importorskip("SimpleITK", reason="pip install SimpleITK to compare with it")
    pred, ref = blob(seed), blob(seed + 10)
    images = [sitk.GetImageFromArray(m.astype(np.uint8)) for m in (pred, ref)]
    for image in images:
        image.SetSpacing(SPACING[::-1])
    theirs = sitk.HausdorffDistanceImageFilter()
    theirs.Execute(*images)
    got = hausdorff_distance(pred, ref, points="mask", spacing=SPACING)
    assert got == pytest.approx(theirs.GetHausdorffDistance(), rel=1e-6)


def test_measures_are_symmetric_and_do_not_see_where_the_image_ends():
    pred, ref = blob(1), blob(2)
    wide = [np.pad(m, ((3, 0), (0, 5), (1, 1))) for m in (pred, ref)]
    for measure in (
        hausdorff_distance,
        average_surface_distance,
        lambda a, b: surface_dice(a, b, 1),
    ):
        assert measure(pred, ref) == measure(ref, pred)
        assert measure(pred, ref) == measure(*wide)
    assert hausdorff_distance(pred, pred) == 0
    assert average_surface_distance(pred, pred) == 0
    assert surface_dice(pred, pred, 0) == 1


@pytest.mark.parametrize("shape", [(40,), (15, 18)])
def test_lines_and_planes_are_measured_too(shape):
    pred, ref = blob(3, shape), blob(4, shape)
    there, back = by_hand(pred, ref, None)
    want = max(there.max(), back.max())
    assert hausdorff_distance(pred, ref) == pytest.approx(want, rel=1e-6)


def test_empty_masks_have_stated_answers():
    none, some = np.zeros((4, 5), bool), np.eye(4, 5, dtype=bool)
    for measure in (hausdorff_distance, average_surface_distance):
        assert np.isnan(measure(none, none))
        assert measure(none, none, empty=0) == 0
        assert measure(none, some) == measure(some, none) == np.inf
    assert np.isnan(surface_dice(none, none, 1))
    assert surface_dice(none, none, 1, empty=1) == 1
    assert surface_dice(none, some, 1) == surface_dice(some, none, 1) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"percentile": 101}, r"percentile must be in \[0, 100\]; got 101"),
        ({"definition": "mean"}, "definition must be 'max-directed' or 'union'; got 'mean'"),
        ({"points": "mesh"}, "points must be 'surface' or 'mask'; got 'mesh'"),
        ({"connectivity": 3}, r"connectivity must be in \[1, 2\] for 2 axes; got 3"),
        ({"spacing": (1, 2, 3)}, "spacing must be one value or one for each of 2 axes"),
        ({"empty": "zero"}, "empty must be 'nan' or a number"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    mask = np.eye(4, dtype=bool)
    with pytest.raises(ValueError, match=text):
        hausdorff_distance(mask, mask, **arguments)


def test_shapes_and_tolerances_are_refused_by_name():
    mask = np.eye(4, dtype=bool)
    with pytest.raises(ValueError, match="ref must have the shape of pred"):
        average_surface_distance(mask, mask[:2])
    with pytest.raises(ValueError, match="pred must have 1 to 3 axes; got 4"):
        hausdorff_distance(mask[None, None], mask[None, None])
    with pytest.raises(ValueError, match="tolerance must be at least 0; got -1"):
        surface_dice(mask, mask, -1)
