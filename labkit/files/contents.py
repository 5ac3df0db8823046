"""What all of files/ stands on: contents of files, persistent maps, and the failures of calls.

A content is immutable: a sequence of pieces. A piece is bytes, or a run: written zeros, a hole (zeros that take no
blocks), or filler, which looks random and is made from a seed. So a file of 10 GiB costs a few bytes, and its SHA-256
is still the true one.

A persistent map can be copied at no cost, whatever its size, and neither copy sees what the other one does later. It
is a frozen dict and a small dict of what was changed since. A write into a shared map copies the small one, whose
size stays about the square root of the whole; a map that nobody shares is one plain dict. All state of a machine lies
in such maps, which is why a snapshot of it is cheap. Its order is not defined: sort what people see.

A failure is an OSError with the kernel's errno and glibc's text for it, on every platform alike.
"""

from __future__ import annotations

import errno as host
import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import lru_cache
from typing import Final, Generic, NamedTuple, Self, TypeVar, overload

from labkit.files import errno as e

MESSAGES = {
    e.EPERM: "Operation not permitted",
    e.ENOENT: "No such file or directory",
    e.EIO: "Input/output error",
    e.ENXIO: "No such device or address",
    e.E2BIG: "Argument list too long",
    e.ENOEXEC: "Exec format error",
    e.EBADF: "Bad file descriptor",
    e.EACCES: "Permission denied",
    e.EBUSY: "Device or resource busy",
    e.EEXIST: "File exists",
    e.EXDEV: "Invalid cross-device link",
    e.ENODEV: "No such device",
    e.ENOTDIR: "Not a directory",
    e.EISDIR: "Is a directory",
    e.EINVAL: "Invalid argument",
    e.ENOTTY: "Inappropriate ioctl for device",
    e.ETXTBSY: "Text file busy",
    e.EFBIG: "File too large",
    e.ENOSPC: "No space left on device",
    e.ESPIPE: "Illegal seek",
    e.EROFS: "Read-only file system",
    e.EMLINK: "Too many links",
    e.EPIPE: "Broken pipe",
    e.ERANGE: "Numerical result out of range",
    e.ENAMETOOLONG: "File name too long",
    e.ENOSYS: "Function not implemented",
    e.ENOTEMPTY: "Directory not empty",
    e.ELOOP: "Too many levels of symbolic links",
    e.ENODATA: "No data available",
    e.EOPNOTSUPP: "Operation not supported",
}


_HERE = {number: getattr(host, name, number) for name, number in vars(e).items() if name.startswith("E")}


def failure(code: int, path: str | None = None, other: str | None = None) -> OSError:
    """The OSError for this errno, of its class in Python; `path` and `other` are what the call was given."""
    text = MESSAGES.get(code, f"Unknown error {code}")
    here = _HERE.get(code, code)
    error = OSError(here, text, path) if other is None else OSError(here, text, path, None, other)
    error.errno = code
    return error


K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class _Gone(Enum):
    MARK = 0


class _Unchanged(Enum):
    MARK = 0


_GONE: Final = _Gone.MARK
_UNCHANGED: Final = _Unchanged.MARK
_SMALL = 24  # items up to which a shared map is rather copied whole


class Map(Generic[K, V]):
    """A dict whose copy() costs nothing."""

    __slots__ = ("_base", "_changes", "_frozen", "_more", "_owns_base", "_owns_changes")

    def __init__(self, items: dict[K, V] | None = None) -> None:
        self._base: dict[K, V] = dict(items) if items else {}
        self._changes: dict[K, V | _Gone] = {}
        self._more = 0  # how many items more than the base the map has
        self._owns_base = True
        self._owns_changes = False
        self._frozen: Self | None = None  # the last copy, if it is one that nobody writes to

    def copy(self) -> Self:
        """Another map with the same items."""
        twin = object.__new__(type(self))
        twin._base = self._base
        twin._changes = self._changes
        twin._more = self._more
        twin._owns_base = twin._owns_changes = False
        self._owns_base = self._owns_changes = False
        twin._frozen = self._frozen = None
        return twin

    def frozen(self) -> Self:
        """A copy that nobody writes to: the same one as long as this map does not change."""
        twin = self._frozen
        if twin is None or self._owns_base or self._owns_changes:
            twin = self.copy()
            self._frozen = twin
        return twin

    @overload
    def get(self, key: K) -> V | None: ...
    @overload
    def get(self, key: K, default: D) -> V | D: ...
    def get(self, key: K, default: D | None = None) -> V | D | None:
        if self._changes:
            value = self._changes.get(key, _UNCHANGED)
            if value is _GONE:
                return default
            if value is not _UNCHANGED:
                return value
        return self._base.get(key, default)

    def __contains__(self, key: K) -> bool:
        return self.get(key, _GONE) is not _GONE

    def __getitem__(self, key: K) -> V:
        if self._changes:
            value = self._changes.get(key, _UNCHANGED)
            if value is _GONE:
                raise KeyError(key)
            if value is not _UNCHANGED:
                return value
        return self._base[key]

    def set(self, key: K, value: V) -> None:
        if self._owns_base:
            self._base[key] = value
        elif not self._changes and len(self._base) <= _SMALL:
            self._base, self._owns_base = {**self._base, key: value}, True
        else:
            self._change(key, value)

    def delete(self, key: K) -> None:
        """Take a key away; raises KeyError where it is not there."""
        if self._owns_base:
            del self._base[key]
        elif key not in self:
            raise KeyError(key)
        else:
            self._change(key, _GONE)

    def _change(self, key: K, value: V | _Gone) -> None:
        changes = self._changes
        if not self._owns_changes:
            self._changes = changes = dict(changes)
            self._owns_changes = True
        former = changes.get(key, _UNCHANGED)
        there = key in self._base if former is _UNCHANGED else former is not _GONE
        self._more += (value is not _GONE) - there
        changes[key] = value
        over = len(changes) - 8
        if over > 0 and over * over > len(self._base):
            self._base, self._changes, self._more = self._whole(), {}, 0
            self._owns_base, self._owns_changes = True, False

    def _whole(self) -> dict[K, V]:
        """The base with the changes in it."""
        whole = dict(self._base)
        for key, value in self._changes.items():
            if value is _GONE:
                whole.pop(key, None)
            else:
                whole[key] = value
        return whole

    def items(self) -> Iterator[tuple[K, V]]:
        return iter((self._whole() if self._changes else self._base).items())

    def __iter__(self) -> Iterator[K]:
        return iter(self._whole() if self._changes else self._base)

    def values(self) -> Iterator[V]:
        return (value for _, value in self.items())

    def __len__(self) -> int:
        return len(self._base) + self._more


_BLOCK = 1 << 20  # bytes that blocks() makes at a time
_FILLER_PERIOD = 1 << 16  # filler repeats after so many bytes
_MATERIALISE = 64 << 20  # bytes; more than this is never made into one bytes object
_MERGE = 1 << 20  # pieces of bytes up to this size are put together
PAGE = 4096  # bytes of a block on the disk


class TooLarge(OSError):
    """So many bytes are never held at once; as memory that cannot be had."""

    def __init__(self, size: int) -> None:
        super().__init__(e.ENOMEM, "Cannot allocate memory")
        self.size = size


def length(data: Content | Run | bytes | str) -> int:
    """As len(), which on 32 bits (WebAssembly) can't tell of more than 2 GiB."""
    return len(data) if isinstance(data, bytes | str) else data.size


class Run(NamedTuple):
    """`size` bytes made by a rule. seed: None for zeros, "" for a hole, else the name of the filler."""

    size: int
    seed: str | None
    start: int = 0  # where in the filler it begins

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
        content.size = sum(map(length, joined)) if len(joined) != 1 else length(joined[0])
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

    def __getitem__(self, place: slice[int | None, int | None, int | None] | int) -> Content | int:
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
            low, high = max(0, start - first), min(length(piece), stop - first)
            if low == 0 and high == length(piece):
                yield piece
            else:
                yield piece.part(low, high) if isinstance(piece, Run) else piece[low:high]

    def _piece_starts(self) -> list[int]:
        if self._starts is None:
            starts, place = [], 0
            for piece in self.pieces:
                starts.append(place)
                place += length(piece)
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
        end = start + length(data)
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
            size = length(piece)
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
            end = place + length(piece)
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
