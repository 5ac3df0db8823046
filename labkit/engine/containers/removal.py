"""What goes with a container that is removed: its record, layer, folder, anonymous volumes (moby, daemon/delete.go)."""

from __future__ import annotations

from labkit.engine.containers import folder
from labkit.engine.core.core import ContainerRemoved, Core
from labkit.engine.core.errors import EngineError
from labkit.engine.core.records import Container
from labkit.engine.images.layerstore import LayerStore
from labkit.engine.mounts import volumes


def _remove_volumes(core: Core, container: Container) -> None:
    for point in container.mounts:
        if point.type == "volume" and not point.named:
            try:
                volumes.remove(core, point.name, force=True)
            except EngineError:
                continue  # another container uses it


def discard(core: Core, container: Container, *, volumes_too: bool) -> None:
    """Take away a container without a process; `volumes_too`: with the anonymous volumes that nothing else uses."""
    core.tables.containers.delete(container.id)
    core.tables.names.delete(container.name)
    LayerStore(core).remove_writable(container.id)
    folder.remove_container_folder(core, container)
    core.events.append(ContainerRemoved(container.id, container.name))
    if volumes_too:
        _remove_volumes(core, container)
