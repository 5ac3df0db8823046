"""%docker, %host, %%host, %%hostfile, %%session, %undo, %fresh, %labkit, %%answer: what is typed in a cell.

They run on the lesson's machine, the one that show() draws too, with an undo for every input. They print just what the
real thing would print, on the stream where it would. A command that fails is no exception: its message and nothing else
is seen, as in a terminal. A mistake in how a magic is used is one line on stderr.
"""

from __future__ import annotations

import ast
import base64
import html
import inspect
import shlex
import sys
from collections.abc import Callable

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import HTML, display

from labkit import cli
from labkit.course.progress import current
from labkit.course.session import InputOutcome, RecordedInput, Timeline
from labkit.course.setups import machine_with
from labkit.jupyter.panel import Memory, NotebookPage
from labkit.jupyter.picture import IN_BROWSER, Picture, picture
from labkit.jupyter.view import MachineView, look
from labkit.machine import Machine


class LessonMachine:
    """A machine with all that was typed on it, and the view that was last shown."""

    def __init__(self) -> None:
        self._timeline: Timeline | None = None
        self._shown: MachineView | None = None
        self.watchers: list[Callable[[], None]] = []  # called when the timeline is another one

    @property
    def timeline(self) -> Timeline:
        """What was typed; begun, with the machine, when it is first asked for."""
        if self._timeline is None:
            self._timeline = Timeline(machine_with({}))
        return self._timeline

    @timeline.setter
    def timeline(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._shown = None
        for watcher in self.watchers:
            watcher()

    @property
    def machine(self) -> Machine:
        return self.timeline.machine

    def fresh(self, **options: object) -> None:
        """Start over on a fresh machine."""
        self.timeline = Timeline(machine_with(options), options)

    def run(self, line: str) -> InputOutcome:
        """Run what a person would type; the machine as it was can be had back."""
        return self.timeline.do(RecordedInput("run", line))

    def type(self, text: str) -> str:
        """What a terminal shows when these lines are typed one after the other, into whatever shell waits for them."""
        outcome = self.timeline.do(RecordedInput("session", text))
        return "".join(piece for _, piece in outcome.written)

    def write_file(self, path: str, text: str) -> None:
        """Write a file on the host, its folder too where that is missing; a relative path starts in /home/learner."""
        self.timeline.do(RecordedInput("file", text, path))

    def undo(self) -> str | None:
        """Take back the last input, and say which it was; None where there is none."""
        taken = self.timeline.undo()
        return None if taken is None else taken.title if taken.kind == "file" else taken.text

    def show(self, *names: str) -> Picture:
        """The machine as a picture; what changed since the last one stands out."""
        found = picture(self.machine, names, self._shown)
        self._shown = look(self.machine)
        return found


def judge_text(slug: str, text: str) -> str:
    """What is said to this answer, as text; the answer is recorded."""
    attempt = Memory().attempt(slug)
    judgement = attempt.check(text)
    return "\n".join(filter(None, [judgement.text, Memory().record(attempt, judgement)]))


def say(text: str, *, error: bool = False) -> None:
    """Print a whole text, at once, with nothing added to it; nothing makes no output, in no kind of kernel."""
    if text:
        print(text, end="", file=sys.stderr if error else sys.stdout, flush=True)


def complain(message: str) -> None:
    """A line about how a magic is used."""
    say(f"{message}\n", error=True)


@magics_class
class LabMagics(Magics):
    """The magics of one notebook. No argument is expanded: `{{.ID}}` and `$HOME` are Docker's and the shell's."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.lesson = LessonMachine()
        self.page = NotebookPage() if getattr(shell, "kernel", None) else None  # there for as long as the kernel

    def _run(self, line: str) -> None:
        done = self.lesson.run(line)
        say(done.stdout)
        say(done.stderr, error=True)

    @no_var_expand
    @line_magic
    def docker(self, line: str) -> None:
        """%docker ARGUMENTS: run docker on the lesson's machine."""
        self._run(f"docker {line}".rstrip())

    @no_var_expand
    @line_cell_magic
    def host(self, line: str, cell: str | None = None) -> None:
        """%host COMMAND, or %%host and a script below: run it in a root shell on the lesson's machine."""
        if cell is None and not line.strip():
            complain("%host: what shall be run? Write a command after it, as in: %host ls /var/lib/docker")
            return
        self._run(line if cell is None else "\n".join(filter(None, [line.strip(), cell])))

    @no_var_expand
    @cell_magic
    def hostfile(self, line: str, cell: str) -> None:
        """%%hostfile PATH: write the cell's text to this file of the host; a relative path starts in /home/learner."""
        path = line.strip().strip("'\"")
        if not path:
            complain("%%hostfile: which file? Write a path after it, as in: %%hostfile app/Dockerfile")
            return
        try:
            self.lesson.write_file(path, cell)
        except OSError as error:
            complain(f"%%hostfile: cannot write {path}: {error.strerror}")

    @no_var_expand
    @cell_magic
    def session(self, line: str, cell: str) -> None:
        """%%session: type the lines below into a terminal, one after the other, and print what its screen shows."""
        if line.strip() or not cell.strip():
            complain("%%session: what shall be typed? Write it on the lines below, one input a line")
            return
        say(self.lesson.type(cell.strip("\n")))

    @line_magic
    def undo(self, line: str) -> None:
        """%undo, or %undo 3: take back the last input, or the last three."""
        text = line.strip() or "1"
        if not (text.isascii() and text.isdigit()):
            complain(f"%undo: {text} is not a number of inputs")
            return
        for _ in range(int(text)):
            taken = self.lesson.undo()
            if taken is None:
                complain("%undo: there is nothing to take back")
                return
            say(f"taken back: {taken.splitlines()[0]}{' ...' if len(taken.splitlines()) > 1 else ''}\n")

    @line_magic
    def fresh(self, line: str) -> None:
        """%fresh, or %fresh storage_driver=vfs system=mac …: go on with a new machine."""
        try:
            self.lesson.fresh(**options(line))
        except TypeError:  # Machine has no such option
            complain(f"%fresh: what can be chosen is {choices()}")
        except ValueError as error:
            complain(f"%fresh: {error}")

    @no_var_expand
    @line_magic
    def labkit(self, line: str) -> None:
        """%labkit ARGUMENTS: the labkit command, as in %labkit submit; it needs no terminal that finds it."""
        try:
            words = shlex.split(line)
            status = cli.main(words)
        except ValueError as error:
            complain(f"%labkit: {error}")
        except SystemExit:  # --help has printed what it has to say
            pass
        else:
            if words[:1] == ["submit"] and status == 0:
                self._offer(words)

    def _offer(self, words: list[str]) -> None:
        """The file to hand in as a download, where it does not lie beside the notebook on the learner's own disk."""
        args = cli.parser().parse_args(words)
        path = cli.submission_path(args.out, args.name or current().learner)
        if IN_BROWSER or (path.is_absolute() and not args.out):
            address = "data:application/json;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
            name = html.escape(path.name)
            display(HTML(f'<a download="{name}" href="{address}">Save {name} on this computer</a>'))

    @no_var_expand
    @cell_magic
    def answer(self, line: str, cell: str) -> None:
        """%%answer SLUG: hand in the cell as the answer to that exercise, and print what is said to it."""
        slug = line.strip()
        if not slug:
            complain("%%answer: which exercise? Write its name after it, as in: %%answer first-image")
            return
        try:
            say(judge_text(slug, cell).rstrip("\n") + "\n")
        except ValueError as error:
            complain(f"%%answer: {error}")


def choices() -> str:
    """What a machine can be asked for, as it is written after %fresh."""
    return ", ".join(f"{name}=" for name in inspect.signature(Machine).parameters)


def options(line: str) -> dict[str, object]:
    """key=value words as arguments; lists and None are taken as such, all else as text: 20.10 is no number."""
    found: dict[str, object] = {}
    for word in line.split():
        key, equals, value = word.partition("=")
        if not (equals and key.isidentifier()):
            raise ValueError(f"{word} is not of the form name=value")
        try:
            read = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            read = value
        found[key] = value if isinstance(read, int | float) else read
    return found
