"""Which blocks of a file are its own, where a driver shares the others with the file that it was cloned from.

A block of the clone is shared as long as its bytes are what the original has in the same place; so writing the same
bytes again counts as nothing, which on a real disk takes a new block.
"""

from __future__ import annotations

from collections.abc import Iterator

from labkit.files import Content
from labkit.files.contents import Piece, Run, length

_Span = tuple[int, int]


def own_blocks(new: Content, old: Content, unit: int) -> list[int]:
    """The numbers of the blocks of `unit` bytes in `new` that hold something and are not the same in `old`."""
    if new is old or new.pieces == old.pieces:
        return []
    found: list[int] = []
    for start, stop in _differences(new, old, unit):
        first = start // unit if not found else max(start // unit, found[-1] + 1)
        found.extend(range(first, (stop - 1) // unit + 1))
    last = (new.size - 1) // unit
    if 0 < new.size < old.size and new.size % unit and (not found or found[-1] != last):
        found.append(last)  # the end of a file that was cut is written anew
    return found


def _differences(new: Content, old: Content, unit: int) -> Iterator[_Span]:
    """The spans of `new` that differ, holes left out."""
    behind = Run(max(0, new.size - old.size), "behind")
    place = 0
    theirs: Iterator[Piece] = iter((*old.pieces, behind))
    other: Piece = behind
    other_start = other_end = 0
    for piece in new.pieces:
        end = place + length(piece)
        at = place
        while at < end:
            while at >= other_end:
                other = next(theirs)
                other_start, other_end = other_end, other_end + length(other)
            stop = min(end, other_end)
            if isinstance(piece, bytes) and isinstance(other, bytes):
                yield from _in_bytes(piece, place, other, other_start, at, stop, unit)
            elif not (isinstance(piece, Run) and (piece.seed == "" or _same_rule(piece, place, other, other_start))):
                yield at, stop
            at = stop
        place = end


def _same_rule(piece: Run, place: int, other: Piece, other_place: int) -> bool:
    if not isinstance(other, Run) or piece.seed != other.seed:
        return False
    return not piece.seed or piece.start - place == other.start - other_place


def _in_bytes(
    piece: bytes, place: int, other: bytes, other_place: int, start: int, stop: int, unit: int
) -> Iterator[_Span]:
    """Two pieces of bytes, compared block by block."""
    if piece[start - place : stop - place] == other[start - other_place : stop - other_place]:
        return
    while start < stop:
        end = min(stop, (start // unit + 1) * unit)
        if piece[start - place : end - place] != other[start - other_place : end - other_place]:
            yield start, end
        start = end
