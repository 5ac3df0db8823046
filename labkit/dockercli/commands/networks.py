"""network connect, create, disconnect, ls, prune, rm (docker/cli cli/command/network)."""

from __future__ import annotations

from labkit.engine.core.errors import EngineError
from labkit.kernel.golang import JsonObject, members, text

from .. import rows
from ..flags import StatusError
from ..gotext import TableRow
from ..rows import render
from . import Invocation, daemon_says
from .containers import natural

TABLE = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"
RAW = "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n"


def _pairs(run: Invocation, name: str) -> list[tuple[str, str]]:
    return [(pair.partition("=")[0], pair.partition("=")[2]) for pair in run.options.texts(name)]


def create(run: Invocation) -> int:
    options = run.options
    run.out(
        run.engine.create_network(
            run.arguments[0],
            options.text("driver"),
            internal=options.on("internal"),
            attachable=options.on("attachable"),
            labels=_pairs(run, "label"),
            options=_pairs(run, "opt"),
        )
    )
    return 0


def ls(run: Invocation) -> int:
    quiet, form = run.options.on("quiet"), run.options.text("format") or "table"
    if form == "table":
        form = "{{.ID}}" if quiet else TABLE
    elif form == "raw":
        form = "network_id: {{.ID}}" if quiet else RAW
    found = sorted(run.engine.networks(run.options.filters()), key=lambda each: natural(text(each, "Name")))
    shown = [_row(each, cut=not run.options.on("no-trunc")) for each in found]
    run.process.stdout.write(render(form, shown, rows.NETWORK_HEADERS))
    return 0


def _row(network: JsonObject, *, cut: bool) -> TableRow:
    labels = members(network, "Labels")
    fields = {
        "ID": lambda: text(network, "Id")[: 12 if cut else None],
        "Name": lambda: text(network, "Name"),
        "Driver": lambda: text(network, "Driver"),
        "Scope": lambda: text(network, "Scope"),
        "IPv4": lambda: str(network["EnableIPv4"]).lower(),
        "IPv6": lambda: str(network["EnableIPv6"]).lower(),
        "Internal": lambda: str(network["Internal"]).lower(),
        "Labels": lambda: ",".join(f"{key}={value}" for key, value in labels.items()),
        "CreatedAt": lambda: text(network, "Created").replace("T", " ").replace("Z", " +0000 UTC"),
    }
    return TableRow("*network.networkContext", fields, lambda name: str(labels.get(name, "")))


def rm(run: Invocation) -> int:
    status = 0
    for name in run.arguments:
        try:
            run.engine.remove_network(name)
        except EngineError as error:
            if not (run.options.on("force") and error.kind == "not-found"):
                run.err(daemon_says(error))
                status = 1
        else:
            run.out(name)
    if status:
        raise StatusError("exit status 1")
    return 0


def connect(run: Invocation) -> int:
    run.engine.connect_network(*run.arguments)
    return 0


def disconnect(run: Invocation) -> int:
    run.engine.disconnect_network(*run.arguments)
    return 0


WARNING = (
    "WARNING! This will remove all custom networks not used by at least one container.\n"
    "Are you sure you want to continue?"
)


def prune(run: Invocation) -> int:
    if not run.options.on("force") and not run.confirmed(WARNING):
        return 0
    if gone := run.engine.prune_networks(run.options.filters()):
        run.out("\n".join(["Deleted Networks:", *gone, ""]))
    return 0
