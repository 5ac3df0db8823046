"""The programs sh, ash, dash and bash: their arguments, and where their commands come from."""

from __future__ import annotations

from labkit.kernel.process import AtPrompt, Killed, Process
from labkit.shell import messages
from labkit.shell.boundaries import Boundary
from labkit.shell.frames import ProgramFrame, run_text
from labkit.shell.interpreter import STARTERS
from labkit.shell.keyboard import INTERRUPTED
from labkit.shell.messages import ASH, BASH, DASH, Dialect
from labkit.shell.parser import parse
from labkit.shell.prompt import prompt
from labkit.shell.running import Frame, Jump, Shell
from labkit.shell.startup import set_up_variables

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
    shell = Shell(process, dialect, STARTERS)
    set_up_variables(shell)
    shell.push(Boundary(shell, None))
    flags, operands = _options(shell, process.argv[1:])
    if "c" in flags:
        return _run_argument(shell, operands)
    if operands and "s" not in flags:
        status = _push_file(shell, operands)
        if status:
            return status
    else:
        shell.env.arguments = operands
        _push_input(shell, prompts="i" in flags)
    return shell.go()


def _options(shell: Shell, args: list[str]) -> tuple[set[str], list[str]]:
    """Which of -c, -i and -s were there, and the operands. The other options are switched on."""
    flags: set[str] = set()
    while args and args[0][:1] in ("-", "+") and len(args[0]) > 1:
        arg = args.pop(0)
        if arg == "--":
            break
        if arg in _IGNORED:
            continue
        for letter in arg[1:]:
            option = _OPTION_NAMES.get(args.pop(0), "") if letter == "o" and args else letter
            if option in ("c", "i", "s", "l", "o", ""):
                flags.add(option)
            else:
                (shell.env.options.add if arg[0] == "-" else shell.env.options.discard)(option)
    return flags, args


def _run_argument(shell: Shell, operands: list[str]) -> int:
    """sh -c COMMAND [NAME [ARGUMENT…]]."""
    if not operands:
        said = {"ash": "sh: -c requires an argument", "bash": "bash: -c: option requires an argument"}
        shell.err(said.get(shell.dialect.name, f"{shell.arg0}: 0: -c requires an argument") + "\n")
        return 2
    shell.command_text = 1
    shell.arg0 = operands[1] if len(operands) > 1 else shell.arg0
    shell.env.arguments = operands[2:]
    run_text(shell, operands[0])
    return shell.go()


def _push_input(shell: Shell, *, prompts: bool) -> None:
    stdin = shell.process.stdin
    if prompts or (shell.process.tty and stdin.isatty):
        _push_prompt(shell)
    elif shell.dialect is BASH or stdin.isatty:
        shell.push(InputFrame())
    else:
        run_text(shell, stdin.read().decode("utf-8", "surrogateescape"))


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
    shell.push(ProgramFrame(shell, parse(source, shell.dialect.level), source, path))
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
        shell.push(ProgramFrame(shell, parse(padded, shell.dialect.level), padded))


class PromptFrame(Frame):
    """A person at a terminal: a prompt, a line, what it says."""

    __slots__ = ("asked", "line", "text")

    def __init__(self) -> None:
        self.text = ""  # a command that is not complete yet
        self.line = 0  # how many lines came before it
        self.asked = False

    def step(self, shell: Shell) -> None:
        if not self.asked:
            at = AtPrompt(shell.status, shell.files.cwd, shell.files, shell.get("PATH") or "")
            shell.process.kernel.services.at_prompt(at)
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
        shell.err(messages.BANNER)
    shell.push(PromptFrame())


PROGRAMS = {"dash": dash, "bash": bash}
APPLETS = {"sh": ash, "ash": ash}
