"""The zone of TZ: a POSIX string (tzset(3)), or the usual names of the tz database by the rules that hold since 2007.

What is before that is told by the same rules. A name that is none is UTC under the letters it begins with, as in glibc.
"""

from __future__ import annotations

import re
from calendar import isleap
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_NAME = r"([A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_OFFSET = r"([+-]?\d{1,2}(?::\d\d){0,2})"
_RULE = rf",([MJ]?[\d.]+)(?:/{_OFFSET})?"
_POSIX = re.compile(rf"{_NAME}{_OFFSET}(?:{_NAME}{_OFFSET}?(?:{_RULE}{_RULE})?)?")
_AMERICAN = "M3.2.0", "2", "M11.1.0", "2"
_EUROPEAN = ",M3.5.0,M10.5.0/3"
_NAMED = {  # a POSIX string: places
    "CET-1CEST" + _EUROPEAN: "Europe/ Amsterdam Andorra Belgrade Berlin Bratislava Brussels Budapest Copenhagen "
    "Ljubljana Luxembourg Madrid Malta Monaco Oslo Paris Prague Rome San_Marino Sarajevo Skopje Stockholm Tirane Vaduz "
    "Vatican Vienna Warsaw Zagreb Zurich",
    "EET-2EEST,M3.5.0/3,M10.5.0/4": "Europe/ Athens Bucharest Helsinki Kiev Kyiv Mariehamn Riga Sofia Tallinn Vilnius",
    "GMT0BST,M3.5.0/1,M10.5.0": "Europe/ London Belfast Guernsey Isle_of_Man Jersey",
    "WET0WEST,M3.5.0/1,M10.5.0": "Europe/ Lisbon",
    "IST-1GMT0,M10.5.0,M3.5.0/1": "Europe/ Dublin",
    "MSK-3": "Europe/ Moscow Simferopol",
    "<+03>-3": "Europe/ Istanbul Minsk",
    "EST5EDT,M3.2.0,M11.1.0": "America/ New_York Toronto Detroit Montreal Nassau",
    "CST6CDT,M3.2.0,M11.1.0": "America/ Chicago Winnipeg Menominee",
    "MST7MDT,M3.2.0,M11.1.0": "America/ Denver Edmonton Boise",
    "MST7": "America/ Phoenix",
    "PST8PDT,M3.2.0,M11.1.0": "America/ Los_Angeles Vancouver Tijuana",
    "AKST9AKDT,M3.2.0,M11.1.0": "America/ Anchorage Juneau",
    "AST4ADT,M3.2.0,M11.1.0": "America/ Halifax",
    "NST3:30NDT,M3.2.0,M11.1.0": "America/ St_Johns",
    "CST6": "America/ Mexico_City Costa_Rica Guatemala",
    "EST5": "America/ Panama Jamaica Cancun",
    "<-03>3": "America/ Sao_Paulo Buenos_Aires Montevideo",
    "<-05>5": "America/ Bogota Lima",
    "HST10": "Pacific/ Honolulu",
    "NZST-12NZDT,M9.5.0,M4.1.0/3": "Pacific/ Auckland",
    "CST-8": "Asia/ Shanghai Taipei Macau",
    "HKT-8": "Asia/ Hong_Kong",
    "JST-9": "Asia/ Tokyo",
    "KST-9": "Asia/ Seoul",
    "IST-5:30": "Asia/ Kolkata Calcutta",
    "PKT-5": "Asia/ Karachi",
    "PST-8": "Asia/ Manila",
    "WIB-7": "Asia/ Jakarta",
    "<+08>-8": "Asia/ Singapore Kuala_Lumpur",
    "<+07>-7": "Asia/ Bangkok Ho_Chi_Minh",
    "<+06>-6": "Asia/ Dhaka",
    "<+0545>-5:45": "Asia/ Kathmandu",
    "<+04>-4": "Asia/ Dubai",
    "<+0330>-3:30": "Asia/ Tehran",
    "<+03>-3 ": "Asia/ Riyadh Baghdad",
    "IST-2IDT,M3.4.4/26,M10.5.0": "Asia/ Jerusalem Tel_Aviv",
    "AEST-10AEDT,M10.1.0,M4.1.0/3": "Australia/ Sydney Melbourne Hobart Canberra",
    "AEST-10": "Australia/ Brisbane",
    "ACST-9:30": "Australia/ Darwin",
    "ACST-9:30ACDT,M10.1.0,M4.1.0/3": "Australia/ Adelaide",
    "AWST-8": "Australia/ Perth",
    "SAST-2": "Africa/ Johannesburg",
    "EAT-3": "Africa/ Nairobi",
    "WAT-1": "Africa/ Lagos",
    "EET-2": "Africa/ Tripoli",
    "EET-2EEST,M4.5.5/0,M10.5.4/24": "Africa/ Cairo",
    "GMT0": "Atlantic/ Reykjavik",
}
_PLACES = {
    f"{area}{place}": rule.strip()
    for rule, text in _NAMED.items()
    for area, *places in [text.split()]
    for place in places
} | {
    "CET": "CET-1CEST" + _EUROPEAN, "MET": "MET-1MEST" + _EUROPEAN, "EET": "EET-2EEST,M3.5.0/3,M10.5.0/4",
    "WET": "WET0WEST,M3.5.0/1,M10.5.0", "EST": "EST5", "MST": "MST7", "HST": "HST10", "GMT": "GMT0", "Etc/GMT": "GMT0",
    "UTC": "UTC0", "Etc/UTC": "UTC0", "Zulu": "UTC0", "Universal": "UTC0", "GB": "GMT0BST,M3.5.0/1,M10.5.0",
    "Japan": "JST-9", "PRC": "CST-8", "ROK": "KST-9", "Singapore": "<+08>-8", "Israel": "IST-2IDT,M3.4.4/26,M10.5.0",
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Change(NamedTuple):
    """When it begins or ends each year: a day as a rule says it, and seconds after its midnight."""

    day: str
    seconds: int

    def in_year(self, year: int) -> int:
        """Seconds since 1970, by a clock of the offset that held before."""
        return (_day(self.day, year) - date(1970, 1, 1)).days * 86400 + self.seconds


def _day(rule: str, year: int) -> date:
    if rule.startswith("J"):
        number = int(float(rule[1:]))
        return date(year, 1, 1) + timedelta(days=number - 1 + (isleap(year) and number > 59))
    if not rule.startswith("M"):
        return date(year, 1, 1) + timedelta(days=int(float(rule)))
    month, week, weekday = (int(part) for part in rule[1:].split("."))
    first = date(year, month, 1)
    day = first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (week - 1))
    return day if day.month == month else day - timedelta(days=7)


class Zone(NamedTuple):
    """Seconds east and name of the standard time; of the summer time too, with its start and end, where it has one."""

    east: int = 0
    name: str = "UTC"
    summer: tuple[int, str, _Change, _Change] | None = None

    def at(self, seconds: int) -> tuple[int, str]:
        """Seconds east and name at this moment, in seconds since 1970."""
        if self.summer is None:
            return self.east, self.name
        east, name, start, end = self.summer
        year = (_EPOCH + timedelta(seconds=seconds + self.east)).year
        begins, ends = start.in_year(year) - self.east, end.in_year(year) - east
        inside = begins <= seconds < ends if begins < ends else not ends <= seconds < begins
        return (east, name) if inside else (self.east, self.name)

    def universal(self, seconds: int) -> int:
        """The moment at which a clock of this zone shows these seconds."""
        first = seconds - self.at(seconds - self.east)[0]
        return seconds - self.at(first)[0]


GREENWICH = Zone()


@lru_cache(maxsize=64)
def zone(text: str | None) -> Zone:
    """What TZ says."""
    if not text:
        return GREENWICH
    text = text.removeprefix(":")
    found = _POSIX.fullmatch(_PLACES.get(text, text))
    try:
        return _zone(found) if found else GREENWICH._replace(name=_letters(text))
    except (ValueError, OverflowError):
        return GREENWICH


def _letters(text: str) -> str:
    found = re.match("[A-Za-z]{3,}", text)
    return found.group() if found else "UTC"


def _zone(found: re.Match[str]) -> Zone:
    name, offset, summer, summer_offset, start, start_time, end, end_time = found.groups()
    east = -_seconds(offset)
    if not summer:
        return Zone(east, name.strip("<>"))
    if not start:
        start, start_time, end, end_time = _AMERICAN
    changes = [_Change(day, _seconds(time or "2")) for day, time in ((start, start_time), (end, end_time))]
    for change in changes:
        change.in_year(2000)
    later = -_seconds(summer_offset) if summer_offset else east + 3600
    return Zone(east, name.strip("<>"), (later, summer.strip("<>"), changes[0], changes[1]))


def _seconds(text: str) -> int:
    hours, minutes, seconds = (*text.lstrip("+-").split(":"), "0", "0")[:3]
    return (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * (-1 if text.startswith("-") else 1)
