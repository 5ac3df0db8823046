"""How fast labkit is beside an earlier revision of itself, both in one run: `make beside REV=04bb2af`.

The two take turns, each in processes of its own; a row has the best time of each, in microseconds, and their ratio.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from timing import best

ROOT = Path(__file__).parents[2]
TURNS = 5


def measured() -> dict[str, float]:
    """Seconds of each workload, with the labkit that is imported here."""
    from labkit import Machine
    from labkit.conformance.replay import Player, find, nearest_base, read_transcript

    machine = Machine()
    machine.run("docker pull busybox; docker run -d --name web busybox sleep 100000; docker exec web touch /a")
    machine.files.write("/home/learner/Dockerfile", "FROM busybox\n" + "RUN true\n" * 20)
    machine.run("docker build .")
    transcripts = list(find([str(ROOT / "tests/conformance/transcripts")]))[::12]
    base, player = nearest_base(transcripts[0]), Player()
    lines = {
        "create": "docker create busybox",
        "run -d": "docker run -d busybox sleep 100000",
        "exec": "docker exec web true",
        "diff": "docker diff web",
        "a cached build of 20 steps": "docker build .",
        "a loop of 1,000 turns": "i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done",
        "cat of 300 files": "for i in $(seq 300); do cat /etc/hostname; done",
    }
    rows = {"a machine": best(Machine, 10)}
    rows |= {name: best(lambda line=line: machine.run(line), 20) for name, line in lines.items()}  # type: ignore[misc]
    read = [read_transcript(path) for path in transcripts]
    rows[f"{len(read)} transcripts"] = best(lambda: [player.play(each, base) for each in read], 2)
    return rows


def of(tree: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__], env={**os.environ, "PYTHONPATH": str(tree)}, stdout=subprocess.PIPE, check=True
    )
    rows: dict[str, float] = json.loads(done.stdout)
    return rows


def main(revision: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", revision, "labkit"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
        turns = [(of(Path(folder)), of(ROOT)) for _ in range(TURNS)]
    for name in turns[0][0]:
        before, now = (min(turn[side][name] for turn in turns) for side in (0, 1))
        print(f"{name:28}{before * 1e6:10.0f} µs {now * 1e6:10.0f} µs   {now / before:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        print(json.dumps(measured()))
