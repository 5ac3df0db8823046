from __future__ import annotations

from tests.engine.conftest import Lab


def numbers(lab: Lab, part: str) -> tuple[int, int, int, int]:
    found = lab.engine.disk_usage()[part]
    return found["TotalCount"], found["ActiveCount"], found["TotalSize"], found["Reclaimable"]


def test_shared_layers_count_once(lab: Lab) -> None:
    assert numbers(lab, "ImageUsage") == (1, 0, 1_984_162, 1_984_162)
    lab.run("c1", "tee", "/f", "12345")
    lab.engine.commit("c1", "app")
    lab.engine.remove_container("c1")
    assert numbers(lab, "ImageUsage") == (2, 0, 1_984_167, 5)
    lab.create("c2", "true", image="app")
    assert numbers(lab, "ImageUsage") == (2, 1, 1_984_167, 0)


def test_containers_and_volumes(lab: Lab) -> None:
    lab.up("c1", Binds=["notes:/data"])
    lab.exec("c1", "tee", "/big", "x" * 1000)
    lab.exec("c1", "tee", "/data/f", "x" * 200)
    assert numbers(lab, "ContainerUsage") == (1, 1, 1000, 0)
    assert numbers(lab, "VolumeUsage") == (1, 1, 200, 0)
    lab.engine.stop("c1", 0)
    assert numbers(lab, "ContainerUsage") == (1, 0, 1000, 1000)
    lab.engine.remove_container("c1")
    assert numbers(lab, "VolumeUsage") == (1, 0, 200, 200)
    assert numbers(lab, "BuildCacheUsage") == (0, 0, 0, 0)


def test_sizes_of_a_container(lab: Lab) -> None:
    lab.run("c1", "tee", "/f", "12345")
    about = lab.engine.inspect_container("c1", size=True)
    assert (about["SizeRw"], about["SizeRootFs"]) == (5, 1_984_167)
    assert "SizeRw" not in lab.engine.inspect_container("c1")


def test_volumes_with_driver_options_are_left_out(lab: Lab) -> None:
    """moby, volume/service/service.go, LocalVolumesSize."""
    lab.engine.create_volume("plain")
    lab.engine.create_volume("tmp", opts={"type": "tmpfs", "device": "tmpfs"})
    assert numbers(lab, "VolumeUsage") == (1, 0, 0, 0)
