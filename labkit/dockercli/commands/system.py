"""system df, system prune, info, version (docker/cli cli/command/system)."""

from __future__ import annotations

from typing import Any

from .. import rows
from ..errors import StatusError
from ..formatter import render
from ..gotext import Row, to_json
from ..invocation import Invocation
from ..table import PAIRS, align
from ..template import Template, TemplateError
from ..units import bytes_size, human_size
from .images import pruned_lines

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
    shown = [_usage_row(kind, usage[key]) for kind, key in KINDS]
    run.process.stdout.write(render(rows.DF_TABLE if form == "table" else form, shown, rows.DF_HEADERS))
    return 0


def _usage_row(kind: str, part: dict[str, Any]) -> Row:
    numbers = (part[name] for name in ("TotalCount", "ActiveCount", "TotalSize", "Reclaimable"))
    return rows.df_row(kind, *numbers, percent=kind != "Build Cache")


def _verbose(run: Invocation, usage: dict[str, Any], form: str) -> int:
    cut = form.startswith("table")
    images = [rows.image_rows(_first_tag(image), run.now, cut=cut)[0] for image in usage["ImageUsage"]["Items"]]
    containers = [
        rows.container_row(item | {"SizeRootFs": 0}, run.now, cut=cut) for item in usage["ContainerUsage"]["Items"]
    ]
    volumes = [rows.volume_row(volume) for volume in usage["VolumeUsage"]["Items"]]
    caches = [rows.cache_row(record, run.now, cut=cut) for record in _sorted_cache(usage["BuildCacheUsage"]["Items"])]
    if form == "table":
        size = human_size(usage["BuildCacheUsage"]["TotalSize"])
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
    context = Row("*formatter.diskUsageContext", {name: (lambda part=part: part) for name, part in parts.items()})
    run.process.stdout.write(_rendered("{{json .}}" if form == "json" else form, context))
    return 0


def _first_tag(image: dict[str, Any]) -> dict[str, Any]:
    return image | {"RepoTags": (image.get("RepoTags") or [])[:1], "RepoDigests": []}


def _sorted_cache(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Least recently used first; those never used before all (formatter/buildcache.go)."""
    return sorted(records, key=lambda record: (record.get("LastUsedAt") or -1, record["ID"]))


def _rendered(form: str, data: Any, name: str = "") -> str:
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
    if run.options.on("volumes"):
        volumes, space = run.engine.prune_volumes(all=False, filters=filters)
        total += _pruned(run, "Deleted Volumes:", volumes, space)
    dangling = {"dangling": ["false" if everything else "true"]}
    images, space = run.engine.prune_images(all=everything, filters=filters | dangling)
    total += _pruned(run, "Deleted Images:", pruned_lines(images), space)
    caches, space = run.engine.prune_build_cache(all=everything, filters=filters)
    total += _pruned(run, "Deleted build cache objects:", [record["ID"] for record in caches], space)
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
        text = _rendered("{{json .}}" if form == "json" else form, found, "version") + "\n"
        run.process.stdout.write(align(text, PAIRS))
        return 0
    text = _rendered(VERSION, found, "version") + "".join(_component(part) for part in found["Server"]["Components"])
    run.process.stdout.write(align(text, PAIRS))
    return 0


def client_version(run: Invocation) -> str:
    """What there is to show without a daemon."""
    found = {"Client": run.engine.version()["Client"], "Server": None}
    form = run.options.text("format")
    if form == "json":
        return to_json(found) + "\n"
    return "" if form else align(_rendered(VERSION.partition("\n\nServer")[0] + "\n", found, "version"), PAIRS)


# What is shown of the engine's own entry: title, key of its details.
ENGINE_LINES = (
    ("Go version", "GoVersion"),
    ("Git commit", "GitCommit"),
    ("Built", "BuildTime"),
)


def _component(part: dict[str, Any]) -> str:
    details = part["Details"]
    text = f" {part['Name']}:\n  Version:\t{part['Version']}\n"
    if part["Name"] != "Engine":
        return text + "".join(f"  {name}:\t{details[name]}\n" for name in sorted(details))
    text += f"  API version:\t{details['ApiVersion']} (minimum version {details['MinAPIVersion']})\n"
    text += "".join(f"  {title}:\t{details[key]}\n" for title, key in ENGINE_LINES)
    return text + f"  OS/Arch:\t{details['Os']}/{details['Arch']}\n  Experimental:\t{details['Experimental']}\n"


# info


def info(run: Invocation) -> int:
    found = run.engine.info()
    form = run.options.text("format")
    if form:
        run.out(to_json(found) if form == "json" else _rendered(form, found))
        return 0
    lines = [*_client_lines(run), "", "Server:", *_server_lines(found), ""]
    run.process.stdout.write("\n".join(lines) + "\n")
    for warning in found.get("Warnings") or ():
        run.err(warning)
    return 0


def client_info(run: Invocation) -> str:
    """What there is to show without a daemon."""
    return "" if run.options.text("format") else "\n".join([*_client_lines(run), "", "Server:", ""])


def _client_lines(run: Invocation) -> list[str]:
    client = run.engine.version()["Client"]
    lines = ["Client:", f" Version:    {client['Version']}", f" Context:    {client['Context']}", " Debug Mode: false"]
    for plugin in client.get("Plugins") or ():
        lines += [" Plugins:"] if " Plugins:" not in lines else []
        lines += [
            f"  {plugin['Name']}: {plugin['ShortDescription']} ({plugin['Vendor']})",
            f"    Version:  {plugin['Version']}",
        ]
        lines.append(f"    Path:     {plugin['Path']}")
    return lines


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


def _server_lines(found: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for title, key, needed in INFO:
        if not key:
            lines += _GROUPS[title](found)
        elif needed or found.get(key):
            value = found.get(key)
            shown = str(value).lower() if isinstance(value, bool) else "" if value is None else value
            lines.append(f"{title}: {shown}")
    return lines


def _plugins(found: dict[str, Any]) -> list[str]:
    plugins = found.get("Plugins") or {}
    return [" Plugins:"] + [f"  {kind}: {' '.join(plugins.get(kind) or [])}" for kind in ("Volume", "Network", "Log")]


def _runtimes(found: dict[str, Any]) -> list[str]:
    names = " ".join(found.get("Runtimes") or {})
    return [f" Runtimes: {names}", f" Default Runtime: {found.get('DefaultRuntime', '')}"] if names else []


def _commits(found: dict[str, Any]) -> list[str]:
    titles = (("containerd", "ContainerdCommit"), ("runc", "RuncCommit"), ("init", "InitCommit"))
    return [f" {title} version: {(found.get(key) or {}).get('ID', '')}" for title, key in titles]


def _security(found: dict[str, Any]) -> list[str]:
    """name=seccomp,profile=builtin as two lines."""
    lines = []
    for option in found.get("SecurityOptions") or ():
        for field in option.split(","):
            name, _, value = field.partition("=")
            lines += {"name": [f"  {value}"], "profile": [f"   Profile: {value}"]}.get(name, [])
    return [" Security Options:", *lines] if lines else []


def _registries(found: dict[str, Any]) -> list[str]:
    config = found.get("RegistryConfig") or {}
    indexes = [name for name, index in (config.get("IndexConfigs") or {}).items() if not index.get("Secure")]
    nets = [*indexes, *(config.get("InsecureRegistryCIDRs") or ())]
    return [" Insecure Registries:", *(f"  {net}" for net in nets)] if nets else []


def _cdi(found: dict[str, Any]) -> list[str]:
    folders = found.get("CDISpecDirs") or []
    return [" CDI spec directories:", *(f"  {folder}" for folder in folders)] if folders else []


def _firewall(found: dict[str, Any]) -> list[str]:
    backend = found.get("FirewallBackend")
    return [f" Firewall Backend: {backend['Driver']}"] if backend else []


_GROUPS = {
    "CDI": _cdi,
    "Firewall": _firewall,
    "DriverStatus": lambda found: [f"  {pair[0]}: {pair[1]}" for pair in found.get("DriverStatus") or ()],
    "Plugins": _plugins,
    "Swarm": lambda found: [f" Swarm: {(found.get('Swarm') or {}).get('LocalNodeState', 'inactive')}"],
    "Runtimes": _runtimes,
    "Commits": _commits,
    "Security": _security,
    "Memory": lambda found: [f" Total Memory: {bytes_size(found.get('MemTotal', 0))}"],
    "Registries": _registries,
}
