"""The file system under everything: contents, trees, layers, union mounts, and POSIX's calls on them."""

from __future__ import annotations

from labkit.files.contents import Content, Map, failure
from labkit.files.inodes import Inode, Mount, Place, Source, Store
from labkit.files.layers import BadArchiveError, Entry, Layer
from labkit.files.namespace import Files, Namespace, tmpfs
from labkit.files.paths import (
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
    User,
    major,
    makedev,
    minor,
)
from labkit.files.union import Tree

__all__ = [
    "O_ACCMODE", "O_APPEND", "O_CREAT", "O_DIRECTORY", "O_EXCL", "O_NOFOLLOW", "O_RDONLY", "O_RDWR", "O_TRUNC",
    "O_WRONLY", "R_OK", "W_OK", "X_OK", "BadArchiveError", "Content", "Entry", "Files", "Handle", "Inode", "Layer",
    "Map", "Mount", "Namespace", "Place", "Source", "Stat", "Store", "Tree", "User", "failure", "major", "makedev",
    "minor", "tmpfs",
]  # fmt: skip
