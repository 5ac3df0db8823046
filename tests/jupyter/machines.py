"""Machines for the pictures: small, and known by heart."""

from __future__ import annotations

from labkit import Machine

BASE_STEPS, APP_STEPS = 1, 4  # busybox, and an image built on it
SMALL = r"""docker pull -q busybox
mkdir app src && echo one > app/app.py
printf 'FROM busybox\nRUN echo much > /more\nCOPY app.py /opt/app.py\nENTRYPOINT ["sleep", "1000"]\n' > app/Dockerfile
docker build -q -t app:1 app
docker run -d --name web -v data:/data -v ./src:/src:ro app:1
docker exec web touch /tmp/x"""


def machine_after(*lines: str) -> Machine:
    machine = Machine()
    for line in lines:
        done = machine.run(line)
        assert done.returncode == 0, done.stderr
    return machine


def small_machine(*more: str) -> Machine:
    """busybox, an app on it, a container with a changed file, a volume and a host's folder."""
    return machine_after(SMALL, *more)
