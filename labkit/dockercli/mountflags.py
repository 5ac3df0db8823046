"""-v, --mount, --tmpfs and --volumes-from: from text to what the API takes.

Rules and messages: docker/cli opts/mount.go, opts/mount_utils.go, internal/volumespec. What only the daemon checks is
left to it: docker's client sends much that it does not understand.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from labkit.dockercli.flags import ValueInvalid, parse_bytes
from labkit.engine.core.mountkeys import BY_NAME, KEYS, OPTIONS, RECURSIVE, Mount, MountKey, inside
from labkit.kernel.golang import JsonObject, quote

Resolve = Callable[[str], str]  # a relative path of the client -> an absolute one


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


def _switch(mount: Mount, key: str, value: str) -> None:
    if value not in ("", "1", "true", "0", "false"):
        choices = 'must be one of "true", "1", "false", or "0" (default "true")'
        raise ValueInvalid(f"invalid value for '{key}': invalid boolean value ({quote(value)}): {choices}")
    mount.put(BY_NAME[key].path, value in ("", "1", "true"))


def _pair(mount: Mount, key: str, value: str) -> None:
    *path, last = BY_NAME[key].path
    options = inside(mount.record, tuple(path))
    name, _, text = value.partition("=")
    if name:
        inside(options, (last,))[name] = text


def _recursive(mount: Mount, key: str, value: str) -> None:
    if value not in RECURSIVE:
        *others, last = (quote(choice) for choice in RECURSIVE)
        raise ValueInvalid(f"invalid value for {key}: {value} (must be {', '.join(others)}, or {last})")
    if path := RECURSIVE[value]:
        mount.put(path, True)


def _refused(mount: Mount, key: str, value: str) -> None:
    raise ValueInvalid(f"{key} is deprecated, use {_named('recursive')}=disabled instead")


def _size(mount: Mount, key: str, value: str) -> None:
    try:
        mount.put(BY_NAME[key].path, parse_bytes(value))
    except ValueInvalid:
        raise ValueInvalid(f"invalid value for {key}: {value}") from None


def _octal(mount: Mount, key: str, value: str) -> None:
    if not re.fullmatch(r"[0-7]+", value) or int(value, 8) >= 1 << 32:
        raise ValueInvalid(f"invalid value for {key}: {value}")
    mount.put(BY_NAME[key].path, int(value, 8))


def _idmap(mount: Mount, key: str, value: str) -> None:
    source, colon, user = value.partition(":")
    reason = ""
    if source not in ("match-user", "userns"):
        reason = 'must be "match-user", "match-user:USER", or "userns"'
    elif source == "match-user" and colon and not user:
        reason = 'empty user after "match-user:"'
    elif source == "userns" and colon:
        reason = '"userns" does not take a user'
    if reason:
        raise ValueInvalid(f"invalid value for '{key}': {quote(value)} ({reason})")
    mount.put(Mount.idmap_source.path, source)
    if user:
        mount.put(Mount.idmap_user.path, user)


READERS: dict[str, Callable[[Mount, str, str], None]] = {  # of each kind of key
    "text": lambda mount, key, value: mount.put(BY_NAME[key].path, value),
    "path": lambda mount, key, value: mount.put(BY_NAME[key].path, value),
    "lower": lambda mount, key, value: mount.put(BY_NAME[key].path, value.lower()),
    "switch": _switch,
    "pairs": _pair,
    "size": _size,
    "octal": _octal,
    "recursive": _recursive,
    "idmap": _idmap,
    "refused": _refused,
}


def parse_mount(text: str, resolve: Resolve) -> JsonObject:
    """The value of --mount as a Mount of the API. Raises ValueInvalid."""
    text = text.strip()
    if not text:
        raise ValueInvalid("value is empty")
    mount = Mount({"Type": "volume"})
    for field in read_csv(text):
        key, value = _read_field(field)
        if key.kind == "path" and value.startswith("."):
            value = resolve(value)
        READERS[key.kind](mount, _spelt(field), value)
    _check(mount)
    return mount.ordered()


def _spelt(field: str) -> str:
    return field.partition("=")[0].lower()


def _read_field(field: str) -> tuple[MountKey, str]:
    spelt, equals, value = field.partition("=")
    if spelt.strip() != spelt:
        raise ValueInvalid(f"invalid option '{spelt.strip()}' in '{field}': option should not have whitespace")
    if equals and not value.strip():
        raise ValueInvalid(f"invalid value for '{spelt}': value is empty")
    if value.strip() != value:
        raise ValueInvalid(f"invalid value for '{spelt}' in '{field}': value should not have whitespace")
    key = BY_NAME.get(spelt.lower())
    if not equals and not (key and key.alone):
        raise ValueInvalid(f"invalid field '{field}' must be a key=value pair")
    if key is None:
        raise ValueInvalid(f"unknown option '{spelt.lower()}' in '{field}'")
    return key, value


def _named(part: str) -> str:
    """The key of this part."""
    return next(key.name for key in KEYS if key.part == part)


def _check(mount: Mount) -> None:
    for options, kind in OPTIONS.items():
        if options in mount.record and mount.type != kind:
            raise ValueInvalid(f"cannot mix '{kind}-*' options with mount type '{mount.type}'")
    for asked, value in ((mount.recursive_writable, "writable"), (mount.recursive_readonly, "readonly")):
        if asked and not mount.readonly:
            raise _needs(value, _named("readonly"))
    if mount.recursive_readonly and mount.propagation != "rprivate":
        raise _needs("readonly", f"{_named('propagation')}=rprivate")


def _needs(value: str, other: str) -> ValueInvalid:
    return ValueInvalid(f"option '{_named('recursive')}={value}' requires '{other}' to be specified in conjunction")


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


def split_volumes(specs: list[str], resolve: Resolve) -> tuple[list[str], JsonObject]:
    """-v values as HostConfig.Binds and Config.Volumes. The same value twice counts once."""
    binds: list[str] = []
    volumes: JsonObject = {}
    for spec in dict.fromkeys(specs):
        source, _ = parse_volume(spec)
        if not source:
            volumes[spec] = {}
            continue
        host, colon, rest = spec.partition(":")
        binds.append(resolve(host) + colon + rest if is_path(source) and host.startswith(".") else spec)
    return binds, volumes


def split_tmpfs(specs: list[str]) -> JsonObject:
    """--tmpfs values as HostConfig.Tmpfs: target -> options."""
    return {spec.partition(":")[0]: spec.partition(":")[2] for spec in specs}
