"""Which characters of a -v or --mount value are which part of the mount, and which of them a refusal is about.

What is wrong may be anywhere, so these functions take any text. Whether a text is right is for mountflags to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from labkit.dockercli.flags import ValueInvalid
from labkit.engine.core.mountkeys import BY_NAME, BY_WORD, MountKey
from labkit.engine.mounts.mountspec import valid_mode

from .mountflags import parse_mount, parse_volume


@dataclass(frozen=True)
class MountPart:
    """Some characters of a flag's value."""

    start: int
    end: int
    name: str  # "" for what Docker knows no such part of
    value: str  # without the key and the quotes
    key: str = ""  # as it is spelt in --mount


def _name(table: Mapping[str, MountKey], word: str) -> str:
    return table[word].part if word in table else ""


def volume_parts(text: str) -> tuple[MountPart, ...]:
    """The parts of a -v, as the daemon splits it."""
    if not text or ":" not in text or _is_target_alone(text):
        return (MountPart(0, len(text), "target", text),) if text else ()
    return tuple(_named_sections(text))


def _is_target_alone(text: str) -> bool:
    """The client takes a letter before a colon for a Windows drive, and so the whole for a path in the container."""
    try:
        return not parse_volume(text)[0]
    except ValueInvalid:
        return False


def _named_sections(text: str) -> Iterator[MountPart]:
    place = 0
    for number, section in enumerate(text.split(":", 3)):
        if number < 2:
            yield MountPart(place, place + len(section), ("source", "target")[number], section)
        elif number == 2:
            yield from _words(section, place)
        else:
            yield MountPart(place, place + len(section), "", section)
        place += len(section) + 1


def _words(section: str, place: int) -> Iterator[MountPart]:
    for word in section.split(","):
        yield MountPart(place, place + len(word), _name(BY_WORD, word), word)
        place += len(word) + 1


def mount_parts(text: str) -> tuple[MountPart, ...]:
    """The parts of a --mount: its fields, as CSV separates them."""
    return tuple(_part(text, start, end) for start, end in _fields(text))


def _fields(text: str) -> Iterator[tuple[int, int]]:
    place, last = len(text) - len(text.lstrip()), len(text.rstrip())
    if place >= last:
        return
    while place <= last:
        end = place
        if text[place : place + 1] == '"':
            quoted = re.compile(r'"(?:[^"]|"")*("|$)').match(text, place, last)
            end = quoted.end() if quoted else last
        comma = text.find(",", end, last)
        end = comma if comma >= 0 else last
        yield place, end
        place = end + 1


def _part(text: str, start: int, end: int) -> MountPart:
    field = text[start:end]
    if field.startswith('"'):
        field = field[1:].removesuffix('"').replace('""', '"')
    key, _, value = field.partition("=")
    return MountPart(start, end, _name(BY_NAME, key.lower()), value, key)


PARTS: dict[str, Callable[[str], tuple[MountPart, ...]]] = {"-v": volume_parts, "--mount": mount_parts}
FIELDS = {"Source": "source", "Target": "target", "VolumeOptions": "nocopy", "BindOptions": "propagation"}


def missing(message: str) -> str:
    """The part that a refusal wants and does not find: "source", "target" or ""."""
    found = re.search(r"field (\w+) must not be empty", message)
    return FIELDS.get(found[1], "") if found else ""


def culprits(flag: str, text: str, message: str) -> tuple[MountPart, ...]:
    """The parts of a -v or --mount value that this refusal of it is about; none where it is about the whole."""
    parts = PARTS[flag](text)
    if flag == "--mount" and (alone := _wrong_alone(text, parts, message)):
        return alone
    for pattern, pick in _RULES:
        if found := re.search(pattern, message):
            return tuple(pick(parts, text, found))
    return ()


def _wrong_alone(text: str, parts: tuple[MountPart, ...], message: str) -> tuple[MountPart, ...]:
    """The first field of which the client says the same without the others (between two, so that spaces count)."""
    for part in parts:
        try:
            parse_mount(f"dst=/d,{text[part.start : part.end]},dst=/d", lambda path: path)
        except ValueInvalid as error:
            reason = str(error)
            if "parse error" not in reason and message.rstrip().split("\n")[0].endswith(f": {reason}"):
                return (part,)
    return ()


Pick = Callable[[tuple[MountPart, ...], str, re.Match[str]], Iterable[MountPart]]


def _named(*names: str) -> Pick:
    return lambda parts, text, found: [part for part in parts if part.name in names]


def _valued(parts: tuple[MountPart, ...], text: str, found: re.Match[str]) -> list[MountPart]:
    """The target or the source that is the path in the message."""
    paths = [part for part in parts if part.name in ("target", "source") and part.value == found[1]]
    return paths[-1:]


def _of_key(parts: tuple[MountPart, ...], text: str, found: re.Match[str]) -> list[MountPart]:
    return [part for part in parts if part.key.lower() == found[1]]


def _of_kind(parts: tuple[MountPart, ...], text: str, found: re.Match[str]) -> list[MountPart]:
    return [part for part in parts if part.key.lower().startswith(f"{found[1]}-")]


def _at_column(parts: tuple[MountPart, ...], text: str, found: re.Match[str]) -> list[MountPart]:
    lead = len(text) - len(text.lstrip())
    place = lead + len(text[lead:].encode()[: int(found[1]) - 1].decode(errors="ignore"))
    return [part for part in parts if part.start <= min(place, len(text.rstrip()) - 1) <= part.end][:1]


def _field(parts: tuple[MountPart, ...], text: str, found: re.Match[str]) -> list[MountPart]:
    return [part for part in parts if part.name == FIELDS.get(found[1])]


def _wrong_words(parts: tuple[MountPart, ...], text: str, found: re.Match[str]) -> list[MountPart]:
    """In a mode: the words that are none, else those of which only one may be there."""
    words = [part for part in parts if part.name not in ("source", "target")]
    unknown = [part for part in words if not valid_mode(part.value) or not part.name]
    names = [part.name for part in words]
    return unknown or [part for part in words if names.count(part.name) > 1]


def _wrong_shape(parts: tuple[MountPart, ...], text: str, found: re.Match[str]) -> list[MountPart]:
    """Too many colons, an empty part, or a mode where the target is to be."""
    too_many = [part for part in parts if not part.name and part.start and text[part.start - 1] == ":"]
    return [part for part in parts if not part.value] or too_many or [part for part in parts if part.name == "target"]


_RULES: tuple[tuple[str, Pick], ...] = (
    (r"parse error on line 1, column (\d+)", _at_column),
    (r"cannot mix '(\w+)-\*' options", _of_kind),
    (r"option '([\w-]+)=", _of_key),
    (r"invalid mode: ", _wrong_words),
    (r"field (\w+) must not be specified", _field),
    (r"invalid mount path: '(.*)' mount path must be absolute", _valued),
    (r"destination can't be '/'", _named("target")),
    (r"mount type unknown", _named("type")),
    (r"invalid propagation mode", _named("propagation")),
    (r"bind source path does not exist|includes invalid characters|volume name is too short", _named("source")),
    (r"[Ss]ubpath|cannot access path|is outside of volume", _named("subpath")),
    (r"looking up volume plugin|no such driver|different driver", _named("driver")),
    (r"failed to mount local volume|invalid option|missing (device|required)|error while mounting", _named("options")),
    (r"[Nn]o such image|invalid reference format|pull access denied|manifest", _named("source")),
    (r"creating mount source path|failed to fulfil mount request", _named("source")),
    (r"[Nn]ot a directory", _named("source", "target")),
    (r"empty section between colons|too many colons|invalid volume specification: '[^']*'\n", _wrong_shape),
)
