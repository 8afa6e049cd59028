"""DICOM: single files, enhanced multi-frame files, and series in a folder."""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from . import _files
from ._files import FormatError, fail, reason
from ._progress import Progress, counting

_PLAIN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")  # little endian, not compressed
_PIXELS = b"\xe0\x7f\x10\x00"
_EVEN = 0.01  # share of the spacing by which gaps may differ, for rounded positions
_EVEN_MM = 0.02
_TILT_DEGREES = 0.1
_RATIO = 1 << 20  # pixels to compressed bytes; a constant JPEG 2000 slice reaches 1e5


def is_dicom(start: bytes) -> bool:
    """Whether a file that starts so has the DICOM preamble."""
    return start[128:132] == b"DICM"


def _pydicom() -> Any:
    try:
        import pydicom
    except ImportError:
        raise _files.missing("pydicom", "reading DICOM") from None
    return pydicom


_lock = threading.Lock()
_silent = 0  # calls that are within `_silence`
_loud: tuple[Any, int]  # what they found


@contextmanager
def _silence() -> Iterator[None]:
    """Silence warnings, and the logger to which pydicom repeats each, and which prints them.

    Both belong to the process: the first of several threads silences them, the last to leave puts
    them back.
    """
    global _silent, _loud
    logger = logging.getLogger("pydicom")
    with _lock:
        if not _silent:
            _loud = warnings.filters, logger.level
            warnings.filters = [("ignore", None, Warning, None, 0)]
            logger.setLevel(logging.CRITICAL)
        _silent += 1
    try:
        # Where Python has no lock, each thread may have filters of its own.
        own = getattr(sys.flags, "context_aware_warnings", False)
        with warnings.catch_warnings(action="ignore") if own else nullcontext():
            yield
    finally:
        with _lock:
            _silent -= 1
            if not _silent:
                warnings.filters, level = _loud
                logger.setLevel(level)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Whatever pydicom or a decoder raises about this file becomes a `FormatError`."""
    try:
        with _silence():
            yield
    except (FormatError, OSError, KeyboardInterrupt):
        raise
    except ImportError as error:
        raise ImportError(f'{path}: {reason(error)}. pip install "voxkern[io]"') from None
    except Exception as error:
        raise fail(
            path, f"not readable as DICOM ({type(error).__name__}: {reason(error)})"
        ) from None


@dataclass
class _Slice:
    """One file of a series, or one frame: its header, where it lies, how to get its pixels."""

    path: Path
    header: Any
    place: int  # of the PixelData element in the file, or -1
    position: NDArray[np.float64]
    along: float = 0.0


def read(path: Path) -> Image:
    """Read one DICOM file.

    Parameters
    ----------
    path : Path
        An image of one or several frames, compressed or not.

    Returns
    -------
    Image
        Shape ``([colour,] [time,] z, rows, columns)``; a single slice has z = 1.

    Notes
    -----
    Stored values become ``RescaleSlope * value + RescaleIntercept``: integers while both
    are whole numbers (int16 if it suffices, else int32), else float32, else float64 for
    voxels of 32 bits. MONOCHROME1 is not inverted: ``meta["photometric"]`` says it. YBR
    and palette colours become RGB.

    The spacing is that of ``PixelSpacing``, else ``ImagerPixelSpacing`` or
    ``NominalScannedPixelSpacing``, else the ultrasound region's, else 1; between slices,
    ``SpacingBetweenSlices``, else ``SliceThickness``, else 1. Frames with positions of
    their own (enhanced CT and MR, dose) make a volume; frames without are time.
    """
    header, place = _open(path)
    with _named(path):
        _refuse(path, header)
        frames = int(header.get("NumberOfFrames", 1) or 1)
        if frames > 1 or "PerFrameFunctionalGroupsSequence" in header:
            return _multi_frame(path, header, place, frames)
        data = _rescaled(path, header, _pixels(path, header, place))
        axes = _axes(path, header)
        row, column = _in_plane(path, header)
        between = _between(header)
        origin = _position(path, header)
        colour = data.ndim == 3
        data = np.moveaxis(data, -1, 0)[:, None] if colour else data[None]
        data = np.ascontiguousarray(data)
        return _image(data, (between, row, column), origin, axes, _meta(header, colour))


def read_dicom_series(
    directory: str | os.PathLike[str],
    series_uid: str | None = None,
    on_irregular: str = "raise",
    *,
    progress: bool | Callable[[int, int], object] = False,
) -> Image:
    """Read the slices of one DICOM series in a folder as a volume.

    Parameters
    ----------
    directory : path
        A folder; what lies in folders below is not read, and files that are not DICOM
        images are passed over.
    series_uid : str, optional
        The SeriesInstanceUID to read. Needed if the folder holds several.
    on_irregular : {'raise', 'resample'}
        What to do if the slices do not form a regular upright grid: gaps of different
        size, or a tilted gantry. 'resample' interpolates linearly onto one.
    progress : bool or callable
        True shows a bar; a callable is called as
        ``progress(done, total)`` after every file.

    Returns
    -------
    Image
        Shape ``([colour,] slices, rows, columns)``. Slices are in the order of their
        position along the normal of the slices, and the spacing between them comes from
        the positions, never from ``SliceThickness`` or the names of the files.

    Raises
    ------
    FormatError
        If there are no images, or several series (they are listed); if slices differ in
        size, orientation or pixel spacing; if two have the same place; if, with
        ``on_irregular='raise'``, slices are missing or uneven or the gantry is tilted.
    ImportError
        If pydicom is missing.

    Notes
    -----
    Gaps count as even within 1 % or 0.02 mm, since positions are rounded decimals. The
    gantry counts as tilted above 0.1 degrees. Resampled slices keep the median spacing;
    places that a tilted slice does not reach get the least value of the series.

    Examples
    --------
    >>> voxkern.read_dicom_series("study/3", on_irregular="resample")  # doctest: +SKIP
    """
    directory = Path(directory)
    if on_irregular not in ("raise", "resample"):
        raise ValueError(f"on_irregular must be 'raise' or 'resample', not {on_irregular!r}")
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory}: wanted a folder of DICOM files")
    _pydicom()
    files = sorted(p for p in directory.iterdir() if p.is_file())
    step = counting(progress, 2 * len(files), "reading DICOM")
    with _named(directory):
        slices = _one_series(directory, _headers(files, step), series_uid)
        if len(slices) == 1:
            return read(slices[0].path)
        if int(slices[0].header.get("NumberOfFrames", 1) or 1) > 1:
            raise fail(
                directory,
                f"the series has {len(slices)} multi-frame files; read each file by itself",
            )
        axes = _sort(directory, slices)
        _check_duplicates(directory, slices)
        irregular = _irregularities(slices)
        if irregular and on_irregular == "raise":
            raise fail(directory, f"{'; '.join(irregular)} (on_irregular='resample' interpolates)")
        data = _stack(directory, slices, step)
    header = slices[0].header
    row, column = _in_plane(slices[0].path, header)
    colour = data.ndim == 4
    if colour:
        data = np.ascontiguousarray(np.moveaxis(data, -1, 0))
    meta = _meta(header, colour)
    along = np.array([s.along for s in slices])
    if irregular:
        return _regular(slices, data, along, axes, (row, column), meta)
    between = float(along[-1] - along[0]) / (len(slices) - 1)
    return _image(data, (between, row, column), slices[0].position, axes, meta)


def _open(path: Path) -> tuple[Any, int]:
    """The header without pixels, and the place of the pixels if they lie plainly in the file."""
    pydicom = _pydicom()
    with _named(path), path.open("rb") as file:
        start = file.read(132)
        file.seek(0)
        header = pydicom.dcmread(file, stop_before_pixels=True, force=not is_dicom(start))
        place = file.tell()
        file.seek(place)
        if file.read(4) != _PIXELS:
            place = -1
        if not is_dicom(start) and "Rows" not in header and "SOPClassUID" not in header:
            raise fail(path, f"wanted a DICOM file, this starts with {start[:8]!r}")
        # Every later step reads these; a value that does not parse fails here, by name.
        for keyword in ("Rows", "Columns", "NumberOfFrames", "BitsAllocated", "SeriesInstanceUID"):
            header.get(keyword)
    return header, place


def _refuse(path: Path, header: Any) -> None:
    """Refuse what is not an image, or not one that has an answer here."""
    if "Rows" not in header or "Columns" not in header:
        kind = header.get("Modality") or getattr(header.get("SOPClassUID"), "name", "unknown")
        raise fail(path, f"wanted an image, this DICOM object ({reason(kind)}) has no pixels")
    kinds = [str(v).upper() for v in np.atleast_1d(header.get("ImageType", []))]
    if "MOSAIC" in kinds:
        tiles = header.get((0x0019, 0x100A))
        number = f" of {tiles.value} slices" if tiles is not None else ""
        raise fail(
            path,
            f"a Siemens mosaic{number} is not read; convert it with dcm2niix or export it enhanced",
        )
    if "TotalPixelMatrixRows" in header:
        raise fail(path, "a tiled whole-slide image is not read")


def _headers(files: list[Path], step: Callable[[], None]) -> list[_Slice]:
    found = []
    for path in files:
        try:
            header, place = _open(path)
            if "Rows" in header and "Columns" in header:
                found.append(_Slice(path, header, place, np.zeros(3)))
        except FormatError:  # not DICOM: a folder may hold anything
            if path.suffix.lower() in (".dcm", ".dicom", ".ima"):
                raise
        step()
    return found


def _one_series(directory: Path, found: list[_Slice], uid: str | None) -> list[_Slice]:
    series = defaultdict(list)
    for item in found:
        series[str(item.header.get("SeriesInstanceUID", ""))].append(item)
    if not series:
        below = any(p.is_dir() for p in directory.iterdir())
        rest = ", and folders below it are not read" if below else ""
        raise fail(directory, f"wanted DICOM images, there are none in this folder{rest}")
    listed = "".join(
        f"\n  {name or '(no UID)'}: {len(items)} files "
        f"{items[0].header.get('SeriesDescription', '')}".rstrip()
        for name, items in series.items()
    )
    if uid is not None:
        if uid not in series:
            raise fail(directory, f"no series {uid!r}; the folder holds{listed}")
        chosen = series[uid]
    elif len(series) > 1:
        raise fail(directory, f"the folder holds {len(series)} series, give series_uid:{listed}")
    else:
        chosen = next(iter(series.values()))
    for item in chosen:
        _refuse(item.path, item.header)
    return chosen


def _sort(directory: Path, slices: list[_Slice]) -> NDArray[np.float64]:
    """Order by place along the normal; all must have one shape, orientation and spacing."""
    first = slices[0]
    for item in slices:
        if (
            "ImagePositionPatient" not in item.header
            or "ImageOrientationPatient" not in item.header
        ):
            raise fail(item.path, "a slice of a series must have a position and an orientation")
    axes = _axes(first.path, first.header)
    plane = _in_plane(first.path, first.header)
    for item in slices:
        for keyword in ("Rows", "Columns", "SamplesPerPixel"):
            if item.header.get(keyword) != first.header.get(keyword):
                raise fail(
                    item.path,
                    f"{keyword} must be {first.header.get(keyword)} as in {first.path.name}, "
                    f"not {item.header.get(keyword)}",
                )
        if np.abs(_axes(item.path, item.header) - axes).max() > 1e-3:
            raise fail(
                item.path,
                f"ImageOrientationPatient must be {list(first.header.ImageOrientationPatient)} "
                f"as in {first.path.name}, not {list(item.header.ImageOrientationPatient)}",
            )
        if not np.allclose(_in_plane(item.path, item.header), plane, rtol=1e-4, atol=0):
            raise fail(item.path, f"PixelSpacing must be {plane} as in {first.path.name}")
        item.position = _position(item.path, item.header)
        item.along = float(item.position @ axes[:, 0])
    slices.sort(key=lambda item: item.along)
    return axes


def _check_duplicates(directory: Path, slices: list[_Slice]) -> None:
    groups: list[list[_Slice]] = [[slices[0]]]
    for item in slices[1:]:
        if item.along - groups[-1][0].along < 1e-3:
            groups[-1].append(item)
        else:
            groups.append([item])
    if len(groups) == len(slices):
        return
    counts = {len(g) for g in groups}
    if len(counts) == 1:
        raise fail(
            directory,
            f"each of {len(groups)} places along the normal holds {counts.pop()} slices: a series "
            "in time, or of several echoes, is not one volume",
        )
    worst = next(g for g in groups if len(g) > 1)
    names = ", ".join(s.path.name for s in worst[:4])
    twice = sum(len(g) > 1 for g in groups)
    raise fail(
        directory,
        f"{twice} of {len(groups)} places hold more than one slice, the first at "
        f"{worst[0].along:.3f} mm: {names}",
    )


def _irregularities(slices: list[_Slice]) -> list[str]:
    """What keeps the slices from forming a regular upright grid, in words and numbers."""
    problems = []
    along = np.array([s.along for s in slices])
    gaps = np.diff(along)
    step = float(np.median(gaps))
    uneven = np.flatnonzero(np.abs(gaps - step) > max(_EVEN_MM, _EVEN * step))
    if uneven.size:
        lost = int(np.maximum(np.rint(gaps[uneven] / step) - 1, 0).sum())
        k = int(uneven[0])
        problems.append(
            f"{uneven.size} of {gaps.size} gaps between slices differ from {step:.4g} mm"
            + (f" ({lost} slices seem to be missing)" if lost else "")
            + f", the first is {gaps[k]:.4g} mm from {slices[k].path.name} to "
            f"{slices[k + 1].path.name}"
        )
    angle = _tilt(slices)
    if angle > _TILT_DEGREES:
        problems.append(f"the gantry is tilted by {angle:.2f} degrees")
    return problems


def _tilt(slices: list[_Slice]) -> float:
    """Angle in degrees between the normal of the slices and the line of their corners."""
    line = slices[-1].position - slices[0].position
    length = float(np.linalg.norm(line))
    rise = slices[-1].along - slices[0].along
    sideways = max(length**2 - rise**2, 0.0) ** 0.5
    return float(np.degrees(np.arctan2(sideways, rise))) if sideways > _EVEN_MM else 0.0


def _stack(directory: Path, slices: list[_Slice], step: Callable[[], None]) -> NDArray[Any]:
    planes = []
    for item in slices:
        with _named(item.path):
            planes.append(
                _rescaled(item.path, item.header, _pixels(item.path, item.header, item.place))
            )
        step()
    dtype = np.result_type(*{p.dtype for p in planes})
    out = np.empty((len(planes), *planes[0].shape), dtype)
    for k, plane in enumerate(planes):
        out[k] = plane
    return out


def _regular(
    slices: list[_Slice],
    data: NDArray[Any],
    along: NDArray[np.float64],
    axes: NDArray[np.float64],
    plane: tuple[float, float],
    meta: dict[str, Any],
) -> Image:
    """Slices interpolated linearly onto an upright grid of even spacing."""
    positions = np.stack([s.position for s in slices])
    offset = (positions - positions[0]) @ axes[:, 1:] / plane  # in voxels, along rows and columns
    low = np.floor(offset.min(axis=0) + 1e-6).astype(int)
    extra = np.ceil(offset.max(axis=0) - 1e-6).astype(int) - low
    *lead, depth, rows, columns = data.shape
    fill = data.min()
    upright = np.full((*lead, depth, rows + extra[0], columns + extra[1]), fill, np.float32)
    if data.dtype.itemsize > 2:
        upright = upright.astype(np.float64)
    for k in range(depth):
        upright[..., k, :, :] = _shifted(data[..., k, :, :], offset[k] - low, extra, float(fill))
    step = float(np.median(np.diff(along)))
    places = np.arange(along[0], along[-1] + 0.01 * step, step)
    right = np.clip(np.searchsorted(along, places), 1, depth - 1)
    share = np.clip((places - along[right - 1]) / (along[right] - along[right - 1]), 0, 1)
    planes = [
        upright[..., r - 1, :, :] * (1 - s) + upright[..., r, :, :] * s
        for r, s in zip(right, share, strict=True)
    ]
    even = np.stack(planes, axis=-3)
    if data.dtype.kind in "iu":
        even = np.rint(even)
    origin = positions[0] + axes[:, 1:] @ (low * np.array(plane))
    meta = {**meta, "resampled": True}
    return _image(even.astype(data.dtype), (step, *plane), origin, axes, meta)


def _shifted(
    plane: NDArray[Any], shift: NDArray[np.float64], extra: NDArray[Any], fill: float
) -> NDArray[Any]:
    """A slice moved by a shift of not less than zero, in voxels, into a larger frame."""
    out = np.asarray(plane, np.float64)
    for axis in (-2, -1):
        whole = int(np.floor(shift[axis] + 1e-9))
        part = float(shift[axis]) - whole
        room = int(extra[axis])
        before = [(0, 0)] * out.ndim
        before[axis] = (whole, room - whole)
        moved = np.pad(out, before, constant_values=fill)
        if part > 1e-9:
            later = np.roll(moved, 1, axis)
            edge: list[Any] = [slice(None)] * out.ndim
            edge[axis] = 0
            later[tuple(edge)] = fill
            moved = moved * (1 - part) + later * part
        out = moved
    return out


def _multi_frame(path: Path, header: Any, place: int, frames: int) -> Image:
    data = _pixels(path, header, place)
    shape = (int(header.Rows), int(header.Columns))
    colour = int(header.get("SamplesPerPixel", 1)) > 1 or data.shape[-2:] != shape
    data = (
        data.reshape(frames, *shape, *data.shape[len(data.shape) - 1 :])
        if colour
        else data.reshape(frames, *shape)
    )
    if "PerFrameFunctionalGroupsSequence" in header:
        return _enhanced(path, header, data, frames)
    data = _rescaled(path, header, data)
    axes = _axes(path, header)
    origin = _position(path, header)
    row, column = _in_plane(path, header)
    meta = _meta(header, colour)
    if "GridFrameOffsetVector" in header:  # the planes of a dose
        offsets = np.asarray(header.GridFrameOffsetVector, np.float64)
        if offsets.size != frames:
            raise fail(
                path, f"GridFrameOffsetVector must have {frames} entries, not {offsets.size}"
            )
        gaps = np.diff(offsets)
        if np.abs(gaps - gaps[0]).max() > max(_EVEN_MM, _EVEN * abs(gaps[0])) or gaps[0] == 0:
            raise fail(path, f"the planes of the dose must be evenly spaced, not {list(offsets)}")
        if gaps[0] < 0:
            data, origin = data[::-1], origin + axes[:, 0] * (offsets[-1] - offsets[0])
        return _image(
            np.ascontiguousarray(data), (abs(float(gaps[0])), row, column), origin, axes, meta
        )
    if "SpacingBetweenSlices" in header and "ImageOrientationPatient" in header:
        return _image(data, (_between(header), row, column), origin, axes, meta)
    series = np.moveaxis(data, -1, 0)[:, :, None] if colour else data[:, None]
    return _image(np.ascontiguousarray(series), (_between(header), row, column), origin, axes, meta)


def _enhanced(path: Path, header: Any, data: NDArray[Any], frames: int) -> Image:
    """Frames that each say where they lie, in the functional groups of enhanced objects."""
    groups = header.PerFrameFunctionalGroupsSequence
    if len(groups) != frames:
        raise fail(
            path, f"PerFrameFunctionalGroupsSequence must have {frames} items, not {len(groups)}"
        )
    if data.ndim != 3:
        raise fail(path, "enhanced frames in colour are not read")
    shared = (header.get("SharedFunctionalGroupsSequence") or [None])[0]
    slices, planes = [], []
    for k, group in enumerate(groups):
        frame = _FrameHeader(header, group, shared)
        slices.append(_Slice(path.with_name(f"{path.name}[frame {k + 1}]"), frame, k, np.zeros(3)))
        planes.append(_rescaled(path, frame, data[k]))
    axes = _sort(path, slices)
    row, column = _in_plane(path, slices[0].header)
    if frames == 1:
        between = _between(slices[0].header)
    else:
        _check_duplicates(path, slices)
        if problems := _irregularities(slices):
            raise fail(path, "; ".join(problems))
        between = (slices[-1].along - slices[0].along) / (frames - 1)
    stack = np.stack([planes[s.place] for s in slices])
    return _image(stack, (between, row, column), slices[0].position, axes, _meta(header, False))


class _FrameHeader:
    """The attributes of one frame: its own, else the shared ones, else the file's."""

    _GROUPS = (
        "PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence",
        "PixelValueTransformationSequence",
    )  # fmt: skip

    def __init__(self, header: Any, frame: Any, shared: Any) -> None:
        sources = [source for source in (frame, shared) if source is not None]
        self._parts = [
            source[name][0]
            for source in sources
            for name in self._GROUPS
            if name in source and len(source[name].value)
        ]
        self._parts.append(header)

    def __contains__(self, keyword: str) -> bool:
        return any(keyword in part for part in self._parts)

    def get(self, keyword: str, default: Any = None) -> Any:
        """Value of an attribute, or the default."""
        for part in self._parts:
            if keyword in part:
                return part.get(keyword)
        return default

    def __getattr__(self, keyword: str) -> Any:
        if keyword.startswith("_") or keyword not in self:
            raise AttributeError(keyword)
        return self.get(keyword)


def _pixels(path: Path, header: Any, place: int) -> NDArray[Any]:
    """Stored values, decoded; colours last, as RGB."""
    samples = int(header.get("SamplesPerPixel", 1))
    shape = [int(header.Rows), int(header.Columns)]
    frames = int(header.get("NumberOfFrames", 1) or 1)
    _files.count(path, [*shape, frames, samples])
    syntax = (
        str(getattr(header.file_meta, "TransferSyntaxUID", ""))
        if hasattr(header, "file_meta")
        else ""
    )
    plain = syntax in _PLAIN and samples == 1 and place >= 0
    if (
        plain
        and int(header.BitsAllocated) in (8, 16, 32)
        and "PALETTE" not in str(header.get("PhotometricInterpretation"))
    ):
        data = _plain_pixels(path, header, place, frames, shape, syntax)
    else:
        data = _decoded_pixels(path, header, frames * shape[0] * shape[1] * samples)
        data = data.astype(data.dtype.newbyteorder("="), copy=False)
    return _stored_bits(path, header, data) if data.dtype.kind in "iu" and samples == 1 else data


def _plain_pixels(
    path: Path, header: Any, place: int, frames: int, shape: list[int], syntax: str
) -> NDArray[Any]:
    kind = "i" if int(header.get("PixelRepresentation", 0)) else "u"
    dtype = np.dtype(f"<{kind}{int(header.BitsAllocated) // 8}")
    start = place + (8 if syntax == _PLAIN[0] else 12)
    full = (*([frames] if frames > 1 else []), *shape)
    return _files.read_raw(path, dtype, full, start)


def _decoded_pixels(path: Path, header: Any, samples: int) -> NDArray[Any]:
    pydicom = _pydicom()
    whole = pydicom.dcmread(path, force=True)
    if (
        "PixelData" not in whole
        and "FloatPixelData" not in whole
        and "DoubleFloatPixelData" not in whole
    ):
        raise fail(path, "wanted an image, the file ends before its pixels")
    if not hasattr(whole.file_meta, "TransferSyntaxUID"):
        implicit = whole.original_encoding[0]
        whole.file_meta.TransferSyntaxUID = _PLAIN[0 if implicit else 1]
    stored = len(whole.get("PixelData", b"")) or path.stat().st_size
    compressed = whole.file_meta.TransferSyntaxUID.is_compressed
    bits = int(whole.get("BitsAllocated", 8))
    wanted = samples * bits // 8
    if "422" in str(whole.get("PhotometricInterpretation")):
        wanted = wanted * 2 // 3
    _files.require(path, wanted, stored * _RATIO if compressed else stored, "pixels")
    data = np.asarray(whole.pixel_array)
    if data.size != samples:
        raise fail(path, f"wanted {samples} samples, the pixels hold {data.size}")
    if str(whole.get("PhotometricInterpretation")) == "PALETTE COLOR":
        data = pydicom.pixels.apply_color_lut(data, whole)
        if data.dtype == np.uint16 and not (data & 0xFF).any():
            data = (data >> 8).astype(np.uint8)
    return data


def _stored_bits(path: Path, header: Any, data: NDArray[Any]) -> NDArray[Any]:
    """Clear what lies above the stored bits (old overlays); extend the sign of signed values."""
    allocated = 8 * data.dtype.itemsize
    stored = int(header.get("BitsStored", allocated))
    if not 0 < stored < allocated or stored == 1:
        return data
    low = int(header.get("HighBit", stored - 1)) + 1 - stored
    up = allocated - stored - low
    if low < 0 or up < 0:
        raise fail(path, f"HighBit {header.get('HighBit')} must fit {stored} bits in {allocated}")
    if data.dtype.kind == "u" and low == 0:
        return data & data.dtype.type((1 << stored) - 1)
    return (data << up) >> (up + low)


def _rescaled(path: Path, header: Any, data: NDArray[Any]) -> NDArray[Any]:
    if "DoseGridScaling" in header:
        slope, inter = float(header.get("DoseGridScaling")), 0.0
    else:
        slope = float(header.get("RescaleSlope", 1) or 1)
        inter = float(header.get("RescaleIntercept", 0) or 0)
    if not np.isfinite([slope, inter]).all():
        raise fail(path, f"RescaleSlope and RescaleIntercept must be finite, not {slope}, {inter}")
    if "ModalityLUTSequence" in header and "RescaleSlope" not in header:
        return np.asarray(_pydicom().pixels.apply_modality_lut(data, header))
    if (slope, inter) == (1, 0):
        return data
    if data.dtype.kind == "f":
        return (data * np.float64(slope) + inter).astype(data.dtype)
    if not (slope.is_integer() and inter.is_integer()):
        wide = data * np.float64(slope) + inter
        return wide.astype(np.float32) if data.dtype.itemsize <= 2 else wide
    stored = int(header.get("BitsStored", 8 * data.dtype.itemsize))
    signed = data.dtype.kind == "i"
    ends = [-(1 << stored - 1), (1 << stored - 1) - 1] if signed else [0, (1 << stored) - 1]
    reach = [int(slope) * e + int(inter) for e in ends]
    for kind in (np.int16, np.int32):
        if min(reach) >= np.iinfo(kind).min and max(reach) <= np.iinfo(kind).max:
            whole: NDArray[Any] = data.astype(kind)
            whole *= int(slope)
            whole += int(inter)
            return whole
    return data * np.float64(slope) + inter


def _axes(path: Path, header: Any) -> NDArray[np.float64]:
    """Unit vectors of slice, row index and column index as columns; world (x, y, z)."""
    if "ImageOrientationPatient" not in header:
        return np.eye(3)[:, ::-1]
    cosines = _decimals(path, header, "ImageOrientationPatient", 6)
    x, y = cosines[:3], cosines[3:]
    lengths = np.linalg.norm(x), np.linalg.norm(y)
    if min(lengths) < 0.99 or max(lengths) > 1.01 or abs(x @ y) > 0.01:
        raise fail(
            path, f"ImageOrientationPatient must be two perpendicular unit vectors, not {cosines}"
        )
    x = x / lengths[0]
    y = y / lengths[1]
    normal = np.cross(x, y)
    return np.stack([normal / np.linalg.norm(normal), y, x], axis=1)


def _position(path: Path, header: Any) -> NDArray[np.float64]:
    if "ImagePositionPatient" not in header:
        return np.zeros(3)
    return _decimals(path, header, "ImagePositionPatient", 3)


def _in_plane(path: Path, header: Any) -> tuple[float, float]:
    """Distance between rows and between columns, in mm."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        if header.get(keyword):
            row, column = _decimals(path, header, keyword, 2)
            if min(row, column) <= 0:
                raise fail(path, f"{keyword} must be positive, not {[float(row), float(column)]}")
            return float(row), float(column)
    regions = header.get("SequenceOfUltrasoundRegions") or []
    if len(regions) == 1 and regions[0].get("PhysicalUnitsXDirection") == 3:  # cm
        row, column = (abs(10 * float(regions[0].get(f"PhysicalDelta{a}", 0))) for a in "YX")
        if min(row, column) > 0:
            return row, column
    return 1.0, 1.0


def _between(header: Any) -> float:
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        value = abs(float(header.get(keyword) or 0))
        if np.isfinite(value) and value > 0:
            return value
    return 1.0


def _decimals(path: Path, header: Any, keyword: str, n: int) -> NDArray[np.float64]:
    raw = header.get(keyword)
    try:
        values = np.array([float(v) for v in raw])
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.size != n or not np.isfinite(values).all():
        raise fail(path, f"{keyword} must be {n} numbers, not {raw}")
    return values


def _image(
    data: NDArray[Any],
    spacing: tuple[float, float, float],
    position: NDArray[np.float64],
    axes: NDArray[np.float64],
    meta: dict[str, Any],
) -> Image:
    """`position` and the columns of `axes` are (x, y, z); an Image is (z, y, x)."""
    return Image(data, spacing, tuple(position[::-1]), axes[::-1], meta)


def _meta(header: Any, colour: bool) -> dict[str, Any]:
    meta: dict[str, Any] = {"format": "DICOM"}
    for key, keyword in (
        ("modality", "Modality"),
        ("series_uid", "SeriesInstanceUID"),
        ("description", "SeriesDescription"),
        ("units", "Units"),
        ("rescale_type", "RescaleType"),
    ):
        if value := header.get(keyword):
            meta[key] = str(value)
    meta["photometric"] = "RGB" if colour else str(header.get("PhotometricInterpretation", ""))
    return meta


__all__ = ["Progress", "is_dicom", "read", "read_dicom_series"]
