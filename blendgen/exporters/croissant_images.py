"""Croissant images: image files and the table of their labels, as croissant.json describes them.

Record sets: `records`, everything, which readers join in memory; `images`, which is read file by file;
`labels`, the table without images.
"""

from __future__ import annotations

from blendgen.dataset.source import Source
from blendgen.exporters.croissant_page import OBJECT_COLUMNS, Json, field, record_set

TABLE, _IMAGES = "labels.jsonl", "image-files"
ROW_COLUMNS = {
    "label_id": ("sc:Integer", "class number, as in the record set classes"),
    "width": ("sc:Integer", "pixels"),
    "height": ("sc:Integer", "pixels"),
    "sha256": ("sc:Text", "of the image's file"),
}
_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


def table_file(sha256: str) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": TABLE,
        "name": TABLE,
        "description": "One line per image.",
        "contentUrl": TABLE,
        "encodingFormat": "application/jsonlines",
        "sha256": sha256,
    }


def image_files(kinds: list[tuple[str, str]]) -> Json:
    """kinds: (pattern of folders in that of a class, with "/" in front; suffix of the files there)"""
    media_types = [_MEDIA_TYPES[suffix] for suffix in sorted({suffix for _, suffix in kinds})]
    return {
        "@type": "cr:FileSet",
        "@id": _IMAGES,
        "name": _IMAGES,
        "description": f"images/<split>/<label>/; the sha256 of each is in {TABLE}.",
        "encodingFormat": media_types if len(media_types) > 1 else media_types[0],
        "includes": [f"images/*/*{inner}/*{suffix}" for inner, suffix in kinds],
    }


def record_sets(source: Source) -> list[Json]:
    columns = [*_columns(ROW_COLUMNS, False), *_columns(OBJECT_COLUMNS, True)]
    if not source.keypoints:
        columns = [column for column in columns if column["name"] != "keypoints"]
    of_file, of_row = _of_file("fullpath"), _of_row("file_name")
    joined = _path(of_file | {"transform": {"regex": "^(.*)$"}}) | {"references": of_row}
    image = field("image", "sc:ImageObject", "The picture.", _of_file("content"))
    return [
        record_set("records", "Images with all labels.", [image, joined, *_from_path(of_file), *columns]),
        record_set("images", "Images, split and label.", [image, _path(of_file), *_from_path(of_file)]),
        record_set("labels", "Labels without images.", [_path(of_row), *_from_path(of_row), *columns]),
    ]


def _path(of: Json) -> Json:
    return field("file_name", "sc:Text", "Path of the image.", of)


def _from_path(of: Json) -> list[Json]:
    split = of | {"transform": {"regex": "^images/([^/]+)/"}}
    label = of | {"transform": {"regex": "^images/[^/]+/([^/]+)/"}}
    return [
        field("split", ["sc:Text", "cr:Split"], "train, val, test or another.", split),
        field("label", ["sc:Text", "cr:Label"], "Class of the image: that of its subject.", label),
    ]


def _columns(columns: dict[str, tuple[str, str]], repeated: bool) -> list[Json]:
    more = {"repeated": True} if repeated else {}
    suffix = ", for each object" if repeated else ""
    return [
        field(name, kind, meaning + suffix, _of_row(name)) | more for name, (kind, meaning) in columns.items()
    ]


def _of_file(part: str) -> Json:
    return {"fileSet": {"@id": _IMAGES}, "extract": {"fileProperty": part}}


def _of_row(column: str) -> Json:
    return {"fileObject": {"@id": TABLE}, "extract": {"column": column}}
