"""python: scripts in the part of the language that interpreter.py knows, http.server, venv, and -m pip."""

from __future__ import annotations

import copy
from typing import NamedTuple

from labkit.catalog.programs import pip, web
from labkit.catalog.programs.interpreter import Interpreter, interpret
from labkit.catalog.programs.support import complain, converse, read_text, say
from labkit.kernel.process import Process


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

    names: tuple[tuple[str, object], ...] = ()
    begun: str = ""


def _talk(process: Process, line: str, talk: _Talk) -> tuple[_Talk, str | None]:
    source = f"{talk.begun}{line}\n"
    if line.rstrip().endswith(":") or (talk.begun and line.strip()):
        return talk._replace(begun=source), "... "
    interpreter = Interpreter(process, "<stdin>", [])
    interpreter.names.update(
        {name: copy.deepcopy(value) if type(value) in (list, dict) else value for name, value in talk.names}
    )
    interpreter.talking = True
    status = interpret(process, interpreter, source, "<stdin>")
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
    interpreter = Interpreter(process, name, arguments)
    status = interpret(process, interpreter, source, name)
    return interpreter.failed if status is None else status
