"""To and from the images of other libraries."""

import sys

import numpy as np
import pytest

from voxkern import io
from voxkern.image import Image


def test_simpleitk_there_and_back(oblique):
    pytest.importorskip("SimpleITK")
    there = oblique.to_sitk()
    assert there.GetSpacing() == oblique.spacing[::-1]
    assert there.GetOrigin() == oblique.origin[::-1]
    index = (3, 1, 2)
    world = there.TransformIndexToPhysicalPoint(index)
    np.testing.assert_allclose(oblique.index_to_world(index[::-1]), world[::-1], atol=1e-12)
    back = Image.from_sitk(there)
    np.testing.assert_array_equal(back.data, oblique.data)
    np.testing.assert_allclose(back.affine, oblique.affine, atol=1e-14)


def test_voxels_of_simpleitk_outlive_their_image(oblique):
    pytest.importorskip("SimpleITK")
    back = Image.from_sitk(oblique.to_sitk())
    assert back.data.flags.owndata or back.data.base is not None
    np.testing.assert_array_equal(back.data + 0, oblique.data)


@pytest.mark.parametrize("vector", [False, True])
def test_a_leading_axis_is_the_fourth_or_the_components(oblique, vector):
    pytest.importorskip("SimpleITK")
    series = oblique.with_data(np.stack([oblique.data, oblique.data + 1]))
    there = series.to_sitk(vector=vector)
    assert there.GetDimension() == (3 if vector else 4)
    back = Image.from_sitk(there)
    np.testing.assert_array_equal(back.data, series.data)
    np.testing.assert_allclose(back.affine, oblique.affine, atol=1e-14)


def test_a_plane_goes_to_simpleitk_and_back():
    pytest.importorskip("SimpleITK")
    plane = Image(np.eye(3, 4, dtype=np.float32), (2, 0.5), (-4, 8), [[0, 1], [-1, 0]])
    back = Image.from_sitk(plane.to_sitk())
    np.testing.assert_array_equal(back.data, plane.data)
    np.testing.assert_array_equal(back.affine, plane.affine)


def test_itk_takes_no_sheared_grid_and_one_leading_axis():
    pytest.importorskip("SimpleITK")
    direction = np.eye(3)
    direction[:, 0] = 0.96, 0.28, 0
    with pytest.raises(io.FormatError, match="no sheared grid"):
        Image(np.zeros((2, 2, 2)), direction=direction).to_sitk()
    with pytest.raises(io.FormatError, match="one leading axis"):
        Image(np.zeros((2, 2, 2, 2, 2))).to_sitk()
    with pytest.raises(io.FormatError, match="one leading axis"):
        Image(np.zeros((2, 2, 2))).to_sitk(vector=True)


def test_a_mask_becomes_bytes(oblique):
    pytest.importorskip("SimpleITK")
    mask = oblique.with_data(oblique.data > 0)
    np.testing.assert_array_equal(Image.from_sitk(mask.to_sitk()).data, mask.data)


def test_itk_there_and_back(oblique):
    pytest.importorskip("itk", reason="needs ITK: pip install itk")
    there = oblique.to_itk()
    assert tuple(there.GetOrigin()) == oblique.origin[::-1]
    back = Image.from_itk(there)
    np.testing.assert_array_equal(back.data, oblique.data)
    np.testing.assert_allclose(back.affine, oblique.affine, atol=1e-14)


def test_monai_there_and_back(oblique):
    pytest.importorskip("monai", reason="needs MONAI: pip install monai")
    there = oblique.to_monai()
    assert tuple(there.shape) == (1, 5, 4, 3)
    np.testing.assert_allclose(there.affine.numpy(), oblique.affine_xyz("RAS"))
    back = Image.from_monai(there)
    np.testing.assert_array_equal(np.asarray(back.data), oblique.data)
    np.testing.assert_allclose(back.affine, oblique.affine, atol=1e-12)


@pytest.mark.parametrize(
    ("module", "method"),
    [
        ("SimpleITK", "to_sitk"),
        ("itk", "to_itk"),
        ("nibabel", "to_nibabel"),
        ("torch", "to_monai"),
    ],
)
def test_a_missing_library_is_named_with_its_cure(oblique, monkeypatch, module, method):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match="pip install"):
        getattr(oblique, method)()
