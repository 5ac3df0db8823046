"""Go's text/template: from text to a tree of nodes, with Go's messages for what cannot be read.

A node knows its place in the text (for "template: :1:2: …") and prints itself as Go prints it (for "at <.Foo>").
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NoReturn

from labkit.kernel.golang import quote


class TemplateError(Exception):
    """str() is Go's message."""


@dataclass
class TemplateNode:
    place: int
    text: str = ""  # as Go prints it


@dataclass
class PlainText(TemplateNode):
    pass


@dataclass
class Constant(TemplateNode):
    value: str | int | float = ""


@dataclass
class Nothing(TemplateNode):
    """The word nil."""


@dataclass
class Dot(TemplateNode):
    pass


@dataclass
class Fields(TemplateNode):
    """.A.B, $x.A or (pipeline).A: the names below `base`; no base is the dot."""

    names: list[str] = field(default_factory=list)
    base: TemplateNode | None = None


@dataclass
class TemplateVariable(TemplateNode):
    name: str = ""


@dataclass
class FunctionName(TemplateNode):
    name: str = ""


@dataclass
class PipedCommand(TemplateNode):
    words: list[TemplateNode] = field(default_factory=list)


@dataclass
class TemplatePipeline(TemplateNode):
    commands: list[PipedCommand] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    declares: bool = False


@dataclass
class Action(TemplateNode):
    pipeline: TemplatePipeline | None = None


@dataclass
class Branch(TemplateNode):
    """if, with and range."""

    kind: str = ""
    pipeline: TemplatePipeline | None = None
    body: list[TemplateNode] = field(default_factory=list)
    otherwise: list[TemplateNode] = field(default_factory=list)


@dataclass
class Leave(TemplateNode):
    """break and continue."""

    kind: str = ""


@dataclass(frozen=True)
class TemplateToken:
    kind: str  # field, word, variable, string, number, char, or the sign itself
    text: str
    place: int


_PIECES = [
    ("space", r"[ \t\r\n]+"),
    ("field", r"\.[^\W\d]\w*"),
    ("number", r"[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"),
    ("dot", r"\."),
    ("variable", r"\$\w*"),
    ("word", r"[^\W\d]\w*"),
    ("string", r'"(?:[^"\\\n]|\\.)*"'),
    ("raw", r"`[^`]*`"),
    ("char", r"'(?:[^'\\\n]|\\.)*'"),
    ("sign", r":=|[=|(),]|[!#%&*/;<>?@\\\]\[^{}~]"),  # the last class: what no rule takes
]
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PIECES))
_SPACE = " \t\r\n"


class TemplateParser:
    """Reads one template. `functions` are the names that can be called."""

    def __init__(self, text: str, functions: Collection[str], name: str = "") -> None:
        self.source = text
        self.name = name
        self.functions = functions
        self.place = 0
        self.trim_next = False
        self.tokens: list[TemplateToken] = []
        self.loops = 0
        self.variables = ["$"]

    def parse(self) -> list[TemplateNode]:
        nodes, end = self._nodes()
        if end:
            self.fail(f"unexpected {{{{{end}}}}}")
        return nodes

    def fail(self, message: str, place: int | None = None) -> NoReturn:
        line = self.source.count("\n", 0, self.place if place is None else place) + 1
        raise TemplateError(f"template: {self.name}:{line}: {message}")

    # text and actions

    def _nodes(self, scope: int | None = None) -> tuple[list[TemplateNode], str]:
        """Nodes up to an {{end}} or {{else}}, and which of them it was ("" at the end of the text)."""
        nodes: list[TemplateNode] = []
        while self.place < len(self.source):
            text, found = self._text()
            if text:
                nodes.append(text)
            if not found:
                break
            if self.tokens and self.tokens[0].kind == "word" and self.tokens[0].text in ("end", "else"):
                return nodes, self.tokens[0].text
            if node := self._action():
                nodes.append(node)
        return nodes, ""

    def _text(self) -> tuple[PlainText | None, bool]:
        """The text before the next action, whose tokens are read; False where there is no action."""
        start = self.place
        opening = self.source.find("{{", start)
        found = opening >= 0
        piece = self.source[start : opening if found else len(self.source)]
        self.place = opening if found else len(self.source)
        if self.trim_next:
            piece = piece.lstrip(_SPACE)
        self.trim_next = False
        if found:
            self.place += 2
            if self.source[self.place : self.place + 1] == "-" and self.source[
                self.place + 1 : self.place + 2
            ] in tuple(_SPACE):
                piece = piece.rstrip(_SPACE)
                self.place += 2
            if self._comment():
                self.tokens = []
            else:
                self.tokens = self._lex()
        return (PlainText(start, piece) if piece else None), found

    def _comment(self) -> bool:
        if not self.source.startswith("/*", self.place):
            return False
        end = self.source.find("*/", self.place)
        if end < 0:
            self.fail("unclosed comment")
        match = re.compile(r"([ \t\r\n]-)?}}").match(self.source, end + 2)
        if not match:
            self.fail("comment ends before closing delimiter")
        self.place = match.end()
        self.trim_next = bool(match[1])
        return True

    def _lex(self) -> list[TemplateToken]:
        tokens: list[TemplateToken] = []
        depth = 0
        closing = re.compile(r"([ \t\r\n]-)?}}")
        while True:
            if match := closing.match(self.source, self.place):
                if depth:
                    self.fail("unclosed left paren")
                self.place = match.end()
                self.trim_next = bool(match[1])
                while tokens and tokens[0].kind == "space":
                    tokens.pop(0)
                return tokens or [TemplateToken("empty", "", self.place - 2)]
            token = _TOKEN.match(self.source, self.place)
            if not token:
                self._bad_character()
            kind = token.lastgroup or ""
            depth += (token[0] == "(") - (token[0] == ")")
            if depth < 0:
                self.fail("unexpected right paren")
            if kind == "space":
                tokens.append(TemplateToken("space", " ", self.place))
            else:
                tokens.append(TemplateToken(token[0] if kind == "sign" else kind, token[0], self.place))
            self.place = token.end()
            if kind in ("field", "word", "variable"):
                self._check_terminator()

    def _check_terminator(self) -> None:
        """A name ends at a space, a sign or the action's end (text/template's lexer: atTerminator)."""
        after = self.source[self.place : self.place + 1]
        if after and after not in " \t\r\n.,|:=)(" and not self.source.startswith("}}", self.place):
            self.fail(f"bad character U+{ord(after):04X} '{after}'")

    def _bad_character(self) -> NoReturn:
        rest = self.source[self.place :]
        if not rest or rest[0] == "\n":
            self.fail("unclosed action")
        if rest[0] == '"':
            self.fail("unterminated quoted string")
        if rest[0] == "`":
            self.fail("unterminated raw quoted string")
        if rest[0] == "'":
            self.fail("unterminated character constant")
        if rest[0] == ":":
            self.fail("expected :=")
        if rest[0] in "+-":
            self.fail(f"illegal number syntax: {quote(rest[0])}")
        shown = f" '{rest[0]}'" if rest[0].isprintable() else ""
        self.fail(f"unrecognized character in action: U+{ord(rest[0]):04X}{shown}")

    def _action(self) -> TemplateNode | None:
        if not self.tokens:
            return None  # a comment
        self._skip_space()
        first = self.tokens[0] if self.tokens else TemplateToken("empty", "", self.place)
        if first.kind == "word" and first.text in ("if", "with", "range"):
            self.tokens.pop(0)
            return self._branch(first.text, first.place)
        if first.kind == "word" and first.text in ("break", "continue"):
            self.tokens.pop(0)
            self._finish(first.text)
            if not self.loops:
                self.fail(f"{{{{{first.text}}}}} outside {{{{range}}}}")
            return Leave(first.place, "{{" + first.text + "}}", first.text)
        pipeline = self._pipeline("command")
        return Action(first.place, "{{" + pipeline.text + "}}", pipeline)

    def _branch(self, kind: str, place: int) -> Branch:
        known = len(self.variables)
        node = Branch(place, kind=kind, pipeline=self._pipeline(kind))
        self.loops += kind == "range"
        node.body, end = self._nodes()
        self.loops -= kind == "range"
        if end == "else":
            node.otherwise = self._else(kind)
        elif not end:
            self.fail("unexpected EOF")
        else:
            self.tokens.pop(0)
            self._finish("end")
        del self.variables[known:]
        return node

    def _else(self, kind: str) -> list[TemplateNode]:
        self.tokens.pop(0)
        self._skip_space()
        if self.tokens and self.tokens[0].kind == "word" and self.tokens[0].text == kind and kind in ("if", "with"):
            token = self.tokens.pop(0)
            return [self._branch(kind, token.place)]
        self._finish("else")
        nodes, end = self._nodes()
        if end == "else":
            self.fail("expected end; found {{else}}")
        if not end:
            self.fail("unexpected EOF")
        self.tokens.pop(0)
        self._finish("end")
        return nodes

    def _finish(self, context: str) -> None:
        self._skip_space()
        if self.tokens and self.tokens[0].kind != "empty":
            self.fail(f"unexpected {self._shown(self.tokens[0])} in {context}")

    # inside an action

    def _skip_space(self) -> None:
        while self.tokens and self.tokens[0].kind == "space":
            self.tokens.pop(0)

    def _shown(self, token: TemplateToken) -> str:
        if token.kind in ("word", "range") and token.text in (
            "if",
            "else",
            "end",
            "range",
            "with",
            "define",
            "template",
            "block",
        ):
            return f"<{token.text}>"
        return quote(token.text)

    def _pipeline(self, context: str, closing: str = "") -> TemplatePipeline:
        self._skip_space()
        node = TemplatePipeline(self.tokens[0].place if self.tokens else self.place)
        self._declarations(node, context)
        while True:
            self._skip_space()
            if not self.tokens or self.tokens[0].kind in ("empty", ")"):
                if self.tokens and self.tokens[0].kind == ")" and not closing:
                    self.fail('unexpected ")" in ' + context)
                if not node.commands:
                    self.fail(f"missing value for {context}")
                if closing and self.tokens:
                    self.tokens.pop(0)
                break
            node.commands.append(self._command(context))
            self._skip_space()
            if self.tokens and self.tokens[0].kind == "|":
                self.tokens.pop(0)
                self._skip_space()
                if not self.tokens or self.tokens[0].kind in ("empty", ")"):
                    self.fail(f"missing value for {context}")
        self._check_pipeline(node, context)
        sign = " := " if node.declares else " = "
        head = ", ".join(node.variables) + sign if node.variables else ""
        node.text = head + " | ".join(command.text for command in node.commands)
        return node

    def _check_pipeline(self, node: TemplatePipeline, context: str) -> None:
        for number, command in enumerate(node.commands[1:], 2):
            first = command.words[0]
            if isinstance(first, (Constant, Nothing, Dot)):
                self.fail(f"non executable command in pipeline stage {number}")

    def _declarations(self, node: TemplatePipeline, context: str) -> None:
        meaning = [token for token in self.tokens if token.kind != "space"]
        names: list[str] = []
        place = 0
        while place < len(meaning) and meaning[place].kind == "variable":
            names.append(meaning[place].text)
            after = meaning[place + 1].kind if place + 1 < len(meaning) else ""
            if after in (":=", "="):
                self._declare(node, names, after, meaning[place + 1])
                return
            if after != "," or context != "range" or len(names) > 1:
                return
            place += 2

    def _declare(self, node: TemplatePipeline, names: list[str], sign: str, token: TemplateToken) -> None:
        node.variables = names
        node.declares = sign == ":="
        if node.declares:
            self.variables += names
        else:
            for name in names:
                self._check_variable(name)
        del self.tokens[: self.tokens.index(token) + 1]

    def _check_variable(self, name: str) -> None:
        if name not in self.variables:
            self.fail(f"undefined variable {quote(name)}")

    def _command(self, context: str) -> PipedCommand:
        node = PipedCommand(self.tokens[0].place)
        while True:
            self._skip_space()
            if not self.tokens or self.tokens[0].kind in ("|", ")", "empty"):
                break
            node.words.append(self._operand(context))
            if self.tokens and self.tokens[0].kind not in ("space", "|", ")", "empty"):
                self.fail(f"unexpected {self._shown(self.tokens[0])} in operand")
        if not node.words:
            self.fail("empty command")
        node.text = " ".join(
            f"({word.text})" if isinstance(word, TemplatePipeline) else word.text for word in node.words
        )
        return node

    def _operand(self, context: str) -> TemplateNode:
        node = self._term(context)
        names: list[str] = []
        place = node.place
        while self.tokens and self.tokens[0].kind == "field":
            place = self.tokens[0].place if not names else place
            names.append(self.tokens.pop(0).text[1:])
        if not names:
            return node
        if isinstance(node, (Constant, Nothing)):
            self.fail(f"unexpected . after term {quote(node.text)}")
        tail = "".join("." + name for name in names)
        if isinstance(node, Fields):
            return Fields(place, node.text + tail, node.names + names, node.base)
        head = f"({node.text})" if isinstance(node, TemplatePipeline) else node.text
        return Fields(place, head + tail, names, node)

    def _term(self, context: str) -> TemplateNode:
        token = self.tokens.pop(0)
        makers = {
            "field": lambda: Fields(token.place, token.text, [token.text[1:]]),
            "dot": lambda: Dot(token.place, "."),
            "string": lambda: Constant(token.place, token.text, self._string(token)),
            "raw": lambda: Constant(token.place, token.text, token.text[1:-1]),
            "char": lambda: Constant(token.place, token.text, ord(_unescape(token.text[1:-1])[:1] or "\0")),
            "number": lambda: Constant(token.place, token.text, self._number(token.text)),
            "variable": lambda: self._variable(token),
            "word": lambda: self._word(token),
        }
        if token.kind == "(":
            return self._pipeline("parenthesized pipeline", ")")
        if token.kind not in makers:
            self.fail(f"unexpected {self._shown(token)} in {context if context != 'operand' else 'command'}")
        return makers[token.kind]()

    def _variable(self, token: TemplateToken) -> TemplateVariable:
        self._check_variable(token.text)
        return TemplateVariable(token.place, token.text, token.text)

    def _word(self, token: TemplateToken) -> TemplateNode:
        if token.text in ("true", "false"):
            return Constant(token.place, token.text, token.text == "true")
        if token.text == "nil":
            return Nothing(token.place, "nil")
        if token.text in ("if", "else", "end", "range", "with", "define", "template", "block"):
            self.fail(f"unexpected <{token.text}> in command")
        if token.text not in self.functions:
            self.fail(f'function "{token.text}" not defined')
        return FunctionName(token.place, token.text, token.text)

    def _string(self, token: TemplateToken) -> str:
        return _unescape(token.text[1:-1])

    def _number(self, text: str) -> int | float:
        digits = text.replace("_", "")
        try:
            return int(digits, 8) if re.fullmatch(r"[+-]?0\d+", digits) else int(digits, 0)
        except ValueError:
            try:
                return float(digits)
            except ValueError:
                self.fail(f"bad number syntax: {quote(text)}")


_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        body = match[1]
        if body[0] in "xuU":
            return chr(int(body[1:], 16))
        return chr(int(body, 8)) if body.isdigit() else _SIMPLE.get(body, body)

    return re.sub(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", one, text)
