"""Spec sources: the models that the sections of a spec select, with their sidecars.

In: a SpecFile. Out: the sources to measure, by section. Nothing is measured here. Model names and sidecars
are checked first, so that all their faults are reported at once, before Blender starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from blendgen.errors import CatalogError, Problem, SpecError
from blendgen.models.families.clutter import clutter_sources, occluder_sources
from blendgen.models.families.installed import installed_sources
from blendgen.models.families.phones import phone_sources
from blendgen.models.scan import scan_directory
from blendgen.models.selection import selection, warn_of_collision_meshes, without_collision_meshes
from blendgen.models.sidecar.attach import Sidecars
from blendgen.models.source import Source
from blendgen.spec.load import SpecFile
from blendgen.spec.products import ModelSource, ProductSource
from blendgen.spec.yaml_source import Path as FieldPath

# key of the spec -> prefix of the names of its models, which are not products
_PREFIXES = {"distractors": "distractor ", "occluders": "occluder "}
_SHAPES = {"box": [0.1, 0.06, 0.03], "sphere": [0.06, 0.06, 0.06]}
_SHAPE_COLOR = "#8fa3b8"


@dataclass(frozen=True)
class SpecSources:
    """Sections of a spec, each with its sources.

    products: in the spec's order; others: by key of the spec, "distractors" or "occluders"
    """

    products: list[tuple[ProductSource, list[Source]]]
    others: dict[str, tuple[ModelSource, list[Source]]]
    sidecars: Sidecars

    @property
    def sections(self) -> list[tuple[ModelSource, list[Source]]]:
        return [*self.products, *self.others.values()]

    @property
    def sources(self) -> list[Source]:
        return [source for _, group in self.sections for source in group]


def spec_sources(spec_file: SpecFile, tolerant: bool = False) -> SpecSources:
    """The sources of a spec.

    tolerant: leave the faults of sidecars in `sidecars`, for the caller to report
    raises: SpecError with all faults at once
    """
    sections: list[tuple[FieldPath, ModelSource]] = [
        (("products", number), section) for number, section in enumerate(spec_file.spec.products)
    ]
    keys = [key for key in _PREFIXES if getattr(spec_file.spec, key) is not None]
    sections += [((key,), getattr(spec_file.spec, key)) for key in keys]
    grouped: list[list[Source]] = []
    problems: list[Problem] = []
    sidecars = Sidecars()
    for path, section in sections:
        try:
            grouped.append(_of_section(spec_file, path, section, sidecars))
        except SpecError as error:
            problems += error.problems
        except CatalogError as error:
            key = "directory" if section.catalog is None else "catalog"
            problems.append(spec_file.problem((*path, key), str(error)))
    if not tolerant:
        problems += sidecars.problems
    if problems:
        raise SpecError(problems)
    if spec_file.spec.placement.arrangement == "pile":
        grouped = [
            sources if path == ("occluders",) else [_in_parts(source) for source in sources]
            for (path, _), sources in zip(sections, grouped, strict=True)
        ]
    count = len(grouped) - len(keys)
    products = list(zip(spec_file.spec.products, grouped[:count], strict=True))
    others: dict[str, tuple[ModelSource, list[Source]]] = {
        key: (
            getattr(spec_file.spec, key),
            [_with_prefix(_PREFIXES[key], source) for source in group],
        )
        for key, group in zip(keys, grouped[count:], strict=True)
    }
    return SpecSources(products, others, sidecars)


def _in_parts(source: Source) -> Source:
    """The source, measured with its convex parts if it is a file; built-in items count as convex."""
    if source.kind != "mesh":
        return source
    return replace(source, options={**source.options, "convex_parts": True})


def without_prefix(source: Source) -> Source:
    """The source with the name that its own section calls it by."""
    prefix = next((prefix for prefix in _PREFIXES.values() if source.name.startswith(prefix)), "")
    return replace(source, name=source.name.removeprefix(prefix))


def _with_prefix(prefix: str, source: Source) -> Source:
    former = source.former_name and f"{prefix}{source.former_name}"
    return replace(source, name=f"{prefix}{source.name}", former_name=former)


def _of_section(
    spec_file: SpecFile, path: FieldPath, section: ModelSource, sidecars: Sidecars
) -> list[Source]:
    if section.catalog in _FAMILY_SOURCES:
        return _selected(spec_file, path, section, _FAMILY_SOURCES[section.catalog]())
    if section.catalog is not None:
        every = installed_sources(section.catalog)
        return sidecars.attached(_selected(spec_file, path, section, every), every)
    directory = str(section.directory)  # the schema wants one of both
    folder = spec_file.folder / directory
    every = scan_directory(
        folder,
        directory,
        section.unit,
        section.up,
        follow_links=section.follow_links,
        allow_outside=section.allow_outside,
        naming=section.names,
    )
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


# for each family of vocabulary.FAMILIES
_FAMILY_SOURCES: dict[str, Callable[[], list[Source]]] = {
    "phones": phone_sources,
    "clutter": clutter_sources,
    "occluders": occluder_sources,
    "shapes": _shape_sources,
}


def _selected(
    spec_file: SpecFile, path: FieldPath, section: ModelSource, sources: list[Source]
) -> list[Source]:
    """The sources that `models` selects; by default all but collision meshes."""
    place = str(section.catalog or section.directory)
    if section.models is None:
        return without_collision_meshes(sources, place)
    selected, unknown, left_out = selection(section.models, sources)
    warn_of_collision_meshes(left_out, place)
    problems = [
        spec_file.problem((*path, "models", i), f"there is no model {entry!r} in {place}{advice}")
        for i, (entry, advice) in unknown.items()
    ]
    if problems:
        raise SpecError(problems)
    return selected
