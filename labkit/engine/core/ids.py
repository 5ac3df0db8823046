"""Identifiers that are shaped like Docker's but come from a counter, so that the same commands give the same ids."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.files.persistent import Map

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Ids:
    """Gives new ids; `counters` (kind -> how many were given) is all that it remembers."""

    def __init__(self, counters: Map, seed: str = "") -> None:
        self.counters = counters
        self.seed = seed

    def new(self, kind: str) -> str:
        """64 hexadecimal digits. As with Docker's, the short form (12) is never a plain number."""
        while True:
            text = self._digest(kind).hex()
            if _has_letter_and_digit(text[:12]):
                return text

    def key(self, kind: str) -> str:
        """25 letters and digits, as BuildKit names its layers."""
        while True:
            text = _base36(int.from_bytes(self._digest(kind)[:16], "big"))[:25]
            if _has_letter_and_digit(text[:12]):
                return text

    def number(self, kind: str) -> int:
        """The next number of this kind, from 1."""
        number = (self.counters.get(kind) or 0) + 1
        self.counters.set(kind, number)
        return number

    def _digest(self, kind: str) -> bytes:
        return sha256(f"{self.seed}/{kind}/{self.number(kind)}".encode()).digest()


def _base36(number: int) -> str:
    digits = []
    for _ in range(25):
        number, digit = divmod(number, 36)
        digits.append(_LETTERS[digit])
    return "".join(digits)


def _has_letter_and_digit(text: str) -> bool:
    return not text.isdigit() and not text.isalpha()


def short(identifier: str) -> str:
    """The 12 digits by which Docker shows an id, with or without its algorithm."""
    return identifier.removeprefix("sha256:")[:12]
