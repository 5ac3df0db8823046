"""A persistent map: copying it costs nothing, whatever its size, and neither copy sees what the other one does later.

It is a frozen dict and a small dict of what was changed since. A write into a shared map copies the small one, whose
size stays about the square root of the whole; a map that nobody shares is one plain dict. All state of a machine lies
in such maps, which is why a snapshot of it is cheap. Its order is not defined: sort what people see.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from math import isqrt
from typing import Final, Generic, TypeVar, cast, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class _Gone(Enum):
    MARK = 0


class _Unchanged(Enum):
    MARK = 0


_GONE: Final = _Gone.MARK
_UNCHANGED: Final = _Unchanged.MARK
_EMPTY: dict[object, object] = {}  # never written to: whatever its keys and values are said to be


class Map(Generic[K, V]):
    """A dict whose copy() costs nothing."""

    __slots__ = ("_base", "_changes", "_len", "_owns_base", "_owns_changes")

    def __init__(self, items: dict[K, V] | None = None) -> None:
        self._base = dict(items) if items else cast("dict[K, V]", _EMPTY)
        self._changes = cast("dict[K, V | _Gone]", _EMPTY)
        self._len = len(self._base)
        self._owns_base = bool(items)
        self._owns_changes = False

    def copy(self) -> Map[K, V]:
        """Another map with the same items."""
        twin: Map[K, V] = Map.__new__(Map)
        twin._base = self._base
        twin._changes = self._changes
        twin._len = self._len
        twin._owns_base = twin._owns_changes = False
        self._owns_base = self._owns_changes = False
        return twin

    @overload
    def get(self, key: K) -> V | None: ...
    @overload
    def get(self, key: K, default: D) -> V | D: ...
    def get(self, key: K, default: D | None = None) -> V | D | None:
        if self._changes:
            value = self._changes.get(key, _UNCHANGED)
            if value is _GONE:
                return default
            if value is not _UNCHANGED:
                return value
        return self._base.get(key, default)

    def __contains__(self, key: K) -> bool:
        return self.get(key, _GONE) is not _GONE

    def __getitem__(self, key: K) -> V:
        value = self.get(key, _GONE)
        if value is _GONE:
            raise KeyError(key)
        return value

    def set(self, key: K, value: V) -> None:
        if key not in self:
            self._len += 1
        if self._owns_base:
            self._base[key] = value
        elif self._base is _EMPTY and not self._changes:
            self._base, self._owns_base = {key: value}, True
        else:
            self._change(key, value)

    def delete(self, key: K) -> None:
        """Take a key away; raises KeyError where it is not there."""
        if key not in self:
            raise KeyError(key)
        self._len -= 1
        if self._owns_base:
            del self._base[key]
        else:
            self._change(key, _GONE)

    def _change(self, key: K, value: V | _Gone) -> None:
        if not self._owns_changes:
            self._changes = dict(self._changes)
            self._owns_changes = True
        self._changes[key] = value
        if len(self._changes) > 8 + isqrt(len(self._base)):
            self._base = dict(self.items())
            self._changes = cast("dict[K, V | _Gone]", _EMPTY)
            self._owns_base, self._owns_changes = True, False

    def items(self) -> Iterator[tuple[K, V]]:
        changes = self._changes
        if not changes:
            yield from self._base.items()
            return
        for key, value in self._base.items():
            if key not in changes:
                yield key, value
        for key, changed in changes.items():
            if changed is not _GONE:
                yield key, changed

    def __iter__(self) -> Iterator[K]:
        if not self._changes:
            return iter(self._base)
        return (key for key, _ in self.items())

    def values(self) -> Iterator[V]:
        return (value for _, value in self.items())

    def __len__(self) -> int:
        return self._len
