"""Marks by hand are given on a page of this computer, and stay."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from labkit.grading.filework import start_worker
from labkit.grading.grade import Asked, judge_class, recalled, results
from labkit.grading.marking import MarkError, MarkingDesk, MarkingServer
from labkit.grading.store import Store

COURSE = (
    (
        "exam.toml",
        """
schema = 1
lesson = "exam-1"

[[exercise]]
slug = "where-is-it"
revision = 1
points = 3
kind = "write"
title = "Where is it?"
task = "Say where it lies, and why."
hints = ["Look.", "Look again."]
rubric = ["2 it says where", "1 it says why"]
solution = [{ name = "a model answer", answer = "In the upper layer." }]
""",
    ),
)
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MarkingDesk]:
    (tmp_path / "in").mkdir()
    for name, answer in (("ann", EVIL), ("bob", "In the upper one.")):
        rows = [{"exercise": "where-is-it", "revision": 1, "answer": answer}]
        text = json.dumps({"labkit-submission": 1, "learner": name, "answers": rows})
        (tmp_path / "in" / f"{name}.labkit.json").write_text(text)
    asked = Asked(tmp_path / "in", course=COURSE, lessons=("exam-1",), executor="here")
    with Store(tmp_path / "results.sqlite") as store:
        judge_class(asked, store)
        yield MarkingDesk(recalled(store.asked()), store)
    start_worker(())


def test_what_a_person_reads_waits_and_then_counts(desk: MarkingDesk) -> None:
    assert [(each.learner, each.counted.waits) for each in desk.answers] == [("ann", True), ("bob", True)]
    desk.give(1, ["1.5", "1"], " good ")
    assert desk.left == 1
    asked = Asked(Path(), course=COURSE, lessons=("exam-1",))
    ann, bob = results(asked, desk.store)
    assert (ann.points, bob.points, bob.counted["where-is-it"].waits) == (0, 2.5, False)
    assert bob.counted["where-is-it"].rubric == [("2 it says where", 1.5), ("1 it says why", 1.0)]


@pytest.mark.parametrize(
    ("criteria", "why"),
    [
        (["1"], "each criterion needs its points"),
        (["3", "1"], "3 is not between 0 and 2 points"),
        (["nan", "1"], "nan is not between 0 and 2 points"),
        (["x", "1"], "'x' is no number of points"),
    ],
)
def test_no_marks(desk: MarkingDesk, criteria: list[str], why: str) -> None:
    with pytest.raises(MarkError) as caught:
        desk.give(0, criteria, "")
    assert str(caught.value) == why


def test_the_page(desk: MarkingDesk) -> None:
    """A browser's requests, answered one at a time by the thread that has the store."""
    with MarkingServer(desk) as server:
        port, base = server.server_port, server.base
        told: list[tuple[int, str]] = []

        def ask() -> None:
            good = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/x-www-form-urlencoded"}
            form = urlencode([("points", "2"), ("points", "0.5"), ("comment", EVIL)])
            requests = [
                ("GET", base, None, good),
                ("POST", f"{base}?n=0", form, good),
                ("GET", f"{base}?n=0", None, good),
                ("POST", f"{base}?n=1", form.replace("0.5", "5"), good),
                ("GET", "/", None, good),
                ("POST", f"{base}?n=0", form, {**good, "Host": "evil.example"}),
                ("GET", f"{base}?n=7", None, good),
                ("POST", base, "x" * 70_000, good),
            ]
            for method, path, body, headers in requests:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                told.append((answer.status, answer.read().decode()))
                connection.close()

        asking = threading.Thread(target=ask)
        asking.start()
        for _ in range(8):
            server.handle_request()
        asking.join()
    assert [status for status, _ in told] == [200, 303, 200, 200, 403, 403, 404, 413]
    assert EVIL not in told[0][1] + told[2][1]
    assert re.search("Marked: 2.5 of 3", told[2][1])
    assert "Not saved: 5 is not between 0 and 1 points" in told[3][1]
    assert desk.store.marks("ann")["ann", "where-is-it"].comment == EVIL
    assert desk.left == 1
