"""Files below /var/lib/docker, made by the store's own means."""

from __future__ import annotations

import stat

from labkit.engine.core.core import Core
from labkit.files import Content, Inode
from labkit.files.inodes import Generated

ROOT = "/var/lib/docker"


def image_root(core: Core) -> str:
    return f"{ROOT}/image/{core.driver.name}"


class Maker:
    """Makes files by the store's own means: quick, and free of paths and rights."""

    def __init__(self, core: Core, path: str) -> None:
        self.host = core.host
        self.driver = core.driver.name
        self.store = core.host.store
        self.top = core.host.inode(path)

    def folder(self, name: str, mode: int, into: Inode | None = None) -> Inode:
        node = self.store.new(stat.S_IFDIR | mode)
        self.store.add(into or self.top, name, node)
        return node

    def generated(self, into: Inode, name: str, *args: str, mode: int = 0o644) -> None:
        self.store.add(into, name, self.store.new(stat.S_IFREG | mode, data=Generated("docker", (self.driver, *args))))

    def text(self, into: Inode, name: str, text: str, mode: int = 0o644) -> Inode:
        node = self.store.new(stat.S_IFREG | mode, data=Content(text))
        self.store.add(into, name, node)
        return node

    def remove(self, name: str) -> None:
        if name in self.store.names(self.top):
            self.store.drop(self.store.take(self.top, name))
