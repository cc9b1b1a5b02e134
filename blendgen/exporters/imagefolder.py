"""ImageFolder: <split>/<label>/name.png, whole images or crops.

A folder has at most 10,000 files; further ones are in sub-folders, and lists in the folders of the splits
have the class of every image, as in a data set (dataset/image_lists.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from blendgen.dataset.image_lists import image_lists
from blendgen.dataset.images_card import listed_labels
from blendgen.dataset.object_limits import NO_LIMITS
from blendgen.dataset.source import Source
from blendgen.errors import UsageError
from blendgen.exporters.card import dataset_card
from blendgen.exporters.class_folders import class_folders, finish_class_folders
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.full_folders import FullFolders
from blendgen.exporters.samples import samples


def export_imagefolder(
    source: Source, destination: Destination, options: Options, advance: Callable[[int], None]
):
    counts: Counter[str] = Counter()
    splits_and_classes: set[tuple[str, str]] = set()
    folders, full = class_folders(source.classes), FullFolders()
    with image_lists(destination.opened) as lists:
        for sample in samples(source, options.crops):
            split, folder = sample.row.split, folders[sample.label]
            inner = full.next(f"{split}/{folder}")
            name = f"{folder}/{inner}{sample.name}{sample.suffix}"
            sample.place(destination, f"{split}/{name}")
            lists.add(split, name, sample.label, bool(inner))
            counts[split] += 1
            splits_and_classes.add((split, sample.label))
            advance(1)
    tasks = ["image-classification"]
    there = {label for _, label in splits_and_classes}
    in_order = [label for label in folders if label in there]  # as loaders number the folders
    labels = listed_labels(in_order) if lists.are_needed else {"drop_labels": False}
    card = dataset_card(source, counts, "{split}/**", tasks, options, **labels)
    destination.write_text("README.md", card)
    renamed = finish_class_folders(destination, folders, splits_and_classes)
    return {"images": counts.total(), "images_per_split": dict(counts)} | renamed


def check_limits(options: Options) -> None:
    """Raises UsageError for limits of objects without crops: the class of a whole image is its subject's."""
    if options.crops is None and options.limits != NO_LIMITS:
        raise UsageError(
            "min_visible, min_area: need crops in this format, because whole images have one class"
        )


EXPORTER = Exporter(
    name="imagefolder",
    summary="<split>/<class>/ for image classifiers",
    write=export_imagefolder,
    options=("crops", "license", *LIMITS),
    check=check_limits,
)
