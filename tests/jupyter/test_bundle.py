"""The widgets' scripts and styles in labkit/ are what widgets/src gives."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES, STATIC = ROOT / "widgets", ROOT / "labkit" / "jupyter" / "static"


def test_the_bundles_are_current(tmp_path: Path) -> None:
    if not (shutil.which("node") and (SOURCES / "node_modules" / "esbuild").is_dir()):
        if os.environ.get("LABKIT_REQUIRE_NODE"):
            pytest.fail("LABKIT_REQUIRE_NODE is set, and Node or widgets/node_modules is missing")
        pytest.skip("Node or widgets/node_modules is missing: the bundles were not compared (npm ci in widgets)")
    subprocess.run(["node", "build.js", tmp_path], cwd=SOURCES, check=True)
    made, kept = ({path.name: path.read_text() for path in folder.iterdir()} for folder in (tmp_path, STATIC))
    assert made == kept, "make js bundles them anew"
