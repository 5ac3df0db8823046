"""The table of docker's commands, and what a command's function is handed. A row: its places, function, arguments.

Flags and help come from help.txt. A function is named "module.function" of this folder and loaded when it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from labkit.dockercli.flags import Options, StatusError
from labkit.dockercli.mountflags import Resolve, resolve_in
from labkit.engine.api import Engine
from labkit.engine.core import names
from labkit.engine.core.errors import EngineError
from labkit.engine.core.names import Reference
from labkit.kernel.process import FORSAKEN, Parked, Process


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
class DockerCommand:
    """`name` is also the section of help.txt; `places` are where else the same command is found."""

    name: str
    run: str
    count: Count
    places: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()  # further names that show the help of `name` itself
    interspersed: bool = True
    plugin: bool = False  # buildx: errors begin with ERROR:


COMMANDS = (
    DockerCommand(
        "build",
        "build.build",
        exactly(1),
        aliases=("builder build", "image build", "buildx build", "buildx b"),
        plugin=True,
    ),
    DockerCommand("builder prune", "build.prune", NONE, aliases=("buildx prune",), plugin=True),
    DockerCommand("image ls", "images.ls", at_most(1), ("images",), ("image list",)),
    DockerCommand("image history", "images.history", exactly(1), ("history",)),
    DockerCommand("image inspect", "inspects.image", at_least(1)),
    DockerCommand("image rm", "images.rm", at_least(1), ("rmi",), ("image remove", "image rmi")),
    DockerCommand("image prune", "images.prune", NONE),
    DockerCommand("image tag", "images.tag", exactly(2), ("tag",)),
    DockerCommand("image save", "archives.save", at_least(1), ("save",)),
    DockerCommand("image load", "archives.load", NONE, ("load",)),
    DockerCommand("image import", "archives.import_image", at_least(1), ("import",)),
    DockerCommand("pull", "images.pull", exactly(1), ("image pull",)),
    DockerCommand("export", "archives.export", exactly(1), ("container export",)),
    DockerCommand("commit", "archives.commit", between(1, 2), ("container commit",)),
    DockerCommand("create", "run.create", at_least(1), ("container create",), interspersed=False),
    DockerCommand("run", "run.run", at_least(1), ("container run",), interspersed=False),
    DockerCommand("start", "containers.start", at_least(1), ("container start",)),
    DockerCommand("stop", "containers.stop", at_least(1), ("container stop",)),
    DockerCommand("restart", "containers.restart", at_least(1), ("container restart",)),
    DockerCommand("kill", "containers.kill", at_least(1), ("container kill",)),
    DockerCommand("rm", "containers.rm", at_least(1), ("container rm",), ("container remove",)),
    DockerCommand("rename", "containers.rename", exactly(2), ("container rename",)),
    DockerCommand("exec", "run.execute", at_least(2), ("container exec",), interspersed=False),
    DockerCommand("cp", "cp.cp", exactly(2), ("container cp",)),
    DockerCommand("diff", "containers.diff", exactly(1), ("container diff",)),
    DockerCommand("logs", "containers.logs", exactly(1), ("container logs",)),
    DockerCommand("wait", "containers.wait", at_least(1), ("container wait",)),
    DockerCommand("top", "containers.top", at_least(1), ("container top",), interspersed=False),
    DockerCommand("port", "containers.port", between(1, 2), ("container port",)),
    DockerCommand("pause", "containers.pause", at_least(1), ("container pause",)),
    DockerCommand("unpause", "containers.unpause", at_least(1), ("container unpause",)),
    DockerCommand("ps", "containers.ps", NONE, ("container ls",), ("container list", "container ps")),
    DockerCommand("container prune", "containers.prune", NONE),
    DockerCommand("container inspect", "inspects.container", at_least(1)),
    DockerCommand("inspect", "inspects.any_object", at_least(1)),
    DockerCommand("volume create", "volumes.create", at_most(1)),
    DockerCommand("volume ls", "volumes.ls", NONE, (), ("volume list",)),
    DockerCommand("volume inspect", "inspects.volume", at_least(1)),
    DockerCommand("volume rm", "volumes.rm", at_least(1), (), ("volume remove",)),
    DockerCommand("volume prune", "volumes.prune", NONE),
    DockerCommand("attach", "watching.attach", exactly(1), ("container attach",)),
    DockerCommand("stats", "watching.stats", ANY, ("container stats",)),
    DockerCommand("update", "watching.update", at_least(1), ("container update",)),
    DockerCommand("events", "watching.events", NONE, ("system events",)),
    DockerCommand("network connect", "networks.connect", exactly(2)),
    DockerCommand("network create", "networks.create", exactly(1)),
    DockerCommand("network disconnect", "networks.disconnect", exactly(2)),
    DockerCommand("network inspect", "inspects.network", at_least(1)),
    DockerCommand("network ls", "networks.ls", NONE, (), ("network list",)),
    DockerCommand("network prune", "networks.prune", NONE),
    DockerCommand("network rm", "networks.rm", at_least(1), (), ("network remove",)),
    DockerCommand("context ls", "watching.contexts", NONE, (), ("context list",)),
    DockerCommand("buildx ls", "watching.builders", NONE, plugin=True),
    DockerCommand("buildx du", "build.du", NONE, plugin=True),
    DockerCommand("buildx version", "watching.builder_version", NONE, plugin=True),
    DockerCommand("system df", "system.df", NONE),
    DockerCommand("system prune", "system.prune", NONE),
    DockerCommand("info", "system.info", NONE, ("system info",)),
    DockerCommand("version", "system.version", NONE),
)
# Flags that are taken and do nothing here, with the reason; and those that this docker does not have, which it says.
HARMLESS = {
    "detach-keys": "nobody types keys to a running program",
    "sig-proxy": "nobody sends signals to the client",
    "link-local-ip": "an address more is seen nowhere",
    "build cgroup-parent": "a control group is seen nowhere",
    "build debug": "the client has nothing to log",
    "build ulimit": "no simulated process comes to a limit",
    "cp quiet": "progress is not shown",
    "builder prune debug": "the client has nothing to log",
    "builder prune timeout": "the builder is there at once",
    "attach no-stdin": "nobody types to a process that runs already",
    "network disconnect force": "a network lets go at once",
    "network inspect verbose": "it is about swarms",
    "buildx ls format": "there is one builder",
    "buildx ls no-trunc": "there is one builder",
}
MISSING = {
    "create": ("use-api-socket",),
    "run": ("use-api-socket",),
    "image history": ("platform",),
    "image inspect": ("platform",),
    "image import": ("platform",),
    "image rm": ("platform",),
    "image save": ("platform",),
    "image load": ("platform",),
    "builder prune": ("builder", "max-used-space", "min-free-space", "verbose"),
    "buildx du": ("verbose",),
}
GROUPS = ("image", "container", "volume", "network", "context", "system", "builder", "buildx")


@lru_cache(maxsize=1)
def places() -> dict[str, tuple[DockerCommand, str]]:
    """What can be typed after docker -> the command, and the path that its messages show."""
    found: dict[str, tuple[DockerCommand, str]] = {}
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


def load(name: str) -> Callable[[Invocation], int]:
    """The function of a row."""
    from importlib import import_module

    module, _, function = name.partition(".")
    loaded: Callable[[Invocation], int] = getattr(import_module(f"{__name__}.{module}"), function)
    return loaded


DAEMON = "Error response from daemon: "


def daemon_says(error: EngineError) -> str:
    """The daemon's answer as the client shows it."""
    return error.message if error.kind == "client" else DAEMON + error.message


@dataclass
class Invocation:
    process: Process
    engine: Engine
    path: str  # "docker container rm": as it was typed, aliases replaced
    options: Options
    arguments: list[str]

    @property
    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self.process.kernel.clock.now

    @property
    def resolve(self) -> Resolve:
        return resolve_in(self.process.files.cwd)

    def out(self, text: str) -> None:
        """A line to standard output."""
        self.process.stdout.write(text + "\n")

    def err(self, text: str) -> None:
        """A line to standard error."""
        self.process.stderr.write(text + "\n")

    def each(self, call: Callable[[str], object], *, show: bool = True) -> int:
        """Call for every argument in turn, which is printed when it went well; errors do not stop the rest."""
        failures = []
        for argument in self.arguments:
            try:
                call(argument)
            except EngineError as error:
                failures.append(daemon_says(error))
            else:
                if show:
                    self.out(argument)
        if failures:
            raise StatusError("\n".join(failures))
        return 0

    def confirmed(self, warning: str) -> bool:
        """The question, and whether the answer from standard input is y."""
        self.process.stdout.write(f"{warning} [y/N] ")
        answer = self.process.stdin.readline().decode("utf-8", "replace").strip()
        return answer.lower() == "y"


def plain_os_error(error: OSError, action: str = "open") -> str:
    """An OSError as Go prints it: open nosuch.tar: no such file or directory."""
    reason = (error.strerror or "").lower()
    return f"{action} {error.filename}: {reason}"


class ReferenceInvalid(ValueError):
    """The name of an image cannot be read; str() is what distribution/reference says."""


def parse(text: str) -> Reference:
    try:
        return names.parse(text)
    except EngineError as error:
        raise ReferenceInvalid(error.message) from None


def parse_any(text: str) -> Reference | None:
    """As parse; None for a whole image id or digest."""
    try:
        found = names.parse_any(text)
    except EngineError as error:
        raise ReferenceInvalid(error.message) from None
    return found if isinstance(found, Reference) else None


def attached(start: Callable[[], int | None]) -> int:
    """The status of a container's process, for whose end docker waits; of docker's own, where it ends first."""
    try:
        return int(start() or 0)
    except Parked as parked:
        raise parked.then(_ended) from None


def _ended(docker: Process, status: int) -> int:
    if status != FORSAKEN:
        return status
    docker.stderr.write("\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n")
    return 1
