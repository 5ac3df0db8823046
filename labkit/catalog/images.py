"""The images of the simulated registry, built from their records (data/images.toml) when they are first asked for.

An image is a configuration, whose history has a line a step, and its layers. Nothing in it changes, so all machines
of a process share it.

The base image that recordings of a real engine start from has the files that a base.json lists. The registry that
`docker pull` asks knows Docker's own names, and whatever images a machine's owner adds.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import TypedDict

from labkit.catalog import alpine, debian
from labkit.catalog import entries as e
from labkit.catalog.entries import BusyboxRecord, load
from labkit.files import Content, Entry, Layer, layers
from labkit.files.contents import length
from labkit.kernel import golang
from labkit.kernel.golang import JsonObject, items


class ListedFile(TypedDict, total=False):
    """A line of a base.json."""

    path: str
    type: str
    mode: str
    size: int
    content: str
    target: str


class FileRecord(TypedDict, total=False):
    """A file of an image: it has a text or a size, or is a folder, a link or a program."""

    path: str
    mode: str
    uid: int
    gid: int
    size: int
    text: str
    link: str
    program: str
    folder: bool


class Contents(TypedDict, total=False):
    """What a step brings."""

    base: str
    packages: list[str]
    apk: list[str]
    user: str  # name:number:home:shell
    files: list[FileRecord]


class Step(TypedDict, total=False):
    """A line of an image's history; with contents or entries it is a layer."""

    by: str
    comment: str
    contents: Contents
    entries: tuple[Entry, ...]


class _Named(TypedDict):
    name: str
    tags: list[str]
    config: JsonObject


ImageRecord = TypedDict("ImageRecord", {"from": str, "step": list[Step]}, total=False)


class FullRecord(_Named, ImageRecord):
    """An image of data/images.toml; `from` is the one that it stands on."""


class ImageRecords(TypedDict):
    image: list[FullRecord]


_KINDS = {"directory": stat.S_IFDIR, "file": stat.S_IFREG, "symlink": stat.S_IFLNK}
CONFIG: JsonObject = {"Cmd": ["sh"]}  # docker import -c 'CMD ["sh"]'


def base_entries(listing: Iterable[ListedFile]) -> tuple[Entry, ...]:
    """The files of a base.json."""
    return tuple(_entry(row) for row in listing)


def _entry(row: ListedFile) -> Entry:
    path, kind = row["path"], _KINDS[row["type"]]
    mode = kind | int(row.get("mode", "0o777"), 8)
    if kind == stat.S_IFLNK:
        return e.link(path, row["target"])
    if kind == stat.S_IFDIR:
        return Entry(path.strip("/"), mode, 0, 0, e.MADE)
    if "content" in row:
        return e.text(path, row["content"], mode & 0o7777)
    if mode & 0o111:
        return e.program(path, path.rpartition("/")[2], row["size"], mode & 0o7777)
    return e.filler(path, row["size"], mode & 0o7777)


def base_archive(listing: Iterable[ListedFile]) -> Content:
    """The tar archive that `docker import` made the base image of."""
    root = Entry("", stat.S_IFDIR | 0o755, 0, 0, e.MADE)
    return layers.write([root, *base_entries(listing)])


@cache
def busybox_listing() -> tuple[ListedFile, ...]:
    """The catalog's own busybox: Debian's busybox-static with a link for each applet, as the recordings' base image."""
    record = load("busybox.json", BusyboxRecord)
    rows: list[ListedFile] = [
        {"path": path, "type": "directory", "mode": mode} for path, mode in record["folders"].items()
    ]
    rows.append({"path": "/bin/busybox", "type": "file", "mode": "0o755", "size": record["size"]})
    rows += [{"path": f"/bin/{name}", "type": "symlink", "target": "busybox"} for name in record["applets"]]
    rows += [
        {"path": path, "type": "file", "mode": "0o644", "size": len(text), "content": text}
        for path, text in record["files"].items()
    ]
    return tuple(rows)


def image_from_base(listing: Iterable[ListedFile], name: str = "busybox", tag: str = "latest") -> CatalogImage:
    """An image to pull that has just the files of a base.json."""
    step: Step = {"by": "", "comment": "Imported from -", "entries": base_entries(listing)}
    return build(name, tag, CONFIG, [step])


CREATED = "2026-01-01T00:00:00Z"
SLIM_SIZE = 69_574_004  # bytes, measured: see debian:bookworm-slim in images.toml
_UBUNTU = """\
PRETTY_NAME="Ubuntu {0} LTS"
NAME="Ubuntu"
VERSION_ID="{0}"
VERSION="{0} LTS ({1})"
ID=ubuntu
ID_LIKE=debian
"""
_PYTHON_PARTS = ("libpython3.11-minimal", "libpython3.11-stdlib", "python3.11-minimal", "python3.11", "python3-pip")
_CONFIG_ORDER = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal",
)  # fmt: skip


@dataclass(frozen=True)
class CatalogImage:
    """An image as a registry has it. `config` is its configuration; nobody changes it."""

    name: str
    tag: str
    config: JsonObject
    layers: tuple[Layer, ...]

    @property
    def text(self) -> str:
        """The configuration's JSON, whose SHA-256 is the image's id."""
        return golang.sorted_dumps(self.config)

    @property
    def blobs(self) -> tuple[str, ...]:
        """The digest of each layer as the registry keeps it, compressed; made from the layer's own."""
        return tuple(f"sha256:{sha256(f'gzip {layer.diff_id}'.encode()).hexdigest()}" for layer in self.layers)

    @property
    def digest(self) -> str:
        """The digest of the manifest."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"digest": f"sha256:{sha256(self.text.encode()).hexdigest()}"},
            "layers": [{"digest": blob} for blob in self.blobs],
        }
        return f"sha256:{sha256(golang.dumps(manifest).encode()).hexdigest()}"


def build(
    name: str,
    tag: str,
    config: JsonObject,
    steps: Iterable[Step],
    below: CatalogImage | None = None,
) -> CatalogImage:
    """An image of these steps on another; a step with `entries` is a layer, the others only lines of the history."""
    history = list(items(below.config, "history")) if below else []
    layers = list(below.layers) if below else []
    for step in steps:
        line: JsonObject = {
            "created": CREATED,
            "created_by": step.get("by", ""),
            "comment": step.get("comment", _comment(step)),
        }
        if "entries" in step:
            layers.append(Layer.of(step["entries"]))
        else:
            line["empty_layer"] = True
        history.append({key: value for key, value in line.items() if value != ""})
    ordered = {key: config[key] for key in _CONFIG_ORDER if key in config}
    full: JsonObject = {
        "architecture": "amd64",
        "config": ordered,
        "created": CREATED,
        "history": history,
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
    }
    return CatalogImage(name, tag, full, tuple(layers))


def _comment(step: Step) -> str:
    return "" if step.get("by", "").startswith(("#", "/bin/sh")) else "buildkit.dockerfile.v0"


@cache
def _index() -> dict[tuple[str, str], tuple[int, str]]:
    """(name, tag) -> which record, and the tag that it is built under."""
    return {
        (record["name"], tag): (number, record["tags"][0])
        for number, record in enumerate(load("images.toml", ImageRecords)["image"])
        for tag in record["tags"]
    }


@cache
def _built(number: int) -> CatalogImage:
    record = load("images.toml", ImageRecords)["image"][number]
    below = catalog_image(*record["from"].split(":")) if "from" in record else None
    before = record.get("from", "")
    steps: list[Step] = []
    installed, accounts = _installed_in(before), _accounts_of(before)
    for step in record.get("step", ()):
        if "contents" not in step:
            steps.append(step)
            continue
        found, installed, accounts = _contents(step["contents"], installed, accounts)
        steps.append({**step, "entries": found})
    return build(record["name"], record["tags"][0], record["config"], steps, below)


def _installed_in(image: str) -> list[str]:
    if image.startswith("debian"):
        return list(debian.base_packages())
    return alpine.base_names() if image.startswith("alpine") else []


def _accounts_of(image: str) -> tuple[str, str]:
    return (alpine._PASSWD, alpine._GROUPS) if image.startswith("alpine") else (debian._PASSWD, debian._GROUPS)


def _contents(
    contents: Contents, installed: list[str], accounts: tuple[str, str]
) -> tuple[tuple[Entry, ...], list[str], tuple[str, str]]:
    """The files of a step; what is installed and which accounts there are after it."""
    found: list[Entry] = []
    if "base" in contents:
        found += _ROOTS[contents["base"]]()
    if "packages" in contents:
        names = debian.needs(contents["packages"], recommends=False, installed=installed)
        found += debian.install_entries(names, installed)
        installed = [*installed, *names]
    if "apk" in contents:
        names = alpine.needs(contents["apk"], installed)
        found += alpine.install_entries(names, installed)
        installed = [*installed, *names]
    if "user" in contents:
        name, number, home, shell = contents["user"].split(":")
        accounts = (f"{accounts[0]}{name}:x:{number}:{number}::{home}:{shell}\n", f"{accounts[1]} {name}:{number}")
        found += debian.account_files(*accounts)
    found += [_file(record) for record in contents.get("files", ())]
    return e.once(found), installed, accounts


def _file(record: FileRecord) -> Entry:
    path, mode = record["path"], record.get("mode")
    owner = {"uid": record.get("uid", 0), "gid": record.get("gid", 0)}
    if "folder" in record:
        return e.folder(path, int(mode or "0o755", 8), **owner)
    if "link" in record:
        return e.link(path, record["link"])
    if "program" in record:
        return e.program(path, record["program"], record.get("size", 0), int(mode or "0o755", 8))
    if "text" in record:
        return e.text(path, record["text"], int(mode or "0o644", 8), **owner)
    return e.filler(path, record["size"], int(mode or "0o644", 8), **owner)


def _slim() -> tuple[Entry, ...]:
    """Debian's base without documentation: what is no executable is smaller, so that the sum is what was measured."""
    whole = debian.base_entries()
    loose = [entry for entry in whole if entry.path.endswith((".data", ".so"))]
    excess = e.size(whole) - SLIM_SIZE
    factor = 1 - excess / e.size(loose)
    smaller = {entry.path: e.filler(entry.path, int(length(entry.data or "") * factor)) for entry in loose}
    return tuple(smaller.get(entry.path, entry) for entry in whole)


def _interpreter() -> tuple[Entry, ...]:
    """CPython below /usr/local; its size is that of Debian's packages of the same parts."""
    total = sum((debian.describe(name) or {})["installed"] for name in _PYTHON_PARTS) * debian.KIB
    small = [
        e.link("/usr/local/bin/python3", "python3.12"),
        e.program("/usr/local/bin/pip3", "pip", 0),
        e.folder("/usr/local/lib/python3.12/site-packages"),
    ]
    share = (total - e.size(small)) // 4
    return (
        *small,
        e.program("/usr/local/bin/python3.12", "python", share),
        e.filler("/usr/local/lib/python3.12/stdlib.data", total - e.size(small) - share),
    )


def _ubuntu(version: str, name: str) -> tuple[Entry, ...]:
    release = _UBUNTU.format(version, name)
    return debian.base_entries(release, "bookworm/sid", "ubuntu")


_ROOTS: dict[str, Callable[[], Iterable[Entry]]] = {
    "busybox": lambda: base_entries(busybox_listing()),
    "alpine": alpine.base_entries,
    "debian": debian.base_entries,
    "debian-slim": _slim,
    "ubuntu": lambda: _ubuntu("24.04", "Noble Numbat"),
    "ubuntu-22": lambda: _ubuntu("22.04", "Jammy Jellyfish"),
    "python-interpreter": _interpreter,
}


def catalog_image(name: str, tag: str = "latest") -> CatalogImage | None:
    """The image of that name and tag, or None."""
    found = _index().get((name, tag))
    return _built(found[0]) if found else None


def names() -> list[tuple[str, str]]:
    """Every name and tag."""
    return sorted(_index())


_HUB = ("docker.io/", "index.docker.io/", "library/")


class Registry:
    """Images by name and tag. A name may be short (`busybox`) or whole (`docker.io/library/busybox`)."""

    def __init__(self, extra: Iterable[CatalogImage] = ()) -> None:
        self._extra = {(familiar(image.name), image.tag): image for image in extra}

    def get(self, name: str, tag: str = "latest") -> CatalogImage | None:
        """The image, or None. `tag` may be a digest (sha256:…)."""
        short = familiar(name)
        if tag.startswith("sha256:"):
            return next((image for image in self._all(short) if image.digest == tag), None)
        return self._extra.get((short, tag)) or catalog_image(short, tag)

    def has(self, name: str) -> bool:
        """Whether there is any image of that name: a missing tag gets another answer than a missing name."""
        return bool(self.tags(name))

    def names(self) -> list[str]:
        """All images' names, without tags."""
        return sorted({name for name, _ in [*self._extra, *names()]})

    def tags(self, name: str) -> list[str]:
        short = familiar(name)
        return sorted({tag for other, tag in [*self._extra, *names()] if other == short})

    def _all(self, name: str) -> list[CatalogImage]:
        found = (self.get(name, tag) for tag in self.tags(name))
        return [image for image in found if image]


def familiar(name: str) -> str:
    """A name without what Docker fills in: `docker.io/library/busybox` is `busybox`."""
    for prefix in _HUB:
        name = name.removeprefix(prefix)
    return name
