"""docker create, and what goes again with a container: its configuration, name, layer, mounts and folder.

Order and messages: moby, daemon/create.go, delete.go, container/container.go (the folder below
/var/lib/docker/containers); what wins where image and caller both say something: internal/runconfig/merge.go. What a
host configuration must not say, in the order in which the daemon looks: daemon/container.go (validateHostConfig,
validateCapabilities), daemon_unix.go (verifyPlatformContainerSettings), runtime_unix.go, logger/factory.go. What a
storage driver says to --storage-opt: daemon/graphdriver (overlay2, btrfs, zfs, vfs, fuse-overlayfs; at v20.10 overlay,
aufs and devmapper); snapshotters of containerd on Linux take any and do nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from labkit.drivers.base import Driver
from labkit.drivers.devicemapper import Devicemapper
from labkit.engine.containers import networks
from labkit.engine.containers.sandbox import CPUS
from labkit.engine.core import names
from labkit.engine.core.core import ROOT, ContainerCreated, ContainerRemoved, Core, Maker, find, image_root
from labkit.engine.core.errors import EngineError, conflict, invalid, system
from labkit.engine.core.records import Container, Image
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.engine.mounts import mounts, volumes
from labkit.engine.mounts.mounts import Prepared
from labkit.files import Files
from labkit.kernel.golang import Json, JsonObject, SizeInvalid, human_size, members, number, ram_in_bytes, text, texts
from labkit.kernel.process import NUMBERS

_LEAST = 6 << 20  # bytes of memory
_SHORTEST = 1_000_000  # ns of a health check's times
_CAPABILITIES = frozenset(
    "ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH "
    "FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN "
    "NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT "
    "SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM".split()
)
_LOGS = frozenset("none awslogs fluentd gcplogs gelf journald json-file local splunk syslog".split())
_JSON_LOG_OPTIONS = frozenset(
    "max-file max-size compress labels labels-regex env env-regex tag mode max-buffer-size".split()
)
_RUNTIMES = ("", "runc", "io.containerd.runc.v2")


def check(host: JsonObject) -> None:
    """Raises EngineError with the first thing that is wrong."""
    isolation = text(host, "Isolation")
    if isolation not in ("", "default"):
        raise invalid(f"invalid isolation ({isolation}): linux only supports 'default'")
    for faults in (_capabilities, _resources, _namespaces, _runtime, _logs):
        for said in faults(host):
            raise invalid(said)


def _capabilities(host: JsonObject) -> Iterator[str]:
    for key in ("CapAdd", "CapDrop"):
        for name in texts(host, key):
            bare = name.upper().removeprefix("CAP_")
            if bare not in _CAPABILITIES:
                yield f'invalid {key}: unknown capability: "CAP_{bare}"'


def check_limits(changes: JsonObject) -> None:
    """What may be changed of a container that is there; its memory need not be among it (verifyContainerSettings)."""
    memory = number(changes, "Memory") or number(changes, "MemorySwap")
    for said in _resources({**changes, "Memory": memory}):
        raise invalid(said)
    _check_restart(members(changes, "RestartPolicy"))


def _resources(host: JsonObject) -> Iterator[str]:
    memory, swap, reserved = (number(host, key) for key in ("Memory", "MemorySwap", "MemoryReservation"))
    cpus, period, quota = (number(host, key) for key in ("NanoCpus", "CpuPeriod", "CpuQuota"))
    wrong: tuple[tuple[bool, str], ...] = (
        (0 != memory < _LEAST, "Minimum memory limit allowed is 6MB"),
        (0 < swap < memory, "Minimum memoryswap limit should be larger than memory limit, see usage"),
        (
            memory == 0 < swap,
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ),
        (0 < reserved < _LEAST, "Minimum memory reservation allowed is 6MB"),
        (0 < memory < reserved, "Minimum memory limit can not be less than memory reservation limit, see usage"),
        (cpus > 0 < period, "Conflicting options: Nano CPUs and CPU Period cannot both be set"),
        (cpus > 0 < quota, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"),
        (
            not 0 <= cpus <= CPUS * 10**9,
            f"range of CPUs is from 0.01 to {CPUS}.00, as there are only {CPUS} CPUs available",
        ),
        (
            period != 0 and not 1000 <= period <= 1_000_000,
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ),
        (0 != quota < 1000 and quota > 0, "CPU cfs quota can not be less than 1ms (i.e. 1000)"),
    )
    yield from (said for is_wrong, said in wrong if is_wrong)
    yield from _processors(text(host, "CpusetCpus"))


def _processors(asked: str) -> Iterator[str]:
    """--cpuset-cpus (moby, pkg/parsers, ParseUintList)."""
    ranges = [part.partition("-") for part in asked.split(",") if asked]
    if any(not first.isdigit() or (dash and not last.isdigit()) for first, dash, last in ranges):
        yield f"Invalid value {asked} for cpuset cpus: invalid format: {asked}"
    elif any(int(last or first) >= CPUS for first, _, last in ranges):
        yield f"Requested CPUs are not available - requested {asked}, available: 0-{CPUS - 1}"


def _namespaces(host: JsonObject) -> Iterator[str]:
    mode, score = text(host, "IpcMode"), number(host, "OomScoreAdj")
    if mode not in ("", "none", "private", "shareable", "host") and not mode.startswith("container:"):
        yield f"invalid IPC mode: {mode}"
    if not -1000 <= score <= 1000:
        yield f"Invalid value {score}, range for oom score adj is [-1000, 1000]"


def _runtime(host: JsonObject) -> Iterator[str]:
    name = text(host, "Runtime")
    if name not in _RUNTIMES:
        yield f"unknown or invalid runtime name: {name}"


def _logs(host: JsonObject) -> Iterator[str]:
    config = host.get("LogConfig")
    name = text(config, "Type") or "json-file"
    if name not in _LOGS:
        yield f'error looking up logging plugin {name}: plugin "{name}" not found'
    options = config.get("Config") if isinstance(config, dict) else None
    for key in options if name == "json-file" and isinstance(options, dict) else ():
        if key not in _JSON_LOG_OPTIONS:
            yield f"unknown log opt '{key}' for json-file log driver"


_RESOLV_CONF = """# Generated by Docker Engine.
# This file can be edited; Docker Engine will not make further changes once it
# has been modified.

nameserver 10.0.2.3

# Based on host file: '/etc/resolv.conf' (legacy)
# Overrides: []
"""


_HOSTS = """127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


_RESOLV_HASH = f"sha256:{sha256(_RESOLV_CONF.encode()).hexdigest()}"


def make_container_folder(core: Core, container: Container) -> None:
    maker = Maker(core, f"{ROOT}/containers")
    folder = maker.folder(container.id, 0o710)
    maker.folder("checkpoints", 0o700, folder)
    maker.generated(folder, "config.v2.json", "config", container.id, mode=0o600)
    maker.generated(folder, "hostconfig.json", "hostconfig", container.id, mode=0o600)
    maker = Maker(core, f"{image_root(core)}/layerdb/mounts")
    folder = maker.folder(container.id, 0o755)
    for name in ("init-id", "mount-id", *(("parent",) if core.tables.mounts[container.id].parent else ())):
        maker.generated(folder, name, "mount", name, container.id)


def remove_container_folder(core: Core, container: Container) -> None:
    Maker(core, f"{ROOT}/containers").remove(container.id)
    Maker(core, f"{image_root(core)}/layerdb/mounts").remove(container.id)


def write_network_files(core: Core, container: Container) -> None:
    """hostname, hosts and resolv.conf, which every start writes anew, and the log where there is none."""
    maker = Maker(core, container.folder)
    there = maker.store.names(maker.top)
    if "mounts" not in there:
        maker.folder("mounts", 0o710)
        maker.text(maker.top, f"{container.id}-json.log", "", 0o640)
    hosts = _HOSTS + (f"{container.address}\t{container.hostname}\n" if container.address else "")
    for name, written in (
        ("hostname", f"{container.hostname}\n"),
        ("hosts", hosts),
        ("resolv.conf", _RESOLV_CONF),
        ("resolv.conf.hash", _RESOLV_HASH),
    ):
        maker.remove(name)
        maker.text(maker.top, name, written)


def network_mounts(core: Core, container: Container) -> list[Prepared]:
    """The three of those files that are mounted at /etc."""
    readonly = bool(container.host("ReadonlyRootfs"))
    found = []
    for name in ("resolv.conf", "hostname", "hosts"):
        path = f"{container.folder}/{name}"
        found.append(Prepared(f"/etc/{name}", path, core.host.source(path), False, readonly, path=path))
    return found


def wanted_size(driver: Driver, options: JsonObject) -> int:
    """Bytes that the container's file system is to have; 0: as many as any other. Raises EngineError."""
    if not options or driver.by_container:
        return 0
    says = driver.storage_opts
    lower = {name.lower(): str(value) for name, value in options.items()}
    if says.refused:
        raise system(says.refused)
    if "size" not in lower and not says.needs_size:
        return 0
    for name in lower:
        if name != "size":
            raise system(says.unknown.format(name))
    try:
        size = ram_in_bytes(lower["size"])
    except SizeInvalid as error:
        raise system(says.no_size or str(error)) from None
    if size == 0 and not says.needs_size:
        raise system(f"{driver.name}: invalid storage size: 0B")
    if says.size:
        raise system(says.size)
    if isinstance(driver, Devicemapper) and 0 < size < driver.base_size:
        raise system(f"devmapper: Container size cannot be smaller than {human_size(driver.base_size)}")
    return size


def grow(driver: Driver, layer: str, size: int) -> None:
    """Give a container's own layer the size that it wants."""
    if size and isinstance(driver, Devicemapper):
        driver.grow(layer, size)


def _remove_volumes(core: Core, container: Container) -> None:
    for point in container.mounts:
        if point.type == "volume" and not point.named:
            try:
                volumes.remove(core, point.name, force=True)
            except EngineError:
                continue  # another container uses it


def discard(core: Core, container: Container, *, volumes_too: bool) -> None:
    """Take away a container without a process; `volumes_too`: with the anonymous volumes that nothing else uses."""
    core.tables.containers.delete(container.id)
    core.tables.names.delete(container.name)
    LayerStore(core).remove_writable(container.id)
    remove_container_folder(core, container)
    networks.leave(core, container, gone=True)
    core.events.append(ContainerRemoved(container.id, container.name))
    if volumes_too:
        _remove_volumes(core, container)


_INHERITED = ("User", "WorkingDir", "StopSignal", "Healthcheck", "Shell", "OnBuild", "ArgsEscaped")


def create(core: Core, body: JsonObject, name: str = "") -> tuple[str, list[str]]:
    """POST /containers/create: the id, and warnings."""
    _check_config(body)
    host_config = dict(members(body, "HostConfig"))
    mounts.check(core, host_config)
    _check_restart(members(host_config, "RestartPolicy"))
    check(host_config)
    _check_shared_network(body, host_config)
    _check_addresses(members(body, "NetworkingConfig"))
    image = ImageStore(core).find(text(body, "Image"))
    config = merge(body, image.run_config)
    _check_links(core, host_config)
    if not config.get("Cmd") and not config.get("Entrypoint"):
        raise invalid("no command specified")
    size = wanted_size(core.driver, members(host_config, "StorageOpt"))
    identifier = core.ids.new("container")
    container = Container(
        identifier, _reserve(core, identifier, name), core.ids.number("containers"), core.now(), image.id,
        config, host_config,
    )  # fmt: skip
    core.tables.names.set(container.name, identifier)
    try:
        writable = LayerStore(core).create_writable(identifier, image.chain)
    except EngineError:
        core.tables.names.delete(container.name)
        raise
    grow(core.driver, writable.mount_id, size)
    try:
        container = _furnish(core, container, image)
    except EngineError:
        LayerStore(core).remove_writable(identifier)
        core.tables.names.delete(container.name)
        if identifier in core.tables.containers:
            core.tables.containers.delete(identifier)
        raise
    make_container_folder(core, container)
    core.events.append(ContainerCreated(identifier, container.name, image.id, text(config, "Image") or image.id))
    for network, endpoint in members(body, "NetworkingConfig", "EndpointsConfig").items():
        if networks.exists(core, network) and network not in networks.PREDEFINED:
            networks.place(core, networks.look_up(core, network), container, members(endpoint))
    return identifier, []


def _check_config(body: JsonObject) -> None:
    """Before the daemon looks at anything else (moby, daemon/container.go validateContainerConfig)."""
    workdir = text(body, "WorkingDir")
    if workdir and not workdir.startswith("/"):
        raise invalid(f"the working directory '{workdir}' is invalid, it needs to be an absolute path")
    for key in ("Interval", "Timeout", "StartPeriod", "StartInterval"):
        if 0 < number(body, "Healthcheck", key) < _SHORTEST:
            raise invalid(f"{key} in Healthcheck cannot be less than 1ms")
    signal = text(body, "StopSignal")
    if signal and not (int(signal) if signal.isdigit() else signal.upper().removeprefix("SIG") in NUMBERS):
        raise invalid(f"invalid signal: {signal}")


_POLICIES = ("no", "always", "on-failure", "unless-stopped")


def _check_restart(policy: JsonObject) -> None:
    """moby, api/types/container/hostconfig.go ValidateRestartPolicy."""
    name, count = text(policy, "Name"), number(policy, "MaximumRetryCount")
    if name and name not in _POLICIES:
        choices = "'no', 'always', 'on-failure', or 'unless-stopped'"
        raise invalid(f"invalid restart policy: unknown policy '{name}'; use one of {choices}")
    if name == "on-failure" and count < 0:
        raise invalid("invalid restart policy: maximum retry count cannot be negative")
    if name not in ("", "on-failure") and count:
        more = " and cannot be negative" if count < 0 else ""
        raise invalid(f"invalid restart policy: maximum retry count can only be used with 'on-failure'{more}")


# What a container can't have that shares another's network (moby, daemon/internal/runconfig/hostconfig.go).
_NOT_SHARED = (
    ("Hostname", "hostname and the network mode"),
    ("Links", "container type network can't be used with links. This would result in undefined behavior"),
    ("Dns", "dns and the network mode"),
    ("ExtraHosts", "custom host-to-IP mapping and the network mode"),
    ("PortBindings", "port publishing and the container type network mode"),
    ("PublishAllPorts", "port publishing and the container type network mode"),
    ("ExposedPorts", "port exposing and the container type network mode"),
)


def _check_shared_network(body: JsonObject, host_config: JsonObject) -> None:
    mode = text(host_config, "NetworkMode")
    if mode == "container" or not mode.startswith("container:"):
        return
    if mode == "container:":
        raise invalid("invalid network mode: invalid container format container:<name|id>")
    for key, said in _NOT_SHARED:
        if body.get(key) or host_config.get(key):
            raise invalid(f"conflicting options: {said}")


def _check_links(core: Core, host_config: JsonObject) -> None:
    """moby, daemon/daemon_unix.go registerLinks."""
    for link in texts(host_config, "Links"):
        name = link.partition(":")[0]
        try:
            find(core, name)
        except EngineError as error:
            raise invalid(f"could not get container for {name}: {error}") from None


def _check_addresses(networking: JsonObject) -> None:
    """moby, daemon/create.go and container_operations.go validateEndpointSettings; unverified."""
    for network, endpoint in members(networking, "EndpointsConfig").items():
        if network in ("default", "bridge", "host", "none") and members(endpoint, "IPAMConfig"):
            name = "bridge" if network == "default" else network
            raise invalid(
                f"invalid config for network {name}: invalid endpoint settings:\n"
                "user-specified IP address is supported on user-defined networks only"
            )


def _furnish(core: Core, container: Container, image: Image) -> Container:
    """Mounts and the working directory; what is made in the root is made in the container's own layer."""
    container = replace(container, mounts=mounts.points(core, container))
    workdir = text(container.config, "WorkingDir")
    needs_root = bool(workdir) or bool(container.mounts) or bool(container.config.get("Volumes"))
    if needs_root:
        mount_id = core.tables.mounts[container.id].mount_id
        root = core.view(core.driver.mount(mount_id))
        try:
            if workdir:
                _make_workdir(root, workdir)
            container = _with_image_volumes(core, container, root)
            mounts.populate(core, container, root)
        finally:
            core.driver.unmount(mount_id)
    core.tables.containers.set(container.id, container)
    return container


def _with_image_volumes(core: Core, container: Container, root: Files) -> Container:
    for target in members(container.config, "Volumes"):
        path = mounts.absolute(target)
        if not container.mount_at(target) and root.exists(path) and not root.is_dir(path):
            raise invalid(f"cannot mount volume over existing file, file exists {path}")
    return replace(container, mounts=mounts.image_volumes(core, container))


def _make_workdir(root: Files, workdir: str) -> None:
    try:
        root.makedirs(workdir)
    except OSError as error:
        raise invalid(
            f"Cannot mkdir: {workdir} is not a directory" if root.exists(workdir) and not root.is_dir(workdir)
            else f"mkdir {workdir}: {(error.strerror or '').lower()}"
        ) from None  # fmt: skip


def _reserve(core: Core, identifier: str, name: str) -> str:
    """The name without its slash, free for this container."""
    if not name:
        return names.generate(identifier, core.tables.names)
    names.check(name)
    bare = name.removeprefix("/")
    refuse_taken(core, bare)
    return bare


def refuse_taken(core: Core, name: str) -> None:
    if holder := core.tables.names.get(name):
        raise conflict(
            f'Conflict. The container name "/{name}" is already in use by container "{holder}". You have to remove '
            "(or rename) that container to be able to reuse that name."
        )


def merge(asked: JsonObject, image: JsonObject) -> JsonObject:
    """What was asked for, on what the image says."""
    config = {key: value for key, value in asked.items() if key not in ("HostConfig", "NetworkingConfig")}
    for key in _INHERITED:
        if not config.get(key) and image.get(key):
            config[key] = image[key]
    if not config.get("Entrypoint"):
        config["Cmd"] = config.get("Cmd") or image.get("Cmd")
    if config.get("Entrypoint") is None:
        config["Entrypoint"] = image.get("Entrypoint")
    if config["Entrypoint"] == [""]:  # --entrypoint "" takes the image's away
        config["Entrypoint"] = None
    config["Env"] = list[Json](merge_env(texts(config, "Env"), texts(image, "Env")))
    for key in ("Labels", "Volumes", "ExposedPorts"):
        both = {**members(image, key), **members(config, key)}
        config[key] = dict(sorted(both.items())) or None
    return config


def merge_env(asked: Sequence[str], image: Sequence[str]) -> list[str]:
    """The asked variables first, then those of the image that were not asked for; the order of an inspect."""
    taken = {each.partition("=")[0] for each in asked}
    return [*(each for each in asked if "=" in each), *(each for each in image if each.partition("=")[0] not in taken)]
