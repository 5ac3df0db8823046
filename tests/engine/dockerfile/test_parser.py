"""Dockerfiles: lines, instructions, and what is wrong with them."""

from __future__ import annotations

import pytest

from labkit.engine.dockerfile.diagnostics import DockerfileError, Lines, Linter, excerpt
from labkit.engine.dockerfile.instructions import (
    CmdInstruction,
    CopyInstruction,
    EnvInstruction,
    ExposeInstruction,
    FromInstruction,
    HealthcheckInstruction,
    LabelInstruction,
    NameValue,
    OnbuildInstruction,
    RunInstruction,
    ShellInstruction,
    Stage,
    parse_mount,
)
from labkit.engine.dockerfile.lines import read_dockerfile
from labkit.engine.dockerfile.parser import parse_stages
from labkit.kernel.golang import duration

PARSER = "moby/buildkit frontend/dockerfile/parser"
PARSE = "moby/buildkit frontend/dockerfile/instructions/parse.go"
FLAGS = "moby/buildkit frontend/dockerfile/instructions/bflag.go"
MOUNTS = "moby/buildkit frontend/dockerfile/instructions/commands_runmount.go"
SYNTAX = "transcript build-cache-syntax-errors"
UNKNOWN = "transcript build-cache-unknown-instruction"
NO_TARGET = "requires at least two arguments, but only one was provided. Destination could not be determined"
BAD_NAME = 'invalid name for build stage: "1b", name can\'t start with a number or contain symbols'
NO_VARIABLE = "'from' doesn't support variable expansion, define alias stage instead"


def stages(text: str) -> list[Stage]:
    read = read_dockerfile(text)
    return parse_stages(read.nodes, Linter())[0]


def second(text: str) -> object:
    """The first instruction after FROM."""
    return stages(f"FROM a\n{text}")[0].instructions[0]


READ = [
    ("RUN echo \\\n  a", "echo   a"),
    ("RUN echo \\\n# comment\n\n  a", "echo   a"),
    ("RUN echo a  ", "echo a"),
    ("run   echo a", "echo a"),
    ("RUN echo \\\\", "echo \\\\"),
    ("RUN ", ""),
]


@pytest.mark.parametrize(("text", "words"), READ)
def test_reads_lines(text: str, words: str) -> None:
    run = second(text)
    assert isinstance(run, RunInstruction)
    assert "".join(run.words) == words
    assert run.shell


def test_reads_all_kinds() -> None:
    assert isinstance(run := second('RUN ["a", "b c"]'), RunInstruction)
    assert (run.words, run.shell) == (("a", "b c"), False)
    assert isinstance(cmd := second("CMD []"), CmdInstruction)
    assert (cmd.words, cmd.shell) == ((), False)
    assert isinstance(cmd := second("CMD [a]"), CmdInstruction)
    assert (cmd.words, cmd.shell) == (("[a]",), True)
    assert isinstance(env := second('ENV a=1 b="c d" e=f\\ g'), EnvInstruction)
    assert [f"{pair.name}={pair.value}" for pair in env.pairs] == ["a=1", 'b="c d"', "e=f\\ g"]
    assert isinstance(env := second("ENV a b c"), EnvInstruction)
    assert env.pairs == (NameValue("a", "b c", legacy=True),)
    assert isinstance(label := second('LABEL "a b"=c'), LabelInstruction)
    assert label.pairs[0].name == '"a b"'
    assert isinstance(copy := second("COPY --from=b --chown=1:2 --chmod=700 x y z/"), CopyInstruction)
    assert (copy.sources, copy.target, copy.from_, copy.chown, copy.chmod) == (("x", "y"), "z/", "b", "1:2", "700")
    assert isinstance(copy := second('COPY ["a b", "c"]'), CopyInstruction)
    assert copy.sources == ("a b",)
    assert isinstance(expose := second("EXPOSE 80 443/tcp"), ExposeInstruction)
    assert expose.ports == ("443/tcp", "80")
    assert isinstance(shell := second('SHELL ["/bin/bash", "-c"]'), ShellInstruction)
    assert shell.words == ("/bin/bash", "-c")
    assert isinstance(trigger := second("ONBUILD COPY . /x"), OnbuildInstruction)
    assert trigger.expression == "COPY . /x"
    assert isinstance(health := second("HEALTHCHECK --interval=1m30s --retries=3 CMD true"), HealthcheckInstruction)
    assert (health.test, health.interval, health.retries) == (("CMD-SHELL", "true"), 90 * 10**9, 3)


def test_reads_heredocs() -> None:
    run = second("RUN <<EOF\necho $x\nEOF\n")
    assert isinstance(run, RunInstruction)
    assert [(each.name, each.text, each.expand) for each in run.heredocs] == [("EOF", "echo $x\n", True)]
    copy = second("COPY <<a <<-'b' /d/\n1\na\n\t2\n\tb\n")
    assert isinstance(copy, CopyInstruction)
    assert [(each.name, each.text, each.expand) for each in copy.inline] == [("a", "1\n", True), ("b", "2\n", False)]


def test_the_escape_character_can_be_chosen() -> None:
    run = stages("# escape=`\nFROM a\nRUN echo `\n  \\b\n")[0].instructions[0]
    assert isinstance(run, RunInstruction)
    assert run.words == ("echo   \\b",)


def test_stages_have_names_in_small_letters() -> None:
    heads = [stage.head for stage in stages("FROM a AS Build\nFROM b\n")]
    assert [(type(head), head.base, head.name) for head in heads] == [
        (FromInstruction, "a", "build"),
        (FromInstruction, "b", ""),
    ]


WRONG = [  # Dockerfile, line, message, source
    ("RUN echo one\n", 1, "no build stage in current context", SYNTAX),
    ("# nothing\n", 1, "file with no instructions", PARSER),
    ("FROM a\nCOPY a.txt\n", 2, f"COPY {NO_TARGET}", SYNTAX),
    ("FROM a\nADD a.txt\n", 2, f"ADD {NO_TARGET}", PARSE),
    ("FROM a\nENV COLOUR\n", 2, "ENV must have two arguments", SYNTAX),
    ("FROM a\nENV a=b c\n", 2, 'Syntax error - can\'t find = in "c". Must be of the form: name=value', PARSER),
    ("FROM a\nENV\n", 2, "ENV requires at least one argument", PARSE),
    ("FROM a\nENV =b\n", 2, "ENV names can not be blank", PARSE),
    ("FROM a\nLABEL x\n", 2, "LABEL must have two arguments", PARSER),
    ("FROM a\nARG\n", 2, "ARG requires at least one argument", PARSE),
    ("FROM a\nARG =x\n", 2, "ARG names can not be blank", PARSE),
    ("FROM\n", 1, "FROM requires either one or three arguments", SYNTAX),
    ("FROM a b\n", 1, "FROM requires either one or three arguments", PARSE),
    ("FROM a AS 1b\n", 1, BAD_NAME, PARSE),
    ("FROM a\nRUNN x\n", 2, "unknown instruction: RUNN (did you mean RUN?)", UNKNOWN),
    ("FROM a\nINSTALL vim\n", 2, "unknown instruction: INSTALL", UNKNOWN),
    ("FROM a\ncoppy a b\n", 2, "unknown instruction: coppy (did you mean copy?)", PARSE),
    ("FROM a\nCOPY --nosuch=1 a b\n", 2, "unknown flag: --nosuch", "transcript build-cache-bad-references"),
    ("FROM a\nCOPY --frm=b a b\n", 2, "unknown flag: --frm (did you mean from?)", FLAGS),
    ("FROM a\nCOPY --from a b\n", 2, "missing a value on flag: from", FLAGS),
    ("FROM a\nCOPY --from=a --from=b a b\n", 2, "duplicate flag specified: from", FLAGS),
    ("FROM a\nCOPY --link=x a b\n", 2, "expecting boolean value for flag link, not: x", FLAGS),
    ("FROM a\nWORKDIR\n", 2, "WORKDIR requires exactly one argument", PARSE),
    ("FROM a\nUSER\n", 2, "USER requires exactly one argument", PARSE),
    ("FROM a\nEXPOSE\n", 2, "EXPOSE requires at least one argument", PARSE),
    ("FROM a\nVOLUME\n", 2, "VOLUME requires at least one argument", PARSE),
    ('FROM a\nVOLUME [""]\n', 2, "VOLUME specified can not be an empty string", PARSE),
    ("FROM a\nSTOPSIGNAL\n", 2, "STOPSIGNAL requires exactly one argument", PARSE),
    ("FROM a\nSHELL bash -c\n", 2, "SHELL requires the arguments to be in JSON form", PARSE),
    ("FROM a\nSHELL []\n", 2, "SHELL requires at least one argument", PARSE),
    ("FROM a\nCMD [1]\n", 2, "when using JSON array syntax, arrays must be comprised of strings only", PARSER),
    ("FROM a\nONBUILD\n", 2, "ONBUILD requires at least one argument", PARSE),
    ("FROM a\nONBUILD ONBUILD RUN x\n", 2, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", PARSE),
    ("FROM a\nONBUILD FROM b\n", 2, "FROM isn't allowed as an ONBUILD trigger", PARSE),
    ("FROM a\nHEALTHCHECK\n", 2, "HEALTHCHECK requires at least one argument", PARSE),
    ("FROM a\nHEALTHCHECK NONE x\n", 2, "HEALTHCHECK NONE takes no arguments", PARSE),
    ("FROM a\nHEALTHCHECK RUN x\n", 2, 'Unknown type "RUN" in HEALTHCHECK (try CMD)', PARSE),
    ("FROM a\nHEALTHCHECK CMD\n", 2, "Missing command after HEALTHCHECK CMD", PARSE),
    ("FROM a\nHEALTHCHECK --interval=5 CMD x\n", 2, 'time: missing unit in duration "5"', "Go time.ParseDuration"),
    ("FROM a\nHEALTHCHECK --interval=1us CMD x\n", 2, 'Interval "interval" cannot be less than 1ms', PARSE),
    ("FROM a\nHEALTHCHECK --retries=-1 CMD x\n", 2, "--retries cannot be negative (-1)", PARSE),
    ("FROM a\nRUN <<EOF\nx\n", 2, "unterminated heredoc", PARSER),
    ("FROM a\nCOPY x <<EOF\nEOF\n", 2, "COPY cannot accept a heredoc as a destination", PARSE),
    ("FROM a\nRUN --mount=from=$x,target=/y z\n", 2, NO_VARIABLE, MOUNTS),
    ("FROM a\nRUN --network=x y\n", 2, 'unsupported network mode "x"', "unverified"),
]  # fmt: skip
_UNPREFIXED = (
    "no build stage", "file with", "ENV must", "LABEL must", "Syntax error", "when using JSON", "unterminated",
)  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message", "source"), WRONG)
def test_refuses(text: str, line: int, message: str, source: str) -> None:
    with pytest.raises(DockerfileError) as refused:
        stages(text)
    prefix = "" if message.startswith(_UNPREFIXED) else f"dockerfile parse error on line {line}: "
    assert refused.value.message == prefix + message
    assert refused.value.places[0].start == line


WRONG_DIRECTIVES = [
    ("# escape=x\nFROM a\n", "invalid escape token 'x' does not match ` or \\", PARSER),
    ("# escape=`\n# escape=`\nFROM a\n", "only one escape parser directive can be used", PARSER),
]


@pytest.mark.parametrize(("text", "message", "source"), WRONG_DIRECTIVES)
def test_refuses_directives(text: str, message: str, source: str) -> None:
    with pytest.raises(DockerfileError) as refused:
        stages(text)
    assert refused.value.message == message


WRONG_MOUNTS = [  # --mount, message, source
    ("type=tmp,target=/x", 'unsupported mount type "tmp" (did you mean tmpfs?)', MOUNTS),
    ("type=cach,target=/x", 'unsupported mount type "cach" (did you mean cache?)', MOUNTS),
    ("target", "invalid field 'target' must be a key=value pair", MOUNTS),
    ("tpye=bind", "unexpected key 'tpye' in 'tpye=bind' (did you mean type?)", MOUNTS),
    ("type=cache,sharing=all", 'unsupported sharing value "all"', MOUNTS),
    ("sharing=shared,target=/x", "invalid cache sharing set for bind mount", MOUNTS),
    ("target=/x,mode=700", 'mode not allowed for "bind" type mounts', MOUNTS),
    ("type=cache,mode=9", "invalid value 9 for mode", MOUNTS),
    ("type=cache,size=1m", "unexpected key 'size' for mount type 'cache'", MOUNTS),
    ("required=true", "unexpected key 'required' for mount type 'bind'", MOUNTS),
    ("target=/x,ro=perhaps", "invalid value for ro: perhaps", MOUNTS),
    ("type=secret", "invalid secret mount. one of source, target required", MOUNTS),
    ("type=secret,id=a,source=b", "both source and id can't be set", MOUNTS),
]


@pytest.mark.parametrize(("text", "message", "source"), WRONG_MOUNTS)
def test_refuses_mounts(text: str, message: str, source: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 (the whole text is compared below)
        parse_mount(text, str)
    assert str(refused.value) == message


def test_mounts_have_defaults() -> None:
    bind, cache = parse_mount("target=/x,rw", str), parse_mount("type=cache,id=a,target=/x,mode=0700", str)
    assert (bind.type, bind.readonly, cache.readonly, cache.mode) == ("bind", False, False, 0o700)
    assert parse_mount("type=secret,id=a", str).readonly


@pytest.mark.parametrize(("text", "nanoseconds"), [("1h2m3.5s", 3_723_500_000_000), ("300ms", 300_000_000), ("0", 0)])
def test_durations(text: str, nanoseconds: int) -> None:
    assert duration(text) == nanoseconds


FIVE = "FROM a\nRUN one\nRUN two\nRUN three\n"
EXCERPTS = [  # place, lines shown; the rule is solver/errdefs/source.go's
    (1, ">>> FROM a|    RUN one|    RUN two"),
    (3, "    FROM a|    RUN one|>>> RUN two|    RUN three|    "),
    (4, "    RUN one|    RUN two|>>> RUN three|    "),
]


@pytest.mark.parametrize(("line", "shown"), EXCERPTS)
def test_shows_the_lines_around(line: int, shown: str) -> None:
    printed = excerpt("Dockerfile", FIVE, Lines(line, line)).splitlines()
    assert printed[0] == f"Dockerfile:{line}"
    assert printed[1] == printed[-1] == "-" * 20
    assert [each[7:] for each in printed[2:-1]] == shown.split("|")
