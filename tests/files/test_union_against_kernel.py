"""Random operations leave the same trees, upper folder included, as on a kernel's own overlayfs."""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.drivers.fulltrees import put_layer
from tests.drivers.stacked import LAYERS, seen_in, stacked
from tests.files.machines import empty_host, layer, tree
from tests.files.operations import play_real, play_simulated, real_tree, sequence

pytestmark = pytest.mark.long

MOUNT_FLAGS = 0
SEQUENCES = int(os.environ.get("LABKIT_SEQUENCES", "200"))
SEED = int(os.environ.get("LABKIT_SEED", "20261124"))


class KernelOverlay:
    """A real union mount in a temporary folder that supports one as upper (tmpfs)."""

    def __init__(self) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.top = tempfile.mkdtemp(prefix="labkit-overlay-")
        self._mount("tmpfs", self.top, "tmpfs", "")

    def _mount(self, source: str, target: str, kind: str, options: str) -> None:
        if self.libc.mount(source.encode(), target.encode(), kind.encode(), MOUNT_FLAGS, options.encode()):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), target)

    def start(self) -> str:
        lowers = []
        for number, files in enumerate(LAYERS):
            lower = f"{self.top}/lower{number}"
            self._lay(lower, files)
            lowers.insert(0, lower)
        for name in ("upper", "work", "merged"):
            os.mkdir(f"{self.top}/{name}")
        options = f"lowerdir={':'.join(lowers)},upperdir={self.top}/upper,workdir={self.top}/work,"
        options += "redirect_dir=off,metacopy=off,index=off"
        self._mount("overlay", f"{self.top}/merged", "overlay", options)
        return f"{self.top}/merged"

    def _lay(self, root: str, files: dict[str, str | None]) -> None:
        os.mkdir(root)
        for name, text in files.items():
            path = Path(root, name.lstrip("-"))
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.startswith("-"):
                os.mknod(path, stat.S_IFCHR, 0)
            elif text is None:
                path.mkdir()
            else:
                path.write_text(text)

    def stop(self) -> None:
        self.libc.umount2(f"{self.top}/merged".encode(), 2)
        for name in os.listdir(self.top):
            shutil.rmtree(f"{self.top}/{name}")

    def close(self) -> None:
        self.libc.umount2(f"{self.top}/merged".encode(), 2)
        self.libc.umount2(self.top.encode(), 2)
        os.rmdir(self.top)


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelOverlay]:
    old = os.umask(0o022)
    try:
        overlay = KernelOverlay()
        overlay.start()
        overlay.stop()
    except OSError as error:
        pytest.skip(f"LEFT OUT: no overlayfs of a kernel to compare with ({error})")
    yield overlay
    overlay.close()
    os.umask(old)


def test_random_sequences_leave_the_same_trees(kernel: KernelOverlay) -> None:
    for number in range(SEQUENCES):
        chance = random.Random(SEED + number)
        merged = kernel.start()
        try:
            _play_one(kernel, merged, chance, f"seed {SEED + number}")
        finally:
            kernel.stop()


def _play_one(kernel: KernelOverlay, merged: str, chance: random.Random, seed: str) -> None:
    host, driver = stacked("overlay2")
    simulated = seen_in(host, driver, "top")
    played = []
    for step in sequence(chance, 40):
        played.append(step)
        real, ours = play_real(merged, step), play_simulated(simulated, step)
        assert ours == real, f"{seed}: {played}"
    assert tree(simulated) == real_tree(merged), f"{seed}: {played}"
    upper = {
        path[len("/docker/overlay2/top/diff") :]: seen for path, seen in tree(host, "/docker/overlay2/top/diff").items()
    }
    assert upper == real_tree(f"{kernel.top}/upper"), f"{seed}: {played}"


def test_unpacking_layers_one_on_the_other_gives_what_the_kernel_merges(kernel: KernelOverlay) -> None:
    merged = kernel.start()
    try:
        host = empty_host()
        for files in LAYERS:
            put_layer(host, layer(files))
        assert tree(host) == real_tree(merged)
    finally:
        kernel.stop()
