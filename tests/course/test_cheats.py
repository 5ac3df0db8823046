"""Wrong work that looks right: each of these fails; and a classmate's answers are worth next to nothing."""

from __future__ import annotations

import os
import random

import pytest

from labkit.course import load_all, load_exercise
from labkit.course.judge import KINDS, LETTERS, judge, options_of, shown_items
from labkit.course.machines import AnswerError, reusing_machines
from labkit.course.record import Answer, Exercise, draw_values, fill, for_learner
from labkit.course.selfcheck.cheats import cheats

NEW = "docker rm -f @box@\ndocker run -d --name @box@"
CHEATS = [  # (exercise, what is wrong, the answer)
    ("your-first-container", "another image under the name", "docker pull -q alpine; docker tag alpine busybox; docker run --name @name@ busybox echo @word@"),
    ("your-first-container", "a part of the line", "docker run --name @name@ busybox echo @word@ly"),
    ("taken-back", "the file typed into a new container", "docker rm @keep@ @other@\ndocker run --name @keep@ busybox sh -c 'echo x > /@file@'"),
    ("taken-back", "the other one renamed", "docker rm @keep@\ndocker rename @other@ @keep@\ndocker start @keep@"),
    ("the-name-is-taken", "an image of that name built", "docker rm @box@\nprintf 'FROM busybox\\nRUN touch /x\\n' | docker build -t busybox -\ndocker run -d --name @box@ busybox sleep 5000"),
    ("the-name-is-taken", "the words as arguments of another program", "docker rm @box@\ndocker run -d --name @box@ busybox sh -c 'sleep 5000'"),
    ("a-file-in-the-text-pane", "other ends of lines", "printf '%s\\r\\n' @first@ @second@ > @folder@/@file@"),
    ("what-happened-here", "one volume more", "docker volume create @volume@\ndocker volume create more"),
    ("what-happened-here", "a folder made by hand", "mkdir -p /var/lib/docker/volumes/@volume@/_data"),
    ("two-doors-at-a-time", "one door more", "@one@ @two@ -i"),
    ("two-doors-at-a-time", "one door more, in one word", "@one@@two@i"),
    ("out-of-the-vm", "what the task says", "echo the text that is in the volume > @copy@"),
    ("out-of-the-vm", "a part of it", "docker run --rm -v @volume@:/d busybox head -n 3 /d/@file@ > @copy@"),
    ("out-of-the-vm", "the volume changed to what is there", "echo hi > @copy@\ndocker run --rm -v @volume@:/d -v /Users/learner:/u busybox cp /u/@copy@ /d/@file@"),
    ("the-log-as-it-is-kept", "typed by hand", "echo '{\"log\":\"@number@ @word@ done\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-24T09:00:00Z\"}' > @copy@"),
    ("read-from-its-folder", "another program", "docker run --name @box@ --hostname @host@ busybox sh -c 'echo @word@'"),
    ("an-alert-about-a-folder", "one of the others made anew", "docker rm @big@ @a@\ndocker run --name @a@ busybox sh -c 'echo a > /kept.txt'"),
    ("the-label-among-the-images", "built, and the old name moved", "docker build --no-cache -t found:1 --label owner=@owner@ app\ndocker tag found:1 @right@"),
    ("the-volume-without-a-name", "typed into a new volume", "docker run -d --name @box@ -v /data busybox sleep 1000\ndocker exec @box@ sh -c 'echo lost > /data/@file@'"),
    ("three-layers", "a step that says COPY", "printf 'FROM busybox\\nRUN mkdir /@dir@ && echo COPY && echo the file @file@ of @app@ > /@dir@/@file@\\nRUN echo @word@ > /@dir@/made.txt\\n' > @app@/Dockerfile\ndocker build -t @app@:1 @app@"),
    ("three-layers", "a commit of a program called COPY", "docker create --name x --entrypoint COPY busybox @file@\ndocker cp @app@/@file@ x:/\ndocker commit x @app@:1"),
    ("deleted-but-not-gone", "the first image made anew", "printf 'FROM busybox\\nRUN echo x > /@result@\\n' > @app@/Dockerfile\ndocker build -t @app@:1 @app@\ndocker tag @app@:1 @app@:2"),
    ("deleted-but-not-gone", "an image of nothing", "docker create --name x @app@:1\nmkdir e\ndocker cp x:/@result@ e/\ntar -cC e . | docker import - @app@:2"),
    ("where-did-version-2-come-from", "another container's commit", "docker run --name y @app@:1 sh -c 'echo @word@ > /@dir@/@file@'\ndocker commit -m '@why@' y @app@:2\ndocker rm y"),
    ("where-did-version-2-come-from", "built", "printf 'FROM @app@:1\\nRUN echo @word@ > /@dir@/@file@\\n' | docker build -t @app@:2 -"),
    ("the-token-in-the-layer", "as base64", "printf 'FROM busybox\\nCOPY @secret@ /s\\nRUN base64 /s > /t\\nFROM busybox\\nCOPY --from=0 /t /t\\nRUN echo @word@ > /@made@\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("the-token-in-the-layer", "compressed", "printf 'FROM busybox\\nCOPY @secret@ /s\\nRUN gzip -c /s > /t\\nFROM busybox\\nCOPY --from=0 /t /t\\nRUN echo @word@ > /@made@\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("the-token-in-the-layer", "in a large file", "printf 'FROM busybox\\nCOPY @secret@ /s\\nRUN dd if=/dev/zero bs=1000000 count=3 > /t; cat /s >> /t\\nFROM busybox\\nCOPY --from=0 /t /t\\nRUN echo @word@ > /@made@\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("the-token-in-the-layer", "as a name", "printf 'FROM busybox\\nRUN touch /@token@ && echo @word@ > /@made@\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("the-token-in-the-layer", "in the comment of a commit", "docker run --name x busybox sh -c 'echo @word@ > /@made@'\ndocker commit -m 'was @token@' x @app@:2"),
    ("nothing-but-one-file", "a folder beside it", "mkdir e e/more\ncp @app@/@file@ e/\ntouch e/more/x\ntar -cC e . | docker import - @app@:bare"),
    ("a-log-in-the-context", "the step's text, and no work", "printf 'FROM busybox\\nCOPY @page@ /www/@page@\\nRUN echo RUN sleep 30\\nRUN echo typed > /sums\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("a-log-in-the-context", "another step makes the sums", "printf 'FROM busybox\\nCOPY @page@ /www/@page@\\nRUN sleep 30\\nRUN sha256sum /www/@page@ > /sums\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("an-argument-too-early", "the slow step is gone", "printf 'FROM busybox\\nRUN echo made > /@made@\\nARG RELEASE\\nRUN echo $RELEASE > /release\\n' > @app@/Dockerfile\ndocker build -t @app@:2 --build-arg RELEASE=@second@ @app@"),
    ("an-argument-too-early", "both releases written down", "printf 'FROM busybox\\nRUN sleep 60 && echo made > /@made@\\nRUN echo @second@ @third@ > /release\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("refresh-one-step", "a commit that reads like a RUN", "docker run --name f @app@:1 /bin/sh -c 'date > /@news@'\ndocker commit f @app@:2"),
    ("refresh-one-step", "the day typed", "printf 'FROM busybox\\nRUN sleep 90 && dd if=/dev/zero of=/tools bs=1000000 count=30\\nRUN echo @today@ > /@news@\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("built-from-the-same-folder", "another Dockerfile", "printf 'FROM busybox\\nRUN mkdir /other\\nRUN echo @word@ > /@made@\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("the-old-one-is-still-there", "the entry typed", "docker exec @box@ sh -c 'echo @entry@ > /app/@file@'\ndocker rm @box@-@old@"),
    ("the-old-one-is-still-there", "another container renamed", "docker run -d --name x busybox sh -c 'mkdir /app; echo @entry@ > /app/@file@; sleep 9999'\ndocker rm -f @box@ @box@-@old@\ndocker rename x @box@"),
    ("changed-from-inside", "done in a new container", "docker rm -f @box@\ndocker run -d --name @box@ plain sleep 100000\ndocker exec @box@ sh -c 'rm /app/@first@; echo @word@ > /app/@second@'"),
    ("rescue-the-list", "typed, and given a time", "seq 7 31 > found\ntouch -d '2 hours ago' found\ndocker rm @a@ @b@ @c@"),
    ("rescue-the-list", "printed, so with a new time", "docker cp @holder@:/var/@file@ - | tar -xO > found\ndocker rm @a@ @b@ @c@"),
    ("a-job-that-leaves-nothing", "every number", "seq 100 1000 > answer"),
    ("a-job-that-leaves-nothing", "every number in one line", "echo $(seq 100 1000) > answer"),
    ("made-theirs-at-the-start", "an empty file of that name", "printf 'FROM busybox\\nRUN mkdir /srv && touch /srv/@data@ && chown @user@ /srv/@data@\\nCMD [\"sleep\", \"100000\"]\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("made-theirs-at-the-start", "a container that ends", "printf 'FROM busybox\\nCOPY --chown=@user@ @data@ /srv/@data@\\nCMD [\"true\"]\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("gone-and-made-again", "done in a new container", "docker rm -f @box@\ndocker run -d --name @box@ plain sleep 100000\ndocker exec @box@ sh -c 'rm -r /app/@dir@; mkdir /app/@dir@; echo x > /app/@dir@/@c@'"),
    ("back-to-the-original", "the line that is known", "docker exec @box@ sh -c 'echo @original@ > /app/@file@'"),
    ("back-to-the-original", "a new container, counted by hand", "docker rm -f @box@\ndocker run -d --name @box@ @app@ sleep 100000\ndocker exec @box@ sh -c 'echo @count@ > /app/count; touch /app/@file@'"),
    ("at-the-wrong-folder", "the entry typed", f"{NEW} -v @volume@:/var/lib/@app@ @app@\ndocker exec @box@ sh -c 'echo @entry@ > /var/lib/@app@/entries'"),
    ("orders-move-out", "the tag moved", "docker tag @app@:1 @app@:2"),
    ("orders-move-out", "the orders typed into a new volume", f"docker rm -f @box@\ndocker volume rm @volume@\n{NEW} -v @volume@:/@dir@ @app@:2\ndocker exec @box@ sh -c 'echo @entry@ > /@dir@/orders'"),
    ("clean-up-and-keep", "the archive made anew", "docker volume prune -af\ndocker run --rm -v @keep@:/x busybox touch /x/year"),
    ("clean-up-and-keep", "the container made anew", f"{NEW} -v /x busybox sleep 1000000\ndocker volume rm @old@\ndocker volume prune -f"),
    ("a-volume-from-an-image", "typed", "docker run --rm -v @volume@:/x busybox sh -c 'echo hello > /x/@file@'"),
    ("a-report-of-your-own", "written on the host", "docker run --name @box@ --user @uid@ -v /srv/@out@:/out busybox true\necho @word@ > /srv/@out@/@file@\nchown @uid@ /srv/@out@/@file@"),
    ("the-packages-that-vanished", "the package typed into a volume", f"{NEW} -v ./@app@:/app -v p:/app/node_modules busybox sleep 1d\ndocker exec @box@ sh -c 'mkdir -p /app/node_modules/@package@; echo the package @package@ > /app/node_modules/@package@/index.js'"),
    ("out-of-a-volume-on-a-mac", "typed", "echo what @volume@ has > @folder@/@file@"),
    ("files-of-another-image", "the image built anew", "printf 'FROM busybox\\nCOPY files /@dir@\\n' > @assets@/Dockerfile\ndocker build -t @assets@:1 @assets@\ndocker run -d --name @box@ --mount type=image,source=@assets@:1,target=/@target@ busybox sleep 1d"),
    ("the-folder-of-another-driver", "a folder with a name in it", "mkdir -p /old/dir /old/.wh.x /old/devicemapper\ntouch /old/lower-id"),
    ("behind-the-other-driver", "what the words may be", "echo amber-17 cobalt-23 indigo-31 scarlet-42 > @note@"),
    ("a-daemon-that-does-not-start", "a new container of the name", "echo '{ \"log-level\": \"@level@\" }' > /etc/docker/daemon.json\nsystemctl start docker\ndocker rm -f @box@\ndocker run -d --name @box@ busybox sleep 100000"),
    ("the-pool-is-full", "all made anew", "docker cp job-2:/@result@ .\ndocker rm -f @keep@\ndocker container prune -f\ndocker run -d --name @keep@ busybox sh -c 'echo 12 > /orders; sleep 100000'"),
    ("slow-large-and-leaking", "a folder called flask", "printf 'FROM busybox AS f\\nRUN dd if=/dev/zero of=/f bs=1000000 count=@megabytes@ && mkdir -p /srv/tmp && cd /srv && sha256sum /f > catalogue\\nFROM python:3.12-slim\\nWORKDIR /srv\\nRUN mkdir /usr/local/lib/python3.12/site-packages/flask && touch /usr/local/lib/python3.12/site-packages/flask/__init__.py\\nCOPY --from=f /srv/catalogue .\\nCOPY @main@ .\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("a-database-to-stay", "a folder made by hand", "docker run --rm -v @volume@:/v busybox mkdir /v/@base@\ndocker run -d --name @box@ -e MYSQL_ROOT_PASSWORD=@password@ -v @volume@:/var/lib/mysql mysql"),
    ("a-database-to-stay", "an old volume, a first container", "docker volume create @volume@\nsleep 60\ndocker run -d --name @box@ -e MYSQL_ROOT_PASSWORD=@password@ -v @volume@:/var/lib/mysql mysql\nsleep 15\ndocker exec @box@ mysql -p@password@ -e 'CREATE DATABASE @base@'"),
    ("the-development-loop", "a key that makes the folder", "--mount type=bind,source=/home/learner/@app@/src,target=/srv/@dir@,readonly,bind-create-src"),
    ("edit-and-keep-the-packages", "the package typed", f"{NEW} -v $PWD/@app@:/srv -v e:/srv/@packages@ busybox sleep 9999\ndocker exec @box@ sh -c 'echo @word@ > /srv/@packages@/lib'"),
    ("a-secret-in-memory", "a copy in its layer", "docker run -d --name @box@ --tmpfs /run/@dir@:size=1m busybox sleep 1000000\ndocker cp @file@ @box@:/kept\ndocker exec @box@ cp /kept /run/@dir@/token"),
    ("backup-and-restore", "a line in an archive", "mkdir -p backup t\necho @entry@ > t/orders\ntar -cf backup/@volume@.tar -C t .\ndocker run --rm -v @copy@:/to -v $PWD/backup:/from:ro busybox tar -xf /from/@volume@.tar -C /to"),
    ("the-disk-is-full", "the newest under the old name", "docker container prune -f\ndocker image rm @app@:1 @app@:2 @app@:3 @app@:4\ndocker tag @app@:5 @app@:4\ndocker builder prune -af\ndocker volume prune -f"),
    ("orders-vanished-after-the-upgrade", "the volume made anew", "docker volume rm @volume@\ndocker run --rm -v @volume@:/v busybox touch /v/orders\ndocker run -d --name @box@ -v @typo@:/data @app@:2"),
    ("backup-and-restore", "copied past the archive", "mkdir backup\ndocker run --rm -v @volume@:/from:ro -v $PWD/backup:/to busybox tar -cf /to/@volume@.tar -C /from .\ndocker run --rm -v @volume@:/from:ro -v @copy@:/to busybox cp -a /from/orders /to/orders"),
    ("orders-move-out", "a volume that cannot be written to", f"{NEW} -v @volume@:/@dir@:ro @app@:2"),
    ("the-volume-without-a-name", "a volume that cannot be written to", "docker run -d --name @box@ -v $(grep -l @word@ /var/lib/docker/volumes/*/_data/@file@ | cut -d/ -f6):/data:ro busybox sleep 1000"),
    ("at-the-wrong-folder", "another program", f"docker cp @box@:/var/lib/@app@/entries .\n{NEW} --entrypoint sleep -v @volume@:/var/lib/@app@ @app@ 100000\ndocker cp entries @box@:/var/lib/@app@/entries"),
    ("clean-up-and-keep", "last year's data emptied", "docker volume prune -f\ndocker volume rm @old@\ndocker run --rm -v @keep@:/x busybox sh -c ': > /x/year'"),
    ("three-layers", "commits that read like steps of a build", "docker create --name xx --entrypoint COPY busybox '@file@ /@dir@/ # buildkit'\ndocker cp @app@ xx:/@dir@\ndocker commit -m buildkit.dockerfile.v0 xx one\ndocker create --name yy --entrypoint RUN one 'echo @word@ # buildkit'\necho @word@ > made.txt\ndocker cp made.txt yy:/@dir@/made.txt\ndocker commit -m buildkit.dockerfile.v0 yy @app@:1"),
    ("your-first-container", "a log written by hand", "docker run --name @name@ busybox true\necho '{\"log\":\"@word@\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-24T09:00:00.1Z\"}' > $(docker inspect --format '{{.LogPath}}' @name@)"),
    ("an-alert-about-a-folder", "as large a one beside it", "docker rm @big@\ndocker run --name @big@2 busybox dd if=/dev/zero of=/x bs=1000000 count=30"),
    ("made-theirs-at-the-start", "a volume takes the copy", "printf 'FROM busybox\\nCOPY --chown=@user@ @data@ /srv/@data@\\nCMD [\"sleep\", \"100000\"]\\nVOLUME /srv\\n' > @app@/Dockerfile\ndocker build -t @app@:2 @app@"),
    ("a-scratch-pad-in-memory", "a pad that cannot be written to", "docker run -d --name @box@ --tmpfs /@pad@:size=@size@m,ro -v @volume@:/@keep@ busybox sleep 1d"),
    ("a-scratch-pad-in-memory", "another image", "docker run -d --name @box@ --tmpfs /@pad@:size=@size@m -v @volume@:/@keep@ alpine sleep 1d"),
    ("the-pool-is-full", "the file of another job", "docker cp job-1:/@result@ .\ndocker container prune -f"),
    ("a-database-to-stay", "the first one still there", "docker run -d --name first -e MYSQL_ROOT_PASSWORD=@password@ -v @volume@:/var/lib/mysql mysql\nsleep 10\ndocker exec first mysql -p@password@ -e 'CREATE DATABASE @base@'\ndocker run -d --name @box@ -e MYSQL_ROOT_PASSWORD=@password@ -v @volume@:/var/lib/mysql mysql"),
    ("gone-and-made-again", "one file more", "docker exec @box@ sh -c 'rm -r /app/@dir@; mkdir /app/@dir@; touch /app/@dir@/@c@ /x'"),
    ("full-image-empty-volume", "a file in the volume", "docker run -d --name @box@ --mount type=volume,source=@volume@,target=/opt/@dir@,volume-nocopy @app@:1 sleep 1d\ndocker exec @box@ touch /opt/@dir@/x"),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "wrong", "answer"), CHEATS, ids=[f"{slug}: {wrong}" for slug, wrong, _ in CHEATS])
def test_a_cheat_fails(slug: str, wrong: str, answer: str) -> None:
    exercise = for_learner(load_exercise(slug), "cheat", "")
    given = fill(answer, draw_values(exercise.specs, exercise.key))
    judgement = judge(exercise, given)
    assert not judgement.passed
    assert judgement.error is None


def test_there_are_enough_of_them() -> None:
    assert len(CHEATS) >= 52
    assert len({slug for slug, _, _ in CHEATS}) >= 40


def test_the_cheats_made_by_machine() -> None:
    """For a mistake each kind of replaced program; for a flag what may stand beside it."""
    names = {slip.name for slip in cheats(for_learner(load_exercise("clean-up-and-keep"), "demo", ""))}
    for kind in ("programs", "aliases, functions and settings", "programs of containers", "programs of images"):
        assert any(kind in name and name.endswith("after 'with --all'") for name in names)
    made = [str(slip.answer) for slip in cheats(for_learner(load_exercise("the-same-with-mount"), "demo", ""))]
    assert [answer for answer in made if answer.endswith("--privileged")]
    assert [answer for answer in made if answer.endswith(",volume-nocopy")]


PAIRS = 100 if os.environ.get("LABKIT_NIGHTLY") else 8
SEED = 13


def copied(mine: Exercise, theirs: Exercise) -> list[Answer]:
    """A classmate's right answer as it stands, and by the places of its marks or its option."""
    answer = random.Random(repr(theirs.key)).choice(theirs.solutions).answer
    if theirs.kind == "mark" and isinstance(answer, dict):
        return [answer, [answer[item] for item in shown_items(theirs)]]
    if theirs.kind == "choose":
        return [answer, LETTERS[options_of(theirs).index(str(answer).strip())]]
    return [answer]


def passes(exercise: Exercise, answer: Answer) -> bool:
    try:
        return all(each.ok for each in KINDS[exercise.kind].verdict(exercise, answer)[1].results)
    except AnswerError:
        return False


def worth(pairs: int) -> tuple[float, int]:
    """What a classmate's whole file earns as one's own, in the mean of so many random pairs; and of how many points."""
    names = random.Random(SEED)
    couples = [(f"learner-{names.randrange(10**6)}", f"learner-{names.randrange(10**6)}") for _ in range(pairs)]
    exercises = [each for each in load_all() if each.points]
    earned = 0
    for exercise in exercises:
        with reusing_machines():
            for one, other in couples:
                mine, theirs = for_learner(exercise, one, "s"), for_learner(exercise, other, "s")
                earned += exercise.points * any(passes(mine, each) for each in copied(mine, theirs))
    return earned / pairs, sum(each.points for each in exercises)


@pytest.mark.long
def test_a_classmates_answers_earn_less_than_a_twentieth() -> None:
    mean, of = worth(PAIRS)
    print(f"seed {SEED}, {PAIRS} pairs: {mean:.2f} of {of} points, {mean / of:.1%}")
    assert mean < of / 20
