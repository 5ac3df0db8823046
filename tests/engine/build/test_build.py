"""Whole builds: graph, cache, what COPY and RUN leave, and what fails."""

from __future__ import annotations

import io
import tarfile

import pytest

from labkit.files import Content

CONVERT = "moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go"
BUILDX = "docker/buildx build/opt.go"


def test_a_build_makes_an_image_and_its_history(host) -> None:
    host.write('FROM busybox\nRUN echo a > /a\nWORKDIR /srv\nCOPY f.txt .\nENV A=b\nCMD ["cat", "/a"]\n', f_txt="x")
    built = host.build(tags=("app:1", "app:2"))
    assert built.image == host.engine.find_image("app:1").id == host.engine.find_image("app:2").id
    assert host.history("app:1") == [
        "RUN /bin/sh -c echo a > /a # buildkit",
        "WORKDIR /srv",
        "COPY f.txt . # buildkit",
        "ENV A=b",
        'CMD ["cat" "/a"]',
    ]
    assert host.in_image("app:1").read("/srv/f.txt") == b"x"
    config = host.config("app:1")
    assert (config["WorkingDir"], config["Cmd"], config["Env"][-1]) == ("/srv", ["cat", "/a"], "A=b")


CACHED = [  # Dockerfile, what changes it, the steps that run again (transcripts build-cache-*)
    ("RUN echo 1\nRUN echo 2\n", {}, []),
    ("RUN echo 1\nRUN echo 2\n", {"replace": ("echo 1", "echo  1")}, ["RUN echo  1", "RUN echo 2"]),
    ("RUN echo 1\nRUN echo 2\n", {"replace": ("RUN echo 2", "# x\n\nrun echo 2")}, []),
    ("RUN echo 1\nLABEL a=1\nRUN echo 2\n", {"replace": ("a=1", "a=2")}, []),
    ("ENV A=1\nCOPY a.txt /\nRUN echo 1\n", {"replace": ("A=1", "A=2")}, ["RUN echo 1"]),
    ("ARG A=1\nCOPY a.txt /\nRUN echo 1\n", {"build_args": {"A": "2"}}, ["RUN echo 1"]),
    ("RUN echo 1\nARG A=1\nRUN echo 2\n", {"build_args": {"A": "2"}}, ["RUN echo 2"]),
    ("RUN echo 1\n", {"build_args": {"A": "2"}}, []),
    ("COPY a.txt /\nRUN echo 1\n", {"edit": "a.txt"}, ["COPY a.txt /", "RUN echo 1"]),
    ("COPY a.txt /\nRUN echo 1\n", {"edit": "b.txt"}, []),
    ("COPY a.txt /\nRUN echo 1\n", {"touch": "a.txt"}, []),
    ("COPY a.txt /\nRUN echo 1\n", {"chmod": "a.txt"}, ["COPY a.txt /", "RUN echo 1"]),
    ("COPY . /d\nRUN echo 1\n", {"edit": "b.txt"}, ["COPY . /d", "RUN echo 1"]),
    ("USER 1\nWORKDIR /w\nRUN echo 1\n", {"replace": ("USER 1", "USER 2")}, ["WORKDIR /w", "RUN echo 1"]),
    ("RUN echo 1\nRUN echo 2\n", {"no_cache": True}, ["RUN echo 1", "RUN echo 2"]),
]


@pytest.mark.parametrize(("dockerfile", "change", "again"), CACHED)
def test_what_runs_again(host, dockerfile: str, change: dict, again: list[str]) -> None:
    host.write(f"FROM busybox\n{dockerfile}", a_txt="a", b_txt="b")
    first = host.build()
    assert set(first.steps.values()) == {"DONE"}
    _change(host, change)
    second = host.build(build_args=change.get("build_args", {}), no_cache="no_cache" in change)
    assert [name for name, end in second.steps.items() if end == "DONE"] == again
    assert (second.image == first.image) == (not again and "a=1" not in dockerfile)


def _change(host, change: dict) -> None:
    if old_new := change.get("replace"):
        host.files.write("Dockerfile", host.files.read("Dockerfile").decode().replace(*old_new))
    if name := change.get("edit"):
        host.files.append(name, "more")
    if name := change.get("touch"):
        host.files.utime(name, 1, 1)
    if name := change.get("chmod"):
        host.files.chmod(name, 0o755)


TWO_STAGES = (
    "FROM busybox AS build\nCOPY main.c /\nRUN cat /main.c > /all && echo fixed > /program\n"
    "FROM busybox\nCOPY --from=build /program /p\nRUN cat /p\n"
)


def test_copy_from_is_cached_by_content(host) -> None:
    host.write(TWO_STAGES, main_c="1")
    host.build()
    host.write(TWO_STAGES, main_c="2")
    assert list(host.build().steps.values()) == ["DONE", "DONE", "CACHED", "CACHED"]


def test_a_pruned_stage_is_not_needed_while_what_was_copied_is_there(host) -> None:
    host.write(TWO_STAGES, main_c="1")
    host.build()
    gone, _ = host.engine.prune_build_cache()
    assert {row["Type"] for row in gone} == {"regular", "source.local"}
    assert set(host.build().steps.values()) == {"CACHED"}


def test_a_stage_without_cache_is_made_again_and_what_stands_on_its_content_is_not(host) -> None:
    """--no-cache-filter: solver/edge.go, probeCache; dockerui/config.go, IsNoCache"""
    host.write("FROM busybox AS One\nRUN echo 1 > /a\nFROM busybox\nRUN echo 2 > /b\nCOPY --from=one /a /c\n")
    host.build()
    for names in (("one",), ("x,ONE",), ("x", "one")):
        steps = host.build(no_cache_filter=names).steps
        assert steps == {"RUN echo 1 > /a": "DONE", "RUN echo 2 > /b": "CACHED", "COPY --from=one /a /c": "CACHED"}
    assert "DONE" not in host.build(no_cache_filter=("stage-1", "nosuch")).steps.values()
    host.write("FROM busybox AS one\nRUN echo 1 > /a\n")
    assert host.build(no_cache_filter=("one",)).steps == {"RUN echo 1 > /a": "DONE"}


def test_a_workdir_on_what_is_cached_does_not_heed_no_cache(host) -> None:
    """docker/compose#8285; below a RUN that is made again it is made too"""
    host.write("FROM busybox\nWORKDIR /a\nRUN true\nWORKDIR /b\n")
    assert set(host.build(no_cache=True).steps.values()) == {"DONE"}
    assert host.build(no_cache=True).steps == {"WORKDIR /a": "CACHED", "RUN true": "DONE", "WORKDIR /b": "DONE"}


def test_pruning(host) -> None:
    host.write("FROM busybox\nRUN echo 1 > /a\nRUN echo 2 > /b\n")
    host.build()
    host.engine.prune_build_cache()
    assert set(host.build().steps.values()) == {"CACHED"}
    host.engine.remove_image("app")
    assert set(host.build().steps.values()) == {"CACHED"}
    host.engine.remove_image("app")
    host.engine.prune_build_cache()
    assert not host.engine.build_cache.usage()
    assert not host.engine.layerstore.records()
    assert set(host.build().steps.values()) == {"DONE"}
    rows, size = host.engine.prune_build_cache(all=True)
    base = sum(layer.size for layer in host.engine.registry.get("busybox").layers)  # fetched by the build
    assert (size, len(rows)) == (base + 4 + host.files.stat("Dockerfile").st_size, 5)
    assert host.engine.prune_build_cache(all=True) == ([], 0)
    assert set(host.build().steps.values()) == {"DONE"}


def test_usage_counts_as_examples_tables(host) -> None:
    """created 1; one more each time that its layer is taken (examples/tables-and-json.txt)."""
    host.write("FROM busybox\nRUN echo 1 > /a\nRUN echo 2 > /b\n")
    for _ in range(3):
        host.build()
    counts = {row["Description"]: row["UsageCount"] for row in host.engine.build_cache.usage()}
    assert counts["mount / from exec /bin/sh -c echo 1 > /a"] == 1
    assert counts["mount / from exec /bin/sh -c echo 2 > /b"] == 3
    assert counts["local source for dockerfile"] == 3


def test_only_needed_stages_are_built(host) -> None:
    text = "FROM busybox AS a\nRUN echo a\nFROM a AS b\nRUN echo b\nFROM a\nRUN echo c\n"
    host.write(text)
    assert list(host.build().steps) == ["RUN echo a", "RUN echo c"]
    assert host.build(target="b").steps == {"RUN echo a": "CACHED", "RUN echo b": "DONE"}


def test_names_of_steps(host) -> None:
    host.write("FROM busybox AS build\nRUN echo a > /x\nFROM busybox\nCOPY --from=build /x /x\n")
    text = host.build().text
    assert "[build 2/2] RUN echo a > /x" in text
    assert "[stage-1 2/2] COPY --from=build /x /x" in text
    host.write("FROM busybox\n" + "RUN true\n" * 9)
    assert "\n#4 [ 1/10] FROM docker.io/library/busybox:latest@sha256:" in host.build().text


def test_arguments(host) -> None:
    host.write('ARG B=busybox\nFROM $B\nARG X=1\nARG Y\nENV Z=$X\nRUN echo "$X" > /x\nLABEL p=${TARGETARCH:-none}\n')
    host.build(build_args={"Y": "2"})
    assert host.history() == [
        "ARG X=1",
        "ARG Y=2",
        "ENV Z=1",
        'RUN |2 X=1 Y=2 /bin/sh -c echo "$X" > /x # buildkit',
        "LABEL p=none",
    ]


def test_onbuild(host) -> None:
    host.write("FROM busybox\nONBUILD COPY a.txt /a\nONBUILD RUN cat /a > /b\n", a_txt="x")
    host.build(tags=("base",))
    assert host.config("base")["OnBuild"] == ["COPY a.txt /a", "RUN cat /a > /b"]
    host.write("FROM base\nRUN true\n")
    built = host.build()
    assert "[2/4] ONBUILD COPY a.txt /a" in built.text
    assert host.in_image().read("/b") == b"x"
    assert "OnBuild" not in host.config()


def test_labels_and_metadata(host) -> None:
    host.write(
        "FROM busybox\nLABEL a=1 b='x y'\nEXPOSE 80 53/udp\nVOLUME /v /w\nUSER 7:8\nSTOPSIGNAL SIGINT\n"
        'SHELL ["/bin/ash", "-c"]\nHEALTHCHECK --interval=1m CMD true\nENTRYPOINT echo $A\nMAINTAINER Ada\n'
    )
    host.build(labels={"c": "3"})
    config = host.config()
    assert config["Labels"] == {"a": "1", "b": "x y", "c": "3"}
    assert sorted(config["ExposedPorts"]) == ["53/udp", "80/tcp"]
    assert (config["Volumes"], config["User"], config["StopSignal"]) == ({"/v": {}, "/w": {}}, "7:8", "SIGINT")
    assert config["Entrypoint"] == ["/bin/ash", "-c", "echo $A"]
    assert "Cmd" not in config
    assert host.engine.find_image("app").config["author"] == "Ada"
    assert host.history() == [
        "LABEL a=1 b=x y",
        "EXPOSE [53/udp 80/tcp]",
        "VOLUME [/v /w]",
        "USER 7:8",
        "STOPSIGNAL SIGINT",
        "SHELL [/bin/ash -c]",
        'HEALTHCHECK &{["CMD-SHELL" "true"] "1m0s" "0s" "0s" "0s" \'\\x00\'}',
        'ENTRYPOINT ["/bin/ash" "-c" "echo $A"]',
        "MAINTAINER Ada",
    ]


COPIES = [  # instruction, the files that it makes: path, mode, owner, content (None: a folder)
    ("COPY a.txt /x", [("/x", 0o644, 0, b"a")]),
    ("COPY a.txt /x/", [("/x", 0o755, 0, None), ("/x/a.txt", 0o644, 0, b"a")]),
    ("COPY a.txt /tmp", [("/tmp/a.txt", 0o644, 0, b"a")]),
    ("COPY a.txt .", [("/a.txt", 0o644, 0, b"a")]),
    ("COPY d /x", [("/x", 0o755, 0, None), ("/x/b.txt", 0o644, 0, b"b")]),
    ("COPY d/ /tmp/", [("/tmp/b.txt", 0o644, 0, b"b")]),
    ("COPY a.txt d/b.txt /x/", [("/x/a.txt", 0o644, 0, b"a"), ("/x/b.txt", 0o644, 0, b"b")]),
    ("COPY *.txt /x/", [("/x/a.txt", 0o644, 0, b"a")]),
    ("COPY */b.txt /x/", [("/x/b.txt", 0o644, 0, b"b")]),
    ("COPY nosuch* a.txt /x/", [("/x/a.txt", 0o644, 0, b"a")]),
    ("COPY --chmod=700 a.txt /x", [("/x", 0o700, 0, b"a")]),
    ("COPY --chmod=u+x,go= a.txt /x", [("/x", 0o700, 0, b"a")]),
    ("COPY --chmod=go=u,+w a.txt /x", [("/x", 0o666, 0, b"a")]),
    ("COPY --chmod=a=,+w a.txt /x", [("/x", 0o200, 0, b"a")]),
    ("COPY --chmod=u=rwX a.txt /x", [("/x", 0o644, 0, b"a")]),
    ("COPY --chown=5:6 d /x", [("/x", 0o755, 5, None), ("/x/b.txt", 0o644, 5, b"b")]),
    ("COPY --chown=nosuch a.txt /x", [("/x", 0o644, 0, b"a")]),
    ("COPY --parents d/b.txt /x/", [("/x/d", 0o755, 0, None), ("/x/d/b.txt", 0o644, 0, b"b")]),
    ("COPY --parents d/./b.txt /x/", [("/x/b.txt", 0o644, 0, b"b")]),
    ("COPY --exclude=*.txt --exclude=Dockerfile . /x", [("/x", 0o755, 0, None), ("/x/d", 0o755, 0, None)]),
    ("COPY <<f /x\nhi\nf", [("/x", 0o644, 0, b"hi\n")]),
    ("COPY link /x", [("/x", 0o644, 0, b"a")]),
    ("ADD in.tar /x", [("/x", 0o755, 0, None), ("/x/t", 0o600, 3, b"tar")]),
    ("COPY in.tar /x/", [("/x/in.tar", 0o644, 0, ...)]),
]


@pytest.mark.parametrize(("instruction", "files"), COPIES)
def test_copies(host, instruction: str, files: list) -> None:
    host.write(f"FROM busybox\n{instruction}\n", a_txt="a", d__b_txt="b")
    host.files.symlink("a.txt", "link")
    host.files.write("in.tar", _tar())
    built = host.build()
    assert built.image, built.text
    inside = host.in_image()
    for path, mode, owner, content in files:
        about = inside.lstat(path)
        assert (about.st_mode & 0o7777, about.st_uid) == (mode, owner), path
        assert inside.is_dir(path) == (content is None)
        assert content in (None, ...) or inside.read(path) == content


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.USTAR_FORMAT) as archive:
        about = tarfile.TarInfo("t")
        about.size, about.mode, about.uid = 3, 0o600, 3
        archive.addfile(about, io.BytesIO(b"tar"))
    return out.getvalue()


def test_files_keep_their_times_and_the_same_file_gives_the_same_layer(host) -> None:
    host.write("FROM busybox\nCOPY a.txt /f\n", a_txt="a")
    host.files.utime("a.txt", 10**18, 10**18)
    host.build()
    assert host.in_image().stat("/f").st_mtime_ns == 10**18
    host.write("FROM busybox\nENV X=1\nCOPY a.txt /f\n")
    host.build(tags=("other",), no_cache=True)
    assert host.engine.find_image("app").diff_ids == host.engine.find_image("other").diff_ids


def test_run_has_its_surroundings_and_leaves_nothing_of_them(host) -> None:
    host.write(
        "FROM busybox\nUSER 7\nWORKDIR /w\nRUN pwd && id && env && ls /etc && cat /etc/hosts\nUSER root\nRUN ls /\n"
    )
    built = host.build()
    for line in ("/w", "7", "HOME=/", "hosts", "resolv.conf", "127.0.0.1\tlocalhost buildkitsandbox", "proc"):
        assert f" {line}\n" in built.text
    inside = host.in_image()
    assert not inside.exists("/etc/resolv.conf")
    assert inside.is_dir("/proc")  # made by runc in the first RUN's layer, where it stays
    upper = host.engine.inspect_image("app")["GraphDriver"]["Data"]["UpperDir"]
    assert host.files.listdir(upper) == ["etc"]  # transcript docker-root-layer-folder


def test_run_mounts(host) -> None:
    host.write(
        "FROM busybox AS one\nRUN echo 1 > /one\nFROM busybox\n"
        "RUN --mount=from=one,source=/one,target=/m/one --mount=type=bind,source=a.txt,target=/m/a "
        "cat /m/one /m/a > /both\n"
        "RUN --mount=type=cache,target=/c ls /c && echo kept > /c/f\n"
        "RUN --mount=type=tmpfs,target=/t echo x > /t/x && ls /t\n"
        "RUN --mount=type=secret,id=s cat /run/secrets/s\n",
        a_txt="a\n",
    )
    built = host.build(secrets={"s": b"hush\n"})
    assert host.in_image().read("/both") == b"1\na\n"
    assert " hush\n" in built.text
    assert not any(host.in_image().exists(path) for path in ("/m", "/c", "/t/x", "/run/secrets"))
    host.write("FROM busybox\nRUN --mount=type=cache,target=/c ls /c\n")
    assert " f\n" in host.build().text


def test_a_context_on_stdin(host) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, text in (("Dockerfile", b"FROM scratch\nCOPY f /\n"), ("f", b"x")):
            about = tarfile.TarInfo(name)
            about.size = len(text)
            archive.addfile(about, io.BytesIO(text))
    assert host.build("-", stdin=Content(out.getvalue())).image
    assert host.in_image().read("/f") == b"x"
    host.write("nonsense\n", f="y")
    assert host.build(".", dockerfile="-", stdin=Content("FROM scratch\nCOPY f /\n")).image
    assert host.build("-", stdin=Content("FROM busybox\nRUN true\n")).image


def test_the_ignore_file_of_a_dockerfile(host) -> None:
    host.write("FROM scratch\nCOPY . /\n", a_txt="a", b_txt="b")
    host.files.write(".dockerignore", "*.txt")
    host.files.write("Dockerfile.dockerignore", "b.txt\nDockerfile*\n.dockerignore\n")
    built = host.build()
    assert host.in_image().listdir("/") == ["a.txt"]
    assert "load .dockerignore" not in built.text


ENDED = "did not complete successfully"
DENIED = (
    "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: "
    "authorization failed"
)
METADATA = "failed to resolve source metadata for docker.io/library"
NOT_OCTAL = "it should be octal string and between 0 and 07777"
UPPER = "invalid reference format: repository name (library/Upper) must be lowercase"
SYNTAX = "transcript build-cache-syntax-errors"
REFERENCES = "transcript build-cache-bad-references"
EXIT = "transcript build-cache-exit-status"
LEX = "moby/buildkit frontend/dockerfile/shell/lex.go"

EXPOSE = "moby/buildkit frontend/dockerfile/dockerfile2llb/convert_expose.go"

FAILS = [  # Dockerfile, the solver's error, its source
    ("", "the Dockerfile cannot be empty", SYNTAX),
    ("FROM busybox\nRUN exit 3\n", f'process "/bin/sh -c exit 3" {ENDED}: exit code: 3', EXIT),
    ('FROM busybox\nRUN cat "x"\n', f'process "/bin/sh -c cat \\"x\\"" {ENDED}: exit code: 1', "Go %q"),
    (
        "FROM busybox\nUSER nosuch\nRUN true\n",
        f'process "/bin/sh -c true" {ENDED}: unable to find user nosuch: no matching entries in passwd file',
        "unverified",
    ),
    ("FROM scratch\nRUN true\n", f'process "/bin/sh -c true" {ENDED}: exit code: 1', "unverified"),
    ("FROM busybox\nCOPY --from=0 /a /b\n", "circular dependency detected on stage: stage-0", REFERENCES),
    ("FROM busybox\nCOPY --from=7 /a /b\n", "invalid stage index 7", CONVERT),
    ("ARG B\nFROM $B\n", "base name ($B) should not be blank", REFERENCES),
    ("FROM Upper\n", f'failed to parse stage name "Upper": {UPPER}', CONVERT),
    ("FROM busybox:no\n", f"busybox:no: {METADATA}/busybox:no: docker.io/library/busybox:no: not found", "unverified"),
    ("FROM nosuchimage\n", f"nosuchimage: {METADATA}/nosuchimage:latest: {DENIED}", "unverified"),
    ("FROM busybox\nCOPY --chmod=9 a.txt /\n", f"invalid chmod parameter: '9'. {NOT_OCTAL}", CONVERT),
    ("FROM busybox\nCOPY --chmod=17777 a.txt /\n", f"invalid chmod parameter: '17777'. {NOT_OCTAL}", CONVERT),
    ("FROM busybox\nCOPY https://example.com/x /\n", "source can't be a URL for COPY", CONVERT),
    ("FROM busybox\nCOPY --chmod=abc a.txt /\n", "invalid syntax", "tonistiigi/dchapes-mode mode.go"),
    ("FROM busybox\nADD --checksum=x a.txt /\n", "checksum requires HTTP(S) or Git sources", CONVERT),
    ("FROM busybox\nADD --checksum=x a.txt b /\n", "checksum can't be specified for multiple sources", CONVERT),
    ("FROM busybox\nEXPOSE abc\n", "invalid containerPort: abc", EXPOSE),
    ("FROM busybox\nEXPOSE /tcp\n", 'invalid port: "/tcp": no port specified', EXPOSE),
    ("FROM busybox\nEXPOSE 80/foo\n", 'invalid port: "80/foo": invalid proto: foo', EXPOSE),
    ("FROM busybox\nCOPY a.txt /x\nCOPY a.txt /x/y\n", "mkdir /x: not a directory", "tonistiigi/fsutil copy/mkdir.go"),
    ("FROM busybox\nCOPY a.txt /x\nCOPY a.txt /x/y/z\n", "lstat /x/y: not a directory", "continuity fs/path.go"),
    ("FROM busybox\nCOPY a.txt /x\nWORKDIR /x\n", "mkdir /x: not a directory", "solver/llbsolver/file/backend.go"),
    ("FROM busybox\nSTOPSIGNAL NOSUCH\n", "invalid signal: NOSUCH", "unverified"),
    ("FROM busybox\nRUN --mount=target=/ true\n", 'invalid mount target "/"', "unverified"),
    (
        "FROM busybox\nENV A=${A\n",
        'failed to process "${A": unsupported modifier (\ufffd) in substitution',
        LEX,
    ),
    ("# check=error=true\nFROM busybox as x\n", "lint violation found for rules: FromAsCasing", "linter/linter.go"),
]


@pytest.mark.parametrize(("dockerfile", "error", "source"), FAILS)
def test_fails(host, dockerfile: str, error: str, source: str) -> None:
    host.write(dockerfile, a_txt="a")
    built = host.build()
    assert not built.image
    assert built.error == f"failed to solve: {error}"


MISSING = "transcript build-cache-no-dockerfile"
NO_FILE = "failed to solve: failed to read dockerfile: open other: no such file or directory"
STDIN_TWICE = "invalid argument: can't use stdin for both build context and dockerfile"
AMBIGUOUS = "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles"

REFUSED = [  # what is asked, the error, its source
    ({"tags": ("Upper",)}, 'invalid tag "Upper": repository name must be lowercase', MISSING),
    ({"context": "nosuch"}, 'unable to prepare context: path "nosuch" not found', MISSING),
    ({"context": "a.txt"}, 'unable to prepare context: path "a.txt" not found', BUILDX),
    ({"dockerfile": "other"}, NO_FILE, MISSING),
    ({"context": "-", "dockerfile": "-"}, STDIN_TWICE, BUILDX),
    ({"context": "-", "dockerfile": "x", "stdin": Content(b"FROM x")}, AMBIGUOUS, BUILDX),
    ({"target": "no"}, 'failed to solve: target stage "no" could not be found', "transcript build-cache-target"),
]


@pytest.mark.parametrize(("about", "error", "source"), REFUSED)
def test_refuses(host, about: dict, error: str, source: str) -> None:
    host.write("FROM busybox\n", a_txt="a")
    built = host.build(**about)
    assert not built.image
    assert built.error == error


MISSING_FILES = [  # seen with BuildKit 0.8 (Docker 20.10): what the steps are, and which file is told of
    (
        "WORKDIR /w\nRUN true\nCOPY nosuch.txt /\nRUN echo\n",
        {"WORKDIR /w": "DONE", "RUN true": "CACHED", "COPY nosuch.txt /": "ERROR"},
        "nosuch.txt",
    ),
    (
        "RUN true\nRUN pwd\nCOPY a.txt /\nCOPY nosuch.txt /\n",
        {"RUN true": "CANCELED", "RUN pwd": "CACHED", "COPY a.txt /": "CACHED", "COPY nosuch.txt /": "ERROR"},
        "nosuch.txt",
    ),
    ("COPY a.txt /\nCOPY no1 /\n", {"COPY a.txt /": "CANCELED", "COPY no1 /": "ERROR"}, "no1"),
    (
        "COPY no1 /\nRUN true\nCOPY no2 /\nRUN pwd\n",
        {"COPY no1 /": "ERROR", "RUN true": "CACHED", "COPY no2 /": "ERROR"},
        "no2",
    ),
    ("COPY no1 a.txt no2 /x/\n", {"COPY no1 a.txt no2 /x/": "ERROR"}, "no2"),
]


@pytest.mark.parametrize(("instructions", "steps", "told"), MISSING_FILES)
def test_missing_files_are_noticed_before_anything_runs(host, instructions: str, steps: dict, told: str) -> None:
    """transcript build-cache-missing-source; solver/progress.go"""
    host.write(f"FROM busybox\n{instructions}", a_txt="a")
    built = host.build()
    assert built.steps == steps
    assert "failed to compute cache key: failed to calculate checksum of ref " in built.error
    assert built.error.endswith(f': "/{told}": not found')
    assert [line for line in built.text.split("\n") if ">>>" in line and told in line]
    assert built.text.endswith(f"ERROR: failed to build: {built.error}\n")


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM busybox\nCOPY --from=busybox /no /x\n",
        "FROM busybox AS a\nFROM a\nCOPY --from=a /no /x\n",
        "FROM busybox AS a\nRUN true\nFROM a\nENV A=b\nCOPY --from=a /no /x\n",
        "FROM scratch AS e\nFROM busybox\nCOPY --from=e /no /x\n",
    ],
)
def test_what_is_copied_from_what_a_stage_stands_on_is_not_looked_at_before(host, dockerfile: str) -> None:
    """solver/llbsolver/ops/file.go, CacheMap: no digest of a source that is the target's too, or nothing"""
    host.write(dockerfile)
    assert host.build().error == "failed to solve: lstat /no: no such file or directory"


def test_a_stage_of_nothing_is_copied(host) -> None:
    host.write("FROM scratch AS e\nFROM busybox\nCOPY --from=e / /x\n")
    assert host.build().image
    assert host.in_image().listdir("/x") == []


def test_parents_needs_what_it_names_without_wildcards(host) -> None:
    """dockerfile2llb/convert_copy.go, RequiredPaths"""
    host.write("FROM busybox\nCOPY --parents d/no /x/\n", d__a="a")
    assert host.build().error.endswith(': "/d/no": not found')
    host.write("FROM busybox\nCOPY --parents d/n* d/./a /x/\n")
    assert host.build().steps == {"COPY --parents d/n* d/./a /x/": "DONE"}


FSUTIL = "tonistiigi/fsutil copy/copy.go"
CLASHES = [
    ("COPY a.txt /x\nCOPY d /x", "cannot copy to non-directory: {}/x", FSUTIL),
    ("COPY d /x/a.txt\nCOPY a.txt /x/", "cannot replace to directory {}/x/a.txt with file", FSUTIL),
]


@pytest.mark.parametrize(("instructions", "message", "source"), CLASHES)
def test_a_file_and_a_folder_do_not_replace_each_other(host, instructions: str, message: str, source: str) -> None:
    host.write(f"FROM busybox\n{instructions}\n", a_txt="a", d__b_txt="b")
    start, end = message.split("{}")
    error = host.build().error.removeprefix("failed to solve: ")
    assert error.startswith(f"{start}/var/lib/docker/overlay2/")
    assert error.endswith(f"/merged{end}")


def test_a_failed_step_leaves_what_was_before_it_in_the_cache(host) -> None:
    host.write("FROM busybox\nRUN echo 1\nRUN exit 1\n")
    assert host.build().steps == {"RUN echo 1": "DONE", "RUN exit 1": "ERROR"}
    layers = len(host.engine.layerstore.records())
    assert host.build().steps == {"RUN echo 1": "CACHED", "RUN exit 1": "ERROR"}
    assert len(host.engine.layerstore.records()) == layers
    assert not host.engine.tables.references.get("docker.io/library/app:latest")


def test_warnings_are_printed_below_the_progress(host) -> None:
    host.write("FROM busybox as x\nCMD echo $A\n")
    assert host.build().text.endswith(
        "#5 DONE 0.0s\n\n \x1b[33m2 warnings found (use docker --debug to expand):\n"
        "\x1b[0m - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)\n"
        " - JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior "
        "related to OS signals (line 2)\n"
    )


def test_waiting_takes_the_machines_time(host) -> None:
    host.write("FROM busybox\nRUN sleep 5 && echo awake\n")
    text = host.build().text
    assert "5.151 awake" in text
    assert "DONE 5.2s" in text


def test_an_image_without_layers(host) -> None:
    host.write("FROM scratch\nLABEL a=1\n")
    host.build()
    assert host.engine.find_image("app").diff_ids == ()


@pytest.mark.parametrize("driver", ["overlay2", "vfs"])
def test_the_same_commands_give_the_same_image(make_host, driver: str) -> None:
    images = set()
    for host in (make_host(driver), make_host(driver)):
        host.write("FROM busybox\nRUN echo 1 > /a\nCOPY f /d/\n", f="x")
        images.add(host.build().image)
        assert host.in_image().read("/d/f") == b"x"
    assert len(images) == 1


NAMED = [  # the flags of a RUN in a single stage, and how steps are named (convert_runmount.go, detectRunMount)
    ("", ""),
    ("--network=none ", ""),
    ("--mount=type=cache,target=/c ", "stage-0 "),
    ("--mount=type=tmpfs,target=/c ", "stage-0 "),
    ("--mount=target=/c ", "stage-0 "),
    ("--mount=from=busybox,target=/c ", "stage-0 "),
]


@pytest.mark.parametrize(("flags", "stage"), NAMED)
def test_a_mount_counts_as_a_stage(host, flags: str, stage: str) -> None:
    host.write(f"FROM busybox\nRUN {flags}echo x\n")
    assert f"[{stage}2/2] RUN {flags}echo x\n" in host.build().text


def test_nothing_on_standard_input_is_no_dockerfile(host) -> None:
    """docker/buildx, build/opt.go: no local source is given."""
    built = host.build("-", stdin=Content(b""))
    assert built.error == "failed to solve: failed to read dockerfile: no local sources enabled"
    assert "------\n > [internal] load build definition from Dockerfile:\n------\n" in built.text
