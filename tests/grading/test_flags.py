"""What a person should look at: by words of an answer, and by texts that are equal where the variants are not."""

from __future__ import annotations

import pytest

from labkit.course.exercises import load_exercise
from labkit.course.machines import answer_text
from labkit.course.record import for_learner
from labkit.grading.flags import DOCKERS_OWN, EQUAL_TEXT, PROGRAMS, AnswerText, flags_of, flags_of_text


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("docker run --name web busybox true", []),
        ("cp fake /usr/local/bin/docker", [PROGRAMS]),
        ("echo x > /bin/sh; chmod 755 /bin/sh", [PROGRAMS]),
        ("docker cp fake web:/bin/cat", [PROGRAMS]),
        ("alias docker='echo hi'", [PROGRAMS]),
        ("docker() { echo hi; }", [PROGRAMS]),
        ("export PATH=/tmp:$PATH", [PROGRAMS]),
        ("echo 'x() { y; }' >> ~/.profile", [PROGRAMS, PROGRAMS]),
        ("ls /usr/bin", []),
        ("rm -rf /var/lib/docker/overlay2/abc", [DOCKERS_OWN]),
        ("echo hi > /var/lib/docker/volumes/data/_data/f", [DOCKERS_OWN]),
        ("echo hi >> $(docker inspect --format '{{.LogPath}}' web)", [DOCKERS_OWN]),
        ("docker run --rm -v /var/lib/docker:/d busybox rm -r /d/x", [DOCKERS_OWN]),
        ("docker run --rm -v /:/host busybox true", [DOCKERS_OWN]),
        ("cd /var/lib/docker/volumes\ntouch x", [DOCKERS_OWN]),
        ("cat /var/lib/docker/volumes/data/_data/f", []),
        ("cp $(docker inspect --format '{{.LogPath}}' web) kept", []),
        ("cp f $(docker inspect --format '{{.LogPath}}' web)", [DOCKERS_OWN]),
        ("cp /var/lib/docker/volumes/data/_data/f .", []),
        ("cp f /var/lib/docker/volumes/data/_data/", [DOCKERS_OWN]),
        ("docker run --rm -v data:/d busybox ls /d; ls /var/lib/docker", []),
        ("ls /var/lib/docker/containers | wc -l", []),
    ],
)
def test_the_words_of_an_answer(text: str, kinds: list[str]) -> None:
    assert [each.kind for each in flags_of_text(text)] == kinds


def given(learner: str, text: str, slug: str = "three-layers") -> AnswerText:
    return AnswerText(learner, learner, slug, text)


def test_equal_texts_of_different_variants() -> None:
    """Whose variant has the values is told too, as the other name: who was first, nobody knows."""
    solution = answer_text(for_learner(load_exercise("three-layers"), "ann", "").solutions[0].answer)
    found = flags_of([given("ann", solution), given("bob", solution + "\n"), given("eve", "docker ps --all")], "")
    assert {each.learner: [(flag.kind, flag.others) for flag in flags] for each, flags in found.items()} == {
        "bob": [(EQUAL_TEXT, ("ann",))]
    }


def test_equal_texts_without_a_value_of_anybodys_say_nothing() -> None:
    assert (
        flags_of([given("ann", "docker container prune --force"), given("bob", "docker container prune --force")], "")
        == {}
    )


def test_who_has_one_variant_may_write_one_text() -> None:
    solution = answer_text(for_learner(load_exercise("three-layers"), "demo", "").solutions[0].answer)
    assert flags_of([AnswerText(name, "demo", "three-layers", solution) for name in ("ann", "bob")], "") == {}


def test_an_exercise_that_is_not_there() -> None:
    assert (
        flags_of(
            [given("ann", "docker run busybox true", "no-such"), given("bob", "docker run busybox true", "no-such")], ""
        )
        == {}
    )
