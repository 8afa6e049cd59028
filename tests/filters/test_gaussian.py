"""Gaussian filter: truths, properties, SciPy's answer, refusals."""

import numpy as np
import pytest
import scipy.ndimage as ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from voxkern import _args, gaussian_filter, use_backend

MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]
SHAPES = [(9,), (1,), (300,), (7, 10), (1, 50), (40, 1), (1, 1, 1), (3, 70, 33), (17, 1, 5)]
# Of the largest magnitude: how far float sums may be from SciPy's, which are in float64.
NEAR = {"float32": 1e-6, "float64": 1e-12}


def image(shape, dtype, seed=0):
    x = 60 * np.random.default_rng(seed).standard_normal(shape)
    return x.astype(np.int32).astype(dtype) if dtype not in NEAR else x.astype(dtype)


def hold(got, want, source):
    """Integers are equal; floats differ by their rounding, as a share of the image's range."""
    assert got.dtype == want.dtype
    if got.dtype.name in NEAR:
        span = np.ptp(source) if source.size > 1 else 1
        np.testing.assert_allclose(got, want, rtol=0, atol=NEAR[got.dtype.name] * span)
    else:
        np.testing.assert_array_equal(got, want)


def test_one_bright_voxel_becomes_the_kernel():
    x = np.zeros((9, 9, 9))
    x[4, 4, 4] = 1
    bell = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    bell /= bell.sum()
    want = bell[:, None, None] * bell[:, None] * bell
    np.testing.assert_allclose(gaussian_filter(x, 1), want, atol=1e-15)


@pytest.mark.parametrize("mode", MODES)
def test_a_constant_image_stays_constant(mode):
    x = np.full((5, 6, 70), 7, np.float32)
    np.testing.assert_allclose(gaussian_filter(x, 2, mode=mode, cval=7), 7, rtol=5e-7)


def test_the_first_derivative_of_a_ramp_is_its_slope():
    x = np.broadcast_to(3.0 * np.arange(60), (4, 60))
    y = gaussian_filter(x, 1.5, order=(0, 1))
    np.testing.assert_allclose(y[:, 8:-8], 3, rtol=1e-3)
    assert abs(gaussian_filter(x, 1.5, order=(1, 0))).max() < 1e-12


def test_spacing_turns_lengths_into_voxels():
    x = image((20, 30), "float64")
    y = gaussian_filter(x, 3.0, spacing=(1.5, 3))
    np.testing.assert_array_equal(y, gaussian_filter(x, (2, 1)))


def test_derivatives_are_per_unit_of_spacing():
    x = np.arange(80) ** 2 * 0.25
    y = gaussian_filter(x, 1.0, order=1, spacing=0.5)
    np.testing.assert_allclose(y, gaussian_filter(x, 2.0, order=1) / 0.5, rtol=1e-12)
    z = gaussian_filter(x, 1.0, order=2, spacing=0.5)
    np.testing.assert_allclose(z, gaussian_filter(x, 2.0, order=2) / 0.25, rtol=1e-12)


@pytest.mark.parametrize("dtype", _args.REAL)
def test_sigma_0_changes_nothing(dtype):
    x = image((4, 5, 40), dtype)
    np.testing.assert_array_equal(gaussian_filter(x, 0), x)
    np.testing.assert_array_equal(gaussian_filter(x, 0, axes=(2, 0)), x)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("order", [0, 1])
def test_nan_and_infinity_reach_as_far_as_the_kernel(bad, order):
    x = image((25, 26, 61), "float32")
    x[12, 13, 30] = bad
    y = gaussian_filter(x, 1, order)
    far = np.ones(x.shape, bool)
    far[8:17, 9:18, 26:35] = False
    assert np.isfinite(y[far]).all()
    assert not np.isfinite(y[12, 13, 30])
    x[12, 13, 30] = 0
    np.testing.assert_array_equal(y[far], gaussian_filter(x, 1, order)[far])


@pytest.mark.parametrize("dtype", _args.REAL)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_scipys_answer(mode, shape, dtype):
    x = image(shape, dtype)
    for sigma, order in ((0.6, 0), (2, 0), (3, 1), (1.4, 2), (1.2, 3)):
        args = {"mode": mode, "cval": 3}
        want = ndimage.gaussian_filter(x, sigma, order, **args)
        hold(gaussian_filter(x, sigma, order, **args), want, x)


@pytest.mark.parametrize("mode", MODES)
def test_a_kernel_longer_than_the_image(mode):
    x = image((3, 4, 5), "float64")
    want = ndimage.gaussian_filter(x, 9, mode=mode)
    hold(gaussian_filter(x, 9, mode=mode), want, x)


@pytest.mark.parametrize("shape", [(40, 50, 60), (3, 300, 1100), (2, 3, 70_000)], ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_tiles_and_strips_fit_together(mode, shape):
    x = image(shape, "float64")
    want = ndimage.gaussian_filter(x, (1, 2, 3), mode=mode)
    for workers in (1, 5):
        hold(gaussian_filter(x, (1, 2, 3), mode=mode, workers=workers), want, x)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_one_value_an_axis(dtype):
    x = image((12, 13, 14), dtype)
    args = {"order": (0, 1, 2), "mode": ("wrap", "nearest", "mirror"), "radius": (3, None, 5)}
    want = ndimage.gaussian_filter(x, (1, 0.5, 2), **args)
    hold(gaussian_filter(x, (1, 0.5, 2), **args), want, x)
    hold(gaussian_filter(x, [1, 0.5, 2], **args), want, x)
    hold(gaussian_filter(x, np.array([1, 0.5, 2]), **args), want, x)


@pytest.mark.parametrize("dtype", ["int16", "float64"])
@pytest.mark.parametrize("axes", [0, -1, (0, 2), (1, 0), (2, 0, 1), (0, 1, 2, 3), (3, 0)])
def test_any_axes_in_any_order(axes, dtype):
    x = image((4, 5, 6, 7), dtype)
    want = ndimage.gaussian_filter(x, 1.2, axes=axes)
    hold(gaussian_filter(x, 1.2, axes=axes), want, x)
    out = np.empty_like(x)
    assert gaussian_filter(x, 1.2, axes=axes, out=out) is out
    hold(out, want, x)


def test_axes_before_the_last_three_are_looped_over():
    x = image((2, 3, 4, 5, 6), "float32")
    hold(gaussian_filter(x, 1), ndimage.gaussian_filter(x, 1, axes=(2, 3, 4)), x)


def test_truncate_and_radius_end_the_kernel():
    x = image((30, 31), "float64")
    hold(gaussian_filter(x, 2, truncate=1.3), ndimage.gaussian_filter(x, 2, truncate=1.3), x)
    hold(gaussian_filter(x, 2, radius=0), x, x)
    hold(gaussian_filter(x, 2, radius=1), ndimage.gaussian_filter(x, 2, radius=1), x)


@pytest.mark.parametrize("dtype", _args.REAL)
def test_any_memory_layout(dtype):
    x = image((12, 14, 16), dtype)
    for view in (x[::2, ::-1, ::3], x.transpose(2, 0, 1), np.asfortranarray(x), x[:, :, 3:5]):
        want = ndimage.gaussian_filter(view, 1)
        hold(gaussian_filter(view, 1), want, x)
        out = np.zeros((*view.shape[:2], 2 * view.shape[2]), dtype)[..., ::2]
        gaussian_filter(view, 1, out=out)
        hold(out, want, x)
    swapped = x.astype(x.dtype.newbyteorder())
    hold(gaussian_filter(swapped, 1), gaussian_filter(x, 1), x)


@pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0, 4), (2, 3, 4, 0)], ids=str)
def test_an_empty_image_stays_empty(shape):
    assert gaussian_filter(np.zeros(shape, np.float32), 1).shape == shape
    assert gaussian_filter(np.zeros(shape, np.float32), 1, axes=0).shape == shape


@pytest.mark.parametrize("dtype", ["uint8", "float32"])  # each is compiled
def test_numba_gives_scipys_answer(dtype):
    x = image((6, 20, 21), dtype)
    want = ndimage.gaussian_filter(x, (1, 2, 0.7), (0, 1, 2), mode="mirror")
    with use_backend("numba"):
        hold(gaussian_filter(x, (1, 2, 0.7), (0, 1, 2), mode="mirror"), want, x)


floats = st.integers(0, 2**32 - 1).map(np.random.default_rng)
shapes = st.lists(st.integers(1, 24), min_size=1, max_size=4).map(tuple)
sigmas = st.floats(0, 5)
modes = st.sampled_from(MODES)


@settings(max_examples=60, deadline=None)
@given(floats, shapes, sigmas, modes)
def test_flips_and_transposes_commute_with_the_filter(rng, shape, sigma, mode):
    x = rng.standard_normal(shape)
    axes = range(max(0, x.ndim - 3), x.ndim)
    y = gaussian_filter(x, sigma, mode=mode)
    for axis in axes:
        flipped = np.flip(gaussian_filter(np.flip(x, axis), sigma, mode=mode), axis)
        np.testing.assert_allclose(flipped, y, atol=1e-12)
    if x.ndim < 4:
        np.testing.assert_allclose(gaussian_filter(x.T, sigma, mode=mode).T, y, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(floats, shapes, sigmas, modes)
def test_the_filter_is_linear_and_never_leaves_the_range(rng, shape, sigma, mode):
    a, b = rng.standard_normal((2, *shape))
    ya, yb = gaussian_filter(a, sigma, mode=mode), gaussian_filter(b, sigma, mode=mode)
    y = gaussian_filter(2 * a - 3 * b, sigma, mode=mode)
    np.testing.assert_allclose(y, 2 * ya - 3 * yb, atol=1e-11)
    assert min(0, a.min()) - 1e-12 <= ya.min()
    assert ya.max() <= max(0, a.max()) + 1e-12


@settings(max_examples=60, deadline=None)
@given(floats, st.lists(st.integers(1, 70), min_size=1, max_size=3).map(tuple), sigmas, modes)
def test_integers_are_scipys_to_the_last_one(rng, shape, sigma, mode):
    x = rng.integers(0, 256, shape, dtype=np.uint8)
    want = ndimage.gaussian_filter(x, sigma, mode=mode)
    np.testing.assert_array_equal(gaussian_filter(x, sigma, mode=mode), want)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_flat_parts_and_far_ends_of_a_type_are_cut_as_scipy_cuts_them(dtype):
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    x = np.random.default_rng(4).integers(low, high, (70, 301), dtype=dtype, endpoint=True)
    x[:, 40:90], x[20:50, 200:], x[60:, :20] = high, low + 37, high - 1
    for sigma in (0.5, 1.3, 2, 6):
        want = ndimage.gaussian_filter(x, sigma, mode="nearest")
        np.testing.assert_array_equal(gaussian_filter(x, sigma, mode="nearest"), want)


@pytest.mark.parametrize(
    ("error", "args", "message"),
    [
        (ValueError, {"sigma": -1}, "sigma must be at least 0; got -1"),
        (ValueError, {"sigma": np.nan}, "sigma must be finite"),
        (ValueError, {"sigma": (1, 2)}, "sigma must be one value or one for each of 3 axes"),
        (ValueError, {"sigma": 1e30}, "sigma and truncate must reach fewer than 2**16 voxels"),
        (TypeError, {"sigma": "wide"}, "sigma must be a number; got 'wide'"),
        (TypeError, {"sigma": [[1], 2, 3]}, "sigma must be a number"),
        (TypeError, {"order": 0.5}, "order must be an integer; got 0.5"),
        (ValueError, {"order": -1}, "order must be at least 0"),
        (
            ValueError,
            {"order": (1, 2, 3), "axes": 0},
            "order must be one value or one for each of 1",
        ),
        (ValueError, {"mode": "mirrored"}, "mode must be one of reflect, mirror"),
        (ValueError, {"mode": ["reflect", "wrap"]}, "mode must be one value or one for each of 3"),
        (ValueError, {"truncate": -1}, "truncate must be at least 0"),
        (ValueError, {"radius": -2}, "radius must be at least 0"),
        (TypeError, {"radius": 1.5}, "radius must be an integer"),
        (ValueError, {"axes": 3}, "axes must be in"),
        (ValueError, {"axes": (0, 0)}, "axes must be unique"),
        (ValueError, {"spacing": 0}, "spacing must be more than 0"),
        (ValueError, {"spacing": (1, 2)}, "spacing must be one value or one for each of 3 axes"),
        (ValueError, {"workers": 0}, "workers must be at least 1"),
        (ValueError, {"cval": 300}, "cval must be in"),
        (ValueError, {"cval": 0.5}, "cval must be a whole number for uint8; got 0.5"),
        (ValueError, {"cval": np.nan}, "cval must be in"),
        (TypeError, {"out": np.zeros((4, 5, 6))}, "out must be uint8; got float64"),
        (ValueError, {"out": np.zeros((4, 5), np.uint8)}, "out must have shape"),
    ],
)
def test_refusals_name_the_parameter(error, args, message):
    x = image((4, 5, 6), "uint8")
    before = x.copy()
    with pytest.raises(error) as refusal:
        gaussian_filter(x, **{"sigma": 1, **args})
    assert message in str(refusal.value)
    np.testing.assert_array_equal(x, before)


def test_an_image_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="image must be uint8, int16"):
        gaussian_filter(np.zeros(5, complex), 1)
    with pytest.raises(ValueError, match="image must have at least 1 axes"):
        gaussian_filter(np.float32(3), 1)


def test_an_output_that_overlaps_is_refused():
    x = image((4, 5, 6), "float32")
    before = x.copy()
    for axes in (None, (2, 0)):
        with pytest.raises(ValueError, match="out must not overlap an input"):
            gaussian_filter(x, 1, axes=axes, out=x)
        with pytest.raises(ValueError, match="out must not overlap an input"):
            gaussian_filter(x[:3], 1, axes=axes, out=x[1:])
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("uint8", 0, 256), ("uint16", 0, 65536), ("int16", -32768, 32768), ("int16", -3, 4)],
)
@pytest.mark.parametrize("sigma", [0.5, 1, 4.3])
def test_sums_near_whole_numbers_are_cut_where_scipy_cuts_them(dtype, low, high, sigma):
    x = np.random.default_rng(1).integers(low, high, (23, 41, 67)).astype(dtype)
    x[:, :20, 30:] = x[0, 0, 0]  # where all sums are whole, but for their rounding
    np.testing.assert_array_equal(gaussian_filter(x, sigma), ndimage.gaussian_filter(x, sigma))


def test_a_sigma_that_changes_is_read_again():
    x, sigma = np.eye(9), np.array(1.0)
    before = gaussian_filter(x, sigma)
    sigma[...] = 2
    np.testing.assert_array_equal(gaussian_filter(x, sigma), gaussian_filter(x, 2.0))
    assert (gaussian_filter(x, sigma) != before).any()
