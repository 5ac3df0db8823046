"""HEALTHCHECK, and the times in its flags."""

from __future__ import annotations

import re

from labkit.engine.dockerfile.durations import duration
from labkit.engine.dockerfile.expand import go_quote
from labkit.engine.dockerfile.flags import TEXT, at_least_one, last, parse_flags
from labkit.engine.dockerfile.instructions import HealthcheckInstruction, Written
from labkit.engine.dockerfile.lines import ParsedLine
from labkit.kernel.golang import JsonObject

_HEALTH_TIMES = ("interval", "timeout", "start-period", "start-interval")
_MILLISECOND = 1_000_000  # nanoseconds


def health_config(health: HealthcheckInstruction) -> JsonObject:
    """As an image's configuration has it: what is not set is not in it."""
    times = (health.interval, health.timeout, health.start_period, health.start_interval)
    names = ("Interval", "Timeout", "StartPeriod", "StartInterval")
    check: JsonObject = {"Test": list(health.test)}
    check |= {name: time for name, time in zip(names, times, strict=True) if time}
    return check | ({"Retries": health.retries} if health.retries else {})


def parse_healthcheck(node: ParsedLine, common: Written) -> HealthcheckInstruction:
    at_least_one(node)
    kind, *words = node.arguments
    kind = kind.upper()
    if kind == "NONE":
        if words:
            raise ValueError("HEALTHCHECK NONE takes no arguments")
        return HealthcheckInstruction(*common, ("NONE",))
    flags = parse_flags(node, dict.fromkeys((*_HEALTH_TIMES, "retries"), TEXT))
    if kind != "CMD":
        raise ValueError(f"Unknown type {go_quote(kind)} in HEALTHCHECK (try CMD)")
    if not words:
        raise ValueError("Missing command after HEALTHCHECK CMD")
    interval, timeout, start_period, start_interval = (_interval(name, last(flags, name)) for name in _HEALTH_TIMES)
    test = ("CMD" if node.is_json else "CMD-SHELL", *words)
    retries = _retries(last(flags, "retries"))
    return HealthcheckInstruction(*common, test, interval, timeout, start_period, start_interval, retries)


def _interval(name: str, text: str) -> int:
    if not text:
        return 0
    time = duration(text)
    if time and time < _MILLISECOND:
        raise ValueError(f"Interval {go_quote(name)} cannot be less than 1ms")
    return time


def _retries(text: str) -> int:
    if not text:
        return 0
    if not re.fullmatch(r"[+-]?\d+", text):
        raise ValueError(f"strconv.ParseInt: parsing {go_quote(text)}: invalid syntax")
    if int(text) < 0:
        raise ValueError(f"--retries cannot be negative ({int(text)})")
    return int(text)
