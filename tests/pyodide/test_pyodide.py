"""The machine works in the browser's Python: Pyodide, here under Node."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYODIDE = ROOT / "site" / "node_modules" / "pyodide"
REQUIRED = os.environ.get("LABKIT_REQUIRE_NODE")


@pytest.mark.pyodide
def test_in_pyodide_a_machine_says_the_same() -> None:
    if not (shutil.which("node") and (PYODIDE / "pyodide.mjs").is_file()):
        if REQUIRED:
            pytest.fail(f"LABKIT_REQUIRE_NODE is set, and Node or {PYODIDE} is missing")
        pytest.skip(f"Node or {PYODIDE} is missing: nothing was tried in Pyodide")
    program = HERE / "build_an_image.py"
    here = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert here.returncode == 0, here.stderr
    for said in ("built\nprint(1)\n", "[Errno 40]", "[Errno 2]", "[Errno 30]", "\n127\n", "\n126\n"):
        assert said in here.stdout, said
    done = subprocess.run(["node", HERE / "run.mjs", program, ROOT], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == here.stdout
