"""The prompt: PS1 with busybox's and bash's backslash sequences, or plainly (dash)."""

from __future__ import annotations

import re
from collections.abc import Callable

from labkit.shell import expand
from labkit.shell.messages import DASH
from labkit.shell.parser import document_word
from labkit.shell.running import Shell

_SEQUENCE = re.compile(r"\\([whHu$ns\\vV\[\]eWa])")


def _folder(shell: Shell) -> str:
    here, home = shell.get("PWD") or shell.files.cwd, shell.get("HOME") or ""
    if len(home) > 1 and (here == home or here.startswith(home + "/")):
        return "~" + here[len(home) :]
    return here


def _user(shell: Shell) -> str:
    uid = shell.files.user.uid
    try:
        lines = shell.files.read("/etc/passwd").decode("utf-8", "replace").splitlines()
    except OSError:
        return "root" if uid == 0 else str(uid)
    return next((line.split(":")[0] for line in lines if line.split(":")[2:3] == [str(uid)]), str(uid))


_MEANING: dict[str, Callable[[Shell], str]] = {
    "w": _folder,
    "W": lambda shell: _folder(shell).rpartition("/")[2] or "/",
    "h": lambda shell: shell.process.hostname.partition(".")[0],
    "H": lambda shell: shell.process.hostname,
    "u": _user,
    "$": lambda shell: "#" if shell.files.user.uid == 0 else "$",
    "n": lambda shell: "\n",
    "s": lambda shell: shell.arg0.rpartition("/")[2].lstrip("-"),
    "v": lambda shell: "5.2",
    "V": lambda shell: "5.2.15",
    "\\": lambda shell: "\\",
    "[": lambda shell: "",
    "]": lambda shell: "",
    "e": lambda shell: "\x1b",
    "a": lambda shell: "\a",
}


def prompt(shell: Shell, name: str) -> str:
    """PS1 or PS2 as it is shown now."""
    text = shell.get(name) or ""
    if shell.dialect is not DASH:
        text = _SEQUENCE.sub(lambda found: _MEANING[found.group(1)](shell), text)
    if "$" in text or "`" in text:
        text = expand.text(shell, document_word(text))
    return text
