"""overlay2: every layer a folder of its own, put together by the kernel's overlayfs.

Facts: moby, daemon/graphdriver/overlay2/overlay.go; the folders are those of linkedlayers.py.
"""

from __future__ import annotations

from labkit.drivers.base import Needs
from labkit.drivers.linkedlayers import LinkedLayers
from labkit.files import Layer


class Overlay2(LinkedLayers):
    name = "overlay2"
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
