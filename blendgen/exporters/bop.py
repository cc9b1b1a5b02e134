"""BOP: 6D poses in the format of the BOP challenge: <split>/<scene>/ with images, masks and three JSON files.

Images are in rgb/ and depth/, visible masks in mask_visib/, and whole silhouettes in mask/ if the data set
has amodal masks. Poses are in millimetres and for OpenCV cameras; product numbers start at 1 (objects.json
lists their names). A scene has SCENE_IMAGES images, or fewer where it would have more than 10,000 masks.
models_info.json has the box of each model; meshes are not copied.
source: BOP dataset format, https://github.com/thodan/bop_toolkit/blob/master/docs/bop_datasets_format.md
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from blendgen.dataset.label_array import Channels
from blendgen.dataset.label_registry import AMODAL_MASKS, DEPTH
from blendgen.dataset.source import Source
from blendgen.develop.encode import DEPTH_STEP_M, encode_png
from blendgen.errors import DatasetError
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import Exporter, Options
from blendgen.scene.folder_names import FULL
from blendgen.scene.row import Row

SCENE_IMAGES = 1000
_CASED = " (in a case)"


def export_bop(source: Source, destination: Destination, options: Options, advance: Callable[[int], None]):
    """Write the scenes; raises DatasetError for distorting lenses, which BOP does not support."""
    sizes: dict[str, Sequence[float]] = {}
    for row in source.rows():
        _refuse_distortion(source, row)
        _refuse_real_depth(source, row)
        sizes |= dict(zip(_models(row), row.objects.size_m, strict=True))
    numbers = {name: number for number, name in enumerate(sorted(sizes), start=1)}
    scenes = 0
    for split in source.splits:
        for number, rows in _scenes(source, split):
            _write_scene(source, destination, f"{split}/{number:06d}", rows, numbers, advance)
            scenes += 1
    symmetries = source.record.get("symmetries") or {}
    models = {
        str(number): _model_info(sizes[name]) | _symmetries(symmetries.get(name, {}))
        for name, number in numbers.items()
    }
    destination.write_text("models/models_info.json", json.dumps(models, indent=1))
    named = {number: name for name, number in numbers.items()}
    destination.write_text("objects.json", json.dumps(named, ensure_ascii=False))
    return {"images": source.images, "scenes": scenes, "objects": len(numbers)}


def _scenes(source: Source, split: str) -> Iterator[tuple[int, Iterator[Row]]]:
    rows = (row for row in source.rows() if row.split == split)
    for number, group in groupby(_numbered_scenes(rows), key=lambda pair: pair[0]):
        yield number, (row for _, row in group)


def _numbered_scenes(rows: Iterator[Row]) -> Iterator[tuple[int, Row]]:
    """Rows with the number of their scene; all masks of a scene are in one folder."""
    scene = images = masks = 0
    for row in rows:
        if images == SCENE_IMAGES or (images and masks + len(row.objects) > FULL):
            scene, images, masks = scene + 1, 0, 0
        images, masks = images + 1, masks + len(row.objects)
        yield scene, row


def _write_scene(source: Source, destination: Destination, scene: str, rows, numbers, advance) -> None:
    camera: dict[str, Any] = {}
    truth: dict[str, list[Any]] = {}
    info: dict[str, list[Any]] = {}
    for row in rows:
        image, key = f"{row.index:06d}", str(row.index)
        destination.place(source.path(row), f"{scene}/rgb/{image}{source.path(row).suffix}")
        camera[key] = _camera(row)
        if DEPTH.name in row.files:
            destination.place(source.path(row, DEPTH), f"{scene}/depth/{image}.png")
        models = [numbers[name] for name in _models(row)]
        truth[key] = [_pose(row, number, model) for number, model in enumerate(models)]
        info[key] = [_info(row, number) for number in range(len(models))]
        _write_masks(source, destination, scene, row)
        advance(1)
    for name, values in (("camera", camera), ("gt", truth), ("gt_info", info)):
        destination.write_text(f"{scene}/scene_{name}.json", json.dumps(values))


def _write_masks(source: Source, destination: Destination, scene: str, row: Row) -> None:
    """One file per object: its visible pixels, and its silhouette if the data set has amodal masks."""
    if not len(row.objects):
        return
    ids = source.instance_mask(row)
    amodal = source.channels(row, AMODAL_MASKS) if AMODAL_MASKS.name in row.files else None
    for number, instance_id in enumerate(row.objects.instance_id):
        masks = {"mask_visib": ids == instance_id}
        if amodal is not None:
            masks["mask"] = _amodal_mask(source, row, amodal, instance_id)
        for folder, mask in masks.items():
            name = f"{scene}/{folder}/{row.index:06d}_{number:06d}.png"
            if not destination.has(name):
                destination.write_bytes(name, encode_png(np.where(mask, np.uint8(255), np.uint8(0))))


def _amodal_mask(source: Source, row: Row, channels: Channels, instance_id: int) -> np.ndarray:
    """(h, w) bool"""
    channel = f"instance_{instance_id}"
    if channel not in channels:
        raise DatasetError(
            f"{source.path(row, AMODAL_MASKS)}: does not have the channel {channel}; run `blendgen verify` "
            "to list what else is wrong"
        )
    return channels[channel] > 0


def _refuse_distortion(source: Source, row: Row) -> None:
    if any(row.camera.distortion):
        raise DatasetError(
            f"{source.root}: image {row.index} has a distorting lens, which BOP does not "
            "support; generate without camera.distortion"
        )


def _refuse_real_depth(source: Source, row: Row) -> None:
    if DEPTH.name in row.files and row.files[DEPTH.name].name.endswith(".exr"):
        raise DatasetError(
            f"{source.root}: depth is in metres (EXR), but BOP reads 16-bit PNG; generate with "
            "output.depth: png"
        )


def _camera(row: Row) -> dict:
    to_camera = np.array(row.camera.world_to_camera)
    return {
        "cam_K": np.ravel(row.camera.intrinsics).tolist(),
        "cam_R_w2c": to_camera[:3, :3].ravel().tolist(),
        "cam_t_w2c": (1000 * to_camera[:3, 3]).tolist(),
        "depth_scale": 1000 * DEPTH_STEP_M,
    }


def _models(row: Row) -> list[str]:
    """The model of each object: a product in its case has another size and another origin."""
    objects = row.objects
    cases = objects.case or [None] * len(objects.product)
    return [
        name if case is None else name + _CASED for name, case in zip(objects.product, cases, strict=True)
    ]


def _pose(row: Row, number: int, model: int) -> dict:
    to_camera = np.array(row.objects.object_to_camera[number])
    return {
        "cam_R_m2c": to_camera[:3, :3].ravel().tolist(),
        "cam_t_m2c": (1000 * to_camera[:3, 3]).tolist(),
        "obj_id": model,
    }


def _info(row: Row, number: int) -> dict:
    objects = row.objects
    area, share = objects.area[number], objects.visible_fraction[number]
    return {
        "bbox_obj": objects.bbox_amodal[number],
        "bbox_visib": objects.bbox[number],
        "px_count_all": round(area / share) if share else area,
        "px_count_valid": area,
        "px_count_visib": area,
        "visib_fract": share,
    }


def _model_info(size_m) -> dict:
    x, y, z = (1000 * side for side in size_m)
    return {
        "diameter": float(np.linalg.norm((x, y, z))),
        "min_x": -x / 2, "min_y": -y / 2, "min_z": 0.0, "size_x": x, "size_y": y, "size_z": z,
    }  # fmt: skip


def _symmetries(symmetries: dict) -> dict:
    """The keys of models_info.json, in millimetres; none for a product without symmetries."""
    keys: dict[str, list[Any]] = {}
    if symmetries.get("discrete"):
        keys["symmetries_discrete"] = [_in_millimetres(turn) for turn in symmetries["discrete"]]
    if symmetries.get("continuous"):
        keys["symmetries_continuous"] = [
            {"axis": one["axis"], "offset": [1000 * value for value in one["offset_m"]]}
            for one in symmetries["continuous"]
        ]
    return keys


def _in_millimetres(object_to_object) -> list[float]:
    """The 16 numbers of a (4, 4) transform, row by row."""
    transform = np.array(object_to_object, float).reshape(4, 4)
    transform[:3, 3] *= 1000
    return transform.ravel().tolist()


EXPORTER = Exporter(
    name="bop",
    summary="6D poses, masks and depth, as the BOP challenge reads them",
    write=export_bop,
)
