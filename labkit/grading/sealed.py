"""A course wheel for an exam: labkit as it is, its exercises without what gives an answer away.

Solutions, mistakes, right marks, hints after the first and records of older revisions are left out. What is needed to
play an exercise stays, and that is more than nothing: an `explain` holds the commands that led to what is shown, checks
say what state is wanted, and a prediction can be tried out. `kept_in` names the exercises of which that is so.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, requires
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from labkit import __version__
from labkit.course.exercises import CourseFiles, exercises_folder, toml_files
from labkit.course.record import Exercise
from labkit.kernel.golang import Json, JsonObject, at, items, text

LEFT_OUT = ("solution", "mistake", "right", "harmless", "misconceptions")
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file in a wheel: the same course is the same wheel


def kept_in(exercises: Sequence[Exercise]) -> list[str]:
    """Those whose record gives the answer away all the same, to whoever opens the wheel."""
    return [each.slug for each in exercises if each.kind == "explain"]


def sealed(record: JsonObject) -> JsonObject:
    """An exercise's table without what gives its answer away."""
    left = {key: value for key, value in record.items() if key not in LEFT_OUT}
    left["hints"] = items(record, "hints")[:1]
    left["sealed"] = True
    if text(record, "kind") == "choose":
        options = [at(each, "answer") for each in items(record, "solution")]
        options += [at(each, "example") for each in items(record, "mistake")]
        texts: list[Json] = [*sorted((str(each).strip() for each in options), key=_in_no_order)]
        left["options"] = texts
    return left


def _in_no_order(option: str) -> str:
    """By a digest: neither the record's order nor the texts' lengths say which is right."""
    return hashlib.sha256(option.encode()).hexdigest()


def sealed_file(document: str, slugs: frozenset[str]) -> str:
    """A record file with these exercises sealed."""
    data: JsonObject = tomllib.loads(document)
    records = [each for each in items(data, "exercise") if isinstance(each, dict)]
    tables = [sealed(each) if text(each, "slug") in slugs else each for each in records]
    head = f"schema = {json.dumps(data['schema'])}\nlesson = {json.dumps(data['lesson'])}\n"
    return head + "".join(f"\n[[exercise]]\n{_toml(each)}" for each in tables)


def _toml(table: Mapping[str, Json]) -> str:
    return "".join(f"{json.dumps(key)} = {_value(value)}\n" for key, value in table.items())


def _value(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=isinstance(value, str) and "\x7f" in value).replace("\x7f", "\\u007f")


def write_wheel(folder: Path, exercises: Sequence[Exercise], course: CourseFiles = ()) -> Path:
    """The wheel, with the exercises of a course of one's own among them."""
    slugs = frozenset(each.slug for each in exercises)
    version = f"{__version__}+sealed"
    path = folder / f"labkit-{version}-py3-none-any.whl"
    info = f"labkit-{version}.dist-info"
    meta = f"Metadata-Version: 2.1\nName: labkit\nVersion: {version}\n{_requirements()}"
    wheel = "Wheel-Version: 1.0\nGenerator: labkit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = [
        *_package(files("labkit"), "labkit", slugs),
        *((f"labkit/course/exercises/own-{name}", sealed_file(each, slugs).encode()) for name, each in course),
        (f"{info}/METADATA", meta.encode()),
        (f"{info}/WHEEL", wheel.encode()),
        (f"{info}/entry_points.txt", b"[console_scripts]\nlabkit = labkit.cli:main\n"),
    ]
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in rows)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in [*rows, (f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode())]:
            out.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
    return path


def _requirements() -> str:

    try:
        return "".join(f"Requires-Dist: {each}\n" for each in requires("labkit") or [])
    except PackageNotFoundError:  # run from a folder
        return ""


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _package(folder: Traversable, name: str, slugs: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """All files of labkit; of the exercises those that are to be, of older revisions none that is sealed."""
    records = {each.name for each in toml_files(exercises_folder())}
    for each in sorted(folder.iterdir(), key=lambda one: one.name):
        path = f"{name}/{each.name}"
        if each.name == "__pycache__" or each.name.endswith(".pyc"):
            continue
        if each.is_dir():
            yield from _package(each, path, slugs)
        elif name == "labkit/course/exercises" and each.name in records:
            yield path, sealed_file(each.read_text(encoding="utf-8"), slugs).encode()
        elif name != "labkit/course/exercises/old" or each.name.partition("@")[0] not in slugs:
            yield path, each.read_bytes()
