"""docker image ls as it is without --format: a row for each name, platforms below them (docker/cli image/tree.go)."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.kernel.golang import Json, JsonObject, at, human_size, items, number, text, texts

from .units import short_id

SPACING = 3
UNTAGGED = "<untagged>"
# Title, width, and whether its text stands at the right; the first column is as wide as its widest text.
COLUMNS = (("ID", 12, False), ("DISK USAGE", 10, True), ("CONTENT SIZE", 12, True), ("EXTRA", 5, False))


def image_tree(images: list[JsonObject], *, expanded: bool = False) -> str:
    """The whole list, by name; what has no name comes last. `expanded` (--tree): each once, with its platforms."""
    if not expanded:
        images = [image | {"Manifests": _sizes_only(image)} for image in images]
    table = [
        (names, image)
        for image in images
        for names in ([_names(image)] if expanded else [[name] for name in _names(image)])
    ]
    table.sort(key=lambda row: (not row[0][0], row[0][0]))
    blocks = [(names[:-1], list(_lines(names[-1] or UNTAGGED, image))) for names, image in table]
    firsts = [first for above, lines in blocks for first in (*above, *(line[0] for line in lines))]
    width = max(map(len, ("IMAGE", *firsts)))
    spaced = any(_platforms(image) for image in images)
    text = _line("IMAGE", [title for title, _, _ in COLUMNS], width)
    for above, lines in blocks:
        text += "".join(f"{name:<{width}}\n" for name in above)
        text += "".join(_line(first, cells, width) for first, cells in lines) + ("\n" if spaced else "")
    return text


def _sizes_only(image: JsonObject) -> list[Json]:
    return [{"Kind": "size", "Size": part["Size"]} for part in _platforms(image)]


def _names(image: JsonObject) -> list[str]:
    return sorted(name for name in texts(image, "RepoTags") if name != "<none>:<none>") or [""]


def _platforms(image: JsonObject) -> list[JsonObject]:
    return [item for item in items(image, "Manifests") if isinstance(item, dict) and item["Kind"] == "image"]


def _lines(name: str, image: JsonObject) -> Iterator[tuple[str, list[str]]]:
    parts = _platforms(image)
    content = sum(
        number(part, "Size", "Content") for part in items(image, "Manifests") if text(part, "Kind") in ("image", "size")
    )
    yield name, _cells(text(image, "Id"), number(image, "Size"), content, number(image, "Containers") > 0)
    for place, part in enumerate(parts):
        branch = "└─ " if place == len(parts) - 1 else "├─ "
        about = (text(part, "ImageData", "Platform", key) for key in ("os", "architecture", "variant"))
        total, own = number(part, "Size", "Total"), number(part, "Size", "Content")
        in_use = bool(at(part, "ImageData", "Containers"))
        yield branch + "/".join(filter(None, about)), _cells(text(part, "ID"), total, own, in_use)


def _cells(identifier: str, usage: int, content: int, in_use: bool) -> list[str]:
    return [short_id(identifier), human_size(usage, 3), human_size(content, 3), "U" if in_use else ""]


def _line(first: str, cells: list[str], width: int) -> str:
    text = first.ljust(width)
    for cell, (_, size, right) in zip(cells, COLUMNS, strict=True):
        text += " " * SPACING + (cell.rjust(size) if right else cell.ljust(size))
    return text + "\n"
