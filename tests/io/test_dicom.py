"""DICOM: series that are right, series that are not, and odd single files."""

import logging
import sys
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voxkern import io
from voxkern.image import Image

pydicom = pytest.importorskip("pydicom")

from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.sequence import Sequence  # noqa: E402
from pydicom.uid import (  # noqa: E402
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

SERIES = "1.2.3.4"
TILTED = [1, 0, 0, 0, 0.96, 0.28]


def saved(path, voxels, *, syntax=ExplicitVRLittleEndian, rle=False, **tags):
    """One CT slice; `tags` overrides its attributes, None removes one."""
    signed = voxels.dtype.kind == "i"
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = syntax
    d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID = CTImageStorage
    d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID = f"1.2.3.{len(path.name)}"
    d.SeriesInstanceUID = SERIES
    d.Modality = "CT"
    d.Rows, d.Columns = voxels.shape[-2:]
    if voxels.ndim == 3:
        d.NumberOfFrames = len(voxels)
    d.SamplesPerPixel = 1
    d.PhotometricInterpretation = "MONOCHROME2"
    d.BitsAllocated = d.BitsStored = 8 * voxels.dtype.itemsize
    d.HighBit = d.BitsStored - 1
    d.PixelRepresentation = int(signed)
    d.PixelSpacing = [0.7, 0.3]
    d.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    d.ImagePositionPatient = [0, 0, 0]
    for keyword, value in tags.items():
        if value is None:
            delattr(d, keyword)
        else:
            setattr(d, keyword, value)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    d.PixelData = np.ascontiguousarray(voxels, voxels.dtype.newbyteorder(order)).tobytes()
    if "PixelData" in tags:
        d.PixelData = tags["PixelData"]
    if rle:
        d.compress(RLELossless, generate_instance_uid=False)
    d.save_as(path, enforce_file_format=True)
    return path


def series(folder, places, orientation=(1, 0, 0, 0, 1, 0), *, shear=0.0, **tags):
    """Slices at these places along the normal; slice k holds k and the file's own number."""
    folder.mkdir(exist_ok=True)
    x, y = np.reshape(orientation, (2, 3)).astype(float)
    normal = np.cross(x, y)
    for k, place in enumerate(places):
        voxels = np.full((4, 5), k, np.int16) + 10 * np.arange(5, dtype=np.int16)
        position = (10, -20, 30) + place * normal + shear * place * y
        name = folder / f"{(k * 7) % len(places):03d}_{k}.dcm"
        values = {"ImageOrientationPatient": list(orientation), **tags}
        saved(name, voxels, ImagePositionPatient=[round(float(v), 6) for v in position], **values)
    return folder


def test_slices_are_in_the_order_of_their_places_not_names(tmp_path):
    image = io.read(series(tmp_path / "s", [0, 2.5, 5, 7.5]))
    assert image.shape == (4, 4, 5)
    np.testing.assert_array_equal(image.data[:, 0, 0], [0, 1, 2, 3])
    assert image.spacing == (2.5, 0.7, 0.3)
    assert image.origin == (30, -20, 10)
    assert image.orientation == "LPS"
    assert image.meta["series_uid"] == SERIES


def test_the_thickness_does_not_say_the_spacing(tmp_path):
    image = io.read(series(tmp_path / "s", [0, 3, 6], SliceThickness=1, SpacingBetweenSlices=2))
    assert image.spacing[0] == 3


ORIENTATIONS = [
    (1, 0, 0, 0, 1, 0),
    (0, 1, 0, 0, 0, -1),
    (1, 0, 0, 0, 0, -1),
    (-1, 0, 0, 0, 1, 0),
    (0.8, 0.6, 0, -0.36, 0.48, -0.8),
]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_series_is_where_simpleitk_says(tmp_path, orientation):
    sitk = pytest.importorskip("SimpleITK")
    folder = series(tmp_path / "s", [-1, 1.5, 4, 6.5, 9], orientation)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    expected = Image.from_sitk(reader.Execute())
    found = io.read(folder)
    np.testing.assert_array_equal(found.data, expected.data)
    np.testing.assert_allclose(found.affine, expected.affine, rtol=0, atol=1e-6)


def test_a_missing_slice_is_counted(tmp_path):
    folder = series(tmp_path / "s", [0, 2, 4, 8, 10])
    message = r"1 of 4 gaps between slices differ from 2 mm \(1 slices seem to be missing\)"
    with pytest.raises(io.FormatError, match=message):
        io.read(folder)


def test_a_missing_slice_is_filled_on_request(tmp_path):
    folder = series(tmp_path / "s", [0, 2, 4, 8, 10])
    image = io.read_dicom_series(folder, on_irregular="resample")
    assert image.shape == (6, 4, 5)
    # stored values 0 1 2 . 3 4; the gap is halfway between 2 and 3, which rounds to even
    np.testing.assert_array_equal(image.data[:, 0, 0], [0, 1, 2, 2, 3, 4])
    assert image.spacing[0] == 2
    assert image.meta["resampled"] is True


def test_two_slices_at_one_place_are_named(tmp_path):
    folder = series(tmp_path / "s", [0, 2, 2, 4])
    with pytest.raises(io.FormatError, match=r"1 of 3 places hold more than one slice.*_1\.dcm"):
        io.read_dicom_series(folder, on_irregular="resample")


def test_a_series_in_time_is_not_one_volume(tmp_path):
    folder = series(tmp_path / "s", [0, 0, 2, 2, 4, 4])
    with pytest.raises(io.FormatError, match="each of 3 places along the normal holds 2 slices"):
        io.read(folder)


def test_a_tilted_gantry_is_refused_with_its_angle(tmp_path):
    folder = series(tmp_path / "s", [0, 2, 4, 6], shear=np.tan(np.radians(12)))
    with pytest.raises(io.FormatError, match=r"tilted by 12\.00 degrees"):
        io.read(folder)


def test_a_tilted_gantry_is_sheared_upright_on_request(tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    ramp = lambda y, z: np.round(100 * (y + 3 * z))  # noqa: E731
    for k in range(6):
        place, across = 2.0 * k, 0.5 * k  # the gantry moves 0.5 mm up for 2 mm on
        y = across + 0.7 * np.arange(8)
        voxels = np.repeat(ramp(y, place)[:, None], 5, 1).astype(np.int16)
        saved(folder / f"{k}.dcm", voxels, ImagePositionPatient=[0, across, place])
    image = io.read_dicom_series(folder, on_irregular="resample")
    assert image.is_orthonormal
    assert image.shape == (6, 12, 5)
    inside = 0
    for index in np.ndindex(image.shape):
        z, y, _ = image.index_to_world(index)
        low = 0.25 * z
        if low <= y <= low + 0.7 * 7:
            inside += 1
            # a linear image is kept by linear interpolation, but for rounding twice
            assert abs(image.data[index] - ramp(y, z)) <= 1.5
    assert inside > 200


def test_small_rounding_of_positions_is_even(tmp_path):
    image = io.read(series(tmp_path / "s", [0, 0.63, 1.25, 1.88, 2.5]))
    np.testing.assert_allclose(image.spacing[0], 0.625)


def test_several_series_are_listed(tmp_path):
    folder = series(tmp_path / "s", [0, 2, 4])
    other = "1.2.3.5"
    for k in range(2):
        saved(
            folder / f"b{k}.dcm",
            np.full((4, 5), 9, np.int16),
            SeriesInstanceUID=other,
            SeriesDescription="scout",
            ImagePositionPatient=[0, 0, k],
        )
    with pytest.raises(io.FormatError, match=rf"(?s)2 series.*{other}: 2 files scout"):
        io.read(folder)
    assert io.read_dicom_series(folder, SERIES).shape == (3, 4, 5)
    assert io.read_dicom_series(folder, series_uid=other).shape == (2, 4, 5)
    with pytest.raises(io.FormatError, match=r"no series '1\.2'; the folder holds"):
        io.read_dicom_series(folder, "1.2")


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"Rows": 2, "Columns": 10}, "Rows must be 4 as in"),
        ({"PixelSpacing": [1, 1]}, "PixelSpacing must be"),
        ({"ImageOrientationPatient": TILTED}, "ImageOrientationPatient must be"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "perpendicular unit vectors"),
        ({"ImagePositionPatient": None}, "must have a position"),
        ({"PixelSpacing": [0, 1]}, "PixelSpacing must be positive"),
    ],
)
def test_a_slice_unlike_the_others_is_named(tmp_path, tags, message):
    folder = series(tmp_path / "s", [0, 2, 4])
    values = {"ImagePositionPatient": [10, -20, 36], **tags}
    saved(folder / "odd.dcm", np.zeros((4, 5), np.int16), **values)
    with pytest.raises(io.FormatError, match=message):
        io.read(folder)


def test_other_files_in_the_folder_are_passed_over(tmp_path):
    folder = series(tmp_path / "s", [0, 2, 4])
    (folder / "notes.txt").write_text("hello")
    (folder / "empty").touch()
    (folder / "below").mkdir()
    assert io.read(folder).shape == (3, 4, 5)


def test_a_folder_without_images(tmp_path):
    with pytest.raises(io.FormatError, match=r"there are none in this folder$"):
        io.read(tmp_path)
    series(tmp_path / "below", [0, 2, 4])
    with pytest.raises(io.FormatError, match="folders below it are not read"):
        io.read(tmp_path)
    with pytest.raises(NotADirectoryError):
        io.read_dicom_series(tmp_path / "nothing")
    with pytest.raises(ValueError, match="on_irregular must be"):
        io.read_dicom_series(tmp_path, on_irregular="guess")


def test_progress_reaches_the_end(tmp_path, capsys):
    folder = series(tmp_path / "s", [0, 2, 4])
    calls = []
    io.read_dicom_series(folder, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(i, 6) for i in range(1, 7)]
    io.read_dicom_series(folder, progress=True)
    with pytest.raises(TypeError, match="progress must be"):
        io.read_dicom_series(folder, progress="yes")


SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_every_plain_syntax_gives_the_stored_values(tmp_path, syntax, dtype):
    voxels = np.arange(20).reshape(4, 5).astype(dtype) + np.iinfo(dtype).min
    if np.dtype(dtype).itemsize == 2 or syntax != ExplicitVRBigEndian:
        found = io.read(saved(tmp_path / "a.dcm", voxels, syntax=syntax))
        np.testing.assert_array_equal(found.data[0], voxels)
        assert found.dtype == dtype


def test_run_lengths_are_decoded(tmp_path):
    voxels = np.arange(20, dtype=np.int16).reshape(4, 5) - 10
    found = io.read(saved(tmp_path / "a.dcm", voxels, rle=True))
    np.testing.assert_array_equal(found.data[0], voxels)


@pytest.mark.parametrize(
    ("slope", "inter", "expected"),
    [
        (1, -1024, np.int16),
        (2, 0, np.int32),
        (1, -40000, np.int32),
        (0.5, 0, np.float32),
        (1, 0.25, np.float32),
        (1, 0, np.uint16),
    ],
)
def test_rescaling_chooses_the_least_type(tmp_path, slope, inter, expected):
    voxels = np.arange(20, dtype=np.uint16).reshape(4, 5) * 200
    bits = 12 if expected is np.int16 else 16
    path = saved(
        tmp_path / "a.dcm",
        voxels,
        RescaleSlope=slope,
        RescaleIntercept=inter,
        BitsStored=bits,
        HighBit=bits - 1,
    )
    found = io.read(path)
    assert found.dtype == expected
    np.testing.assert_array_equal(found.data[0], voxels.astype(float) * slope + inter)


def test_bits_above_the_stored_ones_are_cleared_and_signs_extended(tmp_path):
    stored = np.array([[0x0FFF, 0x0800, 0xF7FF, 0x8001]], np.uint16)
    plain = saved(tmp_path / "u.dcm", stored, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(io.read(plain).data[0], [[4095, 2048, 2047, 1]])
    signed = saved(tmp_path / "s.dcm", stored.view(np.int16), BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(io.read(signed).data[0], [[-1, -2048, 2047, 1]])
    wrong = saved(tmp_path / "w.dcm", stored, BitsStored=12, HighBit=3)
    with pytest.raises(io.FormatError, match=r"w\.dcm: HighBit 3 must fit 12 bits in 16"):
        io.read(wrong)


def test_monochrome1_is_stated_not_inverted(tmp_path):
    voxels = np.arange(20, dtype=np.uint8).reshape(4, 5)
    found = io.read(saved(tmp_path / "a.dcm", voxels, PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(found.data[0], voxels)
    assert found.meta["photometric"] == "MONOCHROME1"


def test_a_mosaic_is_refused_by_name(tmp_path):
    path = saved(
        tmp_path / "a.dcm", np.zeros((4, 4), np.int16), ImageType=["ORIGINAL", "PRIMARY", "MOSAIC"]
    )
    with pytest.raises(io.FormatError, match="Siemens mosaic"):
        io.read(path)


def group(position=None, **values):
    item = Dataset()
    if position is not None:
        plane = Dataset()
        plane.ImagePositionPatient = position
        item.PlanePositionSequence = Sequence([plane])
    if "slope" in values:
        scale = Dataset()
        scale.RescaleSlope, scale.RescaleIntercept = values["slope"], 0
        item.PixelValueTransformationSequence = Sequence([scale])
    if "orientation" in values:
        plane = Dataset()
        plane.ImageOrientationPatient = values["orientation"]
        item.PlaneOrientationSequence = Sequence([plane])
        measures = Dataset()
        measures.PixelSpacing = [0.7, 0.3]
        measures.SliceThickness = 9
        item.PixelMeasuresSequence = Sequence([measures])
    return item


def enhanced(path, voxels, positions, slopes=None):
    slopes = slopes or [1] * len(positions)
    return saved(
        path,
        voxels,
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
        PixelSpacing=None,
        SharedFunctionalGroupsSequence=Sequence([group(orientation=[1, 0, 0, 0, 1, 0])]),
        PerFrameFunctionalGroupsSequence=Sequence(
            [group(p, slope=s) for p, s in zip(positions, slopes, strict=True)]
        ),
    )


def test_enhanced_frames_are_sorted_by_place_and_scaled_each(tmp_path):
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    positions = [[1, 2, 6], [1, 2, 3], [1, 2, 9]]
    image = io.read(enhanced(tmp_path / "a.dcm", voxels, positions, [1, 2, 1]))
    np.testing.assert_array_equal(image.data, np.stack([voxels[1] * 2, voxels[0], voxels[2]]))
    assert image.spacing == (3, 0.7, 0.3)
    assert image.origin == (3, 2, 1)


def test_enhanced_frames_that_are_uneven_are_refused(tmp_path):
    voxels = np.zeros((4, 4, 5), np.int16)
    positions = [[0, 0, z] for z in (0, 1, 2, 5)]
    with pytest.raises(io.FormatError, match="2 slices seem to be missing"):
        io.read(enhanced(tmp_path / "a.dcm", voxels, positions))


def test_frames_without_places_are_time(tmp_path):
    voxels = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    image = io.read(saved(tmp_path / "a.dcm", voxels))
    assert image.shape == (3, 1, 4, 5)
    np.testing.assert_array_equal(image.data[:, 0], voxels)


def packaged():
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    return {p.name: p for p in folder.iterdir() if p.is_file()}


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "image_dfl.dcm",
        "examples_overlay.dcm",
        "ExplVR_BigEnd.dcm",
        "SC_rgb_rle.dcm",
        "examples_palette.dcm",
        "SC_rgb_small_odd.dcm",
        "examples_rgb_color.dcm",
    ],
)
def test_packaged_files_are_what_simpleitk_reads(name):
    sitk = pytest.importorskip("SimpleITK")
    files = packaged()
    if name not in files:
        pytest.skip(f"this pydicom has no {name}")
    found = io.read(files[name])
    other = Image.from_sitk(sitk.ReadImage(str(files[name])))
    np.testing.assert_array_equal(found.data.reshape(other.shape), other.data)
    assert found.dtype == other.dtype
    np.testing.assert_allclose(found.spacing[-2:], other.spacing[-2:], rtol=0, atol=1e-6)
    if len(other.origin) == 3:
        np.testing.assert_allclose(found.origin, other.origin, rtol=0, atol=1e-6)
        np.testing.assert_allclose(found.direction, other.direction, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["MR_small_jpeg_ls_lossless.dcm", "693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm"]
)
def test_compressed_files_are_decoded(name):
    pytest.importorskip("pylibjpeg", reason="needs decoders: pip install voxkern[io]")
    sitk = pytest.importorskip("SimpleITK")
    if name not in packaged():
        pytest.skip(f"this pydicom has no {name}")
    found = io.read(packaged()[name])
    other = Image.from_sitk(sitk.ReadImage(str(packaged()[name])))
    np.testing.assert_array_equal(found.data, other.data)


def test_a_dose_is_scaled_and_its_planes_are_spaced_by_their_offsets():
    path = packaged()["rtdose.dcm"]
    header = pydicom.dcmread(path)
    found = io.read(path)
    np.testing.assert_array_equal(found.data, header.pixel_array * float(header.DoseGridScaling))
    offsets = header.GridFrameOffsetVector
    assert found.spacing[0] == offsets[1] - offsets[0]


@pytest.mark.parametrize("name", ["rtplan.dcm", "reportsi.dcm", "DICOMDIR-empty.dcm"])
def test_dicom_that_is_no_image_is_refused(name):
    files = {p.name: p for p in Path(pydicom.__file__).parent.rglob("test_files/**/*.dcm")}
    if name not in files:
        pytest.skip(f"this pydicom has no {name}")
    with pytest.raises(io.FormatError, match="has no pixels"):
        io.read(files[name])


def test_every_packaged_file_is_read_or_refused():
    read = 0
    for path in packaged().values():
        message = str(path)
        try:
            read += isinstance(io.read(path), Image)
        except io.FormatError as error:
            message = str(error)
        assert str(path) in message
    assert read > 20


def test_more_frames_than_declared_are_refused(tmp_path):
    path = saved(tmp_path / "a.dcm", np.zeros((4, 5), np.int16), syntax=ExplicitVRBigEndian)
    raw = path.read_bytes().replace(b"\0\x10US\0\2\0\4", b"\0\x10US\0\2\0\2")
    path.write_bytes(raw)
    with pytest.raises(io.FormatError, match="wanted 10 samples, the pixels hold 20"):
        io.read(path)


def test_a_file_without_its_pixels_is_refused(tmp_path):
    path = saved(tmp_path / "a.dcm", np.zeros((40, 50), np.int16))
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) - 3999, len(whole) - 4010, 140, 100):
        path.write_bytes(whole[:length])
        with pytest.raises(io.FormatError, match=r"a\.dcm"):
            io.read(path)


def test_a_declared_size_that_the_file_cannot_hold(tmp_path):
    small = np.zeros((4, 5), np.int16)
    for k, tags in enumerate([{"Rows": 65535, "Columns": 65535}, {"NumberOfFrames": 2000000000}]):
        for syntax in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
            path = saved(tmp_path / f"{k}.dcm", small, syntax=syntax, **tags)
            tracemalloc.start()
            with pytest.raises(io.FormatError, match="the header declares"):
                io.read(path)
            assert tracemalloc.get_traced_memory()[1] < 16 << 20
            tracemalloc.stop()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), rle=st.booleans())
def test_random_damage_never_does_worse_than_format_error(tmp_path, data, rle):
    path = saved(tmp_path / "a.dcm", np.arange(20, dtype=np.int16).reshape(4, 5), rle=rle)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    message = "a.dcm"
    try:
        assert isinstance(io.read(path), Image)
    except io.FormatError as error:
        message = str(error)
    assert "a.dcm" in message


@pytest.mark.parametrize(
    "folder",
    ["ibsi1_ct_phantom/dicom/image", "lung_ct_2slices"]
    + [f"sts_sarcoma_dev/dicom/{name}/image" for name in ("STS_008_MR_T1", "STS_019_PET")],
)
def test_real_series_agree_with_simpleitk(data_folder, folder):
    sitk = pytest.importorskip("SimpleITK")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(data_folder / folder)))
    expected = Image.from_sitk(reader.Execute())
    found = io.read(data_folder / folder)
    np.testing.assert_array_equal(found.data, expected.data.astype(found.dtype))
    np.testing.assert_allclose(found.affine, expected.affine, rtol=0, atol=1e-6)


def test_a_real_series_is_its_nifti(data_folder):
    found = io.read(data_folder / "ibsi1_ct_phantom" / "dicom" / "image")
    other = io.read(data_folder / "ibsi1_ct_phantom" / "image.nii.gz")
    np.testing.assert_array_equal(found.data, other.reorient(found.orientation).data)


def test_a_real_mosaic_is_refused_with_its_slices(data_folder):
    path = next((data_folder / "dcm_qa_nih_siemens_dev").rglob("*.dcm"))
    with pytest.raises(io.FormatError, match="mosaic of 5 slices"):
        io.read(path)


def test_pydicom_missing_is_said_with_its_cure(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.dcm", np.zeros((4, 5), np.int16))
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(ImportError, match=r'pip install "voxkern\[io\]"'):
        io.read(path)


def test_threads_that_read_leave_warnings_as_they_were(tmp_path):
    path = tmp_path / "a.dcm"
    saved(path, np.zeros((8, 8), np.int16))

    def state():
        return warnings.filters[:], logging.getLogger("pydicom").level

    before, often = state(), sys.getswitchinterval()
    try:
        sys.setswitchinterval(1e-5)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(io.read, [path] * 100))
    finally:
        sys.setswitchinterval(often)
    assert state() == before
