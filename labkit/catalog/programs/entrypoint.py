"""docker-entrypoint.sh of node and redis: options belong to the image's own program, anything else is run as it is."""

from __future__ import annotations

from labkit.kernel.process import Process

_OWN = {"NODE_VERSION": "node", "REDIS_VERSION": "redis-server"}


def main(process: Process) -> int:
    words = process.argv[1:]
    own = next((program for variable, program in _OWN.items() if variable in process.env), "sh")
    if not words or words[0].startswith("-") or words[0].endswith((".js", ".conf")):
        words = [own, *words]
    return process.exec(words)
