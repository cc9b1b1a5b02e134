"""The built-in phone descriptions are complete, plausible and well checked; no Blender here."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
import yaml

from blendgen.errors import CatalogError
from blendgen.geometry.color import hex_to_srgb
from blendgen.models.families.phones import load_phone, load_phones, phone_colorways, phone_sources
from blendgen.system.resources import resource_folder

PHONES = load_phones()
COLORED_SLOTS = {"back", "frame", "button", "lens_ring", "emblem", "bezel", "antenna", "island"}

each_phone = pytest.mark.parametrize("name", PHONES)


def test_family_holds_many_models_sorted_by_name():
    assert list(PHONES) == sorted(PHONES)
    generations = {
        "8": ("", "_plus"),
        "x": ("", "r", "s", "s_max"),
        "11": ("", "_pro", "_pro_max"),
        "se": ("_2", "_3"),
        **dict.fromkeys(("12", "13"), ("", "_mini", "_pro", "_pro_max")),
        **dict.fromkeys(("14", "15"), ("", "_plus", "_pro", "_pro_max")),
        "16": ("", "_plus", "_pro", "_pro_max", "e"),
    }
    assert sorted(f"iphone_{n}{kind}" for n, kinds in generations.items() for kind in kinds) == list(PHONES)


@each_phone
def test_name_follows_from_title(name):
    assert PHONES[name].title.lower().replace(" ", "_") == name


@each_phone
def test_body_is_as_large_as_a_phone(name):
    body = PHONES[name].body
    assert 60 < body.width_mm < 80
    assert 120 < body.height_mm < 165
    assert 6.5 < body.depth_mm < 9
    assert 8 < body.corner_radius_mm < 15


@each_phone
def test_lenses_lie_inside_their_island_and_apart(name):
    phone = PHONES[name]
    for lens in phone.lenses:
        for axis in (0, 1) if phone.island else ():
            middle, size = phone.island.center_mm[axis], phone.island.size_mm[axis]
            assert abs(lens.center_mm[axis] - middle) + lens.diameter_mm / 2 <= size / 2
    circles = [*phone.lenses, *filter(None, (phone.flash, phone.microphone, phone.lidar))]
    for number, first in enumerate(circles):
        for second in circles[number + 1 :]:
            across, down = (first.center_mm[axis] - second.center_mm[axis] for axis in (0, 1))
            assert (across**2 + down**2) ** 0.5 > (first.diameter_mm + second.diameter_mm) / 2


@each_phone
def test_buttons_of_a_side_do_not_touch(name):
    phone = PHONES[name]
    for side in ("left", "right"):
        buttons = [button for button in phone.buttons if button.side == side]
        spans = sorted(
            tuple(button.center_from_top_mm + sign * button.length_mm / 2 for sign in (-1, 1))
            for button in buttons
        )
        assert spans[0][0] > phone.body.corner_radius_mm
        assert all(above[1] + 0.5 < below[0] for above, below in pairwise(spans))


@each_phone
def test_colorways_set_known_slots_with_valid_colors(name):
    colorways = phone_colorways(PHONES[name])
    assert len({colorway.name for colorway in colorways}) == len(colorways) >= 2
    for colorway in colorways:
        assert set(colorway.materials) <= COLORED_SLOTS
        assert {"back", "frame"} <= set(colorway.materials)
        for override in colorway.materials.values():
            assert len(hex_to_srgb(override.base_color_srgb)) == 3


def test_only_the_se_shares_its_body_and_camera_with_others():
    bodies = {}
    for name, phone in PHONES.items():
        bodies.setdefault((str(phone.body), str(phone.island), str(phone.lenses)), []).append(name)
    alike = [names for names in bodies.values() if len(names) > 1]
    assert alike == [["iphone_8", "iphone_se_2", "iphone_se_3"]]


def test_a_source_is_json():
    sources = [source for source in phone_sources() if source.name in ("iphone_x", "iphone_12")]
    assert [source.display for source in sources] == ["phones/iphone_12", "phones/iphone_x"]
    assert all((source.kind, source.folder) == ("phone", "phones") for source in sources)
    options = json.loads(json.dumps(sources[0].options))
    assert type(PHONES["iphone_12"]).model_validate(options) == PHONES["iphone_12"]


def test_every_phone_is_a_source():
    assert [source.name for source in phone_sources()] == list(PHONES)


def _broken(change) -> dict:
    data = yaml.safe_load((resource_folder("assets/phones") / "iphone_12.yaml").read_text(encoding="utf-8"))
    change(data)
    return data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data["body"].update(width_mm=-1), r"body\.width_mm: .*greater than 0, got -1"),
        (lambda data: data["body"].update(widht_mm=71), r"body\.widht_mm: .*not permitted"),
        (lambda data: data.pop("front"), r"front: Field required"),
        (lambda data: data["colorways"]["blue"].update(back="navy"), r"colorways\.blue\.back: .*'navy'"),
        (lambda data: data["lenses"][1].update(center_mm=[70, 25]), r"lenses\.1 extends beyond the edge"),
        (lambda data: data["frame"].update(shape="wavy"), r"frame\.shape: .*'rounded'.*'wavy'"),
        (lambda data: data["front"].pop("cutout_mm"), r"front: cutout_mm is required"),
    ],
)
def test_a_bad_file_is_reported_with_file_and_field(tmp_path, change, message):
    file = tmp_path / "bad_phone.yaml"
    file.write_text(yaml.safe_dump(_broken(change)), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"bad_phone\.yaml: " + message):
        load_phone(file)


@pytest.mark.parametrize("text", ["[1, 2]", "body: {width_mm: ", "\x00"])
def test_a_file_that_is_not_a_mapping_is_reported(tmp_path, text):
    file = tmp_path / "bad_phone.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError, match=r"bad_phone\.yaml"):
        load_phone(file)
