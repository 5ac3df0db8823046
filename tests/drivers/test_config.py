"""daemon.json: what is taken, and what the daemon says of what it can't use."""

from __future__ import annotations

import pytest

from labkit.engine.daemon.daemoninfo import Config, ConfigError, parse

WRONG = [  # Go, encoding/json (scanner.go) and moby, daemon/config/config.go; types of values unverified
    ('{"storage-driver": "vfs",}', "invalid character '}' looking for beginning of object key string"),
    ("{storage-driver: 1}", "invalid character 's' looking for beginning of object key string"),
    ("{'a': 1}", "invalid character '\\'' looking for beginning of object key string"),
    ("{\u201ca\u201d: 1}", "invalid character 'â' looking for beginning of object key string"),
    ('{"debug" 1}', "invalid character '1' after object key"),
    ('{"debug": 1 "mtu": 2}', "invalid character '\"' after object key:value pair"),
    ('{"dns": ["a" "b"]}', "invalid character '\"' after array element"),
    ('{"dns": ["a",]}', "invalid character ']' looking for beginning of value"),
    ('{"debug": tru}', "invalid character '}' in literal true (expecting 'e')"),
    ('{"debug": NaN}', "invalid character 'N' looking for beginning of value"),
    ('{"debug": True}', "invalid character 'T' looking for beginning of value"),
    ('{"debug": ', "unexpected end of JSON input"),
    ('{"debug', "unexpected end of JSON input"),
    ('{"storage-driver": "vfs\n"}', "invalid character '\\n' in string literal"),
    ('{"storage-driver": "\\q"}', "invalid character 'q' in string escape code"),
    ("{} {}", "invalid character '{' after top-level value"),
    ("// a comment\n{}", "invalid character '/' looking for beginning of value"),
    ("[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
    ('{"a": 1, "b": 2}', "the following directives don't match any configuration option: a, b"),
    (
        '{"storage-driver": 1}',
        "json: cannot unmarshal number into Go struct field Config.storage-driver of type string",
    ),
    ('{"features": {"x": "y"}}', "json: cannot unmarshal string into Go struct field Config.features of type bool"),
    (
        '{"storage-opts": "x"}',
        "json: cannot unmarshal string into Go struct field Config.storage-opts of type []string",
    ),
    ('{"data-root": "/elsewhere"}', "this simulated daemon has no data-root but /var/lib/docker"),
    ("[" * 100_000, "exceeded max depth"),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=range(len(WRONG)))
def test_what_the_daemon_says(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert str(caught.value) == f"unable to configure the Docker daemon with file /etc/docker/daemon.json: {said}"


def test_what_is_taken() -> None:
    assert parse('{"storage-driver": "vfs", "storage-opts": ["a=b"], "features": {"x": true}}') == Config(
        "vfs", ("a=b",), {"x": True}
    )
    assert parse('{"log-driver": "local", "storage-driver": ""}') == parse("null") == Config()
