import os
from pathlib import Path

import pytest
import yaml

from blendgen.errors import SpecError, UsageError
from blendgen.spec.distributions import Constant, Uniform
from blendgen.spec.load import (
    as_overrides,
    as_spec_file,
    check_spec,
    load_spec,
    parse_override,
    resolved_values,
    resolved_yaml,
)
from blendgen.spec.yaml_source import parse

SCENES = sorted((Path(__file__).resolve().parents[2] / "scenes").glob("*.yaml"))
MINIMAL = "blendgen: 1\nname: x\nproducts: [{catalog: shapes}]\n"


def check(text, *overrides):
    return check_spec(parse(text, "x.yaml"), Path(), tuple(parse_override(o) for o in overrides)).spec


def problems(text, *overrides):
    with pytest.raises(SpecError) as caught:
        check(text, *overrides)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_the_shipped_scenes_are_valid(path):
    assert load_spec(path).spec.name


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_a_resolved_spec_loads_again_as_itself(path):
    spec = load_spec(path).spec
    assert resolved_values(check(resolved_yaml(spec))) == resolved_values(spec)


def test_a_minimal_spec_is_enough():
    spec = check(MINIMAL)
    assert spec.resolution == (224, 224)
    assert spec.sensor.bits == 12


@pytest.mark.parametrize(
    ("line", "place", "expected"),
    [
        ("seeed: 3", "4:1: seeed", "unknown key; did you mean seed?"),
        ("camera: {elevaton_deg: 3}", "4:10: camera.elevaton_deg", "did you mean elevation_deg?"),
        ("camera: {distance_m: {uniform: [2, 1]}}", "distance_m", "uniform needs low < high, got [2, 1]"),
        ("camera: {distance_m: -1}", "camera.distance_m", "must be above 0"),
        ("camera: {distance_m: 1, frame_fill: 0.5}", "camera", "exclude each other"),
        ("camera: {direction: {cone: 20}, azimuth_deg: 3}", "camera", "direction replaces"),
        ("camera: {direction: {sphere: [-20, 40]}}", "camera.direction", "1 degrees above the horizon"),
        ("lighting: {lamps: {direction: {cone: 89}}}", "lamps.direction", "goes down to 1"),
        ("exposure:\n  # camera_ev: 1", "exposure", "has no value"),
        ("render: {preset: smoke, resolution: [100000, 100000]}", "render.resolution", "16 to 8192"),
        ("sensor: {preset: phone, bits: 8, black_level_dn: 200}", "sensor", "must be below 128"),
        ("sensor: {preset: phone, channel_sensitivity: [1, 2, 1]}", "channel_sensitivity", "the largest 1"),
        ("sensor: {preset: phone, color_matrix: [[1,1,0],[0,1,0],[0,0,1]]}", "color_matrix", "sum to 1"),
        ("sensor: {bits: 9, full_well_e: 100, read_noise_e: 2}", "sensor", "start from a preset"),
        ("camera: {subject_offset: [2, 0]}", "camera.subject_offset", "-1 to 1 each"),
        ("camera: {focal_length_mm: {normal: [30, 3]}}", "focal_length_mm", "use truncated_normal"),
        ("camera: {roll_deg: {uniformm: [1, 2]}}", "roll_deg", "expected one of uniform"),
        ("camera: {roll_deg: {uniform: [1]}}", "roll_deg", "uniform needs [low, high], got [1]"),
        ("camera: {roll_deg: [1, 2]}", "roll_deg", "must be a number or a distribution"),
        ("surface: {kind: belt_ruber}", "surface.kind", "did you mean belt_rubber?"),
        ("surface: {kind: {choice: {paper: 1, belt_pvcc: 2}}}", "surface.kind", "did you mean belt_pvc?"),
        ("surface: {color: blue}", "surface.color", "#rrggbb"),
        ("products_per_image: {uniform: [1, 3]}", "products_per_image", "whole numbers"),
        ("products_per_image: 0", "products_per_image", "at least 1"),
        ("resolution: [100000, 100000]", "4:1: resolution", "16 to 8192"),
        ("resolution: [8192, 8192]", "resolution", "pixels in total"),
        ("resolution: [224.5, 224]", "resolution", "must be [width, height]"),
        ("resolution: 224", "resolution", "must be [width, height]"),
        ("images: 0", "images", "greater than or equal to 1"),
        ("seed: -1", "seed", "greater than or equal to 0"),
        ("splits: {train: 0.5}", "splits", "sum to 1"),
        ("splits: {'a/b': 1}", "splits", "one word"),
        ("sensor: machine_visoin", "sensor", "did you mean machine_vision?"),
        ("sensor: {preset: phone, bitss: 3}", "sensor.bitss", "did you mean bits?"),
        ("render: {samples_per_pixel: 4, max_bounces: 2}", "render", "denoise is missing"),
        ("exposures_per_shot: 1000", "exposures_per_shot", "less than or equal to 64"),
        ("output: {format: gif}", "output.format", "must be 'png' or 'jpeg', got 'gif'"),
        ("output: {masks: maybe}", "output.masks", "must be true or false, got 'maybe'"),
        ("output: {jpeg_quality: 90.5}", "output.jpeg_quality", "must be a whole number, got 90.5"),
    ],
)  # fmt: skip
def test_a_fault_is_an_error_with_file_line_field_and_way_out(line, place, expected):
    (problem,) = problems(MINIMAL + line + "\n")
    assert problem.startswith("x.yaml:4:")
    assert place in problem and expected in problem


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("coverage: even", "4:1: coverage: `coverage: even` is now `sampling: low_discrepancy`"),
        ("coverage: independent", "4:1: coverage: `coverage` is now `sampling`"),
        ("per_image: 2", "4:1: per_image: `per_image` is now `products_per_image`"),
        ("camera: {aim: [0, 0]}", "4:10: camera.aim: `camera.aim` is now `camera.subject_offset`"),
        ("camera: {rig: overhead, mounts: 2}", "`camera.mounts` is now `camera.camera_count`"),
        ("render: {preset: draft, quality_db: 40}", "is now `render.target_psnr_db`"),
        ("render: {quality_db: 40, max_bounces: 2, denoise: true}", "is now `render.target_psnr_db`"),
        ("per_image: 99", "`per_image` is now `products_per_image`"),
        ("output: {coverage: true}", "4:10: output.coverage: `output.coverage` is now `output.soft_masks`"),
        ("output: {oriented_boxes: true}", "`output.oriented_boxes` is now `output.obb`"),
        ("output: {object_coordinates: true}", "`output.object_coordinates` is now `output.nocs`"),
        ("output: {boxes_3d: true}", "`output.boxes_3d` is now `output.bbox_3d`"),
    ],
)
def test_an_old_key_gets_one_error_that_names_the_new_one(line, expected):
    (problem,) = problems(MINIMAL + line + "\n")
    assert problem.startswith("x.yaml:4:") and problem.endswith(expected)


def test_an_old_key_in_an_override_gets_an_error_that_names_the_new_one():
    assert problems(MINIMAL, "render.quality_db=40") == [
        "--set render.quality_db=40: `render.quality_db` is now `render.target_psnr_db`"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: x\nproducts: [{catalog: shapes}]\n", "blendgen is missing"),
        ("blendgen: 2\nname: x\nproducts: [{catalog: shapes}]\n", "x.yaml:1:1: blendgen"),
        ("blendgen: 1\nname: a/b\nproducts: [{catalog: shapes}]\n", "x.yaml:2:1: name"),
        ("blendgen: 1\nname: x\nproducts: []\n", "x.yaml:3:1: products"),
        ("blendgen: 1\nname: x\nproducts: [{catalog: phoness}]\n", "did you mean phones?"),
        ("blendgen: 1\nname: x\nproducts: [{}]\n", "give either catalog"),
        ("blendgen: 1\nname: x\nproducts: [{directory: a, unit: inch}]\n", "products[0].unit"),
        (
            "blendgen: 1\nname: x\nproducts: [{directory: a, case: 0.5}]\n",
            "case applies only to catalog: phones",
        ),
        ("blendgen: 1\nname: x\nproducts: [{catalog: phones, case: 2}]\n", "products[0].case"),
        ("blendgen: 1\nname: x\nproducts: [{catalog: phones, case_colors: [blue]}]\n", "case_colors"),
        (
            "blendgen: 1\nname: x\nproducts: [{catalog: phones, bevel_mm: 1}]\n",
            "bevel_mm applies only to a directory",
        ),
        (
            "blendgen: 1\nname: x\nproducts: [{catalog: phones, allow_outside: true}]\n",
            "allow_outside applies only to a directory",
        ),
        ("- 1\n", "a spec must be a mapping"),
    ],
)
def test_a_wrong_top_level_is_an_error(text, expected):
    assert expected in "\n".join(problems(text))


@pytest.mark.parametrize(
    "text", ["1e3", "08", "true", "null", "~", ".nan", "a: b", "- x", "#x", "it's", "é 1"]
)
def test_texts_that_look_like_something_else_come_back_from_a_resolved_spec(text):
    spec = check(MINIMAL)
    source = spec.products[0].model_copy(update={"models": [text]})
    again = check(resolved_yaml(spec.model_copy(update={"products": [source], "seed": 2**63 - 1})))
    assert again.products[0].models == [text] and again.seed == 2**63 - 1


def test_a_fault_of_an_override_names_the_override():
    assert problems(MINIMAL, "splits.train=0.5") == [
        "--set splits.train=0.5: the shares must sum to 1, got 0.5"
    ]
    assert problems(MINIMAL, "cmaera.roll_deg=1")[0].startswith("--set cmaera.roll_deg=1: unknown key")
    assert problems(MINIMAL, "camera.roll_deg.uniform=[3, 1]")[0].startswith("--set camera.roll_deg.uniform")


def test_the_error_for_a_colour_without_quotes_says_so():
    (problem,) = problems(MINIMAL + "surface:\n  color: #aabbcc\n")
    assert problem.startswith("x.yaml:5:3: surface.color: has no value") and "quotes: '#aabbcc'" in problem


def test_a_colour_on_the_command_line_needs_no_quotes():
    assert check(MINIMAL, "surface.color=#aabbcc").surface.color == Constant("#aabbcc")


def test_a_resolution_on_the_command_line_wins_over_the_preset():
    assert check(MINIMAL, "render=smoke").resolution == (64, 64)
    assert check(MINIMAL, "render=smoke", "resolution=[128, 96]").resolution == (128, 96)


def test_all_faults_are_reported_at_once_in_the_order_of_the_file():
    reported = problems(MINIMAL + "seeed: 1\ncamera: {roll_deg: x}\nsensor: nope\nproducts_per_image: 99\n")
    assert [problem.split(":")[1] for problem in reported] == ["4", "5", "6", "7"]


def test_overrides_are_not_changed():
    """A later override sets a field inside of an earlier one, whose empty and old keys are removed."""
    given = {"camera": {"roll_deg": 1, "aim": [0, 0], "azimuth_deg": None}, "camera.roll_deg": 2}
    for _ in range(2):
        with pytest.raises(SpecError, match=r"is now `camera.subject_offset`"):
            as_spec_file(yaml.safe_load(MINIMAL), as_overrides(given))
        assert given["camera"] == {"roll_deg": 1, "aim": [0, 0], "azimuth_deg": None}


def test_the_key_of_an_override_is_a_string_and_its_index_is_plain_digits():
    with pytest.raises(UsageError, match=r"expected a field such as 'camera.distance_m' as the key, got 3"):
        list(as_overrides({3: 1}))
    for index in ("\N{SUPERSCRIPT TWO}", "9" * 5000):
        assert "cannot be set here" in problems(MINIMAL, f"products[{index}]=1")[0]


def test_overrides_enter_as_if_they_stood_in_the_file():
    spec = check(MINIMAL, "camera.distance_m={uniform: [1, 2]}", "products[0].label=colorway", "images=7")
    assert spec.camera.distance_m == Uniform(1, 2)
    assert spec.products[0].label == "colorway"
    assert spec.images == 7


def test_a_wrong_override_is_quoted():
    (problem,) = problems(MINIMAL, "camera.roll_deg=abc")
    assert problem.startswith("--set camera.roll_deg=abc: must be a number")
    (problem,) = problems(MINIMAL, "products[7].label=model")
    assert "there is no 7" in problem
    with pytest.raises(UsageError, match="KEY=VALUE"):
        parse_override("camera.roll_deg")


def test_a_preset_may_be_a_start():
    spec = check(MINIMAL + "sensor: {preset: webcam, read_noise_e: 9}\n")
    assert (spec.sensor.read_noise_e, spec.sensor.full_well_e) == (Constant(9), Constant(3500))


def test_one_field_of_a_preset_can_be_overridden():
    spec = check(MINIMAL + "render: final\n", "render.max_bounces=2", "sensor.bits=10")
    assert (spec.render.max_bounces, spec.render.samples_per_pixel, spec.sensor.bits) == (2, 128, 10)


def test_another_preset_of_render_leaves_the_engine_and_takes_the_rest():
    eevee = "render: {preset: draft, engine: eevee, samples_per_pixel: 64}\n"
    render = check(MINIMAL + eevee, "render=final").render
    assert (render.engine, render.samples_per_pixel, render.max_bounces) == ("eevee", 128, 8)


def test_an_override_of_samples_or_of_target_psnr_removes_the_other():
    for given, override, expected in (
        ("samples_per_pixel: 2", "render.target_psnr_db=35", (None, 35)),
        ("target_psnr_db: 40", "render.samples_per_pixel=16", (16, None)),
        ("max_bounces: 2", "render.target_psnr_db=35", (None, 35)),
    ):
        render = check(MINIMAL + f"render: {{preset: draft, {given}}}\n", override).render
        assert (render.samples_per_pixel, render.target_psnr_db) == expected


def test_a_render_preset_may_fix_the_resolution():
    assert check(MINIMAL + "render: smoke\n").resolution == (64, 64)


def test_constants_and_weights_keep_their_values_through_yaml():
    spec = check(
        MINIMAL + "products_per_image: {choice: {1: 0.9, 2: 0.1}}\ncamera: {subject_offset: [0.1, 0.2]}\n"
    )
    again = yaml.safe_load(resolved_yaml(spec))
    assert again["products_per_image"] == {"choice": {1: 0.9, 2: 0.1}}
    assert again["camera"]["subject_offset"] == [0.1, 0.2]
    assert spec.surface.yaw_deg == Constant(0.0)


def test_a_missing_file_and_a_binary_file_are_errors(tmp_path):
    with pytest.raises(UsageError, match="No such file or directory"):
        load_spec(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="UTF-8"):
        load_spec(tmp_path / "binary.yaml")


def test_lamps_that_only_path_tracing_has_are_refused_for_eevee():
    lamps = "lighting: {lamps: {kind: {choice: {area: 1, ring: 1, door: 1, window: 0}}}}\n"
    (problem,) = problems(MINIMAL + lamps, "render={preset: smoke, engine: eevee}")
    assert "eevee does not support kind: ring or kind: door in lighting.lamps" in problem
    (problem,) = problems(
        MINIMAL + "lighting: {lamps: {visible: true}}\n", "render={preset: smoke, engine: eevee}"
    )
    assert "eevee does not support visible: true in lighting.lamps" in problem
    assert check(MINIMAL + lamps).render.engine == "cycles"
    assert check(MINIMAL, "render={preset: smoke, engine: eevee}").render.engine == "eevee"


def test_only_regular_files_of_a_sane_size_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    with (tmp_path / "giant.yaml").open("wb") as file:
        file.truncate(300_000_000)
    for place, message in [
        (tmp_path, "not a regular file"),
        (tmp_path / "pipe.yaml", "not a regular file"),
        (Path("/dev/zero"), "not a regular file"),
        (tmp_path / "giant.yaml", "larger than 4 MB"),
        (tmp_path / ("x" * 300), "File name too long"),
        (tmp_path / "a\0b", "embedded null"),
    ]:
        with pytest.raises(UsageError, match=message):
            load_spec(place)


def test_lines_may_end_as_on_any_system(tmp_path):
    path = tmp_path / "scene.yaml"
    path.write_bytes(MINIMAL.replace("\n", "\r\n").encode() + b"seeed: 1\r\n")
    with pytest.raises(SpecError, match=r"scene\.yaml:4:1: seeed: unknown key"):
        load_spec(path)


@pytest.mark.parametrize("line", ['name: "a\\u202eb"', 'splits: {"a\\u202eb": 1}', "splits: {' ': 1}"])
def test_a_name_that_nothing_can_be_called_is_refused_at_its_line(line):
    lines = [*MINIMAL.splitlines(), line] if "splits" in line else [*MINIMAL.splitlines()[::2], line]
    (problem,) = problems("\n".join(lines))
    assert problem.startswith(f"x.yaml:{len(lines)}:1: ") and (
        "the name " in problem or "one word" in problem
    )
