"""Word expansion: tilde, parameters, commands, arithmetic, field splitting, pathnames, quote removal.

POSIX, Shell Command Language, 2.6. The tree keeps which text was quoted, so that nothing has to be removed afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from labkit.kernel import limits
from labkit.shell import arithmetic
from labkit.shell.boundaries import capture
from labkit.shell.parameters import Numbers, parameter
from labkit.shell.running import LONGEST, Shell, too_long
from labkit.shell.tree import (
    Arithmetic,
    BadParameter,
    Literal,
    Parameter,
    Part,
    Substitution,
    Word,
    may_match,
)
from labkit.shell.tree import word as make_word
from labkit.userland import patterns

_TILDE = re.compile(r"~([A-Za-z0-9_.-]*)(?=/|\Z)")
_TILDE_IN_VALUE = re.compile(r"(?:(?<=:)|\A)~([A-Za-z0-9_.-]*)(?=[/:]|\Z)")
_NUMBER = re.compile(r"[+-]?[0-9]+\Z")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


_MOST = 2_000_000  # pieces of what braces give
_FIELD = 128  # that a field counts beside its characters


@lru_cache(maxsize=64)
def _among(separators: str) -> Callable[[str], re.Match[str] | None]:
    """Finds the first separator in a text."""
    return re.compile(f"[{re.escape(separators)}]" if separators else r"(?!)").search


class _Fields:
    """Fields in the making. A field is a list of pieces of text, each with whether it was quoted."""

    __slots__ = ("current", "done", "separators", "size", "white")

    def __init__(self, separators: str) -> None:
        self.size = 0
        self.done: list[list[tuple[str, bool]]] = []
        self.current: list[tuple[str, bool]] | None = None
        self.separators = separators
        self.white = False  # white space has just ended a field: a separator after it belongs to it

    def add(self, text: str, quoted: bool) -> None:
        if self.current is None:
            if not text and not quoted:
                return
            self.current = []
        self.white = False
        self.current.append((text, quoted))
        self.size += len(text) + _FIELD
        if self.size > LONGEST:
            raise too_long()

    def end_field(self) -> None:
        if self.current is not None:
            self.done.append(self.current)
            self.current = None

    def split(self, text: str) -> None:
        """Text that an unquoted expansion gave."""
        separators = self.separators
        if not _among(separators)(text):
            self.add(text, False)
            return
        start = 0
        for place, char in enumerate(text):
            if char not in separators:
                continue
            if place > start:
                self.add(text[start:place], False)
            start = place + 1
            self._separate(char)
        if start < len(text):
            self.add(text[start:], False)

    def _separate(self, char: str) -> None:
        if char in " \t\n":
            if self.current is not None:
                self.end_field()
                self.white = True
        elif self.white:
            self.white = False
        else:
            self.done.append(self.current or [])
            self.current = None

    def values(self, items: list[str], quoted: bool) -> None:
        """`$@` or an unquoted `$*`: each item begins a field of its own."""
        for index, item in enumerate(items):
            if index:
                self.end_field()
            if quoted:
                self.add(item, True)
            else:
                self.split(item)


class _Joined(_Fields):
    """One field, whatever comes: for assignments, redirections, the word of a case. `separators` joins `$*`."""

    __slots__ = ()

    def split(self, text: str) -> None:
        self.add(text, False)

    def values(self, items: list[str], quoted: bool) -> None:
        self.add(self.separators[:1].join(items), quoted)


# -- what the interpreter calls


def fields(shell: Shell, words: tuple[Word, ...]) -> list[str]:
    """The words as arguments."""
    result: list[str] = []
    size = 0
    assigning = False
    for word in words:
        if result and result[0] in _MAY_ASSIGN:
            assigning = assigning or _assigns(shell, result, words)
        if word.plain is not None and not (shell.braces and "{" in word.plain):
            result.append(word.plain)
        elif assigning and (value := _assigned(shell, word)) is not None:
            result.append(value)
        else:
            size += _expand_word(shell, word, result)
            if size > 1024:
                _pay(shell, size)
    return result


_MAY_ASSIGN = frozenset(("command", "export", "readonly", "local", "declare", "typeset"))


def _assigns(shell: Shell, result: list[str], words: tuple[Word, ...]) -> bool:
    """Whether what follows is for a builtin that assigns; bash asks how it is written, the others what it is."""
    *before, name = result
    may = name in _MAY_ASSIGN - {"command"} and not set(before) - {"command"}
    return may and (not shell.braces or words[len(result) - 1].plain == name)


def _assigned(shell: Shell, word: Word) -> str | None:
    """A word that is an assignment is expanded as one is; None where it is none."""
    first = word.parts[0] if word.parts else None
    if type(first) is not Literal or first.quoted or not (found := _ASSIGNMENT.match(first.text)):
        return None
    rest = first.text[found.end() :]
    value = make_word([*([Literal(rest)] if rest else []), *word.parts[1:]])
    return found.group() + text(shell, value, value=True)


def _pay(shell: Shell, size: int) -> None:
    if size > LONGEST:
        raise too_long()
    shell.process.tick(size >> 10)


def text(shell: Shell, word: Word, *, value: bool = False) -> str:
    """The word as one string, not split, no pathnames; `value`: it is assigned, so tildes after colons count."""
    if word.plain is not None:
        return word.plain
    if len(word.parts) == 1 and (alone := _alone(shell, word.parts[0])) is not None:
        return alone
    return "".join(piece for piece, _ in _pieces(shell, word, value=value))


def pattern(shell: Shell, word: Word) -> str:
    """The word as a pattern, what was quoted in it escaped."""
    return "".join(patterns.escape(piece) if quoted else piece for piece, quoted in _pieces(shell, word))


def matches(shell: Shell, word: Word, value: str) -> bool:
    """Whether the word as a pattern is that of the value: of its bytes, but in bash of its characters."""
    if shell.braces or value.isascii():
        return patterns.matches(pattern(shell, word), value)
    return patterns.matches(patterns.by_bytes(pattern(shell, word)), patterns.by_bytes(value))


def calculate(shell: Shell, word: Word) -> int:
    """The word as an arithmetic expression."""
    source = text(shell, word)
    if _NUMBER.match(source) and (number := arithmetic.number_of(source)) is not None:
        return number
    try:
        return arithmetic.evaluate(source, Numbers(shell), steps=shell.dialect.level > 0)
    except arithmetic.CalculationError as error:
        token = error.text.strip()[-1:]
        raise shell.error(error.kind, error.text, token) from None


# -- words


def _expand_word(shell: Shell, word: Word, result: list[str]) -> int:
    """Add the word's fields to the result; their size."""
    choices = _braces(word) if shell.braces else []
    if len(choices) > 1:
        shell.process.tick(len(choices))
        return sum(_expand_word(shell, choice, result) for choice in choices)
    parts = word.parts
    out = _Fields(shell.separators())
    if len(parts) == 1 and (alone := _alone(shell, parts[0])) is not None:
        _put(alone, parts[0].quoted, out)
        if out.current and (parts[0].quoted or not (out.done or may_match(alone))):
            result.append(alone)
            return out.size
        parts = ()
    for index, part in enumerate(parts):
        if index == 0 and type(part) is Literal and not part.quoted and part.text[:1] == "~":
            _tilde(shell, part.text, len(parts) == 1, out)
        else:
            _part(shell, part, out, False)
    out.end_field()
    for field in out.done:
        if may_match("".join(piece for piece, quoted in field if not quoted)) and "f" not in shell.env.options:
            found_paths = patterns.paths(
                shell.files,
                "".join(patterns.escape(piece) if quoted else piece for piece, quoted in field),
                shell.process.tick,
            )
            if found_paths:
                result.extend(found_paths)
                continue
        result.append("".join(piece for piece, _ in field))
    return out.size


def _pieces(shell: Shell, word: Word, *, value: bool = False) -> list[tuple[str, bool]]:
    out = _Joined(shell.separators())
    for index, part in enumerate(word.parts):
        if type(part) is Literal and not part.quoted and "~" in part.text and (value or index == 0):
            if value:
                for piece in _tildes(shell, part.text, index == 0, len(word.parts) == 1):
                    out.add(*piece)
            else:
                _tilde(shell, part.text, len(word.parts) == 1, out)
        else:
            _part(shell, part, out, False)
    return out.current or []


def _part(shell: Shell, part: Part, out: _Fields, inside: bool) -> None:
    """One part; `inside` the braces of a parameter, where unquoted text is split as well."""
    kind = type(part)
    if kind is Literal:
        if inside and not part.quoted:
            out.split(part.text)  # type: ignore[union-attr]
        else:
            out.add(part.text, part.quoted)  # type: ignore[union-attr]
    elif kind is Parameter:
        _parameter(shell, part, out)  # type: ignore[arg-type]
    elif kind is Substitution:
        _put(capture(shell, part.body), part.quoted, out)  # type: ignore[union-attr]
    elif kind is Arithmetic:
        _put(str(calculate(shell, part.word)), part.quoted, out)  # type: ignore[union-attr,arg-type]
    elif kind is BadParameter:
        raise shell.error("bad substitution", part.text)  # type: ignore[union-attr]


def _alone(shell: Shell, part: Part) -> str | None:
    """The value of a part that gives one: a parameter that is set, with no operator, or a number."""
    if type(part) is Parameter:
        return None if part.operator or part.name in "@*" else parameter(shell, part.name)
    if type(part) is Arithmetic:
        return str(calculate(shell, part.word))
    return None


def _put(value: str, quoted: bool, out: _Fields) -> None:
    if quoted:
        out.add(value, True)
    else:
        out.split(value)


# -- tildes and braces


def _tilde(shell: Shell, literal: str, alone: bool, out: _Fields) -> None:
    """Text that begins with a tilde; `alone`: no other part follows that could belong to the name."""
    found = _TILDE.match(literal)
    home = _home(shell, found.group(1)) if found and (alone or found.end() < len(literal)) else None
    if found and home is not None:
        out.add(home, True)
        literal = literal[found.end() :]
    out.add(literal, False)


def _tildes(shell: Shell, literal: str, first: bool, alone: bool) -> list[tuple[str, bool]]:
    def replace(found: re.Match[str]) -> str:
        if (not first and found.start() == 0) or (not alone and found.end() == len(literal)):
            return found.group()
        home = _home(shell, found.group(1))
        return found.group() if home is None else home

    return [(_TILDE_IN_VALUE.sub(replace, literal), False)]


def _home(shell: Shell, name: str) -> str | None:
    if not name:
        return shell.get("HOME")
    try:
        lines = shell.files.read("/etc/passwd").decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    entries = (line.split(":") for line in lines)
    return next((entry[5] for entry in entries if entry[0] == name and len(entry) > 5), None)


def _braces(word: Word) -> list[Word]:
    """`a{b,c}d` or `{1..3}` as words of their own (bash); none where there is no such thing in the word."""
    items = [item for part in word.parts for item in _characters(part)]
    return [make_word(choice) for choice in _alternatives(items)] if "{" in items else []


def _characters(part: Part) -> list[Part | str]:
    """Unquoted text as characters, all else as it is."""
    return list(part.text) if isinstance(part, Literal) and not part.quoted else [part]


def _alternatives(items: list[Part | str]) -> list[list[Part]]:
    for start, item in enumerate(items):
        if item == "{" and (found := _group(items, start)):
            choices, end = found
            tails = _alternatives(items[end:])
            heads = [_parts(items[:start]) + middle for choice in choices for middle in _alternatives(choice)]
            if len(heads) * len(tails) * len(items) > _MOST:
                raise too_long()
            return [head + tail for head in heads for tail in tails]
    return [_parts(items)]


def _group(items: list[Part | str], start: int) -> tuple[list[list[Part | str]], int] | None:
    """The choices of the braces that open at `start`, and where what follows them begins; None: they are just text."""
    depth = 0
    choices: list[list[Part | str]] = [[]]
    for place in range(start + 1, len(items)):
        item = items[place]
        if item == "}" and depth == 0:
            if len(choices) > 1:
                return choices, place + 1
            texts = _choices("".join(str(piece) for piece in choices[0]))
            return ([list(text) for text in texts], place + 1) if texts else None
        if item == "," and depth == 0:
            choices.append([])
            continue
        depth += (item == "{") - (item == "}")
        choices[-1].append(item)
    return None


def _parts(items: list[Part | str]) -> list[Part]:
    return [Literal(item) if isinstance(item, str) else item for item in items]


def _choices(inner: str) -> list[str]:
    found = re.fullmatch(r"(-?\d+)\.\.(-?\d+)", inner)
    if found:
        first, last = int(found.group(1)), int(found.group(2))
        if abs(last - first) > _MOST:
            raise too_long()
        step = 1 if last >= first else -1
        width = max(len(group) for group in found.groups()) if re.search(r"\b0\d", inner) else 0
        limits.hold(width * (abs(last - first) + 1), "brace expansion")
        return [str(number).zfill(width) for number in range(first, last + step, step)]
    found = re.fullmatch(r"([a-zA-Z])\.\.([a-zA-Z])", inner)
    if found:
        first, last = ord(found.group(1)), ord(found.group(2))
        step = 1 if last >= first else -1
        return [chr(number) for number in range(first, last + step, step)]
    return []


# -- parameters


def _parameter(shell: Shell, part: Parameter, out: _Fields) -> None:
    name, operator = part.name, part.operator
    if name in "@*" and operator in ("", ":-", "-", ":+", "+") and _many(shell, part, out):
        return
    value = parameter(shell, name)
    if not operator:
        if value is None:
            value = _unset(shell, name)
        _put(value, part.quoted, out)
    elif operator[-1] in "-=?+" and operator != "length":
        _default(shell, part, value, out)
    else:
        if value is None:
            value = _unset(shell, name)
        _put(_changed(shell, part, value), part.quoted, out)


def _unset(shell: Shell, name: str) -> str:
    if "u" in shell.env.options and name not in "@*":
        raise shell.error("unset", name, status=_unset_status(shell))
    return ""


def _unset_status(shell: Shell) -> int | None:
    return 127 if shell.dialect.name == "bash" and shell.command_text else None


def _many(shell: Shell, part: Parameter, out: _Fields) -> bool:
    """`$@` and `$*`; False where the operator's word is to be used."""
    items = shell.arguments
    there = bool(items) and (part.operator[:1] != ":" or any(items))
    if part.operator[-1:] == "+":
        if there and part.word:
            _word_inside(shell, part.word, out)
        return True
    if not there and part.operator:
        return False
    if part.name == "*" and part.quoted:
        separators = shell.get("IFS")
        out.add((" " if separators is None else separators[:1]).join(items), True)
    elif part.quoted:
        out.values(items, True)
    else:
        out.values(items, False)
    return True


def _word_inside(shell: Shell, word: Word, out: _Fields) -> None:
    for index, part in enumerate(word.parts):
        if index == 0 and type(part) is Literal and not part.quoted and part.text[:1] == "~":
            _tilde(shell, part.text, len(word.parts) == 1, out)
        else:
            _part(shell, part, out, True)


def _default(shell: Shell, part: Parameter, value: str | None, out: _Fields) -> None:
    operator = part.operator
    missing = value is None or (operator[0] == ":" and not value)
    action = operator[-1]
    word = part.word
    assert word is not None
    if part.quoted and action in "+-":
        out.add("", True)
    if action == "+":
        if not missing:
            _word_inside(shell, word, out)
    elif not missing:
        _put(value or "", part.quoted, out)
    elif action == "-":
        _word_inside(shell, word, out)
    elif action == "=":
        new = text(shell, word)
        shell.assign(part.name, new)
        _put(new, part.quoted, out)
    else:
        said = text(shell, word)
        key = "own" if said else "null" if operator[0] == ":" else "not set"
        raise shell.error(key, part.name, said, status=_unset_status(shell))


def _changed(shell: Shell, part: Parameter, value: str) -> str:
    operator, word = part.operator, part.word
    if operator == "length":
        if part.name in "@*":
            return str(len(shell.arguments))
        return str(len(value) if value.isascii() else len(value.encode("utf-8", "surrogateescape")))
    assert word is not None
    if operator[0] in "#%":
        cut = patterns.without_prefix if operator[0] == "#" else patterns.without_suffix
        longest = len(operator) == 2
        if shell.braces or value.isascii():
            return cut(value, pattern(shell, word), longest=longest)
        left = cut(patterns.by_bytes(value), patterns.by_bytes(pattern(shell, word)), longest=longest)
        return left.encode("latin-1").decode("utf-8", "surrogateescape")
    if operator[0] == "/":
        by = text(shell, part.second) if part.second else ""
        return patterns.replaced(value, pattern(shell, word), by, everywhere=len(operator) == 2)
    return _substring(shell, part, value)


def _substring(shell: Shell, part: Parameter, value: str) -> str:
    assert part.word is not None
    start = calculate(shell, part.word)
    if start < 0:
        start = max(0, len(value) + start)
    if part.second is None:
        return value[start:]
    length = calculate(shell, part.second)
    return value[start : start + length] if length >= 0 else value[start:length]
