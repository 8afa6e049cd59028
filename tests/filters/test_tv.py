"""Total variation: truths, properties, scikit-image's answer, refusals."""

import numpy as np
import pytest

from voxkern import denoise_tv, use_backend

METHODS = ("chambolle", "chambolle-pock")


def scene(shape, dtype="float64", seed=0):
    """Stripes of 20 and 120 in noise."""
    x = 20 + 100.0 * (np.sin(np.indices(shape).sum(0) / 4) > 0)
    return (x + np.random.default_rng(seed).normal(0, 8, shape)).astype(dtype)


def cost(u, x, weight, spacing=1.0):
    """What the answer minimises."""
    u = u.astype(np.float64)
    steps = np.broadcast_to(spacing, u.ndim)
    slopes = [np.diff(u, axis=a, append=np.take(u, [-1], a)) / steps[a] for a in range(u.ndim)]
    return ((u - x) ** 2).sum() / 2 + weight * np.sqrt(sum(g**2 for g in slopes)).sum()


@pytest.mark.parametrize("method", METHODS)
def test_a_step_loses_its_weight_on_both_sides(method):
    x = np.repeat([0.0, 10.0], 5)
    y = denoise_tv(x, 2, 1e-9, 5000, method)
    np.testing.assert_allclose(y, np.repeat([0.4, 9.6], 5), atol=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_image_stays_constant(method):
    y = denoise_tv(np.full((4, 5, 6), 7, np.uint8), method=method)
    np.testing.assert_allclose(y, 7, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_mean_stays_and_the_cost_falls(method):
    x = scene((9, 10, 33))
    y = denoise_tv(x, 20, method=method)
    assert y.mean() == pytest.approx(x.mean(), rel=1e-9)
    assert cost(y, x, 20) < 0.7 * cost(x, x, 20)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(200,), (33, 40), (14, 17, 150)], ids=str)
def test_scikit_images_answer_and_its_number_of_steps(shape, dtype):
    restoration = pytest.importorskip("skimage.restoration")
    x = scene(shape, dtype)
    want = restoration.denoise_tv_chambolle(x, 15)
    got = denoise_tv(x, 15)
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * np.ptp(x))
    steps = []
    denoise_tv(x, 15, progress=lambda done, most: steps.append((done, most)))
    last = len(steps)
    assert steps == [(i, 200) for i in range(1, last + 1)]
    assert 5 < last < 200
    # scikit-image stops at the same step: one less gives another image.
    less = restoration.denoise_tv_chambolle(x, 15, max_num_iter=last - 1)
    assert np.abs(less - got).max() > 100 * tolerance * np.ptp(x)


@pytest.mark.parametrize("eps", [3.2e-6, 1e-4, 1e-2])
@pytest.mark.parametrize("weight", [0.1, 0.5, 2])
def test_the_answer_is_that_of_the_step_that_settled_the_energy(weight, eps):
    x = np.array([0, 1, 0, 1, 9, 8, 9, 8], np.float64)
    steps = []
    y = denoise_tv(x, weight, eps, progress=lambda done, _: steps.append(done))
    assert len(steps) < 200
    np.testing.assert_array_equal(y, denoise_tv(x, weight, 1e-300, len(steps)))
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(y, denoise_tv(x, weight, 1e-300, len(steps) + 1))


@pytest.mark.parametrize("shape", [(67, 40, 21), (3, 150, 9), (40, 1, 9)], ids=str)
def test_parts_meet_without_a_seam(shape):
    x = scene(shape, "float32")
    want = denoise_tv(x, 20, 1e-9, 7, workers=1)
    for workers in (2, 5):
        np.testing.assert_array_equal(denoise_tv(x, 20, 1e-9, 7, workers=workers), want)
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    with use_backend("numba"):
        np.testing.assert_allclose(want, denoise_tv(x, 20, 1e-9, 7), rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_lengths_are_the_spacings(method):
    x = scene((9, 10, 33))
    # All lengths twice as long, all slopes half as steep.
    same = denoise_tv(x, 10, 1e-12, 4000, method)
    twice = denoise_tv(x, 20, 1e-12, 4000, method, spacing=2)
    np.testing.assert_allclose(twice, same, atol=0.02)
    # Along one axis of a volume of equal planes nothing happens, whatever its length.
    flat = np.repeat(x[:1], 5, 0)
    want = denoise_tv(x[0], 10, 1e-12, 3000, method, spacing=(0.5, 2))
    got = denoise_tv(flat, 10, 1e-12, 3000, method, spacing=(3, 0.5, 2))
    np.testing.assert_allclose(got, np.repeat(want[None], 5, 0), atol=0.02)


@pytest.mark.parametrize("spacing", [(2.5, 1, 1), (0.7, 1, 2)])
@pytest.mark.parametrize("method", METHODS)
def test_the_cost_with_spacing_is_least(method, spacing):
    x = scene((7, 9, 12))
    y = denoise_tv(x, 20, 1e-14, 4000, method, spacing=spacing)
    least = cost(y, x, 20, spacing)
    other = {"chambolle": "chambolle-pock", "chambolle-pock": "chambolle"}[method]
    again = denoise_tv(x, 20, 1e-14, 4000, other, spacing=spacing)
    assert cost(again, x, 20, spacing) == pytest.approx(least, rel=2e-4)
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert cost(y + 0.3 * rng.standard_normal(x.shape), x, 20, spacing) > least
    assert cost(denoise_tv(x, 20, 1e-14, 4000, method), x, 20, spacing) > 1.001 * least


def test_chambolle_and_pock_come_nearer_in_as_many_steps():
    x = scene((14, 17, 21))
    best = cost(denoise_tv(x, 20, 1e-12, 3000, "chambolle-pock"), x, 20)
    slow = cost(denoise_tv(x, 20, 1e-12, 60), x, 20)
    fast = cost(denoise_tv(x, 20, 1e-12, 60, "chambolle-pock"), x, 20)
    assert best < fast < slow
    assert fast - best < 0.5 * (slow - best)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
def test_integers_are_worked_on_as_floats(dtype, method):
    x = np.clip(scene((9, 10, 21)), 0, 255).astype(dtype)
    y = denoise_tv(x, 20, 1e-9, 20, method)
    assert y.dtype == ("float64" if dtype == "int32" else "float32")
    np.testing.assert_allclose(y, denoise_tv(x.astype(float), 20, 1e-9, 20, method), rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_volumes_one_by_one_planes_and_outputs(method):
    x = scene((2, 5, 6, 70), "float32")
    y = denoise_tv(x, 10, method=method)
    np.testing.assert_array_equal(y[1], denoise_tv(x[1], 10, method=method))
    view = x[1].transpose(1, 0, 2)
    out = np.empty(view.shape, np.float32)
    assert denoise_tv(view, 10, out=out, method=method, workers=1) is out
    np.testing.assert_array_equal(out, denoise_tv(view.copy(), 10, method=method))
    assert denoise_tv(x[:0], method=method).shape == (0, 5, 6, 70)
    plane = np.asfortranarray(x[0, 0])
    np.testing.assert_allclose(
        denoise_tv(plane, 10, 1e-6, method=method), denoise_tv(plane.T, 10, 1e-6, method=method).T,
        rtol=1e-4,
    )  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_numba_gives_the_same_answer(method):
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    x = scene((5, 9, 30))
    steps = {"spacing": (3, 0.8, 1)}
    with use_backend("numba"):
        got = denoise_tv(x, 10, 1e-9, 15, method, **steps)
    np.testing.assert_allclose(got, denoise_tv(x, 10, 1e-9, 15, method, **steps))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"weight": 0}, "weight must be more than 0"),
        ({"eps": 0}, "eps must be more than 0"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"spacing": 0}, "spacing must be more than 0"),
        ({"spacing": (1, 1)}, "spacing must be one value or one for each of 3 axes"),
        ({"method": "bregman"}, "method must be 'chambolle' or 'chambolle-pock'; got 'bregman'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        denoise_tv(np.zeros((4, 4, 4)), **arguments)
