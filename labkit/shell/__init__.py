"""The shell language: sh as busybox, dash and bash speak it, on a Process of the machine.

`execute` is what a kernel executes with; `PROGRAMS` are the shells that are programs of their own, `APPLETS` those that
busybox has; `Session` is a terminal. The utilities are a package of their own, labkit.userland.
"""

from __future__ import annotations

from labkit.shell.main import APPLETS, PROGRAMS, ash, bash, dash, sh
from labkit.shell.session import SavedSession, Session, Written
from labkit.shell.terminal import execute

__all__ = ["APPLETS", "PROGRAMS", "SavedSession", "Session", "Written", "ash", "bash", "dash", "execute", "sh"]
