"""Inventory: the models of a spec, measured and checked, and the classes that they form.

In: a SpecFile and a Measurer. Out: the Catalog, the ClassTable, and the models that were left out. Names in
the spec that depend on the models (colourways, held-out products) are checked here, with their line.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from blendgen.errors import CatalogError, LostLookError, SpecError, did_you_mean
from blendgen.files.names import some_of
from blendgen.models.class_table import ClassTable, build_class_table
from blendgen.models.load import load_catalog
from blendgen.models.product import Catalog, Product, Refusal
from blendgen.models.recolor import in_colorways_of_spec
from blendgen.models.selection import is_pattern, selection
from blendgen.models.sidecar.attach import described
from blendgen.models.source import Measurer, Source
from blendgen.models.spec_sources import SpecSources, spec_sources, without_prefix
from blendgen.spec.load import SpecFile
from blendgen.spec.pictures import picture_files

_log = logging.getLogger(__name__)

_IN_CASE = " in case"  # after the names of phones measured in their cases


@dataclass(frozen=True)
class Inventory:
    """The products and classes that a spec samples from."""

    catalog: Catalog
    class_table: ClassTable

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        return self.catalog.refusals


def load_inventory(spec_file: SpecFile, measurer: Measurer, strict: bool = False) -> Inventory:
    """Measure the models of a spec and sort its products into classes.

    strict: a model that cannot be used, or would be rendered without part of its look, is an error
    raises: CatalogError, SpecError (unknown names, wrong sidecars), SetupError (no Blender, no cache folder)
    """
    pictures = picture_files(spec_file)
    requested = spec_sources(spec_file)
    measured, refusals = _measured(requested, measurer)
    _check_refusals(refusals, requested, strict)
    if strict:
        _check_looks(measured.values())
    groups = [_of_sources(measured, sources) for _, sources in requested.products]
    groups, without_colorway = _drop_colorless(in_colorways_of_spec(spec_file, groups))
    refusals += without_colorway
    products = tuple(product for group in groups for product in group)
    _check_products(spec_file, products, refusals)
    class_table = _class_table(spec_file, requested, groups)
    others: dict[str, Any] = {
        key: _of_sources(measured, sources) for key, (_, sources) in requested.others.items()
    }
    others |= pictures
    catalog = Catalog(
        products,
        refusals,
        products_in_case=_in_case(requested, groups, measured),
        **others,
    )
    return Inventory(catalog, class_table)


def _measured(requested: SpecSources, measurer: Measurer) -> tuple[dict[str, Product], tuple[Refusal, ...]]:
    """All models by name, as their sidecars describe them, and those that cannot be used."""
    may_have_case = [source for section, group in requested.products if section.case for source in group]
    sources = [*requested.sources, *map(_source_in_case, may_have_case)]
    catalog = load_catalog(sources, measurer)
    products, faults = described(catalog.products, sources, requested.sidecars)
    if faults:
        raise SpecError(faults)
    return {product.name: product for product in products}, catalog.refusals


def _source_in_case(source: Source) -> Source:
    return replace(source, name=f"{source.name}{_IN_CASE}", options={**source.options, "in_case": True})


def _of_sources(measured: Mapping[str, Product], sources: Iterable[Source]) -> tuple[Product, ...]:
    """The products of those sources that could be measured."""
    return tuple(measured[source.name] for source in sources if source.name in measured)


def _check_refusals(refusals: tuple[Refusal, ...], requested: SpecSources, strict: bool) -> None:
    """Raise CatalogError for models that the spec names one by one; where strict, for any."""
    if strict and refusals:
        raise CatalogError(f"--strict: {len(refusals)} model(s) cannot be used:\n{_listed(refusals)}")
    named: set[str] = set()
    for section, group in requested.sections:
        entries = [entry for entry in section.models or () if not is_pattern(entry)]
        named |= {source.display for source in selection(entries, [*map(without_prefix, group)])[0]}
    unusable = [refusal for refusal in refusals if refusal.source in named]
    if unusable:
        raise CatalogError(
            f"{len(unusable)} model(s) that the spec names cannot be used:\n{_listed(unusable)}"
        )


def _check_looks(products: Iterable[Product]) -> None:
    """Raise LostLookError for models of which a render lacks part of the look."""
    lost = [Refusal(product.name, message) for product in products for message in product.measured.lost_look]
    if lost:
        count = len({one.source for one in lost})
        raise LostLookError(f"--strict: {count} model(s) would lack part of their look:\n{_listed(lost)}")


def _listed(refusals: Iterable[Refusal]) -> str:
    return "\n".join(f"  {refusal}" for refusal in refusals)


def _drop_colorless(
    groups: list[tuple[Product, ...]],
) -> tuple[list[tuple[Product, ...]], tuple[Refusal, ...]]:
    """The products that have a colourway, by section, and a refusal for each of the others."""
    reason = "has none of the wanted colourways"
    refusals = tuple(Refusal(p.name, reason) for group in groups for p in group if not p.colorways)
    return [tuple(product for product in group if product.colorways) for group in groups], refusals


def _check_products(
    spec_file: SpecFile, products: tuple[Product, ...], refusals: tuple[Refusal, ...]
) -> None:
    if not products:
        raise CatalogError(f"no product can be used\n{_listed(refusals)}")
    _check_held_out(spec_file, products)
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
            ("hold_out", split, key, i), f"{name!r} is not a {key} here{did_you_mean(str(name), names)}"
        )
        for split, conditions in spec_file.spec.hold_out.items()
        for key, names in known.items()
        for i, name in enumerate(conditions.get(key, ()))
        if name not in names
    ]
    if problems:
        raise SpecError(problems)


def _in_case(
    requested: SpecSources, groups: list[tuple[Product, ...]], measured: Mapping[str, Product]
) -> dict[str, Product]:
    """The products that may have a case, measured in it, each in its own colourways; by product name."""
    sections = zip(requested.products, groups, strict=True)
    products = [product for (section, _), group in sections if section.case for product in group]
    missing = [product.name for product in products if product.name + _IN_CASE not in measured]
    if missing:
        raise CatalogError(
            f"cannot be measured in a case: {', '.join(missing)}; leave out case, or these models"
        )
    return {
        product.name: replace(measured[product.name + _IN_CASE], colorways=product.colorways)
        for product in products
    }


def _class_table(
    spec_file: SpecFile, requested: SpecSources, groups: list[tuple[Product, ...]]
) -> ClassTable:
    rules = _label_rules(spec_file, requested, groups)
    labelled = [(rule, product) for rule, group in zip(rules, groups, strict=True) for product in group]
    sections = {product.name: number for number, group in enumerate(groups) for product in group}
    return build_class_table(labelled, sections)


def _label_rules(spec_file: SpecFile, requested: SpecSources, groups: list[tuple[Product, ...]]) -> list[str]:
    """The label rule of each section; by default class if all its models have one, else model."""
    rules: list[str] = []
    problems = []
    for number, ((section, sources), products) in enumerate(zip(requested.products, groups, strict=True)):
        without = [product.name for product in products if product.model_class is None]
        rules.append(section.label or ("model" if without else "class"))
        message = _no_class(without, sources)
        if section.label == "class" and without:
            problems.append(spec_file.problem(("products", number, "label"), message))
        if section.label is None and 0 < len(without) < len(products):
            _log.warning("products[%d]: %s; until then the label is the model", number, message)
    if problems:
        raise SpecError(problems)
    return rules


def _no_class(names: list[str], sources: list[Source]) -> str:
    """The message about models without a class."""
    path = next((source.display for source in sources if source.name in names[:1]), "")
    file = Path(path).with_suffix(".yaml") if path else ""
    return f"no sidecar states the class of {some_of(names)}: write {file} (docs/models.md)"
