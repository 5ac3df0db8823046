"""The rules, functions and statements of an awk program, read into code."""

from __future__ import annotations

from labkit.files.errno import ENOSPC
from labkit.userland.awk.expressions import Expressions
from labkit.userland.awk.machine import AwkJump, AwkMachine, Code, Key, StrNum, formatted, text, truth
from labkit.userland.tool import Say, Tool, bytes_of


def sequence(statements: list[Code]) -> Code:
    def run(machine: AwkMachine) -> None:
        for statement in statements:
            machine.tool.tick()
            statement(machine)

    return run


def branch(test: Code, then: Code, other: Code | None) -> Code:
    def run(machine: AwkMachine) -> None:
        if truth(test(machine)):
            then(machine)
        elif other:
            other(machine)

    return run


def looping(test: Code | None, body: Code, step: Code | None, *, first: bool) -> Code:
    def run(machine: AwkMachine) -> None:
        ask = first
        while not ask or test is None or truth(test(machine)):
            ask = True
            machine.tool.tick()
            if _broken(machine, body):
                return
            if step:
                step(machine)

    return run


def for_in(name: str, array: str, body: Code) -> Code:
    def run(machine: AwkMachine) -> None:
        for key in list(machine.array(array)):
            machine.set(name, StrNum(key))
            if _broken(machine, body):
                return

    return run


def _broken(machine: AwkMachine, body: Code) -> bool:
    """Run the body of a loop once; whether a break ends the loop."""
    try:
        body(machine)
    except AwkJump as jump:
        if jump.kind not in ("break", "continue"):
            raise
        return jump.kind == "break"
    return False


def leaving(kind: str, value: Code | None) -> Code:
    def run(machine: AwkMachine) -> None:
        raise AwkJump(kind, value(machine) if value else None)

    return run


def deletion(name: str, key: Key | None) -> Code:
    def run(machine: AwkMachine) -> None:
        if key is None:
            machine.array(name).clear()
        else:
            machine.array(name).pop(key(machine), None)

    return run


def output(word: str, arguments: list[Code], how: str, target: Code | None) -> Code:
    def run(machine: AwkMachine) -> None:
        if word == "printf":
            values = [argument(machine) for argument in arguments]
            line = formatted(machine, text(machine, values[0]) if values else "", values[1:])
        else:
            shown = (
                [text(machine, argument(machine), "OFMT") for argument in arguments] if arguments else [machine.record]
            )
            line = machine.setting("OFS").join(shown) + machine.setting("ORS")
        write_out(machine, bytes_of(line), how, text(machine, target(machine)) if target else "")

    return run


def write_out(machine: AwkMachine, data: bytes, how: str, target: str) -> None:
    tool = machine.tool
    if not how or target == "/dev/stdout":
        tool.out(data)
    elif target == "/dev/stderr":
        tool.process.stderr.write(data)
    elif how == "|":
        machine.written.setdefault("|" + target, []).append(data)
    else:
        try:
            if target not in machine.written:
                machine.written[target] = []
                if how == ">":
                    tool.files.write(target, b"")
            tool.files.append(target, data)
        except OSError as error:
            if error.errno == ENOSPC:
                raise
            said = Say("can't open '{0}'", 'cannot open "{0}" for output (' + tool.reason(error) + ")")
            tool.refuse(said, target, error=None if tool.gnu else error, status=2 if tool.gnu else 1)


class AwkParser(Expressions):
    """A whole program: what is done at the beginning, for each record, and at the end."""

    def __init__(self, tool: Tool, source: str) -> None:
        super().__init__(tool, source)
        self.functions: dict[str, tuple[list[str], Code]] = {}
        self.begin: list[Code] = []
        self.end: list[Code] = []
        self.rules: list[tuple[Code | None, Code | None, Code | None]] = []
        self.inside = ""  # function, BEGIN, END or, in a rule, nothing
        self.loops = 0  # around the statement that is read

    def program(self) -> None:
        self.newlines()
        while self.kind() != "end":
            self.item()
            self.newlines()

    def item(self) -> None:
        self.inside = self.accept("function", "func", "BEGIN", "END")
        if self.inside in ("function", "func"):
            name = self.next()
            self.need("(")
            parameters = []
            while self.peek() != ")":
                parameters.append(self.next())
                self.accept(",")
                self.skip()
            self.next()
            self.skip()
            self.functions[name] = (parameters, self.block())
        elif self.inside:
            self.skip()
            (self.begin if self.inside == "BEGIN" else self.end).append(self.block())
        else:
            self.rule()

    def rule(self) -> None:
        first = last = body = None
        if self.peek() != "{":
            first = self.expression()
            if self.accept(","):
                self.skip()
                last = self.expression()
        if self.peek() == "{":
            body = self.block()
        self.rules.append((first, last, body))

    def block(self) -> Code:
        self.need("{")
        statements = []
        self.newlines()
        while self.peek() != "}":
            if self.kind() == "end":
                self.fail()
            statements.append(self.statement())
            self.newlines()
        self.next()
        return sequence(statements)

    def body(self) -> Code:
        self.skip()
        if self.accept(";"):
            return sequence([])
        return self.statement()

    def statement(self) -> Code:
        word = self.peek()
        if word == "{":
            return self.block()
        reader = {"if": self.if_, "while": self.while_, "do": self.do, "for": self.for_}.get(word)
        if reader:
            self.next()
            return reader()
        made = self.simple()
        if self.peek() in (";", "\n"):
            self.next()
        elif self.peek() != "}" and self.kind() != "end":
            self.fail(self.words[self.place][1])
        return made

    def simple(self) -> Code:
        word = self.peek()
        if word in ("print", "printf"):
            return self.print(self.next())
        if word in ("next", "break", "continue", "exit", "return"):
            self.allow(word)
            self.next()
            bare = word not in ("exit", "return") or self.peek() in (";", "\n", "}") or self.kind() == "end"
            return leaving(word, None if bare else self.expression())
        if word == "delete":
            self.next()
            name = self.next()
            return deletion(name, self.subscript() if self.accept("[") else None)
        return self.expression()

    def allow(self, word: str) -> None:
        """Refuse a leap from where there is nothing to leave; busybox lets next and return end whatever they are in."""
        line = 1 + sum(kind == "newline" for kind, _ in self.words[: self.place])
        if word in ("break", "continue") and not self.loops:
            said = f"{word} statement outside of loop" if self.tool.gnu else f"'{word}' not in a loop"
        elif word == "next" and self.inside and self.tool.gnu:
            said = "improper use of next"
        elif word == "return" and self.inside not in ("function", "func") and self.tool.gnu:
            said = "return outside function body"
        else:
            return
        self.tool.fail(f"line {line}: {said}" if self.tool.gnu else f"cmd. line:{line}: {said}", 1 + self.tool.gnu)

    def condition(self) -> Code:
        self.need("(")
        made = self.grouped()
        self.need(")")
        return made

    def if_(self) -> Code:
        test = self.condition()
        then = self.body()
        place = self.place
        self.newlines()
        if self.accept("else"):
            return branch(test, then, self.body())
        self.place = place
        return branch(test, then, None)

    def looped(self) -> Code:
        self.loops += 1
        body = self.body()
        self.loops -= 1
        return body

    def while_(self) -> Code:
        test = self.condition()
        return looping(test, self.looped(), None, first=True)

    def do(self) -> Code:
        body = self.looped()
        self.newlines()
        self.need("while")
        return looping(self.condition(), body, None, first=False)

    def for_(self) -> Code:
        self.need("(")
        kinds = [self.words[self.place + index] for index in range(4)] if self.place + 4 < len(self.words) else []
        if kinds and kinds[0][0] == "name" and kinds[1] == ("keyword", "in") and kinds[3] == ("op", ")"):
            name = self.next()
            self.next()
            array = self.next()
            self.next()
            return for_in(name, array, self.looped())
        start = None if self.peek() == ";" else self.simple()
        self.need(";")
        self.skip()
        test = None if self.peek() == ";" else self.grouped()
        self.need(";")
        self.skip()
        step = None if self.peek() == ")" else self.simple()
        self.need(")")
        loop = looping(test, self.looped(), step, first=True)
        return sequence([start, loop]) if start else loop

    def print(self, word: str) -> Code:
        arguments: list[Code] = []
        self.printing = True
        if self.peek() not in (";", "\n", "}", ">", ">>", "|") and self.kind() != "end":
            if self.peek() == "(" and self.closes_at_end():
                self.next()
                arguments = self.enclosed(")")
            else:
                arguments = self.listed("")
        target, how = None, self.accept(">", ">>", "|")
        if how:
            target = self.redirection()
        self.printing = False
        return output(word, arguments, how, target)

    def redirection(self) -> Code:
        target = self.concatenation()
        if not self.accept("?"):
            return target
        yes = self.expression()
        self.need(":")
        no = self.expression()
        return lambda machine: yes(machine) if truth(target(machine)) else no(machine)

    def closes_at_end(self) -> bool:
        """Whether the parenthesis here closes where the statement, or its redirection, begins."""
        depth = 0
        for index in range(self.place, len(self.words)):
            kind, word = self.words[index]
            if kind == "op" and word == "(":
                depth += 1
            elif kind == "op" and word == ")":
                depth -= 1
                if depth == 0:
                    after = self.words[index + 1]
                    return after[0] == "end" or after[1] in (";", "\n", "}", ">", ">>", "|")
        return False
