"""A first spec renders its models, whatever their sizes, names and units; and nobody's file is replaced."""

from __future__ import annotations

import re
import shutil

import pytest

from blendgen.draw.shot import draw_shot
from blendgen.draw.survey import survey
from blendgen.errors import CatalogError, SpecError, UsageError
from blendgen.models.inventory import load_inventory
from blendgen.spec.load import load_spec
from blendgen.starter.ranges import span
from tests.starter.sized_models import SizedMeasurer, started, value, write_models


@pytest.mark.slow
@pytest.mark.parametrize("side", [0.004, 0.016, 0.15, 0.5, 1.8, 4.5, 90])
def test_models_of_every_size_fill_the_frame_and_are_not_cut_off(tmp_path, side, monkeypatch):
    monkeypatch.setattr("blendgen.draw.survey.MAX_SHOTS", 25)
    models = write_models(
        tmp_path / "m", a__glb=f"{side} {side / 2} {side / 3}", b__glb=f"{side / 2} {side} {side}"
    )
    sampled = started(tmp_path / "d", models).report.sampled
    least, most = sampled.frame_fill
    assert least >= 0.44 and most <= 0.86
    assert sampled.cut_by_the_frame == sampled.given_up == sampled.below_frame_fill == 0
    assert sampled.draws < 1.05 * sampled.shots


@pytest.mark.slow
def test_the_camera_is_as_far_away_as_one_would_look_at_such_a_thing(tmp_path):
    nearest = {}
    for side in (0.01, 0.1, 4):
        models = write_models(tmp_path / f"m{side}", a__glb=f"{side} {side} {side}")
        nearest[side] = started(tmp_path / f"d{side}", models).report.sampled.distance_m
    assert nearest[0.01][0] > 0.08 and nearest[0.1][1] < 0.8
    assert 4 < nearest[4][0] < nearest[4][1] < 40


def test_the_distance_that_the_spec_states_is_that_of_its_shots(tmp_path, monkeypatch):
    """Models of different sizes and a lens that varies: more than the distances of a usual model."""
    monkeypatch.setattr("blendgen.draw.survey.MAX_SHOTS", 40)
    models = write_models(
        tmp_path / "m", a__glb="0.02 0.02 0.02", b__glb="0.05 0.04 0.03", c__glb="0.2 0.1 0.1"
    )
    result = started(tmp_path / "d", models)
    spec_file = load_spec(result.spec)
    inventory = load_inventory(spec_file, SizedMeasurer())
    away_m = [
        draw_shot(spec_file.spec, inventory.catalog, inventory.class_table, index, 0).camera.distance_m
        for index in range(40)
    ]
    away = span(round(min(away_m), 3), round(max(away_m), 3))
    text = re.sub(r"\s+#? *", " ", result.spec.read_text())
    assert f"the camera is {away} away in the first 40 shots" in text
    assert max(away_m) > 4 * min(away_m)


@pytest.mark.slow
def test_lamps_and_the_surface_grow_with_the_models(tmp_path):
    bricks = started(tmp_path / "b", write_models(tmp_path / "bricks", a__glb="0.01 0.01 0.01"))
    cars = started(tmp_path / "c", write_models(tmp_path / "cars", a__glb="4 2 1.5"))
    assert value(bricks, "lighting.lamps.distance_m")["uniform"][1] < 2
    assert value(cars, "lighting.lamps.distance_m")["uniform"][0] > 4
    assert value(cars, "surface.kind") == "paper" and value(cars, "placement.pose") == "upright"
    assert "wood_table" in value(bricks, "surface.kind")["choice"]


def test_cards_show_their_face(tmp_path):
    result = started(tmp_path / "d", write_models(tmp_path / "m", ace__glb="0.06 0.09 0.0003"))
    assert value(result, "placement.pose") == "upright"
    assert value(result, "camera.elevation_deg")["uniform"][0] >= 40


def test_an_up_axis_that_no_file_states_is_guessed_but_not_changed(tmp_path):
    cups = write_models(tmp_path / "m", a__stl="0.1 0.1 0.2 lies", b__stl="0.1 0.1 0.1 lies", c__stl="1 1 1")
    result = started(tmp_path / "d", cups)
    reason = "2 of 3 models fall over as they are read, but not with y up"
    assert "# up: y" in result.spec.read_text() and reason in result.spec.read_text()
    assert any(reason in note for note in result.notes) and value(result, "products.0.up") is None


def test_an_up_axis_is_not_guessed_from_few_models_or_where_files_state_it(tmp_path):
    few = write_models(tmp_path / "m", a__stl="0.1 0.1 0.2 lies", b__stl="0.1 0.1 0.1")
    stated = write_models(tmp_path / "n", a__glb="0.1 0.1 0.2 lies")
    for number, models in enumerate((few, stated)):
        result = started(tmp_path / f"d{number}", models)
        assert result.notes == () and "fall over" not in result.spec.read_text()


@pytest.mark.parametrize(
    ("size", "unit"),
    [("30 20 10", "mm"), ("300 20 10", "mm"), ("0.3 0.2 0.1", None), ("2.5 2 1", "cm"), ("3 2 1", "mm")],
)
def test_a_unit_that_no_file_states_is_guessed_and_said(tmp_path, size, unit):
    result = started(tmp_path / "d", write_models(tmp_path / "m", a__stl=size, b__STL=f"{size} "))
    assert value(result, "products[0].unit") == unit
    assert bool(result.notes) is bool(unit)
    if unit:
        assert f"read in {unit}; guess:" in result.notes[0]


def test_files_that_state_their_unit_keep_it_next_to_those_that_do_not(tmp_path):
    models = write_models(tmp_path / "m", cup__glb="0.1 0.1 0.1", bolt__stl="20 8 8", nut__obj="10 10 5")
    result = started(tmp_path / "d", models)
    assert value(result, "products[0].models") == ["*.glb"] and value(result, "products[0].unit") is None
    assert value(result, "products[1].models") == ["*.obj", "*.stl"]
    assert value(result, "products[1].unit") == "mm"
    assert result.report.sampled.largest_side_m == (0.01, 0.1)


def test_files_whose_stated_unit_is_absurd_are_read_in_millimetres(tmp_path):
    result = started(tmp_path / "d", write_models(tmp_path / "m", phone__glb="150 70 8"))
    assert value(result, "products[0].unit") == "mm" and "as their files state it" in result.notes[0]
    assert (
        value(started(tmp_path / "e", write_models(tmp_path / "h", house__glb="12 9 8")), "products[0].unit")
        is None
    )


def test_models_that_cannot_be_used_are_named_and_left_out(tmp_path):
    models = write_models(tmp_path / "m", a__glb="0.1 0.1 0.1", bad__glb="x", worse__obj="y")
    result = started(tmp_path / "d", models)
    assert [one.source for one in result.left_out] == [str(models / "bad.glb"), str(models / "worse.obj")]
    assert result.report.products == 1
    assert "#   " + str(result.left_out[0]) in result.spec.read_text()


def test_a_folder_without_a_usable_model_gives_its_reasons_and_leaves_nothing(tmp_path):
    models = write_models(tmp_path / "m", a__glb="x")
    with pytest.raises(CatalogError, match=r"none of its models can be used\n.*a.glb: a point cloud"):
        started(tmp_path / "new" / "d", models)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("files", "label", "classes"),
    [
        (("cups___a__glb", "cups___b__glb", "pens___c__glb"), "folder", ["cups", "pens"]),
        (("cups___a__glb", "pens___c__glb"), "model", ["a", "c"]),
        (("glb___a__glb", "glb___b__glb", "stl___c__glb"), "model", ["a", "b", "c"]),
        (("a__glb", "cups___b__glb", "cups___c__glb"), "model", ["a", "b", "c"]),
        (("cup___x___a__glb", "cup___y___a__glb", "pen___b__glb"), "folder", ["cup", "pen"]),
        (("cups___a__glb", "pens___A__glb"), "model", ["cups__a", "pens__A"]),
        (("a__glb", "a__obj", "b__obj"), "model", ["a", "b"]),
    ],
)
def test_classes_follow_folders_and_files(tmp_path, files, label, classes):
    result = started(tmp_path / "d", write_models(tmp_path / "m", **dict.fromkeys(files, "0.1 0.1 0.1")))
    assert (value(result, "products[0].label"), list(result.report.classes)) == (label, classes)
    assert value(result, "images") == max(400, 200 * len(classes))


def test_two_forms_of_a_model_count_once(tmp_path):
    result = started(tmp_path / "d", write_models(tmp_path / "m", a__obj="0.1 0.1 0.1", a__glb="0.1 0.1 0.1"))
    assert value(result, "products[0].models") == ["a.glb"]
    assert f"has the name of {tmp_path}/m/a.glb, which is used" in str(result.left_out[0])


def test_a_wrong_sidecar_is_reported_with_its_line(tmp_path):
    models = write_models(tmp_path / "m", a__glb="0.1 0.1 0.1", a__yaml="blendgen_model: 1\nunt: mm\n")
    with pytest.raises(SpecError, match=r"a.yaml:2:1: unt: unknown key; did you mean unit"):
        started(tmp_path / "d", models)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    [
        """it's "ünï": 🧱 #c""",
        *(pytest.param(name, marks=SLOW) for name in ("-x", "no", "{a}", "& *b", " ", "$(a)", "12")),
    ],
)
def test_odd_names_of_folders_and_models_are_only_text(tmp_path, name):
    models = write_models(tmp_path / name / "m", a__glb="0.1 0.1 0.1", b__glb="y")
    (models / f"{name}.glb").write_text("0.1 0.1 0.2")
    (models / f"{name}#\nblendgen: 2.obj").write_text("x")
    assert started(tmp_path / name, models).report.products == 2


def test_a_folder_with_its_models_can_be_moved(tmp_path):
    write_models(tmp_path / "d" / "models", a__glb="0.1 0.1 0.1")
    result = started(tmp_path / "d", tmp_path / "d" / "models")
    assert value(result, "products[0].directory") == "models"
    shutil.move(tmp_path / "d", tmp_path / "elsewhere")
    spec_file = load_spec(tmp_path / "elsewhere" / "scene.yaml")
    assert survey(spec_file.spec, load_inventory(spec_file, SizedMeasurer())) == result.report


def test_a_spec_of_a_person_is_named_and_stays(tmp_path):
    (tmp_path / "scene.yaml").write_text("mine")
    with pytest.raises(UsageError, match=r"scene.yaml: exists, and is not replaced; choose another folder"):
        started(tmp_path, write_models(tmp_path / "m", a__glb="1 1 1"))
    assert (tmp_path / "scene.yaml").read_text() == "mine" and not (tmp_path / ".gitignore").exists()


def test_a_link_in_place_of_the_spec_is_not_followed(tmp_path):
    (tmp_path / "scene.yaml").symlink_to(tmp_path / "absent")
    with pytest.raises(UsageError, match="exists, and is not replaced"):
        started(tmp_path, write_models(tmp_path / "m", a__glb="1 1 1"))
    assert not (tmp_path / "absent").exists()


def test_the_gitignore_of_a_person_stays(tmp_path):
    (tmp_path / ".gitignore").write_text("mine\n")
    result = started(tmp_path, write_models(tmp_path / "m", a__glb="0.1 0.1 0.1"))
    assert result.unchanged == (tmp_path / ".gitignore",) and result.files == (tmp_path / "scene.yaml",)
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "f").touch()
    for folder in (tmp_path / "f", tmp_path / "f" / "d"):
        with pytest.raises(UsageError, match="f: is not a folder; choose another one"):
            started(folder, None)


def test_warnings_about_models_come_once(tmp_path, caplog):
    models = write_models(tmp_path / "m", a__glb="0.1 0.1 0.1", b__max="x")
    started(tmp_path / "d", models)
    assert [record.message for record in caplog.records if "not read" in record.message] == [
        f"{models}: not read: a file of format .max; export them as glb, or as step from a CAD program"
    ]


def test_the_same_model_under_two_names_is_noted(tmp_path):
    models = write_models(tmp_path / "m", a__glb="0.1 0.2 0.3", b__glb="0.1 0.2 0.4", c__glb="0.1 0.2 0.3")
    result = started(tmp_path / "d", models)
    assert result.notes == (
        "the same model under two names: c.glb as a.glb; as two classes nobody can tell them apart",
    )
    folders = write_models(
        tmp_path / "n", **{f"{name}___{name}{i}__glb": "1 2 3" for name in "ab" for i in (1, 2)}
    )
    (note,) = started(tmp_path / "e", folders).notes
    assert note.startswith("the same model under two names: b/b1.glb as a/a1.glb, b/b2.glb as a/a1.glb; ")
    one_class = write_models(tmp_path / "o", a___a1__glb="1 2 3", a___a2__glb="1 2 3", b___b1__glb="1 2 4")
    assert started(tmp_path / "f", one_class).notes == ()
