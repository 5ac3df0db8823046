"""docker build as BuildKit does it: Dockerfile, context, cache, steps, progress."""

from __future__ import annotations

from .cache import BuildCache
from .errors import BuildError
from .request import BuildRequest
from .solve import build

__all__ = ["BuildCache", "BuildError", "BuildRequest", "build"]
