"""What loaders return for an export, each called as its documentation does, in one form for all."""

from __future__ import annotations

import csv
import gc
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from PIL import Image

from blendgen.dataset.source import Source
from blendgen.scene.folder_names import folder_name
from blendgen.scene.split_names import hub_split, usual_split

Box = tuple[str, float, float, float, float]


@dataclass(frozen=True)
class Example:
    """An image as a loader returns it; None is what this loader does not return.

    pixels: sha256 of RGB; label: class of the image; boxes: class, x, y, width, height in pixels
    """

    split: str
    pixels: str
    label: str | None = None
    boxes: tuple[Box, ...] | None = None


def digest(image: Image.Image) -> str:
    return hashlib.sha256(repr(image.size).encode() + image.convert("RGB").tobytes()).hexdigest()


def opened(path: Path) -> str:
    with Image.open(path) as image:
        return digest(image)


def of_columns(objects: dict[str, list[Any]]) -> tuple[Box, ...]:
    return (
        tuple(zip(objects["category"], *zip(*objects["bbox"], strict=True), strict=True))
        if objects["bbox"]
        else ()
    )


def loaded(*where: Any, **options: Any) -> Any:
    import datasets

    return datasets.load_dataset(*map(str, where), **options)


def datasets_of_images(dest: Path, source: Source) -> Iterator[Example]:
    """A folder of class folders, as a whole."""
    for split, part in loaded(dest).items():
        names = class_names(dest, part.features["label"].names)
        for one in part:
            yield Example(split, digest(one["image"]), names[one["label"]])


def class_names(dest: Path, folders: Iterable[str]) -> list[str]:
    """The classes of folders that are sorted by name."""
    listed = dest / "classes.txt"
    return listed.read_text("utf-8").splitlines() if listed.exists() else list(folders)


def datasets_of_the_images_of_a_data_set(dest: Path, source: Source) -> Iterator[Example]:
    yield from _of_class_folders(loaded(source.root / "images"), source)


def datasets_without_the_card(dest: Path, source: Source) -> Iterator[Example]:
    yield from _of_class_folders(
        loaded("imagefolder", data_dir=str(source.root / "images"), drop_labels=False), source
    )


def _of_class_folders(splits: Any, source: Source) -> Iterator[Example]:
    classes = {folder_name(label): label for label in source.classes}
    for split, part in splits.items():
        names = part.features["label"].names
        for one in part:
            yield Example(split, digest(one["image"]), classes[names[one["label"]]])


def datasets_of_columns(dest: Path, source: Source) -> Iterator[Example]:
    for split, part in loaded(dest).items():
        names = getattr(part.features["label"], "names", None)
        for one in part:
            label = one["label"] if names is None else names[one["label"]]
            columns = part.features["objects"]
            objects = named(one["objects"], columns, source.classes)
            yield Example(split, digest(one["image"]), label, of_columns(objects))


def named(objects: dict[str, list[Any]], columns: Any, classes: tuple[str, ...]) -> dict[str, list[Any]]:
    """Objects with the names of their classes, as the feature says, or by their numbers."""
    names = getattr(columns["category"].feature, "names", classes)
    return {**objects, "category": [names[number] for number in objects["category"]]}


def datasets_of_shards(dest: Path, source: Source) -> Iterator[Example]:
    for split, part in loaded(dest).items():
        for one in part:
            columns = one["json"]["objects"]
            boxes = of_columns(columns)
            yield Example(split, digest(one["png"]), source.classes[int(one["cls"])], boxes)


def webdataset_of_shards(dest: Path, source: Source) -> Iterator[Example]:
    import webdataset

    for split in map(usual_split, source.splits):
        shards = sorted(str(path) for path in dest.glob(f"{split}-*.tar"))
        reader = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")
        for image, number, columns in reader.to_tuple("png", "cls", "json"):
            yield Example(split, digest(image), source.classes[number], of_columns(columns["objects"]))
    gc.collect()


def torchvision_of_folders(dest: Path, source: Source) -> Iterator[Example]:
    """ImageFolder by its documentation: a class is the number of its folder in the order of names."""
    for split in map(usual_split, source.splits):
        folders = sorted(path for path in (dest / split).iterdir() if path.is_dir())
        names = class_names(dest, (folder.name for folder in folders))
        assert len(names) == len(folders)
        for name, folder in zip(names, folders, strict=True):
            for path in sorted(folder.rglob("*.png")):  # it walks through folders, as os.walk does
                yield Example(split, opened(path), name)


def pycocotools_of_coco(dest: Path, source: Source) -> Iterator[Example]:
    from pycocotools.coco import COCO

    for split in map(usual_split, source.splits):
        coco = COCO(dest / f"annotations/instances_{split}.json")
        for image in coco.loadImgs(coco.getImgIds()):
            annotations = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
            boxes = tuple(
                (coco.cats[one["category_id"]]["name"], *box_of(coco.annToMask(one))) for one in annotations
            )
            written = [tuple(one["bbox"]) for one in annotations]
            assert written == [box[1:] for box in boxes]
            yield Example(split, opened(dest / f"images/{split}" / image["file_name"]), None, boxes)


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask)
    x, y = columns.min(), rows.min()
    return int(x), int(y), int(columns.max() - x + 1), int(rows.max() - y + 1)


def supervision_of(load: Callable[[Path, str], Any]) -> Callable[[Path, Source], Iterator[Example]]:
    def read(dest: Path, source: Source) -> Iterator[Example]:
        for split in map(usual_split, source.splits):
            labels = load(dest, split)
            for path, _, detections in labels:
                corners = detections.xyxy.reshape(-1, 4)
                boxes = tuple(
                    (labels.classes[number], x, y, x1 - x, y1 - y)
                    for number, (x, y, x1, y1) in zip(detections.class_id, corners.tolist(), strict=True)
                )
                yield Example(split, opened(Path(path)), None, boxes)

    return read


def _coco(dest: Path, split: str) -> Any:
    import supervision

    truth = dest / f"annotations/instances_{split}.json"
    return supervision.DetectionDataset.from_coco(str(dest / f"images/{split}"), str(truth))


def _yolo(dest: Path, split: str) -> Any:
    import supervision

    folders = (str(dest / f"images/{split}"), str(dest / f"labels/{split}"))
    return supervision.DetectionDataset.from_yolo(*folders, str(dest / "data.yaml"))


def xml_of_voc(dest: Path, source: Source) -> Iterator[Example]:
    """VOC's development kit: the list of a split, then the XML file of each image; corners count from 1."""
    for split in map(usual_split, source.splits):
        for stem in (dest / f"ImageSets/Main/{split}.txt").read_text("utf-8").split():
            root = ElementTree.parse(dest / f"Annotations/{stem}.xml").getroot()
            image = dest / "JPEGImages" / str(root.findtext("filename"))
            yield Example(split, opened(image), None, tuple(map(_voc_box, root.findall("object"))))


def _voc_box(one: ElementTree.Element) -> Box:
    left, top, right, bottom = (
        int(one.findtext(f"bndbox/{key}") or 0) for key in ("xmin", "ymin", "xmax", "ymax")
    )
    return str(one.findtext("name")), left - 1, top - 1, right - left + 1, bottom - top + 1


def lines_of_yolo(dest: Path, source: Source) -> Iterator[Example]:
    """By ultralytics' rules: images of data.yaml, /images/ replaced by /labels/; polygons give the box."""
    data = yaml.safe_load((dest / "data.yaml").read_text("utf-8"))
    for split in map(usual_split, source.splits):
        for path in sorted((dest / data[split]).rglob("*.png")):
            place = path.relative_to(dest / data[split]).with_suffix(".txt")
            text = (dest / "labels" / split / place).read_text("utf-8")
            with Image.open(path) as image:
                boxes = tuple(_yolo_box(line, data["names"], image.size) for line in text.splitlines())
                yield Example(split, digest(image), None, boxes)


def _yolo_box(line: str, names: dict[int, str], size: tuple[int, int]) -> Box:
    number, *values = line.split()
    points = np.array(values, float).reshape(-1, 2) * size
    if len(points) == 2:
        (x, y), (width, height) = points[0] - points[1] / 2, points[1]
    else:
        (x, y), (width, height) = points.min(axis=0), np.ptp(points, axis=0)
    return names[int(number)], float(x), float(y), float(width), float(height)


def ultralytics_of(task: str) -> Callable[[Path, Source], Iterator[Example]]:
    """What its data set holds after it has read the folder; boxes of polygons are its own."""

    def read(dest: Path, source: Source) -> Iterator[Example]:
        pytest.importorskip("ultralytics", reason="ultralytics is not installed; see `make trainers`")
        from ultralytics.data.dataset import YOLODataset
        from ultralytics.data.utils import check_det_dataset

        data = check_det_dataset(str(dest / "data.yaml"), autodownload=False)
        for split in map(usual_split, source.splits):
            # it completes the paths of train, val and test only
            folder = dest / data[split]
            images = YOLODataset(img_path=str(folder), data=data, task=task, augment=False, cache=False)
            for one in images.labels:
                height, width = one["shape"]
                boxes = (one["bboxes"] * [width, height, width, height]).tolist()
                names = [data["names"][int(number)] for number in one["cls"].ravel()]
                yield Example(
                    split,
                    opened(Path(one["im_file"])),
                    None,
                    tuple(
                        (name, x - w / 2, y - h / 2, w, h)
                        for name, (x, y, w, h) in zip(names, boxes, strict=True)
                    ),
                )

    return read


def pandas_of_csv(dest: Path, source: Source) -> Iterator[Example]:
    pandas = __import__("pandas")
    table = pandas.read_csv(dest / "labels.csv", keep_default_na=False, dtype={"label": str, "category": str})
    for name, lines in table.groupby("file_name", sort=False):
        first, *_ = lines.to_dict("records")
        boxes = tuple(_csv_box(one) for one in lines.to_dict("records") if one["category"] != "")
        yield Example(first["split"], opened(dest / name), first["label"], boxes)


def lines_of_csv(dest: Path, source: Source) -> Iterator[Example]:
    with (dest / "labels.csv").open(encoding="utf-8", newline="") as file:
        groups: dict[str, list[dict[str, str]]] = {}
        for line in csv.DictReader(file):
            groups.setdefault(line["file_name"], []).append(line)
    for name, lines in groups.items():
        boxes = tuple(_csv_box(one) for one in lines if one["category"] != "")
        yield Example(lines[0]["split"], opened(dest / name), lines[0]["label"], boxes)


def _csv_box(line: dict[str, Any]) -> Box:
    return line["category"], *(int(float(line[key])) for key in "xywh")


def mlcroissant_of_page(dest: Path, source: Source) -> Iterator[Example]:
    import mlcroissant

    page = mlcroissant.Dataset(str(dest / "croissant.json"))
    for record in page.records("records"):
        one = {key.split("/")[1]: value for key, value in record.items()}
        columns = {"category": [name.decode() for name in one["category"]], "bbox": one["bbox"]}
        yield Example(one["split"].decode(), digest(one["image"]), one["label"].decode(), of_columns(columns))


def json_of_bop(dest: Path, source: Source) -> Iterator[Example]:
    """BOP's toolkit: scene_gt.json and scene_gt_info.json of each scene, models by number."""
    names = json.loads((dest / "objects.json").read_text("utf-8"))
    for split in map(usual_split, source.splits):
        for scene in sorted((dest / split).iterdir()):
            truth, info = (
                json.loads((scene / f"scene_{name}.json").read_text()) for name in ("gt", "gt_info")
            )
            for key, objects in truth.items():
                boxes = tuple(
                    (names[str(one["obj_id"])], *facts["bbox_visib"])
                    for one, facts in zip(objects, info[key], strict=True)
                )
                yield Example(split, opened(scene / "rgb" / f"{int(key):06d}.png"), None, boxes)


def blendgen_itself(dest: Path, source: Source) -> Iterator[Example]:
    import blendgen

    dataset = blendgen.open_dataset(source.root)
    for number, example in enumerate(dataset):
        row, image = dataset.row(number), Image.fromarray(example["image"])
        boxes = of_columns({"category": row.objects.category, "bbox": row.objects.bbox})
        yield Example(row.split, digest(image), dataset.classes[example["label_id"]], boxes)


@dataclass(frozen=True)
class Reader:
    """One way of reading one export.

    export: name of the format and its options, None without an export
    split_name: what the export, or the hub, calls a split of the data set
    tolerance_px: half of the last digit that the format writes
    """

    read: Callable[[Path, Source], Iterator[Example]]
    export: tuple[str, tuple[tuple[str, Any], ...]] | None
    split_name: Callable[[str], str] = usual_split
    tolerance_px: float = 0.0


def _reader(read, name=None, split_name=usual_split, tolerance_px=0.0, **options) -> Reader:
    return Reader(read, name and (name, tuple(options.items())), split_name, tolerance_px)


READERS = {
    "blendgen.open_dataset": _reader(blendgen_itself, split_name=str),
    "OUT/images by datasets": _reader(datasets_of_the_images_of_a_data_set, split_name=hub_split),
    "OUT/images by datasets, without its card": _reader(datasets_without_the_card, split_name=hub_split),
    "imagefolder by datasets": _reader(datasets_of_images, "imagefolder", split_name=hub_split),
    "imagefolder by sorted folders": _reader(torchvision_of_folders, "imagefolder"),
    "hf by datasets": _reader(datasets_of_columns, "hf", split_name=hub_split),
    "parquet by datasets": _reader(datasets_of_columns, "parquet", split_name=hub_split),
    "webdataset by datasets": _reader(datasets_of_shards, "webdataset", split_name=hub_split),
    "webdataset by webdataset": _reader(webdataset_of_shards, "webdataset"),
    "coco by pycocotools": _reader(pycocotools_of_coco, "coco"),
    "coco polygons by pycocotools": _reader(pycocotools_of_coco, "coco", outlines="polygon"),
    "coco by supervision": _reader(supervision_of(_coco), "coco"),
    "voc by its XML": _reader(xml_of_voc, "voc"),
    "yolo detect by its lines": _reader(lines_of_yolo, "yolo", tolerance_px=0.02),
    "yolo detect by supervision": _reader(supervision_of(_yolo), "yolo", tolerance_px=0.02),
    "yolo segment by its lines": _reader(lines_of_yolo, "yolo", tolerance_px=0.02, task="segment"),
    "yolo detect by ultralytics": _reader(ultralytics_of("detect"), "yolo", tolerance_px=0.02),
    "yolo segment by ultralytics": _reader(
        ultralytics_of("segment"), "yolo", tolerance_px=0.02, task="segment"
    ),
    "yolo classify by sorted folders": _reader(torchvision_of_folders, "yolo", task="classify"),
    "csv by pandas": _reader(pandas_of_csv, "csv"),
    "csv by its lines": _reader(lines_of_csv, "csv"),
    "croissant by mlcroissant": _reader(mlcroissant_of_page, "croissant"),
    "bop by its JSON": _reader(json_of_bop, "bop"),
}
