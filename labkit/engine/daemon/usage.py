"""docker system df: what images, containers, volumes and the build cache take, and how much of it could be freed.

A layer counts once. What an image could give back is what no other image shares (moby, daemon/disk_usage.go).
"""

from __future__ import annotations

from typing import Any

from labkit.engine.containers import listing
from labkit.engine.core.core import Core, by_age
from labkit.engine.core.records import chain_ids
from labkit.engine.images import images
from labkit.engine.images.imagestore import ImageStore
from labkit.engine.images.layerstore import LayerStore
from labkit.engine.mounts import volumes


def disk_usage(core: Core, cache: list[dict[str, Any]]) -> dict[str, Any]:
    """GET /system/df."""
    return {
        "ImageUsage": _images(core),
        "ContainerUsage": _containers(core),
        "VolumeUsage": _volumes(core),
        "BuildCacheUsage": _build_cache(cache),
    }


def _part(items: list[dict[str, Any]], active: int, total: int, reclaimable: int) -> dict[str, Any]:
    return {
        "ActiveCount": active,
        "TotalCount": len(items),
        "TotalSize": total,
        "Reclaimable": reclaimable,
        "Items": items,
    }


def _images(core: Core) -> dict[str, Any]:
    uses: dict[str, int] = {}
    for image in ImageStore(core).all():
        for chain in chain_ids(image.diff_ids):
            uses[chain] = uses.get(chain, 0) + 1
    items, reclaimable, active = [], 0, 0
    for row in images.summaries(core):
        image = core.tables.images[row["Id"]]
        shared = sum(_size(core, chain) for chain in chain_ids(image.diff_ids) if uses[chain] > 1)
        row["SharedSize"] = shared
        items.append(row)
        if row["Containers"]:
            active += 1
        else:
            reclaimable += row["Size"] - shared
    return _part(items, active, sum(_size(core, chain) for chain in uses), reclaimable)


def _size(core: Core, chain: str) -> int:
    record = LayerStore(core).get(chain)
    return record.size if record else 0


def _containers(core: Core) -> dict[str, Any]:
    found = by_age(core)
    items = [listing.row(core, container, size=True) for container in found]
    idle = sum(row["SizeRw"] for row, container in zip(items, found, strict=True) if not container.state.running)
    active = sum(container.state.running for container in found)
    return _part(items, active, sum(row["SizeRw"] for row in items), idle)


def _volumes(core: Core) -> dict[str, Any]:
    items, idle = [], 0
    for row in volumes.rows(core, None):
        volume = core.tables.volumes[row["Name"]]
        count, size = len(volumes.users(core, volume.name)), volumes.size(core, volume)
        items.append({**row, "UsageData": {"RefCount": count, "Size": size}})
        idle += 0 if count else size
    active = sum(1 for item in items if item["UsageData"]["RefCount"])
    return _part(items, active, sum(item["UsageData"]["Size"] for item in items), idle)


def _build_cache(items: list[dict[str, Any]]) -> dict[str, Any]:
    active = sum(1 for item in items if item["InUse"])
    total = sum(item["Size"] for item in items)
    reclaimable = sum(item["Size"] for item in items if not item["InUse"] and not item.get("Shared"))
    return _part(items, active, total, reclaimable)
