"""Gaussian derivatives and Hessians: truths, SciPy's answer, refusals."""

import numpy as np
import pytest
import scipy.ndimage as ndimage
from like_scipy import MODES, SHAPES, hold, image

from voxkern import (
    _args,
    gaussian_gradient_magnitude,
    gaussian_laplace,
    hessian,
    hessian_eigenvalues,
    use_backend,
)
from voxkern.filters._jet import EIGENVALUES, _jet

ORDERS = [(2, 0, 0), (1, 1, 0), (1, 0, 1), (0, 2, 0), (0, 1, 1), (0, 0, 2)]


def matrices(components):
    zz, zy, zx, yy, yx, xx = components
    rows = [[zz, zy, zx], [zy, yy, yx], [zx, yx, xx]]
    return np.moveaxis(np.array(rows, np.float64), (0, 1), (-2, -1))


def test_a_quadratic_has_one_hessian():
    z, y, x = np.mgrid[:40, :41, :42].astype(float)
    f = 1.5 * z * z + 2 * z * y - 3 * z * x + 0.5 * y * y + 4 * y * x - x * x
    got = hessian(f, 2, truncate=8)[:, 20, 20, 20]
    np.testing.assert_allclose(got, [3, 2, -3, 1, 4, -2], rtol=1e-9)


def test_spacing_gives_derivatives_per_unit():
    x = (0.5 * np.arange(60)) ** 2
    np.testing.assert_allclose(gaussian_laplace(x, 1, spacing=0.5, truncate=8)[30], 2, rtol=1e-6)
    np.testing.assert_allclose(
        gaussian_gradient_magnitude(x, 1, spacing=0.5, truncate=8)[30], 30, rtol=1e-6
    )


@pytest.mark.parametrize("dtype", _args.REAL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_scipys_answer(mode, shape, dtype):
    x = image(shape, dtype)
    for name, ours in (
        ("gaussian_laplace", gaussian_laplace),
        ("gaussian_gradient_magnitude", gaussian_gradient_magnitude),
    ):
        if dtype == "int32" and name == "gaussian_gradient_magnitude":
            continue  # squares beyond the type: SciPy's cast of their root is undefined
        for sigma in (0.8, 2):
            with np.errstate(invalid="ignore"):
                want = getattr(ndimage, name)(x, sigma, mode=mode, cval=3)
            hold(ours(x, sigma, mode=mode, cval=3), want, x, 2)


@pytest.mark.parametrize("axes", [0, -1, (0, 2), (0, 1, 3)])
def test_any_axes(axes):
    x = image((4, 5, 6, 7), "float64")
    want = ndimage.gaussian_laplace(x, 1.1, axes=axes)
    hold(gaussian_laplace(x, 1.1, axes=axes), want, x, 2)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("shape", [(6, 7, 8), (20, 40, 300), (3, 4, 70)], ids=str)
def test_the_hessian_is_made_of_scipys_derivatives(shape, dtype):
    x = image(shape, dtype)
    for workers in (1, 4):
        got = hessian(x, (1, 2, 1.5), mode="nearest", workers=workers)
        assert got.shape == (6, *shape)
        for component, order in zip(got, ORDERS, strict=True):
            want = ndimage.gaussian_filter(x.astype(got.dtype), (1, 2, 1.5), order, mode="nearest")
            hold(component, want, x, 2)


def test_leading_axes_come_before_the_components():
    x = image((2, 5, 6, 7), "float32")
    got = hessian(x, 1)
    assert got.shape == (2, 6, 5, 6, 7)
    np.testing.assert_array_equal(got[1], hessian(x[1], 1))
    out = np.zeros((2, 5, 6, 12, 7), np.float32).transpose(0, 3, 1, 2, 4)[:, ::2]
    assert hessian(x, 1, out=out) is out
    np.testing.assert_array_equal(out, got)


@pytest.mark.parametrize(("dtype", "near"), [("float32", 1e-6), ("float64", 1e-14)])
def test_eigenvalues_are_lapacks(dtype, near):
    x = image((9, 20, 33), dtype)
    want = np.linalg.eigvalsh(matrices(hessian(x, 1.2)))
    got = np.moveaxis(hessian_eigenvalues(x, 1.2), 0, -1)
    np.testing.assert_allclose(got, want, atol=near * abs(want).max())


def test_eigenvalues_of_planes_and_lines():
    x = image((20, 31), "float64")
    yy, yx, xx = hessian(x, 1)
    want = np.linalg.eigvalsh(np.stack([yy, yx, yx, xx], -1).reshape(20, 31, 2, 2))
    np.testing.assert_allclose(np.moveaxis(hessian_eigenvalues(x, 1), 0, -1), want, atol=1e-10)
    np.testing.assert_array_equal(hessian_eigenvalues(x[0], 1), hessian(x[0], 1))


def test_eigenvalues_of_a_tube_and_a_ball_are_equal_where_they_should_be():
    z, y, x = np.mgrid[-12:13, -12:13, -12:13].astype(float)
    tube = np.exp(-(y * y + x * x) / 32)
    low, middle, high = hessian_eigenvalues(tube, 2, truncate=8)[:, 12, 12, 12]
    assert low < 0
    np.testing.assert_allclose(middle, low, rtol=1e-12)
    assert abs(high) < 1e-7
    ball = np.exp(-(z * z + y * y + x * x) / 32)
    low, middle, high = hessian_eigenvalues(ball, 2, truncate=8)[:, 12, 12, 12]
    np.testing.assert_allclose([middle, high], low, rtol=1e-12)
    flat = hessian_eigenvalues(np.full((5, 5, 5), 3.0), 2, truncate=8)
    np.testing.assert_allclose(flat, 0, atol=1e-12)


DIFFERENCES = np.array([0, 1, 0, 0.5, 0, -0.5, 1, -2, 1])


@pytest.mark.parametrize("backend", ["native", "numba"])
@pytest.mark.parametrize(("dtype", "near"), [("float32", 1e-6), ("float64", 1e-14)])
@pytest.mark.parametrize("equal", ["none", "two", "nearly two", "three", "zero"])
def test_equal_eigenvalues_are_as_exact_as_others(equal, dtype, near, backend):
    rng = np.random.default_rng(3)
    values = rng.standard_normal((500, 3)) * 10.0 ** rng.integers(-12, 12, (500, 1))
    if "two" in equal:
        values[:, 1] = values[:, 0] * (1 if equal == "two" else 1 + 1e-5)
    if equal in ("three", "zero"):
        values = np.full((500, 3), 0.0 if equal == "zero" else 0.7)
    turns = np.linalg.qr(rng.standard_normal((500, 3, 3)))[0]
    m = np.einsum("nij,nj,nkj->nik", turns, values, turns)
    # A quadratic form on every three columns, whose differences are its matrix.
    at = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1)
    forms = 0.5 * np.einsum("zyxi,nij,zyxj->zynx", at, m, at).reshape(3, 3, 1500)
    x = np.ascontiguousarray(forms, dtype)
    y = np.empty((9, 3, 1500), dtype)
    with use_backend(backend):
        _jet(x, y, *[DIFFERENCES] * 3, EIGENVALUES, 2, 2, 2, 0.0)
    scale = abs(values).max(1) + 1e-300
    np.testing.assert_allclose(y[1::3, 1, 1::3] / scale, np.linalg.eigvalsh(m).T / scale, atol=near)


def test_nan_reaches_as_far_as_the_kernel():
    x = image((25, 26, 27), "float32")
    x[12, 13, 14] = np.nan
    far = np.ones(x.shape, bool)
    far[8:17, 9:18, 10:19] = False
    assert np.isfinite(hessian_eigenvalues(x, 1)[:, far]).all()
    assert np.isnan(hessian_eigenvalues(x, 1)[:, 12, 13, 14]).all()


def test_numba_gives_the_same():
    x = image((6, 10, 11), "float64")
    want = hessian_eigenvalues(x, 1), gaussian_gradient_magnitude(x, 1)
    with use_backend("numba"):
        np.testing.assert_allclose(hessian_eigenvalues(x, 1), want[0], atol=1e-9)
        np.testing.assert_allclose(gaussian_gradient_magnitude(x, 1), want[1], atol=1e-9)


@pytest.mark.parametrize("op", [gaussian_laplace, hessian, hessian_eigenvalues])
@pytest.mark.parametrize(
    ("error", "args", "message"),
    [
        (ValueError, {"sigma": 0}, "sigma must be more than 0; got 0"),
        (ValueError, {"sigma": (1, 2)}, "sigma must be one value or one for each of 3 axes"),
        (ValueError, {"mode": "same"}, "mode must be one of reflect"),
        (ValueError, {"truncate": -1}, "truncate must be at least 0"),
        (ValueError, {"spacing": 0}, "spacing must be more than 0"),
        (ValueError, {"cval": 0.5}, "cval must be a whole number for uint8"),
        (ValueError, {"out": np.zeros(3, np.uint8)}, "out must have shape"),
    ],
)
def test_refusals_name_the_parameter(op, error, args, message):
    with pytest.raises(error) as refusal:
        op(image((4, 5, 6), "uint8"), **{"sigma": 1, **args})
    assert message in str(refusal.value)
