"""Which storage driver the daemon picks on a machine, and what it says where it can't have the one it was asked for.

Facts: moby, daemon/graphdriver/driver.go and its drivers' Init (17.06 to 29), daemon/image_store_choice.go (29),
docker/docs (storage driver pages), an Engine 29 for its refusals of removed drivers (other texts unverified). Each
driver says in its own file what it needs; in which order the daemon tries them is the table ORDERS. The distributions'
kernels, and which had the aufs module, are unverified. Of containerd's snapshotters there is one here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from labkit.drivers import DRIVERS, ORDERS
from labkit.drivers.base import Needs

_CONTAINERD_BY_DEFAULT = (29, 0)  # the first engine whose new installations have the containerd store
_CONTAINERD_KNOWN = (23, 0)  # the first engine that can be told to have it
CONTAINERD = "containerd-snapshotter"  # the feature that says which store, in daemon.json
_REMOVED_SINCE = (24, 0)  # the first engine that tells of drivers that are gone
_MORE = "visit https://docs.docker.com/go/storage-driver/ for more information"
_NO_DAEMON = "failed to start daemon: "
_NO_GRAPHDRIVER = f"{_NO_DAEMON}error initializing graphdriver: "

ENGINES = ("29", "28", "27", "26", "25", "24", "23", "20.10", "19.03", "18.09", "18.06", "17.12", "17.09", "17.06")
BACKINGS = {
    "ext4": "extfs",
    "xfs": "xfs",
    "btrfs": "btrfs",
    "zfs": "zfs",
    "overlay": "overlayfs",
    "ecryptfs": "ecryptfs",
}


@dataclass(frozen=True)
class Distribution:
    title: str  # as docker info has it
    kernel: str
    features: frozenset[str] = frozenset()  # what its kernel has beside the mainline's


_AUFS = frozenset({"aufs"})
DISTRIBUTIONS = {  # in the order in which they are tried where none is asked for
    "debian-12": Distribution("Debian GNU/Linux 12 (bookworm)", "6.12.57"),
    "ubuntu-24.04": Distribution("Ubuntu 24.04 LTS", "6.8.0-31-generic"),
    "fedora-40": Distribution("Fedora Linux 40 (Server Edition)", "6.8.5-301.fc40.x86_64"),
    "rhel-9": Distribution("Red Hat Enterprise Linux 9.0 (Plow)", "5.14.0-70.13.1.el9_0.x86_64"),
    "ubuntu-22.04": Distribution("Ubuntu 22.04 LTS", "5.15.0-25-generic"),
    "debian-11": Distribution("Debian GNU/Linux 11 (bullseye)", "5.10.0-8-amd64"),
    "ubuntu-20.04": Distribution("Ubuntu 20.04 LTS", "5.4.0-26-generic", _AUFS),
    "debian-10": Distribution("Debian GNU/Linux 10 (buster)", "4.19.0-5-amd64", _AUFS),
    "ubuntu-18.04": Distribution("Ubuntu 18.04 LTS", "4.15.0-20-generic", _AUFS),
    "debian-9": Distribution("Debian GNU/Linux 9 (stretch)", "4.9.0-3-amd64", _AUFS),
    "ubuntu-16.04": Distribution("Ubuntu 16.04 LTS", "4.4.0-21-generic", _AUFS),
    "centos-7": Distribution("CentOS Linux 7 (Core)", "3.10.0-693.el7.x86_64", frozenset({"many lowers"})),
    "ubuntu-14.04": Distribution("Ubuntu 14.04 LTS", "3.13.0-24-generic", _AUFS),
}


class DriverRefused(ValueError):
    """The daemon does not start; str() is what it says."""


@dataclass(frozen=True)
class Setting:
    """A machine that a daemon starts on."""

    engine: str
    distribution: str
    kernel: str
    backing: str

    @property
    def title(self) -> str:
        return DISTRIBUTIONS[self.distribution].title

    @property
    def backing_name(self) -> str:
        """As the daemon calls the backing file system."""
        return BACKINGS[self.backing]


def numbers(version: str) -> tuple[int, int]:
    """The first two numbers of a version."""
    first, _, rest = version.partition(".")
    second = "".join(digit if digit.isdigit() else " " for digit in rest).split()
    if not first.isdigit():
        raise ValueError(f"'{version}' is not a version")
    return int(first), int(second[0]) if second else 0


def settings(
    engine: str | None = None, distribution: str | None = None, kernel: str | None = None, backing: str | None = None
) -> Iterator[Setting]:
    """The machines that have these values, the newest first."""
    for given, known in ((distribution, DISTRIBUTIONS), (backing, BACKINGS)):
        if given is not None and given not in known:
            raise ValueError(f"'{given}' is not one of {', '.join(known)}")
    if engine is not None and numbers(engine) < numbers(ENGINES[-1]):
        raise ValueError(f"engines are known from {ENGINES[-1]} on, not '{engine}'")
    for one_engine in (engine,) if engine else ENGINES:
        for name in (distribution,) if distribution else DISTRIBUTIONS:
            for one_backing in (backing,) if backing else BACKINGS:
                yield Setting(one_engine, name, kernel or DISTRIBUTIONS[name].kernel, one_backing)


def refusal(name: str, setting: Setting) -> str | None:
    """Why the daemon can't use this driver on this machine; None where it can."""
    engine = numbers(setting.engine)
    needs: Needs | None = DRIVERS[name].needs if name in DRIVERS else None
    if needs is not None and needs.gone is not None and engine >= max(needs.gone, _REMOVED_SINCE):
        return f"[graphdriver] ERROR: the {name} storage-driver has been deprecated and removed; {_MORE}: {name}"
    if needs is None or engine < needs.since:
        return f"driver not supported: {name}"
    features = DISTRIBUTIONS[setting.distribution].features
    has_feature = needs.feature is not None and needs.feature in features
    if not has_feature and (needs.kernel is None or numbers(setting.kernel) < needs.kernel):
        return f"driver not supported: {name}"
    if needs.backings and setting.backing not in needs.backings:
        return "prerequisites for driver not satisfied (wrong filesystem?)"
    if setting.backing in needs.not_on or (engine < needs.tries_since and setting.backing in needs.not_on_untried):
        return "backing file system is unsupported for this graph driver"
    return None


def order(engine: str) -> tuple[str, ...]:
    """The drivers that this engine tries by itself, in its order."""
    return next(names for since, names in reversed(ORDERS) if numbers(engine) >= since)


def choose(
    setting: Setting, asked: str | None = None, used: Iterable[str] = (), features: Mapping[str, bool] | None = None
) -> str:
    """The driver that a daemon starts with. Raises DriverRefused.

    `asked` and `features`: what its configuration says. `used`: the drivers whose folders are not empty.
    """
    left = [name for name in order(setting.engine) if DRIVERS[name].needs.leftovers_count and name in set(used)]
    if _has_containerd_store(setting, asked, left, features or {}):
        return _snapshotter_for(setting, asked)
    if asked is not None:
        said = "driver not supported: " + asked if asked == snapshotter() else refusal(asked, setting)
        if said is not None:
            raise DriverRefused(f"{_NO_GRAPHDRIVER}{said}")
        return asked
    return _picked(setting, left)


def _has_containerd_store(setting: Setting, asked: str | None, left: list[str], features: Mapping[str, bool]) -> bool:
    """Whether images go to the containerd store and not to a graph driver."""
    engine, wanted = numbers(setting.engine), features.get(CONTAINERD)
    if engine < _CONTAINERD_BY_DEFAULT:
        return bool(wanted) and engine >= _CONTAINERD_KNOWN
    if wanted is None and left:
        return False
    if wanted is not False:
        return bool(wanted) or asked is None or not _is_registered(asked, engine)
    if asked is not None and not _is_registered(asked, engine):
        shown = " ".join(f"{name}:{str(value).lower()}" for name, value in sorted(features.items()))
        raise DriverRefused(
            f'{_NO_DAEMON}graphdriver is explicitly enabled but "{asked}" is not registered, map[{shown}] '
        )
    return False


def _is_registered(name: str, engine: tuple[int, int]) -> bool:
    """Whether an engine of this version has a graph driver of this name."""
    if name not in DRIVERS or name == snapshotter():
        return False
    needs: Needs = DRIVERS[name].needs
    return engine >= needs.since and (needs.gone is None or engine < needs.gone)


def _snapshotter_for(setting: Setting, asked: str | None) -> str:
    name = asked or snapshotter()
    if name != snapshotter() or refusal(name, setting) is not None:
        if asked is None:
            raise DriverRefused(f"{_NO_DAEMON}snapshotter selection failed, no drivers available: unavailable")
        raise DriverRefused(f'{_NO_DAEMON}configured driver "{name}" not available: unavailable')
    return name


def _picked(setting: Setting, left: list[str]) -> str:
    """The graph driver of an engine that is free to pick."""
    working = [name for name in left if refusal(name, setting) is None]
    if len(working) > 1:
        several = ", ".join(sorted(working))
        raise DriverRefused(
            f"{_NO_GRAPHDRIVER}/var/lib/docker contains several valid graphdrivers: {several}; "
            f"cleanup or explicitly choose storage driver (-s <DRIVER>)"
        )
    for name in working or [name for name in order(setting.engine) if DRIVERS[name].needs.installed]:
        if refusal(name, setting) is None:
            return name
    raise DriverRefused(f"{_NO_GRAPHDRIVER}no supported storage driver found")


def snapshotter() -> str:
    """The driver of the containerd image store."""
    return next(name for name, driver in DRIVERS.items() if driver.by_container)


def machine(
    asked: str | None,
    *,
    engine: str | None = None,
    distribution: str | None = None,
    kernel: str | None = None,
    backing: str | None = None,
) -> tuple[str, Setting]:
    """The driver and the machine: where values are not given, the newest on which the asked driver works.

    Without one it is a machine whose images lie in the classic store.
    """
    possible = list(settings(engine, distribution, kernel, backing))
    if asked is not None:
        possible = [one for one in possible if refusal(asked, one) is None] or possible[:1]
    here = possible[0]
    features = {CONTAINERD: asked is not None} if asked in (None, snapshotter()) else {}
    try:
        return choose(here, asked, features=features), here
    except DriverRefused as error:
        known = "" if asked in DRIVERS else f" (storage_driver is one of {', '.join(sorted(DRIVERS))}, not {asked!r})"
        raise DriverRefused(f"{error}{known}") from None


def configuration(name: str, setting: Setting) -> dict[str, object]:
    """What daemon.json has to say for a daemon that has run with this driver to start with it again."""
    store = {"features": {CONTAINERD: name == snapshotter()}}
    for config in ({}, {"storage-driver": name}, store):
        features = config.get("features", {})
        try:
            found = choose(setting, config.get("storage-driver"), [name], features)  # type: ignore[arg-type]
        except DriverRefused:
            continue
        if found == name:
            return dict(config)
    return {}
