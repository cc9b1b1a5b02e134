"""What is drawn of surfaces and backdrops: by their own streams, and only where it means something."""

from dataclasses import replace
from pathlib import Path

import pytest

from blendgen.draw.exposure import incident_light
from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.engine.flat import FlatEngine
from blendgen.errors import SpecError
from blendgen.scene.shot import Surface
from tests.conftest import make_class_table, make_spec

WIDE = {"uniform": [0.1, 0.9]}
PHOTOS = {"directory": "p", "width_m": {"uniform": [0.2, 0.4]}}


@pytest.mark.parametrize("mark", ["stains", "wetness", "seams"])
def test_a_mark_is_drawn_and_leaves_every_other_draw(shapes, mark):
    class_table, amounts = make_class_table(shapes), set()
    for index in range(6):
        plain, marked = (
            draw_shot(make_spec(surface=surface), shapes, class_table, index)
            for surface in ({}, {mark: WIDE})
        )
        amounts.add(getattr(marked.surface, mark))
        same = marked.surface.model_copy(update={mark: getattr(plain.surface, mark)})
        assert marked.model_copy(update={"surface": same}) == plain
    assert len(amounts) == 6 and all(0.1 <= value <= 0.9 for value in amounts)


def test_the_pitch_of_a_mesh_is_drawn_for_meshes_alone(shapes):
    class_table = make_class_table(shapes)
    pitches = {
        kind: {
            draw_shot(make_spec(surface={"kind": kind}), shapes, class_table, i).surface.pitch_m
            for i in range(5)
        }
        for kind in ("belt_mesh", "paper")
    }
    assert len(pitches["belt_mesh"]) == 5 and len(pitches["paper"]) == 1


def test_photos_and_backdrops_are_drawn_by_name_with_their_size_and_part(shapes):
    catalog = replace(shapes, photos={"a": Path("a"), "b": Path("b")}, backdrops={"c": Path("c")})
    spec = make_spec(
        surface={"kind": {"choice": ["photo", "paper"]}, "photos": PHOTOS}, backdrop={"directory": "q"}
    )
    shots = [draw_shot(spec, catalog, make_class_table(shapes), index) for index in range(30)]
    assert {shot.surface.kind for shot in shots} == {"photo", "paper"}
    for shot in shots:
        assert (shot.surface.photo is not None) == (shot.surface.kind == "photo")
        assert shot.backdrop.image == "c" and 1 <= shot.backdrop.zoom <= 1.3
        assert max(map(abs, shot.backdrop.offset)) <= 1
    photos = [shot.surface.photo for shot in shots if shot.surface.photo]
    assert {photo.image for photo in photos} == {"a", "b"}
    assert all(0.2 <= photo.width_m <= 0.4 for photo in photos)


def test_a_backdrop_is_as_bright_as_white_paper_in_the_light_there_is(shapes):
    catalog = replace(shapes, backdrops={"c": Path("c")})
    spec = make_spec(backdrop={"directory": "q"})
    shot = draw_shot(spec, catalog, make_class_table(shapes), 0)
    for exposure in draw_exposures(spec, shot, range(4)):
        light = incident_light(shot, exposure.group_gain)
        assert exposure.group_gain["backdrop"] == pytest.approx(tuple(light))
    assert (
        "backdrop"
        not in draw_exposures(make_spec(), shot.model_copy(update={"backdrop": None}), [0])[0].group_gain
    )


def test_rows_from_before_these_keys_still_load():
    old = {
        "kind": "belt_pvc", "texture_offset_m": (0, 1), "yaw_deg": 0, "width_m": 0.6,
        "wear": 0.2, "dust": 0.1, "color_srgb": None,
    }  # fmt: skip
    surface = Surface.model_validate(old)
    assert surface.stains is None and surface.wetness == 0 and surface.seams is None


@pytest.mark.parametrize(
    ("surface", "expected"),
    [
        ({"kind": "photo"}, "kind: photo needs photos: .directory: FOLDER, width_m: METRES"),
        ({"kind": {"choice": {"photo": 1, "paper": 1}}}, "kind: photo needs photos"),
        ({"photos": PHOTOS}, "photos needs kind: photo, but kind is missing; add it"),
        (
            {"kind": "photo", "photos": {"directory": "p"}},
            "width_m is missing: width of the real surface",
        ),
        ({"wetness": 1.2}, "must be at least 0 and at most 1"),
    ],
)
def test_settings_that_do_not_fit_together_are_an_error(surface, expected):
    with pytest.raises(SpecError, match=expected):
        make_spec(surface=surface)


def test_without_a_surface_only_products_are_hit(shapes):
    spec = make_spec(surface={"kind": "none"})
    shot = draw_shot(spec, shapes, make_class_table(shapes), 0)
    film = FlatEngine(shapes).render(shot)
    assert ((film.depth_m < float("inf")) == (film.instance_id > 0)).all()
