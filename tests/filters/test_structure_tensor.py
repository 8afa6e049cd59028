"""Structure tensors: truths, scikit-image's answer, refusals."""

import numpy as np
import pytest

from voxkern import structure_tensor, structure_tensor_eigenvalues, use_backend


def noise(shape, dtype="float64"):
    return (50 * np.random.default_rng(4).standard_normal(shape)).astype(dtype)


def test_a_slope_has_one_direction():
    z, y, x = np.mgrid[:20, :21, :22].astype(float)
    image = 2 * z - y + 3 * x
    got = structure_tensor(image, 1, gradient_sigma=1, truncate=6, mode="nearest")
    np.testing.assert_allclose(got[:, 10, 10, 10], [4, -2, 6, 1, -3, 9], rtol=1e-6)
    values = structure_tensor_eigenvalues(got)[:, 10, 10, 10]
    np.testing.assert_allclose(values, [14, 0, 0], atol=1e-5)


def test_spacing_gives_derivatives_per_unit():
    x = np.broadcast_to(0.5 * np.arange(30), (30, 30)).copy()
    got = structure_tensor(x, 1, gradient_sigma=1, spacing=(2, 0.5), truncate=6, mode="nearest")
    np.testing.assert_allclose(got[:, 15, 15], [0, 0, 1], atol=1e-6)
    sobel = structure_tensor(x, 1, spacing=(2, 0.5), mode="nearest")
    np.testing.assert_allclose(sobel[:, 15, 15], [0, 0, 64], rtol=1e-12)


@pytest.mark.parametrize("mode", ["constant", "reflect", "nearest", "wrap", "mirror"])
@pytest.mark.parametrize("shape", [(14, 17), (7, 9, 12)], ids=str)
def test_scikit_images_answer(shape, mode):
    feature = pytest.importorskip("skimage.feature")
    x = noise(shape)
    want = np.stack(feature.structure_tensor(x, 1.3, mode=mode, cval=2, order="rc"))
    got = structure_tensor(x, 1.3, mode=mode, cval=2)
    np.testing.assert_allclose(got, want, atol=1e-12 * abs(want).max())
    values = feature.structure_tensor_eigenvalues(list(want))
    ours = structure_tensor_eigenvalues(got)
    np.testing.assert_allclose(ours, values, atol=1e-13 * abs(values).max())


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
def test_types_axes_and_outputs(dtype):
    x = noise((2, 6, 7, 8), dtype)
    got = structure_tensor(x, 1)
    assert got.shape == (2, 6, 6, 7, 8)
    assert got.dtype == (np.float64 if dtype in ("int32", "float64") else np.float32)
    np.testing.assert_array_equal(got[1], structure_tensor(x[1], 1))
    out = np.empty((6, 6, 7, 16), got.dtype)[..., ::2]
    assert structure_tensor(x[0], 1, out=out) is out
    np.testing.assert_array_equal(out, got[0])
    values = structure_tensor_eigenvalues(out)
    assert (values[0] >= values[1]).all()
    assert (values[1] >= values[2]).all()
    target = np.empty((3, 6, 7, 16), got.dtype)[..., ::2]
    assert structure_tensor_eigenvalues(got[0], out=target) is target
    np.testing.assert_array_equal(target, values)


def test_empty_images_and_lines():
    assert structure_tensor(np.zeros((0, 4, 5)), 1).shape == (6, 0, 4, 5)
    assert structure_tensor_eigenvalues(np.zeros((3, 0, 5))).shape == (2, 0, 5)
    assert structure_tensor(np.arange(9.0), 1).shape == (1, 9)


def test_numba_gives_the_same():
    x = noise((6, 10, 11))
    tensor = structure_tensor(x, 1)
    with use_backend("numba"):
        np.testing.assert_allclose(structure_tensor(x, 1), tensor, atol=1e-8)
        values = structure_tensor_eigenvalues(tensor)
    np.testing.assert_allclose(structure_tensor_eigenvalues(tensor), values, atol=1e-8)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"sigma": -1}, "sigma must be at least 0; got -1"),
        ({"sigma": (1, 2)}, "sigma must be one value or one for each of 3 axes"),
        ({"gradient_sigma": 0}, "gradient_sigma must be more than 0; got 0"),
        ({"mode": "same"}, "mode must be one of reflect"),
        ({"spacing": 0}, "spacing must be more than 0"),
    ],
)
def test_refusals_name_the_parameter(args, message):
    with pytest.raises(ValueError, match=message):
        structure_tensor(noise((4, 5, 6)), **args)


def test_a_tensor_has_as_many_parts_as_its_axes_want():
    with pytest.raises(ValueError, match="tensor must have shape"):
        structure_tensor_eigenvalues(np.zeros((3, 4, 5, 6)))
    with pytest.raises(TypeError, match="tensor must be float32, float64; got int16"):
        structure_tensor_eigenvalues(np.zeros((3, 4, 5), np.int16))
