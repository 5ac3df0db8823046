"""How a docker command ends when it does not end well."""

from __future__ import annotations


class StatusError(Exception):
    """The command ends with this exit status; the message, unless it is empty, goes to standard error."""

    def __init__(self, message: str = "", status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class ValueInvalid(Exception):
    """A flag's value cannot be used; str() says why."""
