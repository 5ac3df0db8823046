"""What all utilities stand on: their options, their messages in two flavours, their input and output.

A utility is written once, as a function of a Tool; what differs between busybox and GNU is data (Say, Utility's option
tables) or asks `tool.gnu`. Messages were observed on BusyBox v1.35.0 and GNU coreutils 9.1, as Debian 12 has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, TypeVar, Unpack

from labkit.files import Content, Files, Stat, failure
from labkit.files.contents import MESSAGES
from labkit.files.errno import ENOENT
from labkit.kernel import limits
from labkit.kernel.process import Changes, ExecError, Process
from labkit.userland.zones import Zone, zone

T = TypeVar("T")


BUSYBOX_BANNER = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary."
SPEAKERS = ("busybox", "dash", "bash", "gnu")  # who has a test, an echo and a printf of its own
LINES_A_STEP = 4  # a line costs a utility about as much time as a quarter of a step of a shell
LINE_LIMIT = limits.HELD  # bytes of one line
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
    needs: str = ""  # what is missing where it has no operand


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
        long |= dict.fromkeys(names_list, option)
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

    @property
    def zone(self) -> Zone:
        """That in which times are shown and read."""
        return zone(self.env.get("TZ"))

    def has(self, *names: str) -> bool:
        return any(name in names for name, _ in self.options)

    def value(self, *names: str) -> str | None:
        """The argument of the last of these options that was given."""
        return next((value for name, value in reversed(self.options) if name in names), None)

    def number(self, name: str, default: int) -> int:
        """The argument of an option, where it is a number; by bytes or lines, what lies beyond 10^18 is the same."""
        text = self.value(name) or str(default)
        if not re.fullmatch(r"-?\d+", text, re.ASCII):
            self.fail(f"invalid number '{text}'", self.utility.bad)
        return int(text[:19])

    def width(self, name: str, default: int) -> int:
        """The same for how wide something is, which is filled up with blanks."""
        width = self.number(name, default)
        self.hold(width)
        return max(width, 0)

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
        return (say.gnu if self.gnu else say.busybox).format(*(self._named(name) for name in names))

    def _named(self, name: str) -> Name:
        made = Name(name)
        made.fancy = self.fancy
        return made

    def complain(self, say: Say, *names: str, error: OSError | None = None, status: int = 1) -> None:
        reason = f": {self.reason(error)}" if error else ""
        self.err(self.text(say, *names) + reason, status)

    def refuse(self, say: Say, *names: str, error: OSError | None = None, status: int = 1) -> NoReturn:
        self.complain(say, *names, error=error, status=status)
        raise Done(status)

    @contextmanager
    def complaining(self, say: Say, *names: str, status: int = 1) -> Iterator[None]:
        """What cannot be done in here is complained of, and given up."""
        try:
            yield
        except OSError as error:
            self.complain(say, *names, error=error, status=status)

    @contextmanager
    def refusing(self, say: Say, *names: str, status: int = 1) -> Iterator[None]:
        """What cannot be done in here ends the utility."""
        try:
            yield
        except OSError as error:
            self.refuse(say, *names, error=error, status=status)

    def attempt(self, action: Callable[[], T], say: Say, *names: str, status: int = 1) -> T | None:
        """What the action gives; None where it cannot be done, which is complained of."""
        try:
            return action()
        except OSError as error:
            self.complain(say, *names, error=error, status=status)
            return None

    def asks(self, say: Say, *names: str) -> bool:
        """Whether the answer to a question is yes."""
        self.process.stderr.write(f"{self.name}: {self.text(say, *names)}")
        return self.process.stdin.readline()[:1] in (b"y", b"Y")

    def wrong(self, gnu: str, busybox: str) -> NoReturn:
        """A wrong call, of which busybox says no more than that."""
        if self.gnu:
            self.usage(gnu)
        self.fail(busybox)

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
            quotes = self._named(self.operands[-1])
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
        if content.size > LINE_LIMIT * 2:
            self.fail("memory exhausted" if self.gnu else "out of memory", self.utility.bad)
        self.tick(1 + content.size // 1024)
        return bytes(content)

    def inputs(
        self, say: Say = OPEN, paths: list[str] | None = None, status: int = 1, reading: Say | None = None
    ) -> Iterator[tuple[str, Content]]:
        """Name and content of each operand, or of the standard input; what cannot be opened (`say`), or read, is
        complained of.
        """
        for path in (self.operands if paths is None else paths) or ["-"]:
            try:
                content = self.content(path)
            except OSError as error:
                self.complain(say if error.filename else reading or say, path, error=error, status=status)
                continue
            yield path, content

    def input_lines(self, say: Say = OPEN, paths: list[str] | None = None) -> Iterator[bytes]:
        """The lines of all inputs."""
        return (line for _, content in self.inputs(say, paths) for line in self.lines(content))

    def look(self, path: str, *, follow: bool = False) -> Stat | None:
        """What is at a path; None where nothing is."""
        return look(self.files, path, follow=follow)

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
        limits.hold(size, self.name)

    def tick(self, steps: int = 1) -> None:
        self.process.tick(steps)

    # others

    def run(self, argv: list[str], cannot: Say, **changes: Unpack[Changes]) -> int:
        """Run another program as a child; 127 or 126 where it cannot be started."""
        try:
            return self.process.spawn(argv, **changes)
        except ExecError as error:
            self.complain(cannot, argv[0], error=failure(error.errno))
            return 127 if error.errno == ENOENT else 126


def look(files: Files, path: str, *, follow: bool = False) -> Stat | None:
    """What is at a path; None where nothing is."""
    try:
        return files.stat(path) if follow else files.lstat(path)
    except OSError:
        return None


def is_same(one: Stat | None, other: Stat | None) -> bool:
    """Whether these are the same file."""
    return one is not None and other is not None and (one.st_ino, one.st_dev) == (other.st_ino, other.st_dev)


def below(folder: str, name: str) -> str:
    """The path of a name in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def escaped(text: str) -> str:
    """As a part of a Say that stays as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
