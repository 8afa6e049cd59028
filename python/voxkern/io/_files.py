"""What every format needs: one error, bounded reading, and writing all or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from . import _blocks
from ._blocks import Inflater, decompressor

_OUT = 1 << 19  # bytes inflated at a time: stays in the cache until it is copied away
_DEFLATE_RATIO = 1032  # deflate cannot pack tighter (258 bytes in 2 bits)


class FormatError(ValueError):
    """A file that is not what it says, or an image that a format cannot hold.

    The message names the file, what is wanted and what came.
    """


def fail(path: Path, problem: str) -> FormatError:
    """Error about one file."""
    return FormatError(f"{path}: {problem}")


def reason(error: object) -> str:
    """What a library says about a file, in a line; some of them quote all of the file."""
    text = "".join(c if c.isprintable() else " " for c in str(error))
    return text if len(text) < 200 else f"{text[:200]} ..."


def count(path: Path, shape: Sequence[int]) -> int:
    """Number of samples of a declared shape, which must be positive along each axis."""
    total = 1
    for size in shape:
        if size < 1:
            raise fail(path, f"sizes must be positive, not {tuple(shape)}")
        total *= int(size)
    if total > 1 << 62:
        raise fail(path, f"sizes {tuple(shape)} are beyond any file")
    return total


def require(path: Path, wanted: int, there: int, what: str = "voxels") -> None:
    """Refuse a file that is too short for what its header declares."""
    if wanted > there:
        there = max(there, 0)
        raise fail(path, f"the header declares {wanted} bytes of {what}, the file holds {there}")


def read_raw(
    path: Path, dtype: np.dtype[Any], shape: Sequence[int], offset: int, *, mmap: bool = False
) -> NDArray[Any]:
    """Array stored as plain bytes at an offset; mapped copy-on-write if `mmap`."""
    total = count(path, shape)
    require(path, total * dtype.itemsize, path.stat().st_size - offset)
    if mmap and dtype.isnative:
        return np.memmap(path, dtype, "c", offset, tuple(shape))
    flat = np.fromfile(path, dtype, total, offset=offset)
    if flat.size != total:
        raise fail(path, f"ended after {flat.size} of {total} samples")
    return native(flat).reshape(shape)


def native(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in the byte order of this machine, swapped in place."""
    if array.dtype.isnative:
        return array
    return array.byteswap(inplace=True).view(array.dtype.newbyteorder("="))


def inflate(
    path: Path,
    source: IO[bytes],
    dtype: np.dtype[Any],
    shape: Sequence[int],
    *,
    skip: int = 0,
    stored: int | None = None,
    make: Callable[[], Inflater] | None = None,
    ratio: int = _DEFLATE_RATIO,
) -> NDArray[Any]:
    """Array from a compressed stream that starts at the current position of `source`.

    Exactly the declared bytes are inflated, straight into the array, so a stream that
    would go on (a bomb) is never expanded. `skip` bytes before the voxels are dropped.
    """
    total = count(path, shape) * dtype.itemsize
    left = path.stat().st_size - source.tell() if stored is None else stored
    if skip + total > left * ratio:
        raise fail(
            path,
            f"the header declares {skip + total} bytes, more than {left} compressed bytes can hold",
        )
    array = np.empty(count(path, shape), dtype)
    view = array.view(np.uint8).data
    if make is None and _inflate_blocks(path, source, view, skip):
        return native(array).reshape(shape)
    chunks = inflated(path, source, make or (lambda: decompressor(47)), left)
    at = -skip
    for chunk in chunks:
        if at < 0:
            at += len(chunk)
            if at <= 0:
                continue
            chunk = chunk[len(chunk) - at :]
            at = 0
        piece = min(len(chunk), total - at)
        view[at : at + piece] = chunk[:piece]
        at += piece
        if at == total:
            break
    if at < total:
        raise fail(path, f"wanted {total} bytes of voxels, the stream ended after {max(at, 0)}")
    next(chunks, None)  # reaches the checksum where nothing follows the voxels
    return native(array).reshape(shape)


def _inflate_blocks(path: Path, source: IO[bytes], view: memoryview, skip: int) -> bool:
    try:
        return _blocks.inflate(source, path.stat().st_size, view, skip)
    except Exception as error:  # each inflater has its own
        raise fail(path, f"the compressed stream is broken ({reason(error)})") from None


def inflated(
    path: Path,
    source: IO[bytes],
    make: Callable[[], Inflater],
    left: int,
    piece: int = _OUT,
) -> Iterator[bytes]:
    """Pieces of a compressed stream; further members of a gzip file follow on."""
    reach = max(piece // 2, 1 << 12)
    engine = make()
    pending = b""
    try:
        while True:
            if not pending:
                pending = source.read(min(reach, left))
                left -= len(pending)
            if not pending:
                break
            chunk = engine.decompress(pending, piece)
            pending = engine.unconsumed_tail
            if chunk:
                yield chunk
            if engine.eof:
                pending = engine.unused_data or source.read(min(reach, left))
                left -= 0 if engine.unused_data else len(pending)
                pending = pending.lstrip(b"\0")
                if not pending.startswith(b"\x1f\x8b"):
                    return
                engine = make()
        while chunk := engine.decompress(b"", piece):
            yield chunk
    except FormatError:
        raise
    except Exception as error:  # each inflater has its own
        raise fail(path, f"the compressed stream is broken ({reason(error)})") from None
    if not engine.eof:
        raise fail(path, "the compressed stream is cut off")


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name only when it is whole."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.errno is not None:  # by the name the caller knows
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def beside(path: Path, name: str, field: str) -> Path:
    """A data file that a header names: inside the header's folder, or refused."""
    parts = Path(name).parts
    if not name or "\0" in name or "\\" in name or ":" in name or name.startswith(("/", "~")):
        raise fail(path, f"{field} must be a plain file name beside the header, not {name!r}")
    if ".." in parts:
        raise fail(path, f"{field} must not leave the folder of the header, as {name!r} does")
    found = path.parent / name
    if not found.is_file():
        raise fail(path, f"{field} names {name!r}, which is not a file there")
    if not found.resolve().is_relative_to(path.parent.resolve()):
        raise fail(path, f"{field} must not leave the folder of the header, as link {name!r} does")
    return found


def contiguous(array: Any) -> NDArray[Any]:
    """The voxels as a C-ordered NumPy array in this machine's byte order."""
    found = np.asarray(array)
    return np.ascontiguousarray(found, found.dtype.newbyteorder("="))


def raw_bytes(array: NDArray[Any]) -> memoryview:
    """The bytes of a C-ordered array, not copied."""
    return array.reshape(-1).view(np.uint8).data


def missing(package: str, what: str) -> ImportError:
    """Error for an optional library that is not installed."""
    return ImportError(f'{what} needs {package}: pip install "voxkern[io]"')


def first_inflated(path: Path, source: IO[bytes], wanted: int) -> bytes:
    """The first bytes that a gzip file holds, or fewer if it ends."""
    head = b""
    chunks = inflated(path, source, lambda: decompressor(47), path.stat().st_size, 1 << 10)
    while len(head) < wanted and (chunk := next(chunks, b"")):
        head += chunk
    return head[:wanted]
