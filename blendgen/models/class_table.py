"""Class table: the classes of a data set, and the variants (product and colourway) of each.

In: the label rule of each product section and its measured products. Out: the classes in code-point
order, as ImageFolder loaders number them. `draw` decides which variant a shot shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from blendgen.errors import CatalogError
from blendgen.files.names import name_fault, nfc
from blendgen.models.product import AS_MODELLED, Product
from blendgen.scene.folder_names import order_fault


@dataclass(frozen=True)
class Variant:
    """A product in one of its colourways, and its class; section: its number among the spec's products."""

    product: str
    colorway: str
    label: str
    section: int = 0


@dataclass(frozen=True)
class ClassTable:
    """classes[label_id] is a label; variants[label] are the variants of that class."""

    classes: tuple[str, ...]
    variants: dict[str, tuple[Variant, ...]]

    def products_of_class(self) -> dict[str, list[str]]:
        """Label -> the names of its products."""
        return {
            label: list(dict.fromkeys(variant.product for variant in variants))
            for label, variants in self.variants.items()
        }


def build_class_table(
    labelled: Iterable[tuple[str, Product]], sections: Mapping[str, int] | None = None
) -> ClassTable:
    """The class table of (label rule, product) pairs.

    label rule: "model", "colorway", "model+colorway", "folder" or "class"
    sections: the number of each product's section, by product name; None: all are in the first
    raises: CatalogError if a rule gives no usable name, names that differ only by letter case, or names whose
        folders have another order
    """
    variants: dict[str, list[Variant]] = {}
    for rule, product in labelled:
        _check_colorways(product)
        section = sections[product.name] if sections else 0
        for colorway in product.colorways:
            label = _checked_label(rule, product, _label(rule, product, colorway.name))
            variants.setdefault(label, []).append(Variant(product.name, colorway.name, label, section))
    classes = tuple(sorted(variants))
    _check_letter_case(classes)
    if fault := order_fault(classes):
        raise CatalogError(f"{fault}, so loaders would number them differently; rename one of the two")
    return ClassTable(classes, {label: tuple(variants[label]) for label in classes})


def _check_colorways(product: Product) -> None:
    """Labels become folders, and the name of a colourway may come from a model file."""
    for colorway in product.colorways:
        fault = name_fault(colorway.name)
        if fault:
            raise CatalogError(
                f"{product.name}: the colourway {colorway.name!r} cannot be the name of a folder: "
                f"it {fault}; rename it"
            )


def _checked_label(rule: str, product: Product, label: str) -> str:
    """The label, in NFC; raises CatalogError if it cannot be the name of a class."""
    fault = name_fault(label)
    if fault:
        what = {"folder": "the model's folder", "class": "the class in its sidecar"}.get(rule, "the model")
        raise CatalogError(
            f"{product.name}: {label!r} cannot be the name of a class: it {fault}; rename {what}"
        )
    return nfc(label)


def _check_letter_case(classes: tuple[str, ...]) -> None:
    """Where letter case does not count, as on macOS and Windows, two classes would share a folder."""
    first: dict[str, str] = {}
    for label in classes:
        other = first.setdefault(label.casefold(), label)
        if other != label:
            raise CatalogError(f"the classes {other!r} and {label!r} differ only by letter case; rename one")


def _label(rule: str, product: Product, colorway: str) -> str:
    if "colorway" in rule and tuple(c.name for c in product.colorways) == (AS_MODELLED,):
        raise CatalogError(f"label: {rule} needs colourways, but {product.name} has none")
    if rule == "folder":
        if not product.folder:
            raise CatalogError(
                f"label: folder needs each model in a sub-folder, but {product.name} is at the top level"
            )
        return product.folder
    if rule == "class":
        if product.model_class is None:
            raise CatalogError(
                f"label: class needs a class in the sidecar of each model, but {product.name} has none"
            )
        return product.model_class
    return {"model": product.name, "colorway": colorway, "model+colorway": f"{product.name}+{colorway}"}[rule]
