"""The first spec of a folder of models. A failure raises a BlendgenError."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blendgen.files.url import local_path

if TYPE_CHECKING:
    from blendgen.api.specs import AnyPath
    from blendgen.starter.create import Started
    from blendgen.system.progress import ProgressLike


def create_spec(
    folder: AnyPath, models: AnyPath | None = None, *, photo: AnyPath | None = None,
    progress: ProgressLike = False,
) -> Started:  # fmt: skip
    """Write a first spec, folder/scene.yaml, and a .gitignore; measures the models, and renders nothing.

    Camera, lens, surface, lamps and the number of images are guessed from the sizes of the models. The spec
    names the reason of each value; so do the `guesses` of the result.

    folder: where the spec goes; it need not exist. Files that are there are never replaced
    models: a folder of models; None for three built-in phones
    photo: of the place, from which the colours of the surface and of the light, brightness, image shape,
        lens and noise are guessed, as far as it shows them
    progress: of measuring the models that are not in the cache
    raises: UsageError if there is a spec, or the photo cannot be read; CatalogError if no model can be used;
        SpecError for sidecars; SetupError
    """
    from blendgen.engine.blender.importing.inventory import measurer
    from blendgen.models.measuring.reported import ReportedMeasurer
    from blendgen.starter.create import create_spec
    from blendgen.system.progress import reported_to

    with reported_to(progress) as reporter:
        return create_spec(
            local_path(folder),
            None if models is None else local_path(models),
            None if photo is None else local_path(photo),
            ReportedMeasurer(measurer(), reporter),
        )
