"""What a shell has still to do of a program: lists, conditions, loops, functions; and what is put back afterwards."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Generic, TypeVar

from labkit.shell.messages import BASH
from labkit.shell.parser import Program, parse, parse_next
from labkit.shell.running import BREAK, CONTINUE, EXIT, FIRST_OPTION, RETURN, Former, Frame, Jump, Memo, Shell
from labkit.shell.terminal import Stream, Twins
from labkit.shell.tree import AndOr, If, Node, Sequence, While

N = TypeVar("N", bound=Node)
V = TypeVar("V")


class SequenceFrame(Frame):
    __slots__ = ("index", "items")

    def __init__(self, items: tuple[Node, ...]) -> None:
        self.items = items
        self.index = 0

    def step(self, shell: Shell) -> None:
        stack, items, start = shell.stack, self.items, shell.start
        last = len(items) - 1
        while self.index < last:
            node = items[self.index]
            self.index += 1
            start(node)
            if stack[-1] is not self:
                return
        stack.pop()
        if self.index == last:
            start(items[last])


class ProgramFrame(Frame):
    """A parsed text: its commands, then the problem that ended it. `script`: the file that it is, or `eval`.

    Once aliases change, what is left of it is read a complete command at a time.
    """

    __slots__ = ("aliases", "index", "left", "program", "returns", "saved", "source")

    def __init__(
        self, shell: Shell, program: Program, source: str, script: str | None = None, *, returns: bool = False
    ) -> None:
        self.program = program
        self.source = source
        self.aliases = shell.aliases
        self.left: tuple[int, int] | None = None  # of the text when the aliases changed, and its line
        self.index = 0
        self.returns = returns
        self.saved = (shell.script, shell.command_text)
        if script is not None:
            shell.script = script
            shell.command_text = shell.command_text and script == "eval"

    def step(self, shell: Shell) -> None:
        if shell.aliases is not self.aliases or (self.left and self.index == len(self.program.commands)):
            self._read_on(shell)
        commands = self.program.commands
        if "n" in shell.env.options and not shell.interactive:
            self.index = len(commands)
        if self.index < len(commands):
            self.index += 1
            shell.start(commands[self.index - 1])
            return
        if self.program.problem:
            raise shell.syntax_error(self.program.problem, self.source)
        shell.stack.pop()
        self.leave(shell)

    def _read_on(self, shell: Shell) -> None:
        self.aliases = shell.aliases
        self.left = self.program.left[self.index - 1] if self.index else self.left or (len(self.source), 1)
        self.program = parse_next(self.source, *self.left, shell.dialect.level, self.aliases)
        self.index = 0
        if not self.program.commands:
            self.left = None

    def leave(self, shell: Shell) -> None:
        shell.script, shell.command_text = self.saved

    def catch(self, shell: Shell, jump: Jump) -> bool:
        if jump.kind != RETURN or not self.returns:
            return False
        shell.stack[-1] = CheckFrame()
        self.leave(shell)
        shell.status = jump.status
        return True


def run_text(shell: Shell, text: str, script: str | None = None, *, returns: bool = False) -> None:
    """Push a program given as text; `script`: who its messages come from, `returns`: `return` ends it."""
    shell.push(ProgramFrame(shell, parse(text, shell.dialect.level, shell.aliases), text, script, returns=returns))


class NegatedFrame(Frame):
    __slots__ = ("started", "tested")

    def __init__(self, shell: Shell) -> None:
        self.tested = shell.tested

    def step(self, shell: Shell) -> None:
        shell.stack.pop()
        self.leave(shell)
        shell.status = int(shell.status == 0)

    def leave(self, shell: Shell) -> None:
        shell.tested = self.tested


class AndOrFrame(Frame):
    __slots__ = ("index", "node", "tested")

    def __init__(self, shell: Shell, node: AndOr) -> None:
        self.node = node
        self.index = 0
        self.tested = shell.tested

    def step(self, shell: Shell) -> None:
        rest = self.node.rest
        shell.tested = self.tested
        while self.index < len(rest):
            operator, command = rest[self.index]
            self.index += 1
            if (shell.status == 0) is (operator == "&&"):
                if self.index == len(rest):
                    shell.stack.pop()
                else:
                    shell.tested = self.tested + 1
                shell.start(command)
                return
        shell.stack.pop()

    def leave(self, shell: Shell) -> None:
        shell.tested = self.tested


class IfFrame(Frame):
    __slots__ = ("index", "node", "tested")

    def __init__(self, shell: Shell, node: If) -> None:
        self.node = node
        self.index = -1
        self.tested = shell.tested

    def step(self, shell: Shell) -> None:
        clauses = self.node.clauses
        shell.tested = self.tested
        if self.index >= 0 and shell.status == 0:
            shell.stack.pop()
            shell.start(clauses[self.index][1])
            return
        self.index += 1
        if self.index < len(clauses):
            shell.tested = self.tested + 1
            shell.start(clauses[self.index][0])
            return
        shell.stack.pop()
        shell.status = 0
        if self.node.otherwise:
            shell.start(self.node.otherwise)

    def leave(self, shell: Shell) -> None:
        shell.tested = self.tested


class LoopFrame(Frame):
    """What while and for have in common: break and continue end here."""

    __slots__ = ("last", "tested")

    def __init__(self, shell: Shell) -> None:
        self.tested = shell.tested
        self.last = 0  # status of the body's last round

    def leave(self, shell: Shell) -> None:
        shell.tested = self.tested

    def again(self) -> None:
        """The body is as good as done."""

    def catch(self, shell: Shell, jump: Jump) -> bool:
        if jump.kind not in (BREAK, CONTINUE):
            return False
        if jump.levels > 1:
            jump.levels -= 1
            return False
        self.leave(shell)
        shell.status = jump.status
        if jump.kind == BREAK:
            shell.stack.pop()
        else:
            self.again()
        return True


class WhileFrame(LoopFrame):
    __slots__ = ("in_condition", "node")

    def __init__(self, shell: Shell, node: While) -> None:
        super().__init__(shell)
        self.node = node
        self.in_condition: bool | None = None  # None: nothing has run yet

    def step(self, shell: Shell) -> None:
        if not self.in_condition:
            if self.in_condition is not None:
                self.last = shell.status
            self._test(shell)
        elif (shell.status == 0) is not self.node.until:
            shell.tested = self.tested
            self.in_condition = False
            shell.start(self.node.body)
        else:
            shell.tested = self.tested
            shell.stack.pop()
            shell.status = self.last

    def _test(self, shell: Shell) -> None:
        shell.process.tick()
        self.in_condition = True
        shell.tested = self.tested + 1
        shell.start(self.node.condition)

    def again(self) -> None:
        self.in_condition = False


class ForFrame(LoopFrame):
    __slots__ = ("body", "index", "items", "name")

    def __init__(self, shell: Shell, name: str, items: list[str], body: Sequence) -> None:
        super().__init__(shell)
        self.name = name
        self.items = items
        self.body = body
        self.index = 0

    def step(self, shell: Shell) -> None:
        if self.index == len(self.items):
            shell.stack.pop()
            return
        shell.process.tick()
        self.index += 1
        shell.assign(self.name, self.items[self.index - 1])
        shell.start(self.body)


class RestoreFrame(Frame):
    """Puts files and variables back when what stands above it is done."""

    __slots__ = ("fds", "variables")

    def __init__(self, fds: dict[int, Stream] | None, variables: Former | None) -> None:
        self.fds = fds  # all of them, as they were
        self.variables = variables  # value and whether exported

    def step(self, shell: Shell) -> None:
        shell.stack.pop()
        self.leave(shell)

    def leave(self, shell: Shell) -> None:
        if self.fds is not None:
            shell.env.fds = self.fds
        if self.variables:
            shell.env.restore(self.variables)

    def twin(self, twins: Twins) -> Frame:
        fds = self.fds and {number: twins.of(stream) for number, stream in self.fds.items()}
        return RestoreFrame(fds, self.variables)


class FunctionFrame(Frame):
    """A call: `saved` are the local variables' former values."""

    __slots__ = ("arguments", "name", "option", "saved")

    def __init__(self, shell: Shell, name: str | None = None) -> None:
        self.arguments = shell.env.arguments
        self.option = shell.next_option
        self.name = shell.function
        self.saved: Former = {}
        if name is not None:
            shell.function = name
        if shell.dialect is not BASH:
            shell.next_option = FIRST_OPTION

    def step(self, shell: Shell) -> None:
        shell.stack.pop()
        self.leave(shell)

    def leave(self, shell: Shell) -> None:
        shell.env.arguments = self.arguments
        shell.function = self.name
        if shell.dialect is not BASH:
            shell.next_option = self.option
        if self.saved:
            shell.env.restore(self.saved)

    def catch(self, shell: Shell, jump: Jump) -> bool:
        if jump.kind != RETURN:
            return False
        shell.stack[-1] = CheckFrame()
        self.leave(shell)
        shell.status = jump.status
        return True

    def twin(self, twins: Twins) -> Frame:
        other = copy.copy(self)
        other.saved = dict(self.saved)
        return other


class ExpandFrame(Frame, Generic[N, V]):
    """A command whose words run other commands: when one of those had to wait, the expansion is done again from
    the variables before it, with what the finished ones gave."""

    __slots__ = ("before", "expand", "memo", "node", "perform")
    own = ("memo",)

    def __init__(
        self, shell: Shell, node: N, expand: Callable[[Shell, N], V], perform: Callable[[Shell, N, V], None]
    ) -> None:
        self.node = node
        self.expand = expand
        self.perform = perform
        self.memo = Memo()
        self.before = dict(shell.env.variables)

    def step(self, shell: Shell) -> None:
        if self.memo:
            shell.env.variables = dict(self.before)
        shell.memo, shell.place = self.memo, 0
        value = self.expand(shell, self.node)
        shell.stack.pop()
        self.perform(shell, self.node, value)


class StatusFrame(Frame):
    """A signal's trap has run: the status is what it was."""

    __slots__ = ("status",)

    def __init__(self, status: int) -> None:
        self.status = status

    def step(self, shell: Shell) -> None:
        shell.stack.pop()
        shell.status = self.status


class FailureFrame(Frame):
    """The trap of a failure has run: `set -e` counts now."""

    __slots__ = ("status",)

    def __init__(self, status: int) -> None:
        self.status = status

    def step(self, shell: Shell) -> None:
        shell.stack.pop()
        shell.status = self.status
        if "e" in shell.env.options:
            raise Jump(EXIT, self.status)


def trap_error(shell: Shell) -> bool:
    """Start the trap ERR after a failure, unless it is in it or in a function; whether there was one to start."""
    action = shell.env.traps["ERR"]
    inside = any(isinstance(frame, FailureFrame) for frame in shell.stack)
    if inside or not action or (shell.function and "errtrace" not in shell.env.options):
        return False
    shell.push(FailureFrame(shell.status))
    run_text(shell, action)
    return True


class CheckFrame(Frame):
    """A function or a file was left by `return`: its status counts."""

    __slots__ = ()

    def step(self, shell: Shell) -> None:
        shell.stack.pop()
        shell.check()


class ExitFrame(Frame):
    """What ran above was the shell's last (exec)."""

    __slots__ = ()

    def step(self, shell: Shell) -> None:
        shell.env.traps.clear()
        raise Jump(EXIT, shell.status)
