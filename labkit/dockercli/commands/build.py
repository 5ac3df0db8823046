"""build and builder prune: docker hands both to buildx (docker/buildx commands/build.go, prune.go)."""

from __future__ import annotations

from labkit.dockercli.commands import Invocation
from labkit.dockercli.flags import StatusError, ago
from labkit.dockercli.rows import TABS, align
from labkit.engine.build.check import CheckReport, check
from labkit.engine.build.client import BuildRequest
from labkit.engine.dockerfile.diagnostics import BuildError
from labkit.files import Content
from labkit.kernel.golang import JsonObject, duration, human_size, quote
from labkit.kernel.process import Null


def _pairs(run: Invocation, name: str) -> dict[str, str]:
    """KEY=VALUE flags; a build argument without a value takes that of the client's environment."""
    found = {}
    for pair in run.options.texts(name):
        key, equals, value = pair.partition("=")
        if equals:
            found[key] = value
        elif name != "build-arg":
            found[key] = ""
        elif key in run.process.env:
            found[key] = run.process.env[key]
    return found


# What the classic builder's flags that BuildKit lacks are answered with (docker/buildx commands/build.go, flag-warn).
WARNED = {
    "isolation": "isolation flag is deprecated with BuildKit.",
    "security-opt": 'security-opt flag is deprecated. "RUN --security=insecure" should be used with BuildKit.',
    "squash": "experimental flag squash is removed with BuildKit. You should squash inside build using a multi-stage "
    "Dockerfile for efficiency.",
}
MODES = ("", "auto", "none", "plain", "quiet", "rawjson", "tty")  # moby/buildkit util/progress/progressui
CALLS = ("", "build", "check", "lint")  # docker/buildx util/buildflags/callfunc.go


def build(run: Invocation) -> int:
    options, process = run.options, run.process
    for name in ("output", "secret", "ssh"):
        if options[name]:
            raise StatusError(f"ERROR: failed to build: this simulated Docker has no --{name}")
    if options.text("call") not in CALLS:
        raise StatusError(f"ERROR: failed to build: this simulated Docker has no --call={options.text('call')}")
    if options.text("progress") not in MODES:
        raise StatusError(f"ERROR: failed to build: invalid progress mode {options['progress']}")
    for name, text in WARNED.items():
        if options.changed(name):
            run.err(f"WARNING: {text}")
    takes_input = run.arguments[0] == "-" or options.text("file") == "-"
    request = BuildRequest(
        process.files,
        run.arguments[0],
        dockerfile=options.text("file"),
        tags=tuple(options.texts("tag")),
        build_args=_pairs(run, "build-arg"),
        labels=_pairs(run, "label"),
        target=options.text("target"),
        no_cache=options.on("no-cache"),
        no_cache_filter=tuple(options.texts("no-cache-filter")),
        pull=options.on("pull"),
        quiet=options.on("quiet"),
        iidfile=options.text("iidfile"),
        stdin=process.stdin.read_content() if takes_input else Content(),
    )
    silent = options.on("quiet") or options.text("progress") in ("quiet", "none")
    progress = Null() if silent else process.stderr
    try:
        if options.on("check") or options.text("call") in ("check", "lint"):
            return _show_check(run, check(run.engine.core, request, progress.write))
        identifier = run.engine.build(request, progress)
    except BuildError as error:
        raise StatusError(str(error).removesuffix("\n")) from None
    if options.on("quiet") or options.text("progress") == "quiet":
        run.out(identifier)
    return 0


def _show_check(run: Invocation, report: CheckReport) -> int:
    """printResult in docker/buildx commands/build.go."""
    count = len(report.warnings)
    if count:
        run.out(f"Check complete, {'1 warning has' if count == 1 else f'{count} warnings have'} been found!")
        run.process.stdout.write("".join(report.warnings))
    if report.mistake:
        run.process.stdout.write("\n" if count else "")
        raise StatusError(f"ERROR: {report.mistake}")
    if not count:
        run.out("Check complete, no warnings found.")
    return int(count > 0)


WARNING = "WARNING! This will remove all dangling build cache. Are you sure you want to continue?"
ALL = "WARNING! This will remove all build cache. Are you sure you want to continue?"


def prune(run: Invocation) -> int:
    everything = run.options.on("all")
    if not run.options.on("force") and not run.confirmed(ALL if everything else WARNING):
        return 0
    keep = run.options.number("reserved-space")
    filters = run.options.filters()
    _check(filters)
    records, space = run.engine.prune_build_cache(all=everything, keep=keep, filters=filters)
    header = "ID\tRECLAIMABLE\tSIZE\tLAST ACCESSED\n"
    for place, record in enumerate(records):
        run.process.stdout.write(align((header if place == 0 else "") + _row(run, record), TABS))
    run.process.stdout.write(align(f"Total:\t{human_size(space)}\n", TABS))
    return 0


def _check(filters: dict[str, list[str]]) -> None:
    """toBuildkitPruneInfo in docker/buildx commands/prune.go."""
    if filters.get("until") and filters.get("unused-for"):
        raise StatusError('ERROR: conflicting filters "until" and "unused-for"')
    for name in ("until", "unused-for", *sorted(filters)):
        values = filters.get(name, [])
        if len(values) > 1:
            raise StatusError("ERROR: filters expect only one value")
        if values and name in ("until", "unused-for"):
            try:
                duration(values[0])
            except ValueError as error:
                raise StatusError(f"ERROR: {quote(name)} filter expects a duration (e.g., '24h'): {error}") from None


def _row(run: Invocation, record: JsonObject) -> str:
    identifier = f"{record['ID']}{'*' if record.get('Mutable') else ''}"
    size = human_size(float(str(record["Size"]))) + ("*" if record["Shared"] else "")
    used = record.get("LastUsedAt")
    last = "" if used is None else ago(run.now, int(str(used)))
    reclaimable = str(not record["InUse"]).lower()
    return f"{identifier:<40}\t{reclaimable:<5}\t{size:<10}\t{last}\n"
