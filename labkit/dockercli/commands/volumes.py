"""volume create, ls, rm, prune (docker/cli cli/command/volume)."""

from __future__ import annotations

from labkit.kernel.golang import human_size, text

from .. import rows
from ..flags import StatusError
from ..rows import render
from . import Invocation
from .containers import natural, show_pruned


def create(run: Invocation) -> int:
    options = run.options
    driver_options = {pair.partition("=")[0]: pair.partition("=")[2] for pair in options.texts("opt")}
    labels = {pair.partition("=")[0]: pair.partition("=")[2] for pair in options.texts("label")}
    name = run.arguments[0] if run.arguments else options.text("name") or ""
    if run.arguments and options.text("name"):
        raise StatusError(
            "conflicting options: cannot specify a volume-name through both --name and as a positional arg"
        )
    volume = run.engine.create_volume(name, options.text("driver"), driver_options or None, labels or None)
    run.out(volume.name)
    return 0


def ls(run: Invocation) -> int:
    form = run.options.text("format") or "table"
    quiet = run.options.on("quiet")
    if form == "table":
        form = "{{.Name}}" if quiet else rows.VOLUME_TABLE
    elif form == "raw":
        form = "name: {{.Name}}" if quiet else rows.VOLUME_RAW
    volumes = sorted(
        run.engine.volumes(filters=run.options.filters()), key=lambda volume: natural(text(volume, "Name"))
    )
    found = [rows.volume_row(volume) for volume in volumes]
    run.process.stdout.write(render(form, found, rows.VOLUME_HEADERS))
    return 0


def rm(run: Invocation) -> int:
    return run.each(lambda name: run.engine.remove_volume(name, force=run.options.on("force")))


ANONYMOUS = (
    "WARNING! This will remove anonymous local volumes not used by at least one container.\n"
    "Are you sure you want to continue?"
)
ALL = (
    "WARNING! This will remove all local volumes not used by at least one container.\n"
    "Are you sure you want to continue?"
)


def prune(run: Invocation) -> int:
    filters = run.options.filters()
    everything = run.options.on("all")
    if everything and "all" in filters:
        raise StatusError("conflicting options: cannot specify both --all and --filter all=1")
    if not run.options.on("force") and not run.confirmed(ALL if everything else ANONYMOUS):
        return 0
    gone, space = run.engine.prune_volumes(all=everything, filters=filters)
    show_pruned(run, "Deleted Volumes:", gone)
    run.out(f"Total reclaimed space: {human_size(space)}")
    return 0
