"""What each instruction of a Dockerfile does to its stage: to the image's configuration, or as a step of its own.

Rules and messages: moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go (dispatchEnv and its like),
convert_copy.go, convert_runmount.go. WORKDIR, RUN, COPY and ADD become vertices of the graph.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from labkit.engine.build.copying import check_mode
from labkit.engine.build.graph import CopySource, CopyVertex, MkdirVertex, RunVertex, VertexMount
from labkit.engine.build.stages import NOT_IN_ENV, Planning, StageState
from labkit.engine.dockerfile.diagnostics import DockerfileError, Lines, is_secret
from labkit.engine.dockerfile.expand import Lexer
from labkit.engine.dockerfile.instructions import (
    ArgInstruction,
    CmdInstruction,
    CopyInstruction,
    EntrypointInstruction,
    EnvInstruction,
    ExposeInstruction,
    HealthcheckInstruction,
    Instruction,
    LabelInstruction,
    MaintainerInstruction,
    OnbuildInstruction,
    RunInstruction,
    ShellInstruction,
    StopSignalInstruction,
    UserInstruction,
    VolumeInstruction,
    WorkdirInstruction,
    parse_mount,
)
from labkit.engine.dockerfile.lines import parse_heredoc
from labkit.engine.dockerfile.parser import health_config
from labkit.kernel.golang import Json, go_duration, items, members, quote, texts
from labkit.kernel.process import NUMBERS

DEFAULT_SHELL = ("/bin/sh", "-c")


def env(planning: Planning, state: StageState, env: EnvInstruction) -> None:
    text = "ENV"
    pairs = [
        (planning.word(state, pair.name, env.place), planning.word(state, pair.value or "", env.place))
        for pair in env.pairs
    ]
    for pair, (name, value) in zip(env.pairs, pairs, strict=True):
        if pair.legacy:
            planning.lint.warn("LegacyKeyValueFormat", env.place, env.keyword)
        if is_secret(name):
            planning.lint.warn("SecretsUsedInArgOrEnv", env.place, "ENV", name)
        text += f" {name}={value}"
        state.set_env(name, value)
        state.config["Env"] = _with_variable(texts(state.config, "Env"), name, value)
    state.record(text)


def arg(planning: Planning, state: StageState, arg: ArgInstruction) -> None:
    texts = []
    for pair in arg.pairs:
        if is_secret(pair.name):
            planning.lint.warn("SecretsUsedInArgOrEnv", arg.place, "ARG", pair.name)
        value = _arg_value(planning, state, pair.name, pair.value, arg.place)
        if value is not None and pair.name not in NOT_IN_ENV:
            state.set_env(pair.name, value)
        state.args.append((pair.name, value))
        texts.append(pair.name if value is None else f"{pair.name}={value}")
    state.record(f"ARG {' '.join(texts)}")


def _arg_value(planning: Planning, state: StageState, name: str, default: str | None, place: Lines) -> str | None:
    if name in planning.request.build_args:
        return planning.request.build_args[name]
    if default is not None:
        return planning.word(state, default, place)
    return planning.globals.get(name)


def label(planning: Planning, state: StageState, label: LabelInstruction) -> None:
    text = "LABEL"
    labels = dict(members(state.config, "Labels"))
    for pair in label.pairs:
        if pair.legacy:
            planning.lint.warn("LegacyKeyValueFormat", label.place, label.keyword)
        name = planning.word(state, pair.name, label.place)
        labels[name] = planning.word(state, pair.value or "", label.place)
        text += f" {name}={labels[name]}"
    state.config["Labels"] = labels
    state.record(text)


def user(planning: Planning, state: StageState, user: UserInstruction) -> None:
    state.user = state.config["User"] = planning.word(state, user.user, user.place)
    state.record(f"USER {state.user}")


def volume(planning: Planning, state: StageState, volume: VolumeInstruction) -> None:
    paths = [planning.word(state, path, volume.place) for path in volume.paths]
    if "" in paths:
        raise DockerfileError("VOLUME specified can not be an empty string", volume.place)
    state.config["Volumes"] = {**members(state.config, "Volumes"), **{path: {} for path in paths}}
    state.record(f"VOLUME [{' '.join(paths)}]")


def expose(planning: Planning, state: StageState, expose: ExposeInstruction) -> None:
    ports: list[str] = []
    for text in expose.ports:
        for word in planning.expand(text, state.env, expose.place).words:
            ports += _ports(planning, word, expose.place)
    state.config["ExposedPorts"] = {**members(state.config, "ExposedPorts"), **{port: {} for port in ports}}
    state.record(f"EXPOSE [{' '.join(ports)}]")


def _ports(planning: Planning, word: str, place: Lines) -> list[str]:
    host, mapped, text = word.rpartition(":")
    text, _, protocol = text.partition("/")
    protocol = protocol or "tcp"
    if not text or protocol.lower() not in ("tcp", "udp", "sctp"):
        problem = f"invalid proto: {protocol}" if text else "no port specified"
        raise DockerfileError(f"invalid port: {quote(word)}: {problem}", place)
    if protocol != protocol.lower():
        planning.lint.warn("ExposeProtoCasing", place, word)
    if mapped and host:
        planning.lint.warn("ExposeInvalidFormat", place, word)
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
    if not match or last < first or last > 65535:
        raise DockerfileError(f"invalid containerPort: {text}", place)
    return [f"{port}/{protocol.lower()}" for port in range(first, last + 1)]


def stop_signal(planning: Planning, state: StageState, stop: StopSignalInstruction) -> None:
    signal = planning.word(state, stop.signal, stop.place)
    if not _is_signal(signal):
        raise DockerfileError(f"invalid signal: {signal}", stop.place)
    state.config["StopSignal"] = signal
    state.record(f"STOPSIGNAL {signal}")


def shell(planning: Planning, state: StageState, shell: ShellInstruction) -> None:
    state.config["Shell"] = list(shell.words)
    state.record(f"SHELL [{' '.join(shell.words)}]")


def maintainer(planning: Planning, state: StageState, maintainer: MaintainerInstruction) -> None:
    state.author = maintainer.name
    state.record(f"MAINTAINER {maintainer.name}")


def onbuild(planning: Planning, state: StageState, onbuild: OnbuildInstruction) -> None:
    state.config["OnBuild"] = [*items(state.config, "OnBuild"), onbuild.expression]


def _once(planning: Planning, state: StageState, instruction: Instruction) -> None:
    name = instruction.keyword.upper()
    if name in state.used:
        planning.lint.warn("MultipleInstructionsDisallowed", state.used[name], instruction.keyword)
    state.used[name] = instruction.place


def with_shell(state: StageState, words: tuple[str, ...]) -> list[str]:
    return [*(texts(state.config, "Shell") or DEFAULT_SHELL), " ".join(words)]


def _words(planning: Planning, state: StageState, command: CmdInstruction | EntrypointInstruction) -> list[str]:
    _once(planning, state, command)
    if not command.shell:
        return list(command.words)
    if not state.config.get("Shell"):
        planning.lint.warn("JSONArgsRecommended", command.place, command.keyword)
    return with_shell(state, command.words)


def cmd(planning: Planning, state: StageState, cmd: CmdInstruction) -> None:
    words = _words(planning, state, cmd)
    state.config |= {"Cmd": list[Json](words), "ArgsEscaped": True}
    state.record(f"CMD {_quoted(words)}")


def entrypoint(planning: Planning, state: StageState, entrypoint: EntrypointInstruction) -> None:
    words = _words(planning, state, entrypoint)
    state.config["Entrypoint"] = list[Json](words)
    if "CMD" not in state.used:
        state.config.pop("Cmd", None)
    state.record(f"ENTRYPOINT {_quoted(words)}")


def healthcheck(planning: Planning, state: StageState, health: HealthcheckInstruction) -> None:
    _once(planning, state, health)
    times = (health.interval, health.timeout, health.start_period, health.start_interval)
    state.config["Healthcheck"] = health_config(health)
    shown = " ".join(quote(go_duration(time)) for time in times)
    state.record(f"HEALTHCHECK &{{{_quoted(health.test)} {shown} {quote(chr(health.retries), chr(39))}}}")


def _with_variable(env: list[str], name: str, value: str) -> list[Json]:
    new = f"{name}={value}"
    if any(each.partition("=")[0] == name for each in env):
        return [new if each.partition("=")[0] == name else each for each in env]
    return [*env, new]


def _quoted(words: Iterable[str]) -> str:
    return f"[{' '.join(quote(word) for word in words)}]"


def _is_signal(text: str) -> bool:
    if text.isdigit():
        return int(text) != 0
    return text.upper().removeprefix("SIG") in NUMBERS


_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
_RAW = Lexer(quotes=False)
_REMOTE = re.compile(r"(https?|git|ssh)://|git@")


def workdir(planning: Planning, state: StageState, workdir: WorkdirInstruction) -> None:
    path = planning.word(state, workdir.path, workdir.place)
    if not state.workdir_set and not path.startswith("/"):
        planning.lint.warn("WorkdirRelativePath", workdir.place, path)
    state.workdir_set = True
    state.cwd = joined(state.cwd, path)
    state.config["WorkingDir"] = state.cwd
    if state.cwd != "/":
        name = planning.step_name(state, workdir.code)
        state.top = MkdirVertex(name, workdir.place, state.top, state.cwd, state.user, stage=state.given_name)
    state.record(f"WORKDIR {state.cwd}", layer=state.cwd != "/")


def run(planning: Planning, state: StageState, run: RunInstruction) -> None:
    words, script, label = _run_words(planning, run)
    args = with_shell(state, words) if run.shell and script is None else list(words)
    mounts = tuple(
        _mount(planning, state, text, source, run.place) for text, source in zip(run.mounts, state.sources, strict=True)
    )
    name = planning.step_name(state, label, replace(planning.lexer, keep_quotes=True, keep_unset=True))
    state.top = RunVertex(
        name,
        run.place,
        state.top,
        args=tuple(args),
        env=tuple(state.env.items()),
        hidden_env=_proxies(planning),
        arguments=tuple(name for name, _ in state.args),
        cwd=state.cwd,
        user=state.user,
        mounts=mounts,
        network=planning.request.network if run.network == "default" else run.network,
        hosts=planning.request.hosts,
        shm_size=planning.request.shm_size,
        script=script,
        stage=state.given_name,
    )
    shown: dict[str, str] = {}
    for key, value in state.args:
        shown[key] = f"{key}={state.env.get(key, value or '')}"
    given = [f"|{len(shown)}", *shown.values()] if shown else []
    state.record(f"RUN {' '.join([*given, *args])}", layer=True, suffix=True)


def _run_words(planning: Planning, run: RunInstruction) -> tuple[tuple[str, ...], tuple[str, str] | None, str]:
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


def _mount(planning: Planning, state: StageState, text: str, source: StageState | None, place: Lines) -> VertexMount:
    try:
        mount = parse_mount(text, lambda word: planning.word(state, word, place))
    except ValueError as error:
        raise DockerfileError(str(error), place) from None
    if source and not source.dispatched:
        raise DockerfileError(
            f"cannot mount from stage {quote(mount.from_)} to {quote(mount.target)}, "
            "stage needs to be defined before current command",
            place,
        )
    target = mount.target or (f"/run/secrets/{mount.id or mount.source}" if mount.type == "secret" else "")
    target = joined(state.cwd, target)
    if target == "/":
        raise DockerfileError(f"invalid mount target {quote(mount.target)}", place)
    context = mount.type == "bind" and source is None
    if context:
        planning.context_paths[mount.source or "/"] = None
    return VertexMount(replace(mount, target=target), source.top if source else None, context)


def _proxies(planning: Planning) -> tuple[tuple[str, str], ...]:
    given = {key.lower(): value for key, value in planning.request.build_args.items() if key.lower() in _PROXIES}
    return tuple((form(key), value) for key, value in given.items() for form in (str.upper, str.lower))


def copy(planning: Planning, state: StageState, copy: CopyInstruction) -> None:
    source = state.sources[0] if state.sources else None
    if source and not source.dispatched:
        raise DockerfileError(
            f"cannot copy from stage {quote(copy.from_)}, "
            f"it needs to be defined before current stage {quote(state.name)}",
            copy.place,
        )
    word: Callable[[str], str] = lambda text: planning.word(state, text, copy.place)  # noqa: E731
    chown, chmod = word(copy.chown), word(copy.chmod)
    paths, target = [word(path) for path in copy.sources], word(copy.target)
    if chmod:
        try:
            check_mode(chmod)
        except ValueError as error:
            raise DockerfileError(str(error), copy.place) from None
    if copy.checksum:
        _check_checksum(planning, paths, copy.place)
    from_ = [_copy_source(planning, copy, path, source) for path in paths]
    for heredoc in copy.inline:
        text = planning.word(state, heredoc.text, copy.place, _RAW) if heredoc.expand else heredoc.text
        from_.append(CopySource(heredoc.name, text=text))
    state.top = CopyVertex(
        planning.step_name(state, copy.code),
        copy.place,
        state.top,
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


def _check_checksum(planning: Planning, paths: list[str], place: Lines) -> None:
    if len(paths) != 1:
        raise DockerfileError("checksum can't be specified for multiple sources", place)
    if not _REMOTE.match(paths[0]):
        raise DockerfileError("checksum requires HTTP(S) or Git sources", place)


def _copy_source(planning: Planning, copy: CopyInstruction, path: str, source: StageState | None) -> CopySource:
    if _REMOTE.match(path):
        if copy.add:
            message = f"failed to load cache key: Get {quote(path)}: dial tcp: lookup {_host(path)}: no such host"
            raise DockerfileError(message, copy.place)
        raise DockerfileError("source can't be a URL for COPY", copy.place)
    from_context = source is None
    if from_context:
        planning.context_paths[posixpath.normpath(posixpath.join("/", path))] = None
    include: tuple[str, ...] = ()
    if copy.parents:
        parent, pivot, pattern = path.partition("/./")
        path, pattern = (parent, pattern) if pivot else ("/", path)
        include = (posixpath.normpath(posixpath.join("/", pattern)).lstrip("/"),)
    return CopySource(
        posixpath.normpath(posixpath.join("/", path)).replace("//", "/"),
        vertex=source.top if source else None,
        context=from_context,
        include=include,
    )


def joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join("/", folder, path)).replace("//", "/")


def _target_path(cwd: str, path: str) -> str:
    """COPY's target from the root; a slash at its end stays, and `.` has one."""
    slash = path in ("", ".") or path.endswith(("/", "/."))
    full = joined(cwd, path)
    return full + "/" if slash and full != "/" else full


def _summary(text: str) -> str:
    lines = text.strip().replace("\r\n", "\n").split("\n")
    return lines[0] + ("..." if len(lines) > 1 else "")


def _host(url: str) -> str:
    return re.sub(r"^[a-z]+://", "", url).partition("/")[0]
