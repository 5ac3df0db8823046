"""labkit in a notebook. A lesson's first cell:

    from labkit.jupyter import exercise, show

brings the magics (%docker, %host, %%host, %%hostfile, %%session, %undo, %fresh, %labkit, %%answer) too; so does
`%load_ext labkit.jupyter`, which also puts `show` and `exercise` at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from IPython import get_ipython
from IPython.core.interactiveshell import InteractiveShell

# Imported here, before the function of the same name is defined: a later import would put the module in its place.
from labkit.jupyter.cache_lab import CacheLab, open_lab
from labkit.jupyter.compare import DriverComparison
from labkit.jupyter.composer import IMAGE, START, MountComposer
from labkit.jupyter.drivertour import try_driver as driver_tour
from labkit.jupyter.exercise import ExerciseWidget, widget
from labkit.jupyter.layers import LayersWidget
from labkit.jupyter.layers import widget as layers_widget
from labkit.jupyter.magics import LabMagics, LessonMachine
from labkit.jupyter.map import MapWidget, open_map
from labkit.jupyter.picture import Picture
from labkit.jupyter.playground import PlaygroundWidget, open_playground

__all__ = [
    "cache_lab",
    "compare_drivers",
    "exercise",
    "layers",
    "lesson",
    "load_ipython_extension",
    "mount_composer",
    "playground",
    "progress",
    "show",
    "try_driver",
]


Shown = TypeVar("Shown")


def lesson() -> LessonMachine:
    """The lesson of the notebook that is running; RuntimeError outside of one."""
    shell = get_ipython()
    magics = shell.magics_manager.registry.get("LabMagics") if shell is not None else None
    if magics is None:
        raise RuntimeError("no lesson is running: this needs a notebook with labkit.jupyter loaded")
    running: LessonMachine = magics.lesson
    return running


def shown(name: str, make: Callable[[], Shown]) -> Shown | None:
    """What this makes; where an argument is wrong, one line that says so."""
    try:
        return make()
    except ValueError as error:
        print(f"{name}: {error}")
        return None


def show(*names: str) -> Picture | None:
    """Draw the lesson's machine as it is now, or only these images, containers and volumes and what belongs to them."""
    return shown("show", lambda: lesson().show(*names))


def exercise(slug: str = "") -> ExerciseWidget | None:
    """The exercise of this name, to be solved where the cell stands."""
    return shown("exercise", lambda: widget(slug))


def layers(name: str = "") -> LayersWidget | None:
    """The layers of a container or image of the lesson's machine: what each adds, hides and wastes, file by file."""
    return shown("layers", lambda: layers_widget(lambda: lesson().machine, name))


def playground(*lines: str, fresh: bool = False, **options: object) -> PlaygroundWidget | None:
    """A terminal with the picture of the machine beside it, back and forth through time.

    It is the lesson's machine, the same as %docker and show() have: what is done here is done there. `fresh=True`, or
    an option of Machine (`storage_driver="vfs"`), gives it one of its own. `lines` are typed first. A machine that
    somebody shared is opened by its text: playground("labkit:…").
    """
    return shown("playground", lambda: open_playground(lines, lesson, fresh, options))


def progress(lesson: str = "") -> MapWidget | None:
    """The map of all lessons with the learner's own progress, or one's exercises: progress("02-layered-images")."""
    return shown("progress", lambda: open_map(lesson))


def mount_composer(flag: str = START, image: str = IMAGE) -> MountComposer | None:
    """A form for one mount with -v and --mount beside it. `flag` stands there first; it is tried with `image`."""
    return shown("mount_composer", lambda: MountComposer(lesson(), flag, image))


def cache_lab(
    folder: str = "app", files: Mapping[str, str] | None = None, *, options: str = "", tag: str = "app"
) -> CacheLab | None:
    """A lab for the build cache: change a Dockerfile and its context, say what will be cached, build, and see why.

    `folder` is one of the lesson's machine; `files` (texts by their paths) are written there first. `options` are
    docker build's, `tag` is the image's name.
    """
    return shown("cache_lab", lambda: open_lab(lesson(), folder, files, options, tag))


def compare_drivers(part: str = "first-write", quantity: str = "copied") -> DriverComparison | None:
    """What a part of one workload costs on every storage driver: bars, and a table of all numbers."""
    return shown("compare_drivers", lambda: DriverComparison(part, quantity))


def try_driver(driver: str = "overlay2") -> None:
    """Go on with a fresh machine that has this storage driver, and print where the files of a small container lie."""
    text = shown("try_driver", lambda: driver_tour(lesson(), driver))
    print(text or "", end="")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics, once a shell, and put the functions at hand."""
    if "LabMagics" not in shell.magics_manager.registry:
        shell.register_magics(LabMagics(shell))
    at_hand = (show, exercise, layers, playground, progress, mount_composer, cache_lab, compare_drivers, try_driver)
    shell.push({each.__name__: each for each in at_hand}, interactive=False)


if get_ipython() is not None:
    load_ipython_extension(get_ipython())
