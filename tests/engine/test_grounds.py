"""Rendered surfaces and backdrops: water, stains and seams, photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from blendgen.geometry.color import srgb_to_linear
from blendgen.geometry.projection import project
from blendgen.scene.ground import Backdrop, SurfacePhoto
from tests.engine import conformance

pytest.importorskip("bpy")

ABOVE = {"elevation_deg": 90, "roll_deg": 0, "target": (0.3, 0.3, 0), "resolution": (48, 36)}
_EXIF_ORIENTATION, _TURN_RIGHT = 274, 6


def look_down(engine, stock, camera=None, **surface):
    """A film of the surface without products, and its camera."""
    camera = camera or conformance.make_camera(0, distance_m=0.5, **ABOVE)
    shot = conformance.make_shot([conformance.place(1, stock.product("sphere"), x=-0.5)], camera)
    values = {"color_srgb": None, "seams": 0.0, **surface}
    return engine.render(shot.model_copy(update={"surface": shot.surface.model_copy(update=values)})), camera


# where a joint crosses the centre of the image
_AT_JOINT = {"belt_pvc": (0.0, 0.843), "belt_rubber": (0.0, 0.1515), "steel_table": (0.0, 0.208)}


@pytest.mark.parametrize(
    ("mark", "kind"),
    [
        ("wetness", "belt_pvc"),
        ("seams", "belt_pvc"),
        *(
            pytest.param(mark, kind, marks=pytest.mark.slow)
            for mark, kinds in {
                "wetness": ("steel_table", "cardboard"),
                "stains": ("paper",),
                "seams": ("belt_rubber", "steel_table", "wood_table", "cardboard"),
            }.items()
            for kind in kinds
        ),
    ],
)
def test_more_of_a_mark_changes_more_of_the_surface(stock, engine_for, mark, kind):
    engine = engine_for(0, samples_per_pixel=2, max_bounces=0, denoise=False)
    films = [
        look_down(engine, stock, kind=kind, texture_offset_m=_AT_JOINT.get(kind, (0, 0)), **{mark: amount})[0]
        for amount in (0.0, 0.4, 1.0)
    ]
    none, some, much = (film.radiance_linear["environment"] for film in films)
    assert 0 < np.abs(some - none).mean() < np.abs(much - none).mean()


def test_backlit_sheets_do_not_get_wet(stock, engine_for):
    engine = engine_for(0, samples_per_pixel=1, max_bounces=0, denoise=False)
    dry, wet = (look_down(engine, stock, kind="backlit_sheet", wetness=w)[0] for w in (0, 1))
    assert np.array_equal(dry.radiance_linear["emission"], wet.radiance_linear["emission"])


STRIPES = 8


@pytest.fixture
def striped(tmp_path):
    """A photo of white and black stripes, the upper half red, with an EXIF rotation of 90 degrees."""
    upright = np.zeros((300, 400, 3), np.uint8)
    upright[:, np.arange(400) * 2 * STRIPES // 400 % 2 == 0] = 255
    upright[:150, :, 1:] = 0
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = _TURN_RIGHT
    path = tmp_path / "stripes.png"
    Image.fromarray(np.ascontiguousarray(np.rot90(upright))).save(path, exif=exif)
    return path


@pytest.mark.parametrize("yaw_deg", [0.0, 60.0])
def test_a_photo_has_its_stated_size_upright_and_is_repeated_mirrored(stock, engine_for, striped, yaw_deg):
    engine = engine_for(
        0, replace(stock, photos={"a": striped}), samples_per_pixel=4, max_bounces=0, denoise=False
    )
    width_m = 0.32
    photo = SurfacePhoto(image="a", width_m=width_m, roughness=1.0)
    camera = conformance.make_camera(0, 90, 0, 0.6, (0, 0, 0), resolution=(160, 160))
    film, _ = look_down(
        engine, stock, camera, kind="photo", photo=photo, texture_offset_m=(0, 0), yaw_deg=yaw_deg
    )
    light = film.radiance_linear["environment"]
    turn = np.radians(yaw_deg)
    for across in (-0.15, -0.05, -0.03, -0.01, 0.01, 0.03, 0.05, 0.15):
        for along in (0.05, 0.19):
            # the centre of a stripe, in the frame of the photo
            x, y = across, along
            world = [x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn), 0.0]
            u, v = project(np.array([world]), camera.intrinsics, camera.world_to_camera)[0]
            if not (0 <= u < 160 and 0 <= v < 160):
                continue
            red, green, _ = light[int(v), int(u)]
            white = int(abs(across) / width_m * 2 * STRIPES) % 2 == 0
            assert (red > 0.5) == white, (across, along)
            assert (green > 0.5) == (white and along < width_m * 3 / 4 / 2), (across, along)


def test_a_backdrop_is_visible_behind_the_product_and_does_not_light_it(stock, engine_for, tmp_path):
    gradient = np.zeros((96, 128, 3), np.uint8)
    gradient[..., 0] = np.arange(128)[None] * 2
    gradient[..., 1] = np.arange(96)[::-1, None] * 2
    Image.fromarray(gradient).save(tmp_path / "view.png")
    engine = engine_for(0, replace(stock, backdrops={"v": tmp_path / "view.png"}), samples_per_pixel=4)
    camera = conformance.make_camera(20, 40, 7, resolution=(64, 48))
    shot = conformance.make_shot([conformance.place(1, stock.product("box"))], camera)
    shot = shot.model_copy(update={"surface": shot.surface.model_copy(update={"kind": "none"})})
    before = Backdrop(image="v", zoom=1.0, offset=(0.0, 0.0), ev=1.0)
    bare, film = engine.render(shot), engine.render(shot.model_copy(update={"backdrop": before}))
    product = film.instance_id == 1
    assert product.any() and np.array_equal(np.isfinite(film.depth_m), product)
    inside, away = binary_erosion(product, iterations=2), ~binary_dilation(product, iterations=2)
    for group in ("environment", "emission"):
        assert np.array_equal(film.radiance_linear[group][inside], bare.radiance_linear[group][inside])
    shown = film.radiance_linear["backdrop"]
    assert not shown[inside].any() and not bare.radiance_linear["backdrop"].any()
    expected = 2 * srgb_to_linear(gradient.reshape(48, 2, 64, 2, 3).mean(axis=(1, 3)) / 255)  # one stop
    away[[0, -1]] = away[:, [0, -1]] = False
    assert np.abs(shown - expected)[away].max() < 0.06
    assert np.array_equal(film.amodal_masks[1], bare.amodal_masks[1])


def test_a_photo_that_cannot_be_read_any_more_is_reported(stock, engine_for, tmp_path):
    from blendgen.engine.base import EngineError

    engine = engine_for(0, replace(stock, photos={"a": tmp_path / "gone.jpg"}))
    photo = SurfacePhoto(image="a", width_m=1.0, roughness=0.5)
    with pytest.raises(EngineError, match=r"gone.jpg: cannot be read as a photo"):
        look_down(engine, stock, kind="photo", photo=photo)
