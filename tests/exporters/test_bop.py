"""BOP: poses that match the boxes and the depth of the products in the image."""

import itertools
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from blendgen.dataset.label_registry import AMODAL_MASKS, DEPTH
from blendgen.dataset.source import open_source
from blendgen.develop.exr import encode_exr
from blendgen.errors import DatasetError
from blendgen.exporters.exporter import Options
from blendgen.exporters.formats import export
from blendgen.geometry.projection import box_of_mask
from tests.exporters.conftest import NAMES, make_dataset
from tests.exporters.fake import FakeImage, make_fake, rewrite_rows


@pytest.fixture(scope="module")
def posed(tmp_path_factory, stock):
    spec = {
        "output": {"depth": True},
        "resolution": [128, 96],
        "products_per_image": 2,
        "exposures_per_shot": 1,
    }
    return make_dataset(tmp_path_factory.mktemp("posed") / "set", stock, 10, **spec)


def read(folder, name):
    return json.loads((folder / f"scene_{name}.json").read_text("utf-8"))


def test_boxes_projected_by_the_poses_are_the_boxes_of_the_labels(posed, tmp_path):
    result = export(posed.root, "bop", tmp_path / "bop", Options())
    assert result["objects"] == len(NAMES)
    names = json.loads((tmp_path / "bop/objects.json").read_text("utf-8"))
    sizes = json.loads((tmp_path / "bop/models/models_info.json").read_text("utf-8"))
    count = 0
    for split in posed.splits:
        scene = tmp_path / "bop" / split / "000000"
        camera, truth, info = (read(scene, name) for name in ("camera", "gt", "gt_info"))
        rows = {str(row.index): row for row in posed.rows() if row.split == split}
        assert set(camera) == set(truth) == set(info) == set(rows)
        for key, objects in truth.items():
            intrinsics = np.array(camera[key]["cam_K"]).reshape(3, 3)
            for number, (pose, labels) in enumerate(zip(objects, info[key], strict=True)):
                size = sizes[str(pose["obj_id"])]
                signs = itertools.product((-0.5, 0.5), (-0.5, 0.5), (0, 1))
                corners = np.array(list(signs)) * [size["size_x"], size["size_y"], size["size_z"]]
                rotation = np.array(pose["cam_R_m2c"]).reshape(3, 3)
                image = (corners @ rotation.T + pose["cam_t_m2c"]) @ intrinsics.T
                pixels = image[:, :2] / image[:, 2:]
                x, y, w, h = labels["bbox_obj"]
                low, high = pixels.min(axis=0), pixels.max(axis=0)
                assert low[0] - 1 <= x and low[1] - 1 <= y and x + w <= high[0] + 1 and y + h <= high[1] + 1
                if rows[key].objects.product[number] != NAMES[2]:  # a sphere does not fill its box
                    assert np.abs([low[0] - x, low[1] - y, high[0] - x - w, high[1] - y - h]).max() <= 1
                assert names[str(pose["obj_id"])] == rows[key].objects.product[number]
                with Image.open(scene / f"mask_visib/{int(key):06d}_{number:06d}.png") as mask:
                    assert (np.array(mask) == 255).sum() == labels["px_count_visib"]
                count += 1
    assert count >= 15


def test_depth_matches_the_pose_of_the_product(posed, tmp_path):
    """The nearest point of a sphere to the camera is one radius in front of its centre."""
    checked = 0
    for row in posed.rows():
        with Image.open(posed.path(row, DEPTH)) as opened:
            depth_m = np.array(opened).astype(float) * 0.0001
        mask = posed.instance_mask(row)
        for number, product in enumerate(row.objects.product):
            if product == NAMES[2] and row.objects.visible_fraction[number] == 1:
                to_camera = np.array(row.objects.object_to_camera[number])
                middle = to_camera[:3, :3] @ [0, 0, 0.03] + to_camera[:3, 3]
                nearest = np.linalg.norm(middle) - 0.03
                own = mask == row.objects.instance_id[number]
                rows, columns = np.nonzero(own)
                focal, centre = row.camera.intrinsics[0][0], np.array([64, 48])
                offsets = np.column_stack([columns, rows]) + 0.5 - centre
                rays = np.column_stack([offsets, np.full(len(rows), focal)])
                along = depth_m[own] * np.linalg.norm(rays / focal, axis=1)
                assert along.min() == pytest.approx(nearest, abs=0.0004)
                checked += 1
    assert checked >= 2


def test_distorting_lenses_are_rejected(tmp_path, stock):
    spec = {"camera": {"distortion": {"k1": -0.1}}, "exposures_per_shot": 1, "products_per_image": 1}
    bent = make_dataset(tmp_path / "set", stock, 2, **spec)
    with pytest.raises(DatasetError, match="which BOP does not support"):
        export(bent.root, "bop", tmp_path / "bop", Options())


def test_depth_in_metres_is_rejected(tmp_path, stock):
    source = make_dataset(tmp_path / "set", stock, 2, output={"depth": "exr"})
    with pytest.raises(DatasetError, match="BOP reads 16-bit PNG"):
        export(source.root, "bop", tmp_path / "bop", Options())


def test_a_product_in_its_case_is_another_model(tmp_path):
    def dress(row):
        if row["index"] == 0:
            row["objects"]["case"], row["objects"]["size_m"] = ["#202020"], [[0.05, 0.04, 0.03]]

    images = [FakeImage("train", 0, [(0, (4, 4, 8, 8))]) for _ in range(2)]
    source = rewrite_rows(make_fake(tmp_path / "set", NAMES, images), dress)
    export(source.root, "bop", tmp_path / "bop", Options())
    names = json.loads((tmp_path / "bop/objects.json").read_text("utf-8"))
    models = json.loads((tmp_path / "bop/models/models_info.json").read_text("utf-8"))
    sizes = {names[number]: model["size_x"] for number, model in models.items()}
    assert sizes == {NAMES[0]: pytest.approx(40), f"{NAMES[0]} (in a case)": pytest.approx(50)}
    truth = json.loads((tmp_path / "bop/train/000000/scene_gt.json").read_text())
    assert [names[str(truth[key][0]["obj_id"])] for key in "01"] == [f"{NAMES[0]} (in a case)", NAMES[0]]


def test_a_symmetry_that_is_not_a_transform_is_refused(tmp_path):
    symmetries = {NAMES[0]: {"discrete": [[1, 2, 3]]}}
    with pytest.raises(DatasetError, match=r"dataset\.json: .*symmetries.*discrete"):
        make_fake(tmp_path / "set", NAMES, [FakeImage("train", 0)], symmetries=symmetries)


def test_symmetries_are_in_millimetres(tmp_path):
    half_turn = [[-1, 0, 0, 0.002], [0, -1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    symmetries = {
        NAMES[0]: {"continuous": [{"axis": [0, 0, 1], "offset_m": [0.01, 0, 0]}], "discrete": []},
        NAMES[1]: {"continuous": [], "discrete": [half_turn]},
    }
    images = [FakeImage("train", number, [(number, (4, 4, 8, 8))]) for number in range(3)]
    source = make_fake(tmp_path / "set", NAMES, images, symmetries=symmetries)
    export(source.root, "bop", tmp_path / "bop", Options())
    names = json.loads((tmp_path / "bop/objects.json").read_text("utf-8"))
    models = json.loads((tmp_path / "bop/models/models_info.json").read_text("utf-8"))
    by_name = {names[number]: model for number, model in models.items()}
    (around,) = by_name[NAMES[0]]["symmetries_continuous"]
    assert around == {"axis": [0, 0, 1], "offset": [10, 0, 0]}
    (turn,) = by_name[NAMES[1]]["symmetries_discrete"]
    assert turn == [-1, 0, 0, 2, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert "symmetries_discrete" not in by_name[NAMES[0]]
    assert not {key for key in by_name[NAMES[2]] if "symmetries" in key}


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, stock):
    """Products that hide one another, seen from low down."""
    spec = {
        "output": {"amodal_masks": True},
        "products_per_image": 5,
        "exposures_per_shot": 1,
        "camera": {"elevation_deg": 12},
    }
    return make_dataset(tmp_path_factory.mktemp("crowd") / "set", stock, 6, **spec)


def test_amodal_masks_become_the_whole_masks_of_bop(crowd, tmp_path):
    export(crowd.root, "bop", tmp_path, Options())
    hidden = 0
    for split in crowd.splits:
        scene = tmp_path / split / "000000"
        for image, objects in read(scene, "gt_info").items():
            for number, labels in enumerate(objects):
                name = f"{int(image):06d}_{number:06d}.png"
                with Image.open(scene / "mask" / name) as opened:
                    whole = np.array(opened)
                with Image.open(scene / "mask_visib" / name) as opened:
                    visible = np.array(opened)
                assert whole.dtype == np.uint8 and set(np.unique(whole)) == {0, 255}
                assert (whole >= visible).all()
                assert (whole > 0).sum() == labels["px_count_all"]
                assert list(box_of_mask(whole > 0)) == labels["bbox_obj"]
                hidden += (whole > visible).any()
    assert hidden >= 3


def test_a_data_set_without_amodal_masks_has_visible_masks_alone(posed, tmp_path):
    export(posed.root, "bop", tmp_path, Options())
    assert list(tmp_path.rglob("mask_visib")) and not list(tmp_path.rglob("mask"))


def test_an_amodal_mask_that_is_not_in_its_file_is_named(crowd, tmp_path):
    copy = open_source(shutil.copytree(crowd.root, tmp_path / "set"))
    path = copy.path(next(copy.rows()), AMODAL_MASKS)
    path.write_bytes(encode_exr({"instance_99": np.zeros((48, 64), np.float32)}))
    with pytest.raises(DatasetError, match=f"{path.name}: does not have the channel instance_1"):
        export(copy.root, "bop", tmp_path / "bop", Options())
