"""A task's Markdown as HTML for where no kernel runs: paragraphs, lists, blocks, `code`, **bold**; all else is text.

The same little of Markdown that widgets/src/shared/prose.js draws in the live widget.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")


def prose(text: str) -> str:
    """The text as HTML; nothing in it is taken as markup but the signs above."""
    return "\n".join(_block(name, lines) for name, lines in _blocks(text))


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each run of lines that belong together, under the name of its element."""
    name, lines, fenced = "", list[str](), False
    for line in [*text.splitlines(), ""]:
        if line.startswith("```"):
            kind, fenced, line = "", not fenced, ""
        else:
            kind, line = ("pre", line) if fenced else _kind(line, name)
        if kind != name and lines:
            yield name, lines
            lines = []
        name = kind
        lines += [line] if kind else []


def _kind(line: str, before: str) -> tuple[str, str]:
    if not line.strip():
        return "", ""
    if line.startswith("    ") and before in ("", "pre"):
        return "pre", line[4:]
    if line.startswith(("- ", "* ")) or (before == "ul" and line[0].isspace()):
        return "ul", line
    return "p", line.strip()


def _block(name: str, lines: list[str]) -> str:
    if name == "pre":
        return f"<pre>{html.escape(chr(10).join(lines))}</pre>"
    if name == "ul":
        items = [" ".join(item.split()) for item in re.split(r"^[-*] ", "\n".join(lines), flags=re.MULTILINE)[1:]]
        return f"<ul>{''.join(f'<li>{spans(item)}</li>' for item in items)}</ul>"
    return f"<p>{spans(' '.join(lines))}</p>"


def spans(text: str) -> str:
    """`code` and **bold** in a line."""
    made, place = "", 0
    for found in SPAN.finditer(text):
        made += html.escape(text[place : found.start()])
        made += f"<code>{html.escape(found[1])}</code>" if found[1] else f"<strong>{html.escape(found[2])}</strong>"
        place = found.end()
    return made + html.escape(text[place:])
