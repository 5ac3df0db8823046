"""The build context: what is sent from the client's folder to the builder, and how many bytes that takes.

Only what the Dockerfile's COPYs name is sent, without what .dockerignore names; of that, only the contents that changed
since the last build from the same folder. The bytes are those of tonistiigi/fsutil's packets (types/stat.proto,
types/wire.proto), which is what "transferring context: 48B" counts (examples/build.txt).
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from labkit.files import Files

from .ignore import Matcher, glob_matches, has_wildcards
from .trees import SourceTree

_CHUNK = 32 << 10  # bytes of a file in one packet
_FIN = 2  # bytes of the last packet
_GO_TYPES = {  # the bits of Go's os.FileMode
    stat.S_IFDIR: 1 << 31,
    stat.S_IFLNK: 1 << 27,
    stat.S_IFIFO: 1 << 25,
    stat.S_IFSOCK: 1 << 24,
    stat.S_IFBLK: 1 << 26,
    stat.S_IFCHR: 1 << 26 | 1 << 21,
}
_GO_BITS = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}

Known = tuple[int, int, int, str]  # mode, size, mtime and link target: what tells that a file changed


@dataclass(frozen=True)
class Transfer:
    """What was sent: the packets' bytes, and what the builder knows now of each file, by path."""

    sent: int
    known: dict[str, Known] = field(hash=False)

    @property
    def size(self) -> int:
        """Bytes of the regular files that the builder has."""
        return sum(size for mode, size, _, _ in self.known.values() if stat.S_ISREG(mode))


def send(files: Files, paths: Iterable[str], before: dict[str, Known]) -> Transfer:
    """Send these files of a folder to a builder that knows of `before`."""
    sent = _FIN
    known: dict[str, Known] = {}
    for number, path in enumerate(paths):
        about = files.lstat("/" + path)
        link = files.readlink("/" + path) if stat.S_ISLNK(about.st_mode) else ""
        size = 0 if stat.S_ISDIR(about.st_mode) else about.st_size
        known[path] = (about.st_mode, size, about.st_mtime_ns, link)
        sent += _stat_packet(path, known[path])
        if stat.S_ISREG(about.st_mode) and before.get(path) != known[path]:
            sent += _data_packets(number, size)
    return Transfer(sent, known)


def _stat_packet(path: str, known: Known) -> int:
    mode, size, mtime, link = known
    length = _text(path) + _number(_go_mode(mode)) + _number(size) + _number(mtime) + _text(link)
    return 1 + _varint(length) + length


def _data_packets(number: int, size: int) -> int:
    head = 2 + _number(number)  # type and id
    full, rest = divmod(size, _CHUNK)
    total = head + full * (head + 1 + _varint(_CHUNK) + _CHUNK)  # with the empty one at the end
    return total + (head + 1 + _varint(rest) + rest if rest else 0)


def _go_mode(mode: int) -> int:
    bits = _GO_TYPES.get(stat.S_IFMT(mode), 0) | mode & 0o777
    return bits | sum(go for bit, go in _GO_BITS.items() if mode & bit)


def _text(text: str) -> int:
    length = len(text.encode("utf-8", "surrogateescape"))
    return 1 + _varint(length) + length if length else 0


def _number(value: int) -> int:
    return 1 + _varint(value) if value else 0


def _varint(value: int) -> int:
    return max(1, -(-(value & (1 << 64) - 1).bit_length() // 7))


def context_paths(files: Files, ignore: Matcher | None, wanted: Iterable[str]) -> Iterator[str]:
    """The paths to send, parents first, in the order of fsutil's walk.

    `wanted`: what the COPYs name, from the root and without a leading slash; "" is everything.
    """
    patterns = [path.strip("/") for path in wanted]
    if "" in patterns or "." in patterns:
        patterns = []
    else:
        patterns += [link for path in patterns for link in _link_targets(files, path)]
        if not patterns:
            return
    yield from _walk(files, "", ignore, patterns)


def _link_targets(files: Files, path: str) -> list[str]:
    """The links on the way to a path and where it really is: they are needed to follow it."""
    if has_wildcards(path):
        return []
    found = []
    try:
        found.append(files.realpath("/" + path).strip("/"))
    except OSError:
        return []
    parts = path.split("/")
    for end in range(1, len(parts)):
        part = "/".join(parts[:end])
        if stat.S_ISLNK(files.lstat("/" + part).st_mode):
            found.append(part)
    return [each for each in found if each != path]


def _walk(files: Files, above: str, ignore: Matcher | None, patterns: list[str]) -> Iterator[str]:
    for name in files.listdir("/" + above):
        path = f"{above}/{name}" if above else name
        is_folder = stat.S_ISDIR(files.lstat("/" + path).st_mode)
        ignored = ignore is not None and ignore.matches(path)
        if ignored and not (is_folder and ignore and ignore.has_exclusions):
            continue
        named = not patterns or any(_names(pattern, path) for pattern in patterns)
        if not is_folder:
            if named and not ignored:
                yield path
            continue
        if not named and not any(_leads_to(path, pattern) for pattern in patterns):
            continue
        inner = _walk(files, path, ignore, [] if named else patterns)
        if named and not ignored:
            yield path
            yield from inner
        else:
            for number, found in enumerate(inner):
                if number == 0:
                    yield path
                yield found


def _names(pattern: str, path: str) -> bool:
    """Whether a pattern names this path or a folder above it."""
    count = pattern.count("/") + 1
    head = "/".join(path.split("/")[:count])
    return head.count("/") + 1 == count and (head == pattern or glob_matches(pattern, head))


def _leads_to(folder: str, pattern: str) -> bool:
    """Whether what the pattern names may be in this folder."""
    count = folder.count("/") + 1
    head = "/".join(pattern.split("/")[:count])
    return pattern.count("/") >= count and (head == folder or glob_matches(head, folder))


def context_tree(files: Files, paths: Iterable[str]) -> SourceTree:
    return SourceTree(files, frozenset(paths))
