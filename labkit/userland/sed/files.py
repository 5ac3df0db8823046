"""The lines that sed reads, and the files that it writes."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.userland.sed.state import SedRun
from labkit.userland.tool import Say, Tool, text_of

_UNREADABLE = Say("{0}", "can't read {0}")


def all_lines(tool: Tool, paths: list[str]) -> Iterator[tuple[str, bool]]:
    for path in paths:
        yield from lines_of(tool, path)


def lines_of(tool: Tool, path: str) -> Iterator[tuple[str, bool]]:
    status = 2 if tool.gnu else 1
    try:
        if path != "-" and tool.files.is_dir(path):
            tool.complain(
                Say(
                    "read error: Is a directory",
                    "couldn't edit {0}: not a regular file" if tool.has("i") else "read error on {0}: Is a directory",
                ),
                path,
                status=status,
            )
            return
        content = tool.content(path)
    except OSError as error:
        tool.complain(_UNREADABLE, path, error=error, status=status)
        return
    end = b"\0" if tool.has("z") else b"\n"
    for line in tool.lines(content, end):
        yield text_of(line.removesuffix(end)), line.endswith(end)


def replace_file(tool: Tool, path: str, data: bytes) -> None:
    """As sed -i does it: a new file takes the old one's place and its name."""
    about = tool.files.stat(path)
    folder, _, name = path.rpartition("/")
    suffix = tool.value("i")
    front = f"{folder}/" if folder or path.startswith("/") else ""
    temporary = f"{front}sed{about.st_ino:06x}" if tool.gnu else f"{front}{name}{about.st_ino:06x}"
    try:
        tool.files.write(temporary, data)
        tool.files.chmod(temporary, about.st_mode & 0o7777)
        tool.files.chown(temporary, about.st_uid, about.st_gid)
        if suffix:
            tool.files.rename(path, suffix.replace("*", name) if "*" in suffix else path + suffix)
        tool.files.rename(temporary, path)
    except OSError as error:
        failed = str(error.filename or path)
        if tool.files.exists(temporary):
            tool.files.unlink(temporary)
        creating = failed == temporary and error.filename2 is None
        said = f"couldn't open temporary file {temporary}" if creating else f"cannot rename {temporary}"
        tool.complain(
            Say("can't create temp file '{0}'" if creating else "can't move '" + temporary + "' to '{0}'", said),
            path,
            error=error,
            status=4 if tool.gnu else 1,
        )


def write_files(state: SedRun) -> None:
    for path, data in state.written.items():
        if path == "/dev/stdout":
            continue
        state.tool.files.write(path, data)
