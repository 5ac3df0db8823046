"""An image as a record, and a whole configuration of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.engine.core import times
from labkit.engine.core.layer import chain_id

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Image:
    id: str  # sha256:…
    config: dict[str, Any]  # as in its JSON; nobody changes it
    text: str  # that JSON
    parent: str = ""  # the image it was committed from; BuildKit leaves none
    tagged: int | None = None  # when it last got a name, ns

    @property
    def diff_ids(self) -> tuple[str, ...]:
        return tuple(self.config["rootfs"]["diff_ids"] or ())

    @property
    def chain(self) -> str | None:
        """The chain id of its top layer."""
        return chain_id(self.diff_ids)

    @property
    def created(self) -> int:
        return times.parse(self.config.get("created", ""))

    @property
    def run_config(self) -> dict[str, Any]:
        """What containers of it are configured with."""
        return self.config.get("config") or {}


def new_config(
    diff_ids: Iterable[str], config: dict[str, Any], history: Sequence[dict[str, Any]], created: int, **more: Any
) -> dict[str, Any]:
    """A whole configuration of a Linux image for this machine's processor."""
    return {
        "architecture": "amd64",
        "config": config,
        "created": times.rfc3339(created),
        "history": list(history),
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
        **more,
    }
