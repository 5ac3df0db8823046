"""docker system df: what images, containers, volumes and the build cache take, and how much of it could be freed.

A layer counts once. What an image could give back is what no other image shares (moby, daemon/disk_usage.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.engine.containers import containers
from labkit.engine.images import images, layerstore
from labkit.engine.mounts import volumes

if TYPE_CHECKING:
    from labkit.engine.api import Engine


def disk_usage(engine: Engine) -> dict[str, Any]:
    """GET /system/df."""
    return {
        "ImageUsage": _images(engine),
        "ContainerUsage": _containers(engine),
        "VolumeUsage": _volumes(engine),
        "BuildCacheUsage": _build_cache(engine),
    }


def _part(items: list[dict[str, Any]], active: int, total: int, reclaimable: int) -> dict[str, Any]:
    return {
        "ActiveCount": active,
        "TotalCount": len(items),
        "TotalSize": total,
        "Reclaimable": reclaimable,
        "Items": items,
    }


def _images(engine: Engine) -> dict[str, Any]:
    uses: dict[str, int] = {}
    for image in engine.imagestore.all():
        for chain in layerstore.chain_ids(image.diff_ids):
            uses[chain] = uses.get(chain, 0) + 1
    items, reclaimable, active = [], 0, 0
    for row in images.summaries(engine):
        image = engine.tables.images[row["Id"]]
        shared = sum(_size(engine, chain) for chain in layerstore.chain_ids(image.diff_ids) if uses[chain] > 1)
        row["SharedSize"] = shared
        items.append(row)
        if row["Containers"]:
            active += 1
        else:
            reclaimable += row["Size"] - shared
    return _part(items, active, sum(_size(engine, chain) for chain in uses), reclaimable)


def _size(engine: Engine, chain: str) -> int:
    record = engine.layerstore.get(chain)
    return record.size if record else 0


def _containers(engine: Engine) -> dict[str, Any]:
    found = engine.containers_by_age()
    items = [containers.row(engine, container, size=True) for container in found]
    idle = sum(row["SizeRw"] for row, container in zip(items, found, strict=True) if not container.state.running)
    active = sum(container.state.running for container in found)
    return _part(items, active, sum(row["SizeRw"] for row in items), idle)


def _volumes(engine: Engine) -> dict[str, Any]:
    items, idle = [], 0
    for row in volumes.rows(engine, None):
        volume = engine.tables.volumes[row["Name"]]
        count, size = len(volumes.users(engine, volume.name)), volumes.size(engine, volume)
        items.append({**row, "UsageData": {"RefCount": count, "Size": size}})
        idle += 0 if count else size
    active = sum(1 for item in items if item["UsageData"]["RefCount"])
    return _part(items, active, sum(item["UsageData"]["Size"] for item in items), idle)


def _build_cache(engine: Engine) -> dict[str, Any]:
    items = list(engine.build_cache.usage())
    active = sum(1 for item in items if item["InUse"])
    total = sum(item["Size"] for item in items)
    reclaimable = sum(item["Size"] for item in items if not item["InUse"] and not item.get("Shared"))
    return _part(items, active, total, reclaimable)
