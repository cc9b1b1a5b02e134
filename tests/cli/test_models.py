"""blendgen models: its report on models and sidecars, on stdout only, and its exit codes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.cli.in_process import blendgen
from tests.engine.model_files import QUADS, obj

pytest.importorskip("bpy")

# 40 x 60 x 100 mm along x, y and z of the file, origin at a corner; the last face has a separate material
CORNERS = [(x, y, z) for x in (0, 40) for y in (0, 60) for z in (0, 100)]
FACES = obj(CORNERS, QUADS[:5], "mtllib m.mtl\nusemtl body_1") + "usemtl lid\nf 2 6 8 4\n"
MATERIALS = "newmtl body_1\nKd 1 0 0\nnewmtl lid\nKd 0 1 0\nmap_Kd absent.png\n"
MUG = """\
blendgen_model: 1
class: mug
unit: mm
parts: {body: "body*"}
glass: lid
keypoints:
  left: {at: [0, 30, 100], mirrored: right}
  right: [40, 30, 100]
  mark: [20, 60, 25]
symmetries: {discrete: [{axis: y, fold: 2}]}
exclude_poses: [-y]
"""
FAULTY = """\
blendgen_model: 1
unit: mm
parts: {body: bdy_1}
keypoints: {off: [20, 80, 50]}
symmetries: {discrete: [{axis: y, fold: 4}]}
exclude_poses: [[1, 0, 0]]
"""
MILLIMETRES = "blendgen_model: 1\nunit: mm\n"


def write_models(folder, **sidecars):
    folder.mkdir()
    (folder / "m.mtl").write_text(MATERIALS)
    for name, text in sidecars.items():
        (folder / f"{name}.obj").write_text(FACES)
        if text:
            (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _one_cache(tmp_path_factory):
    """One cache for all tests, in which the models of several tests are: Blender is started once for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        folder = write_models(
            tmp_path_factory.mktemp("all") / "models",
            mug=MUG,
            bad=FAULTY,
            mm=MILLIMETRES,
            plain=None,
            quads=None,
        )
        (folder / "quads.obj").write_text(obj(CORNERS, QUADS))
        (folder / "quads.yaml").write_text(MILLIMETRES)
        blendgen("models", folder)
        yield


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("good") / "models", mug=MUG)


@pytest.fixture(scope="module")
def mug(good):
    """The mug as JSON."""
    result = blendgen("models", good, "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["schema_version"] == 1 and report["ok"] and not report["faults"] and not report["refusals"]
    (model,) = report["models"]
    return model


def test_json_has_stable_keys(mug):
    assert list(mug) == [
        "name", "former_name", "file", "sidecar", "class", "size_mm", "triangles", "has_colors", "parts",
        "colorways", "keypoints", "symmetries", "stable_poses", "missing_textures", "lost", "notes",
        "warnings",
    ]  # fmt: skip
    assert (mug["name"], mug["class"], mug["triangles"]) == ("mug", "mug", 12)
    assert mug["sidecar"].endswith("models/mug.yaml")
    assert mug["parts"] == [
        {"material": "body_1", "label": "body", "kind": None},
        {"material": "lid", "label": "lid", "kind": "glass"},
    ]
    assert mug["symmetries"] == {"continuous": 0, "discrete": 1}
    assert mug["missing_textures"] == ["absent.png"]


def test_keypoints_survive_unit_up_axis_and_centring(mug):
    np.testing.assert_allclose(mug["size_mm"], (40, 100, 60), atol=1e-3)
    places = {one["name"]: one["position_m"] for one in mug["keypoints"]}
    # y of the file is up, its z is -y; the centre of its box is at (20, 30, 50)
    np.testing.assert_allclose(places["left"], (-0.02, -0.05, 0.03), atol=1e-6)
    np.testing.assert_allclose(places["right"], (0.02, -0.05, 0.03), atol=1e-6)
    np.testing.assert_allclose(places["mark"], (0, 0.025, 0.06), atol=1e-6)
    assert [one["mirrored"] for one in mug["keypoints"]] == ["right", "left", None]
    np.testing.assert_allclose(mug["keypoints"][2]["at"], (20, 60, 25), atol=1e-3)


def test_resting_poses_are_reported_in_the_files_axes(mug):
    out = [pose["up"] for pose in mug["stable_poses"] if pose["excluded"]]
    assert out == [[0, -1, 0]]
    assert sum(pose["probability"] for pose in mug["stable_poses"]) == pytest.approx(1, abs=1e-3)


def test_former_names_are_reported_and_two_models_of_one_name_are_a_fault(tmp_path):
    for folder in ("kettle", "toaster"):
        (tmp_path / "models" / folder).mkdir(parents=True)
        for name in ("scene.obj", "plug.obj"):
            (tmp_path / "models" / folder / name).write_text(obj(CORNERS, QUADS))
    result = blendgen("models", tmp_path / "models", "--unit", "mm", "--json")
    report = json.loads(result.stdout)
    names = {model["name"]: model["former_name"] for model in report["models"]}
    assert result.returncode == 3 and len(report["models"]) == 4
    assert names["kettle"] == "kettle__scene" and names["plug"] == "toaster__plug"
    (fault,) = report["faults"]
    assert fault["file"].endswith("kettle/plug.obj")
    assert fault["message"].startswith("has the name 'plug', as ") and "names: path" in fault["message"]


def test_each_model_is_one_line_followed_by_its_warnings(good):
    result = blendgen("models", good)
    line, *warnings, verdict = result.stdout.splitlines()
    assert line.startswith(
        "mug: 40 x 100 x 60 mm; 12 triangles; parts body, lid (glass); colourways default; class mug; "
    )
    assert "keypoints left, right, mark; rests" in line and "-y up" in line and "% (excluded)" in line
    assert warnings == [
        "  warning: texture 'absent.png' is missing; the plain colour is shown",
        "  warning: material 'lid': mesh 'mug' has no texture coordinates for it",
    ]
    assert verdict == "1 model(s): ok"


def test_strict_has_its_own_exit_code_for_a_model_without_its_texture(good):
    result = blendgen("models", good, "--strict")
    assert result.returncode == 6
    assert result.stdout.splitlines()[-1] == "1 model(s), 1 without part of the look"


def test_faults_are_reported_with_their_places_and_exit_3(tmp_path):
    folder = write_models(tmp_path / "models", mug=MUG, bad=FAULTY, worse="blendgen_model: 1\nclas: x\n")
    result = blendgen("models", folder, "--json")
    assert result.returncode == 3
    report = json.loads(result.stdout)
    assert not report["ok"] and [model["name"] for model in report["models"]] == ["bad", "mug"]
    bad = [
        (f["line"], f["column"], f["field"]) for f in report["faults"] if f["file"] == f"{folder}/bad.yaml"
    ]
    assert bad == [(3, 9, "parts.body"), (4, 13, "keypoints.off"), (5, 25, "symmetries.discrete[0]")]
    off = "is 20.0 mm from the surface, at most 2.0 mm is allowed; the nearest point is [20, 60, 50], as in"
    assert report["faults"][1]["message"].startswith(off)
    assert report["faults"][-1]["message"] == "unknown key; did you mean class?"
    plain = blendgen("models", folder)
    assert plain.returncode == 3 and f"{folder}/bad.yaml:4:13: keypoints.off: is 20.0 mm" in plain.stdout
    assert plain.stdout.splitlines()[-1] == "2 model(s), 4 fault(s)"


@pytest.mark.slow
def test_a_model_that_cannot_be_used_exits_3(tmp_path):
    folder = write_models(tmp_path / "models", mug=MUG)
    (folder / "empty.stl").touch()
    result = blendgen("models", folder, "--json")
    assert result.returncode == 3
    (refusal,) = json.loads(result.stdout)["refusals"]
    assert refusal["file"].endswith("empty.stl") and refusal["reason"] == "the file is empty"


@pytest.mark.slow
def test_an_improbable_size_without_a_unit_is_a_warning(tmp_path):
    (tmp_path / "big.obj").write_text(obj([(x / 10, y / 10, z / 10) for x, y, z in CORNERS], QUADS))
    result = blendgen("models", tmp_path)
    assert result.returncode == 0
    assert (
        "largest side is 10000 mm: the file does not say its unit; is it in mm? (unit: mm)" in result.stdout
    )
    assert "warning" not in blendgen("models", tmp_path, "--unit", "mm").stdout


SPEC = "blendgen: 1\nname: t\nproducts: [{directory: models}]\nresolution: [64, 64]\nrender: smoke\n"


def test_a_spec_takes_its_classes_from_the_sidecars(tmp_path):
    write_models(tmp_path / "models", a=MUG, b=MUG.replace("class: mug", "class: cup"))
    (tmp_path / "scene.yaml").write_text(SPEC)
    checked = blendgen("check", tmp_path / "scene.yaml", "--json")
    assert json.loads(checked.stdout)["classes"] == ["cup", "mug"]
    assets = blendgen("models", tmp_path / "scene.yaml")
    assert assets.returncode == 0 and assets.stdout.splitlines()[-1] == "2 model(s): ok"


@pytest.mark.slow
def test_keypoints_of_sidecars_can_be_labels(tmp_path):
    write_models(tmp_path / "models", a=MUG)
    (tmp_path / "scene.yaml").write_text(SPEC + "output: {keypoints: true}\n")
    assert blendgen("check", tmp_path / "scene.yaml").returncode == 0
    (tmp_path / "models" / "a.yaml").write_text(MILLIMETRES)
    result = blendgen("check", tmp_path / "scene.yaml")
    assert result.returncode == 3 and "none of the products has keypoints" in result.stderr


def test_a_wrong_sidecar_stops_a_run_with_its_places(tmp_path):
    write_models(tmp_path / "models", a=FAULTY, b=MUG)
    (tmp_path / "scene.yaml").write_text(SPEC)
    result = blendgen("check", tmp_path / "scene.yaml")
    assert result.returncode == 3 and result.stdout == ""
    for place in ("3:9: parts.body", "4:13: keypoints.off", "5:25: symmetries.discrete[0]"):
        assert f"models/a.yaml:{place}: " in result.stderr


def test_a_sidecar_selects_its_model(tmp_path):
    folder = write_models(tmp_path / "models", a=MUG, b=FAULTY)
    result = blendgen("models", folder / "a.yaml")
    assert result.returncode == 0 and result.stdout.splitlines()[-1] == "1 model(s): ok"
    faulty = blendgen("models", folder / "b.yaml", "--json")
    assert faulty.returncode == 3
    (model,) = json.loads(faulty.stdout)["models"]
    assert [one["name"] for one in model["keypoints"]] == ["off"]
    (folder / "c.yaml").write_text(MUG)
    lost = blendgen("models", folder / "c.yaml")
    assert lost.returncode == 3 and "c.yaml: does not belong to any model here" in lost.stderr
    (folder / "a.obj.yaml").write_text(MUG)
    doubtful = blendgen("models", folder / "a.yaml")
    assert doubtful.returncode == 3 and "a.obj has several sidecars: a.obj.yaml, a.yaml" in doubtful.stderr
    (folder / "notes.txt").write_text("milk")
    other = blendgen("models", folder / "notes.txt")
    assert other.returncode == 3 and "neither a model file nor a sidecar" in other.stderr


def test_a_file_is_inspected_without_what_is_next_to_it_and_below(tmp_path, caplog):
    folder = write_models(tmp_path / "models", a=MUG, b=None)
    for name in ("b.yaml", "b.yml", "lost.yaml"):
        (folder / name).write_text("blendgen_model: 1\n")
    for name in ("old.max", "below/a.obj", "below/new.max"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("not a model")
    (folder / "out.obj").symlink_to(tmp_path)
    (folder / "below").chmod(0)
    try:
        for name in ("a.obj", "a.yaml"):
            result = blendgen("models", folder / name, "--json")
            assert result.returncode == 0 and len(json.loads(result.stdout)["models"]) == 1
            assert not [line for line in caplog.messages if "texture" not in line]
    finally:
        (folder / "below").chmod(0o700)
    assert blendgen("models", folder / "old.max").returncode == 3
    assert "export them as glb" in caplog.text
    assert "has several sidecars: b.yaml, b.yml; keep one" in blendgen("models", folder / "b.obj").stdout
    assert "lost.yaml" not in blendgen("models", folder / "a.obj").stdout


def test_a_keypoint_far_outside_is_a_fault_of_the_sidecar(tmp_path):
    folder = write_models(tmp_path / "models", a="blendgen_model: 1\nkeypoints: {far: [1e20, 0, 0]}\n")
    result = blendgen("models", folder)
    assert result.returncode == 3
    assert "a.yaml:2:13: keypoints.far.at: must be three numbers below 1e+09" in result.stdout


def test_init_next_to_a_model_of_the_same_stem_writes_a_distinct_name(tmp_path):
    folder = write_models(tmp_path / "models", mug=None)
    (folder / "mug.stl").write_text("solid\nendsolid\n")
    assert blendgen("models", folder / "mug.obj", "--init", "--unit", "mm").returncode == 0
    assert (folder / "mug.obj.yaml").exists()
    assert blendgen("models", folder / "mug.obj").returncode == 0


def test_init_does_not_replace_a_spec_of_the_same_stem(tmp_path):
    folder = write_models(tmp_path / "models", mug=None)
    (folder / "mug.yaml").write_text(SPEC)
    assert blendgen("models", folder / "mug.obj", "--init", "--unit", "mm").returncode == 0
    assert (folder / "mug.yaml").read_text() == SPEC and (folder / "mug.obj.yaml").exists()


def test_a_sidecar_without_its_first_line_is_reported_with_that_line(tmp_path):
    folder = write_models(tmp_path / "models", mug="class: mug\n")
    for place in (folder / "mug.yaml", folder / "mug.obj"):
        result = blendgen("models", place)
        assert result.returncode == 3 and "starts with `blendgen_model: 1`" in result.stdout + result.stderr


def test_init_writes_a_sidecar_that_passes(tmp_path):
    folder = write_models(tmp_path / "models", mug=None)
    result = blendgen("models", folder / "mug.obj", "--init", "--unit", "mm")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{folder / 'mug.yaml'}\n", "")
    text = (folder / "mug.yaml").read_text()
    assert 'class: "mug"\nunit: mm\n' in text and '  "body_1": "body_1"' in text
    assert blendgen("models", folder / "mug.obj").returncode == 0
    again = blendgen("models", folder / "mug.obj", "--init")
    assert again.returncode == 2 and "has a sidecar" in again.stderr
    assert (folder / "mug.yaml").read_text() == text
    (folder / "mug.yaml").unlink()
    listed = blendgen("models", folder / "mug.obj", "--init", "--unit", "mm", "--json")
    assert json.loads(listed.stdout) == {"schema_version": 1, "sidecar": str(folder / "mug.yaml")}


def test_missing_textures_say_where_they_were_looked_for(good, caplog):
    for place in (good, good / "mug.obj"):
        caplog.clear()
        blendgen("models", place)
        assert f"textures were looked for below {good} alone" in caplog.text
    caplog.clear()
    blendgen("models", good, "--allow-outside")
    assert "absent.png" in caplog.text and "looked for" not in caplog.text


def test_links_and_files_outside_of_the_folder_are_used_where_that_is_allowed(tmp_path, caplog):
    folder = write_models(tmp_path / "library", mug=None)
    (folder / "mug.obj").write_text(FACES.replace("m.mtl", "../m.mtl"))
    (folder / "models").mkdir()
    (folder / "models" / "link.obj").symlink_to(folder / "mug.obj")
    left_out = blendgen("models", folder / "models")
    assert left_out.returncode == 3 and "`blendgen models --follow-links`, includes them" in caplog.text
    result = blendgen("models", folder / "models", "--follow-links", "--allow-outside", "--unit", "mm")
    assert result.returncode == 0 and result.stdout.startswith("link: "), result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["absent"], 2, "does not exist"),
        (["notes.txt"], 3, "is neither a model file nor a sidecar"),
        (["scene.yaml", "--unit", "mm"], 2, "for a spec, set them under its products"),
        (["scene.yaml", "--allow-outside"], 2, "for a spec, set them under its products"),
        ([".", "--init"], 2, "a sidecar is made for one model file"),
    ],
)
def test_a_wrong_call_is_reported(tmp_path, monkeypatch, arguments, code, expected):
    write_models(tmp_path / "models", mug=None)
    (tmp_path / "models" / "notes.txt").touch()
    (tmp_path / "models" / "scene.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path / "models")
    result = blendgen("models", *arguments)
    assert result.returncode == code and expected in result.stderr and "Traceback" not in result.stderr
