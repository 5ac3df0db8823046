"""Panel: what every widget of the course has in common. The state is in Python, as traits; JavaScript only draws it.

What a person does comes as a small message ({"do": "run", "line": "docker ps"}) to `handle`; a row of the widget's
`actions` does it, and the traits that changed go back. So all of it can be tested without a browser. A widget's script
and style are in static/, bundled from widgets/src.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import anywidget

STATIC = pathlib.Path(__file__).parent / "static"


def bundle(name: str) -> tuple[str, str]:
    """A widget's script and style sheet, as `make js` bundles them from widgets/src."""
    script, sheet = ((STATIC / f"{name}.{ending}").read_text(encoding="utf-8") for ending in ("js", "css"))
    return script, sheet


class Panel(anywidget.AnyWidget):
    """A widget that is told what to do by messages."""

    actions: ClassVar[Mapping[str, Callable[[Any, Mapping[str, Any]], None]]] = {}

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(lambda widget, content, buffers: self.handle(content))

    def handle(self, message: object) -> None:
        """Do what a message from the page asks for; whatever is no such message is passed over."""
        if not isinstance(message, Mapping) or str(message.get("do")) not in self.actions:
            return
        try:
            self.actions[str(message["do"])](self, message)
        except Exception as error:  # at this border a learner would otherwise see nothing at all
            self.failed(f"That could not be done: {error}")

    def failed(self, sentence: str) -> None:
        """Show that an action failed."""
        raise NotImplementedError

    def still(self) -> str:
        """What stands in place of the widget where no kernel runs: HTML, everything from outside escaped."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live widget; where no kernel runs, a still picture or text of it."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data["text/plain"] = repr(self)
            data["text/html"] = self.still()
        return bundle
