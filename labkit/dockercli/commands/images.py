"""image ls, history, rm, prune, tag, pull (docker/cli cli/command/image).

image ls without --format has a row for each name, platforms below them (docker/cli image/tree.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from labkit.dockercli import rows
from labkit.dockercli.buildflags import platform_fault
from labkit.dockercli.commands import Invocation, ReferenceInvalid, daemon_says, parse, parse_any
from labkit.dockercli.commands.containers import show_pruned
from labkit.dockercli.flags import StatusError, short_id
from labkit.dockercli.rows import render
from labkit.engine.core.errors import EngineError
from labkit.kernel.golang import Json, JsonObject, at, human_size, items, number, quote, text, texts

SPACING = 3
UNTAGGED = "<untagged>"
# Title, width, and whether its text stands at the right; the first column is as wide as its widest text.
COLUMNS = (("ID", 12, False), ("DISK USAGE", 10, True), ("CONTENT SIZE", 12, True), ("EXTRA", 5, False))


def image_tree(images: list[JsonObject], *, expanded: bool = False) -> str:
    """The whole list, by name; what has no name comes last. `expanded` (--tree): each once, with its platforms."""
    if not expanded:
        images = [image | {"Manifests": _sizes_only(image)} for image in images]
    table = [
        (names, image)
        for image in images
        for names in ([_names(image)] if expanded else [[name] for name in _names(image)])
    ]
    table.sort(key=lambda row: (not row[0][0], row[0][0]))
    blocks = [(names[:-1], list(_lines(names[-1] or UNTAGGED, image))) for names, image in table]
    firsts = [first for above, lines in blocks for first in (*above, *(line[0] for line in lines))]
    width = max(map(len, ("IMAGE", *firsts)))
    spaced = any(_platforms(image) for image in images)
    text = _line("IMAGE", [title for title, _, _ in COLUMNS], width)
    for above, lines in blocks:
        text += "".join(f"{name:<{width}}\n" for name in above)
        text += "".join(_line(first, cells, width) for first, cells in lines) + ("\n" if spaced else "")
    return text


def _sizes_only(image: JsonObject) -> list[Json]:
    return [{"Kind": "size", "Size": part["Size"]} for part in _platforms(image)]


def _names(image: JsonObject) -> list[str]:
    return sorted(name for name in texts(image, "RepoTags") if name != "<none>:<none>") or [""]


def _platforms(image: JsonObject) -> list[JsonObject]:
    return [item for item in items(image, "Manifests") if isinstance(item, dict) and item["Kind"] == "image"]


def _lines(name: str, image: JsonObject) -> Iterator[tuple[str, list[str]]]:
    parts = _platforms(image)
    content = sum(
        number(part, "Size", "Content") for part in items(image, "Manifests") if text(part, "Kind") in ("image", "size")
    )
    yield name, _cells(text(image, "Id"), number(image, "Size"), content, number(image, "Containers") > 0)
    for place, part in enumerate(parts):
        branch = "└─ " if place == len(parts) - 1 else "├─ "
        about = (text(part, "ImageData", "Platform", key) for key in ("os", "architecture", "variant"))
        total, own = number(part, "Size", "Total"), number(part, "Size", "Content")
        in_use = bool(at(part, "ImageData", "Containers"))
        yield branch + "/".join(filter(None, about)), _cells(text(part, "ID"), total, own, in_use)


def _cells(identifier: str, usage: int, content: int, in_use: bool) -> list[str]:
    return [short_id(identifier), human_size(usage, 3), human_size(content, 3), "U" if in_use else ""]


def _line(first: str, cells: list[str], width: int) -> str:
    text = first.ljust(width)
    for cell, (_, size, right) in zip(cells, COLUMNS, strict=True):
        text += " " * SPACING + (cell.rjust(size) if right else cell.ljust(size))
    return text + "\n"


def _use_tree(run: Invocation) -> bool:
    """The tree is shown where no flag asks for what it does not have (list.go shouldUseTree)."""
    for name in ("quiet", "no-trunc", "digests", "format"):
        if run.options[name]:
            if run.options.on("tree"):
                shown = "show-digest" if name == "digests" else name
                raise StatusError(f"--{shown} is not yet supported with --tree")
            return False
    return not run.options.changed("tree") or bool(run.options.on("tree"))


def ls(run: Invocation) -> int:
    options = run.options
    tree = _use_tree(run)
    filters = run.options.filters()
    if run.arguments:
        filters.setdefault("reference", []).append(run.arguments[0])
    images = run.engine.images(all=options.on("all"), filters=filters)
    if not options.on("all") and "dangling" not in filters:
        images = [image for image in images if image.get("RepoTags") or image.get("RepoDigests")]
    if tree:
        run.process.stdout.write(image_tree(images, expanded=options.on("tree")))
    else:
        _print_table(run, images)
    if not images and run.path == "docker images" and run.arguments and run.arguments[0] in SUBCOMMANDS:
        name = run.arguments[0]
        run.err(f'\nNo images found matching {quote(name)}: did you mean "docker image {name}"?')
    return 0


# What is easily mistaken for a name of an image after docker images (list.go printAmbiguousHint).
SUBCOMMANDS = "build history import inspect list load ls prune pull push rm save tag".split()


def _print_table(run: Invocation, images: list[JsonObject]) -> None:
    options = run.options
    digests = options.on("digests")
    form = options.text("format") or "table"
    if form == "table":
        form = "{{.ID}}" if options.on("quiet") else rows.IMAGE_TABLE_DIGESTS if digests else rows.IMAGE_TABLE
    elif form.startswith("table") and digests and "{{.Digest}}" not in form:
        form += "\t{{.Digest}}"
    any_digest = digests or "{{.Digest}}" in form
    shown = [
        row
        for image in images
        for row in rows.image_rows(
            image, run.now, cut=not options.on("no-trunc"), digests=digests, any_digest=any_digest
        )
    ]
    run.process.stdout.write(render(form, shown, rows.IMAGE_HEADERS))


def history(run: Invocation) -> int:
    options = run.options
    human = options.on("human")
    form = options.text("format") or "table"
    if form == "table":
        form = "{{.ID}}" if options.on("quiet") else rows.HISTORY_TABLE if human else rows.HISTORY_TABLE_EXACT
    steps = run.engine.history(run.arguments[0])
    shown = [rows.history_row(step, run.now, cut=not options.on("no-trunc"), human=human) for step in steps]
    run.process.stdout.write(render(form, shown, rows.HISTORY_HEADERS))
    return 0


def rm(run: Invocation) -> int:
    force = run.options.on("force")
    failures: list[EngineError] = []
    for name in run.arguments:
        try:
            records = run.engine.remove_image(name, force, prune=not run.options.on("no-prune"))
        except EngineError as error:
            failures.append(error)
        else:
            for kind, text in records:
                run.out(f"{kind}: {text}")
    if not failures:
        return 0
    message = "\n".join(daemon_says(error) for error in failures)
    if force and all(error.kind == "not-found" for error in failures):
        run.err(message)
        return 0
    raise StatusError(message)


def tag(run: Invocation) -> int:
    """moby/client image_tag.go says what is wrong with a name."""
    source, target = run.arguments
    for name, read in ((source, parse_any), (target, parse)):
        try:
            found = read(name)
        except ReferenceInvalid as error:
            raise StatusError(
                f"error parsing reference: {quote(name)} is not a valid repository/tag: {error}"
            ) from None
    if found and found.digest:
        raise StatusError("refusing to create a tag with a digest reference")
    run.engine.tag(source, target)
    return 0


DANGLING = "WARNING! This will remove all dangling images.\nAre you sure you want to continue?"
ALL = (
    "WARNING! This will remove all images without at least one container associated to them.\n"
    "Are you sure you want to continue?"
)


def prune(run: Invocation) -> int:
    everything = run.options.on("all")
    if not run.options.on("force") and not run.confirmed(ALL if everything else DANGLING):
        return 0
    filters = run.options.filters()
    filters.setdefault("dangling", []).append("false" if everything else "true")
    gone, space = run.engine.prune_images(all=everything, filters=filters)
    show_pruned(run, "Deleted Images:", pruned_lines(gone))
    run.out(f"Total reclaimed space: {human_size(space)}")
    return 0


def pruned_lines(gone: list[tuple[str, str]]) -> list[str]:
    return [f"{kind.lower()}: {text}" for kind, text in gone]


# pull


def pull(run: Invocation) -> int:
    name = run.arguments[0]
    reference = parse(name)
    if run.options.on("all-tags") and (reference.tag or reference.digest):
        raise StatusError("tag can't be used with --all-tags/-a")
    full = reference.tagged()
    if full != reference and not run.options.on("all-tags") and not run.options.on("quiet"):
        run.out(f"Using default tag: {full.tag}")
    show_pull(
        run, full.familiar, run.options.text("platform"), (lambda line: None) if run.options.on("quiet") else run.out
    )
    run.out(str(full))
    return 0


def show_pull(run: Invocation, name: str, platform: str, show: Callable[[str], object]) -> None:
    """Pull, each line of its progress as it comes."""
    if said := platform_fault(platform) if platform else "":
        raise StatusError(said)
    for line in run.engine.pull(name, platform):
        show(line)
