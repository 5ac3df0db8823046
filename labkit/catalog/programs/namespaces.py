"""nsenter, and what looks at the network and IPC namespaces: ip, ifconfig, ipcs.

Facts: util-linux 2.38, sys-utils/nsenter.c; iproute2's and busybox's output. The queue that `ipcs` shows on the host is
there so that the namespaces differ; a real host has those that its own programs made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labkit.kernel.process import ExecError, Namespaces, Process

_FLAGS = {"-m": "mnt", "-u": "uts", "-n": "net", "-i": "ipc", "-p": "pid", "-C": "cgroup", "-U": "user", "-T": "time"}
_LONG = {
    "--mount": "mnt", "--uts": "uts", "--net": "net", "--ipc": "ipc", "--pid": "pid", "--cgroup": "cgroup",
    "--user": "user", "--time": "time",
}  # fmt: skip
_ORDER = ("user", "cgroup", "ipc", "uts", "net", "pid", "mnt", "time")  # in which nsenter opens them
_TRY = "Try 'nsenter --help' for more information.\n"


def nsenter(process: Process) -> int:
    """Run a program in namespaces of another process."""
    target, wanted, command, problem = _arguments(process.argv[1:])
    if problem:
        process.stderr.write(f"nsenter: {problem}\n")
        return 1
    if wanted and target is None:
        first = next(name for name in _ORDER if name in wanted)
        process.stderr.write(f"nsenter: neither filename nor target pid supplied for ns/{first}\n")
        return 1
    found = _find(process, target)
    first = next((name for name in _ORDER if name in wanted), "")
    if wanted and found is None:
        process.stderr.write(f"nsenter: cannot open /proc/{target}/ns/{first}: No such file or directory\n")
        return 1
    if wanted and found is not None and not found["id"] and not process.namespaces.privileged:
        process.stderr.write(f"nsenter: cannot open /proc/{target}/ns/{first}: Permission denied\n")
        return 1
    return _enter(process, found or {}, wanted, command or [process.env.get("SHELL", "/bin/sh")])


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


def _find(process: Process, target: str | None) -> dict[str, Any] | None:
    """The namespaces of the process with this number, as the caller counts processes."""
    engine: Any = process.kernel.services["engine"]
    if process.namespaces.pid:
        if target not in ("1", str(process.pid)):
            return None
        return {
            "id": process.namespaces.pid, "files": process.files, "hostname": process.hostname,
            "network": process.namespaces.network, "ipc": process.namespaces.ipc,
        }  # fmt: skip
    if target == "1":
        return {"id": "", "files": engine.host.copy(), "hostname": engine.hostname, "network": "", "ipc": ""}
    container = engine.container_of_pid(int(target or 0))
    if container is None:
        return None
    files = engine.namespace_of(container.id).files()
    own = container.id
    return {"id": own, "files": files, "hostname": container.hostname, "network": own, "ipc": own}


def _enter(process: Process, found: dict[str, Any], wanted: set[str], command: list[str]) -> int:
    namespaces = process.namespaces
    changes: dict[str, Any] = {}
    if "mnt" in wanted:
        changes["files"] = found["files"]
        changes["files"].cwd = "/"
    if "uts" in wanted:
        changes["hostname"] = found["hostname"]
    if "net" in wanted:
        namespaces = replace(namespaces, network=found["network"])
    if "ipc" in wanted:
        namespaces = replace(namespaces, ipc=found["ipc"])
    if "pid" in wanted:
        namespaces = replace(namespaces, pid=found["id"])
    try:
        return process.spawn(command, namespaces=namespaces, **changes)
    except ExecError:
        process.stderr.write(f"nsenter: failed to execute {command[0]}: No such file or directory\n")
        return 127


def _addresses(process: Process) -> list[tuple[str, str]]:
    """The interfaces of the process' network namespace, with their addresses."""
    engine: Any = process.kernel.services["engine"]
    own: Namespaces = process.namespaces
    if not own.network:
        return [("lo", "127.0.0.1/8"), ("eth0", f"{engine.address}/24"), ("docker0", "172.17.0.1/16")]
    address = engine.address_of(own.network)
    return [("lo", "127.0.0.1/8"), *([("eth0", f"{address}/16")] if address else [])]


def ip(process: Process) -> int:
    """ip addr, ip route."""
    words = [word for word in process.argv[1:] if not word.startswith("-")]
    if words and words[0].startswith("r"):
        return _routes(process)
    if words and not words[0].startswith("a"):
        process.stderr.write(f'Object "{words[0]}" is unknown, try "ip help".\n')
        return 1
    for number, (name, address) in enumerate(_addresses(process), 1):
        flags = "LOOPBACK,UP,LOWER_UP" if name == "lo" else "BROADCAST,MULTICAST,UP,LOWER_UP"
        size, state = (65536, "UNKNOWN") if name == "lo" else (1500, "UP")
        scope = "host" if name == "lo" else "global"
        process.stdout.write(
            f"{number}: {name}: <{flags}> mtu {size} state {state}\n    inet {address} scope {scope} {name}\n"
        )
    return 0


def _routes(process: Process) -> int:
    for name, address in _addresses(process)[1:]:
        host, _, bits = address.partition("/")
        known = host.split(".")[: int(bits) // 8]
        network = [*known, *["0"] * (4 - len(known))]
        if name == "eth0":
            process.stdout.write(f"default via {'.'.join([*network[:3], '1'])} dev eth0\n")
        process.stdout.write(f"{'.'.join(network)}/{bits} dev {name} scope link  src {host}\n")
    return 0


def ifconfig(process: Process) -> int:
    """The addresses as busybox's and net-tools' ifconfig show them."""
    for name, address in _addresses(process):
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
