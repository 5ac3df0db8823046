"""Lists by --format: a table with a header, a template, or JSON (docker/cli cli/command/formatter)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .errors import StatusError
from .gotext import TableRow
from .table import align
from .template import HEADER_FUNCTIONS, Template, TemplateError


def _header_label(name: str) -> str:
    return name.rpartition(".")[2].replace("-", " ").replace("_", " ")


def parse(form: str) -> Template:
    """The template of a format, without the word table. Raises StatusError."""
    text = "{{json .}}" if form == "json" else form.removeprefix("table").strip(" ")
    try:
        return Template(text.replace("\\t", "\t").replace("\\n", "\n"))
    except TemplateError as error:
        raise StatusError(f"template parsing error: {error}") from None


def render(form: str, rows: Iterable[TableRow], headers: Mapping[str, str]) -> str:
    """All rows in this format; a table has its header first."""
    template = parse(form)
    try:
        body = "".join(template.render(row) + "\n" for row in rows)
    except TemplateError as error:
        raise StatusError(f"template parsing error: {error}") from None
    if not form.startswith("table"):
        return body
    return align(_header(template, headers) + "\n" + body)


def _header(template: Template, headers: Mapping[str, str]) -> str:
    names = {name: (lambda text=text: text) for name, text in headers.items()}
    row = TableRow("formatter.SubHeaderContext", names, _header_label)
    try:
        return template.render(row, functions=HEADER_FUNCTIONS)
    except TemplateError:
        return ""
