"""The protocol that every file system keeps: Tree and Overlay, and what else may be mounted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from labkit.files.contents import Content
from labkit.files.inodes import FileData, FileNode, Inode

N = TypeVar("N", bound=FileNode)


class FileSystem(Protocol[N]):
    """Files by their nodes. Who calls has checked the rights, and that a name is free or may be replaced."""

    @property
    def device(self) -> int:
        """st_dev."""

    @property
    def limit(self) -> int | None:
        """Bytes that it may hold."""

    @property
    def overlay(self) -> bool:
        """Whether it is a union mount, whose marks are not shown."""

    @property
    def root(self) -> N: ...

    def get(self, node: N, /) -> Inode:
        """What this file is now."""

    def change(self, node: N, /) -> Inode:
        """The same, to be changed."""

    def lookup(self, folder: N, name: str) -> N | None: ...

    def names(self, folder: N) -> Iterable[str]: ...

    def is_empty(self, folder: N) -> bool: ...

    def number(self, node: N) -> int:
        """st_ino."""

    def links(self, node: N) -> int:
        """st_nlink."""

    def make(self, folder: N, name: str, mode: int, uid: int, gid: int, data: FileData = None, rdev: int = 0) -> N:
        """A new file of any type."""

    def remove(self, folder: N, name: str) -> None:
        """Take a file's or an empty folder's name away."""

    def link(self, node: N, folder: N, name: str) -> None: ...

    def rename(self, folder: N, name: str, to: N, other: str) -> None: ...

    def can_move_folder(self, folder: N) -> bool: ...

    def is_inside(self, node: N, folder: N) -> bool:
        """Whether `node` is `folder` or lies below it."""

    def prepare_write(self, node: N, *, keep: bool = True) -> None:
        """Called when a file is opened for writing; `keep`: its old bytes matter."""

    def current(self, node: N) -> None:
        """Called when an open file is used: what has become of it since."""

    def room_for(self, more: int, node: N, data: Content) -> None:
        """Raise ENOSPC where `more` bytes do not fit. `data` is what `node` is about to hold."""
