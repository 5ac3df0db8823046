"""exit, return, break, eval, `.` and exec: what runs next."""

from __future__ import annotations

import re

from labkit.kernel.process import ExecError, find_program
from labkit.shell import messages
from labkit.shell.boundaries import not_started, spawn
from labkit.shell.builtins.saying import count, fail, say
from labkit.shell.frames import ExitFrame, FunctionFrame, LoopFrame, ProgramFrame, run_text
from labkit.shell.messages import BASH, DASH
from labkit.shell.running import ABORT, BREAK, CONTINUE, EXIT, RETURN, Jump, Shell


def exit_(shell: Shell, args: list[str]) -> int:
    raise Jump(EXIT, _status_of(shell, args))


def return_(shell: Shell, args: list[str]) -> int:
    status = _status_of(shell, args)
    inside = any(isinstance(f, FunctionFrame) or (isinstance(f, ProgramFrame) and f.returns) for f in shell.stack)
    if shell.dialect is BASH and not inside:
        shell.complain("can only `return' from a function or sourced script", args[0])
        return 2
    raise Jump(RETURN, status)


def _status_of(shell: Shell, args: list[str]) -> int:
    if len(args) < 2:
        return shell.status
    if not re.fullmatch(r"-?\d+", args[1]) or (args[1].startswith("-") and shell.dialect is not BASH):
        status = say(shell, args, "illegal number", args[1], status=2)
        raise Jump(EXIT if shell.dialect is BASH else ABORT, status)
    return int(args[1]) & (0xFF if args[0] == "exit" or shell.dialect is not DASH else -1)


def break_(shell: Shell, args: list[str]) -> int:
    wanted = count(shell, args, 1)
    loops = 0
    for frame in reversed(shell.stack):
        if isinstance(frame, FunctionFrame):
            break
        loops += isinstance(frame, LoopFrame)
    if not loops:
        if shell.dialect is BASH:
            shell.complain("only meaningful in a `for', `while', or `until' loop", args[0])
        return 0
    raise Jump(BREAK if args[0] == "break" else CONTINUE, 0, min(max(1, wanted), loops))


def eval_(shell: Shell, args: list[str]) -> int:
    text = " ".join(args[1:])
    if text:
        run_text(shell, text, "eval" if shell.dialect is not BASH else None)
        return shell.status
    return 0


def dot(shell: Shell, args: list[str]) -> int:
    if args[1:2] == ["--"] and shell.dialect is not DASH:
        args = [args[0], *args[2:]]
    if len(args) < 2:
        if shell.dialect is not BASH:
            return 2 * (shell.dialect is not DASH)
        shell.complain("filename argument required", args[0])
        shell.err(".: usage: . filename [arguments]\n")
        return 2
    path = _dot_path(shell, args[1])
    if path is None:
        return fail(shell, args, "dot not found", args[1])
    try:
        source = shell.files.read(path).decode("utf-8", "surrogateescape").replace("\0", "")
    except OSError as error:
        if isinstance(error, IsADirectoryError) and shell.dialect is not BASH:
            return 0
        short = messages.file_reason(shell.dialect, "open", error)
        return fail(shell, args, "dot", args[1], messages.reason(error), short)
    if len(args) > 2 and shell.dialect is not DASH:
        shell.push(FunctionFrame(shell))
        shell.env.arguments = args[2:]
    shell.status = 0
    run_text(shell, source, path, returns=True)
    return 0


def _dot_path(shell: Shell, name: str) -> str | None:
    if "/" in name:
        return name
    for folder in (shell.get("PATH") or "").split(":"):
        path = f"{folder or '.'}/{name}"
        if shell.files.exists(path) and not shell.files.is_dir(path):
            return path
    return name if shell.dialect is BASH and shell.files.exists(name) else None


def exec_(shell: Shell, args: list[str]) -> int:
    words = args[2:] if args[1:2] == ["--"] and shell.dialect is not DASH else args[1:]
    if not words:
        return 0
    try:
        find_program(shell.files, words[0], shell.get("PATH") or "")
    except ExecError as error:
        status = not_started(shell, error, words[0], shell.env.fds, args[0])
        if shell.interactive:
            return status
        raise Jump(EXIT, status) from None
    shell.env.traps.clear()
    shell.process.traps.clear()
    shell.push(ExitFrame())
    spawn(shell, words, shell.env.fds, shell.env.child(), instead=True)
    return 0
