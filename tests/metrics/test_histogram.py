import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxkern import histogram, joint_histogram

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
DTYPES = ["bool", *INTEGERS, "float16", "float32", "float64"]


def image(dtype, shape=(7, 8, 9), seed=0):
    x = 30 * np.random.default_rng(seed).standard_normal(shape)
    return (np.abs(x) if np.dtype(dtype).kind == "u" else x).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bins", [1, 7, 256])
@pytest.mark.parametrize("range", [None, (-10, 20), (0.1, 0.7), (3, 3)])
def test_counts_and_edges_are_numpys(dtype, bins, range):
    x = image(dtype)
    counts, edges = histogram(x, bins, range)
    wanted = np.histogram(x.astype(float) if dtype in ("bool", "float16") else x, bins, range)
    np.testing.assert_array_equal(counts, wanted[0])
    np.testing.assert_allclose(edges, wanted[1], rtol=1e-6 if dtype == "float16" else 0)


@settings(max_examples=60, deadline=None)
@given(
    # NumPy itself cannot part a subnormal range into many bins.
    st.lists(st.floats(-100, 100, width=32, allow_subnormal=False), min_size=1, max_size=60),
    st.integers(1, 40),
    st.sampled_from(["float32", "float64"]),
)
def test_values_on_edges_go_where_numpy_puts_them(values, bins, dtype):
    x = np.array(values, dtype)
    edges = np.histogram_bin_edges(x, bins).astype(dtype)
    x = np.concatenate([x, edges, np.nextafter(edges, 1000), np.nextafter(edges, -1000)])
    np.testing.assert_array_equal(histogram(x, bins)[0], np.histogram(x, bins)[0])


def assert_edges_are_numpys(x, bins):
    """NumPy's edges, to the bit, and its refusal."""
    try:
        wanted = np.histogram_bin_edges(x, bins)
    except ValueError:
        with pytest.raises(ValueError, match="must span what"):
            histogram(x, bins)
        return
    edges = histogram(x, bins)[1]
    assert edges.dtype == wanted.dtype
    assert edges.tobytes() == wanted.tobytes()


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["uint8", "int16", "uint16", "int32", "float32", "float64"]),
    st.tuples(st.floats(-1, 1, width=32), st.floats(-1, 1, width=32)),
    st.sampled_from([1, 1e-36, 1e-20, 1e-3, 100, 2e4, 2e9, 1e18, 1e37]),
    st.sampled_from([0, 1e-6, 1, 77]),
    st.one_of(st.integers(1, 300), st.sampled_from([4095, 4096, 4097])),
)
def test_edges_are_numpys_to_the_bit(dtype, ends, scale, middle, bins):
    x = np.clip(scale * (middle + np.array(ends)), -1e38, 1e38)
    if np.dtype(dtype).kind in "iu":
        x = x.clip(np.iinfo(dtype).min, np.iinfo(dtype).max)
    assert_edges_are_numpys(x.astype(dtype), bins)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("steps", [0, 1, 2, 7, 8, 9, 16, 63, 64, 65, 300])
@pytest.mark.parametrize("bins", [1, 2, 7, 8, 9, 64])
@pytest.mark.parametrize("low", [1, -1, -3e-5, 1e30])
def test_edges_a_few_roundings_apart_are_numpys(dtype, steps, bins, low):
    low = np.dtype(dtype).type(low)
    high = low
    for _ in range(steps):
        high = np.nextafter(high, np.dtype(dtype).type(np.inf))
    assert_edges_are_numpys(np.array([low, high]), bins)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("edges", [[-np.inf, 0, np.inf], [0, 1, np.inf, np.inf], [-np.inf, 2]])
def test_edges_may_be_infinite(dtype, edges):
    x = np.array([-np.inf, -5, 0, 0.5, 1, 3, np.inf], dtype)
    np.testing.assert_array_equal(histogram(x, edges)[0], np.histogram(x, edges)[0])


@pytest.mark.parametrize("bins", [1, 2])
def test_the_narrowest_and_the_widest_of_ranges(bins):
    x = np.array([0, 0, 1, 1, 1, 2, 2, 4] * 3, np.float32) * np.float32(1.4e-45)
    np.testing.assert_array_equal(histogram(x, bins)[0], np.histogram(x, bins)[0])
    x = np.linspace(-1e38, 1e38, 1000).astype(np.float32)
    np.testing.assert_array_equal(histogram(x, bins)[0], np.histogram(x, bins)[0])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_bins_of_any_width(dtype):
    x, edges = image(dtype, (20, 30, 40)), [-40, -3.5, 0, 1, 1.5, 20, 21]
    np.testing.assert_array_equal(histogram(x, edges)[0], np.histogram(x, edges)[0])


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_large_images_are_counted_alike(dtype):
    x = image(dtype, (30, 61, 70))
    np.testing.assert_array_equal(histogram(x)[0], np.histogram(x, 256)[0])
    assert histogram(x[::2, :, ::3])[0].sum() == x[::2, :, ::3].size


@pytest.mark.parametrize("shape", [(64, 96, 101), (3, 500, 1000), (600_001,)])
@pytest.mark.parametrize("workers", [1, 2])
def test_bytes_are_counted_in_pairs_and_in_runs(shape, workers):
    x = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    x.reshape(-1)[x.size // 3 : x.size // 2] = 7
    x[..., 40:90] = 200
    wanted = np.bincount(x.ravel(), minlength=256)
    edges = np.arange(257)
    np.testing.assert_array_equal(histogram(x, edges, workers=workers)[0], wanted)
    some = x[..., 1:-2]
    wanted = np.bincount(some.ravel(), minlength=256)
    np.testing.assert_array_equal(histogram(some, edges, workers=workers)[0], wanted)


def test_only_voxels_under_the_mask_count():
    x = image("float32")
    mask = x > 5
    counts, edges = histogram(x, 9, mask=mask)
    wanted = np.histogram(x[mask], 9)
    np.testing.assert_array_equal(counts, wanted[0])
    np.testing.assert_array_equal(edges, wanted[1])


def test_nan_is_in_no_bin():
    x = np.array([0, np.nan, 1, np.inf], np.float32)
    assert histogram(x, 2, (0, 1))[0].tolist() == [1, 1]


def test_an_empty_image_has_empty_bins():
    counts, edges = histogram(np.zeros((0, 4), np.int16), 4)
    assert counts.tolist() == [0, 0, 0, 0]
    assert edges.tolist() == [0, 0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_pairs_are_counted_as_in_numpy(dtype):
    a, b = image(dtype), image(dtype, seed=1)
    counts, first, second = joint_histogram(a, b, (5, 8))
    wanted, *edges = np.histogram2d(a.ravel(), b.ravel(), bins=[first, second])
    np.testing.assert_array_equal(counts, wanted)
    np.testing.assert_array_equal(first, edges[0])
    np.testing.assert_array_equal(second, edges[1])


def test_the_margins_of_a_joint_histogram_are_histograms():
    a, b = image("int16", (20, 30, 40)), image("int16", (20, 30, 40), seed=1)
    counts, _, _ = joint_histogram(a, b, 16)
    np.testing.assert_array_equal(counts.sum(1), histogram(a, 16)[0])
    np.testing.assert_array_equal(counts.sum(0), histogram(b, 16)[0])


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"bins": 0}, "bins must be at least 1; got 0"),
        ({"bins": [1]}, "bins must be a number or at least two rising edges"),
        ({"bins": [1, 0]}, "bins must be a number or at least two rising edges"),
        ({"range": (2, 1)}, "range must rise"),
        ({"range": 3}, "range must be two numbers; got 3"),
        ({"range": (0, np.inf)}, "range must be finite"),
        ({}, "image must be finite where range is None"),
    ],
)
def test_misfits_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        histogram(np.array([1, np.nan]), **kwargs)
