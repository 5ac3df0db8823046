"""The machine works in the browser's Python: Pyodide, here under Node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REQUIRED = os.environ.get("LABKIT_REQUIRE_NODE")


@pytest.mark.pyodide
def test_a_build_runs_in_pyodide() -> None:
    if not (shutil.which("node") and (HERE / "node_modules" / "pyodide").is_dir()):
        if REQUIRED:
            pytest.fail("LABKIT_REQUIRE_NODE is set, and Node or tests/pyodide/node_modules is missing")
        pytest.skip("Node or tests/pyodide/node_modules is missing: nothing was tried in Pyodide")
    command = ["node", HERE / "run.mjs", HERE / "build_an_image.py", ROOT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "built and ran in Pyodide\n"), done.stdout + done.stderr
