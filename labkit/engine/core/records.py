"""The records of the engine: containers, images, layers, volumes, waiting processes, what the build cache remembers.

A *chain id* names a layer together with all below it: the digest of the parent's chain id and the layer's own
`diff_id`. A *cache key* says what a build's step does and what it stands on, by name, so that two keys can be compared;
its digest is what the cache is asked for. What is in none of its parts cannot change it: no times, no name of the step,
no place in the Dockerfile. Of the processes that wait in containers it is known which goes on first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple, Self

from labkit.engine.core.mountkeys import MountPoint
from labkit.files import Layer, Map
from labkit.kernel.golang import Json, JsonObject, members, parse_time, rfc3339, text, texts
from labkit.kernel.process import Parked, Process

if TYPE_CHECKING:
    from labkit.files import Namespace


CONTAINERS = "/var/lib/docker/containers"


@dataclass(frozen=True, slots=True)
class ContainerState:
    """Where a container is in its life."""

    status: str = "created"
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    started: int | None = None  # ns
    finished: int | None = None  # ns

    @property
    def running(self) -> bool:
        """Its process exists; so it does while it is paused or waits to be restarted."""
        return self.status in ("running", "paused", "restarting")

    def row(self) -> JsonObject:
        return {
            "Status": self.status,
            "Running": self.running,
            "Paused": self.status == "paused",
            "Restarting": self.status == "restarting",
            "OOMKilled": False,
            "Dead": self.status == "dead",
            "Pid": self.pid,
            "ExitCode": self.exit_code,
            "Error": self.error,
            "StartedAt": rfc3339(self.started),
            "FinishedAt": rfc3339(self.finished),
        }


@dataclass(frozen=True, slots=True)
class Container:
    id: str
    name: str  # without the slash that the API puts before it
    number: int  # in the order of creation
    created: int  # ns
    image: str  # id
    config: JsonObject  # as Config of an inspect, image and command line put together; nobody changes it
    host_config: JsonObject  # what was asked for; hostconfig.py has the rest
    mounts: tuple[MountPoint, ...] = ()
    state: ContainerState = ContainerState()
    restarts: int = 0
    stopped_by_hand: bool = False
    address: str = ""  # 172.17.0.N while it runs
    execs: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """What its process is started with."""
        return [*texts(self.config, "Entrypoint"), *texts(self.config, "Cmd")]

    @property
    def folder(self) -> str:
        return f"{CONTAINERS}/{self.id}"

    @property
    def log_path(self) -> str:
        return f"{self.folder}/{self.id}-json.log"

    @property
    def hostname(self) -> str:
        return text(self.config, "Hostname") or self.id[:12]

    def host(self, key: str) -> Json:
        """A value of HostConfig that was asked for."""
        return self.host_config.get(key)

    @property
    def network_mode(self) -> str:
        return text(self.host_config, "NetworkMode") or "bridge"

    def mount_at(self, destination: str) -> MountPoint | None:
        return next((mount for mount in self.mounts if mount.destination == destination), None)


EMPTY_LAYER = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"  # digest of a tar without files


@dataclass(frozen=True)
class LayerRecord:
    chain_id: str
    layer: Layer
    cache_id: str
    parent: str | None  # chain id
    references: int
    size: int  # bytes, as the storage driver counts them
    between: int = 0  # bytes of a container's init snapshot, where it was committed on one in the containerd store
    kept: bool = False  # it goes with the next prune of images, not with the image

    @property
    def diff_id(self) -> str:
        return self.layer.diff_id


@dataclass(frozen=True, slots=True)
class WritableLayer:
    """A container's own layer, its init layer below, and the chain id of the image's top layer."""

    mount_id: str
    init_id: str
    parent: str | None


def chain_ids(diff_ids: Iterable[str]) -> list[str]:
    """The chain id of each layer, from the bottom up."""
    chain: list[str] = []
    for diff_id in diff_ids:
        text = f"{chain[-1]} {diff_id}" if chain else None
        chain.append(f"sha256:{sha256(text.encode()).hexdigest()}" if text else diff_id)
    return chain


def chain_id(diff_ids: Iterable[str]) -> str | None:
    """The chain id of the topmost layer."""
    chain = chain_ids(diff_ids)
    return chain[-1] if chain else None


class Blob(NamedTuple):
    """What the content store keeps under a digest: Blob("application/vnd.oci.…+json", "sha256:…", 405)."""

    media: str
    digest: str
    size: int


@dataclass(frozen=True)
class StoredImage:
    """The blobs of an image in the containerd store."""

    target: Blob  # what its name points to: its manifest, or an index that has it
    manifest: Blob
    config: Blob
    layers: tuple[Blob, ...]  # compressed
    attestation: tuple[Blob, ...] = ()  # its manifest first
    texts: Mapping[str, str] = field(default_factory=dict)  # the JSON of those that are none of files, by digest
    build: str = ""  # BuildKit's name of the build that made it

    @property
    def of_platform(self) -> tuple[Blob, ...]:
        """What the image of this machine's platform needs."""
        return (self.manifest, self.config, *self.layers)

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """All, in the order in which they are found from the target on."""
        index = (self.target,) if self.target != self.manifest else ()
        return (*index, *self.of_platform, *self.attestation)


@dataclass(frozen=True)
class Image:
    id: str  # sha256:… of the configuration, or of what the containerd store has it under
    config: JsonObject  # as in its JSON; nobody changes it
    text: str  # that JSON
    parent: str = ""  # the image it was committed from; BuildKit leaves none
    tagged: int | None = None  # when it last got a name, ns
    stored: StoredImage | None = None  # in the containerd store

    @property
    def diff_ids(self) -> tuple[str, ...]:
        return tuple(texts(self.config, "rootfs", "diff_ids"))

    @property
    def chain(self) -> str | None:
        """The chain id of its top layer."""
        return chain_id(self.diff_ids)

    @property
    def created(self) -> int:
        return parse_time(text(self.config, "created"))

    @property
    def run_config(self) -> JsonObject:
        """What containers of it are configured with."""
        return members(self.config, "config")


def new_config(
    diff_ids: Iterable[str], config: JsonObject, history: Sequence[JsonObject], created: int, **more: Json
) -> JsonObject:
    """A whole configuration of a Linux image for this machine's processor."""
    return {
        "architecture": "amd64",
        "config": config,
        "created": rfc3339(created),
        "history": list(history),
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
        **more,
    }


VOLUMES = "/var/lib/docker/volumes"


ANONYMOUS = "com.docker.volume.anonymous"  # the label of a volume whose name nobody chose


@dataclass(frozen=True)
class Volume:
    name: str
    created: int  # ns
    driver: str = "local"
    labels: Mapping[str, str] | None = None
    options: Mapping[str, str] | None = None

    @property
    def folder(self) -> str:
        return f"{VOLUMES}/{self.name}"

    @property
    def mountpoint(self) -> str:
        return f"{VOLUMES}/{self.name}/_data"

    @property
    def anonymous(self) -> bool:
        return ANONYMOUS in (self.labels or {})

    @property
    def needs_mount(self) -> bool:
        """Something else is mounted on its folder while a container uses it."""
        return bool((self.options or {}).get("device") or (self.options or {}).get("type"))


@dataclass(frozen=True)
class Running:
    """A container whose process waits. The process is never run itself: a copy of it goes on."""

    namespace: Namespace
    process: Process | None
    parked: Parked


@dataclass(frozen=True)
class LogLine:
    """One line of the journal."""

    time: int  # ns
    who: str  # "dockerd" or "systemd"
    text: str


@dataclass(frozen=True)
class Service:
    driver: str  # with which the engine runs, or ran last
    since: int  # ns
    status: str = "active"  # or "inactive", "failed"
    listens: bool = True  # whether systemd has the socket open
    log: tuple[LogLine, ...] = ()


REGULAR, LOCAL, MOUNT = "regular", "source.local", "exec.cachemount"
BASE, MKDIR, RUN, COPY = "base", "mkdir", "run", "copy"
CACHED, MADE, FAILED, CANCELED = "cached", "made", "failed", "canceled"

Listing = dict[str, str]  # each file by its path ("" the source itself), as a cache key knows it
Known = tuple[int, int, int, str]  # mode, size, mtime and link target: what tells that a file that was sent changed


def key_digest(*parts: object) -> str:
    return sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class CacheRecord:
    """One line of `docker system df -v`."""

    id: str  # 25 letters and digits; also the name of the layer's folder
    digest: str  # of its cache key
    type: str = REGULAR
    chain: str | None = None  # of the layer that it holds
    parent: str = ""  # id of the record below
    description: str = ""
    size: int = 0
    blob: int = 0  # bytes of its layer as an image in the containerd store has it
    created: int = 0  # ns
    used: int = 0  # ns
    count: int = 1
    scratch: str = ""  # a cache mount's own layer


@dataclass(frozen=True)
class KeyPart:
    """One thing that goes into a cache key: KeyPart("variable", "VERSION", "2")."""

    what: str  # command, variable, folder, user, mount, network, script, option, content, below, …
    name: str  # where there are several of one kind
    value: str


@dataclass(frozen=True)
class CacheKey:
    """What a step is found by. `files`: what the contents among the parts are digests of, by the part's name."""

    kind: str
    parts: tuple[KeyPart, ...]
    below: str = ""  # the digest of the key of the step that this one stands on
    files: Mapping[str, Listing] = field(default_factory=dict, compare=False, repr=False)
    arguments: frozenset[str] = field(default=frozenset(), compare=False)  # variables that are ARGs; no part of the key

    @cached_property
    def digest(self) -> str:
        return key_digest(self.kind, *((each.what, each.name, each.value) for each in self.parts), self.below)


@dataclass(frozen=True)
class MadeStep:
    """A step that was made: what from, how long it took (seconds, as simulated) and what it left."""

    key: CacheKey
    name: str
    seconds: float
    size: int  # bytes of its layer
    number: int  # in the order in which steps were made


@dataclass(frozen=True)
class StepOutcome:
    """One step of a build."""

    name: str  # as the progress shows it
    state: str
    digest: str | None  # of its cache key
    key: CacheKey | None  # None where no more than the digest is known
    below: str = ""  # name of the step that it stands on
    line: int = 0  # of the Dockerfile, from 1
    forced: str = ""  # the option that keeps it from the cache
    unneeded: bool = False  # not found, and not made: a later step was found
    seconds: float = 0.0  # as simulated: what it took now, or what it took when it was made
    size: int = 0  # bytes of its layer


@dataclass(frozen=True)
class Journal:
    """One build: what it found in the cache and what it made, step by step."""

    outcomes: tuple[StepOutcome, ...] = ()
    earlier: tuple[MadeStep, ...] = field(default=(), repr=False)  # made before this build
    sent: int = 0  # bytes of context that were transferred
    context: frozenset[str] | None = None  # the paths that were taken from the context; None: nothing needs it
    size: int = 0  # bytes of their files
    again: frozenset[str] = frozenset()  # files sent before whose mode, size or time is not as it was then


_FIRST = 2  # the bridge's network is 172.17.0.0/16, and the host has its 1
_STALE = 64  # entries of a queue, beside two for each process, from which on it is made anew


class Waiting(Map[str, Running]):
    """By container id; ID/NUMBER is what exec started. With its process here ends a container's hold on its address."""

    __slots__ = ("_free", "_held", "_queue")

    def __init__(self) -> None:
        super().__init__()
        self._held: Map[str, int] = Map()  # container id -> number of its address
        self._free = -1 << _FIRST  # a bit for each number
        self._queue: list[tuple[int, str]] | None = None  # a heap; older times of a process may be in it too

    def copy(self) -> Self:
        twin = super().copy()
        twin._held, twin._free, twin._queue = self._held.copy(), self._free, None
        return twin

    def set(self, key: str, value: Running) -> None:
        super().set(key, value)
        if self._queue is not None and value.parked.until is not None:
            heappush(self._queue, (value.parked.until, key))

    def delete(self, key: str) -> None:
        super().delete(key)
        number = self._held.get(key)
        if number is not None:
            self._free |= 1 << number
            self._held.delete(key)

    def free_address(self) -> str:
        """The lowest that no container holds."""
        number = (self._free & -self._free).bit_length() - 1
        return f"172.17.{number >> 8}.{number & 255}"

    def hold(self, key: str, address: str) -> None:
        """This container, whose process comes next, has that address."""
        high, low = map(int, address.split(".")[2:])
        self._free &= ~(1 << (high << 8 | low))
        self._held.set(key, high << 8 | low)

    def first_due(self, target: int, is_paused: Callable[[str], bool]) -> tuple[int, str] | None:
        """When and which process goes on first, if that is by then."""
        queue = self._queue
        if queue is None or len(queue) > 2 * len(self) + _STALE:
            times = ((running.parked.until, key) for key, running in self.items())
            queue = self._queue = [(until, key) for until, key in times if until is not None]
            heapify(queue)
        paused: list[tuple[int, str]] = []
        due = None
        while due is None and queue and queue[0][0] <= target:
            until, key = queue[0]
            running = self.get(key)
            if running is None or running.parked.until != until:
                heappop(queue)
            elif is_paused(key):
                paused.append(heappop(queue))
            else:
                due = until, key
        for each in paused:
            heappush(queue, each)
        return due
