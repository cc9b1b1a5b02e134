"""Checked: a data set, or all shards of one that is not merged yet, verified and repaired.

In: a folder. Out: Faults, whose places are relative to that folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from blendgen.dataset.layout import Layout
from blendgen.farm.shards import Shard, named_shard, shards_in
from blendgen.system.progress import Progress
from blendgen.verification.dataset import Fault
from blendgen.verification.faults import dataset_faults, faults_in_depth, refuse_call
from blendgen.verification.repair import Repair, repair


@dataclass(frozen=True)
class _DataSet:
    """prefix: of its places; shard: that it is, if it is one"""

    folder: Path
    prefix: str = ""
    shard: Shard | None = None

    def seen_from_above(self, fault: Fault) -> Fault:
        return replace(fault, place=self.prefix + fault.place)


def checked(
    folder: Path,
    ray_check: int | None,
    rerender: int | None,
    workers: int | None,
    on_fault: Callable[[Fault], None],
    progress: Progress,
) -> list[Fault]:
    """All faults; raises as api.verify."""
    refuse_call(folder, ray_check, rerender)
    faults = []
    for one in _data_sets(folder):
        for fault in dataset_faults(one.folder, ray_check, rerender, workers, progress):
            faults.append(one.seen_from_above(fault))
            on_fault(faults[-1])
    for fault in _missing_shards(folder):
        faults.append(fault)
        on_fault(fault)
    return faults


def repaired(
    folder: Path,
    ray_check: int | None,
    rerender: int | None,
    workers: int | None,
    on_fault: Callable[[Fault], None],
    progress: Progress,
) -> Repair:
    """What was found and made again, and what is left; raises as api.verify."""
    refuse_call(folder, ray_check, rerender)
    faults: list[Fault] = []
    images: list[int] = []
    left: list[Fault] = []
    for one in _data_sets(folder):
        part = None if one.shard is None else one.shard.images
        result = repair(one.folder, _reporting(one, on_fault), progress, workers, part)
        faults += map(one.seen_from_above, result.faults)
        images += result.images
        left += map(one.seen_from_above, result.left)
        if ray_check is not None or rerender is not None:
            in_depth = faults_in_depth(one.folder, ray_check, rerender, workers, progress)
            left += map(one.seen_from_above, in_depth)
    for fault in _missing_shards(folder):
        on_fault(fault)
        faults.append(fault)
        left.append(fault)
    return Repair(tuple(faults), tuple(sorted(images)), tuple(left))


def _reporting(one: _DataSet, on_fault: Callable[[Fault], None]) -> Callable[[Fault], None]:
    return lambda fault: on_fault(one.seen_from_above(fault))


def _data_sets(folder: Path) -> list[_DataSet]:
    """The data set in a folder, or its shards if it has none of its own."""
    shards = _shards(folder)
    if shards:
        root = Layout(folder).shards
        return [_DataSet(root / shard.name, f"{root.name}/{shard.name}/", shard) for shard in shards]
    own = folder.resolve()
    is_shard = own.parent.name == Layout(own).shards.name
    return [_DataSet(folder, "", named_shard(own.name) if is_shard else None)]


def _shards(folder: Path) -> list[Shard]:
    """The shards in a folder that is not a data set itself, not even a damaged one."""
    layout = Layout(folder)
    if layout.record.exists() or layout.manifest.exists():
        return []
    return shards_in(layout)


def _missing_shards(folder: Path) -> Iterator[Fault]:
    shards = _shards(folder)
    for count in sorted({shard.count for shard in shards}):
        present = {shard.index for shard in shards if shard.count == count}
        for index in sorted(set(range(count)) - present):
            shard = Shard(index, count)
            place = f"{Layout(folder).shards.name}/{shard.name}"
            yield Fault(place, f"is missing; make it with `blendgen generate --shard {shard}`")
