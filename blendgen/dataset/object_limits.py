"""Object limits: which objects of an image are clear enough to be labels.

In: the objects of a row. Out: those of which enough is visible. Nobody could recognise the others, and a
detector that has to find them learns noise.
"""

from __future__ import annotations

from dataclasses import dataclass

from blendgen.scene.row import Objects


@dataclass(frozen=True)
class ObjectLimits:
    """min_visible: share of the object that must be visible, 0 to 1; min_area: visible pixels"""

    min_visible: float = 0.0
    min_area: float = 0.0

    def accept(self, objects: Objects, number: int) -> bool:
        """Whether an object is clear enough."""
        return objects.visible_fraction[number] >= self.min_visible and objects.area[number] >= self.min_area

    def clear(self, objects: Objects) -> Objects:
        """The objects that are clear enough, in the same order."""
        numbers = [number for number in range(len(objects)) if self.accept(objects, number)]
        if len(numbers) == len(objects):
            return objects
        columns = objects.columns().items()
        return objects.model_copy(
            update={name: tuple(column[number] for number in numbers) for name, column in columns}
        )


NO_LIMITS = ObjectLimits()
