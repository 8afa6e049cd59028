"""Ridge measures: analytic tubes, the papers' formulas in float64, ITK's answer, refusals."""

import numpy as np
import pytest

from voxkern import frangi, gaussian_filter, hessian, meijering, objectness, sato, use_backend
from voxkern.filters._ridge import OBJECT, _ridge

MEASURES = [frangi, objectness, sato, meijering]


def noise(shape, dtype="float64"):
    return (50 * np.random.default_rng(2).standard_normal(shape)).astype(dtype)


def tube(width, spacing=(1, 1, 1), shape=(33, 65, 65)):
    z, y, x = (u * (np.arange(n) - n // 2) for n, u in zip(shape, spacing, strict=True))
    return np.broadcast_to(
        np.exp(-(y[:, None] ** 2 + x**2) / (2 * width**2)), (z.size, y.size, x.size)
    )


def eigenvalues(image, sigma, sign):
    """Those of the normalised Hessian, ordered by magnitude; positive across a ridge."""
    n = image.ndim
    parts = hessian(image, sigma)
    # Second derivatives are to see nothing in a constant image.
    offset = hessian(np.ones(50), sigma)[0, 25] * gaussian_filter(image, sigma)
    for i in {2: (0, 2), 3: (0, 3, 5)}[n]:
        parts[i] -= offset
    parts *= sigma**2
    m = np.empty((*image.shape, n, n))
    for part, (i, j) in zip(parts, zip(*np.triu_indices(n), strict=True), strict=True):
        m[..., i, j] = m[..., j, i] = part
    values = -sign * np.linalg.eigvalsh(m)
    return np.moveaxis(np.take_along_axis(values, abs(values).argsort(-1), -1), -1, 0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("shape", "sigma"), [((12, 14, 16), 1.3), ((30, 31), 1.5)])
def test_the_formulas_of_the_papers(shape, sigma, sign):
    x = noise(shape)
    values = eigenvalues(x, sigma, sign)
    a, b, c = values if len(shape) == 3 else (values[0], None, values[1])
    s2 = (values**2).sum(0)
    g2 = 2 * (0.5 * np.sqrt(s2.max())) ** 2
    strong = 1 - np.exp(-s2 / g2)
    dark = {"black_ridges": sign < 0}
    if b is not None:
        plate, blob = b / c, abs(a) / np.sqrt(abs(b * c))
        want = (1 - np.exp(-(plate**2) / 0.5)) * np.exp(-(blob**2) / 0.5) * strong
        want[(b <= 0) | (c <= 0)] = 0
    else:
        want = np.exp(-((a / c) ** 2) / 0.5) * strong
        want[c <= 0] = 0
    np.testing.assert_allclose(frangi(x, sigma, **dark), want, atol=1e-12)

    by_value = np.sort(values, 0)[::-1]  # the most across first
    across, along = by_value[-2 if b is not None else 0], by_value[-1]
    with np.errstate(divide="ignore"):
        fall = np.exp(-0.5 * (along / (np.where(along >= 0, 0.5, 2) * across)) ** 2)
    want = np.where(across > 0, across * fall, 0)
    np.testing.assert_allclose(sato(x, sigma, **dark), want, atol=1e-10)

    share = -1 / (len(shape) + 1)
    mixed = values + share * (values.sum(0) - values)
    want = np.take_along_axis(mixed, abs(mixed).argmax(0)[None], 0)[0].clip(0)
    np.testing.assert_allclose(meijering(x, sigma, **dark), want / want.max(), atol=1e-12)


@pytest.mark.parametrize("width", [2.0, 3.0])
def test_a_tube_is_found_at_its_own_scale(width):
    x = tube(width)
    scales = np.array([1.0, 2.0, 3.0, 4.0])
    got = np.array([sato(x, s, truncate=6)[16, 32, 32] for s in scales])
    want = (scales * width) ** 2 / (scales**2 + width**2) ** 2
    np.testing.assert_allclose(got, want, rtol=1e-3)
    assert scales[got.argmax()] == width
    np.testing.assert_array_equal(sato(x, scales, truncate=6)[16, 32, 32], got.max())
    assert frangi(x, scales, gamma=0.1)[16, 32, 32] > 0.5


def test_scikit_image_prefers_the_finest_scale():
    filters = pytest.importorskip("skimage.filters")
    x, at = tube(3.0, shape=(17, 49, 49)), (8, 24, 24)
    scales = [1.5, 3.0]
    theirs = [filters.frangi(x, [s], gamma=0.1, black_ridges=False)[at] for s in scales]
    ours = [frangi(x, s, gamma=0.1)[at] for s in scales]
    assert theirs[0] > theirs[1]
    assert ours[0] < ours[1]


@pytest.mark.parametrize("op", MEASURES)
def test_spacing_makes_anisotropic_voxels_no_matter(op):
    wide = tube(4.0, (2, 1, 1), (17, 65, 65))
    fine = tube(4.0, (1, 1, 1), (33, 65, 65))
    got = op(wide, [2.0, 4.0], spacing=(2, 1, 1))
    np.testing.assert_allclose(got, op(fine, [2.0, 4.0])[::2], atol=1e-6)
    halved = op(fine, [1.0, 2.0], spacing=0.5)
    np.testing.assert_allclose(halved, op(fine, [2.0, 4.0]), atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "dimension"), [((11, 12, 13), d) for d in range(3)] + [((20, 21), d) for d in (0, 1)]
)
@pytest.mark.parametrize("bright", [True, False])
def test_itks_objectness(shape, dimension, bright):
    sitk = pytest.importorskip("SimpleITK")
    x = noise(shape)
    want = sitk.GetArrayFromImage(
        sitk.ObjectnessMeasure(
            sitk.GetImageFromArray(x), alpha=0.4, beta=0.6, gamma=20.0, brightObject=bright,
            objectDimension=dimension, scaleObjectnessMeasure=True,
        )
    )  # fmt: skip
    # ITK's filter does not smooth: its derivatives are differences.
    differences = np.array([0, 1, 0, 0.5, 0, -0.5, 1, -2, 1])
    lines = [np.empty(0)] * (3 - len(shape)) + [differences] * len(shape)
    y = np.empty((1,) * (3 - len(shape)) + shape)
    _ridge(x.reshape(y.shape), y, np.empty((0, 0, 0)), *lines, OBJECT, 1.0 if bright else -1.0,
           dimension, 1, 0.4, 0.6, 20.0, 0, 2, 2, 2, 0.0)  # fmt: skip
    inner = (slice(1, -1),) * len(shape)
    assert want[inner].max() > 10
    np.testing.assert_allclose(y.reshape(shape)[inner], want[inner], atol=1e-4)


def test_balls_lines_and_plates_are_told_apart():
    z, y, x = np.mgrid[-12:13, -12:13, -12:13].astype(float)
    shapes = [np.exp(-r / 18) for r in (z * z + y * y + x * x, y * y + x * x, x * x)]
    found = [[objectness(s, 3, object_dimension=d)[12, 12, 12] for d in range(3)] for s in shapes]
    assert [int(np.argmax(f)) for f in found] == [0, 1, 2]


@pytest.mark.parametrize("op", MEASURES)
def test_a_constant_image_has_no_ridges(op):
    for value in (3, 7, 100):
        for dtype, least in (("uint8", 1e-7), ("float32", 1e-7), ("float64", 1e-15)):
            x = np.full((6, 7, 8), value, dtype)
            for sigmas in (1, [1, 2], [0.5, 7]):
                np.testing.assert_allclose(op(x, sigmas), 0, atol=value * least)
    x[3, 4] += 1  # what is no rounding
    assert op(x.astype("float32"), 1).max() > 1e-4
    assert not op(np.zeros((6, 7, 8), np.uint8), 1).any()
    assert op(np.zeros((0, 4, 5)), 1).shape == (0, 4, 5)


@pytest.mark.parametrize("op", MEASURES)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_scales_are_joined_and_leading_axes_looped_over(op, dtype):
    x = noise((2, 9, 10, 12), dtype)
    got = op(x, (1, 2))
    assert got.dtype == (np.float64 if dtype == "float64" else np.float32)
    np.testing.assert_array_equal(got[1], op(x[1], (1, 2)))
    if op is not meijering:
        np.testing.assert_array_equal(got, np.maximum(op(x, 1), op(x, 2)))
    out = np.empty((2, 9, 10, 24), got.dtype)[..., ::2]
    assert op(x, (1, 2), out=out) is out
    np.testing.assert_array_equal(out, got)


@pytest.mark.parametrize("op", MEASURES)
def test_nan_reaches_as_far_as_the_kernel(op):
    x = noise((25, 26, 27), "float32")
    x[12, 13, 14] = np.nan
    got = op(x, (0.5, 1))
    assert np.isnan(got[12, 13, 14])
    assert np.isfinite(got[:, :8]).all()
    assert got[:, :8].any()


@pytest.mark.parametrize("op", MEASURES)
def test_numba_gives_the_same(op):
    x = noise((6, 10, 11))
    want = op(x, (1, 1.5))
    with use_backend("numba"):
        np.testing.assert_allclose(op(x, (1, 1.5)), want, atol=1e-9)


def test_float32_is_near_float64():
    x = noise((20, 21, 22))
    for op in (frangi, sato):
        want = op(x, (1.5, 3), mode="nearest")
        got = op(x.astype(np.float32), (1.5, 3), mode="nearest")
        np.testing.assert_allclose(got, want, atol=1e-5 * want.max())


@pytest.mark.parametrize(
    ("op", "args", "message"),
    [
        (frangi, {"sigmas": 0}, "sigmas must be more than 0; got 0"),
        (frangi, {"sigmas": []}, "sigmas must be a number, or hold one at least"),
        (frangi, {"alpha": 0}, "alpha must be more than 0; got 0"),
        (frangi, {"gamma": -1}, "gamma must be more than 0; got -1"),
        (sato, {"alpha2": 0}, "alpha2 must be more than 0; got 0"),
        (objectness, {"object_dimension": 3}, "object_dimension must be less than 3; got 3"),
        (meijering, {"spacing": 0}, "spacing must be more than 0"),
        (meijering, {"mode": "same"}, "mode must be one of reflect"),
        (sato, {"out": np.zeros(3, np.float32)}, "out must have shape"),
    ],
)
def test_refusals_name_the_parameter(op, args, message):
    with pytest.raises(ValueError, match=message):
        op(noise((4, 5, 6), "float32"), **{"sigmas": 1, **args})


def test_lines_have_no_ridges():
    with pytest.raises(ValueError, match="image must have at least 2 axes; got 1"):
        frangi(np.zeros(9), 1)
