"""The programs sh, ash, dash and bash: their arguments, first variables and prompts, and where commands come from."""

from __future__ import annotations

import re
from collections.abc import Callable

from labkit.files.errno import ENOENT
from labkit.kernel.process import AtPrompt, Killed, Process
from labkit.shell import expand, messages
from labkit.shell.boundaries import Boundary
from labkit.shell.frames import ProgramFrame, run_text, trap_error
from labkit.shell.interpreter import STARTERS
from labkit.shell.messages import ASH, BASH, DASH, Dialect
from labkit.shell.parser import document_word, parse
from labkit.shell.running import DEFAULT_PATHS, EXIT, Frame, Jump, Shell
from labkit.shell.terminal import INTERRUPTED


def set_up_variables(shell: Shell) -> None:
    env, given = shell.env, shell.process.env
    for name, value in given.items():
        if name.isidentifier() and name.isascii():
            env.variables[name] = value
            env.exported.add(name)
    variables = env.variables
    variables["IFS"] = " \t\n"
    variables["OPTIND"] = "1"
    variables.setdefault("PATH", DEFAULT_PATHS[shell.dialect.name])
    variables.setdefault("PS4", "+ ")
    variables["PWD"] = _start_folder(shell)
    _SHELL_VARIABLES[shell.dialect.name](shell)


def _start_folder(shell: Shell) -> str:
    """The current folder by the name that the environment has for it, if it is one."""
    here, named = shell.files.cwd, shell.process.env.get("PWD", "")
    try:
        return named if named.startswith("/") and shell.files.realpath(named) == here else here
    except OSError:
        return here


def _ash_variables(shell: Shell) -> None:
    env = shell.env
    env.variables["SHLVL"] = str(_level(env.variables.get("SHLVL")))
    env.exported |= {"SHLVL", "PWD"}
    env.variables.setdefault("PS1", "\\w # " if shell.process.files.user.uid == 0 else "\\w $ ")
    env.variables.setdefault("PS2", "> ")
    env.variables["PPID"] = str(max(0, shell.process.pid - 1))


def _dash_variables(shell: Shell) -> None:
    env = shell.env
    env.exported.add("PWD")
    env.variables.setdefault("PS1", "# " if shell.process.files.user.uid == 0 else "$ ")
    env.variables.setdefault("PS2", "> ")
    env.variables["PPID"] = str(max(0, shell.process.pid - 1))


def _bash_variables(shell: Shell) -> None:
    env = shell.env
    env.variables["SHLVL"] = str(_level(env.variables.get("SHLVL")))
    env.variables.setdefault("_", shell.arg0)
    env.exported |= {"SHLVL", "PWD", "_"}
    env.variables.setdefault("PS1", "\\s-\\v\\$ ")
    env.variables.setdefault("PS2", "> ")
    env.variables["PPID"] = str(max(0, shell.process.pid - 1))
    env.variables.update(BASH="/bin/bash", BASH_VERSION="5.2.15(1)-release", HOSTNAME=shell.process.hostname)
    env.variables.update(EUID=str(shell.process.files.user.uid), UID=str(shell.process.files.user.uid))


def _level(value: str | None) -> int:
    return int(value) + 1 if value and value.isdigit() else 1


_SHELL_VARIABLES = {"ash": _ash_variables, "dash": _dash_variables, "bash": _bash_variables}


_SEQUENCE = re.compile(r"\\([whHu$ns\\vV\[\]eWa])")


def _folder(shell: Shell) -> str:
    here, home = shell.get("PWD") or shell.files.cwd, shell.get("HOME") or ""
    if len(home) > 1 and (here == home or here.startswith(home + "/")):
        return "~" + here[len(home) :]
    return here


def _user(shell: Shell) -> str:
    uid = shell.files.user.uid
    try:
        lines = shell.files.read("/etc/passwd").decode("utf-8", "replace").splitlines()
    except OSError:
        return "root" if uid == 0 else str(uid)
    return next((line.split(":")[0] for line in lines if line.split(":")[2:3] == [str(uid)]), str(uid))


_MEANING: dict[str, Callable[[Shell], str]] = {
    "w": _folder,
    "W": lambda shell: _folder(shell).rpartition("/")[2] or "/",
    "h": lambda shell: shell.process.hostname.partition(".")[0],
    "H": lambda shell: shell.process.hostname,
    "u": _user,
    "$": lambda shell: "#" if shell.files.user.uid == 0 else "$",
    "n": lambda shell: "\n",
    "s": lambda shell: shell.arg0.rpartition("/")[2].lstrip("-"),
    "v": lambda shell: "5.2",
    "V": lambda shell: "5.2.15",
    "\\": lambda shell: "\\",
    "[": lambda shell: "",
    "]": lambda shell: "",
    "e": lambda shell: "\x1b",
    "a": lambda shell: "\a",
}


def prompt(shell: Shell, name: str) -> str:
    """PS1 or PS2 as it is shown now."""
    text = shell.get(name) or ""
    if shell.dialect is not DASH:
        text = _SEQUENCE.sub(lambda found: _MEANING[found.group(1)](shell), text)
    if "$" in text or "`" in text:
        text = expand.text(shell, document_word(text))
    return text


_OPTION_NAMES = {
    "errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "allexport": "a", "noclobber": "C",
    "pipefail": "pipefail",
}  # fmt: skip
_DASH_LETTERS = "abcefilmnopsuvxCEIV"
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
    try:
        flags, operands = _options(shell, process.argv[1:])
    except Jump as jump:
        return jump.status
    shell.trap_error = trap_error
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
        if arg in _IGNORED and (shell.dialect is not DASH or arg == "-l"):
            continue
        if shell.dialect is DASH and (wrong := next((letter for letter in arg[1:] if letter not in _DASH_LETTERS), "")):
            shell.err(f"{shell.arg0}: 0: Illegal option -{wrong}\n")
            raise Jump(EXIT, 2)
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
        source = shell.files.read(path).decode("utf-8", "surrogateescape").replace("\0", "")
    except OSError as error:
        return _unreadable(shell, path, error)
    shell.arg0 = path
    shell.env.arguments = operands[1:]
    shell.script = path
    shell.push(ProgramFrame(shell, parse(source, shell.dialect.level, shell.aliases), source, path))
    return 0


def _unreadable(shell: Shell, path: str, error: OSError) -> int:
    if shell.dialect is ASH:
        shell.err(f"{shell.arg0}: can't open '{path}': {messages.reason(error)}\n")
        return 2
    if shell.dialect is DASH:
        shell.err(f"{shell.arg0}: 0: cannot open {path}: {messages.file_reason(DASH, 'open', error)}\n")
        return 2
    shell.err(f"{shell.arg0}: {path}: {messages.reason(error)}\n")
    return 127 if error.errno == ENOENT else 126


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
            program = parse(text, shell.dialect.level, shell.aliases)
            unfinished = program.unended or (program.problem and program.problem.incomplete)
            if not line or (not unfinished and (program.commands or program.problem)):
                break
        if not text:
            shell.stack.pop()
            return
        before, self.line = self.line, self.line + text.count("\n")
        # the lines before count too
        padded = "\n" * before + text
        shell.push(ProgramFrame(shell, parse(padded, shell.dialect.level, shell.aliases), padded))


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
        shell.process.tick(len(self.text) >> 7)
        program = parse(self.text, shell.dialect.level, shell.aliases)
        if program.unended or (program.problem and program.problem.incomplete):
            return
        text, self.text = self.text, ""
        if shell.dialect is DASH:  # its messages count the lines
            text = "\n" * self.line + text
            self.line = text.count("\n")
            program = parse(text, 0, shell.aliases)
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
