"""Inspection: model files and their sidecars as a person wants to check them, one after the other.

In: a folder of models, one model file, or a spec; and a Measurer. Out: what was measured of each
model, what was left out, and every fault of a sidecar. Nothing is raised for a bad model or sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from blendgen.errors import CatalogError, Problem
from blendgen.models.load import measured_catalog
from blendgen.models.product import Product, Refusal, StablePose, missing_texture_text
from blendgen.models.scan import UNITLESS_SUFFIXES, model_suffix, scan_directory
from blendgen.models.sidecar.apply import excluded, named_keypoints, with_sidecar
from blendgen.models.sidecar.attach import Sidecars, models_of
from blendgen.models.sidecar.read import SidecarFile
from blendgen.models.source import Measurer, Source
from blendgen.models.spec_sources import spec_sources
from blendgen.scene.vocabulary import METRES_PER_UNIT
from blendgen.spec.load import SpecFile

# largest sides that are seldom meant
_TINY_M, _HUGE_M = 0.003, 2.0


@dataclass(frozen=True, eq=False)
class Inspected:
    """One model that could be measured.

    product: with what its sidecar says, unless that has faults
    measured_poses: with whether the sidecar excludes them; the probabilities of all add up to 1
    warnings: what is odd, but may be right
    """

    source: Source
    product: Product
    sidecar: SidecarFile | None
    measured_poses: tuple[tuple[StablePose, bool], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Inspection:
    """All models of one place."""

    models: tuple[Inspected, ...]
    refusals: tuple[Refusal, ...]
    faults: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        return not self.refusals and not self.faults


def inspect_place(place: Path, unit: str | None, up: str | None, measurer: Measurer) -> Inspection:
    """Inspect a folder of models, one model file, or the model that a sidecar describes.

    unit, up: as in a spec, winning over sidecars
    raises: CatalogError for a place without models, SetupError
    """
    folder = place if place.is_dir() else place.parent
    every = scan_directory(folder, str(folder), unit, up)
    asked = every if place.is_dir() else _described_by(place.absolute(), every)
    if not asked:
        raise CatalogError(
            f"{place}: is no model file, nor the sidecar of one; give a folder of models, a model, its "
            "sidecar or a spec (.yaml)"
        )
    sidecars = Sidecars()
    return _inspected(sidecars.attached(asked, every), sidecars, measurer)


def _described_by(file: Path, sources: list[Source]) -> list[Source]:
    """The source of a model file, or of the model whose sidecar it is."""
    return [s for s in sources if Path(s.options["path"]) == file] or models_of(file, sources)


def inspect_spec(spec_file: SpecFile, measurer: Measurer) -> Inspection:
    """Inspect all models that a spec names, distractors and occluders too.

    raises: SpecError for the spec itself, CatalogError for a folder, SetupError
    """
    requested = spec_sources(spec_file, tolerant=True)
    return _inspected(requested.sources, requested.sidecars, measurer)


def _inspected(sources: list[Source], sidecars: Sidecars, measurer: Measurer) -> Inspection:
    usable = [source for source in sources if source.options.get("path") not in sidecars.bad]
    catalog = measured_catalog(usable, measurer)
    by_name = {source.name: source for source in usable}
    models, faults = [], list(sidecars.problems)
    for product in catalog.products:
        source = by_name[product.name]
        model, found = _model(source, product, sidecars.of(source))
        models.append(model)
        faults += [fault for fault in found if fault not in faults]
    order = sorted(faults, key=lambda p: (p.file, p.line, p.column))
    return Inspection(tuple(models), catalog.refusals, tuple(order))


def _model(source: Source, product: Product, file: SidecarFile | None) -> tuple[Inspected, list[Problem]]:
    poses = tuple((pose, file is not None and excluded(product, pose, file)) for pose in product.stable_poses)
    warnings = tuple(_warnings(source, product))
    faults: list[Problem] = []
    if file is not None:
        product, faults = with_sidecar(product, file)
        if faults and product.measured.file_to_product is not None:
            product = replace(product, keypoints=named_keypoints(product, file))
    return Inspected(source, product, file, poses, warnings), faults


def _warnings(source: Source, product: Product) -> Iterator[str]:
    path, side_m = source.options.get("path"), max(product.size_m)
    if path is not None and not _TINY_M <= side_m <= _HUGE_M:
        unstated = model_suffix(path) in UNITLESS_SUFFIXES and not source.options["unit"]
        advice = _likely_unit(side_m) if unstated else "is that right?"
        yield f"its largest side is {1000 * side_m:.4g} mm: {advice}"
    for texture in product.measured.missing_textures:
        yield missing_texture_text(texture)


def _likely_unit(side_m: float) -> str:
    """A unit by which a model that was read in metres would have a usual size."""
    likely = [unit for unit in ("mm", "cm") if _TINY_M <= side_m * METRES_PER_UNIT[unit] <= _HUGE_M]
    advice = f"; is it in {likely[0]}? (unit: {likely[0]})" if likely else ""
    return f"the file does not say its unit{advice}"
