"""dd: blocks from one file to another. Whole stretches are moved at once, as sparse contents."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from labkit.files import O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_TRUNC, O_WRONLY, Content, Handle, errno
from labkit.userland.mounting import usage_of
from labkit.userland.quantities import factor, scaled
from labkit.userland.tool import Say, Tool, Utility

_SPEED = 1_200_000_000  # bytes a second, for the summary
_ENDLESS = 1 << 40  # bytes that an endless device gives at once


@dataclass
class Job:
    """What the operands say."""

    source: str | None = None
    target: str | None = None
    in_block: int = 512
    out_block: int = 512
    count: int | None = None
    skip: int = 0
    seek: int = 0
    status: str = ""
    flags: dict[str, set[str]] = field(default_factory=lambda: {"conv": set(), "iflag": set(), "oflag": set()})


_TEXTS = {"if": "source", "of": "target", "status": "status"}  # operand: what of the job it says
_NUMBERS = {
    "bs": ("in_block", "out_block"), "ibs": ("in_block",), "obs": ("out_block",), "cbs": (), "count": ("count",),
    "skip": ("skip",), "iseek": ("skip",), "seek": ("seek",), "oseek": ("seek",),
}  # fmt: skip
_CONVERSIONS = {
    "notrunc",
    "noerror",
    "sync",
    "fsync",
    "fdatasync",
    "excl",
    "nocreat",
    "ucase",
    "lcase",
    "swab",
    "sparse",
}
_FLAGS = {"append", "direct", "directory", "dsync", "sync", "fullblock", "nonblock", "noatime", "nocache", "noctty",
          "nofollow", "count_bytes", "skip_bytes", "seek_bytes"}  # fmt: skip


def _number(tool: Tool, text: str) -> int:
    product = 1
    for part in text.split("x") if tool.gnu else [text]:
        match = re.fullmatch(r"(\d+)([A-Za-z]*)", part)
        try:
            product *= int(match[1]) * factor(match[2], gnu=tool.gnu) if match else int("x")
        except ValueError:
            tool.refuse(Say("invalid number '{0}'", "invalid number: {0:l}"), text)
    return product


def _parse(tool: Tool) -> Job:
    job = Job()
    args = [arg for arg in tool.args if arg != "--"]
    for arg in args:
        name, equals, value = arg.partition("=")
        if not equals or name not in (*_TEXTS, *_NUMBERS, *job.flags):
            if arg in ("--help", "--version") and tool.gnu:
                tool._about(arg[2:])
            tool.usage(tool.text(Say("", "unrecognized operand {0:l}"), arg))
        _set(tool, job, name, value)
    return job


def _set(tool: Tool, job: Job, name: str, value: str) -> None:
    if name in _TEXTS:
        setattr(job, _TEXTS[name], value)
    elif name in job.flags:
        known = (_CONVERSIONS if tool.gnu else _CONVERSIONS - {"ucase", "lcase"}) if name == "conv" else _FLAGS
        for flag in value.split(","):
            if flag not in known:
                kind = {"conv": "conversion", "iflag": "input flag", "oflag": "output flag"}[name]
                gnu = tool.text(Say("", f"invalid {kind}: {{0:l}}"), flag)
                tool.wrong(gnu, f"invalid argument '{flag}' to '{name}'")
            job.flags[name].add(flag)
    else:
        number = _number(tool, value)
        if number == 0 and name in ("bs", "ibs", "obs"):
            tool.refuse(Say("number 0 is not in 1..2147483647 range", "invalid number: {0:l}"), value)
        for field_name in _NUMBERS[name]:
            setattr(job, field_name, number)


def dd(tool: Tool) -> None:
    job = _parse(tool)
    reader = _open(tool, job.source, O_RDONLY) if job.source is not None else None
    writer = _open_target(tool, job) if job.target is not None else None
    try:
        data = _read(tool, job, reader)
    except OSError as error:
        tool.complain(Say("{0}", "error reading {0:q}"), job.source or "standard input", error=error)
        if tool.gnu:
            _summary(tool, job, (0, 0), 0)
        return
    if "ucase" in job.flags["conv"] or "lcase" in job.flags["conv"]:
        text = tool.whole(data)
        data = Content(text.upper() if "ucase" in job.flags["conv"] else text.lower())
    full, part = divmod(data.size, job.in_block)
    if part and "sync" in job.flags["conv"]:
        data = data + bytes(job.in_block - part)
    written = data.size
    if writer is None:
        tool.process.stdout.write_content(data)
    else:
        written = _write(tool, job, writer, data)
        if written < data.size:
            full, part = min(full, written // job.in_block + 1), 0
    if job.status != "none":
        _summary(tool, job, (full, int(part > 0)), written)


def _open(tool: Tool, path: str, flags: int) -> Handle:
    with tool.refusing(Say("can't open '{0}'", "failed to open {0:q}"), path):
        return tool.files.open(path, flags)


def _open_target(tool: Tool, job: Job) -> Handle:
    conv = job.flags["conv"]
    flags = O_WRONLY | (0 if "nocreat" in conv else O_CREAT) | (O_EXCL if "excl" in conv else 0)
    keep = "notrunc" in conv
    start = job.seek * (1 if "seek_bytes" in job.flags["oflag"] else job.out_block)
    if not keep and not start:
        flags |= O_TRUNC
    if "append" in job.flags["oflag"]:
        flags |= O_APPEND
    handle = _open(tool, str(job.target), flags)
    if start:
        if not keep and handle.stat().st_mode & 0o170000 == 0o100000:
            handle.truncate(start)
        handle.seek(start)
    return handle


def _read(tool: Tool, job: Job, reader: Handle | None) -> Content:
    size = -1
    if job.count is not None:
        size = job.count if "count_bytes" in job.flags["iflag"] else job.count * job.in_block
    skip = job.skip * (1 if "skip_bytes" in job.flags["iflag"] else job.in_block)
    if reader is None:
        stdin = tool.process.stdin
        stdin.read_content(skip) if skip else None
        return stdin.read_content(size)
    if skip:
        reader.seek(skip)
    return reader.read_content(size)


def _write(tool: Tool, job: Job, writer: Handle, data: Content) -> int:
    """How many bytes found room."""
    limited = data.size >= _ENDLESS
    if limited:  # an endless source: as much as the disk has room for
        room = usage_of(tool.files, tool.files.find(str(job.target)).mount).available
        data = data[: max(0, room)]  # type: ignore[assignment]
    written = 0
    while written < data.size:
        tool.tick()
        try:
            written += writer.write_some(data[written:])  # type: ignore[arg-type]
        except OSError as error:
            if error.errno != errno.ENOSPC:
                tool.refuse(Say("error writing '{0}'", "error writing {0:q}"), str(job.target), error=error)
            limited = True
            break
    if limited:
        tool.complain(
            Say("error writing '{0}': No space left on device", "error writing {0:q}: No space left on device"),
            str(job.target),
        )
    return written


def _summary(tool: Tool, job: Job, records: tuple[int, int], written: int) -> None:
    full, part = divmod(written, job.out_block)
    lines = [f"{records[0]}+{records[1]} records in", f"{full}+{int(part > 0)} records out"]
    if tool.gnu and job.status != "noxfer":
        lines.append(_transfer(written))
    tool.process.stderr.write("".join(f"{line}\n" for line in lines))


def _transfer(written: int) -> str:
    seconds = max(0.0001, round(written / _SPEED, 6))
    size = f"{written} byte{'' if written == 1 else 's'}"
    decimal, binary = _rounded(written, 1000), _rounded(written, 1024)
    if written >= 1024:
        size += f" ({decimal}B, {binary}iB)"
    elif written >= 1000:
        size += f" ({decimal}B)"
    shown = f"{seconds:.6g}"
    return f"{size} copied, {shown} s, {_rounded(int(written / seconds), 1000)}B/s"


def _rounded(number: int, base: int) -> str:
    """Three digits at least: 1.0 M, 19 k, 306 M, as dd counts (rounded to the nearest)."""
    if number < base:
        return f"{number} "
    value, power = scaled(number, base)
    letter = ("KMGTPEZY" if base == 1024 else "kMGTPEZY")[power - 1]
    digits = f"{value:.1f}" if value < Decimal("9.95") else f"{value:.0f}"
    return f"{digits} {letter}"


UTILITIES = {
    "dd": Utility(
        dd,
        None,
        None,
        "[if=FILE] [of=FILE] [ibs=N obs=N/bs=N] [count=N] [skip=N] [seek=N]\n[conv=notrunc|noerror|sync|fsync]",
        "[OPERAND]...",
    ),
}
