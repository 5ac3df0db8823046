"""Slips that people make: they fail, and what is said to them is so; slips and trivial answers as they are made."""

from __future__ import annotations

import pytest

from labkit.course import load_exercise
from labkit.course.judge import judge
from labkit.course.record import Exercise, draw_values, fill, for_learner
from labkit.course.selfcheck.slips import slips, trivial_answers


def variant(slug: str) -> Exercise:
    return for_learner(load_exercise(slug), "demo", "")


def judged_text(slug: str, answer: str) -> str:
    """What is said to this answer; @name@ in it is the variant's value."""
    exercise = variant(slug)
    judgement = judge(exercise, fill(answer, draw_values(exercise.specs, exercise.key)))
    assert not judgement.passed
    return str(judgement.reply)


MYSQL = "docker run -d --name @box@ -e MYSQL_ROOT_PASSWORD=@password@ -v book:/var/lib/mysql mysql\n"
WRONG = [  # (exercise, answer, a part of what is said)
    ("your-first-container", "docker run busybox --name @name@", "So far: there is no container"),
    ("the-packages-that-vanished", "docker rm -f @box@\ndocker run -d --name @box@ -v @app@:/app @app@:1 sleep 1d", "is mounted at /app; a folder of the host was asked for"),
    ("the-edit-that-stays-outside", "docker rm -f @box@\ndocker run -d --name @box@ -v @conf@:/etc/@app@ busybox sleep 1d", "there is nothing"),
    ("out-of-a-volume-on-a-mac", "docker run --rm -v @volume@:/a -v @folder@:/b busybox cp /a/@file@ /b/", "is not there; in /Users/learner/"),
    ("the-settings-that-do-not-arrive", "docker rm -f @box@\ndocker volume rm @conf@\ndocker run -d --name @box@ -v /@conf@:/etc/@app@ busybox sleep 1d", "of the host is mounted at /etc/"),
    ("files-of-another-image", "docker run -d --name @box@ --mount type=image,source=@assets@:1,target=/@target@,image-subpath=files busybox sleep 1d", "So far: "),
    ("a-database-to-stay", f"{MYSQL}sleep 10\ndocker exec @box@ mysql -p@password@ -e 'CREATE DATABASE @base@'\ndocker rm -f @box@\n{MYSQL}", "a volume named `book` is mounted at /var/lib/mysql, not "),
    ("a-secret-in-memory", "docker run -d --name @box@ --tmpfs /run/@dir@:size=1m busybox sleep 1000000\ndocker cp @file@ @box@:/run/@dir@/token", "there is nothing"),
    ("orders-move-out", "docker run -d --name @box@ -v @volume@:/@dir@ @app@:2", "which is another image"),
    ("a-volume-from-an-image", "docker volume create @volume@", "The volume is there, and empty."),
    ("the-token-in-the-layer", "printf 'FROM busybox\\nENV K=@token@\\nRUN echo @word@ > /@made@\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@", "No layer has it, and yet it can be read"),
    ("nothing-but-one-file", "printf 'FROM scratch\\nCOPY . /\\n' > @app@/Dockerfile\ndocker build -t @app@:bare @app@", "One layer, and more than one file in it"),
    ("the-disk-is-full", "docker container prune --force\ndocker builder prune --all --force\ndocker volume prune --force", "and no other"),
    ("the-development-loop", "--mount type=bind,source=/home/learner/@app@,target=/srv/@dir@,readonly", "of the host is mounted at /srv/"),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "answer", "said"), WRONG, ids=[row[0] for row in WRONG])
def test_what_is_said_to_a_slip_is_so(slug: str, answer: str, said: str) -> None:
    assert said in judged_text(slug, answer)


@pytest.mark.parametrize(
    ("slug", "answer"),
    [
        ("the-development-loop", "--mount type=bind,source=$PWD/@app@/src,target=/srv/@dir@,readonly"),
        ("the-development-loop", "--mount type=bind,source=./@app@/src,\\\ntarget=/srv/@dir@,readonly"),
        ("two-doors-at-a-time", "@one@ @other@"),
    ],
)
def test_other_spellings_are_right(slug: str, answer: str) -> None:
    exercise = variant(slug)
    assert judge(exercise, fill(answer, draw_values(exercise.specs, exercise.key))).passed


def test_an_error_that_is_mended_is_not_repeated() -> None:
    exercise = variant("your-first-container")
    wrong, right = "docker run busybox --name box", "docker run --name box busybox true"
    assert len(judge(exercise, wrong).notes) == 1
    assert judge(exercise, [wrong, right]).notes == ()
    assert len(judge(exercise, [right, wrong]).notes) == 1


def test_what_the_task_does_not_tell_no_check_shows() -> None:
    exercise = variant("a-job-that-leaves-nothing")
    number = str(exercise.checks[0].arguments["word"])
    assert number not in judge(exercise, ["true"]).text


def test_the_slips_of_a_mount() -> None:
    made = {str(slip.answer) for slip in slips(variant("a-host-folder-with-minus-v"))}
    right = str(variant("a-host-folder-with-minus-v").solutions[0].answer)
    source, target = right.removeprefix("-v ").split(":")[:2]
    wrong = {f"-v {target}:{source}:ro", f"-v {source.lstrip('/')}:{target}:ro", f"-v {source}:{target}"}
    assert wrong | {f"-v {source}:{target}/more:ro", f"-v {source}s:{target}:ro"} <= made


def test_the_trivial_answers() -> None:
    """Each command of a solution alone; a text that the task tells, by hand."""
    made = [slip.name for slip in trivial_answers(variant("the-edit-that-stays-outside"))]
    assert [name for name in made if name.startswith("only `docker rm -f ")]
    assert [slip for slip in trivial_answers(variant("a-report-of-your-own")) if slip.name.startswith("by hand: echo ")]
