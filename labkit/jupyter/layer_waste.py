"""What a stack of layers wastes, in sentences: what is stored for nothing, why, and what would make it less."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from labkit.catalog.debian import ROOT_HOME
from labkit.engine.images.layerreport import Hidden, Stack, StackLayer, files_of
from labkit.files import Inode
from labkit.jupyter.view import cut, size_text

MOST = 6  # findings that are shown
LEAST = 1000  # bytes of a content that is worth a word where it is seen twice
ONE_BY_ONE = 3  # so many paths that one layer hides have a sentence each
SHOWN_LINE = 50  # characters of an instruction within a sentence
LEFT_OVER = (  # folder, what lies there, what keeps it out
    ("/var/lib/apt/lists", "apt's lists of packages", "End that RUN with `rm -rf /var/lib/apt/lists/*`."),
    ("/var/cache/apt/archives", "packages that apt fetched", "End that RUN with `apt-get clean`."),
    ("/var/cache/apk", "apk's lists of packages", "Use `apk add --no-cache`."),
    (f"{ROOT_HOME}/.cache/pip", "what pip fetched", "Use `pip install --no-cache-dir`."),
    (f"{ROOT_HOME}/.npm", "what npm fetched", f"Use `RUN --mount=type=cache,target={ROOT_HOME}/.npm` for that step."),
)


@dataclass(frozen=True)
class Waste:
    """Something that costs bytes: Waste(52428800, "/archive.tar, 52.4MB, is …", "Delete it in …")."""

    size: int
    text: str
    fix: str


def layer_title(layer: StackLayer) -> str:
    """What made a layer."""
    kinds = {"init": "Docker's init layer, for mounts", "container": "the container's own layer"}
    return kinds.get(layer.kind) or layer.text


def findings(stack: Stack) -> list[Waste]:
    """What costs bytes for nothing, the costliest first."""
    found = [*_all_hidden(stack), *_seen_twice(stack), *_left_over(stack)]
    return sorted((each for each in found if each.size), key=lambda each: (-each.size, each.text))


def _named(stack: Stack, number: int) -> str:
    layer = stack.layers[number - 1]
    if layer.kind != "image":
        return layer_title(layer)
    return f"layer {number} (`{_code(cut(layer_title(layer), SHOWN_LINE))}`)"


def _code(text: str) -> str:
    """Text that stands between backquotes."""
    return text.replace("`", "'")


def _all_hidden(stack: Stack) -> Iterator[Waste]:
    groups: dict[tuple[int, str, tuple[int, ...]], list[Hidden]] = {}
    for each in stack.hidden:
        lower = tuple(sorted({number for number, _, _ in each.files}))
        groups.setdefault((each.by, _how(stack, each), lower), []).append(each)
    for (by, how, lower), group in groups.items():
        for together in [group] if len(group) > ONE_BY_ONE else [[each] for each in group]:
            yield _hidden(stack, by, how, lower, together)


def _how(stack: Stack, hidden: Hidden) -> str:
    if hidden.how != "replaced":
        return hidden.how
    new, (_, _, old) = stack.entry(hidden.by, hidden.path), hidden.files[0]
    return "rewritten" if new is not None and new.data == old.data else "replaced"


def _hidden(stack: Stack, by: int, how: str, lower: tuple[int, ...], group: list[Hidden]) -> Waste:
    size = sum(each.size for each in group)
    where = " and ".join(_named(stack, number) for number in lower)
    what, verb = _subject(group, size)
    contained = stack.layers[by - 1].kind == "container"
    moved = _moved(stack, group) if how == "whiteout" and not contained else ""
    said, fix = _HOW["moved" if moved else how, contained]
    marks = "the whiteout" if len(group) == 1 else "whiteouts"
    text = said.format(by=_named(stack, by), moved=_code(cut(moved)), marks=marks)
    return Waste(size, f"{what} {verb} in {where} and {text}", fix or _earlier(stack, lower))


def _subject(group: list[Hidden], size: int) -> tuple[str, str]:
    files = [path for each in group for _, path, _ in each.files]
    first = group[0].path
    if len(group) > 1:
        return f"{len(files)} files such as `{_code(cut(first))}`, {size_text(size)},", "are"
    inside = f" with {len(files)} file{'s' if len(files) > 1 else ''}" if files != [first] else ""
    return f"`{_code(cut(first))}`{inside}, {size_text(size)},", "is"


# How files are hidden, and by a container's layer (True) or an image's: what is said of it, and what would make it
# less; "" where that depends on what made the lower layers.
_HOW = {
    ("whiteout", True): ("hidden by a whiteout in {by}: the image keeps it.", "Build the image without it."),
    ("whiteout", False): ("hidden by {marks} of {by}: stored and sent, and nothing can read it.", ""),
    ("moved", False): (
        "hidden by the whiteout of {by}, which has the same content at `{moved}`: it is stored twice.",
        "Put it there in the step that makes it.",
    ),
    ("opaque", True): (
        "hidden by the opaque folder of {by}: it was deleted and made anew.",
        "Build the image without it.",
    ),
    ("opaque", False): ("hidden by the opaque folder of {by}: it was deleted and made anew.", ""),
    ("rewritten", True): (
        "again, with the same content, in {by}: it was opened for writing, or has a new mode, owner or time.",
        "Set mode and owner in the Dockerfile, and open for reading what is only read.",
    ),
    ("rewritten", False): (
        "again, with the same content, in {by}: a new mode, owner or time stores the whole file again.",
        "Set mode and owner where the file is made: `COPY --chmod=… --chown=…`, or in the same RUN.",
    ),
    ("replaced", True): (
        "again, changed, in {by}: it was copied up whole.",
        "What is written often belongs in a volume: nothing is copied up there.",
    ),
    ("replaced", False): (
        "again, changed, in {by}: the lower one is stored for nothing.",
        "Change it in the step that makes it.",
    ),
}


def _earlier(stack: Stack, lower: tuple[int, ...]) -> str:
    """How what came with these layers would never get into one."""
    makers = {_maker(stack.layers[number - 1]) for number in lower}
    if makers & {"COPY", "ADD"}:
        return (
            "No later step takes back what COPY or ADD brought: read it with `RUN --mount=type=bind,…`, "
            "or bring it into an earlier stage and `COPY --from=…` only what is needed."
        )
    if makers == {"RUN"}:
        return "Delete it in the RUN that makes it: what is gone when a step ends is in no layer."
    return "It comes with the base image: only another base has less."


def _maker(layer: StackLayer) -> str:
    if layer.number == 1:
        return "base"
    found = re.match(r"(RUN|COPY|ADD)\b", layer_title(layer))
    return found[1] if found else "base"


def _moved(stack: Stack, group: list[Hidden]) -> str:
    """Where the hiding layer has the content of the one file that it hides."""
    if len(group) != 1 or len(group[0].files) != 1:
        return ""
    number, path, _ = group[0].files[0]
    places = next((each.places for each in stack.copies if (number, path) in each.places), ())
    return next((other for layer, other in places if layer == group[0].by), "")


def _seen_twice(stack: Stack) -> Iterator[Waste]:
    for each in stack.copies:
        places = [path for number, path in each.places if stack.hidden_by(number, path) is None]
        if each.size >= LEAST and len(places) > 1:
            size = each.size * (len(places) - 1)
            names = " and ".join(f"`{_code(cut(path))}`" for path in places[:3])
            more = f" and {len(places) - 3} more" if len(places) > 3 else ""
            text = f"{names}{more} have the same content, {size_text(each.size)} each."
            yield Waste(size, text, "One of them and links to it (`ln`), made in the same step, take no more bytes.")


def _left_over(stack: Stack) -> Iterator[Waste]:
    for folder, what, fix in LEFT_OVER:
        files = list(files_of(stack.seen(len(stack.layers), folder), folder))
        size = sum(inode.length for _, _, inode in files)
        if size:
            layers = " and ".join(_named(stack, number) for number in sorted({number for number, _, _ in files}))
            yield Waste(size, f"`{folder}`, {size_text(size)}, from {layers}: {what}, which nothing reads later.", fix)


def entry_words(inode: Inode) -> str:
    """Mode and owner as ls -l has them first: "-rw-r--r-- 0:0"."""
    return f"{stat.filemode(inode.mode)} {inode.uid}:{inode.gid}"
