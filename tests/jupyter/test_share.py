"""A machine as a text and as a script; the text is read as one that anybody may have written."""

from __future__ import annotations

import base64
import json
import random
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from labkit import Machine
from labkit.course.session import RecordedInput, Timeline
from labkit.jupyter.playground import (
    LARGEST,
    LONGEST,
    LONGEST_TEXT,
    MOST_INPUTS,
    ShareError,
    play_shared,
    read_shared,
    script,
    shared_text,
)

INPUTS = (
    RecordedInput("typed", "docker pull -q busybox"),
    RecordedInput("run", "docker run -d --name web -v data:/data busybox sleep 1000"),
    RecordedInput("file", "FROM busybox\nRUN echo é > /x\n", "app/Dockerfile"),
    RecordedInput("session", "cd app\npwd"),
    RecordedInput("typed", "docker exec -it web sh"),
    RecordedInput("typed", "touch '/<b>'"),
    RecordedInput("typed", "exit"),
)


def packed(data: Any, version: int = 1) -> str:
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return f"labkit:{version}:{base64.urlsafe_b64encode(zlib.compress(text)).decode()}"


def test_there_and_back() -> None:
    text = shared_text({"storage_driver": "vfs"}, INPUTS)
    found = read_shared(f"  {text[:30]}\n{text[30:]} \n")
    assert (dict(found.options), found.inputs) == ({"storage_driver": "vfs"}, INPUTS)
    timeline = play_shared(found)
    assert timeline.machine.driver.name == "vfs"
    assert ("A", "/<b>") in timeline.machine.engine.diff("web")
    assert shared_text(timeline.options, timeline.inputs) == text
    assert len(text) < 400


def test_nothing_at_all() -> None:
    assert play_shared(read_shared(shared_text({}, ()))).past == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "starts with labkit:1:"),
        ("labkit:1:ü", "starts with"),
        ("https://x.example/labkit:1:abc", "starts with"),
        ("labkit:1:" + "A" * (LONGEST_TEXT + 1), "starts with"),
        ("labkit:1:", "cut off"),
        ("labkit:1:AAAA", "damaged"),
        ("labkit:1:A", "damaged"),
        (shared_text({}, INPUTS)[:-9], "cut off|damaged"),
        (packed({}, version=2), "another version"),
        (packed(b"{"), "damaged"),
        (packed(b"\xff\xfe"), "damaged"),
        (packed(b"[" * 100_000), "damaged"),
        (packed(b" " * (LARGEST + 1)), "too large"),
        (packed([]), "none of a machine"),
        (packed({}), "no such option"),
        (packed({"machine": []}), "no such option"),
        (packed({"machine": {"nope": "x"}, "inputs": []}), "no such option: 'nope'"),
        (packed({"machine": {"self": "x"}, "inputs": []}), "no such option"),
        (packed({"machine": {"system": 3}, "inputs": []}), "no such option"),
        (packed({"machine": {"system": {}}, "inputs": []}), "no such option"),
        (packed({"machine": {}, "inputs": {}}), "no inputs"),
        (packed({"machine": {}, "inputs": ["ls"]}), "none"),
        (packed({"machine": {}, "inputs": [["eval", "1"]]}), "none"),
        (packed({"machine": {}, "inputs": [["typed", 1]]}), "none"),
        (packed({"machine": {}, "inputs": [["typed", "a", "b"]]}), "none"),
        (packed({"machine": {}, "inputs": [["file", "a"]]}), "none"),
        (packed({"machine": {}, "inputs": [["typed", "a\0"]]}), "NUL"),
        (packed({"machine": {}, "inputs": [["typed", "x" * (LONGEST + 1)]]}), "KiB"),
        (packed({"machine": {}, "inputs": [["typed", "x"]] * (MOST_INPUTS + 1)}), "400 inputs"),
    ],
)
def test_a_hostile_text_is_refused(text: str, why: str) -> None:
    with pytest.raises(ShareError, match=why):
        read_shared(text)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"system": "beos"}, "no such machine"),
        ({"storage_driver": "vfs", "image_store": "x"}, "no such machine"),
        ({"kernel": "a.b"}, "no such machine"),
        ({"engine": ""}, "no such machine"),
        ({"storage_options": ["x"]}, "no such machine"),
        ({"system": ["linux"]}, "no such machine"),
    ],
)
def test_a_machine_that_there_cannot_be(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ShareError, match=why):
        play_shared(read_shared(packed({"machine": options, "inputs": []})))


def test_a_text_damaged_anywhere_is_refused_or_a_machine() -> None:
    text, chance = shared_text({}, INPUTS), random.Random(5)
    for _ in range(300):
        place = chance.randrange(len(text))
        damaged = text[:place] + chance.choice("Aa0_-:\n") + text[place + chance.randrange(3) :]
        try:
            read_shared(damaged)
        except ShareError:
            continue


def test_inputs_that_do_too_much_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["labkit.jupyter.playground"], "MOST_STEPS", 200_000)
    endless = [["run", "while true; do :; done"]] * 50
    with pytest.raises(ShareError, match="do too much"):
        play_shared(read_shared(packed({"machine": {}, "inputs": endless})))


def test_a_file_that_cannot_be_written() -> None:
    with pytest.raises(ShareError, match="an input fails: Is a directory"):
        play_shared(read_shared(packed({"machine": {}, "inputs": [["file", "x", "/etc"]]})))


def test_more_than_can_be_read_back_is_not_written() -> None:
    with pytest.raises(ShareError):
        shared_text({}, [RecordedInput("typed", "x")] * (MOST_INPUTS + 1))


def played(*inputs: RecordedInput) -> str:
    timeline = Timeline(Machine())
    for each in inputs:
        timeline.do(each)
    return script(timeline.options, timeline.past)


def test_a_script_for_a_real_docker() -> None:
    text = played(*INPUTS)
    assert text.startswith("#!/bin/sh\n")
    assert "docker exec -i web sh <<'EOF'\ntouch '/<b>'\nexit\nEOF\n" in text
    assert '(\ncd "$home" || exit\ndocker run -d --name web -v data:/data busybox sleep 1000\n)' in text
    assert "cat > 'app/Dockerfile' <<'EOF'\nFROM busybox\n" in text


def test_a_script_runs_in_a_real_shell(tmp_path: Path) -> None:
    """What no shell can read is a comment; the rest gives what it gave on the simulated machine."""
    shell = shutil.which("sh")
    assert shell, "every POSIX system has one"
    text = played(
        RecordedInput("typed", "x=1"),
        RecordedInput("typed", "if true"),
        RecordedInput("typed", "\x03"),
        RecordedInput("typed", "echo )"),
        RecordedInput("typed", "for i in 1 2"),
        RecordedInput("typed", "do echo $x$i"),
        RecordedInput("typed", "done"),
        RecordedInput("run", "x=5; cd /; echo $x"),
        RecordedInput("file", "EOF\nlast", "f"),
        RecordedInput("run", "cat f"),
        RecordedInput("typed", "echo $x; cat f"),
        RecordedInput("typed", "echo 'a"),
    )
    done = subprocess.run([shell, "-c", text], capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("11\n12\n5\nEOF\nlast\n1\nEOF\nlast\n", "")


def test_the_options_are_named_in_one_line() -> None:
    head = script({"storage_driver": "vfs\nrm -rf /"}, []).split("\n")
    assert (
        head[1]
        == "# What was typed on a simulated machine (storage_driver=vfs?rm -rf /), as a script for a real Docker."
    )
