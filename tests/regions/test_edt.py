"""Distance transform: truths by eye, properties, the answers of SciPy and edt, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import voxkern
from voxkern import distance_transform_edt

SPACINGS = [None, (3.0, 0.7, 1.1), (0.5, 2.0, 0.5)]
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def noise(shape, density, seed=0):
    return np.random.default_rng(seed).random(shape) < density


def lengths(indices, spacing):
    """How far each voxel is from the voxel that `indices` names, in float64."""
    steps = (indices - np.indices(indices.shape[1:])).astype(float)
    scale = np.ones(len(steps)) if spacing is None else np.array(spacing)
    return np.sqrt(((steps.T * scale) ** 2).sum(-1)).T


def test_steps_count_to_the_nearest_end():
    got = distance_transform_edt(np.array([0, 1, 1, 1, 0, 1], bool))
    np.testing.assert_array_equal(got, [0, 1, 2, 1, 0, 1])
    assert got.dtype == np.float32


def test_a_hole_is_seen_at_three_four_and_five():
    mask = np.ones((9, 9), np.uint8)
    mask[4, 4] = 0
    got = distance_transform_edt(mask)
    assert got[4, 1] == 3
    assert got[8, 4] == 4
    assert got[8, 7] == 5


def test_spacing_is_by_axis_and_in_its_unit():
    mask = np.ones((3, 5, 5), bool)
    mask[1, 2, 2] = False
    got = distance_transform_edt(mask, spacing=(10, 2, 0.5))
    np.testing.assert_allclose([got[0, 2, 2], got[1, 3, 2], got[1, 2, 3]], [10, 2, 0.5])
    assert got[1, 4, 4] == np.float32(np.sqrt(17.0))


def test_squares_are_whole_numbers():
    mask = np.ones((40, 41, 42), bool)
    mask[3, 5, 7] = False
    z, y, x = np.indices(mask.shape)
    want = (z - 3) ** 2 + (y - 5) ** 2 + (x - 7) ** 2
    np.testing.assert_array_equal(distance_transform_edt(mask, squared=True), want)


def test_signed_is_positive_inside_and_nowhere_zero():
    mask = np.array([0, 0, 1, 1, 1, 0], bool)
    got = distance_transform_edt(mask, signed=True, spacing=2)
    np.testing.assert_array_equal(got, [-4, -2, 2, 4, 2, -2])
    squares = distance_transform_edt(mask, signed=True, squared=True)
    np.testing.assert_array_equal(squares, [-4, -1, 1, 4, 1, -1])


def test_without_anything_outside_distances_are_infinite():
    full, none = np.ones((2, 3, 4), bool), np.zeros((2, 3, 4), bool)
    distances, indices = distance_transform_edt(full, return_indices=True)
    assert np.all(distances == np.inf)
    assert np.all(indices == -1)
    assert np.all(distance_transform_edt(full, signed=True) == np.inf)
    assert np.all(distance_transform_edt(none, signed=True) == -np.inf)
    assert not distance_transform_edt(none).any()


def test_of_equals_the_lowest_index_counts_last_axis_first():
    mask = np.ones((3, 3), bool)
    mask[1, 0] = mask[0, 1] = mask[2, 1] = mask[1, 2] = False
    _, indices = distance_transform_edt(mask, return_indices=True)
    np.testing.assert_array_equal(indices[:, 1, 1], [1, 0])
    mask[1, 0] = mask[1, 2] = True
    _, indices = distance_transform_edt(mask, return_indices=True)
    np.testing.assert_array_equal(indices[:, 1, 1], [0, 1])


@pytest.mark.parametrize("shape", [(9, 20, 37), (40, 3, 5), (2, 70, 9), (3, 2, 150)])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("density", [0.5, 0.97, 0.999])
def test_scipy_agrees(shape, spacing, density):
    scipy = pytest.importorskip("scipy.ndimage", reason="pip install scipy to compare with it")
    mask = noise(shape, density)
    mask[1, 1, 4] = False
    want = scipy.distance_transform_edt(mask, sampling=spacing)
    got, indices = distance_transform_edt(mask, spacing=spacing, return_indices=True)
    np.testing.assert_allclose(got, want, rtol=1e-6)
    assert not mask[tuple(indices)].any()
    np.testing.assert_allclose(lengths(indices, spacing), want, rtol=1e-6)
    np.testing.assert_array_equal(got, distance_transform_edt(mask, spacing=spacing))
    want -= scipy.distance_transform_edt(~mask, sampling=spacing)
    both, indices = distance_transform_edt(mask, spacing=spacing, signed=True, return_indices=True)
    np.testing.assert_allclose(both, want, rtol=1e-6)
    assert np.all(mask[tuple(indices)] != mask)
    np.testing.assert_allclose(lengths(indices, spacing), np.abs(want), rtol=1e-6)


@pytest.mark.parametrize("shape", [(1500,), (3, 700), (700, 3), (120, 130)])
def test_long_ways_agree_with_scipy(shape):
    scipy = pytest.importorskip("scipy.ndimage", reason="pip install scipy to compare with it")
    mask = np.ones(shape, bool)
    mask.flat[[mask.size // 3, mask.size - 2]] = False
    want = scipy.distance_transform_edt(mask)
    np.testing.assert_allclose(distance_transform_edt(mask), want, rtol=1e-6)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_edt_agrees(spacing):
    edt = pytest.importorskip("edt", reason="pip install edt to compare with it")
    mask = noise((14, 25, 36), 0.99)
    mask[3, 3, 3] = False
    want = edt.edt(mask, anisotropy=spacing or (1, 1, 1), black_border=False)
    np.testing.assert_allclose(distance_transform_edt(mask, spacing=spacing), want, rtol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(bool, hnp.array_shapes(min_dims=1, max_dims=3, max_side=24)),
    st.sampled_from([0.3, 1.0, 2.5]),
)
def test_distances_change_by_a_step_at_most_and_flips_commute(mask, step):
    spacing = (step, 1.0, 0.4)[-mask.ndim :]
    distances = distance_transform_edt(mask, spacing=spacing)
    signed = distance_transform_edt(mask, spacing=spacing, signed=True)
    np.testing.assert_array_equal(np.maximum(signed, 0), distances)
    np.testing.assert_array_equal(
        distance_transform_edt(~mask, spacing=spacing, signed=True), -signed
    )
    np.testing.assert_array_equal(
        distance_transform_edt(mask[..., ::-1], spacing=spacing), distances[..., ::-1]
    )
    if np.isfinite(distances).all():
        slack = 2e-6 * distances.max(initial=1)  # two distances, each right to 1e-6
        for axis, length in enumerate(spacing):
            assert np.all(np.abs(np.diff(distances, axis=axis)) <= length + slack)
    assert np.array_equal(distances > 0, mask)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_integer_counts_as_its_truth(dtype):
    mask = noise((5, 6, 30), 0.8)
    numbers = mask * np.dtype(dtype).type(np.iinfo(dtype).max - 3)
    want = distance_transform_edt(mask)
    np.testing.assert_array_equal(distance_transform_edt(numbers), want)
    swapped = numbers.astype(numbers.dtype.newbyteorder())
    np.testing.assert_array_equal(distance_transform_edt(swapped), want)


def test_any_layout_and_leading_axes():
    mask = noise((2, 3, 5, 6, 7), 0.9)
    distances, indices = distance_transform_edt(mask, return_indices=True)
    assert indices.shape == (3, *mask.shape)
    one, at = distance_transform_edt(mask[1, 2], return_indices=True)
    np.testing.assert_array_equal(distances[1, 2], one)
    np.testing.assert_array_equal(indices[:, 1, 2], at)
    turned = mask[0, 0].transpose(2, 0, 1)[::-1]
    np.testing.assert_array_equal(
        distance_transform_edt(turned), distance_transform_edt(turned.copy())
    )


def test_an_output_given_is_the_output():
    mask = noise((4, 5, 6), 0.8)
    out = np.empty((4, 5, 12), np.float32)[..., ::2]
    assert distance_transform_edt(mask, out=out) is out
    np.testing.assert_array_equal(out, distance_transform_edt(mask))


@pytest.mark.parametrize("shape", [(0,), (0, 4), (3, 0, 5)])
def test_no_voxels_no_distances(shape):
    distances, indices = distance_transform_edt(np.zeros(shape, bool), return_indices=True)
    assert distances.shape == shape
    assert indices.shape == (len(shape), *shape)


def test_numba_gives_the_same_bits():
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    mask = noise((12, 13, 14), 0.98)
    with voxkern.use_backend("numba"):
        got = distance_transform_edt(mask, spacing=(2, 1, 0.3), signed=True, return_indices=True)
    want = distance_transform_edt(mask, spacing=(2, 1, 0.3), signed=True, return_indices=True)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"spacing": (1, 1)}, "spacing must be one value or one for each of 3 axes"),
        ({"spacing": 0}, "spacing must be more than 0; got 0"),
        ({"spacing": (1, 1, 1e12)}, r"spacing must be in \[1e-15, 1e15\] and differ"),
        ({"out": np.empty((4, 4, 5), np.float32)}, r"out must have shape \(4, 4, 4\)"),
        ({"workers": 0}, "workers must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        distance_transform_edt(np.zeros((4, 4, 4), bool), **arguments)


def test_types_that_do_not_fit_are_refused_by_name():
    with pytest.raises(TypeError, match=r"mask must be bool, .*; got float32"):
        distance_transform_edt(np.zeros((4, 4), np.float32))
    with pytest.raises(TypeError, match="out must be float32; got float64"):
        distance_transform_edt(np.zeros((4, 4), bool), out=np.zeros((4, 4)))
