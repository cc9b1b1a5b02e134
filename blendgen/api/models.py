"""Models: measure them, look at them, begin their sidecars. A failure raises a BlendgenError."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from blendgen.files.url import local_path

if TYPE_CHECKING:
    from PIL.Image import Image

    from blendgen.models.inspection import Inspection
    from blendgen.system.progress import ProgressLike

    AnyPath: TypeAlias = str | os.PathLike[str]


def inspect_models(
    place: AnyPath, *, unit: str | None = None, up: str | None = None, follow_links: bool = False,
    allow_outside: bool = False, progress: ProgressLike = False,
) -> Inspection:  # fmt: skip
    """Measure the models at a path, a folder, a model file, a sidecar or a spec, and check their sidecars.

    unit: of the lengths in the files, whatever they state; up: where they do not state it
    follow_links: also links that lead out of the folder, or of the folder of the file
    allow_outside: the models may be read with textures and other files from outside of it
    These are not for a spec, which states them itself.
    progress: of measuring the models that are not in the cache
    raises: UsageError, SpecError, CatalogError, SetupError
    """
    from blendgen.engine.blender.importing.inventory import measurer
    from blendgen.models.inspection import ReadAs, inspect
    from blendgen.models.measuring.reported import ReportedMeasurer
    from blendgen.system.progress import reported_to

    read_as = ReadAs(unit, up, follow_links, allow_outside)
    with reported_to(progress) as reporter:
        return inspect(local_path(place), read_as, ReportedMeasurer(measurer(), reporter))


def models_sheet(
    inspection: Inspection, output: AnyPath | None = None, *, parts: bool = False,
    progress: ProgressLike = False,
) -> Image:  # fmt: skip
    """Render all models of inspect_models from the same angle onto one sheet, a Pillow image.

    Each has a scale bar, its size, and warnings; instead of a model that cannot be used, it says why.
    output: a .png, .jpg or .webp file to write; one that blendgen did not write is never replaced
    parts: draw each part in a colour of its own
    raises: BlendgenError; Interrupted after a signal
    """
    from blendgen.system.progress import reported_to
    from blendgen.workers.model_pictures import ModelSheet

    file = None if output is None else local_path(output)
    with reported_to(progress) as reporter:
        return ModelSheet(inspection, file, parts).make(reporter)


def create_sidecar(
    model_file: AnyPath, *, unit: str | None = None, up: str | None = None, follow_links: bool = False,
    allow_outside: bool = False,
) -> Path:  # fmt: skip
    """Write a sidecar to start from next to a model file; returns its path.

    unit, up, follow_links, allow_outside: as for inspect_models
    raises: UsageError if the model cannot be used or has a sidecar; CatalogError for another file; SetupError
    """
    from blendgen.engine.blender.importing.inventory import measurer
    from blendgen.models.inspection import ReadAs
    from blendgen.models.sidecar.create import create_sidecar

    return create_sidecar(local_path(model_file), ReadAs(unit, up, follow_links, allow_outside), measurer())
