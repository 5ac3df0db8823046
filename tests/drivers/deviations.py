"""The table of deviations: what a container can tell its driver by. Everything else is the same on all of them."""

from __future__ import annotations

from labkit.drivers import DRIVERS
from labkit.drivers.unionmounts import UnionMounts
from labkit.files import Content, Files
from tests.drivers.stacked import stacked

ORACLE = "vfs"  # the driver that is too simple to be wrong
UNIONS = tuple(name for name in DRIVERS if isinstance(stacked(name)[1], UnionMounts))
COUNTS_OTHER_LAYERS = ("overlay",)  # st_nlink of an image's file has the links of all layers
CROSS_DEVICE = "errno 18"  # EXDEV


def rename_a_folder_of_the_image(files: Files) -> object:
    return files.rename("/a", "/moved")


def write_to_a_hard_link_of_the_image(files: Files) -> object:
    files.append("/one", "+")
    return files.read("/two")


def count_links_of_an_image_s_file(files: Files) -> object:
    return files.stat("/b").st_nlink


def fill_eleven_gib(files: Files) -> object:
    return files.write("/big", Content.zeros(11 << 30))


def make_a_name_like_a_mark(files: Files) -> object:
    return files.write("/.wh.b", "")


DEVIATIONS = [
    (rename_a_folder_of_the_image, UNIONS, CROSS_DEVICE, None),
    (write_to_a_hard_link_of_the_image, UNIONS, b"1", b"1+"),
    (count_links_of_an_image_s_file, COUNTS_OTHER_LAYERS, 3, 1),
    (fill_eleven_gib, ("devicemapper",), "errno 28", None),
    (make_a_name_like_a_mark, ("aufs",), "errno 1", None),
]
