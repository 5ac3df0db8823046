"""The syntax tree of a shell program: frozen, so that one parsed program serves every run of it.

The words are POSIX's (Shell Command Language, 2.9 and 2.10): a *word* is made of parts, a *simple command* of
assignments, words and redirections.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    """Text after quote removal; `quoted` text is never split, matched or expanded."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$name`, or `${name operator word}`: `length` stands for `${#name}`, `:` for `${name:word:second}`."""

    name: str
    operator: str = ""
    word: Word | None = None
    second: Word | None = None
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Substitution:
    """`$(body)`."""

    body: Sequence
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`$((word))`."""

    word: Word
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class BadParameter:
    """`${…}` that is no expansion; an error only when it is reached."""

    text: str
    quoted: bool = False


Part = Literal | Parameter | Substitution | Arithmetic | BadParameter


@dataclass(frozen=True, slots=True)
class Word:
    """`plain` is the word's text where expanding it changes nothing; `substitutes`: it runs commands."""

    parts: tuple[Part, ...]
    plain: str | None = field(default=None, compare=False)
    substitutes: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    name: str
    value: Word
    append: bool = False


@dataclass(slots=True)
class Document:
    """A here-document. Its body follows its operator in the text, so it is filled in once that has been read."""

    delimiter: str
    quoted: bool
    strip: bool
    body: Word | None = None
    unended: bool = False  # the text ended before its delimiter


@dataclass(frozen=True, slots=True)
class Redirect:
    """`fd operator target`; `fd` -1 stands for both 1 and 2 (`&>`)."""

    fd: int
    operator: str
    target: Word | None
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Simple:
    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    line: int
    substitutes: bool
    plain: tuple[str, ...] | None = None  # the words, where all are plain


@dataclass(frozen=True, slots=True)
class Pipeline:
    commands: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Negated:
    body: Node


@dataclass(frozen=True, slots=True)
class AndOr:
    """`first` and what follows: pairs of `&&` or `||` and a command."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Background:
    body: Node


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If:
    """Pairs of condition and body, then the body of `else`."""

    clauses: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence | None


@dataclass(frozen=True, slots=True)
class While:
    condition: Sequence
    body: Sequence
    until: bool


@dataclass(frozen=True, slots=True)
class For:
    """`words` None: the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Sequence
    line: int


@dataclass(frozen=True, slots=True)
class Arm:
    """One `pattern | pattern ) body` of a case; `through` for `;&`."""

    patterns: tuple[Word, ...]
    body: Sequence
    through: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    word: Word
    arms: tuple[Arm, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    body: Node


@dataclass(frozen=True, slots=True)
class Subshell:
    body: Sequence


@dataclass(frozen=True, slots=True)
class Redirected:
    """A compound command with redirections."""

    body: Node
    redirects: tuple[Redirect, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Condition:
    """`[[ … ]]`: words and operators in their order; an operator is a str, a word a Word."""

    items: tuple[Word | str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Calculation:
    """`(( … ))`."""

    word: Word
    line: int


Node = (
    Simple
    | Pipeline
    | Negated
    | AndOr
    | Background
    | Sequence
    | If
    | While
    | For
    | Case
    | Function
    | Subshell
    | Redirected
    | Condition
    | Calculation
)


def word(parts: list[Part]) -> Word:
    """A word of these parts, neighbouring literals joined."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Literal) and isinstance(last, Literal) and part.quoted == last.quoted:
            joined[-1] = Literal(last.text + part.text, part.quoted)
        else:
            joined.append(part)
    return Word(tuple(joined), _plain(joined), any(substitutes(part) for part in joined))


def _plain(parts: list[Part]) -> str | None:
    text = ""
    unquoted = ""
    for part in parts:
        if not isinstance(part, Literal):
            return None
        text += part.text
        unquoted += "" if part.quoted else part.text
    return None if may_match(unquoted) or "~" in unquoted else text


def may_match(unquoted: str) -> bool:
    """Whether unquoted text may be a pattern for paths; a lone `[` is none."""
    return "*" in unquoted or "?" in unquoted or ("[" in unquoted and "]" in unquoted)


def substitutes(part: Part) -> bool:
    """Whether expanding this part can run a command."""
    if isinstance(part, Substitution):
        return True
    return any(inner.substitutes for inner in _inner(part))


def _inner(part: Part) -> Iterator[Word]:
    for name in ("word", "second"):
        inner = getattr(part, name, None)
        if inner is not None:
            yield inner
