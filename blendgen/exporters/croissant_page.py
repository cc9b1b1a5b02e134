"""Croissant page: the content of croissant.json, which describes the images and their table.

Record sets: `records`, everything, which readers join in memory; `images`, which is read file by file;
`labels`, the table without images; `classes`, the names by number.
"""

from __future__ import annotations

from typing import Any

from blendgen.dataset.source import Source

PAGE, TABLE, _IMAGES = "croissant.json", "labels.jsonl", "image-files"
ROW_COLUMNS = {
    "label_id": ("sc:Integer", "class number, as in the record set classes"),
    "width": ("sc:Integer", "pixels"),
    "height": ("sc:Integer", "pixels"),
    "sha256": ("sc:Text", "of the image's file"),
}
OBJECT_COLUMNS = {
    "bbox": ("cr:BoundingBox", "x, y, width, height of what is visible, pixels"),
    "category": ("sc:Text", "class"),
    "category_id": ("sc:Integer", "class number"),
    "area": ("sc:Integer", "visible pixels"),
    "visible_fraction": ("sc:Float", "visible pixels / pixels if nothing hid the object"),
    "instance_id": ("sc:Integer", "number of the object in the image"),
    "keypoints": ("sc:Float", "x, y (pixels) and visibility (0 not labelled, 1 hidden, 2 visible) of each"),
}
_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
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


def croissant_page(source: Source, table_sha256: str, suffixes: list[str]) -> Json:
    """The JSON-LD; suffixes: of the image files."""
    made_with = f"blendgen {source.record.get('blendgen_version', '')}"
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": source.name,
        "description": f"{source.images} synthetic images of 3D models, made with {made_with}: "
        f"{len(source.classes)} classes, labels exact by construction.",
        "version": f"1.0.0+{source.digest[:12]}",
        "distribution": [_table_file(table_sha256), _image_files(suffixes)],
        "recordSet": [_classes(source), *_record_sets(source)],
    }


def _table_file(sha256: str) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": TABLE,
        "name": TABLE,
        "description": "One line per image.",
        "contentUrl": TABLE,
        "encodingFormat": "application/jsonlines",
        "sha256": sha256,
    }


def _image_files(suffixes: list[str]) -> Json:
    media_types = [_MEDIA_TYPES[suffix] for suffix in suffixes]
    return {
        "@type": "cr:FileSet",
        "@id": _IMAGES,
        "name": _IMAGES,
        "description": f"images/<split>/<label>/; the sha256 of each is in {TABLE}.",
        "encodingFormat": media_types if len(media_types) > 1 else media_types[0],
        "includes": [f"images/*/*/*{suffix}" for suffix in suffixes],
    }


def _record_sets(source: Source) -> list[Json]:
    columns = [*_columns(ROW_COLUMNS, False), *_columns(OBJECT_COLUMNS, True)]
    if not source.keypoints:
        columns = [column for column in columns if column["name"] != "keypoints"]
    of_file, of_row = _of_file("fullpath"), _of_row("file_name")
    joined = _path(of_file | {"transform": {"regex": "^(.*)$"}}) | {"references": of_row}
    image = _field("image", "sc:ImageObject", "The picture.", _of_file("content"))
    return [
        _record_set("records", "Images with all labels.", [image, joined, *_from_path(of_file), *columns]),
        _record_set("images", "Images, split and label.", [image, _path(of_file), *_from_path(of_file)]),
        _record_set("labels", "Labels without images.", [_path(of_row), *_from_path(of_row), *columns]),
    ]


def _classes(source: Source) -> Json:
    rows: list[Json] = [
        {"classes/id": number, "classes/name": label} for number, label in enumerate(source.classes)
    ]
    fields = [_field("id", "sc:Integer", "Class number."), _field("name", "sc:Text", "Class.")]
    if source.keypoints:
        fields.append(_field("keypoints", "sc:Text", "Their names, in order.") | {"repeated": True})
        for row, label in zip(rows, source.classes, strict=True):
            row["classes/keypoints"] = source.keypoint_names(label)
    return _record_set("classes", "Names of the classes.", fields) | {
        "dataType": "sc:Enumeration",
        "key": {"@id": "classes/id"},
        "data": rows,
    }


def _record_set(name: str, description: str, fields: list[Json]) -> Json:
    own = [{**field, "@id": f"{name}/{field['name']}"} for field in fields]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "description": description, "field": own}


def _path(of: Json) -> Json:
    return _field("file_name", "sc:Text", "Path of the image.", of)


def _from_path(of: Json) -> list[Json]:
    split = of | {"transform": {"regex": "^images/([^/]+)/"}}
    label = of | {"transform": {"regex": "^images/[^/]+/([^/]+)/"}}
    return [
        _field("split", ["sc:Text", "cr:Split"], "train, val, test or another.", split),
        _field("label", ["sc:Text", "cr:Label"], "Class of the image: that of its subject.", label),
    ]


def _columns(columns: dict[str, tuple[str, str]], repeated: bool) -> list[Json]:
    more = {"repeated": True} if repeated else {}
    suffix = ", for each object" if repeated else ""
    return [
        _field(name, kind, meaning + suffix, _of_row(name)) | more
        for name, (kind, meaning) in columns.items()
    ]


def _field(name: str, kind: str | list[str], description: str, source: Json | None = None) -> Json:
    field = {"@type": "cr:Field", "@id": name, "name": name, "description": description, "dataType": kind}
    return field if source is None else {**field, "source": source}


def _of_file(part: str) -> Json:
    return {"fileSet": {"@id": _IMAGES}, "extract": {"fileProperty": part}}


def _of_row(column: str) -> Json:
    return {"fileObject": {"@id": TABLE}, "extract": {"column": column}}
