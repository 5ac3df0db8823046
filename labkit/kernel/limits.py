"""How a command that would never end is ended: by counts of steps and bytes, never of seconds."""

from __future__ import annotations

BACKGROUND_STEPS = 100_000  # that a detached process may take before it counts as one that never ends
RESUMES = 400  # how often one that waits is resumed at its own times within one advance of the clock


class Runaway(Exception):
    """A command used up what one command may use (steps, output, depth); str() says which."""
