"""What holds for every widget: its script, and how it takes messages."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys

import pytest

import labkit.jupyter
from labkit.jupyter.panel import Panel
from labkit.kernel.golang import Json

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
