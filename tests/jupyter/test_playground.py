"""The playground's widget, without a browser: messages in, traits out."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import labkit.jupyter
from labkit.jupyter.magics import LabMagics, LessonMachine
from labkit.jupyter.panel import MOST_CHOICES
from labkit.jupyter.playground import PlaygroundWidget, open_playground

playground_module: Any = import_module("labkit.jupyter.playground")  # the package has a function of that name


@pytest.fixture
def widget() -> PlaygroundWidget:
    return PlaygroundWidget(LessonMachine())


def run(widget: PlaygroundWidget, *lines: str) -> None:
    for line in lines:
        widget.handle({"do": "run", "line": line})


WEB = ("docker pull -q busybox", "docker run -d --name web -v data:/data busybox sleep 1000")


def test_a_command_runs_and_everything_follows(widget: PlaygroundWidget) -> None:
    run(widget, *WEB)
    assert [row["line"] for row in widget.log] == list(WEB)
    assert widget.log[0]["pieces"] == [{"message": False, "text": "docker.io/library/busybox:latest\n"}]
    assert (widget.titles, widget.place) == (list(WEB), 2)
    assert widget.names == ["web", "busybox:latest", "data"]
    assert widget.events[0] == "made the volume data"
    assert widget.picture["text"].count("[new]") == 4, "the container, its mount and mountpoint, the volume; no image"
    assert widget.picture["src"].startswith("data:image/svg+xml;base64,")
    run(widget, "docker ps")
    assert (widget.events, widget.picture["text"].count("[new]")) == ([], 0)


def test_files_in_a_containers_layer_are_told_of(widget: PlaygroundWidget) -> None:
    run(widget, *WEB, "docker exec web sh -c 'echo x > /new; echo y >> /etc/passwd'")
    assert widget.events == ["copied /etc/passwd, 30B, from layer 1 into web's layer", "/new is new in web's layer"]
    run(widget, "docker exec web rm /new")
    assert widget.events == ["/new left web's layer"]
    run(widget, "docker exec web touch /data/there")
    assert widget.events == []


def test_back_and_forth(widget: PlaygroundWidget) -> None:
    widget.handle({"do": "undo"})
    assert widget.note == "There is nothing to take back."
    run(widget, *WEB)
    shown = widget.picture
    widget.handle({"do": "undo"})
    assert (widget.place, widget.names, len(widget.log)) == (1, ["busybox:latest"], 1)
    assert widget.note.startswith("Taken back: docker run")
    widget.handle({"do": "redo"})
    assert (widget.place, widget.picture) == (2, shown)
    widget.handle({"do": "redo"})
    assert widget.note == "There is nothing to do again."
    widget.handle({"do": "go", "place": 0})
    assert (widget.place, widget.picture["text"]) == (0, "no images, no containers, no volumes")
    widget.handle({"do": "go", "place": 2})
    assert (widget.place, widget.picture) == (2, shown)
    widget.handle({"do": "reset"})
    assert (widget.place, len(widget.titles)) == (0, 2)
    assert widget.note == "Back at the start. The slider and Redo bring your 2 inputs back."


def test_another_future(widget: PlaygroundWidget) -> None:
    run(widget, *WEB)
    widget.handle({"do": "go", "place": 1})
    run(widget, "docker volume create mine")
    assert widget.note == "A new future starts here. The former one, 1 input long, is kept under Other futures."
    (other,) = widget.others
    assert other["text"] == f"after input 1: {WEB[1]}"
    for nonsense in (None, "1", [1], 99, 0):
        widget.handle({"do": "branch", "number": nonsense})
    assert widget.titles[-1] == "docker volume create mine"
    widget.handle({"do": "branch", "number": other["number"]})
    assert widget.titles == list(WEB)
    assert widget.others[0]["text"] == "after input 1: docker volume create mine"


def test_what_tab_offers(widget: PlaygroundWidget) -> None:
    run(widget, *WEB)
    widget.handle({"do": "complete", "line": "docker vol", "asked": 3})
    assert widget.completion == {"asked": 3, "line": "docker volume ", "choices": [], "more": 0}
    widget.handle({"do": "complete", "line": "", "asked": 4})
    assert len(widget.completion["choices"]) == MOST_CHOICES
    assert widget.completion["more"] > 100


def test_a_file_is_edited_on_the_host_and_in_a_container(widget: PlaygroundWidget) -> None:
    run(widget, *WEB, "mkdir app; cd app", "nano Dockerfile")
    assert widget.editor == {"path": "Dockerfile", "text": ""}
    widget.handle({"do": "save", "text": "FROM busybox"})
    assert widget.editor == {}
    run(widget, "docker exec -it web sh", "cd /data", "nano note")
    widget.handle({"do": "save", "text": "in the volume"})
    run(widget, "nano note")
    assert widget.editor["text"] == "in the volume\n"
    widget.handle({"do": "close"})
    files = widget.timeline.machine.files
    assert files.read("/home/learner/app/Dockerfile") == b"FROM busybox\n"
    assert files.read("/var/lib/docker/volumes/data/_data/note") == b"in the volume\n"
    run(widget, "nano /etc")
    assert widget.note == "That could not be done: /etc: Is a directory"


def test_an_empty_line_counts_only_where_something_waits(widget: PlaygroundWidget) -> None:
    run(widget, "", "  ", "cat > f <<EOF", "", "EOF", "cat", "", "\x04")
    assert [row["line"] for row in widget.log] == ["cat > f <<EOF", "", "EOF", "cat", "", "^D"]
    run(widget, "if true", "\x03")
    assert (widget.prompt, widget.log[-1]["line"]) == ("# ", "^C")


def test_only_one_thing_is_looked_at(widget: PlaygroundWidget) -> None:
    run(widget, *WEB, "docker volume create other")
    widget.handle({"do": "focus", "name": "web"})
    assert "volume other" not in widget.picture["text"]
    widget.handle({"do": "focus", "name": "<none>"})
    assert (widget.focus, "volume other" in widget.picture["text"]) == ("", True)
    widget.handle({"do": "focus", "name": "other"})
    run(widget, "docker volume rm other")
    assert widget.focus == ""


def test_share_open_and_swap(widget: PlaygroundWidget) -> None:
    run(widget, *WEB)
    widget.handle({"do": "share"})
    shared = dict(widget.shared)
    assert "docker run -d --name web" in shared["script"]
    run(widget, "docker rm -f web")
    assert widget.shared == {}, "it is the machine as it was"
    widget.handle({"do": "open", "text": shared["text"]})
    assert (widget.titles, widget.former) == (list(WEB), True)
    assert widget.note == "Opened: a machine with 2 inputs. Yours is put aside, not lost."
    widget.handle({"do": "bring back"})
    assert len(widget.titles) == 3
    for nothing in ("", "labkit:1:x", None, 3):
        widget.handle({"do": "open", "text": nothing})
        assert widget.note.startswith("That was not opened: ")
    assert len(widget.titles) == 3


def test_what_cannot_be_shared_says_why(widget: PlaygroundWidget) -> None:
    run(widget, f"# {'x' * 140_000}")
    widget.handle({"do": "share"})
    assert widget.note.startswith("That could not be done: it has more than")


@pytest.mark.parametrize("message", [None, "run", [], {}, {"do": "rm"}, {"do": "run"}, {"do": "go", "place": "1"},
                                     {"do": "go", "place": -1}, {"do": "save", "text": "x"}])  # fmt: skip
def test_a_message_that_is_none_is_passed_over(widget: PlaygroundWidget, message: object) -> None:
    widget.handle(message)
    assert (widget.titles, widget.note) == ([], "")


HOSTILE = "<img src=x onerror=alert(1)>"


def test_hostile_names_are_text(widget: PlaygroundWidget) -> None:
    run(
        widget,
        *WEB,
        f"docker exec web touch '/{HOSTILE}'",
        f"mkdir '{HOSTILE}'",
        f"docker run -v './{HOSTILE}:/x' busybox",
    )
    assert f"/{HOSTILE}" in widget.picture["text"]
    still = widget.still()
    assert "<img src=x" not in still
    assert still.count("&lt;img src=x") >= 3
    widget.handle({"do": "complete", "line": "ls '<", "asked": 1})
    assert widget.completion["line"] == f"ls '{HOSTILE}/"


def test_it_says_what_it_is(widget: PlaygroundWidget) -> None:
    run(widget, WEB[0])
    assert repr(widget).startswith("playground():\nimage busybox:latest (8bcd5f8a103a, 1.98MB)\n")
    bundle: Any = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"] == repr(widget)
    assert f"<pre># {WEB[0]}</pre>" in data["text/html"]
    assert 'alt="Picture of the machine: 1 image (busybox:latest)' in data["text/html"]


def test_a_ruined_machine_is_no_traceback(widget: PlaygroundWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    run(widget, *WEB, "rm -rf /var/lib/docker", "docker ps", "while true; do :; done")
    assert widget.log[-1]["status"] == 137

    def broken(machine: object) -> None:
        raise KeyError("layer")

    monkeypatch.setattr(playground_module, "look", broken)
    run(widget, "true")
    assert widget.note == "The machine cannot be drawn any more: 'layer'. Undo takes you back."
    monkeypatch.undo()
    widget.handle({"do": "undo"})
    assert widget.note == "Taken back: true"


# --- playground(), with the lesson


@pytest.fixture
def notebook() -> Iterator[InteractiveShell]:
    made = InteractiveShell.instance()
    made.register_magics(LabMagics(made))
    yield made
    InteractiveShell.clear_instance()


def test_it_is_the_lessons_machine(notebook: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    widget = labkit.jupyter.playground("docker pull -q busybox")
    assert widget
    notebook.run_cell("%docker volume create data")
    assert widget.names == ["busybox:latest", "data"]
    assert [row["line"] for row in widget.log] == ["docker pull -q busybox", "docker volume create data"]
    notebook.run_cell("%undo")
    assert widget.names == ["busybox:latest"]
    run(widget, "docker volume create mine")
    notebook.run_cell("%docker volume ls -q")
    assert capsys.readouterr().out.endswith("mine\n")
    notebook.run_cell("%fresh storage_driver=vfs")
    assert (widget.titles, widget.timeline.options) == ([], {"storage_driver": "vfs"})
    notebook.run_cell("%docker volume create after")
    assert widget.names == ["after"]


def test_or_one_of_its_own(notebook: InteractiveShell) -> None:
    own, other = labkit.jupyter.playground(fresh=True), labkit.jupyter.playground(storage_driver="vfs")
    assert own
    assert other
    run(own, "docker volume create mine")
    assert (labkit.jupyter.lesson().machine.engine.volumes(), other.names) == ([], [])
    assert other.timeline.machine.driver.name == "vfs"
    own.handle({"do": "share"})
    opened = labkit.jupyter.playground(own.shared["text"], "docker volume create more")
    assert opened
    assert opened.names == ["mine", "more"]


def test_only_the_newest_follow_a_lesson() -> None:
    lesson = LessonMachine()
    widgets = [open_playground((), lambda: lesson, False, {}) for _ in range(playground_module.MOST_FOLLOWERS + 1)]
    run(widgets[-1], "docker volume create one")
    assert [widget.names for widget in widgets] == [[], ["one"], ["one"], ["one"]]
    run(widgets[0], "docker volume create two")
    assert all(widget.names == ["one", "two"] for widget in widgets)


@pytest.mark.parametrize(
    ("lines", "options", "said"),
    [
        ((3,), {}, "3 is no line to type: write it in quotes"),
        (("labkit:1:x",), {}, "it is damaged: copy the whole text again"),
        ((), {"storage_driver": "ext4"}, "ext4"),
        ((), {"colour": "red"}, "what can be chosen is system=,"),
    ],
)
def test_a_wrong_argument_is_one_line(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str], lines: tuple[Any, ...], options: Any, said: str
) -> None:
    assert labkit.jupyter.playground(*lines, **options) is None
    out = capsys.readouterr().out
    assert out.startswith("playground: ")
    assert said in out
    assert out.count("\n") == 1


def test_a_playground_is_shown_alike_whoever_looked_before() -> None:
    def shown(lesson: LessonMachine) -> str:
        lesson.fresh()
        lesson.run("docker run --name box busybox touch /x")
        return str(PlaygroundWidget(lesson)._repr_mimebundle_()[0]["text/html"])

    lesson = LessonMachine()
    first = shown(lesson)
    assert shown(lesson) == first
