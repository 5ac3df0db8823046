"""What a shell reads and writes, and how it starts programs: streams that it opens, and the keyboard of a terminal.

Streams are Input and Output of labkit.kernel.process. `twin(twins)` gives an equal one that can go on by itself: a
parked shell that is resumed twice starts both times from the same state.

Programs are started as the kernel's `execute` does: argv[0] is looked for as execvp does it. Its file says what it is:
a labkit program, a script that names its interpreter in its first line, or else a script for sh (as execvp takes what
the kernel calls ENOEXEC).
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Protocol, TypeVar, cast, runtime_checkable

from labkit.files import Content, Handle, Place, errno, failure
from labkit.files.errno import ENOENT, ETXTBSY
from labkit.kernel.limits import Runaway
from labkit.kernel.process import (
    PROGRAM_MARK,
    ExecError,
    Input,
    Killed,
    Output,
    Parked,
    Process,
    Program,
    find_program,
)

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
        return content.size

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


INTERRUPTED = 130  # exit status after SIGINT


class NeedsInput(Parked):
    """A terminal was read before anything was typed."""

    def __init__(self) -> None:
        super().__init__(None)


class Keyboard(Input):
    """What has been typed and not read yet."""

    def __init__(self) -> None:
        super().__init__(b"", isatty=True)
        self.typed = b""
        self.ended = False  # ^D at the beginning of a line
        self.echoing = False
        self.interrupted = False  # ^C
        self.held = False  # see kernel.process.Keys

    def take_interrupt(self) -> bool:
        taken, self.interrupted = self.interrupted, False
        self.typed = b"" if taken else self.typed
        return taken

    def _interrupt(self) -> None:
        if self.take_interrupt():
            raise Killed(INTERRUPTED)

    def echo(self, line: bytes, output: Output) -> None:
        """What is typed is part of what the terminal shows, so a container's log has it; the person sees it anyway."""
        self.echoing = True
        output.write(line)
        self.echoing = False

    def read_content(self, size: int = -1) -> Content:
        return Content(self.read(size))

    def read(self, size: int = -1) -> bytes:
        """All up to ^D where the size is negative, else what there is of the line."""
        self._interrupt()
        if not self.ended and (size < 0 or not self.typed):
            raise NeedsInput
        if size < 0 or (self.ended and not self.typed):
            data, self.typed, self.ended = self.typed, b"", False
            return data
        line = self.typed[: self.typed.find(b"\n") + 1 or None][:size]
        self.typed = self.typed[len(line) :]
        return line

    def readline(self) -> bytes:
        self._interrupt()
        if b"\n" not in self.typed:
            if not self.ended:
                raise NeedsInput
            data, self.typed, self.ended = self.typed, b"", False
            return data
        line, _, self.typed = self.typed.partition(b"\n")
        return line + b"\n"


_MOST_INTERPRETERS = 5  # the kernel's limit on scripts that name scripts
_HEAD = 256  # bytes of a file that are looked at (kernel, BINPRM_BUF_SIZE)


def execute(process: Process) -> int:
    """Find argv[0] and run it; the exit status. Raises ExecError where it cannot be started, Parked where it waits."""
    path = find_program(process.files, process.argv[0], process.env.get("PATH", "/usr/local/bin:/usr/bin:/bin"))
    program, place = _program(process, path, _MOST_INTERPRETERS)
    running = process.kernel.running
    running.append(place)
    try:
        return program(process)
    except NeedsInput as waiting:
        raise _bound(Parked(waiting.until, _again(program)), process, place) from None
    except Parked as parked:
        raise _bound(parked, process, place) from None
    except Killed as killed:
        return killed.status
    except RecursionError:
        raise Runaway("the command calls itself too often") from None
    finally:
        running.pop()


def _program(process: Process, path: str, left: int) -> tuple[Program, Place]:
    """The program that this file is, and the file; a script's changes argv. Raises ExecError."""
    with process.files.open(path) as handle:
        head = handle.read(_HEAD)
        place = handle.place
    if _is_written(process, place):
        raise ExecError(ETXTBSY, path, searched=False)
    if head.startswith(PROGRAM_MARK):
        name = head[len(PROGRAM_MARK) :].split(b"\n", 1)[0].decode()
        return process.kernel.programs.get(name, _not_simulated), place
    process.argv = [*_interpreter(head), path, *process.argv[1:]]
    try:
        interpreter = find_program(process.files, process.argv[0], "/bin:/usr/bin")
    except ExecError:
        raise ExecError(ENOENT, path, searched=False) from None
    if not left:
        raise ExecError(ENOENT, path, searched=False)
    return _program(process, interpreter, left - 1)


def _is_written(process: Process, place: Place) -> bool:
    """Whether the process that is to run this file has it open for writing."""
    streams = (process.stdin, process.stdout, process.stderr, *process.handles.values())
    return any(type(stream) is FileStream and stream.handle.writes(place) for stream in streams)


def _not_simulated(process: Process) -> int:
    """A program of the catalog that has a file, for its size, and does nothing here."""
    process.stderr.write(f"{process.argv[0].rpartition('/')[2]}: this program is not simulated\n")
    return 127


def _interpreter(head: bytes) -> list[str]:
    """What runs this script: a program and at most one argument."""
    if not head.startswith(b"#!"):
        return ["/bin/sh"]
    words = head[2:].split(b"\n", 1)[0].decode("utf-8", "surrogateescape").strip().split(None, 1)
    return words or ["/bin/sh"]


def _bound(parked: Parked, process: Process, place: Place) -> Parked:
    """The same wait for exactly this process. Who resumes it may hand in a copy of it (the same argv), with streams of
    its own; what else is handed in belongs to a program around this one, which knew nothing of waiting."""
    argv = list(process.argv)
    go_on = parked.resume  # the exception itself would keep all frames that it has passed

    def resume(given: Process) -> int:
        itself = given if given.argv == argv else replace(process, files=process.files.copy(), kernel=given.kernel)
        running = given.kernel.running
        running.append(place)
        try:
            return go_on(itself)
        except NeedsInput as waiting:
            raise _bound(Parked(waiting.until, go_on), itself, place) from None
        except Parked as again:
            raise _bound(again, itself, place) from None
        except Killed as killed:
            return killed.status
        finally:
            running.pop()

    return Parked(parked.until, resume, (place, *parked.programs))


def _again(program: Program) -> Program:
    """A program that wanted input starts over when there is more: it has read nothing yet that is not still there."""

    def run(process: Process) -> int:
        try:
            return program(process)
        except NeedsInput as waiting:
            raise Parked(waiting.until, run) from None

    return run
