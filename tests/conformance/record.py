#!/usr/bin/env python3
"""Record transcripts of scenarios on a real Docker Engine (needs root, a running daemon and PyYAML).

    record.py --engine NAME --out DIR scenarios/*.yaml

Each scenario runs in a fresh /home/learner with no container, no volume and no image but the base one.
A step is a line for `sh -c`, run in /home/learner.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import yaml

from labkit.conformance.normalise import Normaliser

HOME = Path("/home/learner")
SCRATCH = [HOME, Path("/data"), Path("/srv/shared")]  # the host folders that scenarios may write in
BASE = "busybox:latest"


def sh(command: str, *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k in ("PATH", "DOCKER_HOST", "DOCKER_CONFIG")}
    env |= {"HOME": str(HOME), "LC_ALL": "C.UTF-8", "TZ": "UTC", "COLUMNS": "200", "BUILDKIT_PROGRESS": "plain"}
    return subprocess.run(["sh", "-c", command], cwd=HOME, env=env, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)


def reset(base_tar: Path) -> None:
    for folder in SCRATCH:
        shutil.rmtree(folder, ignore_errors=True)
    HOME.mkdir(parents=True)
    sh("docker ps -aq | xargs -r docker rm -fv")
    sh("docker volume ls -q | xargs -r docker volume rm -f")
    for _ in range(3):  # an image goes only after those committed from it
        sh("docker image ls -aq | sort -u | xargs -r docker image rm -f")
    sh("docker builder prune -af")
    done = sh(f"docker import -c 'CMD [\"sh\"]' {base_tar} {BASE}")
    assert done.returncode == 0, done.stderr


def record(scenario: dict, engine: str, base_tar: Path) -> dict:
    reset(base_tar)
    for name, text in scenario.get("files", {}).items():
        path = HOME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    normaliser = Normaliser()
    steps = []
    for command in scenario["steps"]:
        done = sh(command)
        steps.append({
            "run": command,
            "exit": done.returncode,
            "stdout": normaliser.lines(done.stdout),
            "stderr": normaliser.lines(done.stderr),
        })
    return {
        "name": scenario["name"],
        "topic": scenario["topic"],
        "shows": scenario["shows"],
        "engine": engine,
        "files": scenario.get("files", {}),
        "steps": steps,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", required=True, help="what the transcripts call this engine")
    parser.add_argument("--base", type=Path, required=True, help="the base image's root as a tar file")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("scenarios", type=Path, nargs="+")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    lock = open("/tmp/docker-record.lock", "w")  # one recording at a time: each empties the engine
    fcntl.flock(lock, fcntl.LOCK_EX)
    for path in args.scenarios:
        for scenario in yaml.safe_load(path.read_text()):
            if args.engine not in scenario.get("engines", [args.engine]):
                continue
            transcript = record(scenario, args.engine, args.base)
            target = args.out / f"{scenario['name']}.json"
            target.write_text(json.dumps(transcript, indent=1, ensure_ascii=False) + "\n")
            print(target.name, [step["exit"] for step in transcript["steps"]], flush=True)


if __name__ == "__main__":
    main()
