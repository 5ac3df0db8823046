"""Engine: the daemon of one machine, as the docker command line and the lessons call it.

Each method is one request of the Docker API; the mechanism behind it is in the module that it calls, which is loaded
then, where many a machine never needs it. What the engine remembers is in its tables; files lie in the host's own tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from labkit.engine.containers import containers, creation, lifecycle, logs
from labkit.engine.containers.containers import Container
from labkit.engine.containers.logs import Streams
from labkit.engine.containers.sandbox import Sandboxes, tmpfs_of
from labkit.engine.core import times
from labkit.engine.core.events import EventLog, watch
from labkit.engine.core.filters import Filters
from labkit.engine.core.ids import Ids
from labkit.engine.core.tables import PARKED, Parked, Tables
from labkit.engine.daemon import hostfolders, procfiles
from labkit.engine.images import images
from labkit.engine.images.images import Image, ImageStore
from labkit.engine.images.layerstore import LayerStore
from labkit.engine.mounts import volumes
from labkit.engine.mounts.volumes import Volume
from labkit.files import Content, Files, Namespace, Source, Stat

if TYPE_CHECKING:
    from labkit.drivers import Driver
    from labkit.engine.build.cache import BuildCache
    from labkit.engine.build.request import BuildRequest
    from labkit.kernel.process import Kernel

KERNEL_VERSION = "6.12.57"


@dataclass(frozen=True)
class ContainerView:
    """A container as one who looks into it sees it."""

    id: str
    files: Files


class Engine:
    def __init__(
        self,
        host: Files,
        driver: Driver,
        kernel: Kernel,
        registry: Any = None,
        *,
        kernel_version: str = KERNEL_VERSION,
        hostname: str = "lab",
        address: str = "192.0.2.10",
        operating_system: str = "Debian GNU/Linux 12 (bookworm)",
        server_version: str | None = None,
    ) -> None:
        self.server_version = server_version  # None: the newest
        self.host = host
        self.hostname = hostname  # the host's
        self.address = address  # the host's, in its network
        self.operating_system = operating_system
        self.driver = driver
        self.kernel = kernel
        self.registry = registry
        self.kernel_version = kernel_version
        self.epoch = kernel.clock.now  # when the daemon was started, ns
        self.tables = Tables()
        self.layerstore = LayerStore(self)
        self.imagestore = ImageStore(self)
        self.sandboxes = Sandboxes(self)
        self._build_cache: BuildCache | None = None
        self._bind()
        hostfolders.install(self)
        procfiles.install(self)
        watch(self)

    def _bind(self) -> None:
        self.ids = Ids(self.tables.counters)
        self.events = EventLog(self.tables.events)

    @property
    def keeps_manifests(self) -> bool:
        """Whether images lie in the containerd store, which knows each by its manifest's digest."""
        return self.driver.by_container

    @property
    def build_cache(self) -> BuildCache:
        if self._build_cache is None:
            from labkit.engine.build.cache import BuildCache

            self._build_cache = BuildCache(self)
        return self._build_cache

    # --- state

    def use(self, driver: Driver) -> None:
        """Run with another storage driver; the tables are those that belong to it."""
        self.driver = driver
        self._build_cache = None
        self.layerstore = LayerStore(self)

    def tables_of(self, driver: str) -> Tables:
        """The tables that belong to a storage driver, be it in use or not."""
        parked: Parked | None = self.tables.other.get(PARKED + driver)
        return self.tables if parked is None or driver == self.driver.name else parked.tables

    def snapshot(self) -> Tables:
        return self.tables.copy()

    def restore(self, saved: Tables) -> None:
        self.tables = saved.copy()
        self._bind()

    def now(self) -> int:
        """Nanoseconds since 1970, on the machine's clock."""
        return self.kernel.clock.now

    def advance(self) -> None:
        """Let the containers' processes go on to what the clock says now."""
        lifecycle.advance(self)

    def until(self, text: str) -> int:
        """The moment that `until=` names: a duration before now, seconds since 1970, or a time."""
        return times.moment(text, self.now())

    def digest(self, *words: str) -> str:
        """64 hexadecimal digits that follow from the words."""
        return sha256("/".join(words).encode()).hexdigest()

    # --- files

    def view(self, source: Source) -> Files:
        """A file system by itself, as root sees it."""
        return Namespace(self.host.store, source).files()

    rootfs = view

    def tmpfs(self, options: str = "") -> Source:
        """A new tmpfs (`size=1m,mode=700,uid=1000`). Raises ValueError for what the kernel does not take."""
        return tmpfs_of(self.host.store, options)

    def namespace_of(self, container: str) -> Namespace | None:
        running = self.tables.running.get(container)
        return running.namespace if running else None

    def container_of_pid(self, pid: int) -> containers.Container | None:
        """The running container whose first process has this number on the host."""
        running = (found for found in self.containers_by_age() if found.state.running)
        return next((found for found in running if found.state.pid == pid), None)

    def address_of(self, container: str) -> str:
        """A running container's address in the bridge network; empty where it has none."""
        found = self.tables.containers.get(container)
        return found.address if found else ""

    def root_path(self, mount_id: str) -> str:
        """Where a layer's merged files lie on the host, as runc names it."""
        return self.driver.merged_at(mount_id)

    def about_root(self, mount_id: str) -> dict[str, Any]:
        """How /proc/mounts shows a container's root."""
        if self.driver.mount_options(mount_id):
            options = lambda: self.driver.mount_options(mount_id)  # noqa: E731  (long, and seldom looked at)
            device, fstype = self.driver.device(mount_id)
            return {"device": device, "fstype": fstype, "options": options}
        return {}

    def container(self, reference: str) -> ContainerView:
        """A container's files: what its process sees while it runs, else its root alone."""
        from labkit.engine.containers import archive

        found = containers.find(self, reference)
        namespace = self.namespace_of(found.id)
        if namespace is None:
            return ContainerView(found.id, archive.stopped_files(self, found))
        return ContainerView(found.id, namespace.files())

    # --- images

    def images(self, all: bool = False, filters: Filters | None = None) -> list[dict[str, Any]]:
        return images.summaries(self, all, filters)

    def find_image(self, reference: str) -> Image:
        return self.imagestore.find(reference)

    def inspect_image(self, reference: str) -> dict[str, Any]:
        return images.inspect(self, reference)

    def history(self, reference: str) -> list[dict[str, Any]]:
        return images.history(self, reference)

    def tag(self, source: str, target: str) -> None:
        images.tag(self, source, target)

    def remove_image(self, reference: str, force: bool = False, prune: bool = True) -> list[tuple[str, str]]:
        return images.remove(self, reference, force, prune)

    def prune_images(self, all: bool = False, filters: Filters | None = None) -> tuple[list[tuple[str, str]], int]:
        return images.prune(self, all, filters)

    def pull(self, reference: str, platform: str = "") -> Iterator[str]:
        """The lines of progress; the image is there after the last one."""
        from labkit.engine.images import registry

        return registry.pull(self, reference, platform)

    def save(self, references: Sequence[str]) -> Content:
        from labkit.engine.images import tarballs

        return tarballs.save(self, references)

    def load(self, archive_: Content, quiet: bool = False) -> list[str]:
        from labkit.engine.images import tarballs

        return tarballs.load(self, archive_)

    def import_image(
        self, archive_: Content, reference: str = "", changes: Sequence[str] = (), message: str = "", source: str = "-"
    ) -> str:
        from labkit.engine.images import tarballs

        return tarballs.import_(self, archive_, reference, changes, message, source)

    def commit(
        self,
        container: str,
        reference: str = "",
        author: str = "",
        message: str = "",
        changes: Sequence[str] = (),
        pause: bool = True,
    ) -> str:
        from labkit.engine.containers import commits

        return commits.commit(self, container, reference, author, message, changes)

    # --- containers

    def containers(
        self, all: bool = False, filters: Filters | None = None, size: bool = False, limit: int = 0
    ) -> list[dict[str, Any]]:
        return containers.rows(self, all, filters, size, limit)

    def containers_by_age(self) -> list[Container]:
        return containers.by_age(self)

    def find_container(self, reference: str) -> Container:
        return containers.find(self, reference)

    def inspect_container(self, reference: str, size: bool = False) -> dict[str, Any]:
        return containers.inspect(self, reference, size)

    def create_container(self, config: Mapping[str, Any], name: str = "") -> tuple[str, list[str]]:
        return creation.create(self, config, name)

    def start_container(self, reference: str, attach: Streams | None = None) -> int | None:
        """The exit status where it ran to its end, None where it runs on."""
        return lifecycle.start(self, reference, attach)

    def stop(self, reference: str, timeout: int | None = None, signal: str | None = None) -> None:
        lifecycle.stop(self, reference, timeout, signal)

    def kill(self, reference: str, signal: str | None = None) -> None:
        lifecycle.kill(self, reference, signal)

    def restart(self, reference: str, timeout: int | None = None, signal: str | None = None) -> None:
        lifecycle.restart(self, reference, timeout, signal)

    def pause(self, reference: str) -> None:
        lifecycle.pause(self, reference)

    def unpause(self, reference: str) -> None:
        lifecycle.unpause(self, reference)

    def wait(self, reference: str) -> int | None:
        """The exit status, after the clock has gone on to the process' end; None where it never ends."""
        return lifecycle.wait(self, reference)

    def top(self, reference: str, options: Sequence[str] = ()) -> dict[str, Any]:
        return lifecycle.top(self, reference)

    def rename(self, reference: str, name: str) -> None:
        lifecycle.rename(self, reference, name)

    def remove_container(self, reference: str, volumes: bool = False, force: bool = False) -> None:
        lifecycle.remove(self, reference, volumes, force)

    def prune_containers(self, filters: Filters | None = None) -> tuple[list[str], int]:
        return lifecycle.prune(self, filters)

    def exec(
        self,
        reference: str,
        argv: Sequence[str],
        env: Sequence[str] = (),
        workdir: str = "",
        user: str = "",
        tty: bool = False,
        streams: Streams | None = None,
        detach: bool = False,
        privileged: bool = False,
    ) -> int:
        from labkit.engine.containers import execs

        return execs.run(self, reference, argv, env, workdir, user, tty, streams, detach, privileged)

    def logs(self, reference: str) -> list[tuple[str, int, bytes]]:
        """Stream, time (ns) and bytes of each line."""
        return logs.read(self, containers.find(self, reference))

    def diff(self, reference: str) -> list[tuple[str, str]]:
        found = containers.find(self, reference)
        return self.driver.changes(self.tables.mounts[found.id].mount_id)

    def export(self, reference: str) -> Content:
        from labkit.engine.containers import archive

        return archive.export(self, reference)

    def archive_get(self, reference: str, path: str) -> tuple[Stat, Content]:
        from labkit.engine.containers import archive

        return archive.get(self, reference, path)

    def archive_stat(self, reference: str, path: str) -> Stat:
        from labkit.engine.containers import archive

        return archive.stat_path(self, reference, path)

    def archive_link(self, reference: str, path: str) -> str:
        from labkit.engine.containers import archive

        return archive.link_target(self, reference, path)

    def archive_put(self, reference: str, path: str, tar: Content, copy_uid_gid: bool = False) -> None:
        from labkit.engine.containers import archive

        archive.put(self, reference, path, tar, copy_uid_gid)

    # --- volumes

    def create_volume(
        self,
        name: str = "",
        driver: str = "",
        opts: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Volume:
        return volumes.create(self, volumes.Request(name, driver, opts or {}, labels or {}))

    def volumes(self, filters: Filters | None = None) -> list[dict[str, Any]]:
        return volumes.rows(self, filters)

    def inspect_volume(self, name: str) -> dict[str, Any]:
        return volumes.inspect(self, name)

    def remove_volume(self, name: str, force: bool = False) -> None:
        volumes.remove(self, name, force)

    def prune_volumes(self, all: bool = False, filters: Filters | None = None) -> tuple[list[str], int]:
        return volumes.prune(self, all, filters)

    # --- the whole

    def disk_usage(self) -> dict[str, Any]:
        from labkit.engine.daemon import usage

        return usage.disk_usage(self)

    def prune_build_cache(
        self, all: bool = False, keep: int = 0, filters: Filters | None = None
    ) -> tuple[list[dict[str, Any]], int]:
        return self.build_cache.prune(all, keep, filters)

    def info(self) -> dict[str, Any]:
        from labkit.engine.daemon import daemoninfo

        return daemoninfo.info(self)

    def version(self) -> dict[str, Any]:
        from labkit.engine.daemon import daemoninfo

        return daemoninfo.version(self)

    def build(self, request: BuildRequest, progress: Any) -> str:
        """The image's id. The work is in engine/build/."""
        from labkit.engine.build.solve import build

        return build(self, request, progress)
