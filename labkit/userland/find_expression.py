"""The expression of find, read into one predicate: its tests and options, and what -printf and -ls write."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from posixpath import basename, dirname

from labkit.files import Stat
from labkit.kernel.guarded import guarded
from labkit.userland import owning
from labkit.userland.owning import Names
from labkit.userland.patterns import BadPattern, compile_pattern, compiled
from labkit.userland.quantities import factor, formatted, parsed
from labkit.userland.tool import Say, Tool, is_same


@dataclass
class Visited:
    """One file that the expression is asked of."""

    path: str
    about: Stat
    depth: int
    start: str
    pruned: bool = False


Predicate = Callable[[Visited], bool]


@dataclass
class FindRun:
    """One run of find: what the expression's options say, and the -exec … + that wait."""

    tool: Tool
    most: int = 1 << 30
    least: int = 0
    deep_first: bool = False
    same_device: bool = False
    follow: bool = False
    acts: bool = False
    ended: bool = False
    batches: list[tuple[list[str], list[str]]] = field(default_factory=list)


class FindParser:
    """The expression: `!` binds tighter than -a, -a tighter than -o, the comma least."""

    def __init__(self, search: FindRun, words: list[str], primaries: dict[str, Primary]) -> None:
        self.search = search
        self.primaries = primaries
        self.tool = search.tool
        self.words = words
        self.place = 0

    def peek(self) -> str:
        return self.words[self.place] if self.place < len(self.words) else ""

    def next(self, option: str) -> str:
        if self.place >= len(self.words):
            self.tool.fail(f"missing argument to `{option}'" if self.tool.gnu else f"{option} requires an argument")
        self.place += 1
        return self.words[self.place - 1]

    def whole(self) -> Predicate:
        test = self.either() if self.words else lambda found: True
        if self.place < len(self.words):
            word = self.peek()
            if word == ")":
                self.tool.fail(
                    "invalid expression; you have used a binary operator ')' with nothing before it."
                    if self.tool.gnu
                    else "bad -exec"
                )
            self.tool.fail(f"paths must precede expression: `{word}'" if self.tool.gnu else f"unrecognized: {word}")
        return test

    def either(self) -> Predicate:
        left = self.both()
        while self.peek() in ("-o", "-or", ","):
            comma = self.next("") == ","
            left = either_of(left, self.both(), comma)
        return left

    def both(self) -> Predicate:
        left = self.one()
        while self.peek() and self.peek() not in ("-o", "-or", ")", ","):
            if self.peek() in ("-a", "-and"):
                self.next("")
            left = both_of(left, self.one())
        return left

    def one(self) -> Predicate:
        word = self.peek()
        if word in ("!", "-not"):
            self.next(word)
            test = self.one()
            return lambda found: not test(found)
        if word == "(":
            self.next(word)
            test = self.either()
            if self.peek() != ")":
                self.tool.fail(
                    "invalid expression; expected to find a ')' but didn't see one. "
                    "Perhaps you need an extra predicate after '('"
                    if self.tool.gnu
                    else "unmatched '('"
                )
            self.next(word)
            return test
        return self.primary()

    def primary(self) -> Predicate:
        word = self.next("expression")
        make = self.primaries.get(word)
        if make is None:
            if self.tool.gnu:
                what = "unknown predicate" if word.startswith("-") else "paths must precede expression:"
                self.tool.fail(f"{what} `{word}'")
            self.tool.usage("", f"unrecognized: {word}")
        return make(self, word)

    def number(self, word: str) -> tuple[str, int]:
        text = self.next(word)
        match = re.fullmatch(r"([+-]?)(\d+)", text)
        if not match:
            self.tool.fail(
                f"invalid argument `{text}' to `{word}'" if self.tool.gnu else f"invalid number '{text.lstrip('+-')}'"
            )
        return match[1], int(match[2])


Primary = Callable[[FindParser, str], Predicate]


def either_of(left: Predicate, right: Predicate, comma: bool) -> Predicate:
    if comma:
        return lambda found: (left(found), right(found))[1]
    return lambda found: left(found) or right(found)


def both_of(left: Predicate, right: Predicate) -> Predicate:
    return lambda found: left(found) and right(found)


def print_path(parser: FindParser, word: str) -> Predicate:
    parser.search.acts = True
    end = "\0" if word == "-print0" else "\n"

    return doing(lambda found: parser.tool.out(found.path + end))


def doing(action: Callable[[Visited], object]) -> Predicate:
    """As a predicate that holds whatever it gives."""
    return lambda found: (action(found), True)[1]


QUOTED = Say("{0}", "{0:l}")
SECOND = 1_000_000_000
DAY = 86400
TYPES = {
    "f": stat.S_IFREG,
    "d": stat.S_IFDIR,
    "l": stat.S_IFLNK,
    "c": stat.S_IFCHR,
    "b": stat.S_IFBLK,
    "p": stat.S_IFIFO,
    "s": stat.S_IFSOCK,
}


def _compare(sign: str, value: float, number: int) -> bool:
    return value > number if sign == "+" else value < number if sign == "-" else value == number


def _name(parser: FindParser, word: str) -> Predicate:
    pattern = parser.next(word)
    flags = re.I if word.startswith("-i") else 0
    match = re.compile(compiled(pattern).pattern, re.S | flags).fullmatch
    if word in ("-path", "-wholename", "-ipath"):
        return lambda found: match(found.path) is not None
    return lambda found: match(basename(found.path.rstrip("/")) or "/") is not None


def _lname(parser: FindParser, word: str) -> Predicate:
    match = compiled(parser.next(word)).fullmatch
    files = parser.tool.files
    return lambda found: stat.S_ISLNK(found.about.st_mode) and match(files.readlink(found.path)) is not None


def _regex(parser: FindParser, word: str) -> Predicate:
    text = parser.next(word)
    try:
        pattern = compile_pattern(text, extended=False, ignore_case=word == "-iregex")
        match = guarded(pattern, parser.tool.tick).fullmatch
    except BadPattern as bad:
        parser.tool.fail(f"{bad}")
    return lambda found: match(found.path) is not None


def _type(parser: FindParser, word: str) -> Predicate:
    text = parser.next(word)
    letters = text.split(",") if parser.tool.gnu else [text]
    for letter in letters:
        if letter not in TYPES:
            parser.tool.fail(
                f"Unknown argument to -type: {text}" if parser.tool.gnu else f"invalid argument '{text}' to '-type'"
            )
    kinds = {TYPES[letter] for letter in letters}
    return lambda found: stat.S_IFMT(found.about.st_mode) in kinds


def _size(parser: FindParser, word: str) -> Predicate:
    text = parser.next(word)
    match = re.fullmatch(r"([+-]?)(\d+)([cwbkMG]?)", text)
    if not match:
        parser.tool.fail(
            f"Invalid argument `{text}' to -size" if parser.tool.gnu else f"invalid number '{text.lstrip('+-')}'"
        )
    unit = factor(match[3]) if match[3] else 512
    sign, number = match[1], int(match[2])
    if not parser.tool.gnu and sign:
        return lambda found: _compare(sign, found.about.st_size, number * unit)
    return lambda found: _compare(sign, -(-found.about.st_size // unit), number)


def _times(parser: FindParser, word: str) -> Predicate:
    sign, number = parser.number(word)
    unit = 60 if word.endswith("min") else DAY
    now = parser.tool.process.kernel.clock.now
    field_name = {"m": "st_mtime_ns", "a": "st_atime_ns", "c": "st_ctime_ns"}[word[1]]

    def test(found: Visited) -> bool:
        age = (now - getattr(found.about, field_name)) / SECOND
        if unit == 60 and sign:
            return bool(age > number * 60 if sign == "+" else age < number * 60)
        return _compare(sign, age // unit, number)

    return test


def _newer(parser: FindParser, word: str) -> Predicate:
    path, tool = parser.next(word), parser.tool
    with tool.refusing(QUOTED, path):
        by_text = word.endswith("t")
        limit = parsed(path, tool.process.kernel.clock.now) or 0 if by_text else tool.files.stat(path).st_mtime_ns
    return lambda found: found.about.st_mtime_ns > limit


def _perm(parser: FindParser, word: str) -> Predicate:
    text = parser.next(word)
    sign = text[0] if text[:1] in ("-", "/", "+") else ""
    mode = owning.changed(text[len(sign) :], 0, 0)
    if mode is None:
        parser.tool.fail(f"invalid mode `{text}'" if parser.tool.gnu else f"invalid mode '{text}'")
    if sign == "-":
        return lambda found: found.about.st_mode & mode == mode
    if sign:
        return lambda found: bool(found.about.st_mode & mode) or mode == 0
    return lambda found: found.about.st_mode & 0o7777 == mode


def _owner(parser: FindParser, word: str) -> Predicate:
    text = parser.next(word)
    names = Names(parser.tool.files)
    number = names.uid(text) if word == "-user" else names.gid(text)
    if number is None:
        kind = word[1:]
        if parser.tool.gnu:
            parser.tool.refuse(
                Say("", f"{{0:l}} is not the name of {'a known' if kind == 'user' else 'an existing'} {kind}"), text
            )
        parser.tool.fail(f"unknown {kind} {text}")
    return lambda found: (found.about.st_uid if word == "-user" else found.about.st_gid) == number


def _nobody(parser: FindParser, word: str) -> Predicate:
    names, user = Names(parser.tool.files), word == "-nouser"
    return lambda found: not (names.user(found.about.st_uid, "") if user else names.group(found.about.st_gid, ""))


def _counted(parser: FindParser, word: str) -> Predicate:
    sign, number = parser.number(word)
    field_name = {"-links": "st_nlink", "-inum": "st_ino", "-uid": "st_uid", "-gid": "st_gid"}[word]
    return lambda found: _compare(sign, getattr(found.about, field_name), number)


def _empty(parser: FindParser, word: str) -> Predicate:
    files = parser.tool.files

    def test(found: Visited) -> bool:
        if stat.S_ISDIR(found.about.st_mode):
            return not files.listdir(found.path)
        return stat.S_ISREG(found.about.st_mode) and found.about.st_size == 0

    return test


def _samefile(parser: FindParser, word: str) -> Predicate:
    path = parser.next(word)
    with parser.tool.refusing(QUOTED, path):
        other = parser.tool.files.lstat(path)
    return lambda found: is_same(found.about, other)


def _access(parser: FindParser, word: str) -> Predicate:
    want = {"-readable": 4, "-writable": 2, "-executable": 1}[word]
    return lambda found: parser.tool.files.access(found.path, want)


def _limit(parser: FindParser, word: str) -> Predicate:
    text = parser.next(word)
    if not text.isdigit():
        parser.tool.fail(
            f"Expected a positive decimal integer argument to {word}, but got "
            + parser.tool.text(Say("", "{0:l}"), text)
            if parser.tool.gnu
            else f"invalid number '{text}'"
        )
    setattr(parser.search, "most" if word == "-maxdepth" else "least", int(text))
    return lambda found: True


def _option(parser: FindParser, word: str) -> Predicate:
    if word in _OPTIONS:
        setattr(parser.search, _OPTIONS[word], True)
    return lambda found: True


_OPTIONS = {"-depth": "deep_first", "-d": "deep_first", "-xdev": "same_device", "-mount": "same_device",
            "-follow": "follow"}  # fmt: skip


TESTS: dict[str, Primary] = {
    **dict.fromkeys(("-name", "-iname", "-path", "-ipath", "-wholename"), _name),
    "-lname": _lname,
    **dict.fromkeys(("-regex", "-iregex"), _regex),
    "-type": _type,
    "-size": _size,
    "-perm": _perm,
    **dict.fromkeys(("-mtime", "-atime", "-ctime", "-mmin", "-amin", "-cmin"), _times),
    **dict.fromkeys(("-newer", "-newermt"), _newer),
    **dict.fromkeys(("-user", "-group"), _owner),
    **dict.fromkeys(("-nouser", "-nogroup"), _nobody),
    **dict.fromkeys(("-links", "-inum", "-uid", "-gid"), _counted),
    "-empty": _empty,
    "-samefile": _samefile,
    **dict.fromkeys(("-readable", "-writable", "-executable"), _access),
    **dict.fromkeys(("-maxdepth", "-mindepth"), _limit),
    **dict.fromkeys(("-depth", "-xdev", "-mount", "-follow", "-noleaf", "-d", "-true"), _option),
    "-false": lambda parser, word: lambda found: False,
}


def _printf(parser: FindParser, word: str) -> Predicate:
    parser.search.acts = True
    form, names = parser.next(word), Names(parser.tool.files)
    return doing(lambda found: parser.tool.out(_filled(parser.tool, form, found, names)))


_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "r": "\r", "v": "\v", "0": "\0"}
_DIRECTIVE = re.compile(
    r"\\(?P<octal>[0-7]{1,3})|\\(?P<escape>.)|%(?P<flags>[-0+ "
    r"#]*)(?P<width>\d*)(?:\.\d+)?(?P<time>[ACT](?=.))?(?P<letter>.)",
    re.S,
)


def _filled(tool: Tool, form: str, found: Visited, names: Names) -> str:
    def one(match: re.Match[str]) -> str:
        if match["octal"]:
            return chr(int(match["octal"], 8))
        if match["escape"]:
            return _ESCAPES.get(match["escape"], match[0])
        text = _time_text(match, found) if match["time"] else _directive(tool, match["letter"], found, names)
        width = int(match["width"][:20] or 0)
        tool.hold(width)
        return text.ljust(width) if "-" in match["flags"] else text.rjust(width, "0" if "0" in match["flags"] else " ")

    return _DIRECTIVE.sub(one, form)


def _time_text(match: re.Match[str], found: Visited) -> str:
    about = found.about
    ns = {"A": about.st_atime_ns, "C": about.st_ctime_ns, "T": about.st_mtime_ns}[match["time"]]
    if match["letter"] == "@":
        return f"{ns // SECOND}.{ns % SECOND:09}0"
    if match["letter"] in "ST+":
        fraction = f".{ns % SECOND:09}0"
        return formatted({"S": "%S", "T": "%H:%M:%S", "+": "%Y-%m-%d+%H:%M:%S"}[match["letter"]], ns) + fraction
    return formatted(f"%{match['letter']}", ns)


def _directive(tool: Tool, letter: str, found: Visited, names: Names) -> str:
    about, path = found.about, found.path
    below = path[len(found.start) :].lstrip("/")
    letters = {stat.S_IFMT(kind): key for key, kind in TYPES.items()}
    values: dict[str, Callable[[], object]] = {
        "p": lambda: path,
        "f": lambda: basename(path.rstrip("/")) or path,
        "h": lambda: dirname(path) if "/" in path else ".",
        "P": lambda: below,
        "H": lambda: found.start,
        "d": lambda: found.depth,
        "s": lambda: about.st_size,
        "b": lambda: about.st_blocks,
        "k": lambda: -(-about.st_blocks // 2),
        "m": lambda: f"{about.st_mode & 0o7777:o}",
        "M": lambda: owning.shown(about.st_mode),
        "u": lambda: names.user(about.st_uid),
        "U": lambda: about.st_uid,
        "g": lambda: names.group(about.st_gid),
        "G": lambda: about.st_gid,
        "i": lambda: about.st_ino,
        "n": lambda: about.st_nlink,
        "y": lambda: letters.get(stat.S_IFMT(about.st_mode), "f"),
        "Y": lambda: letters.get(_through(tool, found), "N"),
        "l": lambda: tool.files.readlink(path) if stat.S_ISLNK(about.st_mode) else "",
        "D": lambda: about.st_dev,
        "t": lambda: (
            formatted("%a %b %e %H:%M:%S", about.st_mtime_ns)
            + f".{about.st_mtime_ns % SECOND:09}0 "
            + formatted("%Y", about.st_mtime_ns)
        ),
        "F": lambda: tool.files.find(path).mount.fstype,
        "%": lambda: "%",
    }
    return str(values[letter]()) if letter in values else f"%{letter}"


def _through(tool: Tool, found: Visited) -> int:
    about = tool.look(found.path, follow=True)
    return stat.S_IFMT(about.st_mode) if about else 0


def _ls(parser: FindParser, word: str) -> Predicate:
    names = Names(parser.tool.files)
    form = "%9i %6k %M %3n %-8u %-8g %8s "
    parser.search.acts = True

    def show(found: Visited) -> None:
        tool = parser.tool
        age = tool.process.kernel.clock.now - found.about.st_mtime_ns
        when = formatted("%b %e %H:%M" if 0 <= age < 182 * DAY * SECOND else "%b %e  %Y", found.about.st_mtime_ns)
        arrow = f" -> {tool.files.readlink(found.path)}" if stat.S_ISLNK(found.about.st_mode) else ""
        tool.out(_filled(tool, form, found, names) + f"{when} {found.path}{arrow}\n")

    return doing(show)


SHOWING: dict[str, Primary] = {
    "-printf": _printf,
    "-ls": _ls,
}
