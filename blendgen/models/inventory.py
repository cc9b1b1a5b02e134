"""Inventory: the products of a spec, found, measured, filtered, and sorted into classes.

In: a SpecFile and a Measurer. Out: the Catalog, the ClassTable, and what was left out. Colourways
and classes that the spec asks for are checked here, with their line in the file.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from blendgen.errors import CatalogError, SpecError, did_you_mean
from blendgen.models.class_table import ClassTable, build_class_table
from blendgen.models.load import load_catalog
from blendgen.models.product import Catalog, Product, Refusal
from blendgen.models.recolor import read_table, recolored, unmatched_patterns
from blendgen.models.sidecar.attach import described
from blendgen.models.source import Measurer, Source
from blendgen.models.spec_sources import spec_sources
from blendgen.spec.load import SpecFile
from blendgen.spec.pictures import picture_files
from blendgen.spec.products import ProductSource

_log = logging.getLogger(__name__)

_CASED = " in case"  # after the names of phones measured in their cases


@dataclass(frozen=True)
class Inventory:
    """What a spec draws from."""

    catalog: Catalog
    class_table: ClassTable

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        return self.catalog.refusals


def load_inventory(spec_file: SpecFile, measurer: Measurer, strict: bool = False) -> Inventory:
    """Find and measure the products of a spec.

    strict: a model that cannot be used is an error, not a note
    raises: CatalogError, SpecError (unknown names, wrong sidecars), SetupError (no Blender, no cache folder)
    """
    pictures = picture_files(spec_file)
    asked = spec_sources(spec_file)
    grouped, beside = asked.products, asked.beside
    sources = [source for _, group in grouped for source in group]
    cased = [_cased(source) for section, group in grouped if section.case for source in group]
    everything = [*sources, *itertools.chain(*beside.values()), *cased]
    measured = load_catalog(everything, measurer)
    whole, faults = described(measured.products, everything, asked.sidecars)
    if faults:
        raise SpecError(faults)
    by_name = {product.name: product for product in whole}
    others = {key: _found(by_name, group) for key, group in beside.items()}
    catalog = replace(measured, products=_found(by_name, sources), **others)
    if strict and catalog.refusals:
        listed = "\n".join(f"  {refusal}" for refusal in catalog.refusals)
        raise CatalogError(f"--strict: {len(catalog.refusals)} model(s) cannot be used:\n{listed}")
    _refuse_named(catalog, grouped, [(getattr(spec_file.spec, key), group) for key, group in beside.items()])
    section_of = {source.name: (i, section) for i, (section, group) in enumerate(grouped) for source in group}
    catalog = replace(catalog, products=_recolored(spec_file, catalog, section_of))
    products = tuple(_with_colorways(section_of[p.name][1], p) for p in catalog.products)
    _check_colorways(spec_file, catalog, section_of)
    bare = tuple(Refusal(p.name, "has none of the wanted colourways") for p in products if not p.colorways)
    products = tuple(product for product in products if product.colorways)
    if not products:
        left_out = "\n".join(f"  {refusal}" for refusal in catalog.refusals + bare)
        raise CatalogError(f"no product can be used\n{left_out}")
    _check_held_out(spec_file, products)
    _check_keypoints(spec_file, products)
    sections = {name: number for name, (number, _) in section_of.items()}
    shown = {source.name: source.display for source in sources}
    rules = _label_rules(spec_file, products, sections, shown)
    class_table = build_class_table(
        ((rules[sections[product.name]], product) for product in products), sections
    )
    worn = _worn([p for p in products if section_of[p.name][1].case], by_name)
    refusals = catalog.refusals + bare
    catalog = replace(catalog, products=products, refusals=refusals, products_in_case=worn, **pictures)
    return Inventory(catalog, class_table)


def _found(by_name: Mapping[str, Product], sources: list[Source]) -> tuple[Product, ...]:
    """The products of those sources that could be measured."""
    return tuple(by_name[source.name] for source in sources if source.name in by_name)


def _cased(source: Source) -> Source:
    """The same phone in its case."""
    return replace(source, name=f"{source.name}{_CASED}", options={**source.options, "in_case": True})


def _worn(products: list[Product], by_name: Mapping[str, Product]) -> dict[str, Product]:
    """Products in their cases by the names that they have without, each in its own colourways."""
    missing = [product.name for product in products if product.name + _CASED not in by_name]
    if missing:
        raise CatalogError(
            f"cannot be measured in a case: {', '.join(missing)}; leave out case, or these models"
        )
    return {
        product.name: replace(by_name[product.name + _CASED], colorways=product.colorways)
        for product in products
    }


def _refuse_named(catalog: Catalog, grouped, beside) -> None:
    """A model that the spec names must not be missing in silence."""
    named = {source.display for section, group in (*grouped, *beside) if section.models for source in group}
    unusable = [refusal for refusal in catalog.refusals if refusal.source in named]
    if unusable:
        listed = "\n".join(f"  {refusal}" for refusal in unusable)
        raise CatalogError(f"{len(unusable)} model(s) that the spec names cannot be used:\n{listed}")


def _recolored(spec_file: SpecFile, catalog: Catalog, section_of: dict) -> tuple[Product, ...]:
    """The products, those of a section that recolours in its colourways."""
    tables, problems = {}, []
    for number, section in enumerate(spec_file.spec.products):
        table = section.recolor
        if section.recolor_table is not None:
            table = read_table(spec_file.folder / section.recolor_table)
        if table is None:
            continue
        tables[number] = table
        mine = [p for p in catalog.products if section_of[p.name][0] == number]
        parts = {part for product in mine for part in product.parts}
        for name, pattern in unmatched_patterns(mine, table):
            message = f"{pattern!r} matches no part of these models{did_you_mean(pattern, parts)}"
            problems.append(spec_file.problem(("products", number, "recolor", name, pattern), message))
    if problems:
        raise SpecError(problems)
    numbered = ((product, tables.get(section_of[product.name][0])) for product in catalog.products)
    return tuple(product if table is None else recolored(product, table) for product, table in numbered)


def _with_colorways(section: ProductSource, product: Product) -> Product:
    if section.colorways is None:
        return product
    kept = tuple(colorway for colorway in product.colorways if colorway.name in section.colorways)
    return replace(product, colorways=kept)


def _check_colorways(spec_file: SpecFile, catalog: Catalog, section_of: dict) -> None:
    problems = []
    for number, section in enumerate(spec_file.spec.products):
        mine = [p for p in catalog.products if section_of[p.name][0] == number]
        known = {colorway.name for product in mine for colorway in product.colorways}
        for i, name in enumerate(section.colorways or ()):
            if name not in known:
                path = ("products", number, "colorways", i)
                problems.append(
                    spec_file.problem(path, f"{name!r} is no colourway here{did_you_mean(name, known)}")
                )
    if problems:
        raise SpecError(problems)


def _label_rules(
    spec_file: SpecFile,
    products: tuple[Product, ...],
    sections: Mapping[str, int],
    shown: Mapping[str, str],
) -> dict[int, str]:
    """The label rule of each section: where it states none, class if all its models have one, else model.

    shown: product name -> the path of its model as the user wrote it
    """
    rules, problems = {}, []
    for number, section in enumerate(spec_file.spec.products):
        mine = [product for product in products if sections[product.name] == number]
        without = [product.name for product in mine if product.model_class is None]
        rules[number] = section.label or ("model" if without else "class")
        told = _no_class(without, shown)
        if section.label == "class" and without:
            problems.append(spec_file.problem(("products", number, "label"), told))
        if section.label is None and 0 < len(without) < len(mine):
            _log.warning("products[%d]: %s; until then the label is the model", number, told)
    if problems:
        raise SpecError(problems)
    return rules


def _no_class(names: list[str], shown: Mapping[str, str]) -> str:
    """What is said of models without a class."""
    listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    file = Path(shown[names[0]]).with_suffix(".yaml") if names else ""
    return f"no sidecar states the class of {listed}: write {file} (docs/models.md)"


def _check_keypoints(spec_file: SpecFile, products: tuple[Product, ...]) -> None:
    if spec_file.spec.output.keypoints and not any(product.keypoints for product in products):
        message = "none of the products has keypoints; declare them in their sidecars (docs/models.md)"
        raise SpecError([spec_file.problem(("output", "keypoints"), message)])


def _check_held_out(spec_file: SpecFile, products: tuple[Product, ...]) -> None:
    """Products and colourways of `hold_out` must be among those of the spec."""
    known = {
        "product": [product.name for product in products],
        "colorway": sorted({colorway.name for product in products for colorway in product.colorways}),
    }
    problems = [
        spec_file.problem(
            ("hold_out", split, key, i), f"{name!r} is no {key} here{did_you_mean(str(name), names)}"
        )
        for split, conditions in spec_file.spec.hold_out.items()
        for key, names in known.items()
        for i, name in enumerate(conditions.get(key, ()))
        if name not in names
    ]
    if problems:
        raise SpecError(problems)
