"""What a sidecar says reaches the product in the product frame; what does not fit is reported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blendgen.models.product import Keypoint, StablePose
from blendgen.models.sidecar.apply import with_sidecar
from blendgen.models.sidecar.read import check_sidecar
from blendgen.models.stable_poses import stable_poses
from blendgen.spec.yaml_source import parse
from tests.conftest import box_hull, make_product, with_measured

SIZE_M = (0.04, 0.04, 0.1)
# A file in millimetres with Y up, whose origin is 10 mm from the middle of the box, along x.
FILE_TO_PRODUCT = ((0.001, 0, 0, -0.01), (0, 0, -0.001, 0), (0, 0.001, 0, 0), (0.0, 0, 0, 1))


@pytest.fixture
def tower():
    """A box of 40 x 40 x 100 mm of two materials, as a Y-up file in millimetres gives it."""
    box = replace(make_product("tower", "mesh", SIZE_M), stable_poses=stable_poses(box_hull(SIZE_M)))
    parts = ("Body_upper", "Body_lower", "Logo")
    return with_measured(box, parts=parts, file_to_product=FILE_TO_PRODUCT)


def apply(product, text: str):
    file = check_sidecar(parse(f"blendgen_model: 1\n{text}\n", "tower.yaml"), Path("tower.obj"))
    described, problems = with_sidecar(product, file)
    return described, sorted(str(problem) for problem in problems)


def whole(product, text: str):
    described, problems = apply(product, text)
    assert problems == []
    return described


def test_parts_are_named_by_the_last_pattern_that_matches(tower):
    assert whole(tower, "parts: {shell: body*, top: '*upper'}").part_names == ("top", "shell", "Logo")
    assert whole(tower, "class: tower").part_names == ()


def test_parts_whose_names_differ_in_letter_case_alone_are_distinguished(tower):
    tower = with_measured(tower, parts=("logo", "Logo"))
    assert whole(tower, "parts: {small: logo, large: Logo}").part_names == ("small", "large")


def test_glass_and_screens_are_what_the_sidecar_names(tower):
    assert whole(tower, "class: tower").part_kinds == ()
    assert whole(tower, "glass: body*").part_kinds == ("glass", "glass", "")
    assert whole(tower, "glass: '*'\nscreen: [logo]").part_kinds == ("glass", "glass", "screen")


def test_a_pattern_that_matches_nothing_is_reported_with_the_nearest(tower):
    messages = apply(tower, "parts: {shell: bdy_lower}\ncolorways: {red: {Logoo: '#ff0000'}}\nscreen: logo_")[
        1
    ]
    fault = "matches no material of this model; did you mean"
    assert messages == [
        f"tower.yaml:2:9: parts.shell: 'bdy_lower' {fault} Body_lower?",
        f"tower.yaml:3:19: colorways.red.Logoo: 'Logoo' {fault} Logo?",
        f"tower.yaml:4:1: screen: 'logo_' {fault} Logo?",
    ]


def test_colourways_take_the_place_of_the_models_own(tower):
    ways = whole(tower, "colorways: {red: {logo: '#ff0000'}, own: {}}").colorways
    assert [way.name for way in ways] == ["red", "own"]
    assert ways[0].materials["Logo"].base_color_srgb == "#ff0000"


def test_keypoints_take_their_names_and_pairs(tower):
    measured = (Keypoint("0", (0.01, -0.02, 0.03)), Keypoint("1", (0.01, 0.02, 0.03)))
    text = "keypoints: {a: {at: [20, 30, 20], mirrored: b}, b: [20, 30, -20]}"
    assert whole(replace(tower, keypoints=measured), text).keypoints == (
        Keypoint("a", (0.01, -0.02, 0.03), "b"),
        Keypoint("b", (0.01, 0.02, 0.03), "a"),
    )


def test_a_keypoint_far_off_is_reported_with_the_nearest_point_in_the_files_own_frame(tower):
    measured = (Keypoint("0", (0.02, 0.0, 0.03)),)
    assert whole(replace(tower, keypoints=measured), "keypoints: {a: [31.9, 30, 0]}").keypoints[0].name == "a"
    messages = apply(replace(tower, keypoints=measured), "keypoints: {a: [42, 30, 0]}")[1]
    assert messages == [
        "tower.yaml:2:13: keypoints.a: is 12.0 mm from the surface, at most 2.0 mm is allowed; the nearest "
        "point is [30, 30, 0], as in the model file"
    ]


def test_symmetries_are_turned_into_the_product_frame_about_the_middle_of_the_box(tower):
    symmetries = whole(tower, "symmetries: {discrete: [{axis: y, fold: 4}]}").symmetries
    assert len(symmetries.discrete) == 3
    hull = {tuple(p) for p in np.round(tower.hull_m, 9).tolist()}
    for turn in map(np.array, symmetries.discrete):
        moved = tower.hull_m @ turn[:3, :3].T + turn[:3, 3]
        assert {tuple(p) for p in (np.round(moved, 9) + 0.0).tolist()} == hull


def test_a_symmetry_that_the_shape_lacks_is_reported(tower):
    messages = apply(tower, "symmetries: {discrete: [{axis: z, fold: 4}], continuous: [y]}")[1]
    assert len(messages) == 2
    assert messages[0].startswith(
        "tower.yaml:2:25: symmetries.discrete[0]: the shape does not have this symmetry"
    )
    assert messages[1].startswith("tower.yaml:2:59: symmetries.continuous[0]: ")
    off_middle = "symmetries: {discrete: [{axis: y, fold: 2, through: [0, 0, 0]}]}"
    assert "is 20 mm off" in apply(tower, off_middle)[1][0]
    assert apply(tower, off_middle.replace("[0, 0, 0]", "[10, 7, 0]"))[1] == []


def test_excluded_poses_are_left_out_and_the_rest_adds_up(tower):
    stood = [pose for pose in tower.stable_poses if abs(np.array(pose.rotation)[2, 2]) > 0.9]
    assert len(tower.stable_poses) == 6 and len(stood) == 2
    allowed = whole(tower, "exclude_poses: [x, -x, z]").stable_poses
    assert len(allowed) == 3 and sum(pose.probability for pose in allowed) == pytest.approx(1)
    # z of the file is -y of the product
    assert not any(np.array(pose.rotation)[2, 1] < -0.9 for pose in allowed)
    lying, standing = allowed[0].probability, allowed[-1].probability
    before = tower.stable_poses
    assert lying / standing == pytest.approx(before[0].probability / before[-1].probability)


@pytest.mark.parametrize(("tilt_deg", "left"), [(29, 1), (31, 2)])
def test_a_pose_is_excluded_within_30_degrees(tower, tilt_deg, left):
    angle = np.radians(tilt_deg)
    row = (float(np.sin(angle)), 0.0, float(np.cos(angle)))
    tilted = StablePose(((row[2], 0.0, -row[0]), (0.0, 1.0, 0.0), row), 0.5)
    other = StablePose(((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)), 0.5)
    product = replace(tower, stable_poses=(tilted, other))
    assert len(whole(product, "exclude_poses: [y]").stable_poses) == left


def test_a_product_that_could_not_lie_at_all_is_reported(tower):
    messages = apply(tower, "exclude_poses: [x, -x, y, -y, z, -z]")[1]
    assert messages[0].startswith("tower.yaml:2:1: exclude_poses: no stable pose is left; it rests with ")


def test_a_file_whose_axes_are_not_known_takes_no_places(tower):
    unknown = with_measured(tower, file_to_product=None)
    assert whole(unknown, "class: tower\nparts: {logo: logo}").model_class == "tower"
    messages = apply(unknown, "keypoints: {a: [0, 0, 0]}\nexclude_poses: [z]")[1]
    assert [line.split(": ")[1] for line in messages] == ["keypoints", "exclude_poses"]
