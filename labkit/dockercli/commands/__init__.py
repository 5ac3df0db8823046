"""The table of docker's commands. A row: where it is found, the function that runs it, how many arguments it takes.

Flags and help come from help.txt. A function is named "module.function" of this folder and loaded when it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Count:
    """How many arguments a command takes, and what it says else (docker/cli cli/required.go)."""

    least: int = 0
    most: int | None = None
    words: str = ""  # "at least 1 argument"
    see: str = "Run"

    def fits(self, number: int) -> bool:
        return self.least <= number and (self.most is None or number <= self.most)


def _plural(number: int) -> str:
    return f"{number} argument" if number == 1 else f"{number} arguments"


NONE = Count(0, 0)
ANY = Count()


def exactly(number: int) -> Count:
    return Count(number, number, f"requires {_plural(number)}")


def at_least(number: int) -> Count:
    return Count(number, None, f"requires at least {_plural(number)}", "See")


def at_most(number: int) -> Count:
    return Count(0, number, f"requires at most {_plural(number)}")


def between(least: int, most: int) -> Count:
    return Count(least, most, f"requires at least {least} and at most {_plural(most)}")


@dataclass(frozen=True)
class Command:
    """`name` is also the section of help.txt; `places` are where else the same command is found."""

    name: str
    run: str
    count: Count
    places: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()  # further names that show the help of `name` itself
    interspersed: bool = True
    plugin: bool = False  # buildx: errors begin with ERROR:


COMMANDS = (
    Command(
        "build",
        "build.build",
        exactly(1),
        aliases=("builder build", "image build", "buildx build", "buildx b"),
        plugin=True,
    ),
    Command("builder prune", "build.prune", NONE, aliases=("buildx prune",), plugin=True),
    Command("image ls", "images.ls", at_most(1), ("images",), ("image list",)),
    Command("image history", "images.history", exactly(1), ("history",)),
    Command("image inspect", "inspects.image", at_least(1)),
    Command("image rm", "images.rm", at_least(1), ("rmi",), ("image remove", "image rmi")),
    Command("image prune", "images.prune", NONE),
    Command("image tag", "images.tag", exactly(2), ("tag",)),
    Command("image save", "archives.save", at_least(1), ("save",)),
    Command("image load", "archives.load", NONE, ("load",)),
    Command("image import", "archives.import_image", between(1, 2), ("import",)),
    Command("pull", "images.pull", exactly(1), ("image pull",)),
    Command("export", "archives.export", exactly(1), ("container export",)),
    Command("commit", "archives.commit", between(1, 2), ("container commit",)),
    Command("create", "run.create", at_least(1), ("container create",), interspersed=False),
    Command("run", "run.run", at_least(1), ("container run",), interspersed=False),
    Command("start", "containers.start", at_least(1), ("container start",)),
    Command("stop", "containers.stop", at_least(1), ("container stop",)),
    Command("restart", "containers.restart", at_least(1), ("container restart",)),
    Command("kill", "containers.kill", at_least(1), ("container kill",)),
    Command("rm", "containers.rm", at_least(1), ("container rm",), ("container remove",)),
    Command("rename", "containers.rename", exactly(2), ("container rename",)),
    Command("exec", "run.execute", at_least(2), ("container exec",), interspersed=False),
    Command("cp", "cp.cp", exactly(2), ("container cp",)),
    Command("diff", "containers.diff", exactly(1), ("container diff",)),
    Command("logs", "containers.logs", exactly(1), ("container logs",)),
    Command("wait", "containers.wait", at_least(1), ("container wait",)),
    Command("top", "containers.top", at_least(1), ("container top",), interspersed=False),
    Command("port", "containers.port", between(1, 2), ("container port",)),
    Command("pause", "containers.pause", at_least(1), ("container pause",)),
    Command("unpause", "containers.unpause", at_least(1), ("container unpause",)),
    Command("ps", "containers.ps", NONE, ("container ls",), ("container list", "container ps")),
    Command("container prune", "containers.prune", NONE),
    Command("container inspect", "inspects.container", at_least(1)),
    Command("inspect", "inspects.any_object", at_least(1)),
    Command("volume create", "volumes.create", at_most(1)),
    Command("volume ls", "volumes.ls", NONE, (), ("volume list",)),
    Command("volume inspect", "inspects.volume", at_least(1)),
    Command("volume rm", "volumes.rm", at_least(1), (), ("volume remove",)),
    Command("volume prune", "volumes.prune", NONE),
    Command("system df", "system.df", NONE),
    Command("system prune", "system.prune", NONE),
    Command("info", "system.info", NONE, ("system info",)),
    Command("version", "system.version", NONE),
)
GROUPS = ("image", "container", "volume", "system", "builder", "buildx")


@lru_cache(maxsize=1)
def places() -> dict[str, tuple[Command, str]]:
    """What can be typed after docker -> the command, and the path that its messages show."""
    found: dict[str, tuple[Command, str]] = {}
    for command in COMMANDS:
        found[command.name] = command, command.name
        found |= {place: (command, place) for place in command.places}
        for alias in command.aliases:
            near = [
                place
                for place in (command.name, *command.places)
                if place.rpartition(" ")[0] == alias.rpartition(" ")[0]
            ]
            found[alias] = command, near[0] if near else command.name
    return found


def load(name: str) -> Callable[..., int]:
    """The function of a row."""
    from importlib import import_module

    module, _, function = name.partition(".")
    loaded: Callable[..., int] = getattr(import_module(f"{__name__}.{module}"), function)
    return loaded
