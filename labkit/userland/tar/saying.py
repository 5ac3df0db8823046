"""What tar says of its members and its failures."""

from __future__ import annotations

import stat

from labkit.files import major, minor
from labkit.userland.dates import formatted
from labkit.userland.modes import shown
from labkit.userland.tar.archive import TarMember
from labkit.userland.tool import Tool


def fatal(tool: Tool, text: str) -> None:
    tool.err(text)
    tool.fail("Error is not recoverable: exiting now", 2)


def delayed(tool: Tool) -> None:
    if tool.status:
        tool.err(
            "Exiting with failure status due to previous errors"
            if tool.gnu
            else "error exit delayed from previous errors",
            2 if tool.gnu else 1,
        )


def say_relative(tool: Tool) -> None:
    said = "Removing leading `/' from member names" if tool.gnu else "removing leading '/' from member names"
    tool.process.stderr.write(f"tar: {said}\n")


def long_line(tool: Tool, member: TarMember) -> str:
    owner = f"{member.user or member.uid}/{member.group or member.gid}"
    if tool.has("numeric-owner"):
        owner = f"{member.uid}/{member.gid}"
    device = stat.S_ISCHR(member.mode) or stat.S_ISBLK(member.mode)
    size = f"{major(member.rdev)},{minor(member.rdev)}" if device else str(len(member.body))
    mode = shown(member.mode)
    if member.hard and tool.gnu:
        mode = "h" + mode[1:]
    arrow = f" link to {member.link}" if member.hard and tool.gnu else f" -> {member.link}" if member.link else ""
    if tool.gnu:
        when = formatted("%Y-%m-%d %H:%M", member.mtime * 10**9)
        return f"{mode} {owner} {size:>{max(1, 18 - len(owner))}} {when} {member.name}{arrow}"
    when = formatted("%Y-%m-%d %H:%M:%S", member.mtime * 10**9)
    return f"{mode} {owner} {size:>9} {when} {member.name}{arrow}"
