"""What holds for every widget: its script, and how it takes messages."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import ClassVar

import pytest

import labkit.jupyter
from labkit.jupyter.panel import Panel

for found in pkgutil.iter_modules(labkit.jupyter.__path__):
    importlib.import_module(f"labkit.jupyter.{found.name}")
PANELS = sorted((each for each in Panel.__subclasses__() if each.__module__.startswith("labkit.")), key=repr)
LARGEST = 30_000  # characters; a script is sent with every widget


@pytest.fixture(params=PANELS, ids=lambda panel: panel.__name__)
def panel(request: pytest.FixtureRequest) -> type[Panel]:
    return request.param


def test_the_page_puts_texts_in_as_texts(panel: type[Panel]) -> None:
    for dangerous in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http"):
        assert dangerous not in str(panel._esm)
    assert len(str(panel._esm)) < LARGEST


def test_the_page_asks_for_what_python_does(panel: type[Panel]) -> None:
    assert set(re.findall(r'\bdo:"([^"]+)"', str(panel._esm))) == set(panel.actions)


class Deaf(Panel):
    """A panel of one action, which fails."""

    said = ""

    def fail(self, message: object) -> None:
        raise ValueError("no such thing")

    actions: ClassVar = {"fail": fail}

    def failed(self, sentence: str) -> None:
        self.said = sentence

    def still(self) -> str:
        return "<p>still</p>"


def test_what_fails_is_said_and_what_is_no_message_is_passed_over() -> None:
    widget = Deaf()
    for nothing in (None, 3, "fail", [], {}, {"do": None}, {"do": ["fail"]}, {"do": "unknown"}):
        widget.handle(nothing)
    assert widget.said == ""
    widget.handle({"do": "fail"})
    assert widget.said == "That could not be done: no such thing"
