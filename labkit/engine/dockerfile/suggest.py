"""The word that was meant: BuildKit's "(did you mean X?)"."""

from __future__ import annotations

from collections.abc import Iterable

_CLOSE = 3  # an edit distance below this counts as a slip of the pen


def suggestion(word: str, options: Iterable[str], *, case_sensitive: bool = True) -> str:
    """The nearest option, or "" where none is near or the word is one of them."""
    wanted = word if case_sensitive else word.lower()
    best, nearest = "", _CLOSE
    for option in options:
        option = option if case_sensitive else option.lower()
        if option == wanted:
            return ""
        distance = _distance(wanted, option)
        if distance < nearest:
            best, nearest = option, distance
    return best if case_sensitive else _as_cased(best, word)


def did_you_mean(message: str, word: str, options: Iterable[str], *, case_sensitive: bool = True) -> str:
    """The message with the suggestion that fits, if there is one."""
    match = suggestion(word, options, case_sensitive=case_sensitive)
    return f"{message} (did you mean {match}?)" if match else message


def _as_cased(match: str, like: str) -> str:
    if like == like.lower():
        return match.lower()
    return match.upper() if like == like.upper() else match


def _distance(one: str, other: str) -> int:
    """Levenshtein's; far words are given up at once."""
    if abs(len(one) - len(other)) >= _CLOSE:
        return _CLOSE
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
