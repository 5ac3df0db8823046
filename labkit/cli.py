"""The labkit command, as a shell starts it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from labkit import commands


def notebook_runner() -> commands.NotebookRunner:
    """Jupyter's part, imported only for a command that needs it."""
    from labkit.jupyter import running

    return running


def main(argv: Sequence[str] | None = None) -> int:
    return commands.main(notebook_runner, argv)


if __name__ == "__main__":
    sys.exit(main())
