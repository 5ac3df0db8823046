"""Submissions are hostile input: one clear line for each file that cannot be read, and never a traceback."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labkit.course import Attempt, load_exercise
from labkit.course.progress import Progress, empty
from labkit.grading.submission import (
    Given,
    Submission,
    SubmissionError,
    parse_submission,
    read_submission,
    write_submission,
)

ANSWER = {"exercise": "a", "revision": 1, "answer": "x"}


def document(**changes: object) -> bytes:
    return json.dumps({"labkit-submission": 1, "learner": "ann", "answers": [ANSWER], **changes}).encode()


def notebook(*cells: object) -> bytes:
    return json.dumps({"nbformat": 4, "cells": list(cells)}).encode()


def code(source: object) -> dict:
    return {"cell_type": "code", "source": source, "outputs": [{"claims": "100 points"}]}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.labkit.json", b"", "it is empty"),
        ("a.labkit.json", b"{", "it is not JSON"),
        ("a.labkit.json", b"\xff\xff", "it is not UTF-8 text"),
        ("a.labkit.json", b"PK\x03\x04" + b"\0" * 100, "it is compressed; unpack it first"),
        ("a.zip", b"PK\x03\x04" + b"\0" * 100, "it is compressed; unpack it first"),
        ("a.labkit.json", b"\x1f\x8b" + b"\0" * 100, "it is compressed; unpack it first"),
        ("a.labkit.json", b"[" * 10**6, "it is nested more than 40 levels deep"),
        ("a.ipynb", b'{"cells":' + b"[" * 10**6, "it is nested more than 40 levels deep"),
        ("a.labkit.json", b"[]", "it is not a submission of labkit"),
        ("a.labkit.json", b"{}", "it is not a submission of labkit"),
        ("a.labkit.json", document(**{"labkit-submission": 7}), "it has version 7; this labkit reads version 1"),
        ("a.labkit.json", document(answers={}), "its answers are not a list"),
        ("a.labkit.json", document(answers=[ANSWER] * 501), "it has more than 500 answers"),
        ("a.labkit.json", document(answers=["x"]), "one of its answers does not name an exercise"),
        ("a.labkit.json", document(answers=[{**ANSWER, "answer": 3}]), "its answer to 'a' is neither text nor JSON"),
        ("a.labkit.json", document(answers=[{**ANSWER, "revision": 1.0}]), "its answer to 'a' does not say which revision it answers"),
        ("a.labkit.json", document(answers=[{**ANSWER, "revision": True}]), "its answer to 'a' does not say which revision it answers"),
        ("a.ipynb", b"", "it is empty"),
        ("a.ipynb", b"[]", "it is not a notebook of format 4"),
        ("a.ipynb", b'{"worksheets": []}', "it is not a notebook of format 4"),
        ("a.ipynb", b'{"cells": {}}', "it is not a notebook of format 4"),
        ("a.ipynb", notebook(*[code("%%answer a\nx")] * 501), "it has more than 500 answers"),
    ],
)  # fmt: skip
def test_unusable(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SubmissionError) as caught:
        read_submission(tmp_path / name)
    assert str(caught.value) == message


def test_a_large_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "a.labkit.json"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(SubmissionError, match="it has 100 MB; 4 MiB is the most that is read"):
        read_submission(path)


def test_only_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.labkit.json")
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "link.labkit.json").symlink_to("/dev/zero")
    for path in tmp_path.iterdir():
        with pytest.raises(SubmissionError, match="it is not a regular file"):
            read_submission(path)
    with pytest.raises(SubmissionError, match="it cannot be read: No such file or directory"):
        read_submission(tmp_path / "none.labkit.json")


def test_a_notebook(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    cells = [
        code("%%answer three-layers\ndocker ps\nls\n"),
        code(["%%answer  a-tag-moves@2 \n", "b"]),
        code("%%answer a-tag-moves@x"),
        code("print(1)  # %%answer no"),
        {"cell_type": "markdown", "source": "%%answer no"},
        code(3),
        code([3]),
        3,
    ]
    path.write_bytes(notebook(*cells))
    assert read_submission(path).answers == (
        Given("three-layers", None, "docker ps\nls\n"),
        Given("a-tag-moves", 2, "b"),
        Given("a-tag-moves", None, ""),
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json", empty())
    for slug, answer in (("a-tag-moves", "b"), ("three-layers", ["docker ps"])):
        attempt = Attempt(replace(load_exercise(slug), revision=3), "ann", "autumn")
        progress.record(attempt, attempt.check(answer))
    path = tmp_path / "ann.labkit.json"
    path.write_text(write_submission(progress, "ann", "autumn"))
    answers = (Given("a-tag-moves", 3, "b"), Given("three-layers", 3, ["docker ps"]))
    assert replace(read_submission(path), code="") == Submission("ann", answers, "autumn")
    assert "points" not in path.read_text()


json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["labkit-submission", "answers", "exercise", "revision", "answer", "cells", "source", "cell_type"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(json_data, st.sampled_from(["a.ipynb", "a.labkit.json"]))
def test_no_input_is_a_traceback(tmp_path: Path, data: object, name: str) -> None:
    path = tmp_path / name
    path.write_text(json.dumps(data))
    try:
        assert isinstance(read_submission(path), Submission)
    except SubmissionError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - either outcome is right


def test_the_code_binds_answers_to_learner_course_and_lesson(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json", empty())
    for slug, answer in (("a-tag-moves", "b"), ("your-first-container", ["docker ps"])):
        attempt = Attempt(load_exercise(slug), "ann", "autumn")
        progress.record(attempt, attempt.check(answer))
    text = write_submission(progress, "ann", "autumn", "02-layered-images")
    written = parse_submission("ann.labkit.json", text.encode())
    assert [each.slug for each in written.answers] == ["a-tag-moves"]
    assert (written.lesson, len(written.code)) == ("02-layered-images", 19)
    for said, other in (("ann", "bob"), ("autumn", "spring"), ("02-layered", "03-layered"), ('"b"', '"c"')):
        with pytest.raises(SubmissionError, match="its code does not fit what it says"):
            parse_submission("ann.labkit.json", text.replace(said, other, 1).encode())
