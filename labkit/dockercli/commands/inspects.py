"""inspect: of a container, an image, a volume, or of whatever has that name (docker/cli cli/command/inspect)."""

from __future__ import annotations

from collections.abc import Callable

from labkit.engine.core.errors import EngineError
from labkit.kernel.golang import JsonObject, quote

from ..flags import StatusError
from ..gotext import indented, raw, to_json, typed
from ..template import Template, TemplateError
from . import Invocation, daemon_says

Found = tuple[str, JsonObject]  # the kind, for structs.typed, and the daemon's JSON
Getter = Callable[[str], Found]


class _NotFound(Exception):
    """str() is what the client says."""


def container(run: Invocation) -> int:
    return _inspect(run, _containers(run))


def image(run: Invocation) -> int:
    return _inspect(run, lambda name: ("image", run.engine.inspect_image(name)))


def volume(run: Invocation) -> int:
    return _inspect(run, lambda name: ("volume", run.engine.inspect_volume(name)))


def network(run: Invocation) -> int:
    return _inspect(run, lambda name: ("network", run.engine.inspect_network(name)))


def _containers(run: Invocation) -> Getter:
    size = bool(run.options.on("size"))
    return lambda name: ("container", run.engine.inspect_container(name, size=size))


# What docker inspect tries, in order; those that only a swarm has are never found (cli/command/system/inspect.go).
KINDS = ("config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume")


def any_object(run: Invocation) -> int:
    wanted = run.options.text("type")
    choices = '"' + '", "'.join(KINDS) + '"'
    if run.options.changed("type") and not wanted:
        raise StatusError(f"type is empty: must be one of {choices}")
    if wanted and wanted not in KINDS:
        raise StatusError(f"unknown type: {quote(wanted)}: must be one of {choices}")
    getters = _getters(run)
    if wanted in getters:
        return _inspect(run, getters[wanted])

    def search(name: str) -> Found:
        for kind, getter in getters.items() if not wanted else ():
            try:
                found = getter(name)
            except EngineError as error:
                if error.kind == "not-found" or "invalid reference format" in error.message:
                    continue
                raise
            if run.options.on("size") and kind != "container":
                run.err(f"WARNING: --size ignored for {kind}")
            return found
        raise _NotFound(f"error: no such object: {name}")

    return _inspect(run, search)


def _getters(run: Invocation) -> dict[str, Getter]:
    return {
        "container": _containers(run),
        "image": lambda name: ("image", run.engine.inspect_image(name)),
        "network": lambda name: ("network", run.engine.inspect_network(name)),
        "volume": lambda name: ("volume", run.engine.inspect_volume(name)),
    }


def _inspect(run: Invocation, get: Getter) -> int:
    """All objects in one list, or a line of the template for each; errors come after what was found."""
    form = run.options.text("format")
    show = _lister(form) if form in ("", "json") else _templater(form)
    found: list[Found] = []
    failures: list[str] = []
    lines: list[str] = []
    for name in run.arguments:
        try:
            found.append(get(name))
            lines += show(found[-1])
        except EngineError as error:
            failures.append(daemon_says(error))
        except (_NotFound, TemplateError) as error:
            failures.append(str(error))
    if form in ("", "json"):
        documents = [document for _, document in found]
        run.out("[]" if not documents else to_json(documents) if form == "json" else indented(documents))
    else:
        run.process.stdout.write("".join(line + "\n" for line in lines) or "\n")
    if failures:
        raise StatusError("\n".join(failures))
    return 0


def _lister(form: str) -> Callable[[Found], list[str]]:
    return lambda found: []


def _templater(form: str) -> Callable[[Found], list[str]]:
    try:
        template = Template(form)
    except TemplateError as error:
        raise StatusError(f"template parsing error: {error}", 64) from None

    def show(found: Found) -> list[str]:
        kind, document = found
        try:
            return [template.render(typed(kind, document))]
        except TemplateError:
            pass
        try:
            return [template.render(raw(document), strict=True)]
        except TemplateError as error:
            raise TemplateError(f"template parsing error: {error}") from None

    return show
