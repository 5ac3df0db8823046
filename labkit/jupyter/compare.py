"""compare_drivers(): what one workload costs on each storage driver, as bars and as a table.

Every number is counted after the work was done on that driver, in this process (labkit.drivers.measure), and kept for
as long as it runs. A part of the workload takes up to a second on one driver, so the page asks for one driver after
the other: between two of them the kernel does what else there is to do.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import traitlets

from labkit.drivers import DRIVERS
from labkit.drivers.measure import PARTS, RESULTS, Result, measured, size
from labkit.jupyter.panel import Panel, bundle, table
from labkit.jupyter.picture import INK, svg_address
from labkit.kernel.golang import human_size

FAR = 50  # from here on bars on a linear scale are too unlike to be read, and the scale is logarithmic
SCALES = ("fitting", "linear", "logarithmic")


@dataclass(frozen=True)
class Quantity:
    """What is compared: a field of Result."""

    title: str
    short: str  # over a column
    means: str
    unit: str = ""  # "bytes"; "" for a count


QUANTITIES = {
    "copied": Quantity(
        "bytes copied",
        "Copied",
        "What was taken from the layers below to be changed: whole files where layers are folders, sectors of 4 KiB on "
        "btrfs, records of 128 KiB on zfs, blocks of 64 KiB on devicemapper. vfs copies everything as soon as there is "
        "a new layer.",
        "bytes",
    ),
    "disk": Quantity("bytes on disk", "On disk", "Blocks of data of all layers together, after the work.", "bytes"),
    "inodes": Quantity(
        "inodes",
        "Inodes",
        "Files and folders of all layers; a file that several layers have by a hard link counts once.",
    ),
    "looked_through": Quantity(
        "layers looked through",
        "Looked through",
        "In how many folders a name may have to be looked up before it is clear that it does not exist.",
    ),
    "page_cache": Quantity(
        "page cache",
        "Page cache",
        "Whether all containers read one copy in memory of a file of their image, or each has a copy of its own. "
        "On zfs the one copy is in ZFS's own cache, the ARC.",
    ),
}
LEFT_OUT = (
    "Modelled: every file, folder, block and inode of the layers, and who shares it. Not modelled: time, the drivers' "
    "own metadata, compression, reflinks, and what a disk does with blocks that are given back."
)
ABOUT = {"overlayfs": "containerd's snapshotter"}  # what is no driver of the Engine's own


class DriverRow(TypedDict):
    """A driver: its bar's length from 0 to 1, what stands beside the bar, and all numbers."""

    driver: str
    about: str
    length: float
    value: str
    numbers: dict[str, str]
    exact: dict[str, str]


class Tick(TypedDict):
    """A mark of the axis: where, from 0 to 1, and the value there."""

    at: float
    text: str


class DriverComparison(Panel):
    """One part of the workload and one quantity at a time, over all drivers."""

    _esm, _css = bundle("compare")
    says = "trouble"

    parts: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)  # rows of name, title
    quantities: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)  # rows of name, title, short
    part = traitlets.Unicode().tag(sync=True)
    quantity = traitlets.Unicode().tag(sync=True)
    scale = traitlets.Unicode(SCALES[0]).tag(sync=True)
    order = traitlets.Dict().tag(sync=True)  # {"by": "driver" or a quantity, "down": bool}; {} as the drivers stand
    rows: traitlets.List[DriverRow] = traitlets.List().tag(sync=True)
    waiting = traitlets.Int().tag(sync=True)  # drivers that are not measured yet
    title = traitlets.Unicode().tag(sync=True)
    means = traitlets.Unicode().tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)  # least and most, in words
    scale_note = traitlets.Unicode().tag(sync=True)
    axis: traitlets.List[Tick] = traitlets.List().tag(sync=True)
    steps = traitlets.Bool().tag(sync=True)  # is the scale logarithmic, so that lengths are no amounts?
    left_out = traitlets.Unicode(LEFT_OUT).tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)

    def __init__(self, part: str = "first-write", quantity: str = "copied") -> None:
        check("part", part, PARTS)
        check("quantity", quantity, QUANTITIES)
        super().__init__(
            parts=[{"name": name, "title": each.title} for name, each in PARTS.items()],
            quantities=[
                {"name": name, "title": each.title, "short": each.short} for name, each in QUANTITIES.items()
            ],
            part=part,
            quantity=quantity,
        )  # fmt: skip
        for driver in DRIVERS:
            measured(part, driver)  # all at once: what is saved in the notebook is the whole picture
        self._show()

    def __repr__(self) -> str:
        return f"compare_drivers: {self.title}. {self.said}"

    def do_choose(self, what: str = "", value: str = "") -> None:
        """Another part, quantity or scale."""
        names: dict[str, list[str]] = {"part": [*PARTS], "quantity": [*QUANTITIES], "scale": [*SCALES]}
        check(what, value, names[what])
        self.set_trait(what, value)
        self._show()

    def do_sort(self, by: str = "") -> None:
        """By this column; again, and it is the other way round."""
        check("column", by, ["driver", *QUANTITIES])
        again = self.order.get("by") == by
        self.order = {"by": by, "down": not self.order["down"] if again else False}
        self._show()

    def do_measure(self) -> None:
        """One driver more."""
        if left := self._left():
            measured(self.part, left[0])
        self._show()

    def _left(self) -> list[str]:
        return [driver for driver in DRIVERS if (self.part, driver) not in RESULTS]

    def _results(self) -> list[Result]:
        """What is measured, in the order that was asked for."""
        results = [measured(self.part, driver) for driver in DRIVERS if (self.part, driver) in RESULTS]
        by, down = self.order.get("by"), bool(self.order.get("down"))
        return sorted(results, key=lambda result: getattr(result, by), reverse=down) if by else results

    def _show(self) -> None:
        results = self._results()
        values = [int(getattr(result, self.quantity)) for result in results]
        logarithmic = self.quantity != "page_cache" and is_logarithmic(self.scale, values)
        quantity = QUANTITIES[self.quantity]
        with self.hold_sync():
            self.trouble = ""
            self.title = f"{PARTS[self.part].title}: {quantity.title}"
            self.means = quantity.means
            self.rows = [
                self._row(result, share(value, values, logarithmic))
                for result, value in zip(results, values, strict=True)
            ]
            self.said = in_words(self.quantity, results)
            self.axis = [] if self.quantity == "page_cache" else axis(self.quantity, values, logarithmic)
            self.steps = logarithmic
            self.scale_note = scale_note(self.quantity, values, logarithmic)
            self.waiting = len(self._left())

    def _row(self, result: Result, length: float) -> DriverRow:
        numbers = {name: shown(name, getattr(result, name)) for name in QUANTITIES}
        exact = {name: str(getattr(result, name)) for name, each in QUANTITIES.items() if each.unit}
        return {
            "driver": result.driver,
            "about": about(result.driver),
            "length": round(length, 4),
            "value": numbers[self.quantity],
            "numbers": numbers,
            "exact": exact,
        }

    def still(self) -> str:
        """The bars as a picture, and the table."""
        alt = html.escape(f"Bars. {self.title}. {self.said} The table after it has the numbers.", quote=True)
        head = ("Driver", *(each.short for each in QUANTITIES.values()))
        names = [f"{row['driver']} ({row['about']})" if row["about"] else row["driver"] for row in self.rows]
        rows = [(name, *row["numbers"].values()) for name, row in zip(names, self.rows, strict=True)]
        return (
            f"<p><strong>{html.escape(self.title)}</strong></p>"
            f'<p><img src="{svg_address(bars(self.rows, self.axis, self.steps))}" alt="{alt}" width="{WIDTH}"></p>'
            f"<p>{html.escape(' '.join(filter(None, [self.said, self.scale_note, self.means])))}</p>"
            f"{table(head, rows)}<p>{html.escape(self.left_out)}</p>"
        )


def check(what: str, value: object, names: Iterable[str]) -> None:
    """ValueError where the value is none of the names."""
    known = list(names)
    if value not in known:
        raise ValueError(f"{what} is one of {', '.join(known)}, not {value!r}")


def about(driver: str) -> str:
    """What became of a driver, in a few words."""
    gone = DRIVERS[driver].needs.gone
    return ABOUT.get(driver, f"not in Engine {gone[0]} and later" if gone else "")


def shown(quantity: str, value: int) -> str:
    """A number as people read it."""
    if quantity == "page_cache":
        return "one for all" if value else "one each"
    return size(value) if QUANTITIES[quantity].unit else f"{value:,}"


def is_logarithmic(scale: str, values: Sequence[int]) -> bool:
    """Whether bars of these lengths stand on a logarithmic scale."""
    if scale != SCALES[0]:
        return scale == "logarithmic"
    some = [value for value in values if value]
    return bool(some) and max(some) >= FAR * min(some)


def share(value: float, values: Sequence[int], logarithmic: bool) -> float:
    """How long a value's bar is, from 0 to 1; on a logarithmic scale 1 is at the left, and nothing has no bar."""
    most = max(values)
    if not value:
        return 0.0
    return math.log10(value + 1) / math.log10(most + 1) if logarithmic else value / most


def axis(quantity: str, values: Sequence[int], logarithmic: bool) -> list[Tick]:
    """Round values along the bars: on a logarithmic scale each a thousand times (of few: ten times) the one before."""
    most = max(values, default=0)
    if not most:
        return []
    ten = 10 ** math.floor(math.log10(most))
    even = next(ten * part for part in (0.2, 0.5, 1, 2) if most <= ten * part * 5)
    times = 1000 if most >= 1e6 else 10
    powers = [times**power for power in range(times > 10, 12) if times**power <= most]
    rounds = [0, *powers] if logarithmic else [round(even * number, 1) for number in range(math.floor(most / even) + 1)]
    unit = QUANTITIES[quantity].unit
    texts = [human_size(int(each), 3) if unit else f"{each:,g}" for each in rounds]
    places = [share(each, values, logarithmic) for each in rounds]
    return [{"at": round(place, 4), "text": text} for place, text in zip(places, texts, strict=True)]


def scale_note(quantity: str, values: Sequence[int], logarithmic: bool) -> str:
    if quantity == "page_cache" or not any(values):
        return ""
    if logarithmic:
        return "The scale is logarithmic: a dot that is further by the same piece is as many times more."
    some = [value for value in values if value]
    return "The scale is linear." + (" Small values are too short to be seen." if max(some) >= FAR * min(some) else "")


def in_words(quantity: str, results: Sequence[Result]) -> str:
    """Who has least and who has most."""
    if not results:
        return "Nothing is measured yet."
    values = {result.driver: int(getattr(result, quantity)) for result in results}
    low, high = min(values.values()), max(values.values())
    least, most = ([driver for driver, value in values.items() if value == end] for end in (low, high))
    if quantity == "page_cache":
        return f"One copy for all containers: {', '.join(most) if high else 'none'}. The others have one each."
    if low == high:
        return f"The same on all of them: {shown(quantity, low)}."
    ratio = high / low if low else 0
    times = f", {ratio:,.0f} times as much" if ratio >= 10 else f", {ratio:.2g} times as much" if low else ""
    less, more = (f"{shown(quantity, end)}, on {', '.join(names)}" for end, names in ((low, least), (high, most)))
    return f"Least: {less}. Most: {more}{times}."


WIDTH, HEIGHT, LABEL, BAR = 640, 26, 130, 360  # of the still picture, in pixels


def bars(rows: Sequence[DriverRow], ticks: Sequence[Tick] = (), steps: bool = False) -> str:
    """The bars with their axis as SVG, on a light ground of their own; dots where lengths are no amounts."""
    tall = HEIGHT * len(rows) + 32
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{tall}" viewBox="0 0 {WIDTH} {tall}" '
        f'font-family="sans-serif" font-size="13"><rect width="{WIDTH}" height="{tall}" fill="#ffffff"/>'
    ]
    for tick in ticks:
        place = LABEL + tick["at"] * BAR
        lines += [
            f'<path d="M{place:.1f} 0V{tall - 20}" stroke="#cbd5e1"/>',
            f'<text x="{place:.1f}" y="{tall - 5}" text-anchor="middle" class="tick">{tick["text"]}</text>',
        ]
    for number, row in enumerate(rows):
        top, length = 6 + HEIGHT * number, row["length"] * BAR
        dot = f'<circle cx="{LABEL + length:.1f}" cy="{top + HEIGHT // 2}" r="6" fill="#1d4ed8"/>'
        bar = f'<rect x="{LABEL}" y="{top + 4}" width="{length:.1f}" height="{HEIGHT - 8}" fill="#1d4ed8"/>'
        lines += [
            f'<text x="{LABEL - 8}" y="{top + 17}" text-anchor="end" fill="{INK}">{html.escape(row["driver"])}</text>',
            dot if steps else bar,
            f'<text x="{LABEL + length + 10:.1f}" y="{top + 17}" fill="{INK}">{html.escape(row["value"])}</text>',
        ]
    return "".join([*lines, "</svg>"])
