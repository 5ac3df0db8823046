"""try_driver("btrfs"): the same small container on each storage driver, and where its files lie on the host's disk."""

from __future__ import annotations

import re

from labkit.jupyter.magics import LessonMachine

STEPS = (  # what a reader can type too
    r"printf 'FROM busybox\nRUN echo one > /srv-a && echo two > /srv-b\n' | docker build -q -t app -",
    "docker run -d --name web app sleep 1d",
    "docker exec web sh -c 'echo more >> /srv-a; rm /srv-b'",
    "find /var/lib/docker -name '*srv-[ab]' | sort | xargs stat -c '%F, %s bytes: %n'",
)
ID = re.compile(r"\b([0-9a-z]{6})[0-9a-z]{19,58}\b")  # of a layer, 25 or 64 characters


def try_driver(lesson: LessonMachine, driver: str) -> str:
    """What the last step prints on a fresh machine with this driver, ids and paths shortened. Raises ValueError."""
    lesson.fresh(storage_driver=driver)
    printed = [lesson.run(step).stdout for step in STEPS]
    return ID.sub(r"\1", printed[-1]).replace("/var/lib/docker/", "")
