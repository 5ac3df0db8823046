"""What a build takes its files from: a stage, an image or the build context, each seen from its own root.

Patterns name files in .dockerignore, and in COPY --exclude and --parents; their rules are those of
moby/patternmatcher: `*` stops at a slash, `**` does not, a leading `!` takes back in, the last pattern that fits
decides, and a folder stands for all that is in it. Links are followed inside a root; a build context shows only what
was sent (fsutil's ResolveWildcards, FollowLinks). A listing is what the cache knows a copied file by: its content,
mode, owner and links, never its times or its own name (BuildKit's contenthash, in effect: a folder's digest covers
the names below it).

Of the client's folder only what the COPYs name is sent, without what .dockerignore names; of that, only the contents
that changed since the last build from the same folder. The bytes are those of tonistiigi/fsutil's packets
(types/stat.proto, types/wire.proto), which is what "transferring context: 48B" counts (examples/build.txt).
"""

from __future__ import annotations

import posixpath
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from labkit.engine.core.records import Known, Listing
from labkit.files import Content, Files, Stat, errno, failure
from labkit.kernel import limits
from labkit.kernel.guarded import Searchable, guarded


class PatternError(ValueError):
    """A pattern that means nothing."""


@dataclass(frozen=True)
class _Pattern:
    regex: Searchable
    exclusion: bool  # begins with !


@dataclass(frozen=True)
class Matcher:
    """A list of patterns, in order."""

    patterns: tuple[_Pattern, ...]

    @property
    def has_exclusions(self) -> bool:
        return any(pattern.exclusion for pattern in self.patterns)

    def matches(self, path: str) -> bool:
        """Whether the patterns name this path (without a leading slash), itself or by a folder above it."""
        above = list(_with_parents(path))
        limits.tick(1 + len(self.patterns) * len(above) // 8)
        matched = False
        for pattern in self.patterns:
            if pattern.exclusion == matched and any(pattern.regex.match(part) for part in above):
                matched = not pattern.exclusion
        return matched


def _with_parents(path: str) -> Iterable[str]:
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def matcher(patterns: Iterable[str]) -> Matcher:
    """Compile patterns. Raises PatternError."""
    made = []
    for text in patterns:
        text = text.strip()
        if not text:
            continue
        exclusion = text.startswith("!")
        if exclusion:
            text = text[1:]
            if not text:
                raise PatternError('illegal exclusion pattern: "!"')
        made.append(_Pattern(_compiled(posixpath.normpath(text)), exclusion))
    return Matcher(tuple(made))


def read_ignore_file(text: str) -> list[str]:
    """The patterns of a .dockerignore."""
    patterns = []
    for line in text.removeprefix("\ufeff").splitlines():
        if line.startswith("#") or not (line := line.strip()):
            continue
        exclusion = "!" if line.startswith("!") else ""
        path = line[len(exclusion) :].strip()
        if path:
            path = posixpath.normpath(path)
            path = path.lstrip("/") if len(path) > 1 else path
        patterns.append(exclusion + path)
    return patterns


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Searchable:
    try:
        return guarded(re.compile(_regex(pattern) + r"\Z", re.S), limits.tick)
    except re.error:
        raise PatternError(f"syntax error in pattern: {pattern}") from None


def _regex(pattern: str) -> str:
    out = ""
    for match in _PIECE.finditer(pattern):
        piece = match[0]
        if piece == "[":
            raise PatternError(f"syntax error in pattern: {pattern}")
        if piece.startswith("**"):
            out += ".*" if match.end() == len(pattern) else "(.*/)?"
        else:
            out += {"*": "[^/]*", "?": "[^/]"}.get(piece) or (piece if piece[0] == "[" else re.escape(piece[-1]))
    return out


_PIECE = re.compile(r"\*\*/?|\[.[^\]]*\]|\\.|.", re.S)


def has_wildcards(path: str) -> bool:
    """Whether Go's filepath.Match would read something else than itself in it."""
    plain = re.sub(r"\\.", "", path)
    return any(character in plain for character in "*?[")


def glob_matches(pattern: str, path: str) -> bool:
    """Go's filepath.Match: `*`, `?`, `[…]` within one name each."""
    return bool(_glob(pattern).match(path))


@lru_cache(maxsize=256)
def _glob(pattern: str) -> Searchable:
    return guarded(re.compile(_regex(re.sub(r"\*+", "*", pattern)) + r"\Z", re.S), limits.tick)


_STEPS = 2  # that looking at a file takes


@dataclass(frozen=True)
class SourceTree:
    """Files from a root, and the paths that are seen of them (None: all). What was sent from a client is root's."""

    files: Files
    seen: frozenset[str] | None = None

    def lstat(self, path: str) -> Stat:
        """By a path from the root, with a leading slash."""
        if self.seen is not None and path != "/" and path[1:] not in self.seen:
            raise failure(errno.ENOENT, path)
        about = self.files.lstat(path)
        return about if self.seen is None else about._replace(st_uid=0, st_gid=0)

    def listdir(self, path: str) -> list[str]:
        names = self.files.listdir(path)
        if self.seen is None:
            return names
        above = path.strip("/") + "/" if path != "/" else ""
        return [name for name in names if above + name in self.seen]

    def content(self, path: str) -> Content:
        return self.files.content(path)

    def resolve(self, path: str) -> str:
        """The path without links; raises OSError where nothing is there."""
        real = self.files.realpath(path)
        self.lstat(real)
        return real

    def find(self, pattern: str) -> list[tuple[str, str]]:
        """What a source path names: its last name and where it is, links followed; with wildcards perhaps nothing."""
        pattern = posixpath.normpath("/" + pattern).strip("/")
        paths = self._fitting("", pattern.split("/")) if has_wildcards(pattern) else [pattern]
        return [(posixpath.basename(path), self.resolve("/" + path)) for path in paths]

    def _fitting(self, above: str, patterns: list[str]) -> Iterator[str]:
        folder = "/" + above
        try:
            if not stat.S_ISDIR(self.files.stat(folder).st_mode):
                return
            names = self.listdir(self.resolve(folder))
        except OSError:
            return
        for name in names:
            if glob_matches(patterns[0], name):
                path = f"{above}/{name}" if above else name
                if len(patterns) == 1:
                    yield path
                else:
                    yield from self._fitting(path, patterns[1:])

    def walk(self, top: str) -> Iterator[tuple[str, Stat]]:
        """All below a folder, each with its path from there, in order."""
        for name in self.listdir(top):
            limits.tick(_STEPS)
            path = f"{top.rstrip('/')}/{name}"
            about = self.lstat(path)
            yield name, about
            if stat.S_ISDIR(about.st_mode):
                yield from ((f"{name}/{inner}", known) for inner, known in self.walk(path))


def listing(tree: SourceTree, path: str, exclude: Matcher | None = None, include: Matcher | None = None) -> Listing:
    """What goes into the digest of a file, or of a folder with all in it."""
    about = tree.lstat(path)
    found = {"": _header(tree, path, about)}
    if stat.S_ISDIR(about.st_mode):
        for name, known in tree.walk(path):
            if not (exclude and exclude.matches(name)) and not (include and not include.matches(name)):
                found[name] = _header(tree, _join(path, name), known)
    return found


def digest_of(files: Listing) -> str:
    """The digest of a listing."""
    digest = sha256()
    for name, header in files.items():
        digest.update((f"\0{name}\0{header}" if name else header).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _header(tree: SourceTree, path: str, about: Stat) -> str:
    owner = f"{about.st_uid}:{about.st_gid}"
    if stat.S_ISREG(about.st_mode):
        return f"{about.st_mode:o} {owner} {about.st_size} {tree.content(path).fingerprint()}"
    if stat.S_ISLNK(about.st_mode):
        return f"link {owner} {tree.files.readlink(path)}"
    return f"{about.st_mode:o} {owner} {about.st_rdev}"


def _join(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


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
