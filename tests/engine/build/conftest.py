"""A machine without a shell: its containers run a few words of one, so that builds are tested by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from alone import kernel_alone

from labkit.catalog.images import Registry
from labkit.drivers import DRIVERS
from labkit.engine.api import Engine
from labkit.engine.build.client import BuildRequest
from labkit.engine.dockerfile.diagnostics import BuildError
from labkit.files import Entry, Files, Namespace, Source, Store, Tree
from labkit.files.layers import grow
from labkit.kernel.process import Clock, Process

START = 1_795_510_800 * 10**9  # ns
HOME = "/home/learner"


@dataclass
class Built:
    """A build that ended: the image's id ("" where it failed) and all that was printed."""

    image: str
    text: str

    @property
    def steps(self) -> dict[str, str]:
        """The name of each step, and how it ended (DONE, CACHED, ERROR, CANCELED)."""
        names = dict(re.findall(r"^#(\d+) (.*\d+/\d+\] .*)$", self.text, re.M))
        ends = dict(re.findall(r"^#(\d+) (DONE|CACHED|ERROR|CANCELED)", self.text, re.M))
        return {name.split("] ", 1)[1]: ends[number] for number, name in names.items() if "] FROM " not in name}

    @property
    def error(self) -> str:
        return self.text.rpartition("ERROR: failed to build: ")[2].rstrip("\n")


@dataclass
class Host:
    """The machine, as a test sees it."""

    engine: Engine
    files: Files
    printed: list[str] = field(default_factory=list)

    def write(self, dockerfile: str, **others: str) -> None:
        """The Dockerfile and other files (`__` in a name is a slash, `_` a dot)."""
        self.files.write("Dockerfile", dockerfile)
        for name, text in others.items():
            path = name.replace("__", "/").replace("_", ".")
            self.files.makedirs(f"{HOME}/{path}".rpartition("/")[0])
            self.files.write(path, text)

    def build(self, context: str = ".", **about: Any) -> Built:
        self.engine.core.kernel.clock.advance(10**9)
        self.engine.core.kernel.budget = 300_000
        about.setdefault("tags", ("app",))
        self.printed = []
        try:
            image = self.engine.build(BuildRequest(self.files, context, **about), _Stream(self))
        except BuildError as error:
            return Built("", "".join(self.printed) + str(error))
        return Built(image, "".join(self.printed))

    def write_out(self, text: str) -> None:
        self.printed.append(text)

    def in_image(self, reference: str = "app") -> Files:
        """The files of an image."""
        chain = self.engine.find_image(reference).chain
        cache_id = self.engine.layerstore.cache_id(chain)
        assert cache_id
        return self.engine.core.view(self.engine.driver.mount(cache_id))

    def config(self, reference: str = "app") -> dict[str, Any]:
        return self.engine.find_image(reference).run_config

    def history(self, reference: str = "app") -> list[str]:
        """What a build added to the history of its base, the oldest first."""
        base = {entry.get("created_by") for entry in self.engine.registry.get("busybox").config["history"]}
        return [row["CreatedBy"] for row in reversed(self.engine.history(reference)) if row["CreatedBy"] not in base]


class _Stream:
    def __init__(self, host: Host) -> None:
        self.write = host.write_out


def _execute(process: Process) -> int:
    """Words of a shell: echo, cat, pwd, env, ls, id, exit, sleep; && and > to a file."""
    process.kernel.clock.advance(1_000_000)
    line = process.argv[-1]
    for part in line.split("&&"):
        command, _, target = part.partition(">")
        words = re.sub(r"\$(\w+)", lambda match: process.env.get(match[1], ""), command).split()
        if not words:
            continue
        if words[0] == "exit":
            return int(words[1])
        tool = _TOOLS.get(words[0])
        if tool is None:
            process.stderr.write(f"/bin/sh: {words[0]}: not found\n")
            return 127
        try:
            text = tool(process, words[1:])
        except OSError as error:
            process.stderr.write(f"{words[0]}: can't open '{words[-1]}': {error.strerror}\n")
            return 1
        if target:
            process.files.write(target.strip(), text)
        elif text:
            process.stdout.write(text)
    return 0


_TOOLS: dict[str, Callable[[Process, list[str]], str]] = {
    "cat": lambda process, words: "".join(process.files.read(path).decode() for path in words),
    "echo": lambda process, words: " ".join(words) + "\n",
    "env": lambda process, words: "".join(f"{name}={value}\n" for name, value in sorted(process.env.items())),
    "id": lambda process, words: f"{process.files.user.uid}\n",
    "ls": lambda process, words: "".join(f"{name}\n" for name in process.files.listdir(words[0])),
    "pwd": lambda process, words: process.files.cwd + "\n",
    "sleep": lambda process, words: process.sleep(float(words[0])) or "",
    "true": lambda process, words: "",
}


def new_host(driver: str = "overlay2") -> Host:
    clock = Clock(START)
    store = Store(clock)
    root = grow([Entry("home/learner", 0o40755), Entry("var/lib/docker", 0o40755)], sealed=False)
    files = Namespace(store, Source(Tree(store, root, 0xFE01), None)).files(cwd=HOME)
    kernel = kernel_alone(clock, {}, _execute)
    return Host(Engine(files, DRIVERS[driver](files, "/var/lib/docker"), kernel, Registry()), files)


@pytest.fixture
def make_host() -> Callable[..., Host]:
    """Makes a host with this storage driver."""
    return new_host


@pytest.fixture
def host() -> Host:
    return new_host()
