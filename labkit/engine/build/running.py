"""RUN: a process in the stage's files, with the mounts that it asks for, which are left out of the layer.

What BuildKit's runc executor puts around it: /proc, /dev and /sys, which stay in the layer where they were missing;
a hosts file, a resolv.conf and the mounts of RUN --mount, whose mount points are taken away again afterwards, and
what is above them keeps its times (seen in the sizes that an core with the containerd store gives).
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from labkit.engine.build.cache import BuildCache, Views
from labkit.engine.build.client import BuildRequest
from labkit.engine.build.context import SourceTree
from labkit.engine.build.copying import make_folders
from labkit.engine.build.graph import CopySource, RunVertex, VertexMount
from labkit.engine.containers import oci
from labkit.engine.containers.sandbox import Sandboxes
from labkit.engine.core.core import Core
from labkit.engine.core.errors import EngineError
from labkit.engine.core.records import MOUNT, CacheRecord, key_digest
from labkit.engine.images.imagestore import LayerStore
from labkit.files import Content, Files, Namespace, Source, tmpfs
from labkit.kernel.golang import quote
from labkit.kernel.process import SECOND, Input, Output, Process

HOSTNAME = "buildkitsandbox"
_HOSTS = f"127.0.0.1\tlocalhost {HOSTNAME}\n::1\tlocalhost ip6-localhost ip6-loopback\n"
_RESOLV = "nameserver 192.168.65.7\n"
_FOLDERS = ("/proc", "/dev", "/sys")
_FILES = {"/etc/hosts": _HOSTS, "/etc/resolv.conf": _RESOLV}
_LOG_SIZE, _LOG_SPEED = 2 << 20, 200 << 10  # bytes, bytes a second: what BuildKit shows of a step's output
_CLIPPED = "[output clipped, log limit 200KiB/s reached]"  # unverified
_STEPS = 400  # that a RUN takes at least
_START = 0.15  # seconds until the first output of a process (examples/build.txt)

Log = Callable[[str, float], None]


class RunError(Exception):
    """A RUN that did not end with 0; str() is BuildKit's message."""


def prepare_layer(core: Core, parent: CacheRecord | None, layer_id: str) -> None:
    """A layer for a step to write in. Raises RunError."""
    try:
        LayerStore(core).create(layer_id, LayerStore(core).cache_id(parent.chain) if parent else None)
    except EngineError as error:
        below = parent.id if parent else ""
        raise RunError(f"failed to prepare {below} as {layer_id}: {error}") from None


@dataclass(frozen=True)
class Attached:
    """A mount, ready to be made. `is_dir`: what its target has to be."""

    target: str
    source: Source
    readonly: bool
    is_dir: bool = True


@dataclass
class _Printed(Output):
    """Output that goes to the progress."""

    log: Log
    now: Callable[[], int]
    shell: str = ""  # how busybox's shell begins its complaints, which it writes by itself (ash.c, ash_vmsg)

    def __post_init__(self) -> None:
        super().__init__()
        self._start = self.now()

    def write(self, data: bytes | str) -> int:
        if self.shell and isinstance(data, str) and data.startswith(self.shell) and data != self.shell:
            return self.write(self.shell) + self.write(data[len(self.shell) :])
        before, count = self.size, super().write(data)
        seconds = self.seconds
        room = min(_LOG_SIZE, math.ceil(seconds) * _LOG_SPEED) - before
        if room > 0:
            text = data if isinstance(data, str) else bytes(data[:room]).decode("utf-8", "replace")
            self.log(text[:room] if count <= room else f"{text[:room]}\n{_CLIPPED}\n", seconds)
        return count

    def write_content(self, content: Content) -> int:
        return self.write(content.read(0, min(content.size, 1 << 20)))

    @property
    def seconds(self) -> float:
        return _START + (self.now() - self._start) / SECOND


@dataclass
class Runner:
    """Runs one vertex in the files of a fresh layer."""

    core: Core
    root: Source
    key: str  # the layer's id
    attached: list[Attached] = field(default_factory=list)
    seconds: float = _START

    def run(self, vertex: RunVertex, log: Log) -> None:
        """Raises RunError."""
        self.core.kernel.tick(_STEPS)
        files = Namespace(self.core.host.store, self.root).files()
        with self._mount_points(files):
            namespace = self._namespace(vertex)
            try:
                self._execute(vertex, namespace, log)
            finally:
                namespace.discard()
        files.namespace.discard()

    def _execute(self, vertex: RunVertex, namespace: Namespace, log: Log) -> None:
        files = namespace.files()
        try:
            user = oci.look_up_user(files, vertex.user)
        except EngineError as error:
            raise RunError(f"{_process(vertex)} did not complete successfully: {error.message}") from None
        make_folders(files, vertex.cwd, None)
        env = dict(vertex.env) | dict(vertex.hidden_env)
        env.setdefault("HOME", oci.home_of(files, user.uid))
        try:
            oci.program_in(files, list(vertex.args), env.get("PATH", ""))
        except oci.NotStarted as error:
            log(f"runc run failed: unable to start container process: error during container init: {error}\n", _START)
            raise RunError(f"{_process(vertex)} did not complete successfully: exit code: 1") from None
        busybox = files.realpath(vertex.args[0]).endswith("/busybox") if files.exists(vertex.args[0]) else False
        output = _Printed(log, self.core.now, f"{vertex.args[0]}: " if busybox else "")
        process = Process(
            list(vertex.args),
            env,
            namespace.files(user, cwd=vertex.cwd),
            Input(),
            output,
            output,
            self.core.kernel,
            hostname=HOSTNAME,
        )
        with self.core.kernel.unattended():
            status = self.core.kernel.execute(process)
        self.seconds = output.seconds
        if status:
            raise RunError(f"{_process(vertex)} did not complete successfully: exit code: {status}")

    def _namespace(self, vertex: RunVertex) -> Namespace:
        core = self.core
        namespace = Sandboxes(core).namespace(self.root, key=self.key, shm=vertex.shm_size)
        Sandboxes(core).mask(namespace)
        own = Namespace(core.host.store, tmpfs(core.host.store, mode=0o755)).files()
        more = "".join(f"{address}\t{name}\n" for name, address in vertex.hosts)
        for path, text in _FILES.items():
            name = posixpath.basename(path)
            own.write(f"/{name}", text + more if name == "hosts" else text)
            namespace.mount(path, own.source(f"/{name}"))
        own.namespace.discard()
        for mount in self.attached:
            namespace.mount(mount.target, mount.source, readonly=mount.readonly)
        return namespace

    @contextmanager
    def _mount_points(self, files: Files) -> Iterator[None]:
        """Missing mount points, for as long as the process runs."""
        for path in _FOLDERS:  # runc makes these, and nobody takes them away
            _make_point(files, path, True, [], {})
        wanted = [(path, False) for path in _FILES]
        wanted += [(mount.target, mount.is_dir) for mount in self.attached]
        made: list[str] = []
        times: dict[str, tuple[int, int]] = {}
        for path, is_dir in wanted:
            _make_point(files, path, is_dir, made, times)
        try:
            yield
        finally:
            for path in reversed(made):
                _take_away(files, path)
            for path, (atime, mtime) in times.items():
                if path not in made and files.exists(path):
                    files.utime(path, atime, mtime)


def _process(vertex: RunVertex) -> str:
    return f"process {quote(' '.join(vertex.args))}"


def _make_point(files: Files, path: str, is_dir: bool, made: list[str], times: dict[str, tuple[int, int]]) -> None:
    """Make a path where it is missing, and note what was made and the times of the folder that it was made in."""
    done = ""
    names = path.strip("/").split("/")
    for number, name in enumerate(names, 1):
        above, done = done or "/", f"{done}/{name}"
        if files.exists(done):
            continue
        about = files.stat(above)
        if above != "/":
            times.setdefault(above, (about.st_atime_ns, about.st_mtime_ns))
        if number < len(names) or is_dir:
            files.mkdir(done, 0o755)
        else:
            files.write(done, b"", 0o644)
        made.append(done)


def _take_away(files: Files, path: str) -> None:
    try:
        if files.is_dir(path):
            files.rmdir(path)
        else:
            files.unlink(path)
    except OSError:
        pass  # the process put something into it, or took it away itself


@dataclass
class RunMounts:
    core: Core
    request: BuildRequest
    cache: BuildCache
    views: Views
    tree_of: Callable[[CopySource], SourceTree | None]

    def of(self, vertex: RunVertex) -> list[Attached]:
        """Everything that a RUN asks for. Raises RunError."""
        mounts = [found for each in vertex.mounts if (found := _ATTACH[each.mount.type](self, each))]
        if vertex.script:
            name, text = vertex.script
            files = self.views.empty()
            files.write(f"/{name}", text)
            files.chmod(f"/{name}", 0o755)
            mounts.append(Attached("/dev/pipes", files.source("/"), readonly=True))
        return mounts

    def _bind(self, each: VertexMount) -> Attached:
        path = posixpath.normpath(posixpath.join("/", each.mount.source))
        tree = self.tree_of(CopySource(path, vertex=each.source, context=each.context))
        if tree is None:
            return Attached(each.mount.target, self.views.empty().source("/"), bool(each.mount.readonly))
        try:
            path = tree.resolve(path)
        except OSError:
            raise RunError(f"failed to compute cache key: {path}: not found") from None
        return Attached(each.mount.target, tree.files.source(path), bool(each.mount.readonly), tree.files.is_dir(path))

    def _tmpfs(self, each: VertexMount) -> Attached:
        source = tmpfs(self.core.host.store, each.mount.size or None)
        return Attached(each.mount.target, source, readonly=False)

    def _cache(self, each: VertexMount) -> Attached:
        """A folder that later builds find again, under its id or its target."""
        mount = each.mount
        digest = key_digest(MOUNT, mount.id or mount.target)
        record = self.cache.find(digest)
        if record:
            record = self.cache.use(record)
            return Attached(mount.target, self.views.mount(record.scratch), bool(mount.readonly))
        record_id = self.core.ids.key("build")
        self.core.driver.create(record_id)
        source = self.views.mount(record_id)
        files = self.views.of(source)
        files.chmod("/", mount.mode if mount.mode is not None else 0o755)
        files.chown("/", mount.uid or 0, mount.gid or 0)
        description = f"cached mount {mount.target} from exec"
        self.cache.add(CacheRecord(record_id, digest, MOUNT, description=description, scratch=record_id))
        return Attached(mount.target, source, bool(mount.readonly))

    def _secret(self, each: VertexMount) -> Attached | None:
        mount = each.mount
        name = mount.id or mount.source or posixpath.basename(mount.target)
        if name not in self.request.secrets:
            if mount.required:
                raise RunError(f"secret {name}: not found")
            return None
        files = self.views.empty()
        files.write("/secret", self.request.secrets[name])
        files.chmod("/secret", mount.mode if mount.mode is not None else 0o400)
        files.chown("/secret", mount.uid or 0, mount.gid or 0)
        return Attached(mount.target, files.source("/secret"), readonly=True, is_dir=False)

    def _ssh(self, each: VertexMount) -> None:
        """There is no agent."""


_ATTACH: dict[str, Callable[[RunMounts, VertexMount], Attached | None]] = {
    "bind": RunMounts._bind,
    "cache": RunMounts._cache,
    "secret": RunMounts._secret,
    "ssh": RunMounts._ssh,
    "tmpfs": RunMounts._tmpfs,
}
