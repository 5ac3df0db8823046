"""Where docker cp puts what it copies: the rules of cp -a (moby/go-archive copy.go).

An archive holds one file or folder under its base name; depending on what the destination is, it is unpacked there, or
beside it under the destination's name.
"""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labkit.dockercli.flags import StatusError
from labkit.files import Content, Entry, Files, errno


@dataclass(frozen=True)
class CopyInfo:
    """One side of a copy. `path` keeps a slash or /. at its end; `rebase` is another name for what is copied."""

    path: str
    exists: bool = False
    is_dir: bool = False
    rebase: str = ""


def keep_ending(cleaned: str, original: str) -> str:
    """The cleaned path with the slash or /. that the original ended in."""
    if asserts_current(original) and not asserts_current(cleaned):
        cleaned = cleaned.rstrip("/") + "/."
    elif original.endswith("/") and not cleaned.endswith("/"):
        cleaned += "/"
    return cleaned


def asserts_current(path: str) -> bool:
    return not path or posixpath.basename(path) == "."  # Go's filepath.Base of "" is .


def asserts_folder(path: str) -> bool:
    return path.endswith("/") or asserts_current(path)


def split_entry(path: str) -> tuple[str, str]:
    """The folder and the base name; /a/. is in /a under the name . (SplitPathDirEntry)."""
    cleaned = posixpath.normpath(path)
    if asserts_current(path):
        return cleaned, "."
    folder, base = posixpath.split(cleaned)
    return folder or ".", base


def plan(source: CopyInfo, target: CopyInfo) -> tuple[str, str, str]:
    """The folder to unpack in, and the base name to replace by another ("" and "" where none is)."""
    folder, target_base = split_entry(target.path)
    source_base = split_entry(source.rebase)[1] if source.rebase else split_entry(source.path)[1]
    if target.exists and target.is_dir:
        return target.path, "", ""
    if target.exists and source.is_dir:
        raise StatusError("cannot copy directory")
    if not target.exists and not source.is_dir and asserts_folder(target.path):
        raise StatusError("no such directory")
    return folder, source_base, target_base


def rebase(entries: Iterable[Entry], old: str, new: str) -> Iterator[Entry]:
    """The same entries below another base name."""
    for entry in entries:
        link = _renamed(entry.hardlink, old, new) if entry.hardlink is not None else None
        yield entry._replace(path=_renamed(entry.path, old, new), hardlink=link)


def _renamed(path: str, old: str, new: str) -> str:
    if old in ("", ".", "/"):
        return f"{new}/{path}" if path else new
    return new + path[len(old) :] if path == old or path.startswith(old + "/") else path


def source_info(files: Files, path: str, *, follow: bool) -> CopyInfo:
    """What is to be copied from here, links followed but for one at the end. Raises StatusError: it is not there."""
    folder, base = (path, "") if follow else (posixpath.dirname(path) or "/", posixpath.basename(path))
    real = _evaluated(files, folder, ends=path.endswith("/") or not follow)
    real = keep_ending(real, path) if follow else f"{real.rstrip('/')}/{base}"
    asked, found = (posixpath.basename(name.rstrip("/")) for name in (path, real))
    rebased = asked if asked != found and (follow or path.endswith("/")) else ""
    try:
        about = files.lstat(real)
    except OSError as error:
        raise StatusError(f"lstat {real}: {(error.strerror or '').lower()}") from None
    return CopyInfo(real, True, stat.S_ISDIR(about.st_mode), rebased)


def _evaluated(files: Files, path: str, *, ends: bool) -> str:
    """As Go's filepath.EvalSymlinks. `ends`: a slash comes after the path. Raises StatusError."""
    try:
        real = files.realpath(path)
        if ends and not files.is_dir(real):
            raise StatusError("not a directory")
        return real
    except FileNotFoundError:
        raise StatusError(f"lstat {_first_missing(files, path)}: no such file or directory") from None
    except NotADirectoryError:
        raise StatusError("not a directory") from None
    except OSError as error:
        text = "too many links" if error.errno == errno.ELOOP else (error.strerror or "").lower()
        raise StatusError(f"EvalSymlinks: {text}") from None


def _first_missing(files: Files, path: str) -> str:
    """The first name on the way that is not there."""
    place = "/"
    for part in path.strip("/").split("/"):
        following = posixpath.join(place, part)
        try:
            place = files.realpath(following)
        except OSError:
            try:
                link = files.readlink(following)
            except OSError:
                return following
            return _first_missing(files, posixpath.normpath(posixpath.join(place, link)))
    return place


def target_info(files: Files, path: str) -> CopyInfo:
    """What a copy to here meets: links are followed to where they lead."""
    place = path
    for _ in range(40):
        try:
            about = files.lstat(place)
        except OSError:
            parent = split_entry(place)[0]
            if not files.is_dir(parent):
                raise StatusError("not a directory") from None
            return CopyInfo(place)
        if not stat.S_ISLNK(about.st_mode):
            return CopyInfo(place, True, stat.S_ISDIR(about.st_mode))
        link = files.readlink(place)
        place = link if link.startswith("/") else posixpath.join(split_entry(place)[0], link)
    raise StatusError(f"lstat {path}: too many levels of symbolic links")


def pack(files: Files, source: CopyInfo) -> list[Entry]:
    """What is copied, parents first, under its base name."""
    base = split_entry(source.path)[1]
    top = posixpath.normpath(source.path)
    name = source.rebase or ("" if base == "." else base)
    return list(_walk(files, top, name, {}))


def _walk(files: Files, path: str, name: str, seen: dict[int, str]) -> Iterator[Entry]:
    about = files.lstat(path)
    first = None
    if not stat.S_ISDIR(about.st_mode) and about.st_nlink > 1:
        first = seen.get(about.st_ino)
        seen.setdefault(about.st_ino, name)
    data: Content | str | None = None
    if first is None and stat.S_ISREG(about.st_mode):
        data = files.content(path)
    elif stat.S_ISLNK(about.st_mode):
        data = files.readlink(path)
    yield Entry(name, about.st_mode, about.st_uid, about.st_gid, about.st_mtime_ns, data, about.st_rdev, first)
    if stat.S_ISDIR(about.st_mode):
        for child in files.listdir(path):
            yield from _walk(files, f"{path.rstrip('/')}/{child}", f"{name}/{child}" if name else child, seen)


def unpack(files: Files, folder: str, entries: Iterable[Entry]) -> None:
    """Put an archive's files below a folder; they belong to who does it. Raises StatusError, OSError."""
    folders: list[tuple[str, int]] = []
    for entry in entries:
        path = posixpath.normpath(posixpath.join(folder, entry.path)) if entry.path else folder
        if path != folder:
            files.makedirs(posixpath.dirname(path) or ".")
        _put(files, folder, path, entry)
        if stat.S_ISDIR(entry.mode):
            folders.append((path, entry.mtime))
    for path, mtime in reversed(folders):
        files.utime(path, mtime, mtime)


def _put(files: Files, folder: str, path: str, entry: Entry) -> None:
    there = _mode(files, path)
    if stat.S_ISDIR(entry.mode):
        if there is not None and not stat.S_ISDIR(there):
            raise StatusError(f'cannot overwrite non-directory "{path}" with directory "{folder.rstrip("/") or "/"}"')
        if there is None:
            files.mkdir(path)
        files.chmod(path, stat.S_IMODE(entry.mode))
        return
    if there is not None:
        if stat.S_ISDIR(there):
            raise StatusError(f'cannot overwrite directory "{path}" with non-directory "{folder.rstrip("/") or "/"}"')
        files.unlink(path)
    if entry.hardlink is not None:
        files.link(posixpath.join(folder, entry.hardlink), path)
    elif stat.S_ISLNK(entry.mode):
        files.symlink(str(entry.data), path)
    elif stat.S_ISREG(entry.mode):
        files.write(path, entry.data if isinstance(entry.data, Content) else b"")
    else:
        files.mknod(path, entry.mode, entry.rdev)
    if not stat.S_ISLNK(entry.mode):
        files.chmod(path, stat.S_IMODE(entry.mode))
        files.utime(path, entry.mtime, entry.mtime)


def _mode(files: Files, path: str) -> int | None:
    try:
        return files.lstat(path).st_mode
    except OSError:
        return None
