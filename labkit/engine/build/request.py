"""What a client asks of a build, and the signature of the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labkit.files import Content, Files


@dataclass(frozen=True)
class BuildRequest:
    """`docker build`. Paths are the client's, from `files.cwd`."""

    files: Files  # the client's
    context: str  # a folder, or "-" for what is on stdin: a Dockerfile or a tar archive
    dockerfile: str = ""  # -f; "" is Dockerfile in the context, "-" is stdin
    stdin: Content = field(default_factory=Content)
    tags: tuple[str, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()  # names of stages
    pull: bool = False
    quiet: bool = False
    secrets: Mapping[str, bytes] = field(default_factory=dict)  # id -> content
    iidfile: str = ""
