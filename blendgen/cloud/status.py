"""Status of a data set in an object store: what the indexes of its shards say; no image is read."""

from __future__ import annotations

from blendgen.cloud.index import Head, joined, read_head
from blendgen.cloud.objects import SHARDS, ObjectStore
from blendgen.errors import DatasetError
from blendgen.farm.part_status import PartStatus
from blendgen.farm.shards import Shard, named_shard
from blendgen.farm.status import Status, combined
from blendgen.files.url import Url


class StoreStatusReader:
    """Reads the status below a URL again and again; parts that are complete are not read again."""

    def __init__(self, url: Url):
        self._store = ObjectStore(url)
        self._complete: dict[str, tuple[Head, PartStatus]] = {}

    def read(self) -> Status:
        """raises: BlendgenError; DatasetError where there is neither a data set nor shards"""
        url, own = str(self._store.url), read_head(self._store, "")
        shards = [shard for name in self._store.folders(SHARDS) if (shard := named_shard(name))]
        if own is not None and (own.is_whole or not shards):
            shard = named_shard(self._store.url.name)
            return combined(url, [_part(own, shard.name if shard else "")], 1, own.wanted or None)
        if not shards:
            raise DatasetError(f"{url}: contains neither a data set of blendgen nor shards of one")
        read = [one for shard in shards if (one := self._shard(shard)) is not None]
        images = {head.spec_images for head, _ in read}
        wanted = images.pop() if len(images) == 1 else None
        count = max(len(shards), *(shard.count for shard in shards))
        return combined(url, [part for _, part in read], count, wanted or None)

    def _shard(self, shard: Shard) -> tuple[Head, PartStatus] | None:
        name = shard.name
        if name in self._complete:
            return self._complete[name]
        head = read_head(self._store, joined(SHARDS, name))
        if head is None:
            return None
        part = _part(head, name)
        if part.state == "complete":
            self._complete[name] = head, part
        return head, part


def _part(head: Head, name: str) -> PartStatus:
    state = "complete" if head.is_whole and head.is_complete else "begun"
    return PartStatus(name, state, head.images, head.wanted or None, dict(head.failed_per_reason))
