"""Record: how a data set was made, as dataset.json states it."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from blendgen import __version__
from blendgen.dataset.identity import PIXELS_VERSION, digest
from blendgen.dataset.pack_plan import PackPlan
from blendgen.models.class_table import ClassTable
from blendgen.models.inventory import Inventory
from blendgen.models.label_names import label_names
from blendgen.models.product import Catalog, Symmetries
from blendgen.spec.model import Spec
from blendgen.system.wheel import blender_version


def dataset_record(spec: Spec, inventory: Inventory) -> dict[str, Any]:
    """The record before any image is made; the store adds counts and the device."""
    record = {
        "schema_version": 1,
        "name": spec.name,
        "digest": digest(spec, inventory),
        "pixels_version": PIXELS_VERSION,
        "seed": spec.seed,
        "classes": list(inventory.class_table.classes),
        "resolution": list(spec.resolution),
        "exposures_per_shot": spec.exposures_per_shot,
        "blendgen_version": __version__,
        "blender_version": blender_version(),
        "python_version": platform.python_version(),
        "numpy_version": np.__version__,
        "left_out": [str(refusal) for refusal in inventory.refusals],
    }
    plan = PackPlan.of_spec(spec)
    record |= {} if plan is None else plan.record
    return record | label_record(spec, inventory.catalog, inventory.class_table)


def label_record(spec: Spec, catalog: Catalog, class_table: ClassTable) -> dict[str, Any]:
    """The names of the numbers in labels that the spec requests: parts, keypoints, symmetries."""
    names = label_names(catalog, class_table.products_of_class())
    record: dict[str, Any] = {}
    if spec.output.parts:
        record["parts"] = list(names.parts)
    if spec.output.keypoints:
        record["keypoints"] = {
            label: {"names": list(points), "mirrored": dict(names.mirrored[label])}
            for label, points in names.keypoints.items()
        }
    symmetries = {
        product.name: _symmetries(product.symmetries)
        for product in catalog.products
        if product.symmetries != Symmetries()
    }
    return record | ({"symmetries": symmetries} if symmetries else {})


def _symmetries(symmetries: Symmetries) -> dict[str, Any]:
    turns = [{"axis": axis, "offset_m": offset_m} for axis, offset_m in symmetries.continuous]
    return {"continuous": turns, "discrete": symmetries.discrete}
