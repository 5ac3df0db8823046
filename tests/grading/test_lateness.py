"""What is taken off for late work, and what is said where nobody knows when it came."""

from __future__ import annotations

from pathlib import Path

import pytest
from classroom import grade_here, letter, notebook, submission

from labkit.grading.lateness import DAY, Lateness, LateRule, TimeError, read_rule, read_time
from labkit.grading.roster import Learner, Roster

NOON = 1_796_040_000.0  # 2026-11-30 12:00 UTC
DAILY = LateRule("daily", 10, 3)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("none", LateRule()),
        ("zero", LateRule("zero")),
        ("10%/day", LateRule("daily", 10)),
        ("10%/day up to 3", DAILY),
        (" 10 % per day up to 3 days", DAILY),
    ],
)
def test_rules(text: str, rule: LateRule) -> None:
    assert read_rule(text) == rule


@pytest.mark.parametrize("text", ["", "10", "10%", "ten%/day", "10%/day up to"])
def test_no_rules(text: str) -> None:
    with pytest.raises(TimeError, match="is not a rule for late work"):
        read_rule(text)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-30T12:00:00Z", NOON),
        ("2026-11-30 13:00+01:00", NOON),
        ("2026-11-30 12:00:00.000000 UTC", NOON),
        ("2026-11-30 13:00:00 +0100", NOON),
        ("2026-11-30 07:00:00.000000 America/New_York", NOON),
    ],
)
def test_times(text: str, time: float) -> None:
    assert read_time(text) == time


def test_times_of_this_computers_zone() -> None:
    assert read_time("2026-11-30") - read_time("2026-11-30 00:00") == DAY - 1
    for text in ("Monday, 30 November 2026, 6:05 PM", "30 November 2026, 6:05 PM", "30.11.2026 18:05"):
        assert read_time(text) == read_time("2026-11-30 18:05")
    for text in ("", "soon", "2026-11-30 12:00:00 Mars/Olympus", "99999999999"):
        with pytest.raises(TimeError):
            read_time(text)


@pytest.mark.parametrize(
    ("rule", "time", "marked", "extension", "left", "said"),
    [
        (DAILY, NOON, None, None, 1.0, ""),
        (DAILY, NOON + 1, None, None, 0.9, "handed in late, on day 1 after the deadline: 10% is taken off"),
        (DAILY, NOON + 3 * DAY, None, None, 0.7, "handed in late, on day 3 after the deadline: 30% is taken off"),
        (DAILY, NOON + 3 * DAY + 1, None, None, 0.0, "handed in late, on day 4 after the deadline: it does not count"),
        (DAILY, NOON + DAY, None, NOON + DAY, 1.0, ""),
        (LateRule("zero"), NOON + 1, None, None, 0.0, "handed in late, on day 1 after the deadline: it does not count"),
        (LateRule(), NOON + 1, None, None, 1.0, "handed in late, on day 1 after the deadline: nothing is taken off"),
        (DAILY, None, None, None, 1.0, "when it was handed in is not known: nothing is taken off"),
        (DAILY, None, False, None, 1.0, ""),
        (DAILY, None, True, None, 0.9, "marked late by the LMS, which does not say how late: 10% is taken off"),
        (DAILY, None, True, NOON, 1.0, "marked late by the LMS, but with an extension, and the time is not known: nothing is taken off"),
    ],
)  # fmt: skip
def test_what_is_left(
    rule: LateRule, time: float | None, marked: bool | None, extension: float | None, left: float, said: str
) -> None:
    assert Lateness(rule, NOON).of(time, marked, extension) == (pytest.approx(left), said)


def hand_in(folder: Path, *answers: str, day: int = 30) -> None:
    """One of nbgrader's, each a day after the other."""
    for number, answer in enumerate(answers):
        place = folder / f"ann+02+2026-11-{day + number:02} 12:00:00.000000 UTC"
        place.mkdir()
        (place / "ann.ipynb").write_text(notebook(f"%%answer a-tag-moves\n{answer}"))


WRONG = [each for each in "abc" if each != letter("ann")]


@pytest.mark.parametrize(
    ("answers", "attempts", "keep", "points", "said"),
    [
        ([letter("ann"), WRONG[0]], 3, "best", 1, []),
        ([letter("ann"), WRONG[0]], 3, "last", 0, []),
        ([WRONG[0], WRONG[1], letter("ann")], 2, "best", 0, ["1 more hand-in after the first 2 do not count"]),
        ([WRONG[0], WRONG[0], letter("ann")], 2, "best", 1, []),  # the same again is no attempt
        ([letter("ann"), letter("ann"), letter("ann")], 1, "last", 1, []),
    ],
)
def test_so_many_hand_ins_count(
    tmp_path: Path, answers: list[str], attempts: int, keep: str, points: int, said: list[str]
) -> None:
    hand_in(tmp_path, *answers, day=20)
    (result,) = grade_here(tmp_path, attempts=attempts, keep=keep)
    assert (result.points, list(result.counted["a-tag-moves"].said)) == (points, said)


def test_late_hand_ins_lose_points_unless_the_learner_has_an_extension(tmp_path: Path) -> None:
    hand_in(tmp_path, WRONG[0], letter("ann"), day=28)
    lateness = Lateness(DAILY, NOON - 2 * DAY)
    (result,) = grade_here(tmp_path, lateness=lateness)
    assert result.points == 0.9
    (result,) = grade_here(tmp_path, lateness=Lateness(LateRule("zero"), NOON - 2 * DAY), keep="last")
    assert (result.points, result.counted["a-tag-moves"].attempt) == (0, 1)
    roster = Roster((Learner("ann", extension="2026-11-30"),))
    assert [each.points for each in grade_here(tmp_path, lateness=lateness, roster=roster)] == [1]


def test_the_roster_may_say_when_and_a_wrong_time_is_told(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        (tmp_path / f"{name}.labkit.json").write_text(submission(("a-tag-moves", letter(name))))
    roster = Roster((Learner("ann", handed_in="2026-12-01T12:00Z"), Learner("bob", extension="friday")))
    ann, bob = grade_here(tmp_path, lateness=Lateness(DAILY, NOON), roster=roster)
    assert (ann.points, bob.points) == (0.9, 1)
    assert bob.faults == [
        "its extension in the roster cannot be read: 'friday' is not a time, such as 2026-11-30 18:00"
    ]
