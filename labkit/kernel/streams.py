"""What a process reads from and writes to."""

from __future__ import annotations

from labkit.files import Content
from labkit.kernel.limits import Runaway


class Output:
    """A stream to write to; this one keeps what is written, in order."""

    def __init__(self, limit: int = 8 << 20) -> None:
        self.pieces: list[Content | bytes] = []
        self.size = 0
        self.limit = limit  # bytes

    def write(self, data: bytes | str) -> int:
        piece = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else bytes(data)
        self._add(piece, len(piece))
        return len(piece)

    def write_last(self, text: str) -> None:
        """A last word, limit or not."""
        self.pieces.append(text.encode())

    def write_content(self, content: Content) -> int:
        """Sparse bytes, kept as such."""
        self._add(content, len(content))
        return len(content)

    def _add(self, piece: Content | bytes, cost: int) -> None:
        self.size += cost
        if self.size > self.limit:
            raise Runaway(f"the output is longer than {self.limit >> 20} MiB")
        self.pieces.append(piece)

    def content(self) -> Content:
        return Content.join(self.pieces)

    def getvalue(self) -> bytes:
        return bytes(self.content())

    isatty = False


class Null(Output):
    """/dev/null."""

    def _add(self, piece: Content | bytes, cost: int) -> None:
        pass


class Input:
    """A stream to read from: bytes that are there from the start, then the end of file."""

    def __init__(self, content: Content | bytes = b"", *, isatty: bool = False) -> None:
        self._content = content
        self._place = 0
        self.isatty = isatty

    def read(self, size: int = -1) -> bytes:
        return bytes(self.read_content(size))

    def read_content(self, size: int = -1) -> Content:
        if isinstance(self._content, bytes):
            self._content = Content(self._content)
        end = len(self._content) if size < 0 else min(len(self._content), self._place + size)
        piece: Content = self._content[self._place : end]  # type: ignore[assignment]
        self._place = end
        return piece

    def readline(self) -> bytes:
        """One line with its newline; b"" at the end."""
        line = bytearray()
        while byte := self.read(1):
            line += byte
            if byte == b"\n":
                break
        return bytes(line)
