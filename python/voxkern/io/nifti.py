"""NIfTI-1 and NIfTI-2: .nii, .nii.gz and the pair .hdr/.img."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from . import _blocks, _files
from ._files import fail

SUFFIXES = (".nii", ".nii.gz")

_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 256: "i1", 512: "u2",
    768: "u4", 1024: "i8", 1280: "u8", 1792: "c16", 128: "u1", 2304: "u1",
}  # fmt: skip
_COLOURS = {128: 3, 2304: 4}
_CODES = {np.dtype(name): code for code, name in _TYPES.items() if code not in _COLOURS}
_NAMES = {0: "unknown", 1: "1-bit", 255: "mixed", 1536: "128-bit float", 2048: "256-bit complex"}
_SPACE_UNITS = {0: 1.0, 1: 1e3, 2: 1.0, 3: 1e-3}  # to mm; unknown counts as mm
_TIME_UNITS = {8: 1.0, 16: 1e-3, 24: 1e-6}  # to seconds

_SFORM = [("srow", "f4", (3, 4))]
_HEADER_1 = np.dtype(
    [
        ("sizeof_hdr", "i4"), ("unused_1", "V35"), ("dim_info", "u1"), ("dim", "i2", 8),
        ("intent_p", "f4", 3), ("intent_code", "i2"), ("datatype", "i2"), ("bitpix", "i2"),
        ("slice_start", "i2"), ("pixdim", "f4", 8), ("vox_offset", "f4"), ("scl_slope", "f4"),
        ("scl_inter", "f4"), ("slice_end", "i2"), ("slice_code", "u1"), ("xyzt_units", "u1"),
        ("cal_max", "f4"), ("cal_min", "f4"), ("slice_duration", "f4"), ("toffset", "f4"),
        ("unused_2", "V8"), ("descrip", "S80"), ("aux_file", "S24"), ("qform_code", "i2"),
        ("sform_code", "i2"), ("quatern", "f4", 3), ("qoffset", "f4", 3), ("srow", "f4", (3, 4)),
        ("intent_name", "S16"), ("magic", "S4"),
    ]
)  # fmt: skip
_HEADER_2 = np.dtype(
    [
        ("sizeof_hdr", "i4"), ("magic", "S8"), ("datatype", "i2"), ("bitpix", "i2"),
        ("dim", "i8", 8), ("intent_p", "f8", 3), ("pixdim", "f8", 8), ("vox_offset", "i8"),
        ("scl_slope", "f8"), ("scl_inter", "f8"), ("cal_max", "f8"), ("cal_min", "f8"),
        ("slice_duration", "f8"), ("toffset", "f8"), ("slice_start", "i8"), ("slice_end", "i8"),
        ("descrip", "S80"), ("aux_file", "S24"), ("qform_code", "i4"), ("sform_code", "i4"),
        ("quatern", "f8", 3), ("qoffset", "f8", 3), ("srow", "f8", (3, 4)), ("slice_code", "i4"),
        ("xyzt_units", "i4"), ("intent_code", "i4"), ("intent_name", "S16"), ("dim_info", "u1"),
        ("unused", "V15"),
    ]
)  # fmt: skip
assert _HEADER_1.itemsize == 348
assert _HEADER_2.itemsize == 540


def is_header(start: bytes) -> bool:
    """Whether these first bytes are a NIfTI header, in either byte order."""
    return start[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c", b"\x1c\x02\0\0", b"\0\0\x02\x1c")


def read(path: Path, *, mmap: bool = False) -> Image:
    """Read a NIfTI file.

    Parameters
    ----------
    path : Path
        A .nii, .nii.gz or .hdr file; a .hdr has its .img or .img.gz beside it.
    mmap : bool
        Map an uncompressed, unscaled file instead of reading it.

    Returns
    -------
    Image
        Shape ``([5th axis ..., time,] z, y, x)``; RGB(A) colours are the first axis.

    Notes
    -----
    The sform is used if its code is above 0, else the qform, else ``pixdim`` alone with
    the first voxel at the origin and x, y, z growing to right, anterior, superior: the
    rules of the NIfTI standard and nibabel's. (nibabel centres and mirrors the third.)
    Lengths in metres or micrometres become mm. An sform with shear is kept.

    ``scl_slope`` and ``scl_inter`` are applied, in double precision; integers of up to
    16 bits then become float32 and wider ones float64. Slope 0, or NaN, means none.

    A 2-D file gives a 2-D image if it lies in the plane z = 0, else a volume of one plane.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        head = _start(path, file, packed)
        header = _header(path, head)
        shape, dtype = _layout(path, header)
        pair = _text(header["magic"])[:2] == "ni"
        offset = _offset(path, header, 0 if pair else len(head))
        if not pair:
            data = _voxels(path, file, packed, dtype, shape, offset, mmap)
    if pair:
        data = _pair_voxels(path, dtype, shape, offset, mmap)
    if int(header["datatype"]) in _COLOURS:
        data = np.ascontiguousarray(np.moveaxis(data, -1, 0))
    data = _scaled(path, data, header)
    n = min(3, len(shape) - (int(header["datatype"]) in _COLOURS))
    return Image.from_affine(data, _affine(path, header, n), meta=_meta(header))


def _start(path: Path, file: IO[bytes], packed: bool) -> bytes:
    """The bytes of the header, of the length that its first field says."""
    head = _files.first_inflated(path, file, 540) if packed else file.read(540)
    if len(head) < 348 or not is_header(head):
        raise fail(path, "a NIfTI header starts with its size, 348 or 540; this does not")
    size = 348 if 0x5C in head[:4] else 540
    if len(head) < size:
        raise fail(path, f"the header has {size} bytes, the file only {len(head)}")
    return head[:size]


def _header(path: Path, head: bytes) -> Any:
    dtype = _HEADER_1 if len(head) == 348 else _HEADER_2
    header = np.frombuffer(head, dtype.newbyteorder("<" if head[0] else ">"))[0]
    magic = _text(header["magic"])
    if magic[:3] not in ("n+1", "ni1", "n+2", "ni2"):
        raise fail(path, f"magic must be n+1, ni1, n+2 or ni2, not {magic!r}: ANALYZE is not read")
    return header


def _layout(path: Path, header: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape in array order, colours last, and the stored type."""
    ndim = int(header["dim"][0])
    if not 1 <= ndim <= 7:
        raise fail(path, f"dim[0] must be from 1 to 7, not {ndim}")
    shape = tuple(int(n) for n in header["dim"][ndim:0:-1])
    _files.count(path, shape)
    shape = (1,) * (3 - len(shape)) + shape if len(shape) != 2 else shape
    code = int(header["datatype"])
    if code not in _TYPES:
        name = _NAMES.get(code, "not in the standard")
        raise fail(path, f"datatype {code} ({name}) is not read")
    order = header.dtype["sizeof_hdr"].str[0]
    dtype = np.dtype(_TYPES[code]).newbyteorder(order)
    if len(shape) == 2 and not _flat(header):
        shape = (1, *shape)
    return shape + ((_COLOURS[code],) if code in _COLOURS else ()), dtype


def _offset(path: Path, header: Any, least: int) -> int:
    offset = float(header["vox_offset"])
    if not np.isfinite(offset) or offset < 0 or offset > 1 << 62:
        raise fail(path, f"vox_offset must be a place in the file, not {offset}")
    return max(int(offset), least)


def _voxels(
    path: Path,
    file: IO[bytes],
    packed: bool,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    offset: int,
    mmap: bool,
) -> NDArray[Any]:
    if not packed:
        return _files.read_raw(path, dtype, shape, offset, mmap=mmap)
    file.seek(0)
    return _files.inflate(path, file, dtype, shape, skip=offset)


def _pair_voxels(
    path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int, mmap: bool
) -> NDArray[Any]:
    stem = path.name.removesuffix(".gz").removesuffix(".hdr").removesuffix(".img")
    for name in (f"{stem}.img", f"{stem}.img.gz"):
        voxels = path.with_name(name)
        if voxels.is_file():
            with voxels.open("rb") as file:
                packed = name.endswith(".gz")
                return _voxels(voxels, file, packed, dtype, shape, offset, mmap)
    raise fail(path, f"the header's voxels should be in {stem}.img beside it; it is not there")


def _scaled(path: Path, data: NDArray[Any], header: Any) -> NDArray[Any]:
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or np.isnan(slope) or int(header["datatype"]) in _COLOURS:
        return data
    inter = 0.0 if np.isnan(inter) else inter
    if not np.isfinite([slope, inter]).all():
        raise fail(path, f"scl_slope and scl_inter must be finite, not {slope}, {inter}")
    if (slope, inter) == (1, 0):
        return data
    return rescaled(data, slope, inter)


def rescaled(data: NDArray[Any], slope: float, inter: float) -> NDArray[Any]:
    """``slope * data + inter``, computed in double precision, kept in the least float type."""
    if data.dtype.kind in "fc":
        target = data.dtype
    else:
        target = np.dtype(np.float32 if data.dtype.itemsize <= 2 else np.float64)
    if data.dtype.kind in "iu" and data.dtype.itemsize <= 2 and data.size > 1 << 16:
        values = np.arange(1 << 8 * data.dtype.itemsize).astype(f"u{data.dtype.itemsize}")
        table = values.view(data.dtype) * np.float64(slope) + inter
        return table.astype(target)[data.view(values.dtype)]
    out = np.empty(data.shape, target)
    flat_in, flat_out = data.reshape(-1), out.reshape(-1)
    wide = np.complex128 if data.dtype.kind == "c" else np.float64
    for i in range(0, data.size, 1 << 16):
        flat_out[i : i + (1 << 16)] = flat_in[i : i + (1 << 16)].astype(wide) * slope + inter
    return out


def _flat(header: Any) -> bool:
    """Whether a 2-D image lies in the plane z = 0, so that 2-D geometry says it all."""
    try:
        matrix = _ras(Path(), header)
    except _files.FormatError:
        return False
    return not matrix[2, [0, 1, 3]].any()


def _affine(path: Path, header: Any, n: int) -> NDArray[np.float64]:
    """From array index to LPS world, both (z, y, x), in mm."""
    matrix = _ras(path, header)
    if not np.isfinite(matrix).all():
        raise fail(path, f"the matrix from index to world must be finite, not\n{matrix}")
    matrix[:2] *= -1
    unit = _SPACE_UNITS.get(int(header["xyzt_units"]) & 7)
    if unit is None:
        raise fail(path, f"xyzt_units {int(header['xyzt_units'])} has no unit of length")
    matrix[:3] *= unit
    if n == 2:
        matrix = matrix[np.ix_([0, 1, 3], [0, 1, 3])]
    turn = [*range(n)[::-1], n]
    matrix = matrix[np.ix_(turn, turn)]
    length = np.linalg.norm(matrix[:n, :n], axis=0)
    if not (length > 0).all() or abs(np.linalg.det(matrix[:n, :n] / length)) < 1e-6:
        raise fail(path, f"the matrix from index to world cannot be inverted:\n{matrix}")
    return matrix


def _ras(path: Path, header: Any) -> NDArray[np.float64]:
    """The file's own matrix, from (x, y, z) to RAS, by the standard's three methods."""
    matrix = np.eye(4)
    if int(header["sform_code"]) > 0:
        matrix[:3] = header["srow"]
        return matrix
    spacing = _pixdim(path, header)
    if int(header["qform_code"]) > 0:
        qfac = -1.0 if header["pixdim"][0] < 0 else 1.0
        turn = _rotation(path, np.asarray(header["quatern"], np.float64))
        matrix[:3, :3] = turn * spacing * (1, 1, qfac)
        matrix[:3, 3] = header["qoffset"]
    else:
        matrix[:3, :3] = np.diag(spacing)
    return matrix


def _pixdim(path: Path, header: Any) -> NDArray[np.float64]:
    spacing = np.asarray(header["pixdim"][1:4], np.float64)
    used = np.arange(1, 4) <= int(header["dim"][0])
    single = ~used | (np.asarray(header["dim"][1:4]) == 1)
    spacing = np.where(single & ~(np.isfinite(spacing) & (spacing != 0)), 1.0, spacing)
    if not np.isfinite(spacing).all() or not spacing.all():
        raise fail(path, f"pixdim must be positive, not {header['pixdim'][1:4]}")
    return np.abs(spacing)


def _rotation(path: Path, quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    b, c, d = quaternion
    rest = 1.0 - float(quaternion @ quaternion)
    if not np.isfinite(rest) or rest < -1e-4:
        raise fail(path, f"quatern must be the vector part of a unit quaternion, not {quaternion}")
    if rest < 1e-7:  # a turn by half a circle, as nifti1_io.c reads it
        a = 0.0
        b, c, d = quaternion / np.linalg.norm(quaternion)
    else:
        a = rest**0.5
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def _meta(header: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {"format": "NIfTI"}
    if description := _text(header["descrip"]):
        meta["description"] = description
    step = float(header["pixdim"][4])
    if int(header["dim"][0]) > 3 and np.isfinite(step) and step > 0:
        meta["time_step"] = step * _TIME_UNITS.get(int(header["xyzt_units"]) & 56, 1.0)
    if code := int(header["intent_code"]):
        meta["intent_code"] = code
    if int(header["datatype"]) in _COLOURS:
        meta["channels"] = "RGBA"[: _COLOURS[int(header["datatype"])]]
    return meta


def _text(value: Any) -> str:
    return bytes(value).split(b"\0")[0].decode("latin-1")


def write(path: Path, image: Image, *, level: int | None = None) -> None:
    """Write a NIfTI file.

    Parameters
    ----------
    path : Path
        Ends in .nii or .nii.gz.
    image : Image
        Any type of NumPy but float16 and long double; bool becomes uint8.
    level : int, optional
        Of the compression of a .nii.gz, 0 to 9. Default: 1, as nibabel and ITK, since the
        noise of images hardly packs tighter at 6, which takes several times as long.

    Notes
    -----
    The file is NIfTI-1, or NIfTI-2 if an axis is longer than 32767. sform and qform both
    hold the geometry, with code 1 (scanner); a sheared grid has no qform, and its code is
    0. Units are mm and seconds.
    """
    data = _files.contiguous(image.data)
    if data.dtype == bool:
        data = data.view(np.uint8)
    if data.dtype not in _CODES:
        raise fail(path, f"NIfTI has no type {data.dtype}; convert the image first")
    if data.ndim > 7:
        raise fail(path, f"NIfTI has at most 7 axes, not {data.ndim}")
    if data.size == 0:
        raise fail(path, f"NIfTI holds no empty image, as of shape {data.shape}")
    head = header_for(image, data)
    with _files.replacing(path) as file:
        if path.suffix.lower() == ".gz":
            voxels = _files.raw_bytes(data)
            _blocks.deflate(file, [head, voxels], level=1 if level is None else level)
        else:
            file.write(head)
            file.write(_files.raw_bytes(data))


def header_for(image: Image, data: NDArray[Any]) -> bytes:
    """Header and the empty extension flag for these voxels."""
    lead = data.shape[: data.ndim - len(image.spacing)]
    sizes = data.shape[::-1]
    if len(image.spacing) == 2 and lead:  # a plane, so that the leading axes stay leading
        sizes = (*sizes[:2], 1, *sizes[2:])
    if len(sizes) > 7:
        raise _files.FormatError(f"NIfTI has at most 7 axes, not {len(sizes)}")
    dtype = _HEADER_1 if max(sizes) < 1 << 15 else _HEADER_2
    one = dtype is _HEADER_1
    header = np.zeros((), dtype)
    header["sizeof_hdr"] = dtype.itemsize
    header["magic"] = b"n+1\0" if one else b"n+2\0\r\n\x1a\n"
    header["dim"] = 1
    header["dim"][0] = len(sizes)
    header["dim"][1 : len(sizes) + 1] = sizes
    header["datatype"] = _CODES[data.dtype]
    header["bitpix"] = 8 * data.dtype.itemsize
    header["vox_offset"] = dtype.itemsize + 4
    header["scl_slope"] = 1
    header["xyzt_units"] = 2 | 8
    description = str(image.meta.get("description", "voxkern"))
    header["descrip"] = description.encode("latin-1", "replace")[:79]
    header["pixdim"] = 1
    header["pixdim"][4] = float(image.meta.get("time_step", 1.0)) if len(sizes) > 3 else 1.0
    _set_geometry(header, image)
    return header.tobytes() + bytes(4)


def _set_geometry(header: Any, image: Image) -> None:
    n = len(image.spacing)
    affine = image.affine_xyz("RAS")
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0])
    matrix[:n, :n] = affine[:n, :n]
    matrix[:n, 3] = affine[:n, n]
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    header["pixdim"][1 : n + 1] = image.spacing[::-1]
    header["srow"] = matrix[:3]
    header["sform_code"] = 1
    if not image.is_orthonormal:
        return
    turn = matrix[:3, :3] / spacing
    qfac = 1.0 if np.linalg.det(turn) > 0 else -1.0
    header["pixdim"][0] = qfac
    header["quatern"] = _quaternion(turn * (1, 1, qfac))
    header["qoffset"] = matrix[:3, 3]
    header["qform_code"] = 1


def _quaternion(turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vector part of the unit quaternion, with a real part that is not negative.

    The eigenvector of a symmetric matrix: exact for half turns too, and the nearest
    rotation where the columns are perpendicular only to within rounding [1]_.

    .. [1] I. Bar-Itzhack, "New method for extracting the quaternion from a rotation matrix",
       J. Guid. Control Dyn. 23:1085-1087, 2000. https://doi.org/10.2514/2.4654
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = turn
    k = np.array(
        [
            [xx - yy - zz, yx + xy, zx + xz, zy - yz],
            [yx + xy, yy - xx - zz, zy + yz, xz - zx],
            [zx + xz, zy + yz, zz - xx - yy, yx - xy],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    vector = np.linalg.eigh(k)[1][:, -1]
    return vector[:3] * (1.0 if vector[3] >= 0 else -1.0)
