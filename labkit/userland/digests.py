"""Digests and encodings: sha…sum, md5sum, cksum, base64, base32."""

from __future__ import annotations

import base64 as encodings
import hashlib
import re
from collections.abc import Callable
from itertools import chain

from labkit.files import Content
from labkit.userland.tool import OPEN, SAME, Say, Tool, Utility, text_of

_COST = 400  # steps that 1 MiB takes
_LINE = re.compile(r"\\?([0-9a-fA-F]+) [ *](.*)")
_TAGGED = re.compile(r"(\w+) \((.*)\) = ([0-9a-fA-F]+)")


def digest(tool: Tool, content: Content, kind: str) -> str:
    if kind == "sha256":
        tool.tick(1 + _COST * content.size // (1 << 20))
        return content.sha256()
    made = hashlib.new(kind, usedforsecurity=False)
    for block in content.blocks():
        tool.tick(1 + _COST * len(block) // (1 << 20))
        made.update(block)
    return str(made.hexdigest())


def summer(kind: str) -> Callable[[Tool], None]:
    def run(tool: Tool) -> None:
        if tool.has("c"):
            _check(tool, kind)
            return
        for path, content in tool.inputs(OPEN, reading=Say("can't read '{0}'", "{0:n}")):
            made = digest(tool, content, kind)
            if tool.has("tag"):
                tool.out(f"{kind.upper()} ({path}) = {made}\n")
            else:
                tool.out(f"{made} {'*' if tool.has('b') and tool.gnu else ' '}{path}\n")

    return run


def _check(tool: Tool, kind: str) -> None:
    for path, content in tool.inputs():
        _check_list(tool, kind, path, text_of(tool.whole(content)).splitlines())


def _check_list(tool: Tool, kind: str, path: str, lines: list[str]) -> None:
    good = bad = unread = malformed = 0
    for line in lines:
        match, tagged = _LINE.fullmatch(line), _TAGGED.fullmatch(line)
        if not (match or tagged):
            malformed += 1
            continue
        wanted, name = (match[1], match[2]) if match else (tagged[3], tagged[2])  # type: ignore[index]
        made = tool.attempt(lambda: digest(tool, tool.content(name), kind), OPEN, name)  # noqa: B023 (called at once)
        if made is None:
            unread += 1
            if not tool.has("status"):
                tool.out(f"{name}: FAILED{' open or read' if tool.gnu else ''}\n")
            continue
        fine = made == wanted.lower()
        good, bad = good + fine, bad + (not fine)
        quiet = tool.has("status", "s") or (fine and tool.has("quiet"))
        if not quiet:
            tool.out(f"{name}: {'OK' if fine else 'FAILED'}\n")
    _warn(tool, path, good, bad, unread, malformed)


def _warn(tool: Tool, path: str, good: int, bad: int, unread: int, malformed: int) -> None:
    if not tool.gnu:
        wrong, total = bad + unread + malformed, good + bad + unread + malformed
        if wrong:
            tool.status = 1
            if not tool.has("s"):
                tool.err(f"WARNING: {wrong} of {total} computed checksums did NOT match")
        return
    if good + bad + unread == 0:
        tool.complain(Say("", "{0:n}: no properly formatted checksum lines found"), path)
        return
    if malformed and not tool.has("status"):
        lines = "line is" if malformed == 1 else "lines are"
        tool.process.stderr.write(f"{tool.name}: WARNING: {malformed} {lines} improperly formatted\n")
    if unread:
        files = "listed file" if unread == 1 else "listed files"
        tool.err(f"WARNING: {unread} {files} could not be read")
    if bad:
        sums = "computed checksum" if bad == 1 else "computed checksums"
        if not tool.has("status"):
            tool.err(f"WARNING: {bad} {sums} did NOT match")
        tool.status = 1


# cksum


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    return table


def _crc(tool: Tool, content: Content) -> int:
    """POSIX's CRC: the bytes, then their number, lowest byte first."""
    table, value, length = _crc_table(), 0, content.size
    tail = length.to_bytes(-(-length.bit_length() // 8), "little")
    for block in chain(content.blocks(), (tail,)):
        tool.tick(1 + len(block) // 64)
        for byte in block:
            value = (value << 8 & 0xFFFFFFFF) ^ table[value >> 24 ^ byte]
    return value ^ 0xFFFFFFFF


def cksum(tool: Tool) -> None:
    for path, content in tool.inputs(SAME):
        name = "" if path == "-" and not tool.operands else f" {path}"
        tool.out(f"{_crc(tool, content)} {content.size}{name}\n")


# base64


def coder(
    encode: Callable[[bytes], bytes], decode: Callable[[bytes], bytes], alphabet: bytes
) -> Callable[[Tool], None]:
    def run(tool: Tool) -> None:
        for _, content in tool.inputs(SAME, tool.operands[:1]):
            data = tool.whole(content)
            if tool.has("d", "D"):
                _decode(tool, data, decode, alphabet)
                continue
            text = encode(data)
            width = max(0, tool.number("w", 76))
            tool.hold(len(text) + 40 * (len(text) // width) if width else 0)
            lines = [text[start : start + width] for start in range(0, len(text), width)] if width else [text]
            tool.out(b"\n".join(lines) + (b"\n" if width and text else b""))

    return run


def _decode(tool: Tool, data: bytes, decode: Callable[[bytes], bytes], alphabet: bytes) -> None:
    text = bytes(byte for byte in data if byte in alphabet) if tool.has("i") else data.replace(b"\n", b"")
    good = next((place for place, byte in enumerate(text) if byte not in alphabet), len(text))
    unit = 4 if len(alphabet) > 40 else 8
    whole = text[: good // unit * unit]
    tool.out(decode(whole) if whole else b"")
    if good < len(text) or good % unit:
        tool.fail("invalid input" if tool.gnu else "truncated input" if good == len(text) else "invalid input")


_SUM = (
    "c s w b t",
    "b=binary c=check t=text w=warn z =quiet =status =strict =tag =ignore-missing",
    "[-c[sw]] [FILE]...",
)
_B64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_B32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567="
UTILITIES = {
    **{f"{kind}sum": Utility(summer(kind), *_SUM) for kind in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")},
    "cksum": Utility(cksum, "", "a:", "FILE..."),
    "base64": Utility(
        coder(encodings.b64encode, encodings.b64decode, _B64),
        "d w:",
        "d=decode i=ignore-garbage w:=wrap D",
        "[-d] [-w COL] [FILE]",
    ),
    "base32": Utility(
        coder(encodings.b32encode, encodings.b32decode, _B32),
        "d w:",
        "d=decode i=ignore-garbage w:=wrap",
        "[-d] [-w COL] [FILE]",
    ),
}
