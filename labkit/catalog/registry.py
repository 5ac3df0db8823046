"""The registry that `docker pull` asks: Docker's own names, and whatever images a machine's owner adds."""

from __future__ import annotations

from collections.abc import Iterable

from labkit.catalog.images import CatalogImage, catalog_image, names

_HUB = ("docker.io/", "index.docker.io/", "library/")


class Registry:
    """Images by name and tag. A name may be short (`busybox`) or whole (`docker.io/library/busybox`)."""

    def __init__(self, extra: Iterable[CatalogImage] = ()) -> None:
        self._extra = {(familiar(image.name), image.tag): image for image in extra}

    def get(self, name: str, tag: str = "latest") -> CatalogImage | None:
        """The image, or None. `tag` may be a digest (sha256:…)."""
        short = familiar(name)
        if tag.startswith("sha256:"):
            return next((image for image in self._all(short) if image.digest == tag), None)
        return self._extra.get((short, tag)) or catalog_image(short, tag)

    def has(self, name: str) -> bool:
        """Whether there is any image of that name: a missing tag gets another answer than a missing name."""
        return bool(self.tags(name))

    def names(self) -> list[str]:
        """All images' names, without tags."""
        return sorted({name for name, _ in [*self._extra, *names()]})

    def tags(self, name: str) -> list[str]:
        short = familiar(name)
        return sorted({tag for other, tag in [*self._extra, *names()] if other == short})

    def _all(self, name: str) -> list[CatalogImage]:
        found = (self.get(name, tag) for tag in self.tags(name))
        return [image for image in found if image]


def familiar(name: str) -> str:
    """A name without what Docker fills in: `docker.io/library/busybox` is `busybox`."""
    for prefix in _HUB:
        name = name.removeprefix(prefix)
    return name
