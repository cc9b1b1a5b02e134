"""Differences of two data sets: what is compared, what is counted, and what the command prints."""

from __future__ import annotations

import hashlib
import json
import math
import shutil

import numpy as np
import pytest
from PIL import Image

import blendgen
from blendgen.cli import run
from blendgen.errors import DatasetError, SpecError, UsageError
from blendgen.verification.changes import ABSENT, Change, changes
from blendgen.verification.dataset_diff import ClassDiff, _class_diff
from blendgen.verification.pixel_diff import spread
from tests.exporters.conftest import make_dataset
from tests.exporters.conftest import stock as stock


@pytest.fixture(scope="module")
def original(tmp_path_factory, stock):
    return make_dataset(tmp_path_factory.mktemp("original") / "set", stock, 8).root


@pytest.fixture
def copy(original, tmp_path):
    return shutil.copytree(original, tmp_path / "copy")


def change_rows(folder, change) -> None:
    """Replace each row by change(row), and leave out those for which that is None."""
    path = folder / "manifest.jsonl"
    rows = [change(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows if row is not None), "utf-8")


def change_record(folder, **values) -> None:
    path = folder / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


def replace_image(folder, index: int, make) -> None:
    """Replace the pixels of an image by make(pixels), and what its row says about the file."""

    def change(row):
        if row["index"] != index:
            return row
        path = folder / row["file_name"]
        image = Image.fromarray(make(np.array(Image.open(path))))
        image.save(path, compress_level=0)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return row | {"sha256": digest, "width": image.width, "height": image.height}

    change_rows(folder, change)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ({"x": 1, "y": [1, 2]}, {"y": [1, 2], "x": 1}, []),
        ({"x": {"y": 1, "z": 2}}, {"x": {"y": 3, "z": 2}}, [Change("x.y", 1, 3)]),
        ({"x": 1}, {"y": 1}, [Change("x", 1, ABSENT), Change("y", ABSENT, 1)]),
        ({"x": None}, {"x": {"y": 1}}, [Change("x", None, {"y": 1})]),
        ({"x": [1, 2]}, {"x": [1, 3]}, [Change("x", [1, 2], [1, 3])]),
    ],
)
def test_changes_are_fields_with_both_values(a, b, expected):
    assert list(changes(a, b)) == expected


def test_a_change_is_narrowed_to_the_first_part_that_differs():
    change = Change("p", [{"c": 1, "m": [[0, 1], [2, 3]]}], [{"c": 1, "m": [[0, 1], [2, 4]]}])
    assert change.narrowed() == Change("p[0].m[1][1]", 3, 4)
    assert Change("p", [1], [1, 2]).narrowed() == Change("p", [1], [1, 2])


def test_a_copy_does_not_differ(original, copy, capsys):
    diff = blendgen.diff(original, copy)
    assert diff.equal and diff.rows.common == 8 and diff.pixels.different == 0
    assert run(["diff", str(original), str(copy)]) == 0
    assert capsys.readouterr().out.endswith("no differences\n")


@pytest.mark.parametrize("count", ["-1", "many", "9" * 5000])
def test_a_number_of_images_that_is_not_one_is_refused(count, capsys):
    assert run(["diff", "a", "b", "--pixels", count]) == 2
    assert "expected a number of images, all or none" in capsys.readouterr().err


def test_rows_that_are_only_written_in_another_way_do_not_differ(original, copy):
    change_rows(copy, lambda row: dict(reversed(row.items())))
    assert blendgen.diff(original, copy).equal


def test_fields_of_the_spec_and_facts_of_the_record_are_compared(original, copy):
    (copy / "spec.yaml").write_text("blendgen: 1\ncamera: {roll_deg: 3}\n")
    change_record(copy, blender_version="9", device={"engine": "flat", "kernel": "avx2"}, spec_sha256="0")
    diff = blendgen.diff(original, copy)
    assert diff.spec == [Change("camera", ABSENT, {"roll_deg": 3})] and not diff.equal
    assert diff.record == [Change("blender_version", "4", "9"), Change("device.kernel", ABSENT, "avx2")]
    assert diff.as_dict()["dataset"][1] == {"field": "device.kernel", "b": "avx2"}
    assert diff.rows.equal and diff.classes.equal


def test_classes_can_be_missing_or_have_other_numbers():
    assert _class_diff(("a", "b", "c"), ("b", "c", "d")) == ClassDiff(
        ["a"], ["d"], {"b": (1, 0), "c": (2, 1)}
    )
    assert _class_diff(("a", "b"), ("a", "b")).equal


def test_rows_are_matched_by_the_number_of_their_image(original, copy):
    def change(row):
        if row["index"] == 3:
            return None
        if row["index"] in (5, 6):
            row["objects"]["visible_fraction"][0] = 0.25
        return row | {"extra": 1} if row["index"] == 6 else row

    change_rows(copy, change)
    counts = {}
    for row in (json.loads(line) for line in (copy / "manifest.jsonl").read_text("utf-8").splitlines()):
        counts[row["split"]] = counts.get(row["split"], 0) + 1
    change_record(copy, images=7, images_per_split=counts)
    rows = blendgen.diff(original, copy).rows
    assert (rows.only_a.count, rows.only_a.first, rows.only_b.count) == (1, [3], 0)
    assert (rows.common, rows.different) == (7, 2)
    assert {name: (one.rows, one.index) for name, one in rows.columns.items()} == {
        "objects.visible_fraction": (2, 5),
        "extra": (1, 6),
    }
    example = rows.columns["objects.visible_fraction"].example
    assert example == Change("objects.visible_fraction[0]", 1.0, 0.25)
    back = blendgen.diff(copy, original).rows
    assert (back.only_a.count, back.only_b.first, back.different) == (0, [3], 2)


def test_pixels_of_files_that_differ_are_compared(original, copy):
    def brighter(pixels):
        pixels[3, 4] = np.where(pixels[3, 4] < 128, pixels[3, 4] + 10, pixels[3, 4] - 10)
        return pixels

    replace_image(copy, 1, brighter)
    replace_image(copy, 2, lambda pixels: pixels)
    replace_image(copy, 4, lambda pixels: pixels[:-1])
    pixels = blendgen.diff(original, copy, pixels=None).pixels
    assert (pixels.different, pixels.compared) == (3, 3)
    assert pixels.lowest_psnr_db == min(pixels.psnr_db)
    assert (pixels.same_pixels, pixels.other_size, pixels.largest) == (1, 1, 10)
    share = 1 / (64 * 48)
    assert pixels.mean == pytest.approx(10 * share) and pixels.worst_index == 1
    assert pixels.psnr_db == [pytest.approx(10 * math.log10(255**2 / (100 * share)))]
    none = blendgen.diff(original, copy, pixels=0)
    assert (none.pixels.different, none.pixels.compared, none.equal) == (3, 0, False)
    assert none.as_dict()["pixels"]["lowest_psnr_db"] is None
    assert blendgen.diff(original, copy, pixels=1).pixels.compared == 1


@pytest.mark.parametrize(
    ("count", "expected"), [(None, [*range(10)]), (99, [*range(10)]), (3, [0, 3, 6]), (0, [])]
)
def test_a_sample_is_evenly_spaced(count, expected):
    assert spread(range(10), count) == expected


def test_what_cannot_be_compared_is_an_error(original, copy, tmp_path):
    with pytest.raises(UsageError, match="pixels: expected 0 or more images, got -1"):
        blendgen.diff(original, copy, pixels=-1)
    with pytest.raises(DatasetError, match="does not contain a data set of blendgen"):
        blendgen.diff(original, tmp_path)
    (copy / "spec.yaml").write_text("a: [\n")
    with pytest.raises(SpecError, match=r"spec\.yaml:2:1: not YAML"):
        blendgen.diff(original, copy)
    (copy / "spec.yaml").unlink()
    with pytest.raises(DatasetError, match=r"spec\.yaml: cannot be read"):
        blendgen.diff(original, copy)
    (copy / "spec.yaml").symlink_to(original / "spec.yaml")
    with pytest.raises(DatasetError, match=r"spec\.yaml: is a link that leads out"):
        blendgen.diff(original, copy)
    text = (copy / "manifest.jsonl").read_text("utf-8")
    (copy / "manifest.jsonl").write_text(text.replace('"file_name"', '"file"', 1), "utf-8")
    with pytest.raises(DatasetError, match=r"row of image 0 cannot be read \(file_name: field required\)"):
        blendgen.diff(original, copy)


def test_the_command_prints_a_screen_and_exits_with_1(original, copy, capsys):
    change_record(copy, **{f"fact_{number:02d}": number for number in range(40)})
    replace_image(copy, 1, lambda pixels: 255 - pixels)
    assert run(["diff", str(original), str(copy)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 30 and max(map(len, lines)) < 200
    assert "dataset.json: 40 fields differ" in lines and "  fact_00: absent -> 0" in lines
    assert "  and 28 more; --json lists all" in lines and "spec: equal" in lines and "classes: equal" in lines
    assert "rows: 0 only in A, 0 only in B, 1 of 8 in both differ" in lines
    assert lines[-1].startswith(
        "pixels: 1 of 8 images differ as files, 1 of these compared, largest difference"
    )


def test_json_lists_everything(original, copy, capsys):
    change_record(copy, **{f"fact_{number:02d}": number for number in range(40)})
    assert run(["diff", str(original), str(copy), "--pixels", "none", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert len(result["dataset"]) == 40 and result["equal"] is False
    assert result["rows"]["only_b"] == {"count": 0, "first": []}
    assert run(["diff", str(original), str(copy), "--pixels", "some"]) == 2
    assert "expected a number of images, all or none, got 'some'" in capsys.readouterr().err
    assert run(["diff", str(original), str(copy / "images")]) == 5
