"""Progress: two copies merge in either order, hostile input is one line, what cannot be read is kept."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labkit.course import Attempt, Judgement, load_exercise
from labkit.course import progress as module
from labkit.course.progress import Progress, ProgressError, merged, open_progress, parse
from labkit.course.record import Answer

answers = st.sampled_from(["", "docker ps", ["a", "b"], [], {"x": "y"}])
entries = st.fixed_dictionaries(
    {
        "answer": answers,
        "passed": st.booleans(),
        "points": st.integers(0, 2),
        "at": st.integers(0, 3),
        "tries": st.integers(0, 3),
    },
    optional={"best": st.integers(1, 3)},
)
drafts = st.fixed_dictionaries({"answer": answers, "hints": st.integers(0, 2), "at": st.integers(0, 3)})
keys = st.sampled_from(["a@1", "a@2", "b@1"])


def tables(entry: st.SearchStrategy[dict]) -> st.SearchStrategy[dict]:
    return st.dictionaries(st.sampled_from(["demo", "ann"]), st.dictionaries(keys, entry, max_size=3), max_size=2)


documents = st.builds(
    lambda learner, answers, drafts: {
        "labkit-progress": 1,
        "learner": learner,
        "answers": answers,
        "drafts": drafts,
    },
    st.fixed_dictionaries(
        {"name": st.sampled_from(["", "x", "y"]), "seed": st.sampled_from(["", "s"]), "at": st.integers(0, 2)}
    ),
    tables(entries),
    tables(drafts),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents, documents, documents)
def test_merging_is_a_join(a: dict, b: dict, c: dict) -> None:
    assert merged(a, b) == merged(b, a)
    assert merged(a, a) == a
    assert merged(merged(a, b), b) == merged(a, b)
    assert merged(merged(a, b), c) == merged(a, merged(b, c))


@given(documents)
def test_what_is_written_is_read(document: dict) -> None:
    assert parse(json.dumps(document).encode("utf-8")) == document


def test_a_pass_stays_a_pass() -> None:
    passed = {"answer": "right", "passed": True, "points": 2, "at": 1, "tries": 1}
    later = {"answer": "wrong", "passed": False, "points": 0, "at": 9, "tries": 4}
    one, other, third = (
        {**module.empty(), "answers": {"demo": {"a@1": each}}}
        for each in ({**passed, "best": 3}, later, {**passed, "best": 2, "at": 0})
    )
    assert merged(one, other)["answers"]["demo"]["a@1"] == {**passed, "tries": 4, "best": 3}
    assert merged(one, third)["answers"]["demo"]["a@1"] == {**passed, "best": 2}


GOOD = module.empty()
ENTRY = {"answer": "x", "passed": True, "points": 1, "at": 1, "tries": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is empty"),
        (b"  \n", "it is empty"),
        (b"{", "it is not JSON"),
        (b"\xff\xfe{", "it is not UTF-8 text"),
        (b"PK\x03\x04 zip", "it is compressed; unpack it first"),
        (b'{"labkit-progress": NaN}', "it is not JSON"),
        (b"[" * 100_000, "it is nested more than 40 levels deep"),
        (b'{"a":' * 100_000, "it is nested more than 40 levels deep"),
        (b'"' + b"x" * (9 << 20) + b'"', "it is larger than 8 MiB"),
        (b"[]", "it is not a progress file of labkit"),
        (b'{"labkit-progress": 2}', "it has version 2; this labkit reads version 1"),
        (b'{"labkit-progress": true}', "it has version True; this labkit reads version 1"),
        (json.dumps({**GOOD, "learner": []}).encode(), "its learner is not a name and a seed"),
        (json.dumps({**GOOD, "answers": []}).encode(), "its answers are not a table"),
        (json.dumps({**GOOD, "answers": {"x": 1}}).encode(), "the answers of 'x' are not a table"),
        (
            json.dumps({**GOOD, "answers": {"x": {"../a@1": ENTRY}}}).encode(),
            "'../a@1' is not an exercise with its revision",
        ),
        (
            json.dumps({**GOOD, "answers": {"x": {"a@1": {**ENTRY, "answer": 3}}}}).encode(),
            "the entry of a@1 has no answer",
        ),
        (
            json.dumps({**GOOD, "answers": {"x": {"a@1": {**ENTRY, "passed": 1}}}}).encode(),
            "the entry of a@1 does not say whether it passed",
        ),
        (
            json.dumps({**GOOD, "answers": {"x": {"a@1": {**ENTRY, "at": -1}}}}).encode(),
            "at of a@1 is not a whole number",
        ),
        (
            json.dumps({**GOOD, "answers": {"x": {f"a@{n}": ENTRY for n in range(1, 2001)}}}).encode(),
            "it has more than 2000 answers",
        ),
        (json.dumps({**GOOD, "drafts": []}).encode(), "its drafts are not a table"),
        (
            json.dumps({**GOOD, "drafts": {"x": {"a@1": {"answer": [], "hints": "2", "at": 1}}}}).encode(),
            "hints of a@1 is not a whole number",
        ),
        (
            json.dumps({**GOOD, "answers": {"x": {"a@1": {**ENTRY, "best": None}}}}).encode(),
            "best of a@1 is not a whole number",
        ),
        (b'{"labkit-progress": 1, "learner": {"name": "\\ud800", "seed": ""}}', "it has half a character in it"),
        (b'{"labkit-progress": ' + b"9" * 6000 + b"}", "it is not JSON"),
    ],
)
def test_hostile_input(data: bytes, message: str) -> None:
    with pytest.raises(ProgressError) as caught:
        parse(data)
    assert str(caught.value) == message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["labkit-progress", "learner", "answers", "drafts", "name", "a@1", "answer"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    )
)
def test_no_input_is_a_traceback(data: object) -> None:
    with contextlib.suppress(ProgressError):
        parse(json.dumps(data).encode())


def attempt(answer: Answer, learner: str = "demo") -> Attempt:
    """One that has given this answer."""
    made = Attempt(load_exercise("three-layers"), learner, "")
    made.check(answer)
    return made


def test_record_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "progress.json"
    progress = Progress(path, module.empty(), clock=lambda: 12.5)
    progress.record(attempt(["docker ps"]), Judgement(False, 0, 2))
    progress.record(attempt(["docker build ."]), Judgement(True, 2, 2))
    progress.record(attempt([]), Judgement(False, 0, 2))
    again = open_progress(path)
    assert again.entry("three-layers", "demo") == {
        "answer": ["docker build ."],
        "passed": True,
        "points": 2,
        "at": 13,
        "tries": 3,
        "best": 1,
        "revision": 2,
    }
    assert again.entry("three-layers", "ann") is None
    assert again.entry("three", "demo") is None
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "progress.before.json",
        "progress.json",
        "progress.lock",
    ]


def test_what_is_recorded_can_be_read(tmp_path: Path) -> None:
    progress = open_progress(tmp_path / "progress.json")
    progress.record(attempt(["echo \udcff"]), Judgement(True, 2, 2))
    progress.record(attempt(3, "ann"), Judgement(False, 0, 2, error="it is no answer"))
    assert open_progress(progress.path).document["answers"]["demo"]["three-layers@2"]["answer"] == ["echo ?"]
    assert "ann" not in open_progress(progress.path).document["answers"]


def test_two_sessions_do_not_lose_each_others_answers(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    one, other = open_progress(path), open_progress(path)
    one.record(attempt("a", "ann"), Judgement(True, 1, 1))
    other.record(attempt("b", "bob"), Judgement(True, 1, 1))
    assert set(open_progress(path).document["answers"]) == {"ann", "bob"}


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ('{"labkit-progress": 99, "precious": 1}', "it has version 99; this labkit reads version 1"),
        ("{half a fi", "it is not JSON"),
    ],
)
def test_what_cannot_be_read_is_put_aside(
    tmp_path: Path, kept: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "progress.json"
    for number, then in ((1, "progress begins anew"), (2, "the state before the last save is used")):
        path.write_text(kept)
        assert open_progress(path).learner == ("" if number == 1 else "ann")
        line = f"labkit: progress.json cannot be read ({why}); it is kept as progress.kept-{number}.json, and {then}.\n"
        assert capsys.readouterr().err == line
        open_progress(path).set_learner("ann", "2026")
        open_progress(path).set_learner("ann", "2027")
        assert (tmp_path / f"progress.kept-{number}.json").read_text() == kept
        assert open_progress(path).learner == "ann"
    assert capsys.readouterr().err == ""


def test_the_state_before_is_taken_where_a_save_finds_the_file_broken(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    one, other = open_progress(path), open_progress(path)
    for answer in ("a", "b"):
        one.record(attempt(answer, answer), Judgement(True, 1, 1))
    path.write_bytes(path.read_bytes()[:-20])
    other.record(attempt("c", "c"), Judgement(True, 1, 1))
    assert set(open_progress(path).document["answers"]) == {"a", "c"}


def test_a_draft_is_kept_apart_from_answers(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json", module.empty(), clock=lambda: 12.5)
    for inputs in (["docker ps"], ["docker ps", "docker images"], []):
        progress.keep(attempt([]), inputs, 1)
    assert open_progress(progress.path).draft("three-layers", 2, "demo") == {"answer": [], "hints": 1, "at": 12502}
    assert open_progress(progress.path).draft("three-layers", 1, "demo") is None
    assert open_progress(progress.path).entry("three-layers", "demo") is None


def test_the_later_answer_wins_within_a_second(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json", module.empty(), clock=lambda: 12.5)
    for answer in ("z", "a"):
        progress.record(attempt(answer), Judgement(False, 0, 1))
    assert (open_progress(progress.path).entry("three-layers", "demo") or {})["answer"] == "a"
    for name in ("zoe", "ann"):
        progress.set_learner(name, "")
    assert open_progress(progress.path).learner == "ann"


def test_what_a_killed_process_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    progress = open_progress(tmp_path / "progress.json")
    for name, age in ((".progress.json.old", 3600), (".progress.json.new", 0)):
        (tmp_path / name).write_text("{half")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    progress.set_learner("ann", "")
    assert [each.name for each in tmp_path.glob(".progress*")] == [".progress.json.new"]


def test_a_lock_that_is_held_for_long_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.05)
    progress = open_progress(tmp_path / "progress.json")
    with module.locked(tmp_path / "progress.lock"):
        progress.set_learner("ann", "")
    assert open_progress(progress.path).learner == "ann"


KILLS = 50 if os.environ.get("LABKIT_NIGHTLY") else 5  # a process each

SOMEBODY = """
import sys
from dataclasses import replace
from pathlib import Path
from labkit.course import Attempt, Judgement, load_exercise, open_progress
exercise = load_exercise("a-tag-moves")
for number in range(int(sys.argv[3])):
    attempt = Attempt(replace(exercise, revision=number + 1), sys.argv[2], "")
    attempt.check([str(number)])
    progress = open_progress(Path(sys.argv[1]))
    progress.keep(attempt, ["x" * 2000], 0)
    progress.record(attempt, Judgement(True, 1, 1))
    print(number + 1, flush=True)
"""


def somebody(path: Path, who: str, most: int) -> subprocess.Popen[str]:
    """A process that records answer after answer, and says after each how many they are."""
    command = [sys.executable, "-c", SOMEBODY, str(path), who, str(most)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.long
def test_killed_at_any_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At most the answer that was being saved is lost, and never the file."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for round_ in range(KILLS):
        path = tmp_path / str(round_) / "progress.json"
        child = somebody(path, "ann", 10_000)
        assert child.stdout
        with child:
            child.stdout.readline()
            time.sleep(chance.random() * 0.03)
            child.kill()
            said = 1 + len(child.stdout.read().split())
        found = open_progress(path).entries("ann")
        assert said <= len(found) <= said + 1, f"seed {seed}, round {round_}"
        assert [found[f"a-tag-moves@{number + 1}"]["answer"] for number in range(len(found))] == [
            [str(number)] for number in range(len(found))
        ]
    assert "kept as" not in capsys.readouterr().err


def test_two_kernels_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    both = [somebody(path, who, 40) for who in ("ann", "bob")]
    for child in both:
        child.communicate()
        assert child.returncode == 0
    found = open_progress(path).document["answers"]
    assert {who: len(table) for who, table in found.items()} == {"ann": 40, "bob": 40}


def test_export_and_merge(tmp_path: Path) -> None:
    one, other = open_progress(tmp_path / "a.json"), open_progress(tmp_path / "b.json")
    one.record(attempt("a"), Judgement(True, 1, 1))
    other.merge(one.export())
    assert other.document == one.document
    with pytest.raises(ProgressError):
        other.merge("nonsense")
    assert open_progress(tmp_path / "b.json").document == one.document


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = open_progress(tmp_path / "progress.json")
    progress.set_learner("ann", "")
    before = progress.path.read_text()
    monkeypatch.setattr(module.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        progress.set_learner("bob", "")
    assert progress.path.read_text() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["progress.json", "progress.lock"]


def test_where_progress_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "course" / "notebooks").mkdir(parents=True)
    (tmp_path / "course" / "notebooks" / "02-layers.ipynb").write_text("{}")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "chosen"))
    assert module.home() == tmp_path / "chosen"
    monkeypatch.delenv("LABKIT_HOME")
    monkeypatch.chdir(tmp_path / "course" / "notebooks")
    assert module.home() == tmp_path / "course" / ".labkit"
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    assert module.home() == tmp_path / "data" / "labkit"
    monkeypatch.chdir(tmp_path)
    assert module.home() == tmp_path / "data" / "labkit"


def test_whose_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    for name in ("LABKIT_LEARNER", "LABKIT_SEED", "JUPYTERHUB_USER"):
        monkeypatch.delenv(name, raising=False)
    assert module.current() == module.Whose("demo", "")
    monkeypatch.setenv("JUPYTERHUB_USER", "hub")
    assert module.current().learner == "hub"
    open_progress().set_learner("ann", "2026")
    assert module.current() == module.Whose("ann", "2026")
    monkeypatch.setenv("LABKIT_LEARNER", "env")
    assert module.current() == module.Whose("env", "2026")
