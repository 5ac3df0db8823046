"""What each check finds on a machine: that it holds, and the difference in plain words where it does not."""

from __future__ import annotations

import pytest

from labkit import Machine
from labkit.course.checks import CHECKS, evaluate
from labkit.course.machines import Facts
from labkit.course.record import Assertion
from labkit.machine import Snapshot

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
    "docker run --name said -v /tmp:/out --user 7 busybox sh -c 'echo one two; echo x > /out/said; echo hi > /tmp/made'",
    "docker run --rm -v keep:/k busybox sh -c 'echo old > /k/f; chown 5 /k/f'",
    "docker run --name nameless -v /n busybox sh -c 'echo lost > /n/lost'",
    "docker exec web sh -c 'rm -r /var; mkdir /var; touch /var/page'",
    "mkdir /tree; touch /tree/a",
    "sleep 100",
]
LATER = [  # after the moment with which checks compare
    "docker rename idle still",
    "docker create --name idle busybox",
    "docker tag only app:again",
    "docker rm nameless && docker volume rm $(docker volume ls -q | grep -E '^.{64}$')",
    "docker run --rm -v keep:/k -v /tmp:/t busybox sh -c 'cp /k/f /t/content; cp -p /k/f /t/file; tar -cf /t/all.tar -C /k f'",
    "echo lost > /tmp/lost; cp $(docker inspect --format '{{.LogPath}}' said) /tmp/log",
    "docker volume create new",
    "docker build -q -t anew --no-cache app",
    "printf 'FROM busybox\\nRUN mkdir /page && echo hi >/page/it && sha256sum /page/it >/sum\\nRUN date >/now\\nRUN echo c2VzYW1lISE= >/coded\\n' | docker build -q -t dated -",
]


@pytest.fixture(scope="module")
def facts() -> Facts:
    machine = Machine()
    machine.files.makedirs("/home/learner/app")
    machine.files.write("/home/learner/app/Dockerfile", DOCKERFILE)
    machine.files.write("/home/learner/app/words.txt", "open sesame\n")

    def run(commands: list[str]) -> Snapshot:
        for command in commands:
            done = machine.run(command)
            assert done.returncode == 0, (command, done.stderr)
        return machine.snapshot()

    start = run(SETUP)
    shown = run(["docker build -q -t dated2 app"])
    machine.restore(start)
    run(LATER)
    return Facts(machine, start, shown)


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
    ("same_image", {"image": "app:again", "other": "only"}, ""),
    ("same_image", {"image": "app:again", "other": "app:again"}, "app:again and app:again have different ids"),
    ("file_is_kept", {"image": "app", "other": "fixed", "path": "/bin/busybox"}, ""),
    ("file_is_kept", {"image": "anew", "other": "app", "path": "/big"}, "the layer of /big was made anew"),
    ("file_is_made_anew", {"image": "anew", "other": "app", "path": "/big"}, ""),
    ("file_is_made_anew", {"image": "app", "other": "fixed", "path": "/bin/busybox"}, "the layer of /bin/busybox is the old one"),
    ("file_is_made_anew", {"image": "app", "other": "fixed", "path": "/none"}, "no layer of app has /none"),
    ("image_file_is", {"image": "app", "path": "/srv/words.txt", "text": "open sesame"}, ""),
    ("image_file_is", {"image": "app", "path": "/srv/words.txt", "text": "open"}, "the file is there, with another content"),
    ("image_is_of_container", {"image": "fixed", "container": "still"}, ""),
    ("image_is_of_container", {"image": "fixed", "container": "said"}, "its layers are others"),
    ("only_images", {"images": ["app:latest", "busybox:latest"]}, "there is anew:latest, app:again, app:latest, busybox:latest, dated:latest, fixed:latest"),
    ("image_has_package", {"image": "app", "package": "flask"}, "/usr/local/lib/python3.12/site-packages/flask is not there"),
    ("image_no_larger", {"image": "app", "other": "busybox", "size": "4 MB"}, ""),
    ("image_no_larger", {"image": "app", "other": "busybox", "size": "1 MB"}, "it is 3MB larger"),
    ("image_file_sums", {"image": "dated", "path": "/sum", "of": "/page/it"}, ""),
    ("image_file_sums", {"image": "dated", "path": "/now", "of": "/page/it"}, "/now has another check sum, or none"),
    ("image_file_tells_its_time", {"image": "dated", "path": "/now", "day": "Nov 24"}, ""),
    ("image_file_tells_its_time", {"image": "dated", "path": "/page/it", "day": "Nov 24"}, "it says hi"),
    ("steps_as_shown", {"image": "app"}, ""),
    ("no_text_in_any_layer", {"image": "dated", "text": "sesame!!"}, "it stands in /coded, in the layer of 'RUN echo c2VzYW1lISE= >/coded'"),
    ("container_from", {"container": "idle", "image": "busybox"}, ""),
    ("same_container", {"container": "still", "was": "idle"}, ""),
    ("same_container", {"container": "idle", "was": "idle"}, "idle is a new container"),
    ("container_runs", {"container": "web", "command": "sleep 1000"}, ""),
    ("container_runs", {"container": "web", "command": "sleep 1"}, "its program is sleep 1000"),
    ("container_is", {"container": "said", "key": "State.ExitCode", "value": 0}, ""),
    ("container_is", {"container": "said", "key": "Config.User", "value": "8"}, "Config.User is '7'"),
    ("container_user_is", {"container": "said", "user": 7}, ""),
    ("container_user_is", {"container": "web", "user": 7}, "it runs as root"),
    ("container_printed", {"container": "said", "text": "one two"}, ""),
    ("container_printed", {"container": "said", "text": "one"}, "it has printed: one two"),
    ("container_printed", {"container": "idle", "text": "one"}, "it has printed nothing"),
    ("container_keeps_no_text", {"container": "said", "text": "sesame"}, ""),
    ("container_keeps_no_text", {"container": "said", "text": "one two"}, "its configuration has it"),
    ("container_keeps_no_text", {"container": "web", "text": "open sesame"}, "its layer has it"),
    ("container_changed", {"container": "idle", "paths": []}, ""),
    ("container_changed", {"container": "said", "paths": ["/made"]}, "it lists /out, /tmp, /tmp/made"),
    ("container_smaller", {"container": "said", "size": "1 kB"}, ""),
    ("container_smaller", {"container": "said", "size": "1 B"}, "it has 3B"),
    ("only_containers", {"containers": ["web", "idle", "still", "said"]}, ""),
    ("only_containers", {"containers": ["web"]}, "there is idle, said, still, web"),
    ("container_starts", {"image": "busybox"}, ""),
    ("container_starts", {"image": "none"}, "there is no image none"),
    ("layer_folder_exists", {"container": "idle"}, ""),
    ("layer_folder_exists", {"container": "nameless"}, "it is gone"),
    ("file_is", {"path": "/tmp/lost", "text": "lost"}, ""),
    ("file_is", {"path": "/tmp/lost", "text": "los"}, "the file is there, with another content"),
    ("file_begins", {"path": "/tmp/content", "word": "old"}, ""),
    ("file_begins", {"path": "/tmp/content", "word": "ol"}, "the file is there, with another content"),
    ("folder_is", {"path": "/tree", "names": ["a"]}, ""),
    ("folder_is", {"path": "/tree", "names": []}, "there is a"),
    ("folder_is", {"path": "/tmp/lost", "names": []}, "/tmp/lost is no folder"),
    ("folder_is_opaque", {"container": "web", "path": "/srv"}, "/srv is not marked"),
    ("file_belongs_to", {"path": "/tmp/said", "owner": 7}, ""),
    ("file_belongs_to", {"path": "/tmp/said", "owner": 0}, "it belongs to 7"),
    ("carried_over", {"path": "/tmp/content", "was": "f", "was_on": "keep"}, ""),
    ("carried_over", {"path": "/tmp/content", "was": "f", "was_on": "keep", "kept": True}, "its content is right, and its owner or its time is another one"),
    ("carried_over", {"path": "/tmp/file", "was": "f", "was_on": "keep", "kept": True}, ""),
    ("carried_over", {"path": "/tmp/lost", "was": "f", "was_on": "keep"}, "the file is there, with another content"),
    ("carried_over", {"path": "/tmp/none", "was": "f", "was_on": "keep"}, "/tmp/none is not there; in /tmp there is all.tar, content, file, log, lost, said"),
    ("tree_is_as_shown", {"path": "/tree"}, ""),
    ("file_is_of_image", {"container": "web", "path": "/bin/busybox", "image": "busybox", "kept": True}, ""),
    ("file_is_of_image", {"container": "web", "path": "/srv/words.txt", "image": "app"}, "the file is there, with another content"),
    ("written_while_ran", {"path": "/tmp/said", "container": "said"}, ""),
    ("written_while_ran", {"path": "/tmp/lost", "container": "said"}, "it was written when said did not run"),
    ("archive_has", {"archive": "/tmp/all.tar", "name": "f", "volume": "keep"}, ""),
    ("archive_has", {"archive": "/tmp/all.tar", "name": "g", "volume": "keep"}, "there is no file g in it"),
    ("archive_has", {"archive": "/tmp/all.tar", "name": "f", "text": "old"}, ""),
    ("archive_has", {"archive": "/tmp/all.tar", "name": "f", "text": "ol"}, "it ends otherwise"),
    ("archive_has", {"archive": "/tmp/lost", "name": "f", "text": "ol"}, "it is no archive: unexpected EOF"),
    ("volume_as_shown", {"volume": "keep"}, ""),
    ("volume_as_shown", {"volume": "new"}, "there is no volume new"),
    ("log_is_kept", {"path": "/tmp/log", "container": "said"}, ""),
    ("log_is_kept", {"path": "/tmp/lost", "container": "said"}, "the file is there, with another content"),
    ("unnamed_volume_kept", {"path": "/tmp/lost", "container": "said"}, "/tmp/lost is not there; in /tmp there is made"),
    ("same_volume", {"volume": "keep"}, ""),
    ("same_volume", {"volume": "new"}, "get new: no such volume"),
    ("only_volumes", {"volumes": ["data", "keep", "new"]}, ""),
    ("only_volumes", {"volumes": ["data"]}, "of those with a name there is data, keep, new"),
    ("only_volumes", {"volumes": ["data", "keep", "new"], "anonymous": 2}, "there are 0 without a name"),
    ("database_is_older", {"database": "shop", "volume": "keep", "container": "web"}, "there is no database shop in it"),
    ("mount_copies_nothing", {"container": "web", "target": "/data"}, "what the image has there would be copied"),
    ("tmpfs_is", {"container": "web", "target": "/scratch"}, ""),
    ("tmpfs_is", {"container": "web", "target": "/scratch", "size": "1 MB"}, "it has no limit of its own"),
    ("tmpfs_is", {"container": "web", "target": "/data"}, "/data is not in memory"),
    ("tmpfs_is", {"container": "web", "target": "/none"}, "nothing is mounted at /none"),
    ("driver_is", {"driver": "overlay2"}, ""),
    ("driver_is", {"driver": "vfs"}, "it runs with overlay2"),
    ("daemon_is_active", {}, ""),
    ("pool_has", {"size": "1 MB"}, "it has 0B"),
    ("as_shown", {}, "there is idle, said, still, web of containers"),
    ("build_cache_is_empty", {}, "it has 16 entries"),
    ("no_text_in_any_layer", {"image": "app", "text": "COLOR=blue"}, "it stands in the history of app"),
    ("folder_is_opaque", {"container": "web", "path": "/var"}, ""),
    ("daemon_setting_is", {"key": "log-level", "value": "warn"}, "there is no such file"),
    ("container_as_shown", {"container": "said"}, ""),
    ("container_as_shown", {"container": "still"}, "there is no container still"),
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
