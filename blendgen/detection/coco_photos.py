"""COCO photos: photos of the user with boxes, as a COCO file states them.

In: a COCO file, or a folder with one for each split, as `blendgen export coco`, CVAT, Label Studio and
Roboflow write them. Out: BoxedPictures. Categories are matched by their names; one that is not a class is an
error, as its boxes would silently be missing. Crowds are neither right nor wrong to find.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blendgen.dataset.schema import parsed_json, validation_fault
from blendgen.detection.boxed_picture import BoxedPicture
from blendgen.errors import DatasetError, UsageError, did_you_mean
from blendgen.files.names import path_fault, printable, some_of
from blendgen.files.photos import IMAGE_ERRORS, image_fault, opened_photo, read_photo, upright_size
from blendgen.files.regular_file import read_bounded
from blendgen.learn.photo_sets import file_key
from blendgen.scene.row import MAX_SIDE_PX

READ_PX = 1024  # more than any network takes
_MAX_BYTES = 512 * 2**20
_Number = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Image(_Part):
    id: int | str
    file_name: str
    width: int = Field(ge=1, le=MAX_SIDE_PX)
    height: int = Field(ge=1, le=MAX_SIDE_PX)


class _Annotation(_Part):
    image_id: int | str
    category_id: int | str
    bbox: tuple[_Number, _Number, _Number, _Number]
    iscrowd: bool = False


class _Category(_Part):
    id: int | str
    name: str


class _Coco(_Part):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def boxed_photos(
    place: Path, classes: Sequence[str], wanted: Sequence[str], left_out: list[str]
) -> list[BoxedPicture]:
    """The photos of a COCO file; of a folder those of the first of the wanted splits that it has.

    left_out: a message is added for each photo that is not used
    raises: UsageError where there is no COCO file; DatasetError for one that is damaged, for categories that
        are not classes, and where no photo can be used
    """
    path = place if place.is_file() else _file_of(place, wanted)
    coco = _content(path)
    labels = _labels(path, coco, classes)
    by_image: dict[int | str, list[_Annotation]] = defaultdict(list)
    for one in coco.annotations:
        by_image[one.image_id].append(one)
    photos = [_photo(path, one, by_image[one.id], labels) for one in coco.images]
    usable = [one for one in photos if _can_be_read(one, left_out)]
    if not any((~one.is_ignored).any() for one in usable):
        reasons = "".join(f"\n  {reason}" for reason in left_out[:3])
        raise DatasetError(f"{printable(str(path))}: no photo that can be read has a box{reasons}")
    return usable


def _file_of(folder: Path, wanted: Sequence[str]) -> Path:
    names = {
        split: path
        for split in wanted
        for path in (
            folder / "annotations" / f"instances_{split}.json", folder / split / "_annotations.coco.json",
        )
        if path.is_file()
    }  # fmt: skip
    if not names:
        raise UsageError(
            f"{printable(str(folder))}: expected a COCO file, or a folder with images/SPLIT and "
            f"annotations/instances_SPLIT.json, where SPLIT is {' or '.join(wanted)}"
        )
    return next(iter(names.values()))


def _content(path: Path) -> _Coco:
    try:
        return _Coco.model_validate(parsed_json(read_bounded(path, _MAX_BYTES), _MAX_BYTES))
    except ValidationError as error:
        fault = validation_fault(error)
        raise DatasetError(f"{printable(str(path))}: is not a sound COCO file: {fault}") from None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{printable(str(path))}: cannot be read: {error}") from None


def _labels(path: Path, coco: _Coco, classes: Sequence[str]) -> dict[int | str, int]:
    """Category id -> label_id, of categories that have boxes; raises DatasetError"""
    used = {one.category_id for one in coco.annotations}
    names = {one.id: one.name for one in coco.categories if one.id in used}
    missing = sorted(str(one) for one in used - {*names})
    if missing:
        raise DatasetError(f"{printable(str(path))}: there is no category {some_of(missing)}")
    unknown = sorted({*names.values()} - {*classes})
    if unknown:
        lines = "\n".join(f"  {printable(name)}{did_you_mean(name, classes)}" for name in unknown[:12])
        raise DatasetError(
            f"{printable(str(path))}: these categories are not classes of the data set; rename them, or "
            f"remove their annotations:\n{lines}"
        )
    return {key: classes.index(name) for key, name in names.items()}


def _photo(
    path: Path, image: _Image, annotations: Sequence[_Annotation], labels: dict[int | str, int]
) -> BoxedPicture:
    name, size = image.file_name, (image.width, image.height)
    try:
        boxes = np.array([_corners(one, size) for one in annotations], float).reshape(-1, 4)
    except ValueError as error:
        raise DatasetError(f"{printable(str(path))}: {printable(name)}: {error}") from None
    own = np.array([labels[one.category_id] for one in annotations], np.int64)
    is_ignored = np.array([one.iscrowd for one in annotations], bool)
    file = _image_path(path, name)
    key = file_key(file)
    return BoxedPicture(key, name, key, size, boxes, own, is_ignored, partial(read_photo, file, READ_PX))


def _corners(annotation: _Annotation, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Clipped at the border of the photo; raises ValueError for a box outside of it."""
    x, y, width, height = annotation.bbox
    low, high = (max(x, 0.0), max(y, 0.0)), (min(x + width, size[0]), min(y + height, size[1]))
    if not (low[0] < high[0] and low[1] < high[1]):
        raise ValueError(f"bbox {[*annotation.bbox]} is empty, or outside of {size[0]} x {size[1]} pixels")
    return *low, *high


def _image_path(path: Path, name: str) -> Path:
    """Where the file is: next to the COCO file, or in the folders that exports use."""
    fault = path_fault(name)
    if fault:
        raise DatasetError(f"{printable(str(path))}: file_name {printable(name)} {fault}")
    split = path.stem.removeprefix("instances_")
    above = path.parent.parent
    places = [path.parent, path.parent / "images", above / "images" / split, above / split, above / "images"]
    existing = next((place / name for place in [*places, above] if (place / name).is_file()), None)
    return existing or places[2 if path.parent.name == "annotations" else 0] / name


def _can_be_read(photo: BoxedPicture, left_out: list[str]) -> bool:
    """Whether the file has the size that the boxes are stated in, upright as its EXIF data say."""
    path = photo.read.args[0]  # type: ignore[attr-defined]
    try:
        with opened_photo(path) as image:
            size = upright_size(image)
        photo.read()
    except IMAGE_ERRORS as error:
        left_out.append(f"{printable(str(path))}: cannot be read: {image_fault(error)}")
        return False
    if size != photo.size_px:
        left_out.append(
            f"{printable(str(path))}: has {size[0]} x {size[1]} pixels, its COCO file states "
            f"{photo.size_px[0]} x {photo.size_px[1]}"
        )
        return False
    return True
