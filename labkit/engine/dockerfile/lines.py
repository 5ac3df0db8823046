"""From the bytes of a Dockerfile to its instructions: directives, comments, continuation lines, heredocs, flags.

The rules are those of moby/buildkit frontend/dockerfile/parser, and of bflag.go in frontend/dockerfile/instructions
for the flags and the number of arguments. What the words of an instruction mean is parser.py's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from labkit.engine.dockerfile.diagnostics import NOWHERE, DockerfileError, Lines, did_you_mean
from labkit.engine.dockerfile.expand import ExpandError, Lexer
from labkit.kernel.golang import quote

_BLANKS = re.compile(r"[\t\v\f\r ]+")
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_DIRECTIVES = ("syntax", "escape", "check")
_HEREDOC = re.compile(r"^(\d*)<<(-?)([^<]*)$")
_WITH_HEREDOC = ("add", "copy", "run")
NOT_STRINGS = "when using JSON array syntax, arrays must be comprised of strings only"


@dataclass(frozen=True)
class Heredoc:
    name: str
    expand: bool
    chomp: bool  # <<-: leading tabs do not count
    content: str = ""

    @property
    def text(self) -> str:
        return chomped(self.content) if self.chomp else self.content


@dataclass
class ParsedLine:
    """One instruction as it is written. ENV's and LABEL's arguments come in threes: name, value, "=" or ""."""

    keyword: str
    original: str
    flags: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    is_json: bool = False
    child: ParsedLine | None = None  # what ONBUILD is about
    heredocs: list[Heredoc] = field(default_factory=list)
    place: Lines = NOWHERE


@dataclass
class Dockerfile:
    nodes: list[ParsedLine]
    escape: str
    check: str  # the value of the `check` directive
    empty_continuations: list[Lines]


def read_dockerfile(text: str) -> Dockerfile:
    """The instructions of a Dockerfile. Raises DockerfileError."""
    return _LineReader(text).read()


def parse_heredoc(word: str) -> Heredoc | None:
    """What `<<EOF` announces; None where the word is none."""
    match = _HEREDOC.match(word)
    if not match or not match[3]:
        return None
    plain = Lexer(keep_unset=True).expand(match[3], {}).words
    if len(plain) != 1:
        return None
    raw = Lexer(keep_unset=True, keep_quotes=True).expand(match[3], {}).words
    return Heredoc(plain[0], expand=_quotes(plain[0]) == _quotes(raw[0]), chomp=bool(match[2]))


def chomped(text: str) -> str:
    return re.sub(r"(?m)^\t+", "", text)


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')


class _LineReader:
    def __init__(self, text: str) -> None:
        self.lines = _split(text)
        self.place = 0  # lines read so far
        self.directives: dict[str, str] | None = {}
        self.check = ""
        self.set_escape("\\")

    def set_escape(self, token: str) -> None:
        self.escape = token
        self.continuation = re.compile(rf"([^{re.escape(token)}]){re.escape(token)}[ \t]*$|^{re.escape(token)}[ \t]*$")

    def read(self) -> Dockerfile:
        nodes = []
        empty = []
        while self.place < len(self.lines):
            line = self._line(strip=True)
            start = self.place
            line, ended = self._continued(line)
            if ended and not line:
                continue
            line, has_empty = self._rest(line, ended)
            if has_empty:
                empty.append(Lines(self.place, self.place))
            nodes.append(self._node(line, start))
        if not nodes:
            raise DockerfileError("file with no instructions", Lines(self.place, 0))
        return Dockerfile(nodes, self.escape, self.check, empty)

    def _line(self, *, strip: bool) -> str:
        """The next line without its end; a comment becomes empty."""
        line = self.lines[self.place].rstrip("\r\n")
        line = line.lstrip() if strip else line
        try:
            self._directive(line)
        except ValueError as error:
            raise DockerfileError(str(error), Lines(self.place, 0)) from None
        self.place += 1
        return "" if line.lstrip().startswith("#") else line

    def _rest(self, line: str, ended: bool) -> tuple[str, bool]:
        """The line with those that continue it, and whether an empty one was among them."""
        has_empty = False
        while not ended and self.place < len(self.lines):
            comment = self.lines[self.place].lstrip().startswith("#")
            more = self._line(strip=False)
            if comment:
                continue
            if not more.strip():
                has_empty = True
                continue
            more, ended = self._continued(more)
            line += more
        return line, has_empty

    def _continued(self, line: str) -> tuple[str, bool]:
        """Without the continuation mark, and whether there was none."""
        if not self.continuation.search(line):
            return line, True
        return self.continuation.sub(lambda match: match[1] or "", line), False

    def _directive(self, line: str) -> None:
        if self.directives is None:
            return
        match = _DIRECTIVE.match(line)
        name = match[1].lower() if match else ""
        if not match or name not in _DIRECTIVES:
            self.directives = None
            return
        if name in self.directives:
            raise ValueError(f"only one {name} parser directive can be used")
        self.directives[name] = match[2]
        if name == "check":
            self.check = match[2]
        if name == "escape":
            if match[2] not in ("`", "\\"):
                raise ValueError(f"invalid escape token '{match[2]}' does not match ` or \\")
            self.set_escape(match[2])

    def _node(self, line: str, start: int) -> ParsedLine:
        try:
            node = parse_node(line, self.escape)
            if "<<" in line and _may_have_heredocs(node):
                node.heredocs = [self._heredoc(heredoc) for heredoc in _heredocs(line)]
        except ValueError as error:
            raise DockerfileError(str(error), Lines(start, self.place)) from None
        node.place = Lines(start, self.place)
        return node

    def _heredoc(self, heredoc: Heredoc) -> Heredoc:
        content = ""
        while self.place < len(self.lines):
            line = self.lines[self.place]
            self.place += 1
            bare = line.rstrip("\r\n")
            if (bare.lstrip("\t") if heredoc.chomp else bare) == heredoc.name:
                return Heredoc(heredoc.name, heredoc.expand, heredoc.chomp, content)
            content += line
        raise ValueError("unterminated heredoc")


def _split(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text.removeprefix("\ufeff"))


def _may_have_heredocs(node: ParsedLine) -> bool:
    inner = node.child if node.keyword.lower() == "onbuild" and node.child else node
    return inner.keyword.lower() in _WITH_HEREDOC and not inner.is_json


def _heredocs(line: str) -> list[Heredoc]:
    try:
        words = Lexer(keep_quotes=True, keep_escapes=True, keep_unset=True).expand(line, {}).words
    except ExpandError:
        return []
    return [heredoc for word in words if (heredoc := parse_heredoc(word))]


def parse_node(line: str, escape: str) -> ParsedLine:
    """One whole instruction. Raises ValueError."""
    keyword, *rest = _BLANKS.split(line.strip(), maxsplit=1)
    flags, arguments = _flags(rest[0]) if rest else ([], "")
    node = ParsedLine(keyword, line, flags)
    parse = _ARGUMENTS.get(keyword.lower())
    if parse:
        parse(node, arguments.strip(), escape)
    return node


def _flags(text: str) -> tuple[list[str], str]:
    """The words at the start that begin with --, without their quotes, and what follows them."""
    flags: list[str] = []
    place = 0
    while True:
        while place < len(text) and text[place].isspace():
            place += 1
        if not text.startswith("--", place):
            return flags, text[place:]
        word, place = _flag(text, place)
        if word == "--":
            return flags, text[place:]
        flags.append(word)


def _flag(text: str, place: int) -> tuple[str, int]:
    word = ""
    quote = ""
    while place < len(text) and (quote or not text[place].isspace()):
        character = text[place]
        if character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        elif character == "\\":
            place += 1
            word += text[place : place + 1]
        else:
            word += character
        place += 1
    return word, place


def words_of(text: str, escape: str) -> list[str]:
    """Words at blanks, where quotes hold together and stay."""
    mark = re.escape(escape)
    return re.findall(rf"""(?:'[^']*'?|"(?:{mark}.|[^"{mark}])*"?|{mark}.|[^\s'"{mark}])+""", text, re.S)


def _pairs(node: ParsedLine, text: str, escape: str) -> None:
    words = words_of(text, escape)
    if not words:
        return
    if "=" not in words[0]:
        parts = _BLANKS.split(text, maxsplit=1)
        if len(parts) < 2:
            raise ValueError(f"{node.keyword.upper()} must have two arguments")
        node.arguments = [*parts, ""]
        return
    for word in words:
        if "=" not in word:
            raise ValueError(f"Syntax error - can't find = in {quote(word)}. Must be of the form: name=value")
        name, _, value = word.partition("=")
        node.arguments += [name, value, "="]


def _names(node: ParsedLine, text: str, escape: str) -> None:
    node.arguments = words_of(text, escape)


def _blank_separated(node: ParsedLine, text: str, escape: str) -> None:
    node.arguments = _BLANKS.split(text) if text else []


def _one(node: ParsedLine, text: str, escape: str) -> None:
    node.arguments = [text] if text else []


def _json(node: ParsedLine, text: str) -> bool:
    """Take a JSON array of strings; False where the text is no such array."""
    if not text.lstrip().startswith("["):
        return False
    try:
        words = json.loads(text)
    except ValueError:
        return False
    if not all(isinstance(word, str) for word in words):
        raise ValueError(NOT_STRINGS)
    node.arguments, node.is_json = words, True
    return True


def _maybe_json(node: ParsedLine, text: str, escape: str) -> None:
    if text and not _json(node, text):
        node.arguments = [text]


def _maybe_json_list(node: ParsedLine, text: str, escape: str) -> None:
    if not _json(node, text):
        _blank_separated(node, text, escape)


def _health(node: ParsedLine, text: str, escape: str) -> None:
    kind, *rest = text.split(None, 1)[:2] or [""]
    if not kind:
        return
    _maybe_json(node, rest[0] if rest else "", escape)
    node.arguments = [kind, *node.arguments]


def _sub(node: ParsedLine, text: str, escape: str) -> None:
    if text:
        node.child = parse_node(text, escape)


_ARGUMENTS: dict[str, Callable[[ParsedLine, str, str], None]] = {
    "add": _maybe_json_list,
    "arg": _names,
    "cmd": _maybe_json,
    "copy": _maybe_json_list,
    "entrypoint": _maybe_json,
    "env": _pairs,
    "expose": _blank_separated,
    "from": _blank_separated,
    "healthcheck": _health,
    "label": _pairs,
    "maintainer": _one,
    "onbuild": _sub,
    "run": _maybe_json,
    "shell": _maybe_json,
    "stopsignal": _one,
    "user": _one,
    "volume": _maybe_json_list,
    "workdir": _one,
}
KEYWORDS = tuple(_ARGUMENTS)


BOOL, TEXT, TEXTS = "bool", "text", "texts"
Flags = dict[str, list[str]]  # the values of each flag that is there; of one that is true or not, "true" or "false"


def parse_flags(node: ParsedLine, allowed: Mapping[str, str]) -> Flags:
    """The flags of an instruction by name; `allowed` tells each one's kind. Raises ValueError."""
    found: Flags = {}
    for flag in node.flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        kind = allowed.get(name)
        if kind is None:
            raise ValueError(did_you_mean(f"unknown flag: --{name}", name, allowed))
        if name in found and kind != TEXTS:
            raise ValueError(f"duplicate flag specified: {name}")
        if (kind == BOOL and equals and not value) or (kind != BOOL and not equals):
            raise ValueError(f"missing a value on flag: {name}")
        if kind == BOOL and value.lower() not in ("", "true", "false"):
            raise ValueError(f"expecting boolean value for flag {name}, not: {value}")
        found.setdefault(name, []).append((value.lower() or "true") if kind == BOOL else value)
    return found


def last(flags: Flags, name: str, default: str = "") -> str:
    return flags.get(name, [default])[-1]


def no_flags(node: ParsedLine) -> None:
    parse_flags(node, {})


def at_least_one(node: ParsedLine) -> None:
    if not node.arguments:
        raise ValueError(f"{node.keyword.upper()} requires at least one argument")


def exactly_one(node: ParsedLine) -> str:
    if len(node.arguments) != 1:
        raise ValueError(f"{node.keyword.upper()} requires exactly one argument")
    return node.arguments[0]
