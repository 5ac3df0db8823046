"""Who, where and when: id, whoami, groups, hostname, uname, uptime, ps, kill, free, date and the like."""

from __future__ import annotations

from collections.abc import Iterable

from labkit.kernel.process import Listed, signal_list, signal_named
from labkit.userland.owning import Names
from labkit.userland.quantities import formatted, parsed, scaled
from labkit.userland.tool import Say, Tool, Utility
from labkit.userland.zones import GREENWICH

CPUS = 2
_MEMORY = (4019848, 512344, 2204368, 1024, 1303136, 3275620)  # KiB: total, used, free, shared, buff/cache, available
_BOOT = 3 * 3600 + 25 * 60  # seconds that the machine has been up when a day's clock starts

# users


def id_(tool: Tool) -> None:
    names = Names(tool.files)
    if not tool.operands:
        user = tool.files.user
        uid, gid, groups = user.uid, user.gid, _groups(user.gid, user.groups)
    else:
        named = tool.operands[0]
        account = names.account(named) or next((one for one in names.accounts if str(one.uid) == named), None)
        if account is None:
            tool.refuse(_UNKNOWN, named)
        uid, gid, groups = account.uid, account.gid, _groups(account.gid, names.member_of(account.name))
    tool.out(_identity(tool, names, uid, gid, groups) + "\n")


_UNKNOWN = Say("unknown user {0}", "{0:l}: no such user")


def _groups(own: int, others: Iterable[int]) -> list[int]:
    """Each once, the own one first: a process has it among the others too."""
    return [own, *[group for group in others if group != own]]


def _identity(tool: Tool, names: Names, uid: int, gid: int, groups: list[int]) -> str:
    by_name = tool.has("n")
    if tool.has("u"):
        return names.user(uid) if by_name else str(uid)
    if tool.has("g", "G"):
        shown = [gid] if tool.has("g") else groups
        return " ".join(names.group(group) if by_name else str(group) for group in shown)
    if by_name and tool.gnu:
        tool.fail("cannot print only names or real IDs in default format")
    text = f"uid={_labelled(uid, names.user(uid, ''))} gid={_labelled(gid, names.group(gid, ''))}"
    return text + " groups=" + ",".join(_labelled(group, names.group(group, "")) for group in groups)


def _labelled(number: int, name: str) -> str:
    return f"{number}({name})" if name else str(number)


def whoami(tool: Tool) -> None:
    if tool.operands:
        tool.extra(0)
    uid = tool.files.user.uid
    name = Names(tool.files).user(uid, "")
    if not name:
        tool.fail(f"cannot find name for user ID {uid}" if tool.gnu else f"unknown uid {uid}")
    tool.out(f"{name}\n")


def groups(tool: Tool) -> None:
    names = Names(tool.files)
    if not tool.operands:
        user = tool.files.user
        numbers = _groups(user.gid, user.groups)
        tool.out(" ".join(names.group(number) for number in numbers) + "\n")
    for name in tool.operands:
        account = names.account(name)
        if account is None:
            tool.complain(_UNKNOWN, name)
            continue
        numbers = _groups(account.gid, names.member_of(name))
        text = " ".join(names.group(number) for number in numbers)
        tool.out((f"{name} : " if tool.gnu else "") + text + "\n")


def logname(tool: Tool) -> None:
    tool.out(f"{tool.env.get('LOGNAME') or Names(tool.files).user(tool.files.user.uid)}\n")


def who(tool: Tool) -> None:
    """Nobody has logged in."""


# the machine


def hostname(tool: Tool) -> None:
    if tool.operands:
        tool.fail("you must be root to change the host name" if tool.gnu else "sethostname: Operation not permitted")
    name = tool.process.hostname
    head, _, tail = name.partition(".")
    shown = "127.0.1.1" if tool.has("i", "I") else head if tool.has("s") else tail if tool.has("d") else name
    tool.out(f"{shown}\n")


def uname(tool: Tool) -> None:
    if tool.operands:
        tool.extra(0)
    system, release, version, machine, name = tool.process.kernel.services.uname(tool.process)
    values = {"s": system, "n": tool.process.hostname, "r": release, "v": version, "m": machine, "o": name}
    asked = "snrvmo" if tool.has("a") else "".join(letter for letter in "snrvmo" if tool.has(letter)) or "s"
    if tool.has("p", "i") and not tool.has("a"):
        tool.out("unknown\n")
        return
    tool.out(" ".join(values[letter] for letter in asked) + "\n")


def arch(tool: Tool) -> None:
    tool.out("x86_64\n")


def nproc(tool: Tool) -> None:
    tool.out(f"{max(1, CPUS - tool.number('ignore', 0))}\n")


def uptime(tool: Tool) -> None:
    now = tool.process.kernel.clock.now
    seconds = _BOOT + now // 10**9 % 86400
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    up = f"{hours}:{minutes:02}" if hours else f"{minutes} min"
    if tool.has("p"):
        tool.out(f"up {hours} hours, {minutes} minutes\n")
        return
    users = "0 user" if tool.gnu else "0 users"
    tool.out(f" {formatted('%H:%M:%S', now)} up {up:>5},  {users},  load average: 0.00, 0.01, 0.00\n")


def free(tool: Tool) -> None:
    unit = {"b": 1 / 1024, "k": 1, "m": 1024, "g": 1 << 20}.get(tool.last("b", "k", "m", "g") or "k", 1)
    titles = ("total", "used", "free", "shared", "buff/cache", "available")
    front, width = (9, 11) if tool.gnu else (8, 11)
    tool.out(" " * front + " ".join(f"{title:>{width}}" for title in titles) + "\n")
    memory = [_amount(tool, value, unit) for value in _MEMORY]
    swap = [_amount(tool, 0, unit)] * 3
    tool.out(f"{'Mem:':<{front}}" + " ".join(f"{value:>{width}}" for value in memory) + "\n")
    tool.out(f"{'Swap:':<{front}}" + " ".join(f"{value:>{width}}" for value in swap) + "\n")


def _amount(tool: Tool, kib: int, unit: float) -> str:
    if not tool.has("h"):
        return str(int(kib / unit))
    value, power = scaled(kib, 1024)
    if kib == 0:
        return "0B" if tool.gnu else "0"
    digits = f"{value:.1f}" if value < 10 else f"{value:.0f}"
    return f"{digits}{'KMGT'[power]}{'i' if tool.gnu else ''}"


# processes


def _processes(tool: Tool) -> list[Listed]:
    """Those that there are, and the one that asks."""
    own = Listed(tool.process.pid, Names(tool.files).user(tool.files.user.uid), " ".join(tool.process.argv))
    found = {own.pid: own} | {row.pid: row for row in tool.process.kernel.services.processes(tool.process)}
    return [found[number] for number in sorted(found)]


def ps(tool: Tool) -> None:
    rows = _processes(tool)
    letters = "".join(arg.lstrip("-") for arg in tool.args)
    title, form = _PS["busybox" if not tool.gnu else "u" if "u" in letters else "f" if "f" in letters else ""]
    tool.out(f"{title}\n")
    for pid, user, command in rows:
        tool.out(form.format(pid, user[:8], command, command.split()[0].rpartition("/")[2] if command else "") + "\n")


def top(tool: Tool) -> int:
    """A screen of processes; without -n another follows every few seconds, for as long as it is let."""
    rows = [f"{row.pid:5}     0 {row.user[:8]:<8} S     4400   0.0   0   0.0 {row.command}" for row in _processes(tool)]
    _, used, unused, shared, cached, _ = _MEMORY
    head = (
        f"Mem: {used}K used, {unused}K free, {shared}K shrd, 0K buff, {cached}K cached",
        "CPU:   0% usr   0% sys   0% nic 100% idle   0% io   0% irq   0% sirq",
        f"Load average: 0.00 0.01 0.00 1/{len(rows)} {tool.process.pid}",
        "  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND",
    )
    for signal, status in (("TERM", 143), ("INT", 130), ("QUIT", 131)):  # busybox, top.c, sig_catcher
        tool.process.traps.setdefault(signal, f"exit {status}")
    tool.out(("" if tool.has("b") else "\x1b[H\x1b[J") + "\n".join([*head, *rows]) + "\n")
    return 0 if tool.has("n") else tool.process.wait_forever()


_PS = {  # option: the titles, and a row of process, user, command and program
    "u": (
        "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND",
        "{1:<8} {0:7}  0.0  0.0   4608  3200 ?        S    09:00   0:00 {2}",
    ),
    "f": (
        "UID          PID    PPID  C STIME TTY          TIME CMD",
        "{1:<8} {0:7}       0  0 09:00 ?        00:00:00 {2}",
    ),
    "": ("    PID TTY          TIME CMD", "{0:7} ?        00:00:00 {3}"),
    "busybox": ("PID   USER     COMMAND", "{0:5} {1:<8} {2}"),
}


def kill(tool: Tool) -> None:
    args, signal = list(tool.args), "TERM"
    if args[:1] == ["-l"]:
        tool.out(signal_list())
        return
    if args and args[0].startswith("-") and len(args[0]) > 1:
        text = args.pop(0)[1:]
        text = args.pop(0) if text == "s" and args else text
        named = signal_named(text)
        if named is None:
            text = text.upper().removeprefix("SIG")
            tool.fail(f"bad signal name '{text}'" if not tool.gnu else f"unknown signal {text}")
        signal = named
    if not args:
        tool.fail("you need to specify whom to kill" if not tool.gnu else "not enough arguments")
    for target in args:
        if not target.lstrip("-").isdigit():
            tool.fail(f"invalid number '{target}'" if not tool.gnu else f"failed to parse argument: '{target}'")
        process = tool.process
        if process.signal_parent(int(target), signal):
            continue
        if not process.kernel.services.kill(process, int(target), signal):
            tool.err(f"({target}): No such process" if tool.gnu else f"can't kill pid {target}: No such process")


# time


def date(tool: Tool) -> None:
    form = next((operand[1:] for operand in tool.operands if operand.startswith("+")), None)
    others = [operand for operand in tool.operands if not operand.startswith("+")]
    now = tool.process.kernel.clock.now
    text = tool.value("d")
    zone = GREENWICH if tool.has("u") else tool.zone
    if others:
        if tool.gnu and form is not None:
            tool.usage(tool.text(Say("", "extra operand {0:l}"), others[0]))
        tool.fail(tool.text(Say("invalid date '{0}'", "invalid date {0:l}"), others[0]))
    if reference := tool.value("r"):
        with tool.refusing(Say("can't stat '{0}'", "{0}"), reference):
            when: int | None = tool.files.stat(reference).st_mtime_ns
    else:
        when = parsed(text, now, zone=zone) if text is not None else now
    if when is None:
        tool.refuse(Say("invalid date '{0}'", "invalid date {0:l}"), text or "")
    tool.out(formatted(form if form is not None else _date_form(tool), when, zone) + "\n")


_ISO = {"": "%Y-%m-%d", "date": "%Y-%m-%d", "hours": "%Y-%m-%dT%H%:z", "minutes": "%Y-%m-%dT%H:%M%:z",
        "seconds": "%Y-%m-%dT%H:%M:%S%:z", "ns": "%Y-%m-%dT%H:%M:%S,%N%:z"}  # fmt: skip


def _date_form(tool: Tool) -> str:
    if tool.has("R"):
        return "%a, %d %b %Y %H:%M:%S %z"
    if tool.has("I"):
        return _ISO.get(tool.value("I") or "", "%Y-%m-%d")
    if tool.has("rfc-3339"):
        return {"date": "%Y-%m-%d", "ns": "%Y-%m-%d %H:%M:%S.%N%:z"}.get(
            tool.value("rfc-3339") or "", "%Y-%m-%d %H:%M:%S%:z"
        )
    return "%a %b %e %H:%M:%S %Z %Y"


# others


def sync(tool: Tool) -> None:
    for path in tool.operands:
        with tool.complaining(Say("can't open '{0}'", "error opening {0:q}"), path):
            tool.files.open(path).close()


def clear(tool: Tool) -> None:
    tool.out("\033[H\033[J" if not tool.gnu else "\033[H\033[2J\033[3J")


def logger(tool: Tool) -> None:
    if tool.has("s"):
        tool.process.stderr.write(f"{tool.value('t') or 'root'}: {' '.join(tool.operands)}\n")


def tty(tool: Tool) -> int:
    terminal = tool.process.tty or tool.process.stdin.isatty
    if not tool.has("s"):
        tool.out("/dev/pts/0\n" if terminal else "not a tty\n")
    return 0 if terminal else 1


UTILITIES = {
    "id": Utility(
        id_, "u g G n r", "u=user g=group G=groups n=name r=real a z Z", "[-ugGnr] [USER]", "[OPTION]... [USER]..."
    ),
    "whoami": Utility(whoami, "", "", ""),
    "groups": Utility(groups, "", "", "[USER]"),
    "logname": Utility(logname, "", "", ""),
    "who": Utility(who, "a H", "a b d H l p q r s t T u m", "[-aH]"),
    "hostname": Utility(
        hostname,
        "s i d f F:",
        "s=short i=ip-address I=all-ip-addresses d=domain f=fqdn,long a y A b F:=file",
        "[-sidf] [HOSTNAME | -F FILE]",
        bad=255,
        package="hostname 3.23)",
    ),
    "uname": Utility(
        uname,
        "a m n r s p v i o",
        "a=all m=machine n=nodename r=kernel-release s=kernel-name p=processor v=kernel-version "
        "i=hardware-platform o=operating-system",
        "[-amnrspvio]",
        "[OPTION]...",
    ),
    "arch": Utility(arch, "", "", ""),
    "nproc": Utility(nproc, "=all =ignore:", "=all =ignore:", "[--all] [--ignore=N]", "[OPTION]..."),
    "uptime": Utility(uptime, "", "p=pretty s=since", "", package="procps-ng 4.0.2)"),
    "free": Utility(
        free, "b k m g h", "b=bytes k=kibi m=mebi g=gibi h=human t w l", "[-bkmgh]", package="procps-ng 4.0.2)"
    ),
    "ps": Utility(ps, "o: T a e f", None, "[-o COL1,COL2=HEADER] [-T]", package="procps-ng 4.0.2)"),
    "top": Utility(top, "b n: d: m H", None, "[-bmH] [-n COUNT] [-d SECONDS]"),
    "kill": Utility(kill, None, None, "[-l] [-SIG] PID...", package="procps-ng 4.0.2)"),
    "date": Utility(
        date,
        "u=utc R=rfc-2822 d:=date s: r:=reference I? D:",
        "u=utc,universal,uct R=rfc-email,rfc-2822 d:=date s:=set r:=reference I?=iso-8601 f: =rfc-3339:",
        "[OPTIONS] [+FMT] [[-s] TIME]",
    ),
    "sync": Utility(sync, "d f", "d=data f=file-system", "[-df] [FILE]..."),
    "clear": Utility(clear, "", "T: V x", ""),
    "logger": Utility(
        logger, "s t: p:", "s t: p: i", "[-s] [-t TAG] [-p PRIO] [MESSAGE]", package="util-linux 2.38.1)"
    ),
    "tty": Utility(tty, "s", "s=silent,quiet", "[-s]"),
}
