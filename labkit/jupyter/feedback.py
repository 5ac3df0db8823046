"""What an exercise's widget says to an answer, as the page needs it: plain lists and dicts."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from labkit.dockercli.flags import ValueInvalid
from labkit.dockercli.mountflags import parse_mount, parse_volume
from labkit.dockercli.mountparts import PARTS
from labkit.jupyter.panel import count
from labkit.jupyter.view import MachineView, compare, gone_lines

MOST_DIFFERENCES = 8
FLAGS = {"-v": "-v", "--volume": "-v", "--mount": "--mount"}


def feedback_trait(judgement: Any, trouble: str = "") -> dict[str, Any]:
    """A judgement as the page needs it: {"tone", "title", "items": [{"ok", "text", "note"}], "reply"}."""
    points = f"{judgement.points:g} of {judgement.of:g} point{'' if judgement.of == 1 else 's'}"
    if judgement.error:
        return {"tone": "error", "title": judgement.text, "items": [], "reply": trouble}
    title = f"Right: {points}." if judgement.passed else f"Not yet: {points}."
    slips = () if judgement.passed else judgement.notes  # who is right need not hear of a slip on the way
    reply = "\n\n".join(filter(None, [judgement.reply, *slips, trouble]))
    tone = "right" if judgement.passed else "not yet"
    return {"tone": tone, "title": title, "items": items_trait(judgement.results), "reply": reply}


def items_trait(results: Sequence[Any]) -> list[dict[str, Any]]:
    """Checks as rows; the same difference is told only once."""
    notes = [each.difference or "" for each in results]
    return [
        {"ok": each.ok, "text": each.text, "note": note if note not in notes[:number] else ""}
        for number, (each, note) in enumerate(zip(results, notes, strict=True))
    ]


def goals_trait(results: Sequence[Any], missing: str) -> dict[str, Any]:
    """The checks as they are now: {"title", "missing", "items"}."""
    done = sum(each.ok for each in results)
    title = f"{done} of {count(len(results), 'check')} {'is' if done == 1 else 'are'} done"
    if done == len(results):
        title, missing = f"{title}: press Check to hand it in", ""
    return {"title": title, "missing": missing, "items": items_trait(results)}


def side_by_side(said: str, real: str, right: bool) -> dict[str, Any]:
    """A prediction beside what is really printed: rows of [said, real, same], and where they first differ.

    {"rows": [{"said": text or None, "real": …, "same": …}], "row": number or -1, "column": number}
    """
    mine, theirs = said.strip().splitlines(), real.strip().splitlines()
    if right:
        rows = [_row(*pair) for pair in _pairs(mine, theirs)]
        return {"rows": [{**row, "same": True} for row in rows], "row": -1, "column": 0}
    keys = [[" ".join(line.split()) for line in lines] for lines in (mine, theirs)]
    rows = []
    for name, a, b, c, d in difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes():
        rows += [{**_row(*pair), "same": name == "equal"} for pair in _pairs(mine[a:b], theirs[c:d])]
    first = next((number for number, row in enumerate(rows) if not row["same"]), -1)
    return {"rows": rows, "row": first, "column": _column(rows[first]) if first >= 0 else 0}


def _pairs(mine: Sequence[str], theirs: Sequence[str]) -> list[tuple[str | None, str | None]]:
    longest = max(len(mine), len(theirs))
    return [(_at(mine, number), _at(theirs, number)) for number in range(longest)]


def _at(lines: Sequence[str], number: int) -> str | None:
    return lines[number] if number < len(lines) else None


def _row(said: str | None, real: str | None) -> dict[str, Any]:
    return {"said": said, "real": real}


def _column(row: Mapping[str, Any]) -> int:
    """The first character in which the two lines differ."""
    said, real = row["said"] or "", row["real"] or ""
    same = (at for at, (a, b) in enumerate(zip(said, real, strict=False)) if a != b)
    return next(same, min(len(said), len(real)))


def differences(wanted: MachineView, reached: MachineView) -> list[str]:
    """What an answer's machine has otherwise than the one it was to lead to, a clause each."""
    missing = [f"not there: {line}" for line in gone_lines(compare(wanted, reached))]
    extra = [f"there as well: {line}" for line in gone_lines(compare(reached, wanted))]
    found = missing + extra
    left = len(found) - MOST_DIFFERENCES
    return found if left <= 0 else [*found[:MOST_DIFFERENCES], f"and {left} more"]


def flag_parts(text: str) -> dict[str, Any]:
    """What the mount flags in a text say, part by part, and what docker's client says against them.

    {"parts": [{"name": "source", "text": "data"}, …], "message": …}
    """
    parts: list[dict[str, str]] = []
    messages = []
    for flag, value in _flag_values(text):
        parts += [{"name": part.name or "?", "text": value[part.start : part.end]} for part in PARTS[flag](value)]
        try:
            parse_mount(value, lambda path: path) if flag == "--mount" else parse_volume(value)
        except ValueInvalid as error:
            messages.append(f"{flag}: {error}")
    return {"parts": parts, "message": "\n".join(messages)}


def _flag_values(text: str) -> list[tuple[str, str]]:
    """Each mount flag with its value, as far as it is typed."""
    words = text.split()
    found = []
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word in FLAGS and number + 1 < len(words):
            found.append((FLAGS[word], words[number + 1]))
        elif name in FLAGS and equals and value:
            found.append((FLAGS[name], value))
    return found
