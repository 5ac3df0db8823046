"""All that goes into a step's cache key, by name, so that two keys can be compared: the key is the recipe's digest.

A *recipe* says what a step does and what it stands on. What is in none of its parts cannot change the key: no times,
no name of the step, no place in the Dockerfile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from labkit.engine.build.cache import key_of
from labkit.engine.build.context import Listing

BASE, MKDIR, RUN, COPY = "base", "mkdir", "run", "copy"


@dataclass(frozen=True)
class Part:
    """One thing that goes into a key: Part("variable", "VERSION", "2")."""

    what: str  # command, variable, folder, user, mount, network, script, option, content, below, …
    name: str  # where there are several of one kind
    value: str


@dataclass(frozen=True)
class Recipe:
    """What a key is made of. `files`: what the contents among the parts are digests of, by the part's name."""

    kind: str
    parts: tuple[Part, ...]
    below: str = ""  # the key of the step that this one stands on
    files: Mapping[str, Listing] = field(default_factory=dict, compare=False, repr=False)
    arguments: frozenset[str] = field(default=frozenset(), compare=False)  # variables that are ARGs; no part of the key

    @cached_property
    def key(self) -> str:
        return key_of(self.kind, *((each.what, each.name, each.value) for each in self.parts), self.below)


@dataclass(frozen=True)
class MadeStep:
    """A step that was made: what from, how long it took (seconds, as simulated) and what it left."""

    recipe: Recipe
    name: str
    seconds: float
    size: int  # bytes of its layer
    number: int  # in the order in which steps were made
