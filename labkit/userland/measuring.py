"""How much room things take: du, df."""

from __future__ import annotations

import stat
from dataclasses import dataclass

from labkit.files import Mount, Stat
from labkit.userland.mounting import Usage, shown_mounts, usage_of
from labkit.userland.patterns import matches
from labkit.userland.quantities import NoSizeError, human_busybox, human_gnu, size
from labkit.userland.tool import Say, Tool, Utility, below

# du


class Totals:
    """One run of du: a file with several names counts once."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.seen: set[tuple[int, int]] = set()
        self.apparent = tool.has("b", "apparent-size")
        self.depth = 0 if tool.has("s") else tool.number("d", 1 << 30)
        self.total = 0

    def weight(self, about: Stat) -> int:
        """What a file counts, in bytes."""
        if not self.apparent:
            return about.st_blocks * 512
        return about.st_size if not stat.S_ISCHR(about.st_mode) else 0

    def shown(self, number: int) -> str:
        tool = self.tool
        if tool.has("h"):
            return (human_gnu if tool.gnu else human_busybox)(number)
        name = tool.last("b", "k", "m", "B") or "k"
        unit = size(tool.value("B") or "1K") if name == "B" else {"b": 1, "k": 1024, "m": 1 << 20}[name]
        return str(-(-number // unit))

    def print(self, number: int, path: str) -> None:
        self.tool.out(f"{self.shown(number)}\t{path}" + ("\0" if self.tool.has("0") else "\n"))

    def visit(self, path: str, depth: int, device: int | None = None) -> int:
        tool = self.tool
        tool.tick()
        look = tool.files.stat if tool.has("L") or (depth == 0 and tool.has("H", "D")) else tool.files.lstat
        about = tool.attempt(lambda: look(path), Say("{0}", "cannot access {0:q}"), path)
        if about is None or (tool.has("x") and device is not None and about.st_dev != device):
            return 0
        key = (about.st_dev, about.st_ino)
        folder = stat.S_ISDIR(about.st_mode)
        if (about.st_nlink > 1 and not folder) or depth == 0:
            if key in self.seen and not tool.has("l"):
                return 0
            self.seen.add(key)
        weight = self.weight(about)
        if folder:
            weight += self.inside(path, depth, about.st_dev)
        if depth == 0 or (depth <= self.depth and (folder or tool.has("a"))):
            self.print(weight, path)
        return weight

    def inside(self, path: str, depth: int, device: int) -> int:
        tool = self.tool
        cannot = Say("can't open '{0}'", "cannot read directory {0:q}")
        names = tool.attempt(lambda: tool.files.listdir(path), cannot, path) or []
        wanted = [name for name in names if not any(matches(skip, name) for skip in tool.values("exclude"))]
        return sum(self.visit(below(path, name), depth + 1, device) for name in wanted)


def du(tool: Tool) -> None:
    totals = Totals(tool)
    total = sum(totals.visit(path, 0) for path in tool.operands or ["."])
    if tool.has("c"):
        totals.print(total, "total")


# df


@dataclass(frozen=True)
class DiskRow:
    """One line of df."""

    mount: Mount
    usage: Usage


def df(tool: Tool) -> None:
    rows = _asked(tool) if tool.operands else _all(tool)
    if not tool.gnu:
        _print_busybox(tool, rows)
    elif rows:
        _print_gnu(tool, rows)
    elif not tool.status:
        tool.fail("no file systems processed")


def _asked(tool: Tool) -> list[DiskRow]:
    rows = []
    for path in tool.operands:
        try:
            mount = tool.files.find(path).mount
        except OSError as error:
            tool.complain(Say("{0}: can't find mount point", "{0:n}"), path, error=error if tool.gnu else None)
            continue
        rows.append(DiskRow(mount, usage_of(tool.files, mount)))
    return rows


def _all(tool: Tool) -> list[DiskRow]:
    rows: list[DiskRow] = []
    places: dict[int, int] = {}
    for mount in shown_mounts(tool):
        usage = usage_of(tool.files, mount)
        kinds = tool.values("t")
        if (kinds and mount.fstype not in kinds) or mount.fstype in tool.values("x"):
            continue
        if usage.total == 0 and not tool.has("a"):
            continue
        device = mount.source.system.device
        if tool.gnu and not tool.has("a") and device in places:
            old = rows[places[device]].mount
            if len(mount.target) < len(old.target):
                rows[places[device]] = DiskRow(mount, usage)
            continue
        places[device] = len(rows)
        rows.append(DiskRow(mount, usage))
    return rows


def _cells(tool: Tool, usage: Usage) -> tuple[str, str, str, str]:
    total, used, free = usage.total, usage.used, usage.available
    if tool.has("i"):
        total, used, free = usage.inodes, usage.inodes_used, usage.inodes - usage.inodes_used
    whole = used + free
    if tool.gnu:
        percent = f"{-(-used * 100 // whole)}%" if whole else "-"
    else:
        percent = f"{(used * 100 + whole // 2) // whole}%" if whole else "0%"
    return _shown(tool, total), _shown(tool, used), _shown(tool, free), percent


def _unit(tool: Tool) -> int:
    name = tool.last("B", "k", "m", "P")
    if name == "B" and size(tool.value("B") or "1K") == 0:
        raise NoSizeError(tool.value("B"))
    return size(tool.value("B") or "1K") if name == "B" else 1 << 20 if name == "m" else 1024


def _shown(tool: Tool, number: int) -> str:
    if tool.has("h", "H"):
        if tool.has("i") and tool.gnu:
            return human_gnu(number)
        return human_gnu(number, 1000 if tool.has("H") else 1024) if tool.gnu else human_busybox(number)
    return str(number) if tool.has("i") else str(-(-number // _unit(tool)) if tool.gnu else number // _unit(tool))


def _size_title(tool: Tool) -> str:
    if tool.has("h", "H"):
        return "Size"
    if tool.has("P"):
        return "1024-blocks"
    unit = _unit(tool)
    return {1024: "1K-blocks", 1 << 20: "1M-blocks", 1 << 30: "1G-blocks", 1: "1B-blocks"}.get(unit, f"{unit}-blocks")


def _print_gnu(tool: Tool, rows: list[DiskRow]) -> None:
    human = tool.has("h", "H")
    titles = ["Filesystem", "Type", _size_title(tool), "Used", "Avail" if human else "Available", "Use%", "Mounted on"]
    if tool.has("i"):
        titles[2:6] = ["Inodes", "IUsed", "IFree", "IUse%"]
    elif tool.has("P"):
        titles[5] = "Capacity"
    table = [titles]
    for row in rows:
        table.append([row.mount.device, row.mount.fstype, *_cells(tool, row.usage), row.mount.target])
    widths = [max(len(line[index]) for line in table) for index in range(7)]
    for index, least in ((0, 14), (1, 4), (2, 5), (3, 5), (4, 5), (5, 4)):
        widths[index] = max(widths[index], least)
    for line in table:
        cells = [line[0].ljust(widths[0])]
        if tool.has("T"):
            cells.append(line[1].ljust(widths[1]))
        cells += [line[index].rjust(widths[index]) for index in range(2, 6)]
        tool.out(" ".join([*cells, line[6]]) + "\n")


def _print_busybox(tool: Tool, rows: list[DiskRow]) -> None:
    size_title = "Inodes" if tool.has("i") else _size_title(tool)
    kind_title = f" {'Type':<10}" if tool.has("T") else ""
    percent_title = "Capacity" if tool.has("P") and not tool.has("i") else "Use%"
    tool.out(
        f"{'Filesystem':<20}{kind_title} {size_title:>9} {'Used':>9} {'Available':>9} {percent_title:>4} Mounted on\n"
    )
    for row in rows:
        name = row.mount.device
        if len(name) > 20 and not tool.has("P"):
            name = f"{name}\n{'':20}"
        kind = f" {row.mount.fstype:<10}" if tool.has("T") else ""
        total, used, free, percent = _cells(tool, row.usage)
        tool.out(f"{name:<20}{kind} {total:>9} {used:>9} {free:>9} {percent:>4} {row.mount.target}\n")


UTILITIES = {
    "du": Utility(
        du,
        "a H L d: c l s x h m k b",
        "a=all B:=block-size b=bytes c=total D H d:=max-depth h=human-readable k m L=dereference "
        "l=count-links s=summarize x=one-file-system 0=null S P =apparent-size =exclude: =time? =inodes",
        "[-aHLdclsxhmk] [FILE]...",
    ),
    "df": Utility(
        df,
        "P k m h H T a i B: t:",
        "a=all B:=block-size h=human-readable H=si i=inodes k l=local P=portability t:=type "
        "T=print-type x:=exclude-type =total =sync =no-sync =output?",
        "[-PkmhTai] [-B SIZE] [-t TYPE] [FILESYSTEM]...",
    ),
}
