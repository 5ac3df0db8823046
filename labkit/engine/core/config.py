"""What containers and images are configured with, as the Docker API has it (moby, api/types/container)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from labkit.kernel.jsontypes import JsonObject


class Healthcheck(TypedDict, total=False):
    Test: list[str]
    Interval: int  # ns, like the other times
    Timeout: int
    StartPeriod: int
    StartInterval: int
    Retries: int


class RunConfig(TypedDict, total=False):
    """`Config`: what an image says of its containers, and what a container was made with."""

    Hostname: str
    Domainname: str
    User: str
    AttachStdin: bool
    AttachStdout: bool
    AttachStderr: bool
    ExposedPorts: Mapping[str, JsonObject] | None
    Tty: bool
    OpenStdin: bool
    StdinOnce: bool
    Env: list[str] | None
    Cmd: list[str] | None
    Healthcheck: Healthcheck | None
    ArgsEscaped: bool
    Image: str
    Volumes: Mapping[str, JsonObject] | None
    WorkingDir: str
    Entrypoint: list[str] | None
    NetworkDisabled: bool
    OnBuild: list[str] | None
    Labels: dict[str, str] | None
    StopSignal: str
    StopTimeout: int | None
    Shell: list[str] | None


class RestartPolicy(TypedDict, total=False):
    Name: str
    MaximumRetryCount: int


class PortBinding(TypedDict, total=False):
    HostIp: str
    HostPort: str


class LogConfig(TypedDict, total=False):
    Type: str
    Config: dict[str, str]


class BindOptions(TypedDict, total=False):
    Propagation: str
    NonRecursive: bool
    CreateMountpoint: bool
    ReadOnlyNonRecursive: bool
    ReadOnlyForceRecursive: bool


class DriverConfig(TypedDict, total=False):
    Name: str
    Options: dict[str, str]


class VolumeOptions(TypedDict, total=False):
    NoCopy: bool
    Labels: dict[str, str]
    Subpath: str
    DriverConfig: DriverConfig


class ImageOptions(TypedDict, total=False):
    Subpath: str


class TmpfsOptions(TypedDict, total=False):
    SizeBytes: int
    Mode: int
    Options: Sequence[Sequence[str]]


class MountSpec(TypedDict, total=False):
    """An item of HostConfig.Mounts, as `--mount` writes it."""

    Type: str
    Source: str
    Target: str
    ReadOnly: bool
    Consistency: str
    BindOptions: BindOptions
    VolumeOptions: VolumeOptions
    ImageOptions: ImageOptions
    TmpfsOptions: TmpfsOptions


class HostConfig(TypedDict, total=False):
    """What the engine reads of a container's HostConfig; all of its keys are in containers/hostconfig.py."""

    Binds: list[str] | None
    LogConfig: LogConfig
    NetworkMode: str
    PortBindings: Mapping[str, list[PortBinding]] | None
    RestartPolicy: RestartPolicy
    AutoRemove: bool
    VolumeDriver: str
    VolumesFrom: list[str] | None
    GroupAdd: list[str] | None
    IpcMode: str
    PidMode: str
    Privileged: bool
    PublishAllPorts: bool
    ReadonlyRootfs: bool
    Tmpfs: Mapping[str, str] | None
    ShmSize: int
    Init: bool | None
    Mounts: list[MountSpec] | None


class CreateRequest(RunConfig, total=False):
    """The body of POST /containers/create."""

    HostConfig: HostConfig
    NetworkingConfig: JsonObject


class HistoryEntry(TypedDict, total=False):
    """One step of an image (OCI image-spec, config.md)."""

    created: str
    created_by: str
    author: str
    comment: str
    empty_layer: bool


class RootFs(TypedDict):
    type: Literal["layers"]
    diff_ids: list[str]


class ImageConfig(TypedDict, total=False):
    """An image's configuration, whose JSON's digest is its id (OCI image-spec, config.md)."""

    architecture: str
    author: str
    comment: str
    config: RunConfig
    container: str
    created: str
    docker_version: str
    history: list[HistoryEntry]
    os: str
    rootfs: RootFs
    variant: str
