"""Variables, quotes and escapes in the words of a Dockerfile.

The rules are those of moby/buildkit frontend/dockerfile/shell/lex.go: $x, ${x}, ${x:-y}, ${x:+y}, ${x:?y} (each also
without the colon), ${x#p}, ${x##p}, ${x%p}, ${x%%p}, ${x/p/r}, ${x//p/r}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from labkit.kernel import limits
from labkit.kernel.golang import quote
from labkit.kernel.guarded import Searchable, guarded

_NAME = re.compile(r"\d+|[@*#?$!-]|\w*")
_BLANK = re.compile(r"\s")
_END = ""  # what peeking after the last character gives


class ExpandError(ValueError):
    """Words that cannot be expanded."""


@dataclass
class Expansion:
    """The result, whole and split at unquoted blanks, and the variables it looked at."""

    text: str = ""
    words: list[str] = field(default_factory=list)
    matched: dict[str, None] = field(default_factory=dict)
    unmatched: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class Lexer:
    """How words are read. `keep_*`: quotes, escapes and unset variables stay in the result as they are written."""

    escape: str = "\\"
    keep_quotes: bool = False
    keep_escapes: bool = False
    keep_unset: bool = False
    quotes: bool = True  # whether quotes mean anything

    def expand(self, text: str, env: Mapping[str, str]) -> Expansion:
        """Expand. Raises ExpandError."""
        if "$" not in text and "'" not in text and '"' not in text and self.escape not in text:
            return Expansion(text, text.split())
        reader = _WordReader(self, text, env)
        try:
            reader.out.text, reader.out.words = reader.until(_END, self.keep_escapes)
        except ExpandError as error:
            raise ExpandError(f"failed to process {quote(text)}: {error}") from None
        limits.tick(len(text) + len(reader.out.text) >> 4)
        return reader.out


class _Words:
    """Splits at blanks what is not quoted."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.word = ""

    def add(self, text: str, quoted: bool) -> None:
        if quoted:
            self.word += text
            return
        first, *others = _BLANK.split(text)
        self.word += first
        for other in others:
            self.finish()
            self.word = other

    def finish(self) -> list[str]:
        if self.word:
            self.words.append(self.word)
        self.word = ""
        return self.words


class _WordReader:
    def __init__(self, lexer: Lexer, text: str, env: Mapping[str, str]) -> None:
        self.lexer = lexer
        self.text = text
        self.env = env
        self.place = 0
        self.keep_escapes = lexer.keep_escapes
        self.out = Expansion()

    def peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def next(self) -> str:
        character = self.text[self.place : self.place + 1]
        self.place += len(character)
        return character

    def until(self, stop: str, keep_escapes: bool) -> tuple[str, list[str]]:
        """Everything up to an unquoted `stop`, which is passed over."""
        before, self.keep_escapes = self.keep_escapes, keep_escapes
        try:
            return self._until(stop)
        finally:
            self.keep_escapes = before

    def _until(self, stop: str) -> tuple[str, list[str]]:
        result = ""
        words = _Words()
        special = {"$": self._dollar} | ({"'": self._single, '"': self._double} if self.lexer.quotes else {})
        while character := self.peek():
            if character == stop:
                self.next()
                return result, words.finish()
            if character in special:
                piece = special[character]()
                words.add(piece, quoted=character != "$")
            else:
                piece = self._plain(words)
            result += piece
            if len(piece) > 1:
                limits.hold(len(result), "a word of the Dockerfile")
        if stop != _END:
            raise ExpandError(f"unexpected end of statement while looking for matching {stop}")
        return result, words.finish()

    def _plain(self, words: _Words) -> str:
        character = self.next()
        if character != self.lexer.escape:
            words.add(character, quoted=False)
            return character
        piece = (character if self.keep_escapes else "") + self.next()
        words.add(piece, quoted=True)
        return piece

    def _single(self) -> str:
        self.next()
        end = self.text.find("'", self.place)
        if end < 0:
            raise ExpandError("unexpected end of statement while looking for matching single-quote")
        inner = self.text[self.place : end]
        self.place = end + 1
        return f"'{inner}'" if self.lexer.keep_quotes else inner

    def _double(self) -> str:
        self.next()
        result = ""
        while (character := self.peek()) != '"':
            if character == _END:
                raise ExpandError("unexpected end of statement while looking for matching double-quote")
            piece = self._dollar() if character == "$" else self._in_double()
            result += piece
            if len(piece) > 1:
                limits.hold(len(result), "a word of the Dockerfile")
        self.next()
        return f'"{result}"' if self.lexer.keep_quotes else result

    def _in_double(self) -> str:
        character = self.next()
        if character != self.lexer.escape:
            return character
        kept = character if self.keep_escapes else ""
        if self.peek() == _END:
            return kept
        if self.peek() in ('"', "$", self.lexer.escape):
            character = self.next()
        return kept + character

    def _dollar(self) -> str:
        self.next()
        if self.peek() != "{":
            name = self._name()
            if not name:
                return "$"
            value = self._value(name)
            return f"${name}" if value is None and self.lexer.keep_unset else value or ""
        self.next()
        if self.peek() == _END:
            raise ExpandError("syntax error: missing '}'")
        if self.peek() in "{}:":
            raise ExpandError("syntax error: bad substitution")
        return self._braced(self._name())

    def _braced(self, name: str) -> str:
        sign = self.next() or "\ufffd"  # Go prints the end of the text so
        if sign == "}":
            value = self._value(name)
            return f"${{{name}}}" if value is None and self.lexer.keep_unset else value or ""
        if sign == "/":
            return self._replace(name)
        colon = sign == ":"
        if colon:
            sign = self.next()
        written = ":" + sign if colon else sign
        if not colon and sign not in ("+", "-", "?", "#", "%"):
            raise ExpandError(f"unsupported modifier ({written}) in substitution")
        word = self._operand("}", keep_escapes=sign in ("#", "%"))
        value = self._value(name)
        if value is None and self.lexer.keep_unset:
            return f"${{{name}{written}{word}}}"
        return _modified(name, value, written, word)

    def _operand(self, stop: str, *, keep_escapes: bool, missing: str = "syntax error: missing '}'") -> str:
        try:
            return self.until(stop, keep_escapes)[0]
        except ExpandError:
            if self.peek() == _END:
                raise ExpandError(missing) from None
            raise

    def _replace(self, name: str) -> str:
        everywhere = self.peek() == "/"
        if everywhere:
            self.next()
        pattern = self._operand("/", keep_escapes=True, missing="syntax error: missing '/' in ${}")
        replacement = self._operand("}", keep_escapes=True)
        value = self._value(name)
        if value is None and self.lexer.keep_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        matcher = _matcher(pattern, pattern, greedy=True, anchored=False)
        return _replaced(matcher, replacement, value or "", everywhere)

    def _name(self) -> str:
        match = _NAME.match(self.text, self.place)
        name = match[0] if match else ""
        self.place += len(name)
        return name

    def _value(self, name: str) -> str | None:
        found = self.env.get(name)
        (self.out.unmatched if found is None else self.out.matched)[name] = None
        return found


def _replaced(matcher: Searchable, by: str, text: str, everywhere: bool) -> str:
    out, end, size = list[str](), 0, len(text)
    for match in matcher.finditer(text):
        size += len(by)
        limits.hold(size, "a word of the Dockerfile")
        out += [text[end : match.start()], by]
        end = match.end()
        if not everywhere:
            break
    return "".join([*out, text[end:]])


def _modified(name: str, value: str | None, sign: str, word: str) -> str:
    kind = sign[-1:]
    absent = value is None or (sign[0] == ":" and not value)
    if kind == "-":
        return word if absent else value or ""
    if kind == "+":
        return "" if absent else word
    if kind == "?":
        if absent:
            raise ExpandError(f"{name}: {word or 'is not allowed to be ' + ('unset' if value is None else 'empty')}")
        return value or ""
    if kind in ("#", "%"):
        return _trimmed(value or "", kind, word)
    raise ExpandError(f"unsupported modifier ({sign}) in substitution")


def _trimmed(value: str, kind: str, pattern: str) -> str:
    """${x#p} and ${x%p}; with the sign doubled, the longest match."""
    greedy = pattern.startswith(kind)
    pattern = pattern[1:] if greedy else pattern
    if kind == "#":
        match = _matcher(pattern, pattern, greedy=greedy, anchored=True).search(value)
        return value[match.end() :] if match else value
    match = _matcher(_reversed(pattern), pattern, greedy=greedy, anchored=True).search(value[::-1])
    return value[: len(value) - match.end()] if match else value


def _reversed(pattern: str) -> str:
    """Backwards, but an escape stays before what it escapes."""
    pieces = re.findall(r"\\.|.", pattern, re.S)
    return "".join(reversed(pieces))


def _matcher(pattern: str, shown: str, *, greedy: bool, anchored: bool) -> Searchable:
    """A shell pattern of * and ? as a regular expression."""
    wild = {"*": ".*" if greedy else ".*?", "?": "."}
    out = "^" if anchored else ""
    for piece in re.findall(r"\\.?|.", pattern, re.S):
        if piece[0] == "\\" and piece[1:] not in ("}", "/", "*", "?", "\\"):
            raise ExpandError(f"invalid pattern ({shown}) in substitution: invalid escape '{piece}'")
        out += wild.get(piece) or re.escape(piece[-1])
    return guarded(re.compile(out), limits.tick)
