"""Every test here is learner demo with an empty home, and no widget of an earlier test."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.jupyter.panel import RememberingPanel


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LABKIT_SEED", "JUPYTERHUB_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.setenv("LABKIT_LEARNER", "demo")
    RememberingPanel.live.clear()
    RememberingPanel.declined = False
    return tmp_path
