"""What gzip, bzip2 and xz have packed, unpacked piece by piece, so that a small file never becomes a huge one."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Protocol

from labkit.files import Content
from labkit.kernel import limits

_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "lzma"}
_PIECE = 1 << 20  # bytes that are unpacked at a time
_COST = 1600  # steps for 1 MiB of what comes out
_MOST = 64 << 20  # bytes that come out


class PackingError(ValueError):
    """The data is broken."""


class Unpacker(Protocol):
    """One stream, up to its end, as zlib, bz2 and lzma have it."""

    def decompress(self, data: bytes, most: int, /) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


class _Gzip:
    """zlib's unpacker hands back what it has not looked at; the others keep it."""

    def __init__(self) -> None:
        self._made = zlib.decompressobj(31)

    def decompress(self, data: bytes, most: int, /) -> bytes:
        return self._made.decompress(self._made.unconsumed_tail + data, most)

    @property
    def eof(self) -> bool:
        return self._made.eof

    @property
    def unused_data(self) -> bytes:
        return self._made.unused_data


_UNPACKERS: dict[str, Callable[[], Unpacker]] = {
    "gzip": _Gzip,
    "bz2": lambda: import_module("bz2").BZ2Decompressor(),
    "lzma": lambda: import_module("lzma").LZMADecompressor(),
}


def packing(content: Content) -> str:
    """gzip, bz2, lzma; "" where it is not packed."""
    head = content.read(0, 6)
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")


def unpacked(content: Content) -> Content:
    """What is packed in it; itself where nothing is. Raises PackingError, and Runaway where that is too much."""
    kind = packing(content)
    return Content.join(_pieces(content, _UNPACKERS[kind])) if kind else content


def _pieces(content: Content, made: Callable[[], Unpacker]) -> Iterator[bytes]:
    size, unpacker = 0, made()
    for block in content.blocks():
        while True:
            try:
                piece = unpacker.decompress(block, _PIECE)
            except Exception as error:  # zlib.error, OSError, LZMAError
                raise PackingError(str(error)) from None
            size += len(piece)
            if size > _MOST:
                raise limits.Runaway(f"more than {_MOST >> 20} MiB are unpacked")
            limits.tick(1 + (_COST * len(piece) >> 20))
            yield piece
            block = b""
            if unpacker.eof:
                block, unpacker = unpacker.unused_data, made()
                if block[:1] == b"\0":  # padding
                    return
            if not block and len(piece) < _PIECE:
                break
