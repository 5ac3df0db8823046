"""The records under data/: read when they are first needed, never changed."""

from __future__ import annotations

import json
from functools import cache
from os.path import dirname, join
from typing import Any


@cache
def load(name: str) -> dict[str, Any]:
    """data/NAME, TOML or JSON. Shared by all: nobody changes it."""
    with open(join(dirname(__file__), "data", name), encoding="utf-8") as file:
        text = file.read()
    if name.endswith(".json"):
        return json.loads(text)  # type: ignore[no-any-return]
    import tomllib

    return tomllib.loads(text)
