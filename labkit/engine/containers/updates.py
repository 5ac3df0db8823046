"""POST /containers/NAME/update: other limits and another restart policy for a container.

Messages: moby, daemon/container/container_unix.go, UpdateContainer; daemon/update.go. Zero leaves a limit as it is.
"""

from __future__ import annotations

from labkit.engine.containers import creation
from labkit.engine.core.core import Core, change, find
from labkit.engine.core.errors import conflict
from labkit.engine.core.happened import tell
from labkit.engine.core.records import Container
from labkit.kernel.golang import JsonObject, number, text

# What is asked for, what may not be set already, and what is said then.
_CONFLICTS = (
    ("NanoCpus", "CpuPeriod", "Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set"),
    ("NanoCpus", "CpuQuota", "Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set"),
    ("CpuPeriod", "NanoCpus", "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set"),
    ("CpuQuota", "NanoCpus", "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set"),
)
_SWAP = "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"
_POLICY = "Restart policy cannot be updated because AutoRemove is enabled for the container"


def update(core: Core, reference: str, changes: JsonObject) -> None:
    creation.check_limits(changes)
    container = find(core, reference)
    if said := _refused(container, changes):
        raise conflict(f"Cannot update container {container.id}: {said}")
    change(
        core,
        container.id,
        host_config={**container.host_config, **{key: value for key, value in changes.items() if value}},
    )
    tell(core, "container", "update", container.id)


def _refused(container: Container, changes: JsonObject) -> str:
    now = container.host_config
    for asked, there, said in _CONFLICTS:
        if number(changes, asked) > 0 and number(now, there) > 0:
            return said
    if number(changes, "Memory") > number(now, "MemorySwap") > 0 and not changes.get("MemorySwap"):
        return _SWAP
    if now.get("AutoRemove") and text(changes, "RestartPolicy", "Name") not in ("", "no"):
        return _POLICY
    return ""
