"""What the cache knows a copied file by: its content, mode, owner and links, never its times or its own name.

BuildKit's contenthash, in effect: a folder's digest covers the names below it.
"""

from __future__ import annotations

import stat
from hashlib import sha256

from labkit.files import Stat

from .ignore import Matcher
from .trees import SourceTree

Listing = dict[str, str]  # each file by its path ("" the source itself), as the key knows it


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
