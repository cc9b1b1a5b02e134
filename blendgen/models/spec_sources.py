"""Spec sources: what the sections of a spec ask for, found and selected, with the sidecars of models.

In: a SpecFile. Out: the sources to measure, by section. Nothing is measured here; model names and
sidecars are checked, so that all that is wrong is told at once, before Blender starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from blendgen.errors import CatalogError, SpecError, did_you_mean
from blendgen.models.families.clutter import clutter_sources, occluder_sources
from blendgen.models.families.phones import phone_sources
from blendgen.models.scan import scan_directory
from blendgen.models.sidecar.attach import Sidecars
from blendgen.models.source import Source
from blendgen.spec.load import SpecFile
from blendgen.spec.products import ModelSource, ProductSource

# before the names of models that are no products
_PREFIXES = {"distractors": "distractor ", "occluders": "occluder "}
_SHAPES = {"box": [0.1, 0.06, 0.03], "sphere": [0.06, 0.06, 0.06]}
_SHAPE_COLOR = "#8fa3b8"


@dataclass(frozen=True)
class SpecSources:
    """products: each section with its sources; beside: key of the spec -> sources of what is no product"""

    products: list[tuple[ProductSource, list[Source]]]
    beside: dict[str, list[Source]]
    sidecars: Sidecars


def spec_sources(spec_file: SpecFile, tolerant: bool = False) -> SpecSources:
    """The sources of a spec.

    tolerant: faults of sidecars are left in its `sidecars` for the caller to tell
    raises: SpecError with all faults at once
    """
    sections = [(("products", number), section) for number, section in enumerate(spec_file.spec.products)]
    others = [key for key in _PREFIXES if getattr(spec_file.spec, key) is not None]
    sections += [((key,), getattr(spec_file.spec, key)) for key in others]
    grouped, problems, sidecars = [], [], Sidecars()
    for path, section in sections:
        try:
            grouped.append((section, _of_section(spec_file, path, section, sidecars)))
        except SpecError as error:
            problems += error.problems
        except CatalogError as error:
            problems.append(spec_file.problem((*path, "directory"), str(error)))
    if not tolerant:
        problems += sidecars.problems
    if problems:
        raise SpecError(problems)
    count = len(grouped) - len(others)
    beside = {
        key: [replace(source, name=f"{_PREFIXES[key]}{source.name}") for source in group]
        for key, (_, group) in zip(others, grouped[count:], strict=True)
    }
    return SpecSources(grouped[:count], beside, sidecars)


def _of_section(spec_file: SpecFile, path: tuple, section: ModelSource, sidecars: Sidecars) -> list[Source]:
    if section.catalog is not None:
        return _selected(spec_file, path, section, _FAMILY_SOURCES[section.catalog]())
    folder = spec_file.folder / section.directory
    every = scan_directory(folder, section.directory, section.unit, section.up, section.follow_links)
    sources = sidecars.attached(_selected(spec_file, path, section, every), every)
    if section.bevel_mm is None:
        return sources
    return [replace(source, options={**source.options, "bevel_mm": section.bevel_mm}) for source in sources]


def _shape_sources() -> list[Source]:
    return [shape_source(name) for name in _SHAPES]


def shape_source(name: str) -> Source:
    """The source of a built-in shape, "box" or "sphere"."""
    options = {"shape": name, "size_m": _SHAPES[name], "base_color_srgb": _SHAPE_COLOR}
    return Source(name, "shapes", "shape", options, f"shapes/{name}")


# of each family of vocabulary.FAMILIES
_FAMILY_SOURCES: dict[str, Callable[[], list[Source]]] = {
    "phones": phone_sources,
    "clutter": clutter_sources,
    "occluders": occluder_sources,
    "shapes": _shape_sources,
}


def _selected(spec_file: SpecFile, path: tuple, section: ModelSource, sources: list[Source]) -> list[Source]:
    """The sources that `models` names; all where it names none."""
    if section.models is None:
        return sources
    by_name = {source.name: source for source in sources}
    problems = [
        spec_file.problem((*path, "models", i), f"{name!r} is not here{did_you_mean(name, by_name)}")
        for i, name in enumerate(section.models)
        if name not in by_name
    ]
    if problems:
        raise SpecError(problems)
    return [by_name[name] for name in dict.fromkeys(section.models)]
