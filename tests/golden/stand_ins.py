"""Stand-in catalogues: products for every scene, made up of boxes, so that no Blender has to measure any.

They do not depend on the built-in families: a new phone changes no golden digest.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from blendgen.models.class_table import ClassTable, build_class_table
from blendgen.models.product import Catalog, Product, StablePose
from blendgen.spec.model import Spec
from tests.conftest import make_product

_NAMES = ("amber", "birch", "cedar", "delta")
_COLORS = ("#c03030", "#3060c0", "#30a050")
_SIZES_M = ((0.072, 0.147, 0.0078), (0.064, 0.131, 0.0082), (0.05, 0.04, 0.03), (0.12, 0.015, 0.015))
# of the user; only their names are sampled
_PICTURES = {name: Path(name) for name in ("first.png", "second.png", "third.png")}
# the bottom down, the top down, one long side down
_POSES = (
    StablePose(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), 0.5),
    StablePose(((1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)), 0.375),
    StablePose(((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0)), 0.125),
)


def stand_ins(spec: Spec) -> tuple[Catalog, ClassTable]:
    """A catalogue with all that the spec may draw, and its classes."""
    (section,) = spec.products
    products = _products(section.models or _NAMES, 0)
    cased = {product.name: _in_case(product) for product in products} if section.case else {}
    catalog = Catalog(
        products,
        environments=_PICTURES,
        photos=_PICTURES,
        backdrops=_PICTURES,
        distractors=_products(_NAMES, 1, "distractor ") if spec.distractors else (),
        occluders=_products(_NAMES, 2, "occluder ") if spec.occluders else (),
        products_in_case=cased,
    )
    return catalog, build_class_table((section.label or "model", product) for product in products)


def _products(names, shift: int, prefix: str = "") -> tuple[Product, ...]:
    return tuple(
        _product(f"{prefix}{name}", _SIZES_M[(number + shift) % len(_SIZES_M)])
        for number, name in enumerate(names)
    )


def _product(name: str, size_m) -> Product:
    return replace(make_product(name, "box", size_m, _COLORS), stable_poses=_POSES)


def _in_case(product: Product) -> Product:
    cased = _product(f"{product.name} in case", [side + 0.003 for side in product.size_m])
    return replace(cased, colorways=product.colorways)
