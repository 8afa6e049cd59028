"""Laws' filters: truths, the same by SciPy, refusals. IBSI's maps are in test_ibsi2."""

import itertools

import numpy as np
import pytest

from voxkern import laws, use_backend

KERNELS = {
    "L5": [1, 4, 6, 4, 1],
    "E5": [-1, -2, 0, 2, 1],
    "S3": [-1, 2, -1],
    "R5": [1, -4, 6, -4, 1],
}


def image(shape=(7, 8, 9), dtype="float64", seed=0):
    return (100 * np.random.default_rng(seed).random(shape)).astype(dtype)


def by_turning_the_image(x, kernels, pooling, **edge):
    """The image turned, filtered and turned back, for each of the right angles."""
    ndimage = pytest.importorskip("scipy.ndimage")
    found = []
    for order in itertools.permutations(range(x.ndim)):
        for flips in itertools.product((1, -1), repeat=x.ndim):
            matrix = np.eye(x.ndim)[list(order)] * np.array(flips)[:, None]
            if np.linalg.det(matrix) < 0:
                continue
            back = [a for a, f in enumerate(flips) if f < 0]
            y = np.flip(x.transpose(order), back).astype(float)
            for axis, name in enumerate(kernels):
                w = np.array(KERNELS[name], float)
                y = ndimage.convolve1d(y, w / np.linalg.norm(w), axis, **edge)
            found.append(np.flip(y, back).transpose(np.argsort(order)))
    assert len(found) == {2: 4, 3: 24}[x.ndim]
    return getattr(np, pooling)(found, axis=0)


def test_levels_keep_a_constant_and_edges_find_a_step():
    flat = np.full((6, 7), 5, np.uint8)
    np.testing.assert_allclose(laws(flat, "L5L5"), 5 * 256 / 70, rtol=1e-6)
    np.testing.assert_allclose(laws(flat, ["E5", "L5"]), 0, atol=1e-5)
    step = np.repeat([0.0, 1.0], 5)
    assert np.argmax(np.abs(laws(step, "E3"))) in (4, 5)


@pytest.mark.parametrize("pooling", ["max", "min", "mean"])
@pytest.mark.parametrize(("shape", "names"), [((7, 8, 9), ("E5", "L5", "S3")), ((9, 8), "L5 R5")])
def test_pooling_is_over_all_turns_of_the_image(shape, names, pooling):
    names = names.split() if isinstance(names, str) else names
    x = image(shape)
    got = laws(x, names, rotation_invariant=True, pooling=pooling, mode="mirror")
    want = by_turning_the_image(x, names, pooling, mode="mirror")
    np.testing.assert_allclose(got, want, atol=1e-11)


def test_turning_the_image_turns_the_pooled_answer():
    x = image()
    y = laws(x, "E5L5S5", rotation_invariant=True)
    np.testing.assert_allclose(
        laws(np.rot90(x, 1, (0, 2)).copy(), "E5L5S5", rotation_invariant=True),
        np.rot90(y, 1, (0, 2)), atol=1e-11,
    )  # fmt: skip


def test_the_energy_is_the_mean_magnitude_around():
    x = image((9, 9, 9))
    response = np.abs(laws(x, "E5L5S5"))
    assert laws(x, "E5L5S5", energy=2)[4, 4, 4] == pytest.approx(response[2:7, 2:7, 2:7].mean())
    out = np.empty(x.shape)
    assert laws(x, "E5L5S5", rotation_invariant=True, energy=1, out=out) is out
    np.testing.assert_array_equal(out, laws(x, "E5L5S5", rotation_invariant=True, energy=1))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
def test_integers_give_floats(dtype):
    x = image(dtype=dtype)
    y = laws(x, "E5L5S5", rotation_invariant=True)
    assert y.dtype == ("float64" if dtype == "int32" else "float32")
    want = laws(x.astype(float), "E5L5S5", rotation_invariant=True)
    np.testing.assert_allclose(y, want, atol=1e-4)


def test_axes_planes_series_and_views():
    x = image((3, 5, 6, 8), "float32")
    planes = laws(x, "L5E5")
    np.testing.assert_array_equal(planes[1, 2], laws(x[1, 2], "L5E5"))
    np.testing.assert_array_equal(laws(x[0], "E5L5", axes=(2, 1)), laws(x[0], "L5E5", axes=(1, 2)))
    view = x[0].transpose(2, 0, 1)
    np.testing.assert_array_equal(laws(view, "S5S3L5"), laws(view.copy(), "S5S3L5"))
    assert laws(x[:0], "L5E5", rotation_invariant=True, energy=3).shape == (0, 5, 6, 8)
    one = laws(x[0], "S5S3L5", rotation_invariant=True, workers=1)
    np.testing.assert_array_equal(laws(x[0], "S5S3L5", rotation_invariant=True, workers=3), one)


def test_nan_reaches_as_far_as_the_turned_weights():
    x = image((9, 9))
    x[4, 4] = np.nan
    bad = np.isnan(laws(x, "L3L5", rotation_invariant=True))
    want = np.zeros((9, 9), bool)
    want[3:6, 2:7] = want[2:7, 3:6] = True
    np.testing.assert_array_equal(bad, want)


def test_numba_gives_the_same_answer():
    pytest.importorskip("numba", reason="pip install 'voxkern[numba]' to run the fallback")
    x = image()
    with use_backend("numba"):
        got = laws(x, "E5L5S5", rotation_invariant=True, energy=1)
    np.testing.assert_allclose(got, laws(x, "E5L5S5", rotation_invariant=True, energy=1))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"kernels": "L7E5"}, "kernels must be of L3, .*; got 'L7'"),
        ({"kernels": "L5E"}, "kernels must be of L3, .*; got 'E'"),
        ({"kernels": ""}, "kernels must be one to 2; got ''"),
        ({"kernels": "L5L5L5"}, "kernels must be one to 2; got 'L5L5L5'"),
        ({"kernels": "L5L5", "axes": 0}, "axes must be as many as kernels, 2; got 0"),
        ({"kernels": "L5L5", "pooling": "sum"}, "pooling must be one of max, min, mean"),
        ({"kernels": "L5L5", "energy": -1}, "energy must be at least 0"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        laws(np.zeros((4, 4)), **arguments)
