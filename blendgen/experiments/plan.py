"""Plan: what a probe renders: which shots of a spec, and each at which levels of which parameters.

In: a spec and its measured models. Out: Planned. Each shot is made once for each run of the design. Classes
have the same number of shots, at least two, as their differences say how sure an effect is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from blendgen.draw.assignment import subject_variant
from blendgen.draw.design import Cell, Design, random_parameters
from blendgen.errors import UsageError
from blendgen.experiments.drafts import draft_spec
from blendgen.experiments.factorial import bits_for, factorial
from blendgen.experiments.factors import Factor, factors
from blendgen.geometry.arrays import AnyArray
from blendgen.models.inventory import Inventory
from blendgen.spec.model import Spec

_SAMPLED_SHOTS = 24  # that show which parameters vary
_FEWEST_OF_CLASS = 2  # shots


@dataclass(frozen=True)
class Planned:
    """A design.

    spec: of its drafts; shots: each made in all runs; levels: (images, factors) of each image
    """

    spec: Spec
    factors: tuple[Factor, ...]
    shots: tuple[int, ...]
    levels: AnyArray

    @property
    def runs(self) -> int:
        return len(self.levels) // len(self.shots)

    def design(self) -> Design:
        cells = []
        for number, row in enumerate(self.levels):
            parts = {one.name: one.levels[level].part for one, level in zip(self.factors, row, strict=True)}
            cells.append(Cell(self.shots[number // self.runs], parts))
        return Design(tuple(cells))


def plan(spec: Spec, inventory: Inventory, parameters: Sequence[str], images: int, side_px: int) -> Planned:
    """parameters: names of parameters and sections, none for all; images: about how many

    raises: UsageError for parameters that do not vary, and for too few images
    """
    spec = spec.model_copy(update={"exposures_per_shot": 1, "hold_out": {}, "splits": {"train": 1.0}})
    stock = inventory.catalog, inventory.class_table
    chosen = factors(random_parameters(spec, *stock, range(_SAMPLED_SHOTS)), parameters)
    if not chosen:
        raise UsageError("nothing varies in this spec but the products, so there is nothing to probe")
    counts = [len(one.levels) for one in chosen]
    bits = bits_for(counts)
    shots = tuple(_shots(spec, inventory, images // 2**bits, 2**bits))
    levels = np.concatenate([factorial(counts, bits, spec.seed, shot) for shot in shots])
    spec = draft_spec(spec.model_copy(update={"images": len(levels)}), side_px)
    return Planned(spec, tuple(chosen), shots, levels)


def _shots(spec: Spec, inventory: Inventory, most: int, runs: int) -> Iterator[int]:
    """The first shots of some classes, of each as many."""
    table = inventory.class_table
    classes = min(len(table.classes), most // _FEWEST_OF_CLASS)
    if classes < min(2, len(table.classes)) or most < _FEWEST_OF_CLASS:
        needed = runs * _FEWEST_OF_CLASS * min(2, len(table.classes))
        raise UsageError(
            f"images (--images): {needed} are needed at least: {runs} runs of {_FEWEST_OF_CLASS} shots of "
            "two classes; or probe fewer parameters"
        )
    chosen = {table.classes[place * len(table.classes) // classes] for place in range(classes)}
    for index in range(most // classes * len(table.classes)):
        if subject_variant(table, spec.seed, index).label in chosen:
            yield index
