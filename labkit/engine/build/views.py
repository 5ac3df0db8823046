"""Looks into file systems, for as long as a build runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.files import Files, Namespace, Source, tmpfs

if TYPE_CHECKING:
    from labkit.engine.api import Engine


class Views:
    """File systems seen from their own root; close() forgets them all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: list[Namespace] = []
        self._mounted: list[str] = []
        self._layers: dict[str, Files] = {}

    def of(self, source: Source) -> Files:
        namespace = Namespace(self._engine.host.store, source)
        self._open.append(namespace)
        return namespace.files()

    def folder(self, files: Files, path: str) -> Files:
        return self.of(files.source(path))

    def empty(self) -> Files:
        """A file system in memory with nothing in it."""
        return self.of(tmpfs(self._engine.host.store, mode=0o755))

    def layer(self, chain: str) -> Files:
        """A finished layer, with all below it."""
        if chain not in self._layers:
            cache_id = self._engine.layerstore.cache_id(chain)
            assert cache_id
            self._layers[chain] = self.of(self._engine.driver.mount(cache_id))
        return self._layers[chain]

    def mount(self, layer_id: str) -> Source:
        """A layer that is written to; it is unmounted with the rest."""
        self._mounted.append(layer_id)
        return self._engine.driver.mount(layer_id)

    def close(self) -> None:
        for namespace in self._open:
            namespace.discard()
        for layer_id in self._mounted:
            self._engine.driver.unmount(layer_id)
        self._open, self._mounted, self._layers = [], [], {}
