"""kill, wait, jobs, trap and the like: processes and signals."""

from __future__ import annotations

from labkit.kernel.process import SIGNALS, signal_list, signal_named
from labkit.shell.boundaries import Boundary, deliver, take_signal
from labkit.shell.builtins.saying import applet_says, fail, say, single_quoted
from labkit.shell.messages import ASH, BASH, DASH
from labkit.shell.running import Shell


def trap(shell: Shell, args: list[str]) -> int:
    operands = args[2:] if args[1:2] == ["--"] else args[1:]
    if operands and args[1] != "--" and len(operands[0]) > 1 and operands[0].startswith("-"):
        if shell.dialect is not BASH or operands[0][:2] not in ("-l", "-p"):
            return fail(shell, args, "option", operands[0][:2])
        if operands[0] == "-l":
            shell.out(signal_list())
            return 0
    if not operands or operands == ["-p"]:
        shell.out("".join(_shown_trap(shell, name) for name in sorted(shell.env.traps, key=_trap_order)))
        return 0
    action: str | None = operands[0]
    names = operands[1:]
    if action == "-" or len(operands) == 1 or operands[0].isdigit():
        action, names = None, names if action == "-" else operands
    for operand in names:
        name = _trap_name(shell, operand)
        if name is None and shell.dialect is DASH:
            shell.err(f"trap: {operand}: bad trap\n")
            return 1
        if name is None:
            return say(shell, args, "bad trap", operand, status=1)
        _set_trap(shell, name, action)
    return 0


def _trap_name(shell: Shell, operand: str) -> str | None:
    if operand.upper() == "ERR" and shell.dialect is not DASH:
        return "ERR"
    return None if shell.dialect is DASH and operand.upper().startswith("SIG") else signal_named(operand)


def _trap_order(name: str) -> int:
    return SIGNALS.index(name) if name in SIGNALS else len(SIGNALS)


def _set_trap(shell: Shell, name: str, action: str | None) -> None:
    main = all(not isinstance(frame, Boundary) or frame.env is None for frame in shell.stack)
    tables = [shell.env.traps, shell.process.traps] if main else [shell.env.traps]
    for table in tables:
        if action is None:
            table.pop(name, None)
        else:
            table[name] = action


def _shown_trap(shell: Shell, name: str) -> str:
    shown = f"SIG{name}" if shell.dialect is BASH and name not in ("EXIT", "ERR") else name
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
            shell.jobs.end(job, signal)
        return 0
    if pid == shell.process.pid:
        take_signal(shell, signal)
        return 0
    if pid is not None and shell.process.signal_parent(pid, signal):
        return 0
    if pid is not None and shell.process.kernel.services.kill(shell.process, pid, signal):
        return 0
    said = {"ash": "can't kill pid {}: No such process", "dash": "No such process\n", "bash": "({}) - No such process"}
    applet_says(shell, args, said[shell.dialect.name].format(target))
    return 1


def _job_pid(shell: Shell, text: str) -> int | None:
    if text.startswith("%"):
        pids = list(shell.jobs)
        if text in ("%", "%%", "%+"):
            return pids[-1] if pids else None
        return pids[int(text[1:]) - 1] if text[1:].isdigit() and 0 < int(text[1:]) <= len(pids) else None
    return int(text) if text.lstrip("-").isdigit() else None


_ENDED = {  # what the shell says when it has waited for one that a signal ended (strsignal)
    "HUP": "Hangup\n", "INT": "", "QUIT": "Quit\n", "ILL": "Illegal instruction\n", "TRAP": "Trace/breakpoint trap\n",
    "ABRT": "Aborted\n", "BUS": "Bus error\n", "FPE": "Floating point exception\n", "KILL": "Killed\n",
    "USR1": "User defined signal 1\n", "SEGV": "Segmentation fault\n", "USR2": "User defined signal 2\n", "PIPE": "",
    "ALRM": "Alarm clock\n", "TERM": "Terminated\n",
}  # fmt: skip


def wait(shell: Shell, args: list[str]) -> int:
    status = _waited(shell, args)
    if shell.process.kernel.signals:
        deliver(shell)
    return status


def _waited(shell: Shell, args: list[str]) -> int:
    if len(args) == 1:
        for job in list(shell.jobs.values()):
            shell.jobs.wait_for(job, shell.process)
        shell.jobs.clear()
        return 0
    if args[1] == "-n" and shell.dialect is not DASH:
        return _wait_next(shell)
    status = 0
    for operand in args[1:]:
        pid = _job_pid(shell, operand)
        if pid in shell.jobs and pid is not None:
            status = shell.jobs.wait_for(shell.jobs[pid], shell.process)
            if (signal := shell.jobs[pid].signal) and shell.dialect is not BASH:
                shell.err(_ENDED.get(signal, f"{signal}\n"))
        else:
            status = _no_child(shell, args, operand)
            if status != 127:
                return status
    return status


def _no_child(shell: Shell, args: list[str], operand: str) -> int:
    if operand.startswith("%"):
        return say(shell, args, "no job", operand, status=127 if shell.dialect is BASH else 2)
    if shell.dialect is BASH:
        if not operand.isdigit():
            shell.complain(f"`{operand}': not a pid or valid job spec", args[0])
            return 1
        shell.complain(f"pid {operand} is not a child of this shell", args[0])
    elif operand.startswith("-"):
        return say(shell, args, "option", operand[:2])
    elif not operand.isdigit():
        return say(shell, args, "illegal number", operand)
    return 127


def _wait_next(shell: Shell) -> int:
    """wait -n: the status of the job that ends first."""
    waiting = [job for job in shell.jobs.values() if job.status is None]
    ended = next((job for job in shell.jobs.values() if job.status is not None), None)
    if ended is None:
        if not waiting:
            return 127
        timed = [job for job in waiting if job.until is not None]
        ended = min(timed, key=lambda job: job.until or 0) if timed else waiting[0]
    status = shell.jobs.wait_for(ended, shell.process)
    del shell.jobs[ended.pid]
    return status


def jobs(shell: Shell, args: list[str]) -> int:
    if "-p" in args[1:]:
        shell.out("".join(f"{pid}\n" for pid in shell.jobs))
        return 0
    below = any(isinstance(frame, Boundary) and frame.env is not None for frame in shell.stack)
    if shell.dialect is DASH and below:
        return 0  # they are not a subshell's
    numbered = list(enumerate(shell.jobs.values(), 1))
    for number, job in numbered if shell.dialect is BASH else reversed(numbered):
        state = "Running" if job.status is None else f"Done({job.status})" if job.status else "Done"
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
