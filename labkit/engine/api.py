"""Engine: the daemon of one machine, as the docker command line and the lessons call it.

Each method is one request of the Docker API; the mechanism behind it is in the module that it calls, which is loaded
then, where many a machine never needs it. What the engine remembers is in its tables; files lie in the host's own tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.drivers import Driver
from labkit.engine.containers import creation, inspection, lifecycle, networks, processes, sandbox
from labkit.engine.containers.processes import Streams
from labkit.engine.core.core import About, Core, EventLog, Frozen, Registry, Tables, by_age, find
from labkit.engine.core.errors import Filters
from labkit.engine.core.records import Container, Image, Volume
from labkit.engine.daemon import hostfolders
from labkit.engine.images import images, manifestremoval, removal
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.engine.mounts import volumes
from labkit.files import Content, Files, Namespace, Stat
from labkit.kernel.golang import JsonObject
from labkit.kernel.process import Kernel, Output

if TYPE_CHECKING:
    from labkit.engine.build.cache import BuildCache
    from labkit.engine.build.client import BuildRequest


@dataclass(frozen=True)
class ContainerView:
    """A container as one who looks into it sees it."""

    id: str
    files: Files


class Engine:
    def __init__(
        self, host: Files, driver: Driver, kernel: Kernel, registry: Registry | None = None, about: About | None = None
    ) -> None:
        self.core = core = Core(host, driver, kernel, registry, about or About())
        self.layerstore = LayerStore(core)
        hostfolders.install(core)
        sandbox.install_proc(core)

    @property
    def host(self) -> Files:
        return self.core.host

    @property
    def driver(self) -> Driver:
        return self.core.driver

    @property
    def registry(self) -> Registry | None:
        return self.core.registry

    @property
    def tables(self) -> Tables:
        return self.core.tables

    @property
    def events(self) -> EventLog:
        return self.core.events

    def now(self) -> int:
        return self.core.now()

    @property
    def build_cache(self) -> BuildCache:
        from labkit.engine.build.cache import BuildCache

        return BuildCache(self.core)

    # --- state

    def snapshot(self) -> Frozen:
        return self.core.snapshot()

    def restore(self, saved: Frozen) -> None:
        self.core.restore(saved)

    def advance(self) -> None:
        """Let the containers' processes go on to what the clock says now."""
        lifecycle.advance(self.core)

    # --- files

    def namespace_of(self, container: str) -> Namespace | None:
        return self.core.namespace_of(container)

    def container_of_pid(self, pid: int) -> Container | None:
        """The running container whose first process has this number on the host."""
        running = (found for found in by_age(self.core) if found.state.running)
        return next((found for found in running if found.state.pid == pid), None)

    def address_of(self, container: str) -> str:
        """A running container's address in the bridge network; empty where it has none."""
        found = self.core.tables.containers.get(container)
        return found.address if found else ""

    def container(self, reference: str) -> ContainerView:
        """A container's files: what its process sees while it runs, else its root alone."""
        from labkit.engine.containers import archive

        found = find(self.core, reference)
        namespace = self.namespace_of(found.id)
        if namespace is None:
            return ContainerView(found.id, archive.stopped_files(self.core, found))
        return ContainerView(found.id, namespace.files())

    # --- images

    def images(self, all: bool = False, filters: Filters | None = None) -> list[JsonObject]:
        return images.summaries(self.core, all, filters)

    def find_image(self, reference: str) -> Image:
        return ImageStore(self.core).find(reference)

    def inspect_image(self, reference: str) -> JsonObject:
        return images.inspect(self.core, reference)

    def history(self, reference: str) -> list[JsonObject]:
        return images.history(self.core, reference)

    def tag(self, source: str, target: str) -> None:
        images.tag(self.core, source, target)

    def remove_image(self, reference: str, force: bool = False, prune: bool = True) -> list[tuple[str, str]]:
        rules = manifestremoval.remove if self.core.keeps_manifests else removal.remove
        return rules(self.core, reference, force, prune)

    def prune_images(self, all: bool = False, filters: Filters | None = None) -> tuple[list[tuple[str, str]], int]:
        rules = manifestremoval.prune if self.core.keeps_manifests else removal.prune
        return rules(self.core, all, filters)

    def pull(self, reference: str, platform: str = "") -> Iterator[str]:
        """The lines of progress; the image is there after the last one."""
        from labkit.engine.images import images

        return images.pull(self.core, reference, platform)

    def save(self, references: Sequence[str]) -> Content:
        from labkit.engine.images import tarballs

        return tarballs.save(self.core, references)

    def load(self, archive_: Content, quiet: bool = False) -> list[str]:
        from labkit.engine.images import tarballs

        return tarballs.load(self.core, archive_)

    def import_image(
        self, archive_: Content, reference: str = "", changes: Sequence[str] = (), message: str = "", source: str = "-"
    ) -> str:
        from labkit.engine.images import tarballs

        return tarballs.import_(self.core, archive_, reference, changes, message, source)

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

        return commits.commit(self.core, container, reference, author, message, changes)

    # --- containers

    def containers(
        self, all: bool = False, filters: Filters | None = None, size: bool = False, limit: int = 0
    ) -> list[JsonObject]:
        return inspection.rows(self.core, all, filters, size, limit)

    def find_container(self, reference: str) -> Container:
        return find(self.core, reference)

    def inspect_container(self, reference: str, size: bool = False) -> JsonObject:
        return inspection.inspect(self.core, reference, size)

    def create_container(self, config: JsonObject, name: str = "") -> tuple[str, list[str]]:
        return creation.create(self.core, config, name)

    def start_container(self, reference: str, attach: Streams | None = None) -> int | None:
        """The exit status where it ran to its end, None where it runs on."""
        return lifecycle.start(self.core, reference, attach)

    def stop(self, reference: str, timeout: int | None = None, signal: str | None = None) -> None:
        lifecycle.stop(self.core, reference, timeout, signal)

    def kill(self, reference: str, signal: str | None = None) -> None:
        lifecycle.kill(self.core, reference, signal)

    def restart(self, reference: str, timeout: int | None = None, signal: str | None = None) -> None:
        lifecycle.restart(self.core, reference, timeout, signal)

    def pause(self, reference: str) -> None:
        lifecycle.pause(self.core, reference)

    def unpause(self, reference: str) -> None:
        lifecycle.unpause(self.core, reference)

    def wait(self, reference: str) -> int | None:
        """The exit status, after the clock has gone on to the process' end; None where it never ends."""
        return lifecycle.wait(self.core, reference)

    def top(self, reference: str, options: Sequence[str] = ()) -> JsonObject:
        from labkit.engine.containers import toplist

        return toplist.top(self.core, reference, options)

    def update_container(self, reference: str, changes: JsonObject) -> None:
        from labkit.engine.containers import updates

        updates.update(self.core, reference, changes)

    def rename(self, reference: str, name: str) -> None:
        lifecycle.rename(self.core, reference, name)

    def remove_container(self, reference: str, volumes: bool = False, force: bool = False) -> None:
        lifecycle.remove(self.core, reference, volumes, force)

    def prune_containers(self, filters: Filters | None = None) -> tuple[list[str], int]:
        return lifecycle.prune(self.core, filters)

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
        from labkit.engine.containers import processes

        return processes.exec_run(self.core, reference, argv, env, workdir, user, tty, streams, detach, privileged)

    def logs(self, reference: str) -> list[tuple[str, int, bytes]]:
        """Stream, time (ns) and bytes of each line."""
        return processes.read_logs(self.core, find(self.core, reference))

    def diff(self, reference: str) -> list[tuple[str, str]]:
        found = find(self.core, reference)
        return self.core.driver.changes(self.core.tables.mounts[found.id].mount_id)

    def export(self, reference: str) -> Content:
        from labkit.engine.containers import archive

        return archive.export(self.core, reference)

    def archive_get(self, reference: str, path: str) -> tuple[Stat, Content]:
        from labkit.engine.containers import archive

        return archive.get(self.core, reference, path)

    def archive_stat(self, reference: str, path: str) -> Stat:
        from labkit.engine.containers import archive

        return archive.stat_path(self.core, reference, path)

    def archive_link(self, reference: str, path: str) -> str:
        from labkit.engine.containers import archive

        return archive.link_target(self.core, reference, path)

    def archive_put(self, reference: str, path: str, tar: Content, copy_uid_gid: bool = False) -> None:
        from labkit.engine.containers import archive

        archive.put(self.core, reference, path, tar, copy_uid_gid)

    # --- volumes

    def create_volume(
        self,
        name: str = "",
        driver: str = "",
        opts: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Volume:
        return volumes.create(self.core, volumes.Request(name, driver, opts or {}, labels or {}))

    def volumes(self, filters: Filters | None = None) -> list[JsonObject]:
        return volumes.rows(self.core, filters)

    def inspect_volume(self, name: str) -> JsonObject:
        return volumes.inspect(self.core, name)

    def remove_volume(self, name: str, force: bool = False) -> None:
        volumes.remove(self.core, name, force)

    def prune_volumes(self, all: bool = False, filters: Filters | None = None) -> tuple[list[str], int]:
        return volumes.prune(self.core, all, filters)

    # --- networks

    def create_network(self, name: str, asked: JsonObject) -> str:
        return networks.create(self.core, name, asked)

    def networks(self, filters: Filters | None = None) -> list[JsonObject]:
        return networks.rows(self.core, filters)

    def inspect_network(self, name: str) -> JsonObject:
        return networks.document(self.core, networks.look_up(self.core, name))

    def remove_network(self, name: str) -> None:
        networks.remove(self.core, name)

    def connect_network(self, name: str, container: str, endpoint: JsonObject) -> None:
        networks.connect(self.core, name, container, endpoint)

    def disconnect_network(self, name: str, container: str) -> None:
        networks.disconnect(self.core, name, container)

    def prune_networks(self, filters: Filters | None = None) -> list[str]:
        return networks.prune(self.core, filters)

    # --- the whole

    def happenings(self, since: str = "", until: str = "", filters: Filters | None = None) -> list[JsonObject]:
        """GET /events."""
        from labkit.engine.daemon.happenings import happenings

        return happenings(self.core, since, until, filters)

    def disk_usage(self) -> JsonObject:
        from labkit.engine.daemon import daemoninfo

        return daemoninfo.disk_usage(self.core, self.build_cache.usage())

    def prune_build_cache(
        self, all: bool = False, keep: int = 0, filters: Filters | None = None
    ) -> tuple[list[JsonObject], int]:
        return self.build_cache.prune(all, keep, filters)

    def info(self) -> JsonObject:
        from labkit.engine.daemon import daemoninfo

        return daemoninfo.info(self.core)

    def version(self) -> JsonObject:
        from labkit.engine.daemon import daemoninfo

        return daemoninfo.version(self.core)

    def build(self, request: BuildRequest, progress: Output) -> str:
        """The image's id. The work is in engine/build/."""
        from labkit.engine.build.solve import build

        return build(self.core, request, progress.write)
