"""Rows: a line of the manifest and its Row say the same, and nothing that is not a row becomes one."""

import json

import pytest

from blendgen.dataset.layout import Layout
from blendgen.dataset.rows import MAX_ROW_BYTES, parse_head, parse_row, row_from, row_line, row_values
from blendgen.dataset.write import write_frame
from blendgen.pipeline import tasks_for
from blendgen.scene.row import Row
from tests.conftest import make_spec

OUTPUT = {
    "depth": "exr",
    "soft_masks": True,
    "truncation": True,
    "obb": True,
    "keypoints": True,
    "bbox_3d": True,
}


@pytest.fixture
def row(tmp_path, flat_pipeline) -> Row:
    spec = make_spec(products_per_image=2, output=OUTPUT)
    frame = next(flat_pipeline(spec).frames(next(tasks_for(spec, [3]))))
    return write_frame(Layout(tmp_path), frame, spec.output)


def test_a_row_comes_back_from_its_line_unchanged(row):
    line = row_line(row)
    again = parse_row(line.encode())
    assert again == row and row_line(again) == line
    assert (again.shot, again.exposure) == (row.shot, row.exposure) and again.shot.index == row.shot_index


def test_the_columns_of_a_line_keep_their_order(row):
    files = ["image", "mask", "depth", "soft_masks"]
    prefixes = ["" if name == "image" else f"{name}_" for name in files]
    assert list(json.loads(row_line(row))) == [
        *[f"{prefix}file_name" for prefix in prefixes],
        *["label", "label_id", "split", "index", "shot_index", "width", "height"],
        *[f"{prefix}sha256" for prefix in prefixes],
        *[f"{prefix}size_bytes" for prefix in prefixes],
        *["objects", "camera", "shot", "exposure"],
    ]
    assert list(row.objects.columns())[-5:] == ["truncation", "obb", "keypoints", "bbox_3d_m", "bbox_3d_px"]
    assert list(row.files) == files and {len(values) for values in row.objects.columns().values()} == {2}


def test_whole_numbers_stay_whole(row):
    values = json.loads(row_line(row))
    assert all(type(side) is int for box in values["objects"]["bbox"] for side in box)
    values["objects"]["bbox"][0][0] = 1.5
    assert row_from(values).objects.bbox[0][0] == 1.5


def test_a_head_needs_only_what_finds_the_image(row):
    values = {
        key: value
        for key, value in row_values(row).items()
        if key in ("index", "label", "split", "file_name")
    }
    head = parse_head(json.dumps({**values, "objects": 7, "camera": None}).encode())
    assert (head.index, head.label, head.split) == (3, row.label, row.split)
    assert head.file_names == [row.image.name] and head.image.sha256 is None
    with pytest.raises(ValueError, match=r"^label_id: field required$"):
        row_from(values)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"index": -1}, "index: input should be greater"),
        ({"label_id": True}, "label_id: input should be a valid integer"),
        ({"label": "../x"}, "label '../x' contains /"),
        ({"file_name": "../secret.png"}, "file_name '../secret.png' refers to the folder"),
        ({"file_name": "masks/a/b/0.png"}, "is not in the folder images"),
        ({"mask_file_name": "masks/a/b/0.svg"}, "mask_file_name 'masks/a/b/0.svg' does not end in .png"),
        ({"image_file_name": "images/a/b/0.png"}, "is a file of an unknown kind"),
        ({"thesis_file_name": "images/a/b/0.png"}, "is a file of an unknown kind"),
        ({"mask_file_name": ["x"]}, "mask_file_name \\['x'\\] is not a string"),
        ({"sha256": None}, "sha256: field required"),
        ({"sha256": "x"}, "files.image.sha256: string should match"),
        ({"width": 70_000}, "width: input should be less"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_row_is_refused_by_its_column(row, change, fault):
    with pytest.raises(ValueError, match=fault):
        row_from({**row_values(row), **change})


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("bbox", [[float("nan"), 0, 1, 1]] * 2, r"objects\.bbox\.0\.0: input should be a finite number"),
        ("bbox", [[0, 0, 1]] * 2, r"objects\.bbox\.0\.3: field required"),
        ("area", [10**400, 1], r"objects\.area\.0"),
        ("category", ["a"], "objects: columns differ in length"),
        ("product", ["a\x1b", "b"], "has a control character"),
        ("keypoints", [[[0, 0, 2.5]]] * 2, "valid integer"),
    ],
)
def test_objects_that_cannot_be_are_refused(row, column, value, fault):
    values = json.loads(row_line(row))
    values["objects"][column] = value
    with pytest.raises(ValueError, match=fault):
        row_from(values)


@pytest.mark.parametrize(
    "line", [b"{'a': 1}", b"[]", b"7", b"\xff", b"[" * 100_000, b'{"a": "\\ud800"}', b"{}"]
)
def test_what_is_not_an_object_of_json_is_not_a_row(line):
    with pytest.raises(ValueError, match=r"not JSON|not a JSON object|file_name: field required"):
        parse_head(line)


def test_a_line_that_is_too_long_is_not_parsed():
    with pytest.raises(ValueError, match="larger than 8 MB"):
        parse_head(b"x" * (MAX_ROW_BYTES + 1))


def test_a_row_without_a_shot_has_none_to_give(row):
    bare = row_from({key: value for key, value in row_values(row).items() if key not in ("shot", "exposure")})
    assert "shot" not in row_values(bare)
    with pytest.raises(ValueError, match=r"(?i)field required"):
        _ = bare.shot
