"""What `docker events` tells and no event of the engine's own says."""

from __future__ import annotations

from labkit.engine.core.core import Core, Event


class Happened(Event):
    """`actor`: the id of what it happened to, or its name where it has none (moby, api/types/events)."""

    kind: str
    action: str
    actor: str
    attributes: tuple[tuple[str, str], ...]


def tell(core: Core, kind: str, action: str, actor: str, **attributes: str) -> None:
    core.events.append(Happened(kind, action, actor, tuple(attributes.items())))
