"""docker build's flags: what they do, and what buildx and the docker driver answer (docker/buildx util/buildflags)."""

from __future__ import annotations

import json
import re

import pytest

from labkit import Machine

DOCKERFILE = """FROM busybox
COPY f /f
RUN --mount=type=secret,id=k cat /run/secrets/k; cat /etc/hosts; df -k /dev/shm
"""


def new_machine(**about: str) -> Machine:
    machine = Machine(**about)
    machine.files.mkdir("/home/learner/app")
    machine.files.write("/home/learner/app/Dockerfile", DOCKERFILE)
    machine.files.write("/home/learner/app/f", "hello\n")
    machine.files.write("/home/learner/key", "sesame\n")
    return machine


@pytest.fixture(scope="module")
def shared() -> Machine:
    return new_machine()


def unsupported(what: str, page: str) -> str:
    return (
        f"failed to build: {what} is not supported for the docker driver.\n"
        "Switch to a different driver, or turn on the containerd image store, and try again.\n"
        f"Learn more at https://docs.docker.com/go/{page}/"
    )


NO_AGENT = (
    "failed to build: failed to convert agent config {default [] false}: invalid empty ssh agent socket: "
    "make sure SSH_AUTH_SOCK is set"
)
REFUSED = [
    ("--add-host one", "failed to build: invalid host one"),
    ("--add-host one=two", "failed to build: invalid host one=two"),
    ("--allow all", "failed to build: unknown entitlement all"),
    ("--allow buildx.local.delete=1", "failed to build: buildx.local.delete does not accept a value"),
    ("--allow security.insecure",
     "failed to build: failed to solve: granting entitlement security.insecure is not allowed by build daemon configuration"),
    ("--annotation a", 'failed to build: parse annotations: invalid annotation "a", expected key=value'),
    ("--annotation top:a=b", 'failed to build: parse annotations: unknown annotation type "top"'),
    ("--annotation index:a=b", "failed to build: index annotations not supported for single platform export"),
    ("--attest sbom", "invalid value sbom"),
    ("--attest generator=x", "attestation type not specified"),
    ("--attest type=sbom,disabled=no", 'invalid value disabled=no: strconv.ParseBool: parsing "no": invalid syntax'),
    ("--attest type=sbom", unsupported("Attestation", "attestations")),
    ("--sbom true", unsupported("Attestation", "attestations")),
    ("--provenance mode=max", unsupported("Attestation", "attestations")),
    ("--build-context one", "invalid context value: one, expected key=value"),
    ("--build-context one=.", "failed to build: this simulated Docker has no --build-context"),
    ("--builder mine", 'no builder "mine" found'),
    ("--cache-from src=x", 'type required for "src=x"'),
    ("--cache-from type=local,src=x", "failed to build: this simulated Docker has no --cache-from=type=local"),
    ("--cache-to me/app", unsupported("Cache export", "build-cache-backends")),
    ("--network bridge",
     'failed to build: network mode "bridge" not supported by buildkit - you can define a custom network for your builder '
     "using the network driver-opt in buildx create"),
    ("--no-cache --no-cache-filter a",
     "failed to build: --no-cache and --no-cache-filter cannot currently be used together"),
    ("--output dest=x,a=b", "type is required for output"),
    ("--output x,y", "invalid value x"),
    ("--output type=local", "failed to build: dest is required for local exporter"),
    ("--output type=local,dest=-", "failed to build: dest cannot be stdout for local exporter"),
    ("--output app/f", "failed to build: destination directory app/f is a file"),
    ("--output type=tar,dest=app", "failed to build: destination file app is a directory"),
    ("--output type=oci,dest=x", unsupported("OCI exporter", "build-exporters")),
    ("--output type=docker,dest=x", unsupported("Docker exporter", "build-exporters")),
    ("--output out --iidfile id", "local and tar exporters are incompatible with image ID file"),
    ("--platform x", 'failed to build: "x": unknown operating system or architecture: invalid argument'),
    ("--platform linux/amd64,linux/arm64", unsupported("Multi-platform build", "build-multi-platform")),
    ("--platform linux/arm64", "failed to build: this simulated Docker has no --platform=linux/arm64"),
    ("--policy name=x", "invalid value name=x"),
    ("--policy reset=no", 'invalid value reset=no: strconv.ParseBool: parsing "no": invalid syntax'),
    ("--push", "failed to build: tag is needed when pushing to registry"),
    ("--resource memory", 'failed to build: invalid resource "memory", expected key=value'),
    ("--resource disk=1", 'failed to build: unknown resource "disk"'),
    ("--resource cpu-quota=x",
     'failed to build: invalid value "x" for resource cpu-quota: strconv.ParseInt: parsing "x": invalid syntax'),
    ("--secret k", "invalid field 'k' must be a key=value pair"),
    ("--secret id=k,of=x", "unexpected key 'of' in 'of=x'"),
    ("--secret id=k,type=x", 'unsupported secret type "x"'),
    ("--secret src=key", "failed to build: secret missing ID"),
    ("--secret id=k,src=none", "failed to build: failed to stat none: stat none: no such file or directory"),
    ("--ssh default", NO_AGENT),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "said"), REFUSED, ids=[flags for flags, _ in REFUSED])
def test_refuses(shared: Machine, flags: str, said: str) -> None:
    done = shared.run(f"docker build {flags} app")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"ERROR: {said}\n")


SILENT = (
    "--allow network.host --annotation a=b --attest type=sbom,disabled=true --builder default --cgroup-parent x --debug "
    "--network host --platform linux/amd64 --policy disabled=true --provenance=false --resource memory=1g --ulimit nofile=9"
)


@pytest.mark.parametrize("flags", SILENT.split(" --"))
def test_an_image_is_made_all_the_same(shared: Machine, flags: str) -> None:
    done = shared.run(f"docker build -q --{flags.removeprefix('--')} app")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", done.stdout)


def test_a_secret_a_host_and_more_shared_memory_reach_the_process() -> None:
    machine = new_machine()
    command = "docker build --secret id=k,src=key --add-host db:10.0.0.7 --shm-size 128m app"
    printed = machine.run(command).stderr
    for line in (r"sesame", r"10\.0\.0\.7\tdb", r"shm +131072 .* /dev/shm"):
        assert re.search(rf"^#7 \S+ {line}$", printed, re.M)
    assert machine.run(command).stderr.count("CACHED") == 3
    for other in (command.replace("10.0.0.7", "10.0.0.8"), command.replace("128m", "64m")):
        assert machine.run(other).stderr.count("CACHED") == 2  # the base and COPY; RUN is made anew


@pytest.mark.parametrize("flags", ["id=k,env=WORD", "id=WORD", "type=env,id=k,src=WORD"])
def test_a_secret_comes_from_the_environment(flags: str) -> None:
    machine = new_machine()
    identifier = "WORD" if "id=WORD" in flags else "k"
    machine.files.write(
        "/home/learner/app/Dockerfile", f"FROM busybox\nRUN --mount=type=secret,id={identifier} cat /run/secrets/*\n"
    )
    assert " sesame" in machine.run(f"WORD=sesame docker build --progress plain --secret {flags} app").stderr


def test_files_go_to_a_folder_of_the_client() -> None:
    machine = new_machine()
    done = machine.run("docker build -q -o out/in app")
    assert (done.returncode, done.stderr) == (0, "")
    assert machine.run("cat out/in/f; ls out/in/bin/sh").stdout == "hello\nout/in/bin/sh\n"
    assert machine.run("docker image ls -aq").stdout == ""
    assert (
        "#8 exporting to client directory\n#8 copying files 2.02MB done\n"
        in machine.run("docker build -o out app").stderr
    )


def test_files_go_into_an_archive() -> None:
    machine = new_machine()
    assert (
        "#8 exporting to client tarball\n#8 sending tarball done\n"
        in machine.run("docker build -o type=tar,dest=x.tar app").stderr
    )
    assert machine.run("tar xOf x.tar f").stdout == "hello\n"
    assert machine.run("docker build -o - app | tar xO f").stdout == "hello\n"


def test_load_adds_an_image_to_the_files() -> None:
    machine = new_machine()
    machine.run("docker build --load -o out -t app app")
    assert machine.run("docker run app cat /f; cat out/f").stdout == "hello\nhello\n"


def test_a_push_is_denied_and_the_image_is_there() -> None:
    machine = new_machine()
    done = machine.run("docker build --push -t me/app app")
    denied = "push access denied, repository does not exist or may require authorization"
    assert done.stderr.endswith(
        f"\n#9 pushing docker.io/me/app:latest with docker\n#9 ERROR: {denied}\n------\n"
        f" > pushing docker.io/me/app:latest with docker:\n------\nERROR: failed to build: {denied}\n"
    )
    assert "me/app" in machine.run("docker image ls").stdout


def test_a_cache_that_is_not_there_ends_nothing(shared: Machine) -> None:
    done = shared.run("docker build --cache-from me/app --cache-from busybox:none,busybox --cache-to type=inline app")
    assert done.returncode == 0
    named = re.findall(
        r"importing cache manifest from (\S+)\n#\d+ (?:ERROR: failed to configure registry cache importer: )?(.*)",
        done.stderr,
    )
    assert [(name, said.partition(",")[0]) for name, said in named] == [
        ("me/app", "pull access denied"), ("busybox:none", "docker.io/library/busybox:none: not found"), ("busybox", "DONE 0.0s"),
    ]  # fmt: skip
    assert "preparing layers for inline cache\n" in done.stderr


def test_what_was_made_is_told_in_a_file() -> None:
    machine = new_machine()
    image = machine.run("docker build -q -t app --metadata-file about.json app").stdout.strip()
    told = json.loads(machine.files.read("/home/learner/about.json"))
    assert re.fullmatch(r"default/default/[a-z0-9]{25}", told.pop("buildx.build.ref"))
    assert told == {
        "containerimage.config.digest": image,
        "containerimage.digest": image,
        "image.name": "docker.io/library/app:latest",
    }


def test_an_image_of_the_containerd_store_can_go_without_provenance() -> None:
    machine = new_machine(image_store="containerd")
    assert "attestation" in machine.run("docker build app").stderr
    printed = machine.run("docker build --provenance=false app").stderr
    assert "exporting manifest sha256:" in printed
    assert "attestation" not in printed
    done = machine.run("docker build --sbom=true app")
    assert done.stderr == "ERROR: failed to build: this simulated Docker has no --sbom\n"
