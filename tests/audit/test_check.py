"""The check of a row accepts correct labels, and detects every planted fault."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from blendgen.dataset.label_registry import LABEL_FILES
from blendgen.dataset.rows import row_from
from blendgen.develop.encode import DEPTH_STEP_M
from blendgen.verification.rays.findings import total
from blendgen.verification.rays.pixel_rays import label_rays, lens_rays, pixel_size
from tests.audit.boxes import check, make_set, rows_of

pytestmark = pytest.mark.slow

pytest.importorskip("embreex")
BARREL = {"k1": -0.25, "k2": 0.05, "p1": 0.004}
SETS = {
    "plain": {},
    "one alone": {"products_per_image": 1},
    "depth as exr": {"output": {"depth": "exr"}},
    "distorted": {"camera": {"distortion": BARREL, "focal_length_mm": 24}},
    "occluded": {"occluders": {"catalog": "occluders", "visible_fraction": {"uniform": [0.2, 0.9]}}},
    "cut": {
        "camera": {"distance_m": 0.35, "focal_length_mm": 70, "elevation_deg": {"uniform": [60, 90]}},
        "output": {"depth": True, "truncation": True},
    },
    "cut by a lens that distorts": {
        "camera": {"distance_m": 0.35, "distortion": BARREL, "focal_length_mm": 40},
        "output": {"depth": True, "truncation": True},
    },
}


@pytest.mark.parametrize("name", SETS)
def test_correct_labels_have_no_fault(tmp_path, name):
    checker = make_set(tmp_path / "set", **SETS[name])
    findings = total(check(checker, row) for row in rows_of(checker))
    assert findings.faults == () and findings.inner_px == findings.lens_px == findings.wrong_classes == 0
    assert findings.rows == 8 and findings.products >= 8 and findings.pixels == 8 * 128 * 96
    assert findings.depth_error_m <= DEPTH_STEP_M / 2 + 1e-6 and findings.fraction_error < 0.001
    assert findings.unchecked_truncations == 0


def test_a_wrong_truncation_is_detected(tmp_path):
    checker = make_set(tmp_path / "set", 4, **SETS["cut"])
    rows = rows_of(checker)
    assert max(max(row["objects"]["truncation"]) for row in rows) > 0.1
    rows[0]["objects"]["truncation"][0] += 0.02
    (fault,) = check(checker, rows[0]).faults
    assert fault.endswith("object 0: truncation is off by 0.020")


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("sound") / "set", 3)


@pytest.fixture
def row(checker):
    """A row with separate copies of its files, which a test may change."""
    row = copy.deepcopy(rows_of(checker)[0])
    for key in ("mask", "depth"):
        name = f"{key}_file_name"
        spoiled = f"{LABEL_FILES[key].folder}/spoiled.png"
        (checker.root / spoiled).write_bytes((checker.root / row[name]).read_bytes())
        row[name] = spoiled
    return row


def painted(checker, row, key, change):
    path = checker.root / row[f"{key}_file_name"]
    with Image.open(path) as opened:
        values = np.array(opened).astype(np.uint16)
    change(values)
    Image.fromarray(values).save(path)


def moved(checker, row):
    """By 2 mm in the row only, like a wrong placement in the engine."""
    row["objects"]["object_to_world"][0][0][3] += 0.002


def blob(checker, row):
    """5 x 5 pixels of a product in an empty place, far from it."""

    def paint(mask):
        free = np.pad(mask, 6, mode="edge") == 0
        windows = np.lib.stride_tricks.sliding_window_view(free, (13, 13)).all(axis=(2, 3))
        y, x = np.argwhere(windows[8:-8, 8:-8])[0] + 8
        mask[y - 2 : y + 3, x - 2 : x + 3] = 1

    painted(checker, row, "mask", paint)


def swapped_in_mask(checker, row):
    def paint(mask):
        one, two = mask == 1, mask == 2
        mask[one], mask[two] = 2, 1

    painted(checker, row, "mask", paint)


def swapped_in_row(checker, row):
    poses = row["objects"]["object_to_world"]
    poses[0], poses[1] = poses[1], poses[0]


def another_class(checker, row):
    other = next(name for name in checker.class_table.classes if name != row["objects"]["category"][0])
    row["objects"]["category"][0] = other
    row["objects"]["category_id"][0] = checker.class_table.classes.index(other)


def another_product(checker, row):
    other = next(name for name in ("brick", "plate", "cube") if name != row["objects"]["product"][0])
    row["objects"]["product"][0] = other


def deeper(checker, row):
    """By 0.3 mm everywhere."""

    def paint(depth):
        depth[depth > 0] += 3

    painted(checker, row, "depth", paint)


def more_visible(checker, row):
    row["objects"]["visible_fraction"][0] -= 0.03


def wider(checker, row):
    row["objects"]["bbox"][0][2] += 3


def lost(checker, row):
    for values in row["objects"].values():
        values.pop()


FAULTS = {
    moved: "differ",
    blob: "9 pixels away from silhouettes|25 pixels away from silhouettes",
    swapped_in_mask: "pixels away from silhouettes",
    swapped_in_row: "differ",
    another_class: "by the spec",
    another_product: "differ",
    deeper: "depth is off by 0.3",
    more_visible: "visible_fraction is off by 0.03",
    wider: "boxes is off by 3 pixels",
    lost: "which the row does not list",
}


@pytest.mark.parametrize(("plant", "message"), FAULTS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_planted_fault_is_detected(checker, row, plant, message):
    import re

    assert check(checker, row).faults == ()
    plant(checker, row)
    faults = check(checker, row).faults
    assert len(faults) == 1 and re.search(message, faults[0]), faults


def test_labels_of_a_distorting_lens_are_within_half_a_pixel_of_its_rays(tmp_path):
    checker = make_set(tmp_path / "set", 1, **SETS["distorted"])
    (row,) = map(row_from, rows_of(checker))
    aside = np.abs(label_rays(row) - lens_rays(row)) / pixel_size(row)
    assert 0.4 < aside.max() <= 0.5 + 1e-9


def test_a_wrong_lens_is_detected(tmp_path):
    checker = make_set(tmp_path / "set", 1, **SETS["distorted"])
    (row,) = rows_of(checker)
    row["camera"]["distortion"][0] += 0.05
    assert check(checker, row).faults


def test_a_row_without_mask_and_depth_is_checked_by_its_boxes(checker, row):
    del row["mask_file_name"], row["depth_file_name"]
    assert check(checker, row).faults == () and check(checker, row).pixels == 0
    wider(checker, row)
    assert "boxes" in check(checker, row).faults[0]


def test_products_behind_transparent_surfaces_are_not_checked(tmp_path):
    sound = make_set(tmp_path / "set", 4, **SETS["occluded"])

    def of_shot(shot):
        meshes = sound.geometry.of_shot(shot)
        return [
            replace(one, see_through=frozenset({0})) if one.name.startswith("thing") else one
            for one in meshes
        ]

    checker = replace(sound, geometry=replace(sound.geometry, of_shot=of_shot))
    findings = total(check(checker, row) for row in rows_of(checker))
    assert findings.faults == () and findings.unchecked_px > 0
    assert 4 <= findings.unchecked_products <= findings.products
