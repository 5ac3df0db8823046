"""awk: POSIX's language without its rarer corners (no getline from commands). Parsed into closures."""

from labkit.userland.awk.program import UTILITIES

__all__ = ["UTILITIES"]
