"""overlay2: every layer a folder of its own, put together by the kernel's overlayfs.

Facts: moby, daemon/graphdriver/overlay2/overlay.go; the folders are those of linkedlayers.py.
"""

from __future__ import annotations

from labkit.drivers.linkedlayers import LinkedLayers


class Overlay2(LinkedLayers):
    name = "overlay2"

    def status(self) -> list[tuple[str, str]]:
        return [
            ("Backing Filesystem", "extfs"),
            ("Supports d_type", "true"),
            ("Using metacopy", "false"),
            ("Native Overlay Diff", "true"),
            ("userxattr", "false"),
        ]
