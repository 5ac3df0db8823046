"""Checks of what an image has in it that nobody may read, and whether a build made something anew."""

from __future__ import annotations

import base64
import bz2
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from labkit.course.checks.table import check
from labkit.course.machines import Facts, MissingError, content_of, written
from labkit.engine.images.images import ImageStep
from labkit.engine.images.layerreport import entry_of
from labkit.files import Inode
from labkit.kernel.golang import SECOND

SHORTEST = 6  # characters of another writing that are looked for
UNPACKED = 1 << 20  # bytes of a compressed file that are looked at
DECODERS: dict[bytes, Callable[[], zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(31),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ": lzma.LZMADecompressor,
}


def has(step: ImageStep, path: str, *, whiteout: bool = False) -> bool:
    """Does the step's layer have an entry at this path? A whiteout counts only where that is asked for."""
    entry = entry_of(step.layer, path) if step.layer else None
    return entry is not None and (whiteout or not entry.is_whiteout)


@check("neither a layer of {image} nor its history nor its configuration has the text '{text}'")
def no_text_in_any_layer(facts: Facts, image: str, text: str) -> str:
    """Names and contents, as it is, as base64, as hexadecimal digits, backwards, and in compressed files."""
    forms = _forms(text.encode())
    for step in facts.layers(image):
        for path, inode in _everything(step.layer.root, "") if step.layer else ():
            if any(_shows(data, forms) for data in (path.encode(), *_readable(written(content_of(inode))))):
                return f"it stands in {path}, in the layer of '{step.text}'"
    for place, document in (
        ("history", facts.engine.history(image)),
        ("configuration", facts.engine.inspect_image(image)),
    ):
        if _shows(json.dumps(document).encode(), forms):
            return f"it stands in the {place} of {image}"
    return ""


def _everything(folder: Inode, above: str) -> Iterator[tuple[str, Inode]]:
    """Files and folders, by path."""
    for name in sorted(folder.names):
        inode = folder.names[name]
        yield f"{above}/{name}", inode
        if inode.is_dir:
            yield from _everything(inode, f"{above}/{name}")


def _forms(text: bytes) -> list[bytes]:
    """The text as it may be written; of base64 the part that does not hang on what stands around it."""
    coded = [base64.b64encode(b"\0" * skip + text)[(4 if skip else 0) :] for skip in range(3)]
    digits = text.hex().encode()
    forms = [text[::-1], digits, digits.upper(), *(each[: len(each) // 4 * 4 - 4] for each in coded)]
    return [text, *(form for form in forms if len(form) >= SHORTEST)]


def _shows(data: bytes, forms: list[bytes]) -> bool:
    """Is one of them in it? Quotes, backslashes and ends of lines may stand between."""
    plain = re.sub(rb"[\s'\"\\]", b"", data)
    return any(form in data or form in plain for form in forms)


def _readable(data: bytes) -> Iterator[bytes]:
    yield data
    for mark, decoder in DECODERS.items():
        if data.startswith(mark):
            try:
                yield decoder().decompress(data, UNPACKED)
            except (zlib.error, OSError, lzma.LZMAError, EOFError):
                return


@check("the layer of {path} in {image} is that of {other}")
def file_is_kept(facts: Facts, image: str, other: str, path: str) -> str:
    """The highest layer that has the file, and all below it."""
    return "" if _below(facts, image, path) == _below(facts, other, path) else f"the layer of {path} was made anew"


@check("the layer of {path} in {image} is another one than in {other}")
def file_is_made_anew(facts: Facts, image: str, other: str, path: str) -> str:
    return "" if _below(facts, image, path) != _below(facts, other, path) else f"the layer of {path} is the old one"


def _below(facts: Facts, image: str, path: str) -> tuple[str, ...]:
    numbers = [number for number, step in enumerate(facts.layers(image)) if has(step, path)]
    if not numbers:
        raise MissingError(f"no layer of {image} has {path}")
    return facts.image(image).layers[: numbers[-1] + 1]


@check("{path} in {image} has the SHA-256 of {of}")
def image_file_sums(facts: Facts, image: str, path: str, of: str) -> str:
    content = bytes(content_of(facts.seen(image, path)))
    same = content.startswith(content_of(facts.seen(image, of)).sha256().encode())
    return "" if same else f"{path} has another check sum, or none"


@check("{path} in {image} is of {day}, and says its own time")
def image_file_tells_its_time(facts: Facts, image: str, path: str, day: str) -> str:
    """What `date` printed when the file was written, a second more or less."""
    inode = facts.seen(image, path)
    said = bytes(content_of(inode)).decode("utf-8", "replace").strip()
    second = inode.mtime // SECOND
    times = [f"{at:%a %b} {at.day:>2} {at:%H:%M:%S UTC %Y}" for at in map(_utc, (second - 1, second))]
    return "" if said in times and day in said else f"it says {said[:60]}"


def _utc(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


@check("the steps of {image} are those that you see")
def steps_as_shown(facts: Facts, image: str) -> str:
    with facts.at(facts.shown) as shown:
        wanted = [step.text for step in shown.steps(image)]
    return "" if [step.text for step in facts.steps(image)] == wanted else "it was made by other steps"
