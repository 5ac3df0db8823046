"""What the containerd image store keeps of an image beside its files: blobs, each named by its digest.

A layer is a blob too, compressed by gzip; a configuration names the layers' digests, a manifest the configuration and
the layers' blobs. An image goes by what its name points to: the manifest, or an index with the manifest and, from
BuildKit, an attestation that tells how the image was built and so differs from build to build (moby, daemon/containerd;
OCI image-spec; buildkit, exporter/containerimage/writer.go, which indents its manifests).

A layer of plain bytes is truly compressed. In one with filler, which stands for programs, the filler counts with the
share that is left of Debian's busybox: so the base image of the recordings has the size that it has there.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from struct import pack
from typing import NamedTuple

from labkit.engine.core.core import Core
from labkit.engine.core.records import Blob, StoredImage, chain_ids
from labkit.files import Content, Layer
from labkit.files.contents import Piece, Run
from labkit.kernel import golang
from labkit.kernel.golang import Json, JsonObject, text

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_EMPTY = "application/vnd.oci.empty.v1+json"
_STATEMENT = "application/vnd.in-toto+json"
_PREDICATE = "https://slsa.dev/provenance/v1"
_STATEMENT_SIZE = 1085  # bytes of a small build's provenance, as recorded

_SHARE = 0.544753  # of a program's bytes that gzip leaves: 1,083,472 bytes of the recordings' base image
_ZEROS = 1028  # zeros that become one byte
_SHORT = 1 << 16  # bytes up to which zeros are compressed like others
_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_OPEN = b"\0\0\0\xff\xff" * 2  # empty stored blocks: Go closes with one, and its codes take some bytes more


class Packed(NamedTuple):
    """A layer's blob. `data`: its bytes; where some of them are filler, the archive itself."""

    blob: Blob
    data: Content


@lru_cache(maxsize=512)
def packed(layer: Layer) -> Packed:
    archive = layer.tar()
    if any(_is_long(piece) for piece in archive.pieces):
        digest = sha256(f"gzip {layer.diff_id}".encode()).hexdigest()
        return Packed(Blob(LAYER, f"sha256:{digest}", _estimate(archive)), archive)
    data = gzip(bytes(archive))
    return Packed(Blob(LAYER, f"sha256:{sha256(data).hexdigest()}", len(data)), Content(data))


def packed_size(core: Core, chain: str | None) -> int:
    """Bytes of the blobs of a chain's layers."""
    total = 0
    while chain:
        record = core.tables.layers[chain]
        total += packed(record.layer).blob.size
        chain = record.parent
    return total


def _is_long(piece: Piece) -> bool:
    return isinstance(piece, Run) and (bool(piece.seed) or piece.size > _SHORT)


def _estimate(archive: Content) -> int:
    plain = b"".join(piece.read(0, piece.size) if isinstance(piece, Run) else piece
                     for piece in archive.pieces if not _is_long(piece))  # fmt: skip
    runs = (piece for piece in archive.pieces if isinstance(piece, Run) and _is_long(piece))
    return len(gzip(plain)) + round(sum(_run_size(run) for run in runs))


def _run_size(run: Run) -> float:
    if not run.seed:
        return run.size / _ZEROS
    return run.size if run.seed.startswith("random ") else run.size * _SHARE


def gzip(data: bytes) -> bytes:
    """As long as Go's compress/gzip makes it, but for a few bytes."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    return _HEAD + _OPEN + body + pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


# What a configuration has in this store; the rest is the classic engine's (docker-image-spec, specs-go/v1).
_CONFIG_KEYS = (
    "created", "author", "architecture", "variant", "os", "os.version", "os.features", "config", "rootfs", "history",
)  # fmt: skip


def config_of(config: JsonObject) -> JsonObject:
    return {key: config[key] for key in _CONFIG_KEYS if config.get(key)}


def store(core: Core, config_text: str, diff_ids: Iterable[str], *, built: bool = False) -> StoredImage:
    """The blobs of an image whose layers are all in the layer store. `built`: by BuildKit."""
    layers = tuple(packed(core.tables.layers[chain].layer).blob for chain in chain_ids(diff_ids))
    return stored(config_text, layers, core.ids.key("provenance") if built else "")


def stored(
    config_text: str, layers: tuple[Blob, ...], provenance: str = "", media: str = MANIFEST, config_media: str = CONFIG
) -> StoredImage:
    """`provenance`: what tells this build from all others; empty where BuildKit did not build it."""
    config = blob_of(config_media, config_text)
    body = {
        "schemaVersion": 2,
        "mediaType": media,
        "config": descriptor(config),
        "layers": [descriptor(layer) for layer in layers],
    }
    manifest_text = _text(body, indented=bool(provenance))
    manifest = blob_of(media, manifest_text)
    texts = {config.digest: config_text, manifest.digest: manifest_text}
    if not provenance:
        return StoredImage(manifest, manifest, config, layers, (), texts)
    statement_text = _statement(manifest, provenance)
    empty, statement = blob_of(_EMPTY, "{}"), blob_of(_STATEMENT, statement_text)
    attestation_text = _text(_attestation(manifest, empty, statement), indented=True)
    attestation = blob_of(MANIFEST, attestation_text)
    index_text = _text(_index(manifest, attestation), indented=True)
    index = blob_of(INDEX, index_text)
    texts |= {
        empty.digest: "{}",
        statement.digest: statement_text,
        attestation.digest: attestation_text,
        index.digest: index_text,
    }
    return StoredImage(index, manifest, config, layers, (attestation, empty, statement), texts, provenance)


def pulled(image: StoredImage, digest: str) -> StoredImage:
    """An image as it came from a registry, by its index."""
    index_text = _text(_index(image.manifest, image.manifest), indented=True)
    return replace(image, target=Blob(INDEX, digest, len(index_text)), texts={**image.texts, digest: index_text})


def blob_of(media: str, text: str) -> Blob:
    data = text.encode()
    return Blob(media, f"sha256:{sha256(data).hexdigest()}", len(data))


def descriptor(blob: Blob, **more: Json) -> JsonObject:
    return {"mediaType": blob.media, "digest": blob.digest, "size": blob.size, **more}


def _text(document: Mapping[str, object], *, indented: bool) -> str:
    return json.dumps(document, indent=2) if indented else golang.dumps(document)


def _statement(manifest: Blob, provenance: str) -> str:
    """The in-toto statement: a small one, as of a build that asked for no more."""
    head: JsonObject = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": _PREDICATE,
        "subject": [{"name": "_", "digest": {"sha256": manifest.digest[7:]}}],
        "predicate": {"runDetails": {"builder": {"id": ""}, "metadata": {"invocationId": provenance}}},
    }
    return golang.dumps(head).ljust(_STATEMENT_SIZE)


def _attestation(manifest: Blob, empty: Blob, statement: Blob) -> JsonObject:
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.docker.attestation.manifest.v1+json",
        "config": descriptor(empty),
        "layers": [descriptor(statement, annotations={"in-toto.io/predicate-type": _PREDICATE})],
        "subject": descriptor(manifest),
    }


def _index(manifest: Blob, attestation: Blob) -> JsonObject:
    note: JsonObject = {
        "vnd.docker.reference.digest": manifest.digest,
        "vnd.docker.reference.type": "attestation-manifest",
    }
    return {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            descriptor(manifest, platform={"architecture": "amd64", "os": "linux"}),
            descriptor(attestation, annotations=note, platform={"architecture": "unknown", "os": "unknown"}),
        ],
    }


# --- sizes


def total(blobs: Iterable[Blob]) -> int:
    """Bytes of all of them; each counts once."""
    return sum({blob.digest: blob.size for blob in blobs}.values())


def platforms(image: StoredImage, unpacked: int, containers: list[str], config: JsonObject) -> list[JsonObject]:
    """The manifests of an image as a list of images has them: that of its platform, and the attestation's."""
    content = sum(blob.size for blob in image.of_platform)
    platform: JsonObject = {key: text(config, key) for key in ("architecture", "os", "variant") if text(config, key)}
    found: list[JsonObject] = [
        {
            "ID": image.manifest.digest,
            "Descriptor": descriptor(image.manifest),
            "Available": True,
            "Size": {"Content": content, "Total": content + unpacked},
            "Kind": "image",
            "ImageData": {"Platform": platform, "Size": {"Unpacked": unpacked}, "Containers": list[Json](containers)},
        }
    ]
    if image.attestation:
        size = sum(blob.size for blob in image.attestation)
        found.append(
            {
                "ID": image.attestation[0].digest,
                "Descriptor": descriptor(image.attestation[0]),
                "Available": True,
                "Size": {"Content": size, "Total": size},
                "Kind": "attestation",
                "AttestationData": {"For": image.manifest.digest},
            }
        )
    return found
