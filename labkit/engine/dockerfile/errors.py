"""Build failures, and the excerpt of the Dockerfile that BuildKit prints with them.

Rules of the excerpt: moby/buildkit solver/errdefs/source.go; texts: transcripts build-cache-unknown-instruction,
examples/build.txt.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lines:
    """Lines of the Dockerfile, from 1, both ends included."""

    start: int
    end: int


NOWHERE = Lines(0, 0)


class DockerfileError(Exception):
    """A Dockerfile that cannot be built. Each of `places` gives an excerpt; none gives none."""

    def __init__(self, message: str, *places: Lines) -> None:
        super().__init__(message)
        self.message = message
        self.places = list(places)

    def at(self, place: Lines) -> DockerfileError:
        """The same error, at this place too."""
        self.places.append(place)
        return self


class BuildError(Exception):
    """A build that failed: str() is what `docker build` prints last, with its newline; it exits with 1."""


def failed(message: str) -> BuildError:
    """A failure before anything was sent to the builder."""
    return BuildError(f"ERROR: failed to build: {message}\n")


def unsolved(message: str, excerpts: str = "") -> BuildError:
    """A failure of the builder itself."""
    return BuildError(f"{excerpts}ERROR: failed to build: failed to solve: {message}\n")


def excerpt(name: str, text: str, place: Lines) -> str:
    """The lines around a place, its own marked with >>>; "" where the file has no such line."""
    lines = text.split("\n")
    first = place.start
    last = max(first, place.end)
    if not 1 <= first <= len(lines):
        return ""
    top, bottom = _margins(first, min(last, len(lines)), len(lines))
    shown = [
        f" {number:3d} | {'>>>' if first <= number <= last else '   '} {lines[number - 1]}\n"
        for number in range(top, bottom + 1)
    ]
    rule = "-" * 20 + "\n"
    return f"{name}:{first}\n{rule}{''.join(shown)}{rule}"


def _margins(top: int, bottom: int, count: int) -> tuple[int, int]:
    """Two lines around several, four around a single one, nearer ones first on both sides."""
    wanted = 4 if top == bottom else 2
    added = 0
    while added < wanted:
        if top > 1:
            top -= 1
            added += 1
        if bottom != count:
            bottom += 1
            added += 1
        added += 1
    return top, bottom
