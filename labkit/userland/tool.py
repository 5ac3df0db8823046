"""What all utilities stand on: their options, their messages in two flavours, their input and output.

A utility is written once, as a function of a Tool; what differs between busybox and GNU is data (Say, Utility's option
tables) or asks `tool.gnu`. Messages were observed on BusyBox v1.35.0 and GNU coreutils 9.1, as Debian 12 has them.

Numbers as utilities read and print them: sizes with suffixes, counts, human-readable sizes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import NoReturn, Unpack

from labkit.files import Content, Files, failure
from labkit.files.contents import MESSAGES
from labkit.kernel.process import Changes, ExecError, Process, Runaway

_POWERS = {letter: power for power, letter in enumerate("kmgtpezy", 1)}
_SIZE = re.compile(r"(\d+)([A-Za-z]*)")


class NoSizeError(ValueError):
    """Not a size; str() is the text."""


def size(text: str, *, gnu: bool = True) -> int:
    """Bytes: 10, 10k, 10K, 10M, 10KiB, 10MB (powers of 1000, GNU), 2b (512), 3c, 4w. Raises ValueError."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise NoSizeError(text)
    return int(match[1]) * factor(match[2], gnu=gnu)


def factor(suffix: str, *, gnu: bool = True) -> int:
    """What a suffix multiplies by. Raises ValueError."""
    if suffix in ("", "c"):
        return 1
    if suffix in ("b", "w"):
        return 512 if suffix == "b" else 2
    power = _POWERS.get(suffix[0].lower())
    if power is None or suffix[1:] not in ("", "iB", "B", "D"):
        raise NoSizeError(suffix)
    thousand = 1000 if suffix[1:] in ("B", "D") and (gnu or suffix[1:] == "D") else 1024
    return int(thousand**power)


def human_gnu(number: int, base: int = 1024) -> str:
    """As GNU's -h: rounded up, one decimal below ten."""
    if number < base:
        return str(number)
    value, power = Decimal(number), 0
    while value >= base and power < 8:
        value /= base
        power += 1
    letters = "KMGTPEZY" if base == 1024 else "kMGTPEZY"
    if value < 10:
        rounded = value.quantize(Decimal("0.1"), ROUND_CEILING)
        if rounded < 10:
            return f"{rounded}{letters[power - 1]}"
    rounded = value.quantize(Decimal(1), ROUND_CEILING)
    if rounded >= base and power < 8:
        return f"1.0{letters[power]}"
    return f"{rounded}{letters[power - 1]}"


def human_busybox(number: int, unit: int = 1) -> str:
    """As busybox's -h: rounded to the nearest, one decimal; `unit`: what the number counts, in bytes."""
    value, power, tenths = number * unit, 0, 0
    while value >= 1024 and power < 6:
        power += 1
        tenths = (value % 1024 * 10 + 512) // 1024
        value //= 1024
    if tenths >= 10:
        value, tenths = value + 1, 0
    return f"{value}.{tenths}{'KMGTPE'[power - 1]}" if power else str(value)


def plain_float(text: str) -> float:
    """A number such as sleep and seq take. Raises ValueError."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|0[xX][0-9a-fA-F]+|[+-]?inf(inity)?", text.strip()):
        raise NoSizeError(text)
    return float(int(text, 16)) if text.strip()[:2].lower() == "0x" else float(text)


BUSYBOX_BANNER = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary."
SPEAKERS = ("busybox", "dash", "bash", "gnu")  # who has a test, an echo and a printf of its own
LINES_A_STEP = 4  # a line costs a utility about as much time as a quarter of a step of a shell
LINE_LIMIT = 16 << 20  # bytes of one line, or of what has to be held at once
_SAFE = re.compile(r"[\w@%+,./\]-][\w@%+,./\]~#{}-]*", re.ASCII)
_ESCAPES = {"\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r"}


class Done(Exception):
    """The utility ends here with this status; all has been said."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Name(str):
    """A name in a message. Format q: in quotes for a shell; n: so where it needs them; l: in the locale's quotes."""

    __slots__ = ("fancy",)
    fancy: bool

    def __format__(self, form: str) -> str:
        if form == "l":
            return f"‘{self}’" if self.fancy else f"'{self}'"
        if form in ("q", "n"):
            return shell_quoted(str(self), always=form == "q", colon=form == "n")
        return str(self)


def shell_quoted(text: str, *, always: bool, colon: bool = False) -> str:
    """GNU's quoting styles shell-escape and, with always, shell-escape-always."""
    plain = bool(_SAFE.fullmatch(text)) or bool(re.fullmatch(r"[\w@%+,./:\]-][\w@%+,./:\]~#{}-]*", text) and not colon)
    if plain or (text and all(c.isalnum() or (c in "@%+,./-_" or (c == ":" and not colon)) for c in text)):
        return f"'{text}'" if always else text
    if "'" in text and not re.search(r'["$`\\!\x00-\x1f]', text):
        return f'"{text}"'
    return _escaped(text)


def _escaped(text: str) -> str:
    out = ""
    for part in re.split(r"([\x00-\x1f\x7f\udc80-\udcff]+|')", text):
        if part == "'":
            out += "\\'"
        elif part and (part < " " or part >= "\x7f") and re.match(r"[\x00-\x1f\x7f\udc80-\udcff]", part):
            codes = "".join("\\" + _ESCAPES.get(c, f"{ord(c) & 0xFF:03o}") for c in part)
            out += f"$'{codes}'"
        elif part or not out:
            out += f"'{part}'"
    return out if out.startswith("'") else "''" + out


@dataclass(frozen=True)
class Say:
    """One complaint in both flavours; {0}, {1}… are Names."""

    busybox: str
    gnu: str


SAME = Say("{0}", "{0:n}")  # the name alone
OPEN = Say("can't open '{0}'", "{0:n}")


@dataclass(frozen=True)
class Option:
    name: str  # its letter, or the long name where it has none
    argument: str = ""  # ":" needs one, "?" may have one


@dataclass(frozen=True)
class Utility:
    """One utility: what runs it and how it reads its command line.

    busybox, gnu: options, separated by spaces: `n`, `n:` (with an argument), `w?` (an argument may follow at once),
    `n:=lines` (its long name), `=color?` (a long name only). None: it reads its arguments itself.
    """

    run: Callable[[Tool], int | None]
    busybox: str | None = ""
    gnu: str | None = ""
    usage: str = ""  # busybox's synopsis
    gnu_usage: str = "[OPTION]... [FILE]..."
    bad: int = 1  # GNU's status for a wrong call
    busybox_bad: int = 1
    permute: bool = True  # options may follow operands
    prepare: Callable[[list[str]], list[str]] | None = None  # rewrites old forms such as -5
    package: str = "GNU coreutils) 9.1"  # in --version


@lru_cache(maxsize=512)
def _options(spec: str) -> tuple[dict[str, Option], dict[str, Option]]:
    """By letter, by long name."""
    short: dict[str, Option] = {}
    long: dict[str, Option] = {}
    for word in spec.split():
        head, _, names = word.partition("=") if not word.startswith("=") else ("", "", word[1:])
        argument = ":" if ":" in word else "?" if "?" in word else ""
        letter = head.rstrip(":?")
        names_list = [name.rstrip(":?") for name in names.split(",") if name.rstrip(":?")]
        option = Option(letter or names_list[0], argument)
        if letter:
            short[letter] = option
        for name in names_list:
            long[name] = option
    return short, long


class Tool:
    """One run of one utility."""

    def __init__(self, process: Process, utility: Utility, name: str, flavour: str) -> None:
        self.process = process
        self.files: Files = process.files
        self.env = process.env
        self.utility = utility
        self.name = name
        self.flavour = flavour
        self.gnu = flavour == "gnu"
        self.status = 0
        self.args = list(process.argv[1:])
        self.options: list[tuple[str, str]] = []
        self.operands: list[str] = self.args
        locale = self.env.get("LC_ALL") or self.env.get("LC_CTYPE") or self.env.get("LANG") or ""
        self.fancy = "utf" in locale.lower()

    # options

    def parse(self) -> None:
        """Sort the arguments into options and operands."""
        spec = self.utility.gnu if self.gnu else self.utility.busybox
        if spec is None:
            return
        args = self.utility.prepare(self.args) if self.utility.prepare else list(self.args)
        self.operands = []
        while args:
            arg = args.pop(0)
            if arg == "--":
                self.operands += args
                return
            if arg.startswith("--"):
                self._long(arg[2:], args, spec)
            elif arg.startswith("-") and len(arg) > 1:
                self._short(arg, args, spec)
            else:
                self.operands.append(arg)
                if not self.utility.permute:
                    self.operands += args
                    return

    def _long(self, text: str, args: list[str], spec: str) -> None:
        long = _options(spec)[1]
        name, equals, value = text.partition("=")
        found = {long[key].name: key for key in long if key.startswith(name)}
        if name in long:
            found = {long[name].name: name}
        if name in ("help", "version") and name not in long:
            self._about(name)
        if len(found) != 1:
            if self.gnu and found:
                keys = " ".join(f"'--{key}'" for key in sorted(key for key in long if key.startswith(name)))
                self.usage(f"option '--{text}' is ambiguous; possibilities: {keys}")
            self.usage(f"unrecognized option '--{text}'", f"unrecognized option '--{text}'")
        full = next(iter(found.values()))
        option = long[full]
        if equals and not option.argument:
            self.usage(f"option '--{full}' doesn't allow an argument", f"option '--{full}' doesn't allow an argument")
        if not equals and option.argument == ":":
            if not args:
                self.usage(f"option '--{full}' requires an argument", f"option '--{full}' requires an argument")
            value = args.pop(0)
        self.options.append((option.name, value))

    def _short(self, arg: str, args: list[str], spec: str) -> None:
        short = _options(spec)[0]
        place = 1
        while place < len(arg):
            letter = arg[place]
            place += 1
            option = short.get(letter)
            if option is None:
                text = f"invalid option -- '{letter}'"
                self.usage(text, f"unrecognized option: {letter}" if self.flavour == "alpine" else text)
                raise Done(self.status)
            value = ""
            if option.argument:
                value, place = arg[place:], len(arg)
                if not value and option.argument == ":":
                    if not args:
                        text = f"option requires an argument -- '{letter}'"
                        self.usage(text, text)
                    value = args.pop(0)
            self.options.append((option.name, value))

    def _about(self, what: str) -> NoReturn:
        if not self.gnu:
            self.process.stdout.write(self._busybox_usage())
        elif what == "help":
            self.out(f"Usage: {self.name} {self.utility.gnu_usage}\n")
        else:
            self.out(f"{self.name} ({self.utility.package}\n")
        raise Done(0)

    def has(self, *names: str) -> bool:
        return any(name in names for name, _ in self.options)

    def value(self, *names: str) -> str | None:
        """The argument of the last of these options that was given."""
        return next((value for name, value in reversed(self.options) if name in names), None)

    def values(self, *names: str) -> list[str]:
        return [value for name, value in self.options if name in names]

    def last(self, *names: str) -> str | None:
        """Which of these options was given last."""
        return next((name for name, _ in reversed(self.options) if name in names), None)

    # output

    def out(self, text: str | bytes) -> None:
        self.process.stdout.write(text)

    def err(self, text: str, status: int = 1) -> None:
        """A complaint; the utility goes on."""
        self.process.stderr.write(f"{self.name}: {text}\n")
        self.status = max(self.status, status)

    def fail(self, text: str, status: int = 1) -> NoReturn:
        self.err(text, status)
        raise Done(status)

    def text(self, say: Say, *names: str) -> str:
        fancy_names = []
        for name in names:
            fancy_name = Name(name)
            fancy_name.fancy = self.fancy
            fancy_names.append(fancy_name)
        return (say.gnu if self.gnu else say.busybox).format(*fancy_names)

    def complain(self, say: Say, *names: str, error: OSError | None = None, status: int = 1) -> None:
        reason = f": {self.reason(error)}" if error else ""
        self.err(self.text(say, *names) + reason, status)

    def refuse(self, say: Say, *names: str, error: OSError | None = None, status: int = 1) -> NoReturn:
        self.complain(say, *names, error=error, status=status)
        raise Done(status)

    @staticmethod
    def reason(error: OSError) -> str:
        return MESSAGES.get(error.errno or 0) or str(error.strerror)

    def usage(self, gnu: str = "", busybox: str = "") -> NoReturn:
        """A wrong call: what is wrong, and where to look."""
        write = self.process.stderr.write
        if self.gnu:
            if gnu:
                write(f"{self.name}: {gnu}\n")
            write(f"Try '{self.name} --help' for more information.\n")
            raise Done(self.utility.bad)
        if busybox:
            write(f"{self.name}: {busybox}\n")
        write(self._busybox_usage())
        raise Done(self.utility.busybox_bad)

    def _busybox_usage(self) -> str:
        lines = self.utility.usage.replace("\n", f"\nor: {self.name} ")
        return f"{BUSYBOX_BANNER}\n\nUsage: {self.name} {lines}".rstrip() + "\n"

    def missing(self, what: str = "operand", after: bool = False) -> NoReturn:
        """Too few operands. `after`: GNU names the last one it got."""
        tail = ""
        if after and self.operands:
            quotes = Name(self.operands[-1])
            quotes.fancy = self.fancy
            tail = f" after {quotes:q}" if what.endswith("file operand") else f" after {quotes:l}"
        self.usage(f"missing {what}{tail}")

    def extra(self, index: int) -> NoReturn:
        self.usage(self.text(Say("", "extra operand {0:l}" if self.gnu else ""), self.operands[index]))

    # input

    def content(self, path: str) -> Content:
        """All of a file, or of the standard input for `-`. Raises OSError; EISDIR for a folder."""
        if path == "-":
            return self.process.stdin.read_content()
        with self.files.open(path) as handle:
            return handle.read_content()

    def data(self, path: str) -> bytes:
        return self.whole(self.content(path))

    def whole(self, content: Content) -> bytes:
        """All of it as bytes; too much of it ends the utility."""
        if len(content) > LINE_LIMIT * 2:
            self.fail("memory exhausted" if self.gnu else "out of memory", self.utility.bad)
        self.tick(1 + len(content) // 1024)
        return bytes(content)

    def inputs(self, say: Say = OPEN, paths: list[str] | None = None, status: int = 1) -> Iterator[tuple[str, Content]]:
        """Name and content of each operand, or of the standard input; what cannot be read is complained of."""
        for path in (self.operands if paths is None else paths) or ["-"]:
            try:
                content = self.content(path)
            except OSError as error:
                self.complain(say, path, error=error, status=status)
                continue
            yield path, content

    def lines(self, content: Content, end: bytes = b"\n") -> Iterator[bytes]:
        """The lines, each with its end (which the last one may lack)."""
        rest = b""
        for block in content.blocks():
            lines = (rest + block).split(end) if rest else block.split(end)
            rest = lines.pop()
            self.process.tick(len(lines) // LINES_A_STEP)
            for line in lines:
                yield line + end
            if len(rest) > LINE_LIMIT:
                self.fail("memory exhausted" if self.gnu else "out of memory", self.utility.bad)
            self.process.tick()
        if rest:
            yield rest

    def hold(self, size: int) -> None:
        """So many bytes are held at once."""
        hold(self.process, self.name, size)

    def tick(self, steps: int = 1) -> None:
        self.process.tick(steps)

    # others

    def run(self, argv: list[str], cannot: Say, **changes: Unpack[Changes]) -> int:
        """Run another program as a child; 127 or 126 where it cannot be started."""
        try:
            return self.process.spawn(argv, **changes)
        except ExecError as error:
            self.complain(cannot, argv[0], error=failure(error.errno))
            return 127 if error.errno == 2 else 126


def hold(process: Process, name: str, size: int) -> None:
    """The program `name` holds so many bytes at once."""
    if size > LINE_LIMIT:
        raise Runaway(f"{name} holds more than {LINE_LIMIT >> 20} MiB")
    process.tick(size >> 10)


def escaped(text: str) -> str:
    """As a part of a Say that stays as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def run(process: Process, utility: Utility, name: str, flavour: str) -> int:
    """Run one utility of one flavour (busybox, alpine, gnu)."""
    tool = Tool(process, utility, name, flavour)
    try:
        tool.parse()
        status = utility.run(tool)
    except Done as done:
        return done.status
    except ValueError as error:
        return _no_number(tool, error)
    return tool.status if status is None else status


def _no_number(tool: Tool, error: ValueError) -> int:
    """An operand or an option's value that had to be a number, in busybox's words."""
    _, found, literal = str(error).partition("invalid literal for int() with base 10: ")
    if not found and not isinstance(error, NoSizeError):
        raise error
    tool.err(f"invalid number {literal if found else repr(str(error))}")
    return tool.utility.bad
