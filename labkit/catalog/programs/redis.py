"""Redis: the server and redis-cli. What is set is in dump.rdb at once; a real server saves now and then."""

from __future__ import annotations

import json
from collections.abc import Callable

from labkit.catalog.programs.support import complain, converse, options, read_text, say, timestamp
from labkit.kernel.process import Process

_VERSION = "7.0.15"
_RUNNING = "/run/redis.pid"
_PROMPT = "127.0.0.1:6379> "
_MAGIC = "REDIS0010"


def server(process: Process) -> int:
    if {"--version", "-v"} & set(process.argv):
        say(process, f"Redis server v={_VERSION} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0")
        return 0
    process.files.makedirs("/run")
    process.files.write(_RUNNING, process.files.cwd.encode())
    stamp = timestamp(process, "%d %b %Y %H:%M:%S.000")
    lines = [
        "# oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo",
        "* Running mode=standalone, port=6379.",
        "# Server initialized",
    ]
    if process.files.exists("dump.rdb"):
        lines.append("* DB loaded from disk: 0.000 seconds")
    lines.append("* Ready to accept connections")
    say(process, *(f"{process.pid}:{'C' if number == 0 else 'M'} {stamp} {line}" for number, line in enumerate(lines)))
    return process.wait_forever("TERM", "INT", "QUIT")


def cli(process: Process) -> int:
    _, words = (
        options(process.argv[1:], ("-h", "-p", "-a", "-n"))
        if process.argv[1:2] and process.argv[1].startswith("-")
        else ({}, process.argv[1:])
    )
    if "--version" in process.argv:
        say(process, f"redis-cli {_VERSION}")
        return 0
    if not process.files.exists(_RUNNING):
        complain(process, "Could not connect to Redis at 127.0.0.1:6379: Connection refused")
        return 1
    if not words and process.stdin.isatty:
        return converse(process, _talk, None, _PROMPT)
    lines = (
        [words] if words else [line.split() for line in process.stdin.read().decode("utf-8", "replace").splitlines()]
    )
    for line in filter(None, lines):
        say(process, *_answer(process, line))
    return 0


def _talk(process: Process, line: str, state: None) -> tuple[None, str | None]:
    words = line.split()
    if words[:1] in (["exit"], ["quit"]):
        return state, None
    if words:
        say(process, *(_shown(words[0].lower(), text) for text in _answer(process, words)))
    return state, _PROMPT


def _shown(command: str, text: str) -> str:
    """An answer as a terminal shows it, with its type."""
    if command in ("incr", "del", "exists", "dbsize") and text.isdigit():
        return f"(integer) {text}"
    if command == "get" and not text.startswith("(error)"):
        return f'"{text}"' if text else "(nil)"
    return text


def _answer(process: Process, words: list[str]) -> list[str]:
    run = _COMMANDS.get(words[0].lower())
    if run is None:
        rest = " ".join(map(repr, words[1:]))
        return [f"(error) ERR unknown command '{words[0]}', with args beginning with: {rest}", ""]
    path = f"{read_text(process.files, _RUNNING).rstrip('/')}/dump.rdb"
    text = read_text(process.files, path)
    data: dict[str, str] = json.loads(text.removeprefix(_MAGIC)) if text.startswith(_MAGIC) else {}
    before = dict(data)
    try:
        answer = run(data, words[1:])
    except (IndexError, ValueError):
        return [f"(error) ERR wrong number of arguments for '{words[0].lower()}' command", ""]
    if data != before or words[0].lower() in ("save", "bgsave"):
        process.files.write(path, (_MAGIC + json.dumps(data)).encode())
    return answer


def _set(data: dict[str, str], words: list[str]) -> list[str]:
    data[words[0]] = words[1]
    return ["OK"]


def _increase(data: dict[str, str], words: list[str]) -> list[str]:
    data[words[0]] = str(int(data.get(words[0], "0")) + 1)
    return [data[words[0]]]


def _clear(data: dict[str, str], words: list[str]) -> list[str]:
    data.clear()
    return ["OK"]


def _delete(data: dict[str, str], words: list[str]) -> list[str]:
    return [str(sum(data.pop(word, None) is not None for word in words))]


_COMMANDS: dict[str, Callable[[dict[str, str], list[str]], list[str]]] = {
    "ping": lambda data, words: words[:1] or ["PONG"],
    "set": _set,
    "get": lambda data, words: [data.get(words[0], "")],
    "incr": _increase,
    "del": _delete,
    "exists": lambda data, words: [str(sum(word in data for word in words))],
    "keys": lambda data, words: sorted(data) or [""],
    "dbsize": lambda data, words: [str(len(data))],
    "save": lambda data, words: ["OK"],
    "bgsave": lambda data, words: ["Background saving started"],
    "flushall": _clear,
}
