import pickle
from dataclasses import replace

import numpy as np
import pytest

from voxkern import Image, Registration, Transform, affine_transform, register
from voxkern.registration._affine import SUMS, _affine_moments
from voxkern.registration._motion import MOTIONS, Motion
from voxkern.registration._register import _image, _Level

SHAPE = (26, 40, 36)
# In voxels. The information of a small smooth image is not greatest at quite its own scale.
BOUND = {"mi": 0.4, "ncc": 0.1, "ssd": 0.1}


def inner(shape):
    """A mask without the margins, which may leave the moving image."""
    mask = np.zeros(shape, bool)
    mask[tuple(slice(n // 8, n - n // 8) for n in shape)] = True
    return mask


def head(shape, seed=0):
    """A smooth lopsided blob with some lumps in it."""
    rng = np.random.default_rng(seed)
    at = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"), -1)
    out = 100 * np.exp(-np.sum((at / 0.55) ** 4, -1))
    for _ in range(30):
        place = rng.uniform(-0.5, 0.5, len(shape))
        out += rng.uniform(-60, 60) * np.exp(-np.sum((at - place) ** 2, -1) / 0.03)
    return out


def moved(image, matrix):
    """The image whose point `matrix` x looks as `image` does at x."""
    return affine_transform(image, np.linalg.inv(matrix), order=3)


def a_move(kind, shape, size=1.0, seed=0):
    rng = np.random.default_rng(seed)
    centre = (np.array(shape) - 1) / 2
    motion = Motion(kind, centre, 10.0)
    return motion.matrix(rng.uniform(-size, size, motion.size))


def error(found, matrix, shape):
    """The mean distance in voxels between where the two maps take the inner half of the image."""
    half = tuple(slice(n // 4, 3 * n // 4, 3) for n in shape)
    points = np.stack(np.mgrid[half], -1).reshape(-1, len(shape))
    n = len(shape)
    return np.linalg.norm(
        found.apply(points) - points @ matrix[:n, :n].T - matrix[:n, n], axis=1
    ).mean()


@pytest.mark.parametrize("kind", MOTIONS)
@pytest.mark.parametrize("n", [2, 3])
def test_derivatives_of_motions_are_slopes(kind, n):
    motion = Motion(kind, np.arange(n) + 3.0, 7.0)
    for p in (np.zeros(motion.size), np.random.default_rng(0).standard_normal(motion.size)):
        for k, found in enumerate(motion.derivatives(p)):
            h = 1e-5 * np.eye(motion.size)[k]
            wanted = (motion.matrix(p + h) - motion.matrix(p - h)) / 2e-5
            np.testing.assert_allclose(found, wanted, atol=1e-9)


@pytest.mark.parametrize("n", [2, 3])
def test_rigid_motions_keep_lengths(n):
    motion = Motion("rigid", np.zeros(n), 1.0)
    turn = motion.matrix(np.random.default_rng(1).standard_normal(motion.size))[:n, :n]
    np.testing.assert_allclose(turn @ turn.T, np.eye(n), atol=1e-14)
    assert np.linalg.det(turn) == pytest.approx(1)


def level(metric, n=3):
    """Two images whose samples all stay within the moving one."""
    shape = SHAPE[-n:]
    f, m = head(shape), np.abs(head(shape, 1)) ** 0.5 + head(shape)
    spacing = (2, 1, 1.5)[-n:]
    pair = [_image(x, inner(shape), "x", np.diag([*spacing, 1.0]), None) for x in (f, m)]
    centre = pair[0].points[:n, :n] @ ((np.array(shape) - 1) / 2)
    motion = Motion("affine", centre, 20.0)
    pair[1] = replace(pair[1], mask=np.empty((0, 0, 0), np.uint8))
    here = _Level(*pair, motion, np.eye(n + 1), metric, 16, 1 << 14, 5, None)
    here.hold(np.zeros(motion.size))
    return here


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("metric", ["mi", "ncc", "ssd"])
def test_gradients_by_parameters_are_the_slopes_of_the_value(metric, n):
    here = level(metric, n)
    p = 0.3 * np.random.default_rng(1).standard_normal(here.motion.size)
    if metric == "mi":
        value = here.unlikeness
        value(p)
        gradient = here.unlikeness_slope(p)
    else:
        value = lambda q: here.moments(q)[0]  # noqa: E731
        gradient = here.moments(p)[1]
    for k in range(here.motion.size):
        h = 5e-3 * np.eye(here.motion.size)[k]
        wanted = (value(p + h) - value(p - h)) / 1e-2
        # Between two voxels the slope jumps, and a few samples cross such places.
        assert gradient[k] == pytest.approx(wanted, abs=0.01 * np.abs(gradient).max())


@pytest.mark.parametrize("metric", ["ncc", "ssd"])
def test_curvatures_are_those_of_a_bowl(metric):
    here = level(metric)
    _, _, curvature = here.moments(np.zeros(here.motion.size))
    np.testing.assert_allclose(curvature, curvature.T, atol=1e-14 * curvature.max())
    assert np.linalg.eigvalsh(curvature).min() > 0


def test_the_sums_count_the_samples():
    here, sums = level("ssd"), np.zeros(SUMS)
    _affine_moments(*here._args(np.zeros(here.motion.size)), 0.0, 0.0, sums)
    step = here.where[1]
    assert sums[0] == pytest.approx(inner(SHAPE).sum() / np.prod(step), rel=0.05)


@pytest.mark.parametrize("metric", ["mi", "ncc", "ssd"])
@pytest.mark.parametrize("kind", MOTIONS)
def test_known_moves_are_found(kind, metric):
    matrix, fixed = a_move(kind, SHAPE), head(SHAPE)
    moving = moved(fixed, matrix)
    found = register(fixed, moving, kind, metric, levels=(2, 1), fixed_mask=inner(SHAPE))
    assert isinstance(found, Registration)
    assert error(found, matrix, SHAPE) < BOUND[metric]
    assert found.converged


@pytest.mark.parametrize("metric", ["mi", "ncc", "ssd"])
@pytest.mark.parametrize("kind", MOTIONS)
def test_known_moves_are_found_in_a_plane(kind, metric):
    shape = (60, 70)
    matrix, fixed = a_move(kind, shape), head(shape)
    found = register(fixed, moved(fixed, matrix), kind, metric, levels=(2, 1))
    assert error(found, matrix, shape) < BOUND[metric]


def test_information_sees_through_another_contrast():
    matrix, fixed = a_move("rigid", SHAPE), head(SHAPE)
    moving = np.abs(moved(fixed, matrix) - 40)
    assert error(register(fixed, moving, "rigid", levels=(2, 1)), matrix, SHAPE) < 0.3


def test_correlation_sees_through_another_scale():
    matrix, fixed = a_move("rigid", SHAPE), head(SHAPE)
    moving = 5 * moved(fixed, matrix) + 1000
    assert error(register(fixed, moving, "rigid", "ncc", levels=(2, 1)), matrix, SHAPE) < 0.1


def test_points_are_physical():
    """One image with two geometries: the map is that of the points, not of the voxels."""
    fixed = head(SHAPE)
    turn = np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1.0]])
    shift = np.array([4.0, -3.0, 2.5])
    found = register(
        fixed, fixed, "rigid", "ncc", initial=None, levels=(2, 1),
        fixed_spacing=(3, 1, 1), fixed_origin=(-20, 30, 5), fixed_direction=turn,
        moving_spacing=(3, 1, 1), moving_origin=np.array([-20, 30, 5]) + shift,
        moving_direction=turn,
    )  # fmt: skip
    assert found.apply([1, 2, 3]) == pytest.approx(np.array([1, 2, 3]) + shift, abs=0.01)
    np.testing.assert_allclose(found.index_matrix, np.eye(4), atol=0.01)


def test_warp_lays_the_moving_image_on_the_fixed_one():
    matrix, fixed = a_move("rigid", SHAPE), head(SHAPE)
    moving = moved(fixed, matrix)
    found = register(fixed, moving, "rigid", "ssd", levels=(2, 1))
    half = tuple(slice(n // 4, 3 * n // 4) for n in SHAPE)
    before = np.abs(moving - fixed)[half].mean()
    assert np.abs(found.warp(moving) - fixed)[half].mean() < 0.1 * before


@pytest.mark.parametrize("initial", ["center", "mass"])
def test_images_far_apart_are_brought_together(initial):
    fixed = head(SHAPE)
    found = register(
        fixed, fixed, "rigid", "ncc", initial=initial, moving_origin=(500, -300, 80), levels=(2, 1)
    )
    assert found.apply([0, 0, 0]) == pytest.approx([500, -300, 80], abs=0.05)


def test_a_start_is_taken_up():
    matrix, fixed = a_move("affine", SHAPE), head(SHAPE)
    moving = moved(fixed, matrix)
    found = register(fixed, moving, "translation", "ssd", initial=matrix, levels=(1,))
    assert error(found, matrix, SHAPE) < 0.05
    again = register(fixed, moving, "translation", "ssd", initial=found, levels=(1,), iterations=0)
    np.testing.assert_array_equal(again.matrix, found.matrix)


def test_a_registration_is_a_transform():
    fixed = head(SHAPE)
    moving = moved(fixed, a_move("rigid", SHAPE))
    found = register(fixed, moving, "rigid", "ncc", levels=(2,), fixed_spacing=2, moving_spacing=2)
    assert isinstance(found, Transform)
    np.testing.assert_allclose((found @ found.inverse()).matrix, np.eye(4), atol=1e-12)
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    assert again.history == found.history
    with pytest.raises(AttributeError, match="does not change"):
        found.value = 0


def test_masks_shut_out_what_does_not_belong():
    matrix, fixed = a_move("rigid", SHAPE), head(SHAPE)
    moving = moved(fixed, matrix)
    spoilt = moving.copy()
    spoilt[:, :14] = 500 * np.random.default_rng(0).random((SHAPE[0], 14, SHAPE[2]))
    mask = np.ones(SHAPE, bool)
    mask[:, :16] = False
    found = register(fixed, spoilt, "rigid", "ssd", moving_mask=mask, levels=(1,))
    assert error(found, matrix, SHAPE) < 0.1


@pytest.mark.parametrize("metric", ["mi", "ncc"])
def test_threads_do_not_change_a_bit(metric):
    fixed = head(SHAPE)
    moving = moved(fixed, a_move("affine", SHAPE))
    found = [
        register(fixed, moving, "affine", metric, sampling=0.3, workers=n).matrix.tobytes()
        for n in (1, 2, 5)
    ]
    assert len(set(found)) == 1


def test_the_seed_chooses_the_samples():
    fixed = head(SHAPE)
    moving = moved(fixed, a_move("rigid", SHAPE))
    a, b, c = (register(fixed, moving, sampling=0.1, seed=s).matrix for s in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_progress_is_told_and_kept(capsys):
    told = []
    fixed = head(SHAPE)
    moving = moved(fixed, a_move("rigid", SHAPE))
    found = register(
        fixed, moving, "rigid", "ncc", levels=(2, 1), progress=lambda *s: told.append(s)
    )
    assert tuple(told) == found.history
    assert found.value == pytest.approx(told[-1][2], abs=1e-4)
    assert found.value > 0.99
    assert {level for level, _, _ in told} == {2, 1}
    register(fixed, moving, "rigid", "ncc", levels=(2, 1), progress=True)
    assert "register level 2, step" in capsys.readouterr().err
    with pytest.raises(TypeError, match="progress must be True, False or callable; got 3"):
        register(fixed, moving, progress=3)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"transform": "bend"}, "transform must be one of translation, rigid"),
        ({"metric": "cc"}, "metric must be one of mi, ncc, ssd"),
        ({"initial": "left"}, "initial must be 'center', 'mass', None or a matrix"),
        ({"initial": np.eye(3)}, "initial must be an invertible 4 by 4 matrix"),
        ({"initial": np.eye(4) * 1e200}, "initial must be an invertible 4 by 4 matrix"),
        ({"initial": np.full((4, 4), np.nan)}, "initial must be an invertible 4 by 4 matrix"),
        ({"levels": ()}, "levels must have a number"),
        ({"levels": (2**40,)}, "levels must be at most 65536"),
        ({"levels": (0,)}, "levels must be at least 1"),
        ({"sampling": 0}, r"sampling must be in \[1e-6, 1\]; got 0"),
        ({"sampling": 1e-300}, r"sampling must be in \[1e-6, 1\]; got 1e-300"),
        ({"sampling": np.nan}, "sampling must be finite"),
        ({"bins": 10**12}, "bins must be at most"),
        ({"iterations": -1}, "iterations must be at least 0"),
        ({"iterations": 10**400}, "iterations must be between"),
        ({"tolerance": 1e300}, "tolerance must be at most 1e6 voxels"),
        ({"tolerance": 0.0}, "tolerance must be more than 0"),
        ({"tolerance": np.inf}, "tolerance must be finite"),
        ({"seed": 2**63}, "seed must be between"),
        ({"fixed_spacing": 1e300}, "fixed_spacing must be between 1e-60 and 1e60"),
        ({"moving_spacing": (1, 0, 1)}, "moving_spacing must be more than 0"),
        ({"moving_spacing": 10**400}, "moving_spacing must be finite"),
        ({"fixed_origin": 1e300}, "fixed_origin must be between -1e60 and 1e60"),
        ({"moving_origin": (0, np.nan, 0)}, "moving_origin must be finite"),
        ({"moving_origin": (0, 1)}, "moving_origin must be one value or one for each of 3 axes"),
        ({"fixed_direction": np.eye(3) * 1e200}, "fixed_direction must be a 3x3 matrix"),
        (
            {"fixed_direction": np.eye(3)[[0, 1, 1]]},
            "fixed_direction must be a 3x3 matrix",
        ),
        ({"fixed_spacing": (1, 1)}, "fixed_spacing must be one value or one for each of 3 axes"),
        ({"moving_direction": np.zeros((3, 3))}, "moving_direction must be a 3x3 matrix"),
        ({"fixed_mask": np.ones(3, bool)}, "fixed_mask must have shape"),
        ({"moving": np.full(SHAPE, np.nan)}, "moving must be finite"),
        ({"moving": np.full(SHAPE, 7)}, "moving must not be constant; it is 7 everywhere"),
        ({"fixed": np.zeros(SHAPE), "metric": "ssd"}, "fixed must not be constant"),
        ({"fixed": Image(head(SHAPE), 2)}, "moving must be an Image .* or moving_spacing be given"),
        ({"moving": Image(head(SHAPE), 2)}, "fixed must be an Image .* or fixed_spacing be given"),
        ({"moving": np.zeros((9, 9))}, "moving must have 3 axes as fixed has; got 2"),
        ({"moving": np.zeros((3, 9, 9))}, "moving must have at least 4 voxels along each axis"),
        ({"initial": None, "moving_origin": 1000}, "the images do not meet"),
    ],
)
def test_misfits_are_refused(kwargs, message):
    args = {"fixed": head(SHAPE), "moving": head(SHAPE), **kwargs}
    with pytest.raises(ValueError, match=message):
        register(**args)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"levels": 4},
        {"levels": "fine"},
        {"tolerance": "small"},
        {"iterations": 1.5},
        {"fixed_spacing": "1 mm"},
        {"moving_origin": "here"},
        {"fixed_direction": "up"},
        {"moving_direction": [[1, 2], [3]]},
        {"initial": [[10**400]]},
    ],
)
def test_what_is_no_number_is_refused_by_name(kwargs):
    with pytest.raises(TypeError, match=rf"^{next(iter(kwargs))} must be "):
        register(head(SHAPE), head(SHAPE), **kwargs)


@pytest.mark.parametrize("metric", ["mi", "ncc", "ssd"])
def test_an_image_that_fills_its_frame_is_found(metric):
    """Much of it leaves the moving image on the way, which must not look like a gain."""
    rng = np.random.default_rng(0)
    wide = head((52, 72, 64)) + 30 * rng.random((52, 72, 64))
    frame = tuple(slice(n // 5, n - n // 5) for n in wide.shape)
    offset = np.array([s.start for s in frame])
    matrix = a_move("affine", wide.shape, 0.7)
    fixed, moving = wide[frame], moved(wide, matrix)[frame]
    shift = np.eye(4)
    shift[:3, 3] = offset
    seen = np.linalg.inv(shift) @ matrix @ shift
    found = register(fixed, moving, "affine", metric, levels=(2, 1))
    assert error(found, seen, fixed.shape) < BOUND[metric]


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["mi", "ncc"])
def test_a_brain_is_found_through_noise_and_a_bias_field(metric):
    datasets = pytest.importorskip("nilearn.datasets")
    image = datasets.load_mni152_template(resolution=2).get_fdata(dtype=np.float32)
    image *= 255 / image.max()
    shape, rng = image.shape, np.random.default_rng(0)
    centre = (np.array(shape) - 1) / 2
    motion = Motion("affine", centre, 1.0)
    turn = Motion("rigid", centre, 1.0).matrix(np.array([5, -6, 5, 0.2, 0.1, -0.15]))
    matrix = turn @ motion.matrix(np.r_[0, 0, 0, np.diag([0.08, -0.05, 0.06]).ravel()])
    bias = np.exp(0.3 * np.linspace(-1, 1, shape[0]))[:, None, None]
    moving = moved(image, matrix) * bias + 8 * rng.standard_normal(shape)
    fixed = image + 8 * rng.standard_normal(shape)
    found = register(fixed, moving, "affine", metric, levels=(2, 1))
    assert error(found, matrix, shape) < 0.5


def test_images_bring_their_geometry():
    still = head(SHAPE).astype(np.float32)
    fixed = Image(still, (2, 1, 1.5), (3, -4, 5), np.eye(3)[[1, 0, 2]])
    moving = Image(np.roll(still, 2, 1), (2, 1, 1.5), (1, 1, 1), np.eye(3)[[1, 0, 2]])
    found = register(fixed, moving, "translation", "ssd")
    said = {
        f"{who}_{what}": getattr(image, what)
        for who, image in (("fixed", fixed), ("moving", moving))
        for what in ("spacing", "origin", "direction")
    }
    wanted = register(fixed.data, moving.data, "translation", "ssd", **said)
    np.testing.assert_array_equal(found.matrix, wanted.matrix)
    inside = inner(SHAPE)
    back = moving.resample(like=fixed, transform=found)
    assert back.same_grid(fixed)
    assert np.abs(back.data - still)[inside].max() < 0.01 * still.max()
    elsewhere = register(fixed, moving, "translation", "ssd", fixed_origin=(0, 0, 0))
    np.testing.assert_allclose(elsewhere.apply([0, 0, 0]), found.apply(fixed.origin), atol=0.01)
