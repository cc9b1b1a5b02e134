"""Label names: the part ids and the keypoints of each class in one data set.

In: a Catalog and the products of each class. Out: LabelNames, for the labels and dataset.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from blendgen.models.product import Catalog
from blendgen.scene.shot import PlacedProduct


@dataclass(frozen=True)
class LabelNames:
    """classes: the number of classes; parts[part_id - 1] is the name of a part; keypoints[label] are the
    keypoints of a class, in order; mirrored[label]: keypoint -> its name in a mirrored image."""

    catalog: Catalog
    classes: int
    parts: tuple[str, ...]
    keypoints: Mapping[str, tuple[str, ...]]
    mirrored: Mapping[str, Mapping[str, str]]

    def part_ids(self, placed: PlacedProduct) -> np.ndarray:
        """(slots + 1,) uint16: part id by 1 + material slot; 0 stays 0."""
        product = self.catalog.product_of(placed)
        names = [product.part_name(slot) for slot in range(len(product.parts))]
        return np.array([0, *(1 + self.parts.index(name) for name in names)], np.uint16)

    def keypoint_places(self, placed: PlacedProduct) -> list[int | None]:
        """For each keypoint of the class, its index among the product's own keypoints.

        None where the product does not have that keypoint.
        """
        own = [keypoint.name for keypoint in self.catalog.product_of(placed).keypoints]
        return [own.index(name) if name in own else None for name in self.keypoints.get(placed.label, ())]


def label_names(catalog: Catalog, products_of_class: Mapping[str, list[str]]) -> LabelNames:
    """products_of_class: label -> names of its products"""
    products = [*catalog.products, *catalog.products_in_case.values()]
    parts = {product.part_name(slot) for product in products for slot in range(len(product.parts))}
    keypoints, mirrored = {}, {}
    for label, names in products_of_class.items():
        points = [point for name in names for point in catalog.product(name).keypoints]
        if points:
            keypoints[label] = tuple(dict.fromkeys(point.name for point in points))
            mirrored[label] = {point.name: point.mirrored for point in points if point.mirrored is not None}
    return LabelNames(catalog, len(products_of_class), tuple(sorted(parts)), keypoints, mirrored)
