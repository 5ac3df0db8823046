"""Checks of images: what they are, their layers, their files, their settings."""

from __future__ import annotations

from itertools import takewhile

from labkit.course.checks.contents import has
from labkit.course.checks.table import check, layers_text, size_of, within
from labkit.course.machines import Facts, content_of
from labkit.engine.images.layerreport import walk
from labkit.files import Content
from labkit.files.contents import Run
from labkit.kernel.golang import Json, JsonObject, at, human_size, text, texts

READ_LIMIT = 1 << 20  # bytes of a file that a check looks at


@check("the image {image} is there")
def image_exists(facts: Facts, image: str) -> str:
    facts.image(image)
    return ""


@check("{image} has {layers}")
def image_layer_count(
    facts: Facts, image: str, count: int | None = None, at_least: int | None = None, at_most: int | None = None
) -> str:
    number = len(facts.image(image).layers)
    return "" if within(number, count, at_least, at_most) else f"it has {layers_text(number)}"


@check("{image} is smaller than {size}")
def image_size_under(facts: Facts, image: str, size: str | int) -> str:
    there = facts.image(image)
    return "" if there.size < size_of(size) else f"{image} is {human_size(there.size)}"


@check("{image} is built on {base}: its lowest layers are those of {base}")
def image_based_on(facts: Facts, image: str, base: str) -> str:
    mine, lower = facts.image(image).layers, facts.first_image(base).layers
    return "" if mine[: len(lower)] == lower else f"{image} does not begin with the layers of {base}"


@check("{image} and {other} share {layers}")
def images_share_layers(
    facts: Facts,
    image: str,
    other: str,
    count: int | None = None,
    at_least: int | None = None,
    at_most: int | None = None,
) -> str:
    pairs = zip(facts.first_image(image).layers, facts.first_image(other).layers, strict=False)
    shared = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    return "" if within(shared, count, at_least, at_most) else f"they share {layers_text(shared)}"


@check("{image} and {other} are the same image")
def same_image(facts: Facts, image: str, other: str) -> str:
    """`other` is still the image that it was."""
    ids = {facts.image(image).id, facts.image(other).id, facts.first_image(other).id}
    return "" if len(ids) == 1 else f"{image} and {other} have different ids"


@check("the configuration of {image} has {key} = {value}")
def image_config_is(facts: Facts, image: str, key: str, value: str | list[str]) -> str:
    """`key` is a name below Config: Cmd, WorkingDir, User, Labels.NAME; Env.NAME is one variable."""
    is_value = _config(facts.image(image).config, key)
    if is_value == value:
        return ""
    return f"there {key} is {is_value!r}" if is_value else f"{image} has no {key}"


def _config(config: JsonObject, key: str) -> Json:
    name, _, below = key.partition(".")
    if name == "Env" and below:
        return next((each.partition("=")[2] for each in texts(config, name) if each.partition("=")[0] == below), None)
    return at(config, name, below) if below else config.get(name)


@check("the file {path} of {image} is in the layer of '{step}'")
def file_is_in_layer(facts: Facts, image: str, path: str, step: str) -> str:
    layers = [each for each in facts.layers(image) if has(each, path)]
    if layers and layers[-1] in facts.steps_of(image, step):
        return ""
    places = [other.text for other in facts.layers(image) if has(other, path, whiteout=True)]
    return f"it is in the layer of '{places[-1]}'" if places else f"no layer of {image} has {path}"


@check("{path} is in no layer of {image}")
def no_file_in_any_layer(facts: Facts, image: str, path: str) -> str:
    place = next((step.text for step in facts.layers(image) if has(step, path)), None)
    return f"it is in the layer of '{place}'" if place else ""


@check("{image} has no other file than {path}")
def image_has_only(facts: Facts, image: str, path: str) -> str:
    for step in facts.layers(image):
        for name, inode in walk(step.layer.root, "") if step.layer else ():
            if f"/{name.strip('/')}" != path and not inode.is_dir:
                return f"/{name.strip('/')} is in it too"
    return ""


@check("a container of {image} has the file {path}")
def image_has_file(facts: Facts, image: str, path: str) -> str:
    facts.seen(image, path)
    return ""


@check("in a container of {image}, {path} has the text '{text}' in it")
def image_file_contains(facts: Facts, image: str, path: str, text: str) -> str:
    content = content_of(facts.seen(image, path))
    has = content.size <= READ_LIMIT and text.encode() in bytes(content)
    return "" if has else "the file is there, with another content"


@check("in a container of {image}, {path} has the text '{text}' in it, and nothing else")
def image_file_is(facts: Facts, image: str, path: str, text: str) -> str:
    return (
        "" if content_of(facts.seen(image, path)) == Content(f"{text}\n") else "the file is there, with another content"
    )


@check("{path} is the same in {image} and in {other}")
def images_agree_on(facts: Facts, image: str, other: str, path: str) -> str:
    """Both have the file, with one content; `other` as it was at the beginning, where it was there."""
    one, two = (content_of(facts.seen(facts.first_image(name).id, path)) for name in (image, other))
    return "" if one == two else "it is there in both, with different contents"


@check("the comment of {image} is '{text}'")
def image_comment_is(facts: Facts, image: str, text: str) -> str:
    comment = facts.image(image).comment
    if comment == text:
        return ""
    return f"its comment is '{comment}'" if comment else "it has no comment"


@check("the new layer of {image} is what the container {container} has written")
def image_is_of_container(facts: Facts, image: str, container: str) -> str:
    """The highest layer is the one that a commit of this container makes."""
    container = facts.container(container).id
    with facts.after([f"docker commit {container} labkit-probe"]) as later:
        committed = later.image("labkit-probe").layers
    return "" if facts.image(image).layers == committed else "its layers are others"


@check("the images {images} are there, and no other")
def only_images(facts: Facts, images: list[str]) -> str:
    rows = facts.engine.images()
    found = sorted(name for row in rows for name in texts(row, "RepoTags") or [text(row, "Id")])
    return "" if found == sorted(images) else f"there is {', '.join(found[:6]) or 'none'}"


@check("{package} is installed in {image}, as pip installs it")
def image_has_package(facts: Facts, image: str, package: str) -> str:
    """The catalog fills a package's files by a rule that nobody can type."""
    folder = facts.seen(image, f"/usr/local/lib/python3.12/site-packages/{package}")
    pieces = [piece for _, inode in walk(folder, "") for piece in content_of(inode).pieces]
    return "" if any(isinstance(piece, Run) and piece.seed for piece in pieces) else f"what is there is not {package}"


@check("{image} is not larger than {other} by more than {size}")
def image_no_larger(facts: Facts, image: str, other: str, size: str | int) -> str:
    more = facts.image(image).size - facts.first_image(other).size
    return "" if more <= size_of(size) else f"it is {human_size(more)} larger"
