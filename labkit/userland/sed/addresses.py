"""Which lines an address of sed selects."""

from __future__ import annotations

from labkit.userland.guarded import Searchable
from labkit.userland.sed.script import LAST, OPEN, SedAddress, SedCommand
from labkit.userland.sed.state import SedRun


def selected(state: SedRun, command: SedCommand) -> bool:
    return _in_range(state, command) != command.negated


def _in_range(state: SedRun, command: SedCommand) -> bool:
    if command.first is None:
        return True
    if command.second is None:
        return _matches(state, command.first)
    if command.active_until:
        return _still(state, command)
    starts = state.tool.gnu and command.first.line == 0 and state.number == 1 and command.second.pattern is not None
    if starts:
        command.active_until, command.begun = OPEN, True
        return _still(state, command)
    second = command.second
    if not _starts(state, command):
        return False
    if second.pattern is not None or second.repeat:
        command.active_until = OPEN
    elif second.line == LAST:
        command.active_until = 0 if state.is_last() else OPEN
    else:
        line = second.line or 0
        if second.kind == "+":
            line += state.number
        elif second.kind == "~":
            line = -(-state.number // line) * line if line else state.number
        command.active_until = line if line > state.number else 0
    return True


def _starts(state: SedRun, command: SedCommand) -> bool:
    """Whether a range begins here. GNU lets one begin late, whose first line was passed over, but only once."""
    first = command.first
    assert first is not None
    if not state.tool.gnu or first.line is None or first.line == LAST or first.step:
        return _matches(state, first)
    if command.begun or state.number < first.line:
        return False
    command.begun = True
    second = command.second
    by_number = second is not None and second.pattern is None and not second.repeat and not second.kind
    late = by_number and second is not None and second.line != LAST and state.number > (second.line or 0)
    return not late or state.number == first.line


def _still(state: SedRun, command: SedCommand) -> bool:
    second = command.second
    assert second is not None
    if second.pattern is not None or second.repeat:
        if _matches(state, second):
            command.active_until = 0
        return True
    if second.line == LAST:
        if state.is_last():
            command.active_until = 0
        return True
    limit = command.active_until
    if state.number >= limit:
        command.active_until = 0
    return state.number <= limit


def _matches(state: SedRun, address: SedAddress) -> bool:
    if address.pattern is not None or address.repeat:
        pattern = pattern_in_force(state, address.pattern)
        return pattern.search(state.space) is not None
    if address.line == LAST:
        return state.is_last()
    line = address.line or 0
    if address.step:
        return state.number >= line and (state.number - line) % address.step == 0
    return state.number == line


def pattern_in_force(state: SedRun, pattern: Searchable | None) -> Searchable:
    if pattern is None:
        if state.pattern is None:
            state.tool.fail("no previous regular expression" if state.tool.gnu else "no previous regexp")
        return state.pattern
    state.pattern = pattern
    return pattern
