"""Brightness of slices: truths and refusals."""

import numpy as np
import pytest

from voxkern import correct_slice_intensity


def stack(planes=24, seed=0):
    """A ball with a texture, brighter towards the end, and noise outside."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (planes, 40, 42)), indexing="ij")
    ball = (100 + 30 * np.sin(9 * y) * np.cos(7 * x)) * (1 + 0.2 * z)
    ball = np.where(z * z / 3 + y * y + x * x < 0.7, ball, 0)
    return ball + np.abs(rng.normal(0, 1, ball.shape))


def test_interleaved_slices_come_together_and_the_object_stays():
    clean = stack()
    gains = np.where(np.arange(24) % 2, 1.15, 0.9)
    y, found = correct_slice_intensity(clean * gains[:, None, None], return_gains=True)
    relative = found / gains
    assert np.ptp(relative) < 0.015 * relative.mean()
    np.testing.assert_allclose(y / y.mean(), clean / clean.mean(), rtol=0.02)
    _, none = correct_slice_intensity(clean, return_gains=True)
    np.testing.assert_allclose(none, 1, atol=0.01)


def test_random_gains_shrink_and_a_lesion_does_not_count():
    clean = stack(40)
    gains = np.exp(np.random.default_rng(3).normal(0, 0.1, 40))
    dirty = clean * gains[:, None, None]
    dirty[20:23, 15:22, 15:22] *= 3
    _, found = correct_slice_intensity(dirty, return_gains=True, smoothness=12)
    rest = np.log(found / gains)
    trend = np.polyval(np.polyfit(np.arange(40), rest, 5), np.arange(40))
    assert np.std(rest - trend) < 0.35 * 0.1


def test_any_axis_type_and_output():
    x = np.clip(stack() * np.where(np.arange(24) % 2, 1.15, 0.9)[:, None, None], 0, 255)
    x = x.astype(np.uint8)
    y = correct_slice_intensity(x)
    assert y.dtype == np.float32
    turned = np.moveaxis(x, 0, 2)
    np.testing.assert_array_equal(correct_slice_intensity(turned, 2), np.moveaxis(y, 0, 2))
    out = np.empty(x.shape, np.float32)
    assert correct_slice_intensity(x, out=out) is out
    np.testing.assert_array_equal(out, y)
    for planes in (0, 1, 2):
        assert correct_slice_intensity(x[:planes]).shape == (planes, 40, 42)


def test_a_mask_says_where_slices_are_compared():
    x = np.full((8, 4, 6), 50.0)
    x[::2, :, :3] *= 2  # of the left half alone
    mask = np.zeros(x.shape, bool)
    mask[:, :, 3:] = True
    np.testing.assert_allclose(correct_slice_intensity(x, mask=mask), x)
    _, gains = correct_slice_intensity(x, mask=~mask, return_gains=True)
    np.testing.assert_allclose(gains[::2] / gains[1::2], 2)
    np.testing.assert_allclose(np.log(gains).mean(), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("image", "arguments", "text"),
    [
        (np.zeros((4, 4)), {}, "image must have 3 axes; got 2"),
        (np.zeros((4, 4, 4)), {"axis": 3}, "axis must be in"),
        (np.zeros((4, 4, 4)), {"mask": np.ones((4, 4), bool)}, "mask must have the image's shape"),
        (np.zeros((4, 4, 4)), {"smoothness": 0}, "smoothness must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(image, arguments, text):
    with pytest.raises(ValueError, match=text):
        correct_slice_intensity(image, **arguments)
