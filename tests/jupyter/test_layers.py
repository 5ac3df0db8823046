"""The layer explorer: its rows, its sentences, what it shows of a file, and that no name is ever markup."""

from __future__ import annotations

import json
import re

import pytest

from labkit import Machine
from labkit.jupyter import layers as layers_function
from labkit.jupyter.layer_waste import findings
from labkit.jupyter.layers import MOST_ROWS, PAGE, LayersWidget, as_text, hex_dump, widget

DOCKERFILE = """FROM busybox
COPY archive.tar /
RUN rm /archive.tar
COPY app.py /opt/
RUN chmod 600 /opt/app.py
"""
MARKUP = "<img src=x onerror=alert(1)>"


def built(dockerfile: str = DOCKERFILE) -> Machine:
    machine = Machine()
    machine.run("mkdir app; echo 'print(1)' > app/app.py; dd if=/dev/zero of=app/archive.tar bs=1M count=50")
    machine.files.write("/home/learner/app/Dockerfile", dockerfile)
    done = machine.run("docker build -t app app")
    assert done.returncode == 0, done.stderr
    return machine


@pytest.fixture
def explorer() -> LayersWidget:
    machine = built()
    return widget(lambda: machine, "app")


def row(explorer: LayersWidget, key: str) -> dict:
    return next(each for each in explorer.rows if each["key"] == key)


def test_the_tree_starts_with_all_that_is_seen_and_the_layers_from_the_top(explorer: LayersWidget) -> None:
    assert [each["name"] for each in explorer.rows] == [
        "What a container of it sees",
        "Layer 5: RUN chmod 600 /opt/app.py",
        "Layer 4: COPY app.py /opt/",
        "Layer 3: RUN rm /archive.tar",
        "Layer 2: COPY archive.tar /",
        "Layer 1: BusyBox 1.35.0 (glibc), Debian 12",
    ]
    assert [each["open"] for each in explorer.rows] == [False] * 6
    assert row(explorer, "2:")["note"] == "1 added; 52.4MB of it hidden from above"
    assert repr(explorer) == "layers('app'): 5 layers, 54.4MB, 52.4MB hidden"


def test_a_layer_is_opened_a_folder_at_a_time(explorer: LayersWidget) -> None:
    explorer.handle({"do": "toggle", "key": "5:"})
    assert row(explorer, "5:/opt")["mark"] == ""
    assert row(explorer, "5:/opt")["open"] is False
    explorer.handle({"do": "toggle", "key": "5:/opt"})
    file = row(explorer, "5:/opt/app.py")
    assert (file["mark"], file["size"], file["level"], file["open"]) == ("changed", "9B", 3, None)
    explorer.handle({"do": "toggle", "key": "4:"})
    explorer.handle({"do": "toggle", "key": "4:/opt"})
    assert row(explorer, "4:/opt/app.py")["note"] == "hidden by layer 5"
    explorer.handle({"do": "toggle", "key": "3:"})
    assert row(explorer, "3:/archive.tar")["note"] == "whiteout: hides 52.4MB of layer 2"
    explorer.handle({"do": "toggle", "key": "5:"})
    assert "5:/opt" not in [each["key"] for each in explorer.rows]
    assert [(each["place"], each["of"]) for each in explorer.rows if each["level"] == 1] == [
        (number, 6) for number in range(1, 7)
    ]


def test_the_seen_tree_names_the_layer_of_each_file(explorer: LayersWidget) -> None:
    explorer.handle({"do": "toggle", "key": "0:"})
    explorer.handle({"do": "toggle", "key": "0:/opt"})
    assert row(explorer, "0:/opt/app.py")["note"] == "layer 5"
    assert "0:/archive.tar" not in [each["key"] for each in explorer.rows]


def test_what_would_make_it_smaller(explorer: LayersWidget) -> None:
    assert [each["text"] for each in explorer.findings] == [
        "`/archive.tar`, 52.4MB, is in layer 2 (`COPY archive.tar /`) and hidden by the whiteout of layer 3 "
        "(`RUN rm /archive.tar`): stored and sent, and nothing can read it.",
        "`/opt/app.py`, 9B, is in layer 4 (`COPY app.py /opt/`) and again, with the same content, in layer 5 "
        "(`RUN chmod 600 /opt/app.py`): a new mode, owner or time stores the whole file again.",
    ]
    assert "RUN --mount=type=bind" in explorer.findings[0]["fix"]
    assert "COPY --chmod" in explorer.findings[1]["fix"]


@pytest.mark.parametrize(
    ("lines", "words", "fix"),
    [
        ("RUN dd if=/dev/zero of=/x bs=1k count=9\nRUN rm /x", "hidden by the whiteout", "Delete it in the RUN"),
        ("RUN rm /bin/busybox", "hidden by the whiteout of layer 2", "base image"),
        ("RUN echo one > /x\nRUN echo two >> /x", "again, changed, in layer 3", "Change it in the step that makes it"),
        ("RUN echo one > /x\nRUN mv /x /y", "has the same content at `/y`", "Put it there"),
        ("RUN mkdir /d; echo one > /d/x\nRUN rm -r /d; mkdir /d", "opaque folder of layer 3", "Delete it in the RUN"),
        ("RUN dd if=/dev/zero of=/x bs=1k count=9; cp /x /y", "`/x` and `/y` have the same content, 9.22kB each", "ln"),
        (
            "RUN mkdir -p /var/lib/apt/lists; echo list > /var/lib/apt/lists/one",
            "apt's lists of packages",
            "rm -rf /var/lib/apt/lists",
        ),
        (
            "RUN mkdir /d; for n in 1 2 3 4 5; do echo $n > /d/$n; done\nRUN chmod 600 /d/*",
            "5 files such as `/d/1`, 10B, are in layer 2",
            "COPY --chmod",
        ),
    ],
)
def test_each_kind_of_waste_has_its_sentence(lines: str, words: str, fix: str) -> None:
    machine = built(f"FROM busybox\n{lines}\n")
    found = findings(widget(lambda: machine, "app")._stack)
    assert [each for each in found if words in each.text and fix in each.fix], found


def test_an_image_that_wastes_nothing_says_so() -> None:
    machine = built("FROM busybox\nCOPY app.py /opt/\n")
    explorer = widget(lambda: machine, "app")
    assert explorer.findings == []
    assert explorer.facts[3]["value"] == "100.0%"


def test_a_containers_own_layer_is_on_top_and_is_looked_at_again() -> None:
    machine = built()
    machine.run("docker run -d --name web app sleep 1000")
    explorer = widget(lambda: machine, "web")
    assert explorer.rows[1]["name"] == "Layer 7: the container's own layer"
    assert explorer.rows[1]["note"] == "nothing"
    machine.run("docker exec web sh -c 'echo more >> /opt/app.py; rm /etc/passwd'")
    explorer.handle({"do": "refresh"})
    assert explorer.rows[1]["note"] == "1 changed, 1 deleted"
    assert any("copied up whole" in each["text"] and "volume" in each["fix"] for each in explorer.findings)
    machine.run("docker rm -f web")
    explorer.handle({"do": "refresh"})
    assert "no image or container 'web'" in explorer.said
    assert explorer.rows[1]["note"] == "1 changed, 1 deleted"


def test_where_a_path_comes_from_layer_by_layer(explorer: LayersWidget) -> None:
    explorer.handle({"do": "trace", "path": "archive.tar"})
    assert explorer.picked["lines"] == ["Nothing is seen at this path."]
    assert [each["text"] for each in explorer.picked["trace"]] == [
        "no entry",
        "no entry",
        "whiteout: nothing below counts",
        "file, 52.4MB, -rw-r--r-- 0:0; hidden by layer 3",
        "no entry",
    ]
    explorer.handle({"do": "trace", "path": "/opt/../opt/app.py"})
    assert explorer.picked["lines"] == ["The file of layer 5 is seen."]
    assert explorer.picked["content"] == {"head": "Its text", "text": "print(1)\n"}
    explorer.handle({"do": "trace", "path": "/"})
    assert "all layers put together" in explorer.picked["lines"][0]


def test_a_hidden_files_content_can_be_read_in_its_own_layer(explorer: LayersWidget) -> None:
    explorer.handle({"do": "toggle", "key": "2:"})
    explorer.handle({"do": "pick", "key": "2:/archive.tar"})
    assert explorer.picked["title"] == "/archive.tar in layer 2"
    assert explorer.picked["content"]["head"] == "No text: its first 256 bytes of 52428800"
    assert row(explorer, "2:/archive.tar")["picked"] is True
    explorer.handle({"do": "pick", "key": "2:"})
    assert explorer.picked["lines"][0] == "COPY archive.tar /"


def test_contents_as_text_or_as_bytes() -> None:
    assert as_text("né☃\n".encode(), whole=True) == "né☃\n"
    assert as_text("é".encode()[:1], whole=False) == ""
    assert as_text(b"\xff\xfe", whole=True) is None
    assert as_text(b"a\0b", whole=True) is None
    assert as_text(b"\x1b[31mred", whole=True) == r"\x1b[31mred"
    assert hex_dump(b"\x7fELF" + bytes(14)).splitlines()[1] == f"00000010  {'00 00':<47}  .."


def test_a_large_image_is_sent_in_pieces() -> None:
    machine = built("FROM busybox\nRUN mkdir /d; touch /d/keep\n")
    container = machine.run("docker run -d --name web app sleep 1000")
    assert container.returncode == 0
    files = machine.container("web").files
    for number in range(10_000):
        files.write(f"/d/{number:05}", b"x")
    explorer = widget(lambda: machine, "web")
    explorer.handle({"do": "toggle", "key": "4:"})
    explorer.handle({"do": "toggle", "key": "4:/d"})
    inside = [each for each in explorer.rows if each["level"] == 3]
    assert len(inside) == PAGE + 1
    assert inside[-1]["name"] == f"{PAGE} more of {10_000 - PAGE} left"
    explorer.handle({"do": "more", "key": inside[-1]["key"]})
    assert len([each for each in explorer.rows if each["level"] == 3]) == 2 * PAGE + 1
    for _ in range(20):
        explorer.handle({"do": "more", "key": inside[-1]["key"]})
    assert len(explorer.rows) < MOST_ROWS
    assert "close a folder first" in explorer.said
    assert len(json.dumps(explorer.get_state(["rows", "picked", "facts", "findings"]))) < 500_000


def test_no_name_or_content_is_markup() -> None:
    machine = built()
    files = machine.files
    files.makedirs("/home/learner/bad")
    files.write("/home/learner/bad/Dockerfile", f"FROM busybox\nCOPY x /\nRUN rm /*src* && echo '{MARKUP}'\n")
    for name in (MARKUP, "a\nb\x1b[31m", "`tick`", b"\xff".decode("utf-8", "surrogateescape")):
        machine.files.makedirs("/home/learner/bad/x")
        machine.files.write(f"/home/learner/bad/x/{name}", MARKUP)
    done = machine.run("docker build -t bad bad")
    assert done.returncode == 0, done.stderr
    explorer = widget(lambda: machine, "bad")
    assert set(re.findall(r"<(\w+)", explorer.still())) <= {
        "p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre",
    }  # fmt: skip
    explorer.handle({"do": "toggle", "key": "2:"})
    names = [each["name"] for each in explorer.rows if each["level"] == 2]
    assert MARKUP in names
    json.dumps(explorer.get_state(["rows"])).encode()
    for name in names:
        name.encode("utf-8")
    explorer.handle({"do": "pick", "key": f"2:/{MARKUP}"})
    assert explorer.picked["content"]["text"] == MARKUP
    assert any(MARKUP in each["text"] for each in explorer.findings)


def test_messages_that_mean_nothing_change_nothing(explorer: LayersWidget) -> None:
    before = explorer.rows
    for message in (
        {"do": "toggle"},
        {"do": "toggle", "key": "9:/x"},
        {"do": "pick", "key": None},
        {"do": "more", "key": "2:"},
    ):
        explorer.handle(message)
    assert explorer.rows == before
    explorer.handle({"do": "trace"})
    explorer.handle({"do": "trace", "path": "/../..//\0"})
    assert explorer.picked["lines"] == ["Nothing is seen at this path."]


def test_without_a_kernel_tables_stand_there(explorer: LayersWidget) -> None:
    text = explorer.still()
    assert "<td>COPY archive.tar /</td><td>52.4MB</td><td>1 added</td><td>52.4MB</td>" in text
    assert "deleted /archive.tar whiteout: hides 52.4MB of layer 2" in text


@pytest.mark.parametrize("name", ["", 3, None])
def test_a_wrong_call_is_one_line(name: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert layers_function(name) is None  # type: ignore[arg-type]
    assert capsys.readouterr().out.startswith("layers: of which image or container?")
