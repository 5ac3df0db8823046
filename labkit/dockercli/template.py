"""Go's text/template at work: a tree of nodes and a value make a text. docker's --format is this.

The functions beside Go's own are docker/cli's (templates/templates.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from labkit.dockercli import gotext
from labkit.dockercli.gotext import GoValue, Missing, Nil, Number, Struct, TableRow, show, type_name
from labkit.kernel import limits
from labkit.kernel.golang import quote

from .template_parse import (
    Action,
    Branch,
    Constant,
    Dot,
    Fields,
    FunctionName,
    Leave,
    Nothing,
    PipedCommand,
    PlainText,
    TemplateError,
    TemplateNode,
    TemplateParser,
    TemplatePipeline,
    TemplateVariable,
)

__all__ = ["HEADER_FUNCTIONS", "Template", "TemplateError"]


MISSING = Missing()


class CallError(Exception):
    """A function refuses its arguments."""


class Break(Exception):
    pass


class Continue(Exception):
    pass


def truth(value: GoValue) -> bool:
    if value is None or isinstance(value, (Missing, Nil)):
        return False
    if isinstance(value, (Struct, TableRow)):
        return True
    if isinstance(value, Number):
        return value != ""
    return bool(value)


def _string(value: GoValue, name: str) -> str:
    if isinstance(value, str) and not isinstance(value, Number):
        return str(value)
    if isinstance(value, Number):
        return str(value)
    if value is None or isinstance(value, Missing):
        raise CallError("invalid value; expected string")
    raise CallError(f"wrong type for value; expected string; got {type_name(value)}")


def _length(value: GoValue) -> int:
    if isinstance(value, Nil) and value.kind != "pointer":
        return 0
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, (list, dict)) and not isinstance(value, Struct):
        return len(value)
    if value is None or isinstance(value, Missing):
        raise CallError("error calling len: len of nil pointer")
    raise CallError(f"error calling len: len of type {type_name(value)}")


def _index(value: GoValue, keys: Sequence[GoValue]) -> GoValue:
    for key in keys:
        value = _index_one(value, key)
    return value


def _index_one(value: GoValue, key: GoValue) -> GoValue:
    if value is None or isinstance(value, Missing):
        raise CallError("error calling index: index of untyped nil")
    if isinstance(value, Nil):
        if value.kind == "map":
            return ""
        if value.kind == "slice":
            raise CallError(f"error calling index: index out of range: {key}")
        raise CallError("error calling index: index of nil pointer")
    if isinstance(value, dict) and not isinstance(value, Struct):
        if not isinstance(key, str):
            raise CallError(f"error calling index: value has type {type_name(key)}; should be string")
        missing = "" if all(type(item) is str for item in value.values()) and value else MISSING
        member: GoValue = value.get(key, missing)
        return member
    if isinstance(value, list) or (isinstance(value, str) and not isinstance(value, Number)):
        if isinstance(key, bool) or not isinstance(key, int):
            raise CallError(f"error calling index: cannot index slice/array with type {type_name(key)}")
        if not 0 <= key < len(value):
            raise CallError(f"error calling index: index out of range: {key}")
        return value[key] if isinstance(value, list) else value.encode()[key]
    raise CallError(f"error calling index: can't index item of type {type_name(value)}")


def _slice(value: GoValue, bounds: Sequence[GoValue]) -> GoValue:
    numbers = [_number(bound) for bound in bounds]
    low, high = (*numbers, *(0, _length(value))[len(numbers) :])[:2]
    if not 0 <= low <= high <= _length(value):
        raise CallError(f"error calling slice: index out of range: {high if high > _length(value) else low}")
    assert isinstance(value, (str, list))
    return value[low:high]


def _number(value: GoValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise CallError(f"wrong type for value; expected int; got {type_name(value)}")
    return value


def _basic(value: GoValue) -> tuple[str, str | float | None]:
    if isinstance(value, Number):
        return "string", str(value)
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "string")):
        if isinstance(value, kind):
            return name, value
    if value is None or isinstance(value, (Nil, Missing)):
        return "nil", None
    raise CallError(f"non-comparable type {show(value)}: {type_name(value)}")


def _equal(first: GoValue, others: Sequence[GoValue]) -> bool:
    if not others:
        raise CallError("error calling eq: missing argument for comparison")
    for other in others:
        try:
            left, right = _basic(first), _basic(other)
        except CallError as error:
            raise CallError(f"error calling eq: {error}") from None
        if left[0] != right[0] and "nil" not in (left[0], right[0]):
            raise CallError("error calling eq: incompatible types for comparison")
        if left == right:
            return True
    return False


def _less(first: GoValue, second: GoValue, name: str) -> bool:
    left, right = _basic(first), _basic(second)
    if left[0] != right[0]:
        raise CallError(f"error calling {name}: incompatible types for comparison")
    if left[0] in ("bool", "nil"):
        raise CallError(f"error calling {name}: invalid type for comparison")
    if isinstance(left[1], str) and isinstance(right[1], str):
        return left[1] < right[1]
    assert isinstance(left[1], (int, float)) and isinstance(right[1], (int, float))  # noqa: PT018 (of the same kind)
    return left[1] < right[1]


def _join(value: GoValue, separator: GoValue) -> str:
    items = [] if isinstance(value, Nil) and value.kind == "slice" else value
    if not isinstance(items, list) or any(type(item) is not str for item in items):
        raise CallError(f"wrong type for value; expected []string; got {type_name(value)}")
    return _string(separator, "join").join(items)


def _title(value: GoValue) -> str:
    text, before, result = _string(value, "title"), " ", ""
    for character in text:
        result += character.upper() if not (before.isalnum() or before in "_'") else character
        before = character
    return result


def _pad(value: GoValue, before: GoValue, after: GoValue) -> str:
    text, left, right = _string(value, "pad"), _number(before), _number(after)
    limits.hold(max(left, 0) + max(right, 0), "pad")
    return " " * left + text + " " * right if text else text


def _split(text: GoValue, separator: GoValue) -> list[str]:
    whole, sign = _string(text, "split"), _string(separator, "split")
    return whole.split(sign) if sign else list(whole)


@dataclass(frozen=True)
class GoFunction:
    """A function that templates can call. `least`: how many arguments it wants; `more`: or any number above that."""

    least: int
    call: Callable[[Sequence[GoValue]], GoValue]
    more: bool = False


_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
Calls: TypeAlias = Mapping[str, GoFunction]
FUNCTIONS: dict[str, GoFunction] = {
    "json": GoFunction(1, lambda given: gotext.to_json(given[0])),
    "split": GoFunction(2, lambda given: _split(given[0], given[1])),
    "join": GoFunction(2, lambda given: _join(given[0], given[1])),
    "title": GoFunction(1, lambda given: _title(given[0])),
    "lower": GoFunction(1, lambda given: _string(given[0], "lower").lower()),
    "upper": GoFunction(1, lambda given: _string(given[0], "upper").upper()),
    "pad": GoFunction(3, lambda given: _pad(given[0], given[1], given[2])),
    "truncate": GoFunction(2, lambda given: _string(given[0], "truncate")[: _number(given[1])]),
    "len": GoFunction(1, lambda given: _length(given[0])),
    "index": GoFunction(1, lambda given: _index(given[0], given[1:]), True),
    "slice": GoFunction(1, lambda given: _slice(given[0], given[1:]), True),
    "print": GoFunction(0, gotext.sprint, True),
    "println": GoFunction(0, gotext.sprintln, True),
    "printf": GoFunction(1, lambda given: gotext.sprintf(_string(given[0], "printf"), given[1:]), True),
    "not": GoFunction(1, lambda given: not truth(given[0])),
    "eq": GoFunction(1, lambda given: _equal(given[0], given[1:]), True),
    "ne": GoFunction(2, lambda given: not _equal(given[0], given[1:])),
    "lt": GoFunction(2, lambda given: _less(given[0], given[1], "lt")),
    "le": GoFunction(2, lambda given: _less(given[0], given[1], "le") or _equal(given[0], given[1:])),
    "gt": GoFunction(2, lambda given: not (_less(given[0], given[1], "gt") or _equal(given[0], given[1:]))),
    "ge": GoFunction(2, lambda given: not _less(given[0], given[1], "ge")),
    "html": GoFunction(0, lambda given: "".join(_HTML.get(sign, sign) for sign in gotext.sprint(given)), True),
}
LAZY = ("and", "or")
# A table's header: the functions leave the names of the columns as they are (templates.HeaderFunctions).
HEADER_FUNCTIONS: Calls = {
    name: GoFunction(FUNCTIONS[name].least, lambda given: given[0])
    for name in ("json", "split", "join", "title", "lower", "upper", "truncate")
}


class Template:
    """A parsed template. Raises TemplateError with Go's message when it cannot be read or does not fit a value."""

    def __init__(self, text: str, *, name: str = "", functions: Calls | None = None) -> None:
        self.source = text
        self.name = name
        self.functions = {**FUNCTIONS, **(functions or {})}
        self.nodes = TemplateParser(text, {*self.functions, *LAZY}, name).parse()

    def render(self, data: GoValue, *, strict: bool = False, functions: Calls | None = None) -> str:
        """The text for this value; `strict`: a key that a map does not have is an error."""
        run = _Run(self, data, strict, {**self.functions, **(functions or {})})
        run.walk(self.nodes, data)
        return "".join(run.pieces)


class _Run:
    def __init__(self, template: Template, data: GoValue, strict: bool, functions: Calls) -> None:
        self.template = template
        self.strict = strict
        self.functions = functions
        self.pieces: list[str] = []
        self.size = 0  # characters
        self.variables: list[tuple[str, GoValue]] = [("$", data)]

    def fail(self, node: TemplateNode, message: str) -> TemplateError:
        source = self.template.source
        line = source.count("\n", 0, node.place) + 1
        column = len(source[source.rfind("\n", 0, node.place) + 1 : node.place].encode())
        name = self.template.name
        return TemplateError(f'template: {name}:{line}:{column}: executing "{name}" at <{node.text}>: {message}')

    def walk(self, nodes: list[TemplateNode], dot: GoValue) -> None:
        for node in nodes:
            limits.tick()
            if isinstance(node, PlainText):
                self._print(node.text)
            elif isinstance(node, Action) and node.pipeline:
                value = self.pipeline(node.pipeline, dot)
                if not node.pipeline.variables:
                    self._print(self._printed(value))
            elif isinstance(node, Leave):
                raise Break if node.kind == "break" else Continue
            elif isinstance(node, Branch):
                known = len(self.variables)
                self._branch(node, dot)
                del self.variables[known:]

    def _print(self, text: str) -> None:
        self.size += len(text)
        limits.hold(self.size if self.size > limits.HELD else len(text), "the template")
        self.pieces.append(text)

    def _printed(self, value: GoValue) -> str:
        return "<no value>" if value is None or isinstance(value, Missing) else show(value)

    def _branch(self, node: Branch, dot: GoValue) -> None:
        assert node.pipeline
        if node.kind == "range":
            self._range(node, dot)
            return
        value = self.pipeline(node.pipeline, dot)
        if truth(value):
            self.walk(node.body, value if node.kind == "with" else dot)
        else:
            self.walk(node.otherwise, dot)

    def _range(self, node: Branch, dot: GoValue) -> None:
        assert node.pipeline
        names = node.pipeline.variables if node.pipeline.declares else []
        value = self.pipeline(node.pipeline, dot)
        known = len(self.variables)
        empty = True
        for key, item in self._items(node.pipeline, value):
            empty = False
            limits.tick()
            del self.variables[known:]
            self.variables += zip(names, (item,) if len(names) == 1 else (key, item), strict=False)
            try:
                self.walk(node.body, item)
            except Continue:
                continue
            except Break:
                break
        if empty:
            self.walk(node.otherwise, dot)

    def _items(self, node: TemplatePipeline, value: GoValue) -> Iterator[tuple[GoValue, GoValue]]:
        if value is None or isinstance(value, (Missing, Nil)):
            return iter(())
        if isinstance(value, dict) and not isinstance(value, Struct):
            return iter([(key, value[key]) for key in sorted(value)])
        if isinstance(value, list):
            return iter(list(enumerate(value)))
        if isinstance(value, int) and not isinstance(value, bool):
            return ((number, number) for number in range(value))
        raise self.fail(node, f"range can't iterate over {show(value)}")

    # values

    def pipeline(self, node: TemplatePipeline, dot: GoValue) -> GoValue:
        value: GoValue = MISSING
        for number, command in enumerate(node.commands):
            value = self._command(command, dot, [value] if number else [])
        if node.variables and not (node.declares and node.text.startswith("range")):
            self._assign(node, value)
        return value

    def _assign(self, node: TemplatePipeline, value: GoValue) -> None:
        if node.declares:
            self.variables += [(name, value) for name in node.variables]
            return
        for name in node.variables:
            place = max(place for place, (known, _) in enumerate(self.variables) if known == name)
            self.variables[place] = (name, value)

    def _command(self, node: PipedCommand, dot: GoValue, final: list[GoValue]) -> GoValue:
        first, *rest = node.words
        if isinstance(first, FunctionName):
            return self._call(first, node, rest, dot, final)
        if isinstance(first, Fields):
            return self._fields(first, dot, [self._value(word, dot) for word in rest] + final)
        if rest or final:
            raise self.fail(first, f"can't give argument to non-function {first.text}")
        if isinstance(first, Nothing):
            raise self.fail(first, "nil is not a command")
        return self._value(first, dot)

    def _value(self, node: TemplateNode, dot: GoValue) -> GoValue:
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Dot):
            return dot
        if isinstance(node, TemplateVariable):
            return next(value for name, value in reversed(self.variables) if name == node.name)
        if isinstance(node, Fields):
            return self._fields(node, dot, [])
        if isinstance(node, TemplatePipeline):
            return self.pipeline(node, dot)
        if isinstance(node, FunctionName):
            return self._call(node, node, [], dot, [])
        return None

    def _fields(self, node: Fields, dot: GoValue, arguments: list[GoValue]) -> GoValue:
        value = dot if node.base is None else self._value(node.base, dot)
        for name in node.names[:-1]:
            value = self._field(node, value, name, [])
        return self._field(node, value, node.names[-1], arguments)

    def _field(self, node: Fields, value: GoValue, name: str, arguments: list[GoValue]) -> GoValue:
        if isinstance(value, TableRow) and name in value.fields:
            self._wanted(node, name, 0, arguments)
            return value.fields[name]()
        if isinstance(value, TableRow) and name == "Label" and value.label:
            self._wanted(node, name, 1, arguments)
            return value.label(str(arguments[0]))
        if isinstance(value, Nil) and value.kind == "pointer":
            raise self.fail(node, f"nil pointer evaluating {value.type_name or 'interface {}'}.{name}")
        if value is None or isinstance(value, Missing):
            kind = "interface {}" if value is None else ""
            if not kind:
                raise self.fail(node, f"nil data; no entry for key {quote(name)}")
            raise self.fail(node, f"nil pointer evaluating {kind}.{name}")
        if arguments and isinstance(value, dict):
            raise self.fail(node, f"{name} is not a method but has arguments")
        if isinstance(value, Struct) and name in value:
            return value[name]
        if isinstance(value, dict) and not isinstance(value, Struct):
            if name in value:
                member: GoValue = value[name]
                return member
            if self.strict:
                raise self.fail(node, f'map has no entry for key "{name}"')
            return MISSING
        raise self.fail(node, f"can't evaluate field {name} in type {type_name(value)}")

    def _wanted(self, node: TemplateNode, name: str, count: int, arguments: Sequence[GoValue]) -> None:
        if len(arguments) != count:
            raise self.fail(node, f"wrong number of args for {name}: want {count} got {len(arguments)}")

    def _call(
        self, node: FunctionName, whole: TemplateNode, words: list[TemplateNode], dot: GoValue, final: list[GoValue]
    ) -> GoValue:
        if node.name in LAZY:
            return self._lazy(node, words, dot, final)
        arguments = [self._value(word, dot) for word in words] + final
        function = self.functions[node.name]
        if not function.more or len(arguments) < function.least:
            self._wanted(_at(node, whole), node.name, function.least, arguments)
        try:
            value = function.call(arguments)
            limits.hold(len(value) if isinstance(value, (str, list)) else 0, "the template")
            return value
        except CallError as error:
            text = str(error)
            if text.startswith(("wrong type", "invalid value")):
                raise self.fail(words[0] if words else whole, text) from None
            text = text if text.startswith("error calling") else f"error calling {node.name}: {text}"
            raise self.fail(_at(node, whole), text) from None

    def _lazy(self, node: FunctionName, words: list[TemplateNode], dot: GoValue, final: list[GoValue]) -> GoValue:
        value: GoValue = MISSING
        for word in words:
            value = self._value(word, dot)
            if truth(value) == (node.name == "or"):
                return value
        return final[0] if final else value


def _at(node: FunctionName, whole: TemplateNode) -> TemplateNode:
    """Where Go sees a function's failure: at the function's name, with the whole command as text."""
    return TemplateNode(node.place, whole.text)
