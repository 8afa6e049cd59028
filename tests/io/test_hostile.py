"""Broken and hostile files: always FormatError with the file's name, never a crash or a flood."""

import struct
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voxkern import io
from voxkern.image import Image

SUFFIXES = [".nii", ".nii.gz", ".mha", ".zmha", ".nrrd", ".znrrd", ".npy", ".npz"]


def valid(folder, suffix):
    """A small valid file; a z before the suffix means compressed."""
    path = folder / f"valid{suffix.replace('.z', '.')}"
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    level = 6 if suffix.startswith(".z") else None
    io.write(path, Image(voxels, None if suffix == ".npy" else (2, 1, 1)), level=level)
    return path


def refused(path, message, memory=8 << 20):
    """Reading must raise FormatError that names the file, within little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(io.FormatError, match=message) as caught:
            io.read(path)
        assert tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()
    assert path.name in str(caught.value)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.nrrd", "a.npy", "a.dcm", "a"])
def test_an_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    refused(tmp_path / name, "the file is empty")


@pytest.mark.parametrize("name", ["a.nii", "a.mha", "a.nrrd", "a.npy", "a.png", "a.txt"])
def test_something_else_under_a_known_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    refused(tmp_path / name, "wanted NIfTI, NRRD, MetaImage, NumPy or DICOM")


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        io.read(tmp_path / "a.nii")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_cut_anywhere(tmp_path, suffix):
    whole = valid(tmp_path, suffix).read_bytes()
    path = tmp_path / f"cut{suffix.replace('.z', '.')}"
    for length in range(1, len(whole), max(len(whole) // 60, 1)):
        path.write_bytes(whole[:length])
        with pytest.raises(io.FormatError, match="cut"):
            io.read(path)


def nifti(shape=(5, 4, 3), voxels=None, **fields):
    """Bytes of a NIfTI-1 file whose header says what it is told."""
    head = bytearray(352)
    values = {
        "dim": (40, f"<{len(shape) + 1}h", (len(shape), *shape)),
        "datatype": (70, "<h", (4,)),
        "pixdim": (76, "<4f", (1, 1, 1, 1)),
        "vox_offset": (108, "<f", (352,)),
        "xyzt_units": (123, "<B", (2,)),
        "forms": (252, "<2h", (0, 0)),
        "quatern": (256, "<3f", (0, 0, 0)),
        "srow": (280, "<12f", (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)),
    }
    struct.pack_into("<i", head, 0, 348)
    head[344:348] = b"n+1\0"
    for name, (place, kind, value) in values.items():
        struct.pack_into(kind, head, place, *fields.get(name, value))
    return bytes(head) + (bytes(120) if voxels is None else voxels)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shape": (32767,) * 4}, r"declares \d+ bytes"),
        ({"shape": (32767,) * 7}, "beyond any file"),
        ({"shape": (5, -4, 3)}, "sizes must be positive"),
        ({"shape": (5, 0, 3)}, "sizes must be positive"),
        ({"dim": (9, 5, 4, 3)}, r"dim\[0\] must be from 1 to 7"),
        ({"dim": (0, 5, 4, 3)}, r"dim\[0\] must be from 1 to 7"),
        ({"datatype": (1536,)}, "128-bit float"),
        ({"datatype": (77,)}, "not in the standard"),
        ({"pixdim": (1, 0, 1, 1)}, "pixdim must be positive"),
        ({"pixdim": (1, np.nan, 1, 1)}, "pixdim must be positive"),
        ({"pixdim": (1, np.inf, 1, 1)}, "pixdim must be positive"),
        ({"vox_offset": (np.nan,)}, "vox_offset must be a place"),
        ({"vox_offset": (-9,)}, "vox_offset must be a place"),
        ({"vox_offset": (1e9,)}, r"declares \d+ bytes"),
        ({"xyzt_units": (7,)}, "no unit of length"),
        ({"forms": (0, 1), "srow": (np.nan,) * 12}, "must be finite"),
        ({"forms": (0, 1), "srow": (0,) * 12}, "cannot be inverted"),
        ({"forms": (0, 1), "srow": (1, 1, 0, 0) * 3}, "cannot be inverted"),
        ({"forms": (1, 0), "quatern": (2, 2, 2)}, "unit quaternion"),
        ({"forms": (1, 0), "quatern": (np.nan, 0, 0)}, "unit quaternion"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_nifti_headers_that_lie(tmp_path, fields, message, packed):
    fields = dict(fields)
    raw = nifti(fields.pop("shape", (5, 4, 3)), **fields)
    if packed:
        raw = zlib.compress(raw, wbits=31)
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    path.write_bytes(raw)
    refused(path, message)


def test_analyze_is_named(tmp_path):
    raw = bytearray(nifti())
    raw[344:348] = bytes(4)
    (tmp_path / "a.hdr").write_bytes(raw)
    refused(tmp_path / "a.hdr", "ANALYZE is not read")


def test_a_pair_without_its_voxels(tmp_path):
    raw = bytearray(nifti())
    raw[344:348] = b"ni1\0"
    (tmp_path / "a.hdr").write_bytes(raw)
    refused(tmp_path / "a.hdr", r"should be in a\.img")


def test_a_bomb_is_never_expanded_beyond_the_header(tmp_path):
    engine = zlib.compressobj(9, wbits=31)
    packed = engine.compress(nifti()) + engine.compress(bytes(1 << 26)) + engine.flush()
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(packed)
    tracemalloc.start()
    image = io.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert image.shape == (3, 4, 5)
    assert peak < 8 << 20


def test_a_declared_size_that_the_stream_cannot_hold(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(zlib.compress(nifti((2000, 2000, 2000)), wbits=31))
    refused(path, r"more than \d+ compressed bytes can hold")


def test_a_wrong_checksum_is_seen(tmp_path):
    path = valid(tmp_path, ".nii.gz")
    raw = bytearray(path.read_bytes())
    raw[-8] ^= 1
    path.write_bytes(raw)
    refused(path, "stream is broken")


def test_a_broken_block_is_seen(tmp_path):
    path = valid(tmp_path, ".nii.gz")
    raw = bytearray(path.read_bytes())
    assert raw[12:14] == b"VX"
    raw[-20] ^= 1
    path.write_bytes(raw)
    refused(path, "stream is broken")


def test_a_list_of_blocks_that_lies_is_not_used(tmp_path):
    path = valid(tmp_path, ".nii.gz")
    whole = path.read_bytes()
    for place in (10, 14, 16, 20, 28, 32):  # lengths of the field, the list, and the blocks
        raw = bytearray(whole)
        raw[place + 1] ^= 0x10
        path.write_bytes(raw)
        try:
            found = io.read(path).data.ravel()
        except io.FormatError:
            found = np.arange(60)
        np.testing.assert_array_equal(found, np.arange(60))


def test_gzip_of_something_else(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(zlib.compress(b"hello" * 1000, wbits=31))
    refused(path, "of gzip files only NIfTI")


HEAD = "ObjectType = Image\nNDims = 3\nDimSize = 5 4 3\nElementType = MET_SHORT\n"


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (HEAD.replace("5 4 3", "50000 40000 30000"), "declares 120000000000000 bytes"),
        (HEAD.replace("5 4 3", "5 -4 3"), "sizes must be positive"),
        (HEAD.replace("5 4 3", "5 4"), "DimSize must be 3 numbers"),
        (HEAD.replace("5 4 3", "5 4 1e400"), "DimSize must be 3 numbers"),
        (HEAD.replace("5 4 3", "9" * 400), "DimSize must be 3 numbers"),
        (HEAD.replace("NDims = 3", "NDims = 1"), "NDims must be from 2 to 10"),
        (HEAD.replace("NDims = 3", "NDims = 2000000000"), "NDims must be from 2 to 10"),
        (HEAD.replace("NDims = 3\n", ""), "must have NDims"),
        (HEAD.replace("SHORT", "STRING"), "ElementType must be one of"),
        (HEAD + "ElementSpacing = 1 0 1\n", "ElementSpacing must be positive"),
        (HEAD + "ElementSpacing = 1 nan 1\n", "ElementSpacing must be 3 numbers"),
        (HEAD + "TransformMatrix = 0 0 0 0 0 0 0 0 0\n", "independent rows"),
        (HEAD + "HeaderSize = 99999\n", "HeaderSize 99999 must be a place"),
        (HEAD + "HeaderSize = -7\n", "HeaderSize -7 must be a place"),
        (HEAD + "BinaryData = False\n", "stored as text"),
        (HEAD + "ElementNumberOfChannels = 0\n", "ElementNumberOfChannels must be positive"),
        (HEAD + "CompressedData = True\n", "stream is broken"),
        (HEAD + "CompressedData = True\nCompressedDataSize = 1000\n", "CompressedDataSize"),
        (HEAD + "nonsense\n", "must read 'key = value'"),
    ],
)
def test_metaimage_headers_that_lie(tmp_path, head, message):
    path = tmp_path / "a.mha"
    path.write_bytes(head.encode() + b"ElementDataFile = LOCAL\n" + bytes(120))
    refused(path, message)


def test_a_metaimage_without_end(tmp_path):
    (tmp_path / "a.mha").write_bytes(HEAD.encode())
    refused(tmp_path / "a.mha", "must end with ElementDataFile")


OUTSIDE = ["../secret.raw", "/etc/passwd", "sub/../../secret.raw", "..\\secret.raw", "C:secret.raw"]


@pytest.mark.parametrize("name", [*OUTSIDE, "~/secret.raw", "link.raw", "LIST", "a%03d.raw 1 2 1"])
def test_a_data_file_outside_the_folder_is_not_opened(tmp_path, name):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.raw").write_bytes(bytes(120))
    (folder / "link.raw").symlink_to(tmp_path / "secret.raw")
    (folder / "a.mhd").write_text(HEAD + f"ElementDataFile = {name}\n")
    refused(folder / "a.mhd", "must (be a plain file name|not leave the folder)|one data file")
    (folder / "a.nhdr").write_text(
        "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 4 3\nencoding: raw\nendian: little\n"
        f"data file: {name}\n\n"
    )
    refused(folder / "a.nhdr", "must (be a plain file name|not leave the folder)|one data file")


def test_a_data_file_in_the_folder_is_opened(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.raw").write_bytes(np.arange(60, dtype="<i2").tobytes())
    (tmp_path / "a.mhd").write_text(HEAD + "ElementDataFile = sub/a.raw\n")
    np.testing.assert_array_equal(io.read(tmp_path / "a.mhd").data.ravel(), np.arange(60))


NRRD = "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 4 3\nencoding: raw\nendian: little\n"


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (NRRD.replace("5 4 3", "50000 40000 30000"), "declares 120000000000000 bytes"),
        (NRRD.replace("5 4 3", "5 -4 3"), "sizes must be positive"),
        (NRRD.replace("5 4 3", "5 4"), "match sizes"),
        (NRRD.replace("5 4 3", "5 x 3"), "must be whole numbers"),
        (NRRD.replace("sizes: 5 4 3\n", ""), "field 'sizes'"),
        (NRRD.replace("short", "block"), "type must be an integer or a float"),
        (NRRD.replace("raw", "hex"), "encoding must be raw"),
        (NRRD.replace("raw", "gzip"), "stream is broken"),
        (NRRD.replace("raw", "bzip2"), "stream is broken"),
        (NRRD.replace("raw", "text"), "wanted 60 numbers as text|the header declares"),
        (NRRD.replace("little", "middle"), "endian must be"),
        (NRRD + "byte skip: 100\n", r"declares 220 bytes"),
        (NRRD + "byte skip: -5\n", "make no sense"),
        (NRRD + "line skip: 5\n", "beyond the end"),
        (NRRD + "spacings: 1 0 1\n", "spacings must be positive"),
        (NRRD + "spacings: 1 nan 1\n", "spacings must be a finite number"),
        (NRRD + "space directions: (1,0,0) (0,1,0)\n", "must have 3 entries"),
        (NRRD + "space directions: (1,0,0) (0,1,0) (0,0,0)\n", "must be independent"),
        (NRRD + "space directions: (1,0,0) (0,1,0) (0,inf,0)\n", "finite numbers in brackets"),
        (NRRD + "kinds: list list list\n", "two or three spatial axes"),
        (NRRD + "nonsense\n", "must read 'field: value'"),
    ],
)
def test_nrrd_headers_that_lie(tmp_path, head, message):
    path = tmp_path / "a.nrrd"
    path.write_bytes(head.encode() + b"\n" + b"\xff" * 120)
    refused(path, message)


def test_the_words_of_a_library_do_not_quote_the_file(tmp_path):
    path = valid(tmp_path, ".npz")
    raw = bytearray(path.read_bytes())
    raw[26:28] = b"\0\3"  # the first name, 768 bytes long
    path.write_bytes(raw)
    with pytest.raises(io.FormatError) as caught:
        io.read(path)
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable()


def test_npy_headers_that_lie(tmp_path):
    path = valid(tmp_path, ".npy")
    raw = path.read_bytes()
    for old, new, message in [
        (b"(3, 4, 5), }   ", b"(30000, 4, 5), ", "header of the array is broken"),
        (b"(3, 4, 5), }    ", b"(3, 4, 90000), }", "declares 2160000 bytes"),
        (b"(3, 4, 5)", b"(3,-4, 5)", "sizes must be positive"),
        (b"'<i2'", b"'|O' ", "must hold numbers"),
        (b"\x93NUMPY\x01", b"\x93NUMPY\x07", "header of the array is broken"),
    ]:
        assert old in raw
        path.write_bytes(raw.replace(old, new))
        refused(path, message)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_random_damage_never_does_worse_than_format_error(tmp_path, suffix, data):
    raw = bytearray(valid(tmp_path, suffix).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(raw) - 1))
        kind = data.draw(st.sampled_from(["set", "flip", "drop", "insert"]))
        if kind == "set":
            raw[place] = data.draw(st.integers(0, 255))
        elif kind == "flip":
            raw[place] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "drop":
            del raw[place : place + data.draw(st.integers(1, 20))]
        else:
            raw[place:place] = data.draw(st.binary(min_size=1, max_size=20))
        if not raw:
            return
    path = tmp_path / f"damaged{suffix.replace('.z', '.')}"
    path.write_bytes(raw)
    tracemalloc.start()
    message = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert isinstance(io.read(path), Image)
    except io.FormatError as error:
        message = str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert not message or path.name in message
    assert peak < (16 << 20) + 1032 * len(raw)
