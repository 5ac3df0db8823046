"""The picture and its text: the same facts, safe whatever names a machine holds."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree

import pytest

from labkit.jupyter.picture import MANY, DrawingError, Picture, dot, draw, label_text, picture, use
from labkit.jupyter.view import MachineView, cut, in_words, look

from .fakes import APP, FakeMachine, small_machine

HOSTILE = ('"><script>alert(1)</script>', "</TD></TR></TABLE>>]", "a\nb\\N\\l", "]] -> x; y [", "&lt;b&gt;", "é☃" * 40)


def svg_of(made: Picture) -> str:
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', made.html())
    assert found
    return base64.b64decode(found[1]).decode()


def test_text_of_a_machine() -> None:
    assert in_words(look(small_machine())).splitlines()[:4] == [
        "image ubuntu:24.04 (aaaaaaaaaaaa, 78.1MB)",
        "  1. ADD file:1 in /: 78.1MB, layer 002f62696e2f",
        '  2. CMD ["/bin/bash"]: 0B, no layer',
        "  on which stands",
    ]
    assert in_words(MachineView()) == "no images, no containers, no volumes"


def test_the_picture_says_what_the_text_says() -> None:
    svg = svg_of(picture(small_machine()))
    said = " ".join(text for element in ElementTree.fromstring(svg).iter() if (text := element.text))
    for fact in ("app:1", "306MB", "6.3MB", "229B", "web", "C /tmp", "covers /data", "(read-only)", "no layer"):
        assert fact in said


def test_the_same_machine_gives_the_same_picture() -> None:
    assert picture(small_machine()).html() == picture(small_machine()).html()


def test_changes_stand_out_by_a_border_and_by_a_word() -> None:
    machine = small_machine()
    before = look(machine)
    machine.engine.add_image("new:1", ("COPY a /", 3, True))
    changed = picture(machine, before=before)
    assert 'BORDER="3"' in changed.dot
    assert changed.dot.count("&#91;NEW&#93;") == 2
    assert changed.text.count("[new]") == 2
    assert 'BORDER="3"' not in picture(machine).dot


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_never_markup(name: str) -> None:
    machine = FakeMachine()
    image = machine.engine.add_image(name, (f"RUN {name}", 3, True))
    mounts = [{"Type": "volume", "Name": name, "Destination": f"/{name}", "RW": True}]
    machine.engine.add_container(name, image, ("A", f"/{name}"), mounts=mounts)
    machine.engine.volume_table.append(name)
    made = picture(machine)
    tree = ElementTree.fromstring(svg_of(made))
    assert not [
        element.tag for element in tree.iter() if element.tag.endswith(("script", "image", "a", "foreignObject"))
    ]
    shown = "".join(text for element in tree.iter() if (text := element.text))
    assert cut(name, 10)[:7].replace(" ", "") in shown.replace("\xa0", "").replace(" ", "")
    assert set(re.findall(r"<(\w+)", made.html())) <= {"figure", "img", "details", "summary", "pre"}


def test_long_names_are_cut_and_stay_on_one_line() -> None:
    assert cut("x" * 100, 10) == "xxxxxxx..."
    assert cut("a\n\tb\x1b[31m") == r"a b\x1b[31m"
    assert label_text("é<") == "&#233;&lt;"


def test_the_bundle_is_safe_for_an_untrusted_notebook() -> None:
    bundle = picture(small_machine())._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "<svg" not in bundle["text/html"]
    assert 'alt="Picture of the machine: 2 images' in bundle["text/html"]
    assert "object at 0x" not in bundle["text/plain"]


def test_where_nothing_draws_the_text_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labkit.jupyter.picture._program", lambda: None)
    draw.cache_clear()
    made = picture(small_machine())
    with pytest.raises(DrawingError):
        draw(made.dot)
    assert "pip install graphviz" in made.html()
    assert "image app:1" in made.html()
    assert made.address == ""


def test_another_drawing_function_can_be_handed_in() -> None:
    use(lambda text: f"<?xml?><!-- a --><svg><title>t</title><text font-family='x'>{len(text)}</text></svg>")
    try:
        assert draw("abc") == "<svg><text font-family='x'>3</text></svg>"
    finally:
        use(None)


def test_dot_names_no_font_colour_only_meaning() -> None:
    text = dot(look(small_machine()))
    assert "read-only" in text
    assert "own layer, writable" in text


def crowd(count: int) -> FakeMachine:
    machine = FakeMachine()
    app = machine.engine.add_image("app:1", *APP)
    for number in range(count):
        machine.engine.add_container(f"web{number}", app, ("A", f"/new{number}"))
    return machine


def test_few_containers_have_a_box_each_and_many_share_one() -> None:
    assert picture(crowd(MANY)).dot.count("own layer, writable") == MANY
    many = picture(crowd(MANY + 1)).dot
    assert many.count("own layer, writable") == 0
    assert "9 containers, each with a layer of its own" in many
    assert all(f"web{number}" in many for number in range(MANY + 1))


def test_of_many_containers_the_changed_one_stands_alone() -> None:
    machine = crowd(MANY + 2)
    before = look(machine)
    first = next(iter(machine.engine.container_table.values()))
    first["diff"].append(("A", "/more"))
    changed = picture(machine, before=before).dot
    assert changed.count("own layer, writable") == 1
    assert "A /more <B>&#91;NEW&#93;</B>" in changed
    assert f"{MANY + 1} containers, each" in changed


def test_many_changed_at_once_are_marked_in_their_rows() -> None:
    machine = crowd(MANY + 2)
    marked = picture(machine, before=MachineView()).dot
    assert "own layer, writable" not in marked
    assert marked.count("&#91;NEW&#93;") == MANY + 2 + 1 + len(APP), "each row, the image and its steps"
