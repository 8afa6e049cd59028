"""NRRD: .nrrd, and .nhdr with its data file beside it."""

from __future__ import annotations

import bz2
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from . import _blocks, _files
from ._files import fail

SUFFIXES = (".nrrd", ".nhdr")

_TYPES = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, "
    "int64, int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float",
    "f8": "double",
}  # fmt: skip
_DTYPES = {name: code for code, names in _TYPES.items() for name in names.split(", ")}
_WRITTEN = {np.dtype(code): names.split(", ")[0] for code, names in _TYPES.items()} | {
    np.dtype("i1"): "int8", np.dtype("u1"): "uint8", np.dtype("i2"): "int16",
    np.dtype("u2"): "uint16", np.dtype("i4"): "int32", np.dtype("u4"): "uint32",
    np.dtype("i8"): "int64", np.dtype("u8"): "uint64",
}  # fmt: skip
_TO_LPS = {  # signs of x, y, z
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
}  # fmt: skip
_UNITS = {"mm": 1.0, "cm": 10.0, "m": 1e3, "um": 1e-3, "µm": 1e-3, "": 1.0}
_SPATIAL_KINDS = ("domain", "space")
_LONGEST = 1 << 20  # bytes of header that are looked through
_BZ2_RATIO = 1 << 21  # 45 MB in the smallest block


def is_header(start: bytes) -> bool:
    """Whether a file that starts so is a NRRD."""
    return start.startswith(b"NRRD")


class _Bzip2:
    """`bz2.BZ2Decompressor` with the face of `zlib.decompressobj`."""

    unconsumed_tail = b""

    def __init__(self) -> None:
        self._engine = bz2.BZ2Decompressor()
        self._waiting = b""

    @property
    def eof(self) -> bool:
        return self._engine.eof

    @property
    def unused_data(self) -> bytes:
        return self._engine.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._engine.eof:
            return b""
        self._waiting += data
        if not self._engine.needs_input:
            return self._engine.decompress(b"", max_length)
        data, self._waiting = self._waiting, b""
        return self._engine.decompress(data, max_length)


def read(path: Path, *, mmap: bool = False) -> Image:
    """Read a NRRD file.

    Parameters
    ----------
    path : Path
        A .nrrd or .nhdr file. The data file that a .nhdr names must lie in its folder.
    mmap : bool
        Map raw voxels instead of reading them.

    Returns
    -------
    Image
        Shape ``([other axes,] z, y, x)``: axes that are not spatial (colour, vector,
        time, list) come first, wherever they are in the file.

    Notes
    -----
    Spatial axes are those with a ``space directions`` entry, else those of kind
    ``domain`` or ``space``, else the first three. RAS and LAS become LPS; any other
    ``space`` is taken as LPS. ``space units`` of m, cm and um become mm. Encodings raw,
    gzip, bzip2 and text are read; several data files are not.
    """
    fields, extra, end = _header(path)
    shape, dtype = _layout(path, fields)
    data = _voxels(path, fields, dtype, shape, end, mmap)
    spatial = _spatial_axes(path, fields, len(shape))
    n = len(shape)
    lead = [a for a in range(n) if n - 1 - a not in spatial]
    order = [*lead, *(n - 1 - a for a in reversed(spatial))]
    if order != list(range(n)):
        data = np.ascontiguousarray(data.transpose(order))
    if len(spatial) == 1:
        raise fail(path, "the image must have two or three spatial axes, not one")
    spacing, origin, direction = _geometry(path, fields, spatial)
    meta = {"format": "NRRD", **({"fields": extra} if extra else {})}
    return Image(data, spacing, origin, direction, meta)


def _header(path: Path) -> tuple[dict[str, str], dict[str, str], int]:
    """Fields, key/value pairs, and the place of the first byte after the header."""
    with path.open("rb") as file:
        head = file.read(_LONGEST)
    if not re.match(rb"NRRD000[1-5]\r?\n", head):
        raise fail(path, f"a NRRD starts with NRRD0001 to NRRD0005, not {head[:8]!r}")
    fields: dict[str, str] = {}
    extra: dict[str, str] = {}
    at = head.index(b"\n") + 1
    while at < len(head):
        stop = head.find(b"\n", at)
        stop = len(head) if stop < 0 else stop
        line = head[at:stop].decode("utf-8", "replace").rstrip("\r")
        at = stop + 1
        if not line:
            return fields, extra, at
        if line.startswith("#"):
            continue
        if match := re.match(r"([^:]+?)(:=|: ?)(.*)", line):
            key, mark, value = match.groups()
            if mark == ":=":
                extra[key] = value
            else:
                fields[key.strip().lower().replace(" ", "")] = value.strip()
        else:
            raise fail(path, f"a line of the header must read 'field: value', not {line[:40]!r}")
    if "datafile" in fields:
        return fields, extra, len(head)
    raise fail(path, "the header must end with an empty line, which is not there")


def _layout(path: Path, fields: dict[str, str]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    for key in ("type", "dimension", "sizes", "encoding"):
        if key not in fields:
            raise fail(path, f"the header must have the field {key!r}, which is not there")
    kind = " ".join(fields["type"].lower().split())
    if kind not in _DTYPES:
        raise fail(path, f"type must be an integer or a float, not {fields['type'][:40]!r}")
    try:
        ndim, sizes = int(fields["dimension"]), [int(v) for v in fields["sizes"].split()]
    except ValueError:
        raise fail(path, "dimension and sizes must be whole numbers") from None
    if not 2 <= ndim <= 16 or len(sizes) != ndim:
        raise fail(path, f"dimension must be from 2 to 16 and match sizes, not {ndim} and {sizes}")
    _files.count(path, sizes)
    dtype = np.dtype(_DTYPES[kind])
    endian = fields.get("endian", "little").lower()
    if endian not in ("little", "big"):
        raise fail(path, f"endian must be little or big, not {endian[:20]!r}")
    return tuple(sizes[::-1]), dtype.newbyteorder("<" if endian == "little" else ">")


def _voxels(
    path: Path,
    fields: dict[str, str],
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    end: int,
    mmap: bool,
) -> NDArray[Any]:
    source, start = path, end
    if "datafile" in fields:
        name = fields["datafile"]
        if name.split(" ")[0] == "LIST" or "%" in name:
            raise fail(path, f"one data file is read, not several: data file: {name!r}")
        source, start = _files.beside(path, name.removeprefix("./"), "data file"), 0
    encoding = fields["encoding"].lower()
    lines = _skip(path, fields, "lineskip")
    skip = _skip(path, fields, "byteskip")
    if lines < 0 or skip < -1 or (skip == -1 and encoding != "raw"):
        raise fail(path, f"line skip {lines} and byte skip {skip} make no sense with {encoding}")
    with source.open("rb") as file:
        file.seek(start)
        for _ in range(lines):
            if not file.readline():
                raise fail(source, f"line skip {lines} is beyond the end of the file")
        start = file.tell()
        if encoding == "raw":
            there = source.stat().st_size
            total = _files.count(path, shape) * dtype.itemsize
            _files.require(source, total + max(skip, 0), there - start)
            start = there - total if skip == -1 else start + skip
            return _files.read_raw(source, dtype, shape, start, mmap=mmap)
        if encoding in ("gzip", "gz"):
            return _files.inflate(source, file, dtype, shape, skip=skip)
        if encoding in ("bzip2", "bz2"):
            make, ratio = _Bzip2, _BZ2_RATIO
            return _files.inflate(source, file, dtype, shape, skip=skip, make=make, ratio=ratio)
        if encoding in ("text", "txt", "ascii"):
            return _text(source, file.read()[skip:], dtype, shape)
    raise fail(path, f"encoding must be raw, gzip, bzip2 or text, not {encoding[:20]!r}")


def _skip(path: Path, fields: dict[str, str], key: str) -> int:
    try:
        return int(fields.get(key, "0"))
    except ValueError:
        raise fail(path, f"{key} must be a whole number, not {fields[key][:20]!r}") from None


def _text(path: Path, words: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    total = _files.count(path, shape)
    _files.require(path, 2 * total - 1, len(words))
    numbers = words.split(None, total)[:total]
    if len(numbers) != total:
        raise fail(path, f"wanted {total} numbers as text, found {len(numbers)}")
    try:
        kind = float if dtype.kind == "f" else int
        return np.array([kind(v) for v in numbers], dtype.newbyteorder("=")).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise fail(
            path, f"the voxels must be numbers of type {dtype} ({_files.reason(error)})"
        ) from None


def _spatial_axes(path: Path, fields: dict[str, str], ndim: int) -> list[int]:
    """The file's spatial axes, fastest first."""
    if "spacedirections" in fields:
        found = [a for a, v in enumerate(_vectors(path, fields, ndim)) if v is not None]
    elif "kinds" in fields:
        kinds = fields["kinds"].lower().split()
        if len(kinds) != ndim:
            raise fail(path, f"kinds must have {ndim} entries, not {len(kinds)}")
        found = [a for a, kind in enumerate(kinds) if kind in _SPATIAL_KINDS]
    else:
        found = list(range(min(ndim, 3)))
    if not 1 <= len(found) <= 3:
        found = found[:3]
    if not found:
        raise fail(path, "the image must have two or three spatial axes, not none")
    return found


def _vectors(path: Path, fields: dict[str, str], ndim: int) -> list[list[float] | None]:
    entries = re.findall(r"none|\([^()]*\)", fields["spacedirections"].lower())
    if len(entries) != ndim:
        raise fail(path, f"space directions must have {ndim} entries, not {len(entries)}")
    return [None if e == "none" or "nan" in e else _vector(path, e) for e in entries]


def _vector(path: Path, text: str) -> list[float]:
    try:
        values = [float(v) for v in text.strip().strip("()").split(",")]
    except ValueError:
        values = []
    if not values or not np.isfinite(values).all():
        raise fail(path, f"a vector must be finite numbers in brackets, not {text[:60]!r}")
    return values


def _geometry(
    path: Path, fields: dict[str, str], spatial: list[int]
) -> tuple[list[float], list[float], NDArray[np.float64]]:
    """Spacing, origin and direction in array order, LPS, mm."""
    n = len(spatial)
    if "spacedirections" not in fields:
        return _plain_geometry(path, fields, spatial)
    matrix = [v for v in _vectors(path, fields, len(fields["sizes"].split())) if v is not None]
    origin = _vector(path, fields["spaceorigin"]) if "spaceorigin" in fields else [0.0] * n
    if any(len(v) != n for v in matrix[:n]) or len(origin) != n:
        raise fail(path, f"space directions and space origin must have {n} components each")
    sign = _signs(fields, n) * _unit(path, fields)
    columns = (np.array(matrix[:n]) * sign).T[::-1, ::-1]
    spacing = np.linalg.norm(columns, axis=0)
    if not spacing.all() or abs(np.linalg.det(columns / spacing)) < 1e-6:
        raise fail(path, f"space directions must be independent, not {fields['spacedirections']}")
    return list(spacing), list((np.array(origin) * sign)[::-1]), columns / spacing


def _signs(fields: dict[str, str], n: int) -> NDArray[np.float64]:
    """What turns x, y, z of the file's space into LPS."""
    return np.array(_TO_LPS.get(fields.get("space", "").lower(), (1, 1, 1))[:n], np.float64)


def _unit(path: Path, fields: dict[str, str]) -> float:
    """Millimetres in the unit of the space; an unknown unit counts as mm."""
    units = set(re.findall(r'"([^"]*)"', fields.get("spaceunits", "")))
    if len(units) > 1:
        raise fail(path, f"space units must be the same along all axes, not {sorted(units)}")
    return _UNITS.get(units.pop() if units else "", 1.0)


def _plain_geometry(
    path: Path, fields: dict[str, str], spatial: list[int]
) -> tuple[list[float], list[float], NDArray[np.float64]]:
    spacing = _per_axis(path, fields, "spacings", spatial, 1.0)
    if min(spacing) <= 0:
        raise fail(path, f"spacings must be positive, not {fields['spacings'][:60]!r}")
    if "spaceorigin" in fields:
        origin = _vector(path, fields["spaceorigin"])
        if len(origin) != len(spatial):
            raise fail(path, f"space origin must have {len(spatial)} components")
    else:
        origin = _per_axis(path, fields, "axismins", spatial, 0.0)
        centers = fields.get("centers", fields.get("centerings", "")).lower().split()
        for i, axis in enumerate(spatial):
            if "axismins" in fields and axis < len(centers) and centers[axis] == "cell":
                origin[i] += spacing[i] / 2
    sign = _signs(fields, len(spatial))
    direction = np.diag(sign[::-1])
    return spacing[::-1], list((np.array(origin) * sign)[::-1]), direction


def _per_axis(
    path: Path, fields: dict[str, str], key: str, spatial: list[int], default: float
) -> list[float]:
    if key not in fields:
        return [default] * len(spatial)
    try:
        values = [float(fields[key].split()[axis]) for axis in spatial]
    except (ValueError, IndexError):
        values = [np.nan]
    if not np.isfinite(values).all():
        raise fail(path, f"{key} must be a finite number per axis, not {fields[key][:60]!r}")
    return values


def write(path: Path, image: Image, *, level: int | None = None) -> None:
    """Write a NRRD file.

    Parameters
    ----------
    path : Path
        Ends in .nrrd.
    image : Image
        Integers and floats of 8 to 64 bits but float16; bool becomes uint8. Leading axes
        are stored after the spatial ones, as kind ``list``. Sheared grids are kept.
    level : int, optional
        Of gzip, 0 to 9. Default: not compressed.
    """
    if path.suffix.lower() == ".nhdr":
        raise fail(path, "a detached header is not written; write .nrrd")
    data = _files.contiguous(image.data)
    if data.dtype == bool:
        data = data.view(np.uint8)
    if data.dtype not in _WRITTEN:
        raise fail(path, f"NRRD has no type {data.dtype}; convert the image first")
    if data.ndim > 16 or data.size == 0:
        raise fail(path, f"NRRD holds 2 to 16 axes and at least one voxel, not {data.shape}")
    n = len(image.spacing)
    lead = data.ndim - n
    columns = (image.direction * image.spacing)[::-1, ::-1].T
    fields = {
        "type": _WRITTEN[data.dtype],
        "dimension": data.ndim,
        "space" if n == 3 else "space dimension": "left-posterior-superior" if n == 3 else n,
        "sizes": " ".join(map(str, data.shape[::-1])),
        "space directions": " ".join([*map(_bracketed, columns), *["none"] * lead]),
        "kinds": " ".join(["domain"] * n + ["list"] * lead),
        "endian": "little" if np.little_endian else "big",
        "encoding": "raw" if level is None else "gzip",
        "space units": " ".join(['"mm"'] * n),
        "space origin": _bracketed(np.array(image.origin[::-1])),
    }
    head = "NRRD0004\n" + "".join(f"{key}: {value}\n" for key, value in fields.items())
    with _files.replacing(path) as file:
        file.write(head.encode() + b"\n")
        if level is None:
            file.write(_files.raw_bytes(data))
        else:
            _blocks.deflate(file, [_files.raw_bytes(data)], level=level)


def _bracketed(vector: NDArray[np.float64]) -> str:
    return "(" + ",".join(repr(float(v)) for v in vector + 0.0) + ")"
