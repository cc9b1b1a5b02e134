"""Roster: the classes of a data set and which product in which colourway stands for each.

In: per product source, its label rule and its measured products. Out: classes in code-point
order, as every ImageFolder loader numbers them, and the balanced assignment of shots: class,
variant and split follow from the shot's number alone, so neither a redraw nor a shard nor a
larger data set disturbs the balance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from blendgen.catalog.product import AS_MODELLED, Product
from blendgen.draw.sampler import shuffled
from blendgen.errors import CatalogError
from blendgen.names import name_fault
from blendgen.streams import stream

_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Variant:
    """A product in one of its colourways, and its class; section: of the spec's products, its number."""

    product: str
    colorway: str
    label: str
    section: int = 0


@dataclass(frozen=True)
class Roster:
    """classes[label_id] is a label; variants[label] are the ways in which it can look."""

    classes: tuple[str, ...]
    variants: dict[str, tuple[Variant, ...]]

    def subject(self, seed: int, shot_index: int) -> Variant:
        """The variant that the shot is about: classes in turn, each class's variants in turn."""
        block, position = divmod(shot_index, len(self.classes))
        label = shuffled(self.classes, seed, block, "products.label")[position]
        variants = self.variants[label]
        round_number, turn = divmod(block, len(variants))
        return shuffled(variants, seed, round_number, f"products.variant.{label}")[turn]

    def split(self, seed: int, shot_index: int, shares: dict[str, float]) -> str:
        """The split of a shot: each class is spread evenly, at any length of the data set."""
        label = self.subject(seed, shot_index).label
        start = stream(seed, 0, 0, f"splits.{label}").random()
        position = (start + shot_index // len(self.classes) * _GOLDEN_RATIO) % 1.0
        total = 0.0
        for split, share in shares.items():
            total += share
            if position < total:
                return split
        return [split for split, share in shares.items() if share > 0][-1]

    def products_of_class(self) -> dict[str, list[str]]:
        """Label -> the names of its products."""
        return {
            label: list(dict.fromkeys(variant.product for variant in variants))
            for label, variants in self.variants.items()
        }

    def any_variant(self, unit_label: float, unit_variant: float) -> Variant:
        """A variant by two numbers in [0, 1): for products that are not the subject."""
        variants = self.variants[self.classes[int(unit_label * len(self.classes))]]
        return variants[int(unit_variant * len(variants))]


def build_roster(
    labelled: Iterable[tuple[str, Product]], sections: Mapping[str, int] | None = None
) -> Roster:
    """The roster of (label rule, product) pairs.

    label rule: "model", "colorway", "model+colorway", "folder" or "class"
    sections: the number of each product's section, by product name; None: all are of the first
    raises: CatalogError where a rule gives no usable name
    """
    variants: dict[str, list[Variant]] = {}
    for rule, product in labelled:
        _refuse_odd_colorways(product)
        section = sections[product.name] if sections else 0
        for colorway in product.colorways:
            label = _checked(rule, product, _label(rule, product, colorway.name))
            variants.setdefault(label, []).append(Variant(product.name, colorway.name, label, section))
    classes = tuple(sorted(variants))
    return Roster(classes, {label: tuple(variants[label]) for label in classes})


def _refuse_odd_colorways(product: Product) -> None:
    """Labels become folders, and a colourway's name may come with somebody's model."""
    for colorway in product.colorways:
        fault = name_fault(colorway.name)
        if fault:
            raise CatalogError(
                f"{product.name}: the colourway {colorway.name!r} cannot be the name of a folder: "
                f"it {fault}; rename it"
            )


def _checked(rule: str, product: Product, label: str) -> str:
    """The label; raises CatalogError where no class can be called that."""
    fault = name_fault(label)
    if fault:
        what = {"folder": "the model's folder", "class": "the class in its sidecar"}.get(rule, "the model")
        raise CatalogError(
            f"{product.name}: {label!r} cannot be the name of a class: it {fault}; rename {what}"
        )
    return label


def _label(rule: str, product: Product, colorway: str) -> str:
    if "colorway" in rule and tuple(c.name for c in product.colorways) == (AS_MODELLED,):
        raise CatalogError(f"label: {rule} needs colourways, but {product.name} has none")
    if rule == "folder":
        if not product.folder:
            raise CatalogError(
                f"label: folder needs each model in a sub-folder, but {product.name} lies at the top"
            )
        return product.folder
    if rule == "class":
        if product.model_class is None:
            raise CatalogError(
                f"label: class needs a class in the sidecar of each model, but {product.name} has none"
            )
        return product.model_class
    return {"model": product.name, "colorway": colorway, "model+colorway": f"{product.name}+{colorway}"}[rule]
