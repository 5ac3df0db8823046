"""A container of a catalog's image without an engine: its layers in a tree, and a kernel that runs its programs."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from alone import kernel_alone

from labkit.catalog.images import CatalogImage, catalog_image
from labkit.catalog.programs import PROGRAMS
from labkit.catalog.programs.support import lay
from labkit.files import Files, Namespace, Source, Store, Tree
from labkit.files.layers import grow
from labkit.kernel.process import Clock, Input, Kernel, Output, Parked, Process, find_program, program_name

START = 1_795_510_800 * 1_000_000_000


def execute(process: Process) -> int:
    path = find_program(process.files, process.argv[0], process.env["PATH"])
    name = program_name(process.files.content(path))
    return process.kernel.programs[name or ""](process)


@dataclass
class Box:
    """A container: its files, and `run`."""

    files: Files
    kernel: Kernel
    env: dict[str, str]
    parked: list[Parked] = field(default_factory=list)

    def run(self, *argv: str, stdin: str = "", detached: bool = False, **env: str) -> tuple[int, str, str]:
        """Exit status (-1: it waits), stdout, stderr."""
        stdout, stderr = Output(), Output()
        process = Process(
            list(argv), {**self.env, **env}, self.files, Input(stdin.encode()), stdout, stderr, self.kernel,
            detached=detached,
        )  # fmt: skip
        try:
            status = execute(process)
        except Parked as parked:
            self.parked.append(parked)
            status = -1
        return status, stdout.getvalue().decode(), stderr.getvalue().decode()


def box_of(image: CatalogImage) -> Box:
    clock = Clock(START)
    store = Store(clock)
    root = grow(image.layers[0].entries(), sealed=False)
    files = Namespace(store, Source(Tree(store, root, 1), None)).files()
    kernel = kernel_alone(clock, PROGRAMS, execute)
    env = dict(pair.split("=", 1) for pair in image.config["config"].get("Env", ()))
    box = Box(files, kernel, env)
    above = Process(["tar"], env, files, Input(), Output(), Output(), kernel)
    for layer in image.layers[1:]:
        lay(above, layer.entries())
    clock.now = START
    kernel.budget = 2_000_000
    return box


@pytest.fixture
def start():
    """start("python", "3.12-slim") -> Box"""

    def make(name: str, tag: str = "latest") -> Box:
        image = catalog_image(name, tag)
        assert image is not None
        return box_of(image)

    return make
