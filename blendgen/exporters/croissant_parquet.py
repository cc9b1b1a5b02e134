"""Croissant of Parquet files: croissant.json for tables with the images inside.

The record set `records` has a field for each column, and for each column of the objects. The split comes from
the names of the files. mlcroissant accepts boxes from Parquet as numbers only, not as cr:BoundingBox.
"""

from __future__ import annotations

from collections.abc import Mapping

from blendgen.containers.features import Feature
from blendgen.dataset.source import Source
from blendgen.exporters.croissant_page import OBJECT_COLUMNS, Json, croissant_page, field, record_set

_FILES = "parquet-files"
_SPLIT = r"^data/(.+)-\d+-of-\d+\.parquet$"
_TYPES = {"int64": "sc:Integer", "float32": "sc:Float", "float64": "sc:Float", "bool": "sc:Boolean"}
_MEANINGS = {
    "image": "The picture.",
    "label": "Class number of the image, as in the record set classes: that of its subject.",
    "index": "Number of the image in the data set.",
}


def parquet_page(source: Source, features: Mapping[str, Feature], license: str | None) -> Json:
    """The content of croissant.json; features: of the columns."""
    of_split = _column({"fileProperty": "fullpath"}, {"regex": _SPLIT})
    split = field("split", ["sc:Text", "cr:Split"], "train, val, test or another.", of_split)
    columns = (one for name, own in features.items() for one in _fields(name, own))
    # of two with one name the last counts: for a crop its own value, not the list of objects, which is empty
    fields = {one["name"]: one for one in (split, *columns, split)}
    records = record_set("records", "One per image.", list(fields.values()))
    return croissant_page(source, [_files()], [records], license)


def _files() -> Json:
    return {
        "@type": "cr:FileSet",
        "@id": _FILES,
        "name": _FILES,
        "description": "Tables with the images inside; the name of a file begins with its split.",
        "encodingFormat": "application/x-parquet",
        "includes": ["data/*.parquet"],
    }


def _fields(name: str, feature: Feature) -> list[Json]:
    """The field of a column; of the objects, which are lists side by side, one for each list."""
    if "_type" in feature:
        return [_field(name, feature)]
    return [_object_field(name, own, feature[own]) for own in feature]


def _field(name: str, feature: Feature) -> Json:
    meaning = _MEANINGS.get(name, f"{name} of the image.")
    if feature["_type"] == "Image":
        return field(name, "sc:ImageObject", meaning, _column({"column": name}, {"jsonPath": "bytes"}))
    return field(name, _data_type(feature), meaning, _column({"column": name})) | _repeated(feature)


def _object_field(column: str, name: str, feature: Feature) -> Json:
    _, meaning = OBJECT_COLUMNS.get("category_id" if name == "category" else name, ("", name))
    source = _column({"column": column}, {"jsonPath": name})
    return field(name, _data_type(feature), f"{meaning}, for each object", source) | {"repeated": True}


def _data_type(feature: Feature) -> str:
    if feature["_type"] == "List":
        return _data_type(feature["feature"])
    return "sc:Integer" if feature["_type"] == "ClassLabel" else _TYPES.get(feature["dtype"], "sc:Text")


def _repeated(feature: Feature) -> Json:
    return {"repeated": True} if feature["_type"] == "List" else {}


def _column(extract: Json, transform: Json | None = None) -> Json:
    own = {"fileSet": {"@id": _FILES}, "extract": extract}
    return own if transform is None else own | {"transform": transform}
