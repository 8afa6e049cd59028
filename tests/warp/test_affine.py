import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

from voxkern import affine_transform

MODES = [
    "constant", "nearest", "reflect", "mirror", "wrap", "grid-constant", "grid-mirror", "grid-wrap",
]  # fmt: skip
TYPES = ["uint8", "int16", "uint16", "int32", "float32", "float64"]
SHAPES = [(40,), (21, 30), (16, 17, 25)]


def image(shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).uniform(0, 200, shape).astype(dtype)


def a_map(ndim, seed=1):
    rng = np.random.default_rng(seed)
    return np.eye(ndim) + 0.25 * rng.standard_normal((ndim, ndim)), 3 * rng.standard_normal(ndim)


def agree(ours, theirs):
    """SciPy interpolates in float64, we read float32 and small integers in float32."""
    if ours.dtype.kind in "iu":  # a value half-way between two may fall either way
        difference = np.abs(ours.astype(int) - theirs.astype(int))
        assert difference.max(initial=0) <= 1
        assert (difference > 0).mean() < 0.01
    else:
        tolerance = 1e-5 if ours.dtype == np.float32 else 1e-9
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())


def test_the_identity_changes_nothing():
    x = image((5, 6, 7))
    for order in range(2):
        np.testing.assert_array_equal(affine_transform(x, np.eye(3), order=order), x)


def test_a_swap_of_axes_is_a_transpose():
    x = image((5, 6, 7))
    swap = np.eye(3)[[2, 0, 1]]
    for order in range(2):
        y = affine_transform(x, swap, output_shape=(6, 7, 5), order=order)
        np.testing.assert_array_equal(y, x.transpose(1, 2, 0))


def test_halfway_is_the_mean_of_two():
    x = np.array([0, 4, 10], np.float32)
    assert affine_transform(x, [[1]], 0.5, order=1).tolist() == [2, 7, 0]
    assert affine_transform(x, [[1]], 0.5, order=1, mode="nearest").tolist() == [2, 7, 10]
    assert affine_transform(x, [[1]], 0.5, order=1, mode="grid-constant").tolist() == [2, 7, 5]


def test_a_linear_ramp_is_read_exactly():
    z, y, x = np.indices((20, 20, 20)).astype(np.float64)
    ramp = 2 * z - 3 * y + 5 * x
    matrix, offset = 0.3 * a_map(3)[0], np.array([6.0, 6, 6])
    for order in (1, 3):
        got = affine_transform(ramp, matrix, offset, (9, 9, 9), order=order)
        k, j, i = np.indices((9, 9, 9))
        at = matrix @ np.stack([k.ravel(), j.ravel(), i.ravel()]) + offset[:, None]
        inside = ((at >= 3) & (at <= 16)).all(0)
        wanted = np.array([2, -3, 5]) @ at
        # Splines of order 3 meet the ramp but near the faces, where mirroring bends it.
        limit = 1e-11 if order == 1 else 2.0
        assert np.abs(got.ravel() - wanted)[inside].max() < limit


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_answers_are_scipys(shape, mode, order):
    matrix, offset = a_map(len(shape))
    for dtype in TYPES:
        x = image(shape, dtype)
        where = dict(order=order, mode=mode, cval=7)
        agree(
            affine_transform(x, matrix, offset, **where),
            scipy.ndimage.affine_transform(x, matrix, offset, **where),
        )


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("mode", ["constant", "nearest", "mirror"])
def test_far_outside_is_scipys_too(mode, order):
    x = image((16, 17, 25), "float64")
    matrix, offset = a_map(3)
    where = dict(offset=offset + 20, output_shape=(30, 9, 70), order=order, mode=mode, cval=-3)
    agree(affine_transform(x, matrix, **where), scipy.ndimage.affine_transform(x, matrix, **where))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("width", range(1, 18))
def test_far_before_the_first_voxel_nothing_else_is_read(width, order):
    x = image((9, 8, width))
    slanted = np.eye(3) + 0.1 * np.eye(3, k=2)
    found = affine_transform(x, slanted, (-1e9, -1e9, -1e9), order=order, mode="nearest")
    assert (found == x[0, 0, 0]).all()


@pytest.mark.parametrize("order", [0, 1, 3])
def test_every_form_of_matrix_is_scipys(order):
    x = image((16, 17, 25), "float64")
    matrix, offset = a_map(3)
    homogeneous = np.eye(4)
    homogeneous[:3, :3], homogeneous[:3, 3] = matrix, offset
    for form in (homogeneous, homogeneous[:3], [0.7, 1.3, -0.8], np.diag([0.7, 1.3, 0.8])):
        shift = [1.0, 2.0, 20.0]
        agree(
            affine_transform(x, form, shift, order=order),
            scipy.ndimage.affine_transform(x, form, shift, order=order),
        )


def test_nearest_voxels_of_labels_are_scipys_to_the_last():
    x = np.random.default_rng(3).integers(0, 9, (30, 31, 40), np.int32)
    matrix, offset = a_map(3)
    for mode in MODES:
        np.testing.assert_array_equal(
            affine_transform(x, matrix, offset, order=0, mode=mode),
            scipy.ndimage.affine_transform(x, matrix, offset, order=0, mode=mode),
        )


@pytest.mark.parametrize("order", [0, 1, 3])
def test_points_on_the_last_voxel_are_inside_where_scipys_are(order):
    x, rng = np.ones((24, 23, 22)), np.random.default_rng(0)
    for _ in range(20):  # tenths, whose sums fall on a face or just beyond it as they are rounded
        matrix, offset = rng.integers(-12, 13, (3, 3)) * 0.1, rng.integers(-10, 100, 3) * 0.1
        matrix[0, 1] += 0.1 * (not matrix[0, 1:].any())
        where = dict(offset=offset, order=order, cval=-9)
        ours = affine_transform(x, matrix, **where)
        theirs = scipy.ndimage.affine_transform(x, matrix, **where)
        np.testing.assert_array_equal(ours < -1, theirs < -1)


@given(st.integers(0, 2**32 - 1), st.integers(0, 1))
def test_a_translation_by_whole_voxels_moves_them(seed, order):
    rng = np.random.default_rng(seed)
    x = image((4, 5, 9), seed=seed)
    step = rng.integers(-3, 4, 3)
    y = affine_transform(x, np.eye(3), step, order=order, mode="grid-wrap")
    np.testing.assert_array_equal(y, np.roll(x, -step, (0, 1, 2)))


@given(st.integers(0, 2**32 - 1))
def test_a_constant_stays_constant(seed):
    matrix, offset = a_map(3, seed)
    x = np.full((6, 7, 9), 3.7, np.float32)
    y = affine_transform(x, matrix, offset, order=1, mode="nearest")
    np.testing.assert_allclose(y, np.float32(3.7), rtol=3e-7)  # a sum of eight products


def test_integers_are_rounded_away_from_zero():
    x = np.array([-3, -2, 2, 3], np.int16)
    assert affine_transform(x, [[1]], 0.5, (1,), order=1).tolist() == [-3]
    assert affine_transform(x, [[1]], 2.5, (1,), order=1).tolist() == [3]


def test_splines_beyond_the_range_are_cut():
    x = np.array([0, 0, 0, 255, 255, 255], np.uint8)
    assert affine_transform(x, [[0.25]], 0, (21,), order=3).max() == 255


def test_a_mask_is_read_at_the_nearest_voxel():
    x = np.arange(12).reshape(3, 4) % 3 == 0
    y = affine_transform(x, np.eye(2), [0, 1], order=0)
    assert y.dtype == bool
    np.testing.assert_array_equal(y[:, :3], x[:, 1:])


@pytest.mark.parametrize("order", [1, 3])
def test_complex_images_are_read_part_by_part(order):
    x = image((12, 13)) + 1j * image((12, 13), seed=5)
    matrix, offset = a_map(2)
    y = affine_transform(x, matrix, offset, order=order, cval=2 + 1j)
    theirs = scipy.ndimage.affine_transform(x, matrix, offset, order=order, cval=2 + 1j)
    assert y.dtype == np.complex64
    np.testing.assert_allclose(y, theirs, atol=1e-5 * 200)  # float32 parts


def test_nan_reaches_its_readers_only():
    x = image((9, 9, 20))
    x[4, 4, 10] = np.nan
    y = affine_transform(x, np.eye(3), [0.25, 0.5, 0.5], order=1, mode="nearest")
    bad = np.argwhere(np.isnan(y))
    assert bad.min(0).tolist() == [3, 3, 9]
    assert bad.max(0).tolist() == [4, 4, 10]
    assert len(bad) == 8


def test_leading_axes_are_looped_over():
    x = image((2, 3, 8, 9, 10))
    matrix, offset = a_map(3)
    y = affine_transform(x, matrix, offset, (5, 6, 7), order=1)
    assert y.shape == (2, 3, 5, 6, 7)
    np.testing.assert_array_equal(
        y[1, 2], affine_transform(x[1, 2], matrix, offset, (5, 6, 7), order=1)
    )


def test_views_are_read_and_written_in_place():
    x = image((10, 12, 14))[::2, ::-1, ::2]
    matrix, offset = a_map(3)
    wanted = affine_transform(x.copy(), matrix, offset, order=1)
    np.testing.assert_array_equal(affine_transform(x, matrix, offset, order=1), wanted)
    room = np.zeros((5, 12, 14), np.float32)
    target = room[:, :, ::2]
    assert affine_transform(x, matrix, offset, order=1, out=target) is target
    np.testing.assert_array_equal(target, wanted)


def test_threads_do_not_change_a_bit():
    x = image((20, 30, 40))
    matrix, offset = a_map(3)
    for order in (1, 3):
        one = affine_transform(x, matrix, offset, order=order, workers=1)
        three = affine_transform(x, matrix, offset, order=order, workers=3)
        assert one.tobytes() == three.tobytes()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(order=6), ValueError, "order must be 0 to 5; got 6"),
        (dict(order=1.5), TypeError, "order must be an integer; got 1.5"),
        (dict(mode="edge"), ValueError, "mode must be one of constant, nearest"),
        (dict(cval=300), ValueError, r"cval must be in \[0, 255\] for uint8; got 300"),
        (dict(out=np.zeros((3, 3))), TypeError, "out must be uint8"),
        (
            dict(output_shape=(2, 2), out=np.zeros((3, 3), np.uint8)),
            ValueError,
            r"out must have shape \(2, 2\)",
        ),
        (dict(matrix=np.eye(3)[:, :2]), ValueError, "matrix must have one of the shapes"),
        (dict(matrix=[[1, 0, 0], [0, 1, 0], [0, 1, 1]]), ValueError, "matrix must end in the row"),
        (dict(matrix=[[np.nan, 0], [0, 1]]), ValueError, "matrix must be finite"),
        (dict(matrix=1j * np.eye(2)), TypeError, "matrix must be numbers"),
        (
            dict(image=np.zeros((3, 3), complex), cval="x"),
            TypeError,
            "cval must be a number; got 'x'",
        ),
        (dict(offset=[1, 2, 3]), ValueError, "offset must be one value or one for each of 2 axes"),
        (
            dict(image=np.zeros((0, 3))),
            ValueError,
            r"image must have no empty axis; got shape \(0, 3\)",
        ),
        (
            dict(image=np.zeros((3, 3), bool), order=1),
            TypeError,
            "image of type bool needs order=0",
        ),
        (dict(image=np.zeros((3, 3), np.int64)), TypeError, "image must be uint8, .*; got int64"),
    ],
)  # fmt: skip
def test_refusals_say_what_is_wanted(arguments, error, message):
    call = dict(image=np.zeros((3, 3), np.uint8), matrix=np.eye(2), order=1) | arguments
    with pytest.raises(error, match=message):
        affine_transform(call.pop("image"), call.pop("matrix"), **call)
