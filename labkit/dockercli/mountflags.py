"""-v, --mount, --tmpfs and --volumes-from: from text to what the API takes.

Rules and messages: docker/cli opts/mount.go, opts/mount_utils.go, internal/volumespec. What only the daemon checks is
left to it: docker's client sends much that it does not understand.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Any

from .errors import ValueInvalid
from .units import parse_bytes, quote

Mount = dict[str, Any]
Resolve = Callable[[str], str]  # a relative path of the client -> an absolute one

PROPAGATIONS = frozenset(("rprivate", "private", "rshared", "shared", "rslave", "slave"))


def resolve_in(folder: str) -> Resolve:
    """Paths relative to this folder (Go's filepath.Abs)."""
    return lambda path: posixpath.normpath(posixpath.join(folder, path))


# --mount


def read_csv(line: str) -> list[str]:
    """One record of CSV, with the messages of Go's encoding/csv."""
    fields: list[str] = []
    place = 0
    while True:
        if line[place : place + 1] == '"':
            field, place = _quoted(line, place)
        else:
            end = line.find(",", place)
            field = line[place : end if end >= 0 else len(line)]
            if '"' in field:
                column = len(line[: place + field.index('"')].encode()) + 1
                raise ValueInvalid(f'parse error on line 1, column {column}: bare " in non-quoted-field')
            place = end if end >= 0 else len(line)
        fields.append(field)
        if place >= len(line):
            return fields
        place += 1


def _quoted(line: str, start: int) -> tuple[str, int]:
    field = ""
    place = start + 1
    while True:
        end = line.find('"', place)
        if end < 0:
            column = len(line.encode()) + 1
            raise ValueInvalid(f'parse error on line 1, column {column}: extraneous or missing " in quoted-field')
        field += line[place:end]
        after = line[end + 1 : end + 2]
        if after == '"':
            field += '"'
            place = end + 2
        elif after in ("", ","):
            return field, end + 1
        else:
            column = len(line[:end].encode()) + 1
            raise ValueInvalid(f'parse error on line 1, column {column}: extraneous or missing " in quoted-field')


def _boolean(key: str, value: str | None) -> bool:
    if value in (None, "1", "true"):
        return True
    if value in ("0", "false"):
        return False
    choices = 'must be one of "true", "1", "false", or "0" (default "true")'
    raise ValueInvalid(f"invalid value for '{key}': invalid boolean value ({quote(value or '')}): {choices}")


def _source(mount: Mount, key: str, value: str, resolve: Resolve) -> None:
    mount["Source"] = resolve(value) if value.startswith(".") else value


def _put(*path: str) -> Callable[..., None]:
    def setter(mount: Mount, key: str, value: str, resolve: Resolve) -> None:
        _inside(mount, path[:-1])[path[-1]] = value

    return setter


def _put_lower(*path: str) -> Callable[..., None]:
    def setter(mount: Mount, key: str, value: str, resolve: Resolve) -> None:
        _inside(mount, path[:-1])[path[-1]] = value.lower()

    return setter


def _switch(*path: str) -> Callable[..., None]:
    def setter(mount: Mount, key: str, value: str | None, resolve: Resolve) -> None:
        _inside(mount, path[:-1])[path[-1]] = _boolean(key, value)

    return setter


def _add(*path: str) -> Callable[..., None]:
    def setter(mount: Mount, key: str, value: str, resolve: Resolve) -> None:
        options = _inside(mount, path[:-1])
        name, _, text = value.partition("=")
        if name:
            options.setdefault(path[-1], {})[name] = text

    return setter


def _inside(mount: Mount, path: tuple[str, ...]) -> Mount:
    for name in path:
        mount = mount.setdefault(name, {})
    return mount


_RECURSIVE = {
    "enabled": "",
    "disabled": "NonRecursive",
    "writable": "ReadOnlyNonRecursive",
    "readonly": "ReadOnlyForceRecursive",
}


def _recursive(mount: Mount, key: str, value: str, resolve: Resolve) -> None:
    if value not in _RECURSIVE:
        choices = '(must be "enabled", "disabled", "writable", or "readonly")'
        raise ValueInvalid(f"invalid value for {key}: {value} {choices}")
    if name := _RECURSIVE[value]:
        _inside(mount, ("BindOptions",))[name] = True


def _nonrecursive(mount: Mount, key: str, value: str | None, resolve: Resolve) -> None:
    raise ValueInvalid("bind-nonrecursive is deprecated, use bind-recursive=disabled instead")


def _tmpfs_size(mount: Mount, key: str, value: str, resolve: Resolve) -> None:
    try:
        _inside(mount, ("TmpfsOptions",))["SizeBytes"] = parse_bytes(value)
    except ValueInvalid:
        raise ValueInvalid(f"invalid value for {key}: {value}") from None


def _tmpfs_mode(mount: Mount, key: str, value: str, resolve: Resolve) -> None:
    if not re.fullmatch(r"[0-7]+", value) or int(value, 8) >= 1 << 32:
        raise ValueInvalid(f"invalid value for {key}: {value}")
    _inside(mount, ("TmpfsOptions",))["Mode"] = int(value, 8)


def _idmap(mount: Mount, key: str, value: str, resolve: Resolve) -> None:
    source, colon, user = value.partition(":")
    mapping = _inside(mount, ("BindOptions", "IDMapping"))
    if source == "match-user" and colon and not user:
        raise ValueInvalid(f"invalid value for 'bind-idmap': {quote(value)} (empty user after \"match-user:\")")
    if source == "userns" and colon:
        raise ValueInvalid(f"invalid value for 'bind-idmap': {quote(value)} (\"userns\" does not take a user)")
    if source not in ("match-user", "userns"):
        choices = '(must be "match-user", "match-user:USER", or "userns")'
        raise ValueInvalid(f"invalid value for 'bind-idmap': {quote(value)} {choices}")
    mapping["Source"] = source
    if user:
        mapping["User"] = user


_TARGET = _put("Target")
KEYS: dict[str, Callable[..., None]] = {
    "type": _put_lower("Type"),
    "source": _source,
    "src": _source,
    "target": _TARGET,
    "destination": _TARGET,
    "dst": _TARGET,
    "readonly": _switch("ReadOnly"),
    "ro": _switch("ReadOnly"),
    "consistency": _put_lower("Consistency"),
    "bind-propagation": _put_lower("BindOptions", "Propagation"),
    "bind-nonrecursive": _nonrecursive,
    "bind-recursive": _recursive,
    "bind-create-src": _switch("BindOptions", "CreateMountpoint"),
    "bind-idmap": _idmap,
    "volume-subpath": _put("VolumeOptions", "Subpath"),
    "volume-nocopy": _switch("VolumeOptions", "NoCopy"),
    "volume-label": _add("VolumeOptions", "Labels"),
    "volume-driver": _put("VolumeOptions", "DriverConfig", "Name"),
    "volume-opt": _add("VolumeOptions", "DriverConfig", "Options"),
    "image-subpath": _put("ImageOptions", "Subpath"),
    "tmpfs-size": _tmpfs_size,
    "tmpfs-mode": _tmpfs_mode,
}
ALONE = frozenset(("readonly", "ro", "bind-nonrecursive", "bind-create-src", "volume-nocopy"))
OPTIONS = (("bind", "BindOptions"), ("volume", "VolumeOptions"), ("image", "ImageOptions"), ("tmpfs", "TmpfsOptions"))


def parse_mount(text: str, resolve: Resolve) -> Mount:
    """The value of --mount as a Mount of the API. Raises ValueInvalid."""
    text = text.strip()
    if not text:
        raise ValueInvalid("value is empty")
    mount: Mount = {"Type": "volume"}
    for field in read_csv(text):
        _read_field(mount, field, resolve)
    _check(mount)
    return in_order(mount)


def _read_field(mount: Mount, field: str, resolve: Resolve) -> None:
    key, equals, value = field.partition("=")
    if key.strip() != key:
        raise ValueInvalid(f"invalid option '{key.strip()}' in '{field}': option should not have whitespace")
    if equals and not value.strip():
        raise ValueInvalid(f"invalid value for '{key}': value is empty")
    if value.strip() != value:
        raise ValueInvalid(f"invalid value for '{key}' in '{field}': value should not have whitespace")
    key = key.lower()
    if not equals and key not in ALONE:
        raise ValueInvalid(f"invalid field '{field}' must be a key=value pair")
    if key not in KEYS:
        raise ValueInvalid(f"unknown option '{key}' in '{field}'")
    KEYS[key](mount, key, value if equals else None, resolve)


def _check(mount: Mount) -> None:
    for kind, options in OPTIONS:
        if options in mount and mount["Type"] != kind:
            raise ValueInvalid(f"cannot mix '{kind}-*' options with mount type '{mount['Type']}'")
    bind = mount.get("BindOptions", {})
    for name, value in (("ReadOnlyNonRecursive", "writable"), ("ReadOnlyForceRecursive", "readonly")):
        if bind.get(name) and not mount.get("ReadOnly"):
            raise ValueInvalid(f"option 'bind-recursive={value}' requires 'readonly' to be specified in conjunction")
    if bind.get("ReadOnlyForceRecursive") and bind.get("Propagation") != "rprivate":
        needed = "'bind-propagation=rprivate' to be specified in conjunction"
        raise ValueInvalid(f"option 'bind-recursive=readonly' requires {needed}")


# The order of the fields of mount.Mount in the API; what is empty is left out of its JSON.
ORDER = {
    "": (
        "Type",
        "Source",
        "Target",
        "ReadOnly",
        "Consistency",
        "BindOptions",
        "VolumeOptions",
        "ImageOptions",
        "TmpfsOptions",
    ),
    "BindOptions": (
        "Propagation",
        "NonRecursive",
        "CreateMountpoint",
        "ReadOnlyNonRecursive",
        "ReadOnlyForceRecursive",
        "IDMapping",
    ),
    "IDMapping": ("Source", "User"),
    "VolumeOptions": ("NoCopy", "Labels", "Subpath", "DriverConfig"),
    "DriverConfig": ("Name", "Options"),
    "ImageOptions": ("Subpath",),
    "TmpfsOptions": ("SizeBytes", "Mode"),
}


def in_order(mount: Mount, kind: str = "") -> Mount:
    """The same with its fields in the API's order and without empty ones (options stay, as {})."""
    result = {}
    for name in ORDER[kind]:
        value = mount.get(name)
        if name in ORDER and isinstance(value, dict):
            result[name] = in_order(value, name)
        elif isinstance(value, dict):
            result[name] = dict(sorted(value.items()))
        elif value not in (None, "", False, 0):
            result[name] = value
    return result


# -v


def parse_volume(spec: str) -> tuple[str, str]:
    """(source, target) of a -v; no source: an anonymous volume. Raises ValueInvalid.

    A letter before a colon is a Windows drive, and so no source (internal/volumespec).
    """
    if not spec:
        raise ValueInvalid("invalid empty volume spec")
    if len(spec.encode()) <= 2:
        return "", spec
    source, target, options = "", "", ""
    for section, ended_by in _sections(spec):
        if not section:
            raise ValueInvalid(f"invalid spec: {spec}: empty section between colons")
        if not source and not ended_by:
            target = section
        elif not source:
            source = section
        elif not target:
            target = section
        elif ended_by:
            raise ValueInvalid(f"invalid spec: {spec}: too many colons")
        else:
            options = section
    del options  # the daemon reads them
    return source, target


def _sections(spec: str) -> list[tuple[str, str]]:
    """The parts between colons, each with the sign that ended it ("" at the end)."""
    found: list[tuple[str, str]] = []
    buffer = ""
    for character in spec:
        if character == ":" and not (len(buffer) == 1 and buffer.isalpha()):
            found.append((buffer, ":"))
            buffer = ""
        else:
            buffer += character
    return [*found, (buffer, "")]


def is_path(source: str) -> bool:
    """Whether the source of a -v is a path and not a volume's name."""
    return (
        source[0] in "./~"
        or source.startswith("\\\\")
        or (len(source) > 1 and source[0].isalpha() and source[1] == ":")
    )


def split_volumes(specs: list[str], resolve: Resolve) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """-v values as HostConfig.Binds and Config.Volumes. The same value twice counts once."""
    binds: list[str] = []
    volumes: dict[str, dict[str, Any]] = {}
    for spec in dict.fromkeys(specs):
        source, _ = parse_volume(spec)
        if not source:
            volumes[spec] = {}
            continue
        host, colon, rest = spec.partition(":")
        binds.append(resolve(host) + colon + rest if is_path(source) and host.startswith(".") else spec)
    return binds, volumes


def split_tmpfs(specs: list[str]) -> dict[str, str]:
    """--tmpfs values as HostConfig.Tmpfs: target -> options."""
    return {spec.partition(":")[0]: spec.partition(":")[2] for spec in specs}
