"""The commands that are part of the shell: a table of functions that take the shell and the arguments.

POSIX, Shell Command Language, 2.14 (special builtins) and the utilities that only a shell can provide.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from labkit.kernel.programs import ExecError, find_program
from labkit.kernel.signals import IGNORED, SIGNALS, signal_list, signal_named
from labkit.shell import expand, messages
from labkit.shell.frames import (
    ABORT,
    BREAK,
    CONTINUE,
    EXIT,
    RETURN,
    Boundary,
    ExitFrame,
    FunctionFrame,
    Jump,
    LoopFrame,
    ProgramFrame,
)
from labkit.shell.messages import ASH, BASH, DASH
from labkit.shell.parser import RESERVED
from labkit.shell.printing import Printf, echo_text
from labkit.shell.tree import Literal, word
from labkit.userland.testing import BadTest, evaluated

if TYPE_CHECKING:
    from labkit.shell.interpreter import Shell

Builtin = Callable[["Shell", list[str]], int]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OPTIONS = {  # in the order of `set -o`
    "errexit": "e",
    "noglob": "f",
    "monitor": "m",
    "noexec": "n",
    "xtrace": "x",
    "verbose": "v",
    "noclobber": "C",
    "allexport": "a",
    "notify": "b",
    "nounset": "u",
    "pipefail": "pipefail",
}
_LETTERS = frozenset("abCefhmnuvxBEHT")


def _say(shell: Shell, args: list[str], key: str, *values: object, status: int | None = None) -> int:
    """Complain as this builtin; the status of a special one that fails is that of the shell's errors."""
    shell.complain(messages.text(shell.dialect, key, *values), args[0])
    return shell.dialect.error_status if status is None else status


def _fail(shell: Shell, args: list[str], key: str, *values: object) -> int:
    """As _say; a special builtin's failure ends the shell, but not bash."""
    status = _say(shell, args, key, *values)
    if shell.dialect is not BASH:
        raise Jump(ABORT, status)
    return status


# -- nothing, text


def _true(shell: Shell, args: list[str]) -> int:
    return 0


def _false(shell: Shell, args: list[str]) -> int:
    return 1


def _echo(shell: Shell, args: list[str]) -> int:
    dash = shell.dialect is DASH
    shell.out(echo_text(args[1:], options="n" if dash else "neE", always=dash))
    return 0


_PRINTF_SAID = {
    "ash": {"number": "invalid number '{}'", "partly": "invalid number '{}'", "format": "{}: invalid format"},
    "dash": {
        "number": "{}: expected numeric value",
        "partly": "{}: not completely converted",
        "format": "{}: invalid directive",
    },
    "bash": {
        "number": "{}: invalid number",
        "partly": "{}: invalid number",
        "format": "`{}': invalid format character",
    },
}


def _printf(shell: Shell, args: list[str]) -> int:
    if len(args) > 1 and args[1] == "--":
        args = [args[0], *args[2:]]
    if len(args) < 2:
        usage = {"dash": "usage: printf format [arg ...]", "bash": "usage: printf [-v var] format [arguments]"}
        shell.complain(usage.get(shell.dialect.name, "usage: printf FORMAT [ARG]..."), args[0])
        return 2
    done = Printf(args[1:], strict=shell.dialect is ASH)
    status = 0
    for kind, about in done.complaints:
        about = about if kind != "format" or shell.dialect is ASH else about[shell.dialect is BASH : 2]
        _applet_says(shell, args, _PRINTF_SAID[shell.dialect.name][kind].format(about))
        status = 2 if kind == "format" and shell.dialect is DASH else 1
    shell.out(done.text)
    return status


def _applet_says(shell: Shell, args: list[str], said: str) -> None:
    """Complain as a builtin that is also a program: in busybox it knows the program's name only."""
    if shell.dialect is ASH:
        shell.err(f"{_applet(shell)}: {said}\n")
    else:
        shell.complain(said, args[0])


def _applet(shell: Shell) -> str:
    return shell.process.argv[0].rpartition("/")[2].lstrip("-")


def _test(shell: Shell, args: list[str]) -> int:
    speaker = "busybox" if shell.dialect is ASH else shell.dialect.name
    try:
        return int(not evaluated(args[0], args[1:], shell.files, speaker, partial(_is_terminal, shell)))
    except BadTest as bad:
        _applet_says(shell, args, bad.form(speaker).format(*bad.texts))
        return 2


def _is_terminal(shell: Shell, number: int) -> bool:
    return bool(getattr(shell.env.fds.get(number), "isatty", False))


# -- folders


def _cd(shell: Shell, args: list[str]) -> int:
    operands = [arg for arg in args[1:] if arg not in ("-L", "-P", "--")]
    physical = "-P" in args[1:]
    target = operands[0] if operands else shell.get("HOME")
    if target is None:
        return 0 if shell.dialect is not BASH else _say(shell, args, "no home")
    show = target == "-"
    if show:
        target = shell.get("OLDPWD")
        if target is None:
            if shell.dialect is BASH:
                return _say(shell, args, "no oldpwd", status=1)
            target = shell.files.cwd
    if not target:
        target = shell.files.cwd
    old = shell.get("PWD") or shell.files.cwd
    found = _change_folder(shell, args, target, old)
    if found is None:
        return shell.dialect.error_status
    new, through = found
    if physical:
        new = shell.files.cwd
    shell.env.variables["OLDPWD"] = old
    shell.env.variables["PWD"] = new
    if shell.dialect is not DASH:
        shell.env.exported |= {"OLDPWD", "PWD"}
    if show or through:
        shell.out(f"{new}\n")
    return 0


def _change_folder(shell: Shell, args: list[str], target: str, old: str) -> tuple[str, bool] | None:
    """The new folder as the shell names it, and whether it was found through CDPATH."""
    candidates = [(target, False)]
    if not target.startswith(("/", "./", "../")) and target not in (".", "..") and (paths := shell.get("CDPATH")):
        candidates = [(f"{path}/{target}" if path else target, bool(path)) for path in paths.split(":")] + candidates
    error: OSError | None = None
    for path, through in candidates:
        logical = _logical(old, path)
        try:
            shell.files.chdir(logical if shell.files.is_dir(path) and shell.files.exists(logical) else path)
        except OSError as failed:
            error = failed
            continue
        return logical, through
    assert error is not None
    _say(shell, args, "can't cd", target, messages.reason(error))
    return None


def _logical(old: str, path: str) -> str:
    """The path from the old folder, `.` and `..` taken as text."""
    names: list[str] = []
    for name in (path if path.startswith("/") else f"{old}/{path}").split("/"):
        if name == "..":
            del names[-1:]
        elif name and name != ".":
            names.append(name)
    return "/" + "/".join(names)


def _pwd(shell: Shell, args: list[str]) -> int:
    logical = shell.get("PWD") or ""
    try:
        known = "-P" not in args and logical.startswith("/") and shell.files.realpath(logical) == shell.files.cwd
    except OSError:
        known = False
    shell.out((logical if known else shell.files.cwd) + "\n")
    return 0


def _umask(shell: Shell, args: list[str]) -> int:
    files = shell.files
    operands = [arg for arg in args[1:] if arg != "-S"]
    if not operands:
        shell.out(f"{_symbolic(files.umask)}\n" if "-S" in args else f"{files.umask:04o}\n")
        return 0
    if re.fullmatch(r"[0-7]{1,4}", operands[0]):
        files.umask = int(operands[0], 8) & 0o777
        return 0
    mask = _symbolic_mask(operands[0], files.umask)
    if mask is None:
        return _say(shell, args, "bad mode", operands[0])
    files.umask = mask
    return 0


def _symbolic(mask: int) -> str:
    allowed = ~mask & 0o777
    groups = ((who, allowed >> shift) for who, shift in (("u", 6), ("g", 3), ("o", 0)))
    return ",".join(
        f"{who}={''.join(letter for letter, bit in zip('rwx', (4, 2, 1), strict=True) if bits & bit)}"
        for who, bits in groups
    )


def _symbolic_mask(text: str, mask: int) -> int | None:
    allowed = ~mask & 0o777
    for clause in text.split(","):
        found = re.fullmatch(r"([ugoa]*)([-+=])([rwx]*)", clause)
        if not found:
            return None
        bits = sum({"r": 4, "w": 2, "x": 1}[letter] for letter in set(found.group(3)))
        whom = found.group(1).replace("a", "ugo") or "ugo"
        for who in set(whom):
            shift = {"u": 6, "g": 3, "o": 0}[who]
            if found.group(2) == "=":
                allowed &= ~(7 << shift)
            allowed = allowed & ~(bits << shift) if found.group(2) == "-" else allowed | bits << shift
    return ~allowed & 0o777


# -- variables


def _export(shell: Shell, args: list[str]) -> int:
    return _mark(shell, args, shell.env.exported)


def _readonly(shell: Shell, args: list[str]) -> int:
    return _mark(shell, args, shell.env.readonly)


def _mark(shell: Shell, args: list[str], marked: set[str]) -> int:
    """export and readonly."""
    command = args[0]
    operands = [arg for arg in args[1:] if arg not in ("-p", "--")]
    take_away = operands[:1] == ["-n"] and command == "export"
    if not operands:
        shell.out("".join(_declared(shell, command, name) for name in sorted(marked)))
        return 0
    status = 0
    for operand in operands[1:] if take_away else operands:
        name, assigned, value = operand.partition("=")
        if not _NAME.match(name):
            status = _fail(shell, args, "bad name", operand if shell.dialect is BASH else name)
            continue
        if assigned:
            shell.assign(name, value)
        (marked.discard if take_away else marked.add)(name)
    return status


def _declared(shell: Shell, command: str, name: str) -> str:
    value = shell.get(name)
    if shell.dialect is BASH:
        letter = "x" if command == "export" else "r"
        return (
            f"declare -{letter} {name}\n"
            if value is None
            else f'declare -{letter} {name}="{_in_double_quotes(value)}"\n'
        )
    return f"{command} {name}\n" if value is None else f"{command} {name}={_single_quoted(value)}\n"


def _in_double_quotes(value: str) -> str:
    return re.sub(r'(["\\$`])', r"\\\1", value)


def _single_quoted(value: str) -> str:
    return "'" + value.replace("'", "'\"'\"'") + "'"


def _unset(shell: Shell, args: list[str]) -> int:
    functions = "-f" in args[1:]
    env = shell.env
    for name in args[1:]:
        if name in ("-v", "-f", "--"):
            continue
        if functions or (name in env.functions and name not in env.variables):
            env.functions.pop(name, None)
        elif name in env.readonly:
            return _fail(shell, args, "unset read only", name)
        elif not _NAME.match(name):
            return _fail(shell, args, "bad name", name)
        else:
            env.variables.pop(name, None)
            env.exported.discard(name)
    return 0


def _local(shell: Shell, args: list[str]) -> int:
    frame, inside = _function_of(shell)
    if not inside:
        return _fail(shell, args, "not in function")
    for operand in args[1:]:
        name, assigned, value = operand.partition("=")
        if not _NAME.match(name):
            return _fail(shell, args, "bad name", name)
        if frame is not None:
            frame.saved.setdefault(name, shell.remembered([name])[name])
        if assigned:
            shell.assign(name, value)
        elif shell.dialect is not DASH:
            shell.env.variables.pop(name, None)
    return 0


def _function_of(shell: Shell) -> tuple[FunctionFrame | None, bool]:
    """The call that is running, if its variables are this shell's to put back, and whether there is one at all."""
    own = True
    for frame in reversed(shell.stack):
        if isinstance(frame, FunctionFrame):
            return frame if own else None, True
        if isinstance(frame, Boundary):
            own = False
    return None, False


def _set(shell: Shell, args: list[str]) -> int:
    env = shell.env
    if len(args) == 1:
        names = sorted(env.variables)
        quote = (
            _single_quoted
            if shell.dialect is not BASH
            else lambda value: value if value.isalnum() else _single_quoted(value)
        )
        shell.out("".join(f"{name}={quote(env.variables[name])}\n" for name in names))
        return 0
    rest = _set_options(shell, args)
    if rest is not None:
        env.arguments = rest
    return 0


def _set_options(shell: Shell, args: list[str]) -> list[str] | None:
    """Do the options; the positional parameters that follow, None where there are none to set."""
    place = 1
    while place < len(args):
        arg = args[place]
        if arg in ("--", "-"):
            return args[place + 1 :] if arg == "--" or place + 1 < len(args) else None
        if arg[:1] not in ("-", "+") or len(arg) < 2:
            return args[place:]
        place += 1
        if arg[1:] == "o":
            if place == len(args):
                _show_options(shell, arg[0] == "-")
                return None
            _named_option(shell, args, args[place], arg[0] == "-")
            place += 1
            continue
        for letter in arg[1:]:
            if letter not in _LETTERS:
                _fail(shell, args, "illegal option", arg[0] + letter)
            _switch(shell, letter, arg[0] == "-")
    return None


def _switch(shell: Shell, option: str, on: bool) -> None:
    (shell.env.options.add if on else shell.env.options.discard)(option)


def _named_option(shell: Shell, args: list[str], name: str, on: bool) -> None:
    if name not in _OPTIONS or (name == "pipefail" and shell.dialect is DASH):
        (_say if shell.dialect is ASH else _fail)(shell, args, "illegal option", f"-o {name}")
        return
    _switch(shell, _OPTIONS[name], on)


def _show_options(shell: Shell, table: bool) -> None:
    names = [name for name in _OPTIONS if name != "pipefail" or shell.dialect is not DASH]
    if not table:
        shell.out("".join(f"set {'-' if _OPTIONS[name] in shell.env.options else '+'}o {name}\n" for name in names))
        return
    head = "Current option settings\n" if shell.dialect is DASH else ""
    lines = (f"{name:<16}{'on' if _OPTIONS[name] in shell.env.options else 'off'}\n" for name in names)
    shell.out(head + "".join(lines))


def _shift(shell: Shell, args: list[str]) -> int:
    count = _count(shell, args, 1)
    arguments = shell.env.arguments
    if count > len(arguments):
        if shell.dialect is DASH:
            return _fail(shell, args, "shift")
        return 1
    shell.env.arguments = arguments[count:]
    return 0


def _count(shell: Shell, args: list[str], default: int) -> int:
    """The argument as a number; what is none ends the shell."""
    if len(args) < 2:
        return default
    if not args[1].isdigit():
        status = _say(shell, args, "illegal number", args[1], status=2)
        raise Jump(ABORT, status)
    return int(args[1])


def _getopts(shell: Shell, args: list[str]) -> int:
    if len(args) < 3:
        shell.complain("usage: getopts optstring var [arg]", args[0])
        return 2
    letters, name = args[1], args[2]
    given = args[3:] or shell.arguments
    index = int(shell.get("OPTIND") or "1")
    place = shell.option_place
    found = _next_option(given, index, place)
    if found is None:
        if index <= len(given) and given[index - 1] == "--":
            index += 1
        return _option_result(shell, name, "?", None, index, 1, 1)
    letter, index, place = found
    wants = letters.find(letter) if letter != ":" else -1
    if wants < 0:
        return _bad_option(shell, letters, name, letter, index, place)
    if letters[wants + 1 : wants + 2] != ":":
        return _option_result(shell, name, letter, "" if shell.dialect is not BASH else None, index, place, 0)
    before = given[found[1] - 1] if place > 1 else ""
    if place > 1:
        value, index = before[place:], index + 1
    elif index <= len(given):
        value, index = given[index - 1], index + 1
    else:
        return _no_argument(shell, letters, name, letter, index)
    return _option_result(shell, name, letter, value, index, 1, 0)


def _next_option(given: list[str], index: int, place: int) -> tuple[str, int, int] | None:
    """The next letter, and where the one after it stands: the argument's number and the place in it."""
    if index > len(given):
        return None
    arg = given[index - 1]
    if place == 1 and (len(arg) < 2 or arg[0] != "-" or arg == "--"):
        return None
    if place >= len(arg):
        return _next_option(given, index + 1, 1)
    return (arg[place], index, place + 1) if place + 1 < len(arg) else (arg[place], index + 1, 1)


def _option_result(shell: Shell, name: str, letter: str, value: str | None, index: int, place: int, status: int) -> int:
    shell.assign(name, letter)
    if value is None:
        shell.env.variables.pop("OPTARG", None)
    else:
        shell.assign("OPTARG", value)
    shell.env.variables["OPTIND"] = str(index)
    shell.option_place = place
    return status


def _bad_option(shell: Shell, letters: str, name: str, letter: str, index: int, place: int) -> int:
    if letters.startswith(":"):
        return _option_result(shell, name, "?", letter, index, place, 0)
    shell.err(f"{shell.arg0}: illegal option -- {letter}\n" if shell.dialect is BASH else f"Illegal option -{letter}\n")
    return _option_result(shell, name, "?", None, index, place, 0)


def _no_argument(shell: Shell, letters: str, name: str, letter: str, index: int) -> int:
    if letters.startswith(":"):
        return _option_result(shell, name, ":", letter, index, 1, 0)
    said = f"{shell.arg0}: option requires an argument -- {letter}\n"
    shell.err(said if shell.dialect is BASH else f"No arg for -{letter} option\n")
    return _option_result(shell, name, "?", None, index, 1, 0)


# -- reading


def _read(shell: Shell, args: list[str]) -> int:
    options, names = _read_options(shell, args)
    if not names and shell.dialect is DASH:
        shell.complain("arg count", args[0])
        return 2
    for name in names:
        if not _NAME.match(name):
            shell.complain(messages.text(shell.dialect, "bad read name", name), args[0])
            return 1 if shell.dialect is not DASH else 2
    if "p" in options and getattr(shell.env.fds.get(0), "isatty", False):
        shell.err(options["p"])
    line, complete = _read_line(shell, options)
    _assign_fields(shell, names or ["REPLY"], line, raw="r" in options)
    return 0 if complete else 1


def _read_options(shell: Shell, args: list[str]) -> tuple[dict[str, str], list[str]]:
    with_value = "p" if shell.dialect is DASH else "pntdu"
    options: dict[str, str] = {}
    place = 1
    while place < len(args) and args[place].startswith("-") and len(args[place]) > 1:
        letters = args[place][1:]
        place += 1
        while letters:
            letter, letters = letters[0], letters[1:]
            options[letter] = ""
            if letter in with_value:
                options[letter] = letters or (args[place] if place < len(args) else "")
                place += not letters
                letters = ""
    return options, args[place:]


def _read_line(shell: Shell, options: dict[str, str]) -> tuple[str, bool]:
    """A line without its newline, backslash-newlines taken out but for -r; whether it was complete."""
    stream = shell.env.fds.get(int(options["u"]) if options.get("u", "").isdigit() else 0)
    if stream is None:
        return "", False
    if "n" in options and options["n"].isdigit():
        data = stream.read(int(options["n"]))
        return data.decode("utf-8", "surrogateescape"), bool(data)
    line = ""
    while True:
        raw = shell.typed_line(stream).decode("utf-8", "surrogateescape")
        shell.process.tick()
        line += raw
        if not raw.endswith("\n"):
            return line, False
        if "r" in options or not re.search(r"(?<!\\)(?:\\\\)*\\\n\Z", line):
            return line[:-1], True
        line = line[:-2]


def _assign_fields(shell: Shell, names: list[str], line: str, *, raw: bool) -> None:
    """Split a line over variables: the last one gets all that is left."""
    separators = shell.separators()
    white = "".join(char for char in separators if char in " \t\n")
    chars = _characters(line, raw)
    place = 0
    while place < len(chars) and chars[place][0] in white and not chars[place][1]:
        place += 1
    for index, name in enumerate(names):
        if index == len(names) - 1:
            shell.assign(name, _last_field(chars[place:], separators, white))
            return
        start = place
        while place < len(chars) and (chars[place][1] or chars[place][0] not in separators):
            place += 1
        shell.assign(name, "".join(char for char, _ in chars[start:place]))
        place = _after_separator(chars, place, separators, white)


def _characters(line: str, raw: bool) -> list[tuple[str, bool]]:
    """Each character with whether a backslash stood before it."""
    if raw or "\\" not in line:
        return [(char, False) for char in line]
    return [(found[-1], len(found) == 2) for found in re.findall(r"\\.|[^\\]|\\\Z", line, re.S)]


def _after_separator(chars: list[tuple[str, bool]], place: int, separators: str, white: str) -> int:
    seen = False
    while place < len(chars) and not chars[place][1] and chars[place][0] in separators:
        if chars[place][0] not in white:
            if seen:
                break
            seen = True
        place += 1
    return place


def _last_field(chars: list[tuple[str, bool]], separators: str, white: str) -> str:
    end = len(chars)
    while end and chars[end - 1][0] in white and not chars[end - 1][1]:
        end -= 1
    rest = chars[:end]
    # one separator at the very end belongs to the field before it, if that is the only one
    if rest and rest[-1][0] in separators and not rest[-1][1]:
        inner = rest[:-1]
        if not any(char in separators and not escaped for char, escaped in inner):
            rest = inner
    return "".join(char for char, _ in rest)


# -- control


def _exit(shell: Shell, args: list[str]) -> int:
    raise Jump(EXIT, _status_of(shell, args))


def _return(shell: Shell, args: list[str]) -> int:
    status = _status_of(shell, args)
    inside = any(isinstance(f, FunctionFrame) or (isinstance(f, ProgramFrame) and f.returns) for f in shell.stack)
    if shell.dialect is BASH and not inside:
        shell.complain("can only `return' from a function or sourced script", args[0])
        return 2
    raise Jump(RETURN, status)


def _status_of(shell: Shell, args: list[str]) -> int:
    if len(args) < 2:
        return shell.status
    if not re.fullmatch(r"-?\d+", args[1]) or (args[1].startswith("-") and shell.dialect is DASH):
        status = _say(shell, args, "illegal number", args[1], status=2)
        raise Jump(EXIT if shell.dialect is BASH else ABORT, status)
    return int(args[1]) & 0xFF


def _break(shell: Shell, args: list[str]) -> int:
    wanted = _count(shell, args, 1)
    loops = 0
    for frame in reversed(shell.stack):
        if isinstance(frame, FunctionFrame):
            break
        loops += isinstance(frame, LoopFrame)
    if not loops:
        if shell.dialect is BASH:
            shell.complain("only meaningful in a `for', `while', or `until' loop", args[0])
        return 0
    raise Jump(BREAK if args[0] == "break" else CONTINUE, 0, min(max(1, wanted), loops))


def _eval(shell: Shell, args: list[str]) -> int:
    text = " ".join(args[1:])
    if text:
        shell.run_text(text, "eval" if shell.dialect is not BASH else None)
        return shell.status
    return 0


def _dot(shell: Shell, args: list[str]) -> int:
    if len(args) < 2:
        if shell.dialect is not BASH:
            return 0
        shell.complain("filename argument required", args[0])
        shell.err(".: usage: . filename [arguments]\n")
        return 2
    path = _dot_path(shell, args[1])
    if path is None:
        return _fail(shell, args, "dot not found", args[1])
    try:
        source = shell.files.read(path).decode("utf-8", "surrogateescape")
    except OSError as error:
        short = messages.file_reason(shell.dialect, "open", error)
        return _fail(shell, args, "dot", args[1], messages.reason(error), short)
    if len(args) > 2 and shell.dialect is not DASH:
        shell._push(FunctionFrame(shell.env.arguments))
        shell.env.arguments = args[2:]
    shell.status = 0
    shell.run_text(source, path, returns=True)
    return 0


def _dot_path(shell: Shell, name: str) -> str | None:
    if "/" in name:
        return name
    for folder in (shell.get("PATH") or "").split(":"):
        path = f"{folder or '.'}/{name}"
        if shell.files.exists(path) and not shell.files.is_dir(path):
            return path
    return name if shell.dialect is BASH and shell.files.exists(name) else None


def _exec(shell: Shell, args: list[str]) -> int:
    words = args[2:] if args[1:2] == ["--"] else args[1:]
    if not words:
        return 0
    try:
        find_program(shell.files, words[0], shell.get("PATH") or "")
    except ExecError as error:
        status = shell._not_started(error, words[0], shell.env.fds, args[0])
        if shell.interactive:
            return status
        raise Jump(EXIT, status) from None
    shell.env.traps.clear()
    shell.process.traps.clear()
    shell._push(ExitFrame())
    shell.spawn(words, shell.env.fds, shell.exported(), instead=True)
    return 0


def _command(shell: Shell, args: list[str]) -> int:
    words = args[1:]
    show = ""
    while words and words[0].startswith("-") and len(words[0]) > 1:
        option = words.pop(0)
        if option == "--":
            break
        show = option[-1] if option[-1] in "vV" else show
    if not words:
        return 0
    if show:
        return _describe(shell, args, words if shell.dialect is BASH else words[:1], plain=show == "v")
    name = words[0]
    builtin = SPECIAL_BUILTINS.get(name) or BUILTINS.get(name)
    if builtin is not None:
        try:
            return builtin(shell, words)
        except Jump as jump:
            if jump.kind != ABORT:
                raise
            return jump.status
    shell.spawn(words, shell.env.fds, shell.exported())
    return shell.status


def _type(shell: Shell, args: list[str]) -> int:
    return _describe(shell, args, args[1:], plain=False)


def _describe(shell: Shell, args: list[str], names: list[str], *, plain: bool) -> int:
    """command -v, command -V and type."""
    status = 0
    for name in names:
        said = _kind_of(shell, name, plain)
        if said is None:
            status = 127 if shell.dialect is not BASH else 1
            if plain:
                continue
            if shell.dialect is BASH:
                shell.complain(f"{name}: not found", args[0])
            else:
                shell.out(f"{name}: not found\n")
        else:
            shell.out(f"{said}\n")
    return status


def _kind_of(shell: Shell, name: str, plain: bool) -> str | None:
    if name in RESERVED:
        return name if plain else f"{name} is a shell keyword"
    if name in shell.env.functions:
        return name if plain else f"{name} is a {'shell ' if shell.dialect is DASH else ''}function"
    if name in SPECIAL_BUILTINS:
        special = "special " if shell.dialect is not BASH and name in _POSIX_SPECIAL else ""
        return name if plain else f"{name} is a {special}shell builtin"
    if name in BUILTINS and shell.dialect.level >= EXTENSIONS.get(name, 0):
        return name if plain else f"{name} is a shell builtin"
    try:
        path = find_program(shell.files, name, shell.get("PATH") or "")
    except ExecError:
        return None
    return path if plain else f"{name} is {path}"


def _trap(shell: Shell, args: list[str]) -> int:
    operands = args[2:] if args[1:2] == ["--"] else args[1:]
    if operands[:1] == ["-l"]:
        shell.out(signal_list())
        return 0
    if not operands or operands == ["-p"]:
        shell.out("".join(_shown_trap(shell, name) for name in sorted(shell.env.traps, key=SIGNALS.index)))
        return 0
    action: str | None = operands[0]
    names = operands[1:]
    if action == "-" or len(operands) == 1 or operands[0].isdigit():
        action, names = None, names if action == "-" else operands
    for operand in names:
        name = signal_named(operand)
        if name is None and shell.dialect is DASH:
            shell.err(f"trap: {operand}: bad trap\n")
            return 1
        if name is None:
            return _say(shell, args, "bad trap", operand, status=1)
        _set_trap(shell, name, action)
    return 0


def _set_trap(shell: Shell, name: str, action: str | None) -> None:
    main = all(not isinstance(frame, Boundary) or frame.env is None for frame in shell.stack)
    tables = [shell.env.traps, shell.process.traps] if main else [shell.env.traps]
    for table in tables:
        if action is None:
            table.pop(name, None)
        else:
            table[name] = action


def _shown_trap(shell: Shell, name: str) -> str:
    shown = f"SIG{name}" if shell.dialect is BASH and name != "EXIT" else name
    return f"trap -- {_single_quoted(shell.env.traps[name])} {shown}\n"


# -- processes


def _kill(shell: Shell, args: list[str]) -> int:
    operands = args[1:]
    signal: str | None = "TERM"
    if operands and operands[0].startswith("-") and operands[0] != "--":
        option = operands.pop(0)[1:]
        if option == "l":
            return _kill_list(shell, operands)
        named = operands.pop(0) if option == "s" and operands else option
        signal = signal_named(named)
        if signal is None:
            _applet_says(
                shell, args, f"bad signal name '{named}'" if shell.dialect is ASH else f"{named}: invalid signal"
            )
            return 1
    if operands[:1] == ["--"]:
        operands.pop(0)
    if not operands:
        return _kill_usage(shell, args)
    return max(_kill_one(shell, args, operand, signal or "TERM") for operand in operands)


def _kill_list(shell: Shell, operands: list[str]) -> int:
    if not operands:
        shell.out(signal_list())
    for operand in operands:
        number = int(operand) if operand.isdigit() else None
        name = signal_named(str(number & 127)) if number is not None else signal_named(operand)
        if name is not None:
            shell.out(f"{name}\n" if number is not None else f"{SIGNALS.index(name)}\n")
    return 0


def _kill_usage(shell: Shell, args: list[str]) -> int:
    if shell.dialect is ASH:
        _applet_says(shell, args, "you need to specify whom to kill")
        return 1
    forms = "kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]"
    if shell.dialect is DASH:
        shell.complain(f"Usage: {forms}", args[0])
    else:
        shell.err("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n")
    return 2


def _kill_one(shell: Shell, args: list[str], target: str, signal: str) -> int:
    pid = _job_pid(shell, target)
    job = shell.jobs.get(pid) if pid is not None else None
    if job is not None and job.status is None:
        if signal != "EXIT":
            shell.end_job(job, 128 + SIGNALS.index(signal))
        return 0
    if pid == shell.process.pid:
        return _kill_self(shell, signal)
    if pid is not None and shell.process.kernel.services.kill(shell.process, pid, signal):
        return 0
    said = {"ash": "can't kill pid {}: No such process", "dash": "No such process\n", "bash": "({}) - No such process"}
    _applet_says(shell, args, said[shell.dialect.name].format(target))
    return 1


def _kill_self(shell: Shell, signal: str) -> int:
    action = shell.env.traps.get(signal)
    if action is not None:
        shell.run_text(action)
        return 0
    if signal == "EXIT" or signal in IGNORED or shell.process.pid == 1:
        return 0  # the first process of a namespace gets no signal from inside that it has no handler for (signal(7))
    shell.env.traps.clear()
    raise Jump(EXIT, 128 + SIGNALS.index(signal))


def _job_pid(shell: Shell, text: str) -> int | None:
    if text.startswith("%"):
        pids = list(shell.jobs)
        if text in ("%", "%%", "%+"):
            return pids[-1] if pids else None
        return pids[int(text[1:]) - 1] if text[1:].isdigit() and 0 < int(text[1:]) <= len(pids) else None
    return int(text) if text.lstrip("-").isdigit() else None


def _wait(shell: Shell, args: list[str]) -> int:
    if len(args) == 1:
        for job in list(shell.jobs.values()):
            shell.wait_for(job)
        shell.jobs.clear()
        return 0
    status = 0
    for operand in args[1:]:
        pid = _job_pid(shell, operand)
        if pid is None or pid not in shell.jobs:
            if shell.dialect is BASH:
                shell.complain(f"pid {operand} is not a child of this shell", args[0])
            status = 127
        else:
            status = shell.wait_for(shell.jobs[pid])
    return status


def _jobs(shell: Shell, args: list[str]) -> int:
    for number, job in enumerate(shell.jobs.values(), 1):
        state = "Running" if job.status is None else "Done"
        mark = "+" if number == len(shell.jobs) else "-" if number == len(shell.jobs) - 1 else " "
        gap = "" if shell.dialect is not DASH else " "
        shell.out(f"[{number}]{gap}{mark} {' ' * (not gap)}{state:<27}\n")
    for pid in [job.pid for job in shell.jobs.values() if job.status is not None]:
        del shell.jobs[pid]
    return 0


def _times(shell: Shell, args: list[str]) -> int:
    zero = "0m0.000000s" if shell.dialect is DASH else "0m0.000s"
    shell.out(f"{zero} {zero}\n{zero} {zero}\n")
    return 0


_LIMITS = {
    "n": "1048576",
    "s": "8192",
    "c": "0",
}


def _ulimit(shell: Shell, args: list[str]) -> int:
    letters = "".join(arg[1:] for arg in args[1:] if arg.startswith("-"))
    values = [arg for arg in args[1:] if not arg.startswith("-")]
    if values:
        return 0
    which = letters.strip("SH")[-1:] or "f"
    shell.out(_LIMITS.get(which, "unlimited") + "\n")
    return 0


def _hash(shell: Shell, args: list[str]) -> int:
    status = 0
    for name in args[1:]:
        if not name.startswith("-") and _kind_of(shell, name, True) is None:
            shell.complain(f"{name}: not found", args[0])
            status = 1
    return status


def _let(shell: Shell, args: list[str]) -> int:
    value = 0
    for arg in args[1:]:
        value = expand.calculate(shell, word([Literal(arg, True)]))
    return int(value == 0)


SPECIAL_BUILTINS: dict[str, Builtin] = {
    ":": _true,
    ".": _dot,
    "break": _break,
    "continue": _break,
    "eval": _eval,
    "exec": _exec,
    "exit": _exit,
    "export": _export,
    "readonly": _readonly,
    "return": _return,
    "set": _set,
    "shift": _shift,
    "times": _times,
    "trap": _trap,
    "unset": _unset,
}
_POSIX_SPECIAL = frozenset(SPECIAL_BUILTINS)
BUILTINS: dict[str, Builtin] = {
    "[": _test,
    "alias": _true,
    "cd": _cd,
    "chdir": _cd,
    "command": _command,
    "declare": _local,
    "echo": _echo,
    "false": _false,
    "getopts": _getopts,
    "hash": _hash,
    "jobs": _jobs,
    "kill": _kill,
    "let": _let,
    "local": _local,
    "printf": _printf,
    "pwd": _pwd,
    "read": _read,
    "source": _dot,
    "test": _test,
    "true": _true,
    "type": _type,
    "ulimit": _ulimit,
    "umask": _umask,
    "unalias": _true,
    "wait": _wait,
}
EXTENSIONS = {"let": 1, "source": 1, "declare": 2}  # and the level of the dialect that has them
