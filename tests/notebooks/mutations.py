"""One small fault of the machine for each claim about its behaviour: a rule of the engine that does not hold.

`@breaks("B2", "module:place")` puts a fault in place of what is at that place: a function or property gets the original
first and then what it was called with; a constant is computed from the original. The docstring says the broken rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from labkit.engine.core.core import find
from labkit.engine.daemon import hostfolders
from labkit.engine.images.imagestore import LayerStore
from labkit.engine.mounts import volumes
from labkit.files.contents import Content


@dataclass(frozen=True)
class Mutation:
    claim: str
    target: str  # module:attribute, module:Class.attribute, or module:TABLE[key]
    fault: Callable[..., Any]

    @property
    def rule(self) -> str:
        return (self.fault.__doc__ or "").strip()


MUTATIONS: list[Mutation] = []


def breaks(claims: str, target: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def enter(fault: Callable[..., Any]) -> Callable[..., Any]:
        MUTATIONS.extend(Mutation(claim, target, fault) for claim in claims.split())
        return fault

    return enter


# 01 Where Docker keeps its files


@breaks("A1", "labkit.engine.daemon.hostfolders:install")
def everyone_may_look(install: Any, engine: Any) -> None:
    """Docker's folder is open to every user."""
    install(engine)
    engine.host.chmod(hostfolders.ROOT, 0o755)


@breaks("A2", "labkit.drivers.overlayfs:Overlayfs.merged_at")
def containerd_mounts_elsewhere(merged_at: Any, self: Any, id: str) -> str:
    """With containerd's store, containers are mounted where they are with overlay2."""
    return merged_at(self, id).replace("rootfs/overlayfs", "overlay2")


@breaks("A3", "labkit.catalog.programs.namespaces:_find")
def nobody_gets_in(find: Any, process: Any, engine: Any, target: str) -> Any:
    """nsenter -m stays in the container's own mount namespace."""
    return replace(find(process, engine, target), files=process.files)


@breaks("A4", "labkit.engine.core.records:Container.host")
def rm_is_ignored(host: Any, self: Any, key: str, default: Any = None) -> Any:
    """--rm removes nothing."""
    return default if key == "AutoRemove" else host(self, key, default)


@breaks("A5", "labkit.catalog.programs.namespaces:_changes")
def mounts_come_along(changes: Any, process: Any, found: Any, wanted: set[str]) -> Any:
    """Whoever enters a namespace enters the mount namespace too."""
    return changes(process, found, wanted | {"mnt"})


@breaks("A6", "labkit.engine.daemon.hostfolders:_FOLDERS")
def no_plugins(folders: Any) -> Any:
    """There is no folder for plugins."""
    return tuple(row for row in folders if row[0] != "plugins")


@breaks("A7", "labkit.engine.containers.processes:Log.flush")
def nothing_is_logged(flush: Any, self: Any, engine: Any, container: Any) -> None:
    """What a container prints is kept nowhere."""
    self._lines = []


@breaks("A8", "labkit.engine.daemon.hostfolders:_TEXTS[image]")
def another_description(text: Any, *args: Any) -> bytes:
    """The file that describes an image is not the one that its id is the digest of."""
    return text(*args) + b"\n"


@breaks("A9 D2", "labkit.engine.core.records:Volume.mountpoint")
def without_data(mountpoint: Any, self: Any) -> str:
    """The files of a volume lie in its folder itself."""
    return self.folder


# 02 Layered images


@breaks("B1", "labkit.engine.build.plan:_HANDLERS[WorkdirInstruction]")
def workdir_is_a_setting(workdir: Any, planning: Any, state: Any, *args: Any) -> None:
    """WORKDIR adds no layer."""
    below = state.top
    workdir(planning, state, *args)
    state.top = below
    state.history[-1]["empty_layer"] = True


@breaks("B2 C6", "labkit.files.union:Overlay.copy_up")
def copied_without_bytes(copy_up: Any, self: Any, node: Any, *, keep: bool = True) -> Any:
    """A file whose mode changes is copied up without its contents."""
    return copy_up(self, node, keep=False)


@breaks("B6", "labkit.engine.build.plan:_HANDLERS[CopyInstruction]")
def copy_does_nothing(copy: Any, planning: Any, state: Any, *args: Any) -> None:
    """COPY makes no layer, and copies nothing."""


@breaks("B7 C7", "labkit.files.union:Overlay.copy_up")
def written_in_place(copy_up: Any, self: Any, node: Any, *, keep: bool = True) -> Any:
    """A file of the image that a container opens for writing is changed in the image."""
    if node.upper is None and not self.store.get(node.lower.inode).is_dir:
        node.upper = node.lower.inode
        if not keep:
            self.store.change(node.upper).data = Content()
    return copy_up(self, node, keep=keep)


# 03 The build cache


@breaks("B3", "labkit.engine.build.context:_header")
def modes_do_not_count(header: Any, tree: Any, path: str, about: Any) -> str:
    """A COPY of a file with other permissions is taken from the cache."""
    return header(tree, path, about).partition(" ")[2]


@breaks("B4", "labkit.engine.build.cache:BuildCache.find")
def nothing_is_found(find: Any, self: Any, key: str) -> None:
    """No step is taken from the cache."""


@breaks("B5", "labkit.engine.build.graph:digest_of")
def contents_do_not_count(digest_of: Any, files: Any) -> str:
    """Changed contents of a file leave a COPY in the cache."""
    return "0" * 64


# 04 The writable layer


@breaks("C1", "labkit.engine.images.imagestore:LayerStore.create_writable")
def on_nothing(create_writable: Any, self: Any, container: str, parent: str | None) -> Any:
    """A container's layer stands on no image."""
    return create_writable(self, container, None)


@breaks("C2", "labkit.engine.containers.processes:Log.add")
def printed_into_the_air(add: Any, self: Any, stream: str, data: bytes) -> None:
    """What a container prints is not logged."""


@breaks("C3", "labkit.engine.containers.processes:end")
def stop_throws_away(end: Any, core: Any, identifier: str, *args: Any) -> None:
    """A container that ends goes back to its image."""
    end(core, identifier, *args)
    if identifier in core.tables.mounts:
        parent = core.tables.mounts[identifier].parent
        LayerStore(core).remove_writable(identifier)
        LayerStore(core).create_writable(identifier, parent)


@breaks("C4", "labkit.engine.images.imagestore:LayerStore.create_writable")
def image_copied(create_writable: Any, self: Any, container: str, parent: str | None) -> Any:
    """Each container has a copy of its image's uppermost layer."""
    made = create_writable(self, container, parent)
    self._core.driver.apply(made.init_id, self.get(parent).layer)
    return made


@breaks("C8", "labkit.engine.images.imagestore:LayerStore.remove_writable")
def layer_is_left(remove_writable: Any, self: Any, container: str) -> None:
    """docker rm leaves the container's layer on the disk."""
    mount = self._core.tables.mounts[container]
    self._core.tables.mounts.delete(container)
    self.release(mount.parent)


# 05 Copy-on-write


@breaks("C5", "labkit.files.union:Overlay.copy_up")
def made_in_the_image(copy_up: Any, self: Any, node: Any, *, keep: bool = True) -> Any:
    """A new file lies in the folder of the image."""
    if node.upper is None and self.store.get(node.lower.inode).is_dir:
        node.upper = node.lower.inode
    return copy_up(self, node, keep=keep)


# 06 Volumes


@breaks("D1", "labkit.engine.containers.lifecycle:remove")
def volumes_go_along(remove: Any, core: Any, reference: str, *args: Any, **options: Any) -> None:
    """docker rm removes a container's volumes, named ones too."""
    points = [point for point in find(core, reference).mounts if point.type == "volume"]
    remove(core, reference, *args, **options)
    for point in points:
        with suppress(Exception):
            volumes.remove(core, point.name)


@breaks("D3", "labkit.engine.mounts.mounts:_populate")
def never_filled(populate: Any, *args: Any) -> None:
    """An empty volume stays empty, whatever the image has there."""


@breaks("D4", "labkit.engine.containers.creation:_remove_volumes")
def anonymous_ones_stay(remove_volumes: Any, core: Any, container: Any) -> None:
    """docker rm -v and --rm leave anonymous volumes."""


@breaks("D5", "labkit.engine.mounts.mounts:_with_volume")
def unknown_names_are_nameless(with_volume: Any, core: Any, point: Any) -> Any:
    """A name that is no volume yet gives an anonymous one."""
    known = point.name in core.tables.volumes
    return with_volume(core, point if known else replace(point, name=""))


@breaks("D6", "labkit.engine.core.records:Volume.folder")
def another_place(folder: Any, self: Any) -> str:
    """Volumes lie beside the folder `volumes`."""
    return f"/var/lib/docker/{self.name}"


# 07 Bind mounts


@breaks("E1", "labkit.engine.mounts.mounts:_make_source")
def not_made(make_source: Any, core: Any, container: Any, path: str) -> None:
    """-v does not make a folder of the host that is missing."""


@breaks("E2", "labkit.engine.mounts.mounts:points")
def only_two_types(points: Any, core: Any, container: Any) -> Any:
    """A tmpfs mount is no mount of the container."""
    return tuple(point for point in points(core, container) if point.type != "tmpfs")


@breaks("E3", "labkit.engine.mounts.mountspec:parse_text")
def names_are_folders(parse_text: Any, text: str, *args: Any) -> Any:
    """For -v, a name is a folder of the host."""
    return parse_text(text if text.startswith("/") else f"/srv/{text}", *args)


# 08 -v versus --mount


@breaks("F1", "labkit.engine.mounts.mountspec:_CHECKS[bind]")
def source_may_be_missing(check: Any, spec: Mapping[str, Any], exists: Any) -> None:
    """--mount does not look whether the folder of the host is there."""
    check(spec, lambda path: True)


@breaks("F2", "labkit.engine.mounts.mountspec:_CHECKS[tmpfs]")
def tmpfs_takes_a_source(check: Any, spec: Mapping[str, Any], exists: Any) -> None:
    """A tmpfs mount may have a source."""


# 09 Storage drivers


@breaks("G1", "labkit.files.union:Overlay._hides")
def no_whiteouts(hides: Any, self: Any, folder: Any, name: str) -> bool:
    """What is deleted leaves no whiteout."""
    return False


@breaks("G2", "labkit.drivers.unionmounts:_short_name")
def names_from_the_id(short_name: Any, id: str) -> str:
    """On overlay2, a layer's short name is the beginning of its folder's."""
    return id[:26].upper()


@breaks("G3", "labkit.drivers.choice:order")
def other_order(order: Any, engine: str) -> tuple[str, ...]:
    """The daemon tries the drivers the other way round."""
    return order(engine)[::-1]


@breaks("G4", "labkit.files.union:Overlay.can_move_folder")
def folders_are_moved(can_move_folder: Any, self: Any, folder: Any) -> bool:
    """On an overlay, a folder of the image is renamed like any other."""
    return True
