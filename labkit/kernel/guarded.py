"""Regular expressions that end: Python's own engine where it is fast, else a search whose steps are counted.

Python's engine backtracks: `(a+)+$` takes time exponential in the text, `.*.*.*x` the cube of its length. Where a
pattern and a text could take it long, the search here is used instead. It remembers the states that led nowhere, so its
steps are at most instructions times characters (but for back-references), and each is paid for. It finds what Python's
engine finds, but where an empty part is repeated: `(^|.)*?` may find more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from re import _constants as names  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import NamedTuple

from labkit.kernel.limits import Runaway

Tick = Callable[[int], object]
Test = Callable[[str], bool]
SetItem = tuple[int, int | tuple[int, int] | None]  # of brackets: a character, a range, a category, that it is negated

_COST = 10_000_000  # of characters to the power of the pattern's repeats: what Python's engine may be asked for
_LARGEST = 20_000  # instructions
_STEPS_A_TICK = 4
CHAR, SPLIT, JUMP, SAVE, AT, LOOK, BACK, MATCH = range(8)
_CATEGORIES = {
    names.CATEGORY_DIGIT: r"\d", names.CATEGORY_NOT_DIGIT: r"\D", names.CATEGORY_SPACE: r"\s",
    names.CATEGORY_NOT_SPACE: r"\S", names.CATEGORY_WORD: r"\w", names.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_INNER = {names.SUBPATTERN: 3, names.ASSERT: 1, names.ASSERT_NOT: 1}  # which of a node's values is the pattern inside
_ENDLESS = 20  # a repeat that may go on this often counts as endless


class TooBig(Runaway):
    """A pattern has too many instructions, or ones that are not known here."""


def guarded(pattern: re.Pattern[str], tick: Tick) -> Searchable:
    """The pattern itself where no text can take it long, else a Guarded one."""
    power = _power(pattern.pattern, pattern.flags)
    return pattern if power == 0 else Guarded(pattern, power, tick)


@lru_cache(maxsize=256)
def _power(pattern: str, flags: int) -> int:
    """To which power of the text's length a search can take time; 99 for exponential."""
    try:
        return _repeats(_parser.parse(pattern, flags), False)
    except RecursionError:
        return 99


def _repeats(nodes: _parser.SubPattern, repeated: bool) -> int:
    total = 0
    for kind, value in nodes:
        if kind in (names.MAX_REPEAT, names.MIN_REPEAT, names.POSSESSIVE_REPEAT):
            endless = value[1] is names.MAXREPEAT or value[1] > _ENDLESS
            if repeated and value[0] != value[1]:
                return 99
            total += endless + _repeats(value[2], repeated or value[1] is names.MAXREPEAT or value[1] > 1)
        elif kind is names.BRANCH:
            total += 99 if repeated else max(_repeats(branch, repeated) for branch in value[1])
        elif kind is names.GROUPREF:
            total += 1
        elif kind is names.ATOMIC_GROUP:
            total += _repeats(value, repeated)
        elif kind in _INNER:
            total += _repeats(value[_INNER[kind]], repeated)
    return min(total, 99)


class GuardedMatch:
    """What a search found; as re.Match."""

    def __init__(self, text: str, places: tuple[int, ...]) -> None:
        self.string = text
        self._places = places

    def span(self, group: int = 0) -> tuple[int, int]:
        return self._places[2 * group], self._places[2 * group + 1]

    def start(self, group: int = 0) -> int:
        return self._places[2 * group]

    def end(self, group: int = 0) -> int:
        return self._places[2 * group + 1]

    def group(self, group: int = 0) -> str | None:
        if 2 * group >= len(self._places):
            raise IndexError("no such group")
        start, end = self.span(group)
        return None if start < 0 or end < 0 else self.string[start:end]

    def __getitem__(self, group: int) -> str:
        """As group(), but "" for one that took no part."""
        return self.group(group) or ""

    def groups(self) -> tuple[str | None, ...]:
        return tuple(self.group(number) for number in range(1, len(self._places) // 2))


class Guarded:
    """A pattern with a few of re.Pattern's methods. `tick` is told of the steps that a search took."""

    def __init__(self, pattern: re.Pattern[str], power: int, tick: Tick) -> None:
        self._plain = pattern
        self._power = power
        self._tick = tick
        self.pattern = pattern.pattern
        self.groups = pattern.groups
        self.flags = pattern.flags

    def _is_fast(self, text: str) -> bool:
        return self._power < 99 and (len(text) + 1) ** (self._power + 1) < _COST

    def search(self, text: str, start: int = 0) -> TextMatch | None:
        if self._is_fast(text):
            return self._plain.search(text, start)
        return self._find(text, range(start, len(text) + 1))

    def match(self, text: str, start: int = 0) -> TextMatch | None:
        return self._plain.match(text, start) if self._is_fast(text) else self._find(text, range(start, start + 1))

    def fullmatch(self, text: str) -> TextMatch | None:
        return self._plain.fullmatch(text) if self._is_fast(text) else self._find(text, range(1), whole=True)

    def finditer(self, text: str) -> Iterator[TextMatch]:
        if self._is_fast(text):
            yield from self._plain.finditer(text)
            return
        place, advance = 0, False
        while found := self._find(text, range(place, len(text) + 1), advance=advance):
            yield found
            place, advance = found.end(), found.start() == found.end()

    def sub(self, by: Callable[[TextMatch], str], text: str, count: int = 0) -> str:
        out, place = "", 0
        for number, found in enumerate(self.finditer(text), 1):
            out += text[place : found.start()] + by(found)
            place = found.end()
            if number == count:
                break
        return out + text[place:]

    def split(self, text: str) -> list[str]:
        out, place = [], 0
        for found in self.finditer(text):
            out.append(text[place : found.start()])
            place = found.end()
        return [*out, text[place:]]

    def _find(self, text: str, starts: range, *, whole: bool = False, advance: bool = False) -> GuardedMatch | None:
        """The first match; `advance`: not an empty one at the first place."""
        program, remembers = _compiled(self.pattern, self.flags)
        seen: set[tuple[int, int]] = set()
        for start in starts:
            ends = range(len(text), len(text) + 1) if whole else range(start + advance, len(text) + 1)
            found = _run(program, text, start, self.groups, seen if remembers else None, self._tick, ends)
            advance = False
            if found:
                return GuardedMatch(text, found)
        return None


TextMatch = re.Match[str] | GuardedMatch
Searchable = re.Pattern[str] | Guarded

# -- from Python's syntax tree to instructions


class Step(NamedTuple):
    """One instruction. CHAR: `test`. SPLIT: `to`, else `other`. JUMP: `to`. SAVE: into `to`. AT: `to` (the condition),
    `other` (flags). LOOK: `inner`, `to` characters back; `wanted`. BACK: to group `to`; `wanted`: in either case.
    """

    kind: int
    to: int = 0
    other: int = 0
    test: Test = str.isascii  # of one character
    inner: tuple[Step, ...] = ()
    wanted: bool = False


@lru_cache(maxsize=64)
def _compiled(pattern: str, flags: int) -> tuple[tuple[Step, ...], bool]:
    """The instructions, and whether a state that failed once always fails (no back-references)."""
    program: list[Step] = []
    _emit(program, _parser.parse(pattern, flags), flags)
    program.append(Step(MATCH))
    return tuple(program), not any(step.kind == BACK for step in program)


def _emit(program: list[Step], nodes: _parser.SubPattern, flags: int) -> None:
    for kind, value in nodes:
        if len(program) > _LARGEST:
            raise TooBig("a regular expression is too big")
        if kind in (names.MAX_REPEAT, names.MIN_REPEAT, names.POSSESSIVE_REPEAT):
            _emit_repeat(program, value, flags, lazy=kind is names.MIN_REPEAT)
        elif kind is names.SUBPATTERN:
            _emit_group(program, value, flags)
        elif kind is names.BRANCH:
            _emit_branches(program, value[1], flags)
        elif kind is names.AT:
            program.append(Step(AT, value, flags))
        elif kind in (names.ASSERT, names.ASSERT_NOT):
            inner: list[Step] = []
            _emit(inner, value[1], flags)
            width = value[1].getwidth()[0] if value[0] < 0 else 0
            program.append(Step(LOOK, width, inner=(*inner, Step(MATCH)), wanted=kind is names.ASSERT))
        elif kind is names.GROUPREF:
            program.append(Step(BACK, value, wanted=bool(flags & re.I)))
        elif kind is names.ATOMIC_GROUP:
            _emit(program, value, flags)
        else:
            program.append(Step(CHAR, test=_test(kind, value, flags)))


def _emit_group(
    program: list[Step], value: tuple[int | None, int, int, _parser.SubPattern], flags: int
) -> None:  # fmt: skip
    number, add, remove, inner = value
    if number is not None:
        program.append(Step(SAVE, 2 * number))
    _emit(program, inner, (flags | add) & ~remove)
    if number is not None:
        program.append(Step(SAVE, 2 * number + 1))


def _emit_branches(program: list[Step], branches: list[_parser.SubPattern], flags: int) -> None:
    ends = []
    for branch in branches[:-1]:
        split = len(program)
        program.append(Step(SPLIT))
        _emit(program, branch, flags)
        ends.append(len(program))
        program.append(Step(JUMP))
        program[split] = Step(SPLIT, split + 1, len(program))
    _emit(program, branches[-1], flags)
    for end in ends:
        program[end] = Step(JUMP, len(program))


def _emit_repeat(
    program: list[Step], value: tuple[int, int, _parser.SubPattern], flags: int, *, lazy: bool
) -> None:  # fmt: skip
    least, most, inner = value
    for _ in range(least):
        _emit(program, inner, flags)
    splits = []
    for _ in range(1 if most is names.MAXREPEAT else most - least):
        splits.append(len(program))
        program.append(Step(SPLIT))
        _emit(program, inner, flags)
    if most is names.MAXREPEAT:
        program.append(Step(JUMP, splits[0]))
    for place in splits:
        program[place] = Step(SPLIT, len(program), place + 1) if lazy else Step(SPLIT, place + 1, len(program))


def _test(kind: int, value: int | list[SetItem] | None, flags: int) -> Test:
    """Whether one character fits."""
    if kind is names.ANY:
        return (lambda char: True) if flags & re.S else (lambda char: char != "\n")
    if kind not in (names.LITERAL, names.NOT_LITERAL, names.IN):
        raise TooBig("a regular expression is too big")
    items = value if isinstance(value, list) else [(names.LITERAL, value)]
    negated = kind is names.NOT_LITERAL or items[0][0] is names.NEGATE
    tests = [_in_set(what, which) for what, which in items if what is not names.NEGATE]
    fold = bool(flags & re.I)

    @lru_cache(maxsize=256)
    def fits(char: str) -> bool:
        chars = {char, char.lower(), char.upper()} if fold else {char}
        return any(test(one) for test in tests for one in chars if len(one) == 1) != negated

    return fits


def _in_set(what: int, which: int | tuple[int, int] | None) -> Test:
    if what is names.LITERAL:
        return lambda char: ord(char) == which
    if isinstance(which, tuple):
        return lambda char: which[0] <= ord(char) <= which[1]
    category = re.compile(_CATEGORIES[which])
    return lambda char: category.match(char) is not None


# -- running them


def _run(
    program: tuple[Step, ...],
    text: str,
    start: int,
    groups: int,
    seen: set[tuple[int, int]] | None,
    tick: Tick,
    ends: range,
) -> tuple[int, ...] | None:
    """The places of the groups of a match that begins at `start` and ends in `ends`."""
    stack = [(0, start, (-1,) * (2 * groups + 2))]
    length, steps = len(text), 0
    while stack:
        at, place, places = stack.pop()
        while True:
            steps += 1
            if steps >= 4096:
                tick(steps // _STEPS_A_TICK)
                steps = 0
            step = program[at]
            kind = step.kind
            if kind == CHAR:
                if place >= length or not step.test(text[place]):
                    break
                at, place = at + 1, place + 1
                continue
            if kind == SPLIT:
                if seen is not None:
                    if (at, place) in seen:
                        break
                    seen.add((at, place))
                stack.append((step.other, place, places))
                at = step.to
            elif kind == JUMP:
                at = step.to
            elif kind == SAVE:
                places = (*places[: step.to], place, *places[step.to + 1 :])
                at += 1
            elif kind == MATCH:
                if place not in ends:
                    break
                tick(1 + steps // _STEPS_A_TICK)
                return (start, place, *places[2:])
            else:
                moved = _checked(step, text, place, places, groups, tick)
                if moved < 0:
                    break
                at, place = at + 1, moved
    tick(1 + steps // _STEPS_A_TICK)
    return None


def _checked(step: Step, text: str, place: int, places: tuple[int, ...], groups: int, tick: Tick) -> int:
    """Where it goes on after a condition or a back-reference; -1 where that does not hold."""
    if step.kind == AT:
        return place if _is_at(step.to, step.other, text, place) else -1
    if step.kind == LOOK:
        start, ends = place - step.to, range(len(text) + 1)
        found = start >= 0 and _run(step.inner, text, start, groups, None, tick, ends) is not None
        return place if found is step.wanted else -1
    first, last = places[2 * step.to], places[2 * step.to + 1]
    if first < 0 or last < 0:
        return -1
    word, there = text[first:last], text[place : place + last - first]
    if step.wanted:
        word, there = word.lower(), there.lower()
    return place + len(word) if word == there else -1


def _is_at(where: int, flags: int, text: str, place: int) -> bool:
    if where in (names.AT_BEGINNING, names.AT_BEGINNING_STRING):
        return place == 0 or (where == names.AT_BEGINNING and bool(flags & re.M) and text[place - 1] == "\n")
    if where == names.AT_END:
        rest = len(text) - place
        return rest == 0 or (rest == 1 and text[place] == "\n") or (bool(flags & re.M) and text[place] == "\n")
    if where == names.AT_END_STRING:
        return place == len(text)
    border = _is_word(text, place - 1) != _is_word(text, place)
    return border is (where == names.AT_BOUNDARY)


def _is_word(text: str, place: int) -> bool:
    return 0 <= place < len(text) and (text[place] == "_" or text[place].isalnum())
