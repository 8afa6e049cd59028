"""NumPy's own files: .npy (voxels alone) and .npz (voxels and geometry)."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from . import _files
from ._files import fail

SUFFIXES = (".npy", ".npz")

_FIELDS = ("spacing", "origin", "direction")


def read(path: Path, *, mmap: bool = False) -> Image:
    """Read a .npy or .npz file; nothing in it is ever unpickled.

    Parameters
    ----------
    path : Path
        A .npz holds the array ``data``, or only one array, and may hold ``spacing``,
        ``origin`` and ``direction`` as in `Image`.
    mmap : bool
        Map the voxels of a .npy instead of reading them.

    Returns
    -------
    Image
        A .npy has no geometry: spacing 1, origin 0.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"PK"
        file.seek(0)
        if packed:
            return _read_npz(path)
        shape, fortran, dtype = _header(path, file)
        order = shape[::-1] if fortran else shape
        data = _files.read_raw(path, dtype, order, file.tell(), mmap=mmap)
    return _image(path, data.T if fortran else data, {})


def _header(path: Path, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(file)
        if version not in readers:
            raise ValueError(f"version {version} holds no image")
        shape, fortran, dtype = readers[version](file)
    except Exception as error:  # the header is Python text: its parser fails in many ways
        raise fail(path, f"the header of the array is broken ({_files.reason(error)})") from None
    if dtype.kind not in "biufc":
        raise fail(path, f"the array must hold numbers, not {dtype}")
    _files.count(path, shape or (0,))
    return shape, fortran, dtype


def _read_npz(path: Path) -> Image:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if "data" in members:
                name = "data"
            else:
                rest = [m for m in members if m not in _FIELDS]
                if len(rest) != 1:
                    raise fail(
                        path,
                        f"wanted an array named data, or only one; there are {_files.reason(rest)}",
                    )
                name = rest[0]
            data = _member(path, archive, members[name])
            fields = {m: _member(path, archive, members[m]) for m in _FIELDS if m in members}
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise fail(path, f"the archive is broken ({_files.reason(error)})") from None
    return _image(path, data, fields)


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    """One array of the archive, of the declared size and no more."""
    name = _files.reason(info.filename)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise fail(path, f"{name} is compressed in a way that NumPy does not write")
    there = min(info.compress_size, path.stat().st_size)
    ratio = 1 if info.compress_type == zipfile.ZIP_STORED else 1032
    try:
        with archive.open(info) as file:
            shape, fortran, dtype = _header(path, file)
            total = _files.count(path, shape) * dtype.itemsize
            _files.require(path, total, there * ratio, name)
            flat = np.empty(total // dtype.itemsize, dtype)
            view = flat.view(np.uint8).data
            at = 0
            while at < total and (chunk := file.read(min(1 << 19, total - at))):
                view[at : at + len(chunk)] = chunk
                at += len(chunk)
            _files.require(path, total, at, name)
            file.read(1)  # reaches the checksum
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, zlib.error) as error:
        if isinstance(error, _files.FormatError):
            raise
        raise fail(path, f"{name} is broken ({_files.reason(error)})") from None
    array = _files.native(flat)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _image(path: Path, data: NDArray[Any], fields: dict[str, NDArray[Any]]) -> Image:
    try:
        return Image(data, **fields, meta={"format": "NumPy"})
    except (TypeError, ValueError) as error:
        raise fail(path, str(error)) from None


def write(path: Path, image: Image, *, level: int | None = None) -> None:
    """Write a .npy or .npz file.

    Parameters
    ----------
    path : Path
        Ends in .npz, which keeps the geometry, or in .npy, which cannot: an image with a
        spacing other than 1 or an origin other than 0 is then refused.
    image : Image
        Any type of number.
    level : int, optional
        Any number compresses a .npz as NumPy does. Default: not compressed.
    """
    data = _files.contiguous(image.data)
    if path.suffix.lower() == ".npz":
        save = np.savez if level is None else np.savez_compressed
        with _files.replacing(path) as file:
            save(
                file,
                data=data,
                spacing=np.array(image.spacing),
                origin=np.array(image.origin),
                direction=image.direction,
            )
        return
    plain = Image(data)
    if len(plain.spacing) != len(image.spacing) or not np.array_equal(plain.affine, image.affine):
        raise fail(path, ".npy holds no geometry; write .npz, or just Image(image.data)")
    if level is not None:
        raise fail(path, ".npy is never compressed; write .npz")
    with _files.replacing(path) as file:
        np.save(file, data, allow_pickle=False)
