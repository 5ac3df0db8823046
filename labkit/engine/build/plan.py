"""From a Dockerfile to the build graph and the configuration of the image.

The rules and messages are those of moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go. A *state* is a stage
while it is worked out: its variables, folder, user, image configuration and topmost node.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from labkit.engine.core.errors import EngineError
from labkit.engine.core.references import parse as parse_reference
from labkit.engine.dockerfile.errors import DockerfileError, Lines
from labkit.engine.dockerfile.expand import ExpandError, Expansion, Lexer, go_quote
from labkit.engine.dockerfile.lines import Dockerfile, parse_heredoc, read_dockerfile
from labkit.engine.dockerfile.lint import Linter, is_secret, linter
from labkit.engine.dockerfile.parser import (
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Instruction,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stage,
    StopSignal,
    User,
    Volume,
    Workdir,
    health_config,
    parse_mount,
    parse_stages,
    parse_trigger,
)
from labkit.engine.dockerfile.suggest import did_you_mean, suggestion
from labkit.kernel.signals import NUMBERS

from .copying import check_mode
from .graph import BaseNode, CopyNode, CopySource, MkdirNode, Node, ResolvedMount, RunNode

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ("/bin/sh", "-c")
COMMENT = "buildkit.dockerfile.v0"
SCRATCH = "scratch"
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
_NOT_IN_ENV = ("BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE")
_RESERVED = ("context", "scratch")
_COMMON_IMAGES = ("alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora")
_RAW = Lexer(quotes=False)
_REMOTE = re.compile(r"(https?|git|ssh)://|git@")


@dataclass(frozen=True)
class BaseImage:
    """An image as a stage's base. `reference`: its whole name; with a digest where the registry gave one."""

    reference: str
    config: Mapping[str, Any]  # the whole configuration: config, history, rootfs…
    chain: str = ""
    remote: bool = False


class Images(Protocol):
    """Where base images come from."""

    def find(self, reference: str) -> BaseImage:
        """By its whole name. Raises DockerfileError."""


@dataclass(frozen=True)
class Settings:
    target: str = ""
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"


@dataclass
class Plan:
    """What to build: the topmost node (None: no layer at all) and the image's configuration on it."""

    top: Node | None
    config: dict[str, Any]
    history: list[dict[str, Any]]
    author: str
    context_paths: list[str]  # what is copied from the build context
    base: Mapping[str, Any]  # the configuration of the image at the very bottom


class State:
    """A stage while it is worked out."""

    def __init__(self, stage: Stage | None, name: str, base_name: str, place: Lines) -> None:
        self.stage = stage
        self.name = name  # as shown
        self.base_name = base_name
        self.place = place
        self.base: State | None = None
        self.deps: dict[State, Lines] = {}
        self.commands: list[Command] = []
        self.implicit = stage is None  # an image that only COPY --from names
        self.dispatched = self.resolved = self.triggered = self.workdir_set = False
        self.total = self.index = 0
        self.onbuild = False  # the command at work is a trigger
        self.node: Node | None = None
        self.env: dict[str, str] = {}
        self.cwd = "/"
        self.user = ""
        self.author = ""
        self.config: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []
        self.args: list[tuple[str, str | None]] = []
        self.used: dict[str, Lines] = {}  # CMD, ENTRYPOINT and HEALTHCHECK of this stage
        self.image: Mapping[str, Any] = {}

    @property
    def given_name(self) -> str:
        return self.stage.head.name if self.stage else ""

    def inherit(self) -> None:
        """Go on from the stage that this one is FROM."""
        base = self.base
        if base is None:
            return
        self.node, self.env, self.cwd, self.user, self.author = (
            base.node,
            dict(base.env),
            base.cwd,
            base.user,
            base.author,
        )
        self.config, self.history = deepcopy(base.config), list(base.history)
        self.args, self.workdir_set, self.image = list(base.args), base.workdir_set, base.image

    def prefixed(self, text: str) -> str:
        """The name of the next step."""
        if not self.total:
            return text
        self.index += 1
        stage = f"{self.name} " if self.name else ""
        width = int(1 + math.log10(self.total))
        trigger = "ONBUILD " if self.onbuild else ""
        return f"[{stage}{self.index:{width}d}/{self.total}] {trigger}{text}"

    def record(self, text: str, *, layer: bool = False, suffix: bool = False) -> None:
        """One more line of history."""
        entry = {"created_by": text + (" # buildkit" if suffix else ""), "comment": COMMENT}
        self.history.append(entry if layer else {**entry, "empty_layer": True})

    def set_env(self, name: str, value: str) -> None:
        self.env.pop(name, None)
        self.env[name] = value


@dataclass
class Command:
    instruction: Instruction
    sources: list[State | None]  # one for COPY --from, one a mount for RUN
    onbuild: bool = False


def plan(text: str, settings: Settings, images: Images) -> tuple[Plan, Linter]:
    """Work out a Dockerfile. Raises DockerfileError, whose `lint` has the warnings so far."""
    planner = _Planner(settings, images)
    try:
        return planner.plan(text), planner.lint
    except DockerfileError as error:
        error.lint = planner.lint
        raise


class _Planner:
    def __init__(self, settings: Settings, images: Images) -> None:
        self.settings = settings
        self.images = images
        self.lint = Linter()
        self.lexer = Lexer()
        self.states: list[State] = []
        self.by_name: dict[str, State] = {}
        self.globals: dict[str, str] = {}
        self.context_paths: dict[str, None] = {}

    def plan(self, text: str) -> Plan:
        if not text:
            raise DockerfileError("the Dockerfile cannot be empty")
        dockerfile = self._read(text)
        stages, before = parse_stages(dockerfile.nodes, self.lint)
        self._check_names(stages)
        self._check_casing(stages)
        self.lexer = Lexer(dockerfile.escape)
        self._global_args(stages, before)
        self._add_stages(stages, before)
        target = self._target()
        self._find_sources()
        self._refuse_circles()
        if len(self.states) == 1:
            self.states[0].name = ""
        reachable = self._resolve_all(target)
        for state in self.states:
            if state in reachable and not state.dispatched:
                self._dispatch_state(state)
        if self.settings.labels:
            target.config["Labels"] = {**(target.config.get("Labels") or {}), **self.settings.labels}
        self.lint.refuse()
        return Plan(target.node, target.config, target.history, target.author, list(self.context_paths), target.image)

    def _read(self, text: str) -> Dockerfile:
        dockerfile = read_dockerfile(text)
        self.lint = linter(dockerfile.check)
        for place in dockerfile.empty_continuations:
            self.lint.warn("NoEmptyContinuation", place)
        return dockerfile

    # checks of the whole file

    def _check_names(self, stages: list[Stage]) -> None:
        seen = set()
        for stage in stages:
            name = stage.head.name
            if name in _RESERVED:
                self.lint.warn("ReservedStageName", stage.head.place, name)
            if name in seen:
                self.lint.warn("DuplicateStageName", stage.head.place, name)
            if name:
                seen.add(name)

    def _check_casing(self, stages: list[Stage]) -> None:
        written = [each for stage in stages for each in (stage.head, *stage.instructions)]
        lower = sum(each.keyword == each.keyword.lower() for each in written)
        upper = sum(each.keyword == each.keyword.upper() for each in written)
        casing, fold = ("lowercase", str.lower) if lower > upper else ("uppercase", str.upper)
        for each in written:
            if fold(each.keyword) != each.keyword:
                self.lint.warn("ConsistentInstructionCasing", each.place, each.keyword, casing)

    # arguments before the first FROM

    def _global_args(self, stages: list[Stage], before: list[Arg]) -> None:
        os_, arch, *variant = self.settings.platform.split("/")
        target = self.settings.target or stages[-1].head.name
        about = {"PLATFORM": self.settings.platform, "OS": os_, "OSVERSION": "", "ARCH": arch}
        about["VARIANT"] = variant[0] if variant else ""
        self.globals = {f"{side}{key}": value for side in ("BUILD", "TARGET") for key, value in about.items()}
        self.globals["TARGETSTAGE"] = target or "default"
        for name in self.globals:
            self.globals[name] = self.settings.build_args.get(name, self.globals[name])
        try:
            defaults = self._with_args(before, {})
            self._check_defaults(stages, defaults)
        except DockerfileError:
            pass
        self.globals = self._with_args(before, self.settings.build_args)

    def _with_args(self, before: list[Arg], given: Mapping[str, str]) -> dict[str, str]:
        env = dict(self.globals)
        for arg in before:
            for pair in arg.pairs:
                if pair.name in given:
                    env[pair.name] = given[pair.name]
                elif pair.value is not None:
                    env[pair.name] = self._expand(pair.value, env, arg.place).text
        return env

    def _check_defaults(self, stages: list[Stage], env: Mapping[str, str]) -> None:
        for stage in stages:
            name = self._expand(stage.head.base, env, stage.head.place).text
            try:
                parse_reference(name)
            except EngineError:
                self.lint.warn("InvalidDefaultArgInFrom", stage.head.place, stage.head.base)

    def _expand(self, word: str, env: Mapping[str, str], place: Lines, lexer: Lexer | None = None) -> Expansion:
        try:
            return (lexer or self.lexer).expand(word, env)
        except ExpandError as error:
            raise DockerfileError(str(error), place) from None

    # stages

    def _add_stages(self, stages: list[Stage], before: list[Arg]) -> None:
        declared = {pair.name for arg in before for pair in arg.pairs} | set(self.globals)
        for number, stage in enumerate(stages):
            head = stage.head
            base = self._expand(head.base, self.globals, head.place)
            for name in base.unmatched:
                if name not in declared:
                    meant = suggestion(name, sorted(declared))
                    self.lint.warn("UndefinedArgInFrom", head.place, name, f" (did you mean {meant}?)" if meant else "")
            if not base.text:
                raise DockerfileError(f"base name ({head.base}) should not be blank", head.place)
            self._check_platform(stage)
            state = State(stage, head.name or f"stage-{number}", base.text, head.place)
            self._register(state, head.name)
            state.total = int(state.base_name != SCRATCH and state.base is None)
            state.total += sum(isinstance(each, Copy | Run | Workdir) for each in stage.instructions)

    def _check_platform(self, stage: Stage) -> None:
        head = stage.head
        if not head.platform:
            return
        platform = self._expand(head.platform, self.globals, head.place)
        if not platform.text:
            raise DockerfileError(f"empty platform value from expression {head.platform}", head.place)
        if list(platform.matched) == ["TARGETPLATFORM"] and platform.text == self.globals["TARGETPLATFORM"]:
            self.lint.warn("RedundantTargetPlatform", head.place, head.platform)
        parts = platform.text.split("/")
        if not platform.matched and not platform.unmatched and not any(part in head.name for part in parts[:2]):
            self.lint.warn("FromPlatformFlagConstDisallowed", head.place, platform.text)

    def _register(self, state: State, name: str = "") -> None:
        self.states.append(state)
        state.base = self.by_name.get(state.base_name)
        if name:
            self.by_name[name.lower()] = state

    def _target(self) -> State:
        wanted = self.settings.target
        if not wanted:
            return self.states[-1]
        if wanted.lower() not in self.by_name:
            raise DockerfileError(f"target stage {go_quote(wanted)} could not be found")
        return self.by_name[wanted.lower()]

    def _find_sources(self) -> None:
        for state in list(self.states):
            assert state.stage
            state.commands = [self._command(state, each) for each in state.stage.instructions]

    def _command(self, state: State, instruction: Instruction, *, onbuild: bool = False) -> Command:
        sources: list[State | None] = []
        if isinstance(instruction, Copy) and instruction.from_:
            sources = [self._source(instruction.from_, instruction.place)]
        if isinstance(instruction, Run):
            sources = [self._mount_source(text, instruction.place) for text in instruction.mounts]
        for source in sources:
            if source:
                state.deps.setdefault(source, instruction.place)
        return Command(instruction, sources, onbuild)

    def _source(self, name: str, place: Lines) -> State:
        """The stage or image that --from means."""
        if re.fullmatch(r"[+-]?\d+", name):
            number = int(name)
            if not 0 <= number < len(self.states):
                raise DockerfileError(f"invalid stage index {number}")
            return self.states[number]
        if name.lower() in self.by_name:
            return self.by_name[name.lower()]
        state = State(None, "", name, place)
        self._register(state)
        return state

    def _mount_source(self, text: str, place: Lines) -> State | None:
        mount = parse_mount(text, None)
        return self._source(mount.from_, place) if mount.from_ else None

    def _refuse_circles(self) -> None:
        visited: set[State] = set()
        path: set[State] = set()

        def visit(state: State, places: list[Lines]) -> list[Lines] | None:
            if state in visited:
                return None
            visited.add(state)
            path.add(state)
            for other, place in state.deps.items():
                found = [*places, place] if other in path else visit(other, [*places, place])
                if found:
                    return found
            path.discard(state)
            return None

        for state in self.states:
            if found := visit(state, []):
                raise DockerfileError(f"circular dependency detected on stage: {state.name}", *found)

    # base images and what they trigger

    def _resolve_all(self, target: State) -> set[State]:
        while True:
            reachable = _reachable(target)
            for state in list(self.states):
                if state in reachable and state.base is None and not state.resolved:
                    self._resolve(state)
            new = [self._trigger(state) for state in self.states if state in reachable]
            if not any(new):
                return reachable

    def _resolve(self, state: State) -> None:
        state.resolved = True
        state.dispatched = state.implicit
        if state.base_name == SCRATCH:
            return
        try:
            reference = str(parse_reference(state.base_name).tagged())
        except EngineError as error:
            message = f"failed to parse stage name {go_quote(state.base_name)}: {error.message}"
            raise DockerfileError(message, state.place) from None
        try:
            image = self.images.find(reference)
        except DockerfileError as error:
            known = [each.name for each in self.states if each.name]
            known += [form for name in _COMMON_IMAGES for form in (name, f"{name}:latest")]
            message = did_you_mean(f"{state.base_name}: {error.message}", state.base_name, known)
            raise DockerfileError(message, state.place) from None
        self._take(state, image)

    def _take(self, state: State, image: BaseImage) -> None:
        state.image = image.config
        state.config = deepcopy(dict(image.config.get("config") or {}))
        state.history = [dict(entry) for entry in image.config.get("history") or ()]
        state.author = image.config.get("author", "")
        if image.chain:
            name = state.prefixed(f"FROM {image.reference}")
            state.node = BaseNode(name, state.place, None, image.reference, image.chain, image.remote)

    def _trigger(self, state: State) -> bool:
        """Put the base's ONBUILD instructions first; whether they need other stages."""
        if state.triggered or (state.base and not state.base.triggered):
            return False
        state.triggered = True
        texts = list(state.config.pop("OnBuild", None) or ())
        if state.base:
            own = (each.instruction for each in state.base.commands)
            texts += [each.expression for each in own if isinstance(each, Onbuild)]
        if not texts or state.implicit:
            return False
        try:
            commands = [self._command(state, parse_trigger(text, state.place), onbuild=True) for text in texts]
        except ValueError as error:
            raise DockerfileError(str(error), state.place) from None
        except DockerfileError as error:
            raise DockerfileError(error.message, state.place) from None
        state.commands = commands + state.commands
        state.total += len(commands)
        return any(source for command in commands for source in command.sources)

    # instructions

    def _dispatch_state(self, state: State) -> None:
        if state.base:
            state.inherit()
            state.config.pop("OnBuild", None)
        state.dispatched = True
        config = state.config
        env = [each.partition("=") for each in config.get("Env") or ()]
        if "PATH" not in {name for name, _, _ in env}:
            config["Env"] = [*(config.get("Env") or ()), f"PATH={DEFAULT_PATH}"]
            env.append(("PATH", "=", DEFAULT_PATH))
        for name, _, value in env:
            state.set_env(name, value)
        state.cwd = _joined("/", config.get("WorkingDir") or "/")
        state.user = config.get("User") or ""
        for command in state.commands:
            self._dispatch(state, command)

    def _dispatch(self, state: State, command: Command) -> None:
        state.onbuild = command.onbuild
        instruction = command.instruction
        _HANDLERS[type(instruction)](self, state, instruction, command.sources)

    def _word(self, state: State, word: str, place: Lines, lexer: Lexer | None = None) -> str:
        """A word with the stage's variables; those it does not know are warned of."""
        found = self._expand(word, state.env, place, lexer)
        self._warn_undefined(state, found.unmatched, place)
        return found.text

    def _warn_undefined(self, state: State, names: Iterable[str], place: Lines) -> None:
        declared = {name for name, _ in state.args}
        for name in names:
            if name in declared or name in _NOT_IN_ENV:
                continue
            meant = suggestion(name, state.env)
            self.lint.warn("UndefinedVar", place, name, f" (did you mean ${meant}?)" if meant else "")

    def _label(self, state: State, text: str, lexer: Lexer | None = None) -> str:
        """A step's name: the line with its variables, its keyword in capitals."""
        with suppress(ExpandError):
            text = (lexer or self.lexer).expand(text, state.env).text
        keyword, blank, rest = text.partition(" ")
        return state.prefixed(f"{keyword.upper()}{blank}{rest}")

    def _env(self, state: State, env: Env, sources: list[State | None]) -> None:
        text = "ENV"
        pairs = [
            (self._word(state, pair.name, env.place), self._word(state, pair.value or "", env.place))
            for pair in env.pairs
        ]
        for pair, (name, value) in zip(env.pairs, pairs, strict=True):
            if pair.legacy:
                self.lint.warn("LegacyKeyValueFormat", env.place, env.keyword)
            if is_secret(name):
                self.lint.warn("SecretsUsedInArgOrEnv", env.place, "ENV", name)
            text += f" {name}={value}"
            state.set_env(name, value)
            state.config["Env"] = _with_variable(state.config.get("Env") or [], name, value)
        state.record(text)

    def _arg(self, state: State, arg: Arg, sources: list[State | None]) -> None:
        texts = []
        for pair in arg.pairs:
            if is_secret(pair.name):
                self.lint.warn("SecretsUsedInArgOrEnv", arg.place, "ARG", pair.name)
            value = self._arg_value(state, pair.name, pair.value, arg.place)
            if value is not None and pair.name not in _NOT_IN_ENV:
                state.set_env(pair.name, value)
            state.args.append((pair.name, value))
            texts.append(pair.name if value is None else f"{pair.name}={value}")
        state.record(f"ARG {' '.join(texts)}")

    def _arg_value(self, state: State, name: str, default: str | None, place: Lines) -> str | None:
        if name in self.settings.build_args:
            return self.settings.build_args[name]
        if default is not None:
            return self._word(state, default, place)
        return self.globals.get(name)

    def _label_instruction(self, state: State, label: Label, sources: list[State | None]) -> None:
        text = "LABEL"
        labels = dict(state.config.get("Labels") or {})
        for pair in label.pairs:
            if pair.legacy:
                self.lint.warn("LegacyKeyValueFormat", label.place, label.keyword)
            name = self._word(state, pair.name, label.place)
            labels[name] = self._word(state, pair.value or "", label.place)
            text += f" {name}={labels[name]}"
        state.config["Labels"] = labels
        state.record(text)

    def _workdir(self, state: State, workdir: Workdir, sources: list[State | None]) -> None:
        path = self._word(state, workdir.path, workdir.place)
        if not state.workdir_set and not path.startswith("/"):
            self.lint.warn("WorkdirRelativePath", workdir.place, path)
        state.workdir_set = True
        state.cwd = _joined(state.cwd, path)
        state.config["WorkingDir"] = state.cwd
        if state.cwd != "/":
            name = self._label(state, workdir.code)
            state.node = MkdirNode(name, workdir.place, state.node, state.cwd, state.user, stage=state.given_name)
        state.record(f"WORKDIR {state.cwd}", layer=state.cwd != "/")

    def _user(self, state: State, user: User, sources: list[State | None]) -> None:
        state.user = state.config["User"] = self._word(state, user.user, user.place)
        state.record(f"USER {state.user}")

    def _volume(self, state: State, volume: Volume, sources: list[State | None]) -> None:
        paths = [self._word(state, path, volume.place) for path in volume.paths]
        if "" in paths:
            raise DockerfileError("VOLUME specified can not be an empty string", volume.place)
        state.config["Volumes"] = {**(state.config.get("Volumes") or {}), **{path: {} for path in paths}}
        state.record(f"VOLUME [{' '.join(paths)}]")

    def _expose(self, state: State, expose: Expose, sources: list[State | None]) -> None:
        ports: list[str] = []
        for text in expose.ports:
            for word in self._expand(text, state.env, expose.place).words:
                ports += self._ports(word, expose.place)
        state.config["ExposedPorts"] = {**(state.config.get("ExposedPorts") or {}), **{port: {} for port in ports}}
        state.record(f"EXPOSE [{' '.join(ports)}]")

    def _ports(self, word: str, place: Lines) -> list[str]:
        host, mapped, text = word.rpartition(":")
        text, _, protocol = text.partition("/")
        protocol = protocol or "tcp"
        if not text or protocol.lower() not in ("tcp", "udp", "sctp"):
            problem = f"invalid proto: {protocol}" if text else "no port specified"
            raise DockerfileError(f"invalid port: {go_quote(word)}: {problem}", place)
        if protocol != protocol.lower():
            self.lint.warn("ExposeProtoCasing", place, word)
        if mapped and host:
            self.lint.warn("ExposeInvalidFormat", place, word)
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if not match or last < first or last > 65535:
            raise DockerfileError(f"invalid containerPort: {text}", place)
        return [f"{port}/{protocol.lower()}" for port in range(first, last + 1)]

    def _stop_signal(self, state: State, stop: StopSignal, sources: list[State | None]) -> None:
        signal = self._word(state, stop.signal, stop.place)
        if not _is_signal(signal):
            raise DockerfileError(f"invalid signal: {signal}", stop.place)
        state.config["StopSignal"] = signal
        state.record(f"STOPSIGNAL {signal}")

    def _shell(self, state: State, shell: Shell, sources: list[State | None]) -> None:
        state.config["Shell"] = list(shell.words)
        state.record(f"SHELL [{' '.join(shell.words)}]")

    def _maintainer(self, state: State, maintainer: Maintainer, sources: list[State | None]) -> None:
        state.author = maintainer.name
        state.record(f"MAINTAINER {maintainer.name}")

    def _onbuild(self, state: State, onbuild: Onbuild, sources: list[State | None]) -> None:
        state.config["OnBuild"] = [*(state.config.get("OnBuild") or ()), onbuild.expression]

    def _once(self, state: State, instruction: Instruction) -> None:
        name = instruction.keyword.upper()
        if name in state.used:
            self.lint.warn("MultipleInstructionsDisallowed", state.used[name], instruction.keyword)
        state.used[name] = instruction.place

    def _with_shell(self, state: State, words: tuple[str, ...]) -> list[str]:
        return [*(state.config.get("Shell") or DEFAULT_SHELL), " ".join(words)]

    def _words(self, state: State, command: Cmd | Entrypoint) -> list[str]:
        self._once(state, command)
        if not command.shell:
            return list(command.words)
        if not state.config.get("Shell"):
            self.lint.warn("JSONArgsRecommended", command.place, command.keyword)
        return self._with_shell(state, command.words)

    def _cmd(self, state: State, cmd: Cmd, sources: list[State | None]) -> None:
        words = self._words(state, cmd)
        state.config |= {"Cmd": words, "ArgsEscaped": True}
        state.record(f"CMD {_quoted(words)}")

    def _entrypoint(self, state: State, entrypoint: Entrypoint, sources: list[State | None]) -> None:
        words = self._words(state, entrypoint)
        state.config["Entrypoint"] = words
        if "CMD" not in state.used:
            state.config.pop("Cmd", None)
        state.record(f"ENTRYPOINT {_quoted(words)}")

    def _healthcheck(self, state: State, health: Healthcheck, sources: list[State | None]) -> None:
        self._once(state, health)
        times = (health.interval, health.timeout, health.start_period, health.start_interval)
        state.config["Healthcheck"] = health_config(health)
        shown = " ".join(go_quote(_go_duration(time)) for time in times)
        state.record(f"HEALTHCHECK &{{{_quoted(health.test)} {shown} {go_quote(chr(health.retries), chr(39))}}}")

    # steps

    def _run(self, state: State, run: Run, sources: list[State | None]) -> None:
        words, script, label = self._run_words(run)
        args = self._with_shell(state, words) if run.shell and script is None else list(words)
        mounts = tuple(
            self._mount(state, text, source, run.place) for text, source in zip(run.mounts, sources, strict=True)
        )
        name = self._label(state, label, replace(self.lexer, keep_quotes=True, keep_unset=True))
        state.node = RunNode(
            name,
            run.place,
            state.node,
            args=tuple(args),
            env=tuple(state.env.items()),
            hidden_env=self._proxies(),
            arguments=tuple(name for name, _ in state.args),
            cwd=state.cwd,
            user=state.user,
            mounts=mounts,
            network=run.network,
            script=script,
            stage=state.given_name,
        )
        shown: dict[str, str] = {}
        for key, value in state.args:
            shown[key] = f"{key}={state.env.get(key, value or '')}"
        given = [f"|{len(shown)}", *shown.values()] if shown else []
        state.record(f"RUN {' '.join([*given, *args])}", layer=True, suffix=True)

    def _run_words(self, run: Run) -> tuple[tuple[str, ...], tuple[str, str] | None, str]:
        """The words to run, the heredoc that is a script of its own, and the text of the step's name."""
        if not run.heredocs:
            return run.words, None, run.code
        if len(run.words) != 1 or not run.shell:
            raise DockerfileError(f"parsing produced an invalid run command: [{' '.join(run.words)}]", run.place)
        first = run.heredocs[0]
        if not parse_heredoc(run.words[0]):
            documents = "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in run.heredocs)
            return (run.words[0] + documents,), None, run.code
        label = f"{run.code} ({_summary(first.content)})"
        if first.content.startswith("#!"):
            return (f"/dev/pipes/{first.name}",), (first.name, first.text), label
        return (first.text,), None, label

    def _mount(self, state: State, text: str, source: State | None, place: Lines) -> ResolvedMount:
        try:
            mount = parse_mount(text, lambda word: self._word(state, word, place))
        except ValueError as error:
            raise DockerfileError(str(error), place) from None
        if source and not source.dispatched:
            raise DockerfileError(
                f"cannot mount from stage {go_quote(mount.from_)} to {go_quote(mount.target)}, "
                "stage needs to be defined before current command",
                place,
            )
        target = mount.target or (f"/run/secrets/{mount.id or mount.source}" if mount.type == "secret" else "")
        target = _joined(state.cwd, target)
        if target == "/":
            raise DockerfileError(f"invalid mount target {go_quote(mount.target)}", place)
        context = mount.type == "bind" and source is None
        if context:
            self.context_paths[mount.source or "/"] = None
        return ResolvedMount(replace(mount, target=target), source.node if source else None, context)

    def _proxies(self) -> tuple[tuple[str, str], ...]:
        given = {key.lower(): value for key, value in self.settings.build_args.items() if key.lower() in _PROXIES}
        return tuple((form(key), value) for key, value in given.items() for form in (str.upper, str.lower))

    def _copy(self, state: State, copy: Copy, sources: list[State | None]) -> None:
        source = sources[0] if sources else None
        if source and not source.dispatched:
            raise DockerfileError(
                f"cannot copy from stage {go_quote(copy.from_)}, "
                f"it needs to be defined before current stage {go_quote(state.name)}",
                copy.place,
            )
        word: Callable[[str], str] = lambda text: self._word(state, text, copy.place)  # noqa: E731
        chown, chmod = word(copy.chown), word(copy.chmod)
        paths, target = [word(path) for path in copy.sources], word(copy.target)
        if chmod:
            try:
                check_mode(chmod)
            except ValueError as error:
                raise DockerfileError(str(error), copy.place) from None
        if copy.checksum:
            self._check_checksum(paths, copy.place)
        from_ = [self._copy_source(copy, path, source) for path in paths]
        for heredoc in copy.inline:
            text = self._word(state, heredoc.text, copy.place, _RAW) if heredoc.expand else heredoc.text
            from_.append(CopySource(heredoc.name, text=text))
        state.node = CopyNode(
            self._label(state, copy.code),
            copy.place,
            state.node,
            from_=tuple(from_),
            target=_target_path(state.cwd, target),
            chown=chown,
            chmod=chmod,
            exclude=copy.exclude,
            unpack=copy.add if copy.unpack is None else copy.unpack,
            stage=state.given_name,
        )
        flags = ["--parents"] if copy.parents else []
        flags += [f"--chown={chown}"] if chown else []
        flags += [f"--chmod={chmod}"] if chmod else []
        words = [*flags, *paths, *(f"<<{heredoc.name}" for heredoc in copy.inline), target]
        state.record(f"{'ADD' if copy.add else 'COPY'} {' '.join(words)}", layer=True, suffix=True)

    def _check_checksum(self, paths: list[str], place: Lines) -> None:
        if len(paths) != 1:
            raise DockerfileError("checksum can't be specified for multiple sources", place)
        if not _REMOTE.match(paths[0]):
            raise DockerfileError("checksum requires HTTP(S) or Git sources", place)

    def _copy_source(self, copy: Copy, path: str, source: State | None) -> CopySource:
        if _REMOTE.match(path):
            if copy.add:
                message = (
                    f"failed to load cache key: Get {go_quote(path)}: dial tcp: lookup {_host(path)}: no such host"
                )
                raise DockerfileError(message, copy.place)
            raise DockerfileError("source can't be a URL for COPY", copy.place)
        from_context = source is None
        if from_context:
            self.context_paths[posixpath.normpath(posixpath.join("/", path))] = None
        include: tuple[str, ...] = ()
        if copy.parents:
            parent, pivot, pattern = path.partition("/./")
            path, pattern = (parent, pattern) if pivot else ("/", path)
            include = (posixpath.normpath(posixpath.join("/", pattern)).lstrip("/"),)
        return CopySource(
            posixpath.normpath(posixpath.join("/", path)).replace("//", "/"),
            node=source.node if source else None,
            context=from_context,
            include=include,
        )


_Handler = Callable[[Any, State, Any, list[State | None]], None]
_HANDLERS: dict[type[Instruction], _Handler] = {
    Arg: _Planner._arg,
    Cmd: _Planner._cmd,
    Copy: _Planner._copy,
    Entrypoint: _Planner._entrypoint,
    Env: _Planner._env,
    Expose: _Planner._expose,
    Healthcheck: _Planner._healthcheck,
    Label: _Planner._label_instruction,
    Maintainer: _Planner._maintainer,
    Onbuild: _Planner._onbuild,
    Run: _Planner._run,
    Shell: _Planner._shell,
    StopSignal: _Planner._stop_signal,
    User: _Planner._user,
    Volume: _Planner._volume,
    Workdir: _Planner._workdir,
}


def _reachable(target: State) -> set[State]:
    found: set[State] = set()
    waiting = [target]
    while waiting:
        state = waiting.pop()
        if state not in found:
            found.add(state)
            waiting += [other for other in (state.base, *state.deps) if other]
    return found


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join("/", folder, path)).replace("//", "/")


def _target_path(cwd: str, path: str) -> str:
    """COPY's target from the root; a slash at its end stays, and `.` has one."""
    slash = path in ("", ".") or path.endswith(("/", "/."))
    full = _joined(cwd, path)
    return full + "/" if slash and full != "/" else full


def _with_variable(env: list[str], name: str, value: str) -> list[str]:
    new = f"{name}={value}"
    if any(each.partition("=")[0] == name for each in env):
        return [new if each.partition("=")[0] == name else each for each in env]
    return [*env, new]


def _quoted(words: Iterable[str]) -> str:
    return f"[{' '.join(go_quote(word) for word in words)}]"


def _summary(text: str) -> str:
    lines = text.strip().replace("\r\n", "\n").split("\n")
    return lines[0] + ("..." if len(lines) > 1 else "")


def _host(url: str) -> str:
    return re.sub(r"^[a-z]+://", "", url).partition("/")[0]


def _is_signal(text: str) -> bool:
    if text.isdigit():
        return int(text) != 0
    return text.upper().removeprefix("SIG") in NUMBERS


def _go_duration(nanoseconds: int) -> str:
    """As Go prints a time.Duration: 5m0s, 1.5s, 300ms."""
    if not nanoseconds:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return f"{nanoseconds / size:g}{unit}"
    seconds = nanoseconds / 10**9
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{head}{rest:g}s"
