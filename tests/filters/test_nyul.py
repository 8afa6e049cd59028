"""Nyúl's scale: images of one kind meet, streams, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from voxkern import NyulStandardizer


def brain(seed, gain=1.0, shift=0.0):
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.normal(40, 4, 3000), rng.normal(80, 6, 5000), rng.normal(110, 5, 4000)])
    return (gain * x + shift).reshape(10, 30, 40)


def test_the_scale_is_the_mean_of_the_images_own():
    wanted = (1, 25, 50, 75, 99)
    images = [brain(0), brain(1, 3, 7), brain(2) ** 2]
    masks = [np.random.default_rng(i).random(x.shape) < 0.7 for i, x in enumerate(images)]
    scale = NyulStandardizer(wanted, (0, 10)).fit(images, masks)
    each = []
    for x, mask in zip(images, masks, strict=True):
        own = np.percentile(x[mask], wanted)
        each.append(np.interp(own, own[[0, -1]], (0, 10)))
    np.testing.assert_allclose(scale.landmarks, np.mean(each, 0), rtol=1e-12)
    assert scale.images == 3


def test_an_image_is_mapped_on_lines_that_go_on_beyond_the_ends():
    scale = NyulStandardizer((10, 50, 90), (0, 10))
    scale.landmarks = [0, 2, 10]
    x = np.arange(0.0, 101.0)
    got = scale.transform(x, np.ones(101, bool))
    want = np.where(x < 50, (x - 10) / 40 * 2, 2 + (x - 50) / 40 * 8)
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_images_of_other_units_meet():
    x, y = brain(0), brain(0, 1.5, 30)
    scale = NyulStandardizer().fit([x, y])
    np.testing.assert_allclose(scale.transform(x), scale.transform(y), atol=1e-9)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32"])
def test_every_type_is_mapped_alike(dtype):
    x = brain(0).astype(dtype)
    scale = NyulStandardizer().fit([x])
    got = scale.transform(x)
    assert got.dtype == ("float64" if dtype == "int32" else "float32")
    np.testing.assert_allclose(got, scale.transform(x.astype(np.float64)), rtol=1e-6, atol=1e-5)


def test_a_stream_is_as_good_as_a_list():
    images = [brain(i, 1 + i, 5 * i) for i in range(4)]
    listed = NyulStandardizer().fit(images)
    streamed = NyulStandardizer().fit(x for x in images)
    one_by_one = NyulStandardizer()
    for x in images:
        one_by_one.partial_fit(x)
    np.testing.assert_array_equal(listed.landmarks, streamed.landmarks)
    np.testing.assert_array_equal(listed.landmarks, one_by_one.landmarks)


def test_without_a_mask_voxels_above_the_mean_count():
    x = np.concatenate([np.zeros((10, 30, 40)), brain(0)])
    a = NyulStandardizer().fit([x])
    b = NyulStandardizer().fit([x], [x > x.mean()])
    np.testing.assert_array_equal(a.landmarks, b.landmarks)
    np.testing.assert_array_equal(a.transform(x), b.transform(x, x > x.mean()))


def test_many_voxels_of_one_value_make_no_step():
    x = np.repeat([0.0, 1.0, 5.0], [500, 10, 490])
    everywhere = np.ones(x.size, bool)
    scale = NyulStandardizer().fit([brain(0)])
    got = scale.transform(x, everywhere)
    assert np.isfinite(got).all()
    assert (np.diff(got) >= 0).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: NyulStandardizer((50,)), "percentiles must be at least two rising"),
        (lambda: NyulStandardizer((50, 20)), "percentiles must be at least two rising"),
        (lambda: NyulStandardizer((-1, 20)), "percentiles must be at least two rising"),
        (lambda: NyulStandardizer(standard_range=(5, 5)), "standard_range must rise"),
        (lambda: NyulStandardizer().transform(brain(0)), "landmarks must be learned first"),
        (lambda: NyulStandardizer().fit([]), "images must have at least one image"),
        (lambda: NyulStandardizer().fit([np.ones(9)], [np.ones(9, bool)]), "more than one value"),
        (lambda: setattr(NyulStandardizer(), "landmarks", [1, 2]), "landmarks must be 11 rising"),
    ],
)
def test_bad_arguments_are_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
