"""The instructions that become steps: WORKDIR, RUN, COPY and ADD.

Rules and messages: moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go, convert_copy.go, convert_runmount.go.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import replace

from labkit.engine.dockerfile.errors import DockerfileError, Lines
from labkit.engine.dockerfile.expand import Lexer, go_quote
from labkit.engine.dockerfile.instructions import CopyInstruction, RunInstruction, WorkdirInstruction
from labkit.engine.dockerfile.lines import parse_heredoc
from labkit.engine.dockerfile.runmount import parse_mount

from .configuring import with_shell
from .copying import check_mode
from .graph import CopySource, CopyVertex, MkdirVertex, RunVertex, VertexMount
from .planning import Planning
from .stagestate import StageState

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
        network=run.network,
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
            f"cannot mount from stage {go_quote(mount.from_)} to {go_quote(mount.target)}, "
            "stage needs to be defined before current command",
            place,
        )
    target = mount.target or (f"/run/secrets/{mount.id or mount.source}" if mount.type == "secret" else "")
    target = joined(state.cwd, target)
    if target == "/":
        raise DockerfileError(f"invalid mount target {go_quote(mount.target)}", place)
    context = mount.type == "bind" and source is None
    if context:
        planning.context_paths[mount.source or "/"] = None
    return VertexMount(replace(mount, target=target), source.top if source else None, context)


def _proxies(planning: Planning) -> tuple[tuple[str, str], ...]:
    given = {key.lower(): value for key, value in planning.settings.build_args.items() if key.lower() in _PROXIES}
    return tuple((form(key), value) for key, value in given.items() for form in (str.upper, str.lower))


def copy(planning: Planning, state: StageState, copy: CopyInstruction) -> None:
    source = state.sources[0] if state.sources else None
    if source and not source.dispatched:
        raise DockerfileError(
            f"cannot copy from stage {go_quote(copy.from_)}, "
            f"it needs to be defined before current stage {go_quote(state.name)}",
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
            message = f"failed to load cache key: Get {go_quote(path)}: dial tcp: lookup {_host(path)}: no such host"
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
