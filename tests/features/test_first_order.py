"""Statistics of intensity: truths by eye, IBSI's consensus, NumPy's and SciPy's answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ibsi import IMAGE, MASK, STATISTICS, consensus, three_digits

from voxkern import discretize, first_order_features

TYPES = ["uint8", "int16", "uint16", "int32", "int64", "float32", "float64"]


def noise(dtype, shape=(5, 20, 31)):
    return (100 + 30 * np.random.default_rng(0).standard_normal(shape)).clip(1, 250).astype(dtype)


def test_one_two_three():
    found = first_order_features(np.array([1, 2, 3, 2]))
    assert (found["mean"], found["median"], found["energy"]) == (2, 2, 18)
    assert (found["variance"], found["range"], found["voxels"]) == (0.5, 2, 4)
    assert (found["entropy"], found["uniformity"]) == (1.5, 0.375)
    assert found["total_energy"] == 18
    assert first_order_features(np.array([1, 2, 3, 2]), spacing=0.5)["total_energy"] == 9


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32", "float64"])
def test_the_phantom_s_statistics_are_ibsi_s_consensus(dtype):
    found = first_order_features(IMAGE.astype(dtype), MASK, width=1)
    want = {name: value for name, (_, value) in STATISTICS.items()}
    assert {name: three_digits(found[name]) for name in want} == want


def test_the_consensus_is_that_of_the_reference_file():
    reference = consensus()
    for tag, value in STATISTICS.values():
        assert reference[tag][0] == value


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("masked", [False, True])
def test_numpy_and_scipy_agree(dtype, masked):
    stats = pytest.importorskip("scipy.stats", reason="pip install scipy to compare with it")
    x = noise(dtype)
    mask = np.random.default_rng(1).random(x.shape) < 0.4 if masked else None
    found = first_order_features(x, mask)
    v = (x if mask is None else x[mask]).ravel().astype(np.float64)
    kept = v[(v >= np.percentile(v, 10)) & (v <= np.percentile(v, 90))]
    want = {
        "voxels": v.size,
        "mean": v.mean(),
        "variance": v.var(),
        "skewness": stats.skew(v),
        "kurtosis": stats.kurtosis(v),
        "median": np.median(v),
        "minimum": v.min(),
        "percentile_10": np.percentile(v, 10),
        "percentile_90": np.percentile(v, 90),
        "maximum": v.max(),
        "interquartile_range": np.percentile(v, 75) - np.percentile(v, 25),
        "mean_absolute_deviation": np.abs(v - v.mean()).mean(),
        "robust_mean_absolute_deviation": np.abs(kept - kept.mean()).mean(),
        "median_absolute_deviation": np.abs(v - np.median(v)).mean(),
        "root_mean_square": np.sqrt((v**2).mean()),
    }
    for name, value in want.items():  # sums of some thousand terms, in another order
        assert found[name] == pytest.approx(value, rel=1e-11), name


@pytest.mark.parametrize("choice", [{"bins": 16}, {"width": 10}])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_entropy_is_that_of_the_levels(choice, dtype):
    x = noise(dtype)
    p = np.bincount(discretize(x, **choice).ravel())[1:] / x.size
    found = first_order_features(x, **choice)
    assert found["uniformity"] == pytest.approx((p**2).sum(), rel=1e-12)
    p = p[p > 0]
    assert found["entropy"] == pytest.approx(-(p * np.log2(p)).sum(), rel=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_single_voxel_has_no_spread(dtype):
    found = first_order_features(np.array([[7]], dtype))
    assert found["mean"] == found["median"] == found["root_mean_square"] == 7
    assert found["variance"] == found["skewness"] == found["kurtosis"] == found["entropy"] == 0
    zero = first_order_features(np.zeros(3, dtype))
    assert math.isnan(zero["coefficient_of_variation"])
    assert math.isnan(zero["quartile_coef_of_dispersion"])


def test_values_far_from_zero_keep_their_spread():
    x = 1e9 + np.array([1.0, 2.0, 3.0])
    assert first_order_features(x)["variance"] == pytest.approx(2 / 3, rel=1e-9)


def test_what_does_not_fit_is_refused_by_name():
    with pytest.raises(ValueError, match="mask must have a voxel; got none"):
        first_order_features(IMAGE, np.zeros(IMAGE.shape, bool))
    with pytest.raises(ValueError, match="image must be finite"):
        first_order_features(np.array([1.0, np.inf]))
    with pytest.raises(ValueError, match="one of bins and width must be given; got 3 and 4"):
        first_order_features(IMAGE, bins=3, width=4)
    with pytest.raises(ValueError, match="spacing must be more than 0"):
        first_order_features(IMAGE, spacing=0)
    with pytest.raises(TypeError, match=r"image must be .*; got complex64"):
        first_order_features(np.zeros(3, np.complex64))
