"""What is judged once is kept: a killed run goes on, a second one does what is new, a corrected exercise its answers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from classroom import letter, marks, notebook, submission

import labkit.grading.filework as work
from labkit.grading.grade import Asked, judge_class, results
from labkit.grading.store import Marked, Store, StoreError


class Seen:
    """A judge that counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[str] = []
        judge = work.grade_answer

        def counted(given, learner, seed):
            self.answers.append(f"{learner} {given.slug}")
            return judge(given, learner, seed)

        monkeypatch.setattr(work, "grade_answer", counted)

    def take(self) -> list[str]:
        taken, self.answers = self.answers, []
        return taken


def run(folder: Path, store: Store, **asked: object) -> dict[str, float]:
    how = Asked(folder, executor="here", **asked)  # type: ignore[arg-type]
    judge_class(how, store)
    return {each.learner.learner: each.points for each in results(how, store)}


def test_a_second_run_judges_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "ann.labkit.json").write_text(submission(("which-layer-is-it-from", marks("ann")), ("a-tag-moves", "a")))
    with Store(tmp_path / "results.sqlite") as store:
        first = run(folder, store)
        assert sorted(seen.take()) == ["ann a-tag-moves", "ann which-layer-is-it-from"]
        assert run(folder, store) == first
        assert seen.take() == []
        (folder / "bob.ipynb").write_text(notebook(f"%%answer a-tag-moves\n{letter('bob')}"))
        (folder / "ann.labkit.json").rename(folder / "ann.copy.labkit.json")
        (folder / "ann.copy.labkit.json").rename(folder / "ann.labkit.json")
        assert run(folder, store) == {**first, "bob": 1}
        assert seen.take() == ["bob a-tag-moves"]
        monkeypatch.setattr(work, "__version__", "another")
        work.definition.cache_clear()
        run(folder, store)
        assert len(seen.take()) == 3
        assert run(folder, store, fresh=True) == {**first, "bob": 1}
        assert len(seen.take()) == 3
    work.definition.cache_clear()


def test_other_lessons_are_judged_when_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)
    answers = [("a-tag-moves", letter("ann")), ("your-first-container", ["docker ps"])]
    (tmp_path / "ann.labkit.json").write_text(submission(*answers))
    with Store(Path(":memory:")) as store:
        assert run(tmp_path, store, lessons=("02",)) == {"ann": 1}
        assert seen.take() == ["ann a-tag-moves"]
        run(tmp_path, store, lessons=("00", "02"))
        assert seen.take() == ["ann your-first-container"]


def test_a_corrected_exercise_has_only_its_answers_judged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen(monkeypatch)
    (tmp_path / "ann.labkit.json").write_text(
        submission(("which-layer-is-it-from", marks("ann")), ("a-tag-moves", "a"))
    )
    definition = work.definition

    def corrected(asked: str) -> str:
        return "corrected" if asked.startswith("a-tag-moves") else definition(asked)

    with Store(Path(":memory:")) as store:
        run(tmp_path, store)
        seen.take()
        monkeypatch.setattr(work, "definition", corrected)
        monkeypatch.setattr("labkit.grading.grade.definition", corrected)
        run(tmp_path, store)
        assert seen.take() == ["ann a-tag-moves"]


def test_marks_of_a_person_stay(tmp_path: Path) -> None:
    (tmp_path / "ann.labkit.json").write_text(submission(("three-layers", "echo"), ("a-tag-moves", letter("ann"))))
    with Store(Path(":memory:")) as store:
        assert run(tmp_path, store) == {"ann": 1}
        store.mark(Marked("ann", "three-layers", 1.5, "nearly"))
        for fresh in (False, True):
            assert run(tmp_path, store, fresh=fresh) == {"ann": 2.5}
        assert store.marks("ann")["ann", "three-layers"].comment == "nearly"


def test_a_file_of_another_kind_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "results.sqlite").write_text("this is no database, and long enough to be seen to be none" * 20)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "results.sqlite")


KILLED = 20


@pytest.mark.long
def test_killed_at_any_moment_the_same_command_gives_the_same_report(tmp_path: Path) -> None:
    """Twenty times, each a random while after its start; in the end it is let run."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(8):
        name = f"s{number:02}"
        text = submission(
            ("which-layer-is-it-from", marks(name)), ("a-tag-moves", letter(name)), ("three-layers", "docker ps")
        )
        (folder / f"{name}.labkit.json").write_text(text)

    def command(out: Path) -> list[str]:
        return [sys.executable, "-m", "labkit", "grade", str(folder), "--out", str(out), "--jobs", "1"]

    subprocess.run(command(tmp_path / "whole"), check=True, capture_output=True)
    pauses = random.Random(7)
    for _ in range(KILLED):
        child = subprocess.Popen(
            command(tmp_path / "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            child.wait(pauses.uniform(0.1, 1.5))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    subprocess.run(command(tmp_path / "killed"), check=True, capture_output=True)
    for name in ("grades.csv", "report.html", "students/s03.html"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
