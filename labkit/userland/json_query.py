"""jq, a small part of it: paths (.a, .a.b, .[0], .[]), `|`, `,`, comparisons, and some twenty of its functions."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import reduce
from itertools import chain, groupby

from labkit.kernel import limits
from labkit.kernel.golang import Json
from labkit.userland.tool import Done, Say, Tool, Utility, text_of

Filter = Callable[[Json], Iterator[Json]]
_TOKEN = re.compile(
    r'\s*(\.\[|\.\.|==|!=|<=|>=|//|and\b|or\b|[A-Za-z_]\w*|\.[A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|\.|\S)'
)


class QueryError(Exception):
    """What jq says; `status`: 3 for a filter that does not parse, 5 for one that fails."""

    def __init__(self, said: str, status: int = 5) -> None:
        super().__init__(said)
        self.status = status


_TYPES = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array",
          dict: "object"}  # fmt: skip


def _type(value: Json) -> str:
    return _TYPES[type(value)]


def _rank(value: Json) -> tuple[int, float, str]:
    """Where a value stands in jq's order: by its type, then by itself."""
    number = float(value) if isinstance(value, (bool, int, float)) else 0.0
    shown = "" if isinstance(value, (bool, int, float)) else value if isinstance(value, str) else json.dumps(value)
    return list(_TYPES.values()).index(_type(value)), number, shown


def _list(value: Json) -> list[Json]:
    if isinstance(value, list):
        return value
    raise QueryError(f"error (at <stdin>:0): Cannot iterate over {_type(value)}")


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    raise QueryError(f"error (at <stdin>:0): {_type(value)} is no string")


class QueryParser:
    """A filter: pipes bind least, then commas, then comparisons, then paths."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.place = 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def next(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1] if self.place <= len(self.tokens) else ""

    def need(self, token: str) -> None:
        if self.next() != token:
            found = self.tokens[self.place - 1] if self.place <= len(self.tokens) else "end"
            raise QueryError(f"error: syntax error, unexpected {found}", 3)

    def whole(self) -> Filter:
        made = self.pipe()
        if self.peek():
            raise QueryError(f"error: syntax error, unexpected {self.peek()}", 3)
        return made

    def pipe(self) -> Filter:
        left = self.comma()
        while self.peek() == "|":
            self.next()
            left = _piped(left, self.comma())
        return left

    def comma(self) -> Filter:
        left = self.compared()
        while self.peek() == ",":
            self.next()
            left = _both(left, self.compared())
        return left

    def compared(self) -> Filter:
        left = self.term()
        while self.peek() in _OPERATORS:
            left = _operated(self.next(), left, self.term())
        return left

    def literal(self, token: str) -> Json:
        try:
            value: Json = json.loads(re.sub(r"^(-?)0+(?=[0-9])", r"\1", token))
        except ValueError:
            raise QueryError("error: syntax error, unexpected INVALID_CHARACTER", 3) from None
        return value

    def term(self) -> Filter:
        token = self.next()
        if token == "(":
            made = self.pipe()
            self.need(")")
        elif token == "[":
            made = _collected(self.pipe() if self.peek() != "]" else lambda value: iter(()))
            self.need("]")
        elif token == ".":
            made = (
                _field(str(self.literal(self.next()))) if self.peek().startswith('"') else lambda value: iter([value])
            )
        elif token == ".[":
            made = self.bracket(lambda value: iter([value]))
        elif token.startswith(".") and token != "..":
            made = _field(token[1:])
        elif token.startswith('"') or re.fullmatch(r"-?\d+(\.\d+)?", token):
            made = _constant(self.literal(token))
        else:
            made = self.word(token)
        return self.path(made)

    def path(self, made: Filter) -> Filter:
        while True:
            token = self.peek()
            if re.fullmatch(r"\.[A-Za-z_]\w*", token):
                made = _piped(made, _field(self.next()[1:]))
            elif token in ("[", ".["):
                self.next()
                made = self.bracket(made)
            elif token == "?":
                self.next()
                made = _tried(made)
            else:
                return made

    def bracket(self, made: Filter) -> Filter:
        if self.peek() == "]":
            self.next()
            return _piped(made, _each)
        index = self.pipe()
        self.need("]")
        return lambda value: (item for inner in made(value) for key in index(value) for item in _at(inner, key))

    def word(self, name: str) -> Filter:
        if name in ("true", "false", "null"):
            return _constant(json.loads(name))
        arguments = []
        if self.peek() == "(":
            self.next()
            arguments.append(self.pipe())
            self.need(")")
        if name in _WITH and arguments:
            return _WITH[name](arguments[0])
        if name not in _WORDS or arguments:
            raise QueryError(f"error: {name}/{len(arguments)} is not defined at <top-level>", 3)
        return _WORDS[name]


def _counted(found: Iterator[Json]) -> Iterator[Json]:
    for value in found:
        limits.tick()
        yield value


def _piped(left: Filter, right: Filter) -> Filter:
    return lambda value: (out for inner in _counted(left(value)) for out in right(inner))


def _both(left: Filter, right: Filter) -> Filter:
    return lambda value: chain(left(value), right(value))


def _constant(constant: Json) -> Filter:
    return lambda value: iter([constant])


def _collected(inner: Filter) -> Filter:
    return lambda value: iter([list(_counted(inner(value)))])


def _tried(inner: Filter) -> Filter:
    def run(value: Json) -> Iterator[Json]:
        with suppress(QueryError):
            yield from inner(value)

    return run


def _field(name: str) -> Filter:
    return lambda value: _at(value, name)


def _at(value: Json, key: Json) -> Iterator[Json]:
    if value is None:
        yield None
    elif isinstance(value, dict) and isinstance(key, str):
        yield value.get(key)
    elif isinstance(value, list) and isinstance(key, int):
        yield value[key] if -len(value) <= key < len(value) else None
    else:
        shown = f'"{key}"' if isinstance(key, str) else _type(key)
        raise QueryError(f"error (at <stdin>:0): Cannot index {_type(value)} with {shown}")


def _each(value: Json) -> Iterator[Json]:
    yield from value.values() if isinstance(value, dict) else _list(value)


def _true(value: Json) -> bool:
    return value is not None and value is not False


_OPERATORS: dict[str, Callable[[Json, Json], Json]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": lambda a, b: _rank(a) < _rank(b),
    ">": lambda a, b: _rank(a) > _rank(b),
    "<=": lambda a, b: _rank(a) <= _rank(b),
    ">=": lambda a, b: _rank(a) >= _rank(b),
    "+": lambda a, b: _added(a, b),
    "-": operator.sub,
    "*": lambda a, b: _times(a, b),
    "/": operator.truediv,
    "and": lambda a, b: _true(a) and _true(b),
    "or": lambda a, b: _true(a) or _true(b),
    "//": lambda a, b: a if _true(a) else b,
}


def _times(a: Json, b: Json) -> Json:
    """Numbers; a text so often, none where it is not repeated (jq 1.6)."""
    if isinstance(a, str) and isinstance(b, (int, float)) and not isinstance(b, bool):
        if b <= 0:
            return None
        limits.hold(len(a) * math.ceil(min(b, limits.HELD + 1)), "jq")
        return a * math.ceil(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return _merged(a, b)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a * b
    raise TypeError


def _merged(a: dict[str, Json], b: dict[str, Json]) -> dict[str, Json]:
    merged = dict(a)
    for key, value in b.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _added(a: Json, b: Json) -> Json:
    limits.hold(sum(len(each) for each in (a, b) if isinstance(each, (str, list, dict))), "jq")
    made: dict[type, Callable[[Json, Json], Json]] = {dict: operator.or_}
    return b if a is None else a if b is None else made.get(type(a), operator.add)(a, b)


def _operated(name: str, left: Filter, right: Filter) -> Filter:
    def run(value: Json) -> Iterator[Json]:
        for other in right(value):
            for one in left(value):
                try:
                    yield _OPERATORS[name](one, other)
                except (TypeError, OverflowError):
                    raise QueryError(
                        f"error (at <stdin>:0): {_type(one)} and {_type(other)} cannot be combined by {name}"
                    ) from None

    return run


def _single(function: Callable[[Json], Json]) -> Filter:
    return lambda value: iter([function(value)])


def _split(text: str, mark: str) -> list[Json]:
    limits.hold(_PIECE * text.count(mark), "jq")
    return [*(text.split(mark) if mark else text)]


def _joined(values: list[Json], mark: str) -> str:
    texts = [str(value) for value in values]
    limits.hold(sum(map(len, texts)) + len(mark) * len(texts), "jq")
    return mark.join(texts)


_PIECE = 64  # bytes that an element takes
_WORDS: dict[str, Filter] = {
    "keys": _single(lambda value: [*sorted(value)] if isinstance(value, dict) else [*range(len(_list(value)))]),
    "length": _single(
        lambda value: 0 if value is None else abs(value) if isinstance(value, (int, float)) else len(value)
    ),
    "type": _single(_type),
    "not": _single(lambda value: not _true(value)),
    "add": _single(lambda value: reduce(_added, _each(value), None)),
    "to_entries": _single(
        lambda value: [{"key": key, "value": item} for key, item in value.items()] if isinstance(value, dict) else []
    ),
    "sort": _single(lambda value: sorted(_list(value), key=_rank)),
    "unique": _single(lambda value: [next(same) for _, same in groupby(sorted(_list(value), key=_rank), _rank)]),
    "reverse": _single(lambda value: _list(value)[::-1]),
    "first": _single(lambda value: _list(value)[0]),
    "last": _single(lambda value: _list(value)[-1]),
    "empty": lambda value: iter(()),
    "tostring": _single(lambda value: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))),
    "tonumber": _single(lambda value: json.loads(value) if isinstance(value, str) else value),
}
_WITH: dict[str, Callable[[Filter], Filter]] = {
    "select": lambda test: lambda value: (value for found in test(value) if _true(found)),
    "map": lambda inner: lambda value: iter([[out for item in _counted(_each(value)) for out in inner(item)]]),
    "has": lambda key: lambda value: (_contains(value, name) for name in key(value)),
    "join": lambda mark: lambda value: (_joined(_list(value), _text(text)) for text in mark(value)),
    "split": lambda mark: lambda value: (_split(_text(value), _text(text)) for text in mark(value)),
    "startswith": lambda head: lambda value: (_text(value).startswith(_text(text)) for text in head(value)),
    "endswith": lambda tail: lambda value: (_text(value).endswith(_text(text)) for text in tail(value)),
    "contains": lambda part: lambda value: (_contains(value, other) for other in part(value)),
}


def _contains(value: Json, part: Json) -> bool:
    return part in value if isinstance(value, (list, dict)) else _text(part) in _text(value)


def jq(tool: Tool) -> int:
    if not tool.operands:
        tool.usage()
    try:
        query = QueryParser(tool.operands[0]).whole()
    except QueryError as error:
        tool.process.stderr.write(f"jq: {error}\njq: 1 compile error\n")
        return 3
    last: Json = True
    for text in _texts(tool):
        for value in _values(tool, text):
            try:
                for result in query(value):
                    tool.tick()
                    tool.out(_shown(tool, result))
                    last = result
            except QueryError as error:
                tool.process.stderr.write(f"jq: {error}\n")
                tool.status = 5
    return tool.status or (int(not _true(last)) if tool.has("e") else 0)


def _texts(tool: Tool) -> Iterator[str]:
    if tool.has("n"):
        yield "null"
        return
    for _, content in tool.inputs(Say("", "error: Could not open {0}"), tool.operands[1:], status=2):
        yield text_of(tool.whole(content))


def _values(tool: Tool, text: str) -> Iterator[Json]:
    decoder, place = json.JSONDecoder(), 0
    while match := re.compile(r"\s*(?=\S)").match(text, place):
        try:
            value, place = decoder.raw_decode(text, match.end())
        except ValueError:
            tool.process.stderr.write("jq: parse error: Invalid literal at line 1, column 1\n")
            raise Done(2) from None
        yield value


def _shown(tool: Tool, value: Json) -> str:
    if isinstance(value, str) and tool.has("r", "j"):
        return value + ("" if tool.has("j") else "\n")
    compact = tool.has("c")
    indent = None if compact else tool.number("indent", 2)
    separators = (",", ":") if compact else (",", ": ")
    return json.dumps(value, indent=indent, separators=separators, ensure_ascii=False, sort_keys=tool.has("S")) + "\n"


UTILITIES = {
    "jq": Utility(
        jq,
        "",
        "r=raw-output c=compact-output n=null-input e=exit-status S=sort-keys s=slurp j=join-output M C =indent: =tab",
        bad=2,
        package="jq 1.6)",
    ),
}
