"""Names of images: [domain/]path[:tag][@digest], as distribution/reference reads them, with its messages."""

from __future__ import annotations

import re
from dataclasses import dataclass

DOMAIN = "docker.io"
LIBRARY = "library/"

_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_PART}(?:\.{_PART})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*"
_NAME = rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(rf"({_NAME})(?::([\w][\w.-]{{0,127}}))?(?:@({_DIGEST}))?", re.ASCII)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")


class ReferenceInvalid(ValueError):
    """The name of an image cannot be read; str() says why."""


@dataclass(frozen=True)
class Reference:
    """A name in full: docker.io/library/busybox is Reference("docker.io", "library/busybox")."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The short name that docker shows: busybox for docker.io/library/busybox."""
        if self.domain != DOMAIN:
            return f"{self.domain}/{self.path}"
        short = self.path.removeprefix(LIBRARY)
        return self.path if "/" in short else short

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return self.name + tag + (f"@{self.digest}" if self.digest else "")

    def tagged(self) -> Reference:
        """With the tag latest where it has neither tag nor digest."""
        return self if self.tag or self.digest else Reference(self.domain, self.path, "latest")


def _split(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    is_domain = slash and (any(c in first for c in ".:") or first == "localhost" or first.lower() != first)
    domain, path = (first, rest) if is_domain else (DOMAIN, text)
    if domain == "index.docker.io":
        domain = DOMAIN
    return domain, LIBRARY + path if domain == DOMAIN and "/" not in path else path


def check(text: str) -> re.Match[str]:
    """The parts of a name as it stands. Raises ReferenceInvalid."""
    match = _REFERENCE.fullmatch(text)
    if match:
        if len(match[1]) > 255:
            raise ReferenceInvalid("repository name must not be more than 255 characters")
        return match
    if not text:
        raise ReferenceInvalid("repository name must have at least one component")
    if _REFERENCE.fullmatch(text.lower()):
        raise ReferenceInvalid("repository name must be lowercase")
    raise ReferenceInvalid("invalid reference format")


def parse(text: str) -> Reference:
    """The name in full. Raises ReferenceInvalid."""
    if _IDENTIFIER.fullmatch(text):
        raise ReferenceInvalid(f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings")
    domain, rest = _split(text)
    remote = rest.partition(":")[0]
    if remote.lower() != remote:
        raise ReferenceInvalid(f"invalid reference format: repository name ({remote}) must be lowercase")
    match = check(f"{domain}/{rest}")
    return Reference(domain, match[1].removeprefix(domain + "/"), match[2] or "", match[3] or "")


def parse_any(text: str) -> Reference | None:
    """As parse; None for what is an image id (64 hexadecimal digits) or a digest."""
    if _IDENTIFIER.fullmatch(text) or re.fullmatch(r"sha256:[a-f0-9]{64}", text):
        return None
    return parse(text)
