"""What the daemon answers when it refuses: one exception, whose text the CLI prints after its own prefix."""

from __future__ import annotations


class EngineError(Exception):
    """The daemon's answer to a request that it does not carry out.

    `kind`: "not-found", "conflict", "invalid", "forbidden" or "system", as the API's status code would tell.
    """

    def __init__(self, message: str, kind: str = "system") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


def not_found(message: str) -> EngineError:
    return EngineError(message, "not-found")


def conflict(message: str) -> EngineError:
    return EngineError(message, "conflict")


def invalid(message: str) -> EngineError:
    return EngineError(message, "invalid")


def forbidden(message: str) -> EngineError:
    return EngineError(message, "forbidden")


def system(message: str) -> EngineError:
    return EngineError(message, "system")
