"""Windows, ranges, scores and SUV: NumPy's formulae, DICOM's, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import clip_percentile, pet_suv, rescale, white_stripe, window, zscore

TYPES = ["uint8", "int16", "uint16", "int32", "float32", "float64"]


def noise(dtype, shape=(5, 7, 33), seed=0):
    x = np.random.default_rng(seed).standard_normal(shape) * 60
    return (abs(x) if dtype.startswith("u") else x).astype(dtype)


def answer_of(dtype):
    return "float64" if dtype in ("int32", "float64") else "float32"


@pytest.mark.parametrize("dtype", TYPES)
def test_rescale_is_numpy_s_formula(dtype):
    x = noise(dtype)
    got = rescale(x, (5, 80), (-2, 3))
    want = (np.clip(x.astype(np.float64), 5, 80) - 5) / 75 * 5 - 2
    assert got.dtype == answer_of(dtype)
    np.testing.assert_array_equal(got, want.astype(got.dtype))


@pytest.mark.parametrize("dtype", TYPES)
def test_without_a_range_the_ends_become_the_ends(dtype):
    x = noise(dtype)
    got = rescale(x, out_range=(0, 255), dtype="uint8")
    assert got.dtype == np.uint8
    assert (got.min(), got.max()) == (0, 255)
    assert (np.diff(got.ravel()[np.argsort(x, axis=None)].astype(int)) >= 0).all()


def test_bytes_round_half_to_even():
    x = np.array([0.5, 1.5, 2.5, np.nan, 300, -4])
    np.testing.assert_array_equal(
        rescale(x, (0, 255), (0, 255), dtype="uint8"), [0, 2, 2, 0, 255, 0]
    )


def test_a_constant_image_becomes_the_lower_end():
    np.testing.assert_array_equal(
        rescale(np.full((3, 4), 7.0), out_range=(2, 5)), np.full((3, 4), 2)
    )


def test_nan_stays_where_it_is():
    x = np.array([1, np.nan, 3, 2], np.float32)
    np.testing.assert_array_equal(rescale(x), [0, np.nan, 1, 0.5])
    np.testing.assert_array_equal(window(x, 2, 2), [0, np.nan, 1, 0.5])


def test_skimage_rescales_alike():
    exposure = pytest.importorskip("skimage.exposure", reason="pip install scikit-image")
    x = noise("float64")
    want = exposure.rescale_intensity(x, in_range=(-20, 50), out_range=(0, 1))
    np.testing.assert_allclose(rescale(x, (-20, 50)), want, atol=1e-15)


def test_dicom_s_linear_window():
    x = np.arange(0, 6)  # PS3.3 C.11.2.1.2.1 with c = 3, w = 5
    got = window(x.astype(np.int32), 3, 5, (0, 255), function="linear")
    want = [0 if v <= 0.5 else 255 if v > 4.5 else ((v - 2.5) / 4 + 0.5) * 255 for v in x]
    np.testing.assert_allclose(got, want)


def test_dicom_s_exact_window():
    x = np.arange(-10.0, 10)
    got = window(x, 1, 6, (0, 4))
    want = [0 if v <= -2 else 4 if v > 4 else ((v - 1) / 6 + 0.5) * 4 for v in x]
    np.testing.assert_allclose(got, want, atol=1e-14)


@pytest.mark.parametrize("dtype", TYPES)
def test_clip_percentile_is_numpy_s(dtype):
    x = noise(dtype)
    low, high = np.percentile(x.astype(np.float64), (3, 96))
    if not dtype.startswith("float"):
        low, high = np.rint((low, high))
    got = clip_percentile(x, 3, 96)
    assert got.dtype == dtype
    np.testing.assert_array_equal(
        got, np.clip(x, np.dtype(dtype).type(low), np.dtype(dtype).type(high))
    )


def test_long_integers_are_cut_whatever_they_are():
    x = np.array([-(2**62), 5, 2**62, 2**63 - 1, -(2**63), 7])
    out = np.zeros(12, np.int64)[::2]
    assert clip_percentile(x, 20, 80, out=out) is out
    np.testing.assert_array_equal(out, x.clip(-(2**62), 2**62))
    np.testing.assert_array_equal(clip_percentile(x, 0, 100), x)


def test_a_mask_says_what_the_percentiles_are_of():
    x = np.arange(100.0)
    np.testing.assert_array_equal(
        clip_percentile(x, 0, 100, mask=(x >= 20) & (x < 50)), x.clip(20, 49)
    )


@pytest.mark.parametrize("dtype", TYPES)
def test_zscore_is_numpy_s_formula(dtype):
    x = noise(dtype)
    wide = x.astype(np.float64)
    got = zscore(x)
    assert got.dtype == answer_of(dtype)
    np.testing.assert_allclose(got, (wide - wide.mean()) / wide.std(), rtol=1e-6, atol=1e-7)


def test_zscore_looks_at_numbers_under_the_mask():
    x = noise("float64")
    mask = np.random.default_rng(1).random(x.shape) < 0.5
    x[0, 0] = np.nan
    inside = x[mask & ~np.isnan(x)]
    want = (x - inside.mean()) / inside.std()
    np.testing.assert_allclose(zscore(x, mask), want, rtol=1e-12, atol=1e-13)


def test_far_from_zero_no_digit_is_lost():
    x = 1e9 + noise("float64")
    np.testing.assert_allclose(zscore(x), (x - x.mean()) / x.std(), atol=1e-6)


@pytest.mark.parametrize("contrast", ["T1", "T2"])
def test_the_white_stripe_is_where_white_matter_is(contrast):
    rng = np.random.default_rng(0)
    grey, white = rng.normal(60, 6, 30000), rng.normal(100, 4, 45000)
    brain = np.concatenate([grey, white]).reshape(25, 50, 60).astype(np.float32)
    x = np.concatenate([np.zeros_like(brain), brain])
    mask = x > 0
    got = white_stripe(x, mask, contrast=contrast)
    # A tenth of the voxels around the peak: a stripe of a normal distribution.
    assert abs((0 - got[0, 0, 0]) / (got[25:].max() - got[0, 0, 0]) - 100 / brain.max()) < 0.02
    stripe = brain[np.abs(brain - 100) < 1]
    assert abs(((stripe - 100) / 1).mean()) < 0.1
    middle = np.median(got[25:].ravel()[30000:])
    assert abs(middle) < 0.5


def test_suv_follows_the_decay():
    x = np.array([[100.0, 2000.0]])
    how = {"weight_kg": 80, "dose_bq": 400e6, "half_life_s": 6586.2}
    want = x * 80000 / 400e6
    np.testing.assert_allclose(pet_suv(x, delay_s=0, **how), want, rtol=1e-6)
    np.testing.assert_allclose(pet_suv(x, delay_s=2 * 6586.2, **how), 4 * want, rtol=1e-6)
    stored = pet_suv(x.astype(np.int16), delay_s=0, slope=2.5, intercept=-7, **how)
    np.testing.assert_allclose(stored, (x * 2.5 - 7) * 80000 / 400e6, rtol=1e-6)


@pytest.mark.parametrize("view", ["transposed", "strided", "four axes"])
def test_any_layout(view):
    x = noise("float32", (6, 8, 10))
    y = {"transposed": x.T, "strided": x[::2, ::-1, ::3], "four axes": x.reshape(2, 3, 8, 10)}[view]
    np.testing.assert_array_equal(
        rescale(y, (0, 50)), (y.clip(0, 50) / 50).astype(np.float64).astype(np.float32)
    )
    assert zscore(y).shape == y.shape


def test_out_is_written_and_given_back():
    x = noise("int16")
    out = np.empty(x.shape, np.uint8)
    assert window(x, 0, 100, (0, 255), dtype="uint8", out=out) is out
    np.testing.assert_array_equal(out, window(x, 0, 100, (0, 255), dtype="uint8"))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: rescale(x, (3, 1)), "in_range must rise"),
        (lambda x: rescale(x, 3), "in_range must be two numbers"),
        (lambda x: rescale(x, out_range=(0, np.inf)), "out_range must be finite"),
        (lambda x: rescale(x * np.inf), "image must be finite"),
        (lambda x: rescale(x * np.nan), "image must have a number"),
        (lambda x: window(x, 0, 0), "width must be more than 0"),
        (lambda x: window(x, 0, 1, function="linear"), "width must be more than 1"),
        (lambda x: window(x, 0, 1, function="sigmoid"), "function must be 'linear_exact'"),
        (lambda x: clip_percentile(x, 60, 40), "lower and upper must rise"),
        (lambda x: clip_percentile(x, -1, 40), "lower and upper must be between 0 and 100"),
        (lambda x: zscore(x * 0), "image must have more than one value"),
        (lambda x: zscore(x, np.zeros(x.shape, bool)), "image must have a number that counts"),
        (lambda x: zscore(x, np.ones((2, 2), bool)), "mask must have shape"),
        (lambda x: white_stripe(x, contrast="PD"), "contrast must be 'T1' or 'T2'"),
        (lambda x: white_stripe(x, width=0.5), "width must be less than 0.5"),
        (lambda x: pet_suv(x, weight_kg=0, dose_bq=1, half_life_s=1, delay_s=0), "weight_kg"),
        (lambda x: pet_suv(x, weight_kg=1, dose_bq=1, half_life_s=1, delay_s=-5), "delay_s"),
    ],
)
def test_bad_parameters_are_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call(np.arange(1.0, 13.0).reshape(3, 4))


def test_an_unknown_type_of_answer_is_refused():
    with pytest.raises(TypeError, match="dtype must be uint8, float32, float64"):
        rescale(np.arange(3.0), dtype="int16")
