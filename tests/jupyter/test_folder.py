"""The learner's folder: lessons come new, and nothing of the learner's is lost."""

from __future__ import annotations

from pathlib import Path

from labkit.jupyter.folder import bring, lessons


def test_the_lessons_are_found() -> None:
    assert [path.name[:2] for path in lessons()] == [f"{number:02}" for number in range(11)]


def test_a_newer_lesson_comes_and_changed_copies_are_put_aside(tmp_path: Path) -> None:
    sources = [tmp_path / "01-a.ipynb", tmp_path / "02-b.ipynb", tmp_path / "03-c.ipynb"]
    for source in sources:
        source.write_text("old")
    folder = tmp_path / "mine"
    assert bring(folder, sources) == []
    mine = [folder / "notebooks" / source.name for source in sources]
    mine[0].write_text("my notes")
    mine[2].write_text("my notes")
    (folder / ".labkit" / "progress.json").write_text("answers")
    assert bring(folder, sources) == []
    assert [path.read_text() for path in mine] == ["my notes", "old", "my notes"]
    for source in sources[:2]:
        source.write_text("new")
    assert bring(folder, sources) == ["01-a.ipynb"]
    assert [path.read_text() for path in mine] == ["new", "new", "my notes"]
    assert (folder / "earlier" / "01-a.ipynb").read_text() == "my notes"
    mine[0].write_text("other notes")
    sources[0].write_text("newest")
    assert bring(folder, sources) == ["01-a.ipynb"]
    assert {path.read_text() for path in (folder / "earlier").iterdir()} == {"my notes", "other notes"}
    assert (folder / ".labkit" / "progress.json").read_text() == "answers"
