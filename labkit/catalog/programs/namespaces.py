"""nsenter, and what looks at the network and IPC namespaces: ip, ifconfig, ipcs.

Facts: util-linux 2.38, sys-utils/nsenter.c; iproute2's and busybox's output. The queue that `ipcs` shows on the host is
there so that the namespaces differ; a real host has those that its own programs made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labkit.kernel.process import Changes, ExecError, Process

if TYPE_CHECKING:
    from labkit.engine.api import Engine
    from labkit.engine.daemon.daemon import Daemon
    from labkit.files import Files

_FLAGS = {"-m": "mnt", "-u": "uts", "-n": "net", "-i": "ipc", "-p": "pid", "-C": "cgroup", "-U": "user", "-T": "time"}
_LONG = {
    "--mount": "mnt", "--uts": "uts", "--net": "net", "--ipc": "ipc", "--pid": "pid", "--cgroup": "cgroup",
    "--user": "user", "--time": "time",
}  # fmt: skip
_ORDER = ("user", "cgroup", "ipc", "uts", "net", "pid", "mnt", "time")  # in which nsenter opens them
_TRY = "Try 'nsenter --help' for more information.\n"


@dataclass(frozen=True)
class Entered:
    """The namespaces of a process: "" is the host's own, else a container's id."""

    pid: str
    network: str
    ipc: str
    files: Files
    hostname: str


def nsenter(process: Process, daemon: Daemon) -> int:
    """Run a program in namespaces of another process."""
    target, wanted, command, problem = _arguments(process.argv[1:])
    if problem:
        process.stderr.write(f"nsenter: {problem}\n")
        return 1
    if wanted and target is None:
        first = next(name for name in _ORDER if name in wanted)
        process.stderr.write(f"nsenter: neither filename nor target pid supplied for ns/{first}\n")
        return 1
    found = _find(process, daemon.engine, target)
    first = next((name for name in _ORDER if name in wanted), "")
    if wanted and found is None:
        process.stderr.write(f"nsenter: cannot open /proc/{target}/ns/{first}: No such file or directory\n")
        return 1
    if wanted and found is not None and not found.pid and not process.namespaces.privileged:
        process.stderr.write(f"nsenter: cannot open /proc/{target}/ns/{first}: Permission denied\n")
        return 1
    argv = command or [process.env.get("SHELL", "/bin/sh")]
    try:
        return process.spawn(argv, **(_changes(process, found, wanted) if found else Changes()))
    except ExecError:
        process.stderr.write(f"nsenter: failed to execute {argv[0]}: No such file or directory\n")
        return 127


def _arguments(words: list[str]) -> tuple[str | None, set[str], list[str], str]:
    """The target, the namespaces, the command, and what is wrong."""
    target, wanted = None, set()
    every = False
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        if word in ("-t", "--target") or word.startswith(("-t", "--target=")):
            target = word.removeprefix("--target=").removeprefix("--target").removeprefix("-t") or (
                words.pop(0) if words else ""
            )
            if not target.isdigit():
                return None, set(), [], f"failed to parse pid: '{target}'"
        elif word in ("-a", "--all"):
            every = True
        elif word in ("-F", "--no-fork", "-r", "--root", "-w", "--wd"):
            continue
        elif word in _LONG:
            wanted.add(_LONG[word])
        elif not word.startswith("--") and all(f"-{letter}" in _FLAGS for letter in word[1:]):
            wanted |= {_FLAGS[f"-{letter}"] for letter in word[1:]}
        elif word.startswith("--"):
            return None, set(), [], f"unrecognized option '{word}'\n{_TRY.rstrip()}"
        else:
            return None, set(), [], f"invalid option -- '{word[1]}'\n{_TRY.rstrip()}"
    return target, set(_FLAGS.values()) if every else wanted, words, ""


def _find(process: Process, engine: Engine, target: str | None) -> Entered | None:
    """The namespaces of the process with this number, as the caller counts processes."""
    own = process.namespaces
    if own.pid:
        if target not in ("1", str(process.pid)):
            return None
        return Entered(own.pid, own.network, own.ipc, process.files, process.hostname)
    if target == "1":
        return Entered("", "", "", engine.host.copy(), engine.core.about.hostname)
    container = engine.container_of_pid(int(target or 0))
    namespace = container and engine.namespace_of(container.id)
    if not container or not namespace:
        return None
    return Entered(container.id, container.id, container.id, namespace.files(), container.hostname)


def _changes(process: Process, found: Entered, wanted: set[str]) -> Changes:
    changes = Changes()
    if "mnt" in wanted:
        changes["files"] = found.files
        found.files.cwd = "/"
    if "uts" in wanted:
        changes["hostname"] = found.hostname
    own = process.namespaces
    changes["namespaces"] = replace(
        own,
        network=found.network if "net" in wanted else own.network,
        ipc=found.ipc if "ipc" in wanted else own.ipc,
        pid=found.pid if "pid" in wanted else own.pid,
    )
    return changes


def _addresses(process: Process, engine: Engine) -> list[tuple[str, str]]:
    """The interfaces of the process' network namespace, with their addresses."""
    own = process.namespaces
    if not own.network:
        return [("lo", "127.0.0.1/8"), ("eth0", f"{engine.core.about.address}/24"), ("docker0", "172.17.0.1/16")]
    address = engine.address_of(own.network)
    return [("lo", "127.0.0.1/8"), *([("eth0", f"{address}/16")] if address else [])]


def ip(process: Process, daemon: Daemon) -> int:
    """ip addr, ip route."""
    words = [word for word in process.argv[1:] if not word.startswith("-")]
    if words and words[0].startswith("r"):
        return _routes(process, daemon.engine)
    if words and not words[0].startswith("a"):
        process.stderr.write(f'Object "{words[0]}" is unknown, try "ip help".\n')
        return 1
    for number, (name, address) in enumerate(_addresses(process, daemon.engine), 1):
        flags = "LOOPBACK,UP,LOWER_UP" if name == "lo" else "BROADCAST,MULTICAST,UP,LOWER_UP"
        size, state = (65536, "UNKNOWN") if name == "lo" else (1500, "UP")
        scope = "host" if name == "lo" else "global"
        process.stdout.write(
            f"{number}: {name}: <{flags}> mtu {size} state {state}\n    inet {address} scope {scope} {name}\n"
        )
    return 0


def _routes(process: Process, engine: Engine) -> int:
    for name, address in _addresses(process, engine)[1:]:
        host, _, bits = address.partition("/")
        known = host.split(".")[: int(bits) // 8]
        network = [*known, *["0"] * (4 - len(known))]
        if name == "eth0":
            process.stdout.write(f"default via {'.'.join([*network[:3], '1'])} dev eth0\n")
        process.stdout.write(f"{'.'.join(network)}/{bits} dev {name} scope link  src {host}\n")
    return 0


def ifconfig(process: Process, daemon: Daemon) -> int:
    """The addresses as busybox's and net-tools' ifconfig show them."""
    for name, address in _addresses(process, daemon.engine):
        host = address.partition("/")[0]
        kind = "Local Loopback" if name == "lo" else "Ethernet"
        process.stdout.write(f"{name:<10}Link encap:{kind}\n          inet addr:{host}\n\n")
    return 0


def ipcs(process: Process) -> int:
    """The message queues of the IPC namespace."""
    process.stdout.write("\n------ Message Queues --------\n")
    process.stdout.write("key        msqid      owner      perms      used-bytes   messages    \n")
    if not process.namespaces.ipc:
        process.stdout.write("0x6c61626b 0          root       644        0            0           \n")
    process.stdout.write("\n")
    return 0
