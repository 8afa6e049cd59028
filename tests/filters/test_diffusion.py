"""Anisotropic diffusion: truths, properties, ITK's answers, refusals."""

import numpy as np
import pytest

from voxkern import anisotropic_diffusion, use_backend

KINDS = ("gradient", "curvature", "perona-malik")
FILTERS = {"gradient": "GradientAnisotropicDiffusion", "curvature": "CurvatureAnisotropicDiffusion"}


def scene(shape, dtype="float64", seed=0):
    """Stripes of 20 and 120 in noise."""
    x = 20 + 100.0 * (np.sin(np.indices(shape).sum(0) / 4) > 0)
    return (x + np.random.default_rng(seed).normal(0, 8, shape)).astype(dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_image_stays_constant_and_no_step_changes_nothing(kind):
    x = np.full((4, 5, 6), 7, np.uint8)
    y = anisotropic_diffusion(x, kind=kind)
    np.testing.assert_array_equal(y, x)
    assert y.dtype == np.float32
    z = scene((4, 5, 6))
    np.testing.assert_array_equal(anisotropic_diffusion(z, 0, kind=kind), z)


def test_one_step_of_perona_and_malik_by_hand():
    x = np.array([0, 1, 3], np.float64)
    y = anisotropic_diffusion(x, 1, 2, "perona-malik", time_step=0.1)
    a, b = np.exp(-1 / 4), 2 * np.exp(-4 / 4)
    np.testing.assert_allclose(y, [0.1 * a, 1 + 0.1 * (b - a), 3 - 0.1 * b])


@pytest.mark.parametrize("kind", ["gradient", "perona-malik"])
def test_what_flows_out_flows_in(kind):
    x = scene((9, 10, 33))
    y = anisotropic_diffusion(x, 8, 20 if kind == "perona-malik" else 1, kind)
    assert y.mean() == pytest.approx(x.mean(), rel=1e-12)
    assert y.min() >= x.min()
    assert y.max() <= x.max()
    assert y.std() < x.std()


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(33, 40), (14, 17, 150), (1, 9, 9)], ids=str)
def test_itks_answer(shape, dtype, kind):
    sitk = pytest.importorskip("SimpleITK")
    x = scene(shape, dtype)
    for spacing in ((1.0,) * x.ndim, (2.0, 0.8, 1.0)[-x.ndim :]):
        image = sitk.GetImageFromArray(x)
        image.SetSpacing(spacing[::-1])
        step = min(spacing) / 2 ** (x.ndim + 1)
        run = getattr(sitk, FILTERS[kind])
        want = sitk.GetArrayFromImage(run(image, step, 1.5, 1, 5))
        got = anisotropic_diffusion(x, 5, 1.5, kind, spacing=spacing)
        tolerance = 1e-6 if dtype == "float32" else 1e-13
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * np.ptp(x))


@pytest.mark.parametrize("kind", KINDS)
def test_flips_and_transposes_commute_with_the_filter(kind):
    for shape in ((11, 12, 13), (34, 18, 515)):  # the latter of several tiles along each axis
        x = scene(shape)
        y = anisotropic_diffusion(x, 3, 5, kind)
        flipped = anisotropic_diffusion(x[::-1, :, ::-1], 3, 5, kind)[::-1, :, ::-1]
        np.testing.assert_allclose(flipped, y, rtol=1e-12)
        np.testing.assert_allclose(anisotropic_diffusion(x.T, 3, 5, kind).T, y, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_is_as_good_as_its_digits(kind):
    x = scene((34, 18, 515), "float32")
    got = anisotropic_diffusion(x, 5, 2, kind)
    want = anisotropic_diffusion(x.astype(np.float64), 5, 2, kind)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6 * np.ptp(x))


def test_lengths_are_the_spacings():
    x = np.add.outer(np.zeros(8), np.random.default_rng(0).random(40))
    fine = anisotropic_diffusion(x, 4, 1, "perona-malik", spacing=2, time_step=0.4)
    plain = anisotropic_diffusion(x, 4, 2, "perona-malik", time_step=0.1)
    np.testing.assert_allclose(fine, plain)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
def test_integers_are_worked_on_as_floats(dtype):
    x = np.clip(scene((9, 10, 21)), 0, 255).astype(dtype)
    y = anisotropic_diffusion(x)
    assert y.dtype == ("float64" if dtype == "int32" else "float32")
    np.testing.assert_allclose(y, anisotropic_diffusion(x.astype(float)), rtol=1e-5)


def test_volumes_one_by_one_outputs_and_progress():
    x = scene((2, 5, 6, 70), "float32")
    steps = []
    y = anisotropic_diffusion(x, 3, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)] * 2
    np.testing.assert_array_equal(y[1], anisotropic_diffusion(x[1], 3))
    for count in (1, 2):
        out = np.empty((6, 5, 70), np.float32)
        view = x[1].transpose(1, 0, 2)
        assert anisotropic_diffusion(view, count, out=out, workers=1) is out
        np.testing.assert_array_equal(out, anisotropic_diffusion(view.copy(), count))
    assert anisotropic_diffusion(x[:0]).shape == (0, 5, 6, 70)


@pytest.mark.parametrize("kind", KINDS)
def test_numba_gives_the_same_answer(kind):
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    x = scene((5, 9, 30))
    with use_backend("numba"):
        got = anisotropic_diffusion(x, 3, 5, kind, spacing=(2, 1, 1))
    np.testing.assert_allclose(got, anisotropic_diffusion(x, 3, 5, kind, spacing=(2, 1, 1)))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"iterations": -1}, "iterations must be at least 0"),
        ({"conductance": 0}, "conductance must be more than 0"),
        ({"kind": "heat"}, "kind must be one of gradient, curvature, perona-malik; got 'heat'"),
        ({"time_step": 0}, "time_step must be more than 0"),
        ({"spacing": (1, 2)}, "spacing must be one value or one for each of 3 axes"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        anisotropic_diffusion(np.zeros((4, 4, 4)), **arguments)
