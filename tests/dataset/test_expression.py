"""Expressions: what they can name, what they cannot do, and where their errors are."""

from __future__ import annotations

import pytest

from blendgen.dataset.expression import Expression
from blendgen.errors import UsageError
from blendgen.scene.row import Objects, Row, RowCamera, RowFile

UNIT = ((1.0, 0, 0, 0), (0, 1.0, 0, 0), (0, 0, 1.0, 0), (0, 0, 0, 1.0))


def make_row(index=0, label="mug", areas=(900, 40), fractions=(0.9, 0.1), ids=(1, 2), **more) -> Row:
    count = len(areas)
    objects = Objects(
        bbox=((0, 0, 9, 9),) * count, bbox_amodal=((0, 0, 9, 9),) * count, category=(label, "cup")[:count],
        category_id=(0, 1)[:count], area=areas, product=("m", "c")[:count], colorway=("red", "blue")[:count],
        case=(None,) * count, visible_fraction=fractions, instance_id=ids, object_to_world=(UNIT,) * count,
        object_to_camera=(UNIT,) * count, size_m=((1.0, 1.0, 1.0),) * count,
    )  # fmt: skip
    camera = RowCamera(
        intrinsics=((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)), world_to_camera=UNIT, distortion=(0.0,) * 5
    )
    shot = {"surface": {"kind": "paper"}, "container": None, "camera": {"yaw_deg": -30.0}}
    values = {
        "index": index, "label": label, "split": "train", "files": {"image": RowFile(name="images/a.png")},
        "label_id": 0, "shot_index": index // 2, "width": 64, "height": 48, "objects": objects,
        "camera": camera, "shot_values": shot,
    }  # fmt: skip
    return Row(**(values | more))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("visible_fraction > 0.5 and label == 'mug'", True),
        ("visible_fraction > 0.5 and label != 'mug'", False),
        ("0.5 < visible_fraction <= 0.9", True),
        ("category == label", True),
        ("any(o.area < 100 for o in objects)", True),
        ("all(o.area < 100 for o in objects)", False),
        ("any(o.area < 100 for o in objects if o.category == label)", False),
        ("len(objects) == 2 and sum(o.area for o in objects) == 940", True),
        ("objects[1].colorway == 'blue'", True),
        ("shot.surface.kind in ['paper', 'belt']", True),
        ("shot.container is None and case is None", True),
        ("label is 'mug' and label is not 'cup'", True),
        ("shot.camera.yaw_deg % 360 == 330", True),
        ("index // 2 == shot_index and not index", True),
        ("area / (width * height) > 0.2 and -index + 1 - 0 == 1", True),
        ("shot['surface']['kind'] == 'paper' and objects[0]['area'] == 900", True),
        ("  split ==\n 'train'  ", True),
        ("split ==\r\n 'train'", True),
    ],
)
def test_an_expression_names_columns_of_the_image_the_subject_and_all_objects(text, expected):
    assert Expression(text).matches(make_row()) is expected


@pytest.mark.parametrize(
    "text",
    [
        "case > 3",
        "shot.container.kind == 'tote'",
        "'x' in case",
        "case < 'x'",
        "case + 1 > 0",
        "2 * case / 3 > 0",
        "-case < 0",
        "shot.container['kind'] == 'tote'",
        "shot.container.lamps[0] == 1",
    ],
)
def test_a_comparison_with_a_value_that_is_not_there_is_false(text):
    assert not Expression(text).matches(make_row())
    assert Expression(f"not ({text})").matches(make_row())


@pytest.mark.parametrize("row", [make_row(areas=(), fractions=(), ids=()), make_row(ids=(3, 2))])
def test_a_hidden_subject_has_no_values(row):
    assert not Expression("visible_fraction > 0 or area <= 0").matches(row)
    assert not Expression("area / (width * height) >= 0 or bbox[2] >= 0").matches(row)
    assert not Expression("max(size_m) > 0 or len(bbox) >= 0 or any(m > 0 for m in size_m)").matches(row)
    assert Expression("visible_fraction is None and label == 'mug'").matches(row)


@pytest.mark.parametrize(
    ("text", "character", "message"),
    [
        ("visble_fraction > 0.5", 1, "no column 'visble_fraction'; did you mean visible_fraction?"),
        ("label == 'x' and visble_fraction > 0", 18, "did you mean visible_fraction?"),
        ("label == 'ボール' and größe > 1", 20, "no column 'größe'; known: area"),
        ("shot.surfce.kind == 'x'", 6, "no column 'shot.surfce'; did you mean surface?"),
        ("any(o.aera > 1 for o in objects)", 7, "no column 'o.aera'; did you mean area?"),
        ("index == 0 and objects.area > 1", 16, "use any(x.area ... for x in objects), or objects[0].area"),
        ("index > 0 and", 14, "invalid syntax"),
        ("label = 'mug'", 7, "invalid syntax; compare with ==, combine with and, or, not"),
        ("label == mug", 10, "a text needs quotes: 'mug'"),
        ("shot['surface']['knd'] == 'x'", 17, "shot['surface'] has no 'knd'; did you mean kind?"),
        ("index > 3 and area ** 2 > 5", 15, "Pow cannot be used here"),
        ("len > 3", 1, "no column 'len'"),
        ("area.real > 3", 6, "no column 'area.real'"),
    ],
)
def test_an_error_has_its_place(text, character, message):
    with pytest.raises(UsageError) as caught:
        Expression(text).matches(make_row())
    first, shown, mark = str(caught.value).split("\n")
    assert first.startswith(f"where, character {character}: ") and message in first
    assert (shown, mark) == (f"  {text}", " " * (character + 1) + "^")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label > 3", "image 7: '>' not supported"),
        ("index", "image 7: expected true or false, got 7"),
        ("index / 0 == 1", "image 7: division by zero"),
        ("objects[9].area == 1", "image 7: list index out of range"),
        ("objects[9].area == 1", r"first: len\(objects\) > 1"),
        ("label * 2 == 'mugmug'", "image 7: expected a number, got 'mug'"),
        ("", "expected 1 to 1000 characters, got 0"),
        ("not " * 300 + "index", "expected 1 to 1000 characters"),
        ("(" * 300, "nested"),
        ("label == '\0'", "null bytes"),
    ],
)
def test_what_cannot_be_evaluated_is_an_error(text, message):
    with pytest.raises(UsageError, match=message):
        Expression(text).matches(make_row(index=7))


@pytest.mark.parametrize(
    "text",
    ["open('x')", "__import__('os')", "().__class__", "label.format(1)", "label.__class__ == 1",
     "objects.clear()", "(lambda: 1)()", "[x for x in objects]", "f'{index:999999999}'", "9**9**9",
     "1 << 99999999", "{1: 2}", "'x' * 1000000000 == ''", "[[[0] * 99999] * 99999] * 99999 == 1",
     "[1] * 1000000000 == []",
     "'%999999999d' % index == ''", "(index := 3) == 3", "max(objects, key=len)", "any(*objects)",
     "index if index else 1", "shot.__class__", "index == 1; 2", "any(1 for label.x in objects)",
     "any(1 for objects[0] in objects)"],
)  # fmt: skip
def test_an_expression_can_do_nothing_but_compare(text):
    with pytest.raises(UsageError):
        Expression(text).matches(make_row(index=1))


def test_an_error_in_a_long_expression_shows_the_part_around_its_place():
    with pytest.raises(UsageError) as caught:
        Expression(f"{'index > 0 and ' * 50}indx > 0 {'and index > 0 ' * 15}").matches(make_row())
    first, shown, mark = str(caught.value).split("\n")
    assert first.startswith("where, character 701: ") and len(shown) < 130
    assert shown[mark.index("^") :].startswith("indx > 0 and")
