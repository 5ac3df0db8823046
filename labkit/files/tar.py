"""Tar archives of sparse contents: ustar where it fits, PAX records where it does not, as Go's archive/tar writes them.

Facts: POSIX pax, "ustar Interchange Format" and "pax Header Block"; GNU's long names are read too.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from labkit.files.contents import Content

SECOND = 1_000_000_000
_BLOCK = 512
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


class BadArchiveError(ValueError):
    """Not a tar archive; str() says why."""


def write(entries: Iterable[Entry]) -> Content:
    """The archive, sparse, with its end marker."""
    return Content.join([*_pieces(entries), bytes(2 * _BLOCK)])


def _pieces(entries: Iterable[Entry]) -> Iterator[Content | bytes]:
    for entry in entries:
        body = entry.data if isinstance(entry.data, Content) and entry.hardlink is None else Content()
        yield _header(entry, len(body))
        if body:
            yield body
            yield bytes(-len(body) % _BLOCK)


def _header(entry: Entry, size: int) -> bytes:
    name = entry.path + ("/" if stat.S_ISDIR(entry.mode) and not entry.path.endswith("/") else "")
    target = entry.hardlink or (entry.data if isinstance(entry.data, str) else "")
    records = {f"SCHILY.xattr.{key}": value for key, value in entry.xattrs}
    prefix, short = _split(name)
    if short is None:
        records["path"] = name.encode("utf-8", "surrogateescape")
        short = name[:100]
    if len(target) > 100 or not target.isascii():
        records["linkpath"] = target.encode("utf-8", "surrogateescape")
    if size >= 1 << 33:
        records["size"] = str(size).encode()
    code = b"1" if entry.hardlink is not None else _TYPES[stat.S_IFMT(entry.mode)]
    device = entry.rdev >> 8 & 0xFFF, entry.rdev & 0xFF
    mode, mtime = entry.mode & 0o7777, entry.mtime // SECOND
    head = _block(short, mode, entry.uid, entry.gid, size, mtime, code, target, device, prefix)
    return (_pax(records, short) if records else b"") + head


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
    head = _block(f"PaxHeaders.0/{name}"[:100], 0, 0, 0, len(body), 0, b"x", "", (0, 0), "")
    return head + body + bytes(-len(body) % _BLOCK)


def _block(
    name: str, mode: int, uid: int, gid: int, size: int, mtime: int, code: bytes, target: str, device: tuple[int, int],
    prefix: str,
) -> bytes:  # fmt: skip
    head = b"".join((
        name.encode("utf-8", "replace")[:100].ljust(100, b"\0"),
        b"%07o\0" % mode, b"%07o\0" % (uid & 0o7777777), b"%07o\0" % (gid & 0o7777777),
        b"%011o\0" % min(size, (1 << 33) - 1), b"%011o\0" % max(0, mtime),
        b"        ", code, target.encode("utf-8", "replace")[:100].ljust(100, b"\0"),
        b"ustar\x0000", bytes(64), b"%07o\0" % device[0], b"%07o\0" % device[1], prefix.encode().ljust(155, b"\0"),
        bytes(12),
    ))  # fmt: skip
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def read(archive: Content) -> Iterator[Entry]:
    """The entries of an archive. Raises BadArchiveError."""
    place = 0
    long_name: str | None = None
    long_link: str | None = None
    records: dict[str, bytes] = {}
    while place < len(archive):
        head = archive.read(place, _BLOCK)
        place += _BLOCK
        if not head.strip(b"\0"):
            return
        if len(head) < _BLOCK:
            raise BadArchiveError("unexpected EOF")
        if _sum_of(head) != _number(head[148:156]):
            raise BadArchiveError("invalid tar header")
        code = head[156:157]
        size = int(records["size"]) if "size" in records else _number(head[124:136])
        body = archive[place : place + size] if code in b"0\x007xgLK" else Content()
        if isinstance(body, Content) and len(body) < size and code in b"0\x007xgLK":
            raise BadArchiveError("unexpected EOF")
        place += -(-size // _BLOCK) * _BLOCK if code in b"0\x007xgLK" else 0
        if code in b"xgLK":
            if code == b"x":
                records = _records(bytes(body))  # type: ignore[arg-type]
            elif code == b"L":
                long_name = _text(bytes(body))  # type: ignore[arg-type]
            elif code == b"K":
                long_link = _text(bytes(body))  # type: ignore[arg-type]
            continue
        yield _entry(head, code, body, long_name, long_link, records)  # type: ignore[arg-type]
        long_name, long_link, records = None, None, {}


def _entry(
    head: bytes, code: bytes, body: Content, long_name: str | None, long_link: str | None, records: dict[str, bytes]
) -> Entry:
    prefix = _text(head[345:500]) if head[257:263] == b"ustar\0" else ""
    name = long_name or f"{prefix}/{_text(head[:100])}".lstrip("/") if prefix else long_name or _text(head[:100])
    name = records.get("path", name.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    target = records.get("linkpath", b"").decode("utf-8", "surrogateescape") or long_link or _text(head[157:257])
    kind = _MODES.get(code, stat.S_IFREG)
    if code in b"0\0" and name.endswith("/"):
        kind = stat.S_IFDIR
    hard = code == b"1"
    return Entry(
        path=_clean(name),
        mode=kind | _number(head[100:108]) & 0o7777,
        uid=_number(head[108:116]),
        gid=_number(head[116:124]),
        mtime=int(float(records["mtime"]) * SECOND) if "mtime" in records else _number(head[136:148]) * SECOND,
        data=target if kind == stat.S_IFLNK else body if kind == stat.S_IFREG else None,
        rdev=_number(head[329:337]) << 8 | _number(head[337:345]) if code in b"34" else 0,
        hardlink=_clean(target) if hard else None,
        xattrs=tuple((key[13:], value) for key, value in sorted(records.items()) if key.startswith("SCHILY.xattr.")),
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
        raise BadArchiveError("invalid tar header") from None


def _sum_of(head: bytes) -> int:
    return sum(head[:148]) + 8 * 32 + sum(head[156:])


def _records(body: bytes) -> dict[str, bytes]:
    records = {}
    while body:
        length = body.partition(b" ")[0]
        line = body[: int(length)]
        key, _, value = line[len(length) + 1 : -1].partition(b"=")
        records[key.decode()] = value
        body = body[int(length) :]
    return records
