"""The flags of docker build, read and checked (docker/buildx util/buildflags, build/opt.go, build/utils.go).

A flag whose text cannot be read ends the command before anything is built; what the docker driver does not do is told
once the build begins, and so after "failed to build:".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from labkit.dockercli.flags import StatusError
from labkit.dockercli.mountflags import read_csv
from labkit.engine.build.client import Output
from labkit.engine.core.errors import EngineError
from labkit.engine.core.names import parse
from labkit.files import Files
from labkit.kernel.golang import SizeInvalid, quote, ram_in_bytes
from labkit.kernel.process import Process

_MOST_SECRET = 500 << 10  # bytes


def wrong(text: str) -> StatusError:
    """A flag that buildx cannot read."""
    return StatusError(f"ERROR: {text}")


def failed(text: str) -> StatusError:
    """What buildx or its driver does not do."""
    return StatusError(f"ERROR: failed to build: {text}")


def absent(flag: str) -> StatusError:
    return failed(f"this simulated Docker has no {flag}")


def not_supported(what: str, page: str) -> StatusError:
    """A feature of the containerd image store."""
    return failed(
        f"{what} is not supported for the docker driver.\n"
        "Switch to a different driver, or turn on the containerd image store, and try again.\n"
        f"Learn more at https://docs.docker.com/go/{page}/"
    )


def fields(text: str, said: str = "invalid value {}") -> Iterator[tuple[str, str]]:
    """The KEY=VALUE fields of one flag."""
    for field in read_csv(text):
        key, equals, value = field.partition("=")
        if not equals:
            raise wrong(said.format(field))
        yield key.strip().lower(), value


def _truth(field: str, value: str) -> bool:
    if value not in _BOOLS:
        raise wrong(f"invalid value {field}: strconv.ParseBool: parsing {quote(value)}: invalid syntax")
    return _BOOLS[value]


_BOOLS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


def attestations(attests: list[str], provenance: str, sbom: str) -> dict[str, bool]:
    """Each type that is named, and whether it is wanted; the first flag about a type counts."""
    short = [("provenance", provenance), ("sbom", sbom)]
    texts = attests + [
        f"type={name},disabled={str(not _BOOLS[text]).lower()}" if text in _BOOLS else f"type={name},{text}"
        for name, text in short
        if text
    ]
    found: dict[str, bool] = {}
    for text in texts:
        about = dict(fields(text))
        if not about.get("type"):
            raise wrong("attestation type not specified")
        disabled = about.get("disabled", "false")
        found.setdefault(about["type"], not _truth(f"disabled={disabled}", disabled))
    return found


def check_policies(policies: list[str]) -> None:
    """--policy: with no file there is nothing to hold a build to."""
    for policy in policies:
        for key, value in fields(policy):
            if key == "filename" and value:
                raise absent("--policy with a file")
            if key in ("reset", "disabled", "strict"):
                _truth(f"{key}={value}", value)
            elif key != "log-level":
                raise wrong(f"invalid value {key}={value}")


def caches(entries: list[str]) -> list[dict[str, str]]:
    """--cache-from and --cache-to: each with its type; a bare name is a registry's."""
    found = []
    for entry in filter(None, entries):
        if "=" not in entry:
            found += [{"type": "registry", "ref": name} for name in read_csv(entry)]
            continue
        about = dict(fields(entry))
        if not about.get("type"):
            raise wrong(f"type required for {quote(entry)}")
        found.append(about)
    return found


def imported(entries: list[str]) -> tuple[str, ...]:
    """The images that --cache-from names."""
    names = []
    for entry in caches(entries):
        if entry["type"] != "registry":
            raise absent(f"--cache-from=type={entry['type']}")
        if not entry.get("ref"):
            raise failed("registry cache importer requires ref")
        names.append(entry["ref"])
    return tuple(names)


def exports_inline(entries: list[str], containerd: bool) -> bool:
    """Whether --cache-to writes into the image; another cache is the containerd store's."""
    types = [entry["type"] for entry in caches(entries)]
    for kind in types:
        if kind != "inline":
            raise (
                absent(f"--cache-to=type={kind}")
                if containerd
                else not_supported("Cache export", "build-cache-backends")
            )
    return bool(types)


def check_contexts(contexts: list[str]) -> None:
    for context in filter(None, contexts):
        name, equals, _ = context.partition("=")
        if not equals:
            raise wrong(f"invalid context value: {context}, expected key=value")
        try:
            parse(name)
        except EngineError as error:
            raise wrong(f"invalid context name {name}: {error.message}") from None
        raise absent("--build-context")


def outputs(process: Process, texts: list[str], push: bool, load: bool, containerd: bool) -> tuple[Output, ...]:
    """--output, with what --push and --load add; without any of them it is an image."""
    found = [output for text in filter(None, texts) for output in _output(process, text, containerd)]
    if push and not any(output.push for output in found):
        found = [Output(push=True), *(each for each in found if each.type != "image")]
    if load and not any(output.type == "image" for output in found):
        found.append(Output())
    return tuple(found or ([] if any(texts) else [Output()]))


def _output(process: Process, text: str, containerd: bool) -> Iterator[Output]:
    plain = "," not in text and not text.startswith("type=")
    about = {"type": "tar" if text == "-" else "local", "dest": text} if plain else dict(fields(text))
    kind, dest = about.get("type", ""), about.get("dest", "")
    if not kind:
        raise wrong("type is required for output")
    if kind == "local":
        _check_folder(process.files, dest)
        yield Output("local", dest)
    elif kind == "tar":
        if dest not in ("", "-") and process.files.is_dir(dest):
            raise failed(f"destination file {dest} is a directory")
        yield Output("tar", dest, process.stdout if dest in ("", "-") else None)
    elif kind in ("image", "registry") or (kind == "docker" and not dest):
        yield Output(push=kind == "registry" or about.get("push") == "true")
    elif kind in ("docker", "oci"):
        name = "OCI exporter" if kind == "oci" else "Docker exporter"
        raise absent(f"--output=type={kind}") if containerd else not_supported(name, "build-exporters")
    elif kind != "cacheonly":
        raise failed(f"failed to solve: exporter {quote(kind)} could not be found")


def _check_folder(files: Files, dest: str) -> None:
    if dest in ("", "-"):
        raise failed("dest is required for local exporter" if not dest else "dest cannot be stdout for local exporter")
    if files.exists(dest) and not files.is_dir(dest):
        raise failed(f"destination directory {dest} is a file")


def secrets(process: Process, texts: list[str]) -> dict[str, bytes]:
    """--secret: by id, what a file or a variable of the client holds."""
    found: dict[str, bytes] = {}
    for text in filter(None, texts):
        about = {"type": "", "id": "", "src": "", "env": ""}
        for key, value in fields(text, "invalid field '{}' must be a key=value pair"):
            key = "src" if key == "source" else key
            if key not in about:
                raise wrong(f"unexpected key '{key}' in '{key}={value}'")
            about[key] = value
        if about["type"] not in ("", "file", "env"):
            raise wrong(f"unsupported secret type {quote(about['type'])}")
        found[about["id"]] = _secret(process, **about)
    return found


def _secret(process: Process, type: str, id: str, src: str, env: str) -> bytes:
    """Its content (session/secrets/secretsprovider/store.go)."""
    if not id:
        raise failed("secret missing ID")
    if type == "env" and not env:
        env, src = src, ""
    if not env and not src:
        env, src = (id, "") if id in process.env else ("", id)
    if not src:
        return process.env.get(env, "").encode()
    try:
        data = process.files.read(src)
    except OSError as error:
        raise failed(f"failed to stat {src}: stat {src}: {(error.strerror or '').lower()}") from None
    if len(data) > _MOST_SECRET:
        raise failed(f"secret {id} too big. max size 500KiB")
    return data


def check_ssh(process: Process, texts: list[str]) -> None:
    """--ssh: nobody runs an agent here (session/sshforward/sshprovider)."""
    for text in filter(None, texts):
        name, _, path = text.partition("=")
        if path or process.env.get("SSH_AUTH_SOCK"):
            raise absent("--ssh with a key or a socket")
        raise failed(
            f"failed to convert agent config {{{name} [] false}}: invalid empty ssh agent socket: "
            "make sure SSH_AUTH_SOCK is set"
        )


_LIMITS = ("memory", "memory-swap", "cpu-shares", "cpu-period", "cpu-quota", "cpuset-cpus", "cpuset-mems")


def check_resources(resources: list[str]) -> None:
    """--resource: a limit that no simulated process comes to."""
    for resource in resources:
        key, equals, value = (part.strip() for part in resource.partition("="))
        if not equals:
            raise failed(f"invalid resource {quote(resource)}, expected key=value")
        if key not in _LIMITS:
            raise failed(f"unknown resource {quote(key)}")
        try:
            if key.startswith("memory") and value != "-1":
                ram_in_bytes(value)
            elif key.startswith("cpu-") and not re.fullmatch(r"[+-]?\d+", value):
                raise SizeInvalid(f"strconv.ParseInt: parsing {quote(value)}: invalid syntax")
        except SizeInvalid as error:
            raise failed(f"invalid value {quote(value)} for resource {key}: {error}") from None


def hosts(texts: list[str]) -> tuple[tuple[str, str], ...]:
    """--add-host: names and addresses."""
    found = []
    for text in texts:
        name, sign, addresses = text.partition("=") if "=" in text else text.partition(":")
        if not (sign and name and addresses):
            raise failed(f"invalid host {text}")
        for address in ("172.17.0.1" if addresses == "host-gateway" else addresses).split(","):
            try:
                found.append((name, str(ip_address(address.strip("[]")))))
            except ValueError:
                raise failed(f"invalid host {text}") from None
    return tuple(found)


_ENTITLEMENTS = ("network.host", "security.insecure", "device")


def check_allowed(texts: list[str]) -> None:
    """--allow: the daemon's configuration grants network.host and no more (moby, builder-next/builder.go)."""
    for text in filter(None, texts):
        name = text.partition("=")[0]
        if name == "buildx.local.delete":
            if "=" in text:
                raise failed(f"{name} does not accept a value")
        elif name not in _ENTITLEMENTS or (name != "device" and "=" in text):
            raise failed(f"unknown entitlement {text}")
        elif name != "network.host":
            said = f"granting entitlement {name} is not allowed by build daemon configuration"
            raise failed(f"failed to solve: {said}")


_ANNOTATED = ("index", "index-descriptor", "manifest", "manifest-descriptor")


def check_annotations(texts: list[str], containerd: bool) -> None:
    """--annotation: a manifest has them, and the images of a storage driver have no manifest."""
    for text in filter(None, texts):
        key, equals, _ = text.partition("=")
        if not equals:
            raise failed(f"parse annotations: invalid annotation {quote(text)}, expected key=value")
        for each in key.partition(":")[0].split(",") if ":" in key else ():
            match = re.fullmatch(r"([a-z-]+)(?:\[([A-Za-z0-9_/-]+)\])?", each)
            if not match:
                said = "expected type and optional platform in square brackets"
                raise failed(f"parse annotations: invalid annotation type {quote(each)}, {said}")
            if match[1] not in _ANNOTATED:
                raise failed(f"parse annotations: unknown annotation type {quote(match[1])}")
            if match[1].startswith("index") and not containerd:
                raise failed("index annotations not supported for single platform export")


_OURS = ("local", "linux", "amd64", "x86_64", "linux/amd64", "linux/x86_64")


def platform_fault(name: str) -> str:
    """What is wrong with a platform's name (containerd/platforms, platforms.go)."""
    parts = name.split("/")
    for part in parts:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", part):
            return (
                f"{quote(part)} is an invalid component of {quote(name)}: platform specifier component must match "
                '"^[A-Za-z0-9_.-]+$": invalid argument'
            )
    if len(parts) == 1 and name not in _ALONE:
        return f"{quote(name)}: unknown operating system or architecture: invalid argument"
    return ""


_ALONE = ("local", "linux", "amd64", "x86_64", "arm64", "aarch64", "windows", "darwin")


def check_platforms(texts: list[str], containerd: bool) -> None:
    """--platform: the images of the simulated registry are linux/amd64 (containerd/platforms, platforms.go)."""
    names = [name for text in texts for name in text.split(",")]
    for name in names:
        if said := platform_fault(name):
            raise failed(said)
    if len(names) > 1 and not containerd:
        raise not_supported("Multi-platform build", "build-multi-platform")
    for name in names:
        if name not in _OURS:
            raise absent(f"--platform={name}")


def network(mode: str) -> str:
    if mode not in ("", "default", "none", "host"):
        raise failed(
            f"network mode {quote(mode)} not supported by buildkit - you can define a custom network for your builder "
            "using the network driver-opt in buildx create"
        )
    return mode or "default"
