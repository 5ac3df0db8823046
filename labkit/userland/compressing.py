"""gzip, gunzip, zcat; and for tar: what is compressed, by its first bytes."""

from __future__ import annotations

import zlib
from importlib import import_module
from typing import Protocol

from labkit.files import Content
from labkit.kernel.unpacking import packing, unpacked
from labkit.userland.tool import Say, Tool, Utility

_COST = 1600  # steps that packing 1 MiB takes


class Packer(Protocol):
    """What zlib, bz2 and lzma pack with."""

    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def compressed(tool: Tool, content: Content, kind: str = "z") -> bytes:
    """z: gzip (without a name and a time, so that equal contents stay equal), j: bzip2, J: xz."""
    if kind == "z":
        packer: Packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    elif kind == "j":
        packer = import_module("bz2").BZ2Compressor()
    else:
        packer = import_module("lzma").LZMACompressor()
    out = bytearray()
    for block in content.blocks():
        tool.tick(1 + _COST * len(block) >> 20)
        out += packer.compress(block)
    return bytes(out + packer.flush())


def gzip(tool: Tool) -> None:
    unpacking = tool.name in ("gunzip", "zcat") or tool.has("d", "t")
    to_stdout = tool.name == "zcat" or tool.has("c")
    for path in tool.operands or ["-"]:
        if path != "-" and tool.files.is_dir(path):
            tool.complain(
                Say("{0}: Is a directory", "{0} is a directory -- ignored"), path, status=2 if tool.gnu else 1
            )
            continue
        try:
            _one(tool, path, unpacking, to_stdout or path == "-")
        except OSError as error:
            tool.complain(Say("{0}", "{0}"), str(error.filename or path), error=error)


def _one(tool: Tool, path: str, unpacking: bool, to_stdout: bool) -> None:
    shown = "gzip" if tool.gnu else tool.name
    if unpacking and not to_stdout and not tool.has("t") and not path.endswith((".gz", ".tgz", ".Z")):
        tool.process.stderr.write(f"{shown}: {path}: unknown suffix {'--' if tool.gnu else '-'} ignored\n")
        tool.status = 2 if tool.gnu else 1
        return
    content = tool.content(path)
    if unpacking:
        result = _expand(tool, path, content)
        if result is None:
            return
    else:
        if path.endswith(".gz") and not to_stdout and not tool.has("f", "t") and tool.gnu:
            tool.process.stderr.write(f"{shown}: {path} already has .gz suffix -- unchanged\n")
            return
        result = Content(_header(tool, path) + compressed(tool, content)[10:])
    if tool.has("t"):
        return
    if to_stdout:
        tool.process.stdout.write_content(result)
        return
    _replace(tool, path, _target(path, unpacking), result, shown)


def _header(tool: Tool, path: str) -> bytes:
    """gzip's first bytes (RFC 1952): GNU's with the file's name and time."""
    if not tool.gnu or path == "-" or tool.has("n"):
        return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
    seconds = tool.files.stat(path).st_mtime_ns // 10**9
    name = path.rpartition("/")[2].encode("utf-8", "surrogateescape")
    return b"\x1f\x8b\x08\x08" + (seconds & 0xFFFFFFFF).to_bytes(4, "little") + b"\x00\x03" + name + b"\0"


def _target(path: str, unpacking: bool) -> str:
    if not unpacking:
        return path + ".gz"
    return path.removesuffix(".tgz") + ".tar" if path.endswith(".tgz") else path.rpartition(".")[0]


def _expand(tool: Tool, path: str, content: Content) -> Content | None:
    name = "stdin" if path == "-" else path
    why = "not in gzip format", "no gzip/bzip2/xz magic" if tool.name == "zcat" else "invalid magic"
    try:
        result = unpacked(content) if packing(content) == "gzip" else None
    except ValueError:
        result, why = None, ("invalid compressed data--format violated", "corrupted data")
    if result is None:
        tool.process.stderr.write(f"\ngzip: {name}: {why[0]}\n" if tool.gnu else f"{tool.name}: {why[1]}\n")
        tool.status = 1
    return result


def _replace(tool: Tool, path: str, target: str, result: Content, shown: str) -> None:
    files = tool.files
    if files.exists(target) and not tool.has("f"):
        if tool.gnu:
            tool.process.stderr.write(f"gzip: {target} already exists;\tnot overwritten\n")
            tool.status = 2
        else:
            tool.err(f"can't open '{target}': File exists")
        return
    about = files.stat(path)
    files.write(target, result)
    files.chmod(target, about.st_mode & 0o7777)
    files.chown(target, about.st_uid, about.st_gid)
    if tool.gnu:
        files.utime(target, about.st_atime_ns, about.st_mtime_ns)
    if not tool.has("k"):
        files.unlink(path)


_SPEC = "c=stdout f=force k=keep d=decompress t=test n=no-name q=quiet v=verbose 1=fast 2 3 4 5 6 7 8 9=best r l N S:"
UTILITIES = {
    name: Utility(gzip, "c f k d t 1 2 3 4 5 6 7 8 9 n q v", _SPEC, usage, package="gzip 1.12)")
    for name, usage in (("gzip", "[-cfkdt] [FILE]..."), ("gunzip", "[-cfkt] [FILE]..."), ("zcat", "[FILE]..."))
}
