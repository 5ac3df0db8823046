"""cache_lab("app"): change a Dockerfile and its context, say what will be cached, build, and see which keys changed.

What is said of a step comes from the journal of the build (labkit/engine/build/journal.py). Before there is a build,
the steps are those of a try: the same command is run on the machine, which is then put back to what it was.
"""

from __future__ import annotations

import ast
import html
import posixpath
import shlex
import stat
from collections.abc import Callable, Iterator, Mapping

import traitlets

from labkit.engine.build.context import Matcher, PatternError, matcher, read_ignore_file
from labkit.engine.build.journal import Reason, before, reasons
from labkit.engine.core.records import CACHED, FAILED, MADE, Journal, StepOutcome
from labkit.files import Files
from labkit.jupyter.magics import LessonMachine
from labkit.jupyter.panel import Panel, bundle, table
from labkit.jupyter.view import count, cut, size_text
from labkit.kernel.golang import JsonObject, text, texts

SHOWN_VALUE = 60


def sentence(reason: Reason) -> str:
    """A reason in words: "The checksum of `app.py` changed: its content"."""
    made = WORDS.get(reason.what)
    return made(reason) if made else f"Its {reason.what} changed: {_change(reason)}"


def code(text: str) -> str:
    """Text between backquotes; none of its own are left in it."""
    return f"`{cut(text, SHOWN_VALUE).replace('`', chr(39))}`" if text else "nothing"


def _change(reason: Reason) -> str:
    return f"{code(reason.old)} → {code(reason.new)}"


def _named(title: str) -> Callable[[Reason], str]:
    """A sentence about one of several things of a kind, which can be new or gone."""
    return lambda reason: (
        f"{title} {code(reason.name)} "
        + (f"changed: {_change(reason)}" if reason.how == "value" else f"is {reason.how}")
    )


def _command(reason: Reason) -> str:
    return f"The instruction's text changed: {code(_line(reason.old))} → {code(_line(reason.new))}"


def _line(value: str) -> str:
    """What a RUN runs, without the shell before it."""
    words = ast.literal_eval(value) if value else ()
    return " ".join(words[2:] if words[:2] == ("/bin/sh", "-c") else words)


FILES = {
    "new": "{file} is new among what it copies",
    "gone": "{file} is gone from what it copies",
    "content": "The checksum of {file} changed: its content",
    "mode": "The checksum of {file} changed: its mode, {old} → {new}",
    "owner": "The checksum of {file} changed: its owner, {old} → {new}",
    "kind": "{file} is another kind of file now",
}


def _file(reason: Reason) -> str:
    return FILES[reason.how].format(file=code(reason.name), old=reason.old, new=reason.new)


def _content(reason: Reason) -> str:
    ways = {"new": "It copies {} now", "gone": "It copies {} no longer", "value": "What {} names changed"}
    return ways[reason.how].format(code(reason.name or "."))


def _option(reason: Reason) -> str:
    titles = {"target": "Where it copies to", "unpack": "Whether it unpacks archives"}
    return f"{titles.get(reason.name, code(reason.name))} changed: {_change(reason)}"


WORDS: dict[str, Callable[[Reason], str]] = {
    "forced": lambda reason: f"{code(reason.name)} has it made anew",
    "pruned": lambda reason: "It was made before with this very key, but its record is gone: pruned",
    "new": lambda reason: "Nothing like it was made before",
    "below": lambda reason: f"It stands on another step than before: {code(reason.name)}",
    "order": lambda reason: "The same variables stand in another order",
    "command": _command,
    "argument": _named("The ARG"),
    "variable": _named("The variable"),
    "mount": _named("The mount at"),
    "stage": lambda reason: f"The stage that it mounts at {code(reason.name)} changed",
    "script": lambda reason: "The text of its script changed",
    "text": lambda reason: f"The text of {code(reason.name)} in the Dockerfile changed",
    "file": _file,
    "content": _content,
    "option": _option,
    "folder": lambda reason: f"Its folder changed: {_change(reason)}",
    "user": lambda reason: f"Its user changed: {_change(reason)}",
}


HOME = "/home/learner"
DOCKERFILE, IGNORE = "Dockerfile", ".dockerignore"
MOST_FILES = 200  # of the context that are listed
MOST_TEXT = 20_000  # bytes of a file that can be edited here
KEPT_OUTPUT = 20_000  # characters of what docker printed
GUESSES = ("", CACHED, MADE)
STATES = {CACHED: "cached", MADE: "made anew", FAILED: "failed", "canceled": "canceled"}


class CacheLab(Panel):
    """A Dockerfile, its context, and what the build cache makes of them."""

    _esm, _css = bundle("cache_lab")

    title = traitlets.Unicode().tag(sync=True)
    files: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)  # rows of path, shown, size, mode, note
    editor = traitlets.Dict().tag(sync=True)  # path, text, mode of the open file; `why` where it cannot be edited
    options = traitlets.Unicode().tag(sync=True)  # of docker build
    command = traitlets.Unicode().tag(sync=True)  # as it will be run
    steps: traitlets.List[JsonObject] = traitlets.List().tag(sync=True)  # see step_row
    shown = traitlets.Unicode().tag(sync=True)  # what the steps say: "" nothing yet, "forecast", "built"
    verdict: traitlets.List[str] = traitlets.List().tag(sync=True)  # sentences after a build
    said = traitlets.Unicode().tag(sync=True)  # what could not be done
    output = traitlets.Unicode().tag(sync=True)  # what docker build printed

    def __init__(self, lesson: LessonMachine, folder: str, tag: str, options: str = "") -> None:
        self._lesson = lesson
        self._folder = folder
        self._tag = tag
        self._guesses: dict[str, str] = {}  # by the step's name
        self._journal = Journal()
        self._paths_by_key: dict[str, str] = {}  # as they are printed
        super().__init__(title=f"Build cache of {cut(folder)}", options=options)
        self._open_path(DOCKERFILE)
        self._changed()

    def __repr__(self) -> str:
        return f"cache_lab({cut(self._folder)!r}): {count(len(self.steps), 'step')}"

    # what is asked for

    def do_open(self, path: str = "") -> None:
        self.said = ""
        self._open_path(self._real(path))

    def do_save(self, path: str = "", text: str = "") -> None:
        path = self._real(path)
        self._lesson.write_file(self._whole(path), text)
        self._open_path(path)
        self._changed()

    def do_new(self, path: str = "") -> None:
        path = posixpath.normpath(path.strip())
        if path.startswith(("/", "..")) or path == ".":
            self.said = "A new file has a path inside the folder, as in src/app.py."
            return
        if not self._files().exists(self._whole(path)):
            self._lesson.write_file(self._whole(path), "")
        self._open_path(path)
        self._changed()

    def do_file(self, path: str = "", what: str = "") -> None:
        """Do something to a file: the row of FILE_COMMANDS."""
        path = self._real(path)
        line = FILE_COMMANDS.get(what)
        if line is None or path not in self._paths_by_key.values():
            return
        done = self._lesson.run(f"{line} -- {shlex.quote(self._whole(path))}")
        gone = not self._files().exists(self._whole(path))
        self._open_path(DOCKERFILE if gone else path)
        self._changed()
        self.said = done.stderr.strip()

    def do_options(self, text: str = "") -> None:
        self.options = text
        self._changed()

    def do_say(self, number: int = -1, value: str = "") -> None:
        """What the learner says of a step before it is built."""
        if self.shown or value not in GUESSES or not 0 <= number < len(self.steps):
            return
        self._guesses[text(self.steps[number], "name")] = value
        self._draw()

    def do_forecast(self) -> None:
        self._changed()
        self.shown = "forecast"
        self._draw()

    def do_build(self) -> None:
        if self.shown == "built":
            self._guesses = {}
        cache = self._lesson.machine.engine.build_cache
        before_it = cache.journal
        done = self._lesson.run(self._command())
        self._journal = cache.journal if cache.journal and cache.journal is not before_it else Journal()
        self.output = done.stderr[-KEPT_OUTPUT:]
        self.said = "" if done.returncode == 0 else error_of(done.stderr)
        self.shown = "built"
        self._draw()
        self.verdict = verdict(self._journal, self._guesses) if self._journal.outcomes else []

    def do_prune(self) -> None:
        self._lesson.run("docker builder prune -af")
        self._changed()
        self.said = "The cache is empty: docker builder prune -af"

    # the machine

    def _files(self) -> Files:
        return self._lesson.machine.files

    def _whole(self, path: str) -> str:
        return posixpath.join(HOME, self._folder, path)

    def _command(self) -> str:
        """docker build, its options as words of their own whatever is in them. Raises ValueError."""
        words = shlex.join(shlex.split(self.options))
        return " ".join(filter(None, ("docker build -t", shlex.quote(self._tag), words, shlex.quote(self._folder))))

    def _changed(self) -> None:
        """Something is not as it was: what will be built is tried, and nothing is said of it yet."""
        self.said, self.verdict, self.shown, self.output = "", [], "", ""
        try:
            self.command = self._command()
            self._journal, self.said = self._tried()
        except ValueError as error:
            self._journal, self.said = Journal(), f"The options cannot be read: {error}"
        names = {each.name for each in self._journal.outcomes}
        self._guesses = {name: value for name, value in self._guesses.items() if name in names}
        self.files = list(self._file_rows())
        self._draw()

    def _tried(self) -> tuple[Journal, str]:
        """The journal of a build that is taken back, and the error that it would end with."""
        machine = self._lesson.machine
        saved = machine.snapshot()
        try:
            machine.engine.build_cache.keep_journal(Journal())
            done = machine.run(self._command())
            return machine.engine.build_cache.journal or Journal(), error_of(done.stderr) if done.returncode else ""
        finally:
            machine.restore(saved)

    def _draw(self) -> None:
        self.steps = [
            step_row(each, self._journal, self._guesses.get(each.name, ""), shown=self.shown)
            for each in self._journal.outcomes
        ]

    # files

    def _real(self, path: str) -> str:
        """The path that the page means: it knows paths as they can be printed."""
        return self._paths_by_key.get(path, path)

    def _paths(self) -> Iterator[str]:
        files, top = self._files(), self._whole("")
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            for name in files.listdir(posixpath.join(top, folder)):
                path = posixpath.join(folder, name)
                if stat.S_ISDIR(files.lstat(posixpath.join(top, path)).st_mode):
                    waiting.append(path)
                else:
                    yield path

    def _file_rows(self) -> Iterator[dict[str, str]]:
        paths = sorted(self._paths(), key=lambda path: (path not in (DOCKERFILE, IGNORE), path))
        ignored = self._ignored()
        self._paths_by_key = {printable(path): path for path in paths}
        for path in paths[:MOST_FILES]:
            about = self._files().lstat(self._whole(path))
            yield {
                "path": printable(path),
                "shown": cut(path, 120),
                "size": size_text(about.st_size),
                "note": self._note(path, ignored),
            }
        if len(paths) > MOST_FILES:
            yield {"path": "", "shown": f"and {len(paths) - MOST_FILES} more", "size": "", "note": ""}

    def _note(self, path: str, ignored: Matcher | None) -> str:
        """Does a file go to the builder?"""
        ways = (
            (path in (self._journal.context or ()), "in the context"),
            (path in (DOCKERFILE, IGNORE), "read by every build"),
            (ignored is not None and ignored.matches(path), f"left out by {IGNORE}"),
            (bool(self._journal.outcomes), "not copied by any step"),
        )
        return next((words for so, words in ways if so), "")

    def _ignored(self) -> Matcher | None:
        files, path = self._files(), self._whole(IGNORE)
        if not files.exists(path) or files.is_dir(path):
            return None
        try:
            return matcher(read_ignore_file(files.read(path).decode("utf-8", "surrogateescape")))
        except PatternError:
            return None

    def _open_path(self, path: str) -> None:
        files, whole = self._files(), self._whole(path)
        if not path or not files.exists(whole) or files.is_dir(whole):
            self.editor = {"path": printable(path), "text": "", "mode": "", "why": "There is no such file."}
            return
        about = files.stat(whole)
        row = {"path": printable(path), "text": "", "mode": f"{stat.S_IMODE(about.st_mode):o}", "why": ""}
        try:
            text = files.read(whole).decode() if about.st_size <= MOST_TEXT else None
        except UnicodeDecodeError:
            text = None
        self.editor = {**row, "why": "It is too large, or no text."} if text is None else {**row, "text": text}

    def still(self) -> str:
        """The Dockerfile, and the steps with what is known of them."""
        whole = self._whole(DOCKERFILE)
        dockerfile = self._files().read(whole).decode("utf-8", "replace") if self._files().exists(whole) else ""
        rows = [
            (text(row, "title"), STATES.get(text(row, "state"), ""), "; ".join(texts(row, "reasons")))
            for row in self.steps
        ]
        return (
            f"<p><strong>{html.escape(self.title)}</strong>: <code>{html.escape(self.command)}</code></p>"
            f"<pre>{html.escape(dockerfile)}</pre>{table(('Step', 'It was', 'Why'), rows)}"
        )


FILE_COMMANDS = {
    "touch": "touch",
    "executable": "chmod 755",
    "plain": "chmod 644",
    "delete": "rm -f",
}


def printable(path: str) -> str:
    """A path in letters that a page can send back."""
    return path if path.isprintable() else cut(path, len(path) * 10)


def step_row(outcome: StepOutcome, journal: Journal, guess: str, *, shown: str) -> JsonObject:
    """A step as it is shown; what it was, its keys and reasons only where they may be seen."""
    row: JsonObject = {"name": outcome.name, "title": cut(outcome.name, 160), "line": outcome.line, "guess": guess,
                    "state": "", "right": "", "reasons": [], "key": "", "former": "", "cost": ""}  # fmt: skip
    if not shown:
        return row
    former, unneeded = before(outcome, journal), outcome.state == CACHED and outcome.unneeded
    right = "" if not guess or outcome.state not in (CACHED, MADE) else "yes" if guess == outcome.state else "no"
    return {
        **row,
        "state": outcome.state,
        "right": right,
        "reasons": [sentence(each) for each in reasons(outcome, journal)]
        or (["A step on it was found, so it is not needed itself"] if unneeded else []),
        "key": (outcome.digest or "")[:12],
        "former": former.key.digest[:12] if former else "",
        "cost": cost(outcome.seconds, outcome.size),
    }


def cost(seconds: float, size: int) -> str:
    """Time and bytes of a step: "3.2s, 2.1MB"; what is nothing is left out."""
    return ", ".join(filter(None, (f"{seconds:.1f}s" if seconds >= 0.05 else "", size_text(size) if size else "")))


def verdict(journal: Journal, guesses: Mapping[str, str]) -> list[str]:
    """What a build came to: how much was said rightly, what was saved, what was sent."""
    judged = [each for each in journal.outcomes if each.state in (CACHED, MADE)]
    said = [each for each in judged if guesses.get(each.name)]
    right = sum(guesses[each.name] == each.state for each in said)
    lines = [f"You said it rightly of {right} of {len(said)} steps."] if said else []
    kept, made = ([each for each in judged if each.state == state] for state in (CACHED, MADE))
    lines.append(f"{len(kept)} cached, {len(made)} made anew.")
    if saved := cost(sum(each.seconds for each in kept), sum(each.size for each in kept)):
        lines.append(f"Saved by the cache: {saved}.")
    if spent := cost(sum(each.seconds for each in made), sum(each.size for each in made)):
        lines.append(f"Made anew: {spent}.")
    if journal.context is not None:
        lines.append(f"Transferred: {size_text(journal.sent)}, for a context of {size_text(journal.size)}.")
    changed = {each.name for outcome in judged for each in reasons(outcome, journal) if each.what == "file"}
    untouched = sorted(path for path in journal.again if not any(f"/{path}".endswith(f"/{name}") for name in changed))
    if untouched:
        names = " and ".join(code(path) for path in untouched[:3]) + (" and others" if len(untouched) > 3 else "")
        lines.append(f"Sent again, with the same checksum: {names}. A new time is in no key.")
    return lines


def error_of(printed: str) -> str:
    """The last line that docker printed: its error."""
    lines = [line for line in printed.splitlines() if line.strip()]
    return lines[-1] if lines else "docker build failed"


def open_lab(lesson: LessonMachine, folder: str, files: Mapping[str, str] | None, options: str, tag: str) -> CacheLab:
    """A lab on a folder of the lesson's machine; `files` are written there first. Raises ValueError."""
    if not isinstance(folder, str) or not folder.strip("/"):
        raise ValueError('which folder? Write its name in quotes, as in: cache_lab("app")')
    for path, content in (files or {}).items():
        if not isinstance(path, str) or not isinstance(content, str):
            raise ValueError('files are texts by their paths, as in: files={"Dockerfile": "FROM busybox"}')
        lesson.write_file(posixpath.join(HOME, folder, path), content)
    whole = posixpath.join(HOME, folder)
    if not lesson.machine.files.is_dir(whole):
        raise ValueError(f"there is no folder {cut(folder)!r} on this machine; give its files: files={{…}}")
    return CacheLab(lesson, folder, tag, options)
