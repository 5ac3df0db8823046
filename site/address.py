"""Where the course is: written into every file that names it. python site/address.py https://github.com/ann/course"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = ("pyproject.toml", "README.md", "docs/where-it-runs.md")


def places(repository: str) -> tuple[str, str, str]:
    """The repository, its page on GitHub Pages, and what Binder calls it."""
    owner, name = repository.removeprefix("https://github.com/").strip("/").split("/")
    return f"https://github.com/{owner}/{name}", f"https://{owner.lower()}.github.io/{name}", f"gh/{owner}/{name}/"


def main(new: str) -> None:
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/?", new):
        sys.exit("which repository? make address REPOSITORY=https://github.com/OWNER/NAME")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    old_places, new_places = places(project["urls"]["Repository"]), places(new)
    for path in map(ROOT.joinpath, FILES):
        text = path.read_text(encoding="utf-8")
        for before, after in zip(old_places, new_places, strict=True):
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
