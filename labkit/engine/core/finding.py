"""Containers by name and id, and in order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labkit.engine.core.container import Container
from labkit.engine.core.core import Core
from labkit.engine.core.errors import invalid, not_found


def find(core: Core, reference: str) -> Container:
    """By id, name (with or without a slash) or the start of an id."""
    containers = core.tables.containers
    if found := containers.get(reference):
        return found  # type: ignore[no-any-return]
    if identifier := core.tables.names.get(reference.removeprefix("/")):
        return containers[identifier]  # type: ignore[no-any-return]
    starts = [identifier for identifier in containers if reference and identifier.startswith(reference)]
    if len(starts) > 1:
        raise invalid(f"Multiple IDs found with provided prefix: {reference}")
    if not starts:
        raise not_found(f"No such container: {reference}")
    return containers[starts[0]]  # type: ignore[no-any-return]


def by_age(core: Core) -> list[Container]:
    """All, the newest first."""
    found = (container for _, container in core.tables.containers.items())
    return sorted(found, key=lambda container: -container.number)


def change(core: Core, identifier: str, **changes: Any) -> Container:
    container: Container = replace(core.tables.containers[identifier], **changes)
    core.tables.containers.set(identifier, container)
    return container
