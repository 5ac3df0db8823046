from __future__ import annotations

import gzip
import json

import pytest

from labkit.files import Content, layers
from tests.engine.conftest import Lab


def files(archive: Content) -> dict[str, bytes]:
    return {entry.path: bytes(entry.data) for entry in layers.read(archive) if isinstance(entry.data, Content)}


def test_what_an_archive_holds(lab: Lab) -> None:
    found = files(lab.engine.save(["busybox"]))
    assert sorted(name for name in found if not name.startswith("blobs/")) == [
        "index.json", "manifest.json", "oci-layout", "repositories",
    ]  # fmt: skip
    assert len(found) == 8
    assert found["oci-layout"] == b'{"imageLayoutVersion": "1.0.0"}'
    image = lab.engine.find_image("busybox")
    assert json.loads(found["repositories"]) == {"busybox": {"latest": image.diff_ids[0][7:]}}
    item = json.loads(found["manifest.json"])[0]
    assert item["RepoTags"] == ["busybox:latest"]
    assert item["Config"] == f"blobs/sha256/{image.id[7:]}"
    assert list(item) == ["Config", "RepoTags", "Layers", "LayerSources"]


def test_save_and_load(lab: Lab, make_lab: type[Lab]) -> None:
    lab.run("c1", "tee", "/one", "1")
    identifier = lab.engine.commit("c1", "app:v1")
    archive = lab.engine.save(["app:v1"])
    other = make_lab()
    assert other.engine.load(archive) == ["Loaded image: app:v1"]
    assert other.engine.find_image("app:v1").id == identifier
    assert other.run("c2", "cat", "/one", image="app:v1").out == "1"


DIGEST = "sha256:" + "12" * 32
MISSING = [  # a name, and what save says where there is none such (moby, daemon/internal/image/tarexport/save.go)
    ("nosuch", "No such image: nosuch"),
    ("nosuch:v1", "reference does not exist"),
    (f"nosuch@{DIGEST}", "reference does not exist"),
    ("sha256:1234", "No such image: sha256:1234"),
    (DIGEST, f"No such image: {DIGEST}"),
    ("", "invalid reference format"),
]


@pytest.mark.parametrize(("name", "message"), MISSING)
def test_saving_what_is_missing(lab: Lab, name: str, message: str) -> None:
    assert lab.refused(lab.engine.save, ["busybox", name]) == message


def test_an_image_without_a_name(lab: Lab, make_lab: type[Lab]) -> None:
    lab.run("c1", "tee", "/one", "1")
    identifier = lab.engine.commit("c1")
    assert make_lab().engine.load(lab.engine.save([identifier])) == [f"Loaded image ID: {identifier}"]


def test_export_and_import_flatten(lab: Lab) -> None:
    lab.run("c1", "rm", "/etc/passwd")
    lab.engine.commit("c1", "app")
    lab.create("c2", "true", image="app")
    lab.engine.import_image(lab.engine.export("c2"), "flat")
    about = lab.engine.inspect_image("flat")
    assert len(about["RootFS"]["Layers"]) == 1
    assert about["Config"] == {}
    assert lab.refused(lab.create, "c3", image="flat") == "no command specified"


def test_wrong_changes(lab: Lab) -> None:
    archive = lab.engine.save(["busybox"])
    for change, message in (  # moby, builder.go BuildFromConfig
        ("FOO bar", "FOO is not a valid change command"),
        ("run ls", "run is not a valid change command"),
        ("CMD true\nRUN ls", "RUN is not a valid change command"),
        ("ENV A", "ENV must have two arguments"),
        ("USER", "USER requires exactly one argument"),
    ):
        assert lab.refused(lab.engine.import_image, archive, "x", [change]) == message


def test_a_compressed_archive(lab: Lab, make_lab: type[Lab]) -> None:
    lab.run("c1", "tee", "/one", "1")
    lab.engine.commit("c1", "app")
    archive = Content(gzip.compress(bytes(lab.engine.save(["app"]))))
    assert make_lab().engine.load(archive) == ["Loaded image: app:latest"]


def test_parents_are_kept_where_both_are_saved(lab: Lab, make_lab: type[Lab]) -> None:
    lab.run("c1", "tee", "/one", "1")
    lab.engine.commit("c1", "app")
    other = make_lab()
    other.engine.load(lab.engine.save(["busybox", "app"]))
    assert other.engine.inspect_image("app")["Parent"] == lab.engine.find_image("busybox").id


def test_what_is_no_archive(lab: Lab) -> None:
    assert lab.refused(lab.engine.load, Content()) == "invalid archive: does not contain a manifest.json"
    assert lab.refused(lab.engine.load, Content("text\n")) == "unexpected EOF"
    assert lab.refused(lab.engine.load, Content("text\n" * 200)) == "archive/tar: invalid tar header"
    assert lab.refused(lab.engine.import_image, Content("text\n" * 200)) == "archive/tar: invalid tar header"
