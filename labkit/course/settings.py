"""Whose course this is: the learner and the course's seed, from which variants are drawn; where progress lies."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

DEMO = "demo"
COURSE = "docker-storage"  # its name in a browser's storage, which other courses may share


@dataclass(frozen=True)
class Whose:
    learner: str
    seed: str


def whose(learner: str, seed: str) -> Whose:
    """$LABKIT_LEARNER and $LABKIT_SEED; else what the progress says, which `labkit learner` writes; else demo."""
    name = os.environ.get("LABKIT_LEARNER") or learner or os.environ.get("JUPYTERHUB_USER") or DEMO
    return Whose(name, os.environ.get("LABKIT_SEED") or seed or "")


def home() -> Path:
    """$LABKIT_HOME, else `.labkit` in the course's folder if that can be written, else the user's data folder."""
    if chosen := os.environ.get("LABKIT_HOME"):
        return Path(chosen)
    course = course_folder()
    if course is not None and os.access(course, os.W_OK):
        return course / ".labkit"
    return _user_data() / "labkit"


def course_folder() -> Path | None:
    """The folder above which has the lessons in it, counted from where the notebook or the shell is."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if any((folder / "notebooks").glob("*-*.ipynb")):
            return folder
    return None


def _user_data() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
