"""What a container's process prints: shown to who is attached, and kept in its json-file log, a line each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from labkit.engine.core import gojson
from labkit.engine.core.core import Core
from labkit.engine.core.errors import parse_time, rfc3339, system
from labkit.engine.core.records import Container
from labkit.files import Content
from labkit.kernel.process import Input, Output, Runaway

_LIMIT = 8 << 20  # bytes of one write that a log keeps
_LINES = 30_000  # that a process may print before it waits or ends


@dataclass(frozen=True)
class Streams:
    """Where a process's output goes and its input comes from."""

    stdout: Output
    stderr: Output
    stdin: Input | None = None


class Log:
    """Lines that were printed since it was made, with their times; `flush` puts them into the container's log file."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._rest = {"stdout": b"", "stderr": b""}
        self._lines: list[tuple[str, int, bytes]] = []

    def add(self, stream: str, data: bytes) -> None:
        *whole, rest = (self._rest[stream] + data).split(b"\n") if data else [self._rest[stream]]
        now = self._now()
        self._lines += [(stream, now, line + b"\n") for line in whole]
        self._rest[stream] = rest
        if len(self._lines) > _LINES or len(rest) > _LIMIT:
            raise Runaway("the container prints too much")

    def flush(self, core: Core, container: Container) -> None:
        for stream, rest in self._rest.items():
            if rest:
                self._lines.append((stream, self._now(), rest))
        if self._lines:
            core.host.append(container.log_path, "".join(_record(*line) for line in self._lines))
        self._lines, self._rest = [], {"stdout": b"", "stderr": b""}


class Recorded(Output):
    """An output that is kept in a log and goes on to who is attached."""

    def __init__(self, log: Log, stream: str, attached: Output | None = None, *, isatty: bool = False) -> None:
        super().__init__()
        self.log = log
        self._stream = stream
        self._attached = attached
        self.isatty = isatty

    def _add(self, piece: Content | bytes, cost: int) -> None:
        self.size += cost
        if self._attached is not None:
            if isinstance(piece, Content):
                self._attached.write_content(piece)
            else:
                self._attached.write(piece)
        if len(piece) <= _LIMIT:
            self.log.add(self._stream, bytes(piece))


def _record(stream: str, now: int, line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return gojson.dumps({"log": text, "stream": stream, "time": rfc3339(now)}) + "\n"


def read(core: Core, container: Container) -> list[tuple[str, int, bytes]]:
    """Stream, time (ns) and bytes of each line of the log. Raises EngineError: there is none (moby, daemon/logger)."""
    if (container.host("LogConfig") or {}).get("Type") == "none":
        raise system("configured logging driver does not support reading")
    try:
        text = core.host.read(container.log_path).decode("utf-8", "replace")
    except OSError:
        return []
    lines = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        lines.append((record["stream"], parse_time(record["time"]), record["log"].encode()))
    return lines
