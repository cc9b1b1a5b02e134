"""Reopen: a finished data set with the spec and the models that it was made from, for the expensive checks.

In: its folder. Out: everything that is needed to render its images again. Whether the models have changed
is a property of the result; the caller decides what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from blendgen.dataset.identity import PIXELS_VERSION, named_paths
from blendgen.dataset.layout import Layout
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import read_record
from blendgen.errors import Problem, SetupError, SpecError
from blendgen.files.names import some_of
from blendgen.models.inventory import Inventory, load_inventory
from blendgen.models.source import Measurer
from blendgen.spec.load import SpecFile, load_spec
from blendgen.system.wheel import blender_version
from blendgen.verification.dataset import Fault


@dataclass(frozen=True)
class Reopened:
    """record: dataset.json as it would be written now; known: dataset.json as it is"""

    layout: Layout
    spec_file: SpecFile
    inventory: Inventory
    record: dict[str, Any]
    known: dict[str, Any]

    @property
    def fault(self) -> Fault | None:
        """Why the images cannot be compared with new ones; None if they can."""
        if self.record["digest"] == self.known.get("digest"):
            return None
        what = "the models, the photos or the spec have changed since the data set was made"
        return Fault(self.layout.spec.name, what)


def reopen(folder: Path, measurer: Measurer) -> Reopened:
    """raises: SpecError, CatalogError, SetupError if the spec or the models cannot be loaded, or if other
    versions made the data set"""
    layout = Layout(Path(folder))
    known = read_record(layout)
    _refuse_other_versions(known)
    return replace(reopen_without_record(folder, measurer), known=known)


def reopen_without_record(folder: Path, measurer: Measurer) -> Reopened:
    """As reopen, if dataset.json is lost: `known` is what it would be now; raises as reopen."""
    layout = Layout(Path(folder))
    spec_file = load_spec(layout.spec)
    _refuse_moved(layout, spec_file)
    inventory = load_inventory(spec_file, measurer)
    record = dataset_record(spec_file.spec, inventory)
    return Reopened(layout, spec_file, inventory, record, record)


def _refuse_moved(layout: Layout, spec_file: SpecFile) -> None:
    lost = [str(path) for path, _ in named_paths(spec_file) if not path.exists()]
    if lost:
        message = (
            f"{some_of(lost)} is not there; if the data set was moved here, run its `generate` once with "
            "your own spec, which names the folders of this machine: no image is made again"
        )
        raise SpecError([Problem(str(layout.spec), 0, 0, "", message)])


def _refuse_other_versions(known: dict[str, Any]) -> None:
    here = {
        "Blender": ("blender_version", blender_version()),
        "pixels_version": ("pixels_version", PIXELS_VERSION),
    }
    for program, (key, version) in here.items():
        if known.get(key) != version:
            raise SetupError(
                f"rendering its images again needs the version that made them: {program} {known.get(key)}, "
                f"not {version}"
            )
