"""Random tests: the same cases on every run, unless LABKIT_NIGHTLY asks for new ones (and ten times as many)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # for alone.py

settings.register_profile("every-run", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("nightly", derandomize=False, deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("nightly" if os.environ.get("LABKIT_NIGHTLY") else "every-run")
