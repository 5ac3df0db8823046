"""find: its expression is parsed into predicates, which are asked of one file after another."""

from labkit.userland.find.walk import UTILITIES

__all__ = ["UTILITIES"]
