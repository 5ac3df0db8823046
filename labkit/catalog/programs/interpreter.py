"""A small part of the Python language, enough for the scripts of the lessons; the rest is refused by name.

It knows print, names, texts, numbers, lists and dicts, if, for, while, with open, imports of packages that are there
(and fails as Python does for those that are not), and servers of Flask and http.server, which wait. No code of a
learner's runs in the Python that runs labkit: this walks the syntax tree itself. A value of the script is a value of
the same type here, or an object of this file.
"""

from __future__ import annotations

import ast
import builtins
import operator
import os
from collections.abc import Container, Iterable, Iterator
from typing import Protocol, runtime_checkable

from labkit.catalog.programs import pip, web
from labkit.catalog.programs.support import complain
from labkit.kernel.process import Process

_MODULES = {
    "argparse", "base64", "collections", "csv", "datetime", "functools", "glob", "hashlib", "http", "io", "itertools",
    "json", "logging", "math", "os", "pathlib", "random", "re", "shutil", "socket", "sqlite3", "string", "subprocess",
    "sys", "tempfile", "threading", "time", "typing", "urllib", "uuid", "__future__",
}  # fmt: skip
_LONGEST = 1 << 20  # characters or elements of one value
# The functions of the module operator that do it.
_SIGNS: dict[type[ast.unaryop], str] = {ast.Not: "not_", ast.USub: "neg"}
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv", ast.Mod: "mod",
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
    ast.Is: "is_", ast.IsNot: "is_not",
}  # fmt: skip
_PURE = {  # of the module builtins
    "len", "str", "int", "float", "sum", "min", "max", "sorted", "repr", "list", "bool", "abs", "round",
}  # fmt: skip
_METHODS = {
    str: {
        "strip", "split", "upper", "lower", "title", "join", "startswith", "endswith", "splitlines", "rstrip", "lstrip",
        "count", "replace",
    },
    list: {"append", "sort", "reverse", "index", "count"},
    dict: {"get", "keys", "values", "items"},
}  # fmt: skip


def interpret(process: Process, interpreter: Interpreter, source: str, name: str) -> int | None:
    """Run a text; the exit status where it asks for one. `interpreter.failed` says whether something went wrong."""
    interpreter.failed = 1
    try:
        tree = ast.parse(source if len(source) <= _LONGEST else "None = 'the script is too long'")
        interpreter.block(tree.body)
        interpreter.failed = 0
    except _Exit as stop:
        return stop.status
    except _Refused as refused:
        complain(process, f"python: {name}, line {interpreter.line}: this simulated Python knows no {refused}")
    except (SyntaxError, RecursionError, MemoryError) as error:
        lines, number = source.splitlines() or [""], getattr(error, "lineno", None) or 1
        text = lines[min(number, len(lines)) - 1].strip()[:80]
        complain(
            process, f'  File "{name}", line {number}', f"    {text}", f"SyntaxError: {getattr(error, 'msg', error)}"
        )
    except (_Wrong, ArithmeticError, TypeError, ValueError, LookupError, AttributeError, OSError) as error:
        where = f'  File "{name}", line {interpreter.line}, in <module>'
        complain(process, "Traceback (most recent call last):", where, _message(error))
    return None


def _message(error: Exception) -> str:
    if isinstance(error, _Wrong):
        return str(error)
    if isinstance(error, OSError):
        return f"{type(error).__name__}: [Errno {error.errno}] {error.strerror}: {error.filename!r}"
    return f"{type(error).__name__}: {error}"


@runtime_checkable
class _Indexed(Protocol):
    """A value with places."""

    def __getitem__(self, place: object, /) -> object: ...


@runtime_checkable
class _Changeable(Protocol):
    """A value whose places can be given others."""

    def __setitem__(self, place: object, value: object, /) -> None: ...


class _Exit(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


class _Refused(Exception):
    """Something that is not in this part of the language."""


class _Wrong(Exception):
    """An exception of the script, as its last line says it."""


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Module(str):
    """An imported name: `os`, `time.sleep`…"""


class _App(str):
    """A Flask application."""


class _Bound(tuple[object, str]):
    """A value and the name of one of its methods."""


class _File:
    """An open file of the script."""

    def __init__(self, process: Process, path: str, mode: str) -> None:
        self.process, self.path, self.mode = process, path, mode
        if "r" in mode:
            self.text = process.files.read(path).decode("utf-8", "replace")
        else:
            process.files.append(path, b"") if "a" in mode else process.files.write(path, b"")

    def read(self) -> str:
        return self.text

    def readlines(self) -> list[str]:
        return self.text.splitlines(keepends=True)

    def write(self, text: str) -> int:
        self.process.files.append(self.path, text.encode())
        return len(text)

    def close(self) -> None:
        pass


class Interpreter:
    def __init__(self, process: Process, name: str, arguments: list[str]) -> None:
        self.process = process
        self.line = 1
        self.names: dict[str, object] = {"__name__": "__main__", "__file__": name}
        self.arguments = [name if name != "<string>" else "-c", *arguments]
        self.talking = False  # at a terminal: the value of an expression is shown
        self.failed = 0  # exit status
        self.app = os.path.basename(name).removesuffix(".py")

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.process.tick()
            self.line = statement.lineno
            known = getattr(self, f"_do_{type(statement).__name__.lower()}", None)
            if known is None:
                raise _Refused(f"'{_words(statement)}'")
            known(statement)

    def _do_expr(self, node: ast.Expr) -> None:
        value = self.value(node.value)
        if self.talking and value is not None:
            self._call_print(repr(value))

    def _do_pass(self, node: ast.Pass) -> None:
        pass

    def _do_break(self, node: ast.Break) -> None:
        raise _Break

    def _do_continue(self, node: ast.Continue) -> None:
        raise _Continue

    def _do_functiondef(self, node: ast.FunctionDef) -> None:
        """Known, not called: a route of a server."""
        self.names[node.name] = _Module(node.name)

    def _do_import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._find(alias.name)
            self.names[alias.asname or alias.name.split(".")[0]] = _Module(
                alias.name if alias.asname else alias.name.split(".")[0]
            )

    def _do_importfrom(self, node: ast.ImportFrom) -> None:
        self._find(node.module or "")
        for alias in node.names:
            self.names[alias.asname or alias.name] = _Module(f"{node.module}.{alias.name}")

    def _find(self, name: str) -> None:
        """Fails as Python does where a package is not installed."""
        top = name.split(".")[0]
        site = f"{pip.site_packages(self.process)}/{top}"
        files = self.process.files
        here = os.path.dirname(self.arguments[0]) or "."
        if (
            top in _MODULES
            or files.exists(site)
            or files.exists(f"{site}.py")
            or files.exists(f"{here}/{top}.py")
            or files.is_dir(f"{here}/{top}")
        ):
            return
        raise _Wrong(f"ModuleNotFoundError: No module named '{top}'")

    def _do_assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self._store(target, value)

    def _store(self, target: ast.expr, value: object) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Subscript) and isinstance(held := self.value(target.value), _Changeable):
            held[self.value(target.slice)] = value
        elif isinstance(target, ast.Tuple):
            for part, item in zip(target.elts, _items(value), strict=True):
                self._store(part, item)
        else:
            raise _Refused("such assignment")

    def _do_augassign(self, node: ast.AugAssign) -> None:
        load = ast.Name(node.target.id, ast.Load()) if isinstance(node.target, ast.Name) else node.target
        self._store(node.target, self.value(ast.copy_location(ast.BinOp(load, node.op, node.value), node)))

    def _do_if(self, node: ast.If) -> None:
        self.block(node.body if self.value(node.test) else node.orelse)

    def _do_for(self, node: ast.For) -> None:
        for item in _items(self.value(node.iter)):
            self.process.tick()
            self._store(node.target, item)
            if not self._once(node.body):
                break

    def _do_while(self, node: ast.While) -> None:
        while self.value(node.test):
            self.process.tick()
            if not self._once(node.body):
                break

    def _once(self, body: list[ast.stmt]) -> bool:
        """One turn of a loop; False after a break."""
        try:
            self.block(body)
        except _Break:
            return False
        except _Continue:
            pass
        return True

    def _do_with(self, node: ast.With) -> None:
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self._store(item.optional_vars, value)
        self.block(node.body)

    def value(self, node: ast.expr) -> object:
        known = getattr(self, f"_get_{type(node).__name__.lower()}", None)
        if known is None:
            raise _Refused(f"'{_words(node)}'")
        found: object = known(node)
        if (isinstance(found, (str, list)) and len(found) > _LONGEST) or (
            isinstance(found, int) and found.bit_length() > 4096
        ):
            raise _Refused("value as large as that")
        return found

    def _get_constant(self, node: ast.Constant) -> object:
        return node.value

    def _get_name(self, node: ast.Name) -> object:
        if node.id in self.names:
            return self.names[node.id]
        if node.id in _PURE or node.id in ("print", "open", "range", "exit", "quit", "enumerate"):
            return _Module(node.id)
        raise _Wrong(f"NameError: name '{node.id}' is not defined")

    def _get_joinedstr(self, node: ast.JoinedStr) -> str:
        return "".join(str(self.value(part)) for part in node.values)

    def _get_formattedvalue(self, node: ast.FormattedValue) -> str:
        value = self.value(node.value)
        _weigh(value)
        pattern = str(self.value(node.format_spec)) if node.format_spec else ""
        if any(len(run) > 4 for run in "".join(c if c.isdigit() else " " for c in pattern).split()):
            raise _Refused("value as large as that")
        return format(repr(value) if node.conversion == 114 else value, pattern)

    def _get_list(self, node: ast.List) -> list[object]:
        return [self.value(part) for part in node.elts]

    def _get_tuple(self, node: ast.Tuple) -> tuple[object, ...]:
        return tuple(self.value(part) for part in node.elts)

    def _get_dict(self, node: ast.Dict) -> dict[object, object]:
        pairs = zip(node.keys, node.values, strict=True)
        return {self.value(key): self.value(value) for key, value in pairs if key is not None}

    def _get_binop(self, node: ast.BinOp) -> object:
        left, right = self.value(node.left), self.value(node.right)
        name = _OPERATORS.get(type(node.op))
        if name is None or (isinstance(node.op, ast.Mod) and isinstance(left, str)):
            raise _Refused("such operator")
        sizes = [
            len(side) * other
            for side, other in ((left, right), (right, left))
            if isinstance(side, (str, list, tuple)) and isinstance(other, int)
        ]
        if isinstance(node.op, ast.Mult) and any(size > _LONGEST for size in sizes):
            raise _Refused("value as large as that")
        return _applied(name, left, right)

    def _get_unaryop(self, node: ast.UnaryOp) -> object:
        value = self.value(node.operand)
        return _applied(_SIGNS[type(node.op)], value) if type(node.op) in _SIGNS else value

    def _get_boolop(self, node: ast.BoolOp) -> object:
        stop = isinstance(node.op, ast.Or)
        value: object = None
        for part in node.values:
            value = self.value(part)
            if bool(value) == stop:
                break
        return value

    def _get_compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for sign, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part)
            if isinstance(sign, ast.In | ast.NotIn):
                holds = _within(left, right) == isinstance(sign, ast.In)
            else:
                holds = bool(_applied(_COMPARISONS[type(sign)], left, right))
            if not holds:
                return False
            left = right
        return True

    def _get_ifexp(self, node: ast.IfExp) -> object:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def _get_subscript(self, node: ast.Subscript) -> object:
        held, place = self.value(node.value), self.value(node.slice)
        if held == "os.environ":
            held = self.process.env
        if not isinstance(held, _Indexed):
            raise TypeError(f"'{type(held).__name__}' object is not subscriptable")
        return held[place]

    def _get_attribute(self, node: ast.Attribute) -> object:
        held = self.value(node.value)
        if isinstance(held, _Module):
            return self.arguments if (held, node.attr) == ("sys", "argv") else _Module(f"{held}.{node.attr}")
        if isinstance(held, _App):
            return _Module(f"app.{node.attr}")
        return _Bound((held, node.attr))

    def _get_call(self, node: ast.Call) -> object:
        called = self.value(node.func)
        given = [self.value(part) for part in node.args]
        named = {word.arg: self.value(word.value) for word in node.keywords if word.arg}
        if isinstance(called, _Bound):
            return self._method(called[0], called[1], given)
        if not isinstance(called, _Module):
            raise _Wrong(f"TypeError: '{type(called).__name__}' object is not callable")
        if called in _PURE:
            _weigh([given, named])
            made: object = getattr(builtins, called)(*given, **named)
            return made
        known = getattr(self, f"_call_{called.replace('.', '_').lower()}", None)
        if known is None:
            raise _Refused(f"'{called}()'")
        answer: object = known(*given, **named)
        return answer

    def _method(self, held: object, name: str, given: list[object]) -> object:
        allowed = next((names for kind, names in _METHODS.items() if type(held) is kind), set())
        if name == "replace" and isinstance(held, str) and given[1:]:
            _weigh(range(len(held) * max(1, len(str(given[1])))))
        _weigh([held if isinstance(held, (str, list, dict)) else "", given])
        if (isinstance(held, _File) and name in ("read", "readlines", "write", "close")) or name in allowed:
            answer: object = getattr(held, name)(*given)
            return answer
        raise _Refused(f"'.{name}()'")

    def _call_print(
        self, *values: object, sep: str = " ", end: str = "\n", file: object = None, flush: bool = False
    ) -> None:
        _weigh(values)
        stream = self.process.stderr if file == "sys.stderr" else self.process.stdout
        stream.write(sep.join(map(str, values)) + end)

    def _call_open(self, path: str, mode: str = "r", encoding: str = "utf-8") -> _File:
        try:
            return _File(self.process, path, mode)
        except FileNotFoundError:
            raise _Wrong(f"FileNotFoundError: [Errno 2] No such file or directory: {path!r}") from None

    def _call_range(self, *bounds: int) -> range:
        return range(*bounds)

    def _call_enumerate(self, items: object, start: int = 0) -> Iterator[tuple[int, object]]:
        return enumerate(_items(items), start)

    def _call_exit(self, status: object = 0) -> None:
        raise _Exit(status if isinstance(status, int) else 1)

    _call_quit = _call_sys_exit = _call_exit

    def _call_time_sleep(self, seconds: float) -> None:
        self.process.sleep(seconds)

    def _call_os_getenv(self, name: str, default: str | None = None) -> str | None:
        return self.process.env.get(name, default)

    _call_os_environ_get = _call_os_getenv

    def _call_os_listdir(self, path: str = ".") -> list[str]:
        return self.process.files.listdir(path)

    def _call_os_getcwd(self) -> str:
        return self.process.files.cwd

    def _call_os_path_exists(self, path: str) -> bool:
        return self.process.files.exists(path)

    def _call_os_makedirs(self, path: str, exist_ok: bool = False) -> None:
        self.process.files.makedirs(path)

    def _call_flask_flask(self, *given: object, **named: object) -> _App:
        return _App(self.app)

    def _call_app_run(self, host: str = "127.0.0.1", port: int = 5000, debug: bool = False) -> None:
        raise _Exit(web.serve(self.process, self.app, host, str(port)))


def _applied(name: str, *values: object) -> object:
    """What a function of the module operator makes of the values."""
    made: object = getattr(operator, name)(*values)
    return made


def _within(item: object, held: object) -> bool:
    if isinstance(held, Container | Iterable):
        return item in held
    raise TypeError(f"argument of type '{type(held).__name__}' is not iterable")


def _items(value: object) -> Iterable[object]:
    """What a loop goes through."""
    if isinstance(value, _File):
        return value.readlines()
    if isinstance(value, Iterable):
        return value
    raise TypeError(f"'{type(value).__name__}' object is not iterable")


def _weigh(value: object, left: int = _LONGEST) -> int:
    """How many characters and elements a value may still have; refuses one that has more."""
    if isinstance(value, (str, range)):
        left -= len(value)
    elif isinstance(value, (list, tuple)):
        left -= len(value)
        for part in value if left >= 0 else ():
            left = _weigh(part, left)
    elif isinstance(value, dict):
        for pair in value.items():
            left = _weigh(pair, left)
    if left < 0:
        raise _Refused("value as large as that")
    return left - 1


def _words(node: ast.AST) -> str:
    """A kind of statement or expression in words that a beginner knows."""
    return {
        "ClassDef": "class",
        "Try": "try",
        "Lambda": "lambda",
        "ListComp": "list comprehension",
        "Raise": "raise",
        "Return": "return",
        "Delete": "del",
    }.get(type(node).__name__, type(node).__name__)
