"""The one loop: an index becomes a Shot, a Film, Frames; with nothing but the arrows between.

In: a spec, its catalogue and class_table, an engine and a developer. Out: Frames. Where too little
(or too much) of the subject turns out to be visible, the shot is drawn again as the next attempt; the
Shot in the Row says which attempt it was. The engine is needed up to `rendered` alone: what comes
after it may happen in another thread, beside the next render.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from blendgen.annotate import annotate, subject_fault
from blendgen.develop.defocus import defocus
from blendgen.develop.develop import Developer, finish
from blendgen.develop.motion import motion_blur
from blendgen.draw.exposure import steady_groups
from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.draw.sweep import Sweep
from blendgen.engine.base import Engine, EngineError
from blendgen.models.class_table import ClassTable
from blendgen.models.label_names import LabelNames, label_names
from blendgen.models.product import Catalog
from blendgen.optics.distortion import distorted_labels, distorted_light, pinhole
from blendgen.scene.film import Film, Frame, Labels
from blendgen.scene.shot import Exposure, Shot
from blendgen.spec.model import Spec

MAX_ATTEMPTS = 16


@dataclass(frozen=True)
class Task:
    """Some images of one shot."""

    shot_index: int
    image_indices: tuple[int, ...]


@dataclass(frozen=True)
class Rendered:
    """A task whose subject is seen as it should be: all that the engine has to do with it."""

    task: Task
    shot: Shot
    film: Film
    labels: Labels


def tasks_for(spec: Spec, image_indices: Iterable[int]) -> Iterator[Task]:
    """The shots that some images belong to, in their order; neighbours share the path tracing."""
    for shot_index, indices in groupby(image_indices, lambda index: index // spec.exposures_per_shot):
        yield Task(shot_index, tuple(sorted(indices)))


@dataclass(frozen=True)
class Pipeline:
    """Spec -> Shot -> Film -> Frame for any index, in any order."""

    spec: Spec
    catalog: Catalog
    class_table: ClassTable
    engine: Engine
    developer: Developer
    sweep: Sweep | None = None

    def frames(self, task: Task) -> Iterator[Frame]:
        """The frames of a task; raises EngineError where the subject is never seen as it should be."""
        return self.developed(self.rendered(task))

    def rendered(self, task: Task) -> Rendered:
        """A task after its path tracing; raises EngineError where the subject is never seen as wanted."""
        return Rendered(task, *self._seen_shot(task.shot_index))

    def developed(self, rendered: Rendered) -> Iterator[Frame]:
        """The frames of what was rendered; the engine is left alone."""
        shot, film, labels = rendered.shot, rendered.film, rendered.labels
        exposures = draw_exposures(self.spec, shot, rendered.task.image_indices, self.sweep)
        lit = self.developer.lit(film, exposures, steady_groups(self.spec, shot))
        for exposure, sharp in zip(exposures, lit, strict=True):
            radiance = distorted_light(_blurred(sharp, film, shot), shot.camera)
            picture = finish(radiance, shot.camera, exposure)
            clean = finish(radiance, shot.camera, exposure, noise=False) if self.spec.output.clean else None
            yield Frame(exposure.index, picture, clean, labels, shot, exposure)

    def clean_picture(self, shot: Shot, exposure: Exposure) -> np.ndarray:
        """(h, w, 3) uint8 of a shot under one exposure, as a camera without noise takes it."""
        film = self.engine.render(shot.model_copy(update={"camera": pinhole(shot.camera)}))
        (sharp,) = self.developer.lit(film, (exposure,), steady_groups(self.spec, shot))
        radiance = distorted_light(_blurred(sharp, film, shot), shot.camera)
        return finish(radiance, shot.camera, exposure, noise=False)

    @cached_property
    def names(self) -> LabelNames:
        """What parts and keypoints are called in this data set."""
        return label_names(self.catalog, self.class_table.products_of_class())

    def _seen_shot(self, shot_index: int) -> tuple[Shot, Film, Labels]:
        for attempt in range(MAX_ATTEMPTS):
            shot = draw_shot(self.spec, self.catalog, self.class_table, shot_index, attempt, self.sweep)
            film = self.engine.render(shot.model_copy(update={"camera": pinhole(shot.camera)}))
            seen = distorted_labels(film, shot.camera)
            labels = annotate(seen, shot, self.names, self.spec.output)
            fault = subject_fault(labels, shot)
            if fault is None:
                return shot, film, labels
        raise EngineError(f"shot {shot_index}: {fault}, after {MAX_ATTEMPTS} attempts")


def _blurred(parts, film: Film, shot: Shot):
    """The light as belt and focus blur it, on the image of the pinhole; parts: seconds -> radiance."""
    camera = pinhole(shot.camera)
    moving = [
        motion_blur(light, film.depth_m, camera, shot.surface, time_s, film.still)
        for time_s, light in parts.items()
    ]
    return defocus(sum(moving[1:], moving[0]), film.depth_m, camera)
