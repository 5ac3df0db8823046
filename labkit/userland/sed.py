"""sed: which lines its commands are for, what they do with the pattern space and the hold space, what it writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from labkit.kernel.guarded import Searchable, TextMatch
from labkit.userland.sed_script import LAST, OPEN, SedAddress, SedCommand, SedParser
from labkit.userland.tool import Done, Say, Tool, Utility, bytes_of, text_of


@dataclass
class SedRun:
    """What sed remembers from line to line."""

    tool: Tool
    commands: list[SedCommand]
    lines: Iterator[tuple[str, bool]]
    out: list[bytes]
    quiet: bool
    number: int = 0
    space: str = ""
    newline: bool = True  # the line that is in the pattern space ended with one
    unended: bool = False  # what was written last was a line without one
    hold: str = ""
    hold_newline: bool = True  # GNU keeps it with the text; busybox ends what comes from there
    after: list[bytes] = field(default_factory=list)  # what a and r print when the line is done
    replaced: bool = False
    pattern: Searchable | None = None
    ended: int | None = None
    kept: bool = False  # D: go on with what is left, without reading
    ahead: tuple[str, bool] | None = None
    written: dict[str, bytes] = field(default_factory=dict)
    name: str = "-"

    def read(self) -> tuple[str, bool] | None:
        found = self.ahead if self.ahead is not None else next(self.lines, None)
        self.ahead = next(self.lines, None) if found is not None else None
        return found

    def is_last(self) -> bool:
        return self.ahead is None

    def next_line(self) -> bool:
        found = self.read()
        if found is None:
            return False
        self.space, self.newline = found
        self.number += 1
        return True

    def put(self, data: bytes, *, ended: bool = True) -> None:
        """Write on. Behind a line that had no newline comes one first; `ended`: this is no such line."""
        if self.unended and data:
            self.out.append(b"\n")
        self.out.append(data)
        self.unended = not ended if data else self.unended

    def print(self, text: str, newline: bool = True) -> None:
        self.put(bytes_of(text) + (b"\n" if newline else b""), ended=newline)

    def flush_after(self) -> None:
        for piece in self.after:
            self.put(piece if self.tool.gnu or piece.endswith(b"\n") or not piece else piece + b"\n")
        self.after = []


Result = str | int | None
Action = Callable[[SedRun, SedCommand], Result]


def _do_substitute(state: SedRun, command: SedCommand) -> Result:
    pattern = pattern_in_force(state, command.pattern)
    out, place, count, done = "", 0, 0, False
    text = state.space
    for match in _occurrences(pattern, text):
        count += 1
        if count < command.count:
            continue
        out += text[place : match.start()] + _filled(command.replacement, match)
        place, done = match.end(), True
        if "g" not in command.flags:
            break
    state.tool.tick(count // 2)
    if not done:
        return None
    state.space = out + text[place:]
    state.replaced = True
    if "p" in command.flags:
        state.print(state.space, state.newline)
    if command.text:
        _write_to(state, command.text)
    return None


def _occurrences(pattern: Searchable, text: str) -> Iterator[TextMatch]:
    """Matches as POSIX counts them: no empty one right behind another."""
    end = -1
    for match in pattern.finditer(text):
        if match.start() == match.end() == end:
            continue
        end = match.end()
        yield match


def _filled(parts: list[str | int | tuple[str]], match: TextMatch) -> str:
    out, mode, once = "", "", ""
    for part in parts:
        if isinstance(part, tuple):
            if part[0] in "ul":
                once = part[0]
            else:
                mode = "" if part[0] == "E" else part[0]
            continue
        text = (match[part] or "") if isinstance(part, int) else part
        text = text.upper() if mode == "U" else text.lower() if mode == "L" else text
        if once and text:
            text = (text[0].upper() if once == "u" else text[0].lower()) + text[1:]
            once = ""
        out += text
    return out


def _write_to(state: SedRun, path: str) -> None:
    if path == "/dev/stdout":
        state.print(state.space, state.newline)
        return
    before = state.written.get(path, b"")
    before += b"\n" if before and not before.endswith(b"\n") else b""
    state.written[path] = before + bytes_of(state.space) + (b"\n" if state.newline else b"")


def _do_next(state: SedRun, command: SedCommand) -> Result:
    """n, N: the next line, in this one's place or behind it."""
    if state.is_last():
        state.ended = 0
        return "end"
    space = state.space
    if command.name == "n" and not state.quiet:
        state.print(space, state.newline)
    state.flush_after()
    state.next_line()
    if command.name == "N":
        state.space = f"{space}\n{state.space}"
    return None


def _do_delete_first(state: SedRun, command: SedCommand) -> Result:
    _, newline, rest = state.space.partition("\n")
    if newline:
        state.space, state.kept = rest, True
    return "delete"


def _do_change(state: SedRun, command: SedCommand) -> Result:
    if command.second is None or not command.active_until or command.negated:
        state.put(bytes_of(command.text))
    return "delete"


def _do_quit(state: SedRun, command: SedCommand) -> Result:
    state.ended = command.count
    state.newline |= state.tool.gnu
    return "end" if command.name == "q" else "delete"


def _do_read(state: SedRun, command: SedCommand) -> Result:
    with suppress(OSError):
        state.after.append(state.tool.data("-" if command.text == "/dev/stdin" else command.text))
    return None


def _do_test(state: SedRun, command: SedCommand) -> Result:
    wanted = state.replaced if command.name == "t" else not state.replaced
    state.replaced = False
    return command.jump if wanted else None


def _do_list(state: SedRun, command: SedCommand) -> Result:
    named = {"\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
    shown = (
        named.get(chr(byte)) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in bytes_of(state.space)
    )
    state.print(re.sub(r"(.{69})(?=.)", r"\1\\\n", "".join(shown)) + "$")
    return None


def _set(change: Callable[[SedRun, SedCommand], None], result: Result = None) -> Action:
    def action(state: SedRun, command: SedCommand) -> Result:
        change(state, command)
        return result

    return action


def _take(state: SedRun, text: str, *, ended: bool = True) -> None:
    state.space, state.newline = text, state.hold_newline if state.tool.gnu else ended


def _keep(state: SedRun, text: str) -> None:
    state.hold, state.hold_newline = text, state.newline or not state.tool.gnu


def _print_first(state: SedRun) -> None:
    """P. busybox ends what it prints in any case."""
    first, more, _ = state.space.partition("\n")
    state.print(first, bool(more) or state.newline or not state.tool.gnu)


def _exchange(state: SedRun, command: SedCommand) -> None:
    state.space, state.hold = state.hold, state.space
    kept = state.newline or not state.tool.gnu
    state.newline, state.hold_newline = state.hold_newline, kept


ACTIONS: dict[str, Action] = {
    "=": _set(lambda state, command: state.print(str(state.number))),
    "a": _set(lambda state, command: state.after.append(bytes_of(command.text))),
    "b": lambda state, command: command.jump,
    "c": _do_change,
    "d": lambda state, command: "delete",
    "D": _do_delete_first,
    "F": _set(lambda state, command: state.print(state.name)),
    "g": _set(lambda state, command: _take(state, state.hold, ended=state.newline)),
    "G": _set(lambda state, command: _take(state, f"{state.space}\n{state.hold}")),
    "h": _set(lambda state, command: _keep(state, state.space)),
    "H": _set(lambda state, command: _keep(state, f"{state.hold}\n{state.space}")),
    "i": _set(lambda state, command: state.put(bytes_of(command.text))),
    "l": _do_list,
    "n": _do_next,
    "N": _do_next,
    "p": _set(lambda state, command: state.print(state.space, state.newline)),
    "P": _set(lambda state, command: _print_first(state)),
    "q": _do_quit,
    "Q": _do_quit,
    "r": _do_read,
    "s": _do_substitute,
    "t": _do_test,
    "T": _do_test,
    "w": _set(lambda state, command: _write_to(state, command.text)),
    "x": _set(_exchange),
    "y": _set(lambda state, command: setattr(state, "space", state.space.translate(command.table))),
    "z": _set(lambda state, command: setattr(state, "space", "")),
}


_UNREADABLE = Say("{0}", "can't read {0}")


def lines_of(tool: Tool, path: str) -> Iterator[tuple[str, bool]]:
    status = 2 if tool.gnu else 1
    try:
        if path != "-" and tool.files.is_dir(path):
            tool.complain(
                Say(
                    "read error: Is a directory",
                    "couldn't edit {0}: not a regular file" if tool.has("i") else "read error on {0}: Is a directory",
                ),
                path,
                status=status,
            )
            return
        content = tool.content(path)
    except OSError as error:
        tool.complain(_UNREADABLE, path, error=error, status=status)
        return
    end = b"\0" if tool.has("z") else b"\n"
    for line in tool.lines(content, end):
        yield text_of(line.removesuffix(end)), line.endswith(end)


def replace_file(tool: Tool, path: str, data: bytes) -> None:
    """As sed -i does it: a new file takes the old one's place and its name."""
    about = tool.files.stat(path)
    folder, _, name = path.rpartition("/")
    suffix = tool.value("i")
    front = f"{folder}/" if folder or path.startswith("/") else ""
    temporary = f"{front}sed{about.st_ino:06x}" if tool.gnu else f"{front}{name}{about.st_ino:06x}"
    try:
        tool.files.write(temporary, data)
        tool.files.chmod(temporary, about.st_mode & 0o7777)
        tool.files.chown(temporary, about.st_uid, about.st_gid)
        if suffix:
            tool.files.rename(path, suffix.replace("*", name) if "*" in suffix else path + suffix)
        tool.files.rename(temporary, path)
    except OSError as error:
        failed = str(error.filename or path)
        if tool.files.exists(temporary):
            tool.files.unlink(temporary)
        creating = failed == temporary and error.filename2 is None
        said = f"couldn't open temporary file {temporary}" if creating else f"cannot rename {temporary}"
        tool.complain(
            Say("can't create temp file '{0}'" if creating else "can't move '" + temporary + "' to '{0}'", said),
            path,
            error=error,
            status=4 if tool.gnu else 1,
        )


def write_files(state: SedRun) -> None:
    for path, data in state.written.items():
        if path != "/dev/stdout":
            state.tool.files.write(path, data)


def sed(tool: Tool) -> int:
    scripts, paths = _scripts(tool)
    parser = SedParser(tool, "\n".join(scripts), tool.has("E", "r"))
    commands = parser.parse()
    quiet = tool.has("n") or scripts[0].startswith("#n\n")
    in_place = tool.has("i")
    if in_place and not paths:
        tool.fail("no input files", 4) if tool.gnu else tool.fail("-i requires an argument")
    if in_place or tool.has("s"):
        for path in paths:
            _run_file(tool, commands, quiet, path, in_place)
        return tool.status
    state = SedRun(tool, commands, (line for path in paths or ["-"] for line in lines_of(tool, path)), [], quiet)
    _run(state)
    write_files(state)
    return state.ended if state.ended else tool.status


def _scripts(tool: Tool) -> tuple[list[str], list[str]]:
    scripts = []
    for name, value in tool.options:
        if name == "e":
            scripts.append(value)
        elif name == "f":
            with tool.refusing(Say("{0}", "couldn't open file {0}"), value, status=4 if tool.gnu else 1):
                scripts.append(text_of(tool.data(value)).removesuffix("\n"))
    if scripts:
        return scripts, tool.operands
    if not tool.operands:
        if tool.gnu:
            tool.process.stderr.write("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n\n")
            raise Done(1)
        tool.usage()
    return [tool.operands[0]], tool.operands[1:]


def _run_file(tool: Tool, commands: list[SedCommand], quiet: bool, path: str, in_place: bool) -> None:
    if in_place and (not tool.files.exists(path) or tool.files.is_dir(path)):
        for _ in lines_of(tool, path):
            pass
        if tool.status == 2 and tool.files.is_dir(path):
            tool.status = 4
        return
    fresh = [replace(command, active_until=0, begun=False) for command in commands]
    state = SedRun(tool, fresh, lines_of(tool, path), [], quiet, name=path)
    _run(state, flush=not in_place)
    write_files(state)
    if in_place:
        replace_file(tool, path, b"".join(state.out))
    else:
        tool.out(b"".join(state.out))


def _run(state: SedRun, flush: bool = True) -> None:
    for command in state.commands:
        if command.name in "wW" or (command.name == "s" and command.text):
            state.written.setdefault(command.text, b"")
    while state.kept or state.next_line():
        state.kept = False
        state.tool.tick()
        deleted = _cycle(state)
        if not deleted and not state.quiet:
            state.print(state.space, state.newline)
        state.flush_after()
        if flush and state.out:
            state.tool.out(b"".join(state.out))
            state.out.clear()
        if state.ended is not None:
            if not flush:
                _rest(state)
            return


def _rest(state: SedRun) -> None:
    """-i keeps the lines after a q."""
    while (found := state.read()) is not None:
        state.print(*found)


def _cycle(state: SedRun) -> bool:
    """Run the commands on the pattern space; True: it is not to be printed."""
    place = held = 0
    while place < len(state.commands):
        command = state.commands[place]
        state.tool.tick()
        place += 1
        if not selected(state, command):
            if command.name == "{":
                place = command.jump + 1
            continue
        result = ACTIONS[command.name](state, command) if command.name in ACTIONS else None
        before, held = held, len(state.space) + len(state.hold)
        if held > 1024 and held != before:
            state.tool.hold(held)
        if result == "delete":
            return True
        if result == "end":
            return False
        if isinstance(result, int):
            place = result
    return False


UTILITIES = {
    "sed": Utility(
        sed,
        "i? n r E f: e:=expression z",
        "n=quiet,silent e:=expression f:=file E=regexp-extended r i?=in-place s=separate "
        "u=unbuffered z=null-data l: =posix =debug =follow-symlinks",
        "[-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...\n[-i[SFX]] [-nrE] CMD [FILE]...",
        package="GNU sed) 4.9",
    ),
}


def selected(state: SedRun, command: SedCommand) -> bool:
    return _in_range(state, command) != command.negated


def _in_range(state: SedRun, command: SedCommand) -> bool:
    if command.first is None:
        return True
    if command.second is None:
        return _matches(state, command.first)
    if command.active_until:
        return _still(state, command)
    second = command.second
    if state.tool.gnu and command.first.line == 0 and state.number == 1 and second.pattern is not None:
        command.active_until, command.begun = OPEN, True
        return _still(state, command)
    if not _starts(state, command):
        return False
    if second.pattern is not None or second.repeat:
        command.active_until = OPEN
    elif second.line == LAST:
        command.active_until = 0 if state.is_last() else OPEN
    else:
        line = second.line or 0
        if second.kind == "+":
            line += state.number
        elif second.kind == "~":
            line = -(-state.number // line) * line if line else state.number
        command.active_until = line if line > state.number else 0
    return True


def _starts(state: SedRun, command: SedCommand) -> bool:
    """Whether a range begins here. One whose first line was passed over begins late, but only once."""
    first = command.first
    assert first is not None
    if first.line is None or first.line == LAST or first.step or (first.line == 0 and not state.tool.gnu):
        return _matches(state, first)
    if command.begun or state.number < first.line:
        return False
    command.begun = True
    second = command.second
    by_number = second is not None and second.pattern is None and not second.repeat and not second.kind
    late = by_number and second is not None and second.line != LAST and state.number > (second.line or 0)
    return not (late and state.tool.gnu) or state.number == first.line


def _still(state: SedRun, command: SedCommand) -> bool:
    second, limit = command.second, command.active_until
    assert second is not None
    if second.pattern is not None or second.repeat or second.line == LAST:
        ends = _matches(state, second)
    else:
        ends = state.number >= limit
    command.active_until = 0 if ends else limit
    return state.number <= limit


def _matches(state: SedRun, address: SedAddress) -> bool:
    if address.pattern is not None or address.repeat:
        pattern = pattern_in_force(state, address.pattern)
        return pattern.search(state.space) is not None
    if address.line == LAST:
        return state.is_last()
    line = address.line or 0
    if address.step:
        return state.number >= line and (state.number - line) % address.step == 0
    return state.number == line


def pattern_in_force(state: SedRun, pattern: Searchable | None) -> Searchable:
    if pattern is None:
        if state.pattern is None:
            state.tool.fail("no previous regular expression" if state.tool.gnu else "no previous regexp")
        return state.pattern
    state.pattern = pattern
    return pattern
