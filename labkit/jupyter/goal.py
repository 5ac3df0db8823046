"""The goal of an exercise as it may be seen before it is reached: what the task does not say itself stays a blank."""

from __future__ import annotations

import re
from dataclasses import replace

from labkit.engine.images.images import ImageStep
from labkit.jupyter.view import MachineView, SeenContainer, SeenImage
from labkit.machine import Machine

BLANK = "…"
STEPS = {True: "a layer", False: "settings"}  # of what a new step may be told: does it have a layer?
WORD = r"[\w./:@~-]"


def veiled(goal: MachineView, start: MachineView, task: str, machine: Machine) -> MachineView:
    """The goal without names, paths and commands that are neither in the task nor on the machine as it is at first."""
    return _Veil(start, task, f"{machine.environment['HOME']}/").view(goal)


class _Veil:
    def __init__(self, start: MachineView, task: str, home: str) -> None:
        self._task, self._home = task, home
        self._steps = {step for image in start.images for step in image.steps}
        self._known = {*start.volumes, *(name for image in start.images for name in image.names)}
        for container in start.containers:
            self._known |= {container.name, *(path for _, path in container.changes)}
            self._known |= {text for mount in container.mounts for text in (mount.source, mount.target)}
        self._blanks: dict[str, str] = {}

    def view(self, goal: MachineView) -> MachineView:
        return MachineView(
            tuple(map(self._image, goal.images)),
            tuple(map(self._container, goal.containers)),
            tuple(map(self._name, goal.volumes)),
        )

    def _told(self, text: str) -> bool:
        whole = text.removesuffix(":latest").removeprefix(self._home)
        return text in self._known or bool(re.search(rf"(?<!{WORD}){re.escape(whole)}/?(?![\w/-])", self._task))

    def _name(self, name: str) -> str:
        """As it is, or a blank that no other name has."""
        if not name or self._told(name):
            return name
        number = len(self._blanks) + 1
        return self._blanks.setdefault(name, BLANK if number == 1 else f"{BLANK}{number}")

    def _image(self, image: SeenImage) -> SeenImage:
        return replace(image, names=tuple(map(self._name, image.names)), steps=tuple(map(self._step, image.steps)))

    def _step(self, step: ImageStep) -> ImageStep:
        return step if step in self._steps else replace(step, text=STEPS[step.digest is not None])

    def _container(self, container: SeenContainer) -> SeenContainer:
        told = {path for _, path in container.changes if self._told(path)}
        leads = {path for _, path in container.changes for each in told if f"{each}/".startswith(f"{path}/")}
        changes = tuple((kind, path if path in leads else BLANK) for kind, path in container.changes)
        mounts = tuple(
            replace(mount, source=self._name(mount.source), target=self._name(mount.target))
            for mount in container.mounts
        )
        return replace(container, name=self._name(container.name), changes=changes, mounts=mounts)
