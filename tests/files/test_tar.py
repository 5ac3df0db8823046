"""Archives: what is written is what is read back."""

from __future__ import annotations

import io
import stat
import tarfile

from labkit.files import Content, Entry, layers

ODD = b"\xff\xfe".decode("utf-8", "surrogateescape")


def test_names_that_are_no_utf8_come_back_as_they_were() -> None:
    entries = [
        Entry(f"name {ODD}", stat.S_IFREG | 0o644, data=Content(b"x")),
        Entry("link", stat.S_IFLNK | 0o777, data=f"to {ODD}"),
    ]
    archive = layers.write(entries)
    assert [(each.path, each.data) for each in layers.read(archive)] == [
        (f"name {ODD}", Content(b"x")),
        ("link", f"to {ODD}"),
    ]
    with tarfile.open(fileobj=io.BytesIO(bytes(archive))) as theirs:
        assert [member.name.encode("utf-8", "surrogateescape") for member in theirs] == [b"name \xff\xfe", b"link"]
