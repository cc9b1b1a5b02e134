"""Mix: synthetic images and real photos in one training set, in a given ratio.

In: a data set and an image folder of real photos. Out: DEST/<split>/<label>/ and a manifest that states
the source of each image. Only `train` is mixed; `val` and `test` hold real photos only. Synthetic images of
other splits are left out: loaders would read `val_synthetic` as a part of `val`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from blendgen.dataset.image_lists import image_lists
from blendgen.dataset.ownership import MIXTURE_KEY
from blendgen.dataset.rows import json_line
from blendgen.dataset.source import Source, for_loaders, open_source
from blendgen.errors import DatasetError, UsageError, did_you_mean
from blendgen.exporters.class_folders import class_folders, finish_class_folders
from blendgen.exporters.destination import Destination
from blendgen.exporters.full_folders import FullFolders
from blendgen.exporters.real_photos import Photo, read_photos
from blendgen.files.photos import IMAGE_ERRORS, image_fault, plain_png

SYNTHETIC, REAL, TRAIN = "synthetic", "real", "train"
SPLITS = (TRAIN, "val", "test")
DEFAULT_SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Mixture:
    """What a mixture consists of; raises UsageError for values that are not possible.

    ratio: synthetic images to one real photo, in each class of train
    shares: of the splits train, val and test, for photos that are not in split folders
    extra_classes: whether photos of classes without synthetic images are included
    """

    ratio: float
    shares: dict[str, float]
    extra_classes: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.ratio < math.inf:
            raise UsageError(f"ratio: expected a number above 0, got {self.ratio}")
        if set(self.shares) - set(SPLITS) or min(self.shares.values(), default=0.0) < 0:
            raise UsageError(f"photo splits: expected shares of {', '.join(SPLITS)}, got {self.shares}")
        if not abs(sum(self.shares.values()) - 1) <= _TOLERANCE:  # also if one is not a number
            raise UsageError(f"photo splits: the shares must sum to 1, got {sum(self.shares.values()):g}")


def mix(
    folder: Path,
    photos_folder: Path,
    dest: Path,
    mixture: Mixture,
    link: str = "copy",
    force: bool = False,
    advance: Callable[[int], None] = lambda count: None,
) -> dict[str, Any]:
    """Returns counts per split and source, and notes; raises DatasetError."""
    source = for_loaders(open_source(folder))
    photos, notes = read_photos(photos_folder, mixture.shares, source.classes)
    classes = _classes(source, photos, mixture.extra_classes)
    folders, full = class_folders(classes), FullFolders()
    wanted = _wanted(source, photos, mixture.ratio, notes)
    content = sorted((photo.sha256, photo.label, photo.split) for photo in photos)
    identity = {"format": "mix", **source.identity, "photos": content, "ratio": mixture.ratio}
    counts: Counter[tuple[str, str]] = Counter()
    splits_and_classes: set[tuple[str, str]] = set()
    inputs = (source.root, Path(photos_folder))
    with (
        Destination(dest, identity, link, force, inputs) as destination,
        destination.opened("manifest.jsonl") as file,
        image_lists(destination.opened) as lists,
    ):

        def place_of(split: str, label: str, leaf: str) -> str:
            inner = full.next(f"{split}/{label}")
            place = f"{folders[label]}/{inner}{leaf}"
            lists.add(split, place, label, bool(inner))
            return f"{split}/{place}"

        for row in _chosen(source, wanted):
            name = place_of(TRAIN, row.label, f"{SYNTHETIC}_{row.index:06d}{source.path(row).suffix}")
            destination.place(source.path(row), name)
            facts = {"width": row.width, "height": row.height, "sha256": row.image.sha256}
            file.write(_line(name, row.label, classes, TRAIN, SYNTHETIC, facts).encode())
            counts[TRAIN, SYNTHETIC] += 1
            splits_and_classes.add((TRAIN, row.label))
            advance(1)
        for photo in photos:
            name = place_of(photo.split, photo.label, f"{REAL}_{photo.sha256[:16]}{photo.suffix}")
            sha256 = _place(destination, photo, name)
            facts = {"width": photo.width, "height": photo.height, "sha256": sha256}
            file.write(_line(name, photo.label, classes, photo.split, REAL, facts).encode())
            counts[photo.split, REAL] += 1
            splits_and_classes.add((photo.split, photo.label))
            advance(1)
        record = {
            "name": source.name,
            "classes": classes,
            MIXTURE_KEY: mixture.ratio,
            "digest": source.digest,
        }
        renamed = finish_class_folders(destination, folders, splits_and_classes)
        destination.write_text("dataset.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    images: dict[str, dict[str, int]] = {split: {} for split, _ in sorted(counts)}
    for (split, kind), count in sorted(counts.items()):
        images[split][kind] = count
    return {"images": images, "notes": notes} | renamed


def _place(destination: Destination, photo: Photo, name: str) -> str:
    """Add the photo, converted if loaders would misread it; returns the sha256 of the new file."""
    if photo.is_plain:
        destination.place(photo.path, name)
        return photo.sha256
    try:
        data = plain_png(photo.path)
    except IMAGE_ERRORS as error:
        raise DatasetError(f"{photo.path}: cannot be read: {image_fault(error)}") from None
    destination.write_bytes(name, data)
    return hashlib.sha256(data).hexdigest()


def _classes(source: Source, photos: list[Photo], extra: bool) -> list[str]:
    unknown = sorted({photo.label for photo in photos} - set(source.classes))
    if unknown and not extra:
        listed = "\n".join(f"  {label!r}{did_you_mean(label, source.classes)}" for label in unknown)
        raise DatasetError(
            f"photos of classes without synthetic images; set extra_classes (--extra-classes) to include "
            f"them:\n{listed}"
        )
    return sorted({*source.classes, *unknown})


def _wanted(source: Source, photos: list[Photo], ratio: float, notes: list[str]) -> dict[str, int]:
    """How many synthetic training images of each class; a class without photos gets as many as others."""
    real = Counter(photo.label for photo in photos if photo.split == TRAIN)
    there = _synthetic(source, photos)
    if not real:
        raise DatasetError("no photo is in train; move some into it, or raise its share in the photo splits")
    usual = median(real.values())
    wanted = {label: min(there[label], round(ratio * real.get(label, usual))) for label in source.classes}
    for label in source.classes:
        if label not in real:
            notes.append(f"{label}: no real photos in train, only {wanted[label]} synthetic images")
        elif wanted[label] < round(ratio * real[label]):
            notes.append(
                f"{label}: only {wanted[label]} synthetic images for {real[label]} photos, less than "
                f"{ratio:g} to 1; generate more"
            )
    return wanted


def _synthetic(source: Source, photos: list[Photo]) -> Counter[str]:
    """The number of images of each class in train; raises DatasetError if an image is one of the photos."""
    paths, there = {photo.sha256: photo.path for photo in photos}, Counter[str]()
    for row in source.rows():
        if row.image.sha256 in paths:
            raise DatasetError(
                f"{paths[row.image.sha256]}: is an image of {source.root} ({row.image.name}) and not a real "
                "photo; give a folder of real photos only"
            )
        there[row.label] += row.split == TRAIN
    return there


def _chosen(source: Source, wanted: dict[str, int]):
    """The chosen rows of train: `wanted` of each class, evenly spaced."""
    there = Counter(row.label for row in source.rows() if row.split == TRAIN)
    met: Counter[str] = Counter()
    for row in source.rows():
        label = row.label
        if row.split != TRAIN:
            continue
        position, total, count = met[label], there[label], wanted[label]
        met[label] += 1
        if (position + 1) * count // total > position * count // total:
            yield row


def _line(name: str, label: str, classes: list[str], split: str, kind: str, facts: dict[str, Any]) -> str:
    """A line of the mixture's manifest: columns of a data set, and `source`."""
    columns = {"file_name": name, "label": label, "label_id": classes.index(label), "split": split}
    return json_line({**columns, "source": kind, **facts})
