"""An awk program, from the command line to its exit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.userland.awk.expressions import AwkSyntaxError, unescaped
from labkit.userland.awk.functions import flush_pipe, separated
from labkit.userland.awk.machine import AwkJump, AwkMachine, Code, StrNum, number, truth, whole
from labkit.userland.awk.parser import AwkParser, write_out
from labkit.userland.tool import Say, Tool, Utility, bytes_of, text_of


def _all_records(machine: AwkMachine, operands: list[str]) -> Iterator[str]:
    seen = False
    for operand in operands:
        if match := re.fullmatch(r"([A-Za-z_]\w*)=(.*)", operand, re.S):
            machine.globals[match[1]] = StrNum(unescaped(match[2]))
            continue
        seen = True
        yield from _file_records(machine, operand)
    if not seen:
        yield from _file_records(machine, "-")


def _file_records(machine: AwkMachine, path: str) -> Iterator[str]:
    tool = machine.tool
    machine.globals["FILENAME"] = "" if path == "-" else path
    machine.globals["FNR"] = 0.0
    try:
        found = separated(machine, tool.content(path))
    except OSError as error:
        said = Say("{0}", "cannot open {0} (" + tool.reason(error) + ")")
        tool.refuse(said, path, error=None if tool.gnu else error, status=2 if tool.gnu else 1)
    for record in found:
        machine.count("FNR")
        yield record


def _rule_applies(machine: AwkMachine, index: int, first: Code | None, last: Code | None) -> bool:
    if first is None:
        return True
    if last is None:
        return truth(first(machine))
    if not machine.ranges.get(index) and not truth(first(machine)):
        return False
    machine.ranges[index] = not truth(last(machine))
    return True


def _main(machine: AwkMachine, parser: AwkParser) -> None:
    for record in machine.reader:
        machine.tool.tick()
        machine.count("NR")
        machine.set_record(record)
        try:
            for index, (first, last, body) in enumerate(parser.rules):
                if _rule_applies(machine, index, first, last):
                    if body is None:
                        write_out(machine, bytes_of(machine.record + machine.setting("ORS")), "", "")
                    else:
                        body(machine)
        except AwkJump as jump:
            if jump.kind == "exit":
                raise


def awk(tool: Tool) -> int:
    operands = list(tool.operands)
    try:
        given = [option for option in tool.options if option[0] in "ef"]
        source = "\n".join(value if name == "e" else text_of(tool.data(value)) for name, value in given)
    except OSError as error:
        tool.refuse(Say("{0}", "{0}"), str(error.filename), error=error, status=2)
    if not given:
        if not operands:
            if tool.gnu:
                tool.process.stderr.write("Usage: mawk [Options] [Program] [file ...]\n")
                return 2
            tool.usage()
        source = operands.pop(0)
    parser = _parsed(tool, source)
    machine = _machine(tool, parser, operands)
    machine.reader = _all_records(machine, operands)
    status = _run(machine, parser)
    for target in [key for key in machine.written if key.startswith("|")]:
        flush_pipe(machine, target[1:])
    return status or tool.status


def _parsed(tool: Tool, source: str) -> AwkParser:
    try:
        parser = AwkParser(tool, source)
        parser.program()
    except AwkSyntaxError as wrong:
        near = wrong.near
        line = source.count("\n", 0, source.find(near) if near in source else 0) + 1
        shown = near if near.strip() else "end of file"
        if tool.gnu:
            tool.fail(f"line {line}: syntax error at or near {shown}", 2)
        tool.fail(f"cmd. line:{line}: Unexpected token")
    return parser


def _machine(tool: Tool, parser: AwkParser, operands: list[str]) -> AwkMachine:
    given = tool.value("F")
    separator = " " if given is None else "\t" if given == "t" else unescaped(given)
    machine = AwkMachine(tool, functions=parser.functions)
    machine.globals.update(
        {
            "FS": separator,
            "OFS": " ",
            "ORS": "\n",
            "RS": "\n",
            "NR": 0.0,
            "FNR": 0.0,
            "FILENAME": "",
            "SUBSEP": "\x1c",
            "CONVFMT": "%.6g",
            "OFMT": "%.6g",
            "RSTART": 0.0,
            "RLENGTH": -1.0,
            "ARGC": float(len(operands) + 1),
            "ENVIRON": {name: StrNum(value) for name, value in tool.env.items()},
            "ARGV": {str(index): StrNum(word) for index, word in enumerate([tool.name, *operands])},
        }
    )
    for assignment in tool.values("v"):
        name, _, value = assignment.partition("=")
        machine.globals[name] = StrNum(unescaped(value))
    return machine


def _run(machine: AwkMachine, parser: AwkParser) -> int:
    status = 0
    try:
        try:
            for block in parser.begin:
                block(machine)
        except AwkJump as jump:
            if jump.kind == "exit":
                raise
        if parser.rules or parser.end:
            _main(machine, parser)
    except AwkJump as jump:
        status = whole(number(jump.value)) & 0xFF if jump.value is not None else 0
    try:
        for block in parser.end:
            block(machine)
    except AwkJump as jump:
        if jump.kind == "exit" and jump.value is not None:
            status = whole(number(jump.value)) & 0xFF
    return status


UTILITIES = {
    name: Utility(
        awk,
        "F: v: f: e:",
        "F: v: f: W:",
        "[OPTIONS] [AWK_PROGRAM] [FILE]...",
        permute=False,
        bad=2,
        package="mawk 1.3.4)",
    )
    for name in ("awk", "mawk", "gawk")
}
