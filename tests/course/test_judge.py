"""What an answer to each kind looks like, as text and as JSON, and what is no answer."""

from __future__ import annotations

import pytest

from labkit.course.compare import COMPARE
from labkit.course.exercises import parse_records
from labkit.course.judge import KINDS, judge, options_of, shown_items, shown_lines
from labkit.course.machines import AnswerError
from labkit.course.record import Exercise, for_learner

HEAD = """
schema = 1
lesson = "x"
[[exercise]]
slug = "one"
revision = 1
points = 2
title = "One"
task = "Do it."
hints = ["small", "large"]
"""
CHOOSE = """
kind = "choose"
solution = [{ name = "right", answer = "The right one." }]
[[exercise.mistake]]
name = "first"
example = "A wrong one."
reply = "Why not."
[[exercise.mistake]]
name = "second"
example = "Another."
reply = "Nor that."
"""
MARK = """
kind = "mark"
items = ["RUN a: b", "ENV c", "COPY d"]
labels = ["layer", "no layer"]
right = ["layer", "no layer", "layer"]
solution = [{ name = "right", answer = ["layer", "no layer", "layer"] }]
[[exercise.mistake]]
name = "all"
marks = { "ENV c" = "layer" }
example = ["layer", "layer", "layer"]
reply = "ENV is metadata."
"""
ORDER = """
kind = "order"
lines = ["FROM a", "RUN b", "RUN c"]
file = "Dockerfile"
check = [{ is = "image_exists", image = "x" }]
solution = [{ name = "right", answer = ["FROM a", "RUN b", "RUN c"] }]
"""
COMPOSE = """
kind = "compose"
flags = ["-v", "--volume", "--mount"]
then = ["docker run @answer@ busybox"]
check = [{ is = "volume_exists", volume = "data" }]
solution = [{ name = "right", answer = "-v data:/data" }]
"""


def exercise(own: str, learner: str = "demo") -> Exercise:
    (found,), faults = parse_records("x.toml", HEAD + own)
    assert faults == []
    return for_learner(found, learner, "")


def test_choose() -> None:
    one = exercise(CHOOSE)
    form = KINDS["choose"].form(one)
    assert [each["value"] for each in form["options"]] == ["a", "b", "c"]
    letter = next(each["value"] for each in form["options"] if each["text"] == "The right one.")
    for answer in (letter, letter.upper() + ")", "The right one."):
        assert judge(one, answer).passed
    judgement = judge(one, "Another.")
    assert (judgement.passed, judgement.points, judgement.mistake, judgement.reply) == (False, 0, "second", "Nor that.")
    assert {tuple(options_of(exercise(CHOOSE, f"l{number}"))) for number in range(60)} > {tuple(options_of(one))}


@pytest.mark.parametrize("answer", ["d", "", None, 3, ["a"], "None of them."])
def test_no_choice(answer: object) -> None:
    judgement = judge(exercise(CHOOSE), answer)
    assert not judgement.passed
    assert judgement.error
    sentence = "nothing is chosen or written yet" if answer in ("", None) else "the answer must be"
    assert judgement.text.startswith(f"This cannot be read as an answer: {sentence}")


@pytest.mark.parametrize(
    "answer",
    [
        {"RUN a: b": "layer", "ENV c": "no layer", "COPY d": "layer"},
        "RUN a: b: layer\nENV c: no layer\n\nCOPY d: layer\n",
    ],
)
def test_mark(answer: object) -> None:
    assert judge(exercise(MARK), answer).passed


def test_marks_by_their_place_are_in_the_order_that_is_shown() -> None:
    one = exercise(MARK)
    right = {"RUN a: b": "layer", "ENV c": "no layer", "COPY d": "layer"}
    labels = [right[item] for item in shown_items(one)]
    assert judge(one, labels).passed
    assert judge(one, "".join(f"{number}: {label}\n" for number, label in enumerate(labels, 1))).passed
    assert {tuple(shown_items(exercise(MARK, f"l{number}"))) for number in range(60)} > {tuple(shown_items(one))}


def test_a_wrong_mark_is_named() -> None:
    judgement = judge(exercise(MARK), {"RUN a: b": "layer", "ENV c": "layer", "COPY d": "no layer"})
    assert [result.ok for result in judgement.results] == [True, False, False]
    assert judgement.results[1].difference == "it is not 'layer'"
    assert judgement.mistake == "all"
    assert judge(exercise(MARK), ["no layer"] * 3).mistake is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (["layer"], "the answer must give one mark to each item"),
        ({"RUN a: b": "layer", "ENV c": "layer"}, "'COPY d' has no mark yet"),
        ({"ENV z": "layer"}, "there is nothing called 'ENV z' to mark"),
        ({"ENV c": "level"}, "'level' is not one of the marks: layer, no layer"),
        ({"ENV c": 3}, "the answer must give one mark to each item"),
        (None, "the answer must give one mark to each item"),
    ],
)
def test_no_marks(answer: object, error: str) -> None:
    assert judge(exercise(MARK), answer).error == error


VARYING = """
values = { file = ["a", "b"], "first second" = [["layer", "no layer"], ["no layer", "layer"]] }
kind = "mark"
items = ["@file@", "RUN b"]
labels = ["layer", "no layer"]
right = ["@first@", "@second@"]
solution = [{ name = "right", answer = ["@first@", "@second@"] }]
[[exercise.mistake]]
name = "swapped"
example = ["@second@", "@first@"]
marks = { "@file@" = "@second@" }
misconception = 18
reply = "It is the other one."
"""


def test_marks_that_vary_by_learner() -> None:
    rights = set()
    for learner in map(str, range(12)):
        one = exercise(VARYING, learner)
        assert judge(one, dict(zip(one.own.items, one.own.right, strict=True))).passed
        assert judge(one, one.mistakes[0].example).mistake == "swapped"
        rights.add(one.own.right)
    assert rights == {("layer", "no layer"), ("no layer", "layer")}


def test_a_mistake_that_comes_from_a_belief_says_so_first() -> None:
    one = exercise(VARYING)
    judgement = judge(one, one.mistakes[0].example)
    assert judgement.reply == (
        "A common belief: every instruction of a Dockerfile makes a layer.\n\nIt is the other one."
    )
    assert judgement.text.endswith(f"\n\n{judgement.reply}")
    assert judge(exercise(MARK), ["layer"] * 3).reply == "ENV is metadata."


def test_order_is_shown_in_another_one() -> None:
    for number in range(30):
        assert shown_lines(exercise(ORDER, f"l{number}")) != ["FROM a", "RUN b", "RUN c"]
    parse = KINDS["order"].parse
    assert parse(exercise(ORDER), " RUN c\nFROM a\n\nRUN b") == ["RUN c", "FROM a", "RUN b"]
    for answer in ("FROM a", ["FROM a", "RUN b", "RUN b"], ["FROM a", "RUN b", "RUN c", "RUN c"], 3, [3]):
        with pytest.raises(AnswerError):
            parse(exercise(ORDER), answer)


def test_compose_is_words_and_nothing_else() -> None:
    parse = KINDS["compose"].parse
    assert parse(exercise(COMPOSE), "-v 'my data:/x'") == ["-v", "my data:/x"]
    assert parse(exercise(COMPOSE), "--mount=type=tmpfs") == ["--mount=type=tmpfs"]
    assert parse(exercise(COMPOSE), "-va:/b") == ["-va:/b"]
    assert parse(exercise(COMPOSE), "--mount \\\n  source=$PWD/a,target=/b") == [
        "--mount",
        "source=/home/learner/a,target=/b",
    ]
    assert parse(exercise(COMPOSE), '-v "$(pwd)"/a:/b') == ["-v", "/home/learner/a:/b"]
    assert parse(exercise(COMPOSE), "-v a:/b; rm -r /") == ["-v", "a:/b;", "rm", "-r", "/"]
    for answer in ("", "rm -r /", "-v 'a", None, ["-v", "a"]):
        with pytest.raises(AnswerError):
            parse(exercise(COMPOSE), answer)


@pytest.mark.parametrize(
    ("how", "one", "other", "same"),
    [
        ("text", " a  b\n", "a b", True),
        ("text", "a b", "a c", False),
        ("number", "4 layers", "4", True),
        ("number", "none", "4", False),
        ("size", "20MB", "20.4MB", True),
        ("size", "20 MB", "40MB", False),
        ("size", "3mb", "3MB", True),
        ("size", "3 Mib", "3MB", True),
        ("size", "0B", "0B", True),
        ("size", "twenty", "20MB", False),
        ("lines", "b\na\n", "a\nb", True),
        ("lines", "a", "a\nb", False),
    ],
)
def test_compare(how: str, one: str, other: str, same: bool) -> None:
    assert COMPARE[how](one, other) is same
