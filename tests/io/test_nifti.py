"""NIfTI: which matrix counts, what scaling does, and nibabel's and SimpleITK's answers."""

import numpy as np
import pytest

from voxkern import io
from voxkern.image import Image

nib = pytest.importorskip("nibabel")


def saved(path, data, *, sform=None, qform=None, edit=None):
    """A NIfTI file made by nibabel, axes (x, y, z), with the two forms as (matrix, code)."""
    made = nib.Nifti1Image(data, np.eye(4), dtype=data.dtype)
    made.set_sform(*(sform or (None, 0)))
    made.set_qform(*(qform or (None, 0)))
    if edit:
        edit(made.header)
    nib.save(made, path)
    return path


VOXELS = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
RIGHT = np.array([[-1.5, 0, 0, 4], [0, 2, 0, 5], [0, 0, 2.5, 6], [0, 0, 0, 1.0]])
TURNED = np.array([[0, -2.0, 0, 1], [1.5, 0, 0, 2], [0, 0, 2.5, 3], [0, 0, 0, 1]])


def test_axes_are_reversed_and_ras_becomes_lps(tmp_path):
    image = io.read(saved(tmp_path / "a.nii", VOXELS, sform=(RIGHT, 1)))
    np.testing.assert_array_equal(image.data, VOXELS.T)
    assert image.spacing == (2.5, 2, 1.5)
    assert image.origin == (6, -5, -4)
    assert image.orientation == "LAS"


@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (1, 1), (2, 1), (4, 3)])
def test_the_sform_counts_before_the_qform(tmp_path, codes):
    image = io.read(
        saved(tmp_path / "a.nii", VOXELS, sform=(RIGHT, codes[0]), qform=(TURNED, codes[1]))
    )
    expected = RIGHT if codes[0] else TURNED
    np.testing.assert_allclose(image.affine_xyz("RAS"), expected, atol=1e-6)


def test_without_both_forms_pixdim_alone_counts(tmp_path):
    path = saved(tmp_path / "a.nii", VOXELS)
    raw = bytearray(path.read_bytes())
    raw[80:92] = np.array([1.5, 2, 2.5], "<f4").tobytes()
    path.write_bytes(raw)
    np.testing.assert_array_equal(io.read(path).affine_xyz("RAS"), np.diag([1.5, 2, 2.5, 1]))


@pytest.mark.parametrize(("unit", "factor"), [("meter", 1e3), ("mm", 1), ("micron", 1e-3)])
def test_lengths_become_millimetres(tmp_path, unit, factor):
    path = saved(
        tmp_path / "a.nii", VOXELS, sform=(RIGHT, 1), edit=lambda h: h.set_xyzt_units(unit)
    )
    np.testing.assert_allclose(io.read(path).affine_xyz()[:3], RIGHT[:3] * factor, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"])
@pytest.mark.parametrize(("slope", "inter"), [(2.5, -7), (1, -1024), (1, 0), (0, 5), (np.nan, 1)])
def test_scaling_is_that_of_nibabel(tmp_path, dtype, slope, inter):
    voxels = np.random.default_rng(1).integers(0, 100, (40, 41, 42)).astype(dtype)
    path = tmp_path / "a.nii"
    saved(path, voxels, sform=(RIGHT, 1))
    raw = bytearray(path.read_bytes())
    raw[112:120] = np.array([slope, inter], "<f4").tobytes()
    path.write_bytes(raw)
    found = io.read(path)
    expected = np.asarray(nib.load(path).dataobj).T
    if slope == 0 or np.isnan(slope) or (slope, inter) == (1, 0):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found.data, voxels.T)
        return
    wide = found.dtype == np.float64
    assert wide == (dtype in ("i4", "u4", "i8", "f8"))
    np.testing.assert_array_equal(found.data, expected.astype(found.dtype))


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_versions_pairs_and_byte_orders(tmp_path, kind, order, packed):
    header = kind.header_class(endianness=order)
    header.set_data_dtype(np.int16)
    suffix = ".img" if kind is nib.Nifti1Pair else ".nii"
    path = tmp_path / f"a{suffix}{packed if suffix == '.nii' else ''}"
    nib.save(kind(VOXELS, RIGHT, header), path)
    found = io.read(path.with_suffix(".hdr") if suffix == ".img" else path)
    np.testing.assert_array_equal(found.data, VOXELS.T)
    assert found.dtype.isnative
    np.testing.assert_array_equal(found.affine_xyz(), RIGHT)


def test_an_extension_before_the_voxels_is_passed_over(tmp_path):
    made = nib.Nifti1Image(VOXELS, RIGHT)
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 5000))
    for name in ("a.nii", "a.nii.gz"):
        nib.save(made, tmp_path / name)
        np.testing.assert_array_equal(io.read(tmp_path / name).data, VOXELS.T)


def test_several_gzip_members_are_one_file(tmp_path):
    import gzip

    nib.save(nib.Nifti1Image(VOXELS, RIGHT), tmp_path / "a.nii")
    raw = (tmp_path / "a.nii").read_bytes()
    pieces = [gzip.compress(raw[a:b]) for a, b in [(0, 100), (100, 352), (352, 360), (360, None)]]
    (tmp_path / "b.nii.gz").write_bytes(b"".join(pieces) + bytes(512))
    np.testing.assert_array_equal(io.read(tmp_path / "b.nii.gz").data, VOXELS.T)


def test_colours_become_the_first_axis(tmp_path):
    rgb = np.zeros((2, 3, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb["R"], rgb["G"], rgb["B"] = VOXELS, VOXELS + 100, 200
    nib.save(nib.Nifti1Image(rgb, RIGHT), tmp_path / "a.nii")
    found = io.read(tmp_path / "a.nii")
    assert found.shape == (3, 4, 3, 2)
    np.testing.assert_array_equal(found.data[1], (VOXELS + 100).T)


def test_a_plane_that_is_not_at_zero_is_a_volume_of_one_plane(tmp_path):
    plane = np.arange(6, dtype=np.float32).reshape(2, 3)
    flat = saved(tmp_path / "a.nii", plane, sform=(np.diag([-2.0, -3, 1, 1]), 1))
    assert io.read(flat).shape == (3, 2)
    assert io.read(flat).spacing == (3, 2)
    tilted = saved(tmp_path / "b.nii", plane, sform=(RIGHT, 1))
    assert io.read(tilted).shape == (1, 3, 2)
    np.testing.assert_array_equal(io.read(tilted).affine_xyz(), RIGHT)


def test_nibabel_reads_both_forms_of_ours(tmp_path, oblique):
    for image in (oblique, oblique[::-1], oblique.reorient("RAS"), oblique.reorient("PIR")):
        io.write(tmp_path / "a.nii", image)
        found = nib.load(tmp_path / "a.nii")
        np.testing.assert_array_equal(np.asarray(found.dataobj).T, image.data)
        # float32 headers: 101.7 mm is known to 4e-6
        np.testing.assert_allclose(found.get_sform(), image.affine_xyz(), rtol=0, atol=1e-5)
        np.testing.assert_allclose(found.get_qform(), image.affine_xyz(), rtol=0, atol=1e-5)
        assert (int(found.header["sform_code"]), int(found.header["qform_code"])) == (1, 1)
        assert found.header.get_xyzt_units() == ("mm", "sec")


def test_a_half_turn_keeps_its_quaternion(tmp_path):
    for turn in (np.diag([-1.0, -1, 1]), np.diag([1.0, -1, -1]), np.eye(3)[[2, 1, 0]] * -1):
        image = Image(np.zeros((2, 3, 4), np.uint8), (3, 2, 1), direction=turn)
        io.write(tmp_path / "a.nii", image)
        np.testing.assert_allclose(
            nib.load(tmp_path / "a.nii").get_qform(), image.affine_xyz(), atol=1e-6
        )


def test_a_sheared_grid_has_no_qform(tmp_path):
    direction = np.eye(3)
    direction[:, 0] = 0.96, 0.28, 0
    io.write(tmp_path / "a.nii", Image(np.zeros((2, 3, 4), np.uint8), direction=direction))
    assert int(nib.load(tmp_path / "a.nii").header["qform_code"]) == 0


def test_a_long_axis_makes_nifti_2(tmp_path):
    image = Image(np.zeros((1, 2, 40000), np.uint8), origin=(1 / 3, 0, 0))
    io.write(tmp_path / "a.nii.gz", image)
    assert isinstance(nib.load(tmp_path / "a.nii.gz"), nib.Nifti2Image)
    again = io.read(tmp_path / "a.nii.gz")
    assert again.shape == image.shape
    assert again.origin == image.origin


def test_time_step_and_description_come_back(tmp_path):
    series = Image(np.zeros((3, 2, 2, 2), np.uint8), meta={"time_step": 2.25, "description": "run"})
    io.write(tmp_path / "a.nii", series)
    again = io.read(tmp_path / "a.nii")
    assert again.meta["time_step"] == 2.25
    assert again.meta["description"] == "run"


def test_conversion_to_nibabel_and_back(oblique):
    there = oblique.to_nibabel()
    np.testing.assert_allclose(there.affine, oblique.affine_xyz("RAS"))
    back = Image.from_nibabel(there)
    np.testing.assert_array_equal(back.data, oblique.data)
    np.testing.assert_allclose(back.affine, oblique.affine, atol=1e-12)


@pytest.mark.slow
def test_real_files_agree_with_nibabel(data_folder):
    files = sorted(data_folder.rglob("*.nii*"))
    files = [f for f in files if "hippocampus" not in f.name or f.name.endswith("1.nii.gz")]
    assert len(files) > 100
    for path in files:
        found, other = io.read(path), nib.load(path)
        np.testing.assert_array_equal(found.data, np.asarray(other.dataobj).T, err_msg=str(path))
        if len(found.spacing) == 3:
            np.testing.assert_allclose(
                found.affine_xyz(), other.affine, rtol=1e-12, atol=1e-6, err_msg=str(path)
            )


@pytest.mark.slow
def test_real_files_agree_with_simpleitk(data_folder):
    sitk = pytest.importorskip("SimpleITK")
    files = sorted([*data_folder.rglob("*.nii*"), *data_folder.rglob("*.mh[ad]")])
    files = [f for f in files if "hippocampus" not in f.name or f.name.endswith("1.nii.gz")]
    refused = []
    for path in files:
        found = io.read(path)
        try:
            other = Image.from_sitk(sitk.ReadImage(str(path)))
        except RuntimeError:
            refused.append(path.name)
            continue
        voxels = found.data.reshape(other.shape)
        if path.name == "mtr.nii.gz":  # SimpleITK reads its infinities as zero
            voxels = np.where(np.isfinite(voxels), voxels, 0)
        np.testing.assert_array_equal(voxels, other.data, err_msg=str(path))
        assert found.dtype == other.dtype
        # spacing: ITK takes pixdim, we the columns of the sform, both float32: relative 1e-7
        np.testing.assert_allclose(found.spacing, other.spacing, rtol=1e-6, err_msg=str(path))
        for a, b in [(found.origin, other.origin), (found.direction, other.direction)]:
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-6, err_msg=str(path))
    assert refused == ["S0_10slices.nii.gz"]  # sheared: ITK has no place for it
