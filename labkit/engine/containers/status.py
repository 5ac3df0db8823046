"""How docker ps tells how long a container has been up, or gone."""

from __future__ import annotations

from labkit.engine.core.core import Core
from labkit.engine.core.records import Container, ContainerState
from labkit.engine.images.layerstore import LayerStore
from labkit.kernel.gounits import human_duration


def status_text(state: ContainerState, now: int) -> str:
    """As `docker ps` shows it (moby, daemon/container/state.go)."""
    if state.running:
        up = human_duration(now - (state.started or now))
        if state.status == "paused":
            return f"Up {up} (Paused)"
        if state.status == "restarting":
            return f"Restarting ({state.exit_code}) {human_duration(now - (state.finished or now))} ago"
        return f"Up {up}"
    if state.status == "dead":
        return "Dead"
    if state.status == "created" or state.started is None or state.finished is None:
        return "Created"
    return f"Exited ({state.exit_code}) {human_duration(now - state.finished)} ago"


def sizes(core: Core, container: Container) -> tuple[int, int]:
    """Bytes of the container's own layer, and of that and its image together."""
    writable = core.tables.mounts[container.id]
    own = core.driver.size(writable.mount_id)
    return own, own + LayerStore(core).size(writable.parent)
