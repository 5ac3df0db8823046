"""labkit where things are otherwise than on the developers' computers: other line ends, calls that are missing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from labkit import Machine
from labkit.files import Content

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
TEXTS = {".py", ".txt", ".toml", ".json", ".js", ".css"}
WITHOUT = """
import os, signal, sys
sys.modules["fcntl"] = None
for module, names in ((os, ("link", "geteuid", "getuid", "fork", "mkfifo")), (signal, ("setitimer", "SIGALRM", "alarm"))):
    for name in names:
        delattr(module, name)
"""


def run(code: str, home: Path, *, package: Path = ROOT) -> str:
    env = {**os.environ, "PYTHONPATH": str(package), "LABKIT_HOME": str(home), "LABKIT_LEARNER": "ann"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=home)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """labkit as a Windows checkout has it: each line of each text ends with CR LF."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "labkit", folder / "labkit", ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / "labkit").rglob("*"):
        if path.suffix in TEXTS:
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    return folder


MACHINE = """
from labkit import Machine
machine = Machine()
for line in ("docker run --help", "docker run --rm nginx sh -c 'cat /etc/os-release; ls -l /etc'", "docker image ls",
             "printf 'FROM debian\\nRUN echo hi >/a\\n' >Dockerfile; docker build -q .", "docker history debian"):
    done = machine.run(line)
    print(done.returncode, done.stdout, done.stderr)
"""
COURSE = """
from labkit.course.exercises import load_all
for each in load_all():
    print(each)
"""


@pytest.mark.parametrize("code", [MACHINE, COURSE], ids=["machine", "course"])
def test_line_ends_of_a_checkout_change_nothing(code: str, checkout: Path, tmp_path: Path) -> None:
    assert run(code, tmp_path, package=checkout) == run(code, tmp_path)


def test_progress_is_saved_and_answers_are_graded_without_posix_calls(tmp_path: Path) -> None:
    code = """
from labkit.course import Attempt, load_exercise
from labkit.course.progress import open_progress
from labkit.cli import main
attempt = Attempt(load_exercise("your-first-container"), "ann", "")
attempt.run("docker run busybox echo hi")
for _ in range(2):
    open_progress().record(attempt, attempt.check())
main(["submit"])
main(["grade", ".", "--out", "report", "--executor", "here"])
"""
    run(WITHOUT + code, tmp_path)
    progress = json.loads((tmp_path / "progress.json").read_text(encoding="utf-8"))
    assert progress["answers"]["ann"]["your-first-container@2"]["tries"] == 2
    assert "ann" in (tmp_path / "report" / "grades.csv").read_text(encoding="utf-8")


def test_the_command_runs_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "labkit", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stdout.startswith("labkit "), done.stderr


def test_where_len_ends_at_two_gibibytes_large_files_are_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python of 32 bits, as WebAssembly's is, has no length over 2³¹-1."""

    def short(content: Content) -> int:
        if content.size >= 1 << 31:
            raise OverflowError("cannot fit 'int' into an index-sized integer")
        return content.size

    monkeypatch.setattr(Content, "__len__", short)
    for driver in ("overlay2", "devicemapper", "zfs", "vfs"):
        machine = Machine(storage_driver=driver)
        for line in (
            "truncate -s 5G big; fallocate -l 3G real; ls -l big real; du -h real; stat -c %s big; head -c 5 big | wc -c",
            "cp real copy; cmp real copy; dd if=/dev/zero of=disk bs=1M count=3000 2>/dev/null; cat big disk | wc -c; tail -c 4 real | od -c",
            "docker run -d --name cc debian sh -c 'truncate -s 4G /f; cp /f /g; echo end >>/g; sleep 100'",
            "docker exec cc sh -c 'ls -l /f /g; du /g; tar cf /t /f; ls -l /t'; docker diff cc; docker ps -s; docker system df",
            "docker cp cc:/g out; ls -l out; docker commit cc big; docker history big; docker save -o saved big; ls -l saved",
        ):
            done = machine.run(line)
            assert "fault" not in done.stderr, done.stderr
            assert done.returncode == 0 or driver == "devicemapper", (line, done.stderr)


def test_errors_are_known_by_their_names() -> None:
    """Their numbers are the system's: ENOENT is 2 on Linux and 44 in WebAssembly."""
    number = re.compile(r"(?:failure|\w*Error)\(\d+, |\berrno(?: or 0)? (?:==|!=|in) \(?\d|_EXEC_ERRORS = \{\s*\d")
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "labkit").rglob("*.py")}
    assert [f"{path}: {found[0]}" for path, text in texts.items() if (found := number.search(text))] == []
