"""labkit: a machine in memory with a Docker Engine on it, and the course that is taught on it."""

from __future__ import annotations

__all__ = ["DISTRIBUTION", "Machine", "__version__"]
DISTRIBUTION = "docker-storage-labkit"  # what pip knows it by, as in pyproject.toml
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`labkit.Machine`, loaded at its first use, so that the labkit command starts at once."""
    if name == "Machine":
        from labkit.machine import Machine

        return Machine
    raise AttributeError(f"module 'labkit' has no attribute {name!r}")
