"""File modes: octal and symbolic ones read, `-rwxr-xr-x` written."""

from __future__ import annotations

import re
import stat

_LETTERS = {
    stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFCHR: "c", stat.S_IFBLK: "b", stat.S_IFIFO: "p", stat.S_IFSOCK: "s",
}  # fmt: skip
_WORDS = {
    stat.S_IFREG: "regular file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symbolic link", stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character special file", stat.S_IFBLK: "block special file", stat.S_IFSOCK: "socket",
}  # fmt: skip
_CLAUSE = re.compile(r"([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]|[0-7]+))+)")
_ACTION = re.compile(r"([-+=])([ugo](?![rwxXst])|[rwxXst]*|[0-7]+)")
_WHO = {"u": 0o4700, "g": 0o2070, "o": 0o1007}
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111}


def shown(mode: int) -> str:
    """`-rwxr-xr-x`"""
    out = _LETTERS.get(stat.S_IFMT(mode), "-")
    for shift, special, letter in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        bits = mode >> shift
        last = letter if bits & 1 else letter.upper()
        out += ("r" if bits & 4 else "-") + ("w" if bits & 2 else "-")
        out += last if mode & special else "x" if bits & 1 else "-"
    return out


def kind(mode: int, size: int = 1) -> str:
    """`regular file`, as stat's %F says it."""
    if stat.S_ISREG(mode) and size == 0:
        return "regular empty file"
    return _WORDS.get(stat.S_IFMT(mode), "weird file")


def changed(text: str, old: int, umask: int) -> int | None:
    """The mode (12 bits) that a mode string makes of `old` (with its type); None where it is none."""
    if re.fullmatch(r"[0-7]+", text):
        number = int(text, 8)
        if number > 0o7777:
            return None
        keep = old & 0o6000 if stat.S_ISDIR(old) and len(text) < 5 else 0
        return number | keep
    mode = old
    for clause in text.split(","):
        match = _CLAUSE.fullmatch(clause)
        if not match:
            return None
        for sign, what in _ACTION.findall(match[2]):
            mode = _applied(match[1], sign, what, mode, umask)
    return mode & 0o7777


def _applied(who: str, sign: str, what: str, mode: int, umask: int) -> int:
    mask = 0
    for letter in who or "ugo":
        mask |= 0o7777 if letter == "a" else _WHO[letter]
    bits = _bits(what, mode)
    if not who:
        bits &= ~umask | 0o7000
    bits &= mask
    if sign == "-":
        return mode & ~bits
    if sign == "=":
        keep = 0o6000 if stat.S_ISDIR(mode) else 0
        mode &= ~(mask & ~keep)
    return mode | bits


def _bits(what: str, mode: int) -> int:
    if what in ("u", "g", "o"):
        return (mode >> {"u": 6, "g": 3, "o": 0}[what] & 7) * 0o111
    if what.isdigit():
        return int(what, 8)
    bits = 0
    for letter in what:
        bits |= _BITS.get(letter, 0)
        if letter == "X" and (stat.S_ISDIR(mode) or mode & 0o111):
            bits |= 0o111
        bits |= {"s": 0o6000, "t": 0o1000}.get(letter, 0)
    return bits
