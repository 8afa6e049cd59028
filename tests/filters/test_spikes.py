"""Spikes of images and of their spectra: truths, the definition, refusals."""

import numpy as np
import pytest

from voxkern import median_filter, remove_spikes, use_backend


def scene(shape=(9, 12, 15), dtype="float64", seed=0):
    """A slope with noise, and where 20 of its voxels were changed."""
    rng = np.random.default_rng(seed)
    clean = 100 + 3 * np.indices(shape).sum(0) + rng.normal(0, 2, shape)
    spikes = np.zeros(shape, bool)
    spikes.flat[rng.choice(clean.size, 20, replace=False)] = True
    return clean.astype(dtype), np.where(spikes, clean + 90, clean).astype(dtype), spikes


def hampel(x, size, threshold, least=0.0):
    """The definition, voxel by voxel."""
    wide = np.pad(x, size // 2, mode="symmetric")
    y = x.copy()
    for at in np.ndindex(x.shape):
        box = wide[tuple(slice(i, i + size) for i in at)]
        middle = np.median(box)
        limit = threshold * 1.4826022185056018 * np.median(np.abs(box - middle))
        if abs(x[at] - middle) > max(limit, least):
            y[at] = middle
    return y


@pytest.mark.parametrize("least", [0, 30])
@pytest.mark.parametrize(("shape", "size"), [((6, 7, 8), 3), ((14, 15), 5), ((60,), 7)])
def test_the_definition(shape, size, least):
    rng = np.random.default_rng(1)
    x = rng.standard_t(2, shape) * 10  # many far outside
    got = remove_spikes(x, size, 3, least=least)
    np.testing.assert_array_equal(got, hampel(x, size, 3, least))
    assert (got != x).any()


def test_spikes_go_and_nothing_else_does():
    clean, dirty, spikes = scene()
    y = remove_spikes(dirty, threshold=5)
    assert np.abs(y - clean)[spikes].max() < 10
    assert (y != dirty)[~spikes].mean() < 0.01
    np.testing.assert_array_equal(y[spikes], median_filter(dirty, 3)[spikes])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
def test_types_stay(dtype):
    _, dirty, _ = scene(dtype=dtype)
    y = remove_spikes(dirty, threshold=5)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, remove_spikes(dirty.astype(float), threshold=5))


def test_nan_stays_and_what_is_around_it_is_judged():
    x = np.ones((7, 7))
    x[3, 3], x[3, 4] = np.nan, 50
    y = remove_spikes(x)
    assert np.isnan(y[3, 3])
    np.testing.assert_array_equal(np.delete(y.ravel(), 24), 1)


def test_series_views_outputs_and_threads():
    x = np.stack([scene(seed=s)[1] for s in range(2)]).astype(np.float32)
    y = remove_spikes(x, (3, 1, 5), 4)
    np.testing.assert_array_equal(y[1], remove_spikes(x[1], (3, 1, 5), 4, workers=1))
    out = np.empty(x.shape, np.float32)
    assert remove_spikes(x, (3, 1, 5), 4, out=out, workers=3) is out
    np.testing.assert_array_equal(out, y)
    view = x[0].transpose(2, 0, 1)
    np.testing.assert_array_equal(remove_spikes(view), remove_spikes(view.copy()))
    assert remove_spikes(x[:0]).shape == (0, 9, 12, 15)


def test_numba_gives_the_same_bits():
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    x = scene(dtype="float32")[1]
    with use_backend("numba"):
        got = remove_spikes(x, threshold=3)
    np.testing.assert_array_equal(got, remove_spikes(x, threshold=3))


@pytest.mark.parametrize("shape", [(64, 60), (20, 32, 36)], ids=str)
def test_a_herringbone_goes_and_a_clean_image_stays(shape):
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    clean = 100.0 * (sum(g * g for g in grid) < 0.5)
    clean += np.random.default_rng(0).normal(0, 2, shape)
    spectrum = np.fft.fftn(clean)
    at = tuple(n // 3 for n in shape)
    spectrum[at] += 30 * clean.size
    spectrum[tuple(-i for i in at)] += 30 * clean.size
    dirty = np.fft.ifftn(spectrum).real
    before = np.abs(dirty - clean).max()
    assert before > 50
    assert np.abs(remove_spikes(dirty, 5, kspace=True) - clean).max() < 0.02 * before
    assert np.abs(remove_spikes(clean, 5, kspace=True) - clean).max() < 0.05
    single = remove_spikes(dirty.astype(np.float32), 5, kspace=True)
    assert single.dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"size": 4}, "size must be odd; got 4"),
        ({"threshold": 0}, "threshold must be more than 0"),
        ({"least": -1}, "least must be at least 0"),
        ({"mode": "constant"}, "mode must be reflect, mirror, nearest or wrap; got 'constant'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        remove_spikes(np.zeros((4, 4, 4)), **arguments)
