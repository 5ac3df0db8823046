"""One mount as a form, and as -v and --mount: each can be made from the others.

What one of the two syntaxes cannot say is named, with the reason. A form keeps what it has for other kinds of mounts
and what a syntax cannot say, so that nothing is lost on the way. Rules: docker's reference pages of both flags, and
mountflags and mountspec, which read them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from labkit.engine.core.errors import EngineError
from labkit.engine.mounts.mountspec import PROPAGATIONS, parse_text

from .errors import ValueInvalid
from .mountflags import parse_mount, parse_volume, read_csv, resolve_in, split_volumes
from .mountparts import CONSISTENCIES, PART_OF_KEY, PART_OF_WORD, volume_parts

TYPES = ("bind", "volume", "tmpfs", "image")
RECURSIVE = ("enabled", "disabled", "writable", "readonly")
_RESOLVE = resolve_in("/home/learner")


@dataclass(frozen=True)
class Form:
    """A mount as it was asked for, in the words that were used."""

    type: str = "volume"
    source: str = ""
    target: str = ""
    readonly: bool = False
    create_source: bool = False
    propagation: str = ""
    recursive: str = ""
    idmap: str = ""
    label: str = ""
    subpath: str = ""
    nocopy: bool = False
    labels: tuple[str, ...] = ()  # each NAME=VALUE
    driver: str = ""
    options: tuple[str, ...] = ()  # of the volume's driver, each NAME=VALUE
    size: str = ""
    mode: str = ""
    consistency: str = ""


@dataclass(frozen=True)
class Field:
    """A row of the form."""

    name: str  # of Form
    title: str
    key: str  # in --mount; "" where that has no word for it
    types: tuple[str, ...] = TYPES  # the kinds of mount that have it
    choices: tuple[str, ...] = ()
    in_volume: bool = False  # -v has a word for it

    @property
    def kind(self) -> str:
        """How it is filled in: "text", "choice", "switch" or "lines"."""
        default = getattr(Form(), self.name)
        if isinstance(default, str):
            return "choice" if self.choices else "text"
        return "switch" if isinstance(default, bool) else "lines"

    def keyed(self, type: str) -> str:
        """Its key in a --mount of this type."""
        return self.key.format(type=type)


FIELDS = (
    Field("type", "Type", "type", choices=TYPES, in_volume=True),
    Field("source", "Source", "source", in_volume=True),
    Field("target", "Target", "target", in_volume=True),
    Field("readonly", "Read-only", "readonly", in_volume=True),
    Field("create_source", "Make a missing source", "bind-create-src", ("bind",), in_volume=True),
    Field("propagation", "Propagation", "bind-propagation", ("bind",), PROPAGATIONS, in_volume=True),
    Field("recursive", "Mounts below the source", "bind-recursive", ("bind",), RECURSIVE),
    Field("idmap", "Map of users", "bind-idmap", ("bind",)),
    Field("label", "SELinux label", "", ("bind", "volume"), ("z", "Z"), in_volume=True),
    Field("subpath", "Folder in the source", "{type}-subpath", ("volume", "image")),
    Field("nocopy", "Do not fill from the image", "volume-nocopy", ("volume",), in_volume=True),
    Field("labels", "Labels", "volume-label", ("volume",)),
    Field("driver", "Volume driver", "volume-driver", ("volume",)),
    Field("options", "Driver options", "volume-opt", ("volume",)),
    Field("size", "Size", "tmpfs-size", ("tmpfs",)),
    Field("mode", "Mode", "tmpfs-mode", ("tmpfs",)),
    Field("consistency", "Consistency", "consistency", TYPES, CONSISTENCIES, in_volume=True),
)  # fmt: skip
FIELD = {field.name: field for field in FIELDS}
_WORDS = ("readonly", "label", "propagation", "nocopy", "consistency")  # what -v says after its second colon


@dataclass(frozen=True)
class Written:
    """A form in one of the two syntaxes."""

    text: str  # "" where the syntax has nothing for it at all
    unsaid: tuple[tuple[str, str], ...] = ()  # parts that it cannot say, each with a sentence


# --mount


def read_mount(text: str, before: Form = Form()) -> Form | None:
    """A --mount value as a form; None where the client refuses it. `before` gives what --mount cannot say."""
    try:
        parse_mount(text, _RESOLVE)
    except ValueInvalid:
        return None
    pairs = [field.partition("=") for field in read_csv(text.strip())]
    found: dict[str, Any] = {"type": "volume"}
    for key, equals, value in pairs:
        _put(found, PART_OF_KEY[key.lower()], value if equals else "true")
    reset = {
        field.name: getattr(Form(), field.name) for field in FIELDS if field.key and found["type"] in field.types
    }  # fmt: skip
    return replace(before, **(reset | found))


def _put(found: dict[str, Any], name: str, value: str) -> None:
    kind = FIELD[name].kind
    if kind == "lines":
        found[name] = (*found.get(name, ()), value)
    elif kind == "switch":
        found[name] = value in ("true", "1")
    else:
        found[name] = value.lower() if name in ("type", "propagation", "consistency") else value


def write_mount(form: Form) -> Written:
    """The form as a --mount value."""
    asked = [field for field in FIELDS if field.key and applies(field, form)]
    if blank := [(field.name, _blank(field, form)) for field in asked if _blank(field, form)]:
        return Written("", tuple(blank))
    fields = [each for field in asked for each in _pairs(field, form)]
    unsaid = [("label", f"--mount has no word for {form.label}, an SELinux label.")] if is_set(form, "label") else []
    return Written(",".join(map(_csv, fields)), tuple(unsaid))


def _blank(field: Field, form: Form) -> str:
    """Why --mount cannot say a value that begins or ends with a blank; "" for any other."""
    value = getattr(form, field.name)
    if field.kind != "text" or value == value.strip():
        return ""
    return (
        f"--mount takes no value with a blank at its end, so it has no way to say {field.keyed(form.type)}='{value}'."
    )


def _pairs(field: Field, form: Form) -> list[str]:
    key, value = field.keyed(form.type), getattr(form, field.name)
    if field.kind == "switch":
        return [key] if value else []
    if field.kind == "lines":
        return [f"{key}={line}" for line in value if line]
    return [f"{key}={value}"] if value else []


def _csv(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if set(field) & set(',"') else field


def applies(field: Field, form: Form) -> bool:
    """Whether a mount of the form's type has such a part; for a type that Docker does not know, what all have."""
    return form.type in field.types or field.types == TYPES


def is_set(form: Form, name: str) -> bool:
    """Whether the form asks for this part."""
    return applies(FIELD[name], form) and bool(getattr(form, name))


# -v


def read_volume(text: str, before: Form = Form()) -> Form | None:
    """A -v value as a form; None where it is refused for its shape. `before` gives what -v cannot say."""
    try:
        source, _ = parse_volume(text)
        binds, _ = split_volumes([text], _RESOLVE)
        kind = parse_text(binds[0]).type if source else "volume"
    except (ValueInvalid, EngineError):
        return None
    found: dict[str, Any] = {name: getattr(Form(), name) for name in ("source", *_WORDS)} | {"type": kind}
    for part in volume_parts(text):
        if part.name == "readonly":
            found["readonly"] = part.value == "ro"
        elif part.name == "nocopy":
            found["nocopy"] = True
        elif part.name:
            found[part.name] = part.value
    return replace(before, **found)


def write_volume(form: Form) -> Written:
    """The form as a -v value."""
    if form.type not in ("bind", "volume"):
        return Written("", (("type", _no_such_type(form)),))
    text = _volume_text(form)
    if form.target and (form.source or form.type == "volume") and (reason := _misread(form, text)):
        return Written("", (("source", reason),))
    unsaid = [(name, _no_word(field)) for name, field in FIELD.items() if is_set(form, name) and not field.in_volume]
    if form.consistency and form.consistency not in CONSISTENCIES:
        unsaid.append(("consistency", f"-v has no way to say consistency={form.consistency}."))
    if not form.source and _words(form):
        unsaid += [(name, "-v takes words like ro only after a source and a target.") for name in _words(form)]
    return Written(text, tuple(unsaid))


def _volume_text(form: Form) -> str:
    if not form.source and form.type == "volume":
        return form.target
    words = ",".join(_words(form).values())
    return f"{form.source}:{form.target}" + (f":{words}" if words else "")


def _words(form: Form) -> dict[str, str]:
    """The parts that -v says in a word, with the word."""
    spelt = {name: getattr(form, name) for name in _WORDS if is_set(form, name)}
    words = {name: {"readonly": "ro", "nocopy": "nocopy"}.get(name, value) for name, value in spelt.items()}
    return {name: word for name, word in words.items() if word in PART_OF_WORD}


def _misread(form: Form, text: str) -> str:
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


def _no_such_type(form: Form) -> str:
    sentence = f"-v has no way to say type={form.type}."
    if form.type != "tmpfs":
        return sentence
    return f"{sentence} The short form is another flag: --tmpfs {tmpfs_text(form)}"


def tmpfs_text(form: Form) -> str:
    """The form as a --tmpfs value."""
    pairs = (("size", form.size), ("mode", form.mode))
    words = [f"{key}={value}" for key, value in pairs if value] + (["ro"] if form.readonly else [])
    return form.target + (":" + ",".join(words) if words else "")


def _no_word(field: Field) -> str:
    sentence = f"-v has no way to say {field.key.format(type='volume')}."
    return f"{sentence} docker run has --volume-driver for it." if field.name == "driver" else sentence
