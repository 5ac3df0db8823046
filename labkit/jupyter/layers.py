"""layers("image or container"): its layers as trees, what they hide and waste, and where a file comes from.

A Tree of rows is in the widget's traits: those that are open, nothing else, so that a large image costs as much as what
is looked at. The first row stands for all that is seen; below it every layer, the topmost first.
"""

from __future__ import annotations

import codecs
import html
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import traitlets

from labkit.engine.core.errors import EngineError
from labkit.engine.images.layerreport import (
    ADDED,
    CHANGED,
    DELETED,
    ON_THE_WAY,
    Found,
    Stack,
    files_of,
    kind_of,
    stack_of,
    total,
)
from labkit.files import Content, Inode
from labkit.jupyter.layer_waste import MOST, entry_words, findings, layer_title
from labkit.jupyter.panel import Panel, bundle, listed, table
from labkit.jupyter.view import count, cut, size_text
from labkit.kernel.golang import Json, JsonObject
from labkit.machine import Machine

ALL = 0  # the number of the tree of all that is seen
PAGE = 100  # names of a folder that are sent at once
MOST_ROWS = 1500  # of the whole tree
SHOWN_TEXT = 16_000  # bytes of a file that are shown as text
SHOWN_HEX = 256  # bytes of one that is no text
STILL_PATHS = 30  # of one layer, where no kernel runs
Place = tuple[int, str]  # number of the layer, path


@dataclass(frozen=True)
class Child:
    """A name in a folder of one layer, or of all."""

    name: str
    inode: Inode
    path: str
    layer: int  # that it is from


class LayersWidget(Panel):
    """The layers of one image or container."""

    _esm, _css = bundle("layers")

    title = traitlets.Unicode().tag(sync=True)
    facts: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)  # rows of name, value, note
    findings: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)  # rows of text, fix
    rows: traitlets.List[JsonObject] = traitlets.List().tag(sync=True)  # see _row
    picked = traitlets.Dict().tag(sync=True)  # what is shown beside the tree: title, lines, trace, content
    said = traitlets.Unicode().tag(sync=True)  # what could not be done

    def __init__(self, stack: Stack, look_again: Callable[[], Stack]) -> None:
        self._look_again = look_again
        super().__init__()
        self._take(stack)

    def __repr__(self) -> str:
        return f"layers({cut(self._stack.name)!r}): {summary(self._stack)}"

    def still(self) -> str:
        return still(self._stack)

    def _take(self, stack: Stack) -> None:
        """Show this stack from the start."""
        self._stack = stack
        self._pages: dict[Place, int] = {}  # of the open ones: how many pages of names
        self.title = f"Layers of {stack.kind} {cut(stack.name)}"
        self.facts = facts(stack)
        self.findings = finding_rows(stack)
        self._pick_place((len(stack.layers), "") if stack.layers else (ALL, ""))
        self._draw()

    # what is asked for

    def do_toggle(self, key: str = "") -> None:
        place = self._places.get(key)
        if place in self._pages:
            del self._pages[place]
            self._draw()
        elif place is not None:
            self._show_pages(place, 1)

    def do_more(self, key: str = "") -> None:
        place = self._places.get(key)
        if place is not None and place in self._pages:
            self._show_pages(place, self._pages[place] + 1)

    def do_pick(self, key: str = "") -> None:
        if key in self._places:
            self._pick_place(self._places[key])
            self._draw()

    def do_trace(self, path: str = "") -> None:
        path = posixpath.normpath("/" + path.strip().lstrip("/"))
        self.said = ""
        self.picked = path_details(self._stack, (ALL, "" if path == "/" else path))

    def do_refresh(self) -> None:
        try:
            stack = self._look_again()
        except ValueError as error:
            self.said = f"What you see is how it was: {error}."
            return
        self.said = ""
        self._take(stack)

    # the tree

    def _pick_place(self, place: Place) -> None:
        self.said = ""
        self._picked = place
        self.picked = path_details(self._stack, place) if place[1] else layer_details(self._stack, place[0])

    def _show_pages(self, place: Place, pages: int) -> None:
        """So many names of a folder; where that would be too many rows, leave it as it is and say so."""
        before, self.said = dict(self._pages), ""
        self._pages[place] = pages
        self._draw()
        if len(self.rows) >= MOST_ROWS:
            self._pages = before
            self.said = f"More than {MOST_ROWS} rows do not fit here: close a folder first."
            self._draw()

    def _draw(self) -> None:
        self._places: dict[str, Place] = {}  # by the rows' keys
        self.rows = list(islice(self._rows(), MOST_ROWS))

    def _rows(self) -> Iterator[JsonObject]:
        layers = self._stack.layers
        tops = [ALL, *(each.number for each in reversed(layers))]
        for place, number in enumerate(tops, 1):
            root = layers[number - 1].layer.root if number else None
            leaf = not root.names if root is not None else self._stack.top is None
            yield self._row((number, ""), layer_row(self._stack, number), 1, (place, len(tops)), leaf)
            if (number, "") in self._pages:
                yield from self._inside((number, ""), 2)

    def _inside(self, folder: Place, level: int) -> Iterator[JsonObject]:
        names = list(children(self._stack, folder))
        shown = names[: self._pages[folder] * PAGE]
        for number, child in enumerate(shown, 1):
            place = (folder[0], child.path)
            leaf = not has_children(self._stack, place, child.inode)
            of = len(names) if len(shown) == len(names) else len(shown) + 1
            yield self._row(place, child_row(self._stack, folder[0], child), level, (number, of), leaf)
            if place in self._pages:
                yield from self._inside(place, level + 1)
        if len(shown) < len(names):
            left = len(names) - len(shown)
            more = {"name": f"{min(PAGE, left)} more of {left} left", "kind": "more"}
            yield self._row(folder, more, level, (len(shown) + 1, len(shown) + 1), True)

    def _row(
        self, place: Place, about: dict[str, str], level: int, position: tuple[int, int], leaf: bool
    ) -> JsonObject:
        key = f"{'more ' if about['kind'] == 'more' else ''}{place[0]}:{cut(place[1], 1_000_000)}"
        while key in self._places:
            key += "'"  # two names that look alike when written out
        self._places[key] = place
        return {
            "key": key,
            "level": level,
            "place": position[0],
            "of": position[1],
            "open": None if leaf else place in self._pages,
            "picked": place == self._picked and about["kind"] != "more",
            "mark": "",
            "size": "",
            "note": "",
            **about,
        }


# --- rows


def children(stack: Stack, folder: Place) -> Iterator[Child]:
    """What a folder holds in one layer, or in all, by name."""
    number, path = folder
    if number == ALL:
        found = stack.seen(len(stack.layers), path)
        names = [(name, found.names[name]) for name in sorted(found.names)] if found and found.names else []
        yield from (Child(name, each.inode, f"{path}/{name}", each.layer) for name, each in names)
        return
    inode = stack.entry(number, path)
    if inode is not None and inode.is_dir:
        yield from (Child(name, inode.names[name], f"{path}/{name}", number) for name in sorted(inode.names))


def has_children(stack: Stack, place: Place, inode: Inode) -> bool:
    return inode.is_dir and any(children(stack, place))


def layer_row(stack: Stack, number: int) -> dict[str, str]:
    """The row of a layer, or of all that is seen."""
    if number == ALL:
        size = stack.size_seen(stack.top)
        what = "container" if stack.kind == "container" else "container of it"
        return {"name": f"What a {what} sees", "kind": "all", "size": size_text(size)}
    layer = stack.layers[number - 1]
    counts = count_words(stack, number)
    hidden = stack.hidden_in[number]
    note = f"{counts}; {size_text(hidden)} of it hidden from above" if hidden else counts
    name = f"Layer {number}: {cut(layer_title(layer), 80)}"
    return {"name": name, "kind": "layer", "size": size_text(layer.size), "note": note}


def count_words(stack: Stack, number: int) -> str:
    """How many entries a layer adds, changes, deletes: "3 added, 1 deleted"."""
    counts = stack.counts(number)
    return ", ".join(f"{counts[mark]} {mark}" for mark in (ADDED, CHANGED, DELETED) if counts[mark]) or "nothing"


def child_row(stack: Stack, number: int, child: Child) -> dict[str, str]:
    """The row of a name in a folder."""
    inode = child.inode
    kind = kind_of(inode)
    row = {"name": cut(child.name, 120) + ("/" if kind == "folder" else ""), "kind": kind}
    if number == ALL:
        size = stack.size_seen(stack.seen(len(stack.layers), child.path))
        return {**row, "size": size_of(kind, size), "note": f"layer {child.layer}"}
    mark = stack.mark(number, child.path)
    hidden = None if kind == "whiteout" else stack.hidden_by(number, child.path)
    notes = [f"hidden by layer {hidden}"] if hidden else []
    if kind == "whiteout":
        notes = [hidden_words(stack, number, child.path)]
    elif inode.is_dir and inode.is_opaque:
        notes.append("opaque: hides all below it")
    elif inode.is_dir and mark == ON_THE_WAY and not inode.data:
        notes.append("a folder as it was")
    elif inode.mode & 0o170000 == 0o120000:
        notes.append(f"to {cut(str(inode.data), 60)}")
    return {**row, "mark": mark, "size": size_of(kind, stack.size_in(inode)), "note": ", ".join(notes)}


def size_of(kind: str, size: int) -> str:
    return size_text(size) if kind in ("file", "folder") else ""


def hidden_words(stack: Stack, number: int, path: str) -> str:
    """What a whiteout hides."""
    below = stack.seen(number - 1, path)
    files = list(files_of(below, path))
    size = size_text(total(inode for _, _, inode in files))
    if below is None:
        return "whiteout"
    if below.names is None:
        return f"whiteout: hides {size} of layer {below.layer}"
    return f"whiteout: hides a folder with {count(len(files), 'file')}, {size}"


# --- all of it


def summary(stack: Stack) -> str:
    """One line: "5 layers, 54.4MB, 52.4MB hidden"."""
    size, hidden = sum(each.size for each in stack.layers), sum(stack.hidden_in.values())
    return f"{count(len(stack.layers), 'layer')}, {size_text(size)}, {size_text(hidden)} hidden"


def facts(stack: Stack) -> list[dict[str, str]]:
    """The numbers that head it."""
    size = sum(each.size for each in stack.layers)
    score, wasted = stack.efficiency
    rows = (
        ("In the layers", size_text(size), f"all files of {len(stack.layers)} layers"),
        ("Hidden", size_text(sum(stack.hidden_in.values())), "stored and sent, and never seen"),
        ("Duplicated", size_text(stack.duplicated), "contents that the layers already have"),
        ("Efficiency", f"{score:.1%}", f"as dive counts; it calls {size_text(wasted)} wasted"),
    )
    return [{"name": name, "value": value, "note": note} for name, value, note in rows]


def finding_rows(stack: Stack) -> list[dict[str, str]]:
    """What costs bytes for nothing, and what would make it less."""
    found = findings(stack)
    rows = [{"text": each.text, "fix": each.fix} for each in found[:MOST]]
    if len(found) > MOST:
        size = size_text(sum(each.size for each in found[MOST:]))
        rows.append({"text": f"and {len(found) - MOST} smaller ones, {size}", "fix": ""})
    return rows


# --- one of it


def layer_details(stack: Stack, number: int) -> JsonObject:
    """What is said beside the tree of a layer."""
    if number == ALL:
        text = "All layers put together: for each name the topmost layer that has it, without what a whiteout hides."
        return {"title": layer_row(stack, ALL)["name"], "lines": [text], "trace": [], "content": {}}
    layer = stack.layers[number - 1]
    lines: list[Json] = [layer_title(layer), f"{size_text(layer.size)}: {count_words(stack, number)}"]
    lines += [f"Digest {layer.digest}"] if layer.digest else ["It has no digest: it can still change."]
    hidden = [each for each in stack.hidden if each.by == number]
    if hidden:
        size = size_text(sum(each.size for each in hidden))
        lines.append(f"It hides {count(sum(len(each.files) for each in hidden), 'file')} below it, {size}.")
    return {"title": f"Layer {number}", "lines": lines, "trace": [], "content": {}}


def path_details(stack: Stack, place: Place) -> JsonObject:
    """Where the file at a path comes from, and what is in it, in one layer or as it is seen."""
    number, path = place
    found = stack.trace(path)
    rows: list[Json] = [
        {"layer": f"Layer {each.number}", "text": found_words(each), "seen": each.seen} for each in found
    ]
    seen = stack.seen(len(stack.layers), path)
    inode = stack.entry(number, path) if number != ALL else seen.inode if seen else None
    where = "" if number == ALL else f" in layer {number}"
    return {
        "title": f"{cut(path, 200) or '/'}{where}",
        "lines": [outcome(stack, path, found)],
        "trace": rows,
        "content": content_of(inode),
    }


def outcome(stack: Stack, path: str, found: list[Found]) -> str:
    """What is seen at a path after all."""
    layers = [each for each in found if each.seen]
    if not path:
        return "The top folder: all layers put together."
    if not layers:
        return "Nothing is seen at this path."
    if layers[0].inode is not None and layers[0].inode.is_dir:
        numbers = " and ".join(str(each.number) for each in layers)
        several = "s" if len(layers) > 1 else ""
        return f"A folder is seen, with the names of layer{several} {numbers} put together."
    return f"The {layers[0].what} of layer {layers[0].number} is seen."


def found_words(found: Found) -> str:
    """What a layer says of the path: "file, 52.4MB, -rw-r--r-- 0:0; hidden by layer 3"."""
    at = cut(found.at)
    if found.inode is not None and found.what != "whiteout":
        size = f", {size_text(found.inode.data.size)}" if isinstance(found.inode.data, Content) else ""
        opaque = ", opaque: hides all of it below" if found.what == "opaque" else ""
        kind = "folder" if found.what == "opaque" else found.what
        hidden = f"; hidden by layer {found.hidden_by}" if found.hidden_by else ""
        return f"{kind}{size}, {entry_words(found.inode)}{opaque}{hidden}"
    if found.inode is not None:
        return "whiteout: nothing below counts"
    texts = {
        "nothing": "no entry",
        "whiteout": f"whiteout of {at}: nothing below counts",
        "opaque": f"no entry, and its folder {at} is opaque: nothing below counts",
    }
    return texts.get(found.what, f"{at} is a {found.what}: nothing can lie below it")


def content_of(inode: Inode | None) -> JsonObject:
    """What is in a file, as far as a page can show it: {"head": …, "text": …}; without an entry, nothing."""
    if inode is None or inode.is_whiteout or inode.is_dir:
        return {}
    if isinstance(inode.data, str):
        return {"head": "A symbolic link to", "text": cut(inode.data, 4000)}
    if not isinstance(inode.data, Content):
        return {"head": f"A {kind_of(inode)}: it has no content.", "text": ""}
    content = inode.data
    text = as_text(content.read(0, SHOWN_TEXT), whole=content.size <= SHOWN_TEXT)
    if not content.size:
        return {"head": "It is empty.", "text": ""}
    if text is not None:
        left = content.size - SHOWN_TEXT
        return {"head": f"Its first {SHOWN_TEXT} bytes; {left} more follow" if left > 0 else "Its text", "text": text}
    head = "Its bytes" if content.size <= SHOWN_HEX else f"No text: its first {SHOWN_HEX} bytes of {content.size}"
    return {"head": head, "text": hex_dump(content.read(0, SHOWN_HEX))}


def as_text(data: bytes, *, whole: bool) -> str | None:
    """The bytes as UTF-8, control characters written out; None where they are no text."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data, final=whole)
    except UnicodeDecodeError:
        return None
    odd = sum(not (char.isprintable() or char in "\n\t\r\x1b") for char in text)
    if "\0" in text or odd > len(text) // 10:
        return None
    return "".join(char if char.isprintable() or char in "\n\t" else repr(char)[1:-1] for char in text)


def hex_dump(data: bytes) -> str:
    """Lines of 16 bytes: offset, hexadecimal, and what is printable."""
    lines = []
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        printable = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:08x}  {row.hex(' '):<47}  {printable}")
    return "\n".join(lines)


# --- where no kernel runs


def still(stack: Stack) -> str:
    """Tables of the layers and what each does; everything from the machine escaped."""
    numbers = listed(f"{row['name']}: {row['value']} ({row['note']})" for row in facts(stack))
    rows = [
        (str(each.number), cut(layer_title(each), 100), size_text(each.size), count_words(stack, each.number),
         size_text(stack.hidden_in[each.number]))
        for each in reversed(stack.layers)
    ]  # fmt: skip
    found = [f"{row['text']} {row['fix']}" for row in finding_rows(stack)]
    paths = html.escape("\n".join(_still_paths(stack)))
    return (
        f"<p><strong>Layers of {stack.kind} {html.escape(cut(stack.name))}</strong></p>{numbers}"
        f"{table(('Layer', 'Made by', 'Size', 'Entries', 'Hidden from above'), rows)}"
        + (f"<p>What would make it smaller:</p>{listed(found)}" if found else "")
        + f"<details><summary>The entries of the layers</summary><pre>{paths}</pre></details>"
    )


def _still_paths(stack: Stack) -> Iterator[str]:
    for layer in reversed(stack.layers):
        yield f"Layer {layer.number}: {cut(layer_title(layer), 100)}"
        lines = list(_still_entries(stack, layer.number, ""))
        yield from lines[:STILL_PATHS]
        if len(lines) > STILL_PATHS:
            yield f"  and {len(lines) - STILL_PATHS} more"


def _still_entries(stack: Stack, number: int, folder: str) -> Iterator[str]:
    for child in children(stack, (number, folder)):
        mark = stack.mark(number, child.path)
        if mark != ON_THE_WAY:
            row = child_row(stack, number, child)
            yield "  " + " ".join(filter(None, (mark, cut(child.path), row["size"], row["note"])))
        if child.inode.is_dir:
            yield from _still_entries(stack, number, child.path)


def widget(machine: Callable[[], Machine], name: object) -> LayersWidget:
    """The layers of this container or image of the machine as it is when asked. Raises ValueError."""
    if not isinstance(name, str) or not name:
        raise ValueError('of which image or container? Write its name in quotes, as in: layers("busybox")')

    def look() -> Stack:
        try:
            return stack_of(machine().engine.core, name)
        except EngineError:
            raise ValueError(f"there is no image or container {cut(name)!r} on this machine") from None

    return LayersWidget(look(), look)
