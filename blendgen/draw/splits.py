"""Splits: the split of a shot, by its index or by the values that were drawn for it.

In: a spec, and the sampler of a shot after everything is drawn. Out: the name of a split. Without
`hold_out` it depends on the index alone, balanced within each class.
"""

from __future__ import annotations

from typing import Any

from blendgen.draw.assignment import assigned_split
from blendgen.draw.sampler import Sampler
from blendgen.models.class_table import ClassTable
from blendgen.scene.shot import PlacedProduct
from blendgen.spec.hold_out import SUBJECT_KEYS
from blendgen.spec.model import Spec


def split_of(spec: Spec, class_table: ClassTable, sampler: Sampler, subject: PlacedProduct) -> str:
    """The first split that holds out a value of this shot, or else one of those that hold out nothing."""
    drawn = {**sampler.drawn, **{name: getattr(subject, name) for name in SUBJECT_KEYS}}
    for split, conditions in spec.hold_out.items():
        if any(_held(drawn.get(name), values, name) for name, values in conditions.items()):
            return split
    free = {split: share for split, share in spec.splits.items() if split not in spec.hold_out}
    total = sum(free.values())
    shares = {split: share / total for split, share in free.items()}
    return assigned_split(class_table, spec.seed, sampler.index, shares)


def _held(value: Any, values: list[Any], name: str) -> bool:
    if name in SUBJECT_KEYS or isinstance(value, str):
        return value in values
    return value is not None and values[0] <= value <= values[-1]
