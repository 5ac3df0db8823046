"""Mutants of one module, held against its own folder of tests: `make mutants MODULE=labkit/files/union.py`.

mutmut changes one thing at a time in a copy of the working tree and runs those of the tests that reach the changed
function, up to the first that fails; TESTS names other tests than those of the module's folder. `SAMPLE=100` takes so
many mutants at random (the seed is printed; `SEED=…` takes the same again), so that a large module costs minutes. What
survives is printed as a diff: each is a test that is missing, or says the same as before.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MUTMUT = [sys.executable, "-m", "mutmut"]
NONE = "no mutant has this name"
SHOW = """import sys
from mutmut.__main__ import cli
for name in sys.argv[1:]:
    cli(["show", name], standalone_mode=False)"""
CONFIGURATION = """[mutmut]
source_paths=labkit
only_mutate={module}
timeout_multiplier=4
timeout_constant=5
pytest_add_cli_args=
    -p
    no:cacheprovider
    -p
    no:xdist
    -m
    not long and not nightly
pytest_add_cli_args_test_selection=
    {tests}
also_copy=
    {others}
"""


def tests_of(module: str) -> str:
    """The folder of tests that mirrors the module's, or the nearest one above it."""
    folder = Path("tests", *Path(module).parent.parts[1:])
    return str(next(each for each in (folder, *folder.parents) if (ROOT / each).is_dir()))


def copied(into: Path) -> None:
    """The files that git knows or would take, as they are in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, into / name)


def verdicts(here: Path) -> dict[str, str]:
    """What became of each mutant, by its name."""
    shown = subprocess.run([*MUTMUT, "results", "--all", "true"], cwd=here, capture_output=True, text=True).stdout
    rows = (line.strip().rpartition(": ") for line in shown.splitlines() if ": " in line)
    return {name: verdict for name, _, verdict in rows}


def sample(here: Path, size: int) -> list[str]:
    """So many of the mutants, which mutmut makes before it looks for the name that it was given."""
    subprocess.run([*MUTMUT, "run", NONE], cwd=here, capture_output=True)
    names = sorted(verdicts(here))
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"{min(size, len(names))} of {len(names)} mutants, SEED={seed}", flush=True)
    return random.Random(seed).sample(names, min(size, len(names)))


def main(module: str, tests: list[str]) -> int:
    selection = "\n    ".join(tests or [tests_of(module)])
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        copied(here)
        others = "\n    ".join(sorted(each.name for each in here.iterdir()))
        (here / "setup.cfg").write_text(CONFIGURATION.format(module=module, tests=selection, others=others))
        size = int(os.environ.get("SAMPLE") or 0)
        chosen = sample(here, size) if size else []
        status = subprocess.run([*MUTMUT, "run", *chosen], cwd=here).returncode
        found = verdicts(here)
        rows = {name: found[name] for name in chosen} if chosen else found
        survivors = [name for name, verdict in rows.items() if verdict != "killed"]
        subprocess.run([sys.executable, "-c", SHOW, *survivors], cwd=here)
    if status or not rows:
        return status or 1
    caught = len(rows) - len(survivors)
    print(
        f"{module}: {caught} of {len(rows)} mutants caught ({caught / len(rows):.1%}) by {' '.join(selection.split())}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
