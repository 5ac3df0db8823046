"""Progress: two copies merge in either order, hostile input is one line, what cannot be read is kept."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labkit.course import progress as module
from labkit.course.judge import Judgement
from labkit.course.progress import Progress, ProgressError, merged, open_progress, parse

entries = st.fixed_dictionaries(
    {
        "answer": st.sampled_from(["", "docker ps", ["a", "b"], [], {"x": "y"}]),
        "passed": st.booleans(),
        "points": st.integers(0, 2),
        "at": st.integers(0, 3),
        "tries": st.integers(0, 3),
    }
)
keys = st.sampled_from(["a@1", "a@2", "b@1"])
documents = st.builds(
    lambda learner, answers: {"labkit-progress": 1, "learner": learner, "answers": answers},
    st.fixed_dictionaries(
        {"name": st.sampled_from(["", "x", "y"]), "seed": st.sampled_from(["", "s"]), "at": st.integers(0, 2)}
    ),
    st.dictionaries(st.sampled_from(["demo", "ann"]), st.dictionaries(keys, entries, max_size=3), max_size=2),
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
    one, other = (
        ({"labkit-progress": 1, "learner": {"name": "", "seed": "", "at": 0}, "answers": {"demo": {"a@1": each}}})
        for each in (passed, later)
    )
    assert merged(one, other)["answers"]["demo"]["a@1"] == {**passed, "tries": 4}


GOOD = {"labkit-progress": 1, "learner": {"name": "", "seed": "", "at": 0}, "answers": {}}
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
                st.sampled_from(["labkit-progress", "learner", "answers", "name", "a@1", "answer"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    )
)
def test_no_input_is_a_traceback(data: object) -> None:
    with contextlib.suppress(ProgressError):
        parse(json.dumps(data).encode())


class Someone:
    """As much of an Attempt as is recorded."""

    def __init__(self, answer: object, learner: str = "demo") -> None:
        self.learner = learner
        self.answer = answer
        self.exercise = type("Record", (), {"slug": "first-image", "revision": 1})


def test_record_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "progress.json"
    progress = Progress(path, module.empty(), clock=lambda: 12.5)
    progress.record(Someone(["docker ps"]), Judgement(False, 0, 2))  # type: ignore[arg-type]
    progress.record(Someone(["docker build ."]), Judgement(True, 2, 2))  # type: ignore[arg-type]
    progress.record(Someone([]), Judgement(False, 0, 2))  # type: ignore[arg-type]
    again = open_progress(path)
    assert again.entry("first-image", "demo") == {
        "answer": ["docker build ."],
        "passed": True,
        "points": 2,
        "at": 12,
        "tries": 3,
        "revision": 1,
    }
    assert again.entry("first-image", "ann") is None
    assert again.entry("first", "demo") is None
    assert [each.name for each in path.parent.iterdir()] == ["progress.json"]


def test_what_is_recorded_can_be_read(tmp_path: Path) -> None:
    progress = open_progress(tmp_path / "progress.json")
    progress.record(Someone(["echo \udcff"]), Judgement(True, 2, 2))  # type: ignore[arg-type]
    progress.record(Someone(3, "ann"), Judgement(False, 0, 2, error="it is no answer"))  # type: ignore[arg-type]
    assert open_progress(progress.path).document["answers"]["demo"]["first-image@1"]["answer"] == ["echo ?"]
    assert "ann" not in open_progress(progress.path).document["answers"]


def test_two_sessions_do_not_lose_each_others_answers(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    one, other = open_progress(path), open_progress(path)
    one.record(Someone("a", "ann"), Judgement(True, 1, 1))  # type: ignore[arg-type]
    other.record(Someone("b", "bob"), Judgement(True, 1, 1))  # type: ignore[arg-type]
    assert set(open_progress(path).document["answers"]) == {"ann", "bob"}


@pytest.mark.parametrize("kept", ['{"labkit-progress": 99, "precious": 1}', "{half a fi"])
def test_what_cannot_be_read_is_put_aside(tmp_path: Path, kept: str) -> None:
    path = tmp_path / "progress.json"
    for number in (1, 2):
        path.write_text(kept)
        open_progress(path).set_learner("ann", "2026")
        assert (tmp_path / f"progress.kept-{number}.json").read_text() == kept
        assert open_progress(path).learner == "ann"


def test_export_and_merge(tmp_path: Path) -> None:
    one, other = open_progress(tmp_path / "a.json"), open_progress(tmp_path / "b.json")
    one.record(Someone("a"), Judgement(True, 1, 1))  # type: ignore[arg-type]
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
    assert len(list(tmp_path.iterdir())) == 1


def test_where_progress_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "course" / "notebooks").mkdir(parents=True)
    (tmp_path / "course" / "notebooks" / "02-layers.ipynb").write_text("{}")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(module.settings.sys, "platform", "linux")
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "chosen"))
    assert module.settings.home() == tmp_path / "chosen"
    monkeypatch.delenv("LABKIT_HOME")
    monkeypatch.chdir(tmp_path / "course" / "notebooks")
    assert module.settings.home() == tmp_path / "course" / ".labkit"
    monkeypatch.setattr(module.settings.os, "access", lambda *_: False)
    assert module.settings.home() == tmp_path / "data" / "labkit"
    monkeypatch.chdir(tmp_path)
    assert module.settings.home() == tmp_path / "data" / "labkit"


def test_whose_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    for name in ("LABKIT_LEARNER", "LABKIT_SEED", "JUPYTERHUB_USER"):
        monkeypatch.delenv(name, raising=False)
    assert module.settings.current() == module.settings.Whose("demo", "")
    monkeypatch.setenv("JUPYTERHUB_USER", "hub")
    assert module.settings.current().learner == "hub"
    open_progress().set_learner("ann", "2026")
    assert module.settings.current() == module.settings.Whose("ann", "2026")
    monkeypatch.setenv("LABKIT_LEARNER", "env")
    assert module.settings.current() == module.settings.Whose("env", "2026")
