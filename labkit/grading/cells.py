"""Texts of unknown origin as they may stand in a table, on a terminal and on a page."""

from __future__ import annotations

import unicodedata

FORMULA = tuple("=+-@＝＋－＠")  # a spreadsheet takes a cell that begins with one as a formula
LONGEST = 32_000  # characters of a cell; a spreadsheet takes 32,767


def line(text: str) -> str:
    """One line without control characters and without those that nobody sees or that turn the writing round."""
    kept = (" " if each in "\t\n\r" else each for each in text if each in "\t\n\r" or not _unseen(each))
    return "".join(kept)


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def cell(text: str) -> str:
    """A text that no spreadsheet runs."""
    text = line(text)
    text = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def points(number: float) -> str:
    """Without a fraction where there is none."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
