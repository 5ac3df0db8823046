"""RUN --mount: what is mounted for one process, and left out of the layer."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.files import tmpfs

from .cache import MOUNT, BuildCache, CacheRecord, key_of
from .graph import CopySource, RunVertex, VertexMount
from .request import BuildRequest
from .running import Attached, RunError
from .trees import SourceTree
from .views import Views

if TYPE_CHECKING:
    from labkit.engine.api import Engine


@dataclass
class RunMounts:
    engine: Engine
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
        source = tmpfs(self.engine.host.store, each.mount.size or None)
        return Attached(each.mount.target, source, readonly=False)

    def _cache(self, each: VertexMount) -> Attached:
        """A folder that later builds find again, under its id or its target."""
        mount = each.mount
        key = key_of(MOUNT, mount.id or mount.target)
        record = self.cache.find(key)
        if record:
            record = self.cache.use(record)
            return Attached(mount.target, self.views.mount(record.scratch), bool(mount.readonly))
        record_id = self.engine.ids.key("build")
        self.engine.driver.create(record_id)
        source = self.views.mount(record_id)
        files = self.views.of(source)
        files.chmod("/", mount.mode if mount.mode is not None else 0o755)
        files.chown("/", mount.uid or 0, mount.gid or 0)
        description = f"cached mount {mount.target} from exec"
        self.cache.add(CacheRecord(record_id, key, MOUNT, description=description, scratch=record_id))
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
