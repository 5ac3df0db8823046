"""What a mount is made of, each thing once: its place in the API, its keys in --mount, its words in -v, how it is told.

From here follow how both flags are read (dockercli/mountflags, mountspec), what is offered and shown of them
(completion, mountform, mountparts, the composer), HostConfig.Mounts in an inspect with its Go type (oci, gotext), and
the record of a container's mount. Facts: docker/cli opts/mount.go, moby api/types/mount/mount.go, docker's reference
pages of both flags.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar, overload

from labkit.kernel.golang import Json, JsonObject

T = TypeVar("T", str, bool, int, dict[str, str], list[list[str]])


class Place(Generic[T]):
    """Where one value lies in a record of HostConfig.Mounts, and what stands for it where it does not lie there."""

    def __init__(self, empty: T, *path: str) -> None:
        self.empty: T = empty
        self.path = path

    @overload
    def __get__(self, mount: None, owner: type[Mount]) -> Place[T]: ...
    @overload
    def __get__(self, mount: Mount, owner: type[Mount]) -> T: ...
    def __get__(self, mount: Mount | None, owner: type[Mount]) -> Place[T] | T:
        if mount is None:
            return self
        value: Json = mount.record
        for name in self.path:
            value = value.get(name) if isinstance(value, dict) else None
        return value if isinstance(value, type(self.empty)) else self.empty


@dataclass(frozen=True)
class Mount:
    """A record of HostConfig.Mounts (mount.Mount of the API), its places in the API's order."""

    record: JsonObject = field(default_factory=dict)

    type = Place("", "Type")
    source = Place("", "Source")
    target = Place("", "Target")
    readonly = Place(False, "ReadOnly")
    consistency = Place("", "Consistency")
    propagation = Place("", "BindOptions", "Propagation")
    non_recursive = Place(False, "BindOptions", "NonRecursive")
    create_source = Place(False, "BindOptions", "CreateMountpoint")
    recursive_writable = Place(False, "BindOptions", "ReadOnlyNonRecursive")
    recursive_readonly = Place(False, "BindOptions", "ReadOnlyForceRecursive")
    idmap_source = Place("", "BindOptions", "IDMapping", "Source")
    idmap_user = Place("", "BindOptions", "IDMapping", "User")
    nocopy = Place(False, "VolumeOptions", "NoCopy")
    labels = Place(dict[str, str](), "VolumeOptions", "Labels")
    volume_subpath = Place("", "VolumeOptions", "Subpath")
    driver = Place("", "VolumeOptions", "DriverConfig", "Name")
    driver_options = Place(dict[str, str](), "VolumeOptions", "DriverConfig", "Options")
    image_subpath = Place("", "ImageOptions", "Subpath")
    size = Place(0, "TmpfsOptions", "SizeBytes")
    mode = Place(0, "TmpfsOptions", "Mode")
    tmpfs_words = Place(list[list[str]](), "TmpfsOptions", "Options")

    def put(self, path: tuple[str, ...], value: Json) -> None:
        inside(self.record, path[:-1])[path[-1]] = value

    def has(self, name: str) -> bool:
        """Whether the record says anything of this; options that hold nothing count."""
        return self.record.get(name) not in (None, "")

    def ordered(self) -> JsonObject:
        """The same in the API's order and without what is empty, but for options, which stay as {}."""
        result: JsonObject = {}
        for path, _ in PLACES:
            found: Json = self.record
            for length, name in enumerate(path):
                found = found.get(name) if isinstance(found, dict) else None
                if isinstance(found, dict) and length < len(path) - 1:
                    inside(result, path[: length + 1])
            if found:
                value: Json = dict(sorted(found.items())) if isinstance(found, dict) else found
                inside(result, path[:-1])[path[-1]] = value
        return result


PLACES = tuple((place.path, place.empty) for place in vars(Mount).values() if isinstance(place, Place))
# What only one type of mount has, with that type.
OPTIONS = {path[0]: path[0].removesuffix("Options").lower() for path, _ in PLACES if path[0].endswith("Options")}


def inside(record: JsonObject, path: tuple[str, ...]) -> JsonObject:
    """The object at this path, made where it is not there."""
    for name in path:
        found = record.setdefault(name, {})
        assert isinstance(found, dict)
        record = found
    return record


PROPAGATIONS = ("private", "rprivate", "slave", "rslave", "shared", "rshared")
CONSISTENCIES = ("consistent", "cached", "delegated", "default")
RECURSIVE: Mapping[str, tuple[str, ...]] = {  # what each choice sets
    "enabled": (),
    "disabled": Mount.non_recursive.path,
    "writable": Mount.recursive_writable.path,
    "readonly": Mount.recursive_readonly.path,
}
TYPES = {  # and what each says
    "bind": "a folder or file of the host",
    "volume": "a volume, which Docker keeps",
    "tmpfs": "memory of the host, empty and gone with the container's stop",
    "image": "the files of an image, read-only",
}


@dataclass(frozen=True)
class MountKey:
    """A key of --mount, or what only -v has a word for."""

    part: str  # its name in a form: keys of the same part ask for the same thing
    name: str  # in --mount; "" where that has no word for it
    title: str
    says: str
    kind: str = "text"  # how its value is read: see READERS in mountflags
    path: tuple[str, ...] = ()  # of its value in a record
    types: tuple[str, ...] = tuple(TYPES)  # of the mounts that have it
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    words: Mapping[str, str | bool | None] = field(default_factory=dict)  # of -v, with the value of each
    unspoken: str = ""  # how -v says it without a word

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases) if self.name else ()

    @property
    def alone(self) -> bool:
        """It may stand without a value."""
        return self.kind in ("switch", "refused")


_BIND, _VOLUME, _TMPFS, _IMAGE = (("bind",), ("volume",), ("tmpfs",), ("image",))
_SUBPATH = "Folder in the source", "only this folder of the source, which must be there"
KEYS = (
    MountKey("type", "type", "Type", "what it is", "lower", Mount.type.path, choices=tuple(TYPES),
             unspoken="by the look of the source"),
    MountKey("source", "source", "Source", "where it lies on the host", "path", Mount.source.path, aliases=("src",)),
    MountKey("target", "target", "Target", "where the container sees it", "text", Mount.target.path,
             aliases=("destination", "dst")),
    MountKey("readonly", "readonly", "Read-only", "the container cannot write there", "switch", Mount.readonly.path,
             aliases=("ro",), words={"ro": True, "rw": False}),
    MountKey("create_source", "bind-create-src", "Make a missing source",
             "a folder that is missing on the host is made", "switch",
             Mount.create_source.path, _BIND, unspoken="always"),
    MountKey("propagation", "bind-propagation", "Propagation",
             "whether mounts made later below the folder are seen on the other side", "lower",
             Mount.propagation.path, _BIND,
             choices=PROPAGATIONS, words={word: word for word in PROPAGATIONS}),
    MountKey("recursive", "bind-recursive", "Mounts below the source",
             "what becomes of the mounts that are already below the source", "recursive", (), _BIND,
             choices=tuple(RECURSIVE)),
    MountKey("recursive", "bind-nonrecursive", "", "", "refused", (), _BIND),
    MountKey("idmap", "bind-idmap", "Map of users", "whose files they are inside the container", "idmap", (), _BIND),
    MountKey("label", "", "SELinux label",
             "z: every container may use it, Z: this one alone (only where SELinux is on)", "text", (),
             ("bind", "volume"), choices=("z", "Z"), words={"z": None, "Z": None}),
    MountKey("subpath", "volume-subpath", *_SUBPATH, "text", Mount.volume_subpath.path, _VOLUME),
    MountKey("subpath", "image-subpath", *_SUBPATH, "text", Mount.image_subpath.path, _IMAGE),
    MountKey("nocopy", "volume-nocopy", "Do not fill from the image", "an empty volume stays empty", "switch",
             Mount.nocopy.path, _VOLUME, words={"nocopy": True}),
    MountKey("labels", "volume-label", "Labels", "a label of the volume, if this makes it", "pairs", Mount.labels.path,
             _VOLUME),
    MountKey("driver", "volume-driver", "Volume driver", "who keeps the volume, if this makes it", "text",
             Mount.driver.path, _VOLUME),
    MountKey("options", "volume-opt", "Driver options", "how the driver makes the volume", "pairs",
             Mount.driver_options.path, _VOLUME),
    MountKey("size", "tmpfs-size", "Size", "how much fits in, as 64m or 1g", "size", Mount.size.path, _TMPFS),
    MountKey("mode", "tmpfs-mode", "Mode", "the rights of its top folder, in octal", "octal", Mount.mode.path, _TMPFS),
    MountKey("consistency", "consistency", "Consistency", "was for Docker on a Mac, does nothing on Linux", "lower",
             Mount.consistency.path, choices=CONSISTENCIES, words=dict.fromkeys(CONSISTENCIES)),
)  # fmt: skip
BY_NAME = {name: key for key in KEYS for name in key.names}
BY_WORD = {word: key for key in KEYS for word in key.words}


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
