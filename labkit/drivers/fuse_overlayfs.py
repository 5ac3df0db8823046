"""fuse-overlayfs: the folders of linkedlayers.py, put together by a program instead of the kernel.

Facts: moby, daemon/graphdriver/fuse-overlayfs/fuseoverlayfs.go (since Engine 20.10). It is for
rootless engines. Layers are unpacked with the image
specification's `.wh.` marks, which the program understands beside the kernel's. Any backing file system will do; the
program opens the files itself, so containers do not read one copy in memory.
"""

from __future__ import annotations

from labkit.drivers.base import Needs, StorageOpts
from labkit.drivers.unionmounts import LinkedLayers, MarkedLayers


class FuseOverlayfs(MarkedLayers, LinkedLayers):
    name = device_name = "fuse-overlayfs"
    storage_opts = StorageOpts(refused="--storage-opt is not supported")
    fstype = "fuse.fuse-overlayfs"
    shares_page_cache = False
    needs = Needs(kernel=(4, 18), since=(20, 10), installed=False)

    def mount_options(self, id: str) -> tuple[str, ...]:
        return ("rw", "nodev", "relatime", "user_id=0", "group_id=0", "default_permissions", "allow_other")

    def status(self) -> list[tuple[str, str]]:
        return []
