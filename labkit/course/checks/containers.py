"""Checks of containers: which they are, what they run, what they have printed and changed."""

from __future__ import annotations

from labkit.course.checks.table import check, size_of
from labkit.course.machines import Facts
from labkit.kernel.golang import at, human_size, number, text, texts


@check("the container {container} is there")
def container_exists(facts: Facts, container: str) -> str:
    facts.container(container)
    return ""


@check("the container {container} is running")
def container_running(facts: Facts, container: str) -> str:
    there = facts.container(container)
    return "" if there.running else f"the container is there, but {there.state}"


@check("the container {container} was made from {image}")
def container_from(facts: Facts, container: str, image: str) -> str:
    """From the image that had this name at the beginning, where one had it."""
    there = facts.container(container)
    same = there.image == facts.first_image(image).id
    return "" if same else f"it was made from {there.image_name}, which is another image"


@check("the container {container} is the one that was called {was} at the beginning")
def same_container(facts: Facts, container: str, was: str) -> str:
    with facts.at(facts.start) as before:
        known = before.container(was).id
    return "" if facts.container(container).id == known else f"{container} is a new container"


@check("the program of {container} is {command}")
def container_runs(facts: Facts, container: str, command: str) -> str:
    document = facts.engine.inspect_container(facts.container(container).id)
    argv = " ".join([text(document, "Path"), *texts(document, "Args")])
    return "" if argv == command else f"its program is {argv}"


@check("in the configuration of {container}, {key} is {value}")
def container_is(facts: Facts, container: str, key: str, value: str | int) -> str:
    """`key` is where it stands in what docker inspect prints: Config.User, State.ExitCode."""
    document = facts.engine.inspect_container(facts.container(container).id)
    found = at(document, *key.split("."))
    return "" if str(found) == str(value) else f"{key} is {found!r}"


@check("the container {container} has printed the text '{text}'")
def container_printed(facts: Facts, container: str, text: str) -> str:
    """As a line of its own, or as whole lines."""
    printed = _printed(facts, container)
    if f"\n{text}\n" in f"\n{printed}\n":
        return ""
    return f"it has printed: {printed.strip()[:200]}" if printed.strip() else "it has printed nothing"


def _printed(facts: Facts, container: str) -> str:
    lines = (data for _, _, data in facts.engine.logs(facts.container(container).id))
    return b"".join(lines).decode("utf-8", "replace")


@check("neither the layer of {container} nor its configuration nor its log has the text '{text}'")
def container_keeps_no_text(facts: Facts, container: str, text: str) -> str:
    there = facts.container(container).id
    if text in repr(facts.engine.inspect_container(there)):
        return "its configuration has it"
    if text in _printed(facts, container):
        return "its log has it"
    if text.encode() in bytes(facts.engine.export(there)):
        return "its layer has it"
    return ""


@check("the container {container} has {path} in its own writable layer")
def file_is_in_upper(facts: Facts, container: str, path: str) -> str:
    return "" if path in _changed(facts, container) else f"the writable layer of {container} does not have {path}"


@check("docker diff lists {paths} of {container}, and no other path")
def container_changed(facts: Facts, container: str, paths: list[str]) -> str:
    changed = _changed(facts, container)
    return "" if sorted(changed) == sorted(paths) else f"it lists {', '.join(changed[:8]) or 'nothing'}"


def _changed(facts: Facts, container: str) -> list[str]:
    return [name for _, name in facts.engine.diff(facts.container(container).id)]


@check("docker diff of {container} is as you see it now")
def container_as_shown(facts: Facts, container: str) -> str:
    with facts.at(facts.shown) as shown:
        wanted = sorted(shown.engine.diff(shown.container(container).id))
    changed = sorted(facts.engine.diff(facts.container(container).id))
    return "" if changed == wanted else f"it lists {', '.join(name for _, name in changed[:8]) or 'nothing'}"


@check("the own layer of {container} has less than {size}")
def container_smaller(facts: Facts, container: str, size: str | int) -> str:
    own = number(facts.engine.inspect_container(facts.container(container).id, size=True), "SizeRw")
    return "" if own < size_of(size) else f"it has {human_size(own)}"


@check("there is no other container than {containers}")
def only_containers(facts: Facts, containers: list[str]) -> str:
    found = facts.names("container")
    return "" if sorted(found) == sorted(containers) else f"there is {', '.join(found[:6]) or 'none'}"


@check("a new container of {image} starts")
def container_starts(facts: Facts, image: str) -> str:
    made = f"docker run -d --name labkit-probe {facts.first_image(image).id} sleep 1000"
    with facts.after([made]) as later:
        return container_running(later, "labkit-probe")


@check("the program of {container} runs as user {user}")
def container_user_is(facts: Facts, container: str, user: int) -> str:
    """A group behind a colon is left to the learner."""
    found = text(facts.engine.inspect_container(facts.container(container).id), "Config", "User")
    return "" if found.partition(":")[0] == str(user) else f"it runs as {found or 'root'}"


@check("the folder of the writable layer that {container} had is there")
def layer_folder_exists(facts: Facts, container: str) -> str:
    with facts.at(facts.start) as before:
        folder = text(before.engine.inspect_container(container), "GraphDriver", "Data", "UpperDir")
    return "" if facts.engine.host.is_dir(folder) else "it is gone"
