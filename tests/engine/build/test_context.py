"""What is sent to the builder."""

from __future__ import annotations

import pytest

from labkit.engine.build.context import context_paths, matcher, send
from labkit.files import Files, Namespace, Store, tmpfs
from labkit.kernel.process import Clock

NOW = 1_787_000_000_000_000_000  # ns


@pytest.fixture
def files() -> Files:
    store = Store(Clock(NOW))
    return Namespace(store, tmpfs(store)).files()


SENT = [  # name, size, bytes: as examples/build.txt has them
    ("Dockerfile", 170, 209),
    ("Dockerfile.fails", 58, 101),
    ("app.py", 15, 48),
]


@pytest.mark.parametrize(("name", "size", "total"), SENT)
def test_counts_the_bytes(files: Files, name: str, size: int, total: int) -> None:
    files.write(f"/{name}", b"x" * size)
    assert send(files, [name], {}).sent == total


def test_sends_only_what_changed(files: Files) -> None:
    files.write("/app.py", b"x" * 15)
    first = send(files, ["app.py"], {})
    assert send(files, ["app.py"], first.known).sent == 27
    files.append("/app.py", b"y" * 9)
    assert send(files, ["app.py"], first.known).sent == 57
    assert send(files, [], {}).sent == 2


def _fill(files: Files) -> None:
    for path in ("/src/a.txt", "/src/sub/b.txt", "/other/c.txt", "/keep.log", "/drop.log"):
        files.makedirs(path.rpartition("/")[0] or "/")
        files.write(path, path)
    files.symlink("src/a.txt", "/link")


PATHS = [  # what is copied, .dockerignore, what is sent
    (["/"], [], "drop.log keep.log link other other/c.txt src src/a.txt src/sub src/sub/b.txt"),
    (["/src"], [], "src src/a.txt src/sub src/sub/b.txt"),
    (["/src/a.txt"], [], "src src/a.txt"),
    (["/*.log"], [], "drop.log keep.log"),
    (["/src/*"], [], "src src/a.txt src/sub src/sub/b.txt"),
    (["/link"], [], "link src src/a.txt"),
    (["/nosuch"], [], ""),
    (["/"], ["*", "!src"], "src src/a.txt src/sub src/sub/b.txt"),
    (["/"], ["src", "*.log", "!src/sub/b.txt"], "link other other/c.txt src src/sub src/sub/b.txt"),
]


@pytest.mark.parametrize(("wanted", "ignored", "sent"), PATHS)
def test_sends_what_is_copied(files: Files, wanted: list[str], ignored: list[str], sent: str) -> None:
    _fill(files)
    assert " ".join(context_paths(files, matcher(ignored) if ignored else None, wanted)) == sent
