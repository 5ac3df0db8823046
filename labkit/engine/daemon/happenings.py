"""GET /events: what the engine did, as `docker events` tells it.

Of what the engine keeps a record of: containers, images and volumes made, started, ended, removed; not of who looked.
Names and attributes: moby, api/types/events, daemon/events.go; recorded examples (more-commands.txt).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from labkit.engine.core import core as happened
from labkit.engine.core.core import Core, Event
from labkit.engine.core.errors import EngineError, Filters, check_filters
from labkit.kernel import timestamps
from labkit.kernel.golang import JsonObject, members

_FILTERS = (
    "config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret",
    "service", "type", "volume",
)  # fmt: skip
# Event -> type, action, the attribute that holds the id, and further attributes.
_TOLD: dict[type[Event], tuple[str, str, str, Mapping[str, str]]] = {
    happened.ContainerCreated: ("container", "create", "container", {"name": "name"}),
    happened.ContainerStarted: ("container", "start", "container", {}),
    happened.ContainerStopped: ("container", "die", "container", {"exitCode": "exit_code"}),
    happened.ContainerRenamed: ("container", "rename", "container", {"name": "name", "oldName": "former"}),
    happened.ContainerRemoved: ("container", "destroy", "container", {"name": "name"}),
    happened.ImageTagged: ("image", "tag", "image", {"name": "reference"}),
    happened.ImageUntagged: ("image", "untag", "image", {"name": "reference"}),
    happened.ImageRemoved: ("image", "delete", "image", {}),
    happened.VolumeCreated: ("volume", "create", "name", {}),
    happened.VolumeRemoved: ("volume", "destroy", "name", {}),
}


def happenings(core: Core, since: str = "", until: str = "", filters: Filters | None = None) -> list[JsonObject]:
    """Nothing of the past without --since."""
    wanted = check_filters(filters, _FILTERS)
    first, last = _read(core, since), _read(core, until)
    names = _names(core)
    found = [_document(core, names, moment, event) for moment, event in core.events.timed() if first <= moment <= last]
    return [each for each in found if each and all(_matches(each, key, wanted[key]) for key in wanted)]


def _read(core: Core, text: str) -> int:
    """A time as the client reads it; now where none is given."""
    try:
        return timestamps.moment(text, core.now(), client=True) if text else core.now()
    except ValueError as error:
        raise EngineError(str(error), "client") from None


def _names(core: Core) -> dict[str, tuple[str, str]]:
    """Container -> its name and its image's, also of those that are gone."""
    found = {}
    for event in core.events:
        if isinstance(event, happened.ContainerCreated):
            found[event.container] = event.name, event.image
    for identifier, container in core.tables.containers.items():
        found[identifier] = container.name, str(container.config.get("Image") or container.image)
    return found


def _document(core: Core, names: Mapping[str, tuple[str, str]], moment: int, event: Event) -> JsonObject:
    told = _TOLD.get(type(event))
    if told is None:
        return {}
    kind, action, key, more = told
    identifier = str(getattr(event, key))
    attributes: JsonObject = {name: str(getattr(event, attribute)) for name, attribute in more.items()}
    if kind == "container":
        name, image = names.get(identifier, ("", ""))
        container = core.tables.containers.get(identifier)
        labels = members(container.config, "Labels") if container else {}
        attributes = {**labels, "image": image, "name": name, **attributes}
    elif kind == "image":
        attributes = {"name": identifier, **attributes}
    else:
        attributes = {"driver": "local"}
    return {
        "Type": kind,
        "Action": action,
        "Actor": {"ID": identifier, "Attributes": attributes},
        "scope": "local",
        "time": moment // 10**9,
        "timeNano": moment,
    }


def _matches(event: JsonObject, key: str, values: Sequence[str]) -> bool:
    kind, action, actor = event["Type"], event["Action"], event["Actor"]
    assert isinstance(actor, dict)
    attributes = members(actor, "Attributes")
    tests: dict[str, Callable[[str], bool]] = {
        "type": lambda value: kind == value,
        "event": lambda value: action == value,
        "scope": lambda value: value == "local",
        "label": lambda value: _labelled(attributes, value),
        "image": lambda value: value in (actor["ID"], attributes.get("name" if kind == "image" else "image")),
    }
    own = lambda value: kind == key and (str(actor["ID"]).startswith(value) or attributes.get("name") == value)  # noqa: E731
    return any(tests.get(key, own)(value) for value in values)


def _labelled(attributes: JsonObject, wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return name in attributes and (not equals or attributes[name] == value)
