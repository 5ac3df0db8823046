"""The `--filter KEY=VALUE` of lists and prunes: which keys a command knows, and labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from labkit.engine.core.errors import invalid

Filters = Mapping[str, Sequence[str]]


def check(filters: Filters | None, known: Sequence[str]) -> Filters:
    """The filters, all of which the command knows; else the daemon's complaint about the first that it does not."""
    for key in filters or {}:
        if key not in known:
            raise invalid(f"invalid filter '{key}'")
    return filters or {}


def truth(filters: Filters, key: str, default: bool | None = None) -> bool | None:
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


def matches(text: str, pattern: str) -> bool:
    """A value or a regular expression that occurs somewhere; one that is none matches nothing (api/types/filters)."""
    try:
        return text == pattern or bool(re.search(pattern, text))
    except re.error:
        return False


def labels_match(labels: Mapping[str, str] | None, filters: Filters) -> bool:
    """All `label=` must be there, no `label!=` may be there."""
    has = labels or {}
    return all(_has(has, wanted) for wanted in filters.get("label", ())) and not any(
        _has(has, unwanted) for unwanted in filters.get("label!", ())
    )


def _has(labels: Mapping[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)
