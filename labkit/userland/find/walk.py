"""find: the walk through the folders, and the table of its primaries."""

from __future__ import annotations

import re
import stat

from labkit.userland.find.actions import ACTIONS, print_path
from labkit.userland.find.expression import FindParser, FindRun, Predicate, Visited, both_of
from labkit.userland.find.printing import SHOWING
from labkit.userland.find.tests import TESTS
from labkit.userland.tool import Say, Tool, Utility

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
        if paths and tool.run([*argv, *paths], Say("{0}", "{0:l}")):
            tool.status = 1


def _start(search: FindRun, test: Predicate, start: str, links: str) -> None:
    tool = search.tool
    try:
        about = tool.files.stat(start) if links in "HL" or search.follow else tool.files.lstat(start)
    except OSError as error:
        tool.complain(Say("{0}", "{0:l}"), start, error=error)
        return
    try:
        _visit(search, test, Visited(start, about, 0, start), about.st_dev)
    except StopIteration:
        return


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
    try:
        names = tool.files.listdir(found.path)
    except OSError as error:
        tool.complain(Say("{0}", "{0:l}"), found.path, error=error)
        return []
    out = []
    for name in names:
        path = f"{found.path}{'' if found.path.endswith('/') else '/'}{name}"
        try:
            about = tool.files.lstat(path)
            if search.follow and stat.S_ISLNK(about.st_mode):
                about = tool.files.stat(path) if tool.files.exists(path) else about
        except OSError:
            continue
        out.append(Visited(path, about, found.depth + 1, found.start))
    return out


UTILITIES = {
    "find": Utility(find, None, None, "[-HL] [PATH]... [OPTIONS] [ACTIONS]", package="GNU findutils) 4.9.0"),
}
