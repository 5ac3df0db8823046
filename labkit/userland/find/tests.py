"""The tests of find, and its options."""

from __future__ import annotations

import re
import stat
from posixpath import basename

from labkit.userland import modes
from labkit.userland.dates import parsed
from labkit.userland.find.expression import FindParser, Predicate, Primary, Visited
from labkit.userland.numbers import factor
from labkit.userland.patterns import compiled
from labkit.userland.tool import Say
from labkit.userland.users import Names

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
    from labkit.userland.guarded import guarded
    from labkit.userland.regex import BadPattern, compile_pattern

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
            return age > number * 60 if sign == "+" else age < number * 60
        return _compare(sign, age // unit, number)

    return test


def _newer(parser: FindParser, word: str) -> Predicate:
    path = parser.next(word)
    try:
        if word.endswith("t") and word != "-newer":
            limit = parsed(path, parser.tool.process.kernel.clock.now) or 0
        else:
            limit = parser.tool.files.stat(path).st_mtime_ns
    except OSError as error:
        parser.tool.refuse(Say("{0}", "{0:l}"), path, error=error)
    return lambda found: found.about.st_mtime_ns > limit


def _perm(parser: FindParser, word: str) -> Predicate:
    text = parser.next(word)
    sign = text[0] if text[:1] in ("-", "/", "+") else ""
    mode = modes.changed(text[len(sign) :], 0, 0)
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
    names = Names(parser.tool.files)
    if word == "-nouser":
        return lambda found: names.user(found.about.st_uid, "") == ""
    return lambda found: names.group(found.about.st_gid, "") == ""


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
    try:
        other = parser.tool.files.lstat(path)
    except OSError as error:
        parser.tool.refuse(Say("{0}", "{0:l}"), path, error=error)
    return lambda found: (found.about.st_ino, found.about.st_dev) == (other.st_ino, other.st_dev)


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
    if word == "-maxdepth":
        parser.search.most = int(text)
    else:
        parser.search.least = int(text)
    return lambda found: True


def _option(parser: FindParser, word: str) -> Predicate:
    if word in ("-depth", "-d"):
        parser.search.deep_first = True
    elif word in ("-xdev", "-mount"):
        parser.search.same_device = True
    elif word == "-follow":
        parser.search.follow = True
    return lambda found: True


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
