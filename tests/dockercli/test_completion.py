"""What Tab offers after docker."""

from __future__ import annotations

from typing import Any

import pytest

from labkit import Machine
from labkit.dockercli.commands import GROUPS, places
from labkit.dockercli.completion import complete


@pytest.fixture(scope="module")
def engine() -> Any:
    machine = Machine()
    machine.run("docker pull -q busybox; docker pull -q nginx; docker tag busybox mine:1; docker volume create data")
    machine.run("docker run -d --name web -v data:/d nginx; docker run -d --name worker busybox sleep 1000")
    return machine.engine


HOST = True  # paths of the host may stand there too


@pytest.mark.parametrize(
    ("line", "words", "paths"),
    [
        ("vo|", ["volume"], False),
        ("volume |", ["create", "inspect", "ls", "prune", "rm"], False),
        ("volume x|", [], False),
        ("nosuch |", [], False),
        ("volume nosuch |", [], False),
        ("volume rm |", ["data"], False),
        ("--log-l|", ["--log-level"], False),
        ("rm |", ["web", "worker"], False),
        ("rm -f we|", ["web"], False),
        ("rm web w|", ["web", "worker"], False),
        ("container rm w|", ["web", "worker"], False),
        ("diff web |", [], False),
        ("rename web |", [], False),
        ("image rm |", ["busybox", "mine:1", "nginx"], False),
        ("tag busybox |", ["busybox", "mine:1", "nginx"], False),
        ("history m|", ["mine:1"], False),
        ("run |", ["busybox", "mine:1", "nginx"], False),
        ("run -it --rm b|", ["busybox"], False),
        ("run --rm -e A=1 --name x b|", ["busybox"], False),
        ("run busybox |", [], False),
        ("run --name |", [], False),
        ("run -v |", ["data:"], HOST),
        ("run --volume d|", ["data:"], HOST),
        ("run -v data:|", [], False),
        ("run --volumes-from w|", ["web", "worker"], False),
        ("run --volumes-from=we|", ["--volumes-from=web"], False),
        ("run --network c|", ["container:web", "container:worker"], False),
        ("run --env-file |", [], HOST),
        ("run --mount ty|", ["type="], False),
        ("run --mount type=b|", ["type=bind"], False),
        ("run --mount type=volume,src=|", ["type=volume,src=data"], False),
        ("run --mount type=volume,reado|", ["type=volume,readonly"], False),
        ("run --vol|", ["--volume", "--volume-driver", "--volumes-from"], False),
        ("run -- b|", ["busybox"], False),
        ("exec web -|", [], False),
        ("build |", [], HOST),
        ("build . |", [], False),
        ("build -t x -f |", [], HOST),
        ("load -i |", [], HOST),
        ("inspect d|", ["data"], False),
        ("cp w|", ["web:", "worker:"], HOST),
        ("cp web:/etc/ngin|", ["web:/etc/nginx/"], False),
        ("cp gone:/e|", [], False),
        ("pull ngi|", ["nginx"], False),
        ("ps |", [], False),
    ],
)
def test_what_may_stand_there(engine: Any, line: str, words: list[str], paths: bool) -> None:
    *before, word = line.removesuffix("|").split(" ")
    assert complete(engine, before, word) == (words, paths)


def test_ids_once_they_are_begun(engine: Any) -> None:
    image = engine.find_image("busybox").id.removeprefix("sha256:")
    assert complete(engine, ["rmi"], image[:3])[0] == [image[:12]]


def test_flags_short_ones_too(engine: Any) -> None:
    words, _ = complete(engine, ["ps"], "-")
    assert {"-a", "--all", "--filter", "-q"} <= set(words)
    assert complete(engine, ["ps"], "--al") == (["--all"], False)


def test_every_command_that_is_listed_is_there_and_the_other_way_round(engine: Any) -> None:
    listed = set(complete(engine, [], "")[0])
    listed |= {f"{group} {name}" for group in GROUPS for name in complete(engine, [group], "")[0]}
    assert {name for name in listed if name not in GROUPS} <= set(places())
    shown = {command.name for command, _ in places().values()}
    assert shown - listed - {"builder prune"} == set()
