from __future__ import annotations

import pytest

from labkit.kernel.golang import SECOND, human_duration, parse_time, rfc3339


def test_rfc3339() -> None:
    assert rfc3339(1_795_510_800_971_718_956) == "2026-11-24T09:00:00.971718956Z"
    assert rfc3339(1_795_510_800_120_000_000) == "2026-11-24T09:00:00.12Z"
    assert rfc3339(None) == "0001-01-01T00:00:00Z"
    assert parse_time("2026-11-24T09:00:00.12Z") == 1_795_510_800_120_000_000


DURATIONS = [
    (0, "Less than a second"), (1, "1 second"), (59, "59 seconds"), (60, "About a minute"), (119, "About a minute"),
    (120, "2 minutes"), (3600, "About an hour"), (86400, "24 hours"), (86400 * 3, "3 days"), (86400 * 15, "2 weeks"),
    (86400 * 90, "3 months"), (86400 * 365 * 3, "3 years"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), DURATIONS)
def test_durations(seconds: int, text: str) -> None:
    assert human_duration(seconds * SECOND) == text
