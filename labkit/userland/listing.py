"""ls (and dir, vdir), tree."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from posixpath import splitext

from labkit.files import Stat, major, minor
from labkit.userland.owning import Names, shown
from labkit.userland.patterns import matches
from labkit.userland.quantities import formatted, human_busybox, human_gnu
from labkit.userland.tool import Say, Tool, Utility, below, shell_quoted

_ACCESS = Say("{0}", "cannot access {0:q}")
_FOLDER = Say("can't open '{0}'", "cannot open directory {0:q}")
_HALF_YEAR = {True: 31556952 // 2, False: 3600 * 24 * 365 // 2}  # seconds; key: GNU


@dataclass(frozen=True)
class Item:
    """One name that is listed."""

    name: str
    path: str
    about: Stat


class Listing:
    """One run of ls: its options, and what has been printed so far."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.files = tool.files
        self.has = tool.has
        self.long = tool.has("l", "n", "g", "o", "full-time") or (tool.name == "vdir")
        self.names = Names(tool.files) if self.long and not tool.has("n") else None
        self.printed = False
        self.titled = len(tool.operands) > 1 or tool.has("R")
        self.follow = tool.has("L")
        self.now = tool.process.kernel.clock.now
        self.columns = self._columns()

    def _columns(self) -> str:
        """How names are laid out: 1 (a line each), C (down), x (across), m (commas)."""
        if self.long:
            return "1"
        asked = self.tool.last("1", "C", "x", "m")
        return asked or ("C" if self.tool.process.stdout.isatty else "1")

    # collecting

    def run(self) -> None:
        plain: list[Item] = []
        folders: list[Item] = []
        for path in self.tool.operands or ["."]:
            if item := self._operand(path):
                is_folder = stat.S_ISDIR(item.about.st_mode) and not self.has("d")
                (folders if is_folder else plain).append(item)
        if plain:
            self._print(self._sorted(plain))
            self.printed = True
        for item in self._sorted(folders):
            self._folder(item.path, top=True)

    def _operand(self, path: str) -> Item | None:
        follow = self.follow or self.has("H") or not (self.long or self.has("d", "F"))
        about = self.tool.attempt(lambda: self.files.lstat(path), _ACCESS, path, status=2 if self.tool.gnu else 1)
        if about is not None and follow and stat.S_ISLNK(about.st_mode):
            about = self._through(path, about)
        return about and Item(path, path, about)

    def _through(self, path: str, about: Stat) -> Stat:
        """What a link leads to; without -L only a folder counts."""
        target = self.tool.look(path, follow=True)
        if target is None:
            return about
        return target if self.follow or self.has("H") or stat.S_ISDIR(target.st_mode) else about

    def _folder(self, path: str, *, top: bool = False) -> None:
        self.tool.tick()
        status = 2 if self.tool.gnu and top else 1
        names = self.tool.attempt(lambda: self.files.listdir(path), _FOLDER, path, status=status)
        if names is None:
            return
        if self.titled:
            title = shell_quoted(path, always=False, colon=True) if self.tool.gnu and self._quotes() else path
            self.tool.out(("\n" if self.printed else "") + f"{title}:\n")
        self.printed = True
        items = self._sorted(self._items(path, names))
        if self.long or self.has("s"):
            total = sum(item.about.st_blocks for item in items)
            self.tool.out(f"total {self._kib(total)}\n")
        self._print(items)
        if self.has("R"):
            for item in items:
                if stat.S_ISDIR(item.about.st_mode) and item.name not in (".", ".."):
                    self._folder(item.path)

    def _items(self, path: str, names: list[str]) -> list[Item]:
        if self.has("a", "f"):
            names = [".", "..", *names]
        elif not self.has("A"):
            names = [name for name in names if not name.startswith(".")]
        hidden = self.tool.values("I") if self.tool.gnu else []
        items = []
        for name in names:
            self.tool.tick()
            if any(matches(pattern, name) for pattern in hidden) or (self.has("B") and name.endswith("~")):
                continue
            full = below(path, name)
            about = self.files.lstat(full) if name != ".." else self.files.stat(full)
            if self.follow and stat.S_ISLNK(about.st_mode):
                about = self._through(full, about)
            items.append(Item(name, full, about))
        return items

    def _sorted(self, items: list[Item]) -> list[Item]:
        if self.has("U", "f"):
            return items
        items = sorted(items, key=lambda item: item.name.encode("utf-8", "surrogateescape"))
        how = self.tool.last("t", "S", "X", "v") or self._sort_word()
        if how == "t" or (not self.long and how is None and self.has("c", "u")):
            items.sort(key=self._time, reverse=True)
        elif how == "S":
            items.sort(key=lambda item: item.about.st_size, reverse=True)
        elif how == "X":
            items.sort(key=lambda item: splitext(item.name)[1])
        if self.has("r"):
            items.reverse()
        if self.has("group-directories-first"):
            items.sort(key=lambda item: not self._leads_to_folder(item))
        return items

    def _leads_to_folder(self, item: Item) -> bool:
        return stat.S_ISDIR(item.about.st_mode) or (stat.S_ISLNK(item.about.st_mode) and self.files.is_dir(item.path))

    def _sort_word(self) -> str | None:
        return {"time": "t", "size": "S", "extension": "X", "none": None}.get(self.tool.value("sort") or "")

    def _time(self, item: Item) -> int:
        which = self.tool.last("c", "u")
        about = item.about
        return about.st_ctime_ns if which == "c" else about.st_atime_ns if which == "u" else about.st_mtime_ns

    # printing

    def _kib(self, blocks: int) -> str:
        if self.has("h"):
            return (human_gnu if self.tool.gnu else human_busybox)(blocks * 512)
        return str(-(-blocks // 2))

    def _size(self, item: Item) -> str:
        about = item.about
        if stat.S_ISCHR(about.st_mode) or stat.S_ISBLK(about.st_mode):
            numbers = major(about.st_rdev), minor(about.st_rdev)
            return "{:d}, {:3d}".format(*numbers) if self.tool.gnu else "{:4d}, {:3d}".format(*numbers)
        if self.has("h"):
            return (human_gnu if self.tool.gnu else human_busybox)(about.st_size)
        return str(about.st_size)

    def _when(self, item: Item) -> str:
        ns = self._time(item)
        zone = self.tool.zone
        style = self.tool.value("time-style") or ("full-iso" if self.has("full-time") else "")
        if style == "full-iso":
            return formatted("%Y-%m-%d %H:%M:%S.%N %z" if self.tool.gnu else "%Y-%m-%d %H:%M:%S %z", ns, zone)
        if style.startswith("+"):
            return formatted(style[1:], ns, zone)
        if style == "long-iso":
            return formatted("%Y-%m-%d %H:%M", ns, zone)
        age = self.now // 10**9 - ns // 10**9
        recent = (0 if self.tool.gnu else -900) <= age < _HALF_YEAR[self.tool.gnu]
        return formatted("%b %e %H:%M" if recent else "%b %e  %Y", ns, zone)

    def _mark(self, mode: int) -> str:
        if not self.has("F"):
            return "/" if self.has("p") and stat.S_ISDIR(mode) else ""
        marks = {stat.S_IFDIR: "/", stat.S_IFLNK: "@", stat.S_IFIFO: "|", stat.S_IFSOCK: "="}
        return marks.get(stat.S_IFMT(mode), "*" if stat.S_ISREG(mode) and mode & 0o111 else "")

    def _quotes(self) -> bool:
        return self.tool.process.stdout.isatty and not self.has("N")

    def _name(self, name: str) -> str:
        if self.has("Q"):
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        if self.tool.gnu and self._quotes():
            return shell_quoted(name, always=False)
        if self.has("q"):
            return "".join("?" if not char.isprintable() else char for char in name)
        return name

    def _label(self, item: Item) -> str:
        mode = item.about.st_mode
        if self.long and stat.S_ISLNK(mode):
            target = self.files.readlink(item.path)
            about = self.tool.look(item.path, follow=True)
            mark = self._mark(about.st_mode) if about else ""
            return f"{self._name(item.name)} -> {self._name(target)}{mark}"
        return self._name(item.name) + self._mark(mode)

    def _print(self, items: list[Item]) -> None:
        if self.long:
            rows = self._rows_gnu(items) if self.tool.gnu else [self._row_busybox(item) for item in items]
            self.tool.out("".join(f"{row}\n" for row in rows))
            return
        labels = self._fronted(items)
        if self.columns == "m":
            self.tool.out(", ".join(labels) + "\n" if labels else "")
        elif self.columns == "1" or not labels:
            self.tool.out("".join(f"{label}\n" for label in labels))
        else:
            width = int(self.tool.value("w") or self.tool.env.get("COLUMNS") or 80)
            self.tool.out((_fitted if self.tool.gnu else _even)(labels, width, down=self.columns == "C"))

    def _fronted(self, items: list[Item]) -> list[str]:
        """Names behind their inode number and size, where these are asked for."""
        inodes = [str(item.about.st_ino) for item in items]
        blocks = [self._kib(item.about.st_blocks) for item in items]
        i_width = max(map(len, inodes), default=0) if self.tool.gnu else 7
        s_width = max(map(len, blocks), default=0) if self.tool.gnu else 6
        out = []
        for item, inode, size in zip(items, inodes, blocks, strict=True):
            front = f"{inode:>{i_width}} " if self.has("i") else ""
            front += f"{size:>{s_width}} " if self.has("s") else ""
            out.append(front + self._label(item))
        return out

    def _owner(self, item: Item) -> tuple[str, str]:
        about = item.about
        if self.names is None:
            return str(about.st_uid), str(about.st_gid)
        return self.names.user(about.st_uid), self.names.group(about.st_gid)

    def _row_busybox(self, item: Item) -> str:
        about = item.about
        user, group = self._owner(item)
        device = stat.S_ISCHR(about.st_mode) or stat.S_ISBLK(about.st_mode)
        size = self._size(item) if device else f"{self._size(item):>{7 if self.has('h') else 9}}"
        front = f"{about.st_ino:7} " if self.has("i") else ""
        front += f"{self._kib(about.st_blocks):>6} " if self.has("s") else ""
        owner = f"{user[:8]:<8} {group[:8]:<8} " if self.names else f"{user:<8} {group:<8} "
        return f"{front}{shown(about.st_mode)} {about.st_nlink:4} {owner}{size} {self._when(item)} {self._label(item)}"

    def _rows_gnu(self, items: list[Item]) -> list[str]:
        cells = []
        for item in items:
            user, group = self._owner(item)
            about = item.about
            cells.append([
                str(about.st_ino), self._kib(about.st_blocks), shown(about.st_mode), str(about.st_nlink),
                user, group, self._size(item), self._when(item), self._label(item),
            ])  # fmt: skip
        wanted = [
            self.has("i"), self.has("s"), True, True, not self.has("g"),
            not self.has("o", "G"), True, True, True,
        ]  # fmt: skip
        widths = [max((len(row[index]) for row in cells), default=0) for index in range(9)]
        widths[6] = max(widths[6], self._device_width(items))
        sides = "rrlrllrrl"
        rows = []
        for row in cells:
            padded = [
                cell.rjust(widths[index]) if sides[index] == "r" else cell.ljust(widths[index])
                for index, cell in enumerate(row)
            ]
            padded[-1] = row[-1]
            rows.append(" ".join(cell for index, cell in enumerate(padded) if wanted[index]))
        return rows

    def _device_width(self, items: list[Item]) -> int:
        devices = [
            item.about.st_rdev for item in items if stat.S_ISCHR(item.about.st_mode) or stat.S_ISBLK(item.about.st_mode)
        ]
        if not devices:
            return 0
        return max(len(str(major(rdev))) for rdev in devices) + 2 + max(3, *(len(str(minor(rdev))) for rdev in devices))


def _fitted(labels: list[str], width: int, *, down: bool) -> str:
    """As many columns as fit, filled downwards or across; each as wide as it needs, with tabs between them (GNU)."""
    for count in range(max(1, min(len(labels), width // 3)), 0, -1):
        lines = -(-len(labels) // count)
        grid = [
            [label for index, label in enumerate(labels) if (index // lines if down else index % count) == column]
            for column in range(count)
        ]
        widths = [max(map(len, column), default=0) + 2 for column in grid]
        if sum(widths) - 2 < width or count == 1:
            break
    rows = [[column[line] for column in grid if line < len(column)] for line in range(lines)]
    return "".join(_tabbed(row, widths) + "\n" for row in rows)


def _tabbed(row: list[str], widths: list[int]) -> str:
    out, start = "", 0
    for label, width in zip(row, widths, strict=False):
        place = start + len(label)
        out += label
        if label is row[-1] and start == sum(widths[: len(row) - 1]):
            break
        start += width
        while place < start:
            if start // 8 > (place + 1) // 8:
                out, place = out + "\t", place + 8 - place % 8
            else:
                out, place = out + " ", place + 1
    return out


def _even(labels: list[str], width: int, *, down: bool) -> str:
    """The same with columns of one width (busybox)."""
    each = max(map(len, labels)) + 2
    count = max(1, width // each)
    lines = -(-len(labels) // count)
    rows = (
        [labels[line::lines] for line in range(lines)]
        if down
        else [labels[start : start + count] for start in range(0, len(labels), count)]
    )
    return "".join("".join(label.ljust(each) for label in row).rstrip() + "\n" for row in rows)


def ls(tool: Tool) -> None:
    Listing(tool).run()


# tree


def tree(tool: Tool) -> None:
    counts = [0, 0]
    depth = tool.number("L", 1 << 30)
    for path in tool.operands or ["."]:
        if not tool.files.is_dir(path):
            tool.out(f"{path}  [error opening dir]\n")
            continue
        tool.out(f"{path}\n")
        counts[0] += 1
        _branches(tool, path, "", depth, counts)
    folders, others = counts[0] - len(tool.operands or ["."]), counts[1]
    said = f"{folders} director{'y' if folders == 1 else 'ies'}"
    if not tool.has("d"):
        said += f", {others} file{'' if others == 1 else 's'}"
    tool.out(f"\n{said}\n")


def _branches(tool: Tool, path: str, indent: str, depth: int, counts: list[int]) -> None:
    if depth == 0:
        return
    shown_names = [name for name in tool.files.listdir(path) if tool.has("a") or not name.startswith(".")]
    entries = [(name, tool.files.lstat(f"{path.rstrip('/')}/{name}").st_mode) for name in shown_names]
    if tool.has("d"):
        entries = [entry for entry in entries if stat.S_ISDIR(entry[1])]
    for index, (name, mode) in enumerate(entries):
        tool.tick()
        last = index == len(entries) - 1
        full = f"{path.rstrip('/')}/{name}"
        arrow = f" -> {tool.files.readlink(full)}" if stat.S_ISLNK(mode) else ""
        label = full if tool.has("f") else name
        tool.out(f"{indent}{'└── ' if last else '├── '}{label}{arrow}\n")
        counts[0 if stat.S_ISDIR(mode) else 1] += 1
        if stat.S_ISDIR(mode):
            _branches(tool, full, indent + ("    " if last else "│\u00a0\u00a0 "), depth - 1, counts)


_GNU = (
    "a=all A=almost-all B=ignore-backups c C d=directory f F=classify? g G=no-group h=human-readable "
    "H=dereference-command-line "
    "i=inode I:=ignore k=kibibytes l L=dereference m n=numeric-uid-gid N=literal o p "
    "q=hide-control-chars Q=quote-name r=reverse "
    "R=recursive s=size S t u U v w:=width x X 1 =full-time =color? =time-style: =sort: "
    "=group-directories-first =si =author"
)
UTILITIES = {
    "ls": Utility(
        ls,
        "1 A a C x d L H R F p l i n s h r S X v c t u Q w: =full-time =group-directories-first =color? k",
        _GNU,
        "[-1AaCxdLHRFplinshrSXvctu] [-w WIDTH] [FILE]...",
        bad=2,
    ),
    "dir": Utility(ls, None, _GNU, bad=2),
    "vdir": Utility(ls, None, _GNU, bad=2),
    "tree": Utility(tree, "a d f L: i", "a d f L: i =noreport", "[FILE]..."),
}
