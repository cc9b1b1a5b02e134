"""Row check: one row of a finished data set against a ray cast of its scene.

In: a Row, its files, and the Geometry of an engine. Out: Findings. This is the only module of the package
that reads files. No rendered image or label of the engine is used, only its meshes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.dataset.label_file import LabelFile, decode
from blendgen.dataset.label_registry import DEPTH, MASK
from blendgen.dataset.layout import Layout
from blendgen.dataset.packed import ImageFiles, read_file
from blendgen.dataset.store import read_record
from blendgen.develop.encode import DEPTH_STEP_M
from blendgen.files.disk import raise_if_passing
from blendgen.geometry.mesh import Mesh
from blendgen.models.class_table import ClassTable
from blendgen.models.product import Catalog
from blendgen.optics.distortion import pinhole
from blendgen.scene.row import Row
from blendgen.scene.shot import PlacedProduct, Shot
from blendgen.verification.rays.cast import RayScene, Solid
from blendgen.verification.rays.compare import RowView, compare
from blendgen.verification.rays.findings import Findings, total
from blendgen.verification.rays.keypoints import keypoint_faults
from blendgen.verification.rays.scene import AssetReader, NameOf, listed_products, row_scene, row_solids
from blendgen.verification.rays.truncation import truncation_findings


@dataclass(frozen=True)
class Geometry:
    """of_shot: everything that the camera can see, built as for a render; of_asset, name_of: see scene.py"""

    of_shot: Callable[[Shot], Sequence[Mesh]]
    of_asset: AssetReader
    name_of: NameOf


@dataclass(frozen=True, eq=False)
class Checker:
    """Checks rows of one data set.

    record: its dataset.json
    """

    root: Path
    catalog: Catalog
    class_table: ClassTable
    record: Mapping[str, Any]
    geometry: Geometry

    def check(self, row: Row) -> Findings:
        """Findings of a row, with all its faults in one line.

        raises: KeyError, TypeError, ValueError for a row that is not complete
        """
        shot = row.shot
        unknown = {*row.objects.product} - {product.name for product in self.catalog.models}
        if unknown:
            return Findings(rows=1, faults=(f"unknown products: {', '.join(sorted(unknown))}",))
        solids = self._solids(row, shot)
        scene = row_scene(row, solids)
        mask = _picture(self.root, row, MASK)
        findings = compare(RowView(row, scene, mask, _depth_m(self.root, row)))
        findings = self._with_classes(row, findings)
        if row.objects.keypoints is not None:
            findings = self._with_keypoints(row, shot, scene, findings)
        if row.objects.truncation is not None:
            products = {solid.instance_id: solid for solid in solids if solid.instance_id}
            findings = replace(total([findings, truncation_findings(row, products)]), rows=1)
        return replace(findings, faults=("; ".join(findings.faults),) if findings.faults else ())

    def _solids(self, row: Row, shot: Shot) -> list[Solid]:
        geometry = self.geometry
        rendered = geometry.of_shot(shot.model_copy(update={"camera": pinhole(shot.camera)}))
        return row_solids(row, shot, self.catalog, rendered, geometry.of_asset, geometry.name_of)

    def _with_classes(self, row: Row, findings: Findings) -> Findings:
        """Add the objects whose class is not the one that the spec gives to their product and colourway."""
        objects, label_of = row.objects, _labels(self.class_table)
        faults: list[str] = []
        for number, pair in enumerate(zip(objects.product, objects.colorway, strict=True)):
            label, label_id = objects.category[number], objects.category_id[number]
            expected = label_of.get(pair)
            if expected is None or (label, label_id) != (expected, self.class_table.classes.index(expected)):
                faults.append(f"object {number}: is {label!r} ({label_id}), by the spec {expected!r}")
        return replace(findings, wrong_classes=len(faults), faults=(*findings.faults, *faults))

    def _with_keypoints(self, row: Row, shot: Shot, scene: RayScene, findings: Findings) -> Findings:
        products = {placed.instance_id: placed for placed in listed_products(row, shot)}
        faults: list[str] = []
        checked, undecided = 0, 0
        for number, instance_id in enumerate(row.objects.instance_id):
            placed = products[instance_id]
            positions = self._keypoints(row.objects.category[number], placed)
            own_faults, own_checked, own_undecided = keypoint_faults(row, number, placed, positions, scene)
            faults += own_faults
            checked += own_checked
            undecided += own_undecided
        return replace(
            findings,
            keypoints=checked,
            undecided_keypoints=undecided,
            wrong_keypoints=len(faults),
            faults=(*findings.faults, *faults),
        )

    def _keypoints(self, label: str, placed: PlacedProduct) -> list[tuple | None]:
        """Positions of a product's keypoints in the order of its class's names."""
        names = self.record.get("keypoints", {}).get(label, {}).get("names", ())
        own = {point.name: point.position_m for point in self.catalog.product_of(placed).keypoints}
        return [own.get(name) for name in names]


def _labels(class_table: ClassTable) -> dict[tuple[str, str], str]:
    return {
        (variant.product, variant.colorway): variant.label
        for variants in class_table.variants.values()
        for variant in variants
    }


def _picture(root: Path, row: Row, kind: LabelFile) -> np.ndarray | None:
    """(h, w) values of a label file with one channel; None if the row does not have it.

    raises: ValueError for a file that cannot be decoded, or of another size
    """
    file = row.files.get(kind.name)
    if file is None:
        return None
    layout = Layout(root)
    try:
        path = ImageFiles.of(layout, read_record(layout)).file(file.name)
        channels = decode(read_file(path), path.suffix, row.width * row.height)
    except OSError as error:
        raise_if_passing(root / file.name, error)
        raise ValueError(f"{file.name}: {error}") from None
    if channels is None or len(channels) != 1:
        raise ValueError(f"{file.name}: cannot be decoded")
    (values,) = channels.values()
    if values.shape != (row.height, row.width):
        raise ValueError(
            f"{file.name}: is {values.shape[1]} x {values.shape[0]} pixels, "
            f"but its row says {row.width} x {row.height}"
        )
    return values


def _depth_m(root: Path, row: Row) -> np.ndarray | None:
    """(h, w) float64, 0 where nothing was hit."""
    values = _picture(root, row, DEPTH)
    if values is None:
        return None
    depth_m = values * DEPTH_STEP_M if values.dtype.kind in "iu" else values.astype(float)
    return np.where(np.isfinite(depth_m), depth_m, 0.0)
