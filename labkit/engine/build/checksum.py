"""What the cache knows a copied file by: its content, mode, owner and links, never its times or its own name.

BuildKit's contenthash, in effect: a folder's digest covers the names below it.
"""

from __future__ import annotations

import stat
from hashlib import sha256

from labkit.files import Stat

from .ignore import Matcher
from .trees import SourceTree


def checksum(tree: SourceTree, path: str, exclude: Matcher | None = None, include: Matcher | None = None) -> str:
    """The digest of a file, or of a folder with all in it."""
    about = tree.lstat(path)
    digest = sha256(_header(tree, path, about).encode())
    if stat.S_ISDIR(about.st_mode):
        for name, known in tree.walk(path):
            if (exclude and exclude.matches(name)) or (include and not include.matches(name)):
                continue
            digest.update(f"\0{name}\0{_header(tree, _join(path, name), known)}".encode("utf-8", "replace"))
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
