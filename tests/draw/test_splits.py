"""Splits by what was drawn: held-out values are in their split alone, and nowhere else."""

from collections import Counter

import pytest

from blendgen.draw.shot import draw_shot
from blendgen.errors import SpecError
from tests.conftest import make_class_table, make_spec

DRAWN = {
    "camera": {"elevation_deg": {"uniform": [20, 80]}},
    "surface": {"kind": {"choice": ["paper", "wood_table"]}},
}


def splits(shapes, count=60, **changes):
    spec, class_table = make_spec(**{**DRAWN, **changes}), make_class_table(shapes)
    return [draw_shot(spec, shapes, class_table, index) for index in range(count)]


def test_a_range_of_a_parameter_is_held_out(shapes):
    shots = splits(shapes, hold_out={"test": {"camera.elevation_deg": [60, 80]}})
    for shot in shots:
        assert (shot.split == "test") == (shot.camera.elevation_deg >= 60)
    counts = Counter(shot.split for shot in shots)
    assert counts["train"] > 5 * counts["val"] > 0  # 0.8 to 0.1, as without


def test_names_and_several_conditions_are_held_out(shapes):
    shots = splits(shapes, hold_out={"test": {"surface.kind": ["paper"], "colorway": ["c1"]}})
    for shot in shots:
        held = shot.surface.kind == "paper" or shot.products[0].colorway == "c1"
        assert (shot.split == "test") == held
    assert {shot.split for shot in shots} == {"train", "val", "test"}


def test_products_are_held_out_and_all_else_stays_as_it_was(shapes):
    held = splits(shapes, 20, hold_out={"val": {"product": ["sphere"]}})
    free = splits(shapes, 20)
    for one, other in zip(held, free, strict=True):
        assert (one.split == "val") == (one.products[0].product == "sphere")
        assert one.model_copy(update={"split": ""}) == other.model_copy(update={"split": ""})


@pytest.mark.parametrize(
    ("hold_out", "expected"),
    [
        ({"tset": {"surface.kind": ["paper"]}}, "unknown split; did you mean test"),
        ({"test": {"surface.knd": ["paper"]}}, "did you mean surface.kind"),
        ({"test": {"per_image": [1, 2]}}, "`per_image` is now `products_per_image`"),
        ({"test": {"surface.kind": ["belt_pvc"]}}, "never takes the value belt_pvc"),
        ({"test": {"camera.elevation_deg": [85, 90]}}, "never takes a value in"),
        ({"test": {"camera.elevation_deg": [70]}}, "must be .low, high."),
        ({"test": {"exposure.camera_ev": [0, 1]}}, "has a value for each image"),
        ({"test": {"surface.speed_m_per_s": [0, 1]}}, "is always 0"),
        (
            {name: {"surface.kind": ["paper"]} for name in ("train", "val", "test")},
            "must leave at least one split",
        ),
    ],
)
def test_what_cannot_be_held_out_is_refused(hold_out, expected):
    with pytest.raises(SpecError, match=f"hold_out.*{expected}"):
        make_spec(**DRAWN, hold_out=hold_out)
