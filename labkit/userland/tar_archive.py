"""tar, over sparse contents: an archive of a file of 10 GiB costs no more than the file.

Member names are kept as they are written (`./a`, `d/`), which labkit.files.tar, made for layers, does not do.
Facts: POSIX pax, "ustar Interchange Format"; the GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from labkit.files import Content, major, makedev, minor

BLOCK = 512
RECORD = 20 * BLOCK
_CODES = {
    stat.S_IFREG: b"0", stat.S_IFLNK: b"2", stat.S_IFCHR: b"3", stat.S_IFBLK: b"4", stat.S_IFDIR: b"5",
    stat.S_IFIFO: b"6",
}  # fmt: skip
_KINDS = {code: kind for kind, code in _CODES.items()} | {b"\0": stat.S_IFREG, b"7": stat.S_IFREG, b"1": stat.S_IFREG}
_NOTHING = Content()


class BadTar(Exception):
    """Not an archive, or one that ends early; str(): what is wrong."""


@dataclass(frozen=True)
class TarMember:
    """One entry: its name as written, and `link` for a symbolic or (hard) another name of a member."""

    name: str
    mode: int
    uid: int = 0
    gid: int = 0
    user: str = ""
    group: str = ""
    mtime: int = 0  # s
    link: str = ""
    hard: bool = False
    rdev: int = 0
    body: Content = _NOTHING


def _field(number: int, width: int) -> bytes:
    if 0 <= number < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, number)
    return b"\x80" + number.to_bytes(width - 1, "big", signed=number < 0)


def header(member: TarMember) -> bytes:
    """The blocks in front of a member's content, long names included."""
    name, link = (text.encode("utf-8", "surrogateescape") for text in (member.name, member.link))
    front = b""
    for text, code in ((link, b"K"), (name, b"L")):
        if len(text) > 100:
            front += _block(b"././@LongLink", 0o644, 0, 0, len(text) + 1, 0, code, b"", "root", "root", 0)
            front += text + bytes(1 + -(len(text) + 1) % BLOCK)
    code = b"1" if member.hard else _CODES.get(stat.S_IFMT(member.mode), b"0")
    return front + _block(
        name[:100], member.mode & 0o7777, member.uid, member.gid, len(member.body), member.mtime, code, link[:100],
        member.user, member.group, member.rdev,
    )  # fmt: skip


def _block(
    name: bytes,
    mode: int,
    uid: int,
    gid: int,
    size: int,
    mtime: int,
    code: bytes,
    link: bytes,
    user: str,
    group: str,
    rdev: int,
) -> bytes:
    device = code in b"34"
    head = b"".join((
        name.ljust(100, b"\0"), _field(mode, 8), _field(uid, 8), _field(gid, 8), _field(size, 12), _field(mtime, 12),
        b" " * 8, code, link.ljust(100, b"\0"), b"ustar  \0",
        user.encode()[:31].ljust(32, b"\0"), group.encode()[:31].ljust(32, b"\0"),
        _field(major(rdev), 8) if device else bytes(8), _field(minor(rdev), 8) if device else bytes(8), bytes(167),
    ))  # fmt: skip
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def written(members: Iterator[TarMember], record: int = RECORD) -> Content:
    """The archive, to a whole number of records."""
    pieces: list[Content | bytes] = []
    size = 0
    for member in members:
        for piece in (header(member), member.body, bytes(-len(member.body) % BLOCK)):
            pieces.append(piece)
            size += len(piece)
    size += 2 * BLOCK
    pieces.append(bytes(2 * BLOCK + -size % record))
    return Content.join(pieces)


def members(archive: Content) -> Iterator[TarMember]:
    """The members of an archive. Raises BadTar."""
    place, long_name, long_link = 0, "", ""
    records: dict[str, str] = {}
    while place < len(archive):
        head = archive.read(place, BLOCK)
        place += BLOCK
        if not head.strip(b"\0"):
            return
        if len(head) < BLOCK or sum(head[:148]) + 256 + sum(head[156:]) != _number(head[148:156]):
            raise BadTar("This does not look like a tar archive" if place == BLOCK else "Skipping to next header")
        code = head[156:157]
        size = int(records["size"]) if "size" in records else _number(head[124:136])
        if code in b"123456":
            size = 0
        body: Content = archive[place : place + size]  # type: ignore[assignment]
        if len(body) < size:
            raise BadTar("Unexpected EOF in archive")
        place += -(-size // BLOCK) * BLOCK
        if code == b"L":
            long_name = _text(bytes(body))
        elif code == b"K":
            long_link = _text(bytes(body))
        elif code in b"xg":
            records = _pax_records(bytes(body)) if code == b"x" else records
        else:
            yield _member(
                head, code, body, long_name or records.get("path", ""), long_link or records.get("linkpath", "")
            )
            long_name, long_link, records = "", "", {}


def _member(head: bytes, code: bytes, body: Content, long_name: str, long_link: str) -> TarMember:
    prefix = _text(head[345:500]) if head[257:263] == b"ustar\0" else ""
    name = long_name or (f"{prefix}/{_text(head[:100])}" if prefix else _text(head[:100]))
    kind = _KINDS.get(code, stat.S_IFREG)
    if kind == stat.S_IFREG and name.endswith("/"):
        kind = stat.S_IFDIR
    if kind == stat.S_IFDIR and not name.endswith("/"):
        name += "/"
    device = makedev(_number(head[329:337]), _number(head[337:345])) if code in b"34" else 0
    return TarMember(
        name, kind | _number(head[100:108]) & 0o7777, _number(head[108:116]), _number(head[116:124]),
        _text(head[265:297]),
        _text(head[297:329]), _number(head[136:148]), long_link or _text(head[157:257]), code == b"1", device, body,
    )  # fmt: skip


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    if field[:1] in (b"\x80", b"\xff"):
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b"\0 ")
    return int(digits, 8) if re.fullmatch(rb"[0-7]+", digits) else 0


def _pax_records(body: bytes) -> dict[str, str]:
    found = {}
    while match := re.match(rb"(\d+) ([^=]+)=", body):
        line = body[: int(match[1])]
        found[match[2].decode()] = line[match.end() : -1].decode("utf-8", "surrogateescape")
        body = body[int(match[1]) :]
    return found
