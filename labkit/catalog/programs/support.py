"""What several programs share: printing, laying files, numbers as apt and pip print them, times as servers log them."""

from __future__ import annotations

import datetime
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from labkit.files import Content, Entry, Files
from labkit.files.contents import length
from labkit.kernel.process import SECOND, Parked, Process

State = TypeVar("State")
_INSTALLED = 20_000_000  # bytes a second: fetched and unpacked. Chosen, as no two computers agree; never measured


def converse(
    process: Process, step: Callable[[Process, str, State], tuple[State, str | None]], state: State, prompt: str
) -> int:
    """Talk at a terminal: prompt, read a line; `step` gives the next state and the next prompt (None: the end).

    A state is never changed: a machine may be restored and the talk go on from there again.
    """
    process.stdout.write(prompt)
    return _go_on(process, step, state)


def _go_on(process: Process, step: Callable[[Process, str, State], tuple[State, str | None]], state: State) -> int:
    while True:
        process.tick()
        try:
            line = process.stdin.readline()
        except Parked as waiting:
            raise Parked(waiting.until, partial(_go_on, step=step, state=state)) from None
        if not line:
            return 0
        state, prompt = step(process, line.decode("utf-8", "replace").rstrip("\n"), state)
        if prompt is None:
            return 0
        process.stdout.write(prompt)


def say(process: Process, *lines: str) -> None:
    process.stdout.write("".join(f"{line}\n" for line in lines))


def complain(process: Process, *lines: str) -> None:
    process.stderr.write("".join(f"{line}\n" for line in lines))


def read_text(files: Files, path: str) -> str:
    """A file's text; "" where there is none."""
    try:
        return files.read(path).decode("utf-8", "replace")
    except OSError:
        return ""


def lay(process: Process, entries: Iterable[Entry]) -> None:
    """Unpack files over what is there, as dpkg and tar do; with their download that takes its time on the clock."""
    files = process.files
    made: set[str] = set()
    size = 0
    for entry in entries:
        process.tick()
        size += length(entry.data or "")
        path = f"/{entry.path}"
        folder = path.rpartition("/")[0]
        if folder and folder not in made:
            files.makedirs(folder)
            made.add(folder)
        if stat.S_ISDIR(entry.mode):
            files.makedirs(path)
        elif stat.S_ISLNK(entry.mode):
            _remove(files, path)
            files.symlink(str(entry.data), path)
            continue
        else:
            _remove(files, path)
            files.write(path, entry.data if isinstance(entry.data, Content) else b"")
        files.chmod(path, stat.S_IMODE(entry.mode))
        if entry.uid or entry.gid:
            files.chown(path, entry.uid, entry.gid)
        if not stat.S_ISDIR(entry.mode):
            files.utime(path, entry.mtime, entry.mtime)
    process.kernel.clock.advance(size * SECOND // _INSTALLED)


def _remove(files: Files, path: str) -> None:
    with suppress(OSError):
        files.unlink(path)


def append(files: Files, path: str, text: str) -> None:
    """Add to a log; made where it is missing."""
    try:
        files.makedirs(path.rpartition("/")[0])
        files.append(path, text.encode())
    except OSError:
        pass


def size_apt(size: float) -> str:
    """As apt prints sizes: at most four digits, one decimal below 100 (apt, strutl.cc SizeToStr)."""
    for unit in (" ", " k", " M", " G"):
        if size < 100 and unit != " ":
            return f"{size:.1f}{unit}"
        if size < 10_000:
            return f"{size:.0f}{unit}"
        size /= 1000
    return f"{size:.0f} T"


def size_pip(size: float) -> str:
    """As pip prints sizes (pip, utils/misc.py format_size)."""
    if size > 1_000_000:
        return f"{size / 1_000_000:.1f} MB"
    if size > 10_000:
        return f"{int(size / 1000)} kB"
    return f"{size / 1000:.1f} kB" if size > 1000 else f"{int(size)} bytes"


def now(process: Process) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(process.kernel.clock.now // SECOND, datetime.UTC)


def timestamp(process: Process, pattern: str) -> str:
    """The machine's time as strftime writes it."""
    return now(process).strftime(pattern)


def options(arguments: Iterable[str], with_value: Iterable[str] = ()) -> tuple[dict[str, str], list[str]]:
    """Flags and the rest, wherever they stand. A flag of `with_value` takes the next word, or what follows `=`."""
    takes = set(with_value)
    flags: dict[str, str] = {}
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--":
            rest += words
        elif not word.startswith("-") or word == "-":
            rest.append(word)
        elif name in takes and not equals:
            flags[name] = next(words, "")
        elif word in takes or word.startswith("--"):
            flags[name] = value
        elif word[:2] in takes and len(word) > 2:
            flags[word[:2]] = word[2:]
        else:
            flags.update({f"-{letter}": "" for letter in word[1:]})
    return flags, rest
