"""What was handed in: every submission below a folder, in zips and in zips within them; nothing is unpacked.

Whose a file is, as its place says, by the first part of its path that is in the form of

- Moodle: `Ann Adams_12345_assignsubmission_file/…` or `Ann Adams_12345_assignsubmission_file_ann.ipynb`
  (mod/assign/classes/downloader.php; the number is the "Participant 12345" of the grading worksheet)
- Canvas: `adamsann_12345_67890_file` or `adamsann_LATE_12345_67890_file`: sortable name, user, file
  (lib/content_zipper.rb, get_filename)
- nbgrader: `submitted/ann/02-layered-images/…` with a timestamp.txt, and the exchange's `inbound/ann+02+TIME+…/…`
- else the folder that it lies in, or its own name: `ann/…`, `ann.zip`, `ann.labkit.json`.

What a learner packs cannot pass for somebody else's: below a folder or zip that the roster knows, no name counts.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from labkit.grading.lateness import TimeError, read_time
from labkit.grading.submission import SUFFIX, SubmissionError, bytes_of, largest

DEEPEST = 40  # folders within folders
MOST_FILES = 200  # of one learner
MOST_MEMBERS = 50_000  # of a zip
LARGEST_INNER = 64 << 20  # bytes of a zip within a zip
LARGEST_TOTAL = 4 << 30  # bytes that one zip may be when it is unpacked
ZIPS_WITHIN = 2
TOO_DEEP = f"it lies more than {DEEPEST} folders deep and is not read"
MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<number>\d+)_assignsubmission_[a-z]+(?:_.*)?", re.DOTALL)
CANVAS = re.compile(
    r"(?:(?P<name>[^_]+?)_)?(?P<late>LATE_)?(?P<number>\d+|anon_\w+?)_(?P<file>\d+)_(?P<rest>.+)", re.DOTALL
)
INBOUND = re.compile(r"(?P<name>[^+]+)\+[^+]+\+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [^+ ]+)(?:\+.*)?")
LESSON_FILE = re.compile(r"\d\d-[\w-]+\.ipynb")


@dataclass(frozen=True)
class Place:
    """What the place of a file says about who handed it in, and when."""

    system: str  # "Moodle", "Canvas", "nbgrader", "" for a plain folder
    name: str
    number: str = ""
    time: float | None = None
    late: bool | None = None  # as the LMS marks it


@dataclass(frozen=True)
class Collected:
    """A file that was handed in. `read` raises SubmissionError; so does a file that is none: then `fault` says why."""

    name: str  # its path below the folder, with / and through zips
    place: Place
    read: Callable[[], bytes]

    @property
    def file(self) -> str:
        """Its own name, as its learner gave it where the LMS says so."""
        last = self.name.rpartition("/")[2]
        found = CANVAS.fullmatch(last)
        return found["rest"] if found else last


def is_submission(name: str) -> bool:
    return name.endswith((SUFFIX, ".ipynb"))


Known = Callable[[str], bool]  # does the roster know a learner of this name?


def collect(folder: Path, known: Known = lambda name: False) -> Iterator[Collected]:
    """All of them, in the order of their names; what cannot be read is there too, and says why when it is read."""
    root = folder / "submitted" if (folder / "submitted").is_dir() and (folder / "source").is_dir() else folder
    counts: dict[str, int] = {}
    for each in _Walk(root, known).below():
        counts[each.place.name] = counts.get(each.place.name, 0) + 1
        if counts[each.place.name] <= MOST_FILES:
            yield each
        elif counts[each.place.name] == MOST_FILES + 1:
            yield _fault(each.name, each.place, f"more than {MOST_FILES} files are from here; the rest is not read")


class _Walk:
    """Through a folder and the zips in it."""

    def __init__(self, root: Path, known: Known) -> None:
        self.root = root
        self.known = known

    def below(self) -> Iterator[Collected]:
        """Depth first without recursion: a tree may be as deep as a disk lets it be."""
        waiting = [iter(_entries(self.root))]
        paths: list[tuple[str, ...]] = [("submitted",) if self.root.name == "submitted" else ()]
        while waiting:
            entry = next(waiting[-1], None)
            if entry is None:
                waiting.pop()
                paths.pop()
            elif entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            elif entry.is_dir(follow_symlinks=False):
                parts = (*paths[-1], entry.name)
                try:
                    waiting.append(iter(_entries(Path(entry.path), len(parts))))
                    paths.append(parts)
                except SubmissionError as error:
                    yield self.fault(parts, str(error))
            else:
                yield from self.file(Path(entry.path), (*paths[-1], entry.name))

    def file(self, path: Path, parts: tuple[str, ...]) -> Iterator[Collected]:
        if path.suffix == ".zip":
            yield from self.zip_file(path, parts)
        elif is_submission(path.name):
            yield Collected("/".join(parts), place_of(parts, self.known, path), partial(bytes_of, path))

    def fault(self, parts: tuple[str, ...], why: str) -> Collected:
        return _fault("/".join(parts), place_of(parts, self.known), why)

    def zip_file(self, path: Path, parts: tuple[str, ...]) -> Iterator[Collected]:
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise SubmissionError("it is not a regular file")
            with path.open("rb") as file:
                yield from self.members(file, parts, ZIPS_WITHIN)
        except SubmissionError as error:
            yield self.fault(parts, str(error))
        except OSError as error:
            yield self.fault(parts, f"it cannot be read: {error.strerror}")

    def members(self, file: io.BufferedReader | io.BytesIO, parts: tuple[str, ...], within: int) -> Iterator[Collected]:
        """The files in a zip, one after the other while it is open. Raises SubmissionError for a zip that is none."""
        archive = _opened(file)
        members = [each for each in archive.infolist() if not each.is_dir()]
        if len(members) > MOST_MEMBERS:
            raise SubmissionError(f"it has more than {MOST_MEMBERS} files")
        if sum(each.file_size for each in members) > LARGEST_TOTAL:
            raise SubmissionError(f"it is more than {LARGEST_TOTAL >> 30} GiB when it is unpacked")
        for member in sorted(members, key=lambda each: natural(each.filename)):
            inside = tuple(part for part in re.split(r"[/\\]", member.filename) if part not in ("", "."))
            if inside and "__MACOSX" not in inside and not any(re.match(r"\.[^.]", part) for part in inside):
                yield from self.member(archive, member, parts, inside, within)

    def member(
        self,
        archive: zipfile.ZipFile,
        member: zipfile.ZipInfo,
        outer: tuple[str, ...],
        inside: tuple[str, ...],
        within: int,
    ) -> Iterator[Collected]:
        parts = (*outer, *inside)
        if ".." in inside or member.filename.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", member.filename):
            yield _fault("/".join(parts), place_of(outer, self.known), "its name leads out of the zip; it is not read")
        elif len(inside) > DEEPEST:
            yield self.fault(parts, TOO_DEEP)
        elif inside[-1].endswith(".zip"):
            try:
                if not within:
                    raise SubmissionError("it is a zip within zips, and is not read")
                yield from self.members(io.BytesIO(_read(archive, member, LARGEST_INNER)), parts, within - 1)
            except SubmissionError as error:
                yield self.fault(parts, str(error))
        elif is_submission(inside[-1]):
            read = partial(_read, archive, member, largest(inside[-1]))
            yield Collected("/".join(parts), place_of(parts, self.known), read)


def _entries(folder: Path, depth: int = 0) -> list[os.DirEntry[str]]:
    """Raises SubmissionError."""
    if depth > DEEPEST:
        raise SubmissionError(TOO_DEEP)
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: natural(entry.name))
    except OSError as error:
        raise SubmissionError(f"it cannot be read: {error.strerror}") from None


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """A key by which file-2 comes before file-10."""
    return tuple((text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d{0,15})", name)[:50])


def _fault(name: str, place: Place, why: str) -> Collected:
    def read() -> bytes:
        raise SubmissionError(why)

    return Collected(name, place, read)


def place_of(parts: tuple[str, ...], known: Known = lambda name: False, path: Path | None = None) -> Place:
    """`path`: where the file lies on the disk, if it lies there and in no zip; nbgrader's time stands beside it."""
    for number, part in enumerate(parts):
        if part == "submitted" and len(parts) > number + 3:
            return Place("nbgrader", parts[number + 1], time=_stamp(path, len(parts) - number - 4))
        if found := MOODLE.fullmatch(part):
            return Place("Moodle", found["name"], found["number"])
        if found := INBOUND.fullmatch(part):
            return Place("nbgrader", found["name"], time=_time(found["time"]))
        if (number == len(parts) - 1 or part.endswith(".zip")) and (found := CANVAS.fullmatch(part)):
            return Place("Canvas", found["name"] or "", found["number"], late=bool(found["late"]))
        if known(_stem(part)):
            return Place("", _stem(part))
    whole = len(parts) - 1
    zips = next((number for number, part in enumerate(parts) if not part.endswith(".zip")), whole)
    if zips == whole and zips and LESSON_FILE.fullmatch(parts[-1]):  # ann.zip/02-layered-images.ipynb
        zips -= 1
    return Place("", _stem(parts[zips]))


def _stem(part: str) -> str:
    for ending in (SUFFIX, ".ipynb", ".zip"):
        part = part.removesuffix(ending)
    return part


def _stamp(path: Path | None, below: int) -> float | None:
    """nbgrader's timestamp.txt, in the assignment's folder, which is so many folders above the file's."""
    if path is None:
        return None
    try:
        file = path.parents[below] / "timestamp.txt"
        if not stat.S_ISREG(file.lstat().st_mode):
            return None
        with file.open(encoding="utf-8", errors="replace") as text:
            return _time(text.read(100))
    except (OSError, IndexError):
        return None


def _time(text: str) -> float | None:
    try:
        return read_time(text)
    except TimeError:
        return None


def _opened(file: io.BufferedReader | io.BytesIO) -> zipfile.ZipFile:
    """Raises SubmissionError."""
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, EOFError, struct.error) as error:
        raise SubmissionError(f"it cannot be read as a zip: {error}") from None


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    """What it says of its size is not believed. Raises SubmissionError."""
    try:
        with archive.open(member) as file:
            data = file.read(most + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise SubmissionError(f"it cannot be read from its zip: {error}") from None
    if len(data) > most:
        raise SubmissionError(f"it has more than {most >> 20} MiB, the most that is read")
    return data
