"""Times of --since, --until and until=, as the daemon and its client read them."""

from __future__ import annotations

import re

import pytest

from labkit.kernel.golang import SECOND
from labkit.kernel.timestamps import moment

NOW = 1_795_000_000 * SECOND
DAY = 1_795_478_400 * SECOND  # 2026-11-24

READ = [
    ("1m30s", NOW - 90 * SECOND),
    ("-1s", NOW + SECOND),
    ("0", 0),
    ("0s", NOW),
    ("17", 17 * SECOND),
    ("17.25", 17 * SECOND + SECOND // 4),
    ("2026-11-24", DAY),
    ("2026-11-24T01", DAY + 3600 * SECOND),
    ("2026-11-24T01:02", DAY + 3720 * SECOND),
    ("2026-11-24T01:02:03", DAY + 3723 * SECOND),
    ("2026-11-24T01:02:03.5", DAY + 3723 * SECOND + SECOND // 2),
    ("2026-11-24T01:02:03.000000001Z", DAY + 3723 * SECOND + 1),
    ("2026-11-24T01:02:03+01:00", DAY + 123 * SECOND),
    ("2026-11-24T01Z", DAY + 3600 * SECOND),
    ("2026-11-24Z", DAY),
]


@pytest.mark.parametrize("client", [False, True])
@pytest.mark.parametrize(("text", "when"), READ)
def test_what_is_a_time(text: str, when: int, client: bool) -> None:
    assert moment(text, NOW, client) == when


FAILED = "failed to parse value as time or duration: "
REFUSED = [
    ("x", FAILED + 'invalid seconds "x": invalid syntax'),
    ("1x", FAILED + 'invalid seconds "1x": invalid syntax'),
    ("9" * 20, FAILED + f'invalid seconds "{"9" * 20}": value out of range'),
    ("1.x", FAILED + "invalid nanoseconds: invalid character 'x' at position 0"),
    ("1." + "0" * 21, FAILED + "invalid nanoseconds: length 21 exceeds maximum 20"),
    (" ", FAILED + "value is empty"),
    ("2026-13-01", 'parsing time "2026-13-01": month out of range'),
    ("2026-02-30", 'parsing time "2026-02-30": day out of range'),
    ("2026-1-1", 'parsing time "2026-1-1" as "2006-01-02": cannot parse "1-1" as "01"'),
    ("x-y", 'parsing time "x-y" as "2006-01-02": cannot parse "x-y" as "2006"'),
    ("2026-11-24 1", 'parsing time "2026-11-24 1": extra text: " 1"'),
    (
        "2026-11-24T1:2.5",
        'parsing time "2026-11-24T1:2.5" as "2006-01-02T15:04:05.999999999": cannot parse "2.5" as "04"',
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        moment(text, NOW)


def test_the_client_names_the_whole_value() -> None:
    with pytest.raises(ValueError, match=f'^{FAILED}"1x"$'):
        moment("1x", NOW, client=True)
