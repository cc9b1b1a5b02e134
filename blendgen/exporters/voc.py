"""Pascal VOC: JPEGImages/, Annotations/*.xml, ImageSets/Main/<split>.txt and labelmap.txt.

Boxes are whole pixels counted from 1, both ends included, as in VOC. Images keep their format; objects that
are less than half visible, or beyond min_visible and min_area, are marked as difficult.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

from blendgen.dataset.object_limits import ObjectLimits
from blendgen.dataset.source import Source
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.scene.row import Objects, Row

_DIFFICULT_BELOW = 0.5


def export_voc(source: Source, destination: Destination, options: Options, advance: Callable[[int], None]):
    stems: dict[str, list[str]] = {split: [] for split in source.splits}
    for row in source.rows():
        stem, suffix = f"{row.index:06d}", source.path(row).suffix
        destination.place(source.path(row), f"JPEGImages/{stem}{suffix}")
        destination.write_text(f"Annotations/{stem}.xml", _xml(source, row, stem + suffix, options.limits))
        stems[row.split].append(stem)
        advance(1)
    for split, names in stems.items():
        destination.write_text(f"ImageSets/Main/{split}.txt", "".join(f"{name}\n" for name in names))
    rows = [
        "# label:color_rgb:parts:actions",
        "background:0,0,0::",
        *(f"{label}:::" for label in source.classes),
    ]
    destination.write_text("labelmap.txt", "\n".join(rows) + "\n")
    return {"images": source.images}


def _xml(source: Source, row: Row, name: str, limits: ObjectLimits) -> str:
    size = {"width": row.width, "height": row.height, "depth": 3}
    root = _element("annotation", {"folder": "JPEGImages", "filename": name, "size": size, "segmented": 0})
    root.insert(2, _element("source", {"database": source.name}))
    objects = row.objects
    for number, (x, y, width, height) in enumerate(objects.bbox):
        cut = x == 0 or y == 0 or x + width == row.width or y + height == row.height
        box = {"xmin": x + 1, "ymin": y + 1, "xmax": x + width, "ymax": y + height}
        values = {
            "name": objects.category[number],
            "pose": "Unspecified",
            "truncated": int(cut),
            "difficult": int(not _is_easy(objects, number, limits)),
            "occluded": int(objects.visible_fraction[number] < 1),
            "bndbox": box,
        }
        root.append(_element("object", values))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _is_easy(objects: Objects, number: int, limits: ObjectLimits) -> bool:
    return objects.visible_fraction[number] >= _DIFFICULT_BELOW and limits.accept(objects, number)


def _element(name: str, values: dict) -> ElementTree.Element:
    element = ElementTree.Element(name)
    for key, value in values.items():
        if isinstance(value, dict):
            element.append(_element(key, value))
        else:
            ElementTree.SubElement(element, key).text = str(value)
    return element


EXPORTER = Exporter(
    name="voc",
    summary="one XML file for each image, as Pascal VOC has it",
    write=export_voc,
    options=LIMITS,
    marks_unclear=True,
)
