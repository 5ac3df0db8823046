"""find: what it does with a file (but -printf and -ls), and its walk through the folders."""

from __future__ import annotations

import re
import stat
from contextlib import suppress
from posixpath import basename, dirname

from labkit.userland.find_expression import (
    QUOTED,
    SHOWING,
    TESTS,
    FindParser,
    FindRun,
    Predicate,
    Primary,
    Visited,
    both_of,
    doing,
    print_path,
)
from labkit.userland.tool import Say, Tool, Utility


def _prune(parser: FindParser, word: str) -> Predicate:
    return doing(lambda found: setattr(found, "pruned", True))


def _quit(parser: FindParser, word: str) -> Predicate:
    return doing(lambda found: setattr(parser.search, "ended", True))


def _delete(parser: FindParser, word: str) -> Predicate:
    parser.search.acts = parser.search.deep_first = True
    tool = parser.tool

    def act(found: Visited) -> bool:
        if found.path == ".":
            return True
        remove = tool.files.rmdir if stat.S_ISDIR(found.about.st_mode) else tool.files.unlink
        cannot = Say("{0}", "cannot delete {0:l}")
        return tool.attempt(lambda: (remove(found.path), True), cannot, found.path) is not None

    return act


def _exec(parser: FindParser, word: str) -> Predicate:
    parser.search.acts = True
    argv: list[str] = []
    batch = False
    while True:
        arg = parser.next(word)
        if arg == ";":
            break
        if arg == "+" and argv and argv[-1] == "{}":
            batch = True
            break
        argv.append(arg)
    if batch:
        return _exec_together(parser, argv[:-1])

    def act(found: Visited) -> bool:
        parser.tool.tick()
        named = [arg.replace("{}", found.path) for arg in argv]
        if word == "-ok":
            parser.tool.process.stderr.write(f"{' '.join(named)} ?")
            if parser.tool.process.stdin.readline()[:1] not in (b"y", b"Y"):
                return False
        files = parser.tool.files.copy()
        if word == "-execdir":
            files.chdir(dirname(found.path) or ".")
            named = [arg.replace("{}", "./" + basename(found.path)) for arg in argv]
        return parser.tool.run(named, QUOTED, files=files) == 0

    return act


def _exec_together(parser: FindParser, argv: list[str]) -> Predicate:
    batch: tuple[list[str], list[str]] = (argv, [])
    parser.search.batches.append(batch)
    return doing(lambda found: batch[1].append(found.path))


ACTIONS: dict[str, Primary] = {
    **dict.fromkeys(("-print", "-print0"), print_path),
    "-prune": _prune,
    "-quit": _quit,
    "-delete": _delete,
    **dict.fromkeys(("-exec", "-ok", "-execdir"), _exec),
}


_GNU_ONLY = set(
    "-printf -ls -readable -writable -iregex -nouser -nogroup -execdir "
    "-lname -newermt -wholename -uid -gid -true -false".split()
)


def find(tool: Tool) -> None:
    args = list(tool.args)
    links = "P"
    while args and re.fullmatch(r"-[HLP]+", args[0]):
        links = args.pop(0)[-1]
    starts = []
    while args and not (args[0].startswith("-") and len(args[0]) > 1) and args[0] not in ("(", "!"):
        starts.append(args.pop(0))
    search = FindRun(tool, follow=links == "L")
    primaries = {word: make for word, make in (TESTS | ACTIONS | SHOWING).items() if tool.gnu or word not in _GNU_ONLY}
    parser = FindParser(search, args, primaries)
    test = parser.whole()
    if not search.acts:
        test = both_of(test, print_path(parser, "-print"))
    for start in starts or ["."]:
        _start(search, test, start, links)
    for argv, paths in search.batches:
        if paths and tool.run([*argv, *paths], QUOTED):
            tool.status = 1


def _start(search: FindRun, test: Predicate, start: str, links: str) -> None:
    tool = search.tool
    look = tool.files.stat if links in "HL" or search.follow else tool.files.lstat
    about = tool.attempt(lambda: look(start), QUOTED, start)
    if about is not None:
        with suppress(StopIteration):
            _visit(search, test, Visited(start, about, 0, start), about.st_dev)


def _visit(search: FindRun, test: Predicate, found: Visited, device: int) -> None:
    search.tool.tick()
    asked = found.depth >= search.least
    folder = stat.S_ISDIR(found.about.st_mode)
    if asked and not search.deep_first:
        test(found)
    if search.ended:
        raise StopIteration
    if (
        folder
        and found.depth < search.most
        and not found.pruned
        and not (search.same_device and found.about.st_dev != device)
    ):
        for inside in _inside(search, found):
            _visit(search, test, inside, device)
    if asked and search.deep_first:
        test(found)
        if search.ended:
            raise StopIteration


def _inside(search: FindRun, found: Visited) -> list[Visited]:
    tool = search.tool
    out = []
    for name in tool.attempt(lambda: tool.files.listdir(found.path), QUOTED, found.path) or []:
        path = f"{found.path}{'' if found.path.endswith('/') else '/'}{name}"
        about = tool.look(path, follow=search.follow) or tool.look(path)
        if about is not None:
            out.append(Visited(path, about, found.depth + 1, found.start))
    return out


UTILITIES = {
    "find": Utility(find, None, None, "[-HL] [PATH]... [OPTIONS] [ACTIONS]", package="GNU findutils) 4.9.0"),
}
