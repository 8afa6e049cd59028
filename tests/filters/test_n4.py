"""N4 bias correction: known fields, ITK's answer, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import n4_bias_correction


def shading(shape, strength=0.3):
    """A smooth field around one."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij", sparse=True)
    field = sum(np.cos((1.1 + 0.4 * i) * a + 0.5 * i) for i, a in enumerate(axes))
    field = field - field.min()
    return (1 - strength + 2 * strength * field / field.max()).astype(np.float32)


def tissue(shape, seed=0):
    """Two kinds of tissue in patches, with a little noise, and their mask of the brighter."""
    rng = np.random.default_rng(seed)
    coarse = rng.random([-(-n // 6) for n in shape]) < 0.5
    bright = np.kron(coarse, np.ones([6] * len(shape)))[tuple(slice(n) for n in shape)] > 0
    image = np.where(bright, 100, 60) + rng.standard_normal(shape)
    return image.astype(np.float32), bright


def spread(x, where):
    return float(x[where].std() / x[where].mean())


def correlation(a, b, where=...):
    return float(np.corrcoef(np.log(a[where]).ravel(), np.log(b[where]).ravel())[0, 1])


@pytest.mark.parametrize("shape", [(40, 44, 48), (96, 90)])
def test_a_known_field_is_found(shape):
    image, bright = tissue(shape)
    field = shading(shape)
    corrected, found = n4_bias_correction(image * field, shrink=2, return_field=True)
    assert correlation(found, field) > 0.99
    assert spread(corrected, bright) < spread(image * field, bright) / 4
    np.testing.assert_allclose(corrected * found, image * field, rtol=1e-5)


def test_a_constant_image_stays_constant():
    x = np.full((9, 10, 11), 7, np.float32)
    corrected, field = n4_bias_correction(x, shrink=1, return_field=True)
    np.testing.assert_array_equal(corrected, x)
    np.testing.assert_array_equal(field, np.ones_like(x))


def test_the_unit_of_brightness_is_nothing():
    image, _ = tissue((30, 30, 30))
    x = image * shading(image.shape)
    a = n4_bias_correction(x, shrink=2, levels=(10, 10))
    b = n4_bias_correction(8 * x, shrink=2, levels=(10, 10))
    np.testing.assert_allclose(8 * a, b, rtol=1e-4)


def test_a_flipped_image_has_the_flipped_field():
    image, _ = tissue((31, 33, 29))
    x = image * shading(image.shape)
    a = n4_bias_correction(x, shrink=1, levels=(8, 8), tolerance=0)
    b = n4_bias_correction(x[::-1, :, ::-1], shrink=1, levels=(8, 8), tolerance=0)
    np.testing.assert_allclose(a[::-1, :, ::-1], b, rtol=2e-3)


def test_what_the_mask_or_the_weights_leave_out_is_nothing():
    image, _ = tissue((40, 40))
    x = image * shading(image.shape)
    spoiled = x.copy()
    spoiled[:, 30:] = np.random.default_rng(1).random((40, 10)) * 1000
    inside = np.ones(x.shape, bool)
    inside[:, 30:] = False
    how = {"shrink": 1, "return_field": True}
    want = n4_bias_correction(x, inside, **how)[1]
    np.testing.assert_array_equal(n4_bias_correction(spoiled, inside, **how)[1], want)
    trust = inside.astype(np.float32)
    np.testing.assert_array_equal(n4_bias_correction(spoiled, weights=trust, **how)[1], want)


def test_zeros_negatives_and_nan_take_no_part_and_stay():
    image, _ = tissue((40, 40))
    x = image * shading(image.shape)
    inside = np.ones(x.shape, bool)
    inside[:, 30:] = False
    want = n4_bias_correction(x, inside, shrink=1, return_field=True)[1]
    x[:10, 30:], x[10:20, 30:], x[20:30, 30:], x[30:, 30:] = 0, -5, np.nan, np.inf
    corrected, found = n4_bias_correction(x, shrink=1, return_field=True)
    np.testing.assert_array_equal(found, want)
    np.testing.assert_array_equal(corrected, x / found)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float64"])
def test_every_type_has_the_same_field(dtype):
    image, _ = tissue((24, 30, 26))
    x = np.rint(image * shading(image.shape)).astype(dtype)
    want = n4_bias_correction(x.astype(np.float32), shrink=2)
    got = n4_bias_correction(x, shrink=2)
    assert got.dtype == ("float64" if dtype in ("int32", "float64") else "float32")
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_a_distance_between_points_is_a_length():
    image, _ = tissue((40, 60))
    x = image * shading(image.shape)
    a = n4_bias_correction(x, shrink=1, spline_distance=20, spacing=(1.0, 0.5))
    b = n4_bias_correction(x, shrink=1, control_points=(5, 4))
    np.testing.assert_array_equal(a, b)


def test_progress_counts_rounds():
    image, _ = tissue((20, 20))
    seen = []
    n4_bias_correction(
        image * shading(image.shape), shrink=1, levels=(3, 2), tolerance=0,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen == [(i, 5) for i in range(1, 6)]


def brain():
    """The MNI template at 3 mm without its own shading, and where the brain is."""
    nilearn = pytest.importorskip("nilearn.datasets", reason="pip install nilearn for its template")
    x = np.asarray(nilearn.load_mni152_template(resolution=3).dataobj, np.float32).T
    return n4_bias_correction(x, x > 0.2, shrink=1), x > 0.2


def itk_field(sitk, x, inside, shrink, levels):
    image, mask = sitk.GetImageFromArray(x), sitk.GetImageFromArray(inside.astype(np.uint8))
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(levels)
    n4.Execute(sitk.Shrink(image, [shrink] * 3), sitk.Shrink(mask, [shrink] * 3))
    return np.exp(sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)))


def test_itk_finds_the_same_field_on_a_brain():
    sitk = pytest.importorskip("SimpleITK", reason="pip install SimpleITK to compare with it")
    image, inside = brain()
    x = image * shading(image.shape)
    how = {"levels": (8, 4), "return_field": True}
    corrected, found = n4_bias_correction(x, inside, shrink=1, **how)
    itk = itk_field(sitk, x, inside, 1, how["levels"])
    ratio = found[inside] / itk[inside]
    assert ratio.std() / ratio.mean() < 2e-4
    white = image > np.quantile(image[inside], 0.6)
    assert spread(corrected, white) <= 1.0005 * spread(x / itk, white)


def test_a_shrunken_search_finds_itk_s_field_on_a_brain():
    sitk = pytest.importorskip("SimpleITK", reason="pip install SimpleITK to compare with it")
    image, inside = brain()
    x = image * shading(image.shape)
    found = n4_bias_correction(x, inside, shrink=2, return_field=True)[1]
    itk = itk_field(sitk, x, inside, 2, (50, 50, 50, 50))
    assert correlation(found, itk, inside) >= 0.99


def test_a_shrunken_field_lies_where_the_voxels_are():
    sitk = pytest.importorskip("SimpleITK", reason="pip install SimpleITK to compare with it")
    image, bright = tissue((83, 90, 78))
    field = shading(image.shape)
    corrected, found = n4_bias_correction(image * field, shrink=4, return_field=True)
    itk = itk_field(sitk, image * field, image > 0, 4, (50, 50, 50, 50))
    assert correlation(found, field) >= correlation(itk, field) >= 0.99
    assert spread(corrected, bright) < spread(image * field / itk, bright)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"shrink": 0}, "shrink must be at least 1"),
        ({"shrink": (2, 2, 2)}, "shrink must be one value or one for each of 2 axes"),
        ({"levels": ()}, "levels must have at least one level"),
        ({"levels": (5, -1)}, "levels must be at least 0"),
        ({"control_points": 3}, "control_points must be at least 4"),
        ({"fwhm": 0}, "fwhm must be at least 1e-09"),
        ({"noise": 0}, "noise must be more than 0"),
        ({"bins": 1}, "bins must be at least 2"),
        ({"tolerance": -1}, "tolerance must be at least 0"),
        ({"spline_distance": 0}, "spline_distance must be more than 0"),
        ({"spacing": -1}, "spacing must be more than 0"),
        ({"mask": np.ones((3, 3), bool)}, "mask must have shape"),
        ({"weights": np.ones((3, 3))}, "weights must have shape"),
    ],
)
def test_bad_parameters_are_refused_by_name(how, words):
    with pytest.raises(ValueError, match=words):
        n4_bias_correction(np.ones((8, 9), np.float32), **how)


def test_an_image_without_voxels_to_count_is_refused():
    with pytest.raises(ValueError, match="image must have a voxel above zero"):
        n4_bias_correction(np.zeros((4, 5)))
    with pytest.raises(ValueError, match="image must have a voxel"):
        n4_bias_correction(np.zeros((0, 5)))
