"""Canny's edges: truths, scikit-image's answer, refusals."""

import numpy as np
import pytest

from voxkern import canny, gaussian_filter, label

MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]


def picture(shape=(70, 91), seed=0):
    """Smooth blobs, sharp boxes and noise, from 0 to 1."""
    rng = np.random.default_rng(seed)
    x = gaussian_filter(rng.random(shape), 4)
    x = (x - x.min()) / (x.max() - x.min())
    x[10:30, 20:50] += 0.5
    x[35:60, 40:44] = 0
    x += rng.normal(0, 0.03, shape)
    return np.clip((x - x.min()) / (x.max() - x.min()), 0, 1)


def of_type(x, dtype):
    kind = np.dtype(dtype)
    return x.astype(dtype) if kind.kind == "f" else (x * np.iinfo(dtype).max).astype(dtype)


def ball(shape, centre, radius, spacing=(1, 1, 1)):
    grid = np.indices(shape, float)
    r2 = sum(((g - c) * s) ** 2 for g, c, s in zip(grid, centre, spacing, strict=True))
    return np.sqrt(r2), np.clip(radius - np.sqrt(r2) + 0.5, 0, 1).astype(np.float32)


def test_a_step_has_one_line_where_it_is_steepest():
    x = np.zeros((9, 12), np.float32)
    x[:, 5], x[:, 6:] = 0.5, 1
    want = np.zeros(x.shape, bool)
    want[1:-1, 5] = True
    np.testing.assert_array_equal(canny(x), want)
    np.testing.assert_array_equal(canny(x.T), want.T)


def test_a_constant_image_has_no_edges():
    for mode in MODES:
        assert not canny(np.full((8, 9), 7.3), mode=mode, low_threshold=0).any()
        assert not canny(np.full((6, 8, 9), 7.3, np.float32), mode=mode).any()


def test_weak_edges_stay_where_they_touch_a_strong_one():
    x = np.zeros((30, 30), np.float32)
    x[:, 10:] += np.linspace(0.2, 1, 30, dtype=np.float32)[:, None]  # weaker upwards
    x[4:9, 22:26] += 0.2  # as weak, and alone
    edges = canny(x, 1, 0.3, 1.5)
    assert edges[2:28, 8:12].any(1).all()
    assert not edges[:, 16:].any()
    assert canny(x, 1, 0.3, 0.3)[:, 16:].any()


def test_a_ball_has_a_closed_thin_surface():
    r, x = ball((36, 38, 40), (17.3, 18.8, 19.6), 11)
    edges = canny(x)
    assert (abs(r[edges] - 11) < 1).all()
    # Closed: what lies inside is not joined to what lies outside by faces.
    assert label(~edges, 1, return_num=True)[1] == 2
    # Thin: about one voxel a unit of area, never a ball of voxels.
    assert 0.8 < edges.sum() / (4 * np.pi * 11**2) < 1.6


def test_long_voxels_give_the_same_ball_in_space():
    spacing = (2.0, 1.0, 0.8)
    r, x = ball((20, 38, 48), (9.3, 18.8, 23.6), 11, spacing)
    edges = canny(x, 1.2, spacing=spacing)
    assert (abs(r[edges] - 11) < 1.5).all()
    assert label(~edges, 1, return_num=True)[1] == 2
    np.testing.assert_array_equal(
        canny(x, 1.2, spacing=1.0), canny(x, 2.4, 0.05, 0.1, spacing=(2, 2, 2))
    )


def test_a_volume_of_equal_planes_has_the_edges_of_the_plane():
    x = picture()
    volume = canny(np.repeat(x[None], 5, 0), (0, 2, 2), mode="nearest")
    plane = canny(x, 2, mode="nearest")
    assert plane.any()
    for k in (1, 2, 3):
        np.testing.assert_array_equal(volume[k], plane)
    assert not volume[[0, -1]].any()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("mode", MODES)
def test_planes_as_in_scikit_image(mode, dtype):
    feature = pytest.importorskip("skimage.feature")
    for seed in range(3):
        x = of_type(picture(seed=seed), dtype)
        for sigma in (0, 0.7, 1.0, 2.6):
            got, want = canny(x, sigma, mode=mode), feature.canny(x, sigma, mode=mode)
            assert want.any()
            np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(
        canny(x, mode=mode, cval=0.3), feature.canny(x, mode=mode, cval=0.3)
    )


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_thresholds_quantiles_and_masks_as_in_scikit_image(dtype):
    feature = pytest.importorskip("skimage.feature")
    x = of_type(picture(seed=5), dtype)
    unit = 1 if x.dtype.kind == "f" else np.iinfo(dtype).max
    mask = np.hypot(*(np.indices(x.shape) - 35)) < 33
    for among in (None, mask, mask & (np.random.default_rng(0).random(x.shape) < 0.98)):
        for low, high in ((0, 0.2), (0.05, 0.6), (0.3, 0.3), (-1, 0.1)):
            low, high = low * unit, high * unit
            np.testing.assert_array_equal(
                canny(x, 1.5, low, high, mask=among), feature.canny(x, 1.5, low, high, mask=among)
            )
        for low, high in ((None, None), (0.7, 0.9), (0.0, 1.0)):
            np.testing.assert_array_equal(
                canny(x, 1.5, low, high, mask=among, use_quantiles=True),
                feature.canny(x, 1.5, low, high, mask=among, use_quantiles=True),
            )


def test_equal_slopes_side_by_side_as_in_scikit_image():
    feature = pytest.importorskip("skimage.feature")
    x = np.zeros((40, 50))
    x[8:30, 10:35] = 1
    x += np.hypot(*(np.indices(x.shape) - 20)) < 7
    for image in (x, x.astype(np.float32), (100 * x).astype(np.uint8), np.tri(40)):
        for sigma in (0, 1, 2):
            want = feature.canny(image, sigma)
            np.testing.assert_array_equal(canny(image, sigma), want)


def test_nothing_outside_the_mask_counts():
    x = picture((20, 40, 44), 3)
    mask = np.ones(x.shape, bool)
    mask[:, :, 30:] = False
    other = x.copy()
    other[~mask] = np.nan
    edges = canny(x, mask=mask)
    assert edges.any()
    assert not edges[:, :, 29:].any()
    np.testing.assert_array_equal(canny(other, mask=mask), edges)


def test_nan_makes_no_edges_as_far_as_it_reaches():
    x = picture()
    hurt = x.copy()
    hurt[33, 60] = np.nan
    a, b = canny(x, 1, 0.5, 0.5), canny(hurt, 1, 0.5, 0.5)
    np.testing.assert_array_equal(a[:, :54], b[:, :54])
    assert not b[28:39, 55:66].any()


def test_leading_axes_memory_of_any_order_and_threads():
    x = np.stack([picture((20, 60, 91), seed) for seed in range(2)])[:, ::2, ::-1, ::3]
    mask = np.random.default_rng(0).random(x.shape) < 0.999
    out = np.empty(x.shape[::-1], bool).T
    assert canny(x, mask=mask, out=out, workers=1) is out
    assert out.any()
    for n in range(2):
        np.testing.assert_array_equal(
            out[n], canny(np.ascontiguousarray(x[n]), mask=np.ascontiguousarray(mask[n]))
        )
    assert canny(np.empty((0, 3))).shape == (0, 3)


def test_refusals_name_the_parameter():
    x = np.ones((5, 6), np.float32)
    with pytest.raises(ValueError, match="image must have at least 2 axes; got 1"):
        canny(x[0])
    with pytest.raises(TypeError, match=r"image must be uint8.*got int64"):
        canny(x.astype(np.int64))
    with pytest.raises(ValueError, match="low_threshold must be at most high_threshold"):
        canny(x, 1, 0.3, 0.2)
    with pytest.raises(ValueError, match="low_threshold must be at most high_threshold"):
        canny(x.astype(np.uint8), 1, 100)
    with pytest.raises(ValueError, match="high_threshold must be a quantile"):
        canny(x, 1, 0.3, 2, use_quantiles=True)
    with pytest.raises(ValueError, match="mask must have the image's shape"):
        canny(x, mask=np.ones((5, 5), bool))
    with pytest.raises(TypeError, match="mask must be bool, uint8"):
        canny(x, mask=x)
    with pytest.raises(ValueError, match="sigma must be at least 0"):
        canny(x, -1)
