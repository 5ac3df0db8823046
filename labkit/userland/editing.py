"""sed: a script is parsed once into commands, then run over the lines of the files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from labkit.userland.guarded import Searchable, TextMatch, guarded
from labkit.userland.regex import BadPattern, compile_pattern
from labkit.userland.tool import Done, Say, Tool, Utility, bytes_of, text_of

_LAST = -1  # the address $


@dataclass(frozen=True)
class Address:
    """Which lines: a number, the last one, a step, or a pattern; `plus` and `multiple` belong to the second of two."""

    line: int | None = None
    pattern: Searchable | None = None
    repeat: bool = False  # the pattern is empty: the last one that was used
    step: int = 0
    kind: str = ""  # "+" or "~"


@dataclass
class Command:
    """One command; `jump` is where a branch, or a block that is passed over, goes on."""

    name: str
    first: Address | None = None
    second: Address | None = None
    negated: bool = False
    text: str = ""
    pattern: Searchable | None = None
    repeat: bool = False
    replacement: list[str | int | tuple[str]] = field(default_factory=list)
    flags: str = ""
    count: int = 1
    table: dict[int, int] = field(default_factory=dict)
    jump: int = 0
    begun: bool = False  # a range that starts at a line has started
    active_until: int = 0  # 0: not in its range; the line where the range ends, or _OPEN


_OPEN = 1 << 60


class Parser:
    """The script, and where in it the parser stands."""

    def __init__(self, tool: Tool, script: str, extended: bool) -> None:
        self.tool = tool
        self.script = script
        self.extended = extended
        self.place = 0
        self.commands: list[Command] = []

    def fail(self, gnu: str, busybox: str) -> None:
        self.tool.fail(f"-e expression #1, char {self.place}: {gnu}" if self.tool.gnu else busybox)

    def peek(self) -> str:
        return self.script[self.place : self.place + 1]

    def next(self) -> str:
        self.place += 1
        return self.script[self.place - 1 : self.place]

    def blanks(self, chars: str = " \t") -> None:
        while self.peek() and self.peek() in chars:
            self.place += 1

    def parse(self) -> list[Command]:
        while True:
            self.blanks(" \t\n;")
            if not self.peek():
                break
            if self.peek() == "#":
                self.rest_of_line()
                continue
            self.command()
        self.link()
        return self.commands

    def command(self) -> None:
        first = self.address()
        second = None
        if first is not None:
            self.blanks()
            if self.peek() == ",":
                self.next()
                self.blanks()
                second = self.address(second=True)
                if second is None:
                    self.place += 1
                    self.fail("unexpected `,'", "no address after comma")
        self.blanks()
        negated = False
        while self.peek() == "!":
            self.next()
            negated = True
            self.blanks()
        name = self.next()
        if not name:
            self.place -= 1
            self.fail("missing command", "missing command")
        made = Command(name, first, second, negated)
        reader = _READERS.get(name)
        if reader is None:
            self.fail(f"unknown command: `{name}'", f"unsupported command {name}")
            return
        if second is not None and name in "qQ" and self.tool.gnu:
            self.fail("command only uses one address", "")
        reader(self, made)
        self.commands.append(made)

    def address(self, second: bool = False) -> Address | None:
        char = self.peek()
        if char.isdigit():
            number = self.number()
            if self.peek() == "~" and not second and self.tool.gnu:
                self.next()
                return Address(line=number, step=self.number())
            return Address(line=number)
        if char == "$":
            self.next()
            return Address(line=_LAST)
        if second and char and char in "+~":
            self.next()
            return Address(line=self.number(), kind=char)
        if char in ("/", "\\") and char:
            self.next()
            mark = self.next() if char == "\\" else char
            text = self.until(mark, "unterminated address regex")
            flags = ""
            while self.peek() and self.peek() in "IM":
                flags += self.next()
            if text == "":
                return Address(repeat=True)
            return Address(pattern=self.regex(text, flags))
        return None

    def number(self) -> int:
        start = self.place
        while self.peek().isdigit():
            self.place += 1
        return int(self.script[start : self.place] or 0)

    def regex(self, text: str, flags: str) -> Searchable:
        try:
            ignore_case = "I" in flags or "i" in flags
            pattern = compile_pattern(
                text, extended=self.extended, ignore_case=ignore_case, multiline="M" in flags, controls=True
            )
            return guarded(pattern, self.tool.tick)
        except BadPattern as bad:
            self.fail(str(bad), f"bad regex '{text}': {bad}")
            raise

    def until(self, mark: str, unterminated: str) -> str:
        """Text up to a mark that is not escaped and not in brackets (in a pattern)."""
        out, bracket = "", 0
        pattern = unterminated != "replacement"
        while True:
            char = self.next()
            if not char or (char == "\n" and pattern and unterminated.startswith("unterminated address")):
                self.place = len(self.script)
                said = "unterminated `s' command" if unterminated in ("pattern", "replacement") else unterminated
                self.fail(said, f"unmatched '{mark}'")
            if char == "\\":
                following = self.next()
                if following == mark:
                    out += following
                elif following == "\n" and not pattern:
                    out += "\\\n"
                else:
                    out += "\\" + following
                continue
            if char == mark and not bracket:
                return out
            if pattern:
                bracket = self.in_bracket(char, bracket, out)
            out += char

    def in_bracket(self, char: str, bracket: int, out: str) -> int:
        """0 outside brackets; inside, 1 at their start, 2 later, 3 within [: :]."""
        if not bracket:
            return 1 if char == "[" and "]" in self.script[self.place :] else 0
        if bracket == 1:
            return 1 if char == "^" and out.endswith("[") else 2
        if bracket == 2 and char == "[" and self.peek() in (":", ".", "="):
            return 3
        if bracket == 3:
            return 2 if char == "]" else 3
        return 0 if char == "]" else 2

    def rest_of_line(self) -> str:
        stop = self.script.find("\n", self.place)
        stop = len(self.script) if stop < 0 else stop
        text = self.script[self.place : stop]
        self.place = stop
        return text

    def end_of_command(self) -> None:
        self.blanks()
        char = self.peek()
        if char and char not in ";\n}#":
            self.place += 1
            self.fail("extra characters after command", "extra characters after command")

    def link(self) -> None:
        """Where blocks end and branches lead."""
        labels = {command.text: index for index, command in enumerate(self.commands) if command.name == ":"}
        open_blocks: list[int] = []
        for index, command in enumerate(self.commands):
            if command.name == "{":
                open_blocks.append(index)
            elif command.name == "}":
                if not open_blocks:
                    self.fail("unexpected `}'", "unexpected }")
                self.commands[open_blocks.pop()].jump = index
            elif command.name in ("b", "t", "T"):
                if command.text and command.text not in labels:
                    self.tool.fail(
                        f"can't find label for jump to `{command.text}'"
                        if self.tool.gnu
                        else f"can't find label for jump to '{command.text}'",
                        4 if self.tool.gnu else 1,
                    )
                command.jump = labels.get(command.text, len(self.commands))
        for block in open_blocks if not self.tool.gnu else ():
            self.commands[block].jump = len(self.commands)
        if open_blocks and self.tool.gnu:
            self.tool.fail("-e expression #1, char 0: unmatched `{'")


def _plain(parser: Parser, command: Command) -> None:
    parser.end_of_command()


def _open(parser: Parser, command: Command) -> None:
    pass


def _label(parser: Parser, command: Command) -> None:
    parser.blanks()
    match = re.compile(r"[^;\n}]*" if command.name != ":" else r"[^;\n]*").match(parser.script, parser.place)
    command.text = match[0].strip() if match else ""
    parser.place += len(match[0]) if match else 0
    if command.name == ":" and not command.text:
        parser.fail('":" lacks a label', '":" lacks a label')


def _text(parser: Parser, command: Command) -> None:
    """a, i, c: the rest of the line, or the lines after a backslash."""
    parser.blanks()
    if parser.peek() == "\\":
        parser.next()
        after = re.compile(r"[ \t]*\n").match(parser.script, parser.place)
        if after:
            parser.place = after.end()
    elif not parser.peek():
        parser.fail("expected \\ after `a', `c' or `i'", "too few arguments")
    out = ""
    while True:
        char = parser.next()
        if char == "\\":
            out += parser.next()
        elif char in ("\n", ""):
            break
        else:
            out += char
    command.text = out + "\n"


def _file(parser: Parser, command: Command) -> None:
    parser.blanks()
    command.text = parser.rest_of_line()
    if not command.text:
        parser.fail("missing filename in r/R/w/W commands", "empty filename")


def _status(parser: Parser, command: Command) -> None:
    parser.blanks()
    command.count = parser.number()
    parser.end_of_command()


def _substitute(parser: Parser, command: Command) -> None:
    mark = parser.next()
    if not mark or mark in "\n\\":
        parser.fail("unterminated `s' command", "unmatched '/'")
    text = parser.until(mark, "pattern")
    by = parser.until(mark, "replacement")
    flags = ""
    while (char := parser.peek()) and char not in " \t\n;}#":
        parser.next()
        if char.isdigit():
            parser.place -= 1
            command.count = parser.number()
            if command.count == 0:
                parser.fail("number option to `s' command may not be zero", "bad option in substitution expression")
        elif char in "gpiIemM":
            flags += char
        elif char == "w":
            parser.blanks()
            command.text = parser.rest_of_line()
            break
        else:
            parser.fail("unknown option to `s'", "bad option in substitution expression")
    command.flags = flags
    command.repeat = text == ""
    command.pattern = parser.regex(text, flags) if text else None
    command.replacement = _replacement(by, cases=parser.tool.gnu)
    groups = command.pattern.groups if command.pattern else 9
    for part in command.replacement:
        if isinstance(part, int) and part > groups:
            parser.fail(
                f"invalid reference \\{part} on `s' command's RHS", f"invalid reference \\{part} on 's' command's RHS"
            )
    parser.end_of_command()


def _replacement(text: str, *, cases: bool) -> list[str | int | tuple[str]]:
    """Literal text, group numbers, and (in a tuple) the letters of \\U and its like."""
    parts: list[str | int | tuple[str]] = []
    controls = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
    for match in re.finditer(r"\\(\d)|\\([ULulE])|\\(.)|(&)|([^\\&]+)|(\\)$", text, re.S):
        if match[1]:
            parts.append(int(match[1]))
        elif match[2]:
            parts.append((match[2],) if cases else match[2])
        elif match[4]:
            parts.append(0)
        else:
            parts.append(controls.get(match[3], match[3]) if match[3] else match[5] or "\\")
    return parts


def _translate(parser: Parser, command: Command) -> None:
    mark = parser.next()
    sides = []
    for _ in range(2):
        raw = parser.until(mark, "unterminated `y' command")
        sides.append(re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), raw))
    if len(sides[0]) != len(sides[1]):
        parser.fail("strings for `y' command are different lengths", "strings for 'y' command are different lengths")
    command.table = {ord(one): ord(other) for one, other in reversed(list(zip(*sides, strict=True)))}
    parser.end_of_command()


_READERS: dict[str, Callable[[Parser, Command], None]] = {
    **dict.fromkeys("=dDgGhHlnNpPxFz", _plain),
    **dict.fromkeys("}", _plain),
    "{": _open,
    **dict.fromkeys(":btT", _label),
    **dict.fromkeys("aic", _text),
    **dict.fromkeys("rwRW", _file),
    **dict.fromkeys("qQ", _status),
    "s": _substitute,
    "y": _translate,
}


# running


@dataclass
class State:
    """What sed remembers from line to line."""

    tool: Tool
    commands: list[Command]
    lines: Iterator[tuple[str, bool]]
    out: list[bytes]
    quiet: bool
    number: int = 0
    space: str = ""
    newline: bool = True  # the line that is in the pattern space ended with one
    hold: str = ""
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

    def print(self, text: str, newline: bool = True) -> None:
        self.out.append(bytes_of(text) + (b"\n" if newline else b""))

    def flush_after(self) -> None:
        for piece in self.after:
            self.out.append(piece)
            if not self.tool.gnu and piece and not piece.endswith(b"\n"):
                self.out.append(b"\n")
        self.after = []


def sed(tool: Tool) -> int:
    scripts, paths = _scripts(tool)
    parser = Parser(tool, "\n".join(scripts), tool.has("E", "r"))
    commands = parser.parse()
    quiet = tool.has("n") or scripts[0].startswith("#n\n")
    in_place = tool.has("i")
    if in_place and not paths:
        tool.fail("no input files", 4) if tool.gnu else tool.fail("-i requires an argument")
    if in_place or tool.has("s"):
        for path in paths:
            _run_file(tool, commands, quiet, path, in_place)
        return tool.status
    state = State(tool, commands, _all_lines(tool, paths or ["-"]), [], quiet)
    _run(state)
    _write_files(state)
    return state.ended if state.ended else tool.status


def _scripts(tool: Tool) -> tuple[list[str], list[str]]:
    scripts = []
    for name, value in tool.options:
        if name == "e":
            scripts.append(value)
        elif name == "f":
            try:
                scripts.append(text_of(tool.data(value)).removesuffix("\n"))
            except OSError as error:
                tool.refuse(Say("{0}", "couldn't open file {0}"), value, error=error, status=4 if tool.gnu else 1)
    if scripts:
        return scripts, tool.operands
    if not tool.operands:
        if tool.gnu:
            tool.process.stderr.write("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n\n")
            raise Done(1)
        tool.usage()
    return [tool.operands[0]], tool.operands[1:]


_UNREADABLE = Say("{0}", "can't read {0}")


def _all_lines(tool: Tool, paths: list[str]) -> Iterator[tuple[str, bool]]:
    for path in paths:
        yield from _lines(tool, path)


def _lines(tool: Tool, path: str) -> Iterator[tuple[str, bool]]:
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


def _run_file(tool: Tool, commands: list[Command], quiet: bool, path: str, in_place: bool) -> None:
    if in_place and (not tool.files.exists(path) or tool.files.is_dir(path)):
        for _ in _lines(tool, path):
            pass
        if tool.status == 2 and tool.files.is_dir(path):
            tool.status = 4
        return
    fresh = [replace(command, active_until=0, begun=False) for command in commands]
    state = State(tool, fresh, _lines(tool, path), [], quiet, name=path)
    out = tool.process.stdout
    _run(state, flush=not in_place)
    _write_files(state)
    if not in_place:
        out.write(b"".join(state.out))
        return
    _replace_file(tool, path, b"".join(state.out))


def _replace_file(tool: Tool, path: str, data: bytes) -> None:
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


def _write_files(state: State) -> None:
    for path, data in state.written.items():
        if path == "/dev/stdout":
            continue
        state.tool.files.write(path, data)


def _run(state: State, flush: bool = True) -> None:
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


def _rest(state: State) -> None:
    """-i keeps the lines after a q."""
    while (found := state.read()) is not None:
        state.print(*found)


def _cycle(state: State) -> bool:
    """Run the commands on the pattern space; True: it is not to be printed."""
    place = 0
    while place < len(state.commands):
        command = state.commands[place]
        state.tool.tick()
        place += 1
        if not _selected(state, command):
            if command.name == "{":
                place = command.jump + 1
            continue
        action = _ACTIONS.get(command.name)
        if action is None:
            continue
        result = action(state, command)
        if len(state.space) + len(state.hold) > 1024:
            state.tool.hold(len(state.space) + len(state.hold))
        if result == "delete":
            return True
        if result == "end":
            return False
        if isinstance(result, int):
            place = result
    return False


def _selected(state: State, command: Command) -> bool:
    return _in_range(state, command) != command.negated


def _in_range(state: State, command: Command) -> bool:
    if command.first is None:
        return True
    if command.second is None:
        return _matches(state, command.first)
    if command.active_until:
        return _still(state, command)
    starts = state.tool.gnu and command.first.line == 0 and state.number == 1 and command.second.pattern is not None
    if starts:
        command.active_until, command.begun = _OPEN, True
        return _still(state, command)
    second = command.second
    if not _starts(state, command):
        return False
    if second.pattern is not None or second.repeat:
        command.active_until = _OPEN
    elif second.line == _LAST:
        command.active_until = 0 if state.is_last() else _OPEN
    else:
        line = second.line or 0
        if second.kind == "+":
            line += state.number
        elif second.kind == "~":
            line = -(-state.number // line) * line if line else state.number
        command.active_until = line if line > state.number else 0
    return True


def _starts(state: State, command: Command) -> bool:
    """Whether a range begins here. GNU lets one begin late, whose first line was passed over, but only once."""
    first = command.first
    assert first is not None
    if not state.tool.gnu or first.line is None or first.line == _LAST or first.step:
        return _matches(state, first)
    if command.begun or state.number < first.line:
        return False
    command.begun = True
    second = command.second
    by_number = second is not None and second.pattern is None and not second.repeat and not second.kind
    late = by_number and second is not None and second.line != _LAST and state.number > (second.line or 0)
    return not late or state.number == first.line


def _still(state: State, command: Command) -> bool:
    second = command.second
    assert second is not None
    if second.pattern is not None or second.repeat:
        if _matches(state, second):
            command.active_until = 0
        return True
    if second.line == _LAST:
        if state.is_last():
            command.active_until = 0
        return True
    limit = command.active_until
    if state.number >= limit:
        command.active_until = 0
    return state.number <= limit


def _matches(state: State, address: Address) -> bool:
    if address.pattern is not None or address.repeat:
        pattern = _pattern(state, address.pattern)
        return pattern.search(state.space) is not None
    if address.line == _LAST:
        return state.is_last()
    line = address.line or 0
    if address.step:
        return state.number >= line and (state.number - line) % address.step == 0
    return state.number == line


def _pattern(state: State, pattern: Searchable | None) -> Searchable:
    if pattern is None:
        if state.pattern is None:
            state.tool.fail("no previous regular expression" if state.tool.gnu else "no previous regexp")
        return state.pattern
    state.pattern = pattern
    return pattern


# commands

Result = str | int | None


def _do_substitute(state: State, command: Command) -> Result:
    pattern = _pattern(state, command.pattern)
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
        state.print(state.space)
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


def _write_to(state: State, path: str) -> None:
    data = bytes_of(state.space) + b"\n"
    if path == "/dev/stdout":
        state.out.append(data)
    else:
        state.written[path] = state.written.get(path, b"") + data


def _do_next(state: State, command: Command) -> Result:
    if state.is_last():
        state.ended = 0
        return "end"
    if not state.quiet:
        state.print(state.space, state.newline)
    state.flush_after()
    state.next_line()
    return None


def _do_append_next(state: State, command: Command) -> Result:
    if state.is_last():
        state.ended = 0
        return "end"
    space = state.space
    state.flush_after()
    state.next_line()
    state.space = f"{space}\n{state.space}"
    return None


def _do_delete_first(state: State, command: Command) -> Result:
    _, newline, rest = state.space.partition("\n")
    if newline:
        state.space, state.kept = rest, True
    return "delete"


def _do_change(state: State, command: Command) -> Result:
    inside = command.second is not None and command.active_until and not command.negated
    if not inside:
        state.out.append(bytes_of(command.text))
    return "delete"


def _do_quit(state: State, command: Command) -> Result:
    state.ended = command.count
    return "end" if command.name == "q" else "delete"


def _do_read(state: State, command: Command) -> Result:
    try:
        state.after.append(state.tool.data("-" if command.text == "/dev/stdin" else command.text))
    except OSError:
        return None
    return None


def _do_test(state: State, command: Command) -> Result:
    wanted = state.replaced if command.name == "t" else not state.replaced
    state.replaced = False
    return command.jump if wanted else None


def _do_list(state: State, command: Command) -> Result:
    named = {"\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
    out = ""
    for byte in bytes_of(state.space):
        char = chr(byte)
        out += named.get(char) or (char if 32 <= byte < 127 else f"\\{byte:03o}")
    pieces = []
    while len(out) > 69:
        pieces.append(out[:69] + "\\")
        out = out[69:]
    state.print("\n".join([*pieces, out + "$"]))
    return None


def _set(change: Callable[[State, Command], object], result: Result = None) -> Callable[[State, Command], Result]:
    def action(state: State, command: Command) -> Result:
        change(state, command)
        return result

    return action


def _exchange(state: State, command: Command) -> None:
    state.space, state.hold = state.hold, state.space


_ACTIONS: dict[str, Callable[[State, Command], Result]] = {
    "=": _set(lambda state, command: state.print(str(state.number))),
    "a": _set(lambda state, command: state.after.append(bytes_of(command.text))),
    "b": lambda state, command: command.jump,
    "c": _do_change,
    "d": lambda state, command: "delete",
    "D": _do_delete_first,
    "F": _set(lambda state, command: state.print(state.name)),
    "g": _set(lambda state, command: setattr(state, "space", state.hold)),
    "G": _set(lambda state, command: setattr(state, "space", f"{state.space}\n{state.hold}")),
    "h": _set(lambda state, command: setattr(state, "hold", state.space)),
    "H": _set(lambda state, command: setattr(state, "hold", f"{state.hold}\n{state.space}")),
    "i": _set(lambda state, command: state.out.append(bytes_of(command.text))),
    "l": _do_list,
    "n": _do_next,
    "N": _do_append_next,
    "p": _set(lambda state, command: state.print(state.space)),
    "P": _set(lambda state, command: state.print(state.space.partition("\n")[0])),
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
