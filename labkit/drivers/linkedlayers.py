"""The folders of the drivers that keep many lowers under short names: a layer is a folder, never a copy.

Facts: moby, daemon/graphdriver/overlay2/overlay.go. Under ID/: diff (the files), link (a short name; l/ leads from it
to diff, since a page of mount options must hold 128 of them), lower (the short names below, the topmost first), work,
committed (in a layer that others stand on), merged (while it is mounted).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from labkit.drivers.base import NO_OPTIONS
from labkit.drivers.unionmounts import Row, UnionMounts
from labkit.files import Files, Inode

_LINK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LINK_LENGTH = 26


class LinkedLayers(UnionMounts):
    files_folder = "diff"
    by_container = False

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None:
        super().__init__(host, f"{docker_root}/{self.name}")
        self.folders.make(self.folders.top(), "l", 0o710)
        self.store.generators[f"{self.name}-lower"] = lambda args: self._lower_file(*args)

    def _lower_file(self, id: str) -> bytes:
        return ":".join(f"l/{row.name}" for row in self.below(self.rows[id].parent)).encode()

    def _links(self) -> Inode:
        """The folder of short names. Raises OSError where somebody took it away."""
        return self.host.inode(f"{self.folders.path}/l")

    def lay_out(self, id: str, parent: str | None) -> Row:
        folders, top = self.folders, self.folders.top()
        folder = folders.make(top, id, 0o710)
        upper = folders.make(folder, "diff", 0o755)
        link = _short_name(id)
        folders.file(folder, "link", link)
        folders.link(self._links(), link, f"../{id}/diff")
        if parent is not None:
            folders.make(folder, "work", 0o700)
            folders.generated(folder, "lower", f"{self.name}-lower", id)
            if not self.rows[parent].has_children:
                folders.file(self.rows[parent].folder, "committed", "", 0o600)
        return Row(parent, link, folder, upper)

    def clear_away(self, id: str, row: Row) -> None:
        top = self.folders.top()
        self.store.take(self._links(), row.name)
        self.store.drop(self.store.take(top, id))

    def layer_path(self, id: str) -> str:
        return f"{self.root}/{id}/diff"

    def merged_at(self, id: str) -> str:
        return f"{self.root}/{id}/merged"

    def before_mount(self, id: str, row: Row) -> None:
        self.folders.make(row.folder, "merged", 0o700)

    def after_unmount(self, id: str, row: Row) -> None:
        self.store.take(row.folder, "merged")

    def mount_options(self, id: str) -> tuple[str, ...]:
        below = ":".join(f"{self.root}/l/{row.name}" for row in self.below(self.rows[id].parent))
        here = f"{self.root}/{id}"
        return ("rw", "relatime", f"lowerdir={below}", f"upperdir={here}/diff", f"workdir={here}/work")

    def data(self, id: str) -> dict[str, str]:
        here = f"{self.root}/{id}"
        data = {"MergedDir": f"{here}/merged", "UpperDir": f"{here}/diff", "WorkDir": f"{here}/work"}
        lower = self._lower_folders(id)
        return {"LowerDir": ":".join(lower), **data} if lower else data

    def _lower_folders(self, id: str) -> list[str]:
        folders, parent = [], self.rows[id].parent
        while parent is not None:
            folders.append(f"{self.root}/{parent}/diff")
            parent = self.rows[parent].parent
        return folders


def _short_name(id: str) -> str:
    """26 letters and digits, from the id."""
    number = int.from_bytes(sha256(f"link {id}".encode()).digest(), "big")
    return "".join(_LINK_LETTERS[number >> 5 * place & 31] for place in range(_LINK_LENGTH))
