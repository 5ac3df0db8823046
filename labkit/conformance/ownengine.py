"""The reader's own Docker Engine, asked through the docker program. It plays scenarios only where it holds nothing.

A scenario prunes and lists everything, and writes in a few folders of the host. So before each one the engine and those
folders are looked at, and afterwards all that is there is what the scenario made, and is removed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from labkit.conformance.normalise import Normaliser
from labkit.conformance.replay import BASE_IMAGE, ENGINES, RecordedStep

HOME = Path("/home/learner")
FOLDERS = (HOME, Path("/data"), Path("/srv/shared"))  # the host's folders that scenarios write in
DATA_ROOT = "/var/lib/docker"  # where scenarios look for it
SECONDS = 60  # that a step may take
SHOWN = 5  # names of a kind, in a refusal
_PASSED_ON = ("PATH", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
_LISTS = {
    "containers": ("ps", "--all", "--format", "{{.Names}}"),
    "images": ("image", "ls", "--all", "--format", "{{.Repository}}:{{.Tag}}"),
    "volumes": ("volume", "ls", "--quiet"),
}
_ROOT = re.compile(re.escape(DATA_ROOT) + r"(?![\w-])")
_RUN = re.compile(r"\bdocker (?:container )?(?:run|create)\b")
_BUILD = re.compile(r"\bdocker (?:image |buildx |builder )?build\b")
_HOST_FILES = re.compile(r"""/var/lib/docker|\btype=bind\b|(?:-v|--volume)[ =]["']?[./~$]""")
_HOW = """\
Scenarios prune and remove whatever an engine holds, so they are played on an empty one only. A second one beside
yours, as root, on a machine with Linux:
  D=/tmp/labkit-engine; mkdir $D
  dockerd --data-root $D/data --exec-root $D/exec --pidfile $D/pid --host unix://$D/sock --bridge none \\
    --iptables=false &
  docker context create labkit --docker host=unix://$D/sock
  labkit compare --context labkit --run-flags "--network none" --build-flags "--network none" …
Or one in a virtual machine, by a context that leads to it."""


class EngineError(Exception):
    """The engine can't be used; str() says why."""


@dataclass(frozen=True)
class Wanted:
    """Which engine, and what it needs in every command."""

    context: str | None = None
    run_flags: str = ""  # after docker run and docker create
    build_flags: str = ""


@dataclass(frozen=True)
class Described:
    """What an engine says of itself."""

    name: str  # one of replay.ENGINES
    root: str
    client: str
    server: str


class OwnEngine:
    """An engine that was found empty. Raises EngineError."""

    def __init__(self, wanted: Wanted, base: Path) -> None:
        self._wanted, self._base = wanted, base
        self._environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        if wanted.context:  # asked for once: no step can lead to another engine
            self._environment.pop("DOCKER_HOST", None)
            asked = ("context", "inspect", wanted.context, "--format", "{{.Endpoints.docker.Host}}")
            self._environment["DOCKER_HOST"] = self._docker(*asked, home=Path.home()).strip()
        self.described = self._describe()
        self.check_empty()
        self._networks = set(self._docker("network", "ls", "--quiet").split())
        self.here = self._is_here()
        self._build_once()

    def play(self, files: dict[str, str], runs: Iterable[str]) -> Iterator[RecordedStep]:
        """What it says to each line. Close the iterator to have it cleaned up."""
        self.check_empty()
        try:
            self._set_up(files)
            normaliser = Normaliser()
            for run in runs:
                yield self._step(run, normaliser)
        finally:
            self._remove_all()

    def playable(self, runs: tuple[str, ...]) -> tuple[str, ...]:
        """The steps that it can play: where its files are elsewhere, those before the first that needs them."""
        stop = next((n for n, run in enumerate(runs) if not self.here and _HOST_FILES.search(run)), len(runs))
        return runs[:stop]

    def check_empty(self) -> None:
        """Raise EngineError, with the names of what is there, but where nothing is."""
        found = {kind: self._docker(*command).split() for kind, command in _LISTS.items()}
        usage = self._docker("system", "df", "--format", "{{.Type}}\t{{.TotalCount}}")
        cache = dict(line.split("\t") for line in usage.splitlines()).get("Build Cache", "0")
        found["build cache"] = [] if cache == "0" else [f"{cache} entries"]
        found["folders on this machine"] = [str(folder) for folder in FOLDERS if folder.exists()]
        if any(found.values()):
            held = [f"  {kind}: {_names(names)}" for kind, names in found.items() if names]
            raise EngineError("\n".join(["there is something already, and nothing was touched:", *held, _HOW]))

    def _docker(self, *arguments: str, home: Path = HOME) -> str:
        """What the docker program prints. Raises EngineError."""
        environment = self._environment | {"HOME": str(home)}
        try:
            done = subprocess.run(
                ["docker", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(f"docker {arguments[0]}: {error}") from None
        if done.returncode:
            raise EngineError(f"docker {' '.join(arguments[:2])}: {done.stderr.strip()}")
        return done.stdout

    def _describe(self) -> Described:
        try:
            told = json.loads(self._docker("info", "--format", "{{json .}}"))
            if not told.get("ServerVersion"):
                raise EngineError(
                    f"no engine answers: {' '.join(told.get('ServerErrors') or ['docker info is empty'])}"
                )
            containerd = "io.containerd.snapshotter" in json.dumps(told["DriverStatus"])
            name = "containerd" if containerd else told["Driver"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineError(f"docker info tells of no Docker Engine: {error!r}") from None
        if name not in ENGINES:
            raise EngineError(f"the engine's storage driver is {name}; labkit compares with {', '.join(ENGINES)}")
        client = self._docker("version", "--format", "{{.Client.Version}}").strip()
        return Described(name, told["DockerRootDir"], client, told["ServerVersion"])

    def _is_here(self) -> bool:
        """Whether the engine's files are this machine's: a volume shows it."""
        volume = self._docker("volume", "create").strip()
        place = self._docker("volume", "inspect", "--format", "{{.Mountpoint}}", volume).strip()
        there = os.path.isdir(place)
        self._docker("volume", "rm", volume)
        return there

    def _build_once(self) -> None:
        """An engine keeps the base image's layer for its builder once that has built, so each scenario starts so."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "Dockerfile").write_text(f"FROM {BASE_IMAGE}\nLABEL of=labkit\n")
            for _ in self.play({}, [f"docker build -q {folder}"]):
                pass

    def _set_up(self, files: dict[str, str]) -> None:
        try:
            for name, text in files.items():
                path = HOME / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            HOME.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EngineError(f"scenarios are played in {HOME}, as root: {error.strerror}") from None
        self._docker("import", "--change", 'CMD ["sh"]', str(self._base.absolute()), BASE_IMAGE)

    def _step(self, run: str, normaliser: Normaliser) -> RecordedStep:
        root = self.described.root
        line = _RUN.sub(rf"\g<0> {self._wanted.run_flags}".rstrip(), run)
        line = _BUILD.sub(rf"\g<0> {self._wanted.build_flags}".rstrip(), line)
        status, *outputs = self._shell(_ROOT.sub(root, line))
        stdout, stderr = (normaliser.lines(text.replace(root, DATA_ROOT)) for text in outputs)
        return {"run": run, "exit": status, "stdout": stdout, "stderr": stderr}

    def _shell(self, line: str) -> tuple[int, str, str]:
        environment = self._environment | {
            "HOME": str(HOME),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "COLUMNS": "200",
            "BUILDKIT_PROGRESS": "plain",
            "DOCKER_BUILDKIT": "1",  # before 23.0 it is asked for
        }
        process = subprocess.Popen(
            ["sh", "-c", line],
            cwd=HOME,
            env=environment,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            stdout, stderr = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            stderr += f"\nlabkit: stopped after {SECONDS} seconds\n"
        return process.returncode, stdout, stderr

    def _remove_all(self) -> None:
        self._each(("ps", "--all", "--quiet"), ("rm", "--force", "--volumes"))
        self._each(("volume", "ls", "--quiet"), ("volume", "rm", "--force"))
        for _ in range(3):  # an image goes only after those committed from it
            self._each(("image", "ls", "--all", "--quiet"), ("image", "rm", "--force"))
        networks = set(self._docker("network", "ls", "--quiet").split()) - self._networks
        self._remove(("network", "rm"), networks)
        self._remove(("builder", "prune"), ("--all", "--force"))
        for folder in FOLDERS:
            shutil.rmtree(folder, ignore_errors=True)

    def _each(self, listed: tuple[str, ...], removed: tuple[str, ...]) -> None:
        self._remove(removed, self._docker(*listed).split())

    def _remove(self, removed: tuple[str, ...], names: Iterable[str]) -> None:
        """What can't be removed now shows when the engine is next looked at."""
        if names := list(dict.fromkeys(names)):
            with suppress(EngineError):
                self._docker(*removed, *names)


def _names(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
