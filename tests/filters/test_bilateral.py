"""Bilateral filter: truths, the formula, other libraries' answers, refusals."""

import itertools

import numpy as np
import pytest

from voxkern import denoise_bilateral, use_backend

PADS = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap"}


def scene(shape, dtype="float64", seed=0):
    """Stripes of 20 and 120 in noise."""
    x = 20 + 100.0 * (np.sin(np.indices(shape).sum(0) / 4) > 0)
    return (x + np.random.default_rng(seed).normal(0, 8, shape)).astype(dtype)


def formula(x, sigma, spread, radius, spacing, mode):
    """Tomasi and Manduchi's sum, neighbour by neighbour."""
    wide = np.pad(x.astype(np.float64), [(r, r) for r in radius], mode=PADS[mode])
    total, count = 0, 0
    for o in itertools.product(*(range(-r, r + 1) for r in radius)):
        at = tuple(slice(r + i, r + i + n) for r, i, n in zip(radius, o, x.shape, strict=True))
        far = sum((i * s) ** 2 for i, s in zip(o, spacing, strict=True))
        w = np.exp(-far / (2 * sigma**2) - (wide[at] - x) ** 2 / (2 * spread**2))
        total, count = total + w * wide[at], count + w
    return total / count


def test_an_edge_stays_and_a_slope_of_the_width_of_the_noise_goes():
    x = np.array([0, 1, 0, 1, 0, 100, 101, 100, 101, 100], np.float32)
    y = denoise_bilateral(x, 10, 5)
    assert abs(y[:5] - 0.4).max() < 0.2
    assert abs(y[5:] - 100.4).max() < 0.2


def test_a_constant_image_stays_constant():
    for dtype in ("uint8", "float32"):
        y = denoise_bilateral(np.full((4, 5, 6), 7, dtype))
        np.testing.assert_allclose(y, 7, rtol=3e-6)  # 343 weights are added up in float32


def test_a_wide_range_is_a_gaussian_and_a_narrow_one_changes_nothing():
    x = scene((8, 9, 10))
    np.testing.assert_allclose(denoise_bilateral(x, 1, 1e-9), x)
    bell = np.exp(-0.5 * np.arange(-2, 3) ** 2)
    weights = bell[:, None, None] * bell[:, None] * bell
    ndimage = pytest.importorskip("scipy.ndimage")
    want = ndimage.correlate(x, weights / weights.sum())
    np.testing.assert_allclose(denoise_bilateral(x, 1, 1e6, radius=2), want)


@pytest.mark.parametrize("mode", PADS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint8"])
def test_the_formula(mode, dtype):
    for shape, radius, spacing in (
        ((9, 10, 40), (2, 2, 2), (1, 1, 1)),
        ((30, 150), (1, 3), (2, 0.5)),
        ((50,), (4,), (1,)),
    ):
        x = scene(shape, dtype)
        got = denoise_bilateral(x, 1.5, 15, radius, spacing=spacing, mode=mode)
        want = formula(x, 1.5, 15, radius, spacing, mode)
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-6 * np.ptp(x))


@pytest.mark.parametrize(
    ("shape", "radius"), [((18, 35, 261), (1, 2, 1)), ((2, 3, 300), (0, 1, 11))]
)
def test_tiles_meet_without_a_seam(shape, radius):
    x = scene(shape, "float32")
    got = denoise_bilateral(x, 2, 15, radius)
    want = formula(x, 2, 15, radius, (1, 1, 1), "reflect")
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6 * np.ptp(x))
    np.testing.assert_array_equal(got, denoise_bilateral(x, 2, 15, radius, workers=1))


def test_a_window_wider_than_float32_can_weigh():
    x = scene((3, 90), "float32")
    got = denoise_bilateral(x, 1, 1e30, (1, 40))
    np.testing.assert_allclose(got, denoise_bilateral(x, 1, 1e30, (1, 12)), rtol=1e-6)
    np.testing.assert_allclose(denoise_bilateral(x, 1, 1e-30), x, rtol=1e-6)


def test_the_radius_follows_sigma_and_spacing():
    x = scene((12, 13, 14))
    want = denoise_bilateral(x, 2, 15, (3, 5, 10), spacing=(2, 1, 0.5))
    np.testing.assert_array_equal(denoise_bilateral(x, 2, 15, spacing=(2, 1, 0.5)), want)


def test_opencvs_answer():
    cv2 = pytest.importorskip("cv2")
    x = scene((60, 70), "float32")
    got = denoise_bilateral(x, 2, 20, 3, window="ball", mode="mirror")
    np.testing.assert_allclose(got, cv2.bilateralFilter(x, 7, 20, 2), rtol=0, atol=1e-4)
    x = np.clip(x, 0, 255).astype(np.uint8)
    got = denoise_bilateral(x, 2, 20, 3, window="ball", mode="mirror")
    assert np.abs(got - cv2.bilateralFilter(x, 7, 20, 2)).max() < 0.51


def test_simpleitks_answer_within_its_steps():
    sitk = pytest.importorskip("SimpleITK")
    x = scene((14, 17, 21))
    want = sitk.GetArrayFromImage(sitk.Bilateral(sitk.GetImageFromArray(x), 1.5, 20))
    got = denoise_bilateral(x, 1.5, 20, mode="nearest")
    # A step of its table is a hundredth of four times sigma_color: weights are up to 2.4 % off.
    assert np.abs(got - want).max() < 0.024 * 20


def test_scikit_images_answer_where_its_distances_do_not_matter():
    restoration = pytest.importorskip("skimage.restoration")
    x = np.clip(scene((33, 40)), 1, None)
    want = restoration.denoise_bilateral(x, 9, 20, 1e4, bins=100_000, mode="edge")
    got = denoise_bilateral(x, 1e4, 20, 4, mode="nearest")
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-3)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
def test_progress_is_told_and_changes_nothing(mode):
    x, steps = np.random.default_rng(0).random((70, 6, 7)), []
    got = denoise_bilateral(
        x, 1.5, 0.5, 2, mode=mode, cval=3, progress=lambda done, n: steps.append((done, n))
    )
    np.testing.assert_array_equal(got, denoise_bilateral(x, 1.5, 0.5, 2, mode=mode, cval=3))
    assert steps == ([] if mode == "wrap" else [(32, 70), (64, 70), (70, 70)])


def test_nan_stays_where_it_is_and_has_no_weight():
    x = scene((7, 8, 40), "float32")
    x[3, 4, 20] = np.nan
    y = denoise_bilateral(x, 1, 20)
    assert np.isnan(y).sum() == 1
    assert np.isnan(y[3, 4, 20])
    x[0, 0, 0] = np.inf
    assert np.isfinite(denoise_bilateral(x)[:, :, 30:]).all()


def test_volumes_one_by_one_views_and_outputs():
    x = scene((2, 5, 6, 70), "float32")
    y = denoise_bilateral(x, 1, 20)
    np.testing.assert_array_equal(y[1], denoise_bilateral(x[1], 1, 20))
    view = x[1].transpose(2, 0, 1)[::2]
    out = np.empty(view.shape, np.float32)
    assert denoise_bilateral(view, 1, 20, out=out, workers=1) is out
    np.testing.assert_array_equal(out, denoise_bilateral(view.copy(), 1, 20))
    assert denoise_bilateral(x[:0], 1, 20).shape == (0, 5, 6, 70)


def test_numba_gives_the_same_answer():
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    x = scene((5, 9, 30))
    for mode in (*PADS, "constant"):
        with use_backend("numba"):
            got = denoise_bilateral(x, 1, 15, mode=mode, cval=50)
        np.testing.assert_allclose(got, denoise_bilateral(x, 1, 15, mode=mode, cval=50))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"sigma_spatial": 0}, "sigma_spatial must be at least 1e-60"),
        ({"sigma_color": -1}, "sigma_color must be at least 1e-60"),
        ({"radius": -1}, "radius must be at least 0"),
        ({"radius": (1, 2)}, "radius must be one value or one for each of 3 axes"),
        ({"radius": 1000}, "radius must give at most 16777216 neighbours"),
        ({"window": "disc"}, "window must be 'box' or 'ball'; got 'disc'"),
        ({"spacing": 0}, "spacing must be more than 0"),
        ({"mode": "edge"}, "mode must be one of"),
        ({"cval": np.nan}, "cval must be finite"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        denoise_bilateral(np.zeros((4, 4, 4)), **arguments)
