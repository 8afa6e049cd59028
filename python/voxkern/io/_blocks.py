"""Deflate on all cores, in both directions.

The streams are ordinary ones, cut into blocks that do not refer back to each other (which
costs about 0.3 % of size). A gzip file lists its blocks in the extra field that its
header provides for such things; other readers pass over it, ours inflates the blocks at once.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Protocol

_BLOCK = 1 << 20  # plain bytes of a block
_MOST = 5000  # blocks whose list fits into the 65535 bytes of the extra field
_ENTRY = struct.Struct("<III")  # plain length, packed length, CRC-32 of the plain bytes
_MARK = b"VX"


class Inflater(Protocol):
    """A decompressor as `zlib.decompressobj`, `bz2.BZ2Decompressor` wrapped alike."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def decompressor(wbits: int) -> Inflater:
    """The fastest inflater installed: isal, else zlib-ng, else the standard library's."""
    try:
        from isal import isal_zlib
    except ImportError:
        try:
            from zlib_ng import zlib_ng
        except ImportError:
            return zlib.decompressobj(wbits)
        return zlib_ng.decompressobj(wbits)
    return isal_zlib.decompressobj(wbits)


def deflate(target: IO[bytes], parts: Sequence[bytes | memoryview], *, level: int) -> None:
    """Write the parts, joined, as one gzip member that lists its blocks."""
    views = [memoryview(p).cast("B") for p in parts]
    blocks = _cut(views)
    listed = _ENTRY.size * len(blocks)
    # No name and no date: equal images give equal files.
    target.write(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff")
    target.write(struct.pack("<H2sH", listed + 4, _MARK, listed))
    place = target.tell()
    target.write(bytes(listed))
    entries = []
    checksum = size = 0
    for plain, packed, crc in _deflated(blocks, level):
        target.write(packed)
        entries.append(_ENTRY.pack(len(plain), len(packed), crc))
        checksum = zlib.crc32(plain, checksum)
        size += len(plain)
    target.write(b"\x03\0" + struct.pack("<II", checksum, size & 0xFFFFFFFF))
    target.seek(place)
    target.write(b"".join(entries))


def zlib_stream(plain: memoryview, level: int) -> bytes:
    """One zlib stream."""
    target = io.BytesIO()
    target.write(b"\x78\x01")
    for _, packed, _ in _deflated(_cut([plain]), level):
        target.write(packed)
    target.write(b"\x03\0" + zlib.adler32(plain).to_bytes(4, "big"))
    return target.getvalue()


def inflate(source: IO[bytes], size: int, target: memoryview, skip: int) -> bool:
    """Fill `target` from a gzip file of this size that lists its blocks, but for `skip` bytes.

    Returns
    -------
    bool
        False, with `source` where it was, if the file has no list that fits it.

    Raises
    ------
    ValueError, zlib.error
        If a block is broken.
    """
    start = source.tell()
    entries = _listed(source, size, skip + len(target))
    if not entries:
        source.seek(start)
        return False
    with ThreadPoolExecutor(_workers()) as pool:
        jobs: deque[Future[None]] = deque()
        at = -skip
        for plain, packed, crc in entries:
            piece = source.read(packed)
            jobs.append(pool.submit(_place, piece, plain, crc, target, at))
            at += plain
            if len(jobs) > 4 * _workers():
                jobs.popleft().result()
        for job in jobs:
            job.result()
    return True


def _workers() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cut(views: Sequence[memoryview]) -> list[memoryview]:
    size = max(_BLOCK, -(-sum(map(len, views)) // _MOST))
    return [view[i : i + size] for view in views for i in range(0, len(view), size)]


def _deflated(blocks: Sequence[memoryview], level: int) -> Iterator[tuple[memoryview, bytes, int]]:
    """Each block with its packed bytes and checksum, in order, a few ahead of the reader."""
    with ThreadPoolExecutor(_workers()) as pool:
        jobs: deque[Future[tuple[memoryview, bytes, int]]] = deque()
        for block in blocks:
            jobs.append(pool.submit(_pack, block, level))
            if len(jobs) > 2 * _workers():
                yield jobs.popleft().result()
        for job in jobs:
            yield job.result()


def _pack(block: memoryview, level: int) -> tuple[memoryview, bytes, int]:
    engine = zlib.compressobj(level, zlib.DEFLATED, -15, 9)
    packed = engine.compress(block) + engine.flush(zlib.Z_SYNC_FLUSH)
    return block, packed, zlib.crc32(block)


def _listed(source: IO[bytes], size: int, wanted: int) -> list[tuple[int, int, int]]:
    """The list of blocks, or nothing if there is none or it does not fit the file."""
    start = source.tell()
    head = source.read(16)
    if len(head) < 16 or head[:4] != b"\x1f\x8b\x08\x04" or head[12:14] != _MARK:
        return []
    extra, listed = struct.unpack("<H2xH", head[10:16])
    if extra != listed + 4 or listed % _ENTRY.size:
        return []
    listing = source.read(listed)
    if len(listing) < listed:
        return []
    entries = list(_ENTRY.iter_unpack(listing))
    held = 16 + listed + sum(packed for _, packed, _ in entries) + 10
    if held != size - start or sum(plain for plain, _, _ in entries) != wanted:
        return []
    return entries


def _place(piece: bytes, plain: int, crc: int, target: memoryview, at: int) -> None:
    """Inflate one block into its place; what lies before the target is dropped."""
    block = decompressor(-15).decompress(piece, plain + 1)
    if len(block) != plain or zlib.crc32(block) != crc:
        raise ValueError("a block does not fit its checksum")
    first = min(max(-at, 0), plain)
    target[at + first : at + plain] = block[first:]
