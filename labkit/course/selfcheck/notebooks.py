"""The notebooks as they are saved: what they use, name and link to, and what a lesson begins and ends with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from urllib.parse import unquote

from labkit.course.lessons import PLAN, Cell, Notebook, lines
from labkit.course.record import number_fault

USE = re.compile(r"""(?:^|\W)exercise\(\s*["']([^"']+)["']|^\s*%%answer\s+([^\s@]+)""", re.MULTILINE)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MINUTES = re.compile(r"\babout (\d+) minutes\b")
IMAGE = re.compile(r"!\[([^\]]*)\]\(|<img\b([^>]*)>")
ALT = re.compile(r"""\balt=["'][^"']*\S[^"']*["']""")
LINK = re.compile(r"""\]\(\s*<?([^)\s>]+)|\bhref=["']([^"']+)["']""")
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#", re.IGNORECASE)  # another place, or one in the same page


def notebook_faults(notebook: Notebook, lessons: Mapping[str, str], unread: Container[str]) -> Iterator[str]:
    """What is wrong with a notebook. `lessons`: each exercise's; `unread`: exercises that are there, with faults."""
    yield from _use_faults(notebook, lessons, unread)
    yield from _id_faults(notebook)
    for number, cell in enumerate(notebook.cells, 1):
        faults = _code_faults(notebook, cell) if cell.code else _prose_faults(notebook, cell)
        yield from (f"cell {cell.id or number}: {fault}" for fault in faults)
    yield from _frame_faults(notebook)


def used_slugs(notebook: Notebook) -> list[str]:
    """The exercises that a notebook's code cells name, once for each time."""
    return [found[1] or found[2] for cell in notebook.code for found in USE.finditer(cell.source)]


def _use_faults(notebook: Notebook, lessons: Mapping[str, str], unread: Container[str]) -> Iterator[str]:
    """Each exercise is used in the notebook of its lesson, once, and what notebooks use is there."""
    used = Counter(used_slugs(notebook))
    for slug, times in sorted(used.items()):
        if slug not in lessons and slug not in unread:
            yield f"there is no exercise '{slug}'"
        elif lessons.get(slug, notebook.name) != notebook.name:
            yield f"the exercise '{slug}' belongs to {lessons[slug]}.ipynb"
        elif times > 1:
            yield f"the exercise '{slug}' is there {times} times"
    yield from (
        f"it does not use the exercise '{slug}'"
        for slug, lesson in lessons.items()
        if lesson == notebook.name and slug not in used
    )


def _id_faults(notebook: Notebook) -> Iterator[str]:
    taken = Counter(cell.id for cell in notebook.cells)
    yield from (f"{count} cells have the id '{name}'" for name, count in taken.items() if name and count > 1)
    yield from (f"cell {number} has no id" for number, cell in enumerate(notebook.cells, 1) if not cell.id)


def _code_faults(notebook: Notebook, cell: Cell) -> Iterator[str]:
    for kind in ("claim", "picture"):
        for name in cell.tagged(kind):
            home = PLAN.lesson_of(kind, name)
            if not home:
                yield f"there is no {kind} {name}"
            elif home != notebook.name:
                yield f"the {kind} {name} belongs to {home}.ipynb"
    for number in cell.tagged("misconception"):
        if fault := number_fault(int(number) if number.isdecimal() else number):
            yield fault
    if cell.tagged("claim") and not shown_text(cell):
        yield f"it is tagged claim:{cell.tagged('claim')[0]} and has no saved output"
    if cell.tagged("picture") and "<img" not in _html(cell):
        yield f"it is tagged picture:{cell.tagged('picture')[0]} and has no saved picture"
    yield from (f"it ends with {each.get('ename')}" for each in cell.outputs if each.get("output_type") == "error")
    if pictures_without_text(_html(cell)):
        yield "a picture of its output has no alt text"


def shown_text(cell: Cell) -> str:
    """What the cell shows as text."""
    streams = [lines(each, "text") for each in cell.outputs]
    return "".join([*streams, *(lines(each, "data", "text/plain") for each in cell.outputs)])


def _html(cell: Cell) -> str:
    return "".join(lines(each, "data", "text/html") for each in cell.outputs)


def pictures_without_text(markup: str) -> int:
    """How many images in it have no alternative text: Markdown's ![…](…), and <img>."""
    images = IMAGE.finditer(markup)
    return sum(not (each[1].strip() if each[1] is not None else ALT.search(each[2])) for each in images)


def _prose_faults(notebook: Notebook, cell: Cell) -> Iterator[str]:
    text = CODE.sub("", cell.source)
    to_come = {f"{lesson.stem}.ipynb" for lesson in PLAN.lessons}  # that one is missing is said once, elsewhere
    if missing := pictures_without_text(text):
        yield f"{missing} picture{'s have' if missing > 1 else ' has'} no alt text"
    for found in LINK.finditer(text):
        target = found[1] or found[2]
        path = unquote(target.partition("#")[0])
        there = path in to_come or (notebook.path.parent / path).exists()
        if not OUTSIDE.match(target) and not there:
            yield f"the link to '{target}' leads nowhere"


def _frame_faults(notebook: Notebook) -> Iterator[str]:
    """What a lesson begins and ends with."""
    if not notebook.cells:
        yield "it is empty"
        return
    names = [lesson.stem for lesson in PLAN.lessons]
    if notebook.name not in names:
        yield "there is no such lesson in labkit/course/lessons.toml"
        return
    yield from _opening_faults(notebook)
    prose = "\n".join(cell.source for cell in notebook.prose)
    headings = re.findall(r"^#+ (.*)", prose, re.MULTILINE)
    if not any(re.search(r"can say now|summary|in short", heading, re.IGNORECASE) for heading in headings):
        yield "it has no summary: a heading such as 'What you can say now'"
    if not any(re.search(r"\bprogress\(", cell.source) for cell in notebook.code):
        yield "no cell shows the exercises' state: progress()"
    at = names.index(notebook.name)
    for word, name in _neighbours(names, at):
        if f"({name}.ipynb" not in prose:
            yield f"no link leads {word} to {name}.ipynb"
    if "On your own machine" not in headings:
        yield "it has no section 'On your own machine'"
    if at and re.search(r"\bthe notes\b", prose, re.IGNORECASE):
        yield "it speaks of the notes, which lesson 00 names: 'Often said', 'What happens'"


def minutes(notebook: Notebook) -> float:
    """To read the text, at 200 words a minute, and to run the cells, one and a half a minute."""
    words = sum(len(FENCED.sub("", cell.source).split()) for cell in notebook.prose)
    return words / 200 + len(notebook.code) / 1.5


def _neighbours(names: Sequence[str], at: int) -> Iterator[tuple[str, str]]:
    yield from [("back", names[at - 1])] if at else []
    yield from [("forward", names[at + 1])] if at + 1 < len(names) else []


def _opening_faults(notebook: Notebook) -> Iterator[str]:
    first = notebook.cells[0]
    if first.code or not first.source.startswith("# "):
        yield "its first cell is no title: '# …'"
    if "you can\n" not in first.source or "\n- " not in first.source:
        yield "its first cell does not say what the learner will be able to do: '… you can', and a list"
    stated = MINUTES.search(first.source)
    if stated is None:
        yield "its first cell does not say how long the lesson takes: 'about 40 minutes'"
    elif int(stated[1]) < minutes(notebook):
        yield f"it says that it takes {stated[1]} minutes; to read and run it takes {minutes(notebook):.0f}"
    code = notebook.code[0].source if notebook.code else ""
    if "from labkit.jupyter import" not in code or "%fresh" not in code:
        yield "its first code cell does not import from labkit.jupyter and run %fresh"
