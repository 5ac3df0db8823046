"""An image's history as steps: the Dockerfile's lines, and which of them made a layer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labkit import Machine
from labkit.engine.images.images import image_steps, instruction

DOCKERFILE = """FROM busybox
COPY a /
RUN true
ENV A=1
"""


@pytest.mark.parametrize(
    ("created_by", "text"),
    [
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("RUN |1 VERSION=2 /bin/sh -c make # buildkit", "RUN make"),
        ('/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'),
        ("/bin/sh -c make", "RUN make"),
        ("COPY app.py . # buildkit", "COPY app.py ."),
        ("", "Imported from -"),
    ],
)
def test_a_history_entry_becomes_the_line_that_made_it(created_by: str, text: str) -> None:
    assert instruction(created_by, "Imported from -") == text


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.run(f"echo one > a; cat > Dockerfile <<'EOF'\n{DOCKERFILE}EOF")
    assert machine.run("docker build -t app .").returncode == 0
    return machine


def test_empty_layers_and_settings_are_told_apart(machine: Machine) -> None:
    *_, copied, empty, setting = image_steps(machine.engine.find_image("app"), machine.engine.layerstore)
    assert [(step.text, step.size) for step in (copied, empty, setting)] == [
        ("COPY a /", 4),
        ("RUN true", 0),
        ("ENV A=1", 0),
    ]
    assert copied.layer is not None
    assert empty.layer is not None
    assert (copied.digest, empty.digest) == (copied.layer.diff_id, empty.layer.diff_id)
    assert (setting.digest, setting.layer) == (None, None)


def test_a_layer_without_a_history_is_a_step_all_the_same(machine: Machine) -> None:
    image = machine.engine.find_image("app")
    machine.engine.tables.images.set(image.id, replace(image, config={**image.config, "history": []}))
    steps = image_steps(machine.engine.find_image("app"), machine.engine.layerstore)
    assert [step.text for step in steps] == ["(not in the history)"] * 3
    assert [step.digest for step in steps] == list(image.diff_ids)
