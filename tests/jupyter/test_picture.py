"""The picture and its text: the same facts, safe whatever names a machine holds."""

from __future__ import annotations

import base64
import re
import sys
import xml.etree.ElementTree as ElementTree
from types import ModuleType

import pytest

from labkit import Machine
from labkit.course.machines import MountFacts
from labkit.engine.images.images import ImageStep
from labkit.jupyter.picture import MANY, DrawingError, Picture, dot, draw, label_text, picture
from labkit.jupyter.view import MachineView, SeenContainer, SeenImage, cut, in_words, look

from .machines import APP_STEPS, small_machine

HOSTILE = ('"><script>alert(1)</script>', "</TD></TR></TABLE>>]", "a\nb\\N\\l", "]] -> x; y [", "&lt;b&gt;", "é☃" * 40)


def svg_of(made: Picture) -> str:
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', made.html())
    assert found
    return base64.b64decode(found[1]).decode()


def test_text_of_a_machine() -> None:
    lines = in_words(look(small_machine())).splitlines()
    assert lines[:3] == [
        "image busybox:latest (8bcd5f8a103a, 1.98MB)",
        "  1. BusyBox 1.35.0 (glibc), Debian 12: 1.98MB, layer 2ef1f6058f03",
        "  on which stands",
    ]
    assert '      4. ENTRYPOINT ["sleep" "1000"]: 0B, no layer' in lines
    assert lines[-3:] == [
        "  /data is covered by volume data",
        "  /src is covered by host folder /home/learner/src, read-only",
        "volume data",
    ]
    assert in_words(MachineView()) == "no images, no containers, no volumes"


def test_the_picture_says_what_the_text_says() -> None:
    svg = svg_of(picture(small_machine()))
    said = " ".join(text for element in ElementTree.fromstring(svg).iter() if (text := element.text))
    for fact in ("app:1", "1.98MB", "5B", "4B", "web", "C /tmp", "covers /data", "(read-only)", "no layer"):
        assert fact in said


def test_the_same_machine_gives_the_same_picture() -> None:
    assert picture(small_machine()).html() == picture(small_machine()).html()


def test_changes_stand_out_by_a_border_and_by_a_word() -> None:
    machine = small_machine()
    before = look(machine)
    machine.run(r"printf 'FROM scratch\nCOPY app.py /\n' | docker build -q -t new:1 -f - app")
    changed = picture(machine, before=before)
    assert 'BORDER="3"' in changed.dot
    assert changed.dot.count("&#91;NEW&#93;") == 2
    assert changed.text.count("[new]") == 2
    assert 'BORDER="3"' not in picture(machine).dot


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_never_markup(name: str) -> None:
    mount = MountFacts("volume", name, f"/{name}", True)
    image = SeenImage(f"sha256:{'a' * 64}", (name,), (ImageStep(f"RUN {name}", 3, f"sha256:{'b' * 64}"),), 3)
    container = SeenContainer("c" * 64, name, image.id, "running", (("A", f"/{name}"),), 24, (mount,))
    made = Picture(MachineView((image,), (container,), (name,)))
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


def test_in_a_browser_the_page_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labkit.jupyter.picture.IN_BROWSER", True)
    page = ModuleType("js")
    monkeypatch.setitem(sys.modules, "js", page)
    draw.cache_clear()
    with pytest.raises(DrawingError, match="has not loaded Graphviz"):
        draw("abc")
    page.labkitDraw = lambda text: (
        f"<?xml?><!-- a --><svg><title>t</title><text font-family='x'>{len(text)}</text></svg>"
    )
    assert draw("abc") == "<svg><text font-family='x'>3</text></svg>"
    draw.cache_clear()


def test_dot_names_no_font_colour_only_meaning() -> None:
    text = dot(look(small_machine()))
    assert "read-only" in text
    assert "own layer, writable" in text


def crowd(count: int) -> Machine:
    return small_machine("docker rm -f web", *(f"docker run -d --name web{number} app:1" for number in range(count)))


def test_few_containers_have_a_box_each_and_many_share_one() -> None:
    assert picture(crowd(MANY)).dot.count("own layer, writable") == MANY
    many = picture(crowd(MANY + 1)).dot
    assert many.count("own layer, writable") == 0
    assert "9 containers, each with a layer of its own" in many
    assert all(f"web{number}" in many for number in range(MANY + 1))


def test_of_many_containers_the_changed_one_stands_alone() -> None:
    machine = crowd(MANY + 2)
    before = look(machine)
    machine.run("docker exec web0 touch /new")
    changed = picture(machine, before=before).dot
    assert changed.count("own layer, writable") == 1
    assert "A /new <B>&#91;NEW&#93;</B>" in changed
    assert f"{MANY + 1} containers, each" in changed


def test_many_changed_at_once_are_marked_in_their_rows() -> None:
    machine = crowd(MANY + 2)
    marked = picture(machine, before=MachineView()).dot
    assert "own layer, writable" not in marked
    assert marked.count("&#91;NEW&#93;") == MANY + 2 + 2 + APP_STEPS + 1, (
        "each row, the images and their steps, the volume"
    )
