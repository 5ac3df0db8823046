"""GET /containers/NAME/top: what ps says, on the host, of a container's processes (moby, daemon/top_unix.go).

Known of are the container's own process and what `exec` left running in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from labkit.engine.core.core import Core, find
from labkit.engine.core.errors import conflict, system
from labkit.engine.core.happened import tell
from labkit.kernel.golang import Json, JsonObject

_FULL = "uid pid ppid c stime tname time cmd"
_AUX = "user pid pcpu pmem vsz rss tname stat start time command"
_TITLES = {
    "c": "C", "tname": "TTY", "tty": "TT", "args": "COMMAND", "command": "COMMAND", "comm": "COMMAND", "pcpu": "%CPU",
    "pmem": "%MEM", "etime": "ELAPSED",
    **{name: name.upper() for name in "uid user pid ppid stime start time cmd %cpu %mem vsz rss stat".split()},
}  # fmt: skip
_SAME = {
    "c": "0", "stime": "09:00", "start": "09:00", "tname": "?", "tty": "?", "time": "00:00:00", "pcpu": "0.0",
    "%cpu": "0.0", "pmem": "0.0", "%mem": "0.0", "vsz": "4400", "rss": "324", "stat": "Ss", "etime": "00:00",
}  # fmt: skip


def top(core: Core, reference: str, options: Sequence[str] = ()) -> JsonObject:
    container = find(core, reference)
    if not container.state.running:
        raise conflict(f"container {container.id} is not running")
    columns = _columns(" ".join(options))
    if "pid" not in columns:
        raise system("Couldn't find PID field in ps output")
    shim, first = container.state.pid - 20, container.state.pid
    processes = [(first, shim, "root", " ".join(container.command))]
    for key, running in core.tables.running.items():
        own, _, number = key.partition("/")
        if number and own == container.id and running.process:
            uid = running.process.files.user.uid
            processes.append((first + int(number) + 6, shim, str(uid or "root"), " ".join(running.process.argv)))
    rows: list[Json] = [list[Json](_row(columns, *each)) for each in sorted(processes)]
    tell(core, "container", "top", container.id)
    return {"Titles": [_TITLES[column] for column in columns], "Processes": rows}


def _columns(options: str) -> list[str]:
    if asked := re.search(r"(?:^|\s|-\w*)o\s*([\w%,]+)", options):
        names = asked[1].lower().split(",")
        for name in names:
            if name not in _TITLES:
                raise system(f'ps: exit status 1: error: unknown user-defined format specifier "{name}"')
        return names
    return (_AUX if "u" in options else _FULL).split()


def _row(columns: Sequence[str], pid: int, parent: int, user: str, command: str) -> list[str]:
    program = command.split(" ")[0].rpartition("/")[2]
    own = {"pid": str(pid), "ppid": str(parent), "uid": user, "user": user, "comm": program[:15]}
    own |= dict.fromkeys(("cmd", "args", "command"), command)
    return [own.get(column) or _SAME[column] for column in columns]
