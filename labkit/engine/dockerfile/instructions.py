"""The instructions of a Dockerfile, as types (moby/buildkit frontend/dockerfile/instructions/commands.go)."""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.engine.dockerfile.errors import Lines
from labkit.engine.dockerfile.lines import Heredoc

Written = tuple[str, str, Lines]  # an Instruction's fields


@dataclass(frozen=True)
class Instruction:
    """What all instructions have: the keyword as written, the whole line, its place."""

    keyword: str
    code: str
    place: Lines


@dataclass(frozen=True)
class NameValue:
    name: str
    value: str | None
    legacy: bool = False  # written with a blank instead of =

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


@dataclass(frozen=True)
class EnvInstruction(Instruction):
    pairs: tuple[NameValue, ...]


@dataclass(frozen=True)
class LabelInstruction(Instruction):
    pairs: tuple[NameValue, ...]


@dataclass(frozen=True)
class ArgInstruction(Instruction):
    pairs: tuple[NameValue, ...]


@dataclass(frozen=True)
class CommandInstruction(Instruction):
    """RUN, CMD and ENTRYPOINT: words, for a shell or not."""

    words: tuple[str, ...]
    shell: bool
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True)
class RunInstruction(CommandInstruction):
    mounts: tuple[str, ...] = ()
    network: str = ""
    security: str = ""


@dataclass(frozen=True)
class CmdInstruction(CommandInstruction):
    pass


@dataclass(frozen=True)
class EntrypointInstruction(CommandInstruction):
    pass


@dataclass(frozen=True)
class CopyInstruction(Instruction):
    """COPY, and ADD where `add` is set."""

    sources: tuple[str, ...]
    inline: tuple[Heredoc, ...]
    target: str
    add: bool = False
    from_: str = ""
    chown: str = ""
    chmod: str = ""
    link: bool = False
    parents: bool = False
    exclude: tuple[str, ...] = ()
    checksum: str = ""
    unpack: bool | None = None


@dataclass(frozen=True)
class WorkdirInstruction(Instruction):
    path: str


@dataclass(frozen=True)
class UserInstruction(Instruction):
    user: str


@dataclass(frozen=True)
class ExposeInstruction(Instruction):
    ports: tuple[str, ...]


@dataclass(frozen=True)
class VolumeInstruction(Instruction):
    paths: tuple[str, ...]


@dataclass(frozen=True)
class StopSignalInstruction(Instruction):
    signal: str


@dataclass(frozen=True)
class ShellInstruction(Instruction):
    words: tuple[str, ...]


@dataclass(frozen=True)
class HealthcheckInstruction(Instruction):
    test: tuple[str, ...]
    interval: int = 0  # this and the others: nanoseconds
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


@dataclass(frozen=True)
class OnbuildInstruction(Instruction):
    expression: str


@dataclass(frozen=True)
class MaintainerInstruction(Instruction):
    name: str


@dataclass(frozen=True)
class FromInstruction(Instruction):
    base: str
    name: str  # of the stage, "" where it has none
    platform: str = ""


@dataclass
class Stage:
    head: FromInstruction
    instructions: list[Instruction] = field(default_factory=list)
