"""ImageFolder: <split>/<label>/name.png, whole images or crops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from blendgen.dataset.object_limits import NO_LIMITS
from blendgen.dataset.source import Source
from blendgen.errors import UsageError
from blendgen.exporters.card import dataset_card
from blendgen.exporters.class_folders import class_folders, finish_class_folders
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.samples import samples


def export_imagefolder(
    source: Source, destination: Destination, options: Options, advance: Callable[[int], None]
):
    counts: Counter[str] = Counter()
    splits_and_classes: set[tuple[str, str]] = set()
    folders = class_folders(source.classes)
    for sample in samples(source, options.crops):
        split = sample.row.split
        sample.place(destination, f"{split}/{folders[sample.label]}/{sample.name}{sample.suffix}")
        counts[split] += 1
        splits_and_classes.add((split, sample.label))
        advance(1)
    tasks = ["image-classification"]
    card = dataset_card(source, counts, "{split}/**", tasks, options, drop_labels=False)
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
