"""MetaImage: .mha, and .mhd with its data file beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from . import _blocks, _files
from ._files import fail

SUFFIXES = (".mha", ".mhd")

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2",
    "MET_INT": "i4", "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_NAMES = {np.dtype(v): k for k, v in _TYPES.items() if k not in ("MET_LONG", "MET_ULONG")}
_LONGEST = 1 << 16  # bytes of header that are looked through
_FIRST = (b"ObjectType", b"NDims", b"Comment", b"BinaryData", b"ObjectSubType", b"TransformType")


def is_header(start: bytes) -> bool:
    """Whether a file that starts so is a MetaImage."""
    key, equals, _ = start[:80].partition(b"=")
    return bool(equals) and key.strip() in _FIRST


def read(path: Path, *, mmap: bool = False) -> Image:
    """Read a MetaImage.

    Parameters
    ----------
    path : Path
        A .mha or .mhd file. The data file that a .mhd names must lie in its folder.
    mmap : bool
        Map uncompressed voxels instead of reading them.

    Returns
    -------
    Image
        Shape ``([channel,] [4th axis,] z, y, x)``. Several channels, which the file
        stores voxel by voxel, become the first axis.

    Notes
    -----
    Each n numbers of ``TransformMatrix`` are the direction of one axis, a column of the
    direction of ITK. ``ElementSpacing`` is used, else ``ElementSize``, else 1. Positions
    are taken as LPS whatever ``AnatomicalOrientation`` says, as ITK does. Voxels as text,
    ``LIST`` and numbered data files are not read.
    """
    fields, end = _header(path)
    ndim = _whole(path, fields, "NDims")
    if not 2 <= ndim <= 10:
        raise fail(path, f"NDims must be from 2 to 10, not {ndim}")
    shape = tuple(int(v) for v in _numbers(path, fields, ("DimSize",), ndim, whole=True)[::-1])
    channels = _whole(path, fields, "ElementNumberOfChannels", 1)
    if channels < 1:
        raise fail(path, f"ElementNumberOfChannels must be positive, not {channels}")
    stored = (*shape, channels) if channels > 1 else shape
    data = _voxels(path, fields, end, stored, mmap)
    if channels > 1:
        data = np.ascontiguousarray(np.moveaxis(data, -1, 0))
    spacing, origin, direction = _geometry(path, fields, ndim)
    meta: dict[str, Any] = {"format": "MetaImage"}
    if channels > 1:
        meta["channels"] = channels
    return Image(data, spacing, origin, direction, meta)


def _header(path: Path) -> tuple[dict[str, str], int]:
    """The fields, and the place of the first byte after them."""
    with path.open("rb") as file:
        head = file.read(_LONGEST)
    if not is_header(head):
        raise fail(
            path, f"a MetaImage starts with a line such as 'ObjectType = Image', not {head[:20]!r}"
        )
    fields: dict[str, str] = {}
    at = 0
    while at < len(head):
        line, newline, _ = head[at:].partition(b"\n") if at else head.partition(b"\n")
        at += len(line) + len(newline)
        key, equals, value = line.decode("latin-1").partition("=")
        if not equals:
            if line.strip():
                raise fail(path, f"a line of the header must read 'key = value', not {line[:40]!r}")
            continue
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            return fields, at
    raise fail(path, "the header must end with ElementDataFile, which is not there")


def _numbers(
    path: Path, fields: dict[str, str], keys: tuple[str, ...], n: int, *, whole: bool = False
) -> list[float]:
    for key in keys:
        if key not in fields:
            continue
        try:
            values = [float(int(v)) if whole else float(v) for v in fields[key].split()]
        except (ValueError, OverflowError):
            values = []
        if len(values) != n or not np.isfinite(values).all():
            raise fail(path, f"{key} must be {n} numbers, not {fields[key][:80]!r}")
        return values
    if whole:
        raise fail(path, f"the header must have {keys[0]}, which is not there")
    return []


def _whole(path: Path, fields: dict[str, str], key: str, default: int | None = None) -> int:
    if key not in fields and default is not None:
        return default
    return int(_numbers(path, fields, (key,), 1, whole=True)[0])


def _true(fields: dict[str, str], *keys: str) -> bool:
    return any(fields.get(key, "").lower().startswith(("t", "1")) for key in keys)


def _geometry(
    path: Path, fields: dict[str, str], ndim: int
) -> tuple[list[float], list[float], NDArray[np.float64]]:
    n = min(ndim, 3)
    spacing = _numbers(path, fields, ("ElementSpacing", "ElementSize"), ndim) or [1.0] * ndim
    if min(spacing) <= 0:
        raise fail(path, f"ElementSpacing must be positive, not {spacing}")
    origin = _numbers(path, fields, ("Offset", "Position", "Origin"), ndim) or [0.0] * ndim
    axes = _numbers(path, fields, ("TransformMatrix", "Rotation", "Orientation"), ndim * ndim)
    direction = np.reshape(axes, (ndim, ndim)).T if axes else np.eye(ndim)
    direction = direction[:n, :n][::-1, ::-1]
    length = np.linalg.norm(direction, axis=0)
    if not length.all() or abs(np.linalg.det(direction / length)) < 1e-6:
        raise fail(path, f"TransformMatrix must have independent rows, not {axes}")
    return spacing[:n][::-1], origin[:n][::-1], direction / length


def _voxels(
    path: Path, fields: dict[str, str], end: int, shape: tuple[int, ...], mmap: bool
) -> NDArray[Any]:
    kind = fields.get("ElementType", "")
    if kind not in _TYPES:
        raise fail(path, f"ElementType must be one of {', '.join(_TYPES)}, not {kind!r}")
    big = _true(fields, "BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    dtype = np.dtype(_TYPES[kind]).newbyteorder(">" if big else "<")
    if "BinaryData" in fields and not _true(fields, "BinaryData"):
        raise fail(path, "voxels stored as text (BinaryData = False) are not read")
    name = fields["ElementDataFile"]
    if name.split(" ")[0] == "LIST" or "%" in name:
        raise fail(path, f"one data file is read, not several: ElementDataFile = {name!r}")
    local = name.upper() == "LOCAL"
    source = path if local else _files.beside(path, name, "ElementDataFile")
    total = _files.count(path, shape) * dtype.itemsize
    there = source.stat().st_size
    skip = _whole(path, fields, "HeaderSize", 0)
    if skip == -1:
        skip = there - total
    start = end if local and skip == 0 else skip
    if not 0 <= start <= there:
        raise fail(source, f"HeaderSize {skip} must be a place in a file of {there} bytes")
    if not _true(fields, "CompressedData"):
        return _files.read_raw(source, dtype, shape, start, mmap=mmap)
    with source.open("rb") as file:
        file.seek(start)
        stored = _whole(path, fields, "CompressedDataSize", there - start)
        if not 0 < stored <= there - start:
            raise fail(source, f"CompressedDataSize {stored} must fit in {there - start} bytes")
        return _files.inflate(source, file, dtype, shape, stored=stored)


def write(path: Path, image: Image, *, level: int | None = None) -> None:
    """Write a MetaImage.

    Parameters
    ----------
    path : Path
        Ends in .mha, or in .mhd: then the voxels go beside it into .raw or .zraw.
    image : Image
        Integers and floats of 8 to 64 bits but float16; bool becomes uint8. Leading axes
        of a 4-D image are its 4th axis; a fifth is refused.
    level : int, optional
        Of zlib, 0 to 9. Default: not compressed.
    """
    data = _files.contiguous(image.data)
    if data.dtype == bool:
        data = data.view(np.uint8)
    if data.dtype not in _NAMES:
        raise fail(path, f"MetaImage has no type {data.dtype}; convert the image first")
    if not image.is_orthonormal:
        raise fail(path, "MetaImage holds no sheared grid; resample it, or write NRRD or NIfTI")
    if data.ndim > 4 or data.size == 0:
        raise fail(path, f"MetaImage holds 2 to 4 axes and at least one voxel, not {data.shape}")
    stem = path.name.removesuffix(".mhd")
    local = path.suffix.lower() != ".mhd"
    name = "LOCAL" if local else stem + (".raw" if level is None else ".zraw")
    if name.strip() != name or not name.isprintable():
        raise fail(path, "a MetaImage's name must be printable, without spaces at its ends")
    voxels: Any = _files.raw_bytes(data)
    if level is not None:
        voxels = _blocks.zlib_stream(voxels, level)
    head = _header_for(image, data, name, None if level is None else len(voxels))
    if not local:
        with _files.replacing(path.with_name(name)) as file:
            file.write(voxels)
    with _files.replacing(path) as file:
        file.write(head)
        if local:
            file.write(voxels)


def _header_for(image: Image, data: NDArray[Any], name: str, stored: int | None) -> bytes:
    n, ndim = len(image.spacing), data.ndim
    spacing, origin, axes = np.ones(ndim), np.zeros(ndim), np.eye(ndim)
    spacing[:n] = image.spacing[::-1]
    origin[:n] = image.origin[::-1]
    axes[:n, :n] = image.direction[::-1, ::-1].T
    fields = {
        "ObjectType": "Image",
        "NDims": ndim,
        "BinaryData": True,
        "BinaryDataByteOrderMSB": not np.little_endian,
        "CompressedData": stored is not None,
        **({} if stored is None else {"CompressedDataSize": stored}),
        "TransformMatrix": _join(axes.ravel()),
        "Offset": _join(origin),
        "CenterOfRotation": _join(np.zeros(ndim)),
        "ElementSpacing": _join(spacing),
        "DimSize": " ".join(map(str, data.shape[::-1])),
        "ElementType": _NAMES[data.dtype],
        "ElementDataFile": name,
    }
    return "".join(f"{key} = {value}\n" for key, value in fields.items()).encode()


def _join(values: NDArray[np.float64]) -> str:
    """Numbers that read back as the same doubles."""
    return " ".join(np.format_float_positional(v, trim="-") for v in values + 0.0)
