"""The recordings of a real engine match, all of them; and the command that plays them says so, or says what is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from labkit.conformance.replay import Player, main, nearest_base, read_transcript

HERE = Path(__file__).parent
TRANSCRIPTS = sorted(HERE.glob("transcripts/*/*.json"))
RANDOM = sorted(HERE.glob("random/*/*.json"))  # sequences of commands that were drawn
# Transcripts that show what can't sensibly be simulated: "ENGINE/NAME": why. At most 3 in 100.
LEFT_OUT: dict[str, str] = {}


@pytest.fixture(scope="module")
def player() -> Player:
    return Player()


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recording_matches(path: Path, player: Player) -> None:
    if f"{path.parent.name}/{path.stem}" in LEFT_OUT:
        pytest.skip(LEFT_OUT[f"{path.parent.name}/{path.stem}"])
    difference = player.play(read_transcript(path), nearest_base(path))
    assert difference is None, difference.unified(path.stem)


@pytest.mark.parametrize("path", RANDOM, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_random_sequence_matches(path: Path, player: Player) -> None:
    difference = player.play(read_transcript(path), nearest_base(path))
    assert difference is None, difference.unified(path.stem)


def test_few_are_left_out_and_each_is_there() -> None:
    assert len(LEFT_OUT) <= len(TRANSCRIPTS) * 0.03
    assert set(LEFT_OUT) <= {f"{path.parent.name}/{path.stem}" for path in TRANSCRIPTS}


def sayings(*paths: str | Path, **options: object) -> tuple[int, list[str]]:
    said: list[str] = []
    status = main([str(path) for path in paths], say=said.append, **options)  # type: ignore[arg-type]
    return status, said


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two transcripts, the second of which is wrong in its second step."""
    shutil.copy(HERE / "base.json", tmp_path)
    steps = [
        {"run": "echo one", "exit": 0, "stdout": ["one"], "stderr": []},
        {"run": "echo two", "exit": 0, "stdout": ["two"], "stderr": []},
    ]
    right = {"name": "right", "topic": "t", "shows": "s", "engine": "overlay2", "files": {}, "steps": steps}
    wrong = {**right, "name": "wrong", "steps": [steps[0], {**steps[1], "stdout": ["three"]}]}
    for transcript in (right, wrong):
        (tmp_path / f"{transcript['name']}.json").write_text(json.dumps(transcript))
    return tmp_path


def test_one_line_a_transcript_and_a_count(two: Path) -> None:
    assert sayings(two) == (1, ["ok right", "differs wrong step 2", "1 of 2 transcripts match"])
    assert sayings(two / "right.json") == (0, ["ok right", "1 of 1 transcripts match"])


def test_verbose_shows_the_first_difference(two: Path) -> None:
    status, said = sayings(two / "wrong.json", verbose=True)
    assert status == 1
    assert "-three" in said[1].splitlines()
    assert "+two" in said[1].splitlines()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a transcript"),
        ("[1, 2]", "not a transcript"),
        ('{"engine": "podman", "steps": [], "name": "x"}', "unknown engine 'podman'"),
        ('{"engine": "overlay2", "steps": [{}], "name": "x"}', "not a transcript"),
    ],
)
def test_what_is_no_transcript_is_named_in_one_line(two: Path, text: str, reason: str) -> None:
    bad = two / "bad.json"
    bad.write_text(text)
    status, said = sayings(bad)
    assert status == 2
    assert len(said) == 1
    assert str(bad) in said[0]
    assert reason in said[0]


def test_a_path_that_is_not_there_and_a_missing_base(two: Path) -> None:
    assert sayings(two / "nosuch")[0] == 2
    (two / "base.json").unlink()
    status, said = sayings(two / "right.json")
    assert status == 2
    assert "--base" in said[0]
    assert sayings(two / "right.json", base=str(HERE / "base.json"))[0] == 0
