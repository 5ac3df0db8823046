"""From tokens to the syntax tree, by recursive descent. POSIX, Shell Command Language, 2.10 Shell Grammar.

A program is parsed as the shells do it, a complete command at a time: what stands before a mistake still runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from labkit.shell.lexer import (
    EOF,
    NEWLINE,
    NUMBER,
    OPERATOR,
    REDIRECTIONS,
    WORD,
    Aliases,
    Lexer,
    ProgramError,
    Token,
    describe,
)
from labkit.shell.tree import (
    AndOr,
    Arm,
    Assignment,
    Background,
    Calculation,
    Case,
    Condition,
    Document,
    For,
    Function,
    If,
    Literal,
    Negated,
    Node,
    Pipeline,
    Redirect,
    Redirected,
    Sequence,
    Simple,
    Subshell,
    While,
    Word,
    word,
)

ENDINGS = frozenset(("}", "do", "done", "elif", "else", "esac", "fi", "then"))  # no command starts with one
RESERVED = ENDINGS | {"!", "{", "case", "for", "if", "in", "until", "while"}
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DEFAULT_FD = {"<": 0, "<&": 0, "<>": 0, "<<": 0, "<<-": 0, "<<<": 0, "&>": -1, "&>>": -1}
_NEGATED = "!"
_EXTRA_WORDS: tuple[tuple[str, ...], ...] = ((), ("function",), ("function", "[["))  # reserved ones, by level
_IN_BRACKETS = {"&&": "-a", "||": "-o"}
_SPECIAL = frozenset("break continue eval exec exit export local readonly return set shift times trap unset".split())


@dataclass(frozen=True, slots=True)
class Program:
    """Complete commands in their order, and the problem that ends the text, if one does."""

    commands: tuple[Node, ...]
    problem: ProgramError | None
    unended: bool = False  # it goes on: a here-document without its delimiter, a backslash at the end of the last line
    left: tuple[tuple[int, int], ...] = ()  # after each command: how much of the text is left, and its line


@lru_cache(maxsize=512)
def parse(text: str, level: int = 0, aliases: Aliases = ()) -> Program:
    """Parse a whole program; `level` as in Lexer."""
    return _program(Lexer(text, level, _body, aliases), None)


def parse_next(text: str, left: int, line: int, level: int, aliases: Aliases) -> Program:
    """The next complete command of a text of which so much is left, by the aliases that there are now."""
    lexer = Lexer(text, level, _body, aliases, line)
    lexer.place = len(text) - left
    return _program(lexer, 1)


def _program(lexer: Lexer, most: int | None) -> Program:
    parser = Parser(lexer)
    commands: list[Node] = []
    left: list[tuple[int, int]] = []
    problem = None
    try:
        while len(commands) != most and (command := parser.complete_command()) is not None:
            while (
                lexer.inside_alias and (more := parser.complete_command()) is not None
            ):  # the lines of an alias are one
                command = Sequence((command, more))
            commands.append(command)
            left.append((len(lexer.text) - lexer.place, lexer.line))
    except ProgramError as found:
        problem = found.with_traceback(None)
    unended = lexer.continued or any(document.unended for document in parser.documents)
    return Program(tuple(commands), problem, unended, tuple(left))


def _body(lexer: Lexer) -> Sequence:
    """The program in `$(…)`, whose end the lexer checks."""
    return Parser(lexer).sequence(allow_empty=True)


def document_word(text: str) -> Word:
    """Text as the body of a here-document is read: parameters and commands in it are expanded, quotes are not."""
    return Lexer(text, 0, _body).document_word(1)


class Parser:
    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.documents: list[Document] = []

    # -- small steps

    def at(self, operator: str) -> bool:
        token = self.lexer.peek()
        return token.kind == OPERATOR and token.value == operator

    def reserved(self) -> str:
        """The reserved word that comes next; "" if none."""
        token = self.lexer.peek()
        if token.kind != WORD:
            return ""
        value = token.value
        if value in RESERVED or (value in _EXTRA_WORDS[self.lexer.level]):
            return value
        return ""

    def accept(self, value: str) -> bool:
        if self.at(value) or self.reserved() == value:
            self.lexer.next()
            return True
        return False

    def expect(self, value: str) -> None:
        if not self.accept(value):
            raise self.unexpected(f'"{value}"')

    def unexpected(self, expected: str = "") -> ProgramError:
        token = self.lexer.peek()
        found = f'"{token.value}"' if token.value in RESERVED and self.reserved() else describe(token)
        return ProgramError(token.line, found, expected, incomplete=token.kind == EOF)

    def skip_newlines(self) -> None:
        while self.lexer.peek().kind == NEWLINE:
            self.lexer.next()

    # -- lists

    def complete_command(self) -> Node | None:
        """What stands up to the next line's end; None at the end of the text."""
        self.skip_newlines()
        if self.lexer.peek().kind == EOF:
            return None
        items: list[Node] = []
        while True:
            items.append(self.and_or())
            separated = self._separator(items)
            kind = self.lexer.peek().kind
            if kind in (NEWLINE, EOF):
                break
            if not separated:
                raise self.unexpected()
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _separator(self, items: list[Node]) -> bool:
        if self.accept("&"):
            items[-1] = Background(items[-1])
            return True
        return self.accept(";")

    def sequence(self, *, allow_empty: bool = False) -> Sequence:
        """A compound list: commands up to something that cannot start one."""
        items: list[Node] = []
        self.skip_newlines()
        while not self._ended():
            items.append(self.and_or())
            separated = self._separator(items)
            if self.lexer.peek().kind == NEWLINE:
                separated = True
                self.skip_newlines()
            if not separated:
                break
        if not items and not allow_empty:
            raise self.unexpected()
        return Sequence(tuple(items))

    def _ended(self) -> bool:
        if self.lexer.aliases:
            self.lexer.expand_aliases()
        token = self.lexer.peek()
        if token.kind == EOF or (token.kind == OPERATOR and token.value in (")", ";;", ";&")):
            return True
        return self.reserved() in ENDINGS

    def and_or(self) -> Node:
        first = self.pipeline()
        rest: list[tuple[str, Node]] = []
        while self.at("&&") or self.at("||"):
            operator = self.lexer.next().value
            self.skip_newlines()
            rest.append((operator, self.pipeline()))
        return AndOr(first, tuple(rest)) if rest else first

    def pipeline(self) -> Node:
        if self.lexer.aliases:
            self.lexer.expand_aliases()
        if self.reserved() == _NEGATED:
            self.lexer.next()
            return Negated(self.pipeline())
        line = self.lexer.peek().line
        commands = [self.command()]
        while self.accept("|"):
            self.skip_newlines()
            if self.lexer.aliases:
                self.lexer.expand_aliases()
            commands.append(self.command())
        return Pipeline(tuple(commands), line) if len(commands) > 1 else commands[0]

    # -- commands

    def command(self) -> Node:
        token = self.lexer.peek()
        reserved = self.reserved()
        compound = _COMPOUND.get(reserved)
        if compound or (token.kind == OPERATOR and token.value == "("):
            self.lexer.next()
            node = compound(self, token.line) if compound else self._parenthesis(token.line)
            redirects = self.redirects()
            return Redirected(node, redirects, token.line) if redirects else node
        if reserved or (token.kind not in (WORD, NUMBER) and token.value not in REDIRECTIONS):
            raise self.unexpected()
        return self.simple()

    def _parenthesis(self, line: int) -> Node:
        lexer = self.lexer
        if lexer.level > 1 and lexer._ahead is None and lexer.text.startswith("(", lexer.place):
            start = lexer.place
            lexer.place += 1
            inner = lexer.arithmetic_word()
            if inner is not None:
                return Calculation(inner, line)
            lexer.place = start
        return self._subshell(line)

    def _subshell(self, line: int) -> Node:
        body = self.sequence()
        self.expect(")")
        return Subshell(body)

    def _brace(self, line: int) -> Node:
        body = self.sequence()
        self.expect("}")
        return body

    def _if(self, line: int) -> Node:
        clauses = []
        otherwise = None
        while True:
            condition = self.sequence()
            self.expect("then")
            clauses.append((condition, self.sequence()))
            if not self.accept("elif"):
                break
        if self.accept("else"):
            otherwise = self.sequence()
        self.expect("fi")
        return If(tuple(clauses), otherwise)

    def _while(self, line: int, *, until: bool = False) -> Node:
        condition = self.sequence()
        return While(condition, self._do(), until)

    def _until(self, line: int) -> Node:
        return self._while(line, until=True)

    def _do(self) -> Sequence:
        self.expect("do")
        body = self.sequence()
        self.expect("done")
        return body

    def _for(self, line: int) -> Node:
        token = self.lexer.next()
        if token.kind != WORD or not _NAME.match(token.value):
            raise ProgramError(token.line, text="Bad for loop variable", incomplete=token.kind == EOF)
        self.skip_newlines()
        words = None
        if self.accept("in"):
            words = self._words()
        else:
            self.accept(";")
        self.skip_newlines()
        if self.accept("{") if self.lexer.level else False:
            body = self.sequence()
            self.expect("}")
            return For(token.value, words, body, line)
        return For(token.value, words, self._do(), line)

    def _words(self) -> tuple[Word, ...]:
        words = []
        while self.lexer.peek().kind in (WORD, NUMBER):
            words.append(_token_word(self.lexer.next()))
        if self.lexer.peek().kind != NEWLINE and not self.accept(";"):
            raise self.unexpected()
        return tuple(words)

    def _case(self, line: int) -> Node:
        token = self.lexer.peek()
        if token.kind != WORD:
            raise self.unexpected(WORD)
        subject = _token_word(self.lexer.next())
        self.skip_newlines()
        self.expect("in")
        self.skip_newlines()
        arms = []
        while not self.accept("esac"):
            arms.append(self._arm())
            self.skip_newlines()
        return Case(subject, tuple(arms), line)

    def _arm(self) -> Arm:
        self.accept("(")
        patterns = []
        while True:
            if self.lexer.peek().kind not in (WORD, NUMBER):
                raise self.unexpected('")"' if self.lexer.peek().kind == EOF else "")
            patterns.append(_token_word(self.lexer.next()))
            if not self.accept("|"):
                break
        self.expect(")")
        body = self.sequence(allow_empty=True)
        through = self.accept(";&")
        if not through and not self.accept(";;") and self.reserved() != "esac":
            raise self.unexpected('";;"')
        return Arm(tuple(patterns), body, through)

    def _function(self, line: int) -> Node:
        """`function name { … }`, an extension."""
        name = self.lexer.next()
        if self.accept("("):
            self.expect(")")
        self.skip_newlines()
        return Function(name.value, self.command())

    def _condition(self, line: int) -> Node:
        items: list[Word | str] = []
        while True:
            token = self.lexer.next()
            if token.kind == EOF:
                raise ProgramError(token.line, EOF, '"]]"', incomplete=True)
            if token.kind == WORD and token.value == "]]":
                return Condition(tuple(items), line)
            if token.kind == NEWLINE:
                continue
            plain = token.word is None or (token.word.plain is not None and token.value == token.word.plain)
            items.append(token.value if plain and _is_operator(token.value) else _token_word(token))

    # -- simple commands

    def simple(self) -> Node:
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        line = self.lexer.peek().line
        aliases = self.lexer.aliases
        while True:
            if aliases and not words:
                self.lexer.expand_aliases()
            token = self.lexer.peek()
            if token.kind == WORD:
                self.lexer.next()
                assigned = None if words else _assignment(token, self.lexer.level)
                if assigned:
                    assignments.append(assigned)
                    continue
                if not words and not assignments and not redirects and self.at("("):
                    return self._function_definition(token)
                words.append(_token_word(token))
            elif token.kind == NUMBER or (token.kind == OPERATOR and token.value in REDIRECTIONS):
                redirects.append(self.redirect())
            elif token.value in _IN_BRACKETS and self.lexer.level == 1 and _open_brackets(words):
                words.append(word([Literal(_IN_BRACKETS[self.lexer.next().value], True)]))
            else:
                break
        if self.at("("):
            raise self.unexpected()
        return _simple(assignments, words, redirects, line)

    def _function_definition(self, token: Token) -> Node:
        self.lexer.next()
        self.expect(")")
        if self.lexer.level < 2 and (not _NAME.match(token.value) or token.value in _SPECIAL):
            raise ProgramError(token.line, text="Bad function name")
        self.skip_newlines()
        return Function(_token_word(token).plain or token.value, self.command())

    def redirects(self) -> tuple[Redirect, ...]:
        found = []
        while (token := self.lexer.peek()).kind == NUMBER or (token.kind == OPERATOR and token.value in REDIRECTIONS):
            found.append(self.redirect())
        return tuple(found)

    def redirect(self) -> Redirect:
        token = self.lexer.next()
        fd = int(token.value) if token.kind == NUMBER else None
        if fd is not None:
            token = self.lexer.next()
        operator = token.value
        if fd is None:
            fd = _DEFAULT_FD.get(operator, 1)
        target = self.lexer.peek()
        if target.kind not in (WORD, NUMBER):
            raise self.unexpected()
        self.lexer.next()
        if operator in ("<<", "<<-"):
            return Redirect(fd, "<<", None, self._document(target, operator))
        return Redirect(fd, operator, _token_word(target))

    def _document(self, token: Token, operator: str) -> Document:
        raw = token.value
        quoted = any(char in raw for char in "'\"\\")
        literals = (part.text for part in _token_word(token).parts if isinstance(part, Literal))
        delimiter = "".join(literals) if quoted else raw
        document = Document(delimiter, quoted, operator == "<<-")
        self.lexer.documents.append(document)
        self.documents.append(document)
        return document


_COMPOUND: dict[str, Callable[[Parser, int], Node]] = {
    "{": Parser._brace,
    "if": Parser._if,
    "while": Parser._while,
    "until": Parser._until,
    "for": Parser._for,
    "case": Parser._case,
    "function": Parser._function,
    "[[": Parser._condition,
}


def _open_brackets(words: list[Word]) -> bool:
    """Whether these are the words of a `[[` without its `]]`: a command as any other in ash."""
    return bool(words) and words[0].plain == "[[" and all(item.plain != "]]" for item in words)


def _is_operator(value: str) -> bool:
    return value in ("&&", "||", "!", "(", ")", "<", ">", "=", "==", "!=", "=~") or bool(re.match(r"-[a-z]+\Z", value))


def _token_word(token: Token) -> Word:
    return token.word if token.word is not None else word([Literal(token.value)])


def _assignment(token: Token, level: int) -> Assignment | None:
    """The token as `name=value`; None where it is none."""
    found = _ASSIGNMENT.match(token.value)
    if not found or (found.group(2) and level < 2):
        return None
    first, *rest = _token_word(token).parts
    if not isinstance(first, Literal) or first.quoted or not first.text.startswith(found.group()):
        return None
    value = first.text[found.end() :]
    return Assignment(found.group(1), word(([Literal(value)] if value else []) + rest), bool(found.group(2)))


def _simple(assignments: list[Assignment], words: list[Word], redirects: list[Redirect], line: int) -> Simple:
    values = [assignment.value for assignment in assignments]
    targets = [redirect.target for redirect in redirects if redirect.target]
    runs = any(item.substitutes for item in (*values, *words, *targets)) or any(item.document for item in redirects)
    plain = tuple(item.plain for item in words if item.plain is not None)
    return Simple(
        tuple(assignments),
        tuple(words),
        tuple(redirects),
        line,
        runs,
        plain if len(plain) == len(words) else None,
    )
