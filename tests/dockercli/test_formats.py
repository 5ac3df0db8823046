"""Lists as they are printed: columns as in examples/tables-and-json.txt, templates, JSON."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from labkit.dockercli.rows import PAIRS, TABS, align

SECOND = 10**9
NOW = 1_795_510_800
EXAMPLES = Path(__file__).parents[1] / "conformance" / "examples"
PIECES = re.split(r"^\$ (.*)\n", (EXAMPLES / "tables-and-json.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
RECORDED = {command: text.rstrip("\n").split("\n") for command, text in zip(PIECES[1::2], PIECES[2::2], strict=True)}
APP = ["8a83f63d29c9", "1a6ad29af756", "69e6f8718635", "8170cd46c61b"]
TAGS = ["app:3", "app:1", "app:2", "busybox:latest"]
AGES = [1, 3, 3, 8]
UNIQUE = [37, 15, 24, 0]
WEB = "132be3bc3640136f94c29c667661ae4317af4044a0414708485bc523ec15663b"
STEPS = [
    ("sha256:69e6f871863569f365b5c2f3df3d8d7c3e8686d5c7ba70da111a96ebfe028cab", 3, 'CMD ["cat" "app.py"]', 0),
    ("<missing>", 3, "ENV MODE=production", 0),
    ("<missing>", 3, "RUN /bin/sh -c wc -c app.py && echo built >&2 # buildkit", 0),
    ("<missing>", 3, "COPY app.py . # buildkit", 24),
    ("<missing>", 4, "WORKDIR /app", 0),
    ("<missing>", 4, "RUN /bin/sh -c echo dependencies > /deps.txt # buildkit", 13),
    ("<missing>", 8, "", 1984162),
]


class Fake:
    """The engine of the recording, as far as the lists need it."""

    def images(self, **asked: Any) -> list[dict[str, Any]]:
        return [
            {
                "Id": f"sha256:{identifier}{'0' * 52}", "RepoTags": [tag], "RepoDigests": [], "Created": NOW - age,
                "Size": 1984162 + unique, "SharedSize": 1984162, "Containers": int(tag == "app:2"),
            }
            for identifier, tag, age, unique in zip(APP, TAGS, AGES, UNIQUE, strict=True)
        ]  # fmt: skip

    def containers(self, size: bool = False, **asked: Any) -> list[dict[str, Any]]:
        web = {
            "Id": WEB, "Names": ["/web"], "Image": "app:2", "ImageID": "sha256:69e6f8718635", "Command": "sleep 1d",
            "Created": NOW - 1, "Status": "Up Less than a second", "State": "running", "Ports": [], "SizeRw": 0,
            "Mounts": [{"Type": "volume", "Name": "data", "Driver": "local"},
                       {"Type": "bind", "Source": "/a/b/c/d/e/f/g/h"}],
            "Labels": {"b": "2", "a": "1"}, "SizeRootFs": 1984199 if size else 0,
        }  # fmt: skip
        return [web]

    def volumes(self, **asked: Any) -> list[dict[str, Any]]:
        usage = {"RefCount": 1, "Size": 0}
        return [{"Name": "data", "Driver": "local", "Scope": "local", "Mountpoint": "/m", "UsageData": usage}]

    def history(self, name: str) -> list[dict[str, Any]]:
        comments = ["buildkit.dockerfile.v0"] * 6 + ["Imported from -"]
        return [
            {"Id": identifier, "Created": (NOW - age) * SECOND, "CreatedBy": text, "Size": size, "Comment": comment}
            for (identifier, age, text, size), comment in zip(STEPS, comments, strict=True)
        ]

    def disk_usage(self) -> dict[str, Any]:
        cache = {
            "ID": "5kqpk30874boxxxxxxxxxxxxx", "Type": "regular", "Size": 15, "CreatedAt": (NOW - 3) * SECOND,
            "LastUsedAt": (NOW - 3) * SECOND, "UsageCount": 1, "Shared": True, "InUse": False, "Description": "x",
        }  # fmt: skip
        unused = cache | {
            "ID": "oaqvl8i02xpyxxxxxxxxxxxxx",
            "Size": 0,
            "LastUsedAt": None,
            "UsageCount": 0,
            "InUse": True,
        }
        unused |= {"CreatedAt": (NOW - 720) * SECOND, "Shared": False}
        names = ("ImageUsage", "ContainerUsage", "VolumeUsage", "BuildCacheUsage")
        items = (self.images(), self.containers(), self.volumes(), [cache, unused])
        numbers = ((4, 1, 1984238, 52), (1, 1, 0, 0), (1, 1, 0, 0), (18, 3, 283, 194))
        keys = ("TotalCount", "ActiveCount", "TotalSize", "Reclaimable")
        return {
            name: dict(zip(keys, counts, strict=True)) | {"Items": things}
            for name, counts, things in zip(names, numbers, items, strict=True)
        }


@pytest.fixture
def docker(run):
    def call(*words: str) -> str:
        done = run(*words, engine=Fake())
        assert (done.status, done.err) == (0, "")
        return done.out

    return call


@pytest.mark.parametrize(
    "command",
    [
        "docker ps",
        "docker ps -a --size --no-trunc",
        "docker image ls",
        "docker images --tree",
        "docker image ls -a --digests",
        "docker history app:2",
        "docker history --no-trunc app:2",
        "docker volume ls",
        "docker system df",
    ],
)
def test_a_table_is_the_recorded_one(docker, command):
    assert docker(*command.split()[1:]).rstrip("\n").split("\n") == RECORDED[command]


def test_df_verbose_is_the_recorded_one(docker):
    lines = docker("system", "df", "-v").rstrip("\n").split("\n")
    recorded = RECORDED["docker system df -v"]
    assert lines[:20] == recorded[:20]
    assert [line.split() for line in lines[20:]] == [recorded[place].split() for place in (20, 21, 24)]


def test_version_is_the_recorded_one(run):
    text = "\n".join(RECORDED["docker version"]) + "\n"

    class Versions:
        def version(self):
            return _versions()

    done = run("version", engine=Versions())
    assert [line.rstrip() for line in done.out.split("\n")] == [line.rstrip() for line in text.split("\n")]


def _versions():
    numbers = {
        "ApiVersion": "1.56", "MinAPIVersion": "1.40", "GoVersion": "go1.27.3", "GitCommit": "b985e2313a",
        "BuildTime": "library-import", "Os": "linux", "Arch": "amd64", "Experimental": "false",
    }  # fmt: skip
    components = [
        {"Name": "Engine", "Version": "29-dev", "Details": numbers},
        {"Name": "containerd", "Version": "1.6.20~ds1", "Details": {"GitCommit": "1.6.20~ds1-1+deb12u3"}},
        {"Name": "runc", "Version": "1.5.0-rc.1+dev", "Details": {"GitCommit": ""}},
        {"Name": "docker-init", "Version": "0.19.0", "Details": {"GitCommit": ""}},
    ]
    client = {
        "Version": "29-dev", "ApiVersion": "1.55", "GoVersion": "go1.27.3", "GitCommit": "unknown-commit",
        "BuildTime": "unknown-buildtime", "Os": "linux", "Arch": "amd64", "Context": "default",
        "Platform": {"Name": ""},
    }  # fmt: skip
    return {"Client": client, "Server": {"Platform": {"Name": ""}, "Components": components}}


FORMATS = [
    (["ps", "--format", "{{.ID}}\\t{{.Names}}"], "132be3bc3640\tweb\n"),
    (["ps", "--format", "table {{.Names}}\\t{{.Image}}"], "NAMES     IMAGE\nweb       app:2\n"),
    (["ps", "--format", "table {{upper .Names}}\\t{{.Image}}"], "NAMES     IMAGE\nWEB       app:2\n"),
    (["ps", "--format", '{{.Label "a"}} {{.Labels}} {{.LocalVolumes}}'], "1 a=1,b=2 1\n"),
    (["ps", "--format", "{{.Mounts}}"], "data,/a/b/c/d/e/f/g…\n"),
    (["ps", "--format", "{{.Names}}: {{.Size}}"], "web: 0B (virtual 1.98MB)\n"),
    (["ps", "-q"], "132be3bc3640\n"),
    (["ps", "-q", "--no-trunc"], WEB + "\n"),
    (["images", "-q"], "".join(identifier + "\n" for identifier in APP)),
    (["images", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}"], "".join(f"{tag} 1.98MB\n" for tag in TAGS)),
    (["volume", "ls", "-q"], "data\n"),
    (["volume", "ls", "--format", "{{json .Name}}"], '"data"\n'),
    (["history", "-q", "app:2"], "69e6f8718635\n" + "<missing>\n" * 6),
    (["system", "df", "--format", "{{.Active}} {{.Reclaimable}}"], "1 52B (0%)\n1 0B\n1 0B\n3 194B\n"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "text"), [row for row in FORMATS if row[1]], ids=[" ".join(row[0]) for row in FORMATS if row[1]]
)
def test_format(docker, words, text):
    """Source: docker/cli cli/command/formatter."""
    assert docker(*words) == text


def test_history_in_exact_numbers(docker):
    lines = docker("history", "-H=false", "app:2").splitlines()
    assert lines[0].split("  ")[0] == "IMAGE"
    assert "2026-11-24T08:59:57Z" in lines[1]
    assert "1984162" in lines[-1]


def test_json_lines_have_sorted_keys(docker):
    line = docker("ps", "--format", "json")
    keys = re.findall(r'"(\w+)":', line)
    assert keys == sorted(keys)
    assert keys[:4] == ["Command", "CreatedAt", "HealthStatus", "ID"]


def test_quiet_wins_over_format(run):
    done = run("ps", "-q", "--format", "{{.Names}}", engine=Fake())
    assert done.out == "132be3bc3640\n"
    assert done.err == "WARNING: Ignoring custom format, because both --format and --quiet are set.\n"


def test_columns():
    """Go text/tabwriter: a column ends where a line lacks its cell; the last cell is not padded."""
    assert align("a\tb\nlonger than ten\tc\n") == "a                 b\nlonger than ten   c\n"
    assert align("a\tb\n\nlonger than ten\tc\n") == "a         b\n\nlonger than ten   c\n"
    assert align("Total:\t0B\n", TABS) == "Total:\t0B\n"
    assert align(" Version:\tx\n", PAIRS) == " Version:           x\n"
    assert align("…\tb\nü\tc\n") == "…         b\nü         c\n"
