"""Checks of files: on the host, in containers, in volumes; and whether they were carried over from where they were."""

from __future__ import annotations

import re

from labkit.course.checks.images import READ_LIMIT
from labkit.course.checks.table import check
from labkit.course.machines import Facts, content_of
from labkit.engine.images.layerreport import walk
from labkit.files import Content, Layer
from labkit.files.layers import BadArchiveError
from labkit.kernel.golang import SECOND, members, parse_time
from labkit.kernel.golang import text as text_at

RANDOM = re.compile(r"[0-9a-f]{32,}|(?<=/l/)[A-Z0-9]{26}")


@check("{path} exists {where}")
def file_exists(facts: Facts, path: str, container: str = "", volume: str = "") -> str:
    files = facts.files(container, volume)
    if files.exists(path):
        return ""
    folder = path.rstrip("/").rpartition("/")[0] or "/"
    if not files.is_dir(folder):
        return f"{path} is not there, nor is its folder"
    names = sorted(files.listdir(folder))
    return (
        f"{path} is not there; in {folder} there is {', '.join(names[:6]) or 'nothing'}{' and more' * (len(names) > 6)}"
    )


@check("{path} {where} has the text '{text}' in it")
def file_contains(facts: Facts, path: str, text: str, container: str = "", volume: str = "") -> str:
    if missing := _no_file(facts, path, container, volume):
        return missing
    holds = facts.files(container, volume).content(path).read(0, READ_LIMIT).decode("utf-8", "replace")
    return "" if _stands_in(text, holds) else "the file is there, with another content"


@check("{path} {where} has the text '{text}' in it, and nothing else")
def file_is(facts: Facts, path: str, text: str, container: str = "", volume: str = "") -> str:
    """`text` is without the end of its last line."""
    if missing := _no_file(facts, path, container, volume):
        return missing
    content = facts.files(container, volume).content(path)
    return "" if content in (Content(text), Content(f"{text}\n")) else "the file is there, with another content"


def _no_file(facts: Facts, path: str, container: str, volume: str) -> str:
    if missing := file_exists(facts, path, container, volume):
        return missing
    return f"{path} is a folder" if facts.files(container, volume).is_dir(path) else ""


@check("{path} {where} is a folder with {names} in it, and nothing else")
def folder_is(facts: Facts, path: str, names: list[str], container: str = "") -> str:
    files = facts.files(container)
    if not files.is_dir(path):
        return f"{path} is no folder"
    found = sorted(files.listdir(path))
    return "" if found == sorted(names) else f"there is {', '.join(found[:6]) or 'nothing'}"


@check("in the upper layer of {container}, {path} is opaque")
def folder_is_opaque(facts: Facts, container: str, path: str) -> str:
    document = facts.engine.inspect_container(facts.container(container).id)
    folder = f"{text_at(document, 'GraphDriver', 'Data', 'UpperDir')}{path}"
    host = facts.engine.host
    marked = host.is_dir(folder) and "trusted.overlay.opaque" in host.listxattr(folder)
    return "" if marked else f"{path} is not marked"


@check("{path} {where} belongs to {owner}")
def file_belongs_to(facts: Facts, path: str, owner: int, container: str = "") -> str:
    if missing := file_exists(facts, path, container):
        return missing
    uid = facts.files(container).stat(path).st_uid
    return "" if uid == owner else f"it belongs to {uid}"


@check("{path} is what {was} was at the beginning")
def carried_over(
    facts: Facts,
    path: str,
    was: str,
    container: str = "",
    volume: str = "",
    was_in: str = "",
    was_on: str = "",
    kept: bool = False,
    more: bool = False,
    unpacked: bool = False,
) -> str:
    """`was` lay in the container `was_in`, or in the volume `was_on`; `kept`: owner and time too; `more` may follow.

    `unpacked`: from an archive, in which times are whole seconds.
    """
    with facts.at(facts.start) as before:
        old = before.files(was_in, was_on)
        content, about = old.content(was), old.stat(was)
    if missing := _no_file(facts, path, container, volume):
        return missing
    files = facts.files(container, volume)
    now = files.content(path)
    if not (now.startswith(bytes(content)) if more else now == content):
        return "the file is there, with another content"
    there = files.stat(path)
    if unpacked and there.st_mtime_ns % SECOND:
        return "it is right, and it does not come from an archive"
    if kept and _owner_and_time(there.st_uid, there.st_mtime_ns) != _owner_and_time(about.st_uid, about.st_mtime_ns):
        return "its content is right, and its owner or its time is another one"
    return ""


def _owner_and_time(uid: int, nanoseconds: int) -> tuple[int, int]:
    """An archive keeps whole seconds."""
    return uid, nanoseconds // SECOND


@check("{path} is as you see it now")
def tree_is_as_shown(facts: Facts, path: str) -> str:
    """The same names at and below it."""
    with facts.at(facts.shown) as shown:
        wanted = _names_below(shown, path)
    if not facts.machine.files.is_dir(path):
        return f"there is no folder {path}"
    return "" if _names_below(facts, path) == wanted else "there is something else in it"


def _names_below(facts: Facts, path: str) -> list[str]:
    """Ids and digests are of the one run."""
    names = (
        f"{folder}/{name}" for folder, folders, files in facts.machine.files.walk(path) for name in [*folders, *files]
    )
    return sorted(RANDOM.sub("", name) for name in names)


def _stands_in(text: str, printed: str) -> bool:
    """Is this a part of it? A number at an end of the text is a whole one: 2 does not stand in 12."""
    first, last = (r"(?<!\d)" if text[:1].isdigit() else ""), (r"(?!\d)" if text[-1:].isdigit() else "")
    return re.search(f"{first}{re.escape(text)}{last}", printed) is not None


@check("{path} in {container} is that of {image}")
def file_is_of_image(facts: Facts, container: str, path: str, image: str, kept: bool = False) -> str:
    """`kept`: its owner and its time too."""
    if missing := _no_file(facts, path, container, ""):
        return missing
    files, original = facts.files(container), facts.seen(facts.first_image(image).id, path)
    if files.content(path) != content_of(original):
        return "the file is there, with another content"
    about = files.stat(path)
    same = not kept or _owner_and_time(about.st_uid, about.st_mtime_ns) == _owner_and_time(original.uid, original.mtime)
    return "" if same else "its content is right, and its owner or its time is another one"


@check("{path} was written while {container} ran")
def written_while_ran(facts: Facts, path: str, container: str) -> str:
    state = members(facts.engine.inspect_container(facts.container(container).id), "State")
    began, ended = (parse_time(text_at(state, key)) for key in ("StartedAt", "FinishedAt"))
    time = facts.files().stat(path).st_mtime_ns
    return "" if began <= time and (time <= ended or not ended) else f"it was written when {container} did not run"


@check("the only line of {path} {where} begins with {word}")
def file_begins(facts: Facts, path: str, word: str, container: str = "") -> str:
    if missing := _no_file(facts, path, container, ""):
        return missing
    lines = bytes(facts.files(container).content(path)).decode("utf-8", "replace").splitlines()
    same = len(lines) == 1 and lines[0].split()[:1] == [word]
    return "" if same else "the file is there, with another content"


@check("the archive {archive} has the file {name}, as it was in the volume {volume}")
def archive_has(facts: Facts, archive: str, name: str, volume: str = "", text: str = "") -> str:
    """Content, owner and time; or, where a `text` is given, that this is its end."""
    if missing := _no_file(facts, archive, "", ""):
        return missing
    try:
        root = Layer.from_tar(facts.files().content(archive)).root
    except BadArchiveError as error:
        return f"it is no archive: {error}"
    inode = next((each for path, each in walk(root, "") if path.rpartition("/")[2] == name), None)
    if inode is None:
        return f"there is no file {name} in it"
    if text:
        return (
            "" if bytes(content_of(inode)).decode("utf-8", "replace").rstrip().endswith(text) else "it ends otherwise"
        )
    with facts.at(facts.start) as before:
        files = before.files(volume=volume)
        content, about = files.content(name), files.stat(name)
    if content_of(inode) != content:
        return f"{name} has another content in it"
    same = _owner_and_time(inode.uid, inode.mtime) == _owner_and_time(about.st_uid, about.st_mtime_ns)
    return "" if same else f"{name} has another owner or time in it"


@check("the volume {volume} is filled as you see it")
def volume_as_shown(facts: Facts, volume: str) -> str:
    """The same files, with content, owner and time."""
    with facts.at(facts.shown) as shown:
        wanted = _filled(shown, volume)
    return "" if _filled(facts, volume) == wanted else "other files are in it, or files with another time"


def _filled(facts: Facts, volume: str) -> list[tuple[str, Content, int, int]]:
    files = facts.files(volume=volume)
    paths = [f"{folder}/{name}" for folder, _, names in files.walk(facts.volume(volume)) for name in names]
    rows = ((path, files.content(path), files.stat(path)) for path in sorted(paths))
    return [(path, content, about.st_uid, about.st_mtime_ns) for path, content, about in rows]


@check("{path} is the log of {container}, as Docker keeps it")
def log_is_kept(facts: Facts, path: str, container: str) -> str:
    with facts.at(facts.start) as before:
        log = text_at(before.engine.inspect_container(container), "LogPath")
        content = before.engine.host.content(log)
    if missing := _no_file(facts, path, "", ""):
        return missing
    return "" if facts.files().content(path) == content else "the file is there, with another content"


@check("{path} in {container} is what it was in a volume without a name")
def unnamed_volume_kept(facts: Facts, path: str, container: str) -> str:
    name = path.rpartition("/")[2]
    with facts.at(facts.start) as before:
        places = (before.files(volume=volume) for volume in before.names("volume"))
        contents = [place.content(name) for place in places if place.exists(name)]
    if missing := _no_file(facts, path, container, ""):
        return missing
    return "" if facts.files(container).content(path) in contents else "the file is there, with another content"
