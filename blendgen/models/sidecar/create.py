"""Create: writes the first sidecar of a model, for a person to complete.

In: a model file and a Measurer. Out: the path of a new file next to the model.
"""

from __future__ import annotations

from pathlib import Path

from blendgen.errors import UsageError
from blendgen.models.inspection import SPEC_SUFFIXES, ReadAs, inspect
from blendgen.models.sidecar.find import sidecar_name
from blendgen.models.sidecar.template import template
from blendgen.models.source import Measurer


def create_sidecar(model_file: Path, read_as: ReadAs, measurer: Measurer) -> Path:
    """Write a sidecar that states what was measured; never over a file.

    raises: UsageError if the model cannot be used, has a sidecar, or the file cannot be written; CatalogError
        for another file; SetupError
    """
    if model_file.is_dir() or model_file.suffix.lower() in SPEC_SUFFIXES:
        raise UsageError(f"a sidecar is made for one model file, got {model_file}")
    inspection = inspect(model_file, read_as, measurer)
    for refusal in inspection.refusals:
        raise UsageError(str(refusal))
    target = sidecar_name(model_file)
    if target.exists() or inspection.faults or inspection.models[0].sidecar is not None:
        raise UsageError(f"{model_file} has a sidecar; `blendgen models {model_file}` checks it")
    model = inspection.models[0]
    try:
        with target.open("x", encoding="utf-8") as file:  # fails if there is a file or a link
            file.write(template(model.product, model.source.options))
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror or error}") from None
    return target
