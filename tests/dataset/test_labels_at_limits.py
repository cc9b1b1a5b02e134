"""Labels at their limits: more classes than 8 bits hold, the most products, the widest image."""

import numpy as np
import pytest
from PIL import Image

from blendgen.dataset.label_registry import LABEL_FILES
from blendgen.models.product import Catalog
from blendgen.spec.render import MAX_SIDE_PX
from blendgen.verification.dataset import verify
from tests.conftest import make_product
from tests.engine.label_conformance import with_keypoints
from tests.exporters.conftest import make_dataset
from tests.exporters.exported import run

pytestmark = pytest.mark.slow

EVERYTHING = {"depth": "png", "amodal_masks": True, "soft_masks": True} | dict.fromkeys(
    ("semantic", "parts", "normals", "albedo", "nocs", "clean", "obb", "truncation", "bbox_3d"), True
)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Forty products in an image, of three hundred classes."""
    names = [f"class {number:03d}" for number in range(300)]
    catalog = Catalog(tuple(make_product(name, "box", (0.03, 0.02, 0.02)) for name in names))
    spec = {"products_per_image": 40, "resolution": [192, 192], "camera": {"elevation_deg": 70}}
    return make_dataset(
        tmp_path_factory.mktemp("many") / "set", catalog, 2, exposures_per_shot=1, output=EVERYTHING, **spec
    )


def classes_of_pixels(source, row):
    """(h, w) label_id + 1 of each pixel, from the instance mask and the row."""
    of_instance = np.zeros(41, int)
    of_instance[list(row.objects.instance_id)] = np.array(row.objects.category_id) + 1
    return of_instance[source.instance_mask(row)]


def test_all_label_files_of_many_products_and_classes_agree(many):
    assert [str(fault) for fault in verify(many.root)] == []
    rows = list(many.rows())
    assert all(len(row.objects) == 40 for row in rows)
    assert max(max(row.objects.category_id) for row in rows) > 255
    for row in rows:
        with Image.open(many.path(row, LABEL_FILES["semantic"])) as semantic:
            assert np.array_equal(semantic, classes_of_pixels(many, row))


@pytest.mark.parametrize("name", ["hf", "parquet"])
def test_readers_of_exports_keep_class_numbers_above_255(many, tmp_path, monkeypatch, name):
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run(many, name, tmp_path / name, extras=("semantic",))
    kind = "imagefolder" if name == "hf" else "parquet"
    loaded = datasets.load_dataset(kind, data_dir=str(tmp_path / name), cache_dir=str(tmp_path / "cache"))
    read = [np.array(one["semantic"]) for part in loaded.values() for one in part]
    expected = [classes_of_pixels(many, row) for row in many.rows()]
    assert sorted(ids.tolist() for ids in read) == sorted(ids.tolist() for ids in expected)


# the focal length counts in widths: no lens shows so high an image with much distortion
@pytest.mark.parametrize(("resolution", "k1"), [((MAX_SIDE_PX, 80), -0.05), ((80, MAX_SIDE_PX), 0.0)])
def test_labels_and_exports_of_the_longest_images_agree(tmp_path, resolution, k1):
    box = make_product("box", "box", (0.1, 0.06, 0.03))
    source = make_dataset(
        tmp_path / "set", with_keypoints(Catalog((box,))), 1, exposures_per_shot=1, splits={"train": 1.0},
        resolution=list(resolution), output={**EVERYTHING, "keypoints": True},
        camera={"distortion": {"k1": k1}, "elevation_deg": 60, "frame_fill": 0.9},
    )  # fmt: skip
    assert [str(fault) for fault in verify(source.root)] == []
    (row,) = source.rows()
    assert max(row.objects.bbox[0][2:]) > 20 and (row.width, row.height) == resolution
    for name, options in (("coco", {}), ("coco", {"outlines": "polygon"}), ("yolo", {"task": "segment"}),
                          ("yolo", {"task": "pose"}), ("yolo", {"task": "obb"})):  # fmt: skip
        assert run(source, name, tmp_path / f"{name}{len(options)}{options.get('task')}", **options)
