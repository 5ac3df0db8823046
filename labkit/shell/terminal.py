"""What a shell reads and writes: streams that it opens, programs that it starts, and the terminal at which one types.

Streams are Input and Output of labkit.kernel.process. `twin(twins)` gives an equal one that can go on by itself: a
parked shell that is resumed twice starts both times from the same state.

Programs are started as the kernel's `execute` does: argv[0] is looked for as execvp does it. Its file says what it is:
a labkit program, a script that names its interpreter in its first line, or else a script for sh (as execvp takes what
the kernel calls ENOEXEC).

A terminal is an interactive shell that takes one line at a time: a stream that has no line yet when it is read. It
raises NeedsInput, which is a wait like any other (Parked), and passes through whatever programs run: the shell of
`docker run -it`, the engine, docker, the host's shell. The session keeps that wait; the next line resumes it. So a
shell within a shell needs no hook of its own: a program that is not the last to run wraps the wait with `Parked.then`,
as it must for a detached process that sleeps.
"""

from __future__ import annotations

import copy
import errno
from collections.abc import Callable
from dataclasses import replace
from errno import ENOENT, ETXTBSY
from functools import partial
from typing import NamedTuple, Protocol, TypeVar, cast, runtime_checkable

from labkit.files import Content, Handle, Place, failure
from labkit.files.contents import length
from labkit.kernel.process import (
    PROGRAM_MARK,
    ExecError,
    Input,
    Killed,
    Output,
    Parked,
    Process,
    Program,
    Runaway,
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


class Written(NamedTuple):
    """Text and where it was written: 1 (stdout) or 2 (stderr)."""

    stream: int
    text: bytes


class Screen(Output):
    """One of a terminal's two streams; both write to the same list."""

    isatty = True

    def __init__(self, number: int, shown: list[Written], keyboard: Keyboard) -> None:
        super().__init__()
        self.keyboard = keyboard
        self.number = number
        self.shown = shown

    def _add(self, piece: Content | bytes, cost: int) -> None:
        if self.keyboard.echoing:
            return
        if length(piece) > self.limit:
            raise Runaway(f"the output is longer than {self.limit >> 20} MiB")
        self.size += length(piece)
        if self.size > self.limit:
            raise Runaway(f"the output is longer than {self.limit >> 20} MiB")
        self.shown.append(Written(self.number, bytes(piece)))


class SavedSession(NamedTuple):
    """A shell at a terminal, at one moment."""

    waiting: Parked | None
    prompt: str
    status: int | None
    held: bool


class Session:
    """A shell at a terminal. `process` is the shell to start: its argv, env and files; its streams are replaced."""

    def __init__(self, process: Process) -> None:
        self._shown: list[Written] = []
        self._keyboard = Keyboard()
        self._screens = (Screen(1, self._shown, self._keyboard), Screen(2, self._shown, self._keyboard))
        self._process = replace(
            process, stdin=self._keyboard, stdout=self._screens[0], stderr=self._screens[1], tty=True, detached=False
        )
        self._waiting: Parked | None = None
        self.prompt = ""  # what the innermost shell shows before the cursor
        self.status: int | None = None  # of the shell, when it has ended
        self._continue(partial(process.kernel.execute, self._process))
        self.banner = self._take()

    @property
    def ended(self) -> bool:
        return self.status is not None

    @property
    def incomplete(self) -> bool:
        """Whether the shell waits for the rest of a command."""
        return self.prompt == "> "

    def feed(self, line: str | None) -> list[Written]:
        """Type a line (None: ^D) and give what is written until the next prompt, which is not part of it.

        Where the line is a runaway, the shell is afterwards what it was before it, and Runaway goes on to the caller.
        """
        if line is None:
            self._keyboard.ended = True
        else:
            self._keyboard.typed += (line if line.endswith("\n") else line + "\n").encode("utf-8", "surrogateescape")
        return self._go_on()

    def interrupt(self) -> list[Written]:
        """Type ^C: what waits for input is killed; at a prompt the line is given up."""
        self._keyboard.interrupted = True
        return self._go_on()

    @property
    def held(self) -> bool:
        """Whether a command has the terminal until ^C; what is typed meanwhile is lost."""
        return self._keyboard.held

    def snapshot(self) -> SavedSession:
        """The shell as it is; its machine is not part of it."""
        return SavedSession(self._waiting, self.prompt, self.status, self.held)

    def restore(self, saved: SavedSession) -> None:
        self._waiting, self.prompt, self.status, self._keyboard.held = saved

    def _go_on(self) -> list[Written]:
        """Resume as long as something reads what was typed."""
        before = self.snapshot()
        while self._waiting is not None:
            keyboard, waiting = self._keyboard, self._waiting
            left = keyboard.typed
            try:
                self._continue(partial(waiting.resume, self._process))
            except BaseException:
                self.restore(before)
                self._shown.clear()
                keyboard.typed = b""
                raise
            if not keyboard.typed or keyboard.typed == left:
                break
        if self.held:
            self._keyboard.typed, self._keyboard.ended = b"", False
        return self._take()

    def _continue(self, run: Callable[[], int]) -> None:
        """Run until the shell ends or waits for a line."""
        self._waiting = None
        kernel, self._keyboard.held = self._process.kernel, False
        kernel.keys, before = self._keyboard, kernel.keys
        try:
            self.status = run()
        except Parked as parked:
            self._waiting = parked
        finally:
            kernel.keys = before

    def _take(self) -> list[Written]:
        """What was written, without the prompt at its end."""
        shown = list(self._shown)
        self._shown.clear()
        for screen in self._screens:
            screen.size = 0
        self.prompt = ""
        if self._waiting is not None and shown and not shown[-1].text.endswith(b"\n"):
            self.prompt = shown.pop().text.decode("utf-8", "replace")
        return shown
