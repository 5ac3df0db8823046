"""What COPY takes files from: a stage, an image or the build context, each seen from its own root.

Links are followed inside that root; a build context shows only what was sent (fsutil's ResolveWildcards, FollowLinks).
"""

from __future__ import annotations

import errno
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from labkit.files import Content, Files, Stat, failure

from .ignore import glob_matches, has_wildcards


@dataclass(frozen=True)
class SourceTree:
    """Files from a root, and the paths that are seen of them (None: all). What was sent from a client is root's."""

    files: Files
    seen: frozenset[str] | None = None

    def lstat(self, path: str) -> Stat:
        """By a path from the root, with a leading slash."""
        if self.seen is not None and path != "/" and path[1:] not in self.seen:
            raise failure(errno.ENOENT, path)
        about = self.files.lstat(path)
        return about if self.seen is None else about._replace(st_uid=0, st_gid=0)

    def listdir(self, path: str) -> list[str]:
        names = self.files.listdir(path)
        if self.seen is None:
            return names
        above = path.strip("/") + "/" if path != "/" else ""
        return [name for name in names if above + name in self.seen]

    def content(self, path: str) -> Content:
        return self.files.content(path)

    def resolve(self, path: str) -> str:
        """The path without links; raises OSError where nothing is there."""
        real = self.files.realpath(path)
        self.lstat(real)
        return real

    def find(self, pattern: str) -> list[tuple[str, str]]:
        """What a source path names: its last name and where it is, links followed; with wildcards perhaps nothing."""
        pattern = posixpath.normpath("/" + pattern).strip("/")
        paths = self._fitting("", pattern.split("/")) if has_wildcards(pattern) else [pattern]
        return [(posixpath.basename(path), self.resolve("/" + path)) for path in paths]

    def _fitting(self, above: str, patterns: list[str]) -> Iterator[str]:
        folder = "/" + above
        try:
            if not stat.S_ISDIR(self.files.stat(folder).st_mode):
                return
            names = self.listdir(self.resolve(folder))
        except OSError:
            return
        for name in names:
            if glob_matches(patterns[0], name):
                path = f"{above}/{name}" if above else name
                if len(patterns) == 1:
                    yield path
                else:
                    yield from self._fitting(path, patterns[1:])

    def walk(self, top: str) -> Iterator[tuple[str, Stat]]:
        """All below a folder, each with its path from there, in order."""
        for name in self.listdir(top):
            path = f"{top.rstrip('/')}/{name}"
            about = self.lstat(path)
            yield name, about
            if stat.S_ISDIR(about.st_mode):
                yield from ((f"{name}/{inner}", known) for inner, known in self.walk(path))
