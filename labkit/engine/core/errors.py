"""What the daemon answers when it refuses: one exception, whose text the CLI prints after its own prefix.

Filters, which it refuses most often, are `--filter KEY=VALUE` of lists and prunes: which keys a command knows, labels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from labkit.kernel.golang import Json
from labkit.kernel.timestamps import moment


class EngineError(Exception):
    """The daemon's answer to a request that it does not carry out.

    `kind`: "not-found", "conflict", "invalid", "forbidden" or "system", as the API's status code would tell; "client"
    where the request does not reach the daemon.
    """

    def __init__(self, message: str, kind: str = "system") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


def not_found(message: str) -> EngineError:
    return EngineError(message, "not-found")


def conflict(message: str) -> EngineError:
    return EngineError(message, "conflict")


def invalid(message: str) -> EngineError:
    return EngineError(message, "invalid")


def forbidden(message: str) -> EngineError:
    return EngineError(message, "forbidden")


def system(message: str) -> EngineError:
    return EngineError(message, "system")


def no_name(kind: str) -> EngineError:
    """What the client itself says of an empty name, before the daemon is asked (moby, client/utils.go, trimID)."""
    return EngineError(f"invalid {kind} name or ID: value is empty", "client")


def check_address(image: str) -> None:
    """Without a name the client asks for /images itself, where the daemon has nothing to remove or to tell."""
    if not image:
        raise not_found("page not found")


Filters = Mapping[str, Sequence[str]]


def check_filters(filters: Filters | None, known: Sequence[str]) -> Filters:
    """The filters, all of which the command knows; else the daemon's complaint about the first that it does not."""
    for key in filters or {}:
        if key not in known:
            raise invalid(f"invalid filter '{key}'")
    return filters or {}


def earliest(filters: Filters, now: int, said: str = "", many: bool = False) -> int | None:
    """The earliest moment that the filter `until` names. `many`: it may be there more than once."""
    wanted = filters.get("until", ())
    if len(wanted) > 1 and not many:
        raise invalid("more than one until filter specified")
    try:
        return min((moment(text, now) for text in wanted), default=None)
    except ValueError as error:
        raise invalid(f"{said}{error}") from None


def filter_truth(filters: Filters, key: str, default: bool | None = None) -> bool | None:
    """A filter that is true or false, as Go reads it."""
    values = filters.get(key)
    if not values:
        return default
    yes, no = bool({"1", "true"} & set(values)), bool({"0", "false"} & set(values))
    if yes == no:  # neither, or both
        raise invalid(f"invalid filter '{key}={_quoted(values)}'")
    return yes


def _quoted(values: Sequence[str]) -> str:
    return "[" + " ".join(values) + "]"


def matches_filter(text: str, pattern: str) -> bool:
    """A value or a regular expression that occurs somewhere; one that is none matches nothing (api/types/filters)."""
    try:
        return text == pattern or bool(re.search(pattern, text))
    except re.error:
        return False


def labels_match(labels: Mapping[str, Json] | None, filters: Filters) -> bool:
    """All `label=` must be there, no `label!=` may be there."""
    has = labels or {}
    return all(_has(has, wanted) for wanted in filters.get("label", ())) and not any(
        _has(has, unwanted) for unwanted in filters.get("label!", ())
    )


def _has(labels: Mapping[str, Json], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)
