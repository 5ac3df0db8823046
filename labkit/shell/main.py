"""The programs sh, ash, dash and bash: their arguments, and where their commands come from."""

from __future__ import annotations

from labkit.engine.process import Process
from labkit.shell import messages
from labkit.shell.frames import Boundary, Frame, Jump, ProgramFrame
from labkit.shell.interpreter import Shell
from labkit.shell.messages import ASH, BASH, DASH, Dialect
from labkit.shell.parser import parse
from labkit.shell.prompt import prompt
from labkit.shell.session import INTERRUPTED
from labkit.shell.streams import Killed

_OPTION_NAMES = {
    "errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "allexport": "a", "noclobber": "C",
    "pipefail": "pipefail",
}  # fmt: skip
_IGNORED = ("--login", "--norc", "--noprofile", "--posix", "--noediting", "-l")


def ash(process: Process) -> int:
    """busybox sh."""
    return _run(process, ASH)


def dash(process: Process) -> int:
    return _run(process, DASH)


def bash(process: Process) -> int:
    return _run(process, BASH)


def sh(process: Process) -> int:
    """A shell with busybox's messages, the same as ash."""
    return _run(process, ASH)


def _run(process: Process, dialect: Dialect) -> int:
    shell = Shell(process, dialect, process.argv[0])
    shell._push(Boundary(shell, None))
    command, interactive, operands = _options(shell, process.argv[1:])
    if command is not None:
        shell.command_text = 1
        if operands:
            shell.arg0 = operands[0]
        shell.env.arguments = operands[1:]
        _push_text(shell, command)
    elif operands:
        status = _push_file(shell, operands)
        if status:
            return status
    elif interactive or (process.tty and process.stdin.isatty):
        _push_prompt(shell)
    elif dialect is BASH:
        shell._push(InputFrame())
    else:
        _push_text(shell, process.stdin.read().decode("utf-8", "surrogateescape"))
    return shell.go()


def _options(shell: Shell, args: list[str]) -> tuple[str | None, bool, list[str]]:
    """The text of -c, whether -i was there, and the operands."""
    wants_command = interactive = False
    while args and args[0][:1] in ("-", "+") and len(args[0]) > 1:
        arg = args.pop(0)
        if arg == "--":
            break
        if arg in _IGNORED:
            continue
        for letter in arg[1:]:
            wants_command |= letter == "c"
            interactive |= letter == "i"
            option = _OPTION_NAMES.get(args.pop(0), "") if letter == "o" and args else letter
            if option and option not in "cislo":
                (shell.env.options.add if arg[0] == "-" else shell.env.options.discard)(option)
    if not wants_command:
        return None, interactive, args
    if not args:
        said = {"ash": "sh: -c requires an argument", "bash": "bash: -c: option requires an argument"}
        shell.err(said.get(shell.dialect.name, f"{shell.arg0}: 0: -c requires an argument") + "\n")
        shell.stack.clear()
        shell.status = 2
        return "", interactive, []
    return args.pop(0), interactive, args


def _push_text(shell: Shell, text: str) -> None:
    if shell.stack:
        shell._push(ProgramFrame(shell, parse(text, shell.dialect.level), text))


def _push_file(shell: Shell, operands: list[str]) -> int:
    """Read the script; the exit status where that cannot be done, else 0."""
    path = operands[0]
    try:
        source = shell.files.read(path).decode("utf-8", "surrogateescape")
    except OSError as error:
        return _unreadable(shell, path, error)
    shell.arg0 = path
    shell.env.arguments = operands[1:]
    shell.script = path
    shell._push(ProgramFrame(shell, parse(source, shell.dialect.level), source, path))
    return 0


def _unreadable(shell: Shell, path: str, error: OSError) -> int:
    if shell.dialect is ASH:
        shell.err(f"{shell.arg0}: can't open '{path}': {messages.reason(error)}\n")
        return 2
    if shell.dialect is DASH:
        shell.err(f"{shell.arg0}: 0: cannot open {path}: {messages.file_reason(DASH, 'open', error)}\n")
        return 2
    shell.err(f"{shell.arg0}: {path}: {messages.reason(error)}\n")
    return 127 if error.errno == 2 else 126


class InputFrame(Frame):
    """Commands from the standard input, for bash: each is read just before it runs, so that it can read what follows.
    The other shells read the input in blocks."""

    __slots__ = ("line",)

    def __init__(self) -> None:
        self.line = 0

    def step(self, shell: Shell) -> None:
        text = ""
        while True:
            line = shell.read_line().decode("utf-8", "surrogateescape")
            text += line
            program = parse(text, shell.dialect.level)
            unfinished = program.unended or (program.problem and program.problem.incomplete)
            if not line or (not unfinished and (program.commands or program.problem)):
                break
        if not text:
            shell.stack.pop()
            return
        before, self.line = self.line, self.line + text.count("\n")
        # the lines before count too
        padded = "\n" * before + text
        shell._push(ProgramFrame(shell, parse(padded, shell.dialect.level), padded))


class PromptFrame(Frame):
    """A person at a terminal: a prompt, a line, what it says."""

    __slots__ = ("asked", "line", "text")

    def __init__(self) -> None:
        self.text = ""  # a command that is not complete yet
        self.line = 0  # how many lines came before it
        self.asked = False

    def step(self, shell: Shell) -> None:
        if not self.asked:
            shell.process.kernel.services["at prompt"] = shell.status, shell.files.cwd
            shell.ask(prompt(shell, "PS2" if self.text else "PS1"))
            self.asked = True
        try:
            line = shell.read_line().decode("utf-8", "surrogateescape")
        except Killed:
            self.text, self.asked = "", False
            shell.err("^C\n")
            shell.status = INTERRUPTED
            return
        self.asked = False
        if not line:
            shell.err("\n" if shell.dialect is not BASH else "exit\n")
            shell.stack.pop()
            return
        self.text += line
        program = parse(self.text, shell.dialect.level)
        if program.unended or (program.problem and program.problem.incomplete):
            return
        text, self.text = self.text, ""
        if shell.dialect is DASH:  # its messages count the lines
            text = "\n" * self.line + text
            self.line = text.count("\n")
            program = parse(text, 0)
        shell.stack.append(ProgramFrame(shell, program, text))

    def catch(self, shell: Shell, jump: Jump) -> bool:
        if jump.kind == "exit":
            return False
        shell.status = jump.status
        shell.tested = 0
        return True


def _push_prompt(shell: Shell) -> None:
    shell.interactive = True
    if shell.dialect is ASH:
        version = shell.process.kernel.services.get("busybox version", messages.VERSION)
        shell.err(messages.BANNER.format(version=version))
    shell._push(PromptFrame())


PROGRAMS = {"dash": dash, "bash": bash}
APPLETS = {"sh": ash, "ash": ash}
