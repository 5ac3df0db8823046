"""A machine small enough to know by heart: it answers as the engine does, in the dicts of Docker's API."""

from __future__ import annotations

from dataclasses import dataclass, field
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Any

from labkit.engine.core.records import chain_ids


@dataclass
class FakeEngine:
    """Tables that a test fills in; the methods are those that the pictures use."""

    image_table: dict[str, dict[str, Any]] = field(default_factory=dict)
    container_table: dict[str, dict[str, Any]] = field(default_factory=dict)
    volume_table: list[str] = field(default_factory=list)
    layerstore: dict[str, SimpleNamespace] = field(default_factory=dict)

    def images(self, all: bool) -> list[dict[str, Any]]:
        return [{"Id": key} for key in self.image_table]

    def inspect_image(self, reference: str) -> dict[str, Any]:
        return self.image_table[reference]["inspect"]

    def history(self, reference: str) -> list[dict[str, Any]]:
        return self.image_table[reference]["history"]

    def find_image(self, reference: str) -> SimpleNamespace:
        return self.image_table[reference]["image"]

    def containers(self, all: bool, size: bool) -> list[dict[str, Any]]:
        return [{"Id": key, "SizeRw": row["size"]} for key, row in self.container_table.items()]

    def inspect_container(self, reference: str) -> dict[str, Any]:
        return self.container_table[reference]["inspect"]

    def diff(self, reference: str) -> list[tuple[str, str]]:
        return self.container_table[reference]["diff"]

    def volumes(self) -> list[dict[str, Any]]:
        return [{"Name": name} for name in self.volume_table]

    def add_image(self, name: str, *steps: tuple[str, int, bool]) -> str:
        """An image from (line, size, does it make a layer) from the lowest up; returns its id."""
        identifier = "sha256:" + f"{len(self.image_table) + 10:x}".rjust(64, "a")
        layers = [
            f"sha256:{number:02x}{text.encode().hex()}".ljust(71, "0")[:71]
            for number, (text, _, layer) in enumerate(steps)
            if layer
        ]
        history = [{"Size": size} for _, size, _ in reversed(steps)]
        sizes = [size for _, size, layer in steps if layer]
        for chain, size in zip(chain_ids(layers), sizes, strict=True):
            self.layerstore[chain] = SimpleNamespace(size=size, layer=None)
        inspect = {"RepoTags": [name], "Size": sum(size for _, size, _ in steps)}
        config = [{"created_by": text, "empty_layer": not layer} for text, _, layer in steps]
        image = SimpleNamespace(config={"history": config}, diff_ids=tuple(layers))
        self.image_table[identifier] = {"inspect": inspect, "history": history, "image": image}
        return identifier

    def add_container(
        self, name: str, image: str, *changes: tuple[str, str], mounts: list[dict[str, Any]] | None = None
    ) -> None:
        """A running container with what `docker diff` says of it."""
        identifier = f"{len(self.container_table) + 10:x}".rjust(64, "c")
        inspect = {
            "Id": identifier,
            "Name": f"/{name}",
            "Image": image,
            "Config": {"Image": image},
            "State": {"Status": "running", "Running": True},
            "Mounts": mounts or [],
            "HostConfig": {"Tmpfs": {}},
        }
        self.container_table[identifier] = {"inspect": inspect, "diff": list(changes), "size": 24}


@dataclass
class FakeFiles:
    """A host's files: path to content."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def exists(self, path: str) -> bool:
        return path in self.kept or path == "/home/learner/folder"

    def read(self, path: str) -> bytes:
        if path not in self.kept:
            raise IsADirectoryError(21, "Is a directory", path)
        return self.kept[path]


@dataclass
class FakeMachine:
    """Only an engine and some files."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    files: FakeFiles = field(default_factory=FakeFiles)


UBUNTU = (("/bin/sh -c #(nop) ADD file:1 in / ", 78_100_000, True), ('/bin/sh -c #(nop)  CMD ["/bin/bash"]', 0, False))
APP = (
    *UBUNTU,
    ("RUN /bin/sh -c apt-get update && apt-get install -y python3 python3-pip # buildkit", 306_000_000, True),
    ("RUN /bin/sh -c pip install flask flask-mysql # buildkit", 6_300_000, True),
    ("COPY app.py /opt/app.py # buildkit", 229, True),
    ('ENTRYPOINT ["/bin/sh" "-c" "flask run"]', 0, False),
)


def small_machine() -> FakeMachine:
    """Ubuntu, an app on it, a container with two changes, a volume and a host's folder."""
    machine = FakeMachine()
    machine.engine.add_image("ubuntu:24.04", *UBUNTU)
    app = machine.engine.add_image("app:1", *APP)
    machine.engine.volume_table.append("data")
    mounts = [
        {
            "Type": "volume",
            "Name": "data",
            "Source": "/var/lib/docker/volumes/data/_data",
            "Destination": "/data",
            "RW": True,
        },
        {"Type": "bind", "Source": "/home/learner/src", "Destination": "/src", "RW": False},
    ]
    machine.engine.add_container("web", app, ("C", "/tmp"), ("A", "/tmp/x"), mounts=mounts)
    return machine


@dataclass
class FakeResult:
    """One check's result."""

    ok: bool
    text: str
    difference: str | None = None


@dataclass
class FakeJudgement:
    """What labkit.course's Judgement has."""

    passed: bool
    points: int
    of: int = 2
    results: tuple[FakeResult, ...] = ()
    mistake: str | None = None
    reply: str | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()
    text: str = "said in words"


@dataclass
class FakeMemory:
    """A progress that a test fills in and looks at."""

    known: dict[str, Any] | None = None
    filled: dict[str, Any] | None = None
    trouble: str = ""
    saved: list[bool] = field(default_factory=list)
    drafts: list[tuple[object, int]] = field(default_factory=list)

    def entry(self, slug: str) -> dict[str, Any] | None:
        return self.known

    def draft(self, attempt: object) -> dict[str, Any] | None:
        return self.filled

    def record(self, attempt: object, judgement: Any) -> str:
        self.saved.append(judgement.passed)
        return self.trouble

    def keep(self, attempt: object, answer: object, hints: int) -> str:
        self.drafts.append((answer, hints))
        return self.trouble

    def document(self, attempt: object = None) -> dict[str, Any]:
        return {"saved": len(self.saved), "drafts": len(self.drafts)}

    def bare(self) -> bool:
        return not self.known


class FakeAttempt:
    """An exercise whose right answer is "right", or in the terminal a command `make`."""

    slug = "first-image"
    learner = "demo"
    seed = ""
    revision = 1
    title = "A first image"
    kind = "do"
    points = 2
    task = "Build `app:1` from **this**:\n\n```\nFROM busybox\n```\n\n- <b>one</b>\n- two"
    hints = ("a small one", "a larger one: `docker build`")
    solutions = (("the short way", "make"),)
    prompt = ""
    terminal: SimpleNamespace | None = None

    def __init__(self, form: dict[str, Any] | None = None, machine: FakeMachine | None = None) -> None:
        self.form = form or {"type": "terminal"}
        self.machine = machine or small_machine()
        self.goal: FakeMachine | None = None
        self.reached: FakeMachine | None = None
        self.printed = ""
        self.inputs: list[str] = []
        self.given: object = None

    def run(self, line: str) -> CompletedProcess[str]:
        self.inputs.append(line)
        self.machine.engine.volume_table.append(f"v{len(self.inputs)}")
        return CompletedProcess(
            line, 0 if line == "make" else 1, f"ran {line}\n", "" if line == "make" else "no such thing\n"
        )

    def write_file(self, path: str, text: str) -> CompletedProcess[str]:
        self.inputs.append(f"cat > {path}")
        self.machine.files.kept[f"/home/learner/{path}"] = text.encode()
        return CompletedProcess(path, 0, "", "")

    def undo(self) -> None:
        self.inputs.pop()
        self.machine.engine.volume_table.pop()

    def reset(self) -> None:
        self.inputs.clear()
        self.machine = small_machine()

    @property
    def answer(self) -> object:
        return self.inputs if self.given is None else self.given

    def so_far(self) -> tuple[FakeResult, ...]:
        right = "make" in self.inputs
        return (
            FakeResult(right, "the image `app:1` is there", "" if right else "there is no image app:1"),
            FakeResult(True, "nothing else changed"),
        )

    def missing(self, results: tuple[FakeResult, ...]) -> str:
        return next((each.difference or "" for each in results if not each.ok), "")

    def check(self, answer: object = None) -> FakeJudgement:
        self.given = None if answer is None else answer
        right = answer == "right" or "make" in self.inputs
        results = (
            FakeResult(right, "the image `app:1` is there", "there is no image app:1"),
            FakeResult(True, "nothing else changed"),
        )
        reply = None if right else "That is what most people expect."
        return FakeJudgement(right, 2 if right else 1, results=results, reply=reply)
