"""Non-local means and the noise it needs to know: truths, scikit-image's and DIPY's answers."""

import itertools

import numpy as np
import pytest

from voxkern import denoise_nl_means, estimate_sigma, use_backend

NEAR = {"float32": 2e-6, "float64": 1e-9}


def scene(shape, dtype="float64", seed=0, noise=10):
    """Stripes of 0 and 100 in noise."""
    x = 100.0 * (np.sin(np.indices(shape).sum(0) / 4) > 0)
    return (x + np.random.default_rng(seed).normal(0, noise, shape)).astype(dtype)


def test_voxels_that_look_alike_are_averaged_and_others_are_not():
    x = np.zeros((9, 9), np.float32)
    x[:, 4:] = 100
    np.testing.assert_allclose(denoise_nl_means(x, 3, 3, h=5), x, atol=1e-4)


def test_a_constant_image_stays_constant():
    x = np.full((5, 6, 7), 3, np.uint8)
    for options in ({}, {"fast": False}, {"rician": True}):
        y = denoise_nl_means(x, 3, 2, h=1, **options)
        np.testing.assert_allclose(y, 3, rtol=3e-6)  # 125 weights are added up in float32
        assert y.dtype == np.float32
    np.testing.assert_array_equal(denoise_nl_means(x), 3)


def test_noise_goes_and_edges_stay():
    clean, x = scene((30, 30, 30), noise=0), scene((30, 30, 30))
    y = denoise_nl_means(x, 3, 3, sigma=10)
    assert np.abs(y - clean).mean() < 0.4 * np.abs(x - clean).mean()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(33, 40), (14, 17, 21), (5, 20, 150)], ids=str)
@pytest.mark.parametrize("fast", [True, False])
def test_scikit_images_answer(shape, dtype, fast):
    restoration = pytest.importorskip("skimage.restoration")
    x = scene(shape, dtype)
    for (size, far), sigma in itertools.product([(3, 3), (6, 2)], [0, 8]):
        want = restoration.denoise_nl_means(
            x, size, far, 12, fast_mode=fast, sigma=sigma, preserve_range=True
        )
        got = denoise_nl_means(x, size, far, 12, sigma, fast=fast)
        assert got.dtype == dtype
        np.testing.assert_allclose(got, want, rtol=0, atol=NEAR[dtype] * np.ptp(x))


def classic(x, radius, far, sigma):
    """Coupe's filter as DIPY's classic has it, from its formula."""
    wide = np.pad(x, far + radius, mode="reflect")
    total, count = np.zeros(x.shape), np.zeros(x.shape)
    for shift in np.ndindex(*(2 * far + 1,) * 3):
        distance = np.zeros(x.shape)
        for step in np.ndindex(*(2 * radius + 1,) * 3):
            one = tuple(slice(far + s, far + s + n) for s, n in zip(step, x.shape, strict=True))
            two = tuple(
                slice(t + s, t + s + n) for t, s, n in zip(shift, step, x.shape, strict=True)
            )
            distance += (wide[one] - wide[two]) ** 2
        at = tuple(slice(radius + t, radius + t + n) for t, n in zip(shift, x.shape, strict=True))
        weight = np.exp(-distance / (2 * radius + 1) ** 3 / (2**0.5 * sigma**2))
        total += weight * wide[at] ** 2
        count += weight
    return np.sqrt(np.maximum(total / count - 2 * sigma**2, 0))


def test_rician_noise_is_taken_off_as_coupe_says():
    x = np.abs(scene((11, 12, 13)))
    want = classic(x, 1, 2, 10)
    np.testing.assert_allclose(denoise_nl_means(x, 3, 2, sigma=10, rician=True), want, atol=1e-9)


def test_dipys_answer():
    nlmeans = pytest.importorskip("dipy.denoise.nlmeans", reason="pip install dipy")
    x = np.abs(scene((11, 12, 13)))
    want = nlmeans.nlmeans(
        x, sigma=10.0, patch_radius=1, block_radius=3, rician=True, method="classic"
    )
    got = denoise_nl_means(x, 3, 2, sigma=10, rician=True)
    np.testing.assert_allclose(got, want, atol=1e-9)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
def test_integers_are_averaged_as_floats(dtype):
    x = np.clip(scene((9, 10, 21)), 0, 255).astype(dtype)
    y = denoise_nl_means(x, 3, 2, h=12)
    assert y.dtype == ("float64" if dtype == "int32" else "float32")
    np.testing.assert_allclose(y, denoise_nl_means(x.astype(float), 3, 2, h=12), rtol=1e-5)


def test_sizes_and_distances_go_by_axis_and_volumes_one_by_one():
    x = scene((2, 6, 7, 8))
    y = denoise_nl_means(x, (1, 3, 5), (0, 1, 2), h=9, sigma=(0, 5))
    for volume, answer, sigma in zip(x, y, (0, 5), strict=True):
        want = denoise_nl_means(volume, (1, 3, 5), (0, 1, 2), h=9, sigma=sigma)
        np.testing.assert_array_equal(answer, want)
    plane = denoise_nl_means(x[0, 0], 3, 2, h=9)
    np.testing.assert_allclose(denoise_nl_means(x[0, :1], (1, 3, 3), (0, 2, 2), h=9)[0], plane)


@pytest.mark.parametrize("options", [{}, {"fast": False}, {"rician": True}], ids=str)
def test_any_width_has_an_answer(options):
    x = np.abs(scene((6, 7, 9), "float32"))
    wide = denoise_nl_means(x, 3, 2, h=1e30, **options)
    np.testing.assert_array_equal(denoise_nl_means(x, 3, 2, h=1e300, **options), wide)
    np.testing.assert_allclose(denoise_nl_means(x, 3, 2, h=1e-300, **options), x, rtol=1e-5)


def test_spacing_makes_patches_and_searches_as_long_along_every_axis():
    x = scene((6, 17, 18))
    want = denoise_nl_means(x, (1, 5, 5), (1, 4, 4), h=12)
    np.testing.assert_array_equal(denoise_nl_means(x, 5, 4, h=12, spacing=(4.8, 1, 1.1)), want)
    want = denoise_nl_means(x, (3, 5, 3), (1, 4, 2), h=12)
    got = denoise_nl_means(x, (3, 5, 3), 4, h=12, spacing=(2, 0.5, 1))
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(
        denoise_nl_means(x, 3, 2, h=12, spacing=3), denoise_nl_means(x, 3, 2, h=12)
    )


@pytest.mark.parametrize("options", [{}, {"fast": False}, {"rician": True}], ids=str)
def test_nan_stays_where_it_is_and_is_not_looked_at(options):
    x = scene((9, 10, 11))
    x[4, 5, 6] = np.nan
    y = denoise_nl_means(x, 3, 2, h=15, **options)
    assert np.isnan(y).sum() == 1
    assert np.isnan(y[4, 5, 6])
    assert y[0, 0, 0] == denoise_nl_means(np.nan_to_num(x), 3, 2, h=15, **options)[0, 0, 0]


@pytest.mark.parametrize("options", [{}, {"fast": False}, {"rician": True}], ids=str)
@pytest.mark.parametrize("size", [3, 4, 5])
def test_transposed_planes_commute_with_the_filter(size, options):
    x = scene((18, 34, 131))  # tiles end elsewhere when turned
    y = denoise_nl_means(x, size, (2, 1, 1), h=12, sigma=3, **options)
    turned = denoise_nl_means(x.swapaxes(1, 2), size, (2, 1, 1), h=12, sigma=3, **options)
    np.testing.assert_allclose(turned.swapaxes(1, 2), y, rtol=1e-9)


def test_wide_searches_and_views():
    x = scene((3, 40, 70))
    for view in (x[:, ::2, 3:50], x.transpose(0, 2, 1)):
        got = denoise_nl_means(view, 3, (1, 7, 7), h=12)
        same = denoise_nl_means(np.ascontiguousarray(view), 3, (1, 7, 7), h=12, workers=1)
        np.testing.assert_array_equal(got, same)


@pytest.mark.parametrize("options", [{}, {"fast": False}, {"rician": True}], ids=str)
def test_numba_gives_the_same_answer(options):
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    x = scene((5, 9, 10))
    with use_backend("numba"):
        got = denoise_nl_means(x, 3, 2, h=12, sigma=3, **options)
    want = denoise_nl_means(x, 3, 2, h=12, sigma=3, **options)
    np.testing.assert_allclose(got, want, rtol=1e-10)


@pytest.mark.parametrize("options", [{}, {"fast": False}, {"rician": True}], ids=str)
@pytest.mark.parametrize("shape", [(70, 9, 11), (80, 12)], ids=str)
def test_progress_is_told_and_changes_nothing(shape, options):
    x, steps = scene(shape), []
    got = denoise_nl_means(
        x, 3, 2, h=8, progress=lambda done, n: steps.append((done, n)), **options
    )
    np.testing.assert_array_equal(got, denoise_nl_means(x, 3, 2, h=8, **options))
    assert steps == [(n, shape[0]) for n in (32, 64, shape[0])]


def test_an_output_given_is_the_output_and_empty_stays_empty():
    x = scene((4, 5, 6), "float32")
    out = np.empty_like(x)
    assert denoise_nl_means(x, 3, 1, h=9, out=out) is out
    np.testing.assert_array_equal(out, denoise_nl_means(x, 3, 1, h=9))
    assert denoise_nl_means(x[:0], 3, 1, h=9).shape == (0, 5, 6)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"patch_size": 0}, "patch_size must be at least 1; got 0"),
        ({"patch_size": (3, 3)}, "patch_size must be one value or one for each of 3 axes"),
        ({"patch_distance": -1}, "patch_distance must be at least 0; got -1"),
        ({"h": 0}, "h must be more than 0; got 0"),
        ({"spacing": 0}, "spacing must be more than 0"),
        ({"patch_size": 10**6}, "patch_size must be at most 255; got 1000001"),
        ({"patch_distance": 256}, "patch_distance must be at most 255; got 256"),
        ({"sigma": 1e200}, r"sigma must be at most 1e\+150; got 1e\+200"),
        ({"sigma": -1}, "sigma must be at least 0"),
        ({"sigma": (1, 2)}, "sigma must be one number or one for each volume"),
        ({"rician": True, "fast": False}, "rician must be False with fast=False"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        denoise_nl_means(np.zeros((4, 4, 4)), **arguments)


@pytest.mark.parametrize("shape", [(100, 101), (60, 61, 62)], ids=str)
def test_the_noise_is_found(shape):
    noise = np.random.default_rng(1).normal(0, 7, shape)
    assert estimate_sigma(noise) == pytest.approx(7, rel=0.08)
    assert estimate_sigma(np.full(shape, 5.0)) == 0


def test_scikit_images_noise():
    pytest.importorskip("pywt", reason="pip install PyWavelets")
    restoration = pytest.importorskip("skimage.restoration")
    for shape in [(40, 41), (20, 21, 22)]:
        x = scene(shape, noise=7)
        assert estimate_sigma(x) == pytest.approx(restoration.estimate_sigma(x), rel=1e-12)


def test_the_residual_is_that_of_the_six_that_touch():
    x = np.random.default_rng(1).normal(50, 7, (20, 21, 22))
    near = sum(np.roll(x, s, a) for s in (-1, 1) for a in range(3)) / 6
    inner = ((x - near)[1:-1, 1:-1, 1:-1] ** 2).mean() * 6 / 7
    found = estimate_sigma(x, "residual")
    assert found == pytest.approx(inner**0.5, rel=0.05)
    assert estimate_sigma(x, "residual", coils=1) == pytest.approx(found / 0.42920367**0.5)
    both = estimate_sigma(np.stack([x, 2 * x]), "residual")
    np.testing.assert_allclose(both, [found, 2 * found])
    noise = pytest.importorskip("dipy.denoise.noise_estimate", reason="pip install dipy")
    assert found == pytest.approx(float(noise.estimate_sigma(x, N=0)[0]), rel=1e-6)


def test_a_map_of_the_noise_follows_it():
    x = np.random.default_rng(1).normal(0, 1, (30, 30, 60))
    x[..., 30:] *= 5
    y = estimate_sigma(x, "residual", window=4)
    assert y.shape == x.shape
    assert y[15, 15, 10] == pytest.approx(1, rel=0.2)
    assert y[15, 15, 50] == pytest.approx(5, rel=0.2)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"method": "guess"}, "method must be 'wavelet' or 'residual'; got 'guess'"),
        ({"method": "residual", "coils": 3}, "coils must be one of 0, 1, 4"),
        ({"coils": 1}, "coils and window go with method='residual'"),
        ({"method": "residual", "window": 0}, "window must be more than 0"),
    ],
)
def test_an_estimate_that_makes_no_sense_is_refused(arguments, text):
    with pytest.raises(ValueError, match=text):
        estimate_sigma(np.zeros((4, 4, 4)), **arguments)
