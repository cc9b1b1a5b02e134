"""Assignment: the variant of the subject of each shot, and its split.

In: a class table, the seed and the index of a shot. Out: a balanced assignment that depends on the index
alone: neither another attempt, nor a shard, nor a larger data set changes it.
"""

from __future__ import annotations

import math

from blendgen.draw.sampler import shuffled
from blendgen.models.class_table import ClassTable, Variant
from blendgen.streams import stream

_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


def subject_variant(table: ClassTable, seed: int, shot_index: int) -> Variant:
    """The variant of the subject: classes take turns, and so do the variants of each class."""
    block, position = divmod(shot_index, len(table.classes))
    label = shuffled(table.classes, seed, block, "products.label")[position]
    variants = table.variants[label]
    round_number, turn = divmod(block, len(variants))
    return shuffled(variants, seed, round_number, f"products.variant.{label}")[turn]


def assigned_split(table: ClassTable, seed: int, shot_index: int, shares: dict[str, float]) -> str:
    """The split of a shot: the shots of each class are spread evenly, for any length of the data set."""
    label = subject_variant(table, seed, shot_index).label
    start = stream(seed, 0, 0, f"splits.{label}").random()
    position = (start + shot_index // len(table.classes) * _GOLDEN_RATIO) % 1.0
    total = 0.0
    for split, share in shares.items():
        total += share
        if position < total:
            return split
    return [split for split, share in shares.items() if share > 0][-1]


def random_variant(table: ClassTable, u_label: float, u_variant: float) -> Variant:
    """A variant from two uniform random numbers in [0, 1): of a product that is not the subject."""
    variants = table.variants[table.classes[int(u_label * len(table.classes))]]
    return variants[int(u_variant * len(variants))]
