"""The labkit command: what learners, instructors and authors do with it.

Jupyter's part is imported only by the two commands that run notebooks.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import labkit
from labkit.grading.commands import RefusedError, add_commands

NOT_HERE = "there is no folder notebooks/ here or above: this is for authors, in a checkout of the course"


class UsageError(Exception):
    """The command cannot be done as it was given; str() is one line that says why."""


class CommandParser(argparse.ArgumentParser):
    """argparse, with one line and exit status 2 for a command that it cannot use."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(f"{message}; see `{self.prog} --help`")


def submit(args: argparse.Namespace) -> int:
    """Write one file with all answers of the learner."""
    from labkit.course.exercises import CourseError
    from labkit.course.lessons import find_lesson
    from labkit.course.progress import current, open_progress, write_whole
    from labkit.grading.submission import parse_submission, write_submission

    progress = open_progress()
    learner = args.name or current().learner
    if not progress.entries(learner):
        known = ", ".join(sorted(progress.document["answers"]))
        there = f"there are answers of {known}" if known else "answers are saved when an exercise is checked"
        raise UsageError(f"there are no answers of '{learner}' in {progress.path} ({there})")
    try:
        lesson = find_lesson(args.lesson).stem if args.lesson else ""
    except CourseError as error:
        raise UsageError(str(error)) from None
    out = submission_path(args.out, learner)
    text = write_submission(progress, learner, current().seed, lesson)
    submission = parse_submission(out.name, text.encode("utf-8", "replace"))
    count = len(submission.answers)
    if not count:
        raise UsageError(f"there are no answers of '{learner}' to exercises of {lesson}")
    write_whole(out, text)
    print(f"{out}: {count} answer{'' if count == 1 else 's'} of {learner}. Hand in this file.")
    print(f"Its code, as a receipt: {submission.code}")
    return 0


def submission_path(out: str | None, learner: str) -> Path:
    """Where `labkit submit` writes: here, or where the progress is if nobody may write here."""
    from labkit.course.progress import home
    from labkit.grading.submission import SUFFIX

    if out:
        return Path(out)
    name = f"{_file_name(learner)}{SUFFIX}"
    return Path(name) if os.access(".", os.W_OK) else home() / name


def _file_name(learner: str) -> str:
    if not learner.strip(". "):
        raise UsageError("the name is empty")
    odd = [character for character in learner if character in '/\\:*?"<>|' or not character.isprintable()]
    if odd:
        raise UsageError(f"'{learner}' cannot be the name of a file; take one without {odd[0]!r}")
    return learner


def learner(args: argparse.Namespace) -> int:
    """Say, or set, whose course this is: exercises vary with the name."""
    from labkit.course.progress import current, open_progress

    if args.name is not None:
        _file_name(args.name.strip())  # the file to hand in is called by it, and the grader reads it from there
        open_progress().set_learner(args.name.strip(), args.seed)
    whose = current()
    print(f"learner: {whose.learner}" + (f", course: {whose.seed}" if whose.seed else ""))
    return 0


def replay(args: argparse.Namespace) -> int:
    """Play transcripts on fresh machines."""
    from labkit.conformance.replay import main as replay_main

    return replay_main(args.paths, args.base, args.verbose)


def compare(args: argparse.Namespace) -> int:
    """Play scenarios on the reader's own engine and on labkit; or write what the engine says."""
    try:
        from labkit.conformance import compare as comparing
        from labkit.conformance.ownengine import Wanted
    except ModuleNotFoundError as missing:
        raise UsageError(f"{missing.name} is missing: pip install '{labkit.DISTRIBUTION}[compare]'") from None
    if bool(args.scenarios) == bool(args.random):
        raise UsageError("give either scenarios or --random N")
    asked = comparing.Asked(
        args.scenarios,
        args.random,
        args.seed,
        args.base,
        Wanted(args.context, args.run_flags, args.build_flags),
        args.verbose,
        args.all,
    )
    return comparing.record(asked, args.out) if args.out else comparing.compare(asked)


def check_course(args: argparse.Namespace) -> int:
    """Say what is wrong with the course."""
    from labkit.course.exercises import load_all
    from labkit.course.selfcheck import check_course as faults_of_course
    from labkit.course.selfcheck import wrong_answers

    faults = faults_of_course(args.variants)
    faults += [] if args.fast else _faults_of_runs()
    for fault in faults:
        print(fault)
    if not faults:
        print(
            "none of these passes:", ", ".join(f"{count:,} {sort}" for sort, count in wrong_answers(load_all()).items())
        )
    print(f"{len(faults)} fault{'' if len(faults) == 1 else 's'}" if faults else "the course is sound")
    return 1 if faults else 0


def _faults_of_runs() -> list[str]:
    from labkit.jupyter import running

    return [fault for path in _notebooks([]) for fault in running.faults_of_a_run(path)]


def _notebooks(names: Sequence[str]) -> list[Path]:
    """The notebooks of these names (03, 03-the-build-cache, a path); without one, all."""
    from labkit.course.selfcheck import notebooks_folder

    folder = notebooks_folder()
    if folder is None:
        raise UsageError(NOT_HERE)
    every = sorted(folder.glob("*.ipynb"))
    found = {name: [path for path in every if path.stem.startswith(Path(name).stem)] for name in names}
    for name, paths in found.items():
        if not paths:
            raise UsageError(f"there is no notebook '{name}' in {folder}")
    return [path for paths in found.values() for path in paths] if names else every


def run_notebooks(args: argparse.Namespace) -> int:
    """Run notebooks and save their outputs."""
    paths = _notebooks(args.names)
    from labkit.jupyter import running

    return 1 if running.run_notebooks(paths, args.check, print) else 0


def new_exercise(args: argparse.Namespace) -> int:
    """Append an exercise to a lesson's file, to be filled in."""
    from labkit.course.newexercise import NewExerciseError, append_exercise

    if not (Path(__file__).parents[1] / "pyproject.toml").is_file():
        raise UsageError("this is for authors, in a checkout of the course: the records here are an installed copy's")
    try:
        path, line = append_exercise(args.lesson, args.slug, args.kind)
    except NewExerciseError as error:
        raise UsageError(str(error)) from None
    print(f"{path}, line {line}: fill in what stands in capitals.")
    print(f'Then put exercise("{args.slug}") into a cell of {path.stem}.ipynb, and run: labkit check-course --fast')
    return 0


def misconceptions(args: argparse.Namespace) -> int:
    """List the beliefs that the course collects, and where each is covered."""
    from labkit.course.record import misconceptions as beliefs
    from labkit.course.selfcheck import covered, notebooks_folder, read_course

    places = covered(read_course(notebooks_folder()))
    for each in beliefs().values():
        print(f"{each.number:2}  {each.belief}. {each.fact}")
        print(f"    {', '.join(places.get(each.number, ())) or '(not covered)'}")
    return 0


def lab(args: argparse.Namespace) -> int:
    """The lessons in a folder of one's own, in JupyterLab."""
    try:
        from labkit.jupyter import folder
    except ModuleNotFoundError as missing:
        raise UsageError(f"{missing.name} is missing: the lessons need JupyterLab and ipywidgets") from None
    where = Path(args.folder).expanduser().resolve()
    try:
        aside = folder.bring(where, folder.lessons())
    except OSError as error:
        raise UsageError(f"'{where}' cannot be written: {error.strerror}") from None
    for name in aside:
        print(f"{name} is of a new version; your copy of the old one is in {where / 'earlier'}")
    folder.start(where, args.options)
    return 0


def drivers(args: argparse.Namespace) -> int:
    """Compare the storage drivers."""
    from labkit.drivers.measure import measure_all, table

    print(table(measure_all()), end="")
    return 0


def parser() -> CommandParser:
    top = CommandParser(prog="labkit", description="A course on how Docker stores things, on a machine in memory.")
    top.add_argument("--version", action="version", version=f"labkit {labkit.__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    one = commands.add_parser("lab", help="open the lessons in JupyterLab")
    one.add_argument("folder", nargs="?", default="~/labkit", metavar="FOLDER", help="yours (default: ~/labkit)")
    one.add_argument("options", nargs="*", metavar="OPTION", help="after --, for JupyterLab")
    one.set_defaults(do=lab)

    one = commands.add_parser("submit", help="write one file with your answers, to hand in")
    one.add_argument("name", nargs="?", help="whose answers (default: the learner of this course)")
    one.add_argument("--out", metavar="FILE", help="the file (default: NAME.labkit.json)")
    one.add_argument("--lesson", metavar="LESSON", help="only of this lesson, as 02 (default: all that was answered)")
    one.set_defaults(do=submit)

    one = commands.add_parser("learner", help="say or set whose course this is")
    one.add_argument("name", nargs="?", help="your name, as your instructor has it")
    one.add_argument("--seed", default="", help="the course's seed, if your instructor gave you one")
    one.set_defaults(do=learner)

    add_commands(commands)

    one = commands.add_parser("replay", help="play transcripts of a real engine and compare")
    one.add_argument("paths", nargs="+", metavar="PATH")
    one.add_argument("--base", help="the base image's base.json (default: the nearest in a folder above)")
    one.add_argument("--verbose", action="store_true", help="show each first difference")
    one.set_defaults(do=replay)

    one = commands.add_parser("compare", help="play scenarios on your own, empty Docker Engine and on labkit")
    _engine_flags(one)
    one.add_argument("--all", action="store_true", help="go on after the first difference; nothing is shrunk")
    one.add_argument("--verbose", action="store_true", help="name what is equal too")
    one.set_defaults(do=compare, out=None)

    one = commands.add_parser("record", help="play scenarios on your own, empty Docker Engine and write what it says")
    _engine_flags(one)
    one.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the recordings are written")
    one.set_defaults(do=compare, all=False, verbose=False)

    one = commands.add_parser("drivers", help="compare what one workload costs on each storage driver")
    one.set_defaults(do=drivers)

    _authors_commands(commands)
    return top


def _engine_flags(one: argparse.ArgumentParser) -> None:
    one.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="files of scenarios, recordings, folders of them")
    one.add_argument("--random", type=int, default=0, metavar="N", help="N sequences drawn at random instead")
    one.add_argument("--seed", type=int, default=0, metavar="S", help="of which these are drawn (default: 0)")
    one.add_argument("--context", metavar="NAME", help="the engine, by docker's name for it (default: docker's)")
    one.add_argument("--base", type=Path, metavar="TARFILE", help="the base image's root (default: made of busybox)")
    one.add_argument("--run-flags", default="", metavar="FLAGS", help="for docker run and create on the engine")
    one.add_argument("--build-flags", default="", metavar="FLAGS", help="for docker build on the engine")


def _authors_commands(commands: argparse._SubParsersAction[CommandParser]) -> None:
    one = commands.add_parser("check-course", help="say what is wrong with the course")
    one.add_argument("--variants", type=int, default=20, metavar="N", help="try N variants of each (default: 20)")
    one.add_argument("--fast", action="store_true", help="do not run the notebooks")
    one.set_defaults(do=check_course)

    one = commands.add_parser("new-exercise", help="append an exercise, to be filled in, to a lesson's file")
    one.add_argument("lesson", metavar="LESSON", help="the lesson's number or name, as 03 or 03-the-build-cache")
    one.add_argument("slug", metavar="SLUG", help="what it is called for good, as in: a-file-that-stays")
    one.add_argument(
        "--kind", default="do", help="do (default), repair, predict, explain, mark, order, compose, choose"
    )
    one.set_defaults(do=new_exercise)

    one = commands.add_parser("run-notebooks", help="run notebooks and save their outputs")
    one.add_argument("names", nargs="*", metavar="NAME", help="as 03 or 03-the-build-cache (default: all)")
    one.add_argument("--check", action="store_true", help="save nothing: compare with the saved outputs")
    one.set_defaults(do=run_notebooks)

    one = commands.add_parser("misconceptions", help="list the beliefs that exercises name by number")
    one.set_defaults(do=misconceptions)


def main(argv: Sequence[str] | None = None) -> int:
    """Do the command, and return its exit status."""
    try:
        args = parser().parse_args(argv)
        do: Callable[[argparse.Namespace], int] = args.do
        return do(args)
    except (UsageError, RefusedError) as error:
        print(f"labkit: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
