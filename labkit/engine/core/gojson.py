"""JSON as Go's encoding/json writes it: no spaces, and `<`, `>`, `&` escaped. Digests of images depend on it."""

from __future__ import annotations

import json
from typing import Any

_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


def sorted_dumps(value: dict[str, Any]) -> str:
    """The same, with the keys of the outermost object in order, as the daemon writes an image's configuration."""
    return dumps({key: value[key] for key in sorted(value)})
