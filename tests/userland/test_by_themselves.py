"""What no oracle here can show: sizes beyond a disk, mounts, accounts, waits, the machine's clock, and what is only labkit's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import oracle
import pytest
from alone import kernel_alone

from labkit.files import Content, Files, User, tmpfs
from labkit.kernel.limits import Runaway
from labkit.kernel.process import Clock, Input, Output, Parked, Process
from labkit.userland import BUSYBOX_APPLETS, GNU_TOOLS, PROGRAMS, utility

pytestmark = pytest.mark.long

GIB = 1 << 30
HOME = Path("/home/learner")


@pytest.fixture
def files() -> Files:
    return oracle.new_files(HOME)


def run(files: Files, line: str, stdin: bytes = b"", *, busybox: bool = False, **about: Any) -> tuple[int, str, str]:
    """Status, stdout and stderr of a line of GNU's utilities, or busybox's."""
    result = oracle.Result(0, b"", b"", {})
    for argv in oracle.split(line):
        stdout, stderr = Output(), Output()
        kernel = about.pop("kernel", None) or kernel_alone(Clock(oracle.NOW), PROGRAMS, oracle.execute)
        env = {**oracle.ENV, "FLAVOUR": "busybox" if busybox else "gnu"}
        process = Process(
            ["busybox", *argv] if busybox else argv, env, files, Input(stdin), stdout, stderr, kernel, **about
        )
        status = PROGRAMS["busybox" if busybox else f"gnu:{argv[0]}"](process)
        result = oracle.Result(status, result.stdout + stdout.getvalue(), result.stderr + stderr.getvalue(), {})
    return result.status, result.stdout.decode(), result.stderr.decode()


# sparse contents


def test_ten_gibibytes_cost_nothing(files: Files) -> None:
    status, _, said = run(files, "dd if=/dev/zero of=big bs=1M count=10240")
    assert (status, said) == (
        0,
        "10240+0 records in\n10240+0 records out\n10737418240 bytes (11 GB, 10 GiB) copied, 8.94785 s, 1.2 GB/s\n",
    )
    assert files.stat("big").st_size == 10 * GIB
    assert run(files, "cp big copy ; du -h big copy")[1] == "10G\tbig\n10G\tcopy\n"
    assert run(files, "cmp big copy")[0] == 0
    assert run(files, "tar cf big.tar big ; tar tvf big.tar")[1].startswith("-rw-r--r-- root/root 10737418240 ")
    assert run(files, "wc -c big")[1] == "10737418240 big\n"
    assert run(files, "head -c 5 big")[1] == "\0" * 5


def test_a_hole_takes_no_blocks(files: Files) -> None:
    assert run(files, "truncate -s 1G hole ; du -h hole ; ls -lsh hole")[1].startswith(
        "0\thole\n0 -rw-r--r-- 1 root root 1.0G "
    )


def test_a_digest_is_the_true_one(files: Files) -> None:
    files.write("zeros", Content.zeros(1 << 20))
    assert (
        run(files, "sha256sum zeros")[1] == "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58  zeros\n"
    )


def test_a_full_tmpfs_takes_what_fits(files: Files) -> None:
    files.makedirs("/s")
    files.namespace.mount("/s", tmpfs(files.store, 2 << 20), fstype="tmpfs", device="tmpfs")
    status, _, said = run(files, "dd if=/dev/zero of=/s/big bs=1M count=3", busybox=True)
    assert (status, said) == (
        1,
        "dd: error writing '/s/big': No space left on device\n3+0 records in\n2+0 records out\n",
    )
    assert files.stat("/s/big").st_size == 2 << 20
    assert run(files, "df -h /s")[1].splitlines()[1].split() == ["tmpfs", "2.0M", "2.0M", "0", "100%", "/s"]


def test_an_endless_source_fills_the_disk(files: Files) -> None:
    status, _, said = run(files, "dd if=/dev/zero of=big bs=1M")
    assert status == 1
    assert said.startswith("dd: error writing 'big': No space left on device\n")


# mounts


def test_mount_and_umount(files: Files) -> None:
    files.makedirs("/m")
    files.makedirs("data")
    files.write("data/f", "x")
    assert run(files, "mount --bind data /m") == (0, "", "")
    assert run(files, "mount")[1].splitlines()[-1] == "/dev/vda1 on /m type ext4 (rw,relatime)"
    assert run(files, "cat /m/f")[1] == "x"
    assert run(files, "mountpoint /m") == (0, "/m is a mountpoint\n", "")
    assert run(files, "umount /m ; mountpoint /m")[1] == "/m is not a mountpoint\n"
    assert run(files, "umount /m") == (32, "", "umount: /m: not mounted.\n")
    assert run(files, "mount -t tmpfs -o size=1m none /m ; touch /m/a ; df /m")[1].splitlines()[1].split()[:2] == [
        "none",
        "1024",
    ]


def test_only_root_mounts(files: Files) -> None:
    files.makedirs("/m")
    learner = files.as_user(User(1000, 1000))
    assert run(learner, "mount --bind /etc /m") == (1, "", "mount: /m: must be superuser to use mount.\n")


def test_df_of_a_container_looks_like_busyboxs(files: Files) -> None:
    out = run(files, "df", busybox=True)[1].splitlines()
    assert out[0] == "Filesystem           1K-blocks      Used Available Use% Mounted on"
    assert out[1].startswith("/dev/vda1")


# users


def test_accounts(files: Files) -> None:
    files.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    files.write("/etc/group", "root:x:0:\n")
    assert run(files, "adduser -D -u 1234 app", busybox=True)[0] == 0
    assert run(files, "id app", busybox=True)[1] == "uid=1234(app) gid=1234(app) groups=1234(app)\n"
    assert stat_of(files, "/home/app") == (1234, 1234)
    assert run(files, "groupadd staff ; useradd -m -G staff -s /bin/bash ann ; id ann")[1].startswith(
        "uid=1235(ann) gid=1236(ann) groups=1236(ann),1235(staff)"
    )
    assert run(files, "useradd ann") == (9, "", "useradd: user 'ann' already exists\n")
    assert run(files, "userdel -r ann ; id ann")[2] == "id: ‘ann’: no such user\n"


def test_adduser_and_chown_know_their_longer_options(files: Files) -> None:
    files.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    files.write("/etc/group", "root:x:0:\n")
    assert run(files, "adduser --quiet --no-create-home app ; id -u app") == (0, "1000\n", "")
    assert not files.exists("/home/app")
    assert run(files, "touch mine ; chown --preserve-root app mine ; stat -c %U mine") == (0, "app\n", "")


def stat_of(files: Files, path: str) -> tuple[int, int]:
    about = files.stat(path)
    return about.st_uid, about.st_gid


def test_permissions_are_checked(files: Files) -> None:
    files.write("secret", "s")
    files.chmod("secret", 0o600)
    learner = files.as_user(User(1000, 1000))
    assert run(learner, "cat secret") == (1, "", "cat: secret: Permission denied\n")
    assert run(learner, "cat secret", busybox=True) == (1, "", "cat: can't open 'secret': Permission denied\n")
    assert run(learner, "rm -f secret") == (1, "", "rm: cannot remove 'secret': Permission denied\n")
    assert run(learner, "chmod 666 secret") == (
        1,
        "",
        "chmod: changing permissions of 'secret': Operation not permitted\n",
    )
    assert run(learner, "chown 1000 secret", busybox=True) == (1, "", "chown: secret: Operation not permitted\n")


# attributes


def test_extended_attributes(files: Files) -> None:
    files.makedirs("d")
    files.setxattr("d", "trusted.overlay.opaque", b"y")
    assert run(files, "getfattr -d -m - d")[1] == '# file: d\ntrusted.overlay.opaque="y"\n\n'
    assert run(files, "getfattr -n trusted.overlay.opaque --only-values d")[1] == "y"
    assert run(files, "setfattr -n user.note -v hi d ; getfattr -d d")[1] == '# file: d\nuser.note="hi"\n\n'
    assert run(files, "getfattr -n user.none d") == (1, "", "d: user.none: No such attribute\n")


# waits


def test_sleep_moves_the_clock(files: Files) -> None:
    kernel = kernel_alone(Clock(oracle.NOW), PROGRAMS, oracle.execute)
    assert run(files, "sleep 1m", kernel=kernel)[0] == 0
    assert kernel.clock.now == oracle.NOW + 60 * 10**9


def test_a_detached_wait_parks(files: Files) -> None:
    with pytest.raises(Parked) as parked:
        run(files, "sleep 5", detached=True)
    assert parked.value.until == oracle.NOW + 5 * 10**9
    files.write("log", "line\n")
    with pytest.raises(Parked) as parked:
        run(files, "tail -f log", detached=True)
    assert parked.value.until is None
    with pytest.raises(Parked) as parked:
        run(files, "timeout 2 sleep 60", detached=True)
    assert parked.value.until == oracle.NOW + 2 * 10**9


def test_timeout(files: Files) -> None:
    assert run(files, "timeout 2 sleep 60")[0] == 124
    assert run(files, "timeout 2 sleep 1")[0] == 0
    files.write("log", "line\n")
    assert run(files, "timeout 2 tail -f log") == (124, "line\n", "")


def test_an_endless_command_ends(files: Files) -> None:
    with pytest.raises(Runaway):
        run(files, "yes")
    with pytest.raises(Runaway):
        run(files, "awk 'BEGIN{while(1) x++}'")


# what is only labkit's


def test_the_clock_is_the_machines(files: Files) -> None:
    assert run(files, "date -u +%F") == (0, "2026-09-21\n", "")


@pytest.mark.parametrize(
    ("query", "out"),
    [
        (".a.b", "1\n"), (".list[]", '"x"\n"y"\n'), ("'.list | length'", "2\n"), ("-r .list[0]", "x\n"), ("-c .", '{"a":{"b":1},"list":["x","y"]}\n'),
        ("keys", '[\n  "a",\n  "list"\n]\n'), (".nosuch", "null\n"), ("'.list[] | select(. == \"x\")'", '"x"\n'), (".a|keys[]", '"b"\n'),
    ],
)  # fmt: skip
def test_jq(files: Files, query: str, out: str) -> None:
    assert run(files, f"jq {query}", b'{"a": {"b": 1}, "list": ["x", "y"]}') == (0, out, "")


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("wget http://example.com/x", 1, "wget: bad address 'example.com'\n"),
        ("ping example.com", 1, "ping: bad address 'example.com'\n"),
        ("nosuch", 127, "nosuch: applet not found\n"),
    ],
)
def test_no_network_in_busybox(files: Files, line: str, status: int, said: str) -> None:
    assert run(files, line, busybox=True) == (status, "", said)


def test_busybox_takes_its_applet_from_its_name(files: Files) -> None:
    stdout = Output()
    process = Process(
        ["/bin/echo", "hi"], {}, files, Input(), stdout, Output(), kernel_alone(Clock(0), PROGRAMS, oracle.execute)
    )
    assert PROGRAMS["busybox"](process) == 0
    assert stdout.getvalue() == b"hi\n"


def test_alpines_busybox_names_options_as_musl_does(files: Files) -> None:
    files.write("/etc/alpine-release", "3.22.0\n")
    assert run(files, "ls -Z", busybox=True)[2].startswith("ls: unrecognized option: Z\n")


@pytest.mark.parametrize("name", sorted({*GNU_TOOLS, *BUSYBOX_APPLETS} - {"sh", "ash", "busybox"}))
def test_every_utility_loads(name: str) -> None:
    assert utility(name).run


@pytest.mark.parametrize("width", [40, 80])
def test_columns_for_a_terminal(files: Files, width: int) -> None:
    class Terminal(Output):
        isatty = True

    for number in range(12):
        files.write(f"file-{number}", "")
    stdout = Terminal()
    env = {**oracle.ENV, "COLUMNS": str(width)}
    process = Process(["ls"], env, files, Input(), stdout, Output(), kernel_alone(Clock(0), PROGRAMS, oracle.execute))
    PROGRAMS["gnu:ls"](process)
    lines = stdout.getvalue().decode().splitlines()
    assert len(lines) == {40: 3, 80: 2}[width]
    assert all(len(line) < width for line in lines)
