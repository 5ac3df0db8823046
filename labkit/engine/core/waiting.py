"""The processes that wait in containers: which goes on first, and which addresses their containers have."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Self

from labkit.engine.core.records import Running
from labkit.files import Map

_FIRST = 2  # the bridge's network is 172.17.0.0/16, and the host has its 1
_STALE = 64  # entries of a queue, beside two for each process, from which on it is made anew


class Waiting(Map[str, Running]):
    """By container id; ID/NUMBER is what exec started. With its process here ends a container's hold on its address."""

    __slots__ = ("_free", "_held", "_queue")

    def __init__(self) -> None:
        super().__init__()
        self._held: Map[str, int] = Map()  # container id -> number of its address
        self._free = -1 << _FIRST  # a bit for each number
        self._queue: list[tuple[int, str]] | None = None  # a heap; older times of a process may be in it too

    def copy(self) -> Self:
        twin = super().copy()
        twin._held, twin._free, twin._queue = self._held.copy(), self._free, None
        return twin

    def set(self, key: str, value: Running) -> None:
        super().set(key, value)
        if self._queue is not None and value.parked.until is not None:
            heappush(self._queue, (value.parked.until, key))

    def delete(self, key: str) -> None:
        super().delete(key)
        number = self._held.get(key)
        if number is not None:
            self._free |= 1 << number
            self._held.delete(key)

    def free_address(self) -> str:
        """The lowest that no container holds."""
        number = (self._free & -self._free).bit_length() - 1
        return f"172.17.{number >> 8}.{number & 255}"

    def hold(self, key: str, address: str) -> None:
        """This container, whose process comes next, has that address."""
        high, low = map(int, address.split(".")[2:])
        self._free &= ~(1 << (high << 8 | low))
        self._held.set(key, high << 8 | low)

    def first_due(self, target: int, is_paused: Callable[[str], bool]) -> tuple[int, str] | None:
        """When and which process goes on first, if that is by then."""
        queue = self._queue
        if queue is None or len(queue) > 2 * len(self) + _STALE:
            times = ((running.parked.until, key) for key, running in self.items())
            queue = self._queue = [(until, key) for until, key in times if until is not None]
            heapify(queue)
        paused: list[tuple[int, str]] = []
        due = None
        while due is None and queue and queue[0][0] <= target:
            until, key = queue[0]
            running = self.get(key)
            if running is None or running.parked.until != until:
                heappop(queue)
            elif is_paused(key):
                paused.append(heappop(queue))
            else:
                due = until, key
        for each in paused:
            heappush(queue, each)
        return due
