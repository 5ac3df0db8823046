"""overlay2: every layer a folder of its own, put together by the kernel's overlayfs.

Facts: moby, daemon/graphdriver/overlay2/overlay.go; the folders are those of linkedlayers.py.
"""

from __future__ import annotations

from labkit.drivers.base import Needs, StorageOpts
from labkit.drivers.unionmounts import LinkedLayers
from labkit.files import Layer

_NO_QUOTA = "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"


class Overlay2(LinkedLayers):
    name = "overlay2"
    storage_opts = StorageOpts(size=_NO_QUOTA, no_size=_NO_QUOTA)
    needs = Needs(
        kernel=(4, 0),
        feature="many lowers",
        not_on=frozenset({"aufs", "ecryptfs", "overlay"}),
        not_on_untried=frozenset({"zfs"}),
        tries_since=(20, 10),
    )

    def diff(self, id: str) -> Layer:
        """The upper folder as it is: what was copied up without a change is in it too (Native Overlay Diff)."""
        return self.frozen(self.rows[id])

    def status(self) -> list[tuple[str, str]]:
        return [
            ("Backing Filesystem", self.backing),
            ("Supports d_type", "true"),
            ("Using metacopy", "false"),
            ("Native Overlay Diff", "true"),
            ("userxattr", "false"),
        ]
