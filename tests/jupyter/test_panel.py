"""What holds for every widget: its script, and how it takes messages."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys

import pytest

import labkit.jupyter
from labkit.course.session import RecordedInput, Timeline
from labkit.jupyter.panel import Panel, log_rows, waiting_text
from labkit.kernel.golang import Json
from labkit.machine import INTERRUPT, Machine

for found in pkgutil.iter_modules(labkit.jupyter.__path__):
    importlib.import_module(f"labkit.jupyter.{found.name}")
PANELS = [each for module in sys.modules.values() if module.__name__.startswith("labkit.jupyter.")
          for each in vars(module).values() if isinstance(each, type) and issubclass(each, Panel) and "_esm" in vars(each)
          and each.__module__ == module.__name__]  # fmt: skip
LARGEST = 30_000  # characters; a script is sent with every widget


@pytest.fixture(params=PANELS, ids=lambda panel: panel.__name__)
def panel(request: pytest.FixtureRequest) -> type[Panel]:
    return request.param


def test_the_page_puts_texts_in_as_texts(panel: type[Panel]) -> None:
    for dangerous in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http"):
        assert dangerous not in str(panel._esm)
    assert len(str(panel._esm)) < LARGEST


def test_the_page_asks_for_what_python_does(panel: type[Panel]) -> None:
    assert set(re.findall(r'\bdo:"([^"]+)"', str(panel._esm))) == {
        name[3:].replace("_", " ") for name in dir(panel) if name.startswith("do_")
    }


class Deaf(Panel):
    """A panel of one action, which fails."""

    said = ""

    def do_fail(self, line: str = "", number: int = 0, keep: bool = False, answer: Json = None) -> None:
        raise ValueError(f"no such thing as {line!r}, {number}, {keep}, {answer}")

    def failed(self, sentence: str) -> None:
        self.said = sentence

    def still(self) -> str:
        return "<p>still</p>"


def test_what_fails_is_said_and_what_is_no_message_is_passed_over() -> None:
    widget = Deaf()
    for nothing in (None, 3, "fail", [], {}, {"do": None}, {"do": ["fail"]}, {"do": "unknown"}):
        widget.handle(nothing)
    assert widget.said == ""
    widget.handle({"do": "fail", "line": "x", "number": 3, "keep": True, "answer": [1], "more": 4})
    assert widget.said == "That could not be done: no such thing as 'x', 3, True, [1]"
    widget.handle({"do": "fail", "line": 3, "number": True, "keep": "yes", "answer": None})
    assert widget.said == "That could not be done: no such thing as '', 0, False, None"


# The last line typed, what came before it, and what the terminal says of its waiting.
WAITS = {
    "true": ((), ""),
    "docker run \\": ((), "The command goes on: type its next line. Ctrl-C gives it up."),
    "echo 'a": ((), "The command goes on: type its next line. Ctrl-C gives it up."),
    "cat <<E": ((), "The command goes on: type its next line. Ctrl-C gives it up."),
    "cat": ((), "`cat` reads what you type. Ctrl-D is the end of that; Ctrl-C ends the command."),
    "more": (("cat",), "`cat` reads what you type. Ctrl-D is the end of that; Ctrl-C ends the command."),
    "lost": (
        ("docker events",),
        "`docker events` keeps the terminal, as it would yours, until Ctrl-C. What is typed before that is lost.",
    ),
    INTERRUPT: (
        ("docker run busybox sleep 1000",),
        "The first process of a container gets a signal only where it has a handler for it, and this one has none. "
        "At the third Ctrl-C `docker` ends, and the container goes on.",
    ),
}


@pytest.mark.parametrize("line", WAITS)
def test_a_terminal_says_what_it_waits_for(line: str) -> None:
    timeline = Timeline(Machine())
    before, said = WAITS[line]
    for each in (*before, line):
        timeline.do(RecordedInput("typed", each))
    assert waiting_text(timeline) == said
    timeline.undo()
    timeline.redo()
    assert waiting_text(timeline) == said


def test_what_clears_the_screen_is_no_text_on_it() -> None:
    timeline = Timeline(Machine())
    for each in ("echo before", "clear; echo after", "docker run --rm -it busybox top"):
        timeline.do(RecordedInput("typed", each))
    rows = log_rows(timeline.past)
    assert [row.get("clears", False) for row in rows] == [False, True, True]
    assert rows[1]["pieces"] == [{"message": False, "text": "after\n"}]
    assert str(rows[2]["pieces"]).startswith("[{'message': False, 'text': 'Mem: ")
