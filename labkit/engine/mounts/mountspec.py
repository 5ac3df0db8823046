"""The daemon's side of the mount grammar: `-v` texts (HostConfig.Binds) and `--mount` records (HostConfig.Mounts).

Rules and messages: moby, daemon/volume/mounts (linux_parser.go, validate.go). What a text names is not looked up here
but for the source of a bind mount, which `--mount` wants to exist.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from labkit.engine.core.errors import EngineError, invalid
from labkit.engine.core.mountkeys import BY_WORD, OPTIONS, PROPAGATIONS, Mount, MountPoint
from labkit.files import Source, Store, errno, failure, tmpfs
from labkit.kernel.golang import JsonObject

DEFAULT_PROPAGATION = "rprivate"
_SUBPATH = "subpath must be a relative path within the volume"

Exists = Callable[[str], bool]


# --- texts


def parse_text(text: str, volume_driver: str = "") -> MountPoint:
    """`[SOURCE:]TARGET[:MODE]`, as HostConfig.Binds holds it."""
    source, target, mode = _split(text)
    if not valid_mode(mode):
        raise invalid(f"invalid mode: {mode}")
    kind = "bind" if source.startswith("/") else "volume"
    spec = Mount({"Type": kind, "Source": source, "Target": target})
    if volume_driver and kind == "volume":
        spec.put(Mount.driver.path, volume_driver)
    for word in filter(None, mode.split(",")):
        if (value := BY_WORD[word].words[word]) is not None:
            spec.put(BY_WORD[word].path, value)
    try:
        point = parse_mount(spec, lambda path: True)
    except EngineError as error:
        raise invalid(f"invalid volume specification: '{text}': {error}") from None
    return replace(point, mode=mode, create_source=True)


def _split(text: str) -> tuple[str, str, str]:
    parts = text.split(":", 3)
    wrong = invalid(f"invalid volume specification: '{text}'")
    if not parts[0] or len(parts) == 4:
        raise wrong
    if len(parts) == 1:
        return "", parts[0], ""
    if len(parts) == 2:
        if valid_mode(parts[1]):
            raise wrong
        return parts[0], parts[1], ""
    return parts[0], parts[1], parts[2]


def valid_mode(mode: str) -> bool:
    """Known words, at most one of each kind."""
    if not mode:
        return True
    words = mode.split(",")
    parts = [BY_WORD[word].part for word in words if word in BY_WORD]
    return len(set(parts)) == len(words)


def parse_volumes_from(text: str) -> tuple[str, str]:
    """`CONTAINER[:MODE]` as a container and a mode, which says nothing of propagation and of copying here."""
    if not text:
        raise invalid("volumes-from specification cannot be an empty string")
    container, _, mode = text.partition(":")
    if not mode:
        return container, "rw"
    if not valid_mode(mode) or {BY_WORD[word].part for word in mode.split(",")} & {"nocopy", "propagation"}:
        raise invalid(f"invalid mode: {mode}")
    return container, mode


# --- records


def parse_record(record: JsonObject, exists: Exists) -> MountPoint:
    """An item of HostConfig.Mounts."""
    return parse_mount(Mount(record), exists)


def parse_mount(spec: Mount, exists: Exists) -> MountPoint:
    check_mount(spec, exists)
    point = MountPoint(spec.type, clean(spec.target), rw=not spec.readonly, spec=spec)
    return _FINISH[spec.type](point, spec)


def check_mount(spec: Mount, exists: Exists) -> None:
    """Raises EngineError `invalid mount config for type …`."""
    try:
        _check_target(spec.target)
        if spec.type not in _CHECKS:
            raise invalid("mount type unknown")
        _CHECKS[spec.type](spec, exists)
    except EngineError as error:
        raise invalid(f'invalid mount config for type "{spec.type}": {error}') from None


def _check_target(target: str) -> None:
    if not target:
        raise invalid("field Target must not be empty")
    check_destination(target)


def check_destination(target: str) -> None:
    """A target that is neither the root nor relative."""
    if clean(target) == "/":
        raise invalid("invalid specification: destination can't be '/'")
    _check_absolute(target)


def _check_absolute(path: str) -> None:
    if not path.startswith("/"):
        raise invalid(f"invalid mount path: '{path}' mount path must be absolute")


def _refuse_options(spec: Mount) -> None:
    """What only a mount of another type has."""
    for name, kind in OPTIONS.items():
        if kind != spec.type:
            _refuse(spec, name)


def _refuse(spec: Mount, name: str) -> None:
    if spec.has(name):
        raise invalid(f"field {name} must not be specified")


def _check_source(spec: Mount) -> None:
    if not spec.source:
        raise invalid("field Source must not be empty")


def _check_bind(spec: Mount, exists: Exists) -> None:
    _check_source(spec)
    if spec.propagation and spec.propagation not in PROPAGATIONS:
        raise invalid(f"invalid propagation mode: {spec.propagation}")
    _refuse_options(spec)
    _check_absolute(spec.source)
    if not spec.create_source and not exists(spec.source):
        raise invalid(f"bind source path does not exist: {spec.source}")


def _check_volume(spec: Mount, exists: Exists) -> None:
    _refuse_options(spec)
    if not spec.volume_subpath:
        return
    if not spec.source:
        raise invalid("must not set Subpath when using anonymous volumes")
    if not is_local(spec.volume_subpath):
        raise invalid(_SUBPATH)


def _check_tmpfs(spec: Mount, exists: Exists) -> None:
    _refuse_options(spec)
    _refuse(spec, "Source")
    tmpfs_options(spec, False)


def _check_image(spec: Mount, exists: Exists) -> None:
    _refuse_options(spec)
    _check_source(spec)
    if spec.image_subpath and not is_local(spec.image_subpath):
        raise invalid(_SUBPATH)


_CHECKS: dict[str, Callable[[Mount, Exists], None]] = {
    "bind": _check_bind,
    "volume": _check_volume,
    "tmpfs": _check_tmpfs,
    "image": _check_image,
}


def _finish_bind(point: MountPoint, spec: Mount) -> MountPoint:
    return replace(
        point,
        source=clean(spec.source),
        propagation=spec.propagation or DEFAULT_PROPAGATION,
        create_source=spec.create_source,
    )


_FINISH: dict[str, Callable[[MountPoint, Mount], MountPoint]] = {
    "bind": _finish_bind,
    "volume": lambda point, spec: replace(point, name=spec.source, driver=spec.driver, copy_data=not spec.nocopy),
    "tmpfs": lambda point, spec: point,
    "image": lambda point, spec: replace(point, source=spec.source, propagation=DEFAULT_PROPAGATION),
}


# --- tmpfs

_SUFFIXES = (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10))


def tmpfs_options(spec: Mount, readonly: bool) -> list[str]:
    """What a record says of its tmpfs, as words for the mount call."""
    words = ["ro"] if readonly else []
    if spec.mode:
        words.append(f"mode={spec.mode:o}")
    if spec.size:
        suffix, divisor = next(((s, d) for s, d in _SUFFIXES if spec.size % d == 0), ("", 1))
        words.append(f"size={spec.size // divisor}{suffix}")
    return words + _more_tmpfs_options(spec.tmpfs_words)


def _more_tmpfs_options(options: Sequence[Sequence[str]]) -> list[str]:
    for option in options:
        if option[0] not in ("exec", "noexec"):
            raise invalid(f"invalid option: {option[0]}")
    return ["=".join(option) for option in options]


# Words that a tmpfs mount takes: flags, with what they undo, and keys with a value (moby/sys, mount).
TMPFS_FLAGS = {
    "rw": "ro", "ro": "rw", "suid": "nosuid", "nosuid": "suid", "dev": "nodev", "nodev": "dev", "exec": "noexec",
    "noexec": "exec", "sync": "async", "async": "sync", "dirsync": "", "remount": "", "mand": "nomand",
    "nomand": "mand",
    "atime": "noatime", "noatime": "atime", "diratime": "nodiratime", "nodiratime": "diratime", "bind": "", "rbind": "",
    "unbindable": "", "runbindable": "", "private": "", "rprivate": "", "shared": "", "rshared": "", "slave": "",
    "rslave": "", "relatime": "norelatime", "norelatime": "relatime", "strictatime": "nostrictatime",
    "nostrictatime": "strictatime", "defaults": "",
}  # fmt: skip
TMPFS_KEYS = ("size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol")


def merge_tmpfs_words(words: Sequence[str]) -> list[str]:
    """The words that count, later ones over earlier; an unknown one is refused."""
    kept: dict[str, str] = {}
    for word in words:
        key, equals, _ = word.partition("=")
        if word in TMPFS_FLAGS:
            kept.pop(TMPFS_FLAGS[word], None)
            kept.pop(word, None)
            kept[word] = word
        elif equals and key in TMPFS_KEYS:
            kept.pop(key, None)
            kept[key] = word
        else:
            raise invalid(f'invalid tmpfs option "{word}"')
    return list(kept.values())


_COUNT = r"\d+[kKmMgGtT]?"
_NUMBERS = {
    "size": r"\d+[kKmMgGtT%]?", "nr_blocks": _COUNT, "nr_inodes": _COUNT, "mode": "[0-7]+", "uid": r"\d+",
    "gid": r"\d+", "mpol": ".*",
}  # fmt: skip


def tmpfs_check(data: str) -> None:
    """Raises OSError where the kernel does not take these options (mm/shmem.c)."""
    for word in filter(None, data.split(",")):
        key, _, value = word.partition("=")
        if not re.fullmatch(_NUMBERS.get(key, "(?!)"), value):
            raise failure(errno.EINVAL)


def tmpfs_shown(data: Sequence[str]) -> list[str]:
    """The options of a tmpfs as /proc/mounts shows them: whole pages in KiB, in an order of its own (mm/shmem.c)."""
    values = {key: value for key, _, value in (word.partition("=") for word in data)}
    if size := size_of(values.get("size", "0")):
        values["size"] = f"{-(-size // 4096) * 4}k"
    else:
        values.pop("size", None)
    if int(values.get("mode", "1777"), 8) == 0o1777:
        values.pop("mode", None)
    else:
        values["mode"] = f"{int(values['mode'], 8):03o}"
    for key in ("uid", "gid"):
        if values.get(key) == "0":
            del values[key]
    order = ("size", "nr_inodes", "mode", "uid", "gid")
    return [f"{key}={values[key]}" for key in order if key in values]


def size_of(text: str) -> int:
    """Bytes of a tmpfs' size option: digits with k, m or g. Raises ValueError."""
    suffix = text[-1:].lower()
    factor = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}.get(suffix)
    if suffix == "%":
        return int(text[:-1]) * (8 << 30) // 100
    return int(text[:-1]) * factor if factor else int(text)


# --- paths


def clean(path: str) -> str:
    """As Go's path.Clean."""
    return posixpath.normpath(path).replace("//", "/", 1) if path.startswith("//") else posixpath.normpath(path)


def is_local(path: str) -> bool:
    """A relative path that stays below where it starts."""
    return bool(path) and not path.startswith("/") and clean(path).split("/")[0] != ".."


def tmpfs_of(store: Store, data: str) -> Source:
    """A tmpfs with these options (size, mode, uid, gid). Raises ValueError."""
    size, mode, uid, gid = None, 0o1777, 0, 0
    for word in data.split(","):
        key, _, value = word.partition("=")
        if key == "size":
            size = size_of(value) or None
        elif key == "mode":
            mode = int(value, 8)
        elif key == "uid":
            uid = int(value)
        elif key == "gid":
            gid = int(value)
    return tmpfs(store, size, mode, uid, gid)
