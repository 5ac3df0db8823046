"""The file system under everything: contents, trees, layers, union mounts, and POSIX's calls on them."""

from __future__ import annotations

from labkit.files.contents import Content
from labkit.files.errors import failure
from labkit.files.handles import (
    O_ACCMODE,
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
    R_OK,
    W_OK,
    X_OK,
    Handle,
    Stat,
    major,
    makedev,
    minor,
)
from labkit.files.inodes import Inode
from labkit.files.layers import Layer
from labkit.files.mounts import Mount, Source
from labkit.files.namespace import Files, Namespace, tmpfs
from labkit.files.paths import User
from labkit.files.persistent import Map
from labkit.files.store import Store
from labkit.files.tar import BadArchiveError, Entry
from labkit.files.tree import Tree

__all__ = [
    "O_ACCMODE", "O_APPEND", "O_CREAT", "O_DIRECTORY", "O_EXCL", "O_NOFOLLOW", "O_RDONLY", "O_RDWR", "O_TRUNC",
    "O_WRONLY", "R_OK", "W_OK", "X_OK", "BadArchiveError", "Content", "Entry", "Files", "Handle", "Inode", "Layer",
    "Map", "Mount", "Namespace", "Source", "Stat", "Store", "Tree", "User", "failure", "major", "makedev", "minor",
    "tmpfs",
]  # fmt: skip
