"""What an instructor and a student see of a graded class: pages without a server, in light and dark, by axe-core too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.cli import main
from labkit.course.record import for_learner
from labkit.grading.grade import exercises_of

from .control import violations

EVIL = "<script>document.title = 'run'</script>"
CLASS = 12


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of twelve, one without a file, one with a bad one; what each has right grows with the number."""
    base = tmp_path_factory.mktemp("class")
    exercises = exercises_of(("02",))
    (base / "in").mkdir()
    names = [f"s{number:02}" for number in range(CLASS)]
    (base / "roster.csv").write_text("learner,name\n" + "".join(f"{name},{EVIL} {name}\n" for name in [*names, "gone"]))
    for number, name in enumerate(names):
        rows = []
        for place, exercise in enumerate(exercises):
            variant = for_learner(exercise, name, "")
            right = place < number
            answer = variant.solutions[0].answer if right else variant.mistakes[0].example
            rows.append({"exercise": exercise.slug, "revision": exercise.revision, "answer": answer})
        text = json.dumps({"labkit-submission": 1, "learner": name, "answers": rows})
        (base / "in" / f"{name}.labkit.json").write_text(text if number else text[:-5])
    words = ["--roster", str(base / "roster.csv"), "--lesson", "02", "--executor", "here"]
    assert main(["grade", str(base / "in"), "--out", str(base / "out"), *words]) == 0
    assert main(["release", "02", "--out", str(base / "handout"), "--deadline", "2026-11-30 18:00"]) == 0
    return base


@pytest.fixture(params=["light", "dark"])
def page(browser, request: pytest.FixtureRequest) -> Iterator[object]:
    context = browser.new_context(viewport={"width": 1200, "height": 900}, color_scheme=request.param)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(f"uncaught: {error}"))
    yield page
    context.close()
    assert errors == []


def shown(page, path: Path, name: str) -> None:
    """The page is opened, looked at by axe-core as it is and narrow, and a picture of it is left."""
    page.goto(path.as_uri())
    for width in (1200, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page, "body") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1200, "height": 900})
    scheme = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    pictures = Path(__file__).parent / "screenshots"
    pictures.mkdir(exist_ok=True)
    page.screenshot(path=pictures / f"{name}-{scheme}.png", full_page=True)
    assert page.title() != "run"


def test_the_class(page, report: Path) -> None:
    shown(page, report / "out" / "report.html", "report-class")
    assert page.locator("#all tbody tr").count() == CLASS + 1
    bars = page.locator("svg rect")
    heights = [bars.nth(number).bounding_box()["height"] for number in range(bars.count())]
    counts = [int(text) for text in page.locator("svg text[text-anchor]").all_text_contents() if text.isdecimal()]
    assert sum(counts) == CLASS
    assert heights == pytest.approx([120 * count / max(counts) for count in counts], abs=1)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    bar = bars.first.evaluate("each => getComputedStyle(each).fill")
    assert bar != ground
    assert page.get_by_role("link", name="s11", exact=True).is_visible()
    assert "gone" in page.locator("main").inner_text()


def test_the_table_is_sorted_by_mouse_and_keyboard(page, report: Path) -> None:
    page.goto((report / "out" / "report.html").as_uri())
    points = page.get_by_role("button", name="Points")

    def column() -> list[float]:
        return [float(text) for text in page.locator("#all tbody tr td:nth-child(3)").all_inner_texts()]

    points.click()
    assert column() == sorted(column())
    points.focus()
    page.keyboard.press("Enter")
    assert column() == sorted(column(), reverse=True)
    head = page.get_by_role("columnheader", name="Points")
    assert head.get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Learner").click()
    assert page.locator("#all tbody tr th").first.inner_text() == "gone"


def test_a_student_and_what_is_handed_out(page, report: Path) -> None:
    shown(page, report / "out" / "students" / "s05.html", "report-student")
    assert "of 21 points" in page.locator("main").inner_text()
    assert page.locator("section").count() == 11
    shown(page, report / "handout" / "index.html", "report-handout")
