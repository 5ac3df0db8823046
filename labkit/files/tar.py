"""Tar archives of sparse contents: ustar where it fits, PAX records where it does not, as Go's archive/tar writes them.

GNU's tar, and its long names, are read and written too. Facts: POSIX pax, "ustar Interchange Format" and "pax Header
Block"; the GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from labkit.files.contents import Content

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
    return Content.join([*pieces, bytes(-sum(len(piece) for piece in pieces) % record)])


def _pieces(entry: Entry, gnu: bool) -> Iterator[Content | bytes]:
    body = entry.body
    yield _gnu_header(entry, len(body)) if gnu else _header(entry, len(body))
    if body:
        yield body
        yield bytes(-len(body) % BLOCK)


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
    while place < len(archive):
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
        if len(body) < size and code not in b"123456":
            raise BadArchiveError("unexpected EOF")
        place += -(-len(body) // BLOCK) * BLOCK
        if code == b"x":
            records |= _records(bytes(body))
        elif code in b"LK":
            records["path" if code == b"L" else "linkpath"] = bytes(body).split(b"\0", 1)[0]
        elif code != b"g":
            yield _entry(head, code, body, records)
            records = {}


def _entry(head: bytes, code: bytes, body: Content, records: dict[str, bytes]) -> Entry:
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
