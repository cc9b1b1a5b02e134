"""Pipeline: the loop that turns an index into frames: draw -> render -> annotate -> develop -> Frame.

In: a spec, its catalogue and class table, an engine and a developer. Out: Frames. A shot that cannot be
drawn, or whose render shows too little or too much of the subject, is drawn again as the next attempt; the
Shot in the Row says which attempt it was. Only `rendered` needs the engine: the rest may run in another
thread while the engine renders the next shot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from blendgen.annotate import annotate, require_visible_subject
from blendgen.develop.develop import Developer
from blendgen.draw.attempts import first_feasible
from blendgen.draw.exposure import steady_groups
from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.draw.sweep import Plan
from blendgen.engine.base import Engine
from blendgen.models.class_table import ClassTable
from blendgen.models.label_names import LabelNames, label_names
from blendgen.models.product import Catalog
from blendgen.scene.film import Film, Frame, Labels
from blendgen.scene.shot import Exposure, Shot
from blendgen.spec.model import Spec


@dataclass(frozen=True)
class Task:
    """Some images of one shot."""

    shot_index: int
    image_indices: tuple[int, ...]


@dataclass(frozen=True)
class Rendered:
    """A task whose subject is as visible as the spec wants: the engine has finished its part."""

    task: Task
    shot: Shot
    film: Film
    labels: Labels


def tasks_for(spec: Spec, image_indices: Iterable[int]) -> Iterator[Task]:
    """The shots of some images, in their order; consecutive images of a shot share its render."""
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
    sweep: Plan | None = None

    def frames(self, task: Task) -> Iterator[Frame]:
        """The frames of a task; raises InfeasibleShot where no attempt is feasible, EngineError."""
        return self.developed(self.rendered(task))

    def rendered(self, task: Task) -> Rendered:
        """A task after its render; raises InfeasibleShot where no attempt is feasible, EngineError."""
        return first_feasible(task.shot_index, lambda attempt: self._rendered(task, attempt))

    def developed(self, rendered: Rendered) -> Iterator[Frame]:
        """The frames of a rendered task; does not use the engine."""
        shot, film = rendered.shot, rendered.film
        exposures = draw_exposures(self.spec, shot, rendered.task.image_indices, self.sweep)
        steady = steady_groups(self.spec, shot)
        pictures = self.developer.develop(film, shot, exposures, steady, self.spec.output.clean)
        for exposure, picture in zip(exposures, pictures, strict=True):
            yield Frame(exposure.index, picture.rgb_u8, picture.clean_u8, rendered.labels, shot, exposure)

    def clean_picture(self, shot: Shot, exposure: Exposure) -> np.ndarray:
        """(h, w, 3) uint8 of a shot under one exposure, without the sensor's noise."""
        film = self.engine.render(shot)
        return self.developer.develop_clean(film, shot, exposure, steady_groups(self.spec, shot))

    @cached_property
    def names(self) -> LabelNames:
        """Names of the parts and keypoints of this data set."""
        return label_names(self.catalog, self.class_table.products_of_class())

    def _rendered(self, task: Task, attempt: int) -> Rendered:
        """One attempt; raises GeometryError where it is infeasible."""
        shot = draw_shot(self.spec, self.catalog, self.class_table, task.shot_index, attempt, self.sweep)
        film = self.engine.render(shot)
        labels = annotate(film, shot, self.names, self.spec.output)
        require_visible_subject(labels, shot)
        return Rendered(task, shot, film, labels)
