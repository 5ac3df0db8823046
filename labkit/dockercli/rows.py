"""What the columns of docker's lists show: one function a kind of thing, and the headers (cli/command/formatter)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.engine.core.times import SECOND, rfc3339

from .gotext import Nil, Row
from .ports import displayable
from .reference import ReferenceInvalid, parse, parse_any
from .units import ago, ellipsis, go_time, human_size, quote, short_id

Thing = dict[str, Any]
Fields = dict[str, Callable[..., Any]]

CONTAINER_TABLE = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
IMAGE_TABLE = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
IMAGE_TABLE_DIGESTS = "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
HISTORY_TABLE = "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
HISTORY_TABLE_EXACT = "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
VOLUME_TABLE = "table {{.Driver}}\t{{.Name}}"
# What --format raw stands for (formatter/container.go, image.go and volume.go); quiet ones after them.
CONTAINER_RAW = (
    "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n"
    "state: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\n"
    "labels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n"
)
VOLUME_RAW = "name: {{.Name}}\ndriver: {{.Driver}}\n"
DF_TABLE = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"
DF_IMAGES = IMAGE_TABLE + "\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}"
DF_CONTAINERS = (
    "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}"
)
DF_VOLUMES = "table {{.Name}}\t{{.Links}}\t{{.Size}}"
DF_CACHE = (
    "table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}"
)


def _headers(text: str, **different: str) -> dict[str, str]:
    """Name -> header: most are the name in capitals."""
    return {name: name.upper() for name in text.split()} | different


CONTAINER_HEADERS = _headers(
    "Image Names Command Ports State Status Size Labels Mounts Networks Platform",
    ID="CONTAINER ID",
    CreatedAt="CREATED AT",
    RunningFor="CREATED",
    LocalVolumes="LOCAL VOLUMES",
    HealthStatus="HEALTH STATUS",
    IPAddresses="IP ADDRESSES",
)
IMAGE_HEADERS = _headers(
    "Repository Tag Digest Size Containers",
    ID="IMAGE ID",
    CreatedSince="CREATED",
    CreatedAt="CREATED AT",
    VirtualSize="SIZE",
    SharedSize="SHARED SIZE",
    UniqueSize="UNIQUE SIZE",
)
HISTORY_HEADERS = _headers(
    "Size Comment", ID="IMAGE", CreatedSince="CREATED", CreatedAt="CREATED AT", CreatedBy="CREATED BY"
)
VOLUME_HEADERS = _headers("ID Group Driver Scope Availability Mountpoint Labels Links Size Status", Name="VOLUME NAME")
DF_HEADERS = _headers("Type Active Size Reclaimable", TotalCount="TOTAL")
CACHE_HEADERS = _headers(
    "Parent Size Shared Description",
    ID="CACHE ID",
    CacheType="CACHE TYPE",
    CreatedSince="CREATED",
    LastUsedSince="LAST USED",
    UsageCount="USAGE",
    InUse="IN USE",
)
DIFF_HEADERS = {"Type": "CHANGE TYPE", "Path": "PATH"}


def join_labels(labels: dict[str, str] | None) -> str:
    return ",".join(sorted(f"{name}={value}" for name, value in (labels or {}).items()))


def container_row(summary: Thing, now: int, *, cut: bool = True) -> Row:
    """A container as GET /containers/json tells of it."""
    mounts = summary.get("Mounts") or []
    networks = (summary.get("NetworkSettings") or {}).get("Networks") or {}
    names = [name.removeprefix("/") for name in summary["Names"]]
    fields: Fields = {
        "ID": lambda: summary["Id"][:12] if cut else summary["Id"],
        "Names": lambda: next((name for name in names if "/" not in name), "") if cut else ",".join(names),
        "Image": lambda: _image_name(summary, cut),
        "Command": lambda: quote(ellipsis(summary["Command"], 20) if cut else summary["Command"]),
        "CreatedAt": lambda: go_time(summary["Created"]),
        "RunningFor": lambda: ago(now, summary["Created"] * SECOND),
        "Ports": lambda: displayable(summary.get("Ports") or []),
        "State": lambda: summary["State"],
        "Status": lambda: summary["Status"],
        "Size": lambda: _container_size(summary),
        "Labels": lambda: join_labels(summary.get("Labels")),
        "Label": lambda name: (summary.get("Labels") or {}).get(name, ""),
        "Mounts": lambda: ",".join(_mount_name(mount, cut) for mount in mounts),
        "LocalVolumes": lambda: str(sum(mount.get("Driver") == "local" for mount in mounts)),
        "Networks": lambda: ",".join(networks),
        "Platform": lambda: Nil("pointer", "*formatter.Platform"),
        "HealthStatus": lambda: (summary.get("Health") or {}).get("Status", "").replace("none", ""),
        "IPAddresses": lambda: sorted(
            f"{name}/{net['IPAddress']}" for name, net in networks.items() if net.get("IPAddress")
        ),
    }
    return Row("*formatter.ContainerContext", fields)


def _image_name(summary: Thing, cut: bool) -> str:
    image = summary["Image"]
    if not image:
        return "<no image>"
    if not cut:
        return image
    if short_id(image) == short_id(summary["ImageID"]):
        return short_id(image)
    try:
        name = parse_any(image)
    except ReferenceInvalid:
        return image
    if name is None:
        return image
    return name.familiar_name + (f":{name.tag}" if name.tag else "")


def _container_size(summary: Thing) -> str:
    own = human_size(summary.get("SizeRw") or 0, 3)
    whole = summary.get("SizeRootFs") or 0
    return f"{own} (virtual {human_size(whole, 3)})" if whole else own


def _mount_name(mount: Thing, cut: bool) -> str:
    name = mount.get("Name") or mount.get("Source") or ""
    return ellipsis(name, 15) if cut else name


def image_rows(
    summary: Thing, now: int, *, cut: bool = True, digests: bool = False, any_digest: bool = False
) -> list[Row]:
    """An image as GET /images/json tells of it: a row for each of its tags, with digests where they are asked for."""
    tags = [parse(name) for name in summary.get("RepoTags") or [] if name != "<none>:<none>"]
    by_digest = [parse(name) for name in summary.get("RepoDigests") or [] if name != "<none>@<none>"]
    if not tags and not by_digest:
        return [_image_row(summary, now, cut, "<none>", "<none>", "<none>")]
    rows = []
    for tag in tags:
        own = [name.digest for name in by_digest if name.familiar_name == tag.familiar_name] if any_digest else []
        rows += [
            _image_row(summary, now, cut, tag.familiar_name, tag.tag or "", digest or "")
            for digest in own or ["<none>"]
        ]
    tagged = {tag.familiar_name for tag in tags}
    for name in by_digest:
        if name.familiar_name not in tagged:
            rows.append(
                _image_row(summary, now, cut, name.familiar_name, "<none>", (name.digest or "") if digests else "")
            )
    return rows


def _image_row(summary: Thing, now: int, cut: bool, repository: str, tag: str, digest: str) -> Row:
    shared = summary.get("SharedSize", -1)
    containers = summary.get("Containers", -1)
    fields: Fields = {
        "ID": lambda: short_id(summary["Id"]) if cut else summary["Id"],
        "Repository": lambda: repository,
        "Tag": lambda: tag,
        "Digest": lambda: digest,
        "CreatedSince": lambda: ago(now, summary["Created"] * SECOND),
        "CreatedAt": lambda: go_time(summary["Created"]),
        "Size": lambda: human_size(summary["Size"], 3),
        "VirtualSize": lambda: human_size(summary["Size"]),
        "Containers": lambda: "N/A" if containers == -1 else str(containers),
        "SharedSize": lambda: "N/A" if shared == -1 else human_size(shared),
        "UniqueSize": lambda: "N/A" if shared == -1 else human_size(summary["Size"] - shared),
    }
    return Row("*formatter.imageContext", fields)


def history_row(step: Thing, now: int, *, cut: bool = True, human: bool = True) -> Row:
    """A step of GET /images/NAME/history, whose time is in nanoseconds."""
    made_by = step["CreatedBy"].replace("\t", " ")
    fields: Fields = {
        "ID": lambda: short_id(step["Id"]) if cut else step["Id"],
        "CreatedAt": lambda: rfc3339(step["Created"] // SECOND * SECOND) if step["Created"] else "N/A",
        "CreatedSince": lambda: (
            ("N/A" if not step["Created"] else ago(now, step["Created"]))
            if human
            else rfc3339(step["Created"] // SECOND * SECOND)
        ),
        "CreatedBy": lambda: ellipsis(made_by, 45) if cut else made_by,
        "Size": lambda: human_size(step["Size"], 3) if human else str(step["Size"]),
        "Comment": lambda: step["Comment"],
    }
    return Row("*formatter.historyContext", fields)


def volume_row(volume: Thing) -> Row:
    """A volume as GET /volumes tells of it."""
    usage = volume.get("UsageData")
    fields: Fields = {
        "Name": lambda: volume["Name"],
        "Driver": lambda: volume["Driver"],
        "Scope": lambda: volume["Scope"],
        "Mountpoint": lambda: volume["Mountpoint"],
        "Labels": lambda: join_labels(volume.get("Labels")),
        "Label": lambda name: (volume.get("Labels") or {}).get(name, ""),
        "Links": lambda: str(usage["RefCount"]) if usage else "N/A",
        "Size": lambda: human_size(usage["Size"]) if usage else "N/A",
        "Group": lambda: "N/A",
        "Availability": lambda: "N/A",
        "Status": lambda: "N/A",
    }
    return Row("*formatter.volumeContext", fields)


def cache_row(record: Thing, now: int, *, cut: bool = True) -> Row:
    """A record of the build cache; its times are nanoseconds, LastUsedAt may be None."""
    used = record.get("LastUsedAt")
    fields: Fields = {
        "ID": lambda: (record["ID"][:12] if cut else record["ID"]) + ("*" if record["InUse"] else ""),
        "Parent": lambda: ", ".join(record.get("Parents") or [])[: 12 if cut else None],
        "CacheType": lambda: record["Type"],
        "Description": lambda: record["Description"],
        "Size": lambda: human_size(record["Size"], 3),
        "CreatedAt": lambda: go_time(record["CreatedAt"] // SECOND),
        "CreatedSince": lambda: ago(now, record["CreatedAt"]),
        "LastUsedAt": lambda: "" if used is None else go_time(used // SECOND),
        "LastUsedSince": lambda: "" if used is None else ago(now, used),
        "UsageCount": lambda: str(record["UsageCount"]),
        "InUse": lambda: str(record["InUse"]).lower(),
        "Shared": lambda: str(record["Shared"]).lower(),
    }
    return Row("*formatter.buildCacheContext", fields)


def df_row(kind: str, total: int, active: int, size: int, reclaimable: int, *, percent: bool = True) -> Row:
    """A line of docker system df."""
    part = f" ({reclaimable * 100 // size}%)" if percent and size > 0 else ""
    fields: Fields = {
        "Type": lambda: kind,
        "TotalCount": lambda: str(total),
        "Active": lambda: str(active),
        "Size": lambda: human_size(size),
        "Reclaimable": lambda: human_size(reclaimable) + part,
    }
    return Row("*formatter.diskUsageImagesContext", fields)
