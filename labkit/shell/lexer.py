"""From text to tokens: words with their quoting and expansions, operators, here-documents.

Where a word ends depends on what stands in it, so the lexer reads whole words and calls the parser for the program in
`$(…)`. POSIX, Shell Command Language, 2.3 Token Recognition.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from labkit.shell.tree import (
    Arithmetic,
    BadParameter,
    Document,
    Literal,
    Parameter,
    Part,
    Sequence,
    Substitution,
    Word,
    word,
)

EOF, NEWLINE, WORD, OPERATOR, NUMBER = "end of file", "newline", "word", "operator", "number"
OPERATORS = ("<<-", "&&", "||", ";;", "<<", ">>", "<&", ">&", "<>", ">|", "<", ">", "|", "&", ";", "(", ")")
EXTENDED_OPERATORS = ("&>", *OPERATORS)
BASH_OPERATORS = ("<<<", "&>>", ";&", *EXTENDED_OPERATORS)
REDIRECTIONS = frozenset(("<<<", "&>>", "&>", "<<-", "<<", ">>", "<&", ">&", "<>", ">|", "<", ">"))

_PLAIN = re.compile(r"""[^ \t\n;&|<>()\\'"$`]+""")
_PLAIN_IN_QUOTES = re.compile(r'[^\\"$`]+')
_PLAIN_IN_BRACES = re.compile(r"""[^\\'"$`}]+""")
_PLAIN_IN_QUOTED_BRACES = re.compile(r'[^\\"$`}]+')
_PLAIN_IN_ARITHMETIC = re.compile(r'[^\\"$`()]+')
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")
_SHORT_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_OPERATOR = re.compile(r":?[-=?+]|%%|##|[%#]")
_EXTENDED_OPERATOR = re.compile(r":?[-=?+]|%%|##|[%#]|//|/|:")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.S)


class ProgramError(Exception):
    """The text is no program. `found` and `expected` name tokens; `text` is a message of its own instead of them."""

    def __init__(
        self, line: int, found: str = "", expected: str = "", text: str = "", *, incomplete: bool = False
    ) -> None:
        super().__init__(line, found, expected, text)
        self.line = line
        self.found = found
        self.expected = expected
        self.text = text
        self.incomplete = incomplete  # more text could make it one


Aliases = tuple[tuple[str, str], ...]  # names and what they stand for, in the order in which they were made


class Spliced(NamedTuple):
    """The text of an alias within the program: as much of the program's text comes after it as `left` says."""

    name: str
    left: int
    goes_on: bool  # it ends with a blank: the word after it may be an alias too


@dataclass(slots=True)
class Token:
    kind: str
    value: str  # the operator, the digits, or the raw text of a word
    line: int
    word: Word | None = None


class Lexer:
    """Reads tokens from `text`; `level` is the dialect: 0 POSIX (dash), 1 busybox's extensions, 2 bash's."""

    def __init__(
        self, text: str, level: int, parse_body: Callable[[Lexer], Sequence], aliases: Aliases = (), line: int = 1
    ) -> None:
        self.text = text
        self.place = 0
        self.start = 0  # of the last token
        self.line = line
        self.aliases = dict(aliases)
        self.spliced: list[Spliced] = []
        self.level = level
        self.parse_body = parse_body
        self.operators = (OPERATORS, EXTENDED_OPERATORS, BASH_OPERATORS)[level]
        self.documents: list[Document] = []
        self.continued = False  # a backslash before the newline is all that ends the text
        self._ahead: Token | None = None

    # -- tokens

    def peek(self) -> Token:
        if self._ahead is None:
            self._ahead = self._read()
            if self.spliced:
                self._leave_aliases()
        return self._ahead

    def next(self) -> Token:
        token = self.peek()
        self._ahead = None
        return token

    def _read(self) -> Token:
        self._skip_blanks()
        text, place, line = self.text, self.place, self.line
        self.start = place
        if place >= len(text):
            self._read_documents()
            return Token(EOF, "", line)
        char = text[place]
        if char == "\n":
            self.place += 1
            self.line += 1
            self._read_documents()
            return Token(NEWLINE, "\n", line)
        if char in ";&|<>()":
            operator = next(op for op in self.operators if text.startswith(op, place))
            self.place += len(operator)
            return Token(OPERATOR, operator, line)
        parts = self._word_parts()
        raw = text[place : self.place]
        if (
            raw.isdigit()
            and raw.isascii()
            and (self.level or len(raw) == 1)
            and text[self.place : self.place + 1] in ("<", ">")
        ):
            return Token(NUMBER, raw, line)
        return Token(WORD, raw, line, word(parts))

    # -- aliases

    def expand_aliases(self) -> None:
        """The next word stands where an alias counts: its text takes its place, unless it comes of that text itself."""
        while (token := self.peek()).kind == WORD and (value := self.aliases.get(token.value)) is not None:
            if any(item.name == token.value for item in self.spliced):
                return
            after = len(self.text) - self.place
            self.text = self.text[: self.start] + value + self.text[self.place :]
            self.place, self._ahead = self.start, None
            self.spliced.append(Spliced(token.value, after, value[-1:] in (" ", "\t")))

    @property
    def inside_alias(self) -> bool:
        return any(len(self.text) - self.place > item.left for item in self.spliced)

    def _leave_aliases(self) -> None:
        """The next word may be the first one after the text of an alias."""
        left = len(self.text) - self.start
        goes_on = any(item.goes_on for item in self.spliced if left <= item.left)
        self.spliced = [item for item in self.spliced if left > item.left]
        if goes_on:
            self.expand_aliases()

    def _skip_blanks(self) -> None:
        text = self.text
        while self.place < len(text):
            char = text[self.place]
            if char in " \t":
                self.place += 1
            elif char == "#":
                end = text.find("\n", self.place)
                self.place = len(text) if end < 0 else end
            elif char == "\\" and text.startswith("\\\n", self.place):
                self.place += 2
                self._next_line()
            else:
                return

    def _problem(self, found: str, expected: str = "", text: str = "", *, incomplete: bool = True) -> ProgramError:
        return ProgramError(self.line, found, expected, text, incomplete=incomplete)

    def _unterminated(self, quote: str) -> ProgramError:
        return self._problem(quote, text="Unterminated quoted string")

    # -- words

    def _word_parts(self) -> list[Part]:
        parts: list[Part] = []
        text = self.text
        while self.place < len(text):
            char = text[self.place]
            if char in " \t\n;&|<>()":
                break
            if not self._quoted_or_expansion(char, parts):
                self._plain_run(_PLAIN, parts)
        return parts

    def _plain_run(self, pattern: re.Pattern[str], parts: list[Part], *, quoted: bool = False) -> None:
        found = pattern.match(self.text, self.place)
        run = found.group() if found else self.text[self.place]
        self.line += run.count("\n")
        self.place += len(run)
        parts.append(Literal(run, quoted))

    def _quoted_or_expansion(self, char: str, parts: list[Part]) -> bool:
        """Read what starts with one of the quoting characters, outside of double quotes."""
        if char == "\\":
            self._escaped(parts)
        elif char == "'":
            parts.append(Literal(self._single_quoted(), True))
        elif char == '"':
            self._double_quoted(parts)
        elif char == "$":
            self._dollar(parts, quoted=False)
        elif char == "`":
            self._backquoted(parts, quoted=False)
        else:
            return False
        return True

    def _escaped(self, parts: list[Part]) -> None:
        char = self.text[self.place + 1 : self.place + 2]
        self.place += 1 + len(char)
        if char == "\n":
            self._next_line()
        else:
            parts.append(Literal(char or "\\", True))

    def _next_line(self) -> None:
        """A backslash at the end of a line joins it to the next one, where there is one."""
        self.line += 1
        self.continued = self.place == len(self.text)

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.place + 1)
        if end < 0:
            raise self._unterminated("'")
        inner = self.text[self.place + 1 : end]
        self.place = end + 1
        self.line += inner.count("\n")
        return inner

    def _double_quoted(self, parts: list[Part]) -> None:
        self.place += 1
        before = len(parts)
        text = self.text
        while True:
            char = text[self.place : self.place + 1]
            if not char:
                raise self._unterminated('"')
            if char == '"':
                self.place += 1
                if len(parts) == before:
                    parts.append(Literal("", True))
                return
            if not self._expansion_in_quotes(char, parts, '$`"\\'):
                self._plain_run(_PLAIN_IN_QUOTES, parts, quoted=True)

    def _expansion_in_quotes(self, char: str, parts: list[Part], escapable: str) -> bool:
        if char == "\\":
            following = self.text[self.place + 1 : self.place + 2]
            self.place += 1 + len(following)
            self.line += following == "\n"
            if following and following in escapable:
                parts.append(Literal(following, True))
            elif following != "\n":
                parts.append(Literal("\\" + following, True))
        elif char == "$":
            self._dollar(parts, quoted=True)
        elif char == "`":
            self._backquoted(parts, quoted=True)
        else:
            return False
        return True

    # -- expansions

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
        text, place = self.text, self.place
        if text.startswith("$((", place) and self._arithmetic(parts, quoted):
            return
        if text.startswith("$(", place):
            self.place += 2
            parts.append(Substitution(self._program_in_parentheses(), quoted))
        elif text.startswith("${", place):
            self._braces(parts, quoted)
        elif found := _SHORT_PARAMETER.match(text, place + 1):
            self.place = found.end()
            parts.append(Parameter(found.group(), quoted=quoted))
        elif self.level and not quoted and text.startswith("$'", place):
            self._dollar_quoted(parts)
        elif self.level > 1 and not quoted and text.startswith('$"', place):
            self.place += 1
            self._double_quoted(parts)
        else:
            self.place += 1
            parts.append(Literal("$", quoted))

    def _dollar_quoted(self, parts: list[Part]) -> None:
        """`$'…'`, where a backslash has C's meaning."""
        start = end = self.place + 2
        while end < len(self.text) and self.text[end] != "'":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise self._unterminated("'")
        self.place = end + 1
        inner = self.text[start:end]
        self.line += inner.count("\n")
        text = _ESCAPE.sub(_unescape, inner)
        parts.append(Literal(text.partition("\0")[0] if self.level > 1 else text.replace("\0", ""), True))

    def _program_in_parentheses(self) -> Sequence:
        saved, self.documents, self._ahead = self.documents, [], None
        body = self.parse_body(self)
        token = self.next()
        if token.value != ")" or token.kind != OPERATOR:
            raise ProgramError(token.line, describe(token), '")"', incomplete=token.kind == EOF)
        self.documents = saved
        return body

    def _arithmetic(self, parts: list[Part], quoted: bool) -> bool:
        """`$((…))`; False, with nothing read, where it is a subshell in a command substitution."""
        start, line = self.place, self.line
        self.place += 3
        inner = self.arithmetic_word()
        if inner is None:
            self.place, self.line = start, line
            return False
        parts.append(Arithmetic(inner, quoted))
        return True

    def arithmetic_word(self) -> Word | None:
        """What stands before `))`; None where the text is no arithmetic."""
        inner: list[Part] = []
        depth = 0
        text = self.text
        while True:
            char = text[self.place : self.place + 1]
            if not char:
                raise self._problem(EOF, '"))"', text='Missing "))"')
            if char in "()":
                if depth == 0 and char == ")":
                    break
                depth += 1 if char == "(" else -1
                inner.append(Literal(char, True))
                self.place += 1
            elif char == '"':
                self.place += 1
            elif not self._expansion_in_quotes(char, inner, '$`"\\'):
                self._plain_run(_PLAIN_IN_ARITHMETIC, inner, quoted=True)
        if not text.startswith("))", self.place):
            return None
        self.place += 2
        return word(inner)

    def _backquoted(self, parts: list[Part], *, quoted: bool) -> None:
        start = end = self.place + 1
        text = self.text
        while end < len(text) and text[end] != "`":
            end += 2 if text[end] == "\\" else 1
        if end >= len(text):
            raise self._problem(EOF, text="EOF in backquote substitution")
        inner = re.sub(r'\\([$`\\"])' if quoted else r"\\([$`\\])", r"\1", text[start:end])
        self.place = end + 1
        lexer = Lexer(inner, self.level, self.parse_body, tuple(self.aliases.items()))
        body = self.parse_body(lexer)
        token = lexer.next()
        if token.kind != EOF:
            raise ProgramError(token.line, describe(token))
        self.line += text.count("\n", start, end)
        parts.append(Substitution(body, quoted))

    def _braces(self, parts: list[Part], quoted: bool) -> None:
        start = self.place
        self.place += 2
        text = self.text
        length = text.startswith("#", self.place) and not re.compile(r"#(?:\}|[-:+=?%#]+[^}])").match(text, self.place)
        if length:
            self.place += 1
        found = _PARAMETER.match(text, self.place)
        if not found:
            return self._bad(parts, start, quoted)
        name = found.group()
        self.place = found.end()
        if text.startswith("}", self.place):
            self.place += 1
            parts.append(Parameter(name, "length" if length else "", quoted=quoted))
            return None
        operator = (_EXTENDED_OPERATOR if self.level else _OPERATOR).match(text, self.place)
        if not operator or length:
            return self._bad(parts, start, quoted)
        self.place = operator.end()
        parts.append(self._operation(name, operator.group(), quoted))
        return None

    def _operation(self, name: str, operator: str, quoted: bool) -> Parameter:
        second = None
        if operator in (":", "/", "//"):
            first = self._brace_word(quoted and operator == ":", stop="/" if operator != ":" else ":")
            if self.text[self.place - 1] != "}":
                second = self._brace_word(quoted)
        else:
            first = self._brace_word(quoted and operator[0] not in "#%")
        return Parameter(name, operator, first, second, quoted)

    def _brace_word(self, quoted: bool, stop: str = "") -> Word:
        """The word up to the closing brace (or `stop`), which is read too."""
        parts: list[Part] = []
        text = self.text
        plain = _PLAIN_IN_QUOTED_BRACES if quoted else _PLAIN_IN_BRACES
        if stop:
            plain = re.compile(plain.pattern.replace("}", "}" + stop))
        while True:
            char = text[self.place : self.place + 1]
            if not char:
                raise self._problem(EOF, '"}"', text="Missing '}'")
            if char == "}" or char == stop:
                self.place += 1
                return word(parts)
            if quoted and char == '"':
                self._double_quoted(parts)
            elif quoted and self._expansion_in_quotes(char, parts, '$`"\\}'):
                continue
            elif quoted or not self._quoted_or_expansion(char, parts):
                self._plain_run(plain, parts, quoted=quoted)

    def _bad(self, parts: list[Part], start: int, quoted: bool) -> None:
        end = self.text.find("}", self.place)
        if end < 0:
            raise self._problem(EOF, '"}"', text="Missing '}'")
        self.place = end + 1
        parts.append(BadParameter(self.text[start : self.place], quoted))

    # -- here-documents

    def _read_documents(self) -> None:
        for document in self.documents:
            document.body = self._read_document(document)
        self.documents = []

    def _read_document(self, document: Document) -> Word:
        lines: list[str] = []
        first_line = self.line
        while self.place < len(self.text):
            end = self.text.find("\n", self.place)
            end = len(self.text) if end < 0 else end + 1
            line = self.text[self.place : end]
            self.place = end
            self.line += 1
            if document.strip:
                line = line.lstrip("\t")
            if line.rstrip("\n") == document.delimiter:
                break
            lines.append(line)
        else:
            document.unended = True
        body = "".join(lines)
        if document.quoted:
            return word([Literal(body, True)])
        return Lexer(body, self.level, self.parse_body, tuple(self.aliases.items())).document_word(first_line)

    def document_word(self, line: int) -> Word:
        self.line = line
        parts: list[Part] = [Literal("", True)]
        while self.place < len(self.text):
            char = self.text[self.place]
            if char == '"':
                self._plain_run(re.compile('"+'), parts, quoted=True)
            elif not self._expansion_in_quotes(char, parts, "$`\\"):
                self._plain_run(_PLAIN_IN_QUOTES, parts, quoted=True)
        return word(parts)


def _unescape(found: re.Match[str]) -> str:
    hexadecimal, octal, char = found.groups()
    if hexadecimal:
        return _byte(int(hexadecimal, 16))
    if octal:
        return _byte(int(octal, 8) & 0xFF)
    return _ESCAPES.get(char, char if char in "\\'\"?" else "\\" + char)


def _byte(number: int) -> str:
    return bytes([number]).decode("utf-8", "surrogateescape")


def describe(token: Token) -> str:
    """The token as the shells name it in a message."""
    if token.kind in (EOF, NEWLINE):
        return token.kind
    if token.kind == NUMBER or (token.value in REDIRECTIONS and token.kind == OPERATOR):
        return "redirection"
    return f'"{token.value}"' if token.kind == OPERATOR else WORD
