"""Sizes, durations, quoting (docker/go-units size.go and duration.go, Go strconv)."""

from __future__ import annotations

import pytest

from labkit.dockercli import flags
from labkit.dockercli.flags import ValueInvalid
from labkit.kernel import golang

SECOND = 10**9


@pytest.mark.parametrize(
    ("size", "four", "three"),
    [
        (0, "0B", "0B"),
        (52, "52B", "52B"),
        (999, "999B", "999B"),
        (1000, "1kB", "1kB"),
        (1030, "1.03kB", "1.03kB"),
        (1984162, "1.984MB", "1.98MB"),  # the base image of the transcripts
        (2097152, "2.097MB", "2.1MB"),
        (3145728, "3.146MB", "3.15MB"),
        (8388608, "8.389MB", "8.39MB"),
        (10372770, "10.37MB", "10.4MB"),
        (10 * 2**30, "10.74GB", "10.7GB"),
        (100_000_000, "100MB", "100MB"),
    ],
)
def test_human_size(size, four, three):
    assert (golang.human_size(size), golang.human_size(size, 3)) == (four, three)


def test_bytes_size():
    assert golang.bytes_size(64 << 20) == "64MiB"
    assert golang.bytes_size(8_325_120_000) == "7.753GiB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Less than a second"),
        (0.9, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (45 * 60, "45 minutes"),
        (60 * 60, "About an hour"),
        (89 * 60, "About an hour"),
        (90 * 60, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (14 * 86400, "2 weeks"),
        (60 * 86400, "2 months"),
        (730 * 86400, "2 years"),
    ],
)
def test_human_duration(seconds, text):
    assert golang.human_duration(int(seconds * SECOND)) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("32", 32),
        ("32b", 32),
        ("1k", 1024),
        ("1kb", 1024),
        ("1KiB", 1024),
        ("1.5m", 3 << 19),
        ("2G", 2 << 30),
        ("1 m", 1 << 20),
        ("1t", 1 << 40),
    ],
)
def test_parse_bytes(text, size):
    assert flags.parse_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid size: ''"),
        ("big", "invalid size: 'big'"),
        ("-1", "invalid size: '-1'"),
        ("1x", "invalid suffix: 'x'"),
        ("1kbb", "invalid suffix: 'kbb'"),
        ("1.2.3m", 'strconv.ParseFloat: parsing "1.2.3": invalid syntax'),
    ],
)
def test_bad_bytes(text, message):
    with pytest.raises(ValueInvalid) as caught:
        flags.parse_bytes(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("1s", 1), ("1h30m", 5400), ("1.5h", 5400), ("500ms", 0.5), ("-2s", -2)]
)
def test_parse_duration(text, seconds):
    assert flags.parse_duration(text) == int(seconds * SECOND)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a", '"a"'),
        ('a"b\\', '"a\\"b\\\\"'),
        ("a\tb\n", '"a\\tb\\n"'),
        ("ü…", '"ü…"'),
        ("\x01\x7f", '"\\x01\\x7f"'),
        ("\u200b", '"\\u200b"'),
        ("\udcff", '"\\xff"'),
    ],
)
def test_quote(text, quoted):
    assert golang.quote(text) == quoted


@pytest.mark.parametrize(
    ("text", "width", "cut"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abcd", 1, "a"), ("", 5, "")]
)
def test_ellipsis(text, width, cut):
    assert flags.ellipsis(text, width) == cut


def test_times():
    moment = flags.parse_time("2026-11-24T03:17:38.971718956Z")
    assert moment % SECOND == 971718956
    assert flags.parse_time("2026-11-24T04:17:38.971718956+01:00") == moment
    assert flags.go_time(moment // SECOND) == "2026-11-24 03:17:38 +0000 UTC"


def test_short_id():
    assert flags.short_id("sha256:" + "0123456789abcdef" * 4) == "0123456789ab"
    assert flags.short_id("<missing>") == "<missing>"
