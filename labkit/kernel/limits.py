"""How a command that would never end is ended: by counts of steps and bytes, never of seconds."""

from __future__ import annotations


class Runaway(Exception):
    """A command used up what one command may use (steps, output, depth); str() says which."""
