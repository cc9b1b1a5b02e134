"""Panoramas: each part of the picture is seen, and lights, from the side that docs/lighting.md states."""

from dataclasses import replace

import numpy as np
import pytest

from tests.engine import conformance

pytest.importorskip("bpy")
pytestmark = pytest.mark.slow

RED, GREEN, BLUE, WHITE = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)
# the colours of a quarter of the picture each: around its middle, to the left and right, and at its ends
PICTURE = [WHITE, GREEN, GREEN, RED, RED, BLUE, BLUE, WHITE]
AT_AZIMUTH = {0: RED, 90: GREEN, 180: WHITE, 270: BLUE}


@pytest.fixture
def rendered(stock, engine_for, tmp_path):
    """(azimuth_deg of the direction of view, rotation_deg) -> light (h, w, 3), sky (h, w), ball (h, w)."""
    import OpenEXR

    file = tmp_path / "marked.exr"
    line = np.repeat(np.array(PICTURE, np.float32), 8, axis=0)
    OpenEXR.File({}, {"RGB": np.repeat(line[None], 32, axis=0)}).write(str(file))
    catalog = replace(stock, environments={file.name: file})
    engine = engine_for(0, catalog, samples_per_pixel=16, denoise=False)
    ball = conformance.place(1, stock.product("sphere"))

    def render(azimuth_deg, rotation_deg=0.0):
        camera = conformance.make_camera(
            azimuth_deg + 180, 8, distance_m=0.3, resolution=(48, 36), focal_length_mm=24
        )
        shot = conformance.make_shot([ball], camera)
        around = shot.environment.model_copy(update={"image": file.name, "rotation_deg": rotation_deg})
        film = engine.render(shot.model_copy(update={"environment": around}))
        return film.radiance_linear["environment"], np.isinf(film.depth_m), film.instance_id == 1

    return render


def test_each_part_of_a_panorama_is_on_its_side(rendered):
    for rotation_deg in (0, 90):
        for azimuth_deg, color in AT_AZIMUTH.items():
            light, sky, _ = rendered(azimuth_deg - rotation_deg, rotation_deg)
            shown = light[sky].mean(axis=0)
            assert shown / shown.max() == pytest.approx(color, abs=0.02), (azimuth_deg, rotation_deg)


def test_a_panorama_is_not_mirrored_and_lights_from_where_it_is_seen(rendered):
    """Looking at its middle, its left is green, and so is the light on the left of a ball."""
    light, _, ball = rendered(0)
    columns = np.nonzero(ball)[1]
    left, right = (
        light[ball][side].mean(axis=0)
        for side in (columns <= np.percentile(columns, 20), columns >= np.percentile(columns, 80))
    )
    assert left[1] > 1.2 * left[2] and right[2] > 1.2 * right[1]
