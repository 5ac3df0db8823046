"""build and builder prune: docker hands both to buildx (docker/buildx commands/build.go, prune.go)."""

from __future__ import annotations

import json

from labkit.dockercli import buildflags
from labkit.dockercli.commands import Invocation
from labkit.dockercli.flags import StatusError, ago
from labkit.dockercli.rows import TABS, align
from labkit.engine.build.check import CheckReport, check
from labkit.engine.build.client import BuildRequest
from labkit.engine.core.names import parse
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
    request = _request(run)
    for name, text in WARNED.items():
        if options.changed(name):
            run.err(f"WARNING: {text}")
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
    if path := options.text("metadata-file"):
        process.files.write(path, _metadata(run, identifier, request.tags))
    return 0


def _request(run: Invocation) -> BuildRequest:
    """All flags, read and checked in the order in which buildx does it."""
    options, process, containerd = run.options, run.process, run.engine.core.keeps_manifests
    buildflags.check_policies(options.texts("policy"))
    attests = buildflags.attestations(options.texts("attest"), options.text("provenance"), options.text("sbom"))
    buildflags.check_contexts(options.texts("build-context"))
    if options.text("call") not in CALLS:
        raise buildflags.absent(f"--call={options.text('call')}")
    if options.text("builder") not in ("", "default"):
        raise buildflags.wrong(f"no builder {quote(options.text('builder'))} found")
    if options.text("progress") not in MODES:
        raise buildflags.failed(f"invalid progress mode {options['progress']}")
    if options.on("no-cache") and options.texts("no-cache-filter"):
        raise buildflags.failed("--no-cache and --no-cache-filter cannot currently be used together")
    buildflags.check_resources(options.texts("resource"))
    buildflags.check_platforms(options.texts("platform"), containerd)
    secrets = buildflags.secrets(process, options.texts("secret"))
    buildflags.check_ssh(process, options.texts("ssh"))
    outputs = buildflags.outputs(process, options.texts("output"), options.on("push"), options.on("load"), containerd)
    if options.text("iidfile") and any(output.type != "image" for output in outputs):
        raise buildflags.wrong("local and tar exporters are incompatible with image ID file")
    buildflags.check_allowed(options.texts("allow"))
    buildflags.check_annotations(options.texts("annotation"), containerd)
    inline = buildflags.exports_inline(options.texts("cache-to"), containerd)
    if any(attests.values()) and not containerd:
        raise buildflags.not_supported("Attestation", "attestations")
    if {name for name, wanted in attests.items() if wanted} - {"provenance"}:
        raise buildflags.absent("--sbom")
    if any(output.push for output in outputs) and not options.texts("tag"):
        raise buildflags.failed("tag is needed when pushing to registry")
    takes_input = run.arguments[0] == "-" or options.text("file") == "-"
    return BuildRequest(
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
        secrets=secrets,
        iidfile=options.text("iidfile"),
        hosts=buildflags.hosts(options.texts("add-host")),
        shm_size=options.number("shm-size"),
        network=buildflags.network(options.text("network")),
        cache_from=buildflags.imported(options.texts("cache-from")),
        inline_cache=inline,
        provenance=attests.get("provenance", True),
        outputs=outputs,
        stdin=process.stdin.read_content() if takes_input else Content(),
    )


def _metadata(run: Invocation, identifier: str, tags: tuple[str, ...]) -> str:
    """--metadata-file: what the exporter answered (moby, builder-next/exporter/mobyexporter).

    The provenance that buildx adds is left out, as with BUILDX_METADATA_PROVENANCE=disabled.
    """
    found: JsonObject = {"buildx.build.ref": f"default/default/{run.engine.core.ids.key('ref')}"}
    if identifier:
        found |= {} if run.engine.core.keeps_manifests else {"containerimage.config.digest": identifier}
        found["containerimage.digest"] = identifier
        found |= {"image.name": ",".join(str(parse(tag).tagged()) for tag in tags)} if tags else {}
    return json.dumps(dict(sorted(found.items())), indent=2)


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


def du(run: Invocation) -> int:
    """buildx du (docker/buildx commands/diskusage.go); sizes are those of `system df -v`."""
    filters = run.options.filters()
    _check(filters)
    found = run.engine.build_cache.usage()
    lines = ["ID\tRECLAIMABLE\tSIZE\tLAST ACCESSED\n", *(_row(run, record) for record in found)] if found else []
    sizes = {record["ID"]: float(str(record["Size"])) for record in found}
    shared = sum(sizes[record["ID"]] for record in found if record["Shared"])
    idle = sum(sizes[record["ID"]] for record in found if not record["InUse"])
    total = sum(sizes.values())
    if shared:
        lines += [f"Shared:\t{human_size(shared)}\n", f"Private:\t{human_size(total - shared)}\n"]
    lines += [f"Reclaimable:\t{human_size(idle)}\n", f"Total:\t{human_size(total)}\n"]
    run.process.stdout.write(align("".join(lines), TABS))
    return 0
