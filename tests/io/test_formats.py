"""What is written comes back; what cannot be written is refused and leaves nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from voxkern import io
from voxkern.image import Image

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]
TYPES = {
    ".nii": [*INTEGERS, "f4", "f8", "c8", "c16"],
    ".nii.gz": [*INTEGERS, "f4", "f8", "c8", "c16"],
    ".mha": [*INTEGERS, "f4", "f8"],
    ".mhd": [*INTEGERS, "f4", "f8"],
    ".nrrd": [*INTEGERS, "f4", "f8"],
    ".npz": [*INTEGERS, "f2", "f4", "f8", "c8", "c16", "?"],
}
LEVELS = {".nii": [None], ".nii.gz": [None, 0, 9]}
# NIfTI-1 keeps float32: half a unit in the last place of 101.7 mm is 4e-6.
EXACT = {".nii": 4e-6, ".nii.gz": 4e-6, ".mha": 0, ".mhd": 0, ".nrrd": 2e-14, ".npz": 0}


@pytest.mark.parametrize(
    ("suffix", "level", "dtype"),
    [(s, v, t) for s in TYPES for v in LEVELS.get(s, [None, 1, 9]) for t in TYPES[s]],
)
def test_every_type_comes_back_exactly(tmp_path, oblique, suffix, level, dtype):
    image = oblique.with_data(oblique.data.astype(dtype))
    path = tmp_path / f"image{suffix}"
    io.write(path, image, level=level)
    again = io.read(path)
    assert again.dtype == image.dtype
    np.testing.assert_array_equal(again.data, image.data)
    np.testing.assert_allclose(again.affine, image.affine, rtol=0, atol=EXACT[suffix])
    assert again.data.flags.writeable


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".mhd", ".nrrd"])
def test_a_mask_is_stored_as_bytes(tmp_path, oblique, suffix):
    path = tmp_path / f"mask{suffix}"
    io.write(path, oblique.with_data(oblique.data > 0))
    again = io.read(path)
    assert again.dtype == np.uint8
    np.testing.assert_array_equal(again.data, oblique.data > 0)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".npz"])
def test_time_stays_the_first_axis(tmp_path, suffix):
    series = Image(np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5), (3, 2, 1), (7, 8, 9))
    path = tmp_path / f"series{suffix}"
    io.write(path, series)
    again = io.read(path)
    np.testing.assert_array_equal(again.data, series.data)
    assert again.spacing == (3, 2, 1)
    assert again.origin == (7, 8, 9)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".npz"])
def test_a_plane_stays_a_plane(tmp_path, suffix):
    plane = Image(np.arange(12, dtype=np.uint8).reshape(3, 4), (2, 0.5), (-4, 8))
    path = tmp_path / f"plane{suffix}"
    io.write(path, plane)
    again = io.read(path)
    np.testing.assert_array_equal(again.data, plane.data)
    np.testing.assert_array_equal(again.affine, plane.affine)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".npz"])
def test_a_sheared_grid_is_kept(tmp_path, suffix):
    direction = np.eye(3)
    direction[:, 0] = 0.96, 0.28, 0
    image = Image(np.zeros((2, 3, 4), np.int16), (3, 1, 1), direction=direction)
    io.write(tmp_path / f"tilt{suffix}", image)
    again = io.read(tmp_path / f"tilt{suffix}")
    np.testing.assert_allclose(again.affine, image.affine, atol=1e-6)
    assert not again.is_orthonormal


@pytest.mark.parametrize("view", ["transposed", "reversed", "strided", "swapped", "readonly"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".nrrd", ".npz"])
def test_any_memory_layout_is_written(tmp_path, view, suffix):
    base = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    data = {
        "transposed": base.T,
        "reversed": base[::-1, :, ::-1],
        "strided": base[::2, 1:, ::3],
        "swapped": base.astype(">i2"),
        "readonly": base.copy(),
    }[view]
    data.flags.writeable = view != "readonly"
    io.write(tmp_path / f"a{suffix}", Image(data))
    np.testing.assert_array_equal(io.read(tmp_path / f"a{suffix}").data, data)


def test_npy_keeps_voxels_and_refuses_geometry(tmp_path, oblique):
    plain = Image(oblique.data)
    io.write(tmp_path / "a.npy", plain)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), oblique.data)
    np.testing.assert_array_equal(io.read(tmp_path / "a.npy").data, oblique.data)
    with pytest.raises(io.FormatError, match=r"holds no geometry; write \.npz"):
        io.write(tmp_path / "b.npy", oblique)


def test_numpy_files_of_others_are_read(tmp_path):
    fortran = np.asfortranarray(np.arange(24.0).reshape(2, 3, 4))
    np.save(tmp_path / "f.npy", fortran)
    np.testing.assert_array_equal(io.read(tmp_path / "f.npy").data, fortran)
    np.savez(tmp_path / "one.npz", scan=fortran)
    np.testing.assert_array_equal(io.read(tmp_path / "one.npz").data, fortran)
    np.savez(tmp_path / "two.npz", a=fortran, b=fortran)
    with pytest.raises(io.FormatError, match="array named data, or only one"):
        io.read(tmp_path / "two.npz")
    np.save(tmp_path / "o.npy", np.array([[{}]], object), allow_pickle=True)
    with pytest.raises(io.FormatError, match="must hold numbers"):
        io.read(tmp_path / "o.npy")


@pytest.mark.parametrize("suffix", [".nii", ".mha", ".mhd", ".nrrd", ".npy"])
def test_a_mapped_file_is_the_same_and_is_not_changed(tmp_path, suffix):
    image = Image(np.arange(24, dtype=np.float32).reshape(2, 3, 4))
    path = tmp_path / f"a{suffix}"
    io.write(path, image)
    mapped = io.read(path, mmap=True)
    assert isinstance(mapped.data, np.memmap)
    np.testing.assert_array_equal(mapped.data, image.data)
    mapped.data[:] = -1
    np.testing.assert_array_equal(io.read(path).data, image.data)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("a.nii", lambda x: x.astype(np.float16), "NIfTI has no type float16"),
        ("a.nii", lambda x: np.zeros((1,) * 5 + x.shape), "at most 7 axes, not 8"),
        ("a.nii", lambda x: np.zeros((0, *x.shape)), "no empty image"),
        ("a.mha", lambda x: x.astype(np.complex64), "MetaImage has no type complex64"),
        ("a.mha", lambda x: np.zeros((2, 2, *x.shape)), "2 to 4 axes"),
        ("a.nrrd", lambda x: x.astype(np.float16), "NRRD has no type float16"),
        ("a.nhdr", lambda x: x, "detached header is not written"),
        ("a.tif", lambda x: x, r"name must end in one of \.nii, \.nii\.gz"),
        ("a", lambda x: x, "name must end in one of"),
        ("a.gz", lambda x: x, "name must end in one of"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, oblique, name, change, message):
    with pytest.raises(io.FormatError, match=message):
        io.write(tmp_path / name, oblique.with_data(change(oblique.data)))
    assert list(tmp_path.iterdir()) == []


def test_metaimage_refuses_a_sheared_grid(tmp_path):
    direction = np.eye(3)
    direction[:, 0] = 0.96, 0.28, 0
    with pytest.raises(io.FormatError, match="no sheared grid"):
        io.write(tmp_path / "a.mha", Image(np.zeros((2, 2, 2)), direction=direction))


def test_write_wants_an_image_and_a_level(tmp_path, oblique):
    with pytest.raises(TypeError, match=r"Image\(array, spacing=\.\.\.\)"):
        io.write(tmp_path / "a.nii", oblique.data)
    for level in (10, -1, 1.5, "best"):
        with pytest.raises(ValueError, match="level must be a whole number"):
            io.write(tmp_path / "a.nii.gz", oblique, level=level)
    io.write(tmp_path / "a.nii.gz", oblique, level=np.int64(3))


def test_what_the_system_refuses_names_the_file(tmp_path, oblique):
    (tmp_path / "folder.nii").mkdir()
    (tmp_path / "file").touch()
    for name, kind in [
        ("no/a.nii", FileNotFoundError),
        ("folder.nii", IsADirectoryError),
        ("file/a.nii", NotADirectoryError),
        ("a" * 300 + ".nii", OSError),
    ]:
        with pytest.raises(kind) as caught:
            io.write(tmp_path / name, oblique)
        assert str(caught.value).endswith(repr(str(tmp_path / name)))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.nii"]


def test_a_full_disk_names_the_file(tmp_path, oblique, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("voxkern.io._files.raw_bytes", full)
    with pytest.raises(OSError, match=r"No space left on device: .*nrrd"):
        io.write(tmp_path / "a.nrrd", oblique)
    assert not list(tmp_path.iterdir())


def test_a_name_of_any_length_and_case(tmp_path, oblique):
    for name in ("a" * 248 + ".nii", "A.NII.GZ", "A.MHA", "A.MHD", "A.NRRD"):
        io.write(tmp_path / name, oblique, level=1)
        np.testing.assert_array_equal(io.read(tmp_path / name).data, oblique.data)
    assert (tmp_path / "A.NII.GZ").read_bytes()[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".nrrd", ".npz", ".npy"])
def test_a_failed_write_leaves_the_old_file(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"a{suffix}"
    io.write(path, Image(np.ones((4, 4), np.uint8)))
    before = path.read_bytes()

    def broken(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", broken)
    with pytest.raises(OSError, match="No space left"):
        io.write(path, Image(np.zeros((4, 4), np.uint8)))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".nii.gz", ".mha", ".nrrd"])
def test_equal_images_give_equal_files(tmp_path, oblique, suffix):
    io.write(tmp_path / f"a{suffix}", oblique, level=3)
    io.write(tmp_path / f"b{suffix}", oblique, level=3)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".nii.gz", ".mha", ".nrrd"])
def test_a_stream_of_many_blocks_is_one_ordinary_stream(tmp_path, suffix):
    sitk = pytest.importorskip("SimpleITK")
    noise = np.random.default_rng(0).integers(0, 999, (3, 700, 801)).astype(np.int16)
    io.write(tmp_path / f"a{suffix}", Image(noise), level=1)
    np.testing.assert_array_equal(io.read(tmp_path / f"a{suffix}").data, noise)
    other = sitk.ReadImage(str(tmp_path / f"a{suffix}"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(other), noise)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".mhd", ".nrrd"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_simpleitk_reads_ours_and_we_read_its(tmp_path, oblique, suffix, compressed, mirrored):
    sitk = pytest.importorskip("SimpleITK")
    image = oblique[::-1] if mirrored else oblique
    ours, theirs = tmp_path / f"ours{suffix}", tmp_path / f"theirs{suffix}"
    io.write(ours, image, level=1 if compressed else None)
    read = Image.from_sitk(sitk.ReadImage(str(ours)))
    np.testing.assert_array_equal(read.data, image.data)
    np.testing.assert_allclose(read.affine, image.affine, rtol=0, atol=1e-5)  # float32 headers
    sitk.WriteImage(image.to_sitk(), str(theirs), compressed)
    np.testing.assert_array_equal(io.read(theirs).data, image.data)
    np.testing.assert_allclose(io.read(theirs).affine, image.affine, rtol=0, atol=1e-5)


@pytest.mark.parametrize("suffix", [".nii.gz", ".mha", ".nrrd"])
def test_colours_of_simpleitk_become_the_first_axis(tmp_path, suffix):
    sitk = pytest.importorskip("SimpleITK")
    colours = np.random.default_rng(0).integers(0, 255, (4, 5, 6, 3)).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(colours, isVector=True), str(tmp_path / f"a{suffix}"))
    found = io.read(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(found.data.reshape(3, 4, 5, 6), np.moveaxis(colours, -1, 0))


def test_pynrrd_reads_ours_and_we_read_its(tmp_path, oblique):
    nrrd = pytest.importorskip("nrrd")
    io.write(tmp_path / "ours.nrrd", oblique, level=4)
    data, header = nrrd.read(str(tmp_path / "ours.nrrd"), index_order="C")
    np.testing.assert_array_equal(data, oblique.data)
    np.testing.assert_allclose(header["space origin"], oblique.origin[::-1])
    for encoding in ("raw", "gzip", "bzip2", "ascii"):
        detached = tmp_path / f"{encoding}.nhdr"
        header = {
            "space": "right-anterior-superior",
            "space directions": np.diag([1.0, 2, 3]),
            "space origin": [4.0, 5, 6],
            "encoding": encoding,
        }
        for path in (tmp_path / f"{encoding}.nrrd", detached):
            nrrd.write(str(path), oblique.data, header, index_order="C")
            found = io.read(path)
            np.testing.assert_array_equal(found.data, oblique.data)
            assert found.orientation == "RAS"
            assert found.spacing == (3, 2, 1)
            assert found.origin == (6, -5, -4)


def test_a_vector_axis_of_nrrd_comes_first_wherever_it_is(tmp_path):
    nrrd = pytest.importorskip("nrrd")
    vectors = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5)
    directions = np.diag([1.0, 2, 3])
    nothing = [[np.nan] * 3]
    for order, rows in [((1, 2, 3, 0), 0), ((0, 1, 2, 3), 3)]:
        stored = vectors.transpose(order)
        table = np.insert(directions, rows, nothing, axis=0)
        header = {"space": "LPS", "space directions": table, "space origin": [0.0, 0, 0]}
        nrrd.write(str(tmp_path / "v.nrrd"), stored, header, index_order="C")
        found = io.read(tmp_path / "v.nrrd")
        np.testing.assert_array_equal(found.data, vectors)
        assert found.spacing == (3, 2, 1)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(TYPES)), st.integers(2, 4))
def test_any_shape_comes_back(tmp_path_factory, data, suffix, ndim):
    dtype = np.dtype(data.draw(st.sampled_from(TYPES[suffix])))
    shape = data.draw(arrays.array_shapes(min_dims=ndim, max_dims=ndim, max_side=5))
    voxels = data.draw(arrays.arrays(dtype, shape))
    path = tmp_path_factory.mktemp("any") / f"a{suffix}"
    io.write(path, Image(voxels))
    again = io.read(path)
    np.testing.assert_array_equal(again.data, voxels)
    assert again.spacing == (1,) * min(ndim, 3)
