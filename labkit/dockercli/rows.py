"""docker's lists: what a kind of thing shows in which column, and a table, a template or JSON of it by --format.

Columns are cli/command/formatter's. A table is Go's text/tabwriter: a cell is what ends in a tab; a column is a run of
adjacent lines that have that cell; what follows a line's last tab belongs to no column and is never padded.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from labkit.dockercli.commands import ReferenceInvalid, parse, parse_any
from labkit.dockercli.flags import StatusError, ago, ellipsis, go_time, short_id
from labkit.dockercli.gotext import GoValue, Nil, TableRow
from labkit.dockercli.runconfig import displayable
from labkit.dockercli.template import HEADER_FUNCTIONS, Template, TemplateError
from labkit.kernel.golang import (
    SECOND,
    Json,
    JsonObject,
    human_size,
    items,
    members,
    number,
    quote,
    rfc3339,
    text,
    texts,
)

Fields = dict[str, Callable[[], GoValue]]

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
NETWORK_HEADERS = _headers("Name Driver Scope IPv4 IPv6 Internal Labels", ID="NETWORK ID", CreatedAt="CREATED AT")
STATS_HEADERS = _headers(
    "Container Name PIDs",
    ID="CONTAINER ID",
    CPUPerc="CPU %",
    MemUsage="MEM USAGE / LIMIT",
    MemPerc="MEM %",
    NetIO="NET I/O",
    BlockIO="BLOCK I/O",
)
CONTEXT_TABLE = "table {{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}"
CONTEXT_HEADERS = _headers("Name Description Error", Current="", DockerEndpoint="DOCKER ENDPOINT")
DIFF_HEADERS = {"Type": "CHANGE TYPE", "Path": "PATH"}


def _labels(thing: JsonObject) -> str:
    return ",".join(sorted(f"{name}={value}" for name, value in members(thing, "Labels").items()))


def _label(thing: JsonObject) -> Callable[[str], str]:
    return lambda name: text(thing, "Labels", name)


def container_row(summary: JsonObject, now: int, *, cut: bool = True) -> TableRow:
    """A container as GET /containers/json tells of it."""
    networks = members(summary, "NetworkSettings", "Networks")
    mounts = items(summary, "Mounts")
    names = [name.removeprefix("/") for name in texts(summary, "Names")]
    identifier, command, created = text(summary, "Id"), text(summary, "Command"), number(summary, "Created")
    fields: Fields = {
        "ID": lambda: identifier[:12] if cut else identifier,
        "Names": lambda: next((name for name in names if "/" not in name), "") if cut else ",".join(names),
        "Image": lambda: _image_name(summary, cut),
        "Command": lambda: quote(ellipsis(command, 20) if cut else command),
        "CreatedAt": lambda: go_time(created),
        "RunningFor": lambda: ago(now, created * SECOND),
        "Ports": lambda: displayable(items(summary, "Ports")),
        "State": lambda: summary["State"],
        "Status": lambda: summary["Status"],
        "Size": lambda: _container_size(summary),
        "Labels": lambda: _labels(summary),
        "Mounts": lambda: ",".join(_mount_name(mount, cut) for mount in mounts),
        "LocalVolumes": lambda: str(sum(text(mount, "Driver") == "local" for mount in mounts)),
        "Networks": lambda: ",".join(networks),
        "Platform": lambda: Nil("pointer", "*formatter.Platform"),
        "HealthStatus": lambda: text(summary, "Health", "Status").replace("none", ""),
        "IPAddresses": lambda: sorted(
            f"{name}/{text(net, 'IPAddress')}" for name, net in networks.items() if text(net, "IPAddress")
        ),
    }
    return TableRow("*formatter.ContainerContext", fields, _label(summary))


def _image_name(summary: JsonObject, cut: bool) -> str:
    image = text(summary, "Image")
    if not image:
        return "<no image>"
    if not cut:
        return image
    if short_id(image) == short_id(text(summary, "ImageID")):
        return short_id(image)
    try:
        name = parse_any(image)
    except ReferenceInvalid:
        return image
    if name is None:
        return image
    return name.familiar_name + (f":{name.tag}" if name.tag else "")


def _container_size(summary: JsonObject) -> str:
    own = human_size(number(summary, "SizeRw"), 3)
    whole = number(summary, "SizeRootFs")
    return f"{own} (virtual {human_size(whole, 3)})" if whole else own


def _mount_name(mount: Json, cut: bool) -> str:
    name = text(mount, "Name") or text(mount, "Source")
    return ellipsis(name, 15) if cut else name


def image_rows(
    summary: JsonObject, now: int, *, cut: bool = True, digests: bool = False, any_digest: bool = False
) -> list[TableRow]:
    """An image as GET /images/json tells of it: a row for each of its tags, with digests where they are asked for."""
    tags = [parse(name) for name in texts(summary, "RepoTags") if name != "<none>:<none>"]
    by_digest = [parse(name) for name in texts(summary, "RepoDigests") if name != "<none>@<none>"]
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


def _image_row(summary: JsonObject, now: int, cut: bool, repository: str, tag: str, digest: str) -> TableRow:
    shared, containers = (number(summary, name) if name in summary else -1 for name in ("SharedSize", "Containers"))
    identifier, size, created = text(summary, "Id"), number(summary, "Size"), number(summary, "Created")
    fields: Fields = {
        "ID": lambda: short_id(identifier) if cut else identifier,
        "Repository": lambda: repository,
        "Tag": lambda: tag,
        "Digest": lambda: digest,
        "CreatedSince": lambda: ago(now, created * SECOND),
        "CreatedAt": lambda: go_time(created),
        "Size": lambda: human_size(size, 3),
        "VirtualSize": lambda: human_size(size),
        "Containers": lambda: "N/A" if containers == -1 else str(containers),
        "SharedSize": lambda: "N/A" if shared == -1 else human_size(shared),
        "UniqueSize": lambda: "N/A" if shared == -1 else human_size(size - shared),
    }
    return TableRow("*formatter.imageContext", fields)


def history_row(step: JsonObject, now: int, *, cut: bool = True, human: bool = True) -> TableRow:
    """A step of GET /images/NAME/history, whose time is in nanoseconds."""
    made_by = text(step, "CreatedBy").replace("\t", " ")
    identifier, created = text(step, "Id"), number(step, "Created")
    fields: Fields = {
        "ID": lambda: short_id(identifier) if cut else identifier,
        "CreatedAt": lambda: rfc3339(created // SECOND * SECOND) if created else "N/A",
        "CreatedSince": lambda: (
            ("N/A" if not created else ago(now, created)) if human else rfc3339(created // SECOND * SECOND)
        ),
        "CreatedBy": lambda: ellipsis(made_by, 45) if cut else made_by,
        "Size": lambda: human_size(number(step, "Size"), 3) if human else str(step["Size"]),
        "Comment": lambda: step["Comment"],
    }
    return TableRow("*formatter.historyContext", fields)


def volume_row(volume: JsonObject) -> TableRow:
    """A volume as GET /volumes tells of it."""
    usage = volume.get("UsageData")
    fields: Fields = {
        "Name": lambda: volume["Name"],
        "Driver": lambda: volume["Driver"],
        "Scope": lambda: volume["Scope"],
        "Mountpoint": lambda: volume["Mountpoint"],
        "Labels": lambda: _labels(volume),
        "Links": lambda: str(number(usage, "RefCount")) if usage else "N/A",
        "Size": lambda: human_size(number(usage, "Size")) if usage else "N/A",
        "Group": lambda: "N/A",
        "Availability": lambda: "N/A",
        "Status": lambda: "N/A",
    }
    return TableRow("*formatter.volumeContext", fields, _label(volume))


def cache_row(record: JsonObject, now: int, *, cut: bool = True) -> TableRow:
    """A record of the build cache; its times are nanoseconds, LastUsedAt may be None."""
    used = number(record, "LastUsedAt") if record.get("LastUsedAt") is not None else None
    identifier, created = text(record, "ID"), number(record, "CreatedAt")
    fields: Fields = {
        "ID": lambda: (identifier[:12] if cut else identifier) + ("*" if record["InUse"] else ""),
        "Parent": lambda: ", ".join(texts(record, "Parents"))[: 12 if cut else None],
        "CacheType": lambda: record["Type"],
        "Description": lambda: record["Description"],
        "Size": lambda: human_size(number(record, "Size"), 3),
        "CreatedAt": lambda: go_time(created // SECOND),
        "CreatedSince": lambda: ago(now, created),
        "LastUsedAt": lambda: "" if used is None else go_time(used // SECOND),
        "LastUsedSince": lambda: "" if used is None else ago(now, used),
        "UsageCount": lambda: str(record["UsageCount"]),
        "InUse": lambda: str(record["InUse"]).lower(),
        "Shared": lambda: str(record["Shared"]).lower(),
    }
    return TableRow("*formatter.buildCacheContext", fields)


def df_row(kind: str, total: int, active: int, size: int, reclaimable: int, *, percent: bool = True) -> TableRow:
    """A line of docker system df."""
    part = f" ({reclaimable * 100 // size}%)" if percent and size > 0 else ""
    fields: Fields = {
        "Type": lambda: kind,
        "TotalCount": lambda: str(total),
        "Active": lambda: str(active),
        "Size": lambda: human_size(size),
        "Reclaimable": lambda: human_size(reclaimable) + part,
    }
    return TableRow("*formatter.diskUsageImagesContext", fields)


@dataclass(frozen=True)
class Layout:
    """How columns are padded: the four numbers that tabwriter.NewWriter takes."""

    minimum: int
    tab: int
    padding: int
    character: str = " "


ROWS = Layout(10, 1, 3)  # ps, image ls --format table…: docker/cli formatter
PAIRS = Layout(20, 1, 1)  # version: docker/cli system/version.go
TABS = Layout(1, 8, 1, "\t")  # builder prune: docker/buildx commands/prune.go


def width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def align(text: str, layout: Layout = ROWS) -> str:
    """The text with its tabs replaced by padding."""
    lines = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[] for _ in lines]
    _measure(lines, widths, 0, len(lines), 0, layout)
    return "\n".join(_line(cells, sizes, layout) for cells, sizes in zip(lines, widths, strict=True))


def _measure(
    lines: list[list[str]], widths: list[list[int]], start: int, end: int, column: int, layout: Layout
) -> None:
    place = start
    while place < end:
        if column >= len(lines[place]) - 1:
            place += 1
            continue
        stop = place
        size = layout.minimum
        while stop < end and column < len(lines[stop]) - 1:
            size = max(size, width(lines[stop][column]) + layout.padding)
            stop += 1
        for row in range(place, stop):
            widths[row].append(size)
        _measure(lines, widths, place, stop, column + 1, layout)
        place = stop


def _line(cells: list[str], sizes: list[int], layout: Layout) -> str:
    return "".join(cell + _pad(width(cell), size, layout) for cell, size in zip(cells, sizes, strict=False)) + cells[-1]


def _pad(used: int, size: int, layout: Layout) -> str:
    if layout.character != "\t":
        return layout.character * (size - used)
    size = -(-size // layout.tab) * layout.tab
    return "\t" * -(-(size - used) // layout.tab)


def _header_label(name: str) -> str:
    return name.rpartition(".")[2].replace("-", " ").replace("_", " ")


def parse_format(form: str) -> Template:
    """The template of a format, without the word table. Raises StatusError."""
    text = "{{json .}}" if form == "json" else form.removeprefix("table").strip(" ")
    try:
        return Template(text.replace("\\t", "\t").replace("\\n", "\n"))
    except TemplateError as error:
        raise StatusError(f"template parsing error: {error}") from None


def render(form: str, rows: Iterable[TableRow], headers: Mapping[str, str]) -> str:
    """All rows in this format; a table has its header first."""
    template = parse_format(form)
    try:
        body = "".join(template.render(row) + "\n" for row in rows)
    except TemplateError as error:
        raise StatusError(f"template parsing error: {error}") from None
    if not form.startswith("table"):
        return body
    return align(_header(template, headers) + "\n" + body)


def _header(template: Template, headers: Mapping[str, str]) -> str:
    names = {name: (lambda text=text: text) for name, text in headers.items()}
    row = TableRow("formatter.SubHeaderContext", names, _header_label)
    try:
        return template.render(row, functions=HEADER_FUNCTIONS)
    except TemplateError:
        return ""
