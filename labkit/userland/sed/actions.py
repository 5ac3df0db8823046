"""What the commands of sed do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from labkit.userland.guarded import Searchable, TextMatch
from labkit.userland.sed.addresses import pattern_in_force
from labkit.userland.sed.script import SedCommand
from labkit.userland.sed.state import SedRun
from labkit.userland.tool import bytes_of

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


def _write_to(state: SedRun, path: str) -> None:
    data = bytes_of(state.space) + b"\n"
    if path == "/dev/stdout":
        state.out.append(data)
    else:
        state.written[path] = state.written.get(path, b"") + data


def _do_next(state: SedRun, command: SedCommand) -> Result:
    if state.is_last():
        state.ended = 0
        return "end"
    if not state.quiet:
        state.print(state.space, state.newline)
    state.flush_after()
    state.next_line()
    return None


def _do_append_next(state: SedRun, command: SedCommand) -> Result:
    if state.is_last():
        state.ended = 0
        return "end"
    space = state.space
    state.flush_after()
    state.next_line()
    state.space = f"{space}\n{state.space}"
    return None


def _do_delete_first(state: SedRun, command: SedCommand) -> Result:
    _, newline, rest = state.space.partition("\n")
    if newline:
        state.space, state.kept = rest, True
    return "delete"


def _do_change(state: SedRun, command: SedCommand) -> Result:
    inside = command.second is not None and command.active_until and not command.negated
    if not inside:
        state.out.append(bytes_of(command.text))
    return "delete"


def _do_quit(state: SedRun, command: SedCommand) -> Result:
    state.ended = command.count
    return "end" if command.name == "q" else "delete"


def _do_read(state: SedRun, command: SedCommand) -> Result:
    try:
        state.after.append(state.tool.data("-" if command.text == "/dev/stdin" else command.text))
    except OSError:
        return None
    return None


def _do_test(state: SedRun, command: SedCommand) -> Result:
    wanted = state.replaced if command.name == "t" else not state.replaced
    state.replaced = False
    return command.jump if wanted else None


def _do_list(state: SedRun, command: SedCommand) -> Result:
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


def _set(change: Callable[[SedRun, SedCommand], None], result: Result = None) -> Action:
    def action(state: SedRun, command: SedCommand) -> Result:
        change(state, command)
        return result

    return action


def _exchange(state: SedRun, command: SedCommand) -> None:
    state.space, state.hold = state.hold, state.space


ACTIONS: dict[str, Action] = {
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
