"""A machine to hand on: as a short text that holds its inputs, and as a script for a real Docker.

The text is "labkit:1:" and then JSON, compressed, in base64's alphabet for addresses. It may come from anybody: it is
read within limits of size, its inputs are played as any others are, on a machine of their own, and never more than
MOST_STEPS of them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from labkit.course.machines import MachineOptions, machine_with
from labkit.course.timeline import KINDS, Moment, RecordedInput, Timeline
from labkit.kernel.golang import Json

VERSION = 1
MARK = re.compile(r"labkit:(\d{1,6}):([A-Za-z0-9_=-]*)\Z")
MOST_INPUTS = 400
LONGEST = 128 << 10  # characters of all inputs
LONGEST_TEXT = 256 << 10  # characters of the shared text
LARGEST = 1 << 20  # bytes of its JSON
MOST_STEPS = 3_000_000  # of all inputs
KEYS = ("\x03", "\x04")  # ^C and ^D, which no script has


class ShareError(ValueError):
    """A text that is no shared machine; str() says why."""


@dataclass(frozen=True)
class Shared:
    """What a machine is made from: options, and inputs to be played."""

    options: Mapping[str, object]
    inputs: tuple[RecordedInput, ...]


def shared_text(options: Mapping[str, object], inputs: Sequence[RecordedInput]) -> str:
    """The machine as a text. Raises ShareError where it would be longer than what is read back."""
    check_limits(inputs)
    rows = [[each.kind, each.text, *([each.path] if each.path else [])] for each in inputs]
    data = json.dumps({"machine": dict(options), "inputs": rows}, ensure_ascii=False, separators=(",", ":"))
    packed = zlib.compress(data.encode("utf-8", "surrogatepass"), 9)
    return f"labkit:{VERSION}:{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def read_shared(text: str) -> Shared:
    """A machine from its text. Raises ShareError."""
    squeezed = "".join(text.split())
    found = MARK.match(squeezed) if len(squeezed) <= LONGEST_TEXT else None
    if found is None:
        raise ShareError("this is no shared machine: its text starts with labkit:1: and holds letters, digits, - and _")
    if int(found[1]) != VERSION:
        raise ShareError(f"it was made by another version of labkit (format {found[1]}, here {VERSION})")
    data = _unpacked(found[2])
    if not isinstance(data, dict):
        raise ShareError("its content is none of a machine")
    return Shared(_options(data.get("machine")), _inputs(data.get("inputs")))


def _unpacked(text: str) -> Json:
    try:
        packed = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(packed, LARGEST)
        if not unpacking.eof:
            raise ShareError("it is cut off, or too large")
        found: Json = json.loads(data.decode("utf-8", "surrogatepass"))
        return found
    except ShareError:
        raise
    except (ValueError, binascii.Error, zlib.error, RecursionError):
        raise ShareError("it is damaged: copy the whole text again") from None


def _options(found: Json) -> dict[str, Json]:
    known = MachineOptions.__annotations__
    if not isinstance(found, dict):
        raise ShareError("a machine has no such option: ''")
    for name, value in found.items():
        words = value if isinstance(value, list) else [value]
        plain = all(word is None or (isinstance(word, str) and len(word) < 100) for word in words)
        if name not in known or not plain or len(words) > 20:
            raise ShareError(f"a machine has no such option: {name!r:.60}")
    return found


def _inputs(found: Json) -> tuple[RecordedInput, ...]:
    if not isinstance(found, list):
        raise ShareError("it has no inputs")
    inputs = tuple(_input(row) for row in found)
    check_limits(inputs)
    return inputs


def _input(row: Json) -> RecordedInput:
    words = [word for word in row if isinstance(word, str)] if isinstance(row, list) else []
    fits = isinstance(row, list) and len(words) == len(row) == (3 if words[:1] == ["file"] else 2)
    if not fits or words[0] not in KINDS:
        raise ShareError("one of its inputs is none")
    return RecordedInput(*words)


def check_limits(inputs: Sequence[RecordedInput]) -> None:
    """Raises ShareError where there are too many inputs, or too long ones."""
    if len(inputs) > MOST_INPUTS or sum(len(each.text) + len(each.path) for each in inputs) > LONGEST:
        raise ShareError(f"it has more than {MOST_INPUTS} inputs or {LONGEST >> 10} KiB of them")
    if any("\0" in each.text + each.path for each in inputs):
        raise ShareError("one of its inputs has a NUL character in it")


def play(shared: Shared) -> Timeline:
    """The shared machine, with its history. Raises ShareError."""
    try:
        timeline = Timeline(machine_with(shared.options), shared.options)
    except (ValueError, TypeError) as error:  # TypeError: a list where a word should be
        raise ShareError(f"there is no such machine: {error}") from None
    for each in shared.inputs:
        if timeline.machine.spent > MOST_STEPS:
            raise ShareError("its inputs do too much")
        try:
            timeline.do(each)
        except OSError as error:  # of a file that cannot be written
            raise ShareError(f"an input fails: {error.strerror}") from None
    return timeline


HEAD = """#!/bin/sh
# What was typed on a simulated machine{machine}, as a script for a real Docker.
# It makes images, containers and volumes: run it where that does no harm.
home=$(mktemp -d) && cd "$home" || exit
"""


def script(options: Mapping[str, object], moments: Sequence[Moment]) -> str:
    """The inputs as a script: what was typed in a container's shell becomes a here-document for it."""
    about = ", ".join(f"{name}={value}" for name, value in options.items())
    head = HEAD.format(machine=f" ({_comment(about)})" if about else "")
    return "\n".join([head, *(piece for group in _groups(moments) for piece in _scripted(group))]) + "\n"


def _groups(moments: Sequence[Moment]) -> Iterator[list[Moment]]:
    """Inputs that belong together: a command that is typed over several lines, a stay in a container's shell."""
    group: list[Moment] = []
    for moment in moments:
        group.append(moment)
        if not (moment.inside or moment.waits):
            yield group
            group = []
    if group:
        yield group


def _scripted(group: list[Moment]) -> Iterator[str]:
    for kind, run in groupby(group, lambda moment: moment.input.kind if moment.input else ""):
        moments = [moment for moment in run if moment.input]
        texts = [moment.input.text for moment in moments if moment.input]
        if kind == "typed":
            yield _typed(moments, texts)
        elif kind == "file":
            yield from (
                _heredoc(f"cat > {_quoted(each.input.path)}", each.input.text) for each in moments if each.input
            )
        else:  # in a shell of its own, in the learner's folder
            yield from (f'(\ncd "$home" || exit\n{_sound(text)}\n)' for text in texts)


def _typed(moments: list[Moment], texts: list[str]) -> str:
    inside = next((place for place, moment in enumerate(moments) if moment.inside), None)
    if inside is None:
        return _sound("\n".join(texts))
    opening, lines = texts[: inside + 1], [text for text in texts[inside + 1 :] if text not in KEYS]
    opening[-1] = re.sub(r"(?<=\s)(-it|-ti|-i -t|-t -i)(?=\s)", "-i", opening[-1])
    return _heredoc("\n".join(opening), "\n".join(lines))


def _heredoc(command: str, text: str) -> str:
    mark = "EOF"
    while mark in text.split("\n"):
        mark += "_"
    return f"{command} <<'{mark}'\n{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{mark}"


def _sound(text: str) -> str:
    """What a shell can read; what it cannot, as a comment, so that the rest still runs."""
    from labkit.shell.parser import parse

    program = parse(text)
    if not any(key in text for key in KEYS) and not program.problem and not program.unended:
        return text
    return "\n".join(["# no whole command:", *(f"# {_comment(line)}" for line in text.split("\n"))])


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "'\\''") + "'"
