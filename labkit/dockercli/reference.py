"""Names of images on the client's side: the grammar is the engine's (engine/references.py)."""

from __future__ import annotations

from labkit.engine.core import names
from labkit.engine.core.errors import EngineError
from labkit.engine.core.names import Reference


class ReferenceInvalid(ValueError):
    """The name of an image cannot be read; str() is what distribution/reference says."""


def parse(text: str) -> Reference:
    try:
        return names.parse(text)
    except EngineError as error:
        raise ReferenceInvalid(error.message) from None


def parse_any(text: str) -> Reference | None:
    """As parse; None for a whole image id or digest."""
    try:
        found = names.parse_any(text)
    except EngineError as error:
        raise ReferenceInvalid(error.message) from None
    return found if isinstance(found, Reference) else None
