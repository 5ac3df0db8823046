"""Go's text/template at work: a tree of nodes and a value make a text. docker's --format is this.

The functions beside Go's own are docker/cli's (templates/templates.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import gotext
from .gotext import Nil, Number, Row, Struct, show, type_name
from .template_parse import (
    Action,
    Branch,
    Command,
    Constant,
    Dot,
    Fields,
    Function,
    Leave,
    Node,
    Nothing,
    Parser,
    Pipeline,
    TemplateError,
    Text,
    Variable,
)
from .units import quote

__all__ = ["HEADER_FUNCTIONS", "Template", "TemplateError"]


class Missing:
    """What a map has under a key that it does not have: prints as <no value>."""


MISSING = Missing()


class CallError(Exception):
    """A function refuses its arguments."""


class Break(Exception):
    pass


class Continue(Exception):
    pass


def truth(value: Any) -> bool:
    if value is None or isinstance(value, (Missing, Nil)):
        return False
    if isinstance(value, (Struct, Row)):
        return True
    if isinstance(value, Number):
        return value != ""
    return bool(value)


def _string(value: Any, name: str) -> str:
    if isinstance(value, str) and not isinstance(value, Number):
        return str(value)
    if isinstance(value, Number):
        return str(value)
    if value is None or isinstance(value, Missing):
        raise CallError("invalid value; expected string")
    raise CallError(f"wrong type for value; expected string; got {type_name(value)}")


def _length(value: Any) -> int:
    if isinstance(value, Nil) and value.kind != "pointer":
        return 0
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, (list, dict)) and not isinstance(value, Struct):
        return len(value)
    if value is None or isinstance(value, Missing):
        raise CallError("error calling len: len of nil pointer")
    raise CallError(f"error calling len: len of type {type_name(value)}")


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        value = _index_one(value, key)
    return value


def _index_one(value: Any, key: Any) -> Any:
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
        return value.get(key, "" if all(type(item) is str for item in value.values()) and value else MISSING)
    if isinstance(value, list) or (isinstance(value, str) and not isinstance(value, Number)):
        if isinstance(key, bool) or not isinstance(key, int):
            raise CallError(f"error calling index: cannot index slice/array with type {type_name(key)}")
        if not 0 <= key < len(value):
            raise CallError(f"error calling index: index out of range: {key}")
        return value[key] if isinstance(value, list) else value.encode()[key]
    raise CallError(f"error calling index: can't index item of type {type_name(value)}")


def _slice(value: Any, *bounds: int) -> Any:
    low, high = (*bounds, *(0, _length(value))[len(bounds) :])[:2]
    if not 0 <= low <= high <= _length(value):
        raise CallError(f"error calling slice: index out of range: {high if high > _length(value) else low}")
    return value[low:high]


def _basic(value: Any) -> tuple[str, Any]:
    if isinstance(value, Number):
        return "string", str(value)
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "string")):
        if isinstance(value, kind):
            return name, value
    if value is None or isinstance(value, (Nil, Missing)):
        return "nil", None
    raise CallError(f"non-comparable type {show(value)}: {type_name(value)}")


def _equal(first: Any, *others: Any) -> bool:
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


def _less(first: Any, second: Any, name: str) -> bool:
    left, right = _basic(first), _basic(second)
    if left[0] != right[0]:
        raise CallError(f"error calling {name}: incompatible types for comparison")
    if left[0] in ("bool", "nil"):
        raise CallError(f"error calling {name}: invalid type for comparison")
    return bool(left[1] < right[1])


def _join(value: Any, separator: Any) -> str:
    items = [] if isinstance(value, Nil) and value.kind == "slice" else value
    if not isinstance(items, list) or any(type(item) is not str for item in items):
        raise CallError(f"wrong type for value; expected []string; got {type_name(value)}")
    return _string(separator, "join").join(items)


def _title(value: Any) -> str:
    text, before, result = _string(value, "title"), " ", ""
    for character in text:
        result += character.upper() if not (before.isalnum() or before in "_'") else character
        before = character
    return result


def _pad(value: Any, before: int, after: int) -> str:
    text = _string(value, "pad")
    return " " * before + text + " " * after if text else text


def _truncate(value: Any, length: int) -> str:
    return _string(value, "truncate")[:length]


_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
Calls = dict[str, Callable[..., Any]]
FUNCTIONS: Calls = {
    "json": gotext.to_json,
    "split": lambda text, separator: _string(text, "split").split(separator) if separator else list(text),
    "join": _join,
    "title": _title,
    "lower": lambda text: _string(text, "lower").lower(),
    "upper": lambda text: _string(text, "upper").upper(),
    "pad": _pad,
    "truncate": _truncate,
    "len": _length,
    "index": _index,
    "slice": _slice,
    "print": lambda *values: gotext.sprint(list(values)),
    "println": lambda *values: gotext.sprintln(list(values)),
    "printf": lambda form, *values: gotext.sprintf(form, list(values)),
    "not": lambda value: not truth(value),
    "eq": _equal,
    "ne": lambda first, second: not _equal(first, second),
    "lt": lambda first, second: _less(first, second, "lt"),
    "le": lambda first, second: _less(first, second, "le") or _equal(first, second),
    "gt": lambda first, second: not (_less(first, second, "gt") or _equal(first, second)),
    "ge": lambda first, second: not _less(first, second, "ge"),
    "html": lambda *values: "".join(_HTML.get(character, character) for character in gotext.sprint(list(values))),
}
LAZY = ("and", "or")
# A table's header: the functions leave the names of the columns as they are (templates.HeaderFunctions).
HEADER_FUNCTIONS: Calls = {
    "json": lambda text: text,
    "split": lambda text, separator: text,
    "join": lambda text, separator: text,
    "title": lambda text: text,
    "lower": lambda text: text,
    "upper": lambda text: text,
    "truncate": lambda text, length: text,
}


class Template:
    """A parsed template. Raises TemplateError with Go's message when it cannot be read or does not fit a value."""

    def __init__(self, text: str, *, name: str = "", functions: Calls | None = None) -> None:
        self.source = text
        self.name = name
        self.functions = FUNCTIONS | (functions or {})
        self.nodes = Parser(text, {*self.functions, *LAZY}, name).parse()

    def render(self, data: Any, *, strict: bool = False, functions: Calls | None = None) -> str:
        """The text for this value; `strict`: a key that a map does not have is an error."""
        run = _Run(self, data, strict, self.functions | (functions or {}))
        run.walk(self.nodes, data)
        return "".join(run.pieces)


class _Run:
    def __init__(self, template: Template, data: Any, strict: bool, functions: Calls) -> None:
        self.template = template
        self.strict = strict
        self.functions = functions
        self.pieces: list[str] = []
        self.variables: list[tuple[str, Any]] = [("$", data)]

    def fail(self, node: Node, message: str) -> TemplateError:
        source = self.template.source
        line = source.count("\n", 0, node.place) + 1
        column = len(source[source.rfind("\n", 0, node.place) + 1 : node.place].encode())
        name = self.template.name
        return TemplateError(f'template: {name}:{line}:{column}: executing "{name}" at <{node.text}>: {message}')

    def walk(self, nodes: list[Node], dot: Any) -> None:
        for node in nodes:
            if isinstance(node, Text):
                self.pieces.append(node.text)
            elif isinstance(node, Action) and node.pipeline:
                value = self.pipeline(node.pipeline, dot)
                if not node.pipeline.variables:
                    self.pieces.append(self._printed(value))
            elif isinstance(node, Leave):
                raise Break if node.kind == "break" else Continue
            elif isinstance(node, Branch):
                known = len(self.variables)
                self._branch(node, dot)
                del self.variables[known:]

    def _printed(self, value: Any) -> str:
        return "<no value>" if value is None or isinstance(value, Missing) else show(value)

    def _branch(self, node: Branch, dot: Any) -> None:
        assert node.pipeline
        if node.kind == "range":
            self._range(node, dot)
            return
        value = self.pipeline(node.pipeline, dot)
        if truth(value):
            self.walk(node.body, value if node.kind == "with" else dot)
        else:
            self.walk(node.otherwise, dot)

    def _range(self, node: Branch, dot: Any) -> None:
        assert node.pipeline
        names = node.pipeline.variables if node.pipeline.declares else []
        value = self.pipeline(node.pipeline, dot)
        known = len(self.variables)
        empty = True
        for key, item in self._items(node.pipeline, value):
            empty = False
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

    def _items(self, node: Pipeline, value: Any) -> Iterator[tuple[Any, Any]]:
        if value is None or isinstance(value, (Missing, Nil)):
            return iter(())
        if isinstance(value, dict) and not isinstance(value, Struct):
            return iter([(key, value[key]) for key in sorted(value)])
        if isinstance(value, list):
            return iter(list(enumerate(value)))
        if isinstance(value, int) and not isinstance(value, bool):
            return iter([(number, number) for number in range(value)])
        raise self.fail(node, f"range can't iterate over {show(value)}")

    # values

    def pipeline(self, node: Pipeline, dot: Any) -> Any:
        value: Any = MISSING
        for number, command in enumerate(node.commands):
            value = self._command(command, dot, [value] if number else [])
        if node.variables and not (node.declares and node.text.startswith("range")):
            self._assign(node, value)
        return value

    def _assign(self, node: Pipeline, value: Any) -> None:
        if node.declares:
            self.variables += [(name, value) for name in node.variables]
            return
        for name in node.variables:
            place = max(place for place, (known, _) in enumerate(self.variables) if known == name)
            self.variables[place] = (name, value)

    def _command(self, node: Command, dot: Any, final: list[Any]) -> Any:
        first, *rest = node.words
        if isinstance(first, Function):
            return self._call(first, node, rest, dot, final)
        if isinstance(first, Fields):
            return self._fields(first, dot, [self._value(word, dot) for word in rest] + final)
        if rest or final:
            raise self.fail(first, f"can't give argument to non-function {first.text}")
        if isinstance(first, Nothing):
            raise self.fail(first, "nil is not a command")
        return self._value(first, dot)

    def _value(self, node: Node, dot: Any) -> Any:
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Dot):
            return dot
        if isinstance(node, Variable):
            return next(value for name, value in reversed(self.variables) if name == node.name)
        if isinstance(node, Fields):
            return self._fields(node, dot, [])
        if isinstance(node, Pipeline):
            return self.pipeline(node, dot)
        if isinstance(node, Function):
            return self._call(node, node, [], dot, [])
        return None

    def _fields(self, node: Fields, dot: Any, arguments: list[Any]) -> Any:
        value = dot if node.base is None else self._value(node.base, dot)
        for name in node.names[:-1]:
            value = self._field(node, value, name, [])
        return self._field(node, value, node.names[-1], arguments)

    def _field(self, node: Fields, value: Any, name: str, arguments: list[Any]) -> Any:
        if isinstance(value, Row) and name in value.fields:
            return self._method(node, value.fields[name], name, arguments)
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
                return value[name]
            if self.strict:
                raise self.fail(node, f'map has no entry for key "{name}"')
            return MISSING
        raise self.fail(node, f"can't evaluate field {name} in type {type_name(value)}")

    def _method(self, node: Fields, method: Callable[..., Any], name: str, arguments: list[Any]) -> Any:
        wanted = getattr(method, "__code__", None)
        count = wanted.co_argcount - len(method.__defaults__ or ()) if wanted else 0
        if len(arguments) != count:
            raise self.fail(node, f"wrong number of args for {name}: want {count} got {len(arguments)}")
        return method(*arguments)

    def _call(self, node: Function, whole: Node, words: list[Node], dot: Any, final: list[Any]) -> Any:
        if node.name in LAZY:
            return self._lazy(node, words, dot, final)
        arguments = [self._value(word, dot) for word in words] + final
        try:
            return self.functions[node.name](*arguments)
        except CallError as error:
            text = str(error)
            at: Node = node
            if text.startswith(("wrong type", "invalid value")):
                at = words[0] if words else whole
            else:
                text = text if text.startswith("error calling") else f"error calling {node.name}: {text}"
            raise self.fail(at if at is not node else _at(node, whole), text) from None
        except TypeError:
            count = self.functions[node.name].__code__.co_argcount
            message = f"wrong number of args for {node.name}: want {count} got {len(arguments)}"
            raise self.fail(_at(node, whole), message) from None

    def _lazy(self, node: Function, words: list[Node], dot: Any, final: list[Any]) -> Any:
        value: Any = MISSING
        for word in words:
            value = self._value(word, dot)
            if truth(value) == (node.name == "or"):
                return value
        return final[0] if final else value


def _at(node: Function, whole: Node) -> Node:
    """Where Go sees a function's failure: at the function's name, with the whole command as text."""
    return Node(node.place, whole.text)
