from __future__ import annotations

import pytest

from labkit.engine.core.core import short
from tests.engine.conftest import Lab


def test_an_imported_image(lab: Lab) -> None:
    about = lab.engine.inspect_image("busybox")
    assert about["RepoTags"] == ["busybox:latest"]
    assert about["Size"] == 1_984_162
    assert about["Config"] == {"Cmd": ["sh"]}
    assert len(about["RootFS"]["Layers"]) == 1
    assert list(about) == [
        "Id", "RepoTags", "RepoDigests", "Comment", "Created", "Config", "Architecture", "Os", "Size", "GraphDriver",
        "RootFS", "Metadata",
    ]  # fmt: skip
    assert lab.engine.history("busybox")[0]["Comment"] == "Imported from -"


def test_finding(lab: Lab) -> None:
    image = lab.engine.find_image("busybox")
    for reference in ("busybox:latest", "docker.io/library/busybox", image.id, image.id[7:], image.id[7:15]):
        assert lab.engine.find_image(reference) == image
    assert lab.refused(lab.engine.find_image, "nosuch") == "No such image: nosuch:latest"
    assert lab.refused(lab.engine.find_image, "busybox:v9") == "No such image: busybox:v9"
    assert lab.refused(lab.engine.find_image, "0" * 64) == f"No such image: sha256:{'0' * 64}"


def test_tags(lab: Lab) -> None:
    lab.engine.tag("busybox", "tools:v2")
    lab.engine.tag("tools:v2", "a/b:1")
    assert lab.engine.inspect_image("busybox")["RepoTags"] == ["a/b:1", "busybox:latest", "tools:v2"]
    assert lab.engine.remove_image("tools:v2") == [("Untagged", "tools:v2")]
    assert lab.refused(lab.engine.tag, "nosuch", "x") == "No such image: nosuch:latest"


def test_a_commit_has_a_parent_and_one_more_layer(lab: Lab) -> None:
    lab.run("c1", "tee", "/new", "text")
    identifier = lab.engine.commit("c1", "snap", "Ada", "a file", ["ENV X=1", 'CMD ["cat","/new"]'])
    about = lab.engine.inspect_image("snap")
    assert about["Id"] == identifier
    assert about["Parent"] == lab.engine.inspect_image("busybox")["Id"]
    assert about["Comment"] == "a file"
    assert about["Author"] == "Ada"
    assert about["Config"]["Env"] == ["X=1"]
    assert len(about["RootFS"]["Layers"]) == 2
    assert [(step["CreatedBy"], step["Size"]) for step in lab.engine.history("snap")] == [
        ("tee /new text", 4),
        ("", 1_984_162),
    ]
    assert lab.run("c2", image="snap").out == "text"


def test_a_commit_without_change_adds_no_layer(lab: Lab) -> None:
    lab.create("c1", "true")
    lab.engine.commit("c1", "same")
    assert len(lab.engine.inspect_image("same")["RootFS"]["Layers"]) == 1


def test_removal_of_one_in_use(lab: Lab) -> None:
    container = lab.create("c1", "sleep")
    image = lab.engine.find_image("busybox").id
    by_name = (
        f'conflict: unable to remove repository reference "busybox" (must force) - container {short(container)} is '
        f"using its referenced image {short(image)}"
    )
    assert lab.refused(lab.engine.remove_image, "busybox") == by_name
    stopped = (
        f"conflict: unable to delete {short(image)} (must be forced) - image is being used by stopped container "
        f"{short(container)}"
    )
    assert lab.refused(lab.engine.remove_image, image) == stopped
    lab.engine.start_container("c1")
    running = stopped.replace("must be forced", "cannot be forced").replace("stopped", "running")
    assert lab.refused(lab.engine.remove_image, image, force=True) == running
    assert lab.engine.remove_image("busybox", force=True) == [("Untagged", "busybox:latest")]
    assert lab.engine.containers()[0]["Image"] == image


def test_removal_of_a_parent(lab: Lab) -> None:
    lab.run("c1", "tee", "/new", "text")
    child = lab.engine.commit("c1", "child")
    lab.engine.remove_container("c1")
    parent = lab.engine.find_image("busybox").id
    message = f"conflict: unable to delete {short(parent)} (cannot be forced) - image has dependent child images"
    assert lab.refused(lab.engine.remove_image, parent, force=True) == message
    assert lab.engine.remove_image("busybox") == [("Untagged", "busybox:latest")]
    chain, base = lab.engine.find_image("child").chain, lab.engine.find_image(parent).chain
    assert lab.engine.remove_image("child") == [
        ("Untagged", "child:latest"),
        ("Deleted", child),
        ("Deleted", chain),
        ("Deleted", parent),
        ("Deleted", base),
    ]
    assert lab.engine.images(all=True) == []


def test_a_layer_that_a_builder_holds_goes_with_the_next_prune(lab: Lab) -> None:
    image = lab.engine.find_image("busybox")
    lab.engine.layerstore.keep(image.chain)
    lab.engine.tag("busybox", "other")
    assert lab.engine.remove_image("other") == [("Untagged", "other:latest")]
    gone, _ = lab.engine.prune_images(all=True)
    assert gone == [("Untagged", "busybox:latest"), ("Deleted", image.id), ("Deleted", image.chain)]


def test_removal_by_id_with_several_names(lab: Lab) -> None:
    lab.engine.tag("busybox", "one")
    image, chain = lab.engine.find_image("busybox").id, lab.engine.find_image("busybox").chain
    message = (
        f"conflict: unable to delete {short(image)} (must be forced) - image is referenced in multiple repositories"
    )
    assert lab.refused(lab.engine.remove_image, image) == message
    records = lab.engine.remove_image(image, force=True)
    assert records[:2] == [("Untagged", "busybox:latest"), ("Untagged", "one:latest")]
    assert records[2:] == [("Deleted", image), ("Deleted", chain)]


def test_prune_takes_dangling_images(lab: Lab) -> None:
    lab.run("c1", "tee", "/own", "x" * 1000)
    first = lab.engine.commit("c1", "snap")
    chain = lab.engine.find_image("snap").chain
    lab.run("c2", "true")
    lab.engine.commit("c2", "snap")
    assert [row["Id"] for row in lab.engine.images(filters={"dangling": ["true"]})] == [first]
    assert lab.engine.prune_images() == ([("Deleted", first), ("Deleted", chain)], 1000)
    assert lab.engine.prune_images() == ([], 0)


def test_prune_all_keeps_what_containers_use(lab: Lab) -> None:
    lab.engine.tag("busybox", "one")
    lab.create("c1", "true", image="one")
    assert lab.engine.prune_images(all=True) == ([("Untagged", "busybox:latest")], 0)
    lab.engine.remove_container("c1")
    records, space = lab.engine.prune_images(all=True)
    assert [kind for kind, _ in records] == ["Untagged", "Deleted", "Deleted"]
    assert space == 1_984_162


def test_lists(lab: Lab) -> None:
    lab.create("c1", "true")
    row = lab.engine.images()[0]
    assert row["RepoTags"] == ["busybox:latest"]
    assert row["Containers"] == 1
    assert lab.engine.images(filters={"reference": ["busy*"]})
    assert not lab.engine.images(filters={"reference": ["x*"]})
    assert lab.refused(lab.engine.images, filters={"nosuch": ["1"]}) == "invalid filter 'nosuch'"


@pytest.mark.parametrize(("driver", "size"), [("overlay2", 1_984_167), ("vfs", 1_982_291)])
def test_sizes(make_lab: type[Lab], driver: str, size: int) -> None:
    """vfs leaves symbolic links out."""
    lab = make_lab(driver)
    lab.run("c1", "tee", "/new", "12345")
    lab.engine.commit("c1", "snap")
    assert lab.engine.inspect_image("snap")["Size"] == size
