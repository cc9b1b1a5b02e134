"""What a notebook or a script calls; each command of the command line is options plus one of these calls.

In: paths and plain values. Out: values, arrays and Datasets. A failure raises a BlendgenError. Nothing is
printed: warnings go to the logger "blendgen". The modules behind a function are loaded when it is called.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from blendgen.dataset.dataset import Dataset
    from blendgen.draw.survey import CheckReport
    from blendgen.models.inventory import Inventory
    from blendgen.scene.shot import Exposure, Shot
    from blendgen.spec.load import Override, SpecFile

    AnyPath: TypeAlias = str | os.PathLike[str]
    AnySpec: TypeAlias = SpecFile | Mapping[str, Any] | AnyPath
    Overrides: TypeAlias = Mapping[str, Any] | Iterable[Override]

_log = logging.getLogger("blendgen")


class Sampled(NamedTuple):
    """What is sampled for one image: the arrangement, and everything that can change after path tracing."""

    shot: Shot
    exposure: Exposure


def load_spec(
    spec: AnySpec,
    overrides: Overrides | None = None,
    *,
    seed: int | None = None,
    images: int | None = None,
    render: str | None = None,
) -> SpecFile:
    """Read and check a scene spec; its values are `load_spec(...).spec`.

        load_spec("scene.yaml", {"camera.distance_m": {"uniform": [0.4, 0.6]}}, images=100)

    spec: a YAML file, a mapping with the values of such a file, or a loaded spec that is to be changed
    overrides: values by the dotted path of their field
    seed, images, render: overrides of these fields; render is the name of a preset
    raises: SpecError with every problem of the spec; UsageError if the file cannot be read
    """
    from blendgen.spec.load import as_spec_file, override_of

    # the preset first, so that render.KEY changes a field of it
    presets = [] if render is None else [override_of("render", render)]
    fields = {name: value for name, value in (("seed", seed), ("images", images)) if value is not None}
    changes = [
        *presets,
        *_overrides(overrides),
        *(override_of(name, value) for name, value in fields.items()),
    ]
    return as_spec_file(spec, changes)


def check(spec: AnySpec, *, overrides: Overrides | None = None, strict: bool = False) -> CheckReport:
    """Measure the models of a spec and sample its first shots; nothing is rendered.

    spec, overrides: as for load_spec
    strict: a model of a folder that cannot be used is an error; otherwise it is left out with a warning
    raises: SpecError, CatalogError, GeometryError; SetupError where Blender is missing
    """
    from blendgen.draw.survey import survey

    spec_file = load_spec(spec, overrides)
    return survey(spec_file.spec, _inventory(spec_file, strict))


def sample(
    spec: AnySpec,
    index: int = 0,
    attempt: int = 0,
    *,
    overrides: Overrides | None = None,
    strict: bool = False,
) -> Sampled:
    """The values sampled for image `index` of a spec; nothing is rendered.

    attempt: 0 for the first; a shot that cannot be rendered is sampled again with the next one
    The rest, and what is raised, is as for check.
    """
    from blendgen.draw.shot import draw_exposures, draw_shot

    spec_file = load_spec(spec, overrides)
    values, inventory = spec_file.spec, _inventory(spec_file, strict)
    shot_index = index // values.exposures_per_shot
    shot = draw_shot(values, inventory.catalog, inventory.class_table, shot_index, attempt)
    return Sampled(shot, draw_exposures(values, shot, [index])[0])


def open_dataset(folder: AnyPath) -> Dataset:
    """The finished data set in a folder, as rows and NumPy arrays; see Dataset.

    raises: DatasetError where there is no data set, or where its run was cut off
    """
    from blendgen.dataset.dataset import open_dataset

    return open_dataset(Path(folder))


def _overrides(overrides: Overrides | None) -> Iterator[Override]:
    from blendgen.spec.load import override_of

    if isinstance(overrides, Mapping):
        return (override_of(key, value) for key, value in overrides.items())
    return iter(overrides or ())


def _inventory(spec_file: SpecFile, strict: bool) -> Inventory:
    """Measure the products of a spec; warns of models that are left out."""
    from blendgen.engine.blender.importing.measuring import BlenderMeasurer
    from blendgen.models.inventory import load_inventory
    from blendgen.models.measuring.cache import cache_folder

    inventory = load_inventory(spec_file, BlenderMeasurer(cache_folder() / "measure.log"), strict)
    if inventory.refusals:
        listed = "".join(f"\n  {refusal}" for refusal in inventory.refusals)
        _log.warning("left out %d model(s):%s", len(inventory.refusals), listed)
    return inventory
