"""Mutants of one module, held against its own folder of tests: `make mutants MODULE=labkit/files/union.py`.

mutmut changes one thing at a time in a copy of the working tree and runs the tests; TESTS names other tests than those
of the module's folder. What survives is printed as a diff: each is a test that is missing, or says the same as before.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MUTMUT = [sys.executable, "-m", "mutmut"]
CONFIGURATION = """[mutmut]
source_paths=labkit
only_mutate={module}
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


def main(module: str, tests: list[str]) -> int:
    selection = "\n    ".join(tests or [tests_of(module)])
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        copied(here)
        others = "\n    ".join(sorted(each.name for each in here.iterdir()))
        (here / "setup.cfg").write_text(CONFIGURATION.format(module=module, tests=selection, others=others))
        status = subprocess.run([*MUTMUT, "run"], cwd=here).returncode
        results = subprocess.run([*MUTMUT, "results", "--all", "true"], cwd=here, capture_output=True, text=True).stdout
        rows = [line.rpartition(": ") for line in results.splitlines() if ": " in line]
        survivors = [name.strip() for name, _, verdict in rows if verdict.strip() != "killed"]
        for name in survivors:
            print(subprocess.run([*MUTMUT, "show", name], cwd=here, capture_output=True, text=True).stdout)
    if status or not rows:
        return status or 1
    caught = len(rows) - len(survivors)
    print(
        f"{module}: {caught} of {len(rows)} mutants caught ({caught / len(rows):.1%}) by {' '.join(selection.split())}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
