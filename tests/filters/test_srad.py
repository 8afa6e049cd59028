"""Speckle: truths, the published steps, refusals."""

import numpy as np
import pytest

from voxkern import despeckle, use_backend

METHODS = ("srad", "lee", "kuan", "frost")


def scene(shape=(48, 50), looks=16, seed=0):
    """A step from 20 to 80, and the same with speckle."""
    clean = np.full(shape, 20.0)
    clean[..., shape[-1] // 2 :] = 80
    return clean, clean * np.random.default_rng(seed).gamma(looks, 1 / looks, shape)


def published(x, noise, steps, step):
    """Yu and Acton's scheme, as their paper has it for two axes."""
    u = x.copy()
    for t in range(steps):
        q0 = (noise * np.exp(-t * step / 6)) ** 2
        wide = np.pad(u, 1, mode="edge")
        north, south = wide[:-2, 1:-1] - u, wide[2:, 1:-1] - u
        west, east = wide[1:-1, :-2] - u, wide[1:-1, 2:] - u
        slopes = (north**2 + south**2 + west**2 + east**2) / u**2
        bend = (north + south + west + east) / u
        q = (0.5 * slopes - bend**2 / 16) / (1 + bend / 4) ** 2
        c = np.clip(1 / (1 + (q - q0) / (q0 * (1 + q0))), 0, 1)
        wide_c = np.pad(c, 1, mode="edge")
        flow = c * north + c * west + wide_c[2:, 1:-1] * south + wide_c[1:-1, 2:] * east
        u = u + step / 4 * flow
    return u


def test_the_published_steps():
    _, x = scene()
    got = despeckle(x, noise=0.3, n_iter=12, step=0.4)
    np.testing.assert_allclose(got, published(x, 0.3, 12, 0.4), rtol=1e-10)


def with_spacing(x, noise, spacing):
    """One step of length 1, with lengths in the shortest spacing."""
    w = (min(spacing) / np.array(spacing)) ** 2
    wide, n = np.pad(x, 1, mode="edge"), w.sum()
    d = []
    for axis in range(3):
        for at in (0, 2):
            cut = [slice(1, -1)] * 3
            cut[axis] = slice(at, at + x.shape[axis])
            d.append(wide[tuple(cut)] - x)
    mean = x + sum(w[i // 2] * d[i] for i in range(6)) / (2 * n)
    v = sum(w[i // 2] * d[i] ** 2 for i in range(6)) / n - (mean - x) ** 2
    q = noise**2
    c = np.minimum(q * (1 + q) / (q * q + v / mean**2), 1)
    moved = np.zeros_like(x)
    for axis in range(3):
        behind = c.take(np.minimum(np.arange(x.shape[axis]) + 1, x.shape[axis] - 1), axis)
        moved += w[axis] * (c * d[2 * axis] + behind * d[2 * axis + 1])
    return x + moved / (2 * n)


def test_differences_are_divided_by_the_spacing():
    _, x = scene((9, 10, 11))
    for spacing in [(1, 1, 1), (5, 5, 5), (2, 1, 1), (1.5, 1, 2)]:
        got = despeckle(x, noise=0.3, n_iter=1, step=1, spacing=spacing)
        np.testing.assert_allclose(got, with_spacing(x, 0.3, spacing), rtol=1e-10)


@pytest.mark.parametrize("method", ["srad", "frost"])
def test_slices_far_apart_are_images_by_themselves(method):
    _, x = scene((5, 20, 21), looks=4)
    size = (1, 5, 5) if method == "frost" else 5
    want = np.stack([despeckle(plane, method, noise=0.3, size=5) for plane in x])
    got = despeckle(x, method, noise=0.3, size=size, spacing=(1e9, 1, 1))
    np.testing.assert_allclose(got, want, rtol=1e-9)


def test_frost_counts_distances_in_the_shortest_spacing():
    x = np.array([[1.0, 1.0, 4.0]])  # in the middle: mean 2, variance 2, squared variation 1/2
    w = np.exp(-0.5 * 2)
    got = despeckle(x, "frost", size=(1, 3), damping=1, spacing=(3, 6))
    assert got[0, 1] == pytest.approx((w + 1 + 4 * w) / (1 + 2 * w))
    np.testing.assert_array_equal(
        despeckle(x, "lee", noise=0.1, spacing=(3, 6)), despeckle(x, "lee", noise=0.1)
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(48, 50), (16, 18, 20)], ids=str)
def test_speckle_goes_and_the_edge_stays(method, shape):
    clean, x = scene(shape)
    y = despeckle(x, method)
    middle = shape[-1] // 2
    for side in (slice(0, middle - 4), slice(middle + 4, None)):
        assert y[..., side].std() < 0.5 * x[..., side].std()
        assert y[..., side].mean() == pytest.approx(clean[..., side].mean(), rel=0.05)
    step = y[..., middle + 2].mean() - y[..., middle - 3].mean()
    assert step > 0.75 * 60


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_and_nothing_stay(method):
    np.testing.assert_allclose(despeckle(np.full((6, 7, 8), 9, np.uint8), method), 9, rtol=1e-6)
    assert not despeckle(np.zeros((6, 7), np.uint8), method).any()


def test_brightness_scales_and_diffusion_keeps_the_mean_of_pure_speckle():
    x = 10 * np.random.default_rng(1).gamma(9, 1 / 9, (20, 21, 22))
    y = despeckle(x)
    np.testing.assert_allclose(despeckle(1000 * x), 1000 * y, rtol=1e-9)
    assert y.mean() == pytest.approx(x.mean(), rel=0.02)


def test_lee_and_kuan_are_their_formulas():
    _, x = scene((20, 21))
    wide = np.lib.stride_tricks.sliding_window_view(np.pad(x, 2, mode="symmetric"), (5, 5))
    mean, vary = wide.mean((2, 3)), wide.var((2, 3)) / wide.mean((2, 3)) ** 2
    share = np.maximum(1 - 0.25**2 / vary, 0)
    got = despeckle(x, "lee", noise=0.25, size=5)
    np.testing.assert_allclose(got, mean + share * (x - mean), rtol=1e-9)
    got = despeckle(x, "kuan", noise=0.25, size=5)
    np.testing.assert_allclose(got, mean + share / (1 + 0.25**2) * (x - mean), rtol=1e-9)


def frost(x, size, damping):
    """Frost's weighted mean, voxel by voxel."""
    before = [s // 2 for s in size]
    pad = [(b, s - 1 - b) for b, s in zip(before, size, strict=True)]
    wide = np.pad(x, pad, mode="symmetric")
    r = np.sqrt(sum((g - b) ** 2 for g, b in zip(np.indices(size), before, strict=True)))
    y = np.empty_like(x)
    for at in np.ndindex(x.shape):
        box = wide[tuple(slice(a, a + s) for a, s in zip(at, size, strict=True))]
        w = np.exp(-damping * box.var() / box.mean() ** 2 * r)
        y[at] = (w * box).sum() / w.sum()
    return y


def test_frost_by_hand():
    x = np.array([1.0, 1.0, 4.0])  # in the middle: mean 2, variance 2, squared variation 1/2
    w = np.exp(-0.5)
    got = despeckle(x, "frost", size=3, damping=1)
    assert got[1] == pytest.approx((w + 1 + 4 * w) / (1 + 2 * w))


@pytest.mark.parametrize(
    ("shape", "size"), [((20, 23), (5, 4)), ((7, 8, 19), (3, 5, 2)), ((5, 61), (3, 3))], ids=str
)
def test_frost_is_its_formula(shape, size):
    _, x = scene(shape, looks=4)
    want = frost(x, size, 1.5)
    got = despeckle(x, "frost", size=size, damping=1.5)
    np.testing.assert_allclose(got, want, rtol=1e-9)
    got = despeckle(x.astype(np.float32), "frost", size=size, damping=1.5)
    np.testing.assert_allclose(got, want, rtol=2e-5)


def test_frost_is_a_mean_where_nothing_varies_and_keeps_what_stands_out():
    x = np.ones((15, 15))
    x[7, 7] = 1000
    y = despeckle(x, "frost", size=3, damping=50)
    assert y[7, 7] == pytest.approx(1000)
    x[7, 7] = np.nan
    y = despeckle(x, "frost", size=3)
    assert np.isnan(y[6:9, 6:9]).all()
    assert np.isnan(y).sum() == 9


@pytest.mark.parametrize("method", METHODS)
def test_types_series_outputs_threads_and_steps(method):
    x = np.stack([scene((9, 10, 33), seed=s)[1] for s in range(2)]).astype(np.uint8)
    y = despeckle(x, method, noise=0.25)
    assert y.dtype == np.float32
    out = np.empty(x[0].shape, np.float32)
    assert despeckle(x[1], method, noise=0.25, out=out, workers=1) is out
    np.testing.assert_array_equal(out, y[1])
    np.testing.assert_array_equal(despeckle(x[1], method, noise=0.25, workers=3), out)
    steps = []
    despeckle(x[0], method, n_iter=3, progress=lambda done, n: steps.append((done, n)))
    assert steps == ([(1, 3), (2, 3), (3, 3)] if method == "srad" else [])
    assert despeckle(x[:0], method).shape == (0, 9, 10, 33)


def test_numba_gives_the_same_answer():
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    _, x = scene((9, 10, 30))
    with use_backend("numba"):
        got = despeckle(x, noise=0.25)
    np.testing.assert_allclose(got, despeckle(x, noise=0.25), rtol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"method": "map"}, "method must be one of srad, lee, kuan, frost; got 'map'"),
        ({"method": "frost", "damping": 0}, "damping must be more than 0"),
        ({"noise": 0}, "noise must be more than 0"),
        ({"n_iter": 0}, "n_iter must be at least 1"),
        ({"step": 1.5}, "step must be at most 1; got 1.5"),
        ({"size": 0}, "size must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        despeckle(np.ones((6, 6)), **arguments)
