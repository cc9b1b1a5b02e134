"""YOLO, as ultralytics reads it: images/<split>/, labels/<split>/ and data.yaml.

One line an object: class number and numbers from 0 to 1: the visible box (detect), the outline of its
largest part (segment), or the four corners of the tightest turned box (obb). `classify` is an
ImageFolder, <split>/<class>/.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import yaml

from blendgen.export.destination import Destination
from blendgen.export.folder import export_imagefolder
from blendgen.export.options import Options
from blendgen.export.regions import oriented_box, polygons
from blendgen.export.source import Source
from blendgen.shot import Row


def export_yolo(source: Source, destination: Destination, options: Options, advance: Callable[[int], None]):
    if options.task == "classify":
        return export_imagefolder(source, destination, options, advance)
    objects = 0
    for row in source.rows():
        stem, suffix = f"{row['index']:06d}", source.path(row).suffix
        destination.place(source.path(row), f"images/{row['split']}/{stem}{suffix}")
        lines = _lines(source, row, options.task)
        objects += len(lines)
        destination.write_text(f"labels/{row['split']}/{stem}.txt", "".join(lines))
        advance(1)
    destination.write_text("data.yaml", _data_yaml(source))
    return {"images": source.images, "objects": objects}


def _lines(source: Source, row: Row, task: str) -> list[str]:
    objects, size = row["objects"], np.array([row["width"], row["height"]])
    mask = source.instance_mask(row) if task != "detect" and objects["bbox"] else None
    lines = []
    for number, (x, y, width, height) in enumerate(objects["bbox"]):
        if task == "detect":
            numbers = np.array([(x + width / 2, y + height / 2), (width, height)]) / size
        else:
            own = mask == objects["instance_id"][number]
            corners = oriented_box(own) if task == "obb" else polygons(own)[0]
            numbers = np.clip(corners / size, 0, 1)
        values = " ".join(f"{value:.6f}" for value in numbers.ravel())
        lines.append(f"{objects['category_id'][number]} {values}\n")
    return lines


def _data_yaml(source: Source) -> str:
    splits = {split: f"images/{split}" for split in source.splits}
    # without a path, ultralytics takes the folder of the file; it wants train and val
    splits.setdefault("train", next(iter(splits.values())))
    splits.setdefault("val", splits.get("test", splits["train"]))
    names = dict(enumerate(source.classes))
    return yaml.safe_dump({**splits, "names": names}, allow_unicode=True, sort_keys=False)
