"""Wrong answers held against an exercise: a solution with a slip must fail, and so must what takes no skill.

A slip that leaves all that the task names as a solution leaves it is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from labkit.course.judge import KINDS, judge
from labkit.course.machines import answer_text
from labkit.course.record import Answer, Exercise, for_learner
from labkit.course.selfcheck.cheats import cheats
from labkit.course.selfcheck.slips import slips, trivial_answers
from labkit.kernel.golang import Json, JsonObject, at, items, members, text, texts

SEED = "check-course"


def wrong_answers_that_pass(exercise: Exercise) -> Iterator[str]:
    """What a slip leaves, or what takes no skill, is taken for right."""
    for cheat in cheats(exercise):
        if cheat.name not in exercise.harmless and judge(exercise, cheat.answer).passed:
            yield f"it can be cheated {cheat.name}: {_in_one_line(cheat.answer)}"
    if not KINDS[exercise.kind].machine:
        return
    wanted = [_named_state(exercise, each.answer) for each in exercise.solutions]
    for slip in slips(exercise):
        passed = slip.name not in exercise.harmless and judge(exercise, slip.answer).passed
        if passed and _named_state(exercise, slip.answer) not in wanted:
            yield f"a solution passes {slip.name}: {_in_one_line(slip.answer)}"
    for trivial in trivial_answers(exercise):
        if judge(exercise, trivial.answer).passed:
            yield f"it takes no skill, {trivial.name}: {_in_one_line(trivial.answer)}"


def wrong_answers(exercises: Iterable[Exercise]) -> dict[str, int]:
    """How many of each sort are judged, in one variant of each exercise."""
    variants = [for_learner(each, "learner-0", SEED) for each in exercises]
    sorts = {"slips": slips, "trivial answers": trivial_answers, "cheats": cheats}
    return {sort: sum(len(make(variant)) for variant in variants) for sort, make in sorts.items()}


def _in_one_line(answer: Answer) -> str:
    return answer_text(answer).replace("\n", "; ")[:120]


def _named_state(exercise: Exercise, answer: Answer) -> dict[str, Json]:
    """All that the task names, as an answer leaves it: a slip that changes none of it is no slip."""
    verdict = KINDS[exercise.kind].verdict(exercise, answer)[1]
    assert verdict.machine is not None
    engine, names = verdict.machine.engine, set(re.findall(r"[\w./:-]*\w", exercise.task))
    files, state = verdict.machine.files, dict[str, Json]()
    for row in engine.containers(all=True):
        for name in names.intersection(each.lstrip("/") for each in texts(row, "Names")):
            state[name] = _container_state(engine.inspect_container(name), names)
    for row in engine.images():
        for tag in names.intersection(texts(row, "RepoTags")):
            document = engine.inspect_image(tag)
            state[tag] = [len(items(document, "RootFS", "Layers")), at(document, "Config")]
    for name in names.intersection(str(row["Name"]) for row in engine.volumes()):
        folder = str(engine.inspect_volume(name)["Mountpoint"])
        state[f"volume {name}"] = [*files.listdir(folder)] if files.is_dir(folder) else []
    return state


def _container_state(document: JsonObject, names: set[str]) -> list[Json]:
    """Whether it runs, its program and settings, and its mounts."""
    config = members(document, "Config")
    settings = [config.get(key) for key in ("Cmd", "User", "Env", "WorkingDir")]
    mounts: list[Json] = [_mount_state(each, names) for each in items(document, "Mounts")]
    return [at(document, "State", "Running"), *settings, mounts]


def _mount_state(mount: Json, names: set[str]) -> Json:
    """A volume that the task does not name may be any."""
    name = text(mount, "Name")
    source = text(mount, "Source") if text(mount, "Type") == "bind" else name if name in names else ""
    return [text(mount, "Type"), text(mount, "Destination"), source]
