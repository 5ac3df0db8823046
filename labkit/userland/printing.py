"""echo, printf, seq, yes."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from labkit.kernel import limits
from labkit.kernel.process import Process
from labkit.userland.tool import SPEAKERS, Say, Tool, Utility, bytes_of, shell_quoted, text_of

_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34, "'": 39, "e": 27}
NUMBERS_A_STEP = 2  # of seq
_SEQ = 1 << 12  # numbers that seq writes at a time
_YES = 1 << 14  # lines that yes writes at a time


# echo


def echoed(args: list[str], letters: str = "neE", *, escapes: bool = False) -> bytes:
    """What echo writes. `letters`: the options that it knows; `escapes`: it does them without -e (dash)."""
    args, newline = list(args), True
    while args and len(args[0]) > 1 and args[0][0] == "-" and set(args[0][1:]) <= set(letters):
        for letter in args.pop(0)[1:]:
            newline = newline and letter != "n"
            escapes = letter == "e" or (escapes and letter != "E")
    data = bytes_of(" ".join(args))
    if escapes:
        data, stop = unescaped(data)
        newline = newline and not stop
    return data + (b"\n" if newline else b"")


def echo(tool: Tool) -> None:
    tool.out(echoed(tool.args))


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
_CONVERSIONS = {"busybox": "diouxXcsbeEfgG", "dash": "diouxXcsbeEfFgGaA"}  # GNU's and bash's have q beside dash's
_PRINTF_WORDS = {  # kind: what busybox, dash, bash and GNU say
    "number": (
        "invalid number '{0}'",
        "{0}: expected numeric value",
        "{0}: invalid number",
        "{0:l}: expected a numeric value",
    ),
    "partly": (
        "invalid number '{0}'",
        "{0}: not completely converted",
        "{0}: invalid number",
        "{0:l}: value not completely converted",
    ),
    "format": (
        "%{2}: invalid format",
        "{0}: invalid directive",
        "`{1}': invalid format character",
        "{0}: invalid conversion specification",
    ),
}


class Printf:
    """One printf, of busybox, dash, bash or gnu: the format is used again while arguments are left.

    `out` is what it writes; `complaints`: what it says of it, each to be filled with its texts.
    """

    def __init__(self, form: str, arguments: list[str], speaker: str, process: Process) -> None:
        self.left = list(arguments)
        self.speaker = speaker
        self.process = process
        self.out = bytearray()
        self.complaints: list[tuple[str, tuple[str, ...]]] = []
        self.status = 0
        self.taken = False
        self.run(bytes_of(form))

    def run(self, form: bytes) -> None:
        while True:
            self.process.tick()
            self.taken = False
            stop = self.once(form)
            if stop or not self.left or not self.taken:
                return

    def once(self, form: bytes) -> bool:
        """The whole format once; whether that was the end."""
        place = 0
        for match in _FORMAT.finditer(form):
            self.out += form[place : match.start()]
            place = match.end()
            if match["conversion"] is None and match["end"] is None:
                if match["letter"] == b"c" and self.speaker in ("busybox", "gnu"):
                    return True
                self.out += self.escape(match)
            elif match[0] == b"%%":
                self.out += b"%"
            elif self.convert(match, form):
                return True
        self.out += form[place:]
        return False

    def escape(self, match: re.Match[bytes]) -> bytes:
        if match["octal"]:
            return bytes([int(match["octal"], 8) & 0xFF])
        if (match["hex"] and self.speaker == "dash") or (match["u"] and self.speaker in ("dash", "busybox")):
            return match[0]
        if match["hex"]:
            return bytes([int(match["hex"], 16)])
        if match["u"]:
            return chr(int(match["u"], 16)).encode()
        letter = match["letter"].decode("latin-1")
        return bytes([_ESCAPES[letter]]) if letter in _ESCAPES else match[0]

    def take(self) -> str:
        self.taken = True
        return self.left.pop(0) if self.left else ""

    def size(self, text: bytes | None) -> int | None:
        if text == b"*":
            return self.integer(self.take())
        return None if text is None else int(text or 0)

    def precision(self, text: bytes | None) -> int | None:
        """A negative one counts as left out."""
        found = self.size(text)
        return None if found is not None and found < 0 else found

    def refuse(self, match: re.Match[bytes], form: bytes, letter: str) -> bool:
        rest = form[match.end() - 1 if letter else match.start() + 1 :].lstrip(b"hlLjzt")
        self.complain("format", text_of(match[0]), letter or "%", text_of(rest))
        self.status = 2 if self.speaker == "dash" else 1
        return True

    def convert(self, match: re.Match[bytes], form: bytes) -> bool:
        """One conversion; whether it is the end."""
        letter = (match["conversion"] or b"").decode("latin-1")
        if not letter or letter not in _CONVERSIONS.get(self.speaker, _CONVERSIONS["dash"] + "q"):
            return self.refuse(match, form, letter)
        flags = match["flags"].decode()
        width, precision = self.size(match["width"] or None), self.precision(match["precision"])
        limits.hold(max(abs(width or 0), precision or 0) + len(self.out), "printf")
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        given = bool(self.left)
        text = self.take()
        stop = False
        if letter in "sbqc":
            data, stop = self.string(letter, text)
            data = data[:precision] if letter in "sb" else data
        elif letter in "diouxX":
            data = self.whole(letter, self.integer(text, given), flags, width, precision)
        else:
            data = self.floating(letter, self.number(text, given), flags, width, precision)
        self.out += data.ljust(width or 0) if "-" in flags else data.rjust(width or 0)
        return stop

    def string(self, letter: str, text: str) -> tuple[bytes, bool]:
        if letter == "b":
            return unescaped(bytes_of(text))
        if letter == "q":
            return bytes_of(shell_quoted(text, always=False) if self.speaker == "gnu" else _backslashed(text)), False
        if letter == "c":
            return bytes_of(text)[:1] or b"\0", False
        return bytes_of(text), False

    def whole(self, letter: str, number: int, flags: str, width: int | None, precision: int | None) -> bytes:
        if letter in "ouxX" and number < 0:
            number += 1 << 64
        digits = format(abs(number), {"d": "d", "i": "d", "u": "d"}.get(letter, letter))
        if precision is not None:
            digits = "" if precision == 0 and number == 0 else digits.rjust(precision, "0")
        positive = "" if letter not in "di" else "+" if "+" in flags else " " if " " in flags else ""
        sign = "-" if number < 0 else positive
        if "#" in flags and number:
            sign += {"o": "0", "x": "0x", "X": "0X"}.get(letter, "")
        if "0" in flags and "-" not in flags and precision is None and width:
            digits = digits.rjust(width - len(sign), "0")
        return (sign + digits).encode()

    def floating(self, letter: str, value: float, flags: str, width: int | None, precision: int | None) -> bytes:
        letter = {"a": "e", "A": "E"}.get(letter, letter)
        shape = ("+" if "+" in flags else " " if " " in flags else "") + ("#" if "#" in flags else "")
        shape += "0" if "0" in flags and "-" not in flags else ""
        shape += str(width) if width and "-" not in flags else ""
        return format(value, f"{shape}.{6 if precision is None else precision}{letter}").encode()

    def number(self, text: str, given: bool) -> float:
        try:
            return float(text or "0")
        except ValueError:
            match = re.match(r"\s*[+-]?\d+(\.\d*)?", text)
            if match is None or self.speaker == "busybox" or text.lstrip("+- ")[:2] in ("0x", "0X"):
                return float(self.integer(text, given))
            self.complain("partly", text)
            return float(match[0])

    def integer(self, text: str, given: bool = True) -> int:
        if not text and (not given or self.speaker in ("dash", "bash")) and self.speaker != "busybox":
            return 0
        if text[:1] in ("'", '"') and len(text) > 1:
            return ord(text[1]) if self.speaker in ("gnu", "bash") else bytes_of(text)[1]
        if text in ("'", '"') and self.speaker != "gnu":
            return 0
        match = re.match(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)", text)
        if not match:
            self.complain("number", text)
            return 0
        body = match[2]
        base = 16 if body[:2].lower() == "0x" else 8 if body.startswith("0") and len(body) > 1 else 10
        if match.end() < len(text):
            self.complain("partly", text)
            if self.speaker == "busybox":
                return 0
        return int(body, base) * (-1 if match[1] == "-" else 1)

    def complain(self, kind: str, *texts: str) -> None:
        self.complaints.append((_PRINTF_WORDS[kind][SPEAKERS.index(self.speaker)], texts))
        self.status = 1


def _backslashed(text: str) -> str:
    """As bash's %q: backslashes before what has a meaning."""
    return re.sub(r"([^A-Za-z0-9_@%+=:,./-])", r"\\\1", text) or "''"


def printf(tool: Tool) -> None:
    args = tool.args[1:] if tool.args[:1] == ["--"] else tool.args
    if not args:
        tool.missing()
    done = Printf(args[0], args[1:], "gnu" if tool.gnu else "busybox", tool.process)
    for form, texts in done.complaints:
        tool.complain(Say(form, form), *texts)
    tool.out(bytes(done.out))
    if done.left and not done.taken and tool.gnu and not done.status:
        ignored = tool.text(Say("", "{0:l}"), done.left[0])
        tool.process.stderr.write(f"printf: warning: ignoring excess arguments, starting with {ignored}\n")


# seq


def seq(tool: Tool) -> None:
    if len(tool.operands) > 3:
        tool.extra(3)
    numbers = [_decimal(tool, text) for text in tool.operands]
    first = numbers[0] if len(numbers) > 1 else Decimal(1)
    step = numbers[1] if len(numbers) == 3 else Decimal(1)
    last = numbers[-1]
    if step == 0 and tool.gnu:
        tool.usage(tool.text(Say("", "invalid Zero increment value: {0:l}"), tool.operands[1]))
    _check_form(tool, tool.value("f"))
    places = max((len(text.partition(".")[2]) for text in tool.operands[:-1]), default=0)
    separator = tool.value("s")
    separator = "\n" if separator is None else separator
    equal = tool.has("w")
    out: list[str] = []
    value, size = first, 0
    while (value <= last) if step >= 0 else (value >= last):
        if len(out) % NUMBERS_A_STEP == 0:
            tool.tick()
        out.append(_shown(tool, value, places))
        size += len(out[-1]) + len(separator)
        if size > limits.HELD:
            tool.hold(size)
        value += step
        if len(out) == _SEQ and not equal:  # what reads it may not want more
            tool.out(separator.join(out[:-1]) + separator)
            out, size = out[-1:], 0
    if equal:
        out = _equal(out, max(_width(text, places) for text in tool.operands))
    if out:
        tool.out(separator.join(out) + "\n")


def _check_form(tool: Tool, form: str | None) -> None:
    """One conversion of a floating number, no more and no less."""
    if form is None or re.fullmatch(r"(?:[^%]|%%)*%[-+ #0']*\d{0,4}(?:\.\d{0,3})?[eEfFgG](?:[^%]|%%)*", form, re.S):
        return
    found = re.search(r"%(?:%|[-+ #0']*\d*(?:\.\d*)?(.?))", form.replace("%%", ""), re.S)
    if found is None:
        tool.fail(tool.text(Say("", "format {0:l} has no % directive"), form))
    if not found[1]:
        tool.fail(tool.text(Say("", "format {0:l} ends in %"), form))
    if found[1] not in "eEfFgGaA":
        tool.fail(tool.text(Say("", "format {0:l} has unknown %{1} directive"), form, found[1]))
    tool.fail(tool.text(Say("", "format {0:l} has too many % directives"), form))


def _decimal(tool: Tool, text: str) -> Decimal:
    try:
        value = Decimal(text)
        if value.is_nan():
            raise InvalidOperation
        return value
    except InvalidOperation:
        if text.lower().lstrip("+-") == "nan" and tool.gnu:
            tool.usage(tool.text(Say("", "invalid {1:l} argument: {0:l}"), text, "not-a-number"))
        tool.usage(tool.text(Say("", "invalid floating point argument: {0:l}"), text))


def _shown(tool: Tool, value: Decimal, places: int) -> str:
    form = tool.value("f")
    if form:
        tool.hold(sum(int(digits[:20]) for digits in re.findall(r"\d+", form)))
    if form is None:
        return f"{value:.{places}f}" if value.is_finite() else str(float(value))
    return form % float(value)


def _width(text: str, places: int) -> int:
    """Of an operand with so many places after the point."""
    whole = text.partition(".")[0]
    return len(whole) + (places + 1 if places else 0) if re.fullmatch(r"-?\d+", whole) else 0


def _equal(texts: list[str], least: int) -> list[str]:
    width = max(least, max(map(len, texts), default=0))
    return ["-" + text[1:].rjust(width - 1, "0") if text.startswith("-") else text.rjust(width, "0") for text in texts]


def _guarded(args: list[str]) -> list[str]:
    """Negative numbers are operands."""
    for index, arg in enumerate(args):
        if arg == "--":
            return args
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
        needs="operand",
    ),
    "yes": Utility(yes, None, None, "[STRING]"),
}
