"""Lamps of the Blender engine: what is visible of them, and what falls through a window."""

import numpy as np
import pytest

from tests.engine import conformance

bpy = pytest.importorskip("bpy")


def test_lamps_are_invisible_by_default(stock, engine):
    """Two lamps in front of the sky, which shine into the camera."""
    from blendgen.scene.shot import Lamp

    camera = conformance.make_camera(0, 5, distance_m=0.5, resolution=(48, 36), focal_length_mm=24)
    lamps = {}
    for visible in (False, True):
        lamps[visible] = [
            Lamp(
                kind=kind,
                size_m=size_m,
                lamp_to_world=((0, 0, -1, -1.0), (1, 0, 0, y), (0, -1, 0, 0.4), (0, 0, 0, 1)),
                reference_distance_m=1.0,
                visible=visible,
            )
            for kind, y, size_m in (("area", -0.3, (0.2, 0.2)), ("ring", 0.3, (0.3, 0.1)))
        ]
    films = {
        visible: engine.render(
            conformance.make_shot([conformance.place(1, stock.product("box"))], camera, two)
        )
        for visible, two in lamps.items()
    }
    for group in ("lamp_0", "lamp_1"):
        hidden, visible = (
            film.radiance_linear[group][np.isinf(film.depth_m)].max() for film in (films[False], films[True])
        )
        assert hidden == 0 and visible > 1


@pytest.mark.slow
def test_the_sun_shines_through_nine_panes_of_a_window(stock, engine_for):
    from scipy.ndimage import label

    from blendgen.scene.shot import lamp_group

    engine = engine_for(1, samples_per_pixel=128, max_bounces=0, denoise=False)
    camera = conformance.make_camera(0, 90, 0, 0.6, (0, 0, 0), resolution=(96, 72))
    window = conformance.slanted_opening("window", (0.2, 0.2), elevation_deg=70)
    shot = conformance.make_shot([conformance.place(1, stock.product("sphere"), x=-0.3)], camera, [window])
    light = engine.render(shot).radiance_linear[lamp_group(0)][..., 1]
    assert label(light > 0.5)[1] == 9
    assert not bpy.data.lights  # nothing is left of it
