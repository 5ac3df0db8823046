"""`labkit lab`: the lessons in a folder of the learner's, in JupyterLab.

The lessons travel with the installed package. Each is copied into the folder, and again when it has changed; a copy
that the learner has changed goes to earlier/ then. Answers are in .labkit/ beside them, and stay.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import labkit
from labkit.kernel.golang import BadJsonError, read_json, text

KNOWN = "lessons.json"  # lesson -> digest of what was copied


def lessons() -> list[Path]:
    """The lessons' notebooks: of the checkout that this package is in, else those that were installed with it."""
    checkout = sorted((Path(labkit.__file__).parents[1] / "notebooks").glob("*-*.ipynb"))
    if checkout:
        return checkout
    installed = importlib.metadata.distribution(labkit.DISTRIBUTION).files or []
    return sorted(Path(str(path.locate())) for path in installed if path.match("share/labkit/notebooks/*.ipynb"))


def bring(folder: Path, sources: Sequence[Path]) -> list[str]:
    """Copy what is new into folder/notebooks; which of the learner's own copies were put into folder/earlier."""
    notebooks, record = folder / "notebooks", folder / ".labkit" / KNOWN
    known = _known(record)
    fresh: dict[str, str] = {}
    aside: list[str] = []
    notebooks.mkdir(parents=True, exist_ok=True)
    for source in sources:
        target, digest = notebooks / source.name, _digest(source)
        fresh[source.name] = digest
        if target.exists() and known.get(source.name) == digest:
            continue
        if target.exists() and _digest(target) not in (digest, known.get(source.name)):
            (folder / "earlier").mkdir(exist_ok=True)
            target.replace(_free(folder / "earlier" / source.name))
            aside.append(source.name)
        shutil.copyfile(source, target)
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps(fresh, indent=1), encoding="utf-8")
    return aside


def _free(path: Path) -> Path:
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.stem.partition('.')[0]}.{number}{path.suffix}")
    return path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _known(record: Path) -> dict[str, str]:
    try:
        document = read_json(record.read_bytes(), 1 << 20)
    except (OSError, BadJsonError):
        return {}
    names = document if isinstance(document, dict) else {}
    return {name: text(document, name) for name in names}


def start(folder: Path, options: Sequence[str]) -> None:
    """JupyterLab on the lessons, until it is stopped."""
    from jupyterlab.labapp import LabApp

    first = lessons()[0].name
    LabApp.launch_instance([str(folder / "notebooks"), f"--LabApp.default_url=/lab/tree/{first}", *options])
