"""What the build cache remembers, as records, and the cache keys that tell steps apart.

A *cache key* says what a step does and what it stands on, by name, so that two keys can be compared; its digest is what
the cache is asked for. What is in none of its parts cannot change it: no times, no name of the step, no place in the
Dockerfile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

REGULAR, LOCAL, MOUNT = "regular", "source.local", "exec.cachemount"
BASE, MKDIR, RUN, COPY = "base", "mkdir", "run", "copy"
CACHED, MADE, FAILED, CANCELED = "cached", "made", "failed", "canceled"

Listing = dict[str, str]  # each file by its path ("" the source itself), as a cache key knows it
Known = tuple[int, int, int, str]  # mode, size, mtime and link target: what tells that a file that was sent changed


def key_digest(*parts: object) -> str:
    return sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class CacheRecord:
    """One line of `docker system df -v`."""

    id: str  # 25 letters and digits; also the name of the layer's folder
    digest: str  # of its cache key
    type: str = REGULAR
    chain: str | None = None  # of the layer that it holds
    parent: str = ""  # id of the record below
    description: str = ""
    size: int = 0
    blob: int = 0  # bytes of its layer as an image in the containerd store has it
    created: int = 0  # ns
    used: int = 0  # ns
    count: int = 1
    scratch: str = ""  # a cache mount's own layer


@dataclass(frozen=True)
class KeyPart:
    """One thing that goes into a cache key: KeyPart("variable", "VERSION", "2")."""

    what: str  # command, variable, folder, user, mount, network, script, option, content, below, …
    name: str  # where there are several of one kind
    value: str


@dataclass(frozen=True)
class CacheKey:
    """What a step is found by. `files`: what the contents among the parts are digests of, by the part's name."""

    kind: str
    parts: tuple[KeyPart, ...]
    below: str = ""  # the digest of the key of the step that this one stands on
    files: Mapping[str, Listing] = field(default_factory=dict, compare=False, repr=False)
    arguments: frozenset[str] = field(default=frozenset(), compare=False)  # variables that are ARGs; no part of the key

    @cached_property
    def digest(self) -> str:
        return key_digest(self.kind, *((each.what, each.name, each.value) for each in self.parts), self.below)


@dataclass(frozen=True)
class MadeStep:
    """A step that was made: what from, how long it took (seconds, as simulated) and what it left."""

    key: CacheKey
    name: str
    seconds: float
    size: int  # bytes of its layer
    number: int  # in the order in which steps were made


@dataclass(frozen=True)
class StepOutcome:
    """One step of a build."""

    name: str  # as the progress shows it
    state: str
    digest: str | None  # of its cache key
    key: CacheKey | None  # None where no more than the digest is known
    below: str = ""  # name of the step that it stands on
    line: int = 0  # of the Dockerfile, from 1
    forced: str = ""  # the option that keeps it from the cache
    unneeded: bool = False  # not found, and not made: a later step was found
    seconds: float = 0.0  # as simulated: what it took now, or what it took when it was made
    size: int = 0  # bytes of its layer


@dataclass(frozen=True)
class Journal:
    """One build: what it found in the cache and what it made, step by step."""

    outcomes: tuple[StepOutcome, ...] = ()
    earlier: tuple[MadeStep, ...] = field(default=(), repr=False)  # made before this build
    sent: int = 0  # bytes of context that were transferred
    context: frozenset[str] | None = None  # the paths that were taken from the context; None: nothing needs it
    size: int = 0  # bytes of their files
    again: frozenset[str] = frozenset()  # files sent before whose mode, size or time is not as it was then
