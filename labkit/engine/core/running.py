"""A container whose process waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.kernel.process import Parked, Process

if TYPE_CHECKING:
    from labkit.files import Namespace


@dataclass(frozen=True)
class Running:
    """A container whose process waits. The process is never run itself: a copy of it goes on."""

    namespace: Namespace
    process: Process | None
    parked: Parked
