"""Marks by hand: a page on this computer alone, an answer at a time, with its rubric. No later run overwrites them.

The address holds a secret, so that no other page in the browser and no other user of the computer gives marks; a
request by another name than this computer's own is refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from labkit.course.exercises import rubric_points
from labkit.course.record import for_learner
from labkit.grading.counting import Counted
from labkit.grading.grade import Asked, results
from labkit.grading.report import templates
from labkit.grading.store import Marked, Store

LONGEST = 1 << 16  # bytes of a form
LONGEST_COMMENT = 4000  # characters


class MarkError(ValueError):
    """A mark that cannot be given; str() is one line that says why."""


@dataclass(frozen=True)
class ToMark:
    """One answer that a person reads."""

    learner: str
    counted: Counted

    @property
    def slug(self) -> str:
        return self.counted.exercise.slug


class MarkingDesk:
    """The answers, and the marks that are given."""

    def __init__(self, asked: Asked, store: Store, slug: str = "") -> None:
        self.asked = asked
        self.store = store
        self.answers = list(self._wanted(slug))

    def _wanted(self, slug: str) -> Iterator[ToMark]:
        """Question by question, so that each is read as a whole."""
        found = [
            ToMark(each.learner.learner, counted)
            for each in results(self.asked, self.store)
            for counted in each.counted.values()
            if (counted.exercise.slug == slug if slug else counted.exercise.kind == "write")
        ]
        yield from sorted(found, key=lambda each: each.slug)

    def marked(self, number: int) -> Marked | None:
        each = self.answers[number]
        return self.store.marks(each.learner).get((each.learner, each.slug))

    def give(self, number: int, criteria: list[str], comment: str) -> None:
        """Raises MarkError."""
        each = self.answers[number]
        most = rubric_points(each.counted.exercise) or [each.counted.exercise.points]
        if len(criteria) != len(most):
            raise MarkError("each criterion needs its points")
        points = [_points(text, limit) for text, limit in zip(criteria, most, strict=True)]
        self.store.mark(Marked(each.learner, each.slug, sum(points), comment.strip()[:LONGEST_COMMENT], tuple(points)))

    @property
    def left(self) -> int:
        marks = self.store.marks()
        return sum((each.learner, each.slug) not in marks for each in self.answers)

    def page(self, number: int, base: str, trouble: str = "") -> str:
        each = self.answers[number]
        exercise = for_learner(each.counted.exercise, each.learner, self.asked.seed)
        most = rubric_points(exercise)
        return templates().get_template("mark.html.jinja").render(
            each=each, exercise=exercise, number=number, count=len(self.answers), left=self.left, base=base,
            criteria=list(zip(exercise.own.rubric, most, strict=True)) or [("points", exercise.points)],
            given=self.marked(number), trouble=trouble, model=[str(one.answer) for one in exercise.solutions],
        )  # fmt: skip


def _points(text: str, most: int) -> float:
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        raise MarkError(f"'{text[:20]}' is no number of points") from None
    if not 0 <= points <= most:
        raise MarkError(f"{text[:20]} is not between 0 and {most} points")
    return points


class MarkingServer(HTTPServer):
    """On the loopback address only."""

    def __init__(self, desk: MarkingDesk, port: int = 0) -> None:
        self.desk = desk
        self.base = f"/{secrets.token_urlsafe(16)}/"
        super().__init__(("127.0.0.1", port), MarkingHandler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{self.base}"


class MarkingHandler(BaseHTTPRequestHandler):
    """GET shows an answer, POST marks it and goes on to the next."""

    server: MarkingServer

    def do_GET(self) -> None:
        number = self._number()
        if number is not None:
            self._send(self.server.desk.page(number, self.server.base))

    def do_POST(self) -> None:
        number = self._number()
        if number is None:
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        form = parse_qs(self.rfile.read(int(length)).decode("utf-8", "replace"), keep_blank_values=True)
        desk = self.server.desk
        try:
            desk.give(number, form.get("points", []), form.get("comment", [""])[0])
        except MarkError as error:
            self._send(desk.page(number, self.server.base, str(error)))
            return
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", f"{self.server.base}?n={min(number + 1, len(desk.answers) - 1)}")
        self.end_headers()

    def _number(self) -> int | None:
        """Which answer; None where the request is refused, which is answered."""
        url = urlsplit(self.path)
        hosts = (f"127.0.0.1:{self.server.server_port}", f"localhost:{self.server.server_port}")
        asked = parse_qs(url.query).get("n", ["0"])[0]
        if self.headers.get("Host") not in hosts or not secrets.compare_digest(url.path, self.server.base):
            self.send_error(HTTPStatus.FORBIDDEN)
        elif not (asked.isdecimal() and len(asked) < 9 and int(asked) < len(self.server.desk.answers)):
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            return int(asked)
        return None

    def _send(self, page: str) -> None:
        data = page.encode("utf-8", "replace")
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a terminal is no place for each request."""
