"""Repair plan: which images of a data set have to be made again, and what cannot be repaired.

In: the faults of a finished data set, and the spec that it was made from. Out: indices. An image is made
again if its row or one of its files is at fault, or if it has neither a row nor a failure although it belongs
to the data set. Which images belong to it follows from its counts: all of the spec, all of its shard, or, if
a run made another part of them, those that have a row, a failure or a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen.dataset.damaged import DamagedStore, is_free
from blendgen.dataset.index_set import IndexSet
from blendgen.dataset.label_registry import IMAGE
from blendgen.dataset.manifest import read_heads
from blendgen.dataset.ownership import looks_like_image
from blendgen.dataset.pack_index import INDEX
from blendgen.dataset.packed import ImageFiles, packs_of
from blendgen.files.folder import Folder
from blendgen.scene.row import RowHead
from blendgen.spec.model import Spec
from blendgen.verification.dataset import Fault

# (images of the spec, exposures_per_shot) -> those of this part of the data set
Part = Callable[[int, int], range]
IN_THE_WAY = "is in the place of a file of this data set, and is left alone; move it away and repair again"


@dataclass(frozen=True)
class RepairPlan:
    """indices: images to be made again; rows: what their rows state, by index; left: what stays at fault"""

    indices: list[int]
    rows: dict[int, RowHead]
    left: list[Fault]


def repair_plan(
    store: DamagedStore, spec: Spec, known: dict[str, Any], part: Part | None, faulty: set[int]
) -> RepairPlan:
    """The plan for an open store; corrects failed.jsonl where it contradicts the rows.

    known: dataset.json as it was; faulty: images whose row or files are at fault
    """
    rows: dict[int, RowHead] = {}
    indices = IndexSet()
    for head in read_heads(store.layout.manifest):
        indices.add(head.index)
        if head.index in faulty:
            rows[head.index] = head
    failed = _corrected_failures(store, spec, indices)
    recorded = known["images"] + known.get("images_failed", 0)
    all_of_them = _wanted(spec, recorded, part)
    if all_of_them is not None:
        strange = {index for index in faulty if index not in all_of_them}
        _drop_rows(store, rows, strange)
        faulty = faulty - strange
        indices -= strange
    wanted = all_of_them or _with_a_file(store.files, known, len(indices | failed) < recorded)
    to_make = faulty | {index for index in wanted if index not in indices and index not in failed}
    left = [fault for head in rows.values() for fault in _obstacles(store.files, head)]
    blocked = {fault.index for fault in left}
    left += _lost_rows(recorded, len(indices | failed | to_make))
    return RepairPlan(sorted(to_make - blocked), rows, left)


def _corrected_failures(store: DamagedStore, spec: Spec, indices: IndexSet) -> set[int]:
    """The images that cannot be made, without failures that are wrong."""
    failures = store.failures()
    wrong = {
        index
        for index, failure in failures.items()
        if index in indices or failure.shot_index != index // spec.exposures_per_shot
    }
    if wrong:
        store.forget_failures(wrong)
    return failures.keys() - wrong


def _drop_rows(store: DamagedStore, rows: dict[int, RowHead], strange: set[int]) -> None:
    """Remove rows of images that do not belong to the data set: their number is damaged."""
    if strange:
        store.drop_rows(strange)
    for index in strange:
        del rows[index]


def _wanted(spec: Spec, recorded: int, part: Part | None) -> range | None:
    """All images that belong to the data set; None where that is not known."""
    whole = range(spec.images) if part is None else part(spec.images, spec.exposures_per_shot)
    return whole if recorded == len(whole) else None


def _with_a_file(files: ImageFiles, known: dict[str, Any], rows_are_missing: bool) -> set[int]:
    """Images that have lost their row but not their file."""
    if not rows_are_missing:
        return set()
    names = Folder(files.layout.root).files(IMAGE.folder)
    loose = {int(Path(name).stem) for name in names if looks_like_image(files.layout, known, name)}
    return loose.union(*(index[INDEX].tolist() for _, index in packs_of(files)))


def _obstacles(files: ImageFiles, head: RowHead) -> Iterable[Fault]:
    """Faults for links and folders in the place of files of a row, or of its pack."""
    packs = () if files.plan is None else files.plan.files_of(head.split, head.index)
    for name in (*head.file_names, *packs):
        if not is_free(files.layout, name):
            yield Fault(name, IN_THE_WAY, head.index)


def _lost_rows(recorded: int, count: int) -> list[Fault]:
    if count >= recorded:
        return []
    what = (
        f"{recorded - count} rows are missing, and it is not recorded of which images; make them with the "
        "`blendgen generate --index` of the run that made them"
    )
    return [Fault("manifest.jsonl", what)]
