"""What a shell has still to do, as a stack of frames: plain state, which can be kept and copied.

A frame's `step` does a little and either pushes frames above itself or pops itself. A jump (exit, return, break, an
error) takes frames off until one catches it. Nothing of a shell that waits lies on Python's own stack, so parking is
to keep the stack, and going on is to step a copy of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labkit.files import Files
from labkit.kernel.limits import Runaway
from labkit.kernel.process import Parked, Process
from labkit.shell.parser import Program
from labkit.shell.streams import BROKEN_PIPE, PIPE_LIMIT, Pipe, Text, Twins
from labkit.shell.tree import AndOr, If, Node, Pipeline, Sequence, While

if TYPE_CHECKING:
    from labkit.shell.interpreter import Shell

EXIT, RETURN, BREAK, CONTINUE, ABORT = "exit", "return", "break", "continue", "abort"
STAGE_STEPS = 300_000  # that a stage may take, or half of what is left, before the next one runs


class Jump(Exception):
    """Control leaves what runs. `levels`: of loops, for break and continue. ABORT: an error; a prompt survives it."""

    def __init__(self, kind: str, status: int = 0, levels: int = 1) -> None:
        super().__init__(kind, status)
        self.kind = kind
        self.status = status
        self.levels = levels


class Suspend(BaseException):
    """The shell has to wait; its stack says for what."""

    def __init__(self, until: int | None) -> None:
        super().__init__(until)
        self.until = until


class Env:
    """What a subshell gets a copy of."""

    __slots__ = (
        "arguments", "exported", "fds", "files", "functions", "options", "readonly", "traps", "variables",
    )  # fmt: skip

    def __init__(self, files: Files, fds: dict[int, Any]) -> None:
        self.variables: dict[str, str] = {}
        self.exported: set[str] = set()
        self.readonly: set[str] = set()
        self.functions: dict[str, Node] = {}
        self.arguments: list[str] = []
        self.options: set[str] = set()
        self.traps: dict[str, str] = {}
        self.files = files
        self.fds = fds

    def copy(self) -> Env:
        """For a subshell: traps but the ignored ones are reset."""
        other = Env.__new__(Env)
        other.variables = dict(self.variables)
        other.exported = set(self.exported)
        other.readonly = set(self.readonly)
        other.functions = dict(self.functions)
        other.arguments = self.arguments
        other.options = set(self.options)
        other.traps = {name: action for name, action in self.traps.items() if not action} if self.traps else {}
        other.files = self.files.copy()
        other.fds = dict(self.fds)
        return other

    def twin(self, twins: Twins) -> Env:
        other = self.copy()
        other.traps = dict(self.traps)
        other.fds = {number: twins.of(stream) for number, stream in self.fds.items()}
        return other


class Memo(list[tuple[str, int]]):
    """What the command substitutions of one command gave: texts and statuses, in their order."""

    def twin(self, twins: Twins) -> Memo:
        return Memo(self)


class Frame:
    """One level of what is still to do."""

    __slots__: tuple[str, ...] = ()
    own: tuple[str, ...] = ()  # the fields that a copy needs copies of

    def step(self, shell: Shell) -> None:
        raise NotImplementedError

    def leave(self, shell: Shell) -> None:
        """A jump passes: put back what this frame has changed."""

    def catch(self, shell: Shell, jump: Jump) -> bool:
        """Whether the jump ends here. Frames above are gone; this one decides whether it stays."""
        return False

    def twin(self, twins: Twins) -> Frame:
        other = copy.copy(self)
        for name in self.own:
            setattr(other, name, twins.of(getattr(self, name)))
        return other


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
    """A parsed text: its commands, then the problem that ended it. `script`: the file that it is, or `eval`."""

    __slots__ = ("index", "program", "returns", "saved", "source")

    def __init__(
        self, shell: Shell, program: Program, source: str, script: str | None = None, *, returns: bool = False
    ) -> None:
        self.program = program
        self.source = source
        self.index = 0
        self.returns = returns
        self.saved = (shell.script, shell.command_text)
        if script is not None:
            shell.script = script
            shell.command_text = shell.command_text and script == "eval"

    def step(self, shell: Shell) -> None:
        commands = self.program.commands
        if self.index < len(commands):
            self.index += 1
            shell.start(commands[self.index - 1])
            return
        if self.program.problem:
            raise shell.syntax_error(self.program.problem, self.source)
        shell.stack.pop()
        self.leave(shell)

    def leave(self, shell: Shell) -> None:
        shell.script, shell.command_text = self.saved

    def catch(self, shell: Shell, jump: Jump) -> bool:
        if jump.kind != RETURN or not self.returns:
            return False
        shell.stack[-1] = CheckFrame()
        self.leave(shell)
        shell.status = jump.status
        return True


class Boundary(Frame):
    """Where a process ends, or a subshell, which is as good as one: its EXIT trap runs here."""

    __slots__ = ("ending", "env", "tested")
    own: tuple[str, ...] = ("env",)

    def __init__(self, shell: Shell, env: Env | None) -> None:
        self.ending: int | None = None  # the exit status, while the trap runs
        self.env = env  # whose turn it is afterwards
        self.tested = shell.tested

    def step(self, shell: Shell) -> None:
        if self.ending is None:
            action = shell.env.traps.pop("EXIT", "")
            self.ending = shell.status
            if action:
                shell.run_text(action)
                return
        shell.status = self.ending
        shell.stack.pop()
        self.leave(shell)
        self.finish(shell)

    def finish(self, shell: Shell) -> None:
        """The process has ended with shell.status."""

    def leave(self, shell: Shell) -> None:
        shell.tested = self.tested
        if self.env is not None:
            shell.env = self.env

    def catch(self, shell: Shell, jump: Jump) -> bool:
        shell.status = jump.status
        if self.ending is not None:
            self.ending = jump.status
        return True


class SubshellFrame(Boundary):
    __slots__ = ()

    def finish(self, shell: Shell) -> None:
        shell.check()


class CaptureFrame(Boundary):
    """A command substitution. `memo` and `place` are those of the command that it belongs to."""

    __slots__ = ("before", "memo", "pipe", "place")
    own = ("env", "memo", "pipe")

    def __init__(self, shell: Shell, env: Env, pipe: Pipe) -> None:
        super().__init__(shell, env)
        self.pipe = pipe
        self.before = shell.status  # what `$?` goes on to be
        self.memo, self.place = shell.memo, shell.place

    def finish(self, shell: Shell) -> None:
        if self.pipe.content().size > PIPE_LIMIT:
            raise Runaway(f"the output is longer than {PIPE_LIMIT >> 20} MiB")
        text = self.pipe.getvalue().replace(b"\0", b"").decode("utf-8", "surrogateescape").rstrip("\n")
        self.memo.append((text, shell.status))
        if shell.dialect.level < 2:
            shell.status = self.before

    def leave(self, shell: Shell) -> None:
        super().leave(shell)
        shell.memo, shell.place = self.memo, self.place


class PipelineFrame(Boundary):
    """The stages one after the other, each a subshell that reads what the one before it wrote."""

    __slots__ = ("before", "budget", "failed", "given", "index", "node", "pipe")
    own = ("env", "pipe")

    def __init__(self, shell: Shell, node: Pipeline) -> None:
        super().__init__(shell, shell.env)
        self.node = node
        self.index = -1
        self.before = shell.status  # what `$?` is in each stage
        self.failed = 0  # the last status that was not 0, for pipefail
        self.pipe: Pipe | None = None
        self.given = self.budget = 0

    @property
    def is_last(self) -> bool:
        return self.index == len(self.node.commands) - 1

    def step(self, shell: Shell) -> None:
        if self.index >= 0 and not self._stage_ended(shell):
            return
        if self.is_last:
            shell.stack.pop()
            if "pipefail" in shell.env.options and self.failed:
                shell.status = self.failed
            shell.check()
            return
        self._start_stage(shell)

    def _start_stage(self, shell: Shell) -> None:
        before, self.index = self.pipe, self.index + 1
        env = shell.env.copy()
        if before is not None:  # what was cut off is missed where the whole pipeline's output would come from it
            env.fds[0] = Text(before.content(), before.broken if self.is_last else "")
        kernel = shell.process.kernel
        self.pipe = None
        if not self.is_last:
            self.pipe = env.fds[1] = Pipe(PIPE_LIMIT)
            self.pipe.broken = before.broken if before else ""
            self.budget = kernel.budget
            kernel.budget = self.given = min(kernel.budget // 2, STAGE_STEPS)
        shell.env = env
        shell.status = self.before
        shell.start(self.node.commands[self.index])

    def _stage_ended(self, shell: Shell) -> bool:
        """The stage has come to its end; False while its EXIT trap runs."""
        if self.ending is None:
            action = shell.env.traps.pop("EXIT", "")
            self.ending = shell.status
            if action:
                shell.run_text(action)
                return False
        shell.status, self.ending = self.ending, None
        self.leave(shell)
        if shell.status:
            self.failed = shell.status
        return True

    def leave(self, shell: Shell) -> None:
        super().leave(shell)
        if self.given:
            kernel = shell.process.kernel
            kernel.budget = self.budget - (self.given - kernel.budget)
            self.given = 0

    def cut(self, shell: Shell, why: str) -> bool:
        """A runaway stage: as the reader may not want more, it ends as if the pipe had broken."""
        if self.is_last or self.pipe is None or not self.pipe.pieces:
            return False
        self.pipe.broken = self.pipe.broken or why
        shell.env.traps.clear()
        shell.status = BROKEN_PIPE
        return True


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

    def __init__(self, fds: dict[int, Any] | None, variables: dict[str, tuple[str | None, bool]] | None) -> None:
        self.fds = fds  # all of them, as they were
        self.variables = variables  # value and whether exported

    def step(self, shell: Shell) -> None:
        shell.stack.pop()
        self.leave(shell)

    def leave(self, shell: Shell) -> None:
        if self.fds is not None:
            shell.env.fds = self.fds
        if self.variables:
            shell.restore(self.variables)

    def twin(self, twins: Twins) -> Frame:
        fds = self.fds and {number: twins.of(stream) for number, stream in self.fds.items()}
        return RestoreFrame(fds, self.variables)


class FunctionFrame(Frame):
    """A call: `saved` are the local variables' former values."""

    __slots__ = ("arguments", "saved")

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments
        self.saved: dict[str, tuple[str | None, bool]] = {}

    def step(self, shell: Shell) -> None:
        shell.stack.pop()
        self.leave(shell)

    def leave(self, shell: Shell) -> None:
        shell.env.arguments = self.arguments
        if self.saved:
            shell.restore(self.saved)

    def catch(self, shell: Shell, jump: Jump) -> bool:
        if jump.kind != RETURN:
            return False
        shell.stack[-1] = CheckFrame()
        self.leave(shell)
        shell.status = jump.status
        return True

    def twin(self, twins: Twins) -> Frame:
        other = FunctionFrame(self.arguments)
        other.saved = dict(self.saved)
        return other


class ExpandFrame(Frame):
    """A command whose words run other commands: when one of those had to wait, the expansion is done again from
    the variables before it, with what the finished ones gave."""

    __slots__ = ("before", "expand", "memo", "node", "perform")
    own = ("memo",)

    def __init__(
        self, shell: Shell, node: Any, expand: Callable[[Shell, Any], Any], perform: Callable[[Shell, Any, Any], None]
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


class ChildFrame(Frame):
    """Another program, which waits."""

    __slots__ = ("child", "parked")

    def __init__(self, child: Process, parked: Parked) -> None:
        self.child = child
        self.parked = parked

    def step(self, shell: Shell) -> None:
        try:
            status = self.parked.resume(self.child)
        except Parked as parked:
            self.parked = parked
            raise Suspend(parked.until) from None
        shell.stack.pop()
        shell.status = status
        shell.check()

    def twin(self, twins: Twins) -> Frame:
        return ChildFrame(process_twin(self.child, twins), self.parked)


class RetryFrame(Frame):
    """A builtin that has to wait: it is called again."""

    __slots__ = ("args", "builtin")

    def __init__(self, builtin: Callable[[Shell, list[str]], int], args: list[str]) -> None:
        self.builtin = builtin
        self.args = args

    def step(self, shell: Shell) -> None:
        shell.stack.pop()
        shell.call(self.builtin, self.args)


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


def process_twin(process: Process, twins: Twins | None = None) -> Process:
    """The process with copies of its streams."""
    twins = twins or Twins()
    return replace(
        process,
        files=process.files.copy(),
        stdin=twins.of(process.stdin),
        stdout=twins.of(process.stdout),
        stderr=twins.of(process.stderr),
        handles={number: twins.of(stream) for number, stream in process.handles.items()},
    )
