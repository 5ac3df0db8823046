"""Contents of files: immutable bytes, of which long runs are kept as a rule instead of as bytes.

A content is a sequence of pieces. A piece is bytes, or a run: written zeros, a hole (zeros that take no blocks), or
filler, which looks random and is made from a seed. So a file of 10 GiB costs a few bytes, and its SHA-256 is still the
true one.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from errno import ENOMEM
from functools import lru_cache
from typing import NamedTuple

_BLOCK = 1 << 20  # bytes that blocks() makes at a time
_FILLER_PERIOD = 1 << 16  # filler repeats after so many bytes
_MATERIALISE = 64 << 20  # bytes; more than this is never made into one bytes object
_MERGE = 1 << 20  # pieces of bytes up to this size are put together
PAGE = 4096  # bytes of a block on the disk


class TooLarge(OSError):
    """So many bytes are never held at once; as memory that cannot be had."""

    def __init__(self, size: int) -> None:
        super().__init__(ENOMEM, "Cannot allocate memory")
        self.size = size


class Run(NamedTuple):
    """`size` bytes made by a rule. seed: None for zeros, "" for a hole, else the name of the filler."""

    size: int
    seed: str | None
    start: int = 0  # where in the filler it begins

    def __len__(self) -> int:  # the number of bytes, as for the other kind of piece
        return self.size

    def part(self, start: int, stop: int) -> Run:
        return Run(stop - start, self.seed, self.start + start if self.seed else 0)

    def read(self, start: int, stop: int) -> bytes:
        if not self.seed:
            return bytes(stop - start)
        block = _filler(self.seed)
        first = (self.start + start) % _FILLER_PERIOD
        if first + stop - start <= _FILLER_PERIOD:
            return block[first : first + stop - start]
        times = (first + stop - start) // _FILLER_PERIOD + 1
        return (block * times)[first : first + stop - start]


Piece = bytes | Run


@lru_cache(maxsize=64)
def _filler(seed: str) -> bytes:
    return hashlib.shake_128(seed.encode()).digest(_FILLER_PERIOD)


class Content:
    """Immutable bytes. `len()`, slices (of step 1), `+`, `==` and `bytes()` work as for bytes."""

    __slots__ = ("_hash", "_starts", "pieces", "size")

    def __init__(self, data: bytes | bytearray | memoryview | str = b"") -> None:
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else bytes(data)
        self.pieces: tuple[Piece, ...] = (raw,) if raw else ()
        self.size = len(raw)
        self._starts: list[int] | None = None
        self._hash: str | None = None

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> Content:
        """A content of these pieces, small neighbours put together."""
        joined: list[Piece] = []
        for piece in pieces:
            if piece.size if isinstance(piece, Run) else piece:
                _append(joined, piece)
        content = cls.__new__(cls)
        content.pieces = tuple(joined)
        content.size = sum(map(len, joined)) if len(joined) != 1 else len(joined[0])
        content._starts = content._hash = None
        return content

    @classmethod
    def join(cls, parts: Iterable[Content | bytes]) -> Content:
        pieces: list[Piece] = []
        for part in parts:
            if isinstance(part, Content):
                pieces.extend(part.pieces)
            else:
                pieces.append(part)
        return cls.of(_together(pieces))

    @classmethod
    def zeros(cls, size: int) -> Content:
        """`size` zero bytes that were written: they take blocks on the disk."""
        return cls.of((Run(size, None),))

    @classmethod
    def hole(cls, size: int) -> Content:
        """`size` zero bytes that nobody wrote."""
        return cls.of((Run(size, ""),))

    @classmethod
    def filler(cls, seed: str, size: int) -> Content:
        """`size` bytes that look random; the same seed gives the same bytes."""
        return cls.of((Run(size, seed or "filler"),))

    def __len__(self) -> int:
        return self.size

    def __bool__(self) -> bool:
        return self.size > 0

    def __bytes__(self) -> bytes:
        if self.size > _MATERIALISE:
            raise TooLarge(self.size)
        return self.read(0, self.size)

    def __repr__(self) -> str:
        return f"Content({bytes(self)!r})" if self.size <= 64 else f"<Content of {self.size} bytes>"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (bytes, bytearray)):
            other = Content(other)
        if not isinstance(other, Content):
            return NotImplemented
        if self.size != other.size:
            return False
        return self.pieces == other.pieces or self.sha256() == other.sha256()

    def __hash__(self) -> int:
        return hash(self.sha256())

    def __add__(self, other: Content | bytes) -> Content:
        more = other.pieces if isinstance(other, Content) else (bytes(other),)
        return Content.of((*self.pieces, *more))

    def __getitem__(self, place: slice | int) -> Content | int:  # type: ignore[override]
        if isinstance(place, int):
            return self.read(place if place >= 0 else self.size + place, 1)[0]
        start, stop, step = place.indices(self.size)
        if step != 1:
            raise ValueError("a content has slices of step 1 only")
        if start == 0 and stop == self.size:
            return self
        return Content.of(self._cut(start, stop))

    def _cut(self, start: int, stop: int) -> Iterator[Piece]:
        if start >= stop:
            return
        starts = self._piece_starts()
        for index in range(bisect_right(starts, start) - 1, len(starts)):
            piece, first = self.pieces[index], starts[index]
            if first >= stop:
                return
            low, high = max(0, start - first), min(len(piece), stop - first)
            if low == 0 and high == len(piece):
                yield piece
            else:
                yield piece.part(low, high) if isinstance(piece, Run) else piece[low:high]

    def _piece_starts(self) -> list[int]:
        if self._starts is None:
            starts, place = [], 0
            for piece in self.pieces:
                starts.append(place)
                place += len(piece)
            self._starts = starts
        return self._starts

    def read(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from `start`."""
        pieces = self.pieces
        if len(pieces) == 1 and type(pieces[0]) is bytes:
            return pieces[0][start : start + size]
        stop = min(self.size, start + size)
        if stop - start > _MATERIALISE:
            raise TooLarge(stop - start)
        return b"".join(
            piece.read(0, piece.size) if isinstance(piece, Run) else piece for piece in self._cut(start, stop)
        )

    def write(self, start: int, data: Content | bytes) -> Content:
        """The content after `data` was written at `start`; a gap becomes a hole."""
        if start == self.size:
            return self + data if self.size else (data if isinstance(data, Content) else Content(data))
        more = data.pieces if isinstance(data, Content) else (bytes(data),)
        end = start + len(data)
        if start > self.size:
            return Content.of((*self.pieces, Run(start - self.size, ""), *more))
        return Content.of((*self._cut(0, start), *more, *self._cut(end, self.size)))

    def truncate(self, size: int) -> Content:
        """The content cut or, with a hole, lengthened to `size` bytes."""
        if size <= self.size:
            return self[:size]  # type: ignore[return-value]
        return Content.of((*self.pieces, Run(size - self.size, "")))

    def blocks(self) -> Iterator[bytes]:
        """All bytes, in pieces of at most 1 MiB."""
        for piece in self.pieces:
            size = len(piece)
            for start in range(0, size, _BLOCK):
                stop = min(size, start + _BLOCK)
                if isinstance(piece, bytes):
                    yield piece[start:stop] if size > _BLOCK else piece
                else:
                    yield piece.read(start, stop)

    def startswith(self, head: bytes) -> bool:
        return self.read(0, len(head)) == head

    def sha256(self) -> str:
        """The SHA-256 of all bytes, as 64 hex digits."""
        if self._hash is None:
            digest = hashlib.sha256()
            for block in self.blocks():
                digest.update(block)
            self._hash = digest.hexdigest()
        return self._hash

    def recipe(self) -> bytes:
        """A description that two contents share only if they are equal; cheap where hashing all bytes is not."""
        digest = hashlib.sha256()
        for piece in self.pieces:
            if isinstance(piece, Run):
                digest.update(repr((piece.size, piece.seed or "zeros", piece.start)).encode())
            else:
                digest.update(b"%d:" % len(piece) + piece)
        return digest.digest()

    def fingerprint(self) -> str:
        """The SHA-256 of all bytes, or of the recipe where that would take long."""
        return self.sha256() if self.made_by_rule <= _MATERIALISE else hashlib.sha256(self.recipe()).hexdigest()

    @property
    def made_by_rule(self) -> int:
        """How many bytes are not kept as bytes."""
        return sum(piece.size for piece in self.pieces if isinstance(piece, Run))

    @property
    def allocated(self) -> int:
        """Bytes that it takes on a disk with blocks of 4 KiB: holes take none."""
        if len(self.pieces) == 1 and type(self.pieces[0]) is bytes:
            return -(-self.size // PAGE) * PAGE
        pages, place, last = 0, 0, -1
        for piece in self.pieces:
            end = place + len(piece)
            if not (isinstance(piece, Run) and piece.seed == ""):
                first = max(place // PAGE, last + 1)
                last = max(last, (end - 1) // PAGE)
                pages += last - first + 1
            place = end
        return pages * PAGE


def _append(pieces: list[Piece], piece: Piece) -> None:
    """Put a piece behind others; bytes grow together as a binary counter does, runs where one continues the other."""
    while pieces:
        last = pieces[-1]
        if isinstance(last, Run):
            if (
                isinstance(piece, Run)
                and last.seed == piece.seed
                and (not last.seed or last.start + last.size == piece.start)
            ):
                piece = Run(last.size + piece.size, last.seed, last.start)
                pieces.pop()
                continue
        elif isinstance(piece, bytes) and len(last) <= 2 * len(piece) and len(last) + len(piece) <= _MERGE:
            piece = last + piece
            pieces.pop()
            continue
        break
    pieces.append(piece)


def _together(pieces: list[Piece]) -> Iterator[Piece]:
    """Neighbouring bytes as one piece each."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        if isinstance(piece, Run) or size + len(piece) > _MERGE:
            if waiting:
                yield b"".join(waiting)
            waiting, size = [], 0
        if isinstance(piece, Run):
            yield piece
        else:
            waiting.append(piece)
            size += len(piece)
    if waiting:
        yield b"".join(waiting)
