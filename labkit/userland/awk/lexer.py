"""The words of an awk program."""

from __future__ import annotations

import re
from collections.abc import Collection

_KEYWORDS = set(
    "BEGIN END function func if else while for do break continue next exit return delete in print printf".split()
) | {"getline"}
_WORD = re.compile(
    r"(?P<blank>[ \t\r]+|\\\n|#[^\n]*)|(?P<newline>\n)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+)"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<op>\*\*=|\|\||&&|\+\+|--|\+=|-=|\*=|/=|%=|\^=|\*\*|==|<=|>=|!=|>>|!~|[-{}()\[\];,+*/%^!><|?:~$=])",
    re.S,
)
_REGEX = re.compile(r"/((?:[^/\\\[\n]|\\.|\[\^?\]?(?:[^\]\\]|\\.)*\])*)/")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "/": "/", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def unescaped(body: str) -> str:
    def one(match: re.Match[str]) -> str:
        return chr(int(match[1], 8)) if match[1] else _ESCAPES.get(match[2], "\\" + match[2])

    return re.sub(r"\\(?:([0-7]{1,3})|(.))", one, body, flags=re.S)


class AwkSyntaxError(Exception):
    """The program is wrong near this word."""

    def __init__(self, near: str = "") -> None:
        super().__init__(near)
        self.near = near


def lexed(source: str, builtins: Collection[str]) -> list[tuple[str, str]]:
    """The words, each with its kind. A slash is a division or begins a pattern, as what stands before it says."""
    words: list[tuple[str, str]] = []
    place = 0
    while place < len(source):
        if source[place] == "/" and _starts_pattern(words):
            match = _REGEX.match(source, place)
            if not match:
                raise AwkSyntaxError(source[place : place + 10])
            words.append(("regex", match[1].replace("\\/", "/")))
            place = match.end()
            continue
        match = _WORD.match(source, place)
        if not match:
            raise AwkSyntaxError(source[place])
        place = match.end()
        kind = match.lastgroup or ""
        if kind == "newline":
            words.append(("newline", "\n"))
        elif kind == "string":
            words.append(("string", unescaped(match[0][1:-1])))
        elif kind == "name":
            words.append((_kind_of(match[0], source[place : place + 1], builtins), match[0]))
        elif kind != "blank":
            words.append((kind, match[0]))
    return [*words, ("end", "")]


def _kind_of(name: str, following: str, builtins: Collection[str]) -> str:
    if name in _KEYWORDS:
        return "keyword"
    if name in builtins:
        return "builtin"
    return "call" if following == "(" else "name"


def _starts_pattern(words: list[tuple[str, str]]) -> bool:
    if not words:
        return True
    kind, word = words[-1]
    if kind in ("number", "string", "name", "regex"):
        return False
    return not (kind == "builtin" or word in (")", "]", "++", "--", "$"))
