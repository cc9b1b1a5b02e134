"""ImageFolder: <split>/<label>/name.png, whole images or crops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from blendgen.dataset.source import Source
from blendgen.exporters.card import dataset_card
from blendgen.exporters.class_folders import class_folders, write_class_list
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import Exporter, Options
from blendgen.exporters.samples import samples


def export_imagefolder(
    source: Source, destination: Destination, options: Options, advance: Callable[[int], None]
):
    counts: Counter[str] = Counter()
    folders = class_folders(source.classes)
    for sample in samples(source, options.crops):
        split = sample.row.split
        sample.place(destination, f"{split}/{folders[sample.label]}/{sample.name}{sample.suffix}")
        counts[split] += 1
        advance(1)
    destination.write_text("README.md", dataset_card(source, counts, "{split}/**", drop_labels=False))
    renamed = write_class_list(destination, folders)
    return {"images": counts.total(), "images_per_split": dict(counts)} | renamed


EXPORTER = Exporter(
    name="imagefolder",
    summary="<split>/<class>/ for image classifiers",
    write=export_imagefolder,
    options=("crops",),
)
