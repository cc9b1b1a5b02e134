"""A spec from photos: what is written, what is left as it was, and what is said of odd folders of photos."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import ExifTags, Image

from blendgen import api
from blendgen.errors import UsageError
from blendgen.geometry.color import blackbody_linear, srgb_to_linear
from blendgen.matching.edit import edited, moved
from blendgen.matching.patches import largest_rectangle
from blendgen.matching.place_values import PlaceMatch, hex_of
from blendgen.photos.background import Background
from blendgen.starter.guess import Guess
from tests.matching.places import BASE, write_base, write_photos
from tests.photos.developed import HEIGHT, WIDTH, developed


def surface(seed: int, color=(0.2, 0.3, 0.25), light=(1.0, 1.0, 1.0), gain=1.0, grain=0.0) -> np.ndarray:
    """(h, w, 3) uint8: a white sheet on a surface, which takes most of the picture."""
    rng = np.random.Generator(np.random.PCG64(seed))
    linear = np.broadcast_to(np.array(color), (HEIGHT, WIDTH, 3)).copy()
    coarse = rng.normal(1, grain, (HEIGHT // 4, WIDTH // 4, 1)) if grain else np.ones((1, 1, 1))
    linear *= np.kron(coarse, np.ones((4, 4, 1))) if grain else coarse
    linear[20:60, 150:210] = 0.8
    return developed(linear * np.array(light) * gain, full_well_e=20000, seed=seed)


def values_of(matched) -> dict[str, object]:
    return {one.field: one.value for one in matched.values}


def reason_of(matched, field: str) -> str:
    return next((text for text in matched.undetermined if text.startswith(field)), "")


@pytest.fixture
def place(tmp_path):
    """Photos of one place in warm light, which are exposed differently."""
    gains = (0.7, 0.85, 1.0, 1.15, 0.9, 1.05)
    images = [
        surface(seed, light=0.7 * np.array(blackbody_linear(4200)), gain=gain)
        for seed, gain in enumerate(gains, 1)
    ]
    return write_photos(tmp_path / "place", images)


@pytest.mark.slow
def test_colour_of_the_light_of_the_surface_and_the_exposure_are_those_of_the_place(tmp_path, place):
    matched = api.match(place, tmp_path / "out" / "matched.yaml", spec=write_base(tmp_path))
    values = values_of(matched)
    low, high = values["exposure.environment_temperature_k"]["uniform"]
    assert np.mean([low, high]) == pytest.approx(4200, abs=300)
    assert high - low == pytest.approx(1500, abs=150)  # half of that of the spec
    spread = values["exposure.camera_ev"]["truncated_normal"][1]
    assert spread == pytest.approx(np.std(np.log2([0.7, 0.85, 1.0, 1.15, 0.9, 1.05])), rel=0.6)
    spec = api.load_spec(tmp_path / "out" / "matched.yaml").spec
    assert spec.exposure.white_balance_mode == "fixed" and matched.photos == 6


def test_the_new_spec_keeps_comments_and_paths_and_says_where_values_come_from(tmp_path, place):
    matched = api.match(place, tmp_path / "out" / "matched.yaml", spec=write_base(tmp_path))
    text = matched.spec.read_text()
    assert "# boxes in a box" in text and "# each file a class" in text and "# small" in text
    assert "directory: ../models" in text and "preset: machine_vision" in text
    assert "# match: white things look as at" in text
    evidence = json.loads((tmp_path / "out" / "matched.match.json").read_text())
    assert {one["field"] for one in evidence["values"]} == set(values_of(matched))
    assert all(one["evidence"] for one in evidence["values"])
    assert evidence["statistics"]["brightness"]["measured"] == 6
    assert reason_of(matched, "lighting:") and matched.report.products == 2


@pytest.mark.slow
def test_nothing_is_replaced_without_force_and_a_second_match_replaces_its_own_comments(tmp_path, place):
    base, dest = write_base(tmp_path), tmp_path / "matched.yaml"
    first = api.match(place, dest, spec=base).spec.read_text()
    with pytest.raises(UsageError, match=r"matched\.yaml: exists, and is not replaced"):
        api.match(place, dest, spec=base)
    api.match(place, dest, spec=dest, force=True)
    assert dest.read_text().count("# match:") == first.count("# match:")


def test_without_a_spec_it_starts_from_built_in_phones(tmp_path, place, monkeypatch):
    class Starts(Exception):
        pass

    def checked(spec_file, measurer):
        raise Starts(spec_file.spec)

    monkeypatch.setattr("blendgen.matching.match.load_inventory", checked)
    with pytest.raises(Starts) as caught:
        api.match(place, tmp_path / "matched.yaml")
    (spec,) = caught.value.args
    assert spec.resolution == (240, 176) and spec.products[0].catalog == "phones"


@pytest.mark.slow
def test_a_textured_background_becomes_photos_of_the_surface_with_their_size(tmp_path):
    place = write_photos(tmp_path / "place", [surface(seed, grain=0.1) for seed in range(5)])
    base = write_base(tmp_path, BASE.replace("{kind: paper}", "{kind: paper, color: '#3050a0'}"))
    matched = api.match(place, tmp_path / "matched.yaml", spec=base)
    values = values_of(matched)
    assert values["surface.kind"] == {"choice": {"photo": 1, "paper": 1}}
    assert values["surface.color"] is None  # it would tint the photos
    pieces = sorted((tmp_path / "matched_background").glob("*.png"))
    assert len(pieces) == 5 and reason_of(matched, "the real size of surface.photos")
    for piece in pieces:
        pixels = np.asarray(Image.open(piece))
        assert min(pixels.shape[:2]) > 50 and pixels.max() < 200  # nothing of the white sheet
    spec = api.load_spec(tmp_path / "matched.yaml").spec
    assert spec.surface.photos.directory == "matched_background" and spec.surface.color is None


@pytest.mark.slow
def test_photos_of_many_places_have_their_colours_and_no_exposure(tmp_path):
    colors = [(0.3, 0.1, 0.1), (0.1, 0.3, 0.1), (0.1, 0.1, 0.3), (0.3, 0.3, 0.1), (0.05, 0.05, 0.05)]
    place = write_photos(tmp_path / "place", [surface(1, color) for color in colors])
    base = write_base(tmp_path, BASE.replace("paper", "none"))
    matched = api.match(place, tmp_path / "matched.yaml", spec=base)
    assert len(values_of(matched)["surface.color"]["choice"]) == 5
    assert "1 of 5 have the same one" in reason_of(matched, "exposure.camera_ev")
    assert "left as it is" in reason_of(matched, "surface.photos: the surface of the spec")


@pytest.mark.slow
def test_one_photo_and_photos_of_several_cameras_are_warned_of(tmp_path):
    base = write_base(tmp_path)
    one = write_photos(tmp_path / "one", [surface(1)])
    assert api.match(one, tmp_path / "a.yaml", spec=base).warnings[0].startswith("1 photo: what varies")
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for number, camera in enumerate(("iPhone 12", "X-T4", "X-T4", "X-T4", "X-T4")):
        exif = Image.Exif()
        exif[ExifTags.Base.Model] = camera
        Image.fromarray(surface(number)).save(mixed / f"{number}.jpg", exif=exif, quality=95)
    (mixed / "broken.jpg").write_text("no")
    matched = api.match(mixed, tmp_path / "b.yaml", spec=base)
    assert "photos of 2 cameras: X-T4 (4), iPhone 12 (1)" in matched.warnings[0]
    assert "broken.jpg: cannot be read" in matched.left_out[0]
    assert values_of(matched)["sensor.jpeg_quality"] == pytest.approx(95, abs=2)


@pytest.mark.parametrize(
    ("photos", "dest", "message"),
    [
        ("nowhere", "a.yaml", "nowhere: does not exist"),
        ("models", "a.yaml", "models: contains no photos"),
        ("place", "a.txt", "the name of a spec ends with .yaml"),
        ("place", "base.yaml/a.yaml", "base.yaml: is not a folder"),
    ],
)
def test_wrong_places_are_errors_with_a_way_out(tmp_path, photos, dest, message):
    base = write_base(tmp_path)
    write_photos(tmp_path / "place", [surface(1)])
    with pytest.raises(UsageError, match=message):
        api.match(tmp_path / photos, tmp_path / dest, spec=base)


def test_an_edit_opens_presets_and_flow_mappings_and_keeps_the_rest():
    text = "a: 1  # one\nsensor: phone\nlighting: {lamps: {count: 2}}\n# end\n"
    guesses = [
        Guess(("sensor", "blur_px"), {"uniform": [0, 1]}, "seen\nin edges"),
        Guess(("lighting", "lamps", "count"), 3, "counted"),
    ]
    assert edited(text, guesses) == (
        "a: 1  # one\nsensor:\n  preset: phone\n  # match: seen in edges\n  blur_px: {uniform: [0, 1]}\n"
        "lighting:\n  lamps:\n    # match: counted\n    count: 3\n# end\n"
    )


def test_paths_of_a_spec_lead_to_the_same_places_from_another_folder(tmp_path):
    text = "products:\n  - directory: models\n  - directory: /abs\n    recolor_table: t.csv\n"
    new = moved(text, tmp_path / "a", tmp_path / "b" / "c")
    assert "directory: ../../a/models" in new and "directory: /abs" in new and "../../a/t.csv" in new
    assert moved(text, tmp_path, tmp_path) == text


def test_the_largest_rectangle_is_found():
    mask = np.ones((20, 30), bool)
    mask[8, 10] = mask[15, 25] = False
    top, left, bottom, right = largest_rectangle(mask)
    assert mask[top:bottom, left:right].all() and (bottom - top) * (right - left) == 15 * 19
    assert largest_rectangle(np.zeros((3, 3), bool)) == (0, 0, 0, 0)


def test_colours_are_written_as_a_spec_reads_them():
    assert hex_of(np.array([1.0, 0.0, 0.5])) == "#ff00bc"


def test_a_bright_background_keeps_its_hue_and_reflects_no_more_than_a_surface_can():
    light = np.array([0.9, 0.85, 0.7])
    bright = Background(light, light, light, 0.9)
    photos = SimpleNamespace(photos=[SimpleNamespace(background=bright, light_k=None)] * 6)
    values = {guess.path[-1]: guess.value for guess in PlaceMatch(photos, "Standard").run().guesses}
    levels = [int(values["color"][place : place + 2], 16) for place in (1, 3, 5)]
    linear = srgb_to_linear(np.array(levels) / 255)
    assert linear[0] == pytest.approx(0.85, abs=0.01)
    assert np.allclose(linear / linear[0], light / light[0], atol=0.02)
