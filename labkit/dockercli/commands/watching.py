"""attach, stats, events, update; context ls, buildx ls and version: what there is to see of an engine at work.

Messages and columns: docker/cli cli/command/container/{attach,stats,update}.go, formatter_stats.go,
cli/command/system/events.go; recorded examples (more-commands.txt). What an engine is told to limit costs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable

from labkit.dockercli import rows
from labkit.dockercli.commands import Invocation, daemon_says
from labkit.dockercli.commands.system import rendered
from labkit.dockercli.flags import StatusError, ValueInvalid
from labkit.dockercli.gotext import TableRow, to_json
from labkit.dockercli.rows import render
from labkit.dockercli.runconfig import restart_policy
from labkit.engine.core.errors import EngineError
from labkit.kernel.golang import Json, JsonObject, at, bytes_size, number, text

MEMORY = 324 << 10  # bytes that a small process is said to take
_STOPPED = (
    ("Running", False, "cannot attach to a stopped container, start it first"),
    ("Paused", True, "cannot attach to a paused container, unpause it first"),
    ("Restarting", True, "cannot attach to a restarting container, wait until it is running"),
)


def attach(run: Invocation) -> int:
    """What the process prints from now on, until it ends; then its exit status."""
    name = run.arguments[0]
    state = run.engine.inspect_container(name)
    for key, wrong, said in _STOPPED:
        if at(state, "State", key) is wrong:
            raise StatusError(said)
    seen = len(run.engine.logs(name))
    status = run.engine.wait(name)
    for stream, _, line in run.engine.logs(name)[seen:]:
        (run.process.stderr if stream == "stderr" else run.process.stdout).write(line)
    return run.process.wait_forever() if status is None else status


# stats

STATS_TABLE = "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"


def stats(run: Invocation) -> int:
    form = run.options.text("format") or "table"
    names = run.arguments or [text(each, "Id") for each in run.engine.containers(all=run.options.on("all"))]
    failures, shown = [], []
    for name in names:
        try:
            shown.append(_stats_row(run, run.engine.inspect_container(name)))
        except EngineError as error:
            failures.append(daemon_says(error))
    if failures:
        raise StatusError("\n".join(failures))
    run.process.stdout.write(render(STATS_TABLE if form == "table" else form, shown, rows.STATS_HEADERS))
    return 0 if run.options.on("no-stream") else run.process.wait_forever()


def _stats_row(run: Invocation, container: JsonObject) -> TableRow:
    runs = at(container, "State", "Running") is True
    identifier = text(container, "Id")
    total = number(container, "HostConfig", "Memory") or number(run.engine.info(), "MemTotal")
    fields: dict[str, Callable[[], Json]] = {
        "Container": lambda: identifier[:12],
        "ID": lambda: identifier if run.options.on("no-trunc") else identifier[:12],
        "Name": lambda: text(container, "Name").removeprefix("/"),
        "CPUPerc": lambda: "0.00%" if runs else "--",
        "MemUsage": lambda: f"{bytes_size(MEMORY)} / {bytes_size(total)}" if runs else "-- / --",
        "MemPerc": lambda: f"{MEMORY * 100 / total:.2f}%" if runs else "--",
        "NetIO": lambda: "570B / 84B" if runs else "-- / --",
        "BlockIO": lambda: "0B / 0B" if runs else "-- / --",
        "PIDs": lambda: "1" if runs else "--",
    }
    return TableRow("*container.statsContext", fields)


# update

_NUMBERS = {
    "blkio-weight": "BlkioWeight",
    "cpu-period": "CpuPeriod",
    "cpu-quota": "CpuQuota",
    "cpu-rt-period": "CpuRealtimePeriod",
    "cpu-rt-runtime": "CpuRealtimeRuntime",
    "cpu-shares": "CpuShares",
    "cpus": "NanoCpus",
    "memory": "Memory",
    "memory-reservation": "MemoryReservation",
    "memory-swap": "MemorySwap",
    "pids-limit": "PidsLimit",
}
_TEXTS = {"cpuset-cpus": "CpusetCpus", "cpuset-mems": "CpusetMems"}


def update(run: Invocation) -> int:
    options = run.options
    changes: JsonObject = {key: options.number(name) for name, key in _NUMBERS.items() if options.changed(name)}
    changes |= {key: options.text(name) for name, key in _TEXTS.items() if options.changed(name)}
    if options.changed("restart"):
        try:
            changes["RestartPolicy"] = restart_policy(options.text("restart"))
        except ValueInvalid as error:
            raise StatusError(str(error)) from None
    if not changes:
        raise StatusError("you must provide one or more flags when using this command")
    return run.each(lambda name: run.engine.update_container(name, changes))


# events


def events(run: Invocation) -> int:
    """What has happened between two times; without --until there is no end to it."""
    form, until = run.options.text("format"), run.options.text("until")
    found = run.engine.happenings(run.options.text("since"), until, run.options.filters())
    for each in found:
        run.out(to_json(each) if form == "json" else rendered(form, each) if form else _line(each))
    return 0 if until else run.process.wait_forever()


def _line(event: JsonObject) -> str:
    from labkit.dockercli.flags import go_time

    attributes = at(event, "Actor", "Attributes")
    assert isinstance(attributes, dict)
    words = ", ".join(f"{key}={value}" for key, value in sorted(attributes.items()))
    seconds, rest = divmod(number(event, "timeNano"), 10**9)
    moment = go_time(seconds)[:19].replace(" ", "T") + f".{rest:09d}Z"
    said = f"{moment} {text(event, 'Type')} {text(event, 'Action')} {text(event, 'Actor', 'ID')}"
    return f"{said} ({words})" if words else said


# context, buildx


def contexts(run: Invocation) -> int:
    form = run.options.text("format") or "table"
    if form == "table":
        form = "{{.Name}}" if run.options.on("quiet") else rows.CONTEXT_TABLE
    fields: dict[str, Callable[[], Json]] = {
        "Name": lambda: "default",
        "Current": lambda: True,
        "Description": lambda: "Current DOCKER_HOST based configuration",
        "DockerEndpoint": lambda: "unix:///var/run/docker.sock",
        "Error": lambda: "",
    }
    run.process.stdout.write(render(form, [TableRow("*formatter.clientContextContext", fields)], rows.CONTEXT_HEADERS))
    return 0


def builders(run: Invocation) -> int:
    run.process.stdout.write(
        "NAME/NODE     DRIVER/ENDPOINT   STATUS    BUILDKIT   PLATFORMS\n"
        "default*      docker                                 \n"
        " \\_ default    \\_ default       running   v0.32.2    linux/amd64 (+3), linux/386\n"
    )
    return 0


def builder_version(run: Invocation) -> int:
    run.out("github.com/docker/buildx v0.32.1")  # unverified
    return 0
