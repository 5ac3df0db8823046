"""One mount as a form, and as -v and --mount: each can be made from the others.

What one of the two syntaxes cannot say is named, with the reason. A form keeps what it has for other kinds of mounts
and what a syntax cannot say, so that nothing is lost on the way. Rules: docker's reference pages of both flags, and
mountflags and mountspec, which read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from labkit.dockercli.flags import ValueInvalid
from labkit.engine.core.errors import EngineError
from labkit.engine.core.mountkeys import BY_NAME, BY_WORD, KEYS, TYPES, MountKey
from labkit.engine.mounts.mountspec import parse_text

from .mountflags import parse_mount, parse_volume, read_csv, resolve_in, split_volumes
from .mountparts import volume_parts

Filled: TypeAlias = str | bool | tuple[str, ...]  # each line of several NAME=VALUE
_RESOLVE = resolve_in("/home/learner")


@dataclass(frozen=True)
class FormField:
    """A row of the form: one part of a mount, with its keys in --mount (one for each type that names its own)."""

    keys: tuple[MountKey, ...]

    @property
    def name(self) -> str:
        return self.keys[0].part

    @property
    def title(self) -> str:
        return self.keys[0].title

    @property
    def choices(self) -> tuple[str, ...]:
        return self.keys[0].choices

    @property
    def types(self) -> tuple[str, ...]:
        """The types of mount that have it."""
        return tuple(type for type in TYPES if any(type in key.types for key in self.keys))

    @property
    def key(self) -> str:
        """Its key in --mount, without the type where each type has its own; "" where --mount has no word for it."""
        key = self.keys[0]
        return key.name if len(self.keys) == 1 else key.name.removeprefix(f"{key.types[0]}-")

    @property
    def kind(self) -> str:
        """How it is filled in: "text", "choice", "switch" or "lines"."""
        found = {"switch": "switch", "pairs": "lines"}.get(self.keys[0].kind)
        return found or ("choice" if self.choices else "text")

    @property
    def empty(self) -> Filled:
        empty: dict[str, Filled] = {"switch": False, "lines": ()}
        return empty.get(self.kind, "")

    @property
    def in_volume(self) -> bool:
        """-v has a way to say it."""
        return bool(self.keys[0].words or self.keys[0].unspoken) or self.name in ("source", "target")

    def keyed(self, type: str) -> str:
        """Its key in a --mount of this type."""
        return next((key.name for key in self.keys if type in key.types), self.keys[0].name)

    def applies(self, form: MountForm) -> bool:
        """Whether a mount of the form's type has it; for a type that Docker does not know, what all have."""
        return form.type in self.types or self.types == tuple(TYPES)


FIELD = {
    part: FormField(tuple(key for key in KEYS if key.part == part and key.kind != "refused"))
    for part in dict.fromkeys(key.part for key in KEYS)
}
FIELDS = tuple(FIELD.values())
EMPTY: dict[str, Filled] = {name: field.empty for name, field in FIELD.items()}


@dataclass(frozen=True, init=False)
class MountForm:
    """A mount as it was asked for, in the words that were used: the value of each field, by its name."""

    values: Mapping[str, Filled]

    def __init__(self, type: str = "volume", source: str = "", target: str = "", **more: Filled) -> None:
        object.__setattr__(self, "values", EMPTY | {"type": type, "source": source, "target": target} | more)

    def __getitem__(self, name: str) -> Filled:
        return self.values[name]

    def text(self, name: str) -> str:
        value = self.values[name]
        assert isinstance(value, str)
        return value

    @property
    def type(self) -> str:
        return self.text("type")

    @property
    def source(self) -> str:
        return self.text("source")

    @property
    def target(self) -> str:
        return self.text("target")

    def changed(self, values: Mapping[str, Filled]) -> MountForm:
        form = MountForm()
        object.__setattr__(form, "values", {**self.values, **values})
        return form

    def asks(self, name: str) -> bool:
        """Whether it asks for this part."""
        return FIELD[name].applies(self) and bool(self.values[name])


@dataclass(frozen=True)
class WrittenFlag:
    """A form in one of the two syntaxes."""

    text: str  # "" where the syntax has nothing for it at all
    unsaid: tuple[tuple[str, str], ...] = ()  # parts that it cannot say, each with a sentence


_WORDS = ("readonly", "label", "propagation", "nocopy", "consistency")  # what -v says after its second colon

# --mount


def read_mount(text: str, before: MountForm = MountForm()) -> MountForm | None:
    """A --mount value as a form; None where the client refuses it. `before` gives what --mount cannot say."""
    try:
        parse_mount(text, _RESOLVE)
    except ValueInvalid:
        return None
    found: dict[str, Filled] = {"type": "volume"}
    for spelt, equals, value in (field.partition("=") for field in read_csv(text.strip())):
        key = BY_NAME[spelt.lower()]
        found[key.part] = _filled(key, value if equals else "true", found.get(key.part, ()))
    reset = {name: field.empty for name, field in FIELD.items() if field.key and found["type"] in field.types}
    return before.changed(reset | found)


def _filled(key: MountKey, value: str, before: Filled) -> Filled:
    if key.kind == "pairs":
        return (*(before if isinstance(before, tuple) else ()), value)
    if key.kind == "switch":
        return value in ("true", "1")
    return value.lower() if key.kind == "lower" else value


def write_mount(form: MountForm) -> WrittenFlag:
    """The form as a --mount value."""
    asked = [field for field in FIELDS if field.key and field.applies(form)]
    if blank := [(field.name, _blank(field, form)) for field in asked if _blank(field, form)]:
        return WrittenFlag("", tuple(blank))
    fields = [each for field in asked for each in _pairs(field, form)]
    unsaid = [
        (name, f"--mount has no word for {form[name]}, an {field.title}.")
        for name, field in FIELD.items()
        if not field.key and form.asks(name)
    ]
    return WrittenFlag(",".join(map(_csv, fields)), tuple(unsaid))


def _blank(field: FormField, form: MountForm) -> str:
    """Why --mount cannot say a value that begins or ends with a blank; "" for any other."""
    if field.kind != "text" or form.text(field.name) == form.text(field.name).strip():
        return ""
    said = f"{field.keyed(form.type)}='{form[field.name]}'"
    return f"--mount takes no value with a blank at its end, so it has no way to say {said}."


def _pairs(field: FormField, form: MountForm) -> list[str]:
    key, value = field.keyed(form.type), form[field.name]
    if isinstance(value, bool):
        return [key] if value else []
    lines = value if isinstance(value, tuple) else (value,)
    return [f"{key}={line}" for line in lines if line]


def _csv(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if set(field) & set(',"') else field


# -v


def read_volume(text: str, before: MountForm = MountForm()) -> MountForm | None:
    """A -v value as a form; None where it is refused for its shape. `before` gives what -v cannot say."""
    try:
        source, _ = parse_volume(text)
        binds, _ = split_volumes([text], _RESOLVE)
        kind = parse_text(binds[0]).type if source else "volume"
    except (ValueInvalid, EngineError):
        return None
    found: dict[str, Filled] = {name: EMPTY[name] for name in ("source", *_WORDS)} | {"type": kind}
    for part in volume_parts(text):
        if part.name:
            said = BY_WORD[part.value].words[part.value] if part.name in _WORDS else None
            found[part.name] = part.value if said is None else said
    return before.changed(found)


def write_volume(form: MountForm) -> WrittenFlag:
    """The form as a -v value."""
    if form.type not in ("bind", "volume"):
        return WrittenFlag("", (("type", _no_such_type(form)),))
    text = _volume_text(form)
    if form.target and (form.source or form.type == "volume") and (reason := _misread(form, text)):
        return WrittenFlag("", (("source", reason),))
    words = _words(form)
    unsaid = [(name, _no_word(field)) for name, field in FIELD.items() if form.asks(name) and not field.in_volume]
    if form.asks("consistency") and "consistency" not in words:
        unsaid.append(("consistency", f"-v has no way to say consistency={form['consistency']}."))
    if not form.source and words:
        unsaid += [(name, "-v takes words like ro only after a source and a target.") for name in words]
    return WrittenFlag(text, tuple(unsaid))


def _volume_text(form: MountForm) -> str:
    if not form.source and form.type == "volume":
        return form.target
    words = ",".join(_words(form).values())
    return f"{form.source}:{form.target}" + (f":{words}" if words else "")


def _words(form: MountForm) -> dict[str, str]:
    """The parts that -v says in a word, with the word."""
    asked = [name for name in _WORDS if form.asks(name)]
    said = [(name, word) for name in asked for word, value in FIELD[name].keys[0].words.items()]
    return {name: word for name, word in said if form[name] in (word, FIELD[name].keys[0].words[word])}


def _misread(form: MountForm, text: str) -> str:
    """Why Docker would take this -v for another mount; "" where it would not."""
    parts = {part.name: part.value for part in volume_parts(text)}
    same = (parts.get("source", ""), parts.get("target")) == (form.source, form.target)
    if not same and ":" in form.source + form.target:
        return "-v separates its parts with colons, so it has no way to say a path with a colon in it."
    if not same:
        return (
            f"-v takes {form.source} before a colon for a Windows drive, and so the whole for a path in the container."
        )
    if form.source and form.type != type_by_look(form.source):
        return _LOOKS[form.type].format(form.source)
    return ""


_LOOKS = {
    "bind": "-v takes {} for the name of a volume: to it only what begins with / or . is a folder.",
    "volume": "-v takes {} for a folder of the host: to it what begins with / or . is no volume's name.",
}


def type_by_look(source: str) -> str:
    """What -v takes a source for."""
    return "bind" if source[:1] in ("/", ".") else "volume"


def _no_such_type(form: MountForm) -> str:
    sentence = f"-v has no way to say type={form.type}."
    if form.type != "tmpfs":
        return sentence
    return f"{sentence} The short form is another flag: --tmpfs {tmpfs_text(form)}"


def tmpfs_text(form: MountForm) -> str:
    """The form as a --tmpfs value."""
    named = [(field.key.removeprefix("tmpfs-"), form[field.name]) for field in FIELDS if field.types == ("tmpfs",)]
    words = [f"{key}={value}" for key, value in named if value] + (["ro"] if form["readonly"] else [])
    return form.target + (":" + ",".join(words) if words else "")


def _no_word(field: FormField) -> str:
    sentence = f"-v has no way to say {field.keyed('volume')}."
    return f"{sentence} docker run has --volume-driver for it." if field.name == "driver" else sentence
