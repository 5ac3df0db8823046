"""What echo and printf write. POSIX, echo(1) and printf(1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.kernel.limits import Runaway

_WIDEST = 8 << 20  # characters of one conversion
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
_ESCAPE = re.compile(r"\\(?:(x)([0-9a-fA-F]{1,2})|(0?[0-7]{1,3})|(.))", re.S)
_PRINTF_ESCAPE = re.compile(r"\\(?:(x)([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.S)
_DIRECTIVE = re.compile(r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(?:hh|h|ll|l|j|z|t|L)*([a-zA-Z%])|(%)")
_HAS_PRECISION = re.compile(r"%[-+ #0]*(?:\*|\d+)?\.")


class Stop(Exception):
    """`\\c`: nothing more is written; `text` came before it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def unescaped(text: str, pattern: re.Pattern[str] = _ESCAPE, *, echo: bool = True) -> str:
    """The text with its backslash escapes done; raises Stop at `\\c`."""
    if "\\" not in text:
        return text
    out: list[str] = []
    place = 0
    for found in pattern.finditer(text):
        out.append(text[place : found.start()])
        place = found.end()
        hexadecimal, digits, octal, char = found.groups()
        if char == "c":
            raise Stop("".join(out))
        if echo and octal and not octal.startswith("0"):
            octal, rest = octal[:3], octal[3:]
            out.append(_byte(int(octal, 8)) + rest)
        elif octal:
            out.append(_byte(int(octal, 8)))
        elif hexadecimal:
            out.append(_byte(int(digits, 16)))
        else:
            out.append(_ESCAPES.get(char, found.group()))
    out.append(text[place:])
    return "".join(out).encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _byte(number: int) -> str:
    number &= 0xFF
    return chr(number) if number < 128 else chr(0xDC00 + number)


def echo_text(args: list[str], *, options: str, always: bool) -> str:
    """What echo writes. `options`: the letters that it knows; `always`: it does escapes without -e (dash)."""
    newline, escapes = "\n", always
    while args and len(args[0]) > 1 and args[0][0] == "-" and all(letter in options for letter in args[0][1:]):
        for letter in args[0][1:]:
            if letter == "n":
                newline = ""
            else:
                escapes = letter == "e"
        args = args[1:]
    text = " ".join(args)
    if not escapes:
        return text + newline
    try:
        return unescaped(text) + newline
    except Stop as stop:
        return stop.text


class Printf:
    """One printf command: `text` is what it writes, `complaints` what is wrong, as pairs of a kind and a text."""

    def __init__(self, args: list[str], *, strict: bool = False) -> None:
        self.args: Iterator[str] = iter(args[1:])
        self.left = len(args) - 1
        self.complaints: list[tuple[str, str]] = []
        self.strict = strict  # a number with rubbish after it counts as 0 (busybox)
        self.out: list[str] = []
        self.format = args[0]
        try:
            self._write()
        except Stop as stop:
            self.out.append(stop.text)

    @property
    def text(self) -> str:
        return "".join(self.out)

    def _next(self) -> str | None:
        self.left -= 1
        return next(self.args, None)

    def _write(self) -> None:
        while True:
            before = self.left
            if not self._once() or self.left <= 0 or self.left == before:
                return

    def _once(self) -> bool:
        """The whole format once; False where it is wrong."""
        place = 0
        for found in _DIRECTIVE.finditer(self.format):
            self._plain(self.format[place : found.start()])
            place = found.end()
            flags, width, precision, kind, lone = found.groups()
            if kind == "%" or (lone and place == len(self.format)):
                self.out.append("%")
                continue
            if lone or kind not in _KINDS:
                self.complaints.append(("format", self.format[found.start() :]))
                return False
            if precision is None and _HAS_PRECISION.match(found.group()):
                precision = "0"
            self._directive(flags, self._star(width), self._star(precision), kind)
        self._plain(self.format[place:])
        return True

    def _plain(self, text: str) -> None:
        self.out.append(unescaped(text, _PRINTF_ESCAPE, echo=False))

    def _star(self, text: str | None) -> int | None:
        if text == "*":
            return self._integer(self._next())
        return int(text) if text else None

    def _directive(self, flags: str, width: int | None, precision: int | None, kind: str) -> None:
        if max(abs(width or 0), precision or 0) > _WIDEST:
            raise Runaway(f"the output is longer than {_WIDEST >> 20} MiB")
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        value = self._next()
        if kind in "diouxX":
            text = _integer_text(self._integer(value), flags, precision, kind)
        elif kind in "eEfFgG":
            text = (
                f"%{flags.replace('-', '').replace('0', '')}.{6 if precision is None else precision}{kind}"
                % self._float(value)
            )
        elif kind == "b":
            try:
                text = unescaped(value or "")
            except Stop as stop:
                raise Stop(self._padded(stop.text, flags, width, kind)) from None
        elif kind == "q":
            text = _quoted(value or "")
        else:
            text = (value or "")[:1] if kind == "c" else value or ""
        if kind in "sb" and precision is not None:
            text = text[:precision]
        self.out.append(self._padded(text, flags, width, kind if precision is None or kind in "eEfFgG" else "s"))

    def _padded(self, text: str, flags: str, width: int | None, kind: str) -> str:
        if width is None:
            return text
        if "-" in flags:
            return text.ljust(width)
        if "0" in flags and kind not in "sbcq":
            sign = text[:1] if text[:1] in "+- " else ""
            return sign + text[len(sign) :].rjust(width - len(sign), "0")
        return text.rjust(width)

    def _integer(self, value: str | None) -> int:
        if not value:
            return 0
        if value[0] in "'\"":
            return ord(value[1]) if len(value) > 1 else 0
        found = re.match(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)", value)
        if found and found.end() == len(value):
            return _based(found)
        self.complaints.append(("partly" if found else "number", value))
        return _based(found) if found and not self.strict else 0

    def _float(self, value: str | None) -> float:
        if not value:
            return 0.0
        try:
            return float(value)
        except ValueError:
            self.complaints.append(("number", value))
            found = re.match(r"[+-]?\d+(\.\d*)?", value)
            return float(found.group()) if found and not self.strict else 0.0


_KINDS = frozenset("diouxXeEfFgGbqcs")


def _based(found: re.Match[str]) -> int:
    sign, digits = found.groups()
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" and len(digits) > 1 else 10
    return int(digits, base) * (-1 if sign == "-" else 1)


def _integer_text(number: int, flags: str, precision: int | None, kind: str) -> str:
    if kind in "ouxX" and number < 0:
        number += 1 << 64
    digits = format(abs(number), {"o": "o", "x": "x", "X": "X"}.get(kind, "d"))
    if precision is not None:
        digits = digits.rjust(precision, "0")
    if "#" in flags and number:
        digits = {"o": "0", "x": "0x", "X": "0X"}.get(kind, "") + digits
    sign = "-" if number < 0 else "+" if "+" in flags and kind in "di" else " " if " " in flags and kind in "di" else ""
    return sign + digits


def _quoted(text: str) -> str:
    """As bash's %q: backslashes before what has a meaning."""
    return re.sub(r"([^A-Za-z0-9_@%+=:,./-])", r"\\\1", text) or "''"
