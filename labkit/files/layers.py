"""Layers, and the tar archives that hold them: immutable sets of changes to a tree, with a digest.

A layer is kept as a frozen tree with the kernel's marks (whiteouts as 0/0 devices, opaque folders as an attribute), so
that it can be a lower of a union mount as it is; in a tar archive the marks are files named `.wh.…`, as the image
specification has it (OCI image-spec, layer.md). Frozen inodes may be shared between machines.

Archives have sparse contents: ustar where it fits, PAX records where it does not, as Go's archive/tar writes them;
GNU's, and its long names, are read and written too. Facts: POSIX pax, "ustar Interchange Format" and "pax Header
Block"; the GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from zlib import crc32

from labkit.files.contents import Content, Map, length
from labkit.files.inodes import DIRECTORY, REGULAR, S_IFMT, SYMLINK, Generated, Inode, Store
from labkit.files.union import OPAQUE, WHITEOUT_MODE, Merged

SECOND = 1_000_000_000
BLOCK = 512
_TYPES = {
    stat.S_IFREG: b"0", stat.S_IFLNK: b"2", stat.S_IFCHR: b"3", stat.S_IFBLK: b"4", stat.S_IFDIR: b"5",
    stat.S_IFIFO: b"6",
}  # fmt: skip
_MODES = {code: mode for mode, code in _TYPES.items()} | {b"\0": stat.S_IFREG, b"7": stat.S_IFREG}


class Entry(NamedTuple):
    """One file of an archive or a layer. path: without a leading slash; "" is the root."""

    path: str
    mode: int  # with the type of file
    uid: int = 0
    gid: int = 0
    mtime: int = 0  # ns
    data: Content | str | None = None  # a file's content, a symbolic link's target
    rdev: int = 0
    hardlink: str | None = None  # the path of the entry that this is another name of
    xattrs: tuple[tuple[str, bytes], ...] = ()
    user: str = ""
    group: str = ""

    @property
    def link(self) -> str:
        """Where it leads, as a symbolic link or as another name; "" where it does not."""
        return self.hardlink or (self.data if isinstance(self.data, str) else "")

    @property
    def body(self) -> Content:
        """What stands behind its header."""
        return self.data if isinstance(self.data, Content) and self.hardlink is None else Content()


class BadArchiveError(ValueError):
    """Not a tar archive; str() says why. `place`: of the header that is wrong; None: the archive ends within a file."""

    def __init__(self, said: str, place: int | None = None) -> None:
        super().__init__(said)
        self.place = place


def write(entries: Iterable[Entry], *, gnu: bool = False, record: int = BLOCK) -> Content:
    """The archive, sparse, with its end marker, to a whole number of records; `gnu`: as GNU's tar writes it."""
    pieces = [piece for entry in entries for piece in _pieces(entry, gnu)] + [bytes(2 * BLOCK)]
    return Content.join([*pieces, bytes(-sum(length(piece) for piece in pieces) % record)])


def _pieces(entry: Entry, gnu: bool) -> Iterator[Content | bytes]:
    body = entry.body
    yield _gnu_header(entry, body.size) if gnu else _header(entry, body.size)
    if body:
        yield body
        yield bytes(-body.size % BLOCK)


def _header(entry: Entry, size: int) -> bytes:
    name = entry.path + ("/" if stat.S_ISDIR(entry.mode) and not entry.path.endswith("/") else "")
    target = entry.link
    records = {f"SCHILY.xattr.{key}": value for key, value in entry.xattrs}
    prefix, short = _split(name)
    if short is None:
        records["path"] = _encoded(name)
        short = name[:100]
    if len(target) > 100 or not target.isascii():
        records["linkpath"] = _encoded(target)
    if size >= 1 << 33:
        records["size"] = str(size).encode()
    entry = entry._replace(mtime=max(0, entry.mtime))
    head = _block(short.encode("utf-8", "replace"), entry, min(size, (1 << 33) - 1), _code(entry),
                  target.encode("utf-8", "replace"), prefix.encode())  # fmt: skip
    return (_pax(records, short) if records else b"") + head


def _gnu_header(entry: Entry, size: int) -> bytes:
    name, target = _encoded(entry.path), _encoded(entry.link)
    front = b""
    for text, code in ((target, b"K"), (name, b"L")):
        if len(text) > 100:
            front += _block(b"././@LongLink", _LONG, len(text) + 1, code, b"", gnu=True)
            front += text + bytes(1 + -(len(text) + 1) % BLOCK)
    return front + _block(name, entry, size, _code(entry), target, gnu=True)


_LONG = Entry("", 0o644, user="root", group="root")


def _code(entry: Entry) -> bytes:
    return b"1" if entry.hardlink is not None else _TYPES.get(stat.S_IFMT(entry.mode), b"0")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _split(name: str) -> tuple[str, str | None]:
    """ustar's prefix and name; the name None where it fits neither."""
    if not name.isascii():
        return "", None
    if len(name) <= 100:
        return "", name
    cut = name.rfind("/", 0, min(156, len(name) - 1))
    if cut > 0 and len(name) - cut - 1 <= 100:
        return name[:cut], name[cut + 1 :]
    return "", None


def _pax(records: dict[str, bytes], name: str) -> bytes:
    body = b""
    for key, value in sorted(records.items()):
        line = b" " + key.encode() + b"=" + value + b"\n"
        length = len(line) + len(str(len(line)))
        length = len(line) + len(str(length))
        body += str(length).encode() + line
    head = _block(f"PaxHeaders.0/{name}".encode("utf-8", "replace"), Entry("", 0), len(body), b"x", b"")
    return head + body + bytes(-len(body) % BLOCK)


def _block(
    name: bytes, entry: Entry, size: int, code: bytes, target: bytes, prefix: bytes = b"", *, gnu: bool = False
) -> bytes:
    device = _field(entry.rdev >> 8 & 0xFFF, 8) + _field(entry.rdev & 0xFF, 8)
    head = b"".join((
        name[:100].ljust(100, b"\0"), _field(entry.mode & 0o7777, 8), _field(entry.uid, 8), _field(entry.gid, 8),
        _field(size, 12), _field(entry.mtime // SECOND, 12), b" " * 8, code, target[:100].ljust(100, b"\0"),
        b"ustar  \0" if gnu else b"ustar\x0000",
        entry.user.encode()[:31].ljust(32, b"\0"), entry.group.encode()[:31].ljust(32, b"\0"),
        device if code in b"34" or not gnu else bytes(16), prefix.ljust(155, b"\0"), bytes(12),
    ))  # fmt: skip
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def _field(number: int, width: int) -> bytes:
    """Octal digits; where they do not fit, GNU's binary form."""
    if 0 <= number < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, number)
    return b"\x80" + (number % (1 << 8 * (width - 1))).to_bytes(width - 1, "big")


def read(archive: Content) -> Iterator[Entry]:
    """The entries of an archive, for a layer: with plain paths, without the owners' names. Raises BadArchiveError."""
    for entry in members(archive):
        hardlink = None if entry.hardlink is None else _clean(entry.hardlink)
        yield entry._replace(path=_clean(entry.path), hardlink=hardlink, user="", group="")


def members(archive: Content) -> Iterator[Entry]:
    """The entries of an archive, their names as they are written (`./a`, `d/`). Raises BadArchiveError."""
    place = 0
    records: dict[str, bytes] = {}  # of the next entry
    while place < archive.size:
        head = archive.read(place, BLOCK)
        if not head.strip(b"\0"):
            return
        if len(head) < BLOCK:
            raise BadArchiveError("unexpected EOF", place)
        if sum(head[:148]) + 8 * 32 + sum(head[156:]) != _number(head[148:156]):
            raise BadArchiveError("invalid tar header", place)
        place += BLOCK
        code = head[156:157]
        size = int(records["size"]) if "size" in records else _number(head[124:136])
        body = archive[place : place + size] if code not in b"123456" else Content()
        assert isinstance(body, Content)
        if body.size < size and code not in b"123456":
            raise BadArchiveError("unexpected EOF")
        place += -(-body.size // BLOCK) * BLOCK
        if code == b"x":
            records |= _records(bytes(body))
        elif code in b"LK":
            records["path" if code == b"L" else "linkpath"] = bytes(body).split(b"\0", 1)[0]
        elif code != b"g":
            yield _member(head, code, body, records)
            records = {}


def _member(head: bytes, code: bytes, body: Content, records: dict[str, bytes]) -> Entry:
    prefix = _text(head[345:500]) if head[257:263] == b"ustar\0" else ""
    name = f"{prefix}/{_text(head[:100])}" if prefix else _text(head[:100])
    name = _text(records["path"]) if "path" in records else name
    target = _text(records.get("linkpath", b"")) or _text(head[157:257])
    kind = _MODES.get(code, stat.S_IFREG)
    if code in b"0\0" and name.endswith("/"):
        kind = stat.S_IFDIR
    return Entry(
        path=name.rstrip("/") + "/" if kind == stat.S_IFDIR else name,
        mode=kind | _number(head[100:108]) & 0o7777,
        uid=_number(head[108:116]),
        gid=_number(head[116:124]),
        mtime=int(float(records["mtime"]) * SECOND) if "mtime" in records else _number(head[136:148]) * SECOND,
        data=target if kind == stat.S_IFLNK else body if kind == stat.S_IFREG else None,
        rdev=_number(head[329:337]) << 8 | _number(head[337:345]) if code in b"34" else 0,
        hardlink=target if code == b"1" else None,
        xattrs=tuple((key[13:], value) for key, value in sorted(records.items()) if key.startswith("SCHILY.xattr.")),
        user=_text(head[265:297]),
        group=_text(head[297:329]),
    )


def _clean(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    if field[:1] in (b"\x80", b"\xff"):
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b"\0 ")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        raise BadArchiveError("invalid tar header", BLOCK) from None


def _records(body: bytes) -> dict[str, bytes]:
    records = {}
    while body:
        length = body.partition(b" ")[0]
        line = body[: int(length)]
        key, _, value = line[len(length) + 1 : -1].partition(b"=")
        records[key.decode()] = value
        body = body[int(length) :]
    return records


WHITEOUT_PREFIX, OPAQUE_NAME = ".wh.", ".wh..wh..opq"
_HASH_ALL = 4 << 20  # bytes made by rule; a layer with more gets its digest from their rules, to stay fast


class Layer:
    """An immutable layer. `root` is the frozen tree of its changes; `size` the bytes of its files and links."""

    def __init__(self, root: Inode) -> None:
        self.root = root
        self._merged: dict[Merged | None, Merged] = {}
        self._diff_id: str | None = None
        self.size = sum(self._sizes())

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Layer:
        """A layer of entries, whiteouts as devices; folders that no entry names are made 755 root's."""
        return cls(grow(entries))

    @classmethod
    def from_tar(cls, archive: Content) -> Layer:
        """A layer of an archive with the image specification's `.wh.` marks. Raises tar.BadArchiveError."""
        return cls.of(_without_marks(read(archive)))

    @classmethod
    def freeze(cls, store: Store, top: Inode) -> Layer:
        """A layer of a store's tree as it is now."""
        return cls(_freeze(store, top, {}))

    def entries(self) -> Iterator[Entry]:
        """Its files, sorted by path, each folder before what is in it; whiteouts as devices. The root is left out."""
        return _entries(self.root, "", {})

    def tar(self) -> Content:
        """The archive of the layer, with the image specification's marks."""
        return write(_with_marks(self.entries()))

    @property
    def diff_id(self) -> str:
        """sha256:… of its archive; where large runs are kept as rules, of the archive with the rules in their place."""
        if self._diff_id is None:
            archive = self.tar()
            if archive.made_by_rule <= _HASH_ALL:
                self._diff_id = "sha256:" + archive.sha256()
            else:
                self._diff_id = "sha256:" + hashlib.sha256(archive.recipe()).hexdigest()
        return self._diff_id

    def on(self, below: Merged | None, number: int) -> Merged:
        """The merged tree of this layer, the one numbered `number`, on those below it."""
        merged = self._merged.get(below)
        if merged is None:
            merged = self._merged[below] = _merge_frozen(below, self.root, number)
        return merged

    def _sizes(self) -> Iterator[int]:
        seen: set[Inode] = set()
        waiting = [self.root]
        while waiting:
            inode = waiting.pop()
            kind = inode.mode & S_IFMT
            if kind == DIRECTORY:
                waiting.extend(inode.names.values())
            elif inode not in seen and kind in (REGULAR, SYMLINK):
                seen.add(inode)
                yield inode.length


def _merge_frozen(below: Merged | None, top: Inode, number: int) -> Merged:
    """union.merge for a frozen tree, which needs no store."""
    if top.mode & S_IFMT != DIRECTORY:
        return Merged(top, number, None)
    hidden = None if below is None or top.is_opaque else below.names
    if hidden is None:
        names = {name: _merge_frozen(None, child, number) for name, child in top.names.items() if not child.is_whiteout}
        return Merged.of(top, number, names)
    merged = hidden.copy()
    for name, child in top.names.items():
        if not child.is_whiteout:
            merged.set(name, _merge_frozen(hidden.get(name), child, number))
        elif name in merged:
            merged.delete(name)
    return Merged(top, number, merged)


def _freeze(store: Store, node: Inode, done: dict[Inode, Inode]) -> Inode:
    inode = store.get(node)
    if inode.epoch is None and inode is node:
        return inode
    frozen = done.get(node)
    if frozen is None:
        frozen = done[node] = inode.twin(None)
        frozen.born, frozen.sealed, frozen.origin, frozen.parent = frozen, True, None, None
        if frozen.is_dir:
            frozen.names = Map(_freeze_children(store, frozen, inode.names, done))
        elif frozen.mode & S_IFMT == REGULAR:
            frozen.data = store.content(inode)
    return frozen


def _freeze_children(store: Store, folder: Inode, names: Map[str, Inode], done: dict[Inode, Inode]) -> dict[str, Inode]:
    children = {}
    for name, child in names.items():
        children[name] = frozen = _freeze(store, child, done)
        if frozen is not child and frozen.is_dir:
            frozen.parent = folder
    return children


def grow(entries: Iterable[Entry], *, sealed: bool = True) -> Inode:
    """The root of a frozen tree of these entries; `sealed`: it is a layer's."""
    root = _grow(list(entries))
    if not sealed:
        _unseal(root)
    return root


def _unseal(inode: Inode) -> None:
    inode.sealed = False
    if inode.is_dir:
        for child in inode.names.values():
            _unseal(child)


def _grow(entries: list[Entry]) -> Inode:
    base = (crc32("\0".join(entry.path for entry in entries).encode()) & 0xFFFFF) << 20
    made: dict[str, Inode] = {}
    names: dict[str, dict[str, Inode]] = {"": {}}
    root_entry = next((entry for entry in entries if entry.path == ""), Entry("", DIRECTORY | 0o755))
    made[""] = _inode(base, root_entry)
    for index, entry in enumerate(entries, 1):
        if entry.path == "":
            continue
        folder = _folders(entry.path.rpartition("/")[0], made, names, base)
        if entry.hardlink is not None and entry.hardlink in made:
            inode = made[entry.hardlink]
            inode.nlink += 1
        else:
            inode = _inode(base + index, entry)
        if entry.mode & S_IFMT == DIRECTORY and entry.path in names:  # named after what is in it
            inode.names, inode.nlink = made[entry.path].names, made[entry.path].nlink
        _name(inode, entry.path, folder, made, names)
    for path, children in names.items():
        made[path].names = Map(children)
    return made[""]


def _inode(ino: int, entry: Entry) -> Inode:
    inode = Inode(None, ino, entry.mode, entry.uid, entry.gid, entry.mtime, entry.data)
    inode.rdev, inode.sealed = entry.rdev, True
    if entry.xattrs:
        inode.xattrs = dict(entry.xattrs)
    return inode


def _folders(path: str, made: dict[str, Inode], names: dict[str, dict[str, Inode]], base: int) -> str:
    """The folder at this path, made with those above it where no entry has named it."""
    if path not in names:
        above = _folders(path.rpartition("/")[0], made, names, base)
        _name(_inode(base + 0xF0000 + len(made), Entry(path, DIRECTORY | 0o755)), path, above, made, names)
    return path


def _name(inode: Inode, path: str, folder: str, made: dict[str, Inode], names: dict[str, dict[str, Inode]]) -> None:
    made[path] = inode
    names[folder][path.rpartition("/")[2]] = inode
    if inode.is_dir:
        inode.parent = made[folder]
        made[folder].nlink += 1
        names.setdefault(path, {})


def _entries(folder: Inode, above: str, seen: dict[Inode, str]) -> Iterator[Entry]:
    for name in sorted(folder.names):
        inode = folder.names[name]
        path = f"{above}{name}"
        yield _entry(inode, path, seen.get(inode))
        if inode.is_dir:
            yield from _entries(inode, path + "/", seen)
        elif inode.nlink > 1:
            seen.setdefault(inode, path)


def _entry(inode: Inode, path: str, first: str | None) -> Entry:
    data = None if isinstance(inode.data, Generated) else inode.data
    xattrs = tuple(sorted((inode.xattrs or {}).items()))
    return Entry(path, inode.mode, inode.uid, inode.gid, inode.mtime, data, inode.rdev, first, xattrs)


def _with_marks(entries: Iterable[Entry]) -> Iterator[Entry]:
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        if entry.mode & S_IFMT == WHITEOUT_MODE and entry.rdev == 0 and entry.hardlink is None:
            mark = f"{folder}/{WHITEOUT_PREFIX}{name}".lstrip("/")
            yield Entry(mark, REGULAR, mtime=entry.mtime, data=Content())
            continue
        marks = dict(entry.xattrs)
        opaque = marks.pop(OPAQUE, None) == b"y"
        kept = tuple((key, value) for key, value in marks.items() if not key.startswith("trusted.overlay."))
        yield entry._replace(xattrs=kept)
        if opaque:
            yield Entry(f"{entry.path}/{OPAQUE_NAME}", REGULAR, mtime=entry.mtime, data=Content())


def _without_marks(entries: Iterable[Entry]) -> Iterator[Entry]:
    opaque = set()
    plain = []
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        if name == OPAQUE_NAME:
            opaque.add(folder)
        elif name.startswith(WHITEOUT_PREFIX):
            plain.append(Entry(f"{folder}/{name[len(WHITEOUT_PREFIX) :]}".lstrip("/"), stat.S_IFCHR, mtime=entry.mtime))
        else:
            plain.append(entry)
    for entry in plain:
        yield entry._replace(xattrs=(*entry.xattrs, (OPAQUE, b"y"))) if entry.path in opaque else entry
