"""tar, in the ways of GNU and busybox."""

from labkit.userland.tar.program import UTILITIES

__all__ = ["UTILITIES"]
