"""The instructor's commands of the command line. What each needs is loaded when it is given."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import labkit

if TYPE_CHECKING:
    from labkit.grading.grade import Asked


class RefusedError(Exception):
    """The command cannot be done as it was given; str() is one line that says why."""


class Commands(Protocol):
    """Where a command's parser is added."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser: ...


def add_commands(commands: Commands) -> None:
    _add_release(commands.add_parser("release", help="put together what a class is handed out"))
    _add_grade(commands.add_parser("grade", help="grade a folder of submissions"))
    _add_nbgrader(commands.add_parser("nbgrader", help="write lessons as nbgrader's source assignments"))
    _add_mark(commands.add_parser("mark", help="give points and comments by hand, on a page"))


def _add_release(one: argparse.ArgumentParser) -> None:
    one.add_argument("lesson", nargs="+", metavar="LESSON", help="what is set, as 02")
    one.add_argument("--out", metavar="FOLDER", required=True, help="the folder to write into")
    _add_course(one)
    one.add_argument("--deadline", default="", metavar="TIME", help="told on the page; `labkit grade` is given it too")
    one.add_argument("--no-solutions", action="store_true", help="with a course wheel that gives no answers away")
    one.set_defaults(do=release)


def _add_grade(one: argparse.ArgumentParser) -> None:
    one.add_argument("folder", metavar="FOLDER", help="what was handed in: files, folders, zips as the LMS gives them")
    one.add_argument("--out", metavar="REPORT", required=True, help="the folder to write the report into")
    one.add_argument("--lesson", nargs="+", default=[], metavar="LESSON", help="what was set, as 02 (default: all)")
    _add_course(one)
    one.add_argument("--variant", default="", metavar="NAME", help="without a roster: whose variant all had")
    one.add_argument("--attempts", type=int, default=3, metavar="N", help="hand-ins of an exercise that count (3)")
    one.add_argument("--keep", choices=("last", "best"), default="best", help="which of them counts (best)")
    one.add_argument("--deadline", default="", metavar="TIME", help='until when, as in "2026-11-30 18:00"')
    one.add_argument("--late", default="none", metavar="RULE", help='none, zero, or as in "10%%/day up to 3" (none)')
    one.add_argument("--executor", default="processes", metavar="NAME", help="processes, here, or dask:tcp://ADDRESS")
    one.add_argument("--jobs", type=int, default=0, metavar="N", help="processes at a time (default: one a processor)")
    one.add_argument("--fresh", action="store_true", help="judge all anew; marks given by hand stay")
    one.set_defaults(do=grade)


def _add_mark(one: argparse.ArgumentParser) -> None:
    one.add_argument("report", metavar="REPORT", help="the folder that `labkit grade` wrote")
    one.add_argument("--exercise", default="", metavar="SLUG", help="answers to this one (default: to what is written)")
    one.add_argument("--port", type=int, default=0, metavar="N", help="of the page's address (default: a free one)")
    one.set_defaults(do=mark)


def _add_nbgrader(one: argparse.ArgumentParser) -> None:
    one.add_argument("folder", metavar="COURSE_DIR", help="nbgrader's course folder; source/ is written in it")
    one.add_argument("--lesson", nargs="+", default=[], metavar="LESSON", help="as 02 (default: all)")
    one.add_argument("--seed", default="", help="the course's seed")
    one.set_defaults(do=nbgrader)


def _add_course(one: argparse.ArgumentParser) -> None:
    """What several commands ask."""
    one.add_argument("--roster", metavar="FILE", help="who takes the course: a CSV of your own, Moodle's or Canvas'")
    one.add_argument("--seed", default="", help="the seed that the course was handed out with")
    one.add_argument("--course", metavar="PATH", help="a folder or a wheel with exercises of your own")


def release(args: argparse.Namespace) -> int:
    """Put together what a class is handed out."""
    from labkit.course.exercises import CourseError, course_files, use_course
    from labkit.course.selfcheck import notebooks_folder
    from labkit.grading.grade import exercises_of, title_of
    from labkit.grading.lateness import TimeError, read_time
    from labkit.grading.release import Release, write_release
    from labkit.grading.roster import RosterError, read_roster
    from labkit.grading.sealed import kept_in

    try:
        if args.deadline:
            read_time(args.deadline)
        course = course_files(Path(args.course)) if args.course else ()
        use_course(course)
        exercises = exercises_of(tuple(args.lesson))
        roster = read_roster(Path(args.roster)) if args.roster else None
        title = title_of(exercises, tuple(args.lesson))
        asked = Release(
            title, exercises, notebooks_folder(), args.seed, roster, args.deadline, args.no_solutions, course
        )
        names = write_release(asked, Path(args.out))
    except (CourseError, RosterError, TimeError) as error:
        raise RefusedError(str(error)) from None
    except OSError as error:
        raise RefusedError(f"'{args.out}' cannot be written: {error.strerror}") from None
    if args.no_solutions and (open_ones := kept_in(exercises)):
        print(f"these hold their answer all the same, for who opens the wheel: {', '.join(open_ones)}", file=sys.stderr)
    print(f"{args.out}: {', '.join(names)}")
    return 0


def _asked(args: argparse.Namespace) -> Asked:
    from labkit.course.exercises import CourseError, course_files
    from labkit.grading.grade import Asked
    from labkit.grading.lateness import Lateness, TimeError, read_rule, read_time
    from labkit.grading.roster import RosterError, read_roster

    if not Path(args.folder).is_dir():
        raise RefusedError(f"'{args.folder}' is not a folder")
    if args.attempts < 1:
        raise RefusedError("--attempts must be 1 or more")
    try:
        return Asked(
            Path(args.folder),
            args.seed,
            read_roster(Path(args.roster)) if args.roster else None,
            args.variant,
            tuple(args.lesson),
            course_files(Path(args.course)) if args.course else (),
            args.attempts,
            args.keep,
            Lateness(read_rule(args.late), read_time(args.deadline) if args.deadline else None),
            args.executor,
            args.jobs,
            args.fresh,
        )
    except (RosterError, TimeError, CourseError) as error:
        raise RefusedError(str(error)) from None


def grade(args: argparse.Namespace) -> int:
    """Grade all submissions in a folder."""
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        raise RefusedError(f"tqdm is missing: pip install '{labkit.DISTRIBUTION}[grade]'") from None

    from labkit.course.exercises import CourseError
    from labkit.grading.executors import ExecutorError
    from labkit.grading.grade import exercises_of, files_of, judge_class, results, title_of
    from labkit.grading.report import write_report
    from labkit.grading.store import Store, StoreError

    asked, out = _asked(args), Path(args.out)
    total = sum(1 for _ in files_of(asked))
    if not total and not asked.roster:
        raise RefusedError(f"there is nothing to grade in '{args.folder}' (files NAME.labkit.json or NAME.ipynb, zips)")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with Store(out / "results.sqlite") as store:
            with tqdm(total=total, unit=" files", disable=None, file=sys.stderr) as bar:
                judge_class(asked, store, bar.update)
            exercises = exercises_of(asked.lessons)
            notes = write_report(results(asked, store), exercises, out, title_of(exercises, asked.lessons))
    except (CourseError, ExecutorError, StoreError) as error:
        raise RefusedError(str(error)) from None
    except OSError as error:
        raise RefusedError(f"'{args.out}' cannot be written: {error.strerror}") from None
    for note in notes:
        print(note, file=sys.stderr)
    print(f"{total} file{'' if total == 1 else 's'} graded: {out / 'grades.csv'}, {out / 'report.html'}")
    return 0


def nbgrader(args: argparse.Namespace) -> int:
    """Write lessons as nbgrader's source assignments."""
    from labkit.course.exercises import CourseError
    from labkit.course.selfcheck import notebooks_folder
    from labkit.grading.assignments import write_assignments
    from labkit.grading.grade import exercises_of

    try:
        exercises = exercises_of(tuple(args.lesson))
        names = write_assignments(Path(args.folder), notebooks_folder(), exercises, args.seed)
    except CourseError as error:
        raise RefusedError(str(error)) from None
    except OSError as error:
        raise RefusedError(f"'{args.folder}' cannot be written: {error.strerror}") from None
    print(f"{args.folder}: source/{', source/'.join(names)}")
    print(f"Next, there: nbgrader generate_assignment {names[0]}")
    return 0


def mark(args: argparse.Namespace) -> int:
    """A page to give points and comments."""
    from labkit.course.exercises import CourseError, use_course
    from labkit.grading.grade import recalled
    from labkit.grading.marking import MarkingDesk, MarkingServer
    from labkit.grading.store import Store, StoreError

    path = Path(args.report) / "results.sqlite"
    if not path.is_file():
        raise RefusedError(f"'{args.report}' is no report: there is no results.sqlite in it")
    try:
        with Store(path) as store:
            asked = recalled(store.asked())
            use_course(asked.course)
            desk = MarkingDesk(asked, store, args.exercise)
            if not desk.answers:
                raise RefusedError("there are no answers to mark" + (f" to '{args.exercise}'" if args.exercise else ""))
            with MarkingServer(desk, args.port) as server:
                print(f"{len(desk.answers)} answers, {desk.left} not marked yet. Open {server.address}", flush=True)
                print("Ctrl-C ends it; run the same `labkit grade` again, and the report has the marks.", flush=True)
                server.serve_forever()
    except (StoreError, CourseError) as error:
        raise RefusedError(str(error)) from None
    except OSError as error:
        raise RefusedError(f"no page at port {args.port}: {error.strerror}") from None
    return 0
