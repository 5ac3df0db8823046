"""Why a build step was made anew, in sentences."""

from __future__ import annotations

import ast
from collections.abc import Callable

from labkit.engine.build.journal import Reason
from labkit.jupyter.view_text import cut

SHOWN_VALUE = 60


def sentence(reason: Reason) -> str:
    """A reason in words: "The checksum of `app.py` changed: its content"."""
    made = WORDS.get(reason.what)
    return made(reason) if made else f"Its {reason.what} changed: {_change(reason)}"


def code(text: str) -> str:
    """Text between backquotes; none of its own are left in it."""
    return f"`{cut(text, SHOWN_VALUE).replace('`', chr(39))}`" if text else "nothing"


def _change(reason: Reason) -> str:
    return f"{code(reason.old)} → {code(reason.new)}"


def _named(title: str) -> Callable[[Reason], str]:
    """A sentence about one of several things of a kind, which can be new or gone."""

    def words(reason: Reason) -> str:
        name = f"{title} {code(reason.name)}"
        if reason.how == "value":
            return f"{name} changed: {_change(reason)}"
        return f"{name} is {reason.how}"

    return words


def _command(reason: Reason) -> str:
    return f"The instruction's text changed: {code(_line(reason.old))} → {code(_line(reason.new))}"


def _line(value: str) -> str:
    """What a RUN runs, without the shell before it."""
    words = ast.literal_eval(value) if value else ()
    return " ".join(words[2:] if words[:2] == ("/bin/sh", "-c") else words)


FILES = {
    "new": "{file} is new among what it copies",
    "gone": "{file} is gone from what it copies",
    "content": "The checksum of {file} changed: its content",
    "mode": "The checksum of {file} changed: its mode, {old} → {new}",
    "owner": "The checksum of {file} changed: its owner, {old} → {new}",
    "kind": "{file} is another kind of file now",
}


def _file(reason: Reason) -> str:
    return FILES[reason.how].format(file=code(reason.name), old=reason.old, new=reason.new)


def _content(reason: Reason) -> str:
    ways = {"new": "It copies {} now", "gone": "It copies {} no longer", "value": "What {} names changed"}
    return ways[reason.how].format(code(reason.name or "."))


def _option(reason: Reason) -> str:
    titles = {"target": "Where it copies to", "unpack": "Whether it unpacks archives"}
    return f"{titles.get(reason.name, code(reason.name))} changed: {_change(reason)}"


WORDS: dict[str, Callable[[Reason], str]] = {
    "forced": lambda reason: f"{code(reason.name)} has it made anew",
    "pruned": lambda reason: "It was made before with this very key, but its record is gone: pruned",
    "new": lambda reason: "Nothing like it was made before",
    "below": lambda reason: f"It stands on another step than before: {code(reason.name)}",
    "order": lambda reason: "The same variables stand in another order",
    "command": _command,
    "argument": _named("The ARG"),
    "variable": _named("The variable"),
    "mount": _named("The mount at"),
    "stage": lambda reason: f"The stage that it mounts at {code(reason.name)} changed",
    "script": lambda reason: "The text of its script changed",
    "text": lambda reason: f"The text of {code(reason.name)} in the Dockerfile changed",
    "file": _file,
    "content": _content,
    "option": _option,
    "folder": lambda reason: f"Its folder changed: {_change(reason)}",
    "user": lambda reason: f"Its user changed: {_change(reason)}",
}
