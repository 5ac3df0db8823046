"""The actions of find but -printf and -ls."""

from __future__ import annotations

import stat
from posixpath import basename, dirname

from labkit.userland.find.expression import FindParser, Predicate, Primary, Visited
from labkit.userland.tool import Say


def print_path(parser: FindParser, word: str) -> Predicate:
    parser.search.acts = True
    end = "\0" if word == "-print0" else "\n"

    def act(found: Visited) -> bool:
        parser.tool.out(found.path + end)
        return True

    return act


def _prune(parser: FindParser, word: str) -> Predicate:
    def act(found: Visited) -> bool:
        found.pruned = True
        return True

    return act


def _quit(parser: FindParser, word: str) -> Predicate:
    parser.search.acts |= word != "-quit"

    def act(found: Visited) -> bool:
        parser.search.ended = True
        return True

    return act


def _delete(parser: FindParser, word: str) -> Predicate:
    parser.search.acts = parser.search.deep_first = True
    tool = parser.tool

    def act(found: Visited) -> bool:
        if found.path == ".":
            return True
        try:
            (tool.files.rmdir if stat.S_ISDIR(found.about.st_mode) else tool.files.unlink)(found.path)
        except OSError as error:
            tool.complain(Say("{0}", "cannot delete {0:l}"), found.path, error=error)
            return False
        return True

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
    cannot = Say("{0}", "{0:l}")

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
        return parser.tool.run(named, cannot, files=files) == 0

    return act


def _exec_together(parser: FindParser, argv: list[str]) -> Predicate:
    batch: tuple[list[str], list[str]] = (argv, [])
    parser.search.batches.append(batch)

    def act(found: Visited) -> bool:
        batch[1].append(found.path)
        return True

    return act


ACTIONS: dict[str, Primary] = {
    **dict.fromkeys(("-print", "-print0"), print_path),
    "-prune": _prune,
    "-quit": _quit,
    "-delete": _delete,
    **dict.fromkeys(("-exec", "-ok", "-execdir"), _exec),
}
