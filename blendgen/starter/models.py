"""Models of a folder, as a first spec would use them: which, with which unit, and what is a class.

In: a folder and a Measurer. Out: a ModelFolder. A model that cannot be used is named and left out; two
forms of one model (mug.glb and mug.obj) count once.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from blendgen.errors import CatalogError, SpecError
from blendgen.files.names import some_of
from blendgen.models.doubts import equal_pairs, other_ups
from blendgen.models.load import measured_catalog
from blendgen.models.product import OVERSIZED_ADVICE, Catalog, Product, Refusal
from blendgen.models.product_names import GENERIC_WORDS, product_name
from blendgen.models.scan import MODEL_SUFFIXES, UNITLESS_SUFFIXES, model_suffix, scan_directory
from blendgen.models.selection import name_clashes, without_collision_meshes
from blendgen.models.sidecar.attach import Sidecars, described
from blendgen.models.source import Measurer, Source

# the usual largest side of a folder of models, above which metres are unlikely: most of such files are made
# in millimetres; formats that state their unit may be wrong, too, but less often
_HUGE_M, _HUGE_THOUGH_STATED_M = 2.0, 20.0
_LARGEST_M, _TINY_M = 20.0, 0.003  # of what a wrong unit is replaced by


@dataclass(frozen=True)
class Section:
    """Models that one entry of `products` selects.

    models: files or patterns; None for all of the folder
    unit: None for that of the files; is_unitless: they do not state one
    up: the axis that may be up in most of them, against what is usual for their format; None: no evidence
    """

    models: tuple[str, ...] | None
    unit: str | None
    unit_reason: str
    is_unitless: bool
    up: str | None = None
    up_reason: str = ""


@dataclass(frozen=True)
class ModelFolder:
    """What a spec says of the models of a folder.

    sizes_m: (x, y, z) of each usable model as modelled
    label: None for the default: the classes of sidecars
    """

    sections: tuple[Section, ...]
    naming: str
    label: str | None
    classes: tuple[str, ...]
    sizes_m: tuple[tuple[float, float, float], ...]
    left_out: tuple[Refusal, ...]
    notes: tuple[str, ...]


def model_folder(folder: Path, display: str, measurer: Measurer) -> ModelFolder:
    """Measure the models of a folder; raises CatalogError if none can be used, SpecError for sidecars."""
    sources, sidecars = _sources(folder, display, "file")
    naming = "path" if name_clashes(sources) else "file"
    if naming == "path":
        sources, sidecars = _sources(folder, display, naming)
    sources, doubles = _once_each(sources)
    groups = [_Group.of(group, measurer) for group in _by_unit(sources)]
    catalog = Catalog(
        tuple(product for group in groups for product in group.catalog.products),
        tuple(refusal for group in groups for refusal in group.catalog.refusals),
    )
    if not catalog.products:
        listed = "".join(f"\n  {refusal}" for refusal in catalog.refusals)
        raise CatalogError(f"{display}: none of its models can be used{listed}")
    products, faults = described(catalog.products, sources, sidecars)
    if faults:
        raise SpecError(faults)
    usable = {product.name for product in products}
    label, classes = _classes(products, [source for source in sources if source.name in usable])
    sections = tuple(group.section(sources, bool(doubles)) for group in groups if group.catalog.products)
    return ModelFolder(
        sections=sections,
        naming=naming,
        label=label,
        classes=classes,
        sizes_m=tuple(product.size_m for product in products),
        left_out=catalog.refusals + doubles,
        notes=(
            *(group.note for group in groups if group.note),
            *(_up_note(section) for section in sections if section.up),
            *_equal_notes(products, label, {source.name: source.file for source in sources}),
        ),
    )


def _sources(folder: Path, display: str, naming: Any) -> tuple[list[Source], Sidecars]:
    every = scan_directory(folder, display, None, None, naming=naming)
    sidecars = Sidecars()
    sources = sidecars.attached(without_collision_meshes(every, display), every)
    if sidecars.problems:
        raise SpecError(sidecars.problems)
    return sources, sidecars


def _once_each(sources: Sequence[Source]) -> tuple[list[Source], tuple[Refusal, ...]]:
    """One source of each name, in the first of the formats; the others as refusals."""
    best: dict[str, Source] = {}
    for source in sorted(sources, key=lambda one: MODEL_SUFFIXES.index(model_suffix(one.file))):
        best.setdefault(source.name.casefold(), source)
    chosen = set(best.values())
    doubles = [
        Refusal(source.display, f"has the name of {best[source.name.casefold()].display}, which is used")
        for source in sources
        if source not in chosen
    ]
    return [source for source in sources if source in chosen], tuple(doubles)


def _by_unit(sources: Iterable[Source]) -> list[list[Source]]:
    """Sources whose unit is known, from the file or a sidecar, and those whose unit is not."""
    known: list[Source] = []
    unknown: list[Source] = []
    for source in sources:
        (unknown if _is_unitless(source) else known).append(source)
    return [group for group in (known, unknown) if group]


@dataclass(frozen=True)
class _Group:
    """Sources that get the same unit, and what was measured of them with it."""

    sources: list[Source]
    catalog: Catalog
    is_unitless: bool
    unit: str | None = None
    unit_reason: str = ""
    note: str = ""

    @classmethod
    def of(cls, sources: list[Source], measurer: Measurer) -> _Group:
        catalog = measured_catalog(sources, measurer)
        unstated = _is_unitless(sources[0])
        limit_m = _HUGE_M if unstated else _HUGE_THOUGH_STATED_M
        if not _is_huge(catalog, limit_m):
            return cls(sources, catalog, unstated)
        for unit in ("mm", "cm"):
            in_unit = [replace(one, options={**one.options, "unit": unit}) for one in sources]
            again = measured_catalog(in_unit, measurer)
            if again.products and _TINY_M <= _middle_m(again) <= _LARGEST_M:
                reason = _reason(catalog, unit, unstated)
                return cls(in_unit, again, unstated, unit, reason, _note(sources, unit, reason))
        return cls(sources, catalog, unstated)

    def section(self, every: Sequence[Source], has_doubles: bool) -> Section:
        if len(self.sources) == len(every) and not has_doubles:
            return self._section(None)
        names = {product.name for product in self.catalog.products}
        usable = [source for source in self.sources if source.name in names]
        models = None if has_doubles else _patterns(self.sources, every)
        return self._section(models or tuple(source.file for source in usable))

    def _section(self, models: tuple[str, ...] | None) -> Section:
        return Section(models, self.unit, self.unit_reason, self.is_unitless, *self._up())

    def _up(self) -> tuple[str | None, str]:
        """The axis on which most models could stand that fall over as modelled, and why it may be up."""
        products = self.catalog.products
        if not self.is_unitless or not products:
            return None, ""
        counts = Counter(axis for product in products for axis in other_ups(product))
        axis, count = counts.most_common(1)[0] if counts else ("", 0)
        if 2 * count <= len(products):
            return None, ""
        return axis, f"{count} of {len(products)} models fall over as they are read, but not with {axis} up"


def _is_unitless(source: Source) -> bool:
    """Whether neither the file nor its sidecar states a unit."""
    return model_suffix(source.file) in UNITLESS_SUFFIXES and source.options["unit"] is None


def _is_huge(catalog: Catalog, limit_m: float) -> bool:
    refused = sum(OVERSIZED_ADVICE in refusal.reason for refusal in catalog.refusals)
    if refused > len(catalog.products):
        return True
    return bool(catalog.products) and _middle_m(catalog) > limit_m


def _middle_m(catalog: Catalog) -> float:
    return statistics.median(max(product.size_m) for product in catalog.products)


def _reason(in_metres: Catalog, unit: str, unstated: bool) -> str:
    size = f"{_middle_m(in_metres):.3g}" if in_metres.products else "over 100"
    if unstated:
        return f"guess: the files do not state it; in metres, most would measure {size} m. Is that right?"
    return f"guess: as their files state it, most would measure {size} m. Is that right?"


def _note(sources: Sequence[Source], unit: str, reason: str) -> str:
    return f"{some_of([source.file for source in sources])}: read in {unit}; {reason}"


def _up_note(section: Section) -> str:
    return f"{section.up_reason}: look at the preview, and set up: {section.up} in the spec if they lie down"


def _equal_notes(products: Sequence[Product], label: str | None, files: dict[str, str]) -> Iterator[str]:
    """Models that are the same but for their name, as classes of their own."""
    attribute = {None: "model_class", "folder": "folder", "model": "name"}[label]
    pairs = [*equal_pairs((one.content_hash, getattr(one, attribute)) for one in products)]
    if pairs:
        named = some_of([f"{files[products[a].name]} as {files[products[b].name]}" for a, b in pairs])
        yield f"the same model under two names: {named}; as two classes nobody can tell them apart"


def _patterns(chosen: Sequence[Source], every: Sequence[Source]) -> tuple[str, ...] | None:
    """A pattern for each suffix of these sources, if they select no other one."""
    suffixes = sorted({model_suffix(source.file) for source in chosen})
    others = {model_suffix(source.file) for source in every} - set(suffixes)
    files = {source.file for source in every if model_suffix(source.file) not in others}
    return tuple(f"*.{suffix}" for suffix in suffixes) if files == {one.file for one in chosen} else None


def _classes(products: Sequence[Any], sources: Sequence[Source]) -> tuple[str | None, tuple[str, ...]]:
    """The rule of the labels, and the classes that it makes."""
    of_sidecars = [product.model_class for product in products]
    if all(of_sidecars):
        return None, tuple(sorted(set(of_sidecars)))
    folders = {source.folder for source in sources}
    if _are_classes(folders, sources):
        return "folder", tuple(sorted(folders))
    return "model", tuple(sorted(source.name for source in sources))


def _are_classes(folders: set[str], sources: Sequence[Source]) -> bool:
    """Whether sub-folders are the classes: there are several, and they say more than a kind of file."""
    several = 1 < len(folders) < len(sources)
    return several and all(map(_says_something, folders))


def _says_something(folder: str) -> bool:
    """Whether the folder alone would name a model called `model`."""
    return (
        bool(folder)
        and folder.casefold() not in GENERIC_WORDS
        and product_name(PurePath(folder, "model.x")) == folder
    )
