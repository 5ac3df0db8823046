"""cd, pwd and umask."""

from __future__ import annotations

import re

from labkit.shell import messages
from labkit.shell.builtins.saying import say
from labkit.shell.messages import BASH
from labkit.shell.running import Shell


def cd(shell: Shell, args: list[str]) -> int:
    operands = [arg for arg in args[1:] if arg not in ("-L", "-P", "--")]
    physical = "-P" in args[1:]
    target = operands[0] if operands else shell.get("HOME")
    if target is None:
        return 0 if shell.dialect is not BASH else say(shell, args, "no home")
    show = target == "-"
    if show:
        target = shell.get("OLDPWD")
        if target is None:
            if shell.dialect is BASH:
                return say(shell, args, "no oldpwd", status=1)
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
            by_text = shell.dialect is not BASH or (shell.files.is_dir(path) and shell.files.exists(logical))
            shell.files.chdir(logical if by_text else path)
        except OSError as failed:
            error = failed
            continue
        return logical, through
    assert error is not None
    say(shell, args, "can't cd", target, messages.reason(error))
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


def pwd(shell: Shell, args: list[str]) -> int:
    logical = shell.get("PWD") or ""
    try:
        known = "-P" not in args and logical.startswith("/") and shell.files.realpath(logical) == shell.files.cwd
    except OSError:
        known = False
    shell.out((logical if known else shell.files.cwd) + "\n")
    return 0


def umask(shell: Shell, args: list[str]) -> int:
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
        return say(shell, args, "bad mode", operands[0])
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
