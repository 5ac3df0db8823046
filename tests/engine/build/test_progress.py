"""Plain progress."""

from __future__ import annotations

import pytest

from labkit.engine.build.client import Progress, human_size, stamp
from labkit.engine.dockerfile.diagnostics import RULES, DockerfileError, Lines, Linter, is_secret


def test_prints_steps_as_examples_build_txt() -> None:
    out: list[str] = []
    progress = Progress(out.append)
    progress.start()
    step = progress.step("[internal] load build definition from Dockerfile")
    step.status("transferring dockerfile:", 209)
    step.done()
    step = progress.step("[2/2] RUN false")
    step.log("one\ntw", 0.15)
    step.log("o\nthree", 12.3456)
    step.flush(120.0)
    step.failed("exit code: 1")
    assert "".join(out) == (  # of "two", the start has been printed: moby/buildkit progressui/printer.go, logsOffset
        '#0 building with "default" instance using docker driver\n\n'
        "#1 [internal] load build definition from Dockerfile\n#1 transferring dockerfile: 209B done\n#1 DONE 0.0s\n\n"
        "#2 [2/2] RUN false\n#2 0.150 one\n#2 12.35 two\n#2 120.0 three\n#2 ERROR: exit code: 1\n"
        "------\n > [2/2] RUN false:\n0.150 one\no\n120.0 three\n------\n"
    )


def test_only_the_last_ten_lines_are_printed_again() -> None:
    out: list[str] = []
    step = Progress(out.append).step("x")
    step.log("".join(f"{number}\n" for number in range(20)), 0.15)
    step.failed("no")
    assert out[-1].count("0.150") == 10


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0.000"), (0.153, "0.153"), (1.2, "1.200"), (123.4, "123.4")])
def test_stamps(seconds: float, text: str) -> None:
    assert stamp(seconds) == text


@pytest.mark.parametrize(("size", "text"), [(2, "2B"), (999, "999B"), (1500, "1.50kB"), (3_410_000, "3.41MB")])
def test_sizes(size: int, text: str) -> None:
    assert human_size(size) == text


CASING = "Command 'run' should match the case of the command majority (uppercase)"
JSON = "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals"
WARNINGS = [  # rule, words, text; the shape is that of transcript build-cache-comments-and-whitespace
    ("ConsistentInstructionCasing", ("run", "uppercase"), CASING),
    ("FromAsCasing", ("as", "FROM"), "'as' and 'FROM' keywords' casing do not match"),
    ("JSONArgsRecommended", ("CMD",), JSON),
    ("LegacyKeyValueFormat", ("ENV",), '"ENV key=value" should be used instead of legacy "ENV key value" format'),
    ("SecretsUsedInArgOrEnv", ("ARG", "TOKEN"), 'Do not use ARG or ENV instructions for sensitive data (ARG "TOKEN")'),
    ("UndefinedVar", ("x", ""), "Usage of undefined variable '$x'"),
    ("WorkdirRelativePath", ("app",), 'Relative workdir "app" can have unexpected results if the base image changes'),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "words", "text"), WARNINGS)
def test_warns(rule: str, words: tuple[str, ...], text: str) -> None:
    found = Linter()
    found.heed("")
    found.warn(rule, Lines(3, 3), *words)
    assert found.summary() == (
        f"\n \x1b[33m1 warning found (use docker --debug to expand):\n\x1b[0m - {rule}: {text} (line 3)\n"
    )


def test_checks_can_be_skipped_or_made_errors() -> None:
    for check in ("skip=all", "skip=FromAsCasing,Other"):
        found = Linter()
        found.heed(check)
        found.warn("FromAsCasing", Lines(1, 1), "as", "FROM")
        assert not found.summary()
    found = Linter()
    found.heed("error=true")
    found.warn("FromAsCasing", Lines(1, 1), "as", "FROM")
    with pytest.raises(DockerfileError, match="lint violation found for rules: FromAsCasing"):
        found.refuse()


WRONG_CHECKS = [
    ("nonsense", 'failed to parse check options: invalid check option "nonsense"'),
    ("skp=all", 'failed to parse check options: invalid check option "skp"'),
]


@pytest.mark.parametrize(("check", "message"), WRONG_CHECKS)  # moby/buildkit frontend/dockerfile/linter/linter.go
def test_refuses_checks(check: str, message: str) -> None:
    with pytest.raises(DockerfileError) as refused:
        Linter().heed(check)
    assert refused.value.message == message


@pytest.mark.parametrize("name", ["API_KEY", "password", "DB_PASSWORD", "GITHUB_TOKEN"])
def test_secrets(name: str) -> None:
    assert is_secret(name)
    assert not is_secret(f"{name}_FILE")
    assert not is_secret("KEYBOARD")


def test_every_rule_has_a_name_in_its_own_words() -> None:
    assert all(rule[0].isupper() and text for rule, text in RULES.items())
