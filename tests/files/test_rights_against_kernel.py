"""Random operations by several users end, call by call, as on a kernel's file system."""

from __future__ import annotations

import os
import random
import tempfile

import pytest

from labkit.files import Files, User
from tests.files.machines import empty_host, tree
from tests.files.operations import Step, play_real, play_simulated, real_tree, sequence

SEQUENCES = int(os.environ.get("LABKIT_SEQUENCES", "200"))
SEED = int(os.environ.get("LABKIT_SEED", "20261124"))
USERS = (User(0, 0), User(1000, 1000), User(2000, 1000), User(3, 3))
MODES = (0o777, 0o1777, 0o755, 0o711, 0o644, 0o600, 0o070, 0o2775)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="LEFT OUT: rights are compared with a kernel's as root only")


def start(files: Files | str) -> None:
    """Folders that several users can write in, in a simulated root or below a real one."""
    for path, mode, uid in (("/a", 0o777, 0), ("/b", 0o1777, 0), ("/c", 0o755, 1000), ("/d", 0o2777, 2000)):
        if isinstance(files, Files):
            files.mkdir(path)
            files.chown(path, uid, uid)
            files.chmod(path, mode)
        else:
            os.mkdir(files + path)
            os.chown(files + path, uid, uid)
            os.chmod(files + path, mode)


def as_user(user: User, root: str, step: Step) -> object:
    os.setgroups([])
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        return play_real(root, step)
    finally:
        os.seteuid(0)
        os.setegid(0)


def with_modes(chance: random.Random, steps: list[Step]) -> list[Step]:
    return [(*step[:2], chance.choice(MODES)) if step[0] == "chmod" else step for step in steps]


def test_random_sequences_by_several_users() -> None:
    with open("/proc/sys/fs/protected_hardlinks") as file:
        hard_links_protected = file.read().strip() == "1"
    groups = os.getgroups()
    old = os.umask(0o022)
    try:
        for number in range(SEQUENCES):
            _play_one(SEED + number, hard_links_protected)
    finally:
        os.umask(old)
        os.setgroups(groups)


def _play_one(seed: int, hard_links_protected: bool) -> None:
    chance = random.Random(seed)
    host = empty_host()
    host.store.generators = {}
    start(host)
    with tempfile.TemporaryDirectory(prefix="labkit-rights-") as root:
        os.chmod(root, 0o755)
        start(root)
        played = []
        for step in with_modes(chance, sequence(chance, 60)):
            user = chance.choice(USERS)
            if step[0] == "link" and user.uid and hard_links_protected:
                continue  # a kernel setting that forbids more than POSIX does
            played.append((user, step))
            real, ours = as_user(user, root, step), play_simulated(host.as_user(user), step)
            assert ours == real, f"seed {seed}: {played[-1]} {len(played)}"
        assert tree(host) == real_tree(root), f"seed {seed}: {played[-1]} {len(played)}"
