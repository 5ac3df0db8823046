from __future__ import annotations

import pytest

from labkit.engine.core.errors import EngineError
from labkit.engine.core.names import parse, parse_any

NAMES = [
    # what is typed, whole, familiar
    ("busybox", "docker.io/library/busybox", "busybox"),
    ("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
    ("ada/app", "docker.io/ada/app", "ada/app"),
    ("docker.io/library/mysql:8", "docker.io/library/mysql:8", "mysql:8"),
    ("index.docker.io/library/mysql", "docker.io/library/mysql", "mysql"),
    ("localhost/app", "localhost/app", "localhost/app"),
    ("127.0.0.1:5000/course/app:2", "127.0.0.1:5000/course/app:2", "127.0.0.1:5000/course/app:2"),
    ("a/b/c", "docker.io/a/b/c", "a/b/c"),
    ("app@sha256:" + "0" * 64, "docker.io/library/app@sha256:" + "0" * 64, "app@sha256:" + "0" * 64),
]


@pytest.mark.parametrize(("text", "whole", "familiar"), NAMES)
def test_names(text: str, whole: str, familiar: str) -> None:
    reference = parse(text)
    assert str(reference) == whole
    assert reference.familiar == familiar


def test_the_tag_is_latest_where_none_is_given() -> None:
    assert parse("busybox").tagged().familiar == "busybox:latest"
    assert parse("busybox:1").tagged().familiar == "busybox:1"


WRONG = [
    ("UPPER", "invalid reference format: repository name (library/UPPER) must be lowercase"),
    ("127.0.0.1:5000/UPPER/x", "invalid reference format: repository name (UPPER/x) must be lowercase"),
    ("bad name", "invalid reference format"),
    ("", "invalid reference format"),
    ("a:", "invalid reference format"),
    ("a:b:c", "invalid reference format"),
    ("0" * 64, f"invalid repository name ({'0' * 64}), cannot specify 64-byte hexadecimal strings"),
    ("a" * 256, "repository name must not be more than 255 characters"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_no_name(text: str, message: str) -> None:
    with pytest.raises(EngineError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_a_whole_id_is_a_digest() -> None:
    assert parse_any("f" * 64) == "sha256:" + "f" * 64
    assert parse_any("sha256:" + "f" * 64) == "sha256:" + "f" * 64
