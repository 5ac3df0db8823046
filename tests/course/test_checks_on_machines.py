"""What each check finds on a machine: that it holds, and the difference in plain words where it does not."""

from __future__ import annotations

import pytest

from labkit import Machine
from labkit.course.checks import CHECKS, evaluate
from labkit.course.machines import Facts
from labkit.course.record import Assertion

DOCKERFILE = """FROM busybox
ENV COLOR=blue
WORKDIR /srv
COPY words.txt .
RUN dd if=/dev/zero of=/big bs=1000000 count=3
RUN rm /big && chmod 600 words.txt
CMD ["sleep", "1000"]
"""
SETUP = [
    "docker pull -q busybox",
    "docker build -q -t app app",
    "docker tag app app:again",
    "printf 'FROM scratch\\nCOPY words.txt /words.txt\\n' >only && docker build -q -t only -f only app",
    "docker run -d --name web -v data:/data -v /tmp:/host:ro --tmpfs /scratch app",
    "docker exec web sh -c 'echo hello > /data/a.txt; echo more >> /srv/words.txt'",
    "docker create --name idle busybox",
    "docker commit -m 'by hand' idle fixed",
]


@pytest.fixture(scope="module")
def facts() -> Facts:
    machine = Machine()
    machine.files.makedirs("/home/learner/app")
    machine.files.write("/home/learner/app/Dockerfile", DOCKERFILE)
    machine.files.write("/home/learner/app/words.txt", "open sesame\n")
    for command in SETUP:
        done = machine.run(command)
        assert done.returncode == 0, (command, done.stderr)
    return Facts(machine)


ROWS = [
    ("image_exists", {"image": "app"}, ""),
    ("image_exists", {"image": "none"}, "there is no image none"),
    ("image_layer_count", {"image": "app", "count": 5}, ""),
    ("image_layer_count", {"image": "app", "at_least": 6}, "it has 5 layers"),
    ("image_layer_count", {"image": "app", "at_most": 4}, "it has 5 layers"),
    ("image_size_under", {"image": "app", "size": "6MB"}, ""),
    ("image_based_on", {"image": "app", "base": "busybox"}, ""),
    ("image_based_on", {"image": "busybox", "base": "app"}, "busybox does not begin with the layers of app"),
    ("images_share_layers", {"image": "app", "other": "busybox", "count": 1}, ""),
    ("images_share_layers", {"image": "app", "other": "busybox", "at_least": 2}, "they share 1 layer"),
    ("same_image", {"image": "app", "other": "app:again"}, ""),
    ("same_image", {"image": "app", "other": "busybox"}, "app and busybox have different ids"),
    ("image_config_is", {"image": "app", "key": "Cmd", "value": ["sleep", "1000"]}, ""),
    ("image_config_is", {"image": "app", "key": "Env.COLOR", "value": "blue"}, ""),
    ("image_config_is", {"image": "app", "key": "WorkingDir", "value": "/"}, "there WorkingDir is '/srv'"),
    ("image_config_is", {"image": "app", "key": "Labels.who", "value": "me"}, "app has no Labels.who"),
    ("image_has_only", {"image": "only", "path": "/words.txt"}, ""),
    ("image_has_only", {"image": "only", "path": "/letters.txt"}, "/words.txt is in it too"),
    ("image_comment_is", {"image": "fixed", "text": "by hand"}, ""),
    ("image_comment_is", {"image": "fixed", "text": "by night"}, "its comment is 'by hand'"),
    ("file_is_in_layer", {"image": "app", "path": "/big", "step": "RUN dd"}, ""),
    ("file_is_in_layer", {"image": "app", "path": "/srv/words.txt", "step": "RUN rm"}, ""),
    ("file_is_in_layer", {"image": "app", "path": "/none", "step": "COPY"}, "no layer of app has /none"),
    ("no_file_in_any_layer", {"image": "app", "path": "/none"}, ""),
    ("no_text_in_any_layer", {"image": "app", "text": "secret"}, ""),
    ("image_has_file", {"image": "app", "path": "/srv/words.txt"}, ""),
    ("image_has_file", {"image": "app", "path": "/big"}, "/big is not there"),
    ("image_file_contains", {"image": "app", "path": "/srv/words.txt", "text": "sesame"}, ""),
    ("image_file_contains", {"image": "app", "path": "/srv/words.txt", "text": "more"}, "the file is there, with another content"),
    ("images_agree_on", {"image": "app", "other": "app:again", "path": "/srv/words.txt"}, ""),
    ("images_agree_on", {"image": "app", "other": "busybox", "path": "/srv/words.txt"}, "/srv/words.txt is not there"),
    ("container_exists", {"container": "web"}, ""),
    ("container_exists", {"container": "none"}, "there is no container none"),
    ("container_running", {"container": "web"}, ""),
    ("container_running", {"container": "idle"}, "the container is there, but created"),
    ("container_from", {"container": "web", "image": "app"}, ""),
    ("container_from", {"container": "web", "image": "busybox"}, "it was made from app, which is another image"),
    ("file_exists", {"path": "/home/learner/app"}, ""),
    ("file_exists", {"path": "/gone/big", "container": "web"}, "/gone/big is not there, nor is its folder"),
    ("file_exists", {"path": "/big", "container": "none"}, "there is no container none"),
    ("file_contains", {"path": "/data/a.txt", "container": "web", "text": "hello"}, ""),
    ("file_contains", {"path": "/data", "container": "web", "text": "hello"}, "/data is a folder"),
    ("file_contains", {"path": "/home/learner/app/words.txt", "text": "more"}, "the file is there, with another content"),
    ("file_is_in_upper", {"container": "web", "path": "/srv/words.txt"}, ""),
    ("file_is_in_upper", {"container": "web", "path": "/data/a.txt"}, "the writable layer of web does not have /data/a.txt"),
    ("volume_exists", {"volume": "data"}, ""),
    ("volume_exists", {"volume": "none"}, "there is no volume none"),
    ("volume_has_file", {"volume": "data", "path": "a.txt"}, ""),
    ("volume_has_file", {"volume": "data", "path": "/b.txt"}, "the volume is there, but /b.txt is not in it"),
    ("mount_is", {"container": "web", "target": "/data", "type": "volume", "source": "data", "readonly": False}, ""),
    ("mount_is", {"container": "web", "target": "/host", "type": "bind", "source": "/tmp", "readonly": True}, ""),
    ("mount_is", {"container": "web", "target": "/host", "type": "bind", "readonly": False}, "the mount at /host is read-only"),
    ("mount_is", {"container": "web", "target": "/host", "type": "bind", "source": "/etc"}, "`/tmp` of the host is mounted at /host, not /etc"),
    ("mount_is", {"container": "web", "target": "/host", "type": "volume"}, "`/tmp` of the host is mounted at /host; a volume was asked for"),
    ("mount_is", {"container": "idle", "target": "/data", "type": "volume", "source": "data"}, "the volume is there, but nothing is mounted at /data"),
    ("mount_is", {"container": "idle", "target": "/data", "type": "bind", "source": "/tmp"}, "nothing is mounted at /data"),
    ("step_is_cached", {"build": "docker build app", "step": "COPY words.txt"}, ""),
    ("step_is_cached", {"build": "docker build --no-cache app", "step": "COPY words.txt"}, "that step runs again"),
    ("step_is_cached", {"build": "docker build app", "step": "COPY none"}, "the build has no step 'COPY none'"),
    ("command_prints", {"command": "docker exec web cat /data/a.txt", "text": "hello"}, ""),
    ("command_prints", {"command": "true", "text": "hello"}, "it prints: nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "difference"), ROWS)
def test_check(facts: Facts, name: str, arguments: dict, difference: str) -> None:
    result = evaluate(facts, Assertion(name, arguments))
    assert (result.ok, result.difference) == (difference == "", difference)
    assert evaluate(facts, Assertion(name, arguments, negated=True)).ok == (difference != "")


def test_differences_that_name_a_place(facts: Facts) -> None:
    def difference(name: str, **arguments: object) -> str:
        return evaluate(facts, Assertion(name, {"image": "app", **arguments})).difference

    assert difference("image_size_under", size="4MB").startswith("app is 4.9")
    assert difference("no_file_in_any_layer", path="/big").startswith("it is in the layer of 'RUN ")
    assert difference("file_is_in_layer", path="/big", step="COPY").startswith("it is in the layer of 'RUN ")
    assert difference("no_text_in_any_layer", text="sesame").startswith(
        "it stands in /srv/words.txt, in the layer of 'COPY"
    )


def test_every_check_is_tried() -> None:
    assert {row[0] for row in ROWS} == set(CHECKS)


def test_after_changes_nothing(facts: Facts) -> None:
    gone = Assertion(
        "volume_exists", {"volume": "data"}, negated=True, after=("docker rm -f web", "docker volume rm data")
    )
    assert evaluate(facts, gone).ok
    assert evaluate(facts, Assertion("volume_exists", {"volume": "data"})).ok
    assert evaluate(facts, Assertion("container_running", {"container": "web"})).ok
