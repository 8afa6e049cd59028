"""Image: where a voxel lies, and that nothing loses it."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voxkern
from voxkern.image import Image

OBLIQUE = np.array([[0.8, 0.0, 0.6], [0.0, 1.0, 0.0], [-0.6, 0.0, 0.8]])


def sample(shape=(3, 4, 5), **geometry):
    data = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    return Image(data, **(geometry or {"spacing": (2.5, 0.7, 0.3), "origin": (10, -20, 30)}))


def oblique():
    return sample(spacing=(2.5, 0.7, 0.3), origin=(10, -20, 30), direction=OBLIQUE)


def test_a_plain_array_has_unit_geometry():
    image = Image(np.zeros((2, 3, 4)))
    assert image.spacing == (1, 1, 1)
    assert image.origin == (0, 0, 0)
    np.testing.assert_array_equal(image.affine, np.eye(4))
    assert image.orientation == "LPS"


def test_leading_axes_have_no_spacing():
    assert Image(np.zeros((7, 2, 3, 4))).spacing == (1, 1, 1)
    colours = Image(np.zeros((3, 8, 9)), spacing=(2, 1))
    assert colours.spatial_shape == (8, 9)
    assert colours.affine.shape == (3, 3)


def test_one_step_along_z_is_one_spacing_in_the_world():
    image = sample()
    np.testing.assert_array_equal(image.index_to_world((0, 0, 0)), (10, -20, 30))
    np.testing.assert_allclose(image.index_to_world((2, 0, 0)), (15, -20, 30))
    np.testing.assert_allclose(image.index_to_world((0, 0, 1)), (10, -20, 30.3))


def test_columns_of_direction_are_the_axes_of_the_array():
    image = oblique()
    step = image.index_to_world((1, 0, 0)) - image.index_to_world((0, 0, 0))
    np.testing.assert_allclose(step, 2.5 * OBLIQUE[:, 0])


def test_affine_agrees_with_index_to_world_and_back():
    image = oblique()
    index = np.array([[1, 2, 3], [0.5, -1, 7]])
    world = image.index_to_world(index)
    by_matrix = (image.affine @ np.c_[index, np.ones(2)].T).T[:, :3]
    np.testing.assert_allclose(world, by_matrix, rtol=1e-14)
    np.testing.assert_allclose(image.world_to_index(world), index, rtol=1e-12)


def test_affine_xyz_is_the_matrix_of_nibabel():
    expected = [[-0.3, 0, 0, -30], [0, -0.7, 0, 20], [0, 0, 2.5, 10], [0, 0, 0, 1]]
    np.testing.assert_array_equal(sample().affine_xyz("RAS"), expected)
    np.testing.assert_array_equal(sample().affine_xyz("LPS")[:2, 3], (30, -20))


def test_from_affine_undoes_affine():
    image = oblique()
    again = Image.from_affine(image.data, image.affine)
    np.testing.assert_allclose(again.affine, image.affine, rtol=1e-14)
    np.testing.assert_allclose(again.spacing, image.spacing, rtol=1e-14)


@pytest.mark.parametrize(
    "key",
    [
        np.s_[1:],
        np.s_[:, 1:3, ::2],
        np.s_[::-1],
        np.s_[..., ::-2],
        np.s_[-1:, :, 4:0:-3],
        np.s_[0:1, 1:2, 2:3],
    ],
)
def test_every_voxel_keeps_its_place_when_sliced(key):
    image = oblique()
    places = np.stack(np.meshgrid(*map(np.arange, image.shape), indexing="ij"), -1)
    whole = dict(zip(image.data.ravel(), image.index_to_world(places).reshape(-1, 3), strict=True))
    part = image[key]
    np.testing.assert_array_equal(part.data, image.data[key])
    inside = np.stack(np.meshgrid(*map(np.arange, part.shape), indexing="ij"), -1)
    for value, world in zip(
        part.data.ravel(), part.index_to_world(inside).reshape(-1, 3), strict=True
    ):
        np.testing.assert_allclose(world, whole[value], atol=1e-12)


def test_a_whole_number_picks_a_time_point_but_no_plane():
    series = Image(np.zeros((6, 2, 3, 4)), (3, 1, 1))
    assert series[2].shape == (2, 3, 4)
    assert series[2].spacing == (3, 1, 1)
    with pytest.raises(IndexError, match=r"use the slice 1:2"):
        series[2, 1]


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        (np.s_[5:5], IndexError, "leaves nothing of the 3 voxels"),
        (np.s_[:, :, :, :], IndexError, "too many indices"),
        (np.s_[..., ...], IndexError, "too many indices"),
        (np.s_[[0, 1]], TypeError, "takes slices"),
        ("data", TypeError, "takes slices"),
        (None, TypeError, "takes slices"),
    ],
)
def test_keys_that_lose_the_geometry_are_refused(key, error, message):
    with pytest.raises(error, match=message):
        sample()[key]


def test_crop_is_a_view_with_a_moved_origin():
    image = sample()
    part = image.crop((1, 0, 2), (3, 2, 5))
    assert part.shape == (2, 2, 3)
    assert np.shares_memory(part.data, image.data)
    np.testing.assert_allclose(part.origin, (12.5, -20, 30.6))
    for low, high in [((-1, 0, 0), (1, 1, 1)), ((0, 0, 0), (4, 1, 1)), ((1, 1, 1), (1, 2, 2))]:
        with pytest.raises(ValueError, match="must have voxels and lie inside"):
            image.crop(low, high)
    with pytest.raises(ValueError, match="3 entries"):
        image.crop((0, 0), (1, 1))


CODES = [a + b + c for a in "LR" for b in "AP" for c in "IS"]
CODES += ["".join(code[i] for i in order) for code in CODES for order in [(2, 0, 1), (1, 0, 2)]]


@pytest.mark.parametrize("code", CODES)
def test_reorient_points_the_axes_and_keeps_the_world(code):
    image = oblique()
    turned = image.reorient(code)
    assert turned.orientation == code
    places = np.stack(np.meshgrid(*map(np.arange, turned.shape), indexing="ij"), -1).reshape(-1, 3)
    back = np.rint(image.world_to_index(turned.index_to_world(places))).astype(int)
    np.testing.assert_array_equal(image.data[tuple(back.T)], turned.data.ravel())
    np.testing.assert_allclose(turned.reorient("LPS").affine, image.reorient("LPS").affine)


@pytest.mark.parametrize("code", ["LPS", "RAS", "PIR", "SAL", "AIL"])
def test_reorient_agrees_with_simpleitk(code):
    sitk = pytest.importorskip("SimpleITK")
    image = oblique()
    other = Image.from_sitk(sitk.DICOMOrient(image.to_sitk(), code))
    ours = image.reorient(code)
    np.testing.assert_array_equal(ours.data, other.data)
    np.testing.assert_allclose(ours.affine, other.affine, atol=1e-12)


@pytest.mark.parametrize("code", ["LLS", "LP", "lps", "LPSS", "XYZ", None, 3])
def test_reorient_refuses_other_codes(code):
    with pytest.raises(ValueError, match="code must hold"):
        sample().reorient(code)


def test_reorient_refuses_a_plane():
    with pytest.raises(ValueError, match="three spatial axes"):
        Image(np.zeros((3, 4))).reorient("RAS")


def test_map_passes_the_spacing_to_those_who_take_it():
    seen = {}

    def scale(x, factor, *, spacing=None):
        seen["spacing"] = spacing
        return x * factor

    image = sample()
    doubled = image.map(scale, 2)
    assert seen["spacing"] == image.spacing
    np.testing.assert_array_equal(doubled.data, image.data * 2)
    np.testing.assert_array_equal(doubled.affine, image.affine)
    image.map(scale, factor=1, spacing=None)
    assert seen["spacing"] is None
    np.testing.assert_array_equal(image.map(lambda x: -x).data, -image.data)


def test_map_refuses_an_answer_off_the_grid():
    with pytest.raises(ValueError, match=r"must keep the spatial shape \(3, 4, 5\)"):
        sample().map(lambda x: x[1:])
    with pytest.raises(TypeError, match="must return an array"):
        sample().map(lambda x: float(x.sum()))


def test_with_data_may_add_leading_axes():
    image = oblique()
    probabilities = image.with_data(np.zeros((4, *image.shape)))
    assert probabilities.spacing == image.spacing
    with pytest.raises(ValueError, match="must end in the shape"):
        image.with_data(np.zeros((3, 4, 6)))


def test_same_grid_sees_a_shift_of_a_tenth_of_a_millimetre():
    image = oblique()
    moved = Image(image.data, image.spacing, np.add(image.origin, (0, 0.1, 0)), image.direction)
    assert image.same_grid(image.with_data(image.data * 0))
    assert not image.same_grid(moved)
    assert image.same_grid(moved, tolerance=0.2)
    assert not image.same_grid(image[1:])


@pytest.mark.parametrize(
    ("field", "value", "error", "message"),
    [
        ("spacing", (1, 0, 1), ValueError, "spacing must be positive"),
        ("spacing", (1, -2, 1), ValueError, "spacing must be positive"),
        ("spacing", (1, np.nan, 1), ValueError, "spacing must be finite"),
        ("spacing", (1, 1, 1, 1), ValueError, "spacing must have an entry"),
        ("spacing", "one", TypeError, "spacing must be"),
        ("spacing", ("a", "b", "c"), TypeError, "spacing must be 3 numbers"),
        ("origin", (0, 0), ValueError, "origin must have 3 entries"),
        ("origin", (0, 0, np.inf), ValueError, "origin must be finite"),
        ("origin", 5, TypeError, "origin must be 3 numbers"),
        ("direction", np.eye(2), ValueError, "direction must have shape"),
        ("direction", 2 * np.eye(3), ValueError, "columns of length 1"),
        ("direction", np.full((3, 3), 3**-0.5), ValueError, "independent columns"),
        ("direction", np.eye(3) * np.nan, ValueError, "direction must be finite"),
        ("direction", "up", TypeError, "direction must be a matrix"),
        ("meta", 3, TypeError, "meta must be a mapping"),
    ],
)
def test_a_wrong_field_is_refused_by_name(field, value, error, message):
    with pytest.raises(error, match=message):
        Image(np.zeros((2, 3, 4)), **{field: value})


@pytest.mark.parametrize(
    ("data", "error"),
    [(np.zeros(3), ValueError), (np.float32(1), ValueError), (np.array([["a"]]), TypeError)],
)
def test_data_must_be_an_array_of_numbers(data, error):
    with pytest.raises(error, match="data must"):
        Image(data)


def test_an_image_is_not_wrapped_twice():
    with pytest.raises(TypeError, match="not an Image"):
        Image(sample())


def test_an_image_is_frozen():
    image = sample()
    with pytest.raises(AttributeError):
        image.spacing = (1, 1, 1)
    with pytest.raises(ValueError, match="read-only"):
        image.direction[0, 0] = 2
    with pytest.raises(TypeError):
        image.meta["a"] = 1


def test_numpy_sees_the_voxels():
    image = sample()
    assert np.asarray(image) is image.data
    assert np.array(image) is not image.data
    assert np.asarray(image, np.float64).dtype == np.float64
    assert float(np.mean(image)) == image.data.mean()


def test_repr_says_what_matters():
    assert repr(sample()) == (
        "Image(3x4x5 int16, spacing (2.5, 0.7, 0.3) mm, origin (10, -20, 30) mm, LPS)"
    )
    assert "oblique" in repr(oblique())
    sheared = np.eye(3)
    sheared[:, 0] = 0.8, 0.6, 0
    assert "sheared" in repr(sample(direction=sheared))


def test_an_image_survives_pickle():
    image = oblique()
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(again.data, image.data)
    np.testing.assert_array_equal(again.affine, image.affine)


def test_torch_tensors_are_carried_sliced_and_turned():
    torch = pytest.importorskip("torch")
    image = oblique()
    tensor = image.with_data(torch.as_tensor(image.data))
    for part, expected in [
        (tensor[::-1, 1:3, 4:0:-3], image[::-1, 1:3, 4:0:-3]),
        (tensor.reorient("RIA"), image.reorient("RIA")),
        (tensor[1:, ::2], image[1:, ::2]),
    ]:
        assert isinstance(part.data, torch.Tensor)
        np.testing.assert_array_equal(part.data.numpy(), expected.data)
        np.testing.assert_allclose(part.affine, expected.affine)
    series = Image(torch.arange(48).reshape(2, 2, 3, 4))
    np.testing.assert_array_equal(series[1, ::-1].data, series.data.numpy()[1, ::-1])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.01, 100), min_size=3, max_size=3),
    st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3),
    st.lists(st.integers(-50, 50), min_size=3, max_size=3),
    st.lists(st.floats(-1, 1), min_size=3, max_size=3),
)
def test_world_and_index_undo_each_other(spacing, origin, index, axis):
    rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    turn = rotation.from_rotvec(axis).as_matrix()
    image = Image(np.zeros((2, 2, 2)), spacing, origin, turn)
    found = image.world_to_index(image.index_to_world(index))
    # a coordinate of 1e3 mm has an error of 1e-13 mm: 1e-9 voxels of 0.01 mm leave room for 1e4
    np.testing.assert_allclose(found, index, atol=1e-8)


def test_resample_carries_the_geometry():
    image = Image(
        np.random.default_rng(0).random((6, 7, 8), np.float32), (2, 1, 1.5), (5, -3, 2),
        np.eye(3)[[0, 2, 1]], {"modality": "MR"},
    )  # fmt: skip
    finer = image.resample((1, 1, 0.5))
    assert finer.shape == (12, 7, 24)
    assert finer.spacing == (1, 1, 0.5)
    np.testing.assert_array_equal(finer.direction, image.direction)
    assert finer.meta == image.meta
    lower = [image.index_to_world(np.full(3, -0.5)), finer.index_to_world(np.full(3, -0.5))]
    np.testing.assert_allclose(*lower)
    wanted = voxkern.resample(
        image.data, (1, 1, 0.5), spacing=image.spacing, origin=image.origin,
        direction=image.direction,
    )  # fmt: skip
    np.testing.assert_array_equal(finer.data, wanted)


def test_resample_like_another_image_lies_on_its_voxels():
    image = Image(np.arange(60.0).reshape(3, 4, 5), (2, 1, 1))
    part = image[1:, ::2, 1:4]
    found = image.resample(like=part)
    assert found.same_grid(part)
    np.testing.assert_allclose(found.data, part.data)
    with pytest.raises(TypeError, match="like must be an Image; got ndarray"):
        image.resample(like=part.data)


def test_functions_refuse_an_image_whose_spacing_they_would_lose():
    image = Image(np.zeros((4, 5, 6), np.uint8), 2)
    with pytest.raises(TypeError, match="image must be an array; got Image, whose spacing"):
        voxkern.gaussian_filter(image, 1)
    with pytest.raises(TypeError, match="ref must be an array"):
        voxkern.dice(image.data, image)
    with pytest.raises(TypeError, match=r"\.resample gives an Image back"):
        voxkern.resample(image, 1.0)
