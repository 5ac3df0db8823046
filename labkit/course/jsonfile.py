"""JSON of unknown origin: limits first, then parsed."""

from __future__ import annotations

import json
import re

DEEPEST = 40
TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[][{}]', re.DOTALL)


class BadJsonError(Exception):
    """str() says in one clause why it is not read."""


def read_json(data: bytes, largest: int) -> object:
    """The document; BadJsonError where it is empty, too large, no JSON, or nested too deeply."""
    if len(data) > largest:
        raise BadJsonError(f"it is larger than {largest >> 20} MiB")
    if not data.strip():
        raise BadJsonError("it is empty")
    if data.startswith((b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        raise BadJsonError("it is compressed; unpack it first")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadJsonError("it is not UTF-8 text") from None
    if too_deep(text):
        raise BadJsonError(f"it is nested more than {DEEPEST} levels deep")
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadJsonError("it is not JSON") from None
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise BadJsonError("it has half a character in it") from None
    return document


def too_deep(text: str) -> bool:
    """Counted before parsing, so that no parser meets it. Brackets in strings do not count."""
    depth = 0
    for token in TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > DEEPEST:
            return True
    return False


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
