"""The base image's root as a tar file, made of a static busybox, and the list of its files."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from labkit.catalog.images import ListedFile

_FOLDERS = {"bin": 0o755, "etc": 0o755, "root": 0o755, "tmp": 0o1777, "usr": 0o755, "var": 0o755}
_PASSWD = b"root:x:0:0:root:/root:/bin/sh\n"
_MADE = 1_767_225_600  # 2026-01-01 00:00:00 UTC


class NoBaseError(Exception):
    """There is nothing to make the base image of; str() says so in one line."""


def make_base(target: Path) -> None:
    """Write the base image's root from this computer's busybox: the program and a link for each utility in it."""
    program = shutil.which("busybox")
    if program is None or b"/ld-" in Path(program).read_bytes()[:4096]:
        raise NoBaseError("no static busybox to make the base image of; install busybox-static, or give --base TARFILE")
    done = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    with tarfile.open(target, "w") as archive:
        for name, mode in (("./", 0o755), *((f"./{name}", mode) for name, mode in _FOLDERS.items())):
            archive.addfile(_header(name, mode, tarfile.DIRTYPE))
        for name, mode, data in (
            ("./bin/busybox", 0o755, Path(program).read_bytes()),
            ("./etc/passwd", 0o644, _PASSWD),
        ):
            archive.addfile(_header(name, mode, tarfile.REGTYPE, size=len(data)), io.BytesIO(data))
        for name in sorted(set(done.stdout.split()) - {"busybox"}):
            archive.addfile(_header(f"./bin/{name}", 0o777, tarfile.SYMTYPE, target="busybox"))


def _header(name: str, mode: int, kind: bytes, size: int = 0, target: str = "") -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.mode, header.size, header.linkname, header.mtime = kind, mode, size, target, _MADE
    return header


def listing(source: Path) -> list[ListedFile]:
    """The files of a tar file. Raises NoBaseError."""
    try:
        with tarfile.open(source) as archive:
            return list(_listed(archive))
    except (OSError, tarfile.TarError) as error:
        raise NoBaseError(f"{source}: not a base image's tar file: {error}") from None


def _listed(archive: tarfile.TarFile) -> Iterator[ListedFile]:
    for member in archive:
        path = "/" + member.name.removeprefix(".").strip("/")
        if path == "/":
            continue
        if member.isdir():
            yield {"path": path, "type": "directory", "mode": oct(member.mode)}
        elif member.issym():
            yield {"path": path, "type": "symlink", "target": member.linkname}
        elif member.isreg():
            row: ListedFile = {"path": path, "type": "file", "mode": oct(member.mode), "size": member.size}
            if member.size < 4096 and (data := archive.extractfile(member)):
                row["content"] = data.read().decode(errors="replace")
            yield row
