"""Croissant page: the content of croissant.json, and the parts that it is made of.

In: the files and record sets of an export. Out: Croissant 1.0, with the record set `classes`, the names by
number.
source: https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from __future__ import annotations

from typing import Any

from blendgen.dataset.source import Source

PAGE = "croissant.json"
OBJECT_COLUMNS = {
    "bbox": ("cr:BoundingBox", "x, y, width, height of what is visible, pixels"),
    "category": ("sc:Text", "class"),
    "category_id": ("sc:Integer", "class number"),
    "area": ("sc:Integer", "visible pixels"),
    "visible_fraction": ("sc:Float", "visible pixels / pixels if nothing hid the object"),
    "instance_id": ("sc:Integer", "number of the object in the image"),
    "keypoints": ("sc:Float", "x, y (pixels) and visibility (0 not labelled, 1 hidden, 2 visible) of each"),
}
_TERMS = (
    "citeAs column dataType equivalentProperty examples extract field fileObject fileProperty fileSet format "
    "includes isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace "
    "samplingRate separator source subField transform"
)
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
}

Json = dict[str, Any]


def croissant_page(
    source: Source, distribution: list[Json], record_sets: list[Json], license: str | None
) -> Json:
    """The JSON-LD.

    distribution: files and sets of files; record_sets: of what is in them
    """
    made_with = f"blendgen {source.record.get('blendgen_version', '')}"
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": source.name,
        "description": f"{source.images} synthetic images of 3D models, made with {made_with}: "
        f"{len(source.classes)} classes, labels exact by construction.",
        **({} if license is None else {"license": license}),
        "version": f"1.0.0+{source.digest[:12]}",
        "distribution": distribution,
        "recordSet": [_classes(source), *record_sets],
    }


def _classes(source: Source) -> Json:
    rows: list[Json] = [
        {"classes/id": number, "classes/name": label} for number, label in enumerate(source.classes)
    ]
    fields = [field("id", "sc:Integer", "Class number."), field("name", "sc:Text", "Class.")]
    if source.keypoints:
        fields.append(field("keypoints", "sc:Text", "Their names, in order.") | {"repeated": True})
        for row, label in zip(rows, source.classes, strict=True):
            row["classes/keypoints"] = source.keypoint_names(label)
    return record_set("classes", "Names of the classes.", fields) | {
        "dataType": "sc:Enumeration",
        "key": {"@id": "classes/id"},
        "data": rows,
    }


def record_set(name: str, description: str, fields: list[Json]) -> Json:
    own = [{**one, "@id": f"{name}/{one['name']}"} for one in fields]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "description": description, "field": own}


def field(name: str, kind: str | list[str], description: str, source: Json | None = None) -> Json:
    own = {"@type": "cr:Field", "@id": name, "name": name, "description": description, "dataType": kind}
    return own if source is None else {**own, "source": source}
