"""Boxes: readers of each format return those of the manifest, also of one pixel and at the border."""

import csv
import json
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from blendgen.geometry.oriented_box import oriented_box
from tests.exporters.exported import rows_of, run
from tests.exporters.fake import HEIGHT, WIDTH, FakeImage, make_fake, rewrite_rows

CLASSES = ("box", "lid")
POINTS = {label: {"names": ["a", "b"], "mirrored": {}} for label in CLASSES}
WIDE = (10_000, 17)


def images_of_one_object(seed, count):
    """Boxes of every size, from one pixel to the whole image, many of them at the border."""
    rng = np.random.Generator(np.random.Philox(seed))
    boxes = [(0, 0, WIDTH, HEIGHT), (0, 0, 1, 1), (WIDTH - 1, HEIGHT - 1, 1, 1), (0, HEIGHT - 1, WIDTH, 1)]
    for _ in range(count):
        (x, x_end), (y, y_end) = (sorted(rng.choice(side + 1, 2, replace=False)) for side in (WIDTH, HEIGHT))
        boxes.append(tuple(int(value) for value in (x, y, x_end - x, y_end - y)))
    return [FakeImage("train", number % 2, [(number % 2, box)]) for number, box in enumerate(boxes)]


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxes") / "set"
    return make_fake(folder, CLASSES, images_of_one_object(1, 16), keypoints=POINTS)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Two images of 10,000 pixels width, with boxes of one, of 3333 and of nearly all of them."""
    folder = tmp_path_factory.mktemp("wide") / "set"
    images = [FakeImage("train", 0, [(0, (1, 1, 1, 1)), (1, (9, 9, 9, 9))]) for _ in range(2)]
    source = make_fake(folder, CLASSES, images)

    def widen(row):
        row["width"], row["height"] = WIDE
        near = [[1, 1, 1, 1], [WIDE[0] - 3334, 5, 3333, 2]]
        far = [[WIDE[0] - 1, WIDE[1] - 1, 1, 1], [0, 0, WIDE[0] - 1, WIDE[1] - 1]]
        row["objects"]["bbox"] = (near, far)[row["index"]]
        Image.new("1", WIDE).save(folder / row["file_name"])

    return rewrite_rows(source, widen)


def corners(box):
    x, y, width, height = box
    return [x, y, x + width, y + height]


def supervision_boxes(loaded):
    each = loaded.annotations.items()
    return {int(Path(path).stem): detections.xyxy.reshape(-1, 4).tolist() for path, detections in each}


def read_coco(folder):
    from supervision import DetectionDataset

    truth = str(folder / "annotations/instances_train.json")
    return supervision_boxes(DetectionDataset.from_coco(str(folder / "images/train"), truth))


def read_yolo(folder):
    from supervision import DetectionDataset

    places = [str(folder / name) for name in ("images/train", "labels/train", "data.yaml")]
    return supervision_boxes(DetectionDataset.from_yolo(*places))


def read_voc(folder):
    """As torchvision's examples and supervision do, with boxes from 0."""
    from supervision import DetectionDataset

    places = [str(folder / name) for name in ("JPEGImages", "Annotations")]
    read = supervision_boxes(DetectionDataset.from_pascal_voc(*places))
    for path in (folder / "Annotations").iterdir():
        own = [
            [int(box.findtext(key)) for key in ("xmin", "ymin", "xmax", "ymax")]
            for box in ElementTree.parse(path).iter("bndbox")
        ]
        assert read[int(path.stem)] == [[x - 1, y - 1, x_end, y_end] for x, y, x_end, y_end in own]
    return read


def read_csv(folder):
    read = {}
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            read.setdefault(int(Path(line["file_name"]).stem), []).append([int(line[key]) for key in "xywh"])
    return {index: list(map(corners, own)) for index, own in read.items()}


def read_lines(name):
    """Of a table of JSON lines, with objects in a column of their own or not."""

    def read(folder):
        lines = map(json.loads, (folder / name).read_text("utf-8").splitlines())
        return {
            int(Path(line["file_name"]).stem): list(map(corners, line.get("objects", line)["bbox"]))
            for line in lines
        }

    return read


def read_parquet(folder):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(folder / "data/train-00000-of-00001.parquet").to_pylist()
    return {number: list(map(corners, line["objects"]["bbox"])) for number, line in enumerate(table)}


def read_webdataset(folder):
    with tarfile.open(folder / "train-000000.tar") as shard:
        files = [member for member in shard if member.name.endswith(".json")]
        objects = [json.load(shard.extractfile(member))["objects"] for member in files]
    return {
        int(Path(member.name).stem): list(map(corners, own["bbox"]))
        for member, own in zip(files, objects, strict=True)
    }


def read_bop(folder):
    read = {}
    for path in folder.glob("train/*/scene_gt_info.json"):
        for index, own in json.loads(path.read_text()).items():
            read[int(index)] = [corners(one["bbox_visib"]) for one in own]
    return read


READERS = [
    ("coco", {}, read_coco),
    ("coco", {"outlines": "polygon"}, read_coco),
    ("yolo", {}, read_yolo),
    ("yolo", {"task": "segment"}, read_yolo),
    ("yolo", {"task": "pose"}, read_yolo),
    ("voc", {}, read_voc),
    ("csv", {}, read_csv),
    ("hf", {}, read_lines("train/metadata.jsonl")),
    ("croissant", {}, read_lines("labels.jsonl")),
    ("parquet", {}, read_parquet),
    ("webdataset", {}, read_webdataset),
    ("bop", {}, read_bop),
]


# a warning of supervision at import, where OpenCV is missing
@pytest.mark.filterwarnings("ignore:OpenCV:UserWarning")
@pytest.mark.parametrize(("name", "options", "read"), READERS)
def test_boxes_are_read_as_the_manifest_has_them(boxes, tmp_path, name, options, read):
    run(boxes, name, tmp_path / "out", **options)
    expected = {row.index: list(map(corners, row.objects.bbox)) for row in boxes.rows()}
    received = read(tmp_path / "out")
    assert received.keys() == expected.keys()
    for index, own in expected.items():
        assert np.abs(np.subtract(received[index], own)).max() < 1e-4


@pytest.mark.filterwarnings("ignore:OpenCV:UserWarning")
@pytest.mark.parametrize(
    ("name", "read"), [("yolo", read_yolo), ("voc", read_voc), ("coco", read_coco), ("csv", read_csv)]
)
def test_boxes_in_images_of_ten_thousand_pixels_are_exact_to_a_hundredth_of_a_pixel(
    wide, tmp_path, name, read
):
    run(wide, name, tmp_path / "out", **({"outlines": "none"} if name == "coco" else {}))
    received = read(tmp_path / "out")
    for row in wide.rows():
        difference = np.abs(np.subtract(received[row.index], list(map(corners, row.objects.bbox))))
        assert difference.max() <= (0.01 if name == "yolo" else 0)


def test_crops_without_a_margin_are_the_boxes(boxes, tmp_path):
    run(boxes, "imagefolder", tmp_path, crops=0)
    for row in rows_of(boxes, "train"):
        (x, y, width, height), (path,) = row.objects.bbox[0], tmp_path.rglob(f"{row.index:06d}_*.png")
        with Image.open(path) as crop:
            whole = boxes.image(row)
            assert np.array_equal(np.asarray(crop), whole[y : y + height, x : x + width])


@pytest.mark.filterwarnings("ignore:OpenCV:UserWarning")
def test_rotated_boxes_are_whole_or_counted(tmp_path, caplog):
    """A bar from edge to edge at 45 degrees: a rectangle around it reaches beyond the image."""
    from supervision import DetectionDataset

    images = [FakeImage("train", 0, [(0, (8, 4, 40, 40))])] * 3
    source = make_fake(tmp_path / "set", CLASSES, images)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    inner = np.abs(rows - columns + 8) + np.abs(rows + columns - 56) <= 12
    shapes = [inner, np.abs(rows - columns) <= 5, np.full((HEIGHT, WIDTH), True)]
    for row, shape in zip(source.rows(), shapes, strict=True):
        Image.fromarray(shape.astype(np.uint16)).save(tmp_path / "set" / row.files["mask"].name)
    result = run(source, "yolo", tmp_path / "out", task="obb")
    assert result["objects_clipped"] == 1
    assert "the boxes of 1 of 3 objects reach beyond the image" in caplog.text
    places = [str(tmp_path / "out" / name) for name in ("images/train", "labels/train", "data.yaml")]
    for path, detections in DetectionDataset.from_yolo(*places, is_obb=True).annotations.items():
        read = detections.data["xyxyxyxy"][0]
        whole = oriented_box(shapes[int(Path(path).stem)])
        assert np.abs(read - np.clip(whole, 0, (WIDTH, HEIGHT))).max() < 1e-3
