"""The pages for people: the front page, the lessons as HTML, the playground, and what teachers and authors need.

They hold no script from elsewhere, and all but the playground can be read without any.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import jinja2
import nbformat
from archive import HERE, ROOT
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import markdown2html
from pygments.formatters import HtmlFormatter

from labkit.course.lessons import LESSONS, Lesson, exercises_by_lesson
from labkit.course.progress import COURSE, DEMO
from labkit.course.record import for_learner, misconceptions
from labkit.jupyter.magics import LessonMachine
from labkit.jupyter.picture import draw, svg_address, svg_width

STORY = (  # what the front page's picture tells: what is typed, and what then has happened
    ("docker pull -q busybox", "An image is fetched: layers that nobody can change."),
    ("docker run -d --name web busybox sleep 1000", "A container stands on them, with a layer of its own to write in."),
    (
        "docker exec web sh -c 'echo hello >/etc/motd'",
        "It changes a file of the image: the change is in its own layer.",
    ),
    (
        "docker run -d --name shop -v orders:/data busybox sleep 1000",
        "Another has the same image, and a volume beside it.",
    ),
    ("docker rm -f web", "The first is gone, and its layer with all that it wrote. The image and the volume are not."),
)
TABLES = {"image/svg+xml", "text/html", "text/plain"}


@dataclass(frozen=True)
class Frame:
    """One moment of the front page's picture."""

    command: str
    said: str
    address: str
    width: int
    words: str


@dataclass(frozen=True)
class Address:
    """Where the course is, as the project's file says."""

    repository: str

    def link(self, target: str) -> str:
        """A link of a document in the repository, as one that works from the site."""
        if "://" in target or target.startswith("#"):
            return target
        return f"{self.repository}/blob/main/{target}"


def frames() -> list[Frame]:
    lesson, found = LessonMachine(), []
    for command, said in STORY:
        done = lesson.run(command)
        assert done.returncode == 0, done
        shown = lesson.show()
        svg = draw(shown.dot)
        found.append(Frame(command, said, svg_address(svg), svg_width(svg), shown.text))
    return found


def write_pages(out: Path, address: Address) -> None:
    """All of them; `out` holds JupyterLite's part already."""
    loader = jinja2.FileSystemLoader(HERE / "page")
    templates = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    course = exercises_by_lesson()
    facts = {"lessons": LESSONS, "course": course, "number": sum(map(len, course.values())), "address": address}

    def write(path: str, template: str, depth: str, **more: object) -> None:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        text = templates.get_template(template).render(root=depth, **facts, **more)
        text = re.sub(r"<(pre|figure)(?=[ >])", r'<\1 tabindex="0"', text)  # what is wide is moved by keys, too
        (out / path).write_text(text, encoding="utf-8")

    points = {each.slug: [stem, each.points] for stem in course for each in course[stem]}
    write("index.html", "front.html", "", frames=frames(), known=json.dumps(points), key=COURSE)
    for lesson in LESSONS:
        write(
            f"lessons/{lesson.stem}.html",
            "lesson.html",
            "../",
            lesson=lesson,
            body=lesson_body(lesson),
            **around(lesson),
        )
    write("lessons/index.html", "lessons.html", "../")
    exercises = {each.slug: for_learner(each, DEMO, "") for stem in course for each in course[stem]}
    write("teachers/exercises.html", "exercises.html", "../", shown=exercises, beliefs=misconceptions(), html=markdown)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    teaching = readme[readme.index("## Teaching with it") : readme.index("## Adding an exercise")]
    write(
        "teachers/index.html",
        "document.html",
        "../",
        title="For teachers",
        body=document(teaching, address),
        links=[("exercises.html", "All exercises, with their solutions")],
    )
    authors = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    write("authors/index.html", "document.html", "../", title="For authors", body=document(authors, address), links=[])
    styles = (HERE / "page" / "site.css").read_text(encoding="utf-8")
    (out / "page" / "site.css").write_text(
        styles + HtmlFormatter(style="default").get_style_defs(".highlight"), encoding="utf-8"
    )
    for name in ("playground.js", "playground.css"):
        shutil.copy(ROOT / "labkit" / "jupyter" / "static" / name, out / "playground" / name)


def markdown(text: str) -> str:
    return markdown2html(text)


def document(text: str, address: Address) -> str:
    """A document of the repository as HTML; its links lead into the repository."""
    linked = re.sub(r"\]\(([^)\s]+)\)", lambda found: f"]({address.link(found[1])})", text)
    return re.sub(r"<(/?)h1", r"<\1h2", markdown2html(linked))


def around(lesson: Lesson) -> dict[str, Lesson | None]:
    place = LESSONS.index(lesson)
    return {
        "before": LESSONS[place - 1] if place else None,
        "after": LESSONS[place + 1] if place + 1 < len(LESSONS) else None,
    }


def lesson_body(lesson: Lesson) -> str:
    """The lesson's cells with their saved outputs. Where a widget would be stands what it shows without a kernel."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{lesson.stem}.ipynb", as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            output["data"] = {kind: data[kind] for kind in data if kind in TABLES} if data else data
    exporter = HTMLExporter(template_name="basic")
    exporter.exclude_anchor_links = True
    body, _ = exporter.from_notebook_node(notebook)
    return re.sub(r'href="(\d\d-[\w-]+)\.ipynb', r'href="\1.html', body)
