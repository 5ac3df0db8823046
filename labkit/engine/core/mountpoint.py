"""One mount of a container as a record."""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.engine.core.mountkeys import Mount
from labkit.kernel.jsontypes import JsonObject


@dataclass(frozen=True)
class MountPoint:
    """One mount of a container, as `.Mounts` of an inspect shows it and a little more."""

    type: str
    destination: str
    source: str = ""
    name: str = ""  # of a volume
    driver: str = ""
    mode: str = ""
    rw: bool = True
    propagation: str = ""
    copy_data: bool = False  # an empty volume is filled from the image
    create_source: bool = False  # a missing source of a bind mount is made
    spec: Mount = field(default_factory=Mount)  # the record that it was made from

    @property
    def subpath(self) -> str:
        return self.spec.volume_subpath or self.spec.image_subpath

    @property
    def named(self) -> bool:
        """The source was chosen by someone, so that `docker rm -v` leaves it."""
        return bool(self.spec.source)

    def row(self) -> JsonObject:
        """In the order in which `docker inspect` prints it."""
        row: JsonObject = {
            "Type": self.type,
            "Name": self.name,
            "Source": self.source,
            "Destination": self.destination,
            "Driver": self.driver,
            "Mode": self.mode,
            "RW": self.rw,
            "Propagation": self.propagation,
        }
        return {key: value for key, value in row.items() if value or key not in ("Name", "Driver")}
