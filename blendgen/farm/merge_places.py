"""Merge places: which folders are merged, whether they belong together, and into which folder.

In: paths of a user, folders of strangers. Out: merge inputs of one data set, that of the output first, then
in the order of their images, or a DatasetError. Nothing is changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from blendgen.dataset.layout import Layout
from blendgen.dataset.ownership import HARMLESS, MERGING_KEY, is_ours, listed, own_files, refuse_other_folder
from blendgen.dataset.store import COUNT_KEYS, read_record
from blendgen.errors import DatasetError, UsageError
from blendgen.farm.merge_input import MergeInput, opened_input, output_input
from blendgen.farm.shards import named_shard
from blendgen.files.regular_file import links_outside

REMOVING = ".blendgen-removing"  # an empty file in OUT/shards while their removal is due
# what may differ between parts of one data set
_OWN_KEYS = frozenset(
    {
        *COUNT_KEYS,
        *("device", "also_made_on", "spec_sha256", "left_out", MERGING_KEY),
        *("blendgen_version", "python_version", "numpy_version"),
    }
)


def shard_folders(layout: Layout, shards: Sequence[Path]) -> list[Path]:
    """The folders of the shards, each once; by default all in the folder that is merged into.

    raises: UsageError for folders inside of each other
    """
    places = [*shards] or _own_shards(layout)
    real = {place.resolve(): place for place in places}
    root, own = layout.root.resolve(), layout.shards.resolve()
    for path, place in real.items():
        if path.parent != own and (path.is_relative_to(root) or root.is_relative_to(path)):
            raise UsageError(
                f"{place}: is the folder of the result, inside of it, or contains it; choose another folder "
                f"than {layout.root} for the result"
            )
    ordered = sorted(real, key=lambda path: path.parts)  # what is inside of a folder comes next
    for outer, inner in pairwise(ordered):
        if inner.is_relative_to(outer):
            raise UsageError(f"{real[inner]}: is inside of {real[outer]}, which is merged too")
    return [real[path] for path in ordered]


def _own_shards(layout: Layout) -> list[Path]:
    paths = sorted(layout.shards.iterdir()) if layout.shards.is_dir() else []
    others = (REMOVING, *HARMLESS)
    foreign = [path for path in paths if named_shard(path.name) is None and path.name not in others]
    if foreign:
        raise DatasetError(f"{foreign[0]}: is not named as a shard is; move it away")
    linked = [path for path in (layout.shards, *paths) if links_outside(path)]
    if linked:  # --remove-shards and --link move would take the files of another place
        raise DatasetError(
            f"{linked[0]}: is a link that leads out of the data set; name the folders of the shards "
            f"yourself: blendgen merge SHARD... -o {layout.root}"
        )
    shards = [path for path in paths if path.name not in others and not is_empty(path)]
    if not shards and not read_record(layout):
        raise DatasetError(
            f"{layout.root}: has no shards; make them with `blendgen generate --shard`, or name their folders"
        )
    return shards


def removal_has_begun(layout: Layout) -> bool:
    """Whether a merge that was to remove the shards in the folder has not ended."""
    return (layout.shards / REMOVING).is_file()


def is_empty(folder: Path) -> bool:
    """Whether a folder is what remains of a shard whose removal was killed, or of one that was not begun."""
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {Layout(folder).lock.name}


def refuse_foreign_output(layout: Layout) -> dict[str, Any]:
    """dataset.json of the output, {} if it is new; raises DatasetError for a folder of somebody else."""
    known = read_record(layout)
    if known:
        if MERGING_KEY not in known:
            refuse_other_folder(layout, known)
        names = map(layout.name, own_files(layout, known))
        foreign = [name for name in names if not is_ours(layout, known, name)]
    else:
        ours = (layout.shards.name, layout.lock.name, layout.temporary.name, *HARMLESS)
        foreign = sorted(path.name for path in layout.root.iterdir() if path.name not in ours)
    if foreign:
        raise DatasetError(
            f"{layout.root}: contains files that are not part of the data set; move them away, or choose "
            f"another folder:{listed(foreign)}"
        )
    return known


def opened_inputs(
    layout: Layout, places: Sequence[Path], known: dict[str, Any], allow_mixed_devices: bool
) -> list[MergeInput]:
    """At least one input; raises DatasetError where one is not finished or does not belong to the others."""
    output = output_input(layout, known)
    inputs = sorted(map(opened_input, places), key=_order)
    if output is not None:
        inputs.insert(0, output)
    if not inputs:
        raise DatasetError(f"{layout.root}: has no shards; make them with `blendgen generate --shard`")
    for other in inputs[1:]:
        _refuse_other_data_set(inputs[0], other)
    if not allow_mixed_devices:
        _refuse_other_devices(inputs)
    if known and known.get("digest") != inputs[0].record["digest"]:
        raise DatasetError(
            f"{layout.root}: contains the beginning of another data set; choose another folder"
        )
    return inputs


def _order(one: MergeInput) -> tuple[float, str]:
    """The first image of an input; does not depend on the name of its folder."""
    first = one.first_index
    return float("inf") if first is None else first, json.dumps(one.record, sort_keys=True)


def _refuse_other_data_set(one: MergeInput, other: MergeInput) -> None:
    only = "only shards of one data set can be merged"
    for key in sorted({*one.record, *other.record} - _OWN_KEYS - {"digest"}):
        known, value = one.record.get(key), other.record.get(key)
        if known != value:
            values = f"has {key} {_short(value)}, {one.root} has {_short(known)}"
            raise DatasetError(f"{other.root}: {values}; {only}")
    if one.record["digest"] != other.record["digest"]:
        difference = f"was made from another spec (or other models) than {one.root}"
        raise DatasetError(f"{other.root}: {difference}; {only}")
    if one.wanted_images != other.wanted_images:
        raise DatasetError(
            f"{other.root}: is a part of {other.wanted_images} images, {one.root} of {one.wanted_images}; "
            "make all shards with the same number of images (-n)"
        )


def _refuse_other_devices(inputs: Sequence[MergeInput]) -> None:
    first: dict[str, str] | None = None
    for one in inputs:
        for device in one.devices:
            first = first or device
            if device != first:
                raise DatasetError(
                    f"{one.root}: has images that were made on {_short(device)}, others on {_short(first)}; "
                    "their bytes differ between devices; set allow_mixed_devices (--allow-mixed-devices) to "
                    "merge them"
                )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:200] + "..."
