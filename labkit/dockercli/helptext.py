"""Help: help.txt holds what `docker COMMAND --help` prints, to the letter; a command's flags are read from there.

A section starts with `$ docker COMMAND`. Commands that differ from another only by their place (docker container rm,
docker rm) share one section.
"""

from __future__ import annotations

import pkgutil
import re
from functools import lru_cache

from .flags import Flag

_FLAG_LINE = re.compile(r" {2}(?:-(\S), | {4})--([a-z][\w-]*)(?: ([\w-]+))?(?: {2,}(.*))?$")


@lru_cache(maxsize=1)
def sections() -> dict[str, str]:
    """Command -> its help; the root command's key is "docker"."""
    text = (pkgutil.get_data("labkit.dockercli", "help.txt") or b"").decode()
    pieces = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    return {name: body.rstrip("\n") for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}


def help_of(path: str, like: str) -> str:
    """The help of `docker container rm`, made from that of `docker rm` where it has no section of its own."""
    if path in sections():
        return sections()[path]
    return sections()[like].replace(like, path, 1)


def usage_of(text: str) -> str:
    """What follows Usage:."""
    return text.split("\n\n", 1)[0].removeprefix("Usage:").strip()


@lru_cache(maxsize=256)
def flags_of(text: str) -> tuple[Flag, ...]:
    """The flags that a help text lists under Options."""
    found: list[Flag] = []
    about: list[str] = []
    for line in _option_lines(text):
        if match := _FLAG_LINE.match(line):
            about = [match[4] or ""]
            found.append(Flag(match[2], match[1] or "", match[3] or "bool"))
        elif found:
            about.append(line.strip())
        if found and (default := re.search(r"\(default ([^()]*)\)$", " ".join(about))):
            flag = found[-1]
            found[-1] = Flag(flag.name, flag.short, flag.kind, default[1].strip('"'))
    return tuple(found)


def _option_lines(text: str) -> list[str]:
    lines = text.split("\n")
    for title in ("Options:", "Global Options:"):
        if title in lines:
            start = lines.index(title) + 1
            end = lines.index("", start) if "" in lines[start:] else len(lines)
            return lines[start:end]
    return []
