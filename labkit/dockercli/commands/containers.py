"""start, stop, rm, ps, logs and the like (docker/cli cli/command/container)."""

from __future__ import annotations

import re

from labkit.dockercli import rows
from labkit.dockercli.commands import Invocation, attached, daemon_says
from labkit.dockercli.flags import StatusError, ValueInvalid
from labkit.dockercli.gotext import TableRow
from labkit.dockercli.rows import render
from labkit.dockercli.runconfig import join_host, port_number
from labkit.engine.containers.processes import Streams
from labkit.engine.core.errors import EngineError, conflict
from labkit.kernel.golang import SECOND, JsonObject, at, human_size, items, members, text, texts
from labkit.kernel.process import Input
from labkit.kernel.timestamps import moment

from ..template import Template, TemplateError


def start(run: Invocation) -> int:
    if run.options.on("attach") or run.options.on("interactive"):
        return _start_attached(run)
    failed = []
    for name in run.arguments:
        try:
            run.engine.start_container(name)
        except EngineError as error:
            run.err(daemon_says(error))
            failed.append(name)
        else:
            run.out(name)
    if failed:
        raise StatusError(f"failed to start containers: {', '.join(failed)}")
    return 0


def _start_attached(run: Invocation) -> int:
    if len(run.arguments) > 1:
        raise StatusError("you cannot start and attach multiple containers at once")
    config = run.engine.inspect_container(run.arguments[0])
    process = run.process
    takes_input = run.options.on("interactive") and at(config, "Config", "OpenStdin")
    stderr = process.stdout if at(config, "Config", "Tty") else process.stderr
    streams = Streams(process.stdout, stderr, process.stdin if takes_input else Input(b""))
    return attached(lambda: run.engine.start_container(run.arguments[0], attach=streams))


def _timeout(run: Invocation) -> int | None:
    for name in ("timeout", "time"):
        if run.options.changed(name):
            return run.options.number(name)
    return None


def stop(run: Invocation) -> int:
    return run.each(
        lambda name: run.engine.stop(name, timeout=_timeout(run), signal=run.options.text("signal") or None)
    )


def restart(run: Invocation) -> int:
    return run.each(
        lambda name: run.engine.restart(name, timeout=_timeout(run), signal=run.options.text("signal") or None)
    )


def kill(run: Invocation) -> int:
    return run.each(lambda name: run.engine.kill(name, run.options.text("signal") or "KILL"))


def pause(run: Invocation) -> int:
    return run.each(run.engine.pause)


def unpause(run: Invocation) -> int:
    return run.each(run.engine.unpause)


def rm(run: Invocation) -> int:
    options = run.options
    failures = []
    for name in run.arguments:
        if not name.strip("/"):
            failures.append("container name cannot be empty")
            continue
        try:
            if options.on("link"):
                run.engine.find_container(name.strip("/"))
                raise conflict("Conflict, cannot remove the default link name of the container")
            run.engine.remove_container(name.strip("/"), volumes=options.on("volumes"), force=options.on("force"))
        except EngineError as error:
            if not (options.on("force") and error.kind == "not-found"):
                failures.append(daemon_says(error))
        else:
            run.out(name)
    if failures:
        raise StatusError("\n".join(failures))
    return 0


def rename(run: Invocation) -> int:
    old, new = run.arguments
    if not new:
        raise StatusError("new name cannot be blank")
    try:
        run.engine.rename(old, new)
    except EngineError as error:
        raise StatusError(f"failed to rename container: {daemon_says(error)}") from None
    return 0


def wait(run: Invocation) -> int:
    failures = []
    for name in run.arguments:
        try:
            status = run.engine.wait(name)
        except EngineError as error:
            failures.append(daemon_says(error))
            continue
        if status is None:  # it never ends
            return run.process.wait_forever()
        run.out(str(status))
    if failures:
        raise StatusError("\n".join(failures))
    return 0


def top(run: Invocation) -> int:
    """The columns of ps, padded as a table's (top.go)."""
    from labkit.dockercli.rows import Layout, align

    listed = run.engine.top(run.arguments[0], run.arguments[1:])
    lines = [texts(listed, "Titles"), *map(texts, items(listed, "Processes"))]
    run.process.stdout.write(align("".join("\t".join(line) + "\n" for line in lines), Layout(20, 1, 3)))
    return 0


def diff(run: Invocation) -> int:
    changes = run.engine.diff(run.arguments[0])
    shown = [_change(kind, path) for kind, path in changes]
    run.process.stdout.write(render("{{.Type}} {{.Path}}", shown, rows.DIFF_HEADERS))
    return 0


def _change(kind: str, path: str) -> TableRow:
    return TableRow("*container.diffContext", {"Type": lambda: kind, "Path": lambda: path})


# ps


def _wants_size(form: str) -> bool:
    """Whether a format asks for .Size; it is tried on a container that there is not (list.go)."""
    if not form or form in ("table", "json"):
        return form == "json"
    asked: list[str] = []
    try:
        template = Template(form)
    except TemplateError as error:
        raise StatusError(f"failed to parse template: {error}") from None

    def size() -> str:
        asked.append("Size")
        return ""

    fields = dict.fromkeys(rows.CONTAINER_HEADERS, str) | {"Size": size}
    try:
        template.render(TableRow("*formatter.ContainerContext", fields, lambda name: ""))
    except TemplateError as error:
        raise StatusError(f"failed to execute template: {error}") from None
    return bool(asked)


def ps(run: Invocation) -> int:
    options = run.options
    form, quiet = options.text("format"), options.on("quiet")
    if form and quiet:
        run.err("WARNING: Ignoring custom format, because both --format and --quiet are set.")
    size = options.on("size") or (_wants_size(form) and not quiet and not options.changed("size"))
    last = 1 if options.on("latest") and options.number("last") == -1 else max(0, options.number("last"))
    found = run.engine.containers(all=options.on("all"), filters=run.options.filters(), size=size, limit=last)
    if quiet:
        form = "container_id: {{.ID}}" if form == "raw" else "{{.ID}}"
    elif form == "raw":
        form = rows.CONTAINER_RAW + ("size: {{.Size}}\n" if size else "")
    elif form in ("", "table"):
        form = rows.CONTAINER_TABLE + ("\t{{.Size}}" if size else "")
    shown = [rows.container_row(summary, run.now, cut=not options.on("no-trunc")) for summary in found]
    run.process.stdout.write(render(form, shown, rows.CONTAINER_HEADERS))
    return 0


# logs


def _time(run: Invocation, name: str) -> int | None:
    """--since or --until, read by the client; None where it is not given."""
    try:
        return moment(run.options.text(name), run.now, client=True) if run.options.text(name) else None
    except ValueError as error:
        raise StatusError(f'invalid value for "{name}": {error}') from None


def logs(run: Invocation) -> int:
    options = run.options
    lines = run.engine.logs(run.arguments[0])
    since, until = _time(run, "since"), _time(run, "until")
    lines = [line for line in lines if (since is None or line[1] >= since) and (until is None or line[1] <= until)]
    if re.fullmatch(r"\d+", options.text("tail")):
        count = int(options.text("tail"))
        lines = lines[-count:] if count else []
    details = b" " if options.on("details") else b""  # json-file keeps no attributes (write_log_stream.go)
    for stream, when, line in lines:
        target = run.process.stderr if stream == "stderr" else run.process.stdout
        target.write((_stamp(when) if options.on("timestamps") else b"") + details + line)
    if options.on("follow") and at(run.engine.inspect_container(run.arguments[0]), "State", "Running"):
        return run.process.wait_forever()
    return 0


def _stamp(moment: int) -> bytes:
    from labkit.kernel.golang import rfc3339

    return f"{rfc3339(moment // SECOND * SECOND)[:-1]}.{moment % SECOND:09d}Z ".encode()


def port(run: Invocation) -> int:
    name = run.arguments[0]
    published = members(run.engine.inspect_container(name), "NetworkSettings", "Ports")
    if len(run.arguments) > 1:
        lines = _one_port(name, run.arguments[1], published)
    else:
        lines = [f"{key} -> {address}" for key in published for address in _addresses(published, key)]
    if lines:
        run.out("\n".join(sorted(lines, key=natural)))
    return 0


def _one_port(name: str, wanted: str, published: JsonObject) -> list[str]:
    number, _, protocol = wanted.partition("/")
    if not wanted:
        raise StatusError("invalid port: value is empty")
    try:
        found = _addresses(published, f"{port_number(number, 'port')}/{protocol.lower() or 'tcp'}")
    except ValueInvalid as error:
        raise StatusError(str(error)) from None
    if not found:
        raise StatusError(f"no public port '{wanted}' published for {name}")
    return found


def _addresses(published: JsonObject, key: str) -> list[str]:
    return [join_host(text(each, "HostIp"), text(each, "HostPort")) for each in items(published, key)]


def natural(text: str) -> list[tuple[int, int, str]]:
    """A key to sort by in which numbers count as such (fvbommel/sortorder)."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", text)]


WARNING = "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?"


def prune(run: Invocation) -> int:
    if not run.options.on("force") and not run.confirmed(WARNING):
        return 0
    gone, space = run.engine.prune_containers(filters=run.options.filters())
    show_pruned(run, "Deleted Containers:", gone)
    run.out(f"Total reclaimed space: {human_size(space)}")
    return 0


def show_pruned(run: Invocation, title: str, gone: list[str]) -> None:
    """What was removed, under a title, and an empty line; nothing where nothing was."""
    if gone:
        run.out("\n".join([title, *gone, ""]))
