"""nsenter: run a program in the namespaces of another process, which is how one gets from a container onto its host.

Only process 1 can be entered: in a container with --pid=host that is the host's, else the container's own.
"""

from __future__ import annotations

from typing import Any

from labkit.shell.utilities.tool import Say, Tool, Utility


def nsenter(tool: Tool) -> int:
    changes: dict[str, Any] = {}
    namespace = tool.files.namespace
    target = tool.value("t")
    if target is not None and tool.has("m", "a"):
        if namespace.locked:
            tool.fail(_said(tool, "mnt"))
        if target != "1":
            tool.fail(f"cannot open /proc/{target}/ns/mnt: No such file or directory" if tool.gnu else
                      f"can't open '/proc/{target}/ns/mnt': No such file or directory")  # fmt: skip
        outside = namespace.outside or namespace
        changes["files"] = outside.files(tool.files.user)
        if namespace.outside is not None and tool.has("u", "a"):
            changes["hostname"] = _hostname(changes["files"]) or tool.process.hostname
    argv = list(tool.operands) or [tool.process.env.get("SHELL") or "/bin/sh"]
    return tool.run(argv, Say("can't execute '{0}'", "failed to execute {0}"), **changes)


def _said(tool: Tool, name: str) -> str:
    if tool.gnu:
        return f"reassociate to namespace 'ns/{name}' failed: Operation not permitted"
    return f"setns(): can't reassociate to namespace '{name}': Operation not permitted"


def _hostname(files: Any) -> str:
    try:
        return str(files.read("/etc/hostname").decode().strip())
    except OSError:
        return ""


_BUSYBOX = "t: m? u? i? n? p? C? U r? w? F"
_GNU = "a=all t:=target m?=mount u?=uts i?=ipc n?=net p?=pid C?=cgroup U?=user T?=time S:=setuid G:=setgid r?=root w?=wd F=no-fork"
UTILITIES = {"nsenter": Utility(nsenter, _BUSYBOX, _GNU, "[OPTIONS] [PROG ARGS]", permute=False, package="util-linux 2.38.1)")}
