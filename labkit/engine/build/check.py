"""docker build --check: what BuildKit's linter says of a Dockerfile, which is not built.

The texts are those of moby/buildkit frontend/subrequests/lint/lint.go and docker/buildx commands/build.go,
printResult. Only the stages that the target needs are looked at.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from labkit.engine.build.cache import Views
from labkit.engine.build.client import DEFAULT, BuildRequest, Emit
from labkit.engine.build.solve import Build
from labkit.engine.core.core import Core
from labkit.engine.dockerfile.diagnostics import DockerfileError, LintWarning, excerpt

from .plan import plan

_RULES = "https://docs.docker.com/go/dockerfile/rule"
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class CheckReport:
    """What is printed: the warnings, and the mistake for which the Dockerfile cannot be built ("" for none)."""

    warnings: tuple[str, ...]
    mistake: str


def check(core: Core, request: BuildRequest, emit: Emit) -> CheckReport:
    """Raises BuildError where there is no Dockerfile to check."""
    views, mistake, shown = Views(core), "", _shown_name(request)
    build = Build(core, request, views, emit)
    try:
        source = build.find()
    finally:
        views.close()
    build.show_definition(source)
    text = source.text or ""
    try:
        plan(text, request, build.bases, build.lint)
    except DockerfileError as error:
        mistake = f"{error.message}\n" + "".join(excerpt(shown, text, place) for place in error.places[:1])
    build.bases.show(build.progress)
    warnings = sorted(build.lint.warnings, key=lambda warning: warning.place.start)
    return CheckReport(tuple(_told(warning, shown, text) for warning in warnings), mistake)


def _shown_name(request: BuildRequest) -> str:
    """The Dockerfile as the client names it (docker/buildx build/opt.go, loadInputs)."""
    if request.dockerfile == "-":
        return "stdin"
    return request.dockerfile or posixpath.normpath(posixpath.join(request.context, DEFAULT))


def _told(warning: LintWarning, name: str, text: str) -> str:
    rule, _, detail = warning.text.removesuffix(f" (line {warning.place.start})").partition(": ")
    page = _WORDS.sub("-", rule).lower()
    return f"\nWARNING: {rule} - {_RULES}/{page}/\n{detail}\n{excerpt(name, text, warning.place)}"
