"""Keypoints: the names of all classes in one list, for formats with the same points for every class.

In: the names and mirrored pairs of each class in dataset.json. Out: their union in the order of the classes,
and the permutation for mirrored images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blendgen.dataset.source import Source
from blendgen.errors import DatasetError


@dataclass(frozen=True)
class KeypointUnion:
    """names: in the order of the files; flips[k]: the point that takes position k in a mirrored image."""

    names: tuple[str, ...]
    flips: tuple[int, ...]

    def spread(self, names: list[str], points: Sequence[Sequence[float]]) -> list[Sequence[float]]:
        """The points of a class at their positions in the union; 0, 0, 0 for the others."""
        own: dict[str, Sequence[float]] = dict(zip(names, points, strict=True))
        return [own.get(name, [0, 0, 0]) for name in self.names]


def keypoint_union(source: Source) -> KeypointUnion:
    """The union of a data set.

    raises: DatasetError if it has no keypoints, or if its classes mirror a name differently
    """
    names = tuple(dict.fromkeys(name for label in source.classes for name in source.keypoint_names(label)))
    if not names:
        raise DatasetError(
            f"{source.root}: has no keypoints; name some in the models' sidecar files (docs/models.md) if "
            "they have none, set output.keypoints and generate again, or choose another task"
        )
    partners: dict[str, str] = {}
    for label in source.classes:
        _add_partners(source, label, partners)
    places = {name: place for place, name in enumerate(names)}
    return KeypointUnion(names, tuple(places[partners.get(name, name)] for name in names))


def _add_partners(source: Source, label: str, partners: dict[str, str]) -> None:
    for name, other in source.keypoints.get(label, {}).get("mirrored", {}).items():
        for one, its in ((name, other), (other, name)):
            if partners.setdefault(one, its) != its:
                raise DatasetError(
                    f"{source.root}: keypoint {one} is the mirror image of {partners[one]}, and of {its} in "
                    f"{label}; yolo has one list for all classes: give points of different meaning different "
                    "names"
                )
