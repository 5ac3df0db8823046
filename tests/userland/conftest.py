"""The oracle beside these tests can be imported by its name."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "shell"))  # real.py, for test_patterns.py
