"""sed, with GNU's additions."""

from labkit.userland.sed.program import UTILITIES

__all__ = ["UTILITIES"]
