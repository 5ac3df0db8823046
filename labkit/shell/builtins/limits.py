"""ulimit: limits are kept for the shell and what it starts in itself; nothing is stopped by them."""

from __future__ import annotations

from typing import NamedTuple

from labkit.shell.builtins.saying import applet, say
from labkit.shell.messages import ASH, BASH, DASH
from labkit.shell.running import Shell


class _Limit(NamedTuple):
    """How a shell shows it, where there is one, and what it is from the start."""

    ash: str
    dash: str
    bash: str
    value: str = "unlimited"


_LIMITS = {
    "R": _Limit("", "", "real-time non-blocking time  (microseconds, -R)"),
    "c": _Limit("core file size (blocks)", "coredump(blocks)", "core file size              (blocks, -c)", "0"),
    "d": _Limit("data seg size (kb)", "data(kbytes)", "data seg size               (kbytes, -d)"),
    "e": _Limit("scheduling priority", "", "scheduling priority                 (-e)", "0"),
    "f": _Limit("file size (blocks)", "file(blocks)", "file size                   (blocks, -f)"),
    "i": _Limit("pending signals", "", "pending signals                     (-i)", "31553"),
    "l": _Limit("max locked memory (kb)", "locked memory(kbytes)", "max locked memory           (kbytes, -l)", "8192"),
    "m": _Limit("max memory size (kb)", "memory(kbytes)", "max memory size             (kbytes, -m)"),
    "n": _Limit("open files", "nofiles", "open files                          (-n)", "1048576"),
    "p": _Limit("", "process", "pipe size                (512 bytes, -p)", "8"),
    "q": _Limit("POSIX message queues (bytes)", "", "POSIX message queues         (bytes, -q)", "819200"),
    "r": _Limit("real-time priority", "rtprio", "real-time priority                  (-r)", "0"),
    "s": _Limit("stack size (kb)", "stack(kbytes)", "stack size                  (kbytes, -s)", "8192"),
    "t": _Limit("cpu time (seconds)", "time(seconds)", "cpu time                   (seconds, -t)"),
    "u": _Limit("max user processes", "", "max user processes                  (-u)"),
    "v": _Limit("virtual memory (kb)", "vmemory(kbytes)", "virtual memory              (kbytes, -v)"),
    "x": _Limit("file locks", "", "file locks                          (-x)"),
    "w": _Limit("", "locks", ""),
}
_DASH_ORDER = "tfdscmlpnvwr"


def ulimit(shell: Shell, args: list[str]) -> int:
    letters, values, wrong = "", [], ""
    for place, arg in enumerate(args[1:], 1):
        if arg == "--":
            values += args[place + 1 :]
            break
        if arg.startswith("-") and len(arg) > 1:
            letters += arg[1:]
        else:
            values.append(arg)
    known = {letter for letter in _LIMITS if _name(shell, letter)}
    which = letters.replace("S", "").replace("H", "")
    wrong = next((letter for letter in which if letter not in known and letter != "a"), "")
    if wrong:
        return _wrong(shell, args, wrong)
    if "a" in which:
        if values and shell.dialect is DASH:
            return say(shell, args, "many", status=2)
        for letter in _DASH_ORDER if shell.dialect is DASH else sorted(known, key=lambda item: (item.lower(), item)):
            shell.out(_shown(shell, letter, letters))
        return 1 if values and shell.dialect is ASH else 0
    if len(values) > 1 and shell.dialect is DASH:
        return say(shell, args, "many", status=2)
    if not values:
        several = len(which) > 1 and shell.dialect is not DASH
        for letter in (which if several else which[-1:]) or "f":
            shell.out(_shown(shell, letter, letters) if several else f"{_value(shell, letter, letters)}\n")
        return 0
    return _set_limit(shell, args, which[-1:] or "f", letters, values[0])


def _name(shell: Shell, letter: str) -> str:
    row = _LIMITS[letter]
    return {"ash": row.ash, "dash": row.dash, "bash": row.bash}[shell.dialect.name]


def _shown(shell: Shell, letter: str, letters: str) -> str:
    name, value = _name(shell, letter), _value(shell, letter, letters)
    if shell.dialect is ASH:
        return f"{name:<32}(-{letter}) {value}\n"
    return f"{name:<20} {value}\n" if shell.dialect is DASH else f"{name} {value}\n"


def _value(shell: Shell, letter: str, letters: str) -> str:
    start = "unlimited" if letter == "p" and shell.dialect is DASH else _LIMITS[letter].value
    soft, hard = shell.env.limits.get(letter, (start, start if start != "8192" else "unlimited"))
    return hard if "H" in letters and "S" not in letters else soft


def _set_limit(shell: Shell, args: list[str], letter: str, letters: str, value: str) -> int:
    if value != "unlimited" and not value.isdigit():
        if shell.dialect is ASH:
            shell.err(f"{applet(shell)}: invalid number '{value}'\n")
            return 1
        return say(shell, args, "limit", value)
    soft, hard = _value(shell, letter, "S"), _value(shell, letter, "H")
    both = ("S" in letters) is ("H" in letters)
    new_soft = value if both or "S" in letters else soft
    new_hard = value if both or "H" in letters else hard
    if _number(new_soft) > _number(new_hard) or (_number(new_hard) > _number(hard) and shell.files.user.uid != 0):
        why = "Invalid argument" if _number(new_soft) > _number(new_hard) else "Operation not permitted"
        if shell.dialect is BASH:
            shell.complain(f"{_LIMITS[letter].bash.split('(')[0].strip()}: cannot modify limit: {why}", args[0])
            return 1
        if shell.dialect is ASH:
            shell.err(f"{applet(shell)}: error setting limit: {why}\n")
            return 1
        shell.complain(f"error setting limit ({why})", args[0])
        return 2
    shell.env.limits = {**shell.env.limits, letter: (new_soft, new_hard)}
    return 0


def _number(value: str) -> float:
    return float("inf") if value == "unlimited" else int(value)


def _wrong(shell: Shell, args: list[str], letter: str) -> int:
    if shell.dialect is ASH:
        shell.err(f"ulimit: invalid option -- '{letter}'\n")
        return 1
    status = say(shell, args, "option", f"-{letter}", status=2)
    if shell.dialect is BASH:
        shell.err("ulimit: usage: ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]\n")
    return status
