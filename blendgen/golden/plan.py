"""Plan: which images of a spec a smoke run makes, and how small.

In: a checked spec and its classes. Out: the spec at the size of a smoke run, and one image for each class.
Both follow from the spec alone, so that every machine makes the same images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from blendgen.draw.assignment import subject_variant
from blendgen.models.class_table import ClassTable
from blendgen.spec.load import SpecFile
from blendgen.spec.model import Spec

MAX_IMAGES = 12
_LONGER_SIDE_PX = 96
_SAMPLES = 16


@dataclass(frozen=True)
class Plan:
    """images: index of an image -> its class, at most MAX_IMAGES

    not_planned: how many classes have no image here; absent: classes of which the spec makes no image at all
    """

    spec_file: SpecFile
    images: dict[int, str]
    not_planned: int
    absent: tuple[str, ...]


def plan_of(spec_file: SpecFile, table: ClassTable) -> Plan:
    """One image of each class, the first ones of the data set: of these, every class has one."""
    spec, classes = spec_file.spec, len(table.classes)
    labels = {
        shot * spec.exposures_per_shot: subject_variant(table, spec.seed, shot).label
        for shot in range(classes)
    }
    made = {index: label for index, label in labels.items() if index < spec.images}
    images = dict(list(made.items())[:MAX_IMAGES])
    absent = tuple(sorted({*table.classes} - {*made.values()}))
    return Plan(replace(spec_file, spec=_tiny(spec)), images, len(made) - len(images), absent)


def _tiny(spec: Spec) -> Spec:
    """The spec with small images, a fixed number of samples, and a copy of each image without noise."""
    scale = min(1.0, _LONGER_SIDE_PX / max(spec.resolution))
    resolution = tuple(max(16, round(side * scale)) for side in spec.resolution)
    render = spec.render.model_copy(update={"samples_per_pixel": _SAMPLES, "target_psnr_db": None})
    files = {"clean": True, "format": "png", "container": "files", "images_per_file": None}
    output = spec.output.model_copy(update=files)
    return spec.model_copy(update={"resolution": resolution, "render": render, "output": output})
