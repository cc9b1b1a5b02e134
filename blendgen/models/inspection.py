"""Inspection: measures model files and reads their sidecars, for a person who checks them one by one.

In: a folder of models, one model file, or a spec; and a Measurer. Out: the measured values of each model, the
models that cannot be used, and every fault of a sidecar. A bad model or sidecar does not raise.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from blendgen.errors import CatalogError, Problem, UsageError
from blendgen.files.names import some_of
from blendgen.models.doubts import doubts, equal_pairs
from blendgen.models.load import measured_catalog
from blendgen.models.product import REASON_FOLLOWS, Product, Refusal, StablePose
from blendgen.models.scan import scan_directory, scan_next_to
from blendgen.models.selection import name_clashes, without_collision_meshes
from blendgen.models.sidecar.apply import excluded, named_keypoints, with_sidecar
from blendgen.models.sidecar.attach import Sidecars, models_of
from blendgen.models.sidecar.find import is_sidecar
from blendgen.models.sidecar.frame import FileFrame
from blendgen.models.sidecar.read import SidecarFile
from blendgen.models.source import Measurer, Source
from blendgen.models.spec_sources import spec_sources
from blendgen.spec.load import SpecFile, load_spec

_log = logging.getLogger(__name__)

SPEC_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class ReadAs:
    """How models are read that no spec describes; the values are those of a section of a spec.

    unit, up: instead of what sidecars say
    """

    unit: str | None = None
    up: str | None = None
    follow_links: bool = False
    allow_outside: bool = False


@dataclass(frozen=True, eq=False)
class Inspected:
    """One model that could be measured.

    product: as its sidecar describes it, unless the sidecar has faults
    measured_poses: (pose, whether the sidecar excludes it); the probabilities of all sum to 1
    warnings: unusual values that may be right
    """

    source: Source
    product: Product
    sidecar: SidecarFile | None
    measured_poses: tuple[tuple[StablePose, bool], ...]
    warnings: tuple[str, ...]

    @property
    def label(self) -> str:
        """The class, unless a spec has another rule."""
        return self.product.model_class or self.product.name

    @property
    def former_name(self) -> str | None:
        """The name that the model had by the former rule, if that is another one."""
        former = self.source.former_name
        return former if former and former != self.product.name else None


@dataclass(frozen=True)
class Inspection:
    """All models of one folder, file or spec."""

    models: tuple[Inspected, ...]
    refusals: tuple[Refusal, ...]
    faults: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        return not self.refusals and not self.faults

    @property
    def incomplete(self) -> tuple[Inspected, ...]:
        """The models of which a render lacks part of the look."""
        return tuple(model for model in self.models if model.product.measured.lost_look)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return {
            "ok": self.passed,
            "models": [_model_as_dict(model) for model in self.models],
            "refusals": [{"file": refusal.source, "reason": refusal.reason} for refusal in self.refusals],
            "faults": [asdict(fault) for fault in self.faults],
        }


def inspect(place: Path, read_as: ReadAs, measurer: Measurer) -> Inspection:
    """Inspect what is at a path: a folder of models, a model file, a sidecar or a spec.

    read_as: not for a spec
    raises: UsageError, SpecError, CatalogError, SetupError
    """
    if not place.exists():
        raise UsageError(f"{place}: No such file or directory")
    if not (place.is_file() and place.suffix.lower() in SPEC_SUFFIXES) or is_sidecar(place):
        return inspect_place(place, read_as, measurer)
    if read_as != ReadAs():
        raise UsageError(
            "unit, up, follow_links and allow_outside apply to a folder or a model file; "
            "for a spec, set them under its products"
        )
    return inspect_spec(load_spec(place), measurer)


def inspect_place(place: Path, read_as: ReadAs, measurer: Measurer) -> Inspection:
    """Inspect a folder of models, one model file, or the model that a sidecar describes.

    The models directory is the folder, or that of the file, of which other files and folders do not matter.
    raises: CatalogError if there are no models, SetupError
    """
    is_folder = place.is_dir()
    if is_folder:
        folder, all_sources = place, scan_directory(place, str(place), **asdict(read_as))
        sources = without_collision_meshes(all_sources, str(place))
    else:
        folder, all_sources = place.parent, scan_next_to(place, **asdict(read_as))
        sources = _described_by(place.absolute(), all_sources)
    if not sources:
        raise CatalogError(
            f"{place}: is neither a model file nor a sidecar; give a folder of models, a model, its "
            "sidecar or a spec (.yaml)"
        )
    sidecars = Sidecars()
    sources = sidecars.attached(sources, all_sources, only_theirs=not is_folder)
    inspection = _inspected(sources, sidecars, measurer)
    if not read_as.allow_outside and any(map(_lacks_a_file, inspection.models)):
        _log.warning(
            "note: textures were looked for below %s alone; for others give one above, or --allow-outside",
            folder,
        )
    return inspection


def _lacks_a_file(model: Inspected) -> bool:
    return any(REASON_FOLLOWS not in texture for texture in model.product.measured.missing_textures)


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
    # two may have the same name: that is a fault to report, next to what was measured of each
    catalog = measured_catalog([replace(one, name=str(i)) for i, one in enumerate(usable)], measurer)
    models, faults = [], [*sidecars.problems, *_name_faults(usable)]
    for product in catalog.products:
        source = usable[int(product.name)]
        model, problems = _model(source, replace(product, name=source.name), sidecars.of(source))
        models.append(model)
        faults += [problem for problem in problems if problem not in faults]
    order = sorted(faults, key=lambda p: (p.file, p.line, p.column))
    return Inspection(tuple(_with_equal(models)), catalog.refusals, tuple(order))


def _with_equal(models: Sequence[Inspected]) -> Iterator[Inspected]:
    """The models, with a warning at each that has the content of an earlier one of another class."""
    equal = dict(equal_pairs((model.product.content_hash, model.label) for model in models))
    for number, model in enumerate(models):
        if number in equal:
            earlier = models[equal[number]].source.display
            warning = f"is the same as {earlier}: as two classes nobody can tell them apart"
            model = replace(model, warnings=(*model.warnings, warning))
        yield model


def _name_faults(sources: list[Source]) -> Iterator[Problem]:
    for clash in name_clashes(sources):
        also = f"{some_of(clash.files[1:])} (letter case does not count)"
        yield Problem(clash.files[0], 0, 0, "", f"has the name {clash.name!r}, as {also}; {clash.advice}")


def _model(source: Source, product: Product, file: SidecarFile | None) -> tuple[Inspected, list[Problem]]:
    poses = tuple((pose, file is not None and excluded(product, pose, file)) for pose in product.stable_poses)
    warnings = (*doubts(source, product), *product.measured.lost_look)
    faults: list[Problem] = []
    if file is not None:
        product, faults = with_sidecar(product, file)
        if faults and product.measured.file_to_product is not None:
            product = replace(product, keypoints=named_keypoints(product, file))
    return Inspected(source, product, file, poses, warnings), faults


def _model_as_dict(model: Inspected) -> dict[str, Any]:
    product, frame = model.product, FileFrame(model.product)
    return {
        "name": product.name,
        "former_name": model.former_name,
        "file": model.source.display,
        "sidecar": model.sidecar.file if model.sidecar else None,
        "class": product.model_class,
        "size_mm": [round(1000 * side, 3) for side in product.size_m],
        "triangles": product.measured.triangles,
        "has_colors": product.measured.soundness.has_colors,
        "parts": [
            {"material": part, "label": product.part_name(slot), "kind": product.part_kind(slot) or None}
            for slot, part in enumerate(product.parts)
        ],
        "colorways": [colorway.name for colorway in product.colorways],
        "keypoints": [
            {"name": k.name, "at": _rounded(frame.to_file(k.position_m)),
             "position_m": _rounded(k.position_m), "mirrored": k.mirrored}
            for k in product.keypoints
        ],
        "symmetries": {
            "continuous": len(product.symmetries.continuous), "discrete": len(product.symmetries.discrete)
        },
        "stable_poses": [
            {"up": _rounded(frame.up_of(pose)), "probability": round(pose.probability, 4), "excluded": out}
            for pose, out in model.measured_poses
        ],
        "missing_textures": list(product.measured.missing_textures),
        "lost": list(product.measured.lost),
        "notes": list(product.measured.notes),
        "warnings": list(model.warnings),
    }  # fmt: skip


def _rounded(numbers: Iterable[float]) -> list[float]:
    return [round(float(x), 6) + 0.0 for x in numbers]
