"""--help of every command is what the real docker prints, and the table of commands has each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labkit.dockercli.commands import COMMANDS, GROUPS, load, places
from labkit.dockercli.flags import flags_of, sections, usage_of

EXAMPLES = Path(__file__).parents[1] / "conformance" / "examples"
PIECES = re.split(r"^\$ docker (.*)--help\n", (EXAMPLES / "help.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
RECORDED = list(zip(PIECES[1::2], PIECES[2::2], strict=True))


@pytest.mark.parametrize(("command", "text"), RECORDED, ids=[name.strip() or "docker" for name, _ in RECORDED])
def test_help_is_the_recorded_text(run, command, text):
    assert run(*command.split(), "--help") == (0, text.rstrip("\n") + "\n", "")


@pytest.mark.parametrize("command", [name.strip() for name, _ in RECORDED if name.strip()])
def test_help_with_the_word_help(run, command):
    assert run("help", *command.split()).out == run(*command.split(), "--help").out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help_and_a_function(command):
    assert sections()[f"docker {command.name}"].startswith("Usage:  docker ")
    assert callable(load(command.run))


def test_a_derived_help_differs_only_in_its_usage(run):
    short, long = run("rm", "--help").out, run("container", "rm", "--help").out
    assert long == short.replace("docker rm", "docker container rm", 1)


@pytest.mark.parametrize("place", sorted(places()))
def test_every_place_of_a_command_answers(run, place):
    done = run(*place.split(), "--help")
    assert done.status == 0
    assert done.out.startswith("Usage:  docker ")


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_alone_shows_its_help_on_stderr(run, group):
    assert run(group) == (0, "", run(group, "--help").out)


def test_docker_alone_shows_its_help_on_stderr(run):
    assert run() == (0, "", run("--help").out)


def test_the_shorthand_of_help_is_deprecated_but_works(run):
    done = run("ps", "-h")
    assert done.err == ""
    assert done.out.startswith("Flag shorthand -h has been deprecated, use --help\nUsage:  docker ps")


def test_run_takes_h_for_the_hostname():
    short = {flag.short: flag.name for flag in flags_of(sections()["docker run"])}
    assert short["h"] == "hostname"


def test_flags_have_kind_and_default():
    flags = {flag.name: flag for flag in flags_of(sections()["docker run"])}
    assert (flags["pull"].kind, flags["pull"].default) == ("string", "missing")
    assert (flags["memory-swappiness"].kind, flags["memory-swappiness"].default) == ("int", "-1")
    assert (flags["sig-proxy"].kind, flags["sig-proxy"].default) == ("bool", "true")
    assert flags["cgroupns"].default == ""
    assert flags["volume"].short == "v"


def test_the_usage_of_cp_has_two_lines():
    assert usage_of(sections()["docker cp"]).split("\n\t") == [
        "docker cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-",
        "docker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    ]


@pytest.mark.parametrize("place", ["container list", "container ps"])
def test_an_alias_shows_the_name_beside_it(run, place):
    assert run(*place.split(), "--help").out.startswith("Usage:  docker container ls [OPTIONS]")
