"""kill, wait, jobs, trap and the like: processes and signals."""

from __future__ import annotations

from labkit.kernel.process import IGNORED, SIGNALS, signal_list, signal_named
from labkit.shell.boundaries import Boundary
from labkit.shell.builtins.saying import applet_says, say, single_quoted
from labkit.shell.frames import run_text
from labkit.shell.messages import ASH, BASH, DASH
from labkit.shell.running import EXIT, Jump, Shell


def trap(shell: Shell, args: list[str]) -> int:
    operands = args[2:] if args[1:2] == ["--"] else args[1:]
    if operands[:1] == ["-l"]:
        shell.out(signal_list())
        return 0
    if not operands or operands == ["-p"]:
        shell.out("".join(_shown_trap(shell, name) for name in sorted(shell.env.traps, key=SIGNALS.index)))
        return 0
    action: str | None = operands[0]
    names = operands[1:]
    if action == "-" or len(operands) == 1 or operands[0].isdigit():
        action, names = None, names if action == "-" else operands
    for operand in names:
        name = signal_named(operand)
        if name is None and shell.dialect is DASH:
            shell.err(f"trap: {operand}: bad trap\n")
            return 1
        if name is None:
            return say(shell, args, "bad trap", operand, status=1)
        _set_trap(shell, name, action)
    return 0


def _set_trap(shell: Shell, name: str, action: str | None) -> None:
    main = all(not isinstance(frame, Boundary) or frame.env is None for frame in shell.stack)
    tables = [shell.env.traps, shell.process.traps] if main else [shell.env.traps]
    for table in tables:
        if action is None:
            table.pop(name, None)
        else:
            table[name] = action


def _shown_trap(shell: Shell, name: str) -> str:
    shown = f"SIG{name}" if shell.dialect is BASH and name != "EXIT" else name
    return f"trap -- {single_quoted(shell.env.traps[name])} {shown}\n"


def kill(shell: Shell, args: list[str]) -> int:
    operands = args[1:]
    signal: str | None = "TERM"
    if operands and operands[0].startswith("-") and operands[0] != "--":
        option = operands.pop(0)[1:]
        if option == "l":
            return _kill_list(shell, operands)
        named = operands.pop(0) if option == "s" and operands else option
        signal = signal_named(named)
        if signal is None:
            applet_says(
                shell, args, f"bad signal name '{named}'" if shell.dialect is ASH else f"{named}: invalid signal"
            )
            return 1
    if operands[:1] == ["--"]:
        operands.pop(0)
    if not operands:
        return _kill_usage(shell, args)
    return max(_kill_one(shell, args, operand, signal or "TERM") for operand in operands)


def _kill_list(shell: Shell, operands: list[str]) -> int:
    if not operands:
        shell.out(signal_list())
    for operand in operands:
        number = int(operand) if operand.isdigit() else None
        name = signal_named(str(number & 127)) if number is not None else signal_named(operand)
        if name is not None:
            shell.out(f"{name}\n" if number is not None else f"{SIGNALS.index(name)}\n")
    return 0


def _kill_usage(shell: Shell, args: list[str]) -> int:
    if shell.dialect is ASH:
        applet_says(shell, args, "you need to specify whom to kill")
        return 1
    forms = "kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]"
    if shell.dialect is DASH:
        shell.complain(f"Usage: {forms}", args[0])
    else:
        shell.err("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n")
    return 2


def _kill_one(shell: Shell, args: list[str], target: str, signal: str) -> int:
    pid = _job_pid(shell, target)
    job = shell.jobs.get(pid) if pid is not None else None
    if job is not None and job.status is None:
        if signal != "EXIT":
            shell.jobs.end(job, 128 + SIGNALS.index(signal))
        return 0
    if pid == shell.process.pid:
        return _kill_self(shell, signal)
    if pid is not None and shell.process.kernel.services.kill(shell.process, pid, signal):
        return 0
    said = {"ash": "can't kill pid {}: No such process", "dash": "No such process\n", "bash": "({}) - No such process"}
    applet_says(shell, args, said[shell.dialect.name].format(target))
    return 1


def _kill_self(shell: Shell, signal: str) -> int:
    action = shell.env.traps.get(signal)
    if action is not None:
        run_text(shell, action)
        return 0
    if signal == "EXIT" or signal in IGNORED or shell.process.pid == 1:
        return 0  # the first process of a namespace gets no signal from inside that it has no handler for (signal(7))
    shell.env.traps.clear()
    raise Jump(EXIT, 128 + SIGNALS.index(signal))


def _job_pid(shell: Shell, text: str) -> int | None:
    if text.startswith("%"):
        pids = list(shell.jobs)
        if text in ("%", "%%", "%+"):
            return pids[-1] if pids else None
        return pids[int(text[1:]) - 1] if text[1:].isdigit() and 0 < int(text[1:]) <= len(pids) else None
    return int(text) if text.lstrip("-").isdigit() else None


def wait(shell: Shell, args: list[str]) -> int:
    if len(args) == 1:
        for job in list(shell.jobs.values()):
            shell.jobs.wait_for(job, shell.process)
        shell.jobs.clear()
        return 0
    status = 0
    for operand in args[1:]:
        pid = _job_pid(shell, operand)
        if pid is None or pid not in shell.jobs:
            if shell.dialect is BASH:
                shell.complain(f"pid {operand} is not a child of this shell", args[0])
            status = 127
        else:
            status = shell.jobs.wait_for(shell.jobs[pid], shell.process)
    return status


def jobs(shell: Shell, args: list[str]) -> int:
    for number, job in enumerate(shell.jobs.values(), 1):
        state = "Running" if job.status is None else "Done"
        mark = "+" if number == len(shell.jobs) else "-" if number == len(shell.jobs) - 1 else " "
        gap = "" if shell.dialect is not DASH else " "
        shell.out(f"[{number}]{gap}{mark} {' ' * (not gap)}{state:<27}\n")
    for pid in [job.pid for job in shell.jobs.values() if job.status is not None]:
        del shell.jobs[pid]
    return 0


def times(shell: Shell, args: list[str]) -> int:
    zero = "0m0.000000s" if shell.dialect is DASH else "0m0.000s"
    shell.out(f"{zero} {zero}\n{zero} {zero}\n")
    return 0


_LIMITS = {
    "n": "1048576",
    "s": "8192",
    "c": "0",
}


def ulimit(shell: Shell, args: list[str]) -> int:
    letters = "".join(arg[1:] for arg in args[1:] if arg.startswith("-"))
    values = [arg for arg in args[1:] if not arg.startswith("-")]
    if values:
        return 0
    which = letters.strip("SH")[-1:] or "f"
    shell.out(_LIMITS.get(which, "unlimited") + "\n")
    return 0
