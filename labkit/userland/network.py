"""The network that is not there: wget, curl, ping, nslookup, nc fail as they do without a name server."""

from __future__ import annotations

import re

from labkit.userland.quantities import formatted
from labkit.userland.tool import Tool, Utility


def _host(text: str) -> str:
    return re.sub(r"^\w+://", "", text).partition("/")[0].partition(":")[0]


def _target(tool: Tool) -> str:
    valued = ("-O", "-o", "-c", "-W", "-w", "-i", "-T", "-t", "-s", "-H", "-d", "-X", "--header", "-A", "-u", "-p")
    words = [
        word
        for index, word in enumerate(tool.args)
        if not word.startswith("-") and (index == 0 or tool.args[index - 1] not in valued)
    ]
    if not words:
        tool.usage("missing URL" if tool.name == "wget" else "missing operand")
    return words[0]


def wget(tool: Tool) -> int:
    url = _target(tool)
    host = _host(url)
    if not tool.gnu:
        tool.err(f"bad address '{host}'")
        return 1
    if not any(word in ("-q", "--quiet") or re.fullmatch(r"-q[O-].*|-[a-zA-Z]*q[a-zA-Z]*", word) for word in tool.args):
        full = url if "://" in url else f"http://{url}"
        when = formatted("%Y-%m-%d %H:%M:%S", tool.process.kernel.clock.now)
        tool.process.stderr.write(
            f"--{when}--  {full}{'' if '/' in full.split('://')[1] else '/'}\n"
            f"Resolving {host} ({host})... failed: Temporary failure in name resolution.\n"
            f"wget: unable to resolve host address ‘{host}’\n"
        )
    return 4


def curl(tool: Tool) -> int:
    if not tool.args:
        tool.process.stderr.write("curl: try 'curl --help' or 'curl --manual' for more information\n")
        return 2
    silent = any(re.fullmatch(r"-[a-zA-Z]*s[a-zA-Z]*|--silent", word) for word in tool.args)
    loud = any(re.fullmatch(r"-[a-zA-Z]*S[a-zA-Z]*|--show-error", word) for word in tool.args)
    if not silent or loud:
        tool.process.stderr.write(f"curl: (6) Could not resolve host: {_host(_target(tool))}\n")
    return 6


def ping(tool: Tool) -> int:
    host = _target(tool)
    if host in ("localhost", "127.0.0.1"):
        tool.out(f"PING {host} (127.0.0.1): 56 data bytes\n64 bytes from 127.0.0.1: seq=0 ttl=64 time=0.044 ms\n")
        return 0
    tool.process.stderr.write(
        f"ping: {host}: Temporary failure in name resolution\n" if tool.gnu else f"ping: bad address '{host}'\n"
    )
    return 2 if tool.gnu else 1


def nslookup(tool: Tool) -> int:
    tool.out(";; connection timed out; no servers could be reached\n")
    return 1


def nc(tool: Tool) -> int:
    if any(re.fullmatch(r"-[a-z]*l[a-z]*", word) for word in tool.args):
        return tool.process.wait_forever()
    tool.err(f"bad address '{_target(tool)}'")
    return 1


UTILITIES = {
    "wget": Utility(
        wget, None, None, "[-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR] URL...", package="GNU Wget 1.21.3)"
    ),
    "curl": Utility(curl, None, None),
    "ping": Utility(ping, None, None, "[OPTIONS] HOST", package="iputils 20221126)"),
    "nslookup": Utility(nslookup, None, None, "[-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]"),
    "nc": Utility(nc, None, None, "[OPTIONS] HOST PORT"),
}
