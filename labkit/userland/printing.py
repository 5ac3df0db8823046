"""echo, printf, seq, yes."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from labkit.userland.tool import Say, Tool, Utility, bytes_of, shell_quoted

_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34, "'": 39, "e": 27}
NUMBERS_A_STEP = 2  # of seq
_YES = 1 << 14  # lines that yes writes at a time


# echo


def echo(tool: Tool) -> None:
    args, newline, escapes = list(tool.args), True, False
    while args and re.fullmatch(r"-[neE]+", args[0]):
        for letter in args.pop(0)[1:]:
            newline = newline and letter != "n"
            escapes = letter == "e" or (escapes and letter != "E")
    data = bytes_of(" ".join(args))
    if escapes:
        data, stop = unescaped(data)
        newline = newline and not stop
    tool.out(data + (b"\n" if newline else b""))


_ECHO = re.compile(rb"\\(?:(0[0-7]{0,3}|[1-7][0-7]{0,2})|x([0-9a-fA-F]{1,2})|(.))", re.S)


def unescaped(data: bytes) -> tuple[bytes, bool]:
    """Backslash escapes as echo -e and %b know them, and whether a \\c ended it."""
    out, place = bytearray(), 0
    for match in _ECHO.finditer(data):
        out += data[place : match.start()]
        place = match.end()
        if match[1] is not None:
            out.append(int(match[1] or b"0", 8) & 0xFF)
        elif match[2] is not None:
            out.append(int(match[2], 16))
        elif match[3] == b"c":
            return bytes(out), True
        else:
            letter = match[3].decode("latin-1")
            out += bytes([_ESCAPES[letter]]) if letter in _ESCAPES and letter not in "\"'" else match[0]
    return bytes(out + data[place:]), False


# printf

_FORMAT = re.compile(
    rb"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9a-fA-F]{1,2})|u(?P<u>[0-9a-fA-F]{1,4})|(?P<letter>.))"
    rb"|%(?P<flags>[-+ #0']*)(?P<width>\*|\d*)(?:\.(?P<precision>\*|-?\d*))?(?P<length>[hlLjzt]*)(?P<conversion>.)"
    rb"|%(?P<end>.?)",
    re.S,
)


class Printf:
    """One printf: the format is used again while arguments are left."""

    def __init__(self, tool: Tool, arguments: list[str]) -> None:
        self.tool = tool
        self.left = arguments
        self.out = bytearray()
        self.taken = False

    def run(self, form: bytes) -> None:
        while True:
            self.tool.tick()
            self.taken = False
            stop = self.once(form)
            if stop or not self.left or not self.taken:
                return

    def once(self, form: bytes) -> bool:
        place = 0
        for match in _FORMAT.finditer(form):
            self.out += form[place : match.start()]
            place = match.end()
            if match["conversion"] is None and match["end"] is None:
                if match["letter"] == b"c":
                    return True
                self.out += self.escape(match)
            elif match["conversion"] == b"%":
                self.out += b"%"
            elif self.convert(match, form):
                return True
        self.out += form[place:]
        return False

    def escape(self, match: re.Match[bytes]) -> bytes:
        if match["octal"]:
            return bytes([int(match["octal"], 8) & 0xFF])
        if match["hex"]:
            return bytes([int(match["hex"], 16)])
        if match["u"]:
            return chr(int(match["u"], 16)).encode()
        letter = match["letter"].decode("latin-1")
        if letter in _ESCAPES:
            return bytes([_ESCAPES[letter]])
        return match[0]

    def take(self) -> str:
        self.taken = True
        return self.left.pop(0) if self.left else ""

    def size(self, text: bytes | None) -> int | None:
        if text == b"*":
            return int(self.integer(self.take()))
        return None if text is None else int(text or 0)

    def convert(self, match: re.Match[bytes], form: bytes) -> bool:
        letter = (match["conversion"] or b"").decode("latin-1")
        if letter not in ("diouxXcsbqeEfFgGaA" if self.tool.gnu else "diouxXcsbeEfFgGaA") or not letter:
            tool = self.tool
            self.flush()
            shown = match[0].decode("utf-8", "surrogateescape")
            rest = (
                form[match.end() - 1 if letter else match.start() + 1 :]
                .lstrip(b"hlLjzt")
                .decode("utf-8", "surrogateescape")
            )
            tool.fail(f"{shown}: invalid conversion specification" if tool.gnu else f"%{rest}: invalid format")
        flags, width, precision = (
            match["flags"].decode(),
            self.size(match["width"] or None),
            self.size(match["precision"]),
        )
        self.tool.hold(max(abs(width or 0), abs(precision or 0)) + len(self.out))
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        had = bool(self.left) or not self.tool.gnu
        text = self.take()
        stop = False
        if letter == "s":
            data = bytes_of(text)
            data = data if precision is None or precision < 0 else data[:precision]
        elif letter == "b":
            data, stop = unescaped(bytes_of(text))
        elif letter == "q":
            data = bytes_of(shell_quoted(text, always=False))
        elif letter == "c":
            data = bytes_of(text)[:1] or b"\0"
        elif letter in "diouxX":
            data = self.whole(letter, self.integer(text) if had else 0, flags, width, precision)
        else:
            data = self.floating(letter, text if had else "0", flags, width, precision)
        self.out += data.ljust(width or 0) if "-" in flags else data.rjust(width or 0)
        return stop

    def whole(self, letter: str, number: int, flags: str, width: int | None, precision: int | None) -> bytes:
        if letter in "ouxX" and number < 0:
            number += 1 << 64
        digits = format(abs(number), {"d": "d", "i": "d", "u": "d"}.get(letter, letter))
        if precision is not None:
            digits = "" if precision == 0 and number == 0 else digits.rjust(precision, "0")
        sign = (
            "-"
            if number < 0
            else "+"
            if "+" in flags and letter in "di"
            else " "
            if " " in flags and letter in "di"
            else ""
        )
        if "#" in flags and number:
            sign += {"o": "0", "x": "0x", "X": "0X"}.get(letter, "")
        if "0" in flags and "-" not in flags and precision is None and width:
            digits = digits.rjust(width - len(sign), "0")
        return (sign + digits).encode()

    def floating(self, letter: str, text: str, flags: str, width: int | None, precision: int | None) -> bytes:
        try:
            value = float(text or "0")
        except ValueError:
            value = float(self.integer(text))
        letter = {"a": "e", "A": "E"}.get(letter, letter)
        shape = ("+" if "+" in flags else " " if " " in flags else "") + ("#" if "#" in flags else "")
        shape += "0" if "0" in flags and "-" not in flags else ""
        shape += str(width) if width and "-" not in flags else ""
        return format(value, f"{shape}.{6 if precision is None else precision}{letter}").encode()

    def integer(self, text: str) -> int:
        tool = self.tool
        if text[:1] in ("'", '"') and len(text) > 1:
            return ord(text[1])
        match = re.match(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*(?![0-9])|[1-9]\d*|0\d*)?", text)
        body = match[2] if match else None
        if not body:
            self.complain("{0:l}: expected a numeric value", text)
            return 0
        base = 16 if body[:2].lower() == "0x" else 8 if body.startswith("0") and len(body) > 1 else 10
        try:
            number = int(body, base)
        except ValueError:
            digits = re.match(r"0[0-7]*", body)
            number = int(digits[0], 8) if digits else 0
        if match and match.end() < len(text):
            self.complain("{0:l}: value not completely converted", text)
            if not tool.gnu:
                return 0
        return -number if match and match[1] == "-" else number

    def complain(self, gnu: str, text: str) -> None:
        self.tool.complain(Say("invalid number '{0}'", gnu), text)

    def flush(self) -> None:
        self.tool.out(bytes(self.out))
        self.out.clear()


def printf(tool: Tool) -> None:
    args = list(tool.args)
    if args and args[0] == "--":
        args.pop(0)
    if not args:
        tool.missing()
    run = Printf(tool, args[1:])
    try:
        run.run(bytes_of(args[0]))
    finally:
        run.flush()
    if run.left and not run.taken and tool.gnu:
        tool.process.stderr.write(
            "printf: warning: ignoring excess arguments, starting with "
            + tool.text(Say("", "{0:l}"), run.left[0])
            + "\n"
        )


# seq


def seq(tool: Tool) -> None:
    if not tool.operands:
        tool.missing()
    if len(tool.operands) > 3:
        tool.extra(3)
    numbers = [_decimal(tool, text) for text in tool.operands]
    first = numbers[0] if len(numbers) > 1 else Decimal(1)
    step = numbers[1] if len(numbers) == 3 else Decimal(1)
    last = numbers[-1]
    if step == 0:
        if tool.gnu:
            tool.usage(tool.text(Say("", "invalid Zero increment value: {0:l}"), tool.operands[1]))
        return
    places = max(_places(text) for text in (tool.operands[:-1] if len(tool.operands) > 1 else tool.operands[:1]))
    if len(tool.operands) == 1:
        places = 0
    separator = tool.value("s")
    separator = "\n" if separator is None else separator
    out: list[str] = []
    value = first
    while (value <= last) if step > 0 else (value >= last):
        if len(out) % NUMBERS_A_STEP == 0:
            tool.tick()
        out.append(_shown(tool, value, places))
        value += step
    if tool.has("w"):
        out = _equal(out)
    if out:
        tool.out(separator.join(out) + "\n")


def _places(text: str) -> int:
    return len(text.partition(".")[2])


def _decimal(tool: Tool, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        if tool.gnu:
            tool.usage(tool.text(Say("", "invalid floating point argument: {0:l}"), text))
        tool.usage()


def _shown(tool: Tool, value: Decimal, places: int) -> str:
    form = tool.value("f")
    if form:
        return form % float(value)
    return f"{value:.{places}f}"


def _equal(texts: list[str]) -> list[str]:
    width = max(map(len, texts), default=0)
    return ["-" + text[1:].rjust(width - 1, "0") if text.startswith("-") else text.rjust(width, "0") for text in texts]


def _guarded(args: list[str]) -> list[str]:
    """Negative numbers are operands."""
    for index, arg in enumerate(args):
        if index and args[index - 1] in ("-s", "-f"):
            continue
        if re.fullmatch(r"-?\.?\d.*", arg):
            return [*args[:index], "--", *args[index:]]
    return args


def yes(tool: Tool) -> None:
    if tool.gnu and tool.args[:1] and re.fullmatch(r"-[^-].*", tool.args[0]):
        tool.usage(f"invalid option -- '{tool.args[0][1]}'")
    line = bytes_of(" ".join(tool.args) or "y") + b"\n"
    while True:
        tool.tick()
        tool.out(line * _YES)


UTILITIES = {
    "echo": Utility(echo, None, None, "[-neE] [ARG]..."),
    "printf": Utility(printf, None, None, "FORMAT [ARG]...", "FORMAT [ARGUMENT]..."),
    "seq": Utility(
        seq,
        "w s:",
        "w=equal-width s:=separator f:=format",
        "[-w] [-s SEP] [FIRST [INC]] LAST",
        prepare=_guarded,
        permute=False,
    ),
    "yes": Utility(yes, None, None, "[STRING]"),
}
