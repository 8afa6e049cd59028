import numpy as np
import pytest

import voxkern
from voxkern import joint_histogram, mutual_information, normalized_mutual_information
from voxkern.metrics import information


def pair(dtype="float64", shape=(9, 10, 11), seed=0):
    rng = np.random.default_rng(seed)
    fixed = rng.uniform(0, 200, shape)
    return fixed.astype(dtype), (np.abs(100 - fixed) + 20 * rng.random(shape)).astype(dtype)


def mattes(fixed, moving, bins):
    """The measure from its formula, in float64: a cubic B-spline about every moving value."""
    f, m = (
        (x - x.min()) * (bins - 4) / (x.max() - x.min()) + 2
        for x in (fixed.ravel().astype(float), moving.ravel().astype(float))
    )
    rows = np.minimum(f.astype(int), bins - 3)
    t = np.abs(m[:, None] - np.arange(bins))
    near, far = (4 - 6 * t**2 + 3 * t**3) / 6, np.clip(2 - t, 0, None) ** 3 / 6
    p = np.zeros((bins, bins))
    np.add.at(p, rows, np.where(t < 1, near, far))
    p /= p.sum()
    outer = p.sum(1, keepdims=True) * p.sum(0)
    return np.sum(p[p > 0] * np.log(p[p > 0] / outer[p > 0]))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("bins", [5, 32, 64])
def test_the_value_is_that_of_the_formula(dtype, bins):
    fixed, moving = pair(dtype)
    # Weights are units of 2^-20: a thousand voxels leave about 1e-7.
    assert mutual_information(fixed, moving, bins=bins) == pytest.approx(
        mattes(fixed, moving, bins), abs=1e-6
    )


def test_the_value_is_itks():
    sitk = pytest.importorskip("SimpleITK")
    fixed, moving = pair("float32", (20, 21, 22))
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(sitk.TranslationTransform(3))
    theirs = method.MetricEvaluate(*map(sitk.GetImageFromArray, (fixed, moving)))
    assert mutual_information(fixed, moving, bins=32) == pytest.approx(-theirs, abs=1e-6)


def test_gradients_are_the_slopes_of_the_value():
    fixed, moving = pair(shape=(12, 13, 14))
    mask = np.random.default_rng(2).random(moving.shape) < 0.8
    args = {"moving_range": (-20, 220), "mask": mask}
    _, gradient = mutual_information(fixed, moving, gradient=True, **args)

    def value(step):
        return mutual_information(fixed, moving + step * gradient / np.abs(gradient).max(), **args)

    wanted = (value(1e-2) - value(-1e-2)) / 2e-2
    found = np.sum(gradient**2) / np.abs(gradient).max()
    assert found == pytest.approx(wanted, rel=1e-3)  # weights are units of 2^-20
    assert not gradient[~mask].any()


def test_independent_images_tell_little_and_equal_ones_much():
    rng = np.random.default_rng(0)
    a, b = rng.random((40, 50, 60)), rng.random((40, 50, 60))
    assert mutual_information(a, b) < 0.01
    assert mutual_information(a, a) > 2
    assert mutual_information(a, a, parzen=False, bins=8) == pytest.approx(np.log(8), abs=1e-3)


def test_plain_information_is_that_of_the_joint_histogram():
    fixed, moving = pair("int16")
    p = joint_histogram(fixed, moving, 10)[0] / fixed.size
    outer = p.sum(1, keepdims=True) * p.sum(0)
    wanted = np.sum(p[p > 0] * np.log(p[p > 0] / outer[p > 0]))
    assert mutual_information(fixed, moving, bins=10, parzen=False) == pytest.approx(
        wanted, abs=1e-14
    )


def test_the_table_is_the_logarithm_of_shares_of_a_column():
    counts = np.array([[3, 0, 2], [1, 0, 6]])
    value, table = information(counts)
    wanted = np.log([[3 / 4, 1, 2 / 8], [1 / 4, 1, 6 / 8]])
    np.testing.assert_allclose(table, wanted, atol=1e-15)
    p = counts / 12
    assert value == pytest.approx(np.sum(p * (wanted - np.log(p.sum(1, keepdims=True)))), abs=1e-15)


def test_without_counts_there_is_no_information():
    value, table = information(np.zeros((5, 5), np.int64))
    assert np.isnan(value)
    assert not table.any()


def test_a_table_is_on_the_cpu_whatever_backend_is_asked_for():
    counts = np.array([[2, 0], [0, 2]])
    for backend in ("cuda", "cupy"):
        with voxkern.use_backend(backend):
            assert information(counts)[0] == pytest.approx(np.log(2))


@pytest.mark.parametrize("parzen", [False, True])
def test_a_constant_image_tells_nothing(parzen):
    fixed, _ = pair()
    value = mutual_information(fixed, np.full_like(fixed, 3), parzen=parzen)
    assert value == pytest.approx(0, abs=1e-12)
    if parzen:
        assert not mutual_information(fixed, np.ones_like(fixed), gradient=True)[1].any()


def test_nan_and_what_lies_outside_the_range_is_left_out():
    fixed, moving = pair()
    keep = (moving > 30) & (fixed < 150)
    args = {"fixed_range": (0, 150), "moving_range": (30, 120)}
    wanted = mutual_information(fixed[keep], moving[keep], **args)
    assert mutual_information(fixed, moving, **args) == wanted
    holes = np.where(keep, moving, np.nan)
    assert mutual_information(fixed, holes, **args) == wanted
    assert mutual_information(fixed, moving, mask=keep, **args) == wanted


def test_without_voxels_there_is_no_answer():
    x = np.zeros((0, 3))
    assert np.isnan(mutual_information(x, x))
    assert np.isnan(normalized_mutual_information(x, x))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("bins", [10, 100])
def test_normalized_information_is_scikit_images(dtype, bins):
    metrics = pytest.importorskip("skimage.metrics")
    fixed, moving = pair(dtype)
    wanted = metrics.normalized_mutual_information(fixed, moving, bins=bins)
    # From float32 images scikit-image makes densities in float32.
    near = 1e-7 if dtype == "float32" else 1e-13
    assert normalized_mutual_information(fixed, moving, bins=bins) == pytest.approx(
        wanted, abs=near
    )


def test_normalized_information_of_an_image_with_itself_is_two():
    fixed, _ = pair()
    assert normalized_mutual_information(fixed, fixed) == pytest.approx(2, abs=1e-14)
    assert normalized_mutual_information(fixed, -3 * fixed + 1) == pytest.approx(2, abs=1e-14)
    assert 1 < normalized_mutual_information(fixed, fixed, parzen=True) < 2


def test_two_constants_have_no_normalized_information():
    assert np.isnan(normalized_mutual_information(np.ones(9), np.zeros(9)))


@pytest.mark.parametrize("parzen", [False, True])
def test_threads_do_not_change_a_bit(parzen):
    fixed, moving = pair("float32", (30, 40, 50))
    values = {mutual_information(fixed, moving, parzen=parzen, workers=n) for n in (1, 2, 3, 8)}
    assert len(values) == 1


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"bins": 4}, "bins must be at least 5; got 4"),
        ({"parzen": False, "gradient": True}, "gradient must be False without parzen"),
        ({"moving_range": (1, 0)}, "moving_range must rise"),
        ({"mask": np.ones(3, bool)}, "mask must have shape"),
    ],
)
def test_misfits_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        mutual_information(*pair(), **kwargs)


def test_infinity_has_no_bin():
    fixed, moving = pair()
    moving[0] = np.inf
    with pytest.raises(ValueError, match="moving must not be infinite where moving_range is None"):
        mutual_information(fixed, moving)
