"""What `test`, `[` and `[[` evaluate. POSIX, test(1); `[[` as in bash."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from labkit.shell import expand
from labkit.shell.tree import Condition, Word
from labkit.userland import patterns
from labkit.userland.guarded import guarded

if TYPE_CHECKING:
    from labkit.files import Files
    from labkit.files.namespace import Stat
    from labkit.shell.interpreter import Shell


class TestError(Exception):
    """An expression that is none. `kind`: number, operator, unary or missing; `text` what it is about."""

    __test__ = False  # no test case, whatever pytest thinks of its name

    def __init__(self, kind: str, text: str = "") -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text


def _stat(files: Files, path: str) -> Stat | None:
    try:
        return files.stat(path)
    except OSError:
        return None


def _is(kind: int) -> Callable[[Files, str], bool]:
    def check(files: Files, path: str) -> bool:
        found = _stat(files, path)
        return found is not None and stat.S_IFMT(found.st_mode) == kind

    return check


def _has(bit: int) -> Callable[[Files, str], bool]:
    def check(files: Files, path: str) -> bool:
        found = _stat(files, path)
        return found is not None and bool(found.st_mode & bit)

    return check


def _is_link(files: Files, path: str) -> bool:
    try:
        return stat.S_ISLNK(files.lstat(path).st_mode)
    except OSError:
        return False


def _is_filled(files: Files, path: str) -> bool:
    found = _stat(files, path)
    return found is not None and found.st_size > 0


def _is_owned(files: Files, path: str) -> bool:
    found = _stat(files, path)
    return found is not None and found.st_uid == files.user.uid


def _is_group(files: Files, path: str) -> bool:
    found = _stat(files, path)
    return found is not None and found.st_gid == files.user.gid


UNARY: dict[str, Callable[[Files, str], bool]] = {
    "-e": lambda files, path: _stat(files, path) is not None,
    "-a": lambda files, path: _stat(files, path) is not None,
    "-f": _is(stat.S_IFREG),
    "-d": _is(stat.S_IFDIR),
    "-b": _is(stat.S_IFBLK),
    "-c": _is(stat.S_IFCHR),
    "-p": _is(stat.S_IFIFO),
    "-S": _is(stat.S_IFSOCK),
    "-L": _is_link,
    "-h": _is_link,
    "-u": _has(stat.S_ISUID),
    "-g": _has(stat.S_ISGID),
    "-k": _has(stat.S_ISVTX),
    "-s": _is_filled,
    "-O": _is_owned,
    "-G": _is_group,
    "-r": lambda files, path: bool(path) and files.access(path, 4),
    "-w": lambda files, path: bool(path) and files.access(path, 2),
    "-x": lambda files, path: bool(path) and files.access(path, 1),
    "-n": lambda files, text: text != "",
    "-z": lambda files, text: text == "",
}


def _number(text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?\d+\s*", text):
        raise TestError("number", text)
    return int(text)


def _newer(files: Files, left: str, right: str) -> bool:
    first, second = _stat(files, left), _stat(files, right)
    return bool(first and second) and first.st_mtime_ns > second.st_mtime_ns  # type: ignore[union-attr]


def _same(files: Files, left: str, right: str) -> bool:
    first, second = _stat(files, left), _stat(files, right)
    return bool(first and second) and (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)  # type: ignore[union-attr]


BINARY: dict[str, Callable[[Files, str, str], bool]] = {
    "=": lambda files, left, right: left == right,
    "==": lambda files, left, right: left == right,
    "!=": lambda files, left, right: left != right,
    "<": lambda files, left, right: left < right,
    ">": lambda files, left, right: left > right,
    "-eq": lambda files, left, right: _number(left) == _number(right),
    "-ne": lambda files, left, right: _number(left) != _number(right),
    "-lt": lambda files, left, right: _number(left) < _number(right),
    "-le": lambda files, left, right: _number(left) <= _number(right),
    "-gt": lambda files, left, right: _number(left) > _number(right),
    "-ge": lambda files, left, right: _number(left) >= _number(right),
    "-nt": _newer,
    "-ot": lambda files, left, right: _newer(files, right, left),
    "-ef": _same,
}


_NUMERIC = frozenset(("-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "=", "!="))


def evaluate(files: Files, args: list[str], is_terminal: Callable[[int], bool] = lambda number: False) -> bool:
    """`test args`, by the number of arguments as POSIX says it, else by precedence."""
    return _Test(files, args, is_terminal).whole()


class _Test:
    def __init__(self, files: Files, args: list[str], is_terminal: Callable[[int], bool]) -> None:
        self.files = files
        self.args = args
        self.place = 0
        self.is_terminal = is_terminal

    def whole(self) -> bool:
        args = self.args
        if not args:
            return False
        if len(args) == 1:
            return args[0] != ""
        if len(args) == 2 and args[0] == "!":
            return args[1] == ""
        if len(args) == 3 and args[1] in BINARY:
            return self.binary(args[0], args[1], args[2])
        if len(args) == 4 and args[0] == "!" and args[2] in BINARY:
            return not self.binary(args[1], args[2], args[3])
        result = self.either()
        if self.place < len(args):
            raise TestError("operator" if len(args) > 2 else "unary", args[self.place])
        return result

    def peek(self, ahead: int = 0) -> str | None:
        place = self.place + ahead
        return self.args[place] if place < len(self.args) else None

    def either(self) -> bool:
        result = self.both()
        while self.peek() == "-o":
            self.place += 1
            result = self.both() or result
        return result

    def both(self) -> bool:
        result = self.negation()
        while self.peek() == "-a":
            self.place += 1
            result = self.negation() and result
        return result

    def negation(self) -> bool:
        if self.peek() == "!" and self.peek(1) is not None:
            self.place += 1
            return not self.negation()
        return self.primary()

    def primary(self) -> bool:
        first = self.peek()
        if first is None:
            raise TestError("missing")
        operator = self.peek(1)
        if operator in BINARY and self.peek(2) is not None:
            self.place += 3
            return self.binary(first, operator, self.args[self.place - 1])
        if first == "(":
            self.place += 1
            result = self.either()
            if self.peek() != ")":
                raise TestError("missing")
            self.place += 1
            return result
        if operator in _NUMERIC and len(self.args) == 2:
            raise TestError("missing", operator or "")
        if operator is not None and (first in UNARY or first == "-t"):
            self.place += 2
            return self.unary(first, operator)
        self.place += 1
        return first != ""

    def unary(self, operator: str, operand: str) -> bool:
        if operator == "-t":
            return self.is_terminal(_number(operand))
        return UNARY[operator](self.files, operand)

    def binary(self, left: str, operator: str | None, right: str) -> bool:
        assert operator is not None
        return BINARY[operator](self.files, left, right)


def condition_status(shell: Shell, node: Condition) -> int:
    """The status of `[[ … ]]`."""
    double = _Double(shell, node.items)
    try:
        return int(not double.either())
    except TestError as error:
        shell.complain(f"[[: {error.text}: {error.kind}")
        return 2


class _Double:
    """`[[ … ]]`: words are neither split nor matched against paths; the right side of = is a pattern."""

    def __init__(self, shell: Shell, items: tuple[Word | str, ...]) -> None:
        self.shell = shell
        self.items = items
        self.place = 0

    def peek(self, ahead: int = 0) -> Any:
        place = self.place + ahead
        return self.items[place] if place < len(self.items) else None

    def either(self) -> bool:
        result = self.both()
        while self.peek() == "||":
            self.place += 1
            result = self.both() or result
        return result

    def both(self) -> bool:
        result = self.primary()
        while self.peek() == "&&":
            self.place += 1
            result = self.primary() and result
        return result

    def primary(self) -> bool:
        first = self.peek()
        self.place += 1
        if first == "!":
            return not self.primary()
        if first == "(":
            result = self.either()
            self.place += 1
            return result
        operator = self.peek()
        if isinstance(first, str) and first.startswith("-") and operator not in (None, "&&", "||", ")"):
            self.place += 1
            return UNARY[first](self.shell.files, self.text(operator))
        if isinstance(operator, str) and (operator in BINARY or operator == "=~"):
            right = self.peek(1)
            self.place += 2
            return self.binary(self.text(first), operator, right)
        return self.text(first) != ""

    def text(self, item: Any) -> str:
        return item if isinstance(item, str) else "" if item is None else expand.text(self.shell, item)

    def binary(self, left: str, operator: str, right: Any) -> bool:
        if operator in ("=", "==", "!="):
            pattern = patterns.escape(right) if isinstance(right, str) else expand.pattern(self.shell, right)
            return patterns.matches(pattern, left) is (operator != "!=")
        if operator == "=~":
            return guarded(re.compile(self.text(right)), self.shell.process.tick).search(left) is not None
        return BINARY[operator](self.shell.files, left, self.text(right))
