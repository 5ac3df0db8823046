"""A volume as a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


ROOT = "/var/lib/docker/volumes"


ANONYMOUS = "com.docker.volume.anonymous"  # the label of a volume whose name nobody chose


@dataclass(frozen=True)
class Volume:
    name: str
    created: int  # ns
    driver: str = "local"
    labels: Mapping[str, str] | None = None
    options: Mapping[str, str] | None = None

    @property
    def folder(self) -> str:
        return f"{ROOT}/{self.name}"

    @property
    def mountpoint(self) -> str:
        return f"{ROOT}/{self.name}/_data"

    @property
    def anonymous(self) -> bool:
        return ANONYMOUS in (self.labels or {})

    @property
    def needs_mount(self) -> bool:
        """Something else is mounted on its folder while a container uses it."""
        return bool((self.options or {}).get("device") or (self.options or {}).get("type"))
