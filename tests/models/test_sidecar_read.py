"""A sidecar is read whole, or every fault is reported with its place."""

from __future__ import annotations

import dataclasses
import unicodedata
from pathlib import Path

import pytest
import yaml

from blendgen.errors import SpecError
from blendgen.models.sidecar.read import check_sidecar, read_sidecar, twins
from blendgen.models.sidecar.schema import Sidecar, json_schema
from blendgen.spec.yaml_source import parse
from tests.conftest import REPOSITORY

MUG = """\
blendgen_model: 1
class: mug
unit: mm
up: z
colorways: {red: {"body*": '#c0202a'}, as_it_is: {}}
parts: {body: ["body*", base], handle: "handle*"}
keypoints:
  handle_top: {at: [40, 0, 70]}
  rim: [0, 35, 90.5]
  left_ear: {at: [1, 2, 3], mirrored: right_ear}
  right_ear: [1, -2, 3]
symmetries: {continuous: [z, {axis: [0, 0, 2], through: [1, 2, 3]}], discrete: [{axis: -x, fold: 4}]}
exclude_poses: ["-z", +x, [0, 3, 4]]
"""


def read(text: str, model: str = "mug.obj"):
    return check_sidecar(parse(text, "mug.yaml"), Path(model)).sidecar


def messages_of(text: str, model: str = "mug.obj") -> list[str]:
    with pytest.raises(SpecError) as caught:
        read(text, model)
    return [str(problem) for problem in caught.value.problems]


def test_names_are_composed_whatever_the_editor_writes():
    split = unicodedata.normalize("NFD", "größe")
    sidecar = read(f"blendgen_model: 1\nclass: {split}\nparts: {{{split}: body}}\n")
    assert sidecar.model_class == "größe" and list(sidecar.parts) == ["größe"]


def test_a_whole_sidecar_is_read():
    mug = read(MUG)
    assert (mug.model_class, mug.unit, mug.up) == ("mug", "mm", "z")
    assert mug.colorways["red"]["body*"].color == "#c0202a" and mug.colorways["as_it_is"] == {}
    assert mug.parts == {"body": ["body*", "base"], "handle": ["handle*"]}
    assert mug.keypoints["rim"].at == (0, 35, 90.5)
    assert [one.axis for one in mug.symmetries.continuous] == [(0, 0, 1), (0, 0, 1)]
    assert (mug.symmetries.discrete[0].axis, mug.symmetries.discrete[0].fold) == ((-1, 0, 0), 4)
    assert mug.exclude_poses == [(0, 0, -1), (1, 0, 0), (0, 0.6, 0.8)]


def test_one_side_of_a_mirrored_pair_is_enough():
    assert twins(read(MUG)) == {"left_ear": "right_ear", "right_ear": "left_ear"}


def test_only_the_version_is_required():
    assert read("blendgen_model: 1\n").model_class is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("clas: mug", "2:1: clas: unknown key; did you mean class?"),
        ("class: a/b", "2:1: class: must be usable as a folder name, such as a_b, got 'a/b'"),
        ("class:", "2:1: class: has no value"),
        ("class: 3", "2:1: class: must be text, got 3"),
        ("unit: mmm", "2:1: unit: must be 'm', 'cm', 'mm', 'in' or 'ft', got 'mmm'"),
        ("up: -z", "2:1: up: must be 'x', 'y' or 'z', got '-z'"),
        ("colorways: {}", "2:1: colorways: "),
        ("colorways: {red: {body: '#12'}}", "2:19: colorways.red.body.color: "),
        (
            "colorways: {red: {body: {colour: '#123456'}}}",
            "2:26: colorways.red.body.colour: unknown key; did you mean color?",
        ),
        ("parts: {body: []}", "2:9: parts.body: must be a pattern, or a list of patterns"),
        ("parts: {body: [3]}", "2:9: parts.body: must be a pattern, or a list of patterns"),
        ("parts: [body]", "2:1: parts: must be a mapping of keys, got ['body']"),
        ("parts: {1: body}", "2:9: parts[1]: the key must be text: write it in quotes, got 1"),
        (
            "keypoints: {a: {at: [1, 2]}}",
            "2:17: keypoints.a.at: must be three numbers, [x, y, z], got [1, 2]",
        ),
        (
            "keypoints: {a: [1, 2, b]}",
            "2:13: keypoints.a.at: must be three numbers, [x, y, z], got [1, 2, 'b']",
        ),
        ("keypoints: {a: [1, 2, true]}", "2:13: keypoints.a.at: must be three numbers"),
        ("keypoints: {a: {}}", "2:13: keypoints.a: at is missing: [x, y, z] as `coordinates` says"),
        (
            "keypoints: {a: {at: [1, 2, 3], xyz: 1}}",
            "2:32: keypoints.a.xyz: unknown key; known: at, mirrored",
        ),
        (
            "keypoints: {a: {at: [1, 2, 3], mirrored: a}}",
            "2:32: keypoints.a.mirrored: a keypoint that is its own mirror image",
        ),
        (
            "keypoints: {left: {at: [1, 2, 3], mirrored: rigt}, right: [1, 2, 3]}",
            "2:35: keypoints.left.mirrored: 'rigt' is not a keypoint; did you mean right?",
        ),
        ("symmetries: {continuous: [w]}", "2:27: symmetries.continuous[0].axis: must be an axis such as x"),
        (
            "symmetries: {continuous: [{axis: [0, 0, 0]}]}",
            "symmetries.continuous[0].axis: must not be [0, 0, 0]",
        ),
        ("symmetries: {discrete: [{axis: z, fold: 1}]}", "2:35: symmetries.discrete[0].fold: "),
        ("symmetries: {discrete: [{axis: z}]}", "2:25: symmetries.discrete[0]: fold is missing: "),
        ("symetries: {}", "2:1: symetries: unknown key; did you mean symmetries?"),
        (
            "exclude_poses: [up]",
            "2:17: exclude_poses[0]: must be an axis such as x, +y or '-z', or [x, y, z]",
        ),
        ("exclude_poses: -z", "2:1: exclude_poses: must be a list, got '-z'"),
        ("class: mug\nclass: cup", "3:1: class: duplicate key 'class'"),
    ],
)
def test_a_fault_is_reported_with_its_place(line, expected):
    (fault,) = messages_of(f"blendgen_model: 1\n{line}\n")
    assert expected in fault and fault.startswith("mug.yaml:")


def test_all_faults_of_a_file_are_reported_at_once():
    faults = messages_of("blendgen_model: 2\nclas: mug\nunit: inch\nkeypoints: {a: [1]}\n")
    assert [fault.split(": ")[0] for fault in faults] == [
        f"mug.yaml:{p}" for p in ("1:1", "2:1", "3:1", "4:13")
    ]


PAIR = """\
blendgen_model: 1
keypoints:
  a: {{at: [0, 0, 0], mirrored: {}}}
  b: {{at: [0, 0, 0], mirrored: {}}}
  c: [0, 0, 0]
"""


def test_a_mirrored_pair_must_be_mutual():
    assert messages_of(PAIR.format("b", "c")) == [
        "mug.yaml:3:22: keypoints.a.mirrored: b is mirrored to c, not to a",
    ]
    assert "c is already the mirror image of b" in messages_of(PAIR.format("c", "c"))[0]
    assert twins(read(PAIR.format("b", "a"))) == {"a": "b", "b": "a"}


def test_an_up_axis_that_a_format_states_itself_is_refused():
    assert messages_of("blendgen_model: 1\nup: y\n", "mug.glb") == [
        "mug.yaml:2:1: up: a glb file states its own up axis; "
        "up is for obj, stl, ply, off, step, stp, iges, igs"
    ]


@pytest.mark.parametrize("text", ["class: mug\n", "- 1\n", "mug\n"])
def test_a_file_without_its_mark_is_not_a_sidecar_and_reported(text):
    assert "mug.yaml:1:1: a model's sidecar starts with `blendgen_model: 1`" in messages_of(text)[0]


def test_text_that_is_not_utf8_is_reported(tmp_path):
    (tmp_path / "mug.yaml").write_bytes(b"class: \xff\xfe")
    with pytest.raises(SpecError, match=r"models/mug\.yaml: not a UTF-8 text file"):
        read_sidecar(tmp_path / "mug.yaml", "models/mug.yaml", Path("mug.obj"))


def test_a_sidecar_is_frozen():
    with pytest.raises((dataclasses.FrozenInstanceError, ValueError)):
        read(MUG).unit = "m"


def documented() -> str:
    """The example of docs/models.md."""
    text = (REPOSITORY / "docs" / "models.md").read_text("utf-8")
    return next(block for block in text.split("```yaml\n") if block.startswith("blendgen_model")).split(
        "```"
    )[0]


def test_the_documented_example_is_right():
    assert twins(read(documented())) == {"left_handle": "right_handle", "right_handle": "left_handle"}
    assert set(yaml.safe_load(documented())) == {
        field.alias or n for n, field in Sidecar.model_fields.items()
    }


@pytest.mark.parametrize("text", [MUG, documented(), "blendgen_model: 1\n"])
def test_the_schema_for_editors_accepts_what_is_read(text):
    jsonschema = pytest.importorskip("jsonschema")
    assert [
        e.message for e in jsonschema.Draft202012Validator(json_schema()).iter_errors(yaml.safe_load(text))
    ] == []


@pytest.mark.parametrize(
    "line", ["clas: a", "unit: mmm", "keypoints: {a: [1, 2]}", "exclude_poses: [up]", "parts: {a: 3}"]
)
def test_the_schema_for_editors_refuses_what_is_refused(line):
    jsonschema = pytest.importorskip("jsonschema")
    values = yaml.safe_load(f"blendgen_model: 1\n{line}\n")
    assert list(jsonschema.Draft202012Validator(json_schema()).iter_errors(values))


@pytest.mark.parametrize(
    "line, place",
    [
        ('class: "a\\u202eb"', "2:1: class"),
        ('keypoints: {"a\\eb": [1, 2, 3]}', "2:13: keypoints.a\x1bb"),
        ('parts: {"a\\u202eb": body}', "2:9: parts.a\u202eb"),
        ('colorways: {"a/b": {}}', "2:13: colorways.a/b"),
    ],
)
def test_a_name_that_nothing_can_be_called_is_refused_at_its_place(line, place):
    (problem,) = messages_of(f"blendgen_model: 1\n{line}\n")
    assert problem.startswith(f"mug.yaml:{place}: the name ")
    assert "control character" in problem or "a name is not a path" in problem


def test_a_pattern_of_materials_is_not_a_name():
    mug = read('blendgen_model: 1\ncolorways: {red: {"Body/*": "#c0202a"}}\nparts: {body: "Body/*"}\n')
    assert list(mug.colorways["red"]) == ["Body/*"] and mug.parts == {"body": ["Body/*"]}
