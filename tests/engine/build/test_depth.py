"""How many layers there may be: overlay2 stands on 128, the layer store lets nobody but a build go over 125.

Facts: moby, daemon/graphdriver/overlay2/overlay.go, daemon/internal/layer/layer_store.go; examples/more-commands.txt.
"""

from __future__ import annotations

import re

import pytest

from labkit.engine.core.errors import EngineError

DEEP = "max depth exceeded"


def dockerfile(copies: int) -> str:
    return "FROM busybox\n" + "".join(f"COPY a.txt /f{number}\n" for number in range(1, copies + 1))


def test_the_130th_layer_of_a_build(host) -> None:
    host.write(dockerfile(130), a_txt="a")
    error = host.build().error
    assert re.search(rf"failed to solve: failed to prepare [a-z0-9]{{25}} as [a-z0-9]{{25}}: {DEEP}$", error)
    assert ">>> COPY a.txt /f129\n" in host.build().text
    host.write(dockerfile(128))
    assert host.build().image


LAYERS = [(123, True, True), (124, True, False), (126, True, False), (127, False, False)]


@pytest.mark.parametrize(("copies", "runs", "commits"), LAYERS)
def test_what_stands_on_many_layers(host, copies: int, runs: bool, commits: bool) -> None:
    """An image has one layer more than it has COPY."""
    host.write(dockerfile(copies), a_txt="a")
    image = host.build().image
    assert image
    body = {"Image": image, "Cmd": ["true"]}
    if not runs:
        with pytest.raises(EngineError, match=f"^{DEEP}$"):
            host.engine.create_container(body, "c1")
        assert host.engine.containers(all=True) == []
        return
    host.engine.create_container(body, "c1")
    if commits:
        assert host.engine.commit("c1")
        return
    with pytest.raises(EngineError, match=f"^{DEEP}$"):
        host.engine.commit("c1")
