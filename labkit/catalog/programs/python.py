"""python: a small part of the language, enough for the scripts of the lessons; the rest is refused by name.

It knows print, names, texts, numbers, lists and dicts, if, for, while, with open, imports of packages that are there
(and fails as Python does for those that are not), and servers of Flask and http.server, which wait. No code of a
learner's runs in the Python that runs labkit: this walks the syntax tree itself.
"""

from __future__ import annotations

import ast
import copy
import operator
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from labkit.catalog.programs import pip, web
from labkit.catalog.programs.support import complain, converse, read_text, say
from labkit.kernel.process import Process

_MODULES = {
    "argparse", "base64", "collections", "csv", "datetime", "functools", "glob", "hashlib", "http", "io", "itertools",
    "json", "logging", "math", "os", "pathlib", "random", "re", "shutil", "socket", "sqlite3", "string", "subprocess",
    "sys", "tempfile", "threading", "time", "typing", "urllib", "uuid", "__future__",
}  # fmt: skip
_LONGEST = 1 << 20  # characters or elements of one value
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_, ast.IsNot: operator.is_not,
}  # fmt: skip
_PURE: dict[str, Callable[..., Any]] = {
    "len": len, "str": str, "int": int, "float": float, "sum": sum, "min": min, "max": max, "sorted": sorted,
    "repr": repr, "list": list, "bool": bool, "abs": abs, "round": round,
}  # fmt: skip
_METHODS = {
    str: {
        "strip", "split", "upper", "lower", "title", "join", "startswith", "endswith", "splitlines", "rstrip", "lstrip",
        "count", "replace",
    },
    list: {"append", "sort", "reverse", "index", "count"},
    dict: {"get", "keys", "values", "items"},
}  # fmt: skip


def python(process: Process) -> int:
    words = process.argv[1:]
    while words and words[0] in ("-u", "-B", "-s", "-E", "-I", "-O"):
        words = words[1:]
    if words[:1] in (["--version"], ["-V"]):
        say(process, f"Python {_version(process)}")
        return 0
    if words[:1] == ["-m"]:
        return _module(process, words[1:])
    if words[:1] == ["-c"]:
        return _run(process, words[1] if len(words) > 1 else "", "<string>", words[2:])
    if words and words[0] != "-":
        path = words[0]
        if not process.files.exists(path):
            whole = path if path.startswith("/") else f"{process.files.cwd.rstrip('/')}/{path}"
            complain(process, f"{process.argv[0]}: can't open file '{whole}': [Errno 2] No such file or directory")
            return 2
        return _run(process, read_text(process.files, path), path, words[1:])
    if process.stdin.isatty and not words:
        say(process, f"Python {_version(process)} (main, Jan  1 2026, 00:00:00) [GCC 12.2.0] on linux")
        say(process, 'Type "help", "copyright", "credits" or "license" for more information.')
        return converse(process, _talk, _Talk(), ">>> ")
    return _run(process, process.stdin.read().decode("utf-8", "replace"), "<stdin>", [])


class _Talk(NamedTuple):
    """Where a talk at a terminal is: what names mean, and the lines of a block that is not closed yet."""

    names: tuple[tuple[str, Any], ...] = ()
    begun: str = ""


def _talk(process: Process, line: str, talk: _Talk) -> tuple[_Talk, str | None]:
    source = f"{talk.begun}{line}\n"
    if line.rstrip().endswith(":") or (talk.begun and line.strip()):
        return talk._replace(begun=source), "... "
    interpreter = _Interpreter(process, "<stdin>", [])
    interpreter.names.update(
        {name: copy.deepcopy(value) if type(value) in (list, dict) else value for name, value in talk.names}
    )
    interpreter.talking = True
    status = _interpret(process, interpreter, source, "<stdin>")
    names = tuple(interpreter.names.items())
    return _Talk(names), None if status is not None else ">>> "


def _version(process: Process) -> str:
    site = pip.site_packages(process)
    return {"3.11": "3.11.2", "3.12": "3.12.12"}[pip._python(site)]


def _module(process: Process, words: list[str]) -> int:
    name = words[0] if words else ""
    if name == "http.server":
        port = next((word for word in words[1:] if word.isdigit()), "8000")
        say(process, f"Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...")
        return process.wait_forever()
    if name == "venv" and len(words) > 1:
        return _venv(process, words[-1])
    tools = {"pip": "pip", "flask": "flask", "gunicorn": "gunicorn"}
    if name in tools and (name == "pip" or pip.normal(name) in pip.installed(process)):
        child = {"pip": pip.pip, "flask": web.flask, "gunicorn": web.gunicorn}[name]
        process.argv = [name, *words[1:]]
        return child(process)
    complain(process, f"{process.argv[0]}: No module named {name}")
    return 1


def _venv(process: Process, folder: str) -> int:
    source = "/usr/local/bin/python3.12" if process.files.exists("/usr/local/bin/python3.12") else "/usr/bin/python3.11"
    process.files.makedirs(f"{folder}/bin")
    process.files.makedirs(f"{folder}/lib/python3.12/site-packages")
    for name, target in (("python3.12", source), ("python3", "python3.12"), ("python", "python3.12")):
        process.files.symlink(target, f"{folder}/bin/{name}")
    home = f'VIRTUAL_ENV="{process.files.realpath(folder)}"\nexport VIRTUAL_ENV\n'
    process.files.write(f"{folder}/bin/activate", f'{home}PATH="$VIRTUAL_ENV/bin:$PATH"\nexport PATH\n'.encode())
    pip_program = "/usr/local/bin/pip3" if process.files.exists("/usr/local/bin/pip3") else "/usr/bin/pip3"
    if process.files.exists(pip_program):
        process.files.symlink(pip_program, f"{folder}/bin/pip")
    process.files.write(f"{folder}/pyvenv.cfg", b"include-system-site-packages = false\n")
    return 0


def _run(process: Process, source: str, name: str, arguments: list[str]) -> int:
    interpreter = _Interpreter(process, name, arguments)
    status = _interpret(process, interpreter, source, name)
    return interpreter.failed if status is None else status


def _interpret(process: Process, interpreter: _Interpreter, source: str, name: str) -> int | None:
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


class _Bound(tuple):  # type: ignore[type-arg]
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


class _Interpreter:
    def __init__(self, process: Process, name: str, arguments: list[str]) -> None:
        self.process = process
        self.line = 1
        self.names: dict[str, Any] = {"__name__": "__main__", "__file__": name}
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

    def _store(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Subscript) and isinstance(held := self.value(target.value), (dict, list)):
            held[self.value(target.slice)] = value
        elif isinstance(target, ast.Tuple):
            for part, item in zip(target.elts, value, strict=True):
                self._store(part, item)
        else:
            raise _Refused("such assignment")

    def _do_augassign(self, node: ast.AugAssign) -> None:
        load = ast.Name(node.target.id, ast.Load()) if isinstance(node.target, ast.Name) else node.target
        self._store(node.target, self.value(ast.copy_location(ast.BinOp(load, node.op, node.value), node)))

    def _do_if(self, node: ast.If) -> None:
        self.block(node.body if self.value(node.test) else node.orelse)

    def _do_for(self, node: ast.For) -> None:
        items = self.value(node.iter)
        for item in items.readlines() if isinstance(items, _File) else items:
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

    def value(self, node: ast.expr) -> Any:
        known = getattr(self, f"_get_{type(node).__name__.lower()}", None)
        if known is None:
            raise _Refused(f"'{_words(node)}'")
        found = known(node)
        if (isinstance(found, (str, list)) and len(found) > _LONGEST) or (
            isinstance(found, int) and found.bit_length() > 4096
        ):
            raise _Refused("value as large as that")
        return found

    def _get_constant(self, node: ast.Constant) -> Any:
        return node.value

    def _get_name(self, node: ast.Name) -> Any:
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
        pattern = self.value(node.format_spec) if node.format_spec else ""
        if any(len(run) > 4 for run in "".join(c if c.isdigit() else " " for c in pattern).split()):
            raise _Refused("value as large as that")
        return format(repr(value) if node.conversion == 114 else value, pattern)

    def _get_list(self, node: ast.List) -> list[Any]:
        return [self.value(part) for part in node.elts]

    def _get_tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.value(part) for part in node.elts)

    def _get_dict(self, node: ast.Dict) -> dict[Any, Any]:
        pairs = zip(node.keys, node.values, strict=True)
        return {self.value(key): self.value(value) for key, value in pairs if key is not None}

    def _get_binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        run = _OPERATORS.get(type(node.op))
        if run is None or (isinstance(node.op, ast.Mod) and isinstance(left, str)):
            raise _Refused("such operator")
        sizes = [
            len(side) * other
            for side, other in ((left, right), (right, left))
            if isinstance(side, (str, list, tuple)) and isinstance(other, int)
        ]
        if isinstance(node.op, ast.Mult) and any(size > _LONGEST for size in sizes):
            raise _Refused("value as large as that")
        return run(left, right)

    def _get_unaryop(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        return not value if isinstance(node.op, ast.Not) else -value if isinstance(node.op, ast.USub) else value

    def _get_boolop(self, node: ast.BoolOp) -> Any:
        stop = isinstance(node.op, ast.Or)
        value = None
        for part in node.values:
            value = self.value(part)
            if bool(value) == stop:
                break
        return value

    def _get_compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for sign, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part)
            if not _COMPARISONS[type(sign)](left, right):
                return False
            left = right
        return True

    def _get_ifexp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def _get_subscript(self, node: ast.Subscript) -> Any:
        held, place = self.value(node.value), self.value(node.slice)
        if held == "sys.argv":
            return self.arguments[place]
        if held == "os.environ":
            if place not in self.process.env:
                raise _Wrong(f"KeyError: {place!r}")
            return self.process.env[place]
        return held[place]

    def _get_attribute(self, node: ast.Attribute) -> Any:
        held = self.value(node.value)
        if isinstance(held, _Module):
            return self.arguments if (held, node.attr) == ("sys", "argv") else _Module(f"{held}.{node.attr}")
        if isinstance(held, _App):
            return _Module(f"app.{node.attr}")
        return _Bound((held, node.attr))

    def _get_call(self, node: ast.Call) -> Any:
        called = self.value(node.func)
        given = [self.value(part) for part in node.args]
        named = {word.arg: self.value(word.value) for word in node.keywords if word.arg}
        if isinstance(called, _Bound):
            return self._method(called[0], called[1], given)
        if not isinstance(called, _Module):
            raise _Wrong(f"TypeError: '{type(called).__name__}' object is not callable")
        if called in _PURE:
            _weigh([given, named])
            return _PURE[str(called)](*given, **named)
        known = getattr(self, f"_call_{called.replace('.', '_').lower()}", None)
        if known is None:
            raise _Refused(f"'{called}()'")
        return known(*given, **named)

    def _method(self, held: Any, name: str, given: list[Any]) -> Any:
        allowed = next((names for kind, names in _METHODS.items() if type(held) is kind), set())
        if name == "replace" and isinstance(held, str) and given[1:]:
            _weigh(range(len(held) * max(1, len(str(given[1])))))
        _weigh([held if isinstance(held, (str, list, dict)) else "", given])
        if (isinstance(held, _File) and name in ("read", "readlines", "write", "close")) or name in allowed:
            return getattr(held, name)(*given)
        raise _Refused(f"'.{name}()'")

    def _call_print(self, *values: Any, sep: str = " ", end: str = "\n", file: Any = None, flush: bool = False) -> None:
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

    def _call_enumerate(self, items: Any, start: int = 0) -> Iterator[tuple[int, Any]]:
        return enumerate(items, start)

    def _call_exit(self, status: Any = 0) -> None:
        raise _Exit(status if isinstance(status, int) else 1)

    _call_quit = _call_sys_exit = _call_exit

    def _call_time_sleep(self, seconds: float) -> None:
        self.process.sleep(seconds)

    def _call_os_getenv(self, name: str, default: str | None = None) -> str | None:
        return self.process.env.get(name, default)  # type: ignore[arg-type]

    _call_os_environ_get = _call_os_getenv

    def _call_os_listdir(self, path: str = ".") -> list[str]:
        return self.process.files.listdir(path)

    def _call_os_getcwd(self) -> str:
        return self.process.files.cwd

    def _call_os_path_exists(self, path: str) -> bool:
        return self.process.files.exists(path)

    def _call_os_makedirs(self, path: str, exist_ok: bool = False) -> None:
        self.process.files.makedirs(path)

    def _call_flask_flask(self, *given: Any, **named: Any) -> _App:
        return _App(self.app)

    def _call_app_run(self, host: str = "127.0.0.1", port: int = 5000, debug: bool = False) -> None:
        raise _Exit(web.serve(self.process, self.app, host, str(port)))


def _weigh(value: Any, left: int = _LONGEST) -> int:
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
