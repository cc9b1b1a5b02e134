"""Verify: silent on a clean set, and one planted fault of each kind is found."""

import json
import shutil
from dataclasses import replace
from functools import partial
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from blendgen.dataset.label_registry import LABEL_FILES
from blendgen.develop.exr import decode_exr, encode_exr
from blendgen.models.product import Keypoint
from blendgen.verification.dataset import verify
from tests.cli.in_process import blendgen
from tests.exporters.conftest import make_dataset, stock  # noqa: F401


@pytest.fixture(scope="module")
def clean(tmp_path_factory, stock):  # noqa: F811
    return make_dataset(tmp_path_factory.mktemp("clean") / "set", stock, 6, output={"clean": True}).root


@pytest.fixture
def copy(clean, tmp_path):
    return shutil.copytree(clean, tmp_path / "set")


def faults_of(folder) -> str:
    return "\n".join(map(str, verify(folder)))


def rows_of(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


def rewrite(folder, rows):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "manifest.jsonl").write_text(text, "utf-8")


def test_a_clean_set_has_no_fault(clean):
    assert faults_of(clean) == ""


def bit(folder, row):
    path = folder / row["file_name"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncated(folder, row):
    path = folder / row["file_name"]
    path.write_bytes(path.read_bytes()[:-40])


def missing(key):
    return lambda folder, row: (folder / row[key]).unlink()


def swapped(folder, row):
    other = next(r for r in rows_of(folder) if r["label"] != row["label"])
    one, two = folder / row["file_name"], folder / other["file_name"]
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)


def duplicated_picture(folder, row):
    rows = rows_of(folder)
    other = rows[-1]
    shutil.copyfile(folder / row["file_name"], folder / other["file_name"])
    other["sha256"] = row["sha256"]
    rewrite(folder, rows)


def smaller(folder, row):
    buffer = BytesIO()
    Image.new("RGB", (9, 9)).save(buffer, "PNG")
    (folder / row["file_name"]).write_bytes(buffer.getvalue())


def mask_painted(folder, row):
    path = folder / row["mask_file_name"]
    with Image.open(path) as opened:
        mask = np.array(opened)
    mask[0, 0] = 1
    Image.fromarray(mask).save(path)


def stray(name):
    def plant(folder, row):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")

    return plant


def line(change):
    """Change the first line of the manifest as text."""

    def plant(folder, row):
        path = folder / "manifest.jsonl"
        lines = path.read_text("utf-8").splitlines(keepends=True)
        path.write_text("".join(change(lines)), "utf-8")

    return plant


def field(*path, value):
    """Set a value of the first row."""

    def plant(folder, row):
        rows = rows_of(folder)
        place = rows[0]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value(place[path[-1]]) if callable(value) else value
        rewrite(folder, rows)

    return plant


def record(**changes):
    def plant(folder, row):
        path = folder / "dataset.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")

    return plant


def moved(matrix, by_m=0.5):
    changed = [list(line) for line in matrix]
    changed[0][3] += by_m
    return changed


def moved_everywhere(to_world):
    """Change the pose of the first object where the row has it and where the shot has it."""

    def plant(folder, row):
        rows = rows_of(folder)
        objects, product = rows[0]["objects"], rows[0]["shot"]["products"][0]
        objects["object_to_world"][0] = product["object_to_world"] = to_world(product["object_to_world"])
        rewrite(folder, rows)

    return plant


def lifted(matrix):
    """Far above the camera, which looks down."""
    return [*matrix[:2], [*matrix[2][:3], 1000.0], matrix[3]]


SHIFT = lambda box: [box[0] + 1, *box[1:]]  # noqa: E731
FAULTS = {
    "another case": (field("objects", "case", 0, value="#ff0000"), "case '#ff0000', in the shot None"),
    "another lens": (field("camera", "focal_length_mm", value=12.5), "camera.focal_length_mm is not"),
    "a number without end": (field("objects", "area", 0, value=10**400), "is not a whole row"),
    "flipped bit": (bit, "sha256 differs"),
    "truncated image": (truncated, "cannot be decoded"),
    "missing image": (missing("file_name"), "is missing"),
    "missing mask": (missing("mask_file_name"), "is missing"),
    "missing twin": (missing("clean_file_name"), "is missing"),
    "swapped files": (swapped, "sha256 differs"),
    "the same picture twice": (duplicated_picture, "is the same picture as"),
    "another size": (smaller, "is 9 x 9 pixels"),
    "painted mask": (mask_painted, "in the mask"),
    "stray image": (stray("images/train/blue box/left.png"), "does not belong to a row"),
    "stray class": (stray("images/train/_cache/x.png"), "does not belong to a row"),
    "stray mask": (stray("masks/train/x.png"), "does not belong to a row"),
    "torn last line": (line(lambda lines: [*lines[:-1], lines[-1][:50]]), "is not a row (torn off)"),
    "a line of rubbish": (line(lambda lines: ["hello\n", *lines[1:]]), "is not a row"),
    "duplicated row": (line(lambda lines: [*lines, lines[0]]), "occurs twice"),
    "lost row": (line(lambda lines: lines[1:]), "does not belong to a row"),
    "a row without columns": (line(lambda lines: ['{"index": 0}\n', *lines[1:]]), "is not a row"),
    "class renamed": (field("label", value="green box"), "is not a class"),
    "wrong label id": (field("label_id", value=lambda old: (old + 1) % 3), "is not that of"),
    "wrong split": (field("split", value=lambda old: "val" if old != "val" else "test"), "split"),
    "wrong index": (field("index", value=900), "does not belong to shot"),
    "shifted box": (field("objects", "bbox", 0, value=SHIFT), "in the mask"),
    "shifted amodal box": (field("objects", "bbox_amodal", 0, value=[0, 0, 3, 3]), "beyond bbox_amodal"),
    "box out of the image": (field("objects", "bbox", 0, value=[60, 40, 30, 30]), "extends beyond the image"),
    "empty box": (field("objects", "bbox", 0, value=[3, 3, 0, 5]), "is empty"),
    "wrong area": (field("objects", "area", 0, value=lambda old: old + 1), "area"),
    "wrong share": (field("objects", "visible_fraction", 0, value=1.7), "visible_fraction is 1.7"),
    "wrong class of an object": (field("objects", "category_id", 0, value=77), "category_id 77"),
    "wrong product": (field("objects", "product", 0, value="teapot"), "'teapot'"),
    "wrong instance": (field("objects", "instance_id", 0, value=9), "does not have an instance 9"),
    "columns of two lengths": (field("objects", "area", value=lambda old: [*old, 1]), "differ in length"),
    "wrong pose": (field("objects", "object_to_world", 0, value=moved), "is not the shot's"),
    "wrong pose in the shot too": (moved_everywhere(moved), "its box in space is elsewhere"),
    "behind the camera": (moved_everywhere(lifted), "puts it behind the camera"),
    "pose off by 2 micrometres": (
        field("objects", "object_to_world", 0, value=partial(moved, by_m=2e-6)), "is not the shot's"
    ),
    "wrong pose in the camera": (field("objects", "object_to_camera", 0, value=moved), "object_to_camera is"),
    "wrong camera": (field("camera", "intrinsics", 0, value=[1, 0, 0]), "camera.intrinsics"),
    "wrong width": (field("width", value=63), "pixels"),
    "shot of another split": (field("shot", "split", value="elsewhere"), "was sampled for"),
    "wrong counts": (record(images_per_split={"train": 1}), "images_per_split says"),
    "wrong number": (record(images=11), "says 11 images"),
    "class list changed": (record(classes=["blue box"]), "is not a class"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(copy, name):
    plant, expected = FAULTS[name]
    plant(copy, rows_of(copy)[0])
    assert expected in faults_of(copy)


def test_poses_may_be_rounded(copy):
    for column in ("object_to_world", "object_to_camera"):
        field("objects", column, 0, value=partial(moved, by_m=5e-7))(copy, None)
    assert faults_of(copy) == ""


COLUMNS = ("keypoints", "truncation", "obb", "bbox_3d")
IMAGES = [name for name in LABEL_FILES if name not in ("image", "mask", "clean")]
EVERYTHING = {**dict.fromkeys([*IMAGES, *COLUMNS], True), "depth": "exr"}


@pytest.fixture(scope="module", params=["pinhole", pytest.param("distorted", marks=pytest.mark.slow)])
def labelled(request, tmp_path_factory, stock):  # noqa: F811
    """All labels on, through a pinhole and through a lens that distorts."""
    box, *others = stock.products
    points = tuple(Keypoint(f"corner {i}", tuple(corner)) for i, corner in enumerate(box.hull_m))
    catalog = replace(stock, products=(replace(box, keypoints=points), *others))
    camera = {"distortion": {"k1": -0.2, "k2": 0.03}} if request.param == "distorted" else {}
    folder = tmp_path_factory.mktemp("labelled") / "set"
    return make_dataset(folder, catalog, 6, output=EVERYTHING, camera=camera).root


def test_a_clean_set_with_all_labels_has_no_fault(labelled):
    assert faults_of(labelled) == ""
    row = rows_of(labelled)[0]
    assert [key for key in row if key.endswith("_file_name")] == [
        f"{name}_file_name" for name in LABEL_FILES if name not in ("image", "clean")
    ]


def painted(kind, change):
    """Change the numbers of a label image of the first row."""

    def plant(folder, row):
        path = folder / row[f"{kind}_file_name"]
        if path.suffix == ".exr":
            channels = {name: np.array(values) for name, values in decode_exr(path.read_bytes()).items()}
            path.write_bytes(encode_exr(change(channels)))
            return
        with Image.open(path) as opened:
            pixels = np.array(opened)
        Image.fromarray(change(pixels)).save(path)

    return plant


def seen_keypoint(folder, row):
    """A keypoint in a corner of the image, said to be visible, of a product that has some."""
    rows = rows_of(folder)
    for one in rows:
        for points in one["objects"]["keypoints"]:
            if points:
                points[0] = [0.5, 0.5, 2]
    rewrite(folder, rows)


def first_keypoints(change):
    def plant(folder, row):
        rows = rows_of(folder)
        for one in rows:
            one["objects"]["keypoints"] = [
                change(points) if points else points for points in one["objects"]["keypoints"]
            ]
        rewrite(folder, rows)

    return plant


def without(column):
    def plant(folder, row):
        rows = rows_of(folder)
        del rows[0]["objects"][column]
        rewrite(folder, rows)

    return plant


def torn_exr(folder, row):
    (folder / row["nocs_file_name"]).write_bytes(b"\x76\x2f\x31\x01")


def scaled(factor, plus=0):
    return lambda channels: {
        name: (values * factor + plus).astype(np.float32) for name, values in channels.items()
    }


def cut_mask(channels):
    """Without one pixel of the subject; those of a whole product are all visible."""
    y, x = np.argwhere(channels["instance_1"])[0]
    channels["instance_1"][y, x] = 0
    return channels


LABEL_FAULTS = {
    "another class somewhere": (
        painted("semantic", lambda pixels: np.where(pixels > 0, 77, pixels).astype(np.uint8)),
        "a class other than that of",
    ),
    "parts beyond products": (painted("parts", lambda pixels: pixels + np.uint16(1)), "parts are not where"),
    "a part without a name": (
        painted("parts", lambda pixels: pixels * np.uint16(9)),
        "is not in dataset.json's list",
    ),
    "an amodal mask without a visible pixel": (
        painted("amodal_masks", cut_mask),
        "does not contain 1 visible",
    ),
    "an amodal mask that is too small": (painted("amodal_masks", cut_mask), "is visible, but the row has"),
    "an amodal mask that is too wide": (
        painted("amodal_masks", scaled(0, plus=1)),
        "has the box (0, 0, 64, 48)",
    ),
    "an amodal mask of another product": (
        painted("amodal_masks", lambda c: {"instance_99": next(iter(c.values()))}),
        "has the channels",
    ),
    "an amodal mask of fractions": (painted("amodal_masks", scaled(0.3)), "values other than 0 and 1"),
    "an amodal mask above 1": (painted("amodal_masks", scaled(3.0)), "is not between 0 and 1"),
    "soft masks of another shot": (
        painted("soft_masks", lambda c: {"instance_99": next(iter(c.values()))}),
        "has the channels",
    ),
    "a soft mask above 1": (painted("soft_masks", scaled(2.0)), "is not between 0 and 1"),
    "a soft mask of nothing": (painted("soft_masks", scaled(0.0)), "does not cover a pixel"),
    "normals of another length": (painted("normals", scaled(0.5)), "do not have length 1"),
    "black products": (painted("albedo", lambda pixels: pixels * np.uint8(0)), "all products are black"),
    "depth in other units": (painted("depth", scaled(1.2)), "outside its 3D box"),
    "coordinates mirrored": (
        painted("nocs", lambda c: {**c, "R": np.where(c["R"] > 0, 1 - c["R"], 0).astype(np.float32)}),
        "from their pixels",
    ),
    "coordinates everywhere": (
        painted("nocs", lambda c: {k: v + np.float32(0.1) for k, v in c.items()}),
        "pixels without a product have coordinates",
    ),
    "a torn EXR file": (torn_exr, "cannot be decoded"),
    "truncation above 1": (field("objects", "truncation", 0, value=1.5), "truncation is 1.5"),
    "an oriented box too small": (
        field("objects", "obb", 0, value=[[1, 1], [3, 1], [3, 3], [1, 3]]),
        "does not contain all",
    ),
    "an oriented box too large": (
        field("objects", "obb", 0, value=[[-9, -9], [90, -9], [90, 90], [-9, 90]]),
        "is larger than",
    ),
    "another box in space": (
        field("objects", "bbox_3d_m", 0, value=lambda old: old[::-1]),
        "bbox_3d_m is not",
    ),
    "another box in the image": (
        field("objects", "bbox_3d_px", 0, value=lambda old: old[::-1]),
        "bbox_3d_px is not",
    ),
    "another box in space only": (without("bbox_3d_px"), "bbox_3d_px is missing"),
    "a row without keypoints": (without("keypoints"), "objects.keypoints is missing"),
    "a keypoint too few": (first_keypoints(lambda points: points[1:]), "dataset.json names"),
    "a visibility of 3": (first_keypoints(lambda points: [[1, 1, 3], *points[1:]]), "visibility is 3"),
    "a place of what is not labelled": (
        first_keypoints(lambda points: [[1, 1, 0], *points[1:]]),
        "has coordinates",
    ),
    "a keypoint out of the image": (
        first_keypoints(lambda points: [[900, 1, 1], *points[1:]]),
        "is outside the image",
    ),
    "a keypoint seen in a corner": (seen_keypoint, "is not visible there"),
}


@pytest.mark.parametrize("name", LABEL_FAULTS)
def test_a_planted_fault_of_a_label_is_found(labelled, tmp_path, name):
    folder = shutil.copytree(labelled, tmp_path / "set")
    plant, expected = LABEL_FAULTS[name]
    plant(folder, rows_of(folder)[0])
    assert expected in faults_of(folder)


def test_the_command_exits_with_5_and_a_line_a_fault(copy):
    fine = blendgen("verify", copy)
    assert (fine.returncode, fine.stdout) == (0, "") and "no fault" in fine.stderr
    (copy / "images/train/x.png").write_bytes(b"x")
    wrong = blendgen("verify", copy, "--json")
    assert wrong.returncode == 5
    assert json.loads(wrong.stdout)["faults"] == [
        {"place": "images/train/x.png", "what": "does not belong to a row"}
    ]
