"""Which paths begin with what was typed: what a person's Tab key is answered with."""

from __future__ import annotations

from labkit.files.namespace import Files

MOST = 500  # paths


def paths(files: Files, begun: str) -> list[str]:
    """The paths that begin so, written as that is; a folder ends in /. Hidden names only where a dot was typed."""
    folder, slash, start = begun.rpartition("/")
    try:
        names = files.listdir(folder + slash or ".")
    except OSError:
        return []
    found = [name for name in names if name.startswith(start) and (start or not name.startswith("."))][:MOST]
    return [f"{folder}{slash}{name}{'/' * files.is_dir(f'{folder}{slash}{name}')}" for name in found]
