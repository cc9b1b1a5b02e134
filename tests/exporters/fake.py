"""Data sets made with NumPy only: rows, images and masks like those of `generate`."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from blendgen.dataset.images_card import images_card
from blendgen.dataset.source import Source, open_source
from blendgen.scene.folder_names import folder_name

WIDTH, HEIGHT = 64, 48
_POSE = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.5], [0, 0, 0, 1]]


@dataclass(frozen=True)
class FakeImage:
    """label_id: class of the image; objects: (class, box), boxes must not overlap; size: width, height."""

    split: str
    label_id: int
    objects: list[tuple[int, tuple[int, int, int, int]]] = field(default_factory=list)
    size: tuple[int, int] = (WIDTH, HEIGHT)


def grid_boxes(count: int) -> list[tuple[int, int, int, int]]:
    """Up to 48 boxes that do not touch, 4 to 6 px wide."""
    return [(8 * (i % 8) + 1, 8 * (i // 8) + 1, 4 + i % 3, 4 + i % 2) for i in range(count)]


def make_fake(folder: Path, classes, images: list[FakeImage], **record) -> Source:
    """A finished data set; record: more keys of dataset.json, such as keypoints and symmetries."""
    lines, counts = [], {}
    for index, image in enumerate(images):
        lines.append(json.dumps(_row(folder, classes, index, image, record), ensure_ascii=False))
        counts[image.split] = counts.get(image.split, 0) + 1
    (folder / "manifest.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    dataset = {
        "name": "fake",
        "digest": "ab" * 32,
        "classes": list(classes),
        "images_per_split": counts,
        **record,
    }
    (folder / "dataset.json").write_text(json.dumps(dataset), "utf-8")
    (folder / "images/README.md").write_bytes(
        images_card(dataset, hashlib.sha256(repr([classes, images]).encode()).hexdigest())
    )
    return open_source(folder)


def rewrite_rows(source: Source, change) -> Source:
    """The data set after change(row) for each row."""
    manifest = source.root / "manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    for row in rows:
        change(row)
    manifest.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return open_source(source.root)


def as_json(value):
    """A value of a Row as it comes back from JSON: lists, not tuples."""
    return json.loads(json.dumps(value))


def _row(folder: Path, classes, index: int, image: FakeImage, record) -> dict:
    rng = np.random.Generator(np.random.Philox(index))
    width, height = image.size
    mask = np.zeros((height, width), np.uint16)
    for number, (_, (x, y, w, h)) in enumerate(image.objects, start=1):
        mask[y : y + h, x : x + w] = number
    depth = np.where(mask, 5000, 9000).astype(np.uint16)
    pixels = {"": rng.integers(0, 255, (height, width, 3), np.uint8), "mask_": mask, "depth_": depth}
    folders = {"": "images", "mask_": "masks", "depth_": "depth"}
    row = {}
    for kind, values in pixels.items():
        name = f"{folders[kind]}/{image.split}/{folder_name(classes[image.label_id])}/{index:06d}.png"
        row[f"{kind}file_name"] = name
        row[f"{kind}sha256"] = _write(folder / name, values)
    return row | {
        "label": classes[image.label_id], "label_id": image.label_id, "split": image.split, "index": index,
        "shot_index": index, "width": width, "height": height,
        "objects": _objects(classes, image.objects, record.get("keypoints")),
        "camera": {"intrinsics": [[80, 0, 32], [0, 80, 24], [0, 0, 1]], "world_to_camera": np.eye(4).tolist(),
                   "distortion": [0, 0, 0, 0, 0]},
    }  # fmt: skip


def _write(path: Path, values: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", compress_level=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def _objects(classes, objects, keypoints) -> dict[str, list]:
    labels = [classes[label_id] for label_id, _ in objects]
    boxes = [list(box) for _, box in objects]
    columns = {
        "bbox": boxes, "bbox_amodal": boxes, "category": labels,
        "category_id": [label_id for label_id, _ in objects], "area": [w * h for _, _, w, h in boxes],
        "product": labels, "colorway": ["c0"] * len(boxes), "case": [None] * len(boxes),
        "visible_fraction": [1.0] * len(boxes), "instance_id": list(range(1, len(boxes) + 1)),
        "object_to_world": [_POSE] * len(boxes), "object_to_camera": [_POSE] * len(boxes),
        "size_m": [[0.04, 0.03, 0.02]] * len(boxes),
    }  # fmt: skip
    if keypoints is not None:
        names = [keypoints.get(label, {}).get("names", ()) for label in labels]
        columns["keypoints"] = [_points(box, len(own)) for box, own in zip(boxes, names, strict=True)]
    return columns


def _points(box, count: int) -> list[list[float]]:
    """Points on the diagonal of the box, alternately visible, hidden and not labelled."""
    x, y, w, h = box
    shares = [(i + 1) / (count + 1) for i in range(count)]
    points = [[round(x + w * share, 2), round(y + h * share, 2), 2 - i % 3] for i, share in enumerate(shares)]
    return [point if point[2] else [0, 0, 0] for point in points]
