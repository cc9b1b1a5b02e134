"""Merge: one data set of shards, the same bytes as if one run had made it.

In: the folders of shards, by default OUT/shards/*, in any order. Out: OUT with their images and one manifest;
only blender.log depends on the shards. Everything is checked before anything is written. Rows are read one
after the other, so memory does not grow with their number. dataset.json is written last; until then it states
that the merge has not finished, and the same command continues it.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from blendgen.containers.pack_writers import require_writer
from blendgen.dataset.image_lists import image_lists
from blendgen.dataset.images_card import card_name, images_card
from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.manifest import Summary, Tally, head_of
from blendgen.dataset.ownership import LOG_HEAD, MERGING_KEY
from blendgen.dataset.pack_plan import CONTAINER_KEY, PackPlan
from blendgen.dataset.store import COUNT_KEYS, counts_record, device_record, record_bytes
from blendgen.errors import DatasetError, UsageError
from blendgen.farm.merge_input import MergeInput
from blendgen.farm.merge_places import opened_inputs, refuse_foreign_output, shard_folders
from blendgen.farm.merge_removal import note_removal, remove_inputs
from blendgen.farm.merged_images import Survey, merged_images, survey
from blendgen.farm.merged_packs import MergedPacks
from blendgen.farm.placement import LINKS, AnyPlacement, Placement
from blendgen.farm.shards import Shard, shards_of
from blendgen.files.folder import Folder
from blendgen.files.regular_file import links_outside
from blendgen.system.progress import Progress
from blendgen.workers.run import sheet_bytes, warn_of_unbalanced_splits

_MAX_NAMED = 6
_MAX_LOOKED_AT = 10_000
_BLOCK_BYTES = 1 << 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MergeOptions:
    """link: "hard", which copies where links are not possible, "copy" or "move"; the rest: api.merge."""

    link: str = "hard"
    allow_gaps: bool = False
    allow_mixed_devices: bool = False
    remove_shards: bool = False
    check_files: bool = False

    def __post_init__(self) -> None:
        if self.link not in LINKS:
            raise UsageError(f"link: expected one of {', '.join(LINKS)}, got {self.link!r}")


def merge(
    folder: Path,
    shards: Sequence[Path],
    options: MergeOptions,
    progress: Progress,
    placement: AnyPlacement | None = None,
) -> dict[str, Any]:
    """Returns counts; raises UsageError, DatasetError.

    shards: their folders; none: those in folder/shards
    placement: puts files in place; None: a Placement in the folder
    """
    layout, is_new = Layout(folder), not folder.exists()
    places = shard_folders(layout, shards)
    temporary = Folder(folder, layout.temporary.name)
    try:
        with FolderLock(layout):
            temporary.remove_temporary_files()
            try:
                return _Merge(layout, places, options, progress, placement).run()
            finally:
                temporary.remove_temporary_files()
    finally:
        if is_new:
            with suppress(OSError):  # not empty
                folder.rmdir()


@dataclass
class _Merge:
    layout: Layout
    places: list[Path]
    options: MergeOptions
    progress: Progress
    placement: AnyPlacement | None = None

    def run(self) -> dict[str, Any]:
        known = refuse_foreign_output(self.layout)
        self.inputs = opened_inputs(self.layout, self.places, known, self.options.allow_mixed_devices)
        self._folder = Folder(self.layout.root, self.layout.temporary.name)
        total = self._survey()
        shards = [one for one in self.inputs if not one.is_output]
        removes = bool(shards) and (self.options.remove_shards or self.options.link == "move")
        counts = self._unchanged(total)
        if counts is not None and (removes or self.options.check_files):
            self._check_own_files()
        note_removal(self.layout, shards, removes)
        if counts is None:
            counts = self._write(total.sources)
        if removes:
            os.sync()  # links, copies and moved files are on the disk before the shards go
            remove_inputs(self.layout, shards)
        return {"shards": len(shards), **counts}

    def _survey(self) -> Survey:
        """What the inputs have together; raises DatasetError where images are missing."""
        self.progress.begin(_total(self.inputs), "row")
        total = survey(self.inputs, self.inputs[0].wanted_images, self.progress.advance)
        if total.missing and not self.options.allow_gaps:
            raise DatasetError(f"{self.layout.root}: {_gap_message(total, self.inputs)}")
        if total.missing:
            _log.warning("note: %d images are missing: %s", total.missing, _ranges(total.gaps))
        return total

    def _unchanged(self, total: Survey) -> dict[str, Any] | None:
        """The counts of the data set in the folder, if it has all images already."""
        output = next((one for one in self.inputs if one.is_output and not one.is_merging), None)
        if output is None or (total.images, total.failed.total()) != output.counted:
            return None
        return {key: output.record.get(key) for key in COUNT_KEYS}

    def _check_own_files(self) -> None:
        """Raises DatasetError where a file of the finished data set in the folder is missing or damaged.

        The data set stays a finished one, which can be repaired.
        """
        placement = self._placement()
        for image in merged_images([one for one in self.inputs if one.is_output]):
            if image.failure is None:
                row = head_of(self.layout.manifest, image.number, image.line)
                placement.place(image.source, row, image.index)
        placement.finish()

    def _write(self, sources: set[Path]) -> dict[str, Any]:
        """Write the data set, dataset.json last.

        sources: folders of the inputs that images are taken from
        """
        folder, layout, record = self._folder, self.layout, _common_record(self.inputs)
        devices = device_record(_all_devices(self.inputs))
        self._begin(record_bytes(record | devices | {MERGING_KEY: True}), sources)
        folder.write(layout.spec.name, self.inputs[0].spec)
        summary, failed, has_lists = self._write_images()
        counts = counts_record(summary, dict(sorted(failed.items())))
        record |= counts | devices
        if summary.images:
            card = images_card(record, summary.images_digest, has_lists)
            folder.write(card_name(layout, record), card)
            folder.write(layout.contact_sheet.name, sheet_bytes(layout.root))
        if self.options.link != "hard":
            os.sync()  # dataset.json may not say that files are there which a power cut can still take
        folder.write(layout.record.name, record_bytes(record))
        warn_of_unbalanced_splits(record, summary)
        return counts

    def _begin(self, record: bytes, sources: set[Path]) -> None:
        """Write what says that the merge has not finished, and the log.

        The log comes before the manifest, which hides from a merge that continues where images are from: if
        there is a manifest, the log has been written.
        """
        folder, layout = self._folder, self.layout
        output = next((one for one in self.inputs if one.is_output), None)
        if output is not None and not output.is_merging:
            folder.write(layout.log.name, self._log_blocks(sources))
        folder.write(layout.record.name, record)
        if output is None:
            folder.write(layout.log.name, self._log_blocks(sources))

    def _write_images(self) -> tuple[Summary, Counter[str], bool]:
        """Place the files of all images, and write manifest.jsonl, failed.jsonl and the lists of images.

        The last value says whether there are lists.
        """
        tally, failed = Tally(), Counter[str]()
        placement = self.placement or self._placement()
        self.progress.begin(_total(self.inputs))
        with ExitStack() as stack:
            manifest = stack.enter_context(self._folder.atomic_file(self.layout.manifest.name))
            lists = stack.enter_context(image_lists(self._folder.atomic_file))
            failures: IO[bytes] | None = None
            for image in merged_images(self.inputs):
                if image.failure is None:
                    row = head_of(image.source.layout.manifest, image.number, image.line)
                    placement.place(image.source, row, image.index)
                    if CONTAINER_KEY not in image.source.record:
                        lists.add_row(row)
                    manifest.write(image.line)
                    tally.add(row)
                else:
                    if failures is None:
                        failures = stack.enter_context(self._folder.atomic_file(self.layout.failures.name))
                    failures.write(image.line)
                    failed[image.failure.reason] += 1
                self.progress.advance(1)
        placement.finish()
        if failures is None:
            self._folder.remove(self.layout.failures.name)
        return tally.summary(), failed, lists.are_needed

    def _placement(self) -> AnyPlacement:
        """What puts images in place, in files of their own or in large ones."""
        record, options = self.inputs[0].record, self.options
        plan = PackPlan.of_record(record)
        if plan is None:
            return Placement(self.layout, options.link, options.check_files)
        require_writer(plan.container)
        return MergedPacks(self.layout, plan, record, options.link, options.check_files)

    def _log_blocks(self, sources: set[Path]) -> Iterator[bytes]:
        """What Blender printed for the images, one shard after the other."""
        yield LOG_HEAD
        for one in self.inputs:
            path = one.layout.log
            if one.root not in sources or links_outside(path) or not path.is_file():
                continue
            with path.open("rb") as file:
                if file.read(len(LOG_HEAD)) == LOG_HEAD:
                    yield from iter(lambda: file.read(_BLOCK_BYTES), b"")


def _total(inputs: Sequence[MergeInput]) -> int:
    return sum(sum(one.counted) for one in inputs if not one.is_merging)


def _common_record(inputs: Sequence[MergeInput]) -> dict[str, Any]:
    """dataset.json without what states how many images there are and where they were made."""
    apart = (*COUNT_KEYS, "device", "also_made_on", MERGING_KEY)
    record = {key: value for key, value in inputs[0].record.items() if key not in apart}
    return record | {"spec_sha256": hashlib.sha256(inputs[0].spec).hexdigest()}


def _all_devices(inputs: Sequence[MergeInput]) -> list[dict[str, str]]:
    devices: list[dict[str, str]] = []
    for one in inputs:
        devices += [device for device in one.devices if device not in devices]
    return devices


def _gap_message(total: Survey, inputs: Sequence[MergeInput]) -> str:
    """Which images are missing, and how to make them."""
    what = f"{total.missing} images are missing: {_ranges(total.gaps)}"
    shards = _shards_with(total.gaps, inputs)
    if shards:
        again = ", ".join(map(str, shards[:_MAX_NAMED])) + (", ..." if len(shards) > _MAX_NAMED else "")
        return f"{what}; run `blendgen generate --shard` for {again} again, or set allow_gaps (--allow-gaps)"
    return f"{what}; make them with `blendgen generate --index`, or set allow_gaps (--allow-gaps)"


def _shards_with(gaps: Sequence[range], inputs: Sequence[MergeInput]) -> list[Shard]:
    """The shards that have missing images, if the names of all inputs are those of shards of one number."""
    counts = {one.shard.count if one.shard else 0 for one in inputs if not one.is_output}
    count = counts.pop() if len(counts) == 1 else 0
    if not count:
        return []
    images, per_shot = inputs[0].wanted_images, inputs[0].exposures_per_shot
    shards = chain.from_iterable(shards_of(gap, count, images, per_shot) for gap in gaps)
    return [*islice(dict.fromkeys(islice(shards, _MAX_LOOKED_AT)), _MAX_NAMED + 1)]


def _ranges(gaps: Sequence[range]) -> str:
    """Ranges as --index has them."""
    texts = [str(gap.start) if len(gap) == 1 else f"{gap.start}-{gap.stop - 1}" for gap in gaps[:_MAX_NAMED]]
    return ",".join(texts) + (", ..." if len(gaps) > _MAX_NAMED else "")
