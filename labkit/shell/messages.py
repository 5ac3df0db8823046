"""What the shells say, to the letter: three dialects of the same messages.

Observed on BusyBox v1.35.0 (ash), dash 0.5.12 and bash 5.2, as Debian 12 has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from labkit.files.contents import MESSAGES as REASONS
from labkit.files.errno import ENOENT, ENOTDIR
from labkit.shell.lexer import EOF, ProgramError

BANNER = """

BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) built-in shell (ash)
Enter 'help' for a list of built-in commands.

"""


@dataclass(frozen=True)
class Dialect:
    """Which shell it is. `level`: what its syntax knows beyond POSIX, as in Lexer."""

    name: str
    level: int
    redirect_status: int  # of a command whose redirection fails
    error_status: int  # with which an error ends the shell


ASH = Dialect("ash", 1, 1, 2)
DASH = Dialect("dash", 0, 2, 2)
BASH = Dialect("bash", 2, 1, 1)


class Speaker(Protocol):
    """A shell, as far as its messages tell of it."""

    dialect: Dialect
    arg0: str
    script: str
    command_text: int
    interactive: bool
    line: int


_SAID = {  # key: (ash, dash, bash)
    "not found": ("{0}: not found", "{0}: not found", "{0}: command not found"),
    "no such file": ("{0}: not found", "{0}: not found", "{0}: No such file or directory"),
    "busy": ("{0}: Text file busy",) * 3,
    "denied": ("{0}: Permission denied", "{0}: Permission denied", "{0}: Permission denied"),
    "is folder": ("{0}: Permission denied", "{0}: Permission denied", "{0}: Is a directory"),
    "bad format": (
        "{0}: Exec format error",
        "{0}: Exec format error",
        "{0}: cannot execute binary file: Exec format error",
    ),
    "create": ("can't create {0}: {1}", "cannot create {0}: {1}", "{0}: {1}"),
    "open": ("can't open {0}: {1}", "cannot open {0}: {1}", "{0}: {1}"),
    "exists": (
        "can't create {0}: File exists",
        "cannot create {0}: File exists",
        "{0}: cannot overwrite existing file",
    ),
    "bad fd": ("{0}: Bad file descriptor",) * 3,
    "bad fd number": ("syntax error: bad fd number", "Syntax error: Bad fd number", "{0}: ambiguous redirect"),
    "ambiguous": ("{0}: ambiguous redirect",) * 3,
    "unset": ("{0}: parameter not set", "{0}: parameter not set", "{0}: unbound variable"),
    "null": ("{0}: parameter not set or null", "{0}: parameter not set or null", "{0}: parameter null or not set"),
    "not set": ("{0}: parameter not set",) * 3,
    "own": ("{0}: {1}",) * 3,
    "bad substitution": ("syntax error: bad substitution", "Bad substitution", "{0}: bad substitution"),
    "option": ("illegal option {0}", "Illegal option {0}", "{0}: invalid option"),
    "read only": ("{0}: is read only", "{0}: is read only", "{0}: readonly variable"),
    "unset read only": ("{0}: is read only", "{0}: is read only", "{0}: cannot unset: readonly variable"),
    "zero": (
        "divide by zero",
        'arithmetic expression: division by zero: "{0}"',
        '{0}: division by 0 (error token is "{1}")',
    ),
    "exponent": ("exponent less than 0", "", '{0}: exponent less than 0 (error token is "{1}")'),
    "syntax": (
        "arithmetic syntax error",
        'arithmetic expression: expecting EOF: "{0}"',
        '{0}: syntax error in expression (error token is "{1}")',
    ),
    "primary": (
        "arithmetic syntax error",
        'arithmetic expression: expecting primary: "{0}"',
        '{0}: syntax error: operand expected (error token is "{1}")',
    ),
    "number": (
        "arithmetic syntax error",
        "Illegal number: {0}",
        '{0}: value too great for base (error token is "{0}")',
    ),
    "illegal number": ("Illegal number: {0}", "Illegal number: {0}", "{0}: numeric argument required"),
    "can't cd": ("can't cd to {0}: {1}", "can't cd to {0}", "{0}: {1}"),
    "no home": ("HOME not set",) * 3,
    "no oldpwd": ("OLDPWD not set",) * 3,
    "bad name": ("{0}: bad variable name", "{0}: bad variable name", "`{0}': not a valid identifier"),
    "bad read name": ("'{0}': bad variable name", "{0}: bad variable name", "`{0}': not a valid identifier"),
    "shift": ("", "can't shift that many", ""),
    "dot": ("can't open '{0}': {1}", "cannot open {0}: {2}", "{0}: {1}"),
    "dot not found": ("{0}: not found", "{0}: not found", "{0}: No such file or directory"),
    "exec not found": ("{0}: not found",) * 3,
    "not in function": ("not in a function", "not in a function", "can only be used in a function"),
    "illegal option": ("illegal option {0}", "Illegal option {0}", "{0}: invalid option"),
    "no shopt": ("{0}: invalid shell option name",) * 3,
    "count": ("invalid count", "", "{0}: invalid number"),
    "descriptor": ("invalid file descriptor", "", "{0}: invalid file descriptor specification"),
    "timeout": ("invalid timeout", "", "{0}: invalid timeout specification"),
    "limit": ("", "bad number", "{0}: invalid number"),
    "many": ("too many arguments", "too many arguments", "too many arguments"),
    "no job": ("{0}: no such job", "No such job: {0}", "{0}: no such job"),
    "bad trap": ("{0}: invalid signal specification", "{0}: bad trap", "{0}: invalid signal specification"),
    "bad mode": ("illegal mode: {0}", "Illegal mode: {0}", "{0}: octal number out of range"),
}
_ORDER = {"ash": 0, "dash": 1, "bash": 2}
_FILE_REASONS = {"create": "nonexistent directory", "open": "no such file"}  # ash, for ENOENT and ENOTDIR
_DASH_FILE_REASONS = {"create": "Directory nonexistent", "open": "No such file"}


def text(dialect: Dialect, key: str, *values: object) -> str:
    return _SAID[key][_ORDER[dialect.name]].format(*values)


def file_reason(dialect: Dialect, key: str, error: OSError) -> str:
    """Why a file could not be opened or created, in the shell's words."""
    if error.errno in (ENOENT, ENOTDIR):
        if dialect is ASH:
            return _FILE_REASONS[key]
        if dialect is DASH:
            return _DASH_FILE_REASONS[key]
    return reason(error)


def reason(error: OSError) -> str:
    return REASONS.get(error.errno or 0) or error.strerror or str(error)


def prefix(shell: Speaker, builtin: str = "") -> str:
    """What stands before a message: who says it, and where."""
    return _PREFIXES[shell.dialect.name](shell, builtin)


def _ash(shell: Speaker, builtin: str) -> str:
    speaker = builtin or shell.script
    if not speaker:
        return f"{shell.arg0}: "
    line = "" if shell.interactive else f"line {shell.line - shell.command_text}: "
    return f"{shell.arg0}: {line}" if speaker == shell.arg0 else f"{shell.arg0}: {speaker}: {line}"


def _dash(shell: Speaker, builtin: str) -> str:
    speaker = builtin or (shell.script if shell.script != shell.arg0 else "")
    return f"{shell.arg0}: {shell.line}: {speaker}: " if speaker else f"{shell.arg0}: {shell.line}: "


def _bash(shell: Speaker, builtin: str) -> str:
    line = "" if shell.interactive else f"line {shell.line}: "
    said_by = f"{builtin}: " if builtin not in ("", ".", "source") else ""
    return f"{shell.script or shell.arg0}: {line}{said_by}"


_PREFIXES = {"ash": _ash, "dash": _dash, "bash": _bash}


def syntax_error(shell: Speaker, problem: ProgramError, source: str) -> str:
    """The whole message for a text that is no program."""
    shell.line = problem.line
    return _SYNTAX[shell.dialect.name](shell, problem, source)


def _ash_syntax(shell: Speaker, problem: ProgramError, source: str) -> str:
    if problem.text:
        said = problem.text[0].lower() + problem.text[1:]
    else:
        said = f"unexpected {problem.found}" + (f" (expecting {problem.expected})" if problem.expected else "")
    return f"{prefix(shell)}syntax error: {said}\n"


def _dash_syntax(shell: Speaker, problem: ProgramError, source: str) -> str:
    said = problem.text or f"{problem.found} unexpected" + (
        f" (expecting {problem.expected})" if problem.expected else ""
    )
    return f"{prefix(shell)}Syntax error: {said}\n"


def _bash_syntax(shell: Speaker, problem: ProgramError, source: str) -> str:
    speaker = f"{shell.arg0}: -c" if shell.command_text and not shell.script else shell.script or shell.arg0
    if problem.text == "Unterminated quoted string":
        return _bash_says(shell, speaker, problem.line, f"unexpected EOF while looking for matching `{problem.found}'")
    if problem.found == EOF and problem.expected == '")"':
        end = source.rstrip("\n").count("\n") + 2
        return _bash_says(shell, speaker, end, "unexpected EOF while looking for matching `)'")
    if problem.found == EOF:
        end = source.rstrip("\n").count("\n") + 2
        return _bash_says(shell, speaker, end, "syntax error: unexpected end of file")
    if problem.text == "Bad for loop variable":
        return _bash_says(shell, speaker, problem.line, "syntax error: bad for loop variable")
    token = problem.found.strip('"')
    first = _bash_says(shell, speaker, problem.line, f"syntax error near unexpected token `{token}'")
    lines = source.split("\n")
    if shell.interactive or problem.line > len(lines):
        return first
    return first + _bash_says(shell, speaker, problem.line, f"`{lines[problem.line - 1]}'")


def _bash_says(shell: Speaker, speaker: str, line: int, said: str) -> str:
    return f"{speaker}: {said}\n" if shell.interactive else f"{speaker}: line {line}: {said}\n"


_SYNTAX = {"ash": _ash_syntax, "dash": _dash_syntax, "bash": _bash_syntax}
