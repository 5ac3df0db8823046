"""The streams that a shell opens: files, the text between the stages of a pipeline, closed ones.

They are Input and Output of labkit.kernel.process. `twin(twins)` gives an equal one that can go on by itself: a parked
shell that is resumed twice starts both times from the same state.
"""

from __future__ import annotations

import copy
import errno
from typing import Protocol, TypeVar, cast, runtime_checkable

from labkit.files import Content, Handle, failure
from labkit.kernel.process import Input, Killed, Output, Runaway

PIPE_LIMIT = 16 << 20  # bytes that a stage may write before the next one runs
BROKEN_PIPE = 141  # exit status after SIGPIPE


def _check_line(line: bytearray) -> None:
    if len(line) > PIPE_LIMIT:
        raise Runaway(f"a line is longer than {PIPE_LIMIT >> 20} MiB")


class FileStream(Input, Output):
    """An open file, to read and to write."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle

    def write(self, data: bytes | str) -> int:
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        return self.handle.write(raw)

    def write_content(self, content: Content) -> int:
        return self.handle.write_content(content)

    def read(self, size: int = -1) -> bytes:
        return self.handle.read(size)

    def read_content(self, size: int = -1) -> Content:
        return self.handle.read_content(size)

    def readline(self) -> bytes:
        """One line with its newline; b"" at the end."""
        line = bytearray()
        while piece := self.handle.read(4096):
            head, newline, rest = piece.partition(b"\n")
            line += head + newline
            if newline:
                self.handle.seek(-len(rest), 1)
                break
            _check_line(line)
        return bytes(line)

    def getvalue(self) -> bytes:
        return b""

    def twin(self, twins: Twins) -> FileStream:
        return FileStream(copy.copy(self.handle))


class Text(Input):
    """Bytes to read, from the stage before, a here-document or nothing. `more` is what reading past them raises."""

    def __init__(self, content: Content | bytes, more: str = "") -> None:
        self.content = content if isinstance(content, Content) else Content(content)
        self.place = 0
        self.more = more
        self.isatty = False

    def cut_off(self) -> Text:
        """The same, ending where there is no more."""
        other = copy.copy(self)
        other.more = ""
        return other

    def _end(self) -> None:
        if self.more:
            raise Runaway(self.more)

    def read_content(self, size: int = -1) -> Content:
        left = self.content.size - self.place
        if size < 0 or size > left:
            if size < 0 or not left:
                self._end()
            size = left
        piece: Content = self.content[self.place : self.place + size]  # type: ignore[assignment]
        self.place += size
        return piece

    def read(self, size: int = -1) -> bytes:
        return bytes(self.read_content(size))

    def readline(self) -> bytes:
        line = bytearray()
        while piece := self.content.read(self.place, 4096):
            head, newline, _ = piece.partition(b"\n")
            line += head + newline
            self.place += len(head) + len(newline)
            if newline:
                return bytes(line)
            _check_line(line)
        self._end()
        return bytes(line)

    def twin(self, twins: Twins) -> Text:
        return copy.copy(self)


class Pipe(Output):
    """What a stage of a pipeline, or a command substitution, writes."""

    def __init__(self, limit: int = PIPE_LIMIT) -> None:
        super().__init__(limit)
        self.broken = ""  # why its writer had to end early

    def write_content(self, content: Content) -> int:
        self._add(content, 0)  # no bytes are made of it
        return len(content)

    def _add(self, piece: Content | bytes, cost: int) -> None:
        self.size += cost
        self.pieces.append(piece)
        if self.size > self.limit:
            self.broken = f"the output is longer than {self.limit >> 20} MiB"
            raise Killed(BROKEN_PIPE)

    def twin(self, twins: Twins) -> Pipe:
        other = copy.copy(self)
        other.pieces = list(self.pieces)
        return other


class Closed(Input, Output):
    """A number that no file is open under."""

    def __init__(self) -> None:
        pass

    def write(self, data: bytes | str) -> int:
        raise failure(errno.EBADF)

    def write_content(self, content: Content) -> int:
        raise failure(errno.EBADF)

    def read(self, size: int = -1) -> bytes:
        raise failure(errno.EBADF)

    def read_content(self, size: int = -1) -> Content:
        raise failure(errno.EBADF)

    def readline(self) -> bytes:
        raise failure(errno.EBADF)


CLOSED = Closed()
Stream = Input | Output


def readable(stream: Stream | None) -> Input:
    """What stands under a number, to read from; a stream that is only written to is as good as none."""
    return stream if isinstance(stream, Input) else CLOSED


def writable(stream: Stream | None) -> Output:
    return stream if isinstance(stream, Output) else CLOSED


T = TypeVar("T")


@runtime_checkable
class _Twinned(Protocol):
    def twin(self, twins: Twins) -> object: ...


class Twins:
    """Copies of streams and the like for one resumption: the same copy for the same original."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[object, object]] = {}

    def put(self, original: T, twin: T) -> None:
        self._made[id(original)] = (original, twin)

    def of(self, original: T) -> T:
        found = self._made.get(id(original))
        if found:
            return cast("T", found[1])  # as put had it
        twin = cast("T", original.twin(self)) if isinstance(original, _Twinned) else original
        self.put(original, twin)
        return twin
