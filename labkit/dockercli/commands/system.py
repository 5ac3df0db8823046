"""system df, system prune, info, version (docker/cli cli/command/system)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from labkit.dockercli import rows
from labkit.dockercli.commands import Invocation
from labkit.dockercli.commands.images import pruned_lines
from labkit.dockercli.flags import StatusError
from labkit.dockercli.gotext import GoValue, TableRow, to_json
from labkit.dockercli.rows import PAIRS, align, render
from labkit.kernel.golang import Json, JsonObject, at, bytes_size, human_size, items, members, number, text, texts

from ..template import Template, TemplateError

# df

KINDS = (
    ("Images", "ImageUsage"),
    ("Containers", "ContainerUsage"),
    ("Local Volumes", "VolumeUsage"),
    ("Build Cache", "BuildCacheUsage"),
)


def df(run: Invocation) -> int:
    usage = run.engine.disk_usage()
    form = run.options.text("format") or "table"
    if run.options.on("verbose"):
        return _verbose(run, usage, form)
    shown = [_usage_row(kind, members(usage, key)) for kind, key in KINDS]
    run.process.stdout.write(render(rows.DF_TABLE if form == "table" else form, shown, rows.DF_HEADERS))
    return 0


def _usage_row(kind: str, part: JsonObject) -> TableRow:
    numbers = (number(part, name) for name in ("TotalCount", "ActiveCount", "TotalSize", "Reclaimable"))
    return rows.df_row(kind, *numbers, percent=kind != "Build Cache")


def _verbose(run: Invocation, usage: JsonObject, form: str) -> int:
    cut = form.startswith("table")
    images = [rows.image_rows(_first_tag(image), run.now, cut=cut)[0] for image in _items(usage, "ImageUsage")]
    containers = [
        rows.container_row(item | {"SizeRootFs": 0}, run.now, cut=cut) for item in _items(usage, "ContainerUsage")
    ]
    volumes = [rows.volume_row(volume) for volume in _items(usage, "VolumeUsage")]
    caches = [rows.cache_row(record, run.now, cut=cut) for record in _sorted_cache(_items(usage, "BuildCacheUsage"))]
    if form == "table":
        size = human_size(number(usage, "BuildCacheUsage", "TotalSize"))
        run.process.stdout.write(
            "Images space usage:\n\n"
            + render(rows.DF_IMAGES, images, rows.IMAGE_HEADERS)
            + "\nContainers space usage:\n\n"
            + render(rows.DF_CONTAINERS, containers, rows.CONTAINER_HEADERS)
            + "\nLocal Volumes space usage:\n\n"
            + render(rows.DF_VOLUMES, volumes, rows.VOLUME_HEADERS)
            + f"\nBuild cache usage: {size}\n\n"
            + render(rows.DF_CACHE, caches, rows.CACHE_HEADERS)
        )
        return 0
    parts = {"Images": images, "Containers": containers, "Volumes": volumes, "BuildCache": caches}
    shown = {name: partial(list[GoValue], part) for name, part in parts.items()}
    context = TableRow("*formatter.diskUsageContext", shown)
    run.process.stdout.write(rendered("{{json .}}" if form == "json" else form, context))
    return 0


def _items(usage: JsonObject, key: str) -> list[JsonObject]:
    return [item for item in items(usage, key, "Items") if isinstance(item, dict)]


def _first_tag(image: JsonObject) -> JsonObject:
    return image | {"RepoTags": items(image, "RepoTags")[:1], "RepoDigests": []}


def _sorted_cache(records: list[JsonObject]) -> list[JsonObject]:
    """Least recently used first; those never used before all (formatter/buildcache.go)."""
    return sorted(records, key=lambda record: (number(record, "LastUsedAt") or -1, text(record, "ID")))


def rendered(form: str, data: GoValue, name: str = "") -> str:
    try:
        return Template(form, name=name).render(data)
    except TemplateError as error:
        raise StatusError(f"template parsing error: {error}", 64) from None


# prune


def _warning(run: Invocation, filters: dict[str, list[str]]) -> str:
    everything = run.options.on("all")
    warnings = ["all stopped containers", "all networks not used by at least one container"]
    if run.options.on("volumes"):
        warnings.append("all anonymous volumes not used by at least one container")
    warnings.append(
        "all images without at least one container associated to them" if everything else "all dangling images"
    )
    warnings.append("all build cache" if everything else "unused build cache")
    text = "WARNING! This will remove:" + "".join(f"\n  - {warning}" for warning in warnings) + "\n"
    kept = sorted(f"{name}={value}" for name in ("label", "label!", "until") for value in filters.get(name, ()))
    if kept:
        text += "\n  Items to be pruned will be filtered with:" + "".join(f"\n  - {each}" for each in kept) + "\n"
    return text + "\nAre you sure you want to continue?"


def prune(run: Invocation) -> int:
    filters = run.options.filters()
    everything = run.options.on("all")
    if run.options.on("volumes") and "until" in filters:
        raise StatusError('ERROR: The "until" filter is not supported with "--volumes"')
    if not run.options.on("force") and not run.confirmed(_warning(run, filters)):
        return 0
    total = 0
    containers, space = run.engine.prune_containers(filters=filters)
    total += _pruned(run, "Deleted Containers:", containers, space)
    _pruned(run, "Deleted Networks:", run.engine.prune_networks(filters), 0)
    if run.options.on("volumes"):
        volumes, space = run.engine.prune_volumes(all=False, filters=filters)
        total += _pruned(run, "Deleted Volumes:", volumes, space)
    dangling = {"dangling": ["false" if everything else "true"]}
    images, space = run.engine.prune_images(all=everything, filters=filters | dangling)
    total += _pruned(run, "Deleted Images:", pruned_lines(images), space)
    caches, space = run.engine.prune_build_cache(all=everything, filters=filters)
    total += _pruned(run, "Deleted build cache objects:", [text(record, "ID") for record in caches], space)
    run.out(f"Total reclaimed space: {human_size(total)}")
    return 0


def _pruned(run: Invocation, title: str, gone: list[str], space: int) -> int:
    if not gone:
        return 0
    run.out("\n".join([title, *gone, ""]))
    return space


# version


VERSION = """{{with .Client -}}
Client:{{if ne .Platform.Name ""}} {{.Platform.Name}}{{end}}
 Version:\t{{.Version}}
 API version:\t{{.ApiVersion}}
 Go version:\t{{.GoVersion}}
 Git commit:\t{{.GitCommit}}
 Built:\t{{.BuildTime}}
 OS/Arch:\t{{.Os}}/{{.Arch}}
 Context:\t{{.Context}}
{{- end}}

Server:{{if ne .Server.Platform.Name ""}} {{.Server.Platform.Name}}{{end}}
"""


def version(run: Invocation) -> int:
    found = run.engine.version()
    form = run.options.text("format")
    if form:
        text = rendered("{{json .}}" if form == "json" else form, found, "version") + "\n"
        run.process.stdout.write(align(text, PAIRS))
        return 0
    text = rendered(VERSION, found, "version") + "".join(
        _component(part) for part in items(found, "Server", "Components")
    )
    run.process.stdout.write(align(text, PAIRS))
    return 0


def client_version(run: Invocation) -> str:
    """What there is to show without a daemon."""
    found = {"Client": run.engine.version()["Client"], "Server": None}
    form = run.options.text("format")
    if form == "json":
        return to_json(found) + "\n"
    return "" if form else align(rendered(VERSION.partition("\n\nServer")[0] + "\n", found, "version"), PAIRS)


# What is shown of the engine's own entry: title, key of its details.
ENGINE_LINES = (
    ("Go version", "GoVersion"),
    ("Git commit", "GitCommit"),
    ("Built", "BuildTime"),
)


def _component(part: Json) -> str:
    name, details = text(part, "Name"), {key: text(part, "Details", key) for key in members(part, "Details")}
    head = f" {name}:\n  Version:\t{text(part, 'Version')}\n"
    if name != "Engine":
        return head + "".join(f"  {key}:\t{details[key]}\n" for key in sorted(details))
    head += f"  API version:\t{details['ApiVersion']} (minimum version {details['MinAPIVersion']})\n"
    head += "".join(f"  {title}:\t{details[key]}\n" for title, key in ENGINE_LINES)
    return head + f"  OS/Arch:\t{details['Os']}/{details['Arch']}\n  Experimental:\t{details['Experimental']}\n"


# info


def info(run: Invocation) -> int:
    found = run.engine.info()
    form = run.options.text("format")
    if form:
        run.out(to_json(found) if form == "json" else rendered(form, found))
        return 0
    lines = [*_client_lines(run), "", "Server:", *_server_lines(found), ""]
    run.process.stdout.write("\n".join(lines) + "\n")
    for warning in texts(found, "Warnings"):
        run.err(warning)
    return 0


def client_info(run: Invocation) -> str:
    """What there is to show without a daemon."""
    return "" if run.options.text("format") else "\n".join([*_client_lines(run), "", "Server:", ""])


def _client_lines(run: Invocation) -> list[str]:
    client = run.engine.version()["Client"]
    about = [f" {key + ':':<11} {text(client, key)}" for key in ("Version", "Context")]
    plugins = [line for plugin in items(client, "Plugins") for line in _plugin_lines(plugin)]
    return ["Client:", *about, " Debug Mode: false", *([" Plugins:", *plugins] if plugins else [])]


def _plugin_lines(plugin: Json) -> list[str]:
    name, says, vendor, version, path = (
        text(plugin, key) for key in ("Name", "ShortDescription", "Vendor", "Version", "Path")
    )
    return [f"  {name}: {says} ({vendor})", f"    Version:  {version}", f"    Path:     {path}"]


# Title, key of the daemon's answer, how the value is shown; left out where it is empty and `needed` is False.
INFO = (
    (" Containers", "Containers", True),
    ("  Running", "ContainersRunning", True),
    ("  Paused", "ContainersPaused", True),
    ("  Stopped", "ContainersStopped", True),
    (" Images", "Images", True),
    (" Server Version", "ServerVersion", False),
    (" Storage Driver", "Driver", False),
    ("DriverStatus", "", True),
    (" Logging Driver", "LoggingDriver", False),
    (" Cgroup Driver", "CgroupDriver", False),
    (" Cgroup Version", "CgroupVersion", False),
    ("Plugins", "", True),
    ("CDI", "", True),
    ("Swarm", "", True),
    ("Runtimes", "", True),
    (" Init Binary", "InitBinary", True),
    ("Commits", "", True),
    ("Security", "", True),
    (" Kernel Version", "KernelVersion", False),
    (" Operating System", "OperatingSystem", False),
    (" OSType", "OSType", False),
    (" Architecture", "Architecture", False),
    (" CPUs", "NCPU", True),
    ("Memory", "", True),
    (" Name", "Name", False),
    (" ID", "ID", False),
    (" Docker Root Dir", "DockerRootDir", True),
    (" Debug Mode", "Debug", True),
    (" Experimental", "ExperimentalBuild", True),
    ("Registries", "", True),
    (" Live Restore Enabled", "LiveRestoreEnabled", True),
    ("Firewall", "", True),
)


def _server_lines(found: JsonObject) -> list[str]:
    lines: list[str] = []
    for title, key, needed in INFO:
        if not key:
            lines += _GROUPS[title](found)
        elif needed or found.get(key):
            value = found.get(key)
            shown = str(value).lower() if isinstance(value, bool) else "" if value is None else value
            lines.append(f"{title}: {shown}")
    return lines


def _plugins(found: JsonObject) -> list[str]:
    names = {kind: " ".join(texts(found, "Plugins", kind)) for kind in ("Volume", "Network", "Log")}
    return [" Plugins:", *(f"  {kind}: {shown}" for kind, shown in names.items())]


def _runtimes(found: JsonObject) -> list[str]:
    names = " ".join(members(found, "Runtimes"))
    return [f" Runtimes: {names}", f" Default Runtime: {text(found, 'DefaultRuntime')}"] if names else []


def _commits(found: JsonObject) -> list[str]:
    titles = (("containerd", "ContainerdCommit"), ("runc", "RuncCommit"), ("init", "InitCommit"))
    return [f" {title} version: {text(found, key, 'ID')}" for title, key in titles]


def _security(found: JsonObject) -> list[str]:
    """name=seccomp,profile=builtin as two lines."""
    lines = []
    for option in texts(found, "SecurityOptions"):
        for field in option.split(","):
            name, _, value = field.partition("=")
            lines += {"name": [f"  {value}"], "profile": [f"   Profile: {value}"]}.get(name, [])
    return [" Security Options:", *lines] if lines else []


def _registries(found: JsonObject) -> list[str]:
    indexes = members(found, "RegistryConfig", "IndexConfigs")
    names = [name for name, index in indexes.items() if not at(index, "Secure")]
    nets = [*names, *texts(found, "RegistryConfig", "InsecureRegistryCIDRs")]
    return [" Insecure Registries:", *(f"  {net}" for net in nets)] if nets else []


def _cdi(found: JsonObject) -> list[str]:
    folders = texts(found, "CDISpecDirs")
    return [" CDI spec directories:", *(f"  {folder}" for folder in folders)] if folders else []


def _firewall(found: JsonObject) -> list[str]:
    backend = text(found, "FirewallBackend", "Driver")
    return [f" Firewall Backend: {backend}"] if backend else []


def _driver_status(found: JsonObject) -> list[str]:
    pairs = (pair for pair in items(found, "DriverStatus") if isinstance(pair, list))
    return [f"  {name}: {value}" for name, value in pairs]


_GROUPS: dict[str, Callable[[JsonObject], list[str]]] = {
    "CDI": _cdi,
    "Firewall": _firewall,
    "DriverStatus": _driver_status,
    "Plugins": _plugins,
    "Swarm": lambda found: [f" Swarm: {text(found, 'Swarm', 'LocalNodeState') or 'inactive'}"],
    "Runtimes": _runtimes,
    "Commits": _commits,
    "Security": _security,
    "Memory": lambda found: [f" Total Memory: {bytes_size(number(found, 'MemTotal'))}"],
    "Registries": _registries,
}
