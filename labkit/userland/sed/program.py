"""sed, from its command line through its cycles."""

from __future__ import annotations

from dataclasses import replace

from labkit.userland.sed.actions import ACTIONS
from labkit.userland.sed.addresses import selected
from labkit.userland.sed.files import all_lines, lines_of, replace_file, write_files
from labkit.userland.sed.script import SedCommand, SedParser
from labkit.userland.sed.state import SedRun
from labkit.userland.tool import Done, Say, Tool, Utility, text_of


def sed(tool: Tool) -> int:
    scripts, paths = _scripts(tool)
    parser = SedParser(tool, "\n".join(scripts), tool.has("E", "r"))
    commands = parser.parse()
    quiet = tool.has("n") or scripts[0].startswith("#n\n")
    in_place = tool.has("i")
    if in_place and not paths:
        tool.fail("no input files", 4) if tool.gnu else tool.fail("-i requires an argument")
    if in_place or tool.has("s"):
        for path in paths:
            _run_file(tool, commands, quiet, path, in_place)
        return tool.status
    state = SedRun(tool, commands, all_lines(tool, paths or ["-"]), [], quiet)
    _run(state)
    write_files(state)
    return state.ended if state.ended else tool.status


def _scripts(tool: Tool) -> tuple[list[str], list[str]]:
    scripts = []
    for name, value in tool.options:
        if name == "e":
            scripts.append(value)
        elif name == "f":
            try:
                scripts.append(text_of(tool.data(value)).removesuffix("\n"))
            except OSError as error:
                tool.refuse(Say("{0}", "couldn't open file {0}"), value, error=error, status=4 if tool.gnu else 1)
    if scripts:
        return scripts, tool.operands
    if not tool.operands:
        if tool.gnu:
            tool.process.stderr.write("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n\n")
            raise Done(1)
        tool.usage()
    return [tool.operands[0]], tool.operands[1:]


def _run_file(tool: Tool, commands: list[SedCommand], quiet: bool, path: str, in_place: bool) -> None:
    if in_place and (not tool.files.exists(path) or tool.files.is_dir(path)):
        for _ in lines_of(tool, path):
            pass
        if tool.status == 2 and tool.files.is_dir(path):
            tool.status = 4
        return
    fresh = [replace(command, active_until=0, begun=False) for command in commands]
    state = SedRun(tool, fresh, lines_of(tool, path), [], quiet, name=path)
    out = tool.process.stdout
    _run(state, flush=not in_place)
    write_files(state)
    if not in_place:
        out.write(b"".join(state.out))
        return
    replace_file(tool, path, b"".join(state.out))


def _run(state: SedRun, flush: bool = True) -> None:
    for command in state.commands:
        if command.name in "wW" or (command.name == "s" and command.text):
            state.written.setdefault(command.text, b"")
    while state.kept or state.next_line():
        state.kept = False
        state.tool.tick()
        deleted = _cycle(state)
        if not deleted and not state.quiet:
            state.print(state.space, state.newline)
        state.flush_after()
        if flush and state.out:
            state.tool.out(b"".join(state.out))
            state.out.clear()
        if state.ended is not None:
            if not flush:
                _rest(state)
            return


def _rest(state: SedRun) -> None:
    """-i keeps the lines after a q."""
    while (found := state.read()) is not None:
        state.print(*found)


def _cycle(state: SedRun) -> bool:
    """Run the commands on the pattern space; True: it is not to be printed."""
    place = 0
    while place < len(state.commands):
        command = state.commands[place]
        state.tool.tick()
        place += 1
        if not selected(state, command):
            if command.name == "{":
                place = command.jump + 1
            continue
        action = ACTIONS.get(command.name)
        if action is None:
            continue
        result = action(state, command)
        if len(state.space) + len(state.hold) > 1024:
            state.tool.hold(len(state.space) + len(state.hold))
        if result == "delete":
            return True
        if result == "end":
            return False
        if isinstance(result, int):
            place = result
    return False


UTILITIES = {
    "sed": Utility(
        sed,
        "i? n r E f: e:=expression z",
        "n=quiet,silent e:=expression f:=file E=regexp-extended r i?=in-place s=separate "
        "u=unbuffered z=null-data l: =posix =debug =follow-symlinks",
        "[-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...\n[-i[SFX]] [-nrE] CMD [FILE]...",
        package="GNU sed) 4.9",
    ),
}
