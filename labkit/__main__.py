"""python -m labkit: the labkit command, where its script is not on the PATH."""

from __future__ import annotations

import sys

from labkit.cli import main

sys.exit(main())
