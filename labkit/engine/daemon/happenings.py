"""GET /events: what the engine did, as `docker events` tells it, the last 256 of it (moby, daemon/events/events.go).

Names and attributes: moby, api/types/events, daemon/events.go; recorded examples (more-commands.txt).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from labkit.engine.core import core as happened
from labkit.engine.core.core import Core, Event
from labkit.engine.core.errors import EngineError, Filters, check_filters
from labkit.engine.core.happened import Happened
from labkit.engine.core.names import Reference, parse_any
from labkit.kernel import timestamps
from labkit.kernel.golang import JsonObject, members, number

_FILTERS = (
    "config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret",
    "service", "type", "volume",
)  # fmt: skip
_KEPT = 256
# Event -> type, action, the attribute that holds the id, and further attributes.
_TOLD: dict[type[Event], tuple[str, str, str, Mapping[str, str]]] = {
    happened.ContainerCreated: ("container", "create", "container", {"name": "name"}),
    happened.ContainerStarted: ("container", "start", "container", {}),
    happened.ContainerStopped: ("container", "die", "container", {"exitCode": "exit_code", "execDuration": "seconds"}),
    happened.ContainerRenamed: ("container", "rename", "container", {"oldName": "former_path"}),
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
    names: dict[str, tuple[str, str]] = {}
    told = [each for moment, event in core.events.timed() if (each := _document(core, names, moment, event))]
    found = [each for each in told[-_KEPT:] if first <= number(each, "timeNano") <= last]
    return [each for each in found if all(_matches(each, key, wanted[key]) for key in wanted)]


def _read(core: Core, text: str) -> int:
    """A time as the client reads it; now where none is given."""
    try:
        return timestamps.moment(text, core.now(), client=True) if text else core.now()
    except ValueError as error:
        raise EngineError(str(error), "client") from None


def _document(core: Core, names: dict[str, tuple[str, str]], moment: int, event: Event) -> JsonObject:
    """`names`: container -> its name at the time and its image's, also of those that are gone."""
    if isinstance(event, happened.ContainerCreated):
        names[event.container] = event.name, event.reference
    elif isinstance(event, happened.ContainerRenamed):
        names[event.container] = event.name, names[event.container][1]
    attributes: JsonObject
    if isinstance(event, Happened):
        kind, action, identifier, attributes = event.kind, event.action, event.actor, dict(event.attributes)
    elif told := _TOLD.get(type(event)):
        kind, action, key, more = told
        identifier = str(getattr(event, key))
        attributes = {name: str(getattr(event, attribute)) for name, attribute in more.items()}
    else:
        return {}
    if kind == "container" and identifier:
        name, image = names.get(identifier, ("", ""))
        container = core.tables.containers.get(identifier)
        labels = members(container.config, "Labels") if container else {}
        attributes = {**attributes, **labels, "image": image, "name": name}
    elif kind == "image" and identifier:
        attributes = {"name": identifier, **attributes}
    elif kind == "volume" and identifier:
        attributes = {**attributes, "driver": attributes.get("driver", "local")}
    return {
        "Type": kind,
        "Action": action,
        "Actor": {"ID": identifier, "Attributes": dict(sorted(attributes.items()))},
        "scope": "local",
        "time": moment // 10**9,
        "timeNano": moment,
    }


# moby, daemon/events/filter.go
def _matches(event: JsonObject, key: str, values: Sequence[str]) -> bool:
    kind, action, actor = event["Type"], event["Action"], event["Actor"]
    assert isinstance(actor, dict)
    attributes = members(actor, "Attributes")
    images = [str(actor["ID"]), str(attributes.get("name" if kind == "image" else "image", ""))]
    loose = any(value in ("health_status", "exec_create", "exec_start") for value in values)
    names = (str(actor["ID"]), str(attributes.get("name", "")))
    tests: dict[str, Callable[[str], bool]] = {
        "type": lambda value: kind == value,
        "event": lambda value: action == value or (loose and str(action).startswith(value)),
        "scope": lambda value: value == "local",
        "label": lambda value: _labelled(attributes, value),
        "image": lambda value: value in {name for each in images for name in (each, _without_tag(each))},
    }
    own = lambda value: any(name.startswith(value) for name in names)  # noqa: E731  (of whatever type it is)
    return any(tests.get(key, own)(value) for value in values)


def _without_tag(name: str) -> str:
    reference = parse_any(name)
    return reference.familiar_name if isinstance(reference, Reference) else name


def _labelled(attributes: JsonObject, wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return name in attributes and (not equals or attributes[name] == value)
