"""Reading and writing of medical images: NIfTI, NRRD, MetaImage, NumPy and DICOM.

`read` finds the format by the content of the file, `write` by the name. NumPy alone is
enough for all but DICOM, which needs pydicom: ``pip install "voxkern[io]"``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..image import Image
from . import _files, metaimage, nifti, npy, nrrd
from ._files import FormatError
from .dicom import read_dicom_series

__all__ = ["FormatError", "read", "read_dicom_series", "write"]

_WRITERS = {
    suffix: module for module in (nifti, nrrd, metaimage, npy) for suffix in module.SUFFIXES
}


def read(path: str | os.PathLike[str], *, mmap: bool = False, progress: Any = False) -> Image:
    """Read an image from a file, or a DICOM series from a folder.

    Parameters
    ----------
    path : path
        A .nii, .nii.gz, .hdr, .nrrd, .nhdr, .mha, .mhd, .npy, .npz or DICOM file under
        any name, or a folder that holds one DICOM series.
    mmap : bool
        Map the voxels of an uncompressed file copy-on-write instead of reading them.
        Compressed, scaled, byte-swapped and DICOM voxels are read all the same.
    progress : bool or callable
        For a folder; as in `read_dicom_series`.

    Returns
    -------
    Image
        LPS, mm, axes ``([channel, time,] z, y, x)``. Axes that are not spatial come
        first. ``image.meta["format"]`` names the format.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    FormatError
        If the file is broken, cut off, or of a kind that is not read; the message names
        the file, what is wanted and what came. It is a `ValueError`.
    ImportError
        If the file is DICOM and pydicom is missing.

    See Also
    --------
    read_dicom_series : several series in a folder, irregular slices.

    Examples
    --------
    >>> voxkern.write("scan.nii.gz", voxkern.Image(np.zeros((4, 6, 6)), spacing=(3, 1, 1)))
    >>> image = voxkern.read("scan.nii.gz")
    >>> image.shape, image.spacing
    ((4, 6, 6), (3.0, 1.0, 1.0))
    """
    path = Path(path)
    if path.is_dir():
        return read_dicom_series(path, progress=progress)
    with path.open("rb") as file:
        start = file.read(540)
        if not start:
            raise _files.fail(path, "wanted an image, the file is empty")
        if start[:2] == b"\x1f\x8b":
            file.seek(0)
            start = _files.first_inflated(path, file, 540)
            if not nifti.is_header(start):
                raise _files.fail(
                    path, "of gzip files only NIfTI is read; this holds something else"
                )
    return _guarded(path, start, mmap)


def _guarded(path: Path, start: bytes, mmap: bool) -> Image:
    try:
        with np.errstate(all="ignore"):
            return _dispatch(path, start, mmap)
    except FormatError:
        raise
    except MemoryError:
        raise _files.fail(path, "the declared image does not fit in memory") from None
    except (TypeError, ValueError) as error:  # what Image refuses
        raise _files.fail(path, str(error)) from None


def _dispatch(path: Path, start: bytes, mmap: bool) -> Image:
    if nifti.is_header(start):
        return nifti.read(path, mmap=mmap)
    if nrrd.is_header(start):
        return nrrd.read(path, mmap=mmap)
    if start.startswith((b"\x93NUMPY", b"PK\3\4")):
        return npy.read(path, mmap=mmap)
    if metaimage.is_header(start):
        return metaimage.read(path, mmap=mmap)
    from . import dicom

    if dicom.is_dicom(start) or path.suffix.lower() in ("", ".dcm", ".dicom", ".ima"):
        return dicom.read(path)
    raise _files.fail(
        path,
        f"wanted NIfTI, NRRD, MetaImage, NumPy or DICOM, the file starts with {start[:8]!r}",
    )


def write(path: str | os.PathLike[str], image: Image, *, level: int | None = None) -> None:
    """Write an image to a file, whole or not at all.

    Parameters
    ----------
    path : path
        Its ending says the format: .nii, .nii.gz, .nrrd, .mha, .mhd, .npy or .npz.
    image : Image
        The voxels and their place. What the format cannot hold is refused; masks of bool
        become uint8, but not in .npy and .npz.
    level : int, optional
        Of the compression, 0 to 9, for .nii.gz, .nrrd, .mha, .mhd and .npz. Default: 1
        for .nii.gz, and no compression for the others.

    Raises
    ------
    FormatError
        If the ending is unknown, or the format cannot hold the type, the number of axes
        or the geometry of the image. Nothing is written then.
    TypeError
        If `image` is not an `Image`, or its voxels are on a GPU.

    Notes
    -----
    The file is written under another name in the same folder and then renamed, so a
    reader sees the old file or the new one. Equal images give equal files.

    Examples
    --------
    >>> scan = voxkern.Image(np.zeros((4, 6, 6)), spacing=(3, 1, 1))
    >>> voxkern.write("scan.nrrd", scan)
    >>> bool((voxkern.read("scan.nrrd").data == scan.data).all())
    True
    """
    path = Path(path)
    if not isinstance(image, Image):
        raise TypeError(
            f"image must be an Image, not {type(image).__name__}: Image(array, spacing=...)"
        )
    if level is not None and not (isinstance(level, (int, np.integer)) and 0 <= level <= 9):
        raise ValueError(f"level must be a whole number from 0 to 9, not {level!r}")
    name = path.name.lower()
    for suffix in sorted(_WRITERS, key=len, reverse=True):
        if name.endswith(suffix):
            _WRITERS[suffix].write(path, image, level=level)
            return
    raise _files.fail(path, f"the name must end in one of {', '.join(_WRITERS)}")
