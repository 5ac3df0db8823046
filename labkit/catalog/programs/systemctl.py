"""systemctl, service and journalctl: the daemon's start and end as a person on the host asks for it.

Facts: systemd 252 (Debian 12), systemctl(1), journalctl(1). There are two units, docker.service and docker.socket.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from labkit.catalog.programs.support import complain, say
from labkit.engine.core.records import LogLine
from labkit.engine.daemon.daemon import DAEMON, SOCKET, Daemon, StartFailed
from labkit.kernel.process import SECOND, Process

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVICE, _SOCKET = "docker.service", "docker.socket"
_TITLES = {_SERVICE: "Docker Application Container Engine", _SOCKET: "Docker Socket for the API"}
_JOB_FAILED = """Job for docker.service failed because the control process exited with error code.
See "systemctl status docker.service" and "journalctl -xeu docker.service" for details."""
_STILL = "Warning: Stopping docker.service, but it can still be activated by:\n  docker.socket"
_SHOWN = 10  # lines of the journal in a status


def systemctl(process: Process, daemon: Daemon) -> int:
    words = [word for word in process.argv[1:] if not word.startswith("-")]
    verb, names = (words[0], words[1:]) if words else ("list-units", [])
    if verb in _WITHOUT_UNIT:
        return 0
    if verb not in _VERBS:
        complain(process, f"Unknown command verb {verb}.")
        return 1
    if not names:
        complain(process, "Too few arguments.")
        return 1
    units = [name if name.endswith((".service", ".socket")) else f"{name}.service" for name in names]
    unknown = [unit for unit in units if unit not in _TITLES]
    if unknown:
        return _unknown(process, verb, unknown[0])
    if verb in _CHANGING and process.files.user.uid:
        complain(process, f"Failed to {verb} {units[0]}: Interactive authentication required.")
        complain(process, f"See system logs and 'systemctl status {units[0]}' for details.")
        return 1
    return _VERBS[verb](process, daemon, units)


def _unknown(process: Process, verb: str, unit: str) -> int:
    if verb == "status":
        complain(process, f"Unit {unit} could not be found.")
        return 4
    if verb.startswith("is-"):
        say(process, "inactive" if verb == "is-active" else "disabled")
        return 3
    complain(process, f"Failed to {verb} {unit}: Unit {unit} not found.")
    return 5


def _start(process: Process, daemon: Daemon, units: list[str]) -> int:
    if _SOCKET in units:
        daemon.listen()
    if _SERVICE not in units:
        return 0
    daemon.listen()  # the service needs its socket
    try:
        daemon.start()
    except StartFailed:
        complain(process, _JOB_FAILED)
        return 1
    return 0


def _stop(process: Process, daemon: Daemon, units: list[str]) -> int:
    daemon.stop(socket=_SOCKET in units)
    if _SOCKET not in units and daemon.service.listens:
        complain(process, _STILL)
    return 0


def _restart(process: Process, daemon: Daemon, units: list[str]) -> int:
    daemon.stop(socket=_SOCKET in units)
    return _start(process, daemon, units)


def _reload(process: Process, daemon: Daemon, units: list[str]) -> int:
    """dockerd reads some directives again; which driver it has is none of them."""
    if daemon.service.status != "active":
        complain(process, f"{units[0]} is not active, cannot reload.")
        return 1
    return 0


def _state(daemon: Daemon, unit: str) -> str:
    if unit == _SERVICE:
        return daemon.service.status
    return "active" if daemon.service.listens else "inactive"


def _is_active(process: Process, daemon: Daemon, units: list[str]) -> int:
    states = [_state(daemon, unit) for unit in units]
    say(process, "\n".join(states))
    return 0 if "active" in states else 3


def _is_failed(process: Process, daemon: Daemon, units: list[str]) -> int:
    states = [_state(daemon, unit) for unit in units]
    say(process, "\n".join(states))
    return 0 if "failed" in states else 1


def _is_enabled(process: Process, daemon: Daemon, units: list[str]) -> int:
    say(process, "\n".join("enabled" for _ in units))
    return 0


def _reset(process: Process, daemon: Daemon, units: list[str]) -> int:
    if daemon.service.status == "failed":
        daemon.stop()
    return 0


_ACTIVE = {
    "active": "active (running)",
    "inactive": "inactive (dead)",
    "failed": "failed (Result: exit-code)",
}


def _status(process: Process, daemon: Daemon, units: list[str]) -> int:
    code = 0
    for unit in units:
        state = _state(daemon, unit)
        code = code or (0 if state == "active" else 3)
        say(process, "\n".join(_status_lines(process, daemon, unit, state)))
    return code


def _status_lines(process: Process, daemon: Daemon, unit: str, state: str) -> list[str]:
    service, sign = daemon.service, {"active": "●", "inactive": "○", "failed": "×"}
    since = f" since {_long(service.since)}; {_ago(process.kernel.clock.now - service.since)} ago"
    lines = [
        f"{sign[state]} {unit} - {_TITLES[unit]}",
        f"     Loaded: loaded (/lib/systemd/system/{unit}; enabled; preset: enabled)",
    ]
    if unit == _SOCKET:
        shown = "running" if service.status == "active" else "listening"
        lines.append(f"     Active: active ({shown})" if state == "active" else "     Active: inactive (dead)")
        return [*lines, f"     Listen: {SOCKET} (Stream)"]
    lines.append(f"     Active: {_ACTIVE[state]}{since}")
    lines.append(f"TriggeredBy: {sign[_state(daemon, _SOCKET)]} {_SOCKET}")
    lines.append("       Docs: https://docs.docker.com")
    if state == "active":
        lines.append(f"   Main PID: {DAEMON[0]} (dockerd)")
    return [*lines, "", *(_journal_line(process, line) for line in service.log[-_SHOWN:])]


def _journal_line(process: Process, line: LogLine) -> str:
    number = {"systemd": 1, "dockerd": DAEMON[0]}[line.who]
    moment = _moment(line.time)
    text = line.text
    if line.who == "dockerd" and text.startswith("level="):
        text = f'time="{moment:%Y-%m-%dT%H:%M:%S}.000000000Z" {text}'
    return f"{moment:%b %d %H:%M:%S} {process.hostname} {line.who}[{number}]: {text}"


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // SECOND, UTC)


def _long(nanoseconds: int) -> str:
    return f"{_moment(nanoseconds):%a %Y-%m-%d %H:%M:%S} UTC"


def _ago(nanoseconds: int) -> str:
    minutes, seconds = divmod(nanoseconds // SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}min"
    return f"{minutes}min {seconds}s" if minutes else f"{seconds}s"


_VERBS: dict[str, Callable[[Process, Daemon, list[str]], int]] = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "reload": _reload,
    "reload-or-restart": _reload,
    "status": _status,
    "is-active": _is_active,
    "is-failed": _is_failed,
    "is-enabled": _is_enabled,
    "reset-failed": _reset,
}
_CHANGING = ("start", "stop", "restart", "reload", "reload-or-restart", "reset-failed")
_WITHOUT_UNIT = ("daemon-reload", "daemon-reexec")


def service(process: Process) -> int:
    """service NAME ACTION."""
    if len(process.argv) < 3:
        complain(process, "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]")
        return 1
    return process.spawn(["systemctl", process.argv[2], process.argv[1]])


def journalctl(process: Process, daemon: Daemon) -> int:
    """The lines of docker.service: -u docker, and -n NUMBER for the last ones."""
    words = process.argv[1:]
    number, unit = None, ""
    while words:
        word = words.pop(0)
        if word.startswith(("-n", "--lines")):
            value = word.removeprefix("--lines").removeprefix("-n").removeprefix("=") or (words.pop(0) if words else "")
            if not value.isdigit():
                complain(process, f"Failed to parse lines '{value}'")
                return 1
            number = int(value)
        elif word.startswith("--unit=") or (word.endswith("u") and word.startswith("-")) or word == "--unit":
            unit = word.partition("=")[2] or (words.pop(0) if words else "")
    known = unit in ("", "docker", _SERVICE)
    lines = daemon.service.log if known else ()
    shown = lines if number is None else lines[max(0, len(lines) - number) :]
    say(process, "\n".join(_journal_line(process, line) for line in shown) if shown else "-- No entries --")
    return 0
