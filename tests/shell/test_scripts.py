"""The scripts of scripts.txt, held against what the real shells did with them (recorded.json), to the letter.

LABKIT_RECORD=1 records them again, where busybox and dash are installed; where they are, the records are checked too.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from real import Ended, needs, run, run_real

pytestmark = pytest.mark.long

HERE = Path(__file__).parent
SCRIPTS = (HERE / "scripts.txt").read_text().rstrip("\n").split("\n%%\n")
RECORDED = HERE / "recorded.json"
REAL = ("ash", "dash")


def as_row(ended: Ended) -> list:
    files = {name: content.decode() for name, content in ended.files.items()}
    return [ended.status, ended.stdout.decode(), ended.stderr.decode(), files]


def recorded() -> dict[str, dict[str, list]]:
    return json.loads(RECORDED.read_text()) if RECORDED.exists() else {shell: {} for shell in REAL}


if os.environ.get("LABKIT_RECORD"):
    rows = {shell: {script: as_row(run_real(script, shell)) for script in SCRIPTS} for shell in REAL}
    RECORDED.write_text(json.dumps(rows, indent=1) + "\n")

EXPECTED = recorded()


@pytest.mark.parametrize("shell", REAL)
@pytest.mark.parametrize("script", SCRIPTS)
def test_as_recorded(shell: str, script: str) -> None:
    assert as_row(run(script, shell)) == EXPECTED[shell][script]


@pytest.mark.parametrize("shell", REAL)
def test_the_records_are_true(shell: str) -> None:
    needs(shell)
    different = [script for script in SCRIPTS if as_row(run_real(script, shell)) != EXPECTED[shell][script]]
    assert different == []


def test_nothing_recorded_is_left_over() -> None:
    assert all(set(rows) == set(SCRIPTS) for rows in EXPECTED.values())
