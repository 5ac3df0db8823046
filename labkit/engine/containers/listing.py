"""Containers as records: what they are made of, how they are found, listed and inspected. lifecycle.py runs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from labkit.engine.containers.network import networks, port_rows
from labkit.engine.containers.status import sizes, status_text
from labkit.engine.core.core import Core, by_age, find
from labkit.engine.core.errors import SECOND, EngineError, Filters, check_filters, invalid, labels_match, matches_filter
from labkit.engine.core.records import Container
from labkit.engine.images.imagestore import ImageStore

_FILTERS = (
    "ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name", "network",
    "publish", "since", "status", "volume",
)  # fmt: skip
_STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")


# --- finding


# --- GET /containers/json


def rows(
    core: Core,
    all: bool = False,
    filters: Filters | None = None,
    size: bool = False,
    limit: int = 0,
) -> list[dict[str, Any]]:
    """The containers of `docker ps`, the newest first."""
    wanted = check_filters(filters, _FILTERS)
    for status in wanted.get("status", ()):
        if status not in _STATES:
            raise invalid(f"invalid value for state ({status}): must be one of {', '.join(_STATES)}")
    for code in wanted.get("exited", ()):
        if not re.fullmatch(r"[+-]?\d+", code):
            raise invalid(f'strconv.Atoi: parsing "{code}": invalid syntax')
    shown = all or bool(wanted.get("status")) or bool(wanted.get("exited")) or limit > 0
    found = [container for container in by_age(core) if shown or container.state.running]
    for key, values in wanted.items():
        if values:
            test = _TESTS.get(key)
            found = [container for container in found if test is None or test(core, container, values)]
    return [row(core, container, size) for container in (found[:limit] if limit > 0 else found)]


def _is_descendant(core: Core, container: Container, references: Sequence[str]) -> bool:
    images = []
    for reference in references:
        try:
            images.append(ImageStore(core).find(reference))
        except EngineError:
            continue  # an unknown image has no containers
    mine = ImageStore(core).get(container.image)
    if mine is None:
        return container.image in [image.id for image in images]
    layers = mine.diff_ids
    return any(
        image.id == mine.id
        or (image.diff_ids and len(image.diff_ids) < len(layers) and layers[: len(image.diff_ids)] == image.diff_ids)
        for image in images
    )


def _is_before(core: Core, container: Container, values: Sequence[str]) -> bool:
    return container.number < min(find(core, value).number for value in values)


def _is_since(core: Core, container: Container, values: Sequence[str]) -> bool:
    return container.number > max(find(core, value).number for value in values)


def _has_exited(core: Core, container: Container, values: Sequence[str]) -> bool:
    state = container.state
    return state.finished is not None and not state.running and str(state.exit_code) in values


def _has_volume(core: Core, container: Container, values: Sequence[str]) -> bool:
    return any(value in (mount.name, mount.source, mount.destination) for mount in container.mounts for value in values)


_TESTS: dict[str, Callable[[Core, Container, Sequence[str]], bool]] = {
    "ancestor": _is_descendant,
    "before": _is_before,
    "exited": _has_exited,
    "id": lambda core, container, values: any(container.id.startswith(value) for value in values),
    "label": lambda core, container, values: labels_match(container.config.get("Labels"), {"label": values}),
    "name": lambda core, container, values: any(_name_matches(container.name, value) for value in values),
    "network": lambda core, container, values: _in_network(core, container, values),
    "publish": lambda core, container, values: _has_port("PublicPort")(core, container, values),
    "expose": lambda core, container, values: _has_port("PrivatePort")(core, container, values),
    "health": lambda core, container, values: _is_healthy(core, container, values),
    "since": _is_since,
    "status": lambda core, container, values: container.state.status in values,
    "volume": _has_volume,
}


def _name_matches(name: str, pattern: str) -> bool:
    """`name=` is a regular expression anywhere in the name, with or without its slash."""
    return matches_filter(f"/{name}", pattern) or matches_filter(name, pattern)


def _in_network(core: Core, container: Container, values: Sequence[str]) -> bool:
    return any(name in values for name in networks(core, container))


def _has_port(number: str) -> Callable[[Core, Container, Sequence[str]], bool]:
    """`publish=` and `expose=`: PORT[-PORT][/PROTOCOL], on the host or in the container."""

    def test(core: Core, container: Container, values: Sequence[str]) -> bool:
        wanted = [_port_range(value) for value in values]
        rows = list(port_rows(container))
        return any(
            row.get(number) in numbers and row["Type"] == protocol for row in rows for numbers, protocol in wanted
        )

    return test


def _port_range(text: str) -> tuple[range, str]:
    numbers, _, protocol = text.partition("/")
    first, _, last = numbers.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        raise invalid(f"invalid start port '{first}': invalid syntax")
    return range(int(first), int(last or first) + 1), protocol or "tcp"


def _is_healthy(core: Core, container: Container, values: Sequence[str]) -> bool:
    """No container here has a health check that ran."""
    return "none" in values


def row(core: Core, container: Container, size: bool = False) -> dict[str, Any]:
    record: dict[str, Any] = {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": _image_shown(core, container),
        "ImageID": container.image,
        "Command": command_text(container.command),
        "Created": container.created // SECOND,
        "Ports": list(port_rows(container)),
        "Labels": dict(container.config.get("Labels") or {}),
        "State": container.state.status,
        "Status": status_text(container.state, core.now()),
        "HostConfig": {"NetworkMode": container.host("NetworkMode", "bridge") or "bridge"},
        "NetworkSettings": {"Networks": networks(core, container)},
        "Mounts": [mount.row() for mount in container.mounts],
    }
    if size:
        record["SizeRw"], record["SizeRootFs"] = sizes(core, container)
    return record


def _image_shown(core: Core, container: Container) -> str:
    """The name that the container was made from, or the image's id where that name now means another image."""
    asked: str = container.config["Image"]
    try:
        return asked if ImageStore(core).find(asked).id == container.image else container.image
    except EngineError:
        return container.image


def command_text(command: Sequence[str]) -> str:
    """The command and its arguments, those with a blank in quotes."""
    first, rest = command[0] if command else "", command[1:]
    return " ".join([first, *(f"'{word}'" if " " in word else word for word in rest)])


# --- GET /containers/NAME/json
