"""Shard progress: how far the shards of a data set are, from their files, while other machines write them.

In: the folder and its shards. Out: which are complete, and counts of images, which are reported to a
Progress. A shard that is complete is not read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from blendgen.dataset.layout import Layout
from blendgen.dataset.ownership import spec_sha256
from blendgen.dataset.store import devices_of, read_record
from blendgen.errors import DatasetError
from blendgen.farm.shard_estimate import ShardEstimate
from blendgen.farm.shards import Shard
from blendgen.farm.status import StatusReader
from blendgen.spec.model import Spec
from blendgen.system.progress import Progress

_MESSAGE = (
    "its images were made on {}, others on {}, and their bytes differ; use machines of one kind, or set "
    "allow_mixed_devices (--allow-mixed-devices)"
)


class ShardProgress:
    """Watches shards.

    spec_yaml: of all shards; one with another is not complete
    """

    def __init__(
        self,
        layout: Layout,
        spec: Spec,
        spec_yaml: str,
        shards: Sequence[Shard],
        progress: Progress,
    ):
        self.folder, self._layout, self._progress = layout.root, layout, progress
        self._spec_sha256 = spec_sha256(spec_yaml)
        self._wanted = {shard: len(shard.images(spec.images, spec.exposures_per_shot)) for shard in shards}
        self._reader = StatusReader(layout.root)
        self._failed: dict[Shard, int] = {}  # images of complete shards that cannot be made
        self._devices: list[dict[str, str]] = []
        self.images, self._existing, self._reported = 0, 0, 0
        self._estimate = ShardEstimate(layout.shards, sum(self._wanted.values()), progress)

    def begin(self) -> int:
        """Tell the progress what is to be made; returns the number of images that are there."""
        total = sum(self._wanted.values())
        existing = self._count()
        self._existing = self._reported = existing
        if existing:
            self._progress.note(f"{existing} of {total} images are there already")
        self._progress.begin(total - existing)
        return self.images

    def report(self) -> None:
        """Tell the progress what has been made since the last call."""
        count = self._count()
        if count > self._reported:
            self._progress.advance(count - self._reported)
            self._reported = count
            self._estimate.counted(self._existing, count)

    def is_complete(self, shard: Shard) -> bool:
        """Whether a shard has all its images, or knows that they cannot be made."""
        if shard not in self._failed:
            record = read_record(self._place(shard))
            images, failed = record.get("images", 0), record.get("images_failed", 0)
            if record.get("spec_sha256") != self._spec_sha256 or images + failed < self._wanted[shard]:
                return False
            self._failed[shard] = failed
        return True

    def has_failed_images(self, shard: Shard) -> bool:
        return bool(self._failed.get(shard))

    def refuse_other_devices(self, shard: Shard) -> None:
        """Raises DatasetError if a complete shard was made on another device than those before it."""
        for device in devices_of(read_record(self._place(shard))):
            if device not in self._devices:
                self._devices.append(device)
        if len(self._devices) > 1:
            other, first = self._devices[1], self._devices[0]
            raise DatasetError(f"{self._place(shard).root}: {_MESSAGE.format(other, first)}")

    def _count(self) -> int:
        """Images that are made, or that cannot be made."""
        with suppress(DatasetError):  # no shard yet
            status = self._reader.read()
            self.images = status.images
            return status.images + status.failed
        return 0

    def _place(self, shard: Shard) -> Layout:
        return Layout(self._layout.shards / shard.name)
