from __future__ import annotations

from labkit.catalog.images import CatalogImage, Registry, build, busybox_listing, image_from_base
from labkit.files import Content, Entry
from tests.engine.conftest import Lab


def course_app() -> CatalogImage:
    below = image_from_base(busybox_listing(), "127.0.0.1:5000/course/app", "1")
    steps = [
        {"by": f"RUN step {number}", "entries": [Entry(f"f{number}", 0o100644, data=Content(str(number)))]}
        for number in range(4)
    ]
    return build("127.0.0.1:5000/course/app", "2", {"Cmd": ["sh"]}, steps, below)


def test_progress(make_lab: type[Lab]) -> None:
    app = course_app()
    lab = make_lab(registry=Registry([app]))
    first, *rest = [blob[7:19] for blob in app.blobs]
    name = "127.0.0.1:5000/course/app:2"
    assert list(lab.engine.pull(name)) == [
        "2: Pulling from course/app",
        f"{first}: Already exists",
        *(f"{layer}: Pulling fs layer" for layer in rest),
        f"{rest[3]}: Waiting",
        *(line for layer in rest for line in (f"{layer}: Verifying Checksum", f"{layer}: Download complete")),
        *(f"{layer}: Pull complete" for layer in rest),
        f"Digest: {app.digest}",
        f"Status: Downloaded newer image for {name}",
    ]
    assert list(lab.engine.pull(name)) == [
        "2: Pulling from course/app",
        f"Digest: {app.digest}",
        f"Status: Image is up to date for {name}",
    ]
    about = lab.engine.inspect_image(name)
    assert about["RepoDigests"] == [f"127.0.0.1:5000/course/app@{app.digest}"]
    records = lab.engine.remove_image(name)
    assert records[:2] == [("Untagged", name), ("Untagged", about["RepoDigests"][0])]
    assert [kind for kind, _ in records[2:]] == ["Deleted"] * 5


def test_what_is_not_there(make_lab: type[Lab]) -> None:
    lab = make_lab(registry=Registry([course_app()]))
    assert lab.refused(list, lab.engine.pull("nosuch")) == (
        "pull access denied for nosuch, repository does not exist or may require 'docker login': denied: requested "
        "access to the resource is denied"
    )
    name = "127.0.0.1:5000/course/none:latest"
    assert (
        lab.refused(list, lab.engine.pull(name)) == f"manifest for {name} not found: manifest unknown: manifest unknown"
    )
    assert lab.refused(list, lab.engine.pull("UPPER")).endswith("must be lowercase")
