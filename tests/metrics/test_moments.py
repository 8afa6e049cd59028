import numpy as np
import pytest

from voxkern import ncc, ssd

REAL = ["uint8", "int16", "uint16", "int32", "float32", "float64"]


def pair(dtype="float64", shape=(5, 6, 7), seed=0):
    rng = np.random.default_rng(seed)
    return [np.abs(40 * rng.standard_normal(shape)).astype(dtype) for _ in range(2)]


def slope(value, moving, by, step):
    """The central difference of `value` as `moving` goes along `by`."""
    return (value(moving + step * by) - value(moving - step * by)) / (2 * step)


@pytest.mark.parametrize("metric", [ssd, ncc])
def test_gradients_are_the_slopes_of_the_value(metric):
    fixed, moving = pair()
    by = np.random.default_rng(1).standard_normal(moving.shape)
    mask = by > -0.5
    _, gradient = metric(fixed, moving, mask=mask, gradient=True)
    wanted = slope(lambda m: metric(fixed, m, mask=mask), moving, by, 1e-3)
    assert np.sum(gradient * by) == pytest.approx(wanted, rel=1e-6)  # the difference's own error
    assert not gradient[~mask].any()


@pytest.mark.parametrize("dtype", REAL)
def test_ssd_is_the_sum_of_squared_differences(dtype):
    fixed, moving = pair(dtype)
    wanted = np.sum((fixed.astype(float) - moving.astype(float)) ** 2)
    assert ssd(fixed, moving) == pytest.approx(wanted, rel=1e-14)
    assert ssd(fixed, fixed) == 0


@pytest.mark.parametrize("dtype", REAL)
def test_ncc_is_pearsons_coefficient(dtype):
    fixed, moving = pair(dtype)
    wanted = np.corrcoef(fixed.ravel(), moving.ravel())[0, 1]
    assert ncc(fixed, moving) == pytest.approx(wanted, abs=1e-13)


def test_a_line_correlates_perfectly():
    x, _ = pair()
    assert ncc(x, 3 * x + 1e6) == pytest.approx(1, abs=1e-9)  # 1e6 costs x six digits
    assert ncc(x, 7 - x / 2) == pytest.approx(-1, abs=1e-13)


def test_a_constant_image_has_no_correlation():
    x, _ = pair()
    value, gradient = ncc(x, np.full_like(x, 0.1), gradient=True)
    assert np.isnan(value)
    assert np.isnan(gradient).all()


def test_a_large_offset_costs_no_digits():
    fixed, moving = pair(shape=(20, 30, 40))
    near, far = ncc(fixed, moving), ncc(fixed.round() + 1e9, moving)
    assert far == pytest.approx(ncc(fixed.round(), moving), abs=1e-12)
    assert near == pytest.approx(far, abs=1e-3)  # rounding moved it a little


def test_only_voxels_under_the_mask_count():
    fixed, moving = pair()
    mask = np.random.default_rng(2).random(fixed.shape) < 0.3
    fixed[~mask] = np.nan
    assert ssd(fixed, moving, mask=mask) == pytest.approx(ssd(fixed[mask], moving[mask]), rel=1e-14)
    assert ncc(fixed, moving, mask=mask) == pytest.approx(ncc(fixed[mask], moving[mask]), abs=1e-13)


def test_a_nan_that_counts_makes_the_value_nan():
    fixed, moving = pair()
    moving[2, 3, 4] = np.nan
    assert np.isnan(ssd(fixed, moving))
    assert np.isnan(ncc(fixed, moving))


def test_without_voxels_there_is_no_difference_and_no_correlation():
    x = np.zeros((0, 3), np.float32)
    assert ssd(x, x) == 0
    assert np.isnan(ncc(x, x))
    y = np.ones(4)
    assert ssd(y, y + 1, mask=np.zeros(4, bool)) == 0
    assert np.isnan(ncc(y, y, mask=np.zeros(4, bool)))


@pytest.mark.parametrize("metric", [ssd, ncc])
def test_types_layouts_and_axes_do_not_matter(metric):
    fixed, moving = pair("uint8", (6, 8, 10))
    value = metric(fixed, moving)
    assert metric(fixed.astype("int16"), moving.astype("float32")) == pytest.approx(
        value, rel=1e-13
    )
    assert metric(fixed.ravel(), moving.ravel()) == pytest.approx(value, rel=1e-13)
    five = [x.reshape(2, 3, 2, 4, 10) for x in (fixed, moving)]
    assert metric(*five) == pytest.approx(value, rel=1e-13)
    turned = [np.asfortranarray(x) for x in (fixed, moving)]
    assert metric(*turned) == value


@pytest.mark.parametrize("metric", [ssd, ncc])
def test_threads_do_not_change_a_bit(metric):
    fixed, moving = pair("float32", (40, 50, 60))
    assert len({metric(fixed, moving, workers=n) for n in (1, 2, 3, 8)}) == 1


@pytest.mark.parametrize("metric", [ssd, ncc])
@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((np.zeros(3), np.zeros(4)), {}, r"moving must have the shape of fixed, \(3,\)"),
        ((np.zeros(3), np.zeros(3)), {"mask": np.ones(2, bool)}, r"mask must have shape \(3,\)"),
        ((np.zeros(3), np.zeros(3)), {"workers": 0}, "workers must be at least 1"),
    ],
)
def test_misfits_are_refused(metric, args, kwargs, message):
    with pytest.raises(ValueError, match=message):
        metric(*args, **kwargs)


def test_complex_images_are_refused():
    with pytest.raises(TypeError, match="fixed must be uint8, int16"):
        ssd(np.zeros(3, complex), np.zeros(3))
